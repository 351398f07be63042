//! Facts read from streams and whole answers, and their agreement.

use bytes::Bytes;
use pilothouse_core::exchange::Finish;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::relay::Relay;
use crate::usage::OpenaiUsage;

fn openai_stream(text: &[String], usage: bool) -> String {
    let mut wire = String::from(
        "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\n\n",
    );
    for piece in text {
        let content = serde_json::to_string(piece).unwrap();
        wire.push_str(&format!(
            "data: {{\"id\":\"c1\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{content}}},\"finish_reason\":null}}],\"usage\":null}}\n\n"
        ));
    }
    wire.push_str("data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}],\"usage\":null}\n\n");
    if usage {
        wire.push_str("data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":7}}\n\n");
    }
    wire.push_str("data: [DONE]\n\n");
    wire
}

fn relayed(wire: &str, hide: bool, cuts: &[usize]) -> (Vec<u8>, Facts) {
    let mut relay = Relay::new(Dialect::OpenaiChat, hide);
    let (mut out, mut at) = (Vec::new(), 0);
    let mut sizes = cuts.iter().copied().chain(std::iter::repeat(wire.len()));
    while at < wire.len() {
        let next = (at + sizes.next().unwrap_or(1).max(1)).min(wire.len());
        out.extend_from_slice(&relay.push(Bytes::copy_from_slice(&wire.as_bytes()[at..next])));
        at = next;
    }
    out.extend_from_slice(&relay.finish());
    (out, relay.take_facts())
}

proptest! {
    #[test]
    fn usage_chunk_is_withheld_and_read_however_the_stream_is_split(
        text in prop::collection::vec(".{1,12}", 0..6),
        cuts in prop::collection::vec(1usize..200, 0..60),
    ) {
        let (out, facts) = relayed(&openai_stream(&text, true), true, &cuts);
        prop_assert_eq!(String::from_utf8(out).unwrap(), openai_stream(&text, false));
        prop_assert_eq!(facts.usage.unwrap().total(), 27);
        prop_assert!(facts.is_terminated);
        prop_assert_eq!(facts.answer.finish, Some(Finish::Length));
        prop_assert_eq!(facts.answer.model.as_deref(), Some("m-1"));
    }

    #[test]
    fn a_stream_that_asked_for_usage_passes_byte_for_byte(
        text in prop::collection::vec(".{1,12}", 0..6),
        cuts in prop::collection::vec(1usize..200, 0..60),
    ) {
        let wire = openai_stream(&text, true);
        prop_assert_eq!(String::from_utf8(relayed(&wire, false, &cuts).0).unwrap(), wire);
    }

    #[test]
    fn text_that_looks_like_usage_changes_nothing(piece in "(\"usage\": \\{\"prompt_tokens\":9\\}|\"finish_reason\":\"stop\"|data: \\[DONE\\]\n\n){1,3}") {
        let wire = openai_stream(&[piece], false);
        let (out, facts) = relayed(&wire, true, &[]);
        prop_assert_eq!(String::from_utf8(out).unwrap(), wire);
        prop_assert_eq!(facts.usage, None);
        prop_assert_eq!(facts.answer.finish, Some(Finish::Length));
    }
}

#[test]
fn an_event_larger_than_the_hold_passes_while_it_arrives() {
    let text = "x".repeat(300_000);
    let wire = openai_stream(&[text.clone(), "y".into()], true);
    let cuts = vec![10_000; 60];
    let (out, facts) = relayed(&wire, true, &cuts);
    assert_eq!(String::from_utf8(out).unwrap(), openai_stream(&[text, "y".into()], false));
    assert_eq!(facts.usage.unwrap().total(), 27);
    assert!(facts.output_bytes >= 300_001);
}

#[test]
fn parallel_tool_calls_are_told_apart_by_index() {
    let chunk = |index: u32, name: &str, arguments: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{{\"index\":{index},\"function\":{{\"name\":\"{name}\",\"arguments\":\"{arguments}\"}}}}]}}}}]}}\n\n"
        )
    };
    let wire = [chunk(0, "a", ""), chunk(1, "b", ""), chunk(1, "", "{}"), chunk(0, "", "{1}")].concat();
    let (_, facts) = relayed(&wire, false, &[]);
    let names: Vec<_> = facts.answer.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["a", "b"]);
    assert_ne!(facts.answer.tools[0].arguments_hash, facts.answer.tools[1].arguments_hash);
}

