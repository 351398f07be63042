//! What the fast path reads of an answer is what the codec reads, streamed or whole, however the bytes arrive.

use bytes::Bytes;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Finish;
use pilothouse_core::usage::Usage;
use pilothouse_wire::facts::{Facts, Scanner};
use pilothouse_wire::relay::Relay;
use proptest::prelude::*;

use super::cases::{cases, decode_stream, of};

const DIALECT: Dialect = Dialect::OpenaiResponses;

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

fn usage_of(facts: &Facts) -> Option<Usage> {
    facts.usage
}

#[test]
fn a_stream_tells_the_facts_of_the_answer_that_comes_whole() {
    let streams = cases(DIALECT, "streams");
    let mut compared = 0;
    for whole in cases(DIALECT, "answers") {
        let Some(streamed) = streams.iter().find(|stream| stream.name == whole.name) else { continue };
        let mut scanner = Scanner::new(DIALECT, false);
        assert!(scanner.whole(&whole.body), "{}", whole.name);
        let told = scanner.take();
        let (out, facts, _) = relayed(&streamed.body, &[]);
        assert_eq!(out, streamed.body, "{}", whole.name);
        if whole.name != "told-at-the-end-only" {
            assert_eq!(facts.answer, told.answer, "{}", whole.name);
        }
        assert_eq!(usage_of(&facts), usage_of(&told), "{}", whole.name);
        assert!(facts.is_terminated && facts.error.is_none(), "{}", whole.name);
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} answers come both ways");
}

#[test]
fn the_fast_path_and_the_codec_agree_on_finish_usage_and_tools() {
    use pilothouse_core::conversation::Content;
    for case in cases(DIALECT, "answers") {
        let mut scanner = Scanner::new(DIALECT, false);
        assert!(scanner.whole(&case.body), "{}", case.name);
        let facts = scanner.take();
        let answer = of(DIALECT).decode_answer(&case.body).unwrap();
        let choice = &answer.choices[0];
        assert_eq!(facts.answer.finish, choice.finish, "{}", case.name);
        assert_eq!(facts.usage, answer.usage.map(|usage| usage.counts), "{}", case.name);
        let names: Vec<_> = choice
            .parts
            .iter()
            .filter_map(|part| match &part.content {
                Content::ToolCall(call) => Some(call.name.clone()),
                _ => None,
            })
            .collect();
        let told: Vec<_> = facts.answer.tools.iter().map(|tool| tool.name.clone()).collect();
        assert_eq!(told, names, "{}", case.name);
    }
}

#[test]
fn errors_inside_a_stream_are_facts() {
    for (name, kind, is_terminated) in [
        ("error-in-the-middle", Kind::RateLimited, false),
        ("nested-error", Kind::Vendor, false),
        ("failed", Kind::Vendor, true),
    ] {
        let (_, facts, _) = relayed(&stream(name), &[]);
        let (_, error) = decode_stream(DIALECT, &stream(name));
        let (told, error) = (facts.error.unwrap(), error.unwrap());
        assert_eq!((told.kind, facts.is_terminated), (kind, is_terminated), "{name}");
        assert_eq!((told.kind, told.message), (error.kind, error.message), "{name}");
    }
    assert!(relayed(&stream("malformed"), &[]).2);
    assert!(!relayed(&stream("cut"), &[]).1.is_terminated);
}

#[test]
fn an_answer_that_failed_is_an_error_with_the_vendors_words() {
    let body = br#"{"id":"resp_1","object":"response","status":"failed","error":{"code":"rate_limit_exceeded","message":"Slow down."},"output":[]}"#;
    let error = of(DIALECT).decode_answer(body).unwrap_err();
    assert_eq!(error.kind, Kind::RateLimited);
    assert!(error.public.contains("Slow down.") && error.public.contains("rate_limit_exceeded"), "{error}");
    let error = of(DIALECT).decode_answer(br#"{"status":"queued","output":[]}"#).unwrap_err();
    assert_eq!(error.kind, Kind::BadAnswer);
    assert!(error.public.contains("background"), "{error}");
    let mut scanner = Scanner::new(DIALECT, false);
    assert!(scanner.whole(body));
    assert_eq!(scanner.take().error.unwrap().message, "Slow down.");
}

#[test]
fn items_of_unknown_shapes_hide_no_facts() {
    let body = br#"{"id":"resp_1","status":"completed","output":[{"type":"x","name":{"a":1},"content":"c","arguments":[]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}],"usage":{"input_tokens":2,"output_tokens":1}}"#;
    let mut scanner = Scanner::new(DIALECT, false);
    assert!(scanner.whole(body));
    let facts = scanner.take();
    assert_eq!(&*facts.answer.tools[0].name, "f");
    assert_eq!((facts.answer.finish, facts.usage.unwrap().total()), (Some(Finish::ToolCalls), 3));
    let wire = "event: error\ndata: {\"type\":\"error\",\"code\":429,\"message\":\"Slow.\"}\n\n";
    assert_eq!(relayed(wire.as_bytes(), &[]).1.error.unwrap().message, "Slow.");
}

#[test]
fn text_that_looks_like_an_event_changes_no_facts() {
    let text = r#"\"delta\":\"x\" event: response.completed \"type\":\"response.failed\""#;
    let wire = format!(
        "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"delta\":\"{text}\",\"obfuscation\":\"abcdefgh\"}}\n\n"
    );
    let (_, facts, _) = relayed(wire.as_bytes(), &[]);
    assert_eq!(facts.output_bytes, text.len() as u64);
    assert!(!facts.is_terminated && facts.error.is_none() && facts.answer.finish != Some(Finish::Stop));
}

proptest! {
    #[test]
    fn a_stream_passes_byte_for_byte_and_tells_the_same_however_it_is_split(
        at in any::<prop::sample::Index>(), cuts in prop::collection::vec(1usize..400, 0..60),
    ) {
        let whole = ["text", "reasoning-and-parallel-tools", "refusal", "logprobs", "citations-and-web-search"];
        let wire = stream(whole[at.index(whole.len())]);
        let (out, facts, _) = relayed(&wire, &cuts);
        prop_assert_eq!(&out, &wire);
        prop_assert_eq!(facts, relayed(&wire, &[]).1);
    }
}
