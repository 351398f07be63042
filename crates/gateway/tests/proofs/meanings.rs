//! The same question in other words: observed first, given when that is proven, and given no more when it proves wrong.

use pilothouse_core::exchange::Exchange;
use pilothouse_core::money::Cost;
use pilothouse_store::{Filter, Reader};
use serde_json::{Value, json};

use crate::harness::http::{End, Got};
use crate::harness::reading::Client;
use crate::harness::{BOTH_VENDORS, House, eventually};

/// Ways to ask for the same, of which the vendor gives the same answer.
const WAYS: [&str; 8] = [
    "How do I reset my password?",
    "How can I reset my password?",
    "Please tell me how to reset my password",
    "how do i reset the password",
    "Could you explain how to reset my password, please?",
    "I want to reset my password",
    "Can you help me to reset my password?",
    "Hello, how would I reset my password?",
];

fn house(semantic: &str) -> House {
    House::with(&format!(
        "{BOTH_VENDORS}[routes.faq]\ntargets = [\"openai/gpt-4o-mini\"]\n[routes.faq.defaults]\n\
         cache = {{ semantic = {{ {semantic} }} }}\n"
    ))
}

/// Observes until five of five agreed: then the share of false hits is below a half.
const SOON: &str = "builtin_may_serve = true, false_hits_max = 0.5, sample = 0.0001";

fn body(text: &str, is_stream: bool) -> Value {
    Client::Openai.ask("faq", &format!("{text} [[say:Follow the link.]]"), is_stream)
}

fn ask(house: &House, text: &str) -> Got {
    let got = house.chat(&body(text, false));
    assert_eq!(got.status, 200, "{}", got.text());
    got
}

fn result(got: &Got) -> &str {
    got.header("x-pilothouse-cache").unwrap_or_default()
}

fn metric(house: &House, name: &str) -> f64 {
    let page = house.get("/metrics", &[]).text();
    let line = format!("pilothouse_cache_semantic_{name}{{route=\"faq\"}} ");
    page.lines().find_map(|one| one.strip_prefix(&line)).unwrap_or_else(|| panic!("{page}")).parse().unwrap()
}

/// Asks in so many ways, none of which is answered by its meaning yet.
fn observe(house: &House, ways: usize) {
    for way in WAYS.iter().take(ways) {
        assert_eq!(result(&ask(house, way)), "miss", "{way}");
    }
}

fn records(house: &mut House) -> Vec<Exchange> {
    house.stop();
    let reader = Reader::open(&house.data()).unwrap();
    reader.exchanges(&Filter::default()).unwrap().into_iter().map(|one| one.exchange).collect()
}

#[test]
fn it_observes_first_and_serves_when_that_is_proven() {
    let house = house(SOON);
    observe(&house, 6);
    assert_eq!(
        (house.fleet.log().len(), metric(&house, "compared")),
        (6, 5.0),
        "the first had nothing to be like"
    );
    assert!((metric(&house, "false_bound") - 0.450_720).abs() < 1e-5);
    assert_eq!(metric(&house, "mode"), 1.0);
    for way in &WAYS[6..] {
        let got = ask(&house, way);
        assert_eq!((result(&got), got.header("age").is_some()), ("semantic-hit", true), "{way}");
        assert!(got.text().contains("Follow the link."));
        let record = house.record(&got);
        assert!(matches!(record.bill.saved, Some(Cost::Known(saved)) if saved.0 > 0));
    }
    assert_eq!(house.fleet.log().len(), 6, "nobody was asked again");
    let alerts = house.server().take_alerts();
    assert!(alerts[0].starts_with("route `faq` answers by meaning from now on: 0 of 5"), "{alerts:?}");
}

#[test]
fn what_differs_in_what_matters_is_asked_for_although_it_serves() {
    let house = house(SOON);
    observe(&house, 6);
    for other in [
        "How do I reset my 2 passwords?",
        "How do I not reset my password?",
        "How do I reset my password on Monday?",
        "How do I reset \"my password\"?",
        "How do I reset `my` password?",
        "How do I reset my password at example.org?",
        "How do I reset my router?",
        "Why do I reset my password?",
        "How do I reset my Netflix password?",
        "My mail is ann@example.org, how do I reset my password?",
    ] {
        assert_eq!(result(&ask(&house, other)), "miss", "{other}");
    }
    for (name, value) in [
        ("temperature", json!(0.1)),
        ("user", json!("bob")),
        ("max_tokens", json!(500)),
        ("response_format", json!({"type": "text"})),
        ("messages", json!([{"role": "system", "content": "Be kind."}, body(WAYS[7], false)["messages"][0]])),
        (
            "tools",
            json!([{"type": "function", "function": {"name": "reset", "parameters": {"type": "object"}}}]),
        ),
    ] {
        let mut asked = body(WAYS[7], false);
        asked[name] = value;
        let got = house.chat(&asked);
        assert_eq!((got.status, result(&got)), (200, "miss"), "{name}: {}", got.text());
    }
    assert_eq!(result(&ask(&house, WAYS[7])), "semantic-hit");
}

