//! What is particular to Google's dialect: signatures on their way through other clients, calls without ids,
//! streams as arrays.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::conversation::Content;
use pilothouse_core::dialect::Dialect;
use pilothouse_wire::codec::Target;
use pilothouse_wire::dialects::gemini_generate::ArrayFrame;
use pilothouse_wire::facts::Scanner;
use pilothouse_wire::memory::ThinkingMemory;
use pilothouse_wire::path::GeminiCall;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases::{assemble, cases, context, decode_stream, encode_stream, of, others};

const MODEL: &str = "gemini-3.1-pro-preview";
const NOW: UnixMs = UnixMs(1_000_000);

/// The first step of a tool loop as Gemini answers it: a signed call and one beside it.
fn calling(id: Option<&str>) -> Value {
    let mut call =
        json!({ "functionCall": { "name": "look", "args": { "q": 1 } }, "thoughtSignature": "c2lnbmVk" });
    if let Some(id) = id {
        call["functionCall"]["id"] = id.into();
    }
    json!({
        "candidates": [{ "content": { "role": "model", "parts": [
            { "text": "I look.", "thought": true }, { "text": "Wait." }, call,
            { "functionCall": { "name": "look", "args": { "q": 2 } } },
        ] }, "finishReason": "STOP", "index": 0 }],
        "usageMetadata": { "promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3 },
        "modelVersion": MODEL, "responseId": "xYzAaL2pHs-kOeMP0K7-wQc",
    })
}

/// The request of the second step, as a client of that dialect sends it after the answer it got.
fn second_step(dialect: Dialect, answer: &Value) -> Value {
    let message = &answer["choices"][0]["message"];
    match dialect {
        Dialect::OpenaiChat => {
            let results = message["tool_calls"].as_array().unwrap().iter();
            let results =
                results.map(|call| json!({ "role": "tool", "tool_call_id": call["id"], "content": "ok" }));
            let mut messages = vec![json!({ "role": "user", "content": "go" }), message.clone()];
            messages.extend(results);
            json!({ "model": "m", "messages": messages })
        }
        Dialect::AnthropicMessages => {
            let blocks = answer["content"].as_array().unwrap();
            let results: Vec<Value> = blocks
                .iter()
                .filter(|block| block["type"] == "tool_use")
                .map(|block| json!({ "type": "tool_result", "tool_use_id": block["id"], "content": "ok" }))
                .collect();
            json!({ "model": "m", "max_tokens": 9, "messages": [
                { "role": "user", "content": "go" },
                { "role": "assistant", "content": blocks },
                { "role": "user", "content": results },
            ] })
        }
        _ => {
            let content = &answer["candidates"][0]["content"];
            let results =
                content["parts"].as_array().unwrap().iter().filter_map(|part| part.get("functionCall"));
            let results: Vec<Value> = results
                .map(|call| {
                    let mut result = json!({ "name": call["name"], "response": { "output": "ok" } });
                    if let Some(id) = call.get("id") {
                        result["id"] = id.clone();
                    }
                    json!({ "functionResponse": result })
                })
                .collect();
            json!({ "contents": [
                { "role": "user", "parts": [{ "text": "go" }] }, content, { "role": "user", "parts": results },
            ] })
        }
    }
}

/// What Gemini gets in the second step of a loop of a client of that dialect, and the losses.
fn looped(dialect: Dialect, id: Option<&str>, memory: Option<&mut ThinkingMemory>) -> (Value, Vec<String>) {
    let answer = of(Dialect::GeminiGenerate).decode_answer(calling(id).to_string().as_bytes()).unwrap();
    let given = of(dialect).encode_answer(&answer, &context(), &mut Vec::new());
    let asked = second_step(dialect, &serde_json::from_slice(&given).unwrap());
    let mut request = of(dialect).decode_request(asked.to_string().as_bytes()).unwrap();
    if let Some(memory) = memory {
        memory.remember("team", &answer, NOW);
        assert_eq!(memory.restore_held("team", "google", &mut request, NOW).turns, 1);
    }
    let mut losses = Vec::new();
    let target = Target::of(Dialect::GeminiGenerate, MODEL);
    let body = of(Dialect::GeminiGenerate).encode_request(&request, &target, &mut losses).unwrap();
    (serde_json::from_slice(&body).unwrap(), losses.into_iter().map(|note| note.code.into_owned()).collect())
}

fn calls(body: &Value) -> Vec<&Value> {
    body["contents"][1]["parts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|part| part.get("functionCall").is_some())
        .collect()
}

#[test]
fn an_anthropic_client_carries_geminis_signature_itself() {
    let (body, losses) = looped(Dialect::AnthropicMessages, Some("ihgozxvy"), None);
    let calls = calls(&body);
    assert_eq!(calls[0]["thoughtSignature"], "c2lnbmVk");
    assert_eq!(calls[1].get("thoughtSignature"), None);
    assert_eq!(calls[0]["functionCall"]["id"], "ihgozxvy");
    assert!(!losses.contains(&"set:thoughtSignature".to_owned()), "{losses:?}");
}

#[test]
fn an_openai_client_gets_geminis_signature_back_from_memory() {
    for id in [Some("ihgozxvy"), None] {
        let mut memory = ThinkingMemory::new(1 << 20);
        let (body, losses) = looped(Dialect::OpenaiChat, id, Some(&mut memory));
        let calls = calls(&body);
        assert_eq!(calls[0]["thoughtSignature"], "c2lnbmVk", "{body}");
        assert_eq!(calls[1].get("thoughtSignature"), None);
        assert_eq!(calls[0]["functionCall"].get("id").and_then(Value::as_str), id);
        assert!(losses.is_empty(), "{losses:?}");
    }
}

#[test]
fn without_memory_the_first_call_of_the_open_turn_gets_the_documented_placeholder() {
    let (body, losses) = looped(Dialect::OpenaiChat, None, None);
    let calls = calls(&body);
    assert_eq!(calls[0]["thoughtSignature"], "skip_thought_signature_validator");
    assert_eq!(calls[1].get("thoughtSignature"), None);
    assert!(losses.contains(&"set:thoughtSignature".to_owned()), "{losses:?}");
}

#[test]
fn a_gemini_client_carries_claudes_thinking_and_gives_it_back_to_claude() {
    let whole = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-7",
        "content": [
            { "type": "thinking", "thinking": "hm", "signature": "ErUBCkYIBBgC" },
            { "type": "redacted_thinking", "data": "EmwKAhgB" },
            { "type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": "look", "input": {} },
        ],
        "stop_reason": "tool_use", "usage": { "input_tokens": 1, "output_tokens": 2 },
    });
    let answer = of(Dialect::AnthropicMessages).decode_answer(whole.to_string().as_bytes()).unwrap();
    let given = of(Dialect::GeminiGenerate).encode_answer(&answer, &context(), &mut Vec::new());
    let asked = second_step(Dialect::GeminiGenerate, &serde_json::from_slice(&given).unwrap());
    let request = of(Dialect::GeminiGenerate).decode_request(asked.to_string().as_bytes()).unwrap();
    let target = Target::of(Dialect::AnthropicMessages, "claude-opus-4-7");
    let body = of(Dialect::AnthropicMessages).encode_request(&request, &target, &mut Vec::new()).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["messages"][1]["content"], whole["content"]);
    assert_eq!(body["messages"][2]["content"][0]["tool_use_id"], "toolu_01A09q90qw90lq917835lq9");
    // To another vendor it does not go.
    let mut losses = Vec::new();
    let target = Target::of(Dialect::GeminiGenerate, MODEL);
    let body = of(Dialect::GeminiGenerate).encode_request(&request, &target, &mut losses).unwrap();
    assert!(!String::from_utf8(body).unwrap().contains("ErUBCkYIBBgC"));
    assert!(losses.iter().any(|note| note.code == "drop:reasoning"), "{losses:?}");
}

