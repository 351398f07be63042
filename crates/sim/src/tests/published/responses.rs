//! The Responses API against the provider's published OpenAPI document, and its stream's own grammar.

use super::{conforms, valid, validator};
use crate::openai::responses::{COUNT_MEMBERS, MEMBERS};
use crate::tests::client::{Got, fleet, post, send};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The published document, trimmed; see `fixtures`.
fn document() -> Value {
    serde_json::from_str(include_str!("../../../fixtures/openai.responses.schema.json")).unwrap()
}

fn requests() -> Vec<Value> {
    let tool = json!({"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}});
    let ask = |model: &str, input: &str| json!({"model": model, "input": input});
    let mut tools = ask("gpt-5.5", "get_weather twice in parallel");
    tools["tools"] = json!([tool]);
    tools["reasoning"] = json!({"effort": "medium", "summary": "auto"});
    tools["include"] = json!(["reasoning.encrypted_content"]);
    let mut sampled = ask("gpt-4o", "[[say:one two]]");
    sampled["include"] = json!(["message.output_text.logprobs"]);
    sampled["top_logprobs"] = json!(2);
    let mut short = ask("gpt-4o", "[[words:60]]");
    short["max_output_tokens"] = json!(16);
    let mut full = ask("gpt-5.5", "think of json");
    full["service_tier"] = json!("flex");
    full["instructions"] = json!("Be brief.");
    full["metadata"] = json!({"a": "b"});
    full["text"] = json!({"format": {"type": "json_object"}, "verbosity": "low"});
    vec![
        tools,
        sampled,
        short,
        full,
        ask("gpt-4o", "[[refuse]]"),
        ask("gpt-4o", "[[cite]]"),
        ask("gpt-4o", "[[empty]]"),
        ask("gpt-4o", "[[filter]]"),
    ]
}

/// The schema that is published for an event of this type.
fn schema_of(kind: &str) -> String {
    let name =
        kind.trim_start_matches("response.").replace("output_text.annotation", "output_text_annotation");
    let name = if name.starts_with("output_text.") { name.replace("output_text", "text") } else { name };
    let words = name.split(['.', '_']).map(|w| w[..1].to_uppercase() + &w[1..]);
    format!("Response{}Event", words.collect::<String>())
}

#[tokio::test]
async fn responses_and_their_events_conform_to_the_published_schemas() {
    let (fleet, root) = (fleet().await, document());
    let mut seen = BTreeMap::new();
    let background = json!({"model": "gpt-4o", "input": "x", "background": true});
    for mut request in requests().into_iter().chain([background]) {
        let got = post(&fleet, "/v1/responses", &request).await;
        assert_eq!(got.status, 200, "{}", got.text());
        valid(&root, "Response", &got.json());
        request["stream"] = json!(true);
        for event in post(&fleet, "/v1/responses", &request).await.events() {
            let kind = event["type"].as_str().unwrap().to_owned();
            let schema = schema_of(&kind);
            conforms(seen.entry(kind).or_insert_with(|| validator(&root, &schema)), &schema, &event);
        }
    }
    assert_eq!(seen.len(), 20, "{:?}", seen.keys());
    fleet.shutdown().await;
}

#[tokio::test]
async fn lists_counts_and_failures_conform_to_the_published_schemas() {
    let (fleet, root) = (fleet().await, document());
    let call = json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"});
    let result = json!({"type": "function_call_output", "call_id": "c", "output": "r"});
    let request = json!({"model": "gpt-4o", "input": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}, call, result]});
    let made = post(&fleet, "/v1/responses", &request).await.json();
    let path = format!("/v1/responses/{}/input_items", made["id"].as_str().unwrap());
    let items = send(&fleet, "GET", &path, &[], "").await.json();
    assert_eq!(items["data"].as_array().unwrap().len(), 4);
    valid(&root, "ResponseItemList", &items);
    valid(&root, "TokenCountsResource", &post(&fleet, "/v1/responses/input_tokens", &request).await.json());
    let request = json!({"model": "fault-error-event-50", "input": "x", "stream": true});
    let events = post(&fleet, "/v1/responses", &request).await.events();
    let [.., error, failed] = events.as_slice() else { panic!("{events:?}") };
    // The provider's error event is not as published: its error stands in a member of its own.
    assert_eq!((&error["type"], &error["error"]["code"]), (&json!("error"), &json!("server_error")));
    valid(&root, "ResponseFailedEvent", failed);
    assert_eq!(failed["response"]["status"], "failed");
    fleet.shutdown().await;
}

#[test]
fn the_request_members_of_responses_are_the_published_ones() {
    for (members, name) in [(MEMBERS, "CreateResponse"), (COUNT_MEMBERS, "TokenCountsBody")] {
        let is_younger = |name: &&str| ["access_programs", "background_options", "image"].contains(name);
        let mut ours: Vec<&str> = members.iter().map(|m| m.name).filter(|n| !is_younger(n)).collect();
        ours.sort_unstable();
        assert_eq!(json!(ours), document()["request_members"][name]);
    }
}

/// A stream put together: deltas by the item that they belong to.
fn joined(got: &Got) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    for event in got.events() {
        if let (Some(item), Some(delta)) = (event["item_id"].as_str(), event["delta"].as_str()) {
            *out.entry(item.to_owned()).or_default() += delta;
        }
    }
    out
}

#[tokio::test]
async fn a_stream_put_together_equals_the_plain_response() {
    let fleet = fleet().await;
    for mut request in requests() {
        let plain = post(&fleet, "/v1/responses", &request).await.json();
        request["stream"] = json!(true);
        let got = post(&fleet, "/v1/responses", &request).await;
        let events = got.events();
        let numbers: Vec<u64> = events.iter().map(|e| e["sequence_number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
        let names: Vec<Value> =
            got.text().lines().filter_map(|l| l.strip_prefix("event: ")).map(|n| json!(n)).collect();
        assert_eq!(names, events.iter().map(|e| e["type"].clone()).collect::<Vec<_>>());
        let last = &events.last().unwrap()["response"];
        assert_eq!((&last["output"], &last["status"]), (&plain["output"], &plain["status"]));
        let deltas = joined(&got);
        for item in plain["output"].as_array().unwrap() {
            let whole = [
                &item["arguments"],
                &item["summary"][0]["text"],
                &item["content"][0]["text"],
                &item["content"][0]["refusal"],
            ];
            let whole = whole.iter().find_map(|v| v.as_str()).unwrap_or_default();
            assert_eq!(deltas.get(item["id"].as_str().unwrap()).map_or("", String::as_str), whole);
        }
    }
    fleet.shutdown().await;
}
