//! What is particular to Bedrock: facts of passing streams, whose reasoning an answer holds, bytes in base64.

use bytes::Bytes;
use pilothouse_core::conversation::{Content, Part, Reasoning, StreamPart};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;
use pilothouse_wire::codec::Target;
use pilothouse_wire::facts::{Facts, Scanner};
use pilothouse_wire::framing::Framing;
use pilothouse_wire::relay::Relay;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cases::{cases, context, decode_stream, encode_stream, of, others, readable};

const DIALECT: Dialect = Dialect::BedrockConverse;

fn relayed(wire: &[u8], cuts: &[usize]) -> (Vec<u8>, Facts, bool) {
    let mut relay = Relay::new(DIALECT, true);
    let (mut out, mut at) = (Vec::new(), 0);
    let mut sizes = cuts.iter().copied().chain(std::iter::repeat(wire.len()));
    while at < wire.len() {
        let next = (at + sizes.next().unwrap_or(1).max(1)).min(wire.len());
        out.extend_from_slice(&relay.push(Bytes::copy_from_slice(&wire[at..next])));
        at = next;
    }
    out.extend_from_slice(&relay.finish());
    let is_malformed = relay.is_malformed();
    (out, relay.take_facts(), is_malformed)
}

fn stream(name: &str) -> Vec<u8> {
    cases(DIALECT, "streams").into_iter().find(|case| case.name == name).unwrap().body
}

#[test]
fn a_stream_of_bedrock_tells_the_facts_of_the_answer_that_comes_whole() {
    let streams = cases(DIALECT, "streams");
    let mut compared = 0;
    for whole in cases(DIALECT, "answers") {
        let Some(streamed) = streams.iter().find(|stream| stream.name == whole.name) else { continue };
        let mut scanner = Scanner::new(DIALECT, false);
        // Vendors send JSON without spaces, which the hash of a call's arguments takes as it is.
        let body: Value = serde_json::from_slice(&whole.body).unwrap();
        assert!(scanner.whole(body.to_string().as_bytes()), "{}", whole.name);
        let told = scanner.take();
        let (out, facts, _) = relayed(&streamed.body, &[]);
        assert_eq!(out, streamed.body, "{}", whole.name);
        assert_eq!((&facts.answer, facts.usage), (&told.answer, told.usage), "{}", whole.name);
        assert!(facts.is_terminated && facts.error.is_none(), "{}", whole.name);
        let answer = of(DIALECT).decode_answer(&whole.body).unwrap();
        assert_eq!(told.answer.finish, answer.choices[0].finish, "{}", whole.name);
        assert_eq!(told.usage, answer.usage.map(|usage| usage.counts), "{}", whole.name);
        assert_eq!(told.answer.service_tier, answer.service_tier, "{}", whole.name);
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} answers come both ways");
}

#[test]
fn exceptions_in_a_stream_are_facts_with_the_class_that_the_codec_finds() {
    for (name, kind) in
        [("throttled-in-the-middle", Kind::RateLimited), ("model-failed-in-the-middle", Kind::Vendor)]
    {
        let (_, facts, _) = relayed(&stream(name), &[]);
        let (_, error) = decode_stream(DIALECT, &stream(name));
        let (told, error) = (facts.error.unwrap(), error.unwrap());
        assert_eq!((told.kind, facts.is_terminated), (kind, false), "{name}");
        assert_eq!((told.kind, told.message), (error.kind, error.message), "{name}");
    }
    assert!(!relayed(&stream("cut"), &[]).1.is_terminated);
}

/// The last word of a stream is its usage: behind the reason alone a broken transport may have lost it.
#[test]
fn only_the_usage_excuses_a_broken_transport() {
    for (name, is_excused) in [("text", true), ("without-usage", false), ("throttled-in-the-middle", true)] {
        let mut relay = Relay::new(DIALECT, false);
        let _ = relay.push(stream(name).into());
        assert_eq!(relay.has_last_word(), is_excused, "{name}");
    }
}

