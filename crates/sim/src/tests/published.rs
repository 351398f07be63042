//! OpenAI answers against the provider's published OpenAPI document.

mod responses;

use super::client::{chat, fleet, post, send, streamed};
use crate::openai::REQUEST_MEMBERS;
use serde_json::{Value, json};

/// The published document, trimmed; see `fixtures`.
fn document() -> Value {
    serde_json::from_str(include_str!("../../fixtures/openai.schema.json")).unwrap()
}

fn assert_valid(schema: &str, value: &Value) {
    valid(&document(), schema, value);
}

/// A validator of one of a document's schemas.
fn validator(document: &Value, schema: &str) -> jsonschema::Validator {
    let mut root = document.clone();
    root["$ref"] = json!(format!("#/$defs/{schema}"));
    jsonschema::validator_for(&root).unwrap()
}

/// `value` conforms to one of a document's schemas.
fn valid(document: &Value, schema: &str, value: &Value) {
    conforms(&validator(document, schema), schema, value);
}

fn conforms(validator: &jsonschema::Validator, schema: &str, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{schema}: {errors:?}\n{value}");
}

fn requests() -> Vec<Value> {
    let mut tools = chat("gpt-4o", "get_weather twice in parallel");
    tools["tools"] =
        json!([{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]);
    let mut sampled = chat("gpt-4o-mini", "[[say:one two]]");
    sampled["logprobs"] = json!(true);
    sampled["top_logprobs"] = json!(2);
    sampled["n"] = json!(2);
    let mut tier = chat("gpt-5.5", "think");
    tier["service_tier"] = json!("flex");
    vec![
        tools,
        sampled,
        tier,
        chat("gpt-4o", "[[refuse]]"),
        chat("gpt-4o", "[[cite]]"),
        chat("gpt-4o", "[[empty]]"),
    ]
}

#[tokio::test]
async fn answers_and_chunks_conform_to_the_published_schemas() {
    let fleet = fleet().await;
    for request in requests() {
        let got = post(&fleet, "/v1/chat/completions", &request).await;
        assert_eq!(got.status, 200, "{}", got.text());
        assert_valid("CreateChatCompletionResponse", &got.json());
        let got = post(&fleet, "/v1/chat/completions", &streamed(request)).await;
        got.events().iter().for_each(|e| assert_valid("CreateChatCompletionStreamResponse", e));
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn models_embeddings_and_errors_conform_to_the_published_schemas() {
    let fleet = fleet().await;
    assert_valid("ListModelsResponse", &send(&fleet, "GET", "/v1/models", &[], "").await.json());
    assert_valid("Model", &send(&fleet, "GET", "/v1/models/o3", &[], "").await.json());
    let got = post(
        &fleet,
        "/v1/embeddings",
        &json!({"model": "text-embedding-3-small", "input": ["a b", "c"], "dimensions": 8}),
    )
    .await;
    assert_valid("CreateEmbeddingResponse", &got.json());
    for (path, body) in [
        ("/v1/chat/completions", chat("none", "x")),
        ("/v1/chat/completions", json!({"model": "gpt-4o"})),
        ("/v1/x", json!({})),
    ] {
        assert_valid("ErrorResponse", &post(&fleet, path, &body).await.json());
    }
    fleet.shutdown().await;
}

#[test]
fn the_request_members_are_the_published_ones() {
    let mut ours: Vec<&str> = REQUEST_MEMBERS.iter().map(|m| m.name).collect();
    ours.sort_unstable();
    assert_eq!(json!(ours), document()["request_members"]["CreateChatCompletionRequest"]);
}

#[tokio::test]
async fn embeddings_come_as_floats_or_base64_and_are_refused_as_published() {
    let fleet = fleet().await;
    let ask = |body: Value| {
        let fleet = &fleet;
        async move { post(fleet, "/v1/embeddings", &body).await }
    };
    let floats =
        ask(json!({"model": "text-embedding-3-small", "input": "hello sea", "dimensions": 4})).await.json();
    let packed = ask(json!({"model": "text-embedding-3-small", "input": "hello sea", "dimensions": 4, "encoding_format": "base64"})).await.json();
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(packed["data"][0]["embedding"].as_str().unwrap())
        .unwrap();
    let unpacked: Vec<f32> = bytes.chunks(4).map(|c| f32::from_le_bytes(c.try_into().unwrap())).collect();
    assert_eq!(json!(unpacked), floats["data"][0]["embedding"]);
    assert_eq!(floats["usage"], json!({"prompt_tokens": 2, "total_tokens": 2}));
    for (body, status) in [
        (json!({"model": "text-embedding-ada-002", "input": "x", "dimensions": 4}), 400),
        (json!({"model": "text-embedding-3-small", "input": []}), 400),
        (json!({"model": "text-embedding-3-small", "input": "x", "extra": 1}), 400),
        (json!({"model": "gpt-4o", "input": "x"}), 403),
    ] {
        assert_eq!(ask(body.clone()).await.status, status, "{body}");
    }
    fleet.shutdown().await;
}
