//! Tests of freeform tools at vendors that know functions only.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::id::ExchangeId;

use crate::codec::{AnswerContext, Target, codec};

use super::*;

const ASKED: &str = r#"{"model":"m","input":[
    {"type":"custom_tool_call","call_id":"call_1","name":"patch","input":"say \"hi\"\n"},
    {"type":"custom_tool_call_output","call_id":"call_1","output":"ok"},
    {"type":"message","role":"user","content":"Again."}],
    "tools":[{"type":"custom","name":"patch","description":"Changes.",
        "format":{"type":"grammar","syntax":"lark","definition":"start: /x/"}},
        {"type":"function","name":"look","parameters":{"type":"object","properties":{}}}],
    "tool_choice":{"type":"custom","name":"patch"}}"#;

fn replaced(target: Dialect) -> (Request, Freeform, Vec<Note>) {
    let mut request = codec(Dialect::OpenaiResponses).unwrap().decode_request(ASKED.as_bytes()).unwrap();
    let mut notes = Vec::new();
    let freeform = Freeform::replace(&mut request, target, &mut notes);
    (request, freeform, notes)
}

#[test]
fn a_freeform_tool_its_choice_and_its_calls_go_out_as_a_function() {
    let (request, _, notes) = replaced(Dialect::AnthropicMessages);
    let target = Target::of(Dialect::AnthropicMessages, "claude-opus-4-7");
    let mut losses = Vec::new();
    let encoder = codec(Dialect::AnthropicMessages).unwrap();
    let body = encoder.encode_request(&request, &target, &mut losses).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let tool = &body["tools"][0];
    assert_eq!((&tool["name"], &tool["description"]), (&json!("patch"), &json!("Changes.")));
    assert_eq!(tool["input_schema"]["required"], json!(["input"]));
    let rule = tool["input_schema"]["properties"]["input"]["description"].as_str().unwrap();
    assert!(rule.contains("lark") && rule.ends_with("start: /x/"), "{rule}");
    assert_eq!(body["tool_choice"]["name"], "patch");
    let call = body["messages"].as_array().unwrap().iter().find(|turn| turn["role"] == "assistant").unwrap();
    assert_eq!(call["content"][0]["input"], json!({"input": "say \"hi\"\n"}));
    assert_eq!(notes, vec![Note::new("wrap:tools.custom", "patch")]);
    assert!(
        !losses.iter().any(|note| note.code.contains("custom") || note.code.contains("input")),
        "{losses:?}"
    );
}

#[test]
fn vendors_that_have_freeform_tools_get_them_as_they_are() {
    for target in [Dialect::OpenaiChat, Dialect::OpenaiResponses] {
        let (request, freeform, notes) = replaced(target);
        assert!(matches!(&request.tools[0].content, ToolContent::Native { .. }), "{target}");
        assert!(freeform.names.is_empty() && notes.is_empty(), "{target}");
    }
}

const CALLED: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[
    {"type":"tool_use","id":"toolu_1","name":"patch","input":{"input":"*** Begin\n+\"x\"\n"}},
    {"type":"tool_use","id":"toolu_2","name":"look","input":{"input":"stays"}}],
    "stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}"#;

#[test]
fn its_call_comes_back_as_text_and_other_calls_stay() {
    let (_, freeform, _) = replaced(Dialect::AnthropicMessages);
    let mut answer = codec(Dialect::AnthropicMessages).unwrap().decode_answer(CALLED.as_bytes()).unwrap();
    freeform.answer(&mut answer);
    let context = AnswerContext {
        model: "m",
        exchange: ExchangeId::new(UnixMs(0), 7),
        created: 0,
        stream_usage: false,
        legacy_functions: false,
        estimated_input: None,
        echoed: None,
    };
    let body = codec(Dialect::OpenaiResponses).unwrap().encode_answer(&answer, &context, &mut Vec::new());
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["output"][0]["type"], "custom_tool_call");
    assert_eq!(body["output"][0]["input"], "*** Begin\n+\"x\"\n");
    assert_eq!(body["output"][1]["type"], "function_call");
    assert_eq!(body["output"][1]["arguments"], "{\"input\":\"stays\"}");
}

#[test]
fn a_streamed_call_says_its_text_at_once_however_its_arguments_are_cut() {
    let (_, freeform, _) = replaced(Dialect::AnthropicMessages);
    let mut decoder = freeform.decoder(codec(Dialect::AnthropicMessages).unwrap().stream_decoder());
    let mut parts = Vec::new();
    let start = json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant",
        "model": "m", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}});
    let block = json!({"type": "tool_use", "id": "toolu_1", "name": "patch", "input": {}});
    let mut events = vec![start, json!({"type": "content_block_start", "index": 0, "content_block": block})];
    for piece in ["{\"inp", "ut\": \"a\\", "n\\\"b\"", "}"] {
        let delta = json!({"type": "input_json_delta", "partial_json": piece});
        events.push(json!({"type": "content_block_delta", "index": 0, "delta": delta}));
    }
    events.push(json!({"type": "content_block_stop", "index": 0}));
    for event in events {
        decoder.event(event["type"].as_str(), event.to_string().as_bytes(), &mut parts).unwrap();
    }
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| match part {
            StreamPart::Arguments { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["a\n\"b"]);
    let is_custom = |part: &StreamPart| {
        matches!(part, StreamPart::PartStart { head: PartHead::ToolCall { kind: ToolKind::Custom, .. }, .. })
    };
    assert!(parts.iter().any(is_custom), "{parts:?}");
}

#[test]
fn a_model_that_calls_it_with_something_else_is_passed_on_as_it_is() {
    assert_eq!(input_of("{\"input\":\"x\"}"), "x");
    for other in ["{\"input\":1}", "{\"input\":\"x\",\"more\":1}", "{}", "no json"] {
        assert_eq!(input_of(other), other);
    }
}