#[test]
fn padding_is_no_output_and_text_that_looks_like_text_is_counted_once() {
    let text = r#"say \"text\":\"x\" and \\"#;
    let data = format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{text}"}},"p":"abcdefghijklm"}}"#);
    let mut wire = Vec::new();
    pilothouse_wire::eventstream::write_event(&mut wire, "contentBlockDelta", data.as_bytes());
    assert_eq!(relayed(&wire, &[]).1.output_bytes, text.len() as u64);
}

proptest! {
    #[test]
    fn a_stream_of_messages_passes_byte_for_byte_however_it_is_split(
        at in any::<prop::sample::Index>(), cuts in prop::collection::vec(1usize..400, 0..60),
    ) {
        let whole = ["text", "thinking-and-parallel-tools", "citations", "unknown-events"];
        let wire = stream(whole[at.index(whole.len())]);
        let (out, facts, _) = relayed(&wire, &cuts);
        prop_assert_eq!(&out, &wire);
        prop_assert_eq!(facts, relayed(&wire, &[]).1);
    }

    #[test]
    fn a_damaged_stream_gives_whole_messages_only(
        at in any::<prop::sample::Index>(), bit in 0u8..8, cuts in prop::collection::vec(1usize..400, 0..20),
    ) {
        let mut wire = stream("thinking-and-parallel-tools");
        let at = at.index(wire.len());
        wire[at] ^= 1 << bit;
        let (out, _, is_malformed) = relayed(&wire, &cuts);
        prop_assert!(is_malformed);
        prop_assert!(out.len() <= at);
        let _ = readable(DIALECT, &out);
    }

    /// Encrypted reasoning must be bytes in base64 here, and comes back as it was.
    #[test]
    fn encrypted_reasoning_survives_whatever_it_looks_like(data in "[ -~ä]{1,40}") {
        let mut answer = pilothouse_core::conversation::Answer::new(Dialect::AnthropicMessages);
        let one = Reasoning {
            text: String::new(),
            signature: None,
            redacted: Some(data.as_str().into()),
            origin: pilothouse_core::conversation::Origin::of("anthropic"),
        };
        let choice = pilothouse_core::conversation::Choice {
            parts: vec![Part::new(Content::Reasoning(one.clone()))],
            ..Default::default()
        };
        answer.choices.push(choice);
        let body = of(DIALECT).encode_answer(&answer, &context(), &mut Vec::new());
        let back = of(DIALECT).decode_answer(&body).unwrap();
        prop_assert_eq!(&back.choices[0].parts[0].content, &Content::Reasoning(one));
    }
}

