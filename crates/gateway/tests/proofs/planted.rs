//! Five wrong fields planted into what our codecs write: the fleet, which knows nothing of them, must refuse each.
//!
//! It shows that the fleet is a check on `wire` and not an echo of it.

use pilothouse_core::dialect::Dialect;
use pilothouse_wire::codec::{Target, codec};
use serde_json::{Value, json};

use crate::harness::Fleet;
use crate::harness::http;

/// A tool loop with everything in it, as a client of the other dialect would send it.
fn written_for(dialect: Dialect) -> Value {
    let (client, model, body) = match dialect {
        Dialect::AnthropicMessages => (
            Dialect::OpenaiChat,
            "claude-opus-4-7",
            json!({
                "model": "m", "max_tokens": 300, "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "What is the weather in Oslo?"},
                    {"role": "assistant", "content": null, "tool_calls": [
                        {"id": "call_abcdefghijklmnop", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}}]},
                    {"role": "tool", "tool_call_id": "call_abcdefghijklmnop", "content": "4 degrees"},
                ],
                "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}],
            }),
        ),
        _ => (
            Dialect::AnthropicMessages,
            "gpt-5.5",
            json!({
                "model": "m", "max_tokens": 300, "system": "Be brief.", "messages": [
                    {"role": "user", "content": "What is the weather in Oslo?"},
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_abcdefghijklmnop", "name": "weather", "input": {"city": "Oslo"}}]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_abcdefghijklmnop", "content": "4 degrees"}]},
                ],
                "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}],
            }),
        ),
    };
    let request = codec(client).unwrap().decode_request(&serde_json::to_vec(&body).unwrap()).unwrap();
    let mut losses = Vec::new();
    let bytes =
        codec(dialect).unwrap().encode_request(&request, &Target::of(dialect, model), &mut losses).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn answered(fleet: &Fleet, dialect: Dialect, body: &Value) -> (u16, String) {
    let path = if dialect == Dialect::AnthropicMessages { "/v1/messages" } else { "/v1/chat/completions" };
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Bearer sk-planted"),
        ("anthropic-version", "2023-06-01"),
    ];
    let got = http::call(fleet.address(), "POST", path, &headers, body.to_string().as_bytes());
    (got.status, got.text())
}

/// Gives the member at `path` another name.
fn rename(body: &mut Value, path: &str, from: &str, to: &str) {
    let object = body.pointer_mut(path).and_then(Value::as_object_mut).unwrap();
    let value = object.remove(from).unwrap_or_else(|| panic!("nothing called {from} at {path}"));
    object.insert(to.to_owned(), value);
}

/// A wrong field: what it is, where, and how it gets there.
type Plant = (&'static str, Dialect, fn(&mut Value));

#[test]
fn each_of_five_planted_wrong_fields_is_refused_by_the_fleet() {
    let fleet = Fleet::start();
    for dialect in [Dialect::OpenaiChat, Dialect::AnthropicMessages] {
        let (status, text) = answered(&fleet, dialect, &written_for(dialect));
        assert_eq!(status, 200, "what {dialect} really writes is taken: {text}");
    }
    let plants: [Plant; 5] = [
        ("an output limit by its old name", Dialect::OpenaiChat, |body| {
            rename(body, "", "max_completion_tokens", "max_tokens");
        }),
        ("a tool result under another vendor's member", Dialect::OpenaiChat, |body| {
            rename(body, "/messages/3", "tool_call_id", "tool_use_id");
        }),
        ("a schema under another vendor's member", Dialect::AnthropicMessages, |body| {
            rename(body, "/tools/0", "input_schema", "parameters");
        }),
        ("a tool result for another call", Dialect::AnthropicMessages, |body| {
            body["messages"][2]["content"][0]["tool_use_id"] = json!("toolu_of_nobody_at_all");
        }),
        ("the output limit left out", Dialect::AnthropicMessages, |body| {
            rename(body, "", "max_tokens", "max_completion_tokens");
        }),
    ];
    for (name, dialect, plant) in plants {
        let mut body = written_for(dialect);
        plant(&mut body);
        let (status, text) = answered(&fleet, dialect, &body);
        assert_eq!(status, 400, "{name}: {text}");
    }
}
