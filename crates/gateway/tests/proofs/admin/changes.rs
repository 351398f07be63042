//! What the administration changes: keys and temporary limits of the store, each with its record; nothing of the file.

use std::sync::Arc;

use pilothouse_core::clock::{Clock, ManualClock, SystemClock, UnixMs};
use pilothouse_gateway::config::{ConfigError, Source};
use pilothouse_gateway::export::export;
use pilothouse_store::keys::Keys;
use serde_json::{Value, json};

use super::{GOVERNED, SECRETS, admin, ask, chat, governed, mint, problem, read};
use crate::harness::{BOTH_VENDORS, House, eventually};

#[test]
fn minted_key_works_at_once_and_its_secret_is_shown_once() {
    let house = governed();
    let secret = mint(&house, &json!({ "name": "app", "team": "search", "allow": ["assistant"], "rpm": 50 }));
    assert_eq!(chat(&house, &secret, "assistant").status, 200);
    assert_eq!(chat(&house, &secret, "openai/gpt-4o").status, 403, "it may call the route only");
    let shown = read(&house, "/api/v1/keys/app");
    assert_eq!(
        (&shown["managed_by"], &shown["state"], &shown["rpm"]),
        (&json!("store"), &json!("active"), &json!(50))
    );
    assert!(secret.ends_with(shown["secrets"][0]["hint"].as_str().unwrap()));
    for path in ["/api/v1/keys", "/api/v1/keys/app", "/api/v1/audit"] {
        assert!(!read(&house, path).to_string().contains(&secret), "{path} shows the secret");
    }
    problem(&admin(&house, "POST", "/api/v1/keys", &json!({ "name": "app" })), 409);
}

#[test]
fn rotated_key_overlaps_and_revoked_key_is_refused_at_once() {
    let house = governed();
    let old = mint(&house, &json!({ "name": "app" }));
    let got = admin(&house, "POST", "/api/v1/keys/app/rotate", &json!({ "overlap_seconds": 600 }));
    assert_eq!(got.status, 200, "{}", got.text());
    let new = got.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!((chat(&house, &old, "assistant").status, chat(&house, &new, "assistant").status), (200, 200));
    problem(&admin(&house, "POST", "/api/v1/keys/app/rotate", &Value::Null), 409);
    let got = admin(&house, "POST", "/api/v1/keys/app/rotate", &json!({ "overlap_seconds": 0 }));
    let newest = got.json()["secret"].as_str().unwrap().to_owned();
    let statuses = [&old, &new, &newest].map(|secret| chat(&house, secret, "assistant").status);
    assert_eq!(statuses, [401, 401, 200]);
    let got = admin(&house, "DELETE", "/api/v1/keys/app", &Value::Null);
    assert_eq!((got.status, got.json()["state"].as_str()), (200, Some("revoked")));
    assert_eq!(chat(&house, &newest, "assistant").status, 401);
    problem(&admin(&house, "PATCH", "/api/v1/keys/app", &json!({ "rpm": 1 })), 409);
}

