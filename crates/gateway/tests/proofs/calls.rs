//! The endpoints beside chat: models, embeddings, counting tokens.

use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::reading::Client;

const VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

fn find<'a>(list: &'a Value, id: &str) -> &'a Value {
    list["data"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn models_are_listed_in_the_callers_dialect_with_what_the_catalogue_knows() {
    let house = House::open();
    let openai = house.get("/v1/models", &[]).json();
    assert_eq!(openai["object"], "list");
    let row = find(&openai, "claude-sonnet-4-5");
    assert_eq!((&row["object"], &row["owned_by"]), (&json!("model"), &json!("anthropic")));
    assert!(row["created"].is_u64());
    let anthropic = house.get("/v1/models?limit=1000", &[VERSION]).json();
    assert_eq!(anthropic["has_more"], false);
    let same = find(&anthropic, "claude-sonnet-4-5");
    assert_eq!(same["type"], "model");
    for row in [row, same] {
        assert_eq!(row["shutdown_date"], "2026-11-30");
        assert!(row["context_tokens"].as_u64().unwrap() >= 200_000);
        assert!(row["price_usd_per_million"]["input"].is_string(), "{row}");
        assert!(row["price_usd_per_million"]["output"].is_string(), "{row}");
    }
}

#[test]
fn one_model_has_the_same_facts_as_its_row_in_the_list() {
    let house = House::open();
    let list = house.get("/v1/models", &[]).json();
    for id in ["claude-sonnet-4-5", "gpt-4o"] {
        let one = house.get(&format!("/v1/models/{id}"), &[]);
        assert_eq!(one.status, 200);
        assert_eq!(&one.json(), find(&list, id));
    }
    let one = house.get("/v1/models/anthropic%2Fclaude-sonnet-4-5", &[VERSION]).json();
    assert_eq!(
        (&one["id"], &one["shutdown_date"]),
        (&json!("anthropic/claude-sonnet-4-5"), &json!("2026-11-30"))
    );
    let none = house.get("/v1/models/gpt-none", &[]);
    assert_eq!((none.status, none.json()["error"]["code"].as_str()), (404, Some("model_not_found")));
    let none = house.get("/v1/models/gpt-none", &[VERSION]);
    assert_eq!((none.status, none.json()["error"]["type"].as_str()), (404, Some("not_found_error")));
}

#[test]
fn the_anthropic_list_is_walked_page_by_page_without_gap_or_repeat() {
    let house = House::open();
    let whole = house.get("/v1/models?limit=1000", &[VERSION]).json();
    let mut walked = Vec::new();
    let mut query = "limit=7".to_owned();
    loop {
        let page = house.get(&format!("/v1/models?{query}"), &[VERSION]).json();
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= 7 && !rows.is_empty());
        walked.extend(rows.iter().cloned());
        if page["has_more"] == false {
            break;
        }
        query = format!("limit=7&after_id={}", page["last_id"].as_str().unwrap());
    }
    assert_eq!(&Value::from(walked), &whole["data"]);
}

#[test]
fn embeddings_pass_byte_for_byte_and_are_billed() {
    let house = House::open();
    let body =
        r#"{ "input" : ["one", "two words"], "model":"text-embedding-3-small", "encoding_format":"float" }"#;
    let got = house.post("/v1/embeddings", &[], body.as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(house.fleet.last()["body"], body);
    assert_eq!(got.json()["data"].as_array().unwrap().len(), 2);
    let record = house.record(&got);
    assert_eq!(Some(record.bill.usage.input), got.json()["usage"]["prompt_tokens"].as_u64());
    let picousd = house.fleet.last()["picousd"].as_str().unwrap().parse::<u128>().unwrap();
    assert_eq!(record.bill.cost.known().map(|cost| u128::try_from(cost.0).unwrap()), Some(picousd));
    // A vendor without them: the reason, not a translation.
    let got = house.post("/v1/embeddings", &[], br#"{"input":"x","model":"claude-sonnet-4-5"}"#);
    assert_eq!(got.status, 400);
    assert!(got.text().contains("embeddings"), "{}", got.text());
}

#[test]
fn tokens_are_counted_by_the_vendor_that_can_and_estimated_openly_for_the_others() {
    let house = House::open();
    let body = |model: &str| Client::Anthropic.ask(model, "How many tokens is this question?", false);
    let mut asked = body("claude-sonnet-4-5");
    asked.as_object_mut().unwrap().remove("max_tokens");
    let got = house.post("/v1/messages/count_tokens", &[VERSION], asked.to_string().as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(house.fleet.last()["path"], "/anthropic/v1/messages/count_tokens");
    assert_eq!(got.header("x-pilothouse-estimate"), None, "the vendor counted");
    assert!(got.json()["input_tokens"].as_u64().unwrap() > 0);
    assert_eq!(
        house.record(&got).bill.cost,
        pilothouse_core::money::Cost::Known(pilothouse_core::money::PicoUsd::ZERO)
    );
    let calls = house.fleet.log().len();
    let mut asked = body("gpt-4o");
    asked.as_object_mut().unwrap().remove("max_tokens");
    let got = house.post("/v1/messages/count_tokens", &[VERSION], asked.to_string().as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(
        got.header("x-pilothouse-estimate").is_some(),
        "it says that it is an estimate, and how it was made"
    );
    let count = got.json()["input_tokens"].as_u64().unwrap();
    assert!((7..40).contains(&count), "{count}");
    assert_eq!(house.fleet.log().len(), calls, "nobody was asked");
}

#[test]
fn completed_exchanges_cost_what_the_fleet_charges_to_the_pico_dollar() {
    let house = House::open();
    for client in Client::ALL {
        for model in
            ["openai/gpt-4o", "openai/gpt-5.5", "anthropic/claude-opus-4-7", "anthropic/claude-haiku-4-5"]
        {
            for is_stream in [false, true] {
                let body = client.ask(model, "What does it cost? [[words:40]]", is_stream);
                let got = house.post(client.path(), &[], body.to_string().as_bytes());
                assert_eq!(got.status, 200, "{model}: {}", got.text());
                let entry = house.fleet.last();
                let charged: u128 = entry["picousd"].as_str().unwrap().parse().unwrap();
                let record = house.record(&got);
                let cost = record.bill.cost.known().map(|cost| u128::try_from(cost.0).unwrap());
                assert_eq!(cost, Some(charged), "{client:?} {model} {is_stream}: {:?}", record.bill);
            }
        }
    }
}

#[test]
fn asking_for_models_counts_nothing_as_traffic() {
    let house = House::open();
    assert!(house.get("/v1/models", &[]).json()["data"].as_array().unwrap().len() > 50);
    house.get("/v1/models/gpt-4o", &[]);
    assert!(!house.get("/metrics", &[]).text().contains("model=\"gpt-4o\""));
}
