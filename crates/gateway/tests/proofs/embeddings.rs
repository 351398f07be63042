//! Vectors: an OpenAI or a Google client's texts at vendors that each have a form of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::money::Cost;
use pilothouse_core::usage::Provenance;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::http::Got;
use crate::harness::scripted::{Act, Scripted};

const VENDORS: &str = r#"
[providers.openai]
base_url = "http://FLEET/openai/v1"
api_key = "sk-upstream-openai"

[providers.gemini]
dialect = "gemini-generate"
base_url = "http://FLEET/gemini/v1beta"
api_key = "gemini-key"

[providers.bedrock]
dialect = "bedrock-converse"
base_url = "http://FLEET/bedrock"
api_key = "bedrock-key"
params = { region = "us-east-1" }

[providers.cohere]
embed_url = "http://FLEET/openai/v2/embed"
api_key = "cohere-key"

[providers.anthropic]
base_url = "http://FLEET/anthropic"
api_key = "sk-upstream-anthropic"

[catalog]
overlay = "prices.toml"
"#;

/// A model of each form, its path at the fleet, and how many calls the texts below become.
const MODELS: [(&str, &str, usize); 4] = [
    ("gemini/gemini-embedding-001", "/gemini/v1beta/models/gemini-embedding-001:batchEmbedContents", 1),
    ("cohere/embed-v4.0", "/openai/v2/embed", 1),
    ("bedrock/amazon.titan-embed-text-v2:0", "/bedrock/model/amazon.titan-embed-text-v2%3A0/invoke", 3),
    ("bedrock/cohere.embed-v4:0", "/bedrock/model/cohere.embed-v4%3A0/invoke", 1),
];
const TEXTS: [&str; 3] = ["a deep blue sea", "some high hills", "the sea again and again"];

fn ask(house: &House, body: &Value) -> Got {
    house.post("/v1/embeddings", &[], body.to_string().as_bytes())
}

fn good(house: &House, body: &Value) -> (Got, Value, Exchange) {
    let got = ask(house, body);
    assert_eq!(got.status, 200, "{body}: {}", got.text());
    let (answer, record) = (got.json(), house.record(&got));
    assert_eq!((record.outcome, record.bill.provenance), (Outcome::Complete, Provenance::Reported), "{body}");
    (got, answer, record)
}

fn floats(answer: &Value, at: usize) -> Vec<f32> {
    let item = &answer["data"][at];
    assert_eq!((&item["object"], &item["index"]), (&json!("embedding"), &json!(at)));
    match &item["embedding"] {
        Value::String(text) => {
            let bytes = STANDARD.decode(text).unwrap();
            bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
        }
        list => serde_json::from_value(list.clone()).unwrap(),
    }
}

/// What the fleet counted and charged for the newest calls.
fn booked(house: &House, calls: usize) -> (u64, i128) {
    let log = house.fleet.log();
    let entries = &log[log.len() - calls..];
    let tokens = entries.iter().map(|one| one["tokens"]["input"].as_u64().unwrap()).sum();
    let cost = entries.iter().map(|one| one["picousd"].as_str().unwrap().parse::<i128>().unwrap()).sum();
    (tokens, cost)
}

fn codes(record: &Exchange) -> Vec<String> {
    let receipt = record.receipt.clone().unwrap_or_default();
    receipt.edits.iter().chain(&receipt.losses).map(|note| note.code.to_string()).collect()
}