#[test]
fn change_of_a_key_touches_what_it_names_and_two_at_once_lose_nothing() {
    let house = governed();
    mint(&house, &json!({ "name": "app", "project": "old", "rpm": 9, "expires": "2099-01-01" }));
    std::thread::scope(|scope| {
        let change = |member: &'static str| {
            let house = &house;
            scope.spawn(move || {
                for value in 1..=20 {
                    let got = admin(house, "PATCH", "/api/v1/keys/app", &json!({ member: value }));
                    assert_eq!(got.status, 200, "{}", got.text());
                }
            });
        };
        ["tpm", "concurrency"].into_iter().for_each(change);
    });
    let got = admin(&house, "PATCH", "/api/v1/keys/app", &json!({ "rpm": null, "team": "search" }));
    let key = got.json();
    assert_eq!((&key["tpm"], &key["concurrency"], &key["rpm"]), (&json!(20), &json!(20), &Value::Null));
    assert_eq!((&key["project"], &key["team"]), (&json!("old"), &json!("search")));
    assert_eq!(key["expires"], "2099-01-01T00:00:00.000Z");
    for wrong in [
        json!({ "team": "nobody" }),
        json!({ "rpm": 0 }),
        json!({ "budgets": [{ "usd": "x", "every": "day" }] }),
        json!({ "budgets": [{ "usd": "1", "every": "day" }, { "usd": "2", "every": "day" }] }),
        json!({ "budgets": [{ "usd": "1", "every": "day", "on_limit": "downgrade nowhere" }] }),
        json!({ "budgets": [{ "usd": "1", "every": "day", "alerts": [0] }] }),
        json!({ "expires": "2001-01-01" }),
        json!({ "role": "king" }),
        json!({ "name": "other" }),
    ] {
        problem(&admin(&house, "PATCH", "/api/v1/keys/app", &wrong), 400);
    }
    assert_eq!(read(&house, "/api/v1/keys/app"), key, "what is refused changes nothing");
}

#[test]
fn budget_of_a_minted_key_tells_its_shares_and_takes_the_route_that_it_names() {
    let house = governed();
    let budget = json!({
        "usd": "0.02", "every": "total", "on_limit": "downgrade assistant", "reserve": "worst", "alerts": [0.1, 99.5],
    });
    let secret = mint(&house, &json!({ "name": "app", "budgets": [budget] }));
    let shown = read(&house, "/api/v1/keys/app")["budgets"][0].clone();
    let wanted = json!({
        "usd": "0.02", "every": "total", "tz": "UTC", "anchor": null, "on_limit": "downgrade assistant",
        "reserve": "worst", "alerts": [0.1, 99.5],
    });
    assert_eq!(shown, wanted);
    let listed = read(&house, "/api/v1/budgets?kind=key&limit=200");
    let own = listed["items"].as_array().unwrap().iter().find(|budget| budget["scope"] == "app").unwrap();
    assert_eq!(own["on_limit"], "downgrade assistant");
    // What it can pay goes where it was sent; the share that it meets is told.
    let got = chat(&house, &secret, "openai/gpt-4o-mini");
    assert_eq!(got.status, 200, "{}", got.text());
    let alert = eventually("the share is told", || {
        let alerts = read(&house, "/api/v1/alerts");
        alerts["items"].as_array().unwrap().iter().find(|alert| alert["scope"] == "app").cloned()
    });
    assert_eq!((&alert["kind"], &alert["percent"]), (&json!("key"), &json!(0.1)));
    // What it cannot pay takes the route.
    let body = json!({
        "model": "anthropic/claude-opus-4-7", "max_tokens": 16, "messages": [{ "role": "user", "content": "word ".repeat(8_000) }],
    });
    let got = ask(&house, &secret, "POST", "/v1/chat/completions", &body);
    assert_eq!(got.status, 200, "{}", got.text());
    let record = house.record(&got);
    assert_eq!(&*record.target.as_ref().unwrap().vendor, "openai", "{record:?}");
    let notes = record.receipt.unwrap().notes;
    assert!(notes.iter().any(|note| note.code == "downgrade" && &*note.detail == "assistant"), "{notes:?}");
    // Nothing is stopped where it only warns.
    let spent = json!({ "budgets": [{ "usd": "0.000001", "every": "total", "on_limit": "warn" }] });
    assert_eq!(admin(&house, "PATCH", "/api/v1/keys/app", &spent).status, 200);
    assert_eq!(chat(&house, &secret, "anthropic/claude-opus-4-7").status, 200);
}

