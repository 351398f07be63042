//! Limits and budgets before a fleet that keeps its own books: what is spent there is the oracle.

use std::sync::Mutex;

use pilothouse_core::clock::SystemClock;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Outcome;
use pilothouse_store::keys::{Entropy, Grants, Keys, NewKey};
use serde_json::{Value, json};

use crate::harness::http::Got;
use crate::harness::reading::Client;
use crate::harness::{BOTH_VENDORS, House, eventually};

const SECRET: &str = "sk-of-the-search-app";

fn house(more: &str) -> House {
    House::with_secrets(&format!("{BOTH_VENDORS}{more}"), &[("SEARCH_APP_KEY", SECRET)])
}

/// Asks with the key.
fn ask(house: &House, client: Client, model: &str, more: &Value) -> Got {
    let mut body = client.ask(model, "Hello.", false);
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let authorization = format!("Bearer {SECRET}");
    house.post(client.path(), &[("authorization", &authorization)], body.to_string().as_bytes())
}

/// What the fleet has billed, in pico-dollars.
pub(crate) fn billed(house: &House) -> i128 {
    /// Every sum of a model, wherever it stands.
    fn sums(value: &Value) -> i128 {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| match (name.as_str(), value) {
                    ("picousd", Value::Number(number)) => number.to_string().parse::<i128>().unwrap(),
                    ("picousd", Value::String(text)) => text.parse::<i128>().unwrap(),
                    _ => sums(value),
                })
                .sum(),
            Value::Array(items) => items.iter().map(sums).sum(),
            _ => 0,
        }
    }
    sums(&house.fleet.totals())
}

#[test]
fn a_key_is_held_to_its_limit_and_to_its_teams() {
    let house = house(
        "[teams.company]\nlimits = { rpm = 3 }\n[keys.search]\nsecret = \"env:SEARCH_APP_KEY\"\nteam = \"company\"\n",
    );
    for client in [Client::Openai, Client::Anthropic, Client::Openai] {
        let got = ask(&house, client, "openai/gpt-4o-mini", &json!({}));
        assert_eq!(got.status, 200, "{}", got.text());
    }
    for client in Client::ALL {
        let got = ask(&house, client, "openai/gpt-4o-mini", &json!({}));
        assert_eq!(got.status, 429, "{}", got.text());
        assert!(got.text().contains("team company is limited to 3 requests per minute"), "{}", got.text());
        assert_eq!(got.header("retry-after"), Some("20"), "a third of a minute");
    }
    assert_eq!(house.fleet.log().len(), 3);
}

#[test]
fn a_key_calls_what_it_may_and_nothing_else() {
    let house = house(
        "[routes.assistant]\ntargets = [\"openai/gpt-4o-mini\"]\n[routes.other]\ntargets = [\"openai/gpt-4o-mini\"]\n\
         [keys.search]\nsecret = \"env:SEARCH_APP_KEY\"\nallow = [\"assistant\", \"anthropic/*\"]\n",
    );
    let status = |model: &str| ask(&house, Client::Openai, model, &json!({})).status;
    assert_eq!((status("assistant"), status("anthropic/claude-opus-4-7")), (200, 200));
    let refused = ask(&house, Client::Openai, "openai/gpt-4o-mini", &json!({}));
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("it may call assistant, anthropic/*"), "{}", refused.text());
    let refused = ask(&house, Client::Openai, "other", &json!({}));
    assert_eq!(refused.status, 403, "{}", refused.text());
    let listed = house.get("/v1/models", &[("authorization", &format!("Bearer {SECRET}"))]).json();
    let names: Vec<&str> =
        listed["data"].as_array().unwrap().iter().filter_map(|row| row["id"].as_str()).collect();
    assert!(names.contains(&"assistant") && names.contains(&"claude-opus-4-7"), "{names:?}");
    assert!(!names.contains(&"gpt-4o-mini") && !names.contains(&"other"), "{names:?}");
    let files = house.get("/v1/files", &[("authorization", &format!("Bearer {SECRET}"))]);
    assert_eq!(files.status, 403, "{}", files.text());
}

#[test]
fn a_key_that_has_ended_calls_nobody() {
    let house = house("[keys.search]\nsecret = \"env:SEARCH_APP_KEY\"\nexpires = 2026-01-01\n");
    let got = ask(&house, Client::Openai, "openai/gpt-4o-mini", &json!({}));
    assert_eq!(got.status, 401);
    assert!(got.text().contains("`search` has ended"), "{}", got.text());
    assert!(house.fleet.log().is_empty());
}