#[test]
fn every_form_keeps_order_and_numbers_and_bills_what_the_fleet_charges() {
    let house = House::with(VENDORS);
    for (model, path, calls) in MODELS {
        let mut alone = Vec::new();
        for text in TEXTS {
            let (_, answer, _) = good(&house, &json!({"model": model, "input": text}));
            alone.push(floats(&answer, 0));
        }
        assert_ne!(alone[0], alone[1]);
        for format in ["float", "base64"] {
            let body = json!({"model": model, "input": TEXTS, "encoding_format": format});
            let (_, answer, record) = good(&house, &body);
            assert_eq!(answer["data"][0]["embedding"].is_string(), format == "base64");
            let together: Vec<Vec<f32>> = (0..3).map(|at| floats(&answer, at)).collect();
            assert_eq!(together, alone, "{model} {format}");
            assert_eq!((&answer["object"], &answer["model"]), (&json!("list"), &json!(model)));
            let last = house.fleet.last();
            assert_eq!(last["path"], path);
            let (tokens, cost) = booked(&house, calls);
            assert!(tokens > 0 && cost > 0, "{model}");
            assert_eq!(answer["usage"], json!({"prompt_tokens": tokens, "total_tokens": tokens}), "{model}");
            let billed = record.bill.cost.known().map(|cost| cost.0);
            assert_eq!((record.bill.usage.input, billed), (tokens, Some(cost)), "{model}");
        }
    }
}

#[test]
fn the_vendors_numbers_are_not_touched() {
    let house = House::with(VENDORS);
    let (_, answer, _) = good(&house, &json!({"model": MODELS[1].0, "input": "a deep blue sea"}));
    let sent = json!({"model": "embed-v4.0", "texts": ["a deep blue sea"], "input_type": "search_document", "embedding_types": ["float"]});
    let direct = crate::harness::http::call(
        house.fleet.address(),
        "POST",
        "/openai/v2/embed",
        &[("authorization", "Bearer k"), ("content-type", "application/json")],
        sent.to_string().as_bytes(),
    );
    assert_eq!(answer["data"][0]["embedding"], direct.json()["embeddings"]["float"][0]);
}

#[test]
fn lengths_and_purposes_are_said_in_each_vendors_words_and_the_rest_is_reported() {
    let house = House::with(VENDORS);
    for (model, _, _) in MODELS {
        let body = json!({"model": model, "input": ["sea"], "dimensions": 256, "input_type": "search_query", "user": "u-1"});
        let (got, answer, record) = good(&house, &body);
        assert_eq!(floats(&answer, 0).len(), 256, "{model}");
        let codes = codes(&record);
        assert!(codes.iter().any(|code| code == "translate"), "{codes:?}");
        assert!(codes.iter().any(|code| code == "drop:user"), "{codes:?}");
        let is_titan = model.contains("titan");
        assert_eq!(codes.iter().any(|code| code == "drop:input_type"), is_titan, "{model} {codes:?}");
        assert!(got.header("x-pilothouse-changed").unwrap().contains("drop:user"));
        let sent = house.fleet.last()["body"].as_str().unwrap().to_owned();
        let word = if model.starts_with("gemini") { "RETRIEVAL_QUERY" } else { "search_query" };
        assert_eq!(sent.contains(word), !is_titan, "{sent}");
        assert_eq!(record.caller.end_user.as_deref(), Some("u-1"));
    }
    let (_, _, record) = good(&house, &json!({"model": MODELS[1].0, "input": "sea"}));
    assert!(codes(&record).iter().any(|code| code == "set:input_type"));
}

#[test]
fn long_lists_are_split_into_calls_of_the_size_that_the_vendor_takes() {
    let house = House::with(VENDORS);
    let texts: Vec<String> = (0..200).map(|at| format!("text number {at} word{at}")).collect();
    for (model, calls) in [(MODELS[0].0, 2), (MODELS[1].0, 3), (MODELS[2].0, 200)] {
        let before = house.fleet.log().len();
        let (_, answer, record) = good(&house, &json!({"model": model, "input": texts}));
        assert_eq!(house.fleet.log().len() - before, calls, "{model}");
        assert_eq!(answer["data"].as_array().unwrap().len(), 200);
        assert!(codes(&record).iter().any(|code| code == "split:input"));
        let (_, alone, _) = good(&house, &json!({"model": model, "input": texts[199]}));
        assert_eq!(floats(&answer, 199), floats(&alone, 0), "{model}");
        let (tokens, _) = booked(&house, 1);
        assert!(record.bill.usage.input > 150 * tokens, "all calls are counted");
    }
}

