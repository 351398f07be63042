//! Models that are gone before anybody thought so: the route's own targets, then the successor where it is allowed, else a 410
//! that names it.

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Outcome;
use serde_json::json;

use crate::harness::http::Got;
use crate::harness::reading::{self, Client};
use crate::harness::{BOTH_VENDORS, House};

/// Models that end, by the catalogue, under names that the fleet refuses: with 410, and with 404.
const ENDING: &str = "
[[model]]
platform = \"openai\"
id = \"fault-410\"
as_of = \"2026-11-23\"
source = \"tests\"
lifecycle = { replacement = [\"between\"] }
[[model]]
platform = \"openai\"
id = \"between\"
as_of = \"2026-11-23\"
source = \"tests\"
lifecycle = { retires = 2026-01-01, replacement = [\"gpt-4.1\"] }
[[model]]
platform = \"openai\"
id = \"fault-404\"
as_of = \"2026-11-23\"
source = \"tests\"
lifecycle = { retires = 2027-06-01, replacement = [\"gpt-4.1\"] }
[[model]]
platform = \"openai\"
id = \"fault-503\"
as_of = \"2026-11-23\"
source = \"tests\"
lifecycle = { replacement = [\"gpt-4.1\"] }
[[model]]
platform = \"openai\"
id = \"old\"
as_of = \"2026-11-23\"
source = \"tests\"
lifecycle = { retires = 2026-01-01, replacement = [\"gpt-4.1\"] }
";

fn house(more: &str) -> House {
    let house = House::with(BOTH_VENDORS);
    std::fs::write(house.folder.path().join("ending.toml"), ENDING).unwrap();
    // What is refreshed lies under the fleet's own prices, which say nothing of lives.
    let vendors = BOTH_VENDORS.replace("[catalog]", "[catalog]\nrefreshed = \"ending.toml\"");
    house.reload(&format!("{vendors}{more}")).unwrap();
    house
}

fn ask(house: &House, client: Client, model: &str) -> Got {
    house.post(client.path(), &[], client.ask(model, "Hello.", false).to_string().as_bytes())
}

fn asked(house: &House) -> Vec<String> {
    house.fleet.log().iter().filter_map(|entry| entry["model"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_model_that_is_gone_is_told_with_its_successor_in_the_dialect_of_each_client() {
    let house = house("[routes.assistant]\ntargets = [\"openai/fault-410\"]\n");
    for (model, section) in [
        ("assistant", "[routes.assistant]"),
        ("openai/fault-410", "[defaults]"),
        ("openai/fault-404", "[defaults]"),
    ] {
        for client in [Client::Openai, Client::Anthropic, Client::Responses] {
            let got = ask(&house, client, model);
            let label = format!("{model} for {}", client.name());
            assert_eq!(got.status, 410, "{label}: {}", got.text());
            let (_, said) = reading::whole(client, &got).error.unwrap();
            assert!(said.contains("its successor is `openai/gpt-4.1`"), "{label}: {said}");
            assert!(said.contains(&format!("set `on_gone = \"successor\"` in {section}")), "{label}: {said}");
            let record = house.record(&got);
            assert_eq!((record.outcome, record.status), (Outcome::Failed(Kind::Gone), 410), "{label}");
        }
    }
    assert!(!asked(&house).contains(&"gpt-4.1".to_owned()), "nobody was asked instead");
}

#[test]
fn a_typing_error_stays_the_vendors_own_refusal() {
    let house = house("");
    let got = ask(&house, Client::Openai, "openai/gpt-4.1-typo");
    assert_eq!(got.status, 404, "{}", got.text());
    assert_eq!(got.json()["error"]["code"], "model_not_found");
    assert_eq!(
        ask(&house, Client::Openai, "openai/fault-503").status,
        503,
        "a model that ends but is only busy"
    );
}

#[test]
fn a_successor_takes_the_calls_where_that_is_allowed() {
    let house = house(
        "[defaults]\non_gone = \"successor\"\n[routes.assistant]\ntargets = [\"openai/fault-410\"]\n\
         [routes.strict]\ntargets = [\"openai/fault-404\"]\non_gone = \"refuse\"\n",
    );
    for client in Client::ALL {
        for model in ["assistant", "openai/fault-410", "openai/fault-404"] {
            let got = ask(&house, client, model);
            assert_eq!(got.status, 200, "{model}: {}", got.text());
            let record = house.record(&got);
            let target = record.target.as_ref().unwrap();
            assert_eq!((&*record.asked, &*target.model), (model, "gpt-4.1"));
            assert!(record.bill.cost.known().is_some(), "{model}");
            let receipt = record.receipt.unwrap();
            let is_told = receipt.notes.iter().any(|note| note.code == "successor")
                || receipt.choice.is_some_and(|choice| choice.order[0].why.contains("which is gone"));
            assert!(is_told, "{model}: {:?}", receipt.notes);
        }
    }
    assert_eq!(ask(&house, Client::Openai, "strict").status, 410, "a route's own word goes before");
}

#[test]
fn a_routes_own_fallbacks_are_asked_before_the_successor() {
    let house = house(
        "[routes.first]\ntargets = [\"openai/fault-410\"]\nfallback = [\"anthropic/claude-opus-4-7\"]\non_gone = \"successor\"\n\
         [routes.then]\ntargets = [\"openai/fault-404\"]\nfallback = [\"anthropic/fault-503\"]\non_gone = \"successor\"\n",
    );
    assert_eq!(ask(&house, Client::Openai, "first").status, 200);
    assert_eq!(asked(&house), ["fault-410", "claude-opus-4-7"]);
    let got = ask(&house, Client::Openai, "then");
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(asked(&house)[2..], ["fault-404", "fault-503", "gpt-4.1"]);
    let attempts = house.record(&got).receipt.unwrap().attempts.len();
    assert_eq!(attempts, 2, "both failures are in the receipt");
}

#[test]
fn a_route_whose_targets_have_all_been_retired_names_what_follows() {
    let house = house(
        "[routes.old]\ntargets = [\"openai/old\"]\n\
         [routes.renewed]\ntargets = [\"openai/old\"]\non_gone = \"successor\"\n",
    );
    let got = ask(&house, Client::Anthropic, "old");
    assert_eq!(got.status, 410, "{}", got.text());
    assert!(
        got.text().contains("`openai/old` is gone (its day: 2026-01-01); its successor is `openai/gpt-4.1`")
    );
    let got = ask(&house, Client::Anthropic, "renewed");
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(asked(&house), ["gpt-4.1"], "a model that is known to be gone is not asked");
}

#[test]
fn a_successor_must_meet_what_the_route_asks_and_what_the_key_may_call() {
    let house = house(
        "[routes.cheap]\ntargets = [\"openai/fault-410\"]\non_gone = \"successor\"\n\
         [routes.cheap.require]\nusd_per_million_output_max = 5\n\
         [keys.search]\nsecret = \"a-secret-of-the-search-app\"\nallow = [\"openai/fault-410\", \"cheap\"]\n\
         [defaults]\non_gone = \"successor\"\n",
    );
    let ask = |model: &str| {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "Hello."}]});
        let headers = [("authorization", "Bearer a-secret-of-the-search-app")];
        house.post("/v1/chat/completions", &headers, body.to_string().as_bytes())
    };
    let got = ask("cheap");
    assert_eq!(got.status, 410, "{}", got.text());
    assert!(got.text().contains("its successor `openai/gpt-4.1` is not for this route"), "{}", got.text());
    let got = ask("openai/fault-410");
    assert_eq!(got.status, 403, "{}", got.text());
    assert!(got.text().contains("may not call `openai/gpt-4.1`"), "{}", got.text());
}