#[test]
fn claudes_streamed_thinking_comes_back_whole_however_a_gemini_client_keeps_its_pieces() {
    let stream = cases(Dialect::AnthropicMessages, "streams");
    let stream = stream.iter().find(|case| case.name == "thinking-and-parallel-tools").unwrap();
    let (steps, _) = decode_stream(Dialect::AnthropicMessages, &stream.body);
    let before = assemble(&steps);
    let (bytes, _) = encode_stream(Dialect::GeminiGenerate, &steps, None, &context());
    // The SDKs' chats keep each chunk as a content of its own.
    let chunks = String::from_utf8(bytes).unwrap();
    let mut contents = vec![json!({ "role": "user", "parts": [{ "text": "go" }] })];
    for chunk in chunks.split("\n\n").filter_map(|event| event.strip_prefix("data: ")) {
        let chunk: Value = serde_json::from_str(chunk).unwrap();
        contents.extend(chunk["candidates"][0].get("content").cloned());
    }
    let body = json!({ "contents": contents }).to_string();
    let request = of(Dialect::GeminiGenerate).decode_request(body.as_bytes()).unwrap();
    let thinking = |parts: &[pilothouse_core::conversation::Part]| -> Vec<Value> {
        let is_thought =
            |part: &&pilothouse_core::conversation::Part| matches!(part.content, Content::Reasoning(_));
        parts.iter().filter(is_thought).map(|part| serde_json::to_value(&part.content).unwrap()).collect()
    };
    let all: Vec<_> = request.messages.iter().flat_map(|message| message.parts.clone()).collect();
    assert!(!thinking(&all).is_empty());
    assert_eq!(thinking(&all), thinking(&before.choices[0].parts));
}

