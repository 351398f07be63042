//! Signed thinking for clients that cannot carry it: held over a tool loop, given up openly when it is lost.

use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::http::Got;

const TWO_KEYS: &str = r#"
[providers.anthropic]
base_url = "http://FLEET/anthropic"
api_key = "sk-upstream"
[keys.one]
secret = "ph-one"
[keys.two]
secret = "ph-two"
"#;

/// The request of a tool loop's turn: what was said so far, and the calls with their results.
fn turn(model: &str, is_stream: bool, more: &[Value]) -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let mut messages = vec![
        json!({"role": "user", "content": "Weather in Kiel? [[tool:weather]] [[think:12]] [[args:{\"city\":\"Kiel\"}]]"}),
    ];
    messages.extend(more.iter().cloned());
    let mut body = json!({
        "model": model,
        "messages": messages,
        "reasoning_effort": "high",
        "max_completion_tokens": 8000,
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": schema}}],
    });
    if is_stream {
        body["stream"] = true.into();
    }
    body
}

fn post(house: &House, key: &str, body: &Value) -> Got {
    let key = format!("Bearer {key}");
    let got = house.post("/v1/chat/completions", &[("authorization", &key)], body.to_string().as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    got
}

/// The assistant's turn as an OpenAI client sends it back, and the tool's result.
fn answered(got: &Got, is_stream: bool) -> Vec<Value> {
    let mut id = String::new();
    if is_stream {
        for line in got.text().lines().filter_map(|line| line.strip_prefix("data: ")) {
            let Ok(chunk) = serde_json::from_str::<Value>(line) else { continue };
            if let Some(found) = chunk["choices"][0]["delta"]["tool_calls"][0]["id"].as_str() {
                id = found.to_owned();
            }
        }
    } else {
        id = got.json()["choices"][0]["message"]["tool_calls"][0]["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
    }
    assert!(!id.is_empty(), "a tool was called: {}", got.text());
    let call = json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Kiel\"}"}});
    vec![
        json!({"role": "assistant", "content": null, "tool_calls": [call]}),
        json!({"role": "tool", "tool_call_id": id, "content": "12 degrees, rain"}),
    ]
}

fn upstream(house: &House) -> Value {
    serde_json::from_str(house.fleet.last()["body"].as_str().unwrap()).unwrap()
}

fn has_signature(body: &Value) -> bool {
    let blocks = body["messages"][1]["content"].as_array().unwrap();
    blocks.iter().any(|block| block["type"] == "thinking" && block["signature"].is_string())
}

#[test]
fn thinking_is_restored_from_memory_in_a_tool_loop_streamed_and_not() {
    for model in ["anthropic/claude-sonnet-4-5", "anthropic/claude-opus-4-7"] {
        for first_streamed in [false, true] {
            for second_streamed in [false, true] {
                let house = House::with(TWO_KEYS);
                let first = post(&house, "ph-one", &turn(model, first_streamed, &[]));
                let asked = upstream(&house);
                assert!(
                    asked["thinking"]["type"] == "enabled" || asked["thinking"]["type"] == "adaptive",
                    "{asked}"
                );
                let more = answered(&first, first_streamed);
                // The fleet checks signatures as the vendor does: a loop without them is refused.
                let second = post(&house, "ph-one", &turn(model, second_streamed, &more));
                assert!(has_signature(&upstream(&house)), "{}", upstream(&house));
                let receipt = house.record(&second).receipt.unwrap();
                assert!(receipt.edits.iter().any(|note| note.code == "restore:thinking"), "{receipt:?}");
                assert!(second.header("x-pilothouse-changed").unwrap().contains("restore:thinking"));
            }
        }
    }
}

#[test]
fn thinking_of_one_key_is_never_given_to_another_and_the_turn_goes_without() {
    for is_stream in [false, true] {
        let house = House::with(TWO_KEYS);
        let model = "anthropic/claude-sonnet-4-5";
        let first = post(&house, "ph-one", &turn(model, is_stream, &[]));
        let more = answered(&first, is_stream);
        let second = post(&house, "ph-two", &turn(model, is_stream, &more));
        let body = upstream(&house);
        assert!(!has_signature(&body), "{body}");
        assert!(body["thinking"]["type"] != "enabled", "{body}");
        let receipt = house.record(&second).receipt.unwrap();
        let mut notes = receipt.edits.iter().chain(&receipt.losses);
        assert!(notes.any(|note| note.code == "off:thinking"), "{receipt:?}");
        assert!(second.header("x-pilothouse-changed").unwrap().contains("off:thinking"));
    }
}

#[test]
fn signatures_are_never_written_to_disk() {
    let mut house = House::with(TWO_KEYS);
    let first = post(&house, "ph-one", &turn("anthropic/claude-sonnet-4-5", false, &[]));
    post(&house, "ph-one", &turn("anthropic/claude-sonnet-4-5", false, &answered(&first, false)));
    let body = upstream(&house);
    let blocks = body["messages"][1]["content"].as_array().unwrap();
    let thinking = blocks.iter().find(|block| block["type"] == "thinking").unwrap();
    let secrets = [
        thinking["signature"].as_str().unwrap().to_owned(),
        thinking["thinking"].as_str().unwrap().to_owned(),
    ];
    house.stop();
    for entry in std::fs::read_dir(house.data()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for secret in &secrets {
            assert!(secret.len() > 20);
            assert!(
                !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
                "{}",
                path.display()
            );
        }
    }
}
