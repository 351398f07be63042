//! Reasoning that a client gives back reaches the vendor that wrote it, whatever dialect the client speaks.

use pilothouse_core::conversation::{Answer, Choice, Content, Origin, Part, Reasoning, ToolCall, ToolKind};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Finish;
use pilothouse_wire::codec::Target;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases::{context, decode_stream, encode_stream, of};

/// A client of Responses gives the items of an answer back, with the results of its calls.
fn give_items_back(answer: &Value) -> Value {
    let mut input = vec![json!({ "role": "user", "content": "Weather?" })];
    for item in answer["output"].as_array().unwrap() {
        input.push(item.clone());
        if item["type"] == "function_call" {
            let output = json!({ "type": "function_call_output", "call_id": item["call_id"], "output": "3" });
            input.push(output);
        }
    }
    json!({ "model": "m", "input": input, "reasoning": { "effort": "high" } })
}

/// A client of Anthropic gives the blocks of an answer back, with the results of its calls.
fn give_blocks_back(answer: &Value) -> Value {
    let results: Vec<Value> = answer["content"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .map(|block| json!({ "type": "tool_result", "tool_use_id": block["id"], "content": "3" }))
        .collect();
    json!({
        "model": "m", "max_tokens": 9000,
        "messages": [
            { "role": "user", "content": "Weather?" },
            { "role": "assistant", "content": answer["content"] },
            { "role": "user", "content": results },
        ],
    })
}

fn translated(from: Dialect, body: &Value, to: Dialect, model: &str) -> Value {
    let request = of(from).decode_request(body.to_string().as_bytes()).unwrap();
    let body = of(to).encode_request(&request, &Target::of(to, model), &mut Vec::new()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// A thoughtful answer of Claude's.
fn claudes(thinking: &str, signature: &str, redacted: &str) -> Answer {
    let reasoning = |text: &str, signature: Option<&str>, redacted: Option<&str>| {
        Part::new(Content::Reasoning(Reasoning {
            text: text.to_owned(),
            signature: signature.map(Into::into),
            redacted: redacted.map(Into::into),
            origin: Origin::of("anthropic"),
        }))
    };
    let call = ToolCall {
        id: "toolu_0123456789abcdef".into(),
        name: "look".into(),
        arguments: "{}".to_owned(),
        kind: ToolKind::Function,
    };
    let parts = vec![
        reasoning(thinking, Some(signature), None),
        reasoning("", None, Some(redacted)),
        Part::new(Content::ToolCall(call)),
    ];
    let mut answer = Answer::new(Dialect::AnthropicMessages);
    answer.model = "claude-opus-4-7".to_owned();
    answer.choices.push(Choice { parts, finish: Some(Finish::ToolCalls), ..Choice::default() });
    answer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn claudes_thinking_comes_back_whole_through_a_client_of_responses(
        thinking in "[^\\x00]{1,60}", signature in "[A-Za-z0-9+/=:]{1,60}", redacted in "[A-Za-z0-9+/=]{1,60}",
    ) {
        let answer = claudes(&thinking, &signature, &redacted);
        let body = of(Dialect::OpenaiResponses).encode_answer(&answer, &context(), &mut Vec::new());
        let body: Value = serde_json::from_slice(&body).unwrap();
        let again = give_items_back(&body);
        let to = Dialect::AnthropicMessages;
        let there = translated(Dialect::OpenaiResponses, &again, to, "claude-opus-4-7");
        let blocks = &there["messages"][1]["content"];
        prop_assert_eq!(&blocks[0], &json!({ "type": "thinking", "thinking": thinking, "signature": signature }));
        prop_assert_eq!(&blocks[1], &json!({ "type": "redacted_thinking", "data": redacted }));
        prop_assert_eq!(&blocks[2]["type"], "tool_use");
        // Another vendor never gets it.
        let there = translated(Dialect::OpenaiResponses, &again, Dialect::OpenaiResponses, "gpt-5.5");
        prop_assert!(there["input"].as_array().unwrap().iter().all(|item| item["type"] != "reasoning"));
    }

    #[test]
    fn openais_reasoning_comes_back_under_its_own_id_through_a_client_of_anthropic(
        summary in "[^\\x00]{0,60}", encrypted in "[A-Za-z0-9_=:-]{1,60}", id in "rs_[a-z0-9]{1,20}",
    ) {
        let mut item = json!({ "id": id, "type": "reasoning", "summary": [], "encrypted_content": encrypted });
        if !summary.is_empty() {
            item["summary"] = json!([{ "type": "summary_text", "text": summary }]);
        }
        let call = json!({ "id": "fc_1", "type": "function_call", "call_id": "call_0123456789", "name": "f", "arguments": "{}" });
        let whole = json!({ "id": "resp_1", "model": "gpt-5.5", "status": "completed", "output": [item, call] });
        let answer = of(Dialect::OpenaiResponses).decode_answer(whole.to_string().as_bytes()).unwrap();
        let body = of(Dialect::AnthropicMessages).encode_answer(&answer, &context(), &mut Vec::new());
        let again = give_blocks_back(&serde_json::from_slice(&body).unwrap());
        let from = Dialect::AnthropicMessages;
        let there = translated(from, &again, Dialect::OpenaiResponses, "gpt-5.5");
        prop_assert_eq!(&there["input"][1], &item);
        prop_assert_eq!(&there["store"], false);
        prop_assert_eq!(&there["include"][0], "reasoning.encrypted_content");
        // Claude never gets it.
        let there = translated(from, &again, from, "claude-opus-4-7");
        prop_assert!(!there.to_string().contains("pilothouse-origin"));
    }
}

#[test]
fn streamed_thinking_is_sealed_as_whole_thinking_is() {
    let stream = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude-opus-4-7\",\"content\":[],\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"Why.\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"c2ln\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"redacted_thinking\",\"data\":\"ZGF0YQ==\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_0123456789abcdef\",\"name\":\"look\",\"input\":{}}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":2}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":12}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    let (parts, error) = decode_stream(Dialect::AnthropicMessages, stream.as_bytes());
    assert_eq!(error, None);
    let (bytes, losses) = encode_stream(Dialect::OpenaiResponses, &parts, None, &context());
    assert!(losses.is_empty(), "{losses:?}");
    let text = String::from_utf8(bytes).unwrap();
    let last = text.trim_end().rsplit("data: ").next().unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["type"], "response.completed");
    let there = translated(
        Dialect::OpenaiResponses,
        &give_items_back(&last["response"]),
        Dialect::AnthropicMessages,
        "claude-opus-4-7",
    );
    let blocks = &there["messages"][1]["content"];
    assert_eq!(blocks[0], json!({ "type": "thinking", "thinking": "Why.", "signature": "c2ln" }));
    assert_eq!(blocks[1], json!({ "type": "redacted_thinking", "data": "ZGF0YQ==" }));
    assert_eq!(blocks[2]["name"], "look");
}