#[test]
fn what_cannot_be_embedded_is_refused_before_anybody_is_called() {
    let house = House::with(VENDORS);
    for (model, _, _) in MODELS {
        for (input, words) in [
            (json!([1, 2, 3]), "check_embedding_ctx_length"),
            (json!([[1, 2], [3]]), "check_embedding_ctx_length"),
            (json!([]), "at least one text"),
            (json!(""), "at least one text"),
            (json!(["a", ""]), "at least one text"),
        ] {
            let got = ask(&house, &json!({"model": model, "input": input}));
            let error = got.json()["error"].clone();
            assert_eq!(
                (got.status, &error["type"]),
                (400, &json!("invalid_request_error")),
                "{}",
                got.text()
            );
            assert_eq!(error["param"], "input");
            assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        }
    }
    let many: Vec<String> = (0..257).map(|at| at.to_string()).collect();
    let got = ask(&house, &json!({"model": MODELS[2].0, "input": many}));
    assert!(got.status == 400 && got.text().contains("256 texts at most"), "{}", got.text());
    for (model, words) in [
        ("anthropic/claude-haiku-4-5", "no embeddings"),
        ("bedrock/amazon.nova-pro-v1:0", "titan-embed-text"),
    ] {
        let got = ask(&house, &json!({"model": model, "input": "a"}));
        assert!(got.status == 400 && got.text().contains(words), "{}", got.text());
    }
    assert!(house.fleet.log().is_empty(), "nobody was called");
}

#[test]
fn a_vendors_refusal_comes_with_its_words_in_openais_form() {
    let house = House::with(VENDORS);
    for (model, dimensions, words) in [
        (MODELS[0].0, 999_999, "output_dimensionality"),
        (MODELS[1].0, 7, "output_dimension must be one of"),
        (MODELS[2].0, 7, "Malformed input request"),
        ("bedrock/amazon.titan-embed-text-v1", 256, "extraneous key [dimensions]"),
        ("bedrock/cohere.embed-english-v3", 256, "output_dimension is not supported"),
    ] {
        let got = ask(&house, &json!({"model": model, "input": ["a", "b"], "dimensions": dimensions}));
        let error = got.json()["error"].clone();
        assert_eq!((got.status, &error["type"]), (400, &json!("invalid_request_error")), "{}", got.text());
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        let record = house.record(&got);
        assert!(matches!(record.outcome, Outcome::Failed(_)), "{:?}", record.outcome);
    }
}

#[test]
fn usage_that_a_vendor_does_not_tell_is_unknown_and_estimated_openly_for_the_client() {
    let house = House::with(VENDORS);
    let got = ask(&house, &json!({"model": "gemini/fault-missing-usage", "input": TEXTS}));
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(got.header("x-pilothouse-estimate").is_some());
    assert!((8..40).contains(&got.json()["usage"]["prompt_tokens"].as_u64().unwrap()), "{}", got.text());
    let record = house.record(&got);
    assert_eq!((record.bill.provenance, record.bill.cost), (Provenance::Absent, Cost::Unknown));
    assert!(record.receipt.unwrap().notes.iter().any(|note| note.code == "unknown:usage"));
}