#[test]
fn a_stream_is_given_again_as_a_stream() {
    let house = house(SOON);
    let ask = |way: &str| house.chat(&body(way, true));
    for way in &WAYS[..6] {
        assert_eq!(result(&ask(way)), "miss", "{way}");
    }
    let got = ask(WAYS[6]);
    assert_eq!((result(&got), got.end), ("semantic-hit", End::Whole));
    assert!(got.text().ends_with("data: [DONE]\n\n"), "{}", got.text());
    assert_eq!(
        result(&house.chat(&body(WAYS[6], false))),
        "miss",
        "whole answers have proven nothing and are none"
    );
}

#[test]
fn hits_that_prove_false_switch_it_off_with_an_alert() {
    let house = house("builtin_may_serve = true, false_hits_max = 0.5, sample = 1.0");
    observe(&house, 6);
    assert_eq!(metric(&house, "mode"), 1.0);
    assert_eq!(result(&ask(&house, WAYS[6])), "miss", "all hits are compared here");
    // Without the steering word, the fleet answers each wording in words of its own.
    for way in
        ["How do I cook brown rice?", "How can I cook brown rice, please?", "Tell me how to cook brown rice"]
    {
        house.chat(&Client::Openai.ask("faq", way, false));
    }
    assert_eq!((metric(&house, "mode"), metric(&house, "false")), (2.0, 1.0));
    let alerts = house.server().take_alerts();
    assert!(
        alerts.iter().any(|one| one.starts_with("route `faq` has stopped to answer by meaning")),
        "{alerts:?}"
    );
    assert_eq!(result(&ask(&house, WAYS[7])), "miss");
    assert_eq!(metric(&house, "compared"), 7.0, "nothing is looked for any more");
}

#[test]
fn the_built_in_embedding_only_observes_unless_the_route_says_otherwise() {
    let house = house("false_hits_max = 0.5");
    observe(&house, 8);
    assert_eq!((metric(&house, "mode"), metric(&house, "compared")), (0.0, 7.0));
}

#[test]
fn an_embedding_model_is_asked_like_any_other_and_billed_to_the_caller() {
    let mut house = House::with(&format!(
        "{BOTH_VENDORS}[keys.ann]\nsecret = \"sk-ann-secret\"\nallow = [\"faq\"]\n[routes.faq]\n\
         targets = [\"openai/gpt-4o-mini\"]\n[routes.faq.defaults]\n\
         cache = {{ semantic = {{ model = \"openai/text-embedding-3-small\", false_hits_max = 0.5, sample = 0.0001 }} }}\n"
    ));
    let ask = |house: &House| {
        let headers = [("authorization", "Bearer sk-ann-secret")];
        house.post("/v1/chat/completions", &headers, body(WAYS[0], false).to_string().as_bytes())
    };
    // The fleet's vectors know no meaning either, but the same words have the same.
    let results: Vec<String> = (0..8).map(|_| result(&ask(&house)).to_owned()).collect();
    assert_eq!(results, ["miss", "miss", "miss", "miss", "miss", "miss", "semantic-hit", "semantic-hit"]);
    let of_cache: Vec<Exchange> = records(&mut house)
        .into_iter()
        .filter(|one| &*one.caller.application == "pilothouse-cache")
        .collect();
    assert_eq!(of_cache.len(), 8, "one for each question");
    for record in of_cache {
        assert_eq!((&*record.caller.key, &*record.asked), ("ann", "openai/text-embedding-3-small"));
        assert!(matches!(record.bill.cost, Cost::Known(cost) if cost.0 > 0));
    }
}

#[test]
fn when_embeddings_fail_requests_are_answered_all_the_same_and_none_is_asked_for_a_while() {
    let house = house("model = \"openai/fault-500\"");
    for way in WAYS.iter().take(8) {
        assert_eq!(result(&ask(&house, way)), "miss");
    }
    let of_model = |model: &str| house.fleet.log().iter().filter(|one| one["model"] == model).count();
    eventually("every answer is there", || (of_model("gpt-4o-mini") == 8).then_some(()));
    let failed = of_model("fault-500");
    assert!((3..8 * 3).contains(&failed), "{failed}");
    let before = of_model("fault-500");
    ask(&house, "How do I change my address?");
    assert_eq!(of_model("fault-500"), before, "it rests");
}

#[test]
fn end_users_and_tenants_never_share_what_is_alike() {
    let house = House::with(&format!(
        "{BOTH_VENDORS}[keys.ann]\nsecret = \"sk-ann-secret\"\n[keys.bob]\nsecret = \"sk-bob-secret\"\n[routes.faq]\n\
         targets = [\"openai/gpt-4o-mini\"]\n[routes.faq.defaults]\ncache = {{ semantic = {{ {SOON} }} }}\n"
    ));
    let ask = |key: &str, way: &str| {
        let headers = [("authorization", format!("Bearer sk-{key}-secret"))];
        let headers = [(headers[0].0, headers[0].1.as_str())];
        let got = house.post("/v1/chat/completions", &headers, body(way, false).to_string().as_bytes());
        result(&got).to_owned()
    };
    for way in &WAYS[..6] {
        assert_eq!(ask("ann", way), "miss");
    }
    assert_eq!(ask("ann", WAYS[6]), "semantic-hit");
    assert_eq!(ask("bob", WAYS[6]), "miss");
}