/// An answer names no model, so that whose reasoning it holds is told by the model that was asked.
#[test]
fn reasoning_belongs_to_the_family_of_the_model_that_was_asked() {
    let case = cases(DIALECT, "answers").into_iter().find(|case| case.name == "reasoning-without-signature");
    let body = case.unwrap().body;
    for (model, family, tag) in [
        ("us.deepseek.r1-v1:0", "deepseek", "pilothouse-origin-deepseek"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic", "pilothouse-origin-anthropic"),
        ("us.amazon.nova-2-lite-v1:0", "", "pilothouse-origin-"),
    ] {
        let answer = of(DIALECT).decode_answer_of(model, &body).unwrap();
        let Content::Reasoning(one) = &answer.choices[0].parts[0].content else { panic!("{answer:?}") };
        assert_eq!(&*one.origin.family, family);
        let there = of(Dialect::AnthropicMessages).encode_answer(&answer, &context(), &mut Vec::new());
        let there: Value = serde_json::from_slice(&there).unwrap();
        assert_eq!(there["content"][0]["signature"], tag);
        let same = of(DIALECT).encode_answer(&answer, &context(), &mut Vec::new());
        let same: Value = serde_json::from_slice(&same).unwrap();
        let own = json!({ "text": "Capital of Norway: Oslo." });
        assert_eq!(same["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"], own);

        let mut decoder = of(DIALECT).stream_decoder_of(model);
        let mut parts = Vec::new();
        let wire = stream("reasoning-without-signature");
        let mut at = 0;
        while let Some(end) = Framing::EventStream.find_end(&wire, at, at).unwrap() {
            let event = Framing::EventStream.parse(&wire[at..end]).unwrap();
            let name = event.name.map(String::from_utf8_lossy);
            decoder.event(name.as_deref(), &event.data, &mut parts).unwrap();
            at = end;
        }
        let origin = parts.iter().find_map(|part| match part {
            StreamPart::PartStart {
                head: pilothouse_core::conversation::PartHead::Reasoning { origin, .. },
                ..
            } => Some(origin),
            _ => None,
        });
        assert_eq!(&*origin.unwrap().family, family);
    }
}

/// Reasoning that came from another vendor goes through a Bedrock client and home, and never to Claude.
#[test]
fn reasoning_of_another_vendor_comes_home_through_a_client_of_bedrock() {
    let item = json!({ "id": "rs_1", "type": "reasoning", "summary": [{ "type": "summary_text", "text": "Why." }], "encrypted_content": "gAAAA:x" });
    let call = json!({ "id": "fc_1", "type": "function_call", "call_id": "call_0123456789", "name": "f", "arguments": "{}" });
    let whole = json!({ "id": "resp_1", "model": "gpt-5.5", "status": "completed", "output": [item, call] });
    let answer = of(Dialect::OpenaiResponses).decode_answer(whole.to_string().as_bytes()).unwrap();
    let body = of(DIALECT).encode_answer(&answer, &context(), &mut Vec::new());
    let body: Value = serde_json::from_slice(&body).unwrap();
    let result = json!({ "toolResult": { "toolUseId": "call_0123456789", "content": [{ "text": "3" }] } });
    let again = json!({ "messages": [
        { "role": "user", "content": [{ "text": "Go." }] },
        body["output"]["message"],
        { "role": "user", "content": [result] },
    ] });
    let request = of(DIALECT).decode_request(again.to_string().as_bytes()).unwrap();
    let sent = |dialect: Dialect, model: &str| -> Value {
        let body =
            of(dialect).encode_request(&request, &Target::of(dialect, model), &mut Vec::new()).unwrap();
        serde_json::from_slice(&body).unwrap()
    };
    assert_eq!(sent(Dialect::OpenaiResponses, "gpt-5.5")["input"][1], item);
    for (dialect, model) in
        [(Dialect::AnthropicMessages, "claude-opus-4-7"), (DIALECT, "us.anthropic.claude-opus-4-7-v1:0")]
    {
        let there = sent(dialect, model).to_string();
        assert!(!there.contains("pilothouse-origin") && !there.contains("gAAAA"), "{there}");
    }
}

#[test]
fn a_live_sign_is_an_event_that_says_nothing_in_any_dialect() {
    let ping = of(DIALECT).keep_alive();
    assert_eq!(readable(DIALECT, ping), "event: ping\ndata: {}\n\n");
    let wire = [ping, &stream("text")].concat();
    let (parts, error) = decode_stream(DIALECT, &wire);
    assert!(error.is_none() && matches!(parts[0], StreamPart::Ping));
    for to in others(DIALECT) {
        let (bytes, _) = encode_stream(to, &parts, None, &context());
        assert_eq!(decode_stream(to, &bytes).1, None, "{to}");
    }
}

#[test]
fn a_message_that_says_error_is_one() {
    let mut wire = Vec::new();
    let headers =
        [(":message-type", "error"), (":error-code", "InternalFailure"), (":error-message", "It broke.")];
    pilothouse_wire::eventstream::write(&mut wire, &headers, b"");
    let (_, error) = decode_stream(DIALECT, &wire);
    let error = error.unwrap();
    assert_eq!((error.status, error.message.as_str()), (500, "It broke."));
    assert_eq!(relayed(&wire, &[]).1.error.unwrap().message, "It broke.");
}
