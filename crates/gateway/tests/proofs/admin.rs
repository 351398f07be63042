//! The administration: who may what, what is changed, what is only read, and the document that describes it.

mod changes;
mod crawl;
mod document;
mod examples;
mod reports;

use serde_json::{Value, json};

use crate::harness::http::{Got, call};
use crate::harness::{BOTH_VENDORS, House};

/// A configuration with everything that the administration shows.
pub(crate) const GOVERNED: &str = r#"
[server]
admin_token = "env:ADMIN_TOKEN"

# Its alerts are those of budgets, whatever the day is.
[lifecycle]
alerts = []

[routes.assistant]
strategy = "weighted"
targets = ["openai/gpt-4o-mini", { target = "openai/gpt-4o", weight = 2, tags = ["zdr"] }]
fallback = ["anthropic/claude-sonnet-4-5"]

[teams.company]
budget = { usd = 5_000, every = "month", tz = "Europe/Berlin" }

[teams.search]
parent = "company"
limits = { rpm = 600 }
budget = { usd = 50, every = "day", alerts = [0.1, 80] }

[teams.other]

[budgets]
end_user = { usd = 2, every = "day" }
routes = { assistant = { usd = 100, every = "day", on_limit = "warn" } }

[limits.freeze]
team = "other"
rpm = 7
until = 2099-01-01

[keys.search-app]
secret = "env:SEARCH_APP"
team = "search"
limits = { rpm = 100, concurrency = 5 }
budget = { usd = 20, every = "day" }

[keys.watcher]
secret = "env:WATCHER"
role = "viewer"

[keys.search-lead]
secret = "env:LEAD"
team = "search"
role = "lead"
allow = ["assistant", "openai/*"]

[keys.root]
secret = "env:ROOT"
role = "admin"
"#;

/// The secrets of it.
pub(crate) const SECRETS: &[(&str, &str)] = &[
    ("ADMIN_TOKEN", "pha-admin-token"),
    ("SEARCH_APP", "sk-search-app"),
    ("WATCHER", "sk-watcher"),
    ("LEAD", "sk-lead"),
    ("ROOT", "sk-root"),
];

/// A gateway that is governed so.
fn governed() -> House {
    House::with_secrets(&format!("{BOTH_VENDORS}{GOVERNED}"), SECRETS)
}

/// Asks with a credential; an empty one is none.
fn ask(house: &House, secret: &str, method: &str, path: &str, body: &Value) -> Got {
    let authorization = format!("Bearer {secret}");
    let mut headers = vec![("content-type", "application/json")];
    if !secret.is_empty() {
        headers.push(("authorization", &authorization));
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    call(house.address, method, path, &headers, body.as_bytes())
}

fn admin(house: &House, method: &str, path: &str, body: &Value) -> Got {
    ask(house, "pha-admin-token", method, path, body)
}

/// Reads with the admin token; it must go well.
fn read(house: &House, path: &str) -> Value {
    let got = admin(house, "GET", path, &Value::Null);
    assert_eq!(got.status, 200, "{path}: {}", got.text());
    got.json()
}

/// Makes a key with the admin token; its secret.
fn mint(house: &House, key: &Value) -> String {
    let got = admin(house, "POST", "/api/v1/keys", key);
    assert_eq!(got.status, 201, "{}", got.text());
    got.json()["secret"].as_str().unwrap().to_owned()
}

/// Calls a model with a key.
fn chat(house: &House, secret: &str, model: &str) -> Got {
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "Hello." }] });
    ask(house, secret, "POST", "/v1/chat/completions", &body)
}

/// The error of an answer, which must have the one shape.
fn problem(got: &Got, status: u16) -> Value {
    assert_eq!(got.status, status, "{}", got.text());
    let problem = got.json()["error"].clone();
    for member in ["code", "thing", "reason"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {}", got.text());
    }
    assert!(problem["next_step"].is_string(), "{}", got.text());
    problem
}