#[test]
fn a_hard_budget_is_never_exceeded_however_many_call_at_once() {
    let house =
        house("[keys.search]\nsecret = \"env:SEARCH_APP_KEY\"\nbudget = { usd = 0.05, every = \"total\" }\n");
    // Hidden reasoning, streams and whole answers, with and without a limit of the client's own.
    let models = ["openai/gpt-5.5", "openai/gpt-4o-mini", "anthropic/claude-opus-4-7", "openai/o3"];
    let counts = Mutex::new((0, 0));
    std::thread::scope(|scope| {
        for thread in 0..16_usize {
            let (house, counts) = (&house, &counts);
            scope.spawn(move || {
                for nth in 0..12 {
                    let client = Client::ALL[(thread + nth) % 2];
                    let limit = if nth % 3 == 0 { json!({"max_tokens": 400}) } else { json!({}) };
                    let got = ask(house, client, models[(thread * 5 + nth) % models.len()], &limit);
                    let mut counts = counts.lock().unwrap();
                    match got.status {
                        200 => counts.0 += 1,
                        429 => counts.1 += 1,
                        other => panic!("{other}: {}", got.text()),
                    }
                }
            });
        }
    });
    let (answered, refused) = *counts.lock().unwrap();
    assert!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");
    let spent = billed(&house);
    assert!(spent > 0 && spent <= 50_000_000_000, "{spent} pico-dollars of 50,000,000,000");
}