#[test]
fn what_the_file_manages_is_read_only_and_says_where_it_stands() {
    let house = governed();
    let text = std::fs::read_to_string(house.folder.path().join("pilothouse.toml")).unwrap();
    let line = |wanted: &str| text.lines().position(|line| line == wanted).unwrap() + 1;
    let key = format!("pilothouse.toml:{}", line("[keys.search-app]"));
    let limit = format!("pilothouse.toml:{}", line("[limits.freeze]"));
    for (method, path, body, place) in [
        ("PATCH", "/api/v1/keys/search-app", json!({ "rpm": 1 }), &key),
        ("DELETE", "/api/v1/keys/search-app", Value::Null, &key),
        ("POST", "/api/v1/keys/search-app/rotate", Value::Null, &key),
        ("POST", "/api/v1/keys", json!({ "name": "search-app" }), &key),
        ("DELETE", "/api/v1/limits/freeze", Value::Null, &limit),
        (
            "POST",
            "/api/v1/limits",
            json!({ "name": "freeze", "team": "search", "rpm": 1, "until": "2099-01-01" }),
            &limit,
        ),
    ] {
        let told = problem(&admin(&house, method, path, &body), 409);
        assert!(told["place"].as_str().unwrap().ends_with(place.as_str()), "{told}");
        assert!(told["reason"].as_str().unwrap().contains("managed by the configuration"), "{told}");
    }
    assert!(read(&house, "/api/v1/keys/search-app")["place"].as_str().unwrap().ends_with(&key));
    assert_eq!(read(&house, "/api/v1/audit")["items"], json!([]));
}

#[test]
fn lead_changes_what_belongs_to_its_team_and_gives_no_more_than_it_has() {
    let house = governed();
    let lead = |method: &str, path: &str, body: Value| ask(&house, "sk-lead", method, path, &body);
    let good = json!({ "name": "mine", "team": "search", "allow": ["openai/gpt-4o"], "role": "lead" });
    let got = lead("POST", "/api/v1/keys", good);
    assert_eq!(got.status, 201, "{}", got.text());
    for (why, wrong) in [
        ("no team", json!({ "name": "a", "allow": ["assistant"] })),
        ("the team above", json!({ "name": "a", "team": "company", "allow": ["assistant"] })),
        ("another team", json!({ "name": "a", "team": "other", "allow": ["assistant"] })),
        ("a role above", json!({ "name": "a", "team": "search", "allow": ["assistant"], "role": "admin" })),
        ("everything allowed", json!({ "name": "a", "team": "search" })),
        ("another provider", json!({ "name": "a", "team": "search", "allow": ["anthropic/*"] })),
    ] {
        assert_eq!(problem(&lead("POST", "/api/v1/keys", wrong), 403)["code"], "forbidden", "{why}");
    }
    mint(&house, &json!({ "name": "theirs", "team": "other" }));
    mint(&house, &json!({ "name": "boss", "team": "search", "role": "admin" }));
    for name in ["theirs", "boss"] {
        problem(&lead("PATCH", &format!("/api/v1/keys/{name}"), json!({ "rpm": 1 })), 403);
        problem(&lead("POST", &format!("/api/v1/keys/{name}/rotate"), Value::Null), 403);
        problem(&lead("DELETE", &format!("/api/v1/keys/{name}"), Value::Null), 403);
    }
    problem(&lead("PATCH", "/api/v1/keys/mine", json!({ "team": "other" })), 403);
    assert_eq!(lead("PATCH", "/api/v1/keys/mine", json!({ "rpm": 5 })).status, 200);
    let until = "2099-01-01";
    let limit =
        |of: &str, name: &str| json!({ "name": format!("l-{name}"), of: name, "rpm": 1, "until": until });
    problem(&lead("POST", "/api/v1/limits", limit("team", "other")), 403);
    problem(&lead("POST", "/api/v1/limits", limit("key", "theirs")), 403);
    assert_eq!(lead("POST", "/api/v1/limits", limit("key", "search-app")).status, 201);
    assert_eq!(lead("DELETE", "/api/v1/limits/l-search-app", Value::Null).status, 200);
    let who = ask(&house, "sk-lead", "GET", "/api/v1/self", &Value::Null).json();
    assert_eq!((&who["name"], &who["team"]), (&json!("key search-lead"), &json!("search")));
}

