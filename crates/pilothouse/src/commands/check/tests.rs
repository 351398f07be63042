//! `pilothouse check` as people and programs use it.

use clap::Parser;
use pilothouse_core::clock::{Clock as _, SystemClock, UnixMs};
use pilothouse_store::keys::{BudgetGrant, Entropy, Grants, Keys, LimitOf, NewKey, TemporaryLimit};
use pilothouse_store::limits::Limits;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    check: Check,
}

/// Checks a configuration with two servers, the second of which lists `shared` models of the first.
fn check(shared: usize, more: &[&str]) -> String {
    let list = |own: &str| {
        let names: Vec<String> = (0..shared).map(|nth| format!("\"m{nth}\"")).collect();
        format!("[\"{own}\", {}]", names.join(", "))
    };
    let section = |name: &str| {
        format!(
            "[providers.{name}]\ndialect = \"openai-chat\"\nbase_url = \"http://{name}.test/v1\"\nmodels = {}\n",
            list(name)
        )
    };
    checked(&(section("left") + &section("attic")), more)
}

fn checked(configuration: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = checked_in(folder.path(), configuration, more);
    assert_eq!(code, ExitCode::SUCCESS);
    text
}

fn checked_in(folder: &Path, configuration: &str, more: &[&str]) -> (ExitCode, String) {
    let path = folder.join("pilothouse.toml");
    std::fs::write(&path, configuration).unwrap();
    let line = [&["check", "--config", path.to_str().unwrap()], more].concat();
    let mut out = Vec::new();
    let code = Line::try_parse_from(line).unwrap().check.run(&mut out).unwrap();
    (code, String::from_utf8(out).unwrap())
}

const KEYS: &str = "[keys.search]\nsecret = \"a-secret-of-the-file\"\n[keys.other]\nsecret = \"another-secret\"\n\
                    [limits.launch]\nkey = \"search\"\nrpm = 1\nuntil = 2099-01-01\n";

/// A data folder with one minted key of each name and a temporary limit `launch`.
fn store(folder: &Path, names: &[&str], grants: &Grants) {
    let (store, now) = (Keys::open(&folder.join(".pilothouse"), &SystemClock).unwrap(), SystemClock.now());
    for (nth, name) in names.iter().enumerate() {
        let key = NewKey { name: (*name).to_owned(), expires: None, grants: grants.clone() };
        store.create(&key, Entropy([nth as u8; 32]), "anna", now).unwrap();
    }
}

#[test]
fn names_that_file_and_store_both_have_are_told_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), &["search", "fine"], &Grants::default());
    let keys = Keys::open(&folder.path().join(".pilothouse"), &SystemClock).unwrap();
    let limit = TemporaryLimit {
        name: "launch".into(),
        of: LimitOf::Key,
        subject: "fine".into(),
        limits: Limits { concurrency: Some(1), ..Limits::default() },
        created: SystemClock.now(),
        until: UnixMs(4_000_000_000_000),
    };
    keys.create_limit(&limit, "anna", SystemClock.now()).unwrap();
    let (code, text) = checked_in(folder.path(), KEYS, &[]);
    assert_eq!(code, ExitCode::from(1), "{text}");
    for (line, part) in [(1, "a minted key is called `search` too"), (5, "called `launch` too")] {
        let told = text.lines().find(|told| told.contains(part)).unwrap_or_else(|| panic!("{text}"));
        assert!(told.contains(&format!("pilothouse.toml:{line}:")), "{told}");
    }
    let (_, json) = checked_in(folder.path(), KEYS, &["--json"]);
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&document["ok"], &document["problems"][0]["line"]), (&json!(false), &json!(1)));
    // Elsewhere there is no such store.
    let elsewhere = folder.path().join("elsewhere");
    let (code, text) = checked_in(folder.path(), KEYS, &["--data", elsewhere.to_str().unwrap()]);
    assert_eq!(code, ExitCode::SUCCESS, "{text}");
    assert!(!text.contains("store"), "{text}");
    assert!(!elsewhere.exists(), "a check makes nothing");
}

