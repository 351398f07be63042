//! What depends on the client's call, not on the answer alone.

use pilothouse_core::conversation::Content;
use pilothouse_core::dialect::Dialect;
use pilothouse_wire::codec::{AnswerContext, Target, error_codec};
use serde_json::Value;

use super::cases::{Case, assemble, cases, context, decode_stream, encode_stream, of};

fn case(dialect: Dialect, kind: &str, name: &str) -> Case {
    cases(dialect, kind).into_iter().find(|case| case.name == name).unwrap()
}

#[test]
fn a_client_that_offers_functions_of_old_gets_function_call() {
    let body = case(Dialect::OpenaiChat, "requests", "functions-of-old").body;
    let request = of(Dialect::OpenaiChat).decode_request(&body).unwrap();
    assert!(request.uses_legacy_functions());
    let context = AnswerContext { legacy_functions: true, ..context() };
    let whole = case(Dialect::AnthropicMessages, "answers", "thinking-and-parallel-tools").body;
    let whole = of(Dialect::AnthropicMessages).decode_answer(&whole).unwrap();
    let mut losses = Vec::new();
    let body = of(Dialect::OpenaiChat).encode_answer(&whole, &context, &mut losses);
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["choices"][0]["message"]["function_call"]["name"], "get_weather");
    assert_eq!(body["choices"][0]["finish_reason"], "function_call");
    assert_eq!(body["choices"][0]["message"].get("tool_calls"), None);
    assert!(losses.iter().any(|note| note.code == "drop:tool_calls"), "{losses:?}");

    let stream = case(Dialect::AnthropicMessages, "streams", "thinking-and-parallel-tools").body;
    let (parts, _) = decode_stream(Dialect::AnthropicMessages, &stream);
    let (bytes, losses) = encode_stream(Dialect::OpenaiChat, &parts, None, &context);
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains("\"function_call\"") && !text.contains("tool_calls"), "{text}");
    assert!(losses.iter().any(|note| note.code == "drop:tool_calls"), "{losses:?}");
    let (parts, _) = decode_stream(Dialect::OpenaiChat, &bytes);
    let calls: Vec<_> = assemble(&parts).choices[0]
        .parts
        .iter()
        .filter_map(|part| match &part.content {
            Content::ToolCall(call) => Some((call.name.to_string(), call.arguments.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(calls, [("get_weather".to_owned(), "{\"city\": \"Oslo\"}".to_owned())]);
}

#[test]
fn usage_comes_in_a_stream_only_where_it_was_asked_for() {
    let stream = case(Dialect::AnthropicMessages, "streams", "text").body;
    let (parts, _) = decode_stream(Dialect::AnthropicMessages, &stream);
    for asked in [true, false] {
        let context = AnswerContext { stream_usage: asked, ..context() };
        let (bytes, _) = encode_stream(Dialect::OpenaiChat, &parts, None, &context);
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.contains("usage"), asked, "{text}");
        assert!(text.ends_with("data: [DONE]\n\n"));
    }
}

#[test]
fn calls_without_an_id_get_one_that_no_other_exchange_has() {
    let call = |name: &str| serde_json::json!({ "id": "", "type": "function", "function": { "name": name, "arguments": "{}" } });
    let body = serde_json::json!({
        "choices": [{ "message": { "tool_calls": [call("a"), call("b")] }, "finish_reason": "tool_calls" }],
    });
    let answer = of(Dialect::OpenaiChat).decode_answer(body.to_string().as_bytes()).unwrap();
    let body = of(Dialect::AnthropicMessages).encode_answer(&answer, &context(), &mut Vec::new());
    let body: Value = serde_json::from_slice(&body).unwrap();
    let exchange = context().exchange.to_string();
    assert_eq!(body["content"][0]["id"], format!("toolu_{exchange}_0"));
    assert_eq!(body["content"][1]["id"], format!("toolu_{exchange}_1"));
    // The vendor named no model, so that the client reads the one it asked for.
    assert_eq!(body["model"], "assistant");
}

#[test]
fn the_catalogues_limit_stands_where_the_client_gives_none_and_caps_what_it_gives() {
    let limit = |body: &[u8]| {
        let request = of(Dialect::OpenaiChat).decode_request(body).unwrap();
        let target = Target {
            max_output_tokens: Some(64_000),
            ..Target::of(Dialect::AnthropicMessages, "claude-opus-4-7")
        };
        let mut losses = Vec::new();
        let body = of(Dialect::AnthropicMessages).encode_request(&request, &target, &mut losses).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        (body["max_tokens"].as_u64().unwrap(), losses[0].code.to_string())
    };
    let none = br#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#;
    let high = br#"{"model":"m","max_tokens":200000,"messages":[{"role":"user","content":"a"}]}"#;
    assert_eq!(limit(none), (64_000, "set:max_tokens".to_owned()));
    assert_eq!(limit(high), (64_000, "clamp:max_tokens".to_owned()));
}

#[test]
fn reasoning_goes_back_to_the_server_that_takes_it() {
    let body = case(Dialect::AnthropicMessages, "requests", "thinking-of-another-vendor").body;
    let request = of(Dialect::AnthropicMessages).decode_request(&body).unwrap();
    let mut target = Target::of(Dialect::OpenaiChat, "deepseek-v4");
    target.quirks.reasoning_member = Some("reasoning_content");
    let mut losses = Vec::new();
    let body = of(Dialect::OpenaiChat).encode_request(&request, &target, &mut losses).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["messages"][1]["reasoning_content"], "Two and two.");
    assert!(losses.is_empty(), "{losses:?}");
}

#[test]
fn clients_of_embeddings_read_errors_in_openais_shape() {
    let error = error_codec(Dialect::OpenaiEmbeddings).decode_error(404, br#"{"error":{"message":"gone"}}"#);
    assert_eq!(error.message, "gone");
}