#[test]
fn the_path_tells_a_decoded_request_its_model_and_whether_it_streams() {
    let mut request = of(Dialect::GeminiGenerate).decode_request(br#"{"contents":[]}"#).unwrap();
    let call =
        GeminiCall::parse("/v1/models/claude-opus-4-7:streamGenerateContent", "alt=sse").unwrap().unwrap();
    call.complete(&mut request);
    let target = Target::of(Dialect::OpenaiChat, "gpt-5.5");
    let body = of(Dialect::OpenaiChat).encode_request(&request, &target, &mut Vec::new()).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((body["stream"].as_bool(), request.model.as_str()), (Some(true), "claude-opus-4-7"));
}

#[test]
fn every_stream_that_is_written_is_whole_to_the_scanner_and_as_an_array() {
    for dialect in others(Dialect::GeminiGenerate) {
        for case in cases(dialect, "streams") {
            let (steps, error) = decode_stream(dialect, &case.body);
            let (bytes, _) = encode_stream(Dialect::GeminiGenerate, &steps, error.as_ref(), &context());
            let mut scanner = Scanner::new(Dialect::GeminiGenerate, false);
            let (mut frame, mut array) = (ArrayFrame::default(), Vec::new());
            for event in String::from_utf8(bytes).unwrap().split_inclusive("\n\n") {
                assert!(!scanner.event(event.as_bytes()).is_malformed, "{}", case.name);
                frame.push(event.as_bytes(), &mut array).unwrap();
            }
            frame.end(&mut array);
            let items: Vec<Value> = serde_json::from_slice(&array).unwrap();
            assert!(!items.is_empty(), "{}", case.name);
            assert_eq!(scanner.facts().is_terminated, error.is_none(), "{}", case.name);
            assert_eq!(scanner.facts().error.is_some(), error.is_some(), "{}", case.name);
        }
    }
}

/// Texts, thoughts, calls and signatures in any order, as parts of a whole answer.
fn parts() -> impl Strategy<Value = Vec<Value>> {
    let part = prop_oneof![
        ".{1,8}".prop_map(|text| json!({ "text": text })),
        ".{1,8}".prop_map(|text| json!({ "text": text, "thought": true })),
        (".{1,8}", "[A-Za-z0-9]{4,12}")
            .prop_map(|(text, sign)| json!({ "text": text, "thought": true, "thoughtSignature": sign })),
        ("[a-z]{1,5}", any::<i32>(), any::<bool>()).prop_map(|(name, number, signed)| {
            let mut part = json!({ "functionCall": { "name": name, "args": { "n": number } } });
            if signed {
                part["thoughtSignature"] = "c2lnbmVk".into();
            }
            part
        }),
        Just(json!({ "executableCode": { "language": "PYTHON", "code": "1" } })),
    ];
    prop::collection::vec(part, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// An answer that is streamed part by part, read, and written again as a stream, still says the same as the
    /// answer that came whole and was written whole.
    #[test]
    fn an_answer_says_the_same_whole_and_streamed(parts in parts()) {
        let whole = json!({
            "candidates": [{ "content": { "role": "model", "parts": parts }, "finishReason": "STOP", "index": 0 }],
            "usageMetadata": { "promptTokenCount": 1, "totalTokenCount": 1 }, "modelVersion": "gemini-3-flash", "responseId": "r1",
        });
        let read = of(Dialect::GeminiGenerate).decode_answer(whole.to_string().as_bytes()).unwrap();
        let said = |answer: &pilothouse_core::conversation::Answer| {
            let (mut thought, mut text, mut rest) = (String::new(), String::new(), Vec::new());
            for part in &answer.choices[0].parts {
                match &part.content {
                    Content::Text { text: more, .. } => text.push_str(more),
                    Content::Reasoning(one) => {
                        thought.push_str(&one.text);
                        rest.extend(one.signature.as_deref().map(str::to_owned));
                    }
                    Content::ToolCall(call) => rest.push(format!("{} {} {}", call.id, call.name, call.arguments)),
                    other => rest.push(serde_json::to_string(other).unwrap()),
                }
            }
            (thought, text, rest, answer.choices[0].finish)
        };
        let mut stream = String::new();
        for (at, part) in parts.iter().enumerate() {
            let mut chunk = whole.clone();
            chunk["candidates"][0]["content"]["parts"] = json!([part]);
            if at + 1 < parts.len() {
                chunk["candidates"][0].as_object_mut().unwrap().remove("finishReason");
            }
            stream.push_str(&format!("data: {chunk}\r\n\r\n"));
        }
        let (steps, error) = decode_stream(Dialect::GeminiGenerate, stream.as_bytes());
        prop_assert_eq!(error, None);
        prop_assert_eq!(said(&assemble(&steps)), said(&read));
        let (bytes, _) = encode_stream(Dialect::GeminiGenerate, &steps, None, &context());
        let (again, error) = decode_stream(Dialect::GeminiGenerate, &bytes);
        prop_assert_eq!(error, None);
        prop_assert_eq!(said(&assemble(&again)), said(&read));
        let back = of(Dialect::GeminiGenerate).encode_answer(&read, &context(), &mut Vec::new());
        prop_assert_eq!(said(&of(Dialect::GeminiGenerate).decode_answer(&back).unwrap()), said(&read));
    }

    /// Calls without ids and results that come in any order find each other by name and order.
    #[test]
    fn results_without_ids_find_their_calls_by_name_and_order(names in prop::collection::vec("[ab]", 1..6), turns in prop::collection::vec(0usize..100, 6)) {
        let calls: Vec<Value> = names.iter().enumerate().map(|(at, name)| json!({ "functionCall": { "name": name, "args": { "at": at } } })).collect();
        // Any order of results that keeps that of the results of one function.
        let mut left: Vec<(usize, &String)> = names.iter().enumerate().collect();
        let mut results = Vec::new();
        for turn in turns {
            if left.is_empty() {
                break;
            }
            let name = left[turn % left.len()].1.clone();
            let first = left.iter().position(|(_, one)| **one == name).unwrap();
            let (at, name) = left.remove(first);
            results.push(json!({ "functionResponse": { "name": name, "response": { "output": format!("r{at}") } } }));
        }
        let body = json!({ "contents": [
            { "role": "user", "parts": [{ "text": "go" }] },
            { "role": "model", "parts": calls }, { "role": "user", "parts": results },
        ] });
        let request = of(Dialect::GeminiGenerate).decode_request(body.to_string().as_bytes()).unwrap();
        let ids: Vec<&str> = request.messages[1].parts.iter().filter_map(|part| match &part.content {
            Content::ToolCall(call) => Some(&*call.id),
            _ => None,
        }).collect();
        for part in &request.messages[2].parts {
            let Content::ToolResult(result) = &part.content else { panic!("{part:?}") };
            let Content::Text { text, .. } = &result.parts[0].content else { panic!("{result:?}") };
            let at: usize = text[1..].parse().unwrap();
            prop_assert_eq!(&*result.call_id, ids[at]);
        }
        let target = Target::of(Dialect::GeminiGenerate, MODEL);
        let back = of(Dialect::GeminiGenerate).encode_request(&request, &target, &mut Vec::new()).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Value>(&back).unwrap(), body);
    }
}