#[test]
fn a_call_that_fails_for_a_moment_is_tried_again() {
    let act = |status: &str, body: &str| {
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        Act::Write(vec![[head.as_bytes(), body.as_bytes()].concat()])
    };
    let busy = act("503 Service Unavailable", "{\"message\":\"busy\"}");
    let vendor =
        Scripted::start(vec![busy, act("200 OK", "{\"embedding\":[2.50],\"inputTextTokenCount\":2}")]);
    let house = House::with(&format!(
        "[providers.away]\ndialect = \"bedrock-converse\"\nbase_url = \"http://{}\"\napi_key = \"k\"\n",
        vendor.address
    ));
    let (got, answer, record) =
        good(&house, &json!({"model": "away/amazon.titan-embed-text-v2:0", "input": ["a"]}));
    assert!(got.text().contains("\"embedding\":[2.50]"), "{}", got.text());
    assert_eq!((&answer["usage"]["prompt_tokens"], vendor.calls()), (&json!(2), 2));
    let attempts = record.receipt.unwrap().attempts;
    assert_eq!(attempts.iter().map(|one| one.status).collect::<Vec<_>>(), [Some(503)]);
}

#[test]
fn one_failed_call_fails_the_request_and_what_the_others_used_is_billed() {
    let house = House::with(VENDORS);
    let long = "word ".repeat(9_000);
    let got = ask(&house, &json!({"model": MODELS[2].0, "input": [TEXTS[0], long]}));
    assert!(got.status == 400 && got.text().contains("Too many input tokens"), "{}", got.text());
    let record = house.record(&got);
    let log = house.fleet.log();
    let first = log.iter().find(|one| one["status"] == 200).unwrap();
    assert_eq!(record.bill.provenance, Provenance::Partial);
    assert_eq!(json!(record.bill.usage.input), first["tokens"]["input"]);
}

#[test]
fn a_google_client_embeds_one_or_many_at_every_vendor() {
    let house = House::with(VENDORS);
    let request = |model: &str, text: &str| json!({"model": format!("models/{model}"), "content": {"parts": [{"text": text}]}, "outputDimensionality": 256});
    for model in [
        "gemini/gemini-embedding-001",
        "openai/text-embedding-3-small",
        MODELS[1].0,
        MODELS[2].0,
        MODELS[3].0,
    ] {
        let path = |method: &str| format!("/v1beta/models/{model}:{method}");
        let one = house.post(&path("embedContent"), &[], request(model, TEXTS[0]).to_string().as_bytes());
        assert_eq!(one.status, 200, "{model}: {}", one.text());
        let values = one.json()["embedding"]["values"].clone();
        assert_eq!(values.as_array().unwrap().len(), 256, "{model}");
        let batch = json!({"requests": TEXTS.map(|text| request(model, text))});
        let many = house.post(&path("batchEmbedContents"), &[], batch.to_string().as_bytes());
        assert_eq!(many.status, 200, "{model}: {}", many.text());
        assert_eq!(many.json()["embeddings"][0]["values"], values, "{model}");
        assert_eq!(many.json()["embeddings"].as_array().unwrap().len(), 3);
        let record = house.record(&many);
        assert_eq!(record.bill.provenance, Provenance::Reported, "{model}");
        assert_eq!(many.json()["usageMetadata"]["promptTokenCount"], record.bill.usage.input);
    }
    let claude = "/v1beta/models/anthropic/claude-haiku-4-5:embedContent";
    let got = house.post(claude, &[], request("m", "a").to_string().as_bytes());
    assert_eq!((got.status, &got.json()["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
}

#[test]
fn a_batch_between_googles_own_forms_passes_byte_for_byte_but_for_the_models_name() {
    let house = House::with(VENDORS);
    let body = "{ \"requests\" : [ {\"model\":\"models/gemini/gemini-embedding-001\", \"content\":{\"parts\":[{\"text\":\"a\"}]}} , {\"content\":{\"parts\":[{\"text\":\"b\"}]},\"model\" : \"models/gemini/gemini-embedding-001\"}]}";
    let path = "/v1beta/models/gemini/gemini-embedding-001:batchEmbedContents";
    let got = house.post(path, &[], body.as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(house.fleet.last()["body"], body.replace("models/gemini/", "models/"));
    assert_eq!(house.record(&got).bill.usage.input, booked(&house, 1).0);
}
