//! `pilothouse keys` as people and programs use it.

use std::path::Path;

use clap::Parser;
use pilothouse_core::clock::ManualClock;

use super::*;

const NOW: UnixMs = UnixMs(1_795_348_800_000);

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    keys: Keys,
}

fn keys(dir: &Path, arguments: &str) -> Result<String> {
    let data = dir.to_str().unwrap();
    let words = ["keys"].into_iter().chain(arguments.split(' ')).chain(["--data", data]);
    let line = Line::try_parse_from(words)?;
    let mut out = Vec::new();
    line.keys.run_as(&mut out, "user anna", &ManualClock::new(NOW))?;
    Ok(String::from_utf8(out)?)
}

fn refusal(dir: &Path, arguments: &str) -> String {
    format!("{:#}", keys(dir, arguments).unwrap_err())
}

fn listed_json(dir: &Path) -> Value {
    serde_json::from_str(&keys(dir, "list --json").unwrap()).unwrap()
}

#[test]
fn key_is_made_limited_rotated_and_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let created = keys(
        dir.path(),
        "create app --team search --rpm 600 --budget 20/day --budget 0.50/hour --tz Europe/Berlin --allow openai/* --expires 90d",
    )
    .unwrap();
    assert!(created.starts_with("ph-") && created.contains("shown this once"), "{created}");
    let second: Value =
        serde_json::from_str(&keys(dir.path(), "create bot --role viewer --json").unwrap()).unwrap();
    assert_eq!(second["secret"].as_str().unwrap().len(), 46);
    assert_ne!(created.split(' ').next(), second["secret"].as_str());

    let app = &listed_json(dir.path())["keys"][0];
    assert_eq!(
        (&app["name"], &app["state"], &app["expires"]),
        (&json!("app"), &json!("active"), &json!("2027-02-20T12:00:00.000Z"))
    );
    let hour = json!({ "usd": "0.50", "every": "hour", "tz": "Europe/Berlin" });
    assert_eq!(
        (&app["grants"]["team"], &app["grants"]["rpm"], &app["grants"]["budgets"][1]),
        (&json!("search"), &json!(600), &hour)
    );

    keys(dir.path(), "limit app --rpm 0 --tpm 5000 --team= --expires never").unwrap();
    let app = &listed_json(dir.path())["keys"][0];
    assert_eq!(
        (&app["grants"]["rpm"], &app["grants"]["tpm"], &app["expires"]),
        (&Value::Null, &json!(5000), &Value::Null)
    );
    assert_eq!(app["grants"]["allow"], json!(["openai/*"]), "what is not given stays");
    assert!(keys(dir.path(), "rotate app --overlap 1h").unwrap().starts_with("ph-"));
    assert_eq!(listed_json(dir.path())["keys"][0]["secrets"].as_array().unwrap().len(), 2);
    assert!(keys(dir.path(), "revoke app").unwrap().contains("revoked the key `app`"));
    let table = keys(dir.path(), "list").unwrap();
    let line = table.lines().find(|line| line.starts_with("app")).unwrap();
    assert!(
        line.contains("revoked") && line.contains("5000 tpm") && line.contains("20/day 0.50/hour"),
        "{table}"
    );
    let records = Store::open(dir.path(), &ManualClock::new(NOW)).unwrap().audit(10).unwrap();
    assert!(records.len() == 5 && records.iter().all(|record| record.actor == "user anna"), "{records:?}");
}

#[test]
fn wrong_wishes_are_refused_with_what_to_write() {
    let dir = tempfile::tempdir().unwrap();
    assert!(refusal(dir.path(), "list").contains("there is no ledger"));
    assert!(!dir.path().join(LEDGER_FILE).exists());
    for (arguments, part) in [
        ("create a --budget 5", "such as 20/day"),
        ("create a --budget 5/week", "`week` is no period"),
        ("create a --budget x/day", "`x` is not a decimal number"),
        ("create a --budget 5/day --budget 6/day", "two budgets per day"),
        ("create a --budget 5/day --tz Mars", "`Mars` is no time zone"),
        ("create a --alerts 80", "the key has none"),
        ("create a --budget 5/day --alerts much", "such as 80,100"),
        ("create a --budget 5/day --alerts 80,0", "0 % is never met"),
        ("create a --budget 5/day --on-limit explode", "write `stop`, `warn` or `downgrade ROUTE`"),
        ("create a --budget 5/day --reserve most", "write `worst` or `expected`"),
        ("create a --expires 2020-01-01", "is over"),
        ("create a --expires soon", "is not a time"),
        ("create a --role king", "caller, viewer, lead, admin"),
        ("create a/b", "cannot name a key"),
        ("limit nobody --rpm 5", "no minted key `nobody`"),
        ("revoke nobody", "no minted key `nobody`"),
        ("rotate nobody", "no minted key `nobody`"),
    ] {
        let told = refusal(dir.path(), arguments);
        // The first that gets past its arguments has made the store, so later ones find no key rather than no ledger.
        assert!(told.contains(part), "{arguments}: {told}");
    }
    keys(dir.path(), "create a").unwrap();
    assert!(refusal(dir.path(), "create a").contains("there is a key `a` already"));
}

#[test]
fn budgets_say_what_they_do_at_their_cap_and_what_is_not_given_stays() {
    let dir = tempfile::tempdir().unwrap();
    keys(dir.path(), "create app --budget 20/day --budget 500/month --tz Asia/Tokyo --alerts 80,100%")
        .unwrap();
    keys(dir.path(), "limit app --on-limit warn").unwrap();
    let budgets = || listed_json(dir.path())["keys"][0]["grants"]["budgets"].clone();
    let budget = |usd: &str, every: &str| json!({ "usd": usd, "every": every, "tz": "Asia/Tokyo", "on_limit": "warn", "alerts": [80.0, 100.0] });
    assert_eq!(budgets(), json!([budget("20", "day"), budget("500", "month")]));
    keys(dir.path(), "limit app --budget 30/day --reserve expected").unwrap();
    let mut day = budget("30", "day");
    day["reserve"] = json!("expected");
    assert_eq!(budgets(), json!([day]), "of the same period, but the month is taken away");
    assert!(keys(dir.path(), "list").unwrap().contains("30/day (warn)"));
    keys(dir.path(), "limit app --alerts none --on-limit stop").unwrap();
    assert_eq!((&budgets()[0]["alerts"], &budgets()[0]["on_limit"]), (&Value::Null, &json!("stop")));
}