#[test]
fn temporary_limit_narrows_what_it_names_until_it_is_over() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let configuration = format!("{BOTH_VENDORS}{GOVERNED}");
    let house = House::at(&configuration, SECRETS, Arc::<ManualClock>::clone(&clock));
    let until = pilothouse_gateway::api::iso(UnixMs(clock.now().0 + 3_600_000));
    for (name, of, subject, rpm) in
        [("brake", "team", "company", 2), ("wide", "key", "search-app", 1_000_000)]
    {
        let limit = json!({ "name": name, of: subject, "rpm": rpm, "until": until });
        let got = admin(&house, "POST", "/api/v1/limits", &limit);
        assert_eq!(got.status, 201, "{}", got.text());
    }
    let statuses: Vec<u16> = (0..4).map(|_| chat(&house, "sk-search-app", "assistant").status).collect();
    assert_eq!(statuses, [200, 200, 429, 429], "of a team above, and not widened by the other one");
    let told = chat(&house, "sk-search-app", "assistant").text();
    assert!(
        told.contains("team company (temporary limit brake) is limited to 2 requests per minute"),
        "{told}"
    );
    assert_eq!(chat(&house, "sk-root", "assistant").status, 200, "of no team");
    let limits = read(&house, "/api/v1/limits?limit=200");
    let brake =
        limits["items"].as_array().unwrap().iter().find(|limit| limit["temporary"] == "brake").unwrap();
    assert_eq!((&brake["rpm"], &brake["managed_by"]), (&json!({ "limit": 2, "used": 2 }), &json!("store")));
    clock.advance(3_600_001);
    let statuses: Vec<u16> = (0..4).map(|_| chat(&house, "sk-search-app", "assistant").status).collect();
    assert_eq!(statuses, [200; 4]);
    assert!(!read(&house, "/api/v1/limits?limit=200").to_string().contains("brake"));
    problem(&admin(&house, "DELETE", "/api/v1/limits/brake", &Value::Null), 404);
}