#[test]
fn an_answer_that_is_reserved_as_expected_is_topped_up_and_cut_when_the_money_is_used_up() {
    // A thousand words at two dollars a million: the balance pays for one step beyond what is expected, and not for two. They
    // come a millisecond apart, as a model writes: a burst would be over before the lease that its next step waits for.
    let soft = "budget = { usd = 0.003, every = \"total\", reserve = \"expected\" }\n";
    for (client, model) in [
        (Client::Openai, "openai/fake-c1000-d1"),
        (Client::Anthropic, "anthropic/fake-c1000-d1"),
        (Client::Openai, "anthropic/fake-c1000-d1"),
        (Client::Anthropic, "openai/fake-c1000-d1"),
    ] {
        let house = house(&format!("[keys.search]\nsecret = \"env:SEARCH_APP_KEY\"\n{soft}"));
        let authorization = format!("Bearer {SECRET}");
        let mut body = client.ask(model, "Hello.", true);
        body["max_tokens"] = json!(4000);
        let got =
            house.post(client.path(), &[("authorization", &authorization)], body.to_string().as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
        assert!(got.text().contains("the budget of key `search`"), "{client:?} {model}: {}", got.text());
        let record = house.record(&got);
        assert_eq!(record.outcome, Outcome::Failed(Kind::RateLimited), "{client:?} {model}");
        let notes = record.receipt.unwrap().notes;
        assert!(notes.iter().any(|note| note.code == "top-up"), "{notes:?}");
    }
}

#[test]
fn what_the_balance_can_pay_is_written_into_the_request() {
    let house = house(
        "[keys.search]\nsecret = \"env:SEARCH_APP_KEY\"\nbudget = { usd = 0.02, every = \"day\", tz = \"Europe/Berlin\" }\n",
    );
    let got = ask(&house, Client::Openai, "openai/gpt-5.5", &json!({}));
    assert_eq!(got.status, 200, "{}", got.text());
    let sent: Value = serde_json::from_str(house.fleet.last()["body"].as_str().unwrap()).unwrap();
    let cap = sent["max_completion_tokens"].as_u64().unwrap();
    // 30 dollars a million tokens of output; what the input may cost is taken off.
    assert!((100..=666).contains(&cap), "{cap}");
    let record = house.record(&got);
    let receipt = record.receipt.unwrap();
    assert!(receipt.edits.iter().any(|note| note.code == "set:max_completion_tokens"), "{:?}", receipt.edits);
    let reserve = receipt.notes.iter().find(|note| note.code == "reserve").unwrap();
    assert!(
        reserve.detail.contains("set aside for") && reserve.detail.contains("settled at $0.00"),
        "{}",
        reserve.detail
    );
}

#[test]
fn a_budget_that_is_spent_says_when_it_begins_anew_and_sdks_do_not_repeat_a_total_one() {
    let of = |every: &str| {
        let house = house(&format!(
            "[keys.search]\nsecret = \"env:SEARCH_APP_KEY\"\nbudget = {{ usd = 0.0000001, every = \"{every}\" }}\n"
        ));
        let got = ask(&house, Client::Openai, "openai/gpt-4o-mini", &json!({}));
        assert_eq!(got.status, 429, "{}", got.text());
        assert!(house.fleet.log().is_empty(), "nothing was sent");
        (got.text(), got.header("retry-after").is_some(), got.header("x-should-retry").map(str::to_owned))
    };
    let (text, has_retry, _) = of("day");
    assert!(text.contains("the budget of key `search`") && text.contains("starts anew at 20"), "{text}");
    assert!(has_retry);
    let (text, has_retry, should) = of("total");
    assert!(text.contains("raise it"), "{text}");
    assert_eq!((has_retry, should.as_deref()), (false, Some("false")));
}

#[test]
fn a_call_that_the_budget_cannot_pay_takes_the_route_that_it_names() {
    let house = house(
        "[routes.cheap]\ntargets = [\"openai/gpt-4o-mini\"]\n[keys.search]\nsecret = \"env:SEARCH_APP_KEY\"\n\
         budget = { usd = 0.001, every = \"day\", on_limit = \"downgrade cheap\" }\n",
    );
    let got = ask(&house, Client::Anthropic, "anthropic/claude-opus-4-7", &json!({}));
    assert_eq!(got.status, 200, "{}", got.text());
    let record = house.record(&got);
    assert_eq!(&*record.target.as_ref().unwrap().model, "gpt-4o-mini");
    let notes = record.receipt.unwrap().notes;
    assert!(notes.iter().any(|note| note.code == "downgrade" && &*note.detail == "cheap"), "{notes:?}");
}

#[test]
fn a_target_without_a_price_is_refused_where_a_budget_must_hold() {
    let house = house(
        "[providers.local]\ndialect = \"openai-chat\"\nbase_url = \"http://FLEET/openai/v1\"\n\
         [keys.search]\nsecret = \"env:SEARCH_APP_KEY\"\nbudget = { usd = 5, every = \"day\" }\n",
    );
    let got = ask(&house, Client::Openai, "local/unpriced", &json!({}));
    assert_eq!(got.status, 403, "{}", got.text());
    assert!(got.text().contains("has no known price"), "{}", got.text());
}

#[test]
fn a_minted_key_calls_within_seconds_and_not_after_it_is_revoked() {
    let house = house("[keys.search]\nsecret = \"env:SEARCH_APP_KEY\"\n");
    let store = Keys::open(&house.data(), &SystemClock).unwrap();
    let now = pilothouse_core::clock::Clock::now(&SystemClock);
    let grants = Grants { allow: vec!["openai/*".into()], rpm: Some(100), ..Grants::default() };
    let key = NewKey { name: "agent".into(), expires: None, grants };
    let fresh = store.create(&key, Entropy([7; 32]), "tests", now).unwrap();
    let secret = fresh.secret.reveal().to_owned();
    let status = |secret: &str| {
        let body = Client::Openai.ask("openai/gpt-4o-mini", "Hello.", false).to_string();
        let authorization = format!("Bearer {secret}");
        house.post("/v1/chat/completions", &[("authorization", &authorization)], body.as_bytes())
    };
    let got = eventually("the key is followed", || Some(status(&secret)).filter(|got| got.status == 200));
    assert_eq!(&*house.record(&got).caller.key, "agent");
    store.revoke("agent", "tests", now).unwrap();
    eventually("the revocation is followed", || Some(status(&secret)).filter(|got| got.status == 401));
}

#[test]
fn a_run_ends_when_its_turns_are_used_up() {
    let house = house("[runs]\nturns = 2\n");
    let of = |run: &str| {
        let body = Client::Openai.ask("openai/gpt-4o-mini", "Hello.", false).to_string();
        house.post("/v1/chat/completions", &[("x-pilothouse-run", run)], body.as_bytes())
    };
    assert_eq!((of("one").status, of("one").status, of("two").status), (200, 200, 200));
    let over = of("one");
    assert_eq!((over.status, over.header("x-should-retry")), (429, Some("false")));
    assert!(over.text().contains("the run `one` is over"), "{}", over.text());
}