#[test]
fn anthropic_streams_tell_usage_tools_and_errors() {
    let wire = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude\",\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":3,\"output_tokens\":1,\"service_tier\":\"standard\"}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"look\",\"input\":{}}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":12}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    let mut scanner = Scanner::new(Dialect::AnthropicMessages, false);
    for event in wire.split_inclusive("\n\n") {
        scanner.event(event.as_bytes());
    }
    let facts = scanner.take();
    assert_eq!(facts.usage.unwrap().total(), 20);
    assert_eq!(facts.answer.finish, Some(Finish::ToolCalls));
    assert_eq!(&*facts.answer.tools[0].name, "look");
    assert!(facts.is_terminated);
}

#[test]
fn whole_answers_tell_the_same_as_their_streams() {
    let body = br#"{"id":"c1","model":"m-1","choices":[{"index":0,"message":{"content":"hi","tool_calls":[{"id":"x","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":20,"completion_tokens":7},"service_tier":"flex"}"#;
    let mut scanner = Scanner::new(Dialect::OpenaiChat, false);
    assert!(scanner.whole(body));
    let facts = scanner.take();
    assert_eq!(facts.usage.unwrap().total(), 27);
    assert_eq!(facts.answer.service_tier.as_deref(), Some("flex"));
    assert_eq!(facts.answer.tools.len(), 1);
    assert!(!Scanner::new(Dialect::OpenaiChat, false).whole(b"<html>"));
    assert!(!Scanner::new(Dialect::AnthropicMessages, false).whole(b"{\"x\":1}"));
}

proptest! {
    /// The walk is compared with a parser, on answers with members in any order and of any shape.
    #[test]
    fn a_walked_answer_tells_what_a_parsed_one_does(
        id in "[a-z\"\\\\\n]{0,8}",
        content in "[a-z\"\\\\{}\\[\\],:\u{e9}]{0,40}",
        refusal in prop::option::of("[a-z]{0,3}"),
        reason in prop::option::of(prop::sample::select(vec!["stop", "length", "tool_calls", "news"])),
        usage in prop_oneof![
            Just(json!(null)), Just(json!({})), Just(json!({"prompt_tokens": -1})), Just(json!([])),
            (0u64..99, prop::option::of(0u64..99), prop::option::of(0u64..99)).prop_map(|(input, output, cached)| json!({
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": 1.5,
                "prompt_tokens_details": cached.map(|cached| json!({"cached_tokens": cached, "audio_tokens": null})),
            })),
        ],
        calls in prop::collection::vec(("[a-z]{1,4}", "[{}\"\\\\a:]{0,12}"), 0..3),
        pretty: bool,
    ) {
        let tools: Vec<Value> = calls.iter().map(|(name, arguments)| json!({
            "arguments": 1, "id": "t", "function": {"arguments": arguments, "name": name, "function": {}},
        })).collect();
        let choice = json!({
            "message": {"content": content, "refusal": refusal, "tool_calls": tools, "usage": {"prompt_tokens": 999}},
            "finish_reason": reason, "logprobs": {"content": [[], {"finish_reason": "decoy"}]},
        });
        let answer = json!({"usage": usage, "id": id, "choices": [choice], "model": 5, "x": {"id": "decoy"}});
        let text = if pretty { serde_json::to_string_pretty(&answer) } else { serde_json::to_string(&answer) }.unwrap();
        let mut scanner = Scanner::new(Dialect::OpenaiChat, false);
        prop_assert!(scanner.whole(text.as_bytes()));
        let facts = scanner.take();
        prop_assert_eq!(facts.answer.id.as_deref(), Some(id.as_str()));
        prop_assert_eq!(facts.answer.model, None);
        let parsed = serde_json::from_value::<Option<OpenaiUsage>>(usage.clone()).ok().flatten();
        let expected = parsed.filter(|_| usage.is_object()).map(Usage::from);
        prop_assert_eq!(facts.usage, expected);
        let is_refused = refusal.is_some_and(|text| !text.is_empty());
        let finish = reason.map(openai_chat::finish_of);
        let refused = is_refused && finish == Some(Finish::Stop);
        prop_assert_eq!(facts.answer.finish, if refused { Some(Finish::Refusal) } else { finish });
        let names: Vec<&str> = facts.answer.tools.iter().map(|tool| &*tool.name).collect();
        prop_assert_eq!(names, calls.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
        for (tool, (_, arguments)) in facts.answer.tools.iter().zip(&calls) {
            let mut call = Call::new(String::new());
            call.arguments(arguments);
            prop_assert_eq!(tool.arguments_hash, call.into_use().arguments_hash);
        }
    }

    #[test]
    fn an_answer_that_is_broken_off_anywhere_is_no_answer(share in 0.0f64..1.0) {
        let body = br#"{"id":"c1","choices":[{"message":{"content":"hi \"x\"","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":20}}"#;
        let cut = (share * body.len() as f64) as usize;
        prop_assert!(!Scanner::new(Dialect::OpenaiChat, false).whole(&body[..cut]));
    }
}