#[test]
fn temporary_limit_of_the_file_holds_like_one_of_the_store() {
    let more = "[keys.app]\nsecret = \"env:APP\"\n[limits.brake]\nkey = \"app\"\nrpm = 1\nuntil = 2099-01-01T00:00:00+02:00\n";
    let house = House::with_secrets(&format!("{BOTH_VENDORS}{more}"), &[("APP", "sk-app")]);
    let statuses: Vec<u16> = (0..2).map(|_| chat(&house, "sk-app", "openai/gpt-4o-mini").status).collect();
    assert_eq!(statuses, [200, 429]);
    for (wrong, why) in [
        ("[limits.x]\nrpm = 1\nuntil = 2099-01-01\n", "give `key` or `team`"),
        ("[limits.x]\nkey = \"a\"\nteam = \"b\"\nrpm = 1\nuntil = 2099-01-01\n", "give `key` or `team`"),
        ("[limits.x]\nteam = \"b\"\nrpm = 1\nuntil = 2099-01-01\n", "there is no team `b`"),
        ("[limits.x]\nkey = \"a\"\nuntil = 2099-01-01\n", "nothing is limited here"),
        ("[limits.x]\nkey = \"a\"\nrpm = 1\nuntil = 2099-01-01T10:00:00\n", "is no moment"),
    ] {
        let error = house.reload(&format!("{BOTH_VENDORS}{wrong}")).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn every_change_is_recorded_with_who_made_it() {
    let house = governed();
    mint(&house, &json!({ "name": "app", "team": "search" }));
    assert_eq!(ask(&house, "sk-root", "PATCH", "/api/v1/keys/app", &json!({ "rpm": 3 })).status, 200);
    let limit = json!({ "name": "brake", "key": "app", "rpm": 1, "until": "2099-01-01" });
    assert_eq!(ask(&house, "sk-lead", "POST", "/api/v1/limits", &limit).status, 201);
    assert_eq!(ask(&house, "sk-root", "POST", "/api/v1/keys/app/rotate", &Value::Null).status, 200);
    assert_eq!(admin(&house, "DELETE", "/api/v1/limits/brake", &Value::Null).status, 200);
    assert_eq!(admin(&house, "DELETE", "/api/v1/keys/app", &Value::Null).status, 200);
    let mut told: Vec<(String, String, String)> = Vec::new();
    let mut path = "/api/v1/audit?limit=4".to_owned();
    loop {
        let page = read(&house, &path);
        for record in page["items"].as_array().unwrap() {
            let text = |member: &str| record[member].as_str().unwrap().to_owned();
            told.push((text("actor"), text("action"), text("object")));
        }
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/audit?limit=4&cursor={cursor}");
    }
    let told: Vec<(&str, &str, &str)> =
        told.iter().map(|(who, what, which)| (&**who, &**what, &**which)).collect();
    assert_eq!(
        told,
        [
            ("admin token", "key.revoke", "app"),
            ("admin token", "limit.end", "brake"),
            ("key root", "key.rotate", "app"),
            ("key search-lead", "limit.create", "brake"),
            ("key root", "key.limit", "app"),
            ("admin token", "key.create", "app"),
        ]
    );
}

#[test]
fn without_keys_this_machine_administers_and_with_keys_a_credential_is_needed() {
    let house = House::open();
    assert_eq!(ask(&house, "", "GET", "/api/v1/self", &Value::Null).json()["name"], "this machine");
    let got = ask(&house, "", "POST", "/api/v1/keys", &json!({ "name": "first", "role": "admin" }));
    let secret = got.json()["secret"].as_str().unwrap().to_owned();
    problem(&ask(&house, "", "GET", "/api/v1/keys", &Value::Null), 401);
    assert_eq!(ask(&house, &secret, "GET", "/api/v1/keys", &Value::Null).status, 200);
}

#[test]
fn where_keys_lack_a_role_this_machine_is_told_how_to_make_an_administrator() {
    let keys = "[keys.app]\nsecret = \"env:APP\"\n[keys.other]\nsecret = \"env:OTHER\"\n";
    let house =
        House::with_secrets(&format!("{BOTH_VENDORS}{keys}"), &[("APP", "sk-app"), ("OTHER", "sk-other")]);
    for secret in ["", "sk-unknown"] {
        let told = problem(&ask(&house, secret, "GET", "/api/v1/keys", &Value::Null), 401);
        let (reason, step) = (told["reason"].as_str().unwrap(), told["next_step"].as_str().unwrap());
        assert!(reason.contains("none yet that may administer"), "{reason}");
        let command = format!("pilothouse keys create NAME --role admin --data {}", house.data().display());
        assert!(step.contains(&command), "{step}");
        assert!(step.contains("admin_token = \"env:NAME\"") && step.contains("role = \"admin\""), "{step}");
    }
    let told = problem(&ask(&house, "sk-app", "GET", "/api/v1/keys", &Value::Null), 403);
    assert!(told["next_step"].as_str().unwrap().contains("role = \"viewer\""), "{told}");
    // What it is told works.
    let key = pilothouse_store::keys::NewKey {
        name: "admin".into(),
        expires: None,
        grants: pilothouse_store::keys::Grants {
            role: pilothouse_store::keys::Role::Admin,
            ..pilothouse_store::keys::Grants::default()
        },
    };
    let entropy = pilothouse_store::keys::Entropy([9; 32]);
    let fresh = store(&house).create(&key, entropy, "user anna", SystemClock.now()).unwrap();
    eventually("the key is followed", || {
        let got = ask(&house, fresh.secret.reveal(), "GET", "/api/v1/keys", &Value::Null);
        (got.status == 200).then_some(())
    });
    // Now there is somebody, and nothing is said of how it stands.
    let told = problem(&ask(&house, "", "GET", "/api/v1/keys", &Value::Null), 401);
    assert_eq!(told["reason"], "no credential was sent");
    assert!(told["next_step"].as_str().unwrap().contains("--role ROLE"), "{told}");
}

/// Puts another configuration in force, with the same secrets.
fn reload(house: &House, configuration: &str) -> Result<bool, ConfigError> {
    let path = house.folder.path().join("pilothouse.toml");
    std::fs::write(&path, configuration.replace("FLEET", &house.fleet.address().to_string())).unwrap();
    let environment = crate::harness::environment(house.folder.path(), SECRETS);
    house.server().reload(&Source::read(&path)?, &environment)
}

/// The store of a house, from outside.
fn store(house: &House) -> Keys {
    Keys::open(&house.data(), &SystemClock).unwrap()
}

#[test]
fn exported_keys_go_on_working_and_clash_until_they_are_taken_out_of_the_store() {
    let mut house = governed();
    let secret = mint(
        &house,
        &json!({
            "name": "app", "team": "search", "rpm": 40, "expires": "2099-01-01",
            "budgets": [{
                "usd": "5.00", "every": "month", "tz": "Europe/Berlin", "anchor": "15", "on_limit": "downgrade assistant",
                "reserve": "expected", "alerts": [80, 99.5],
            }],
        }),
    );
    let limit = json!({ "name": "brake", "key": "app", "concurrency": 2, "until": "2099-01-01" });
    assert_eq!(admin(&house, "POST", "/api/v1/limits", &limit).status, 201);
    let before = read(&house, "/api/v1/keys/app");
    let exported = export(&store(&house), SystemClock.now()).unwrap();
    let text = exported.text();
    let with = format!("{BOTH_VENDORS}{GOVERNED}\n{text}");
    let line = |wanted: &str| with.lines().position(|line| line == wanted).unwrap() + 1;

    let error = reload(&house, &with).unwrap_err().to_string();
    for (section, what) in [("[keys.\"app\"]", "minted key"), ("[limits.\"brake\"]", "temporary limit")] {
        assert!(error.contains(&format!("pilothouse.toml:{}:", line(section))), "{error}");
        assert!(error.contains(what) && error.contains("config export --remove"), "{error}");
    }
    assert_eq!(chat(&house, &secret, "assistant").status, 200, "the old configuration stays in force");

    store(&house).hand_over(&["app".into()], &["brake".into()], "user anna", SystemClock.now()).unwrap();
    reload(&house, &with).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(chat(&house, &secret, "assistant").status, 200);
    let after = read(&house, "/api/v1/keys/app");
    assert_eq!((&after["managed_by"], &before["managed_by"]), (&json!("file"), &json!("store")));
    for member in ["team", "rpm", "expires", "role", "allow", "budgets"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    house.restart(&with, SECRETS, Arc::new(SystemClock));
    assert_eq!(chat(&house, &secret, "assistant").status, 200);
}

#[test]
fn exported_key_that_was_rotated_keeps_both_secrets_until_the_old_one_ends() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let house = House::at(&format!("{BOTH_VENDORS}{GOVERNED}"), SECRETS, Arc::<ManualClock>::clone(&clock));
    let old = mint(&house, &json!({ "name": "app", "rpm": 1000 }));
    let got = admin(&house, "POST", "/api/v1/keys/app/rotate", &json!({ "overlap_seconds": 3600 }));
    let new = got.json()["secret"].as_str().unwrap().to_owned();
    let text = export(&store(&house), clock.now()).unwrap().text();
    assert_eq!(text.matches("sha256:").count(), 2, "{text}");
    let with = format!("{BOTH_VENDORS}{GOVERNED}\n{text}");
    // Until it is taken out of the store, each of its secrets and its name clash, each once.
    let error = reload(&house, &with).unwrap_err().to_string();
    assert_eq!(error.matches("a minted key is called `app` too").count(), 1, "{error}");
    assert_eq!(error.matches("the minted key `app` has the same secret").count(), 1, "{error}");
    store(&house).hand_over(&["app".into()], &[], "user anna", clock.now()).unwrap();
    reload(&house, &with).unwrap_or_else(|error| panic!("{error}"));
    let statuses = || [&old, &new].map(|secret| chat(&house, secret, "assistant").status);
    assert_eq!(statuses(), [200, 200]);
    let listed = read(&house, "/api/v1/keys?limit=200");
    let own: Vec<_> = listed["items"].as_array().unwrap().iter().filter(|key| key["name"] == "app").collect();
    assert_eq!((own.len(), &own[0]["expires"]), (1, &Value::Null), "one key, which does not end");
    // Both are one key: what one of them may is counted with the other.
    let limits = read(&house, "/api/v1/limits?limit=200");
    let limit = limits["items"].as_array().unwrap().iter().find(|limit| limit["subject"] == "app").unwrap();
    assert_eq!(limit["rpm"]["used"], 2, "{limit}");
    clock.advance(3_600_001);
    assert_eq!(statuses(), [401, 200]);
    // Exported again, what is over is not in it.
    assert_eq!(export(&store(&house), clock.now()).unwrap().text(), "");
}

#[test]
fn previous_secret_of_the_file_is_read_like_any_other() {
    let with = |previous: &str| {
        let key = format!(
            "[keys.app]\nsecret = \"env:APP\"\nprevious = {previous}\n[keys.other]\nsecret = \"env:OTHER\"\n"
        );
        format!("{BOTH_VENDORS}{key}")
    };
    let secrets = [("APP", "sk-app"), ("OTHER", "sk-other"), ("OLD", "sk-old")];
    let house = House::with_secrets(&with("{ secret = \"env:OLD\", until = 2099-01-01 }"), &secrets);
    let statuses = ["sk-app", "sk-old"].map(|secret| chat(&house, secret, "openai/gpt-4o-mini").status);
    assert_eq!(statuses, [200, 200]);
    for (previous, why) in [
        ("{ secret = \"env:OTHER\", until = 2099-01-01 }", "another key has the same secret"),
        ("{ secret = \"env:APP\", until = 2099-01-01 }", "another key has the same secret"),
        ("{ secret = \"env:NONE\", until = 2099-01-01 }", "NONE"),
        ("{ secret = \"env:OLD\", until = 2099-01-01T10:00:00 }", "is no moment"),
        ("{ secret = \"env:OLD\" }", "until"),
    ] {
        let path = house.folder.path().join("pilothouse.toml");
        std::fs::write(&path, with(previous)).unwrap();
        let environment = crate::harness::environment(house.folder.path(), &secrets);
        let told = Source::read(&path).and_then(|source| house.server().reload(&source, &environment));
        let told = told.unwrap_err().to_string();
        assert!(told.contains(why) && told.contains("pilothouse.toml:"), "{previous}: {told}");
    }
}

#[test]
fn key_minted_elsewhere_under_a_name_of_the_file_never_calls() {
    let house = governed();
    let key = pilothouse_store::keys::NewKey {
        name: "watcher".into(),
        expires: None,
        grants: pilothouse_store::keys::Grants::default(),
    };
    let entropy = pilothouse_store::keys::Entropy([9; 32]);
    let fresh = store(&house).create(&key, entropy, "user anna", SystemClock.now()).unwrap();
    house.server().shared().minted.refresh().unwrap();
    let got = chat(&house, fresh.secret.reveal(), "assistant");
    assert_eq!(got.status, 403, "{}", got.text());
    assert!(got.text().contains("pilothouse.toml:"), "{}", got.text());
    assert_eq!(read(&house, "/api/v1/keys/watcher")["managed_by"], "file");
}