#[test]
fn store_that_cannot_be_read_is_told_and_keys_that_lack_what_they_name() {
    let folder = tempfile::tempdir().unwrap();
    let budget = BudgetGrant {
        usd: "1".into(),
        every: "day".into(),
        on_limit: Some("downgrade attic".into()),
        ..BudgetGrant::default()
    };
    store(folder.path(), &["astray"], &Grants { budgets: vec![budget], ..Grants::default() });
    let (code, text) = checked_in(folder.path(), KEYS, &[]);
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(text.contains("minted key `astray` stops calls") && text.contains("no route `attic`"), "{text}");
    let ledger = folder.path().join(".pilothouse").join(pilothouse_store::LEDGER_FILE);
    for file in std::fs::read_dir(ledger.parent().unwrap()).unwrap() {
        std::fs::write(file.unwrap().path(), "this is no database, and long enough to be seen as none")
            .unwrap();
    }
    let (code, text) = checked_in(folder.path(), KEYS, &[]);
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(
        text.contains("not compared with the store of") && text.contains("is not a Pilothouse ledger"),
        "{text}"
    );
    let (_, json) = checked_in(folder.path(), KEYS, &["--json"]);
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["store"]["state"], "unread");
    assert!(document["store"]["reason"].as_str().unwrap().contains("is not a Pilothouse ledger"), "{json}");
}

#[test]
fn ties_are_told_with_their_taker_and_how_to_choose() {
    let text = check(1, &[]);
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "1 model name that several providers could take; the one that stands first in the file does:",
            "  m0: left takes it before attic",
            "to choose yourself, ask with the provider's name before the model's: `left/m0` or `attic/m0`",
        ]
    );
}

#[test]
fn many_ties_are_counted_and_the_first_twenty_are_listed() {
    let text = check(23, &[]);
    assert!(text.contains("\n23 model names that several providers could take"), "{text}");
    assert!(text.contains("\n  m19: left takes") && !text.contains("m20"), "{text}");
    assert!(text.contains("\n  and 3 more\n"), "{text}");
    let document: Value = serde_json::from_str(&check(23, &["--json"])).unwrap();
    assert_eq!(document["ties"]["count"], 23);
    assert_eq!(document["ties"]["first"].as_array().unwrap().len(), 20);
    assert_eq!(
        document["ties"]["first"][0],
        json!({"name": "m0", "taker": "left", "others": ["attic"], "pins": ["left/m0", "attic/m0"]})
    );
}

#[test]
fn nothing_is_said_of_ties_where_there_are_none() {
    assert_eq!(check(0, &[]).lines().count(), 1);
    let document: Value = serde_json::from_str(&check(0, &["--json"])).unwrap();
    assert_eq!(document["ties"], json!({"count": 0, "first": []}));
}

#[test]
fn a_cloud_is_told_with_how_its_calls_are_authorised_or_what_that_lacks() {
    let configuration = "[providers.bedrock]\naws_access_key_id = \"AKIACANARY\"\naws_secret_access_key = \"canary\"\nparams = { region = \"eu-west-1\" }\n[providers.azure]\nentra = { tenant = \"t\", client_id = \"app\", client_secret = \"canary\" }\nparams = { resource = \"r\" }\n";
    let text = checked(configuration, &[]);
    let signs = "bedrock signs calls for bedrock in eu-west-1 with the access key pair of aws_access_key_id";
    let fetches = "azure fetches access tokens of Entra ID for the application app (entra)";
    assert!(text.contains(&format!("\n  {signs}\n  {fetches}\n")), "{text}");
    let json = checked(configuration, &["--json"]);
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(format!("azure {}", document["authentication"]["azure"].as_str().unwrap()), fetches);
    assert!(!(text + &json).to_lowercase().contains("canary"));
}
