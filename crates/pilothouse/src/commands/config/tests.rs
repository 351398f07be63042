//! `pilothouse config export` as people and programs use it.

use clap::Parser;
use pilothouse_core::clock::{ManualClock, UnixMs};
use pilothouse_store::keys::{BudgetGrant, Entropy, Grants, LimitOf, NewKey, Role, TemporaryLimit};
use pilothouse_store::limits::{Limits, Rate};

use super::*;

const NOW: UnixMs = UnixMs(1_795_348_800_000);
const HOUR: u64 = 3_600_000;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    config: Config,
}

fn run(dir: &Path, arguments: &[&str]) -> Result<(String, String)> {
    let data = dir.join("data");
    let words =
        ["config", "export", "--data", data.to_str().unwrap()].into_iter().chain(arguments.iter().copied());
    let Action::Export(command) = Line::try_parse_from(words)?.config.action;
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    command.run(&mut out, &mut notes, "user anna", &ManualClock::new(NOW))?;
    Ok((String::from_utf8(out)?, String::from_utf8(notes)?))
}

/// A store with two keys, one that was revoked, and a temporary limit.
fn store(dir: &Path) -> Keys {
    let store = Keys::open(&dir.join("data"), &ManualClock::new(NOW)).unwrap();
    let grants = Grants {
        team: Some("search".into()),
        application: Some("the \"search\" app".into()),
        role: Role::Lead,
        allow: vec!["openai/*".into()],
        rpm: Some(600),
        concurrency: Some(3),
        budgets: vec![BudgetGrant {
            usd: "0.50".into(),
            every: "day".into(),
            tz: Some("Europe/Berlin".into()),
            anchor: Some("06:30".into()),
            on_limit: Some("downgrade the \"cheap\" one".into()),
            reserve: Some("expected".into()),
            alerts: vec![80.0, 99.5],
        }],
        ..Grants::default()
    };
    let key = |name: &str| NewKey { name: name.into(), expires: None, grants: Grants::default() };
    let full = NewKey { name: "search.app".into(), expires: Some(UnixMs(NOW.0 + HOUR)), grants };
    store.create(&full, Entropy([1; 32]), "anna", NOW).unwrap();
    store.create(&key("plain"), Entropy([2; 32]), "anna", NOW).unwrap();
    store.rotate("plain", HOUR, Entropy([3; 32]), "anna", NOW).unwrap();
    store.create(&key("gone"), Entropy([4; 32]), "anna", NOW).unwrap();
    store.revoke("gone", "anna", NOW).unwrap();
    let limits = Limits { requests: Some(Rate::per_minute(5)), tokens: None, concurrency: Some(2) };
    let limit = TemporaryLimit {
        name: "launch".into(),
        of: LimitOf::Key,
        subject: "plain".into(),
        limits,
        created: NOW,
        until: UnixMs(NOW.0 + HOUR),
    };
    store.create_limit(&limit, "anna", NOW).unwrap();
    store
}

#[test]
fn exported_sections_say_what_the_store_says() {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path());
    let (text, notes) = run(dir.path(), &[]).unwrap();
    assert!(notes.contains("`gone` was revoked") && !notes.contains("plain"), "{notes}");
    let file = Source::parse(text.clone(), None).unwrap_or_else(|error| panic!("{error}\n{text}")).file;
    let names: Vec<&str> = file.keys.keys().map(|name| name.get_ref().as_str()).collect();
    assert_eq!(names, ["plain", "search.app"]);
    // A key that was rotated brings both secrets, and when the old one ends.
    let rotated = file.keys.values().next().unwrap();
    let previous = rotated.previous.as_ref().unwrap();
    assert_ne!(previous.secret, rotated.secret);
    assert!(previous.secret.get_ref().starts_with("sha256:") && previous.secret.get_ref().len() == 71);
    let until = previous.until.get_ref().to_string();
    assert!(until.starts_with("2026-11-22T13:00:00") && until.ends_with('Z'), "{until}");
    let key = file.keys.values().nth(1).unwrap();
    assert!(key.previous.is_none());
    assert_eq!(key.application.as_deref(), Some("the \"search\" app"));
    assert_eq!(key.limits.rpm.as_ref().map(|rpm| *rpm.get_ref()), Some(600));
    let budget = &key.budgets[0];
    let words =
        [&budget.tz, &budget.on_limit, &budget.reserve].map(|given| given.as_ref().unwrap().get_ref());
    assert_eq!(words, ["Europe/Berlin", "downgrade the \"cheap\" one", "expected"]);
    assert_eq!((&*budget.usd.get_ref().0, &*budget.anchor.as_ref().unwrap().get_ref().0), ("0.50", "06:30"));
    let alerts: Vec<f64> = budget.alerts.iter().map(|share| *share.get_ref()).collect();
    assert_eq!(alerts, [80.0, 99.5]);
    let expires = key.expires.as_ref().unwrap().get_ref().to_string();
    assert!(expires.starts_with("2026-11-22T13:00:00") && expires.ends_with('Z'), "{expires}");
    assert!(key.secret.get_ref().starts_with("sha256:") && key.secret.get_ref().len() == 71);
    let limit = file.limits.values().next().unwrap();
    assert_eq!((limit.key.as_ref().unwrap().get_ref().as_str(), limit.rpm.is_some()), ("plain", true));
}

#[test]
fn removing_hands_over_to_a_file_that_has_all_and_twice_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let file = dir.path().join("pilothouse.toml");
    std::fs::write(&file, "[teams.search]").unwrap();
    let into = ["--into", file.to_str().unwrap()];
    let (out, _) = run(dir.path(), &into).unwrap();
    assert!(out.contains("wrote 2 keys and 1 temporary limits") && out.contains("--remove"), "{out}");
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("[teams.search]\n\n[keys."), "{written}");
    // What is there already is not written twice, and is removed all the same.
    let (out, _) = run(dir.path(), &[into[0], into[1], "--remove", "--json"]).unwrap();
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&told["keys"], &told["removed"]),
        (&serde_json::json!(["plain", "search.app"]), &true.into())
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
    let left: Vec<String> = store.list().unwrap().into_iter().map(|row| row.name).collect();
    assert_eq!(left, ["gone"]);
    assert!(store.limits().unwrap().is_empty());
    let audit = store.audit(3).unwrap();
    let told: Vec<_> =
        audit.iter().map(|record| (&*record.action, &*record.object, &*record.actor)).collect();
    let anna = "user anna";
    let by_limit_then_keys =
        [("limit.export", "launch", anna), ("key.export", "search.app", anna), ("key.export", "plain", anna)];
    assert_eq!(told, by_limit_then_keys);
}

#[test]
fn file_that_would_not_load_is_left_alone_and_nothing_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let file = dir.path().join("pilothouse.toml");
    for wrong in ["[keys.plain]\nsecret = \"sha256:00\"\n", "[keys.plain\n"] {
        std::fs::write(&file, wrong).unwrap();
        assert!(run(dir.path(), &["--into", file.to_str().unwrap(), "--remove"]).is_err(), "{wrong}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), wrong);
        assert_eq!(store.list().unwrap().len(), 3);
    }
    assert!(run(dir.path(), &["--remove"]).is_err(), "hashes that stand nowhere are lost");
}
