//! Facts of gemini-generate answers and streams.
//!
//! Every chunk of a stream tells the usage so far, so that each is parsed; they are few, as one chunk holds many
//! tokens. There is no terminator: a stream is whole when every candidate has told its finish reason (or the
//! prompt was blocked) and the transport then ended cleanly.

use std::borrow::Cow;

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Finish;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Call, Facts, Seen, StreamError, TOOLS_MAX};
use crate::sse;
use crate::usage::GeminiUsage;

/// More candidates than this are a broken vendor; Google writes 8 at most.
const CANDIDATES_MAX: usize = 128;

/// Reads a finish reason (<https://ai.google.dev/api/generate-content#FinishReason>; the words of
/// <https://github.com/googleapis/python-genai> 3.4, read 2026-11-23). Calls of tools end with `STOP` as well.
pub(crate) fn finish_of(reason: &str, called: bool) -> Finish {
    match reason {
        "STOP" if called => Finish::ToolCalls,
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Finish::ContentFilter,
        "CONTINUATION" => Finish::Pause,
        _ => Finish::Other,
    }
}

/// The class of an error by Google's status word (<https://google.aip.dev/193>, read 2026-11-23).
pub(crate) fn kind_of(status: Option<&str>) -> Kind {
    match status {
        Some("RESOURCE_EXHAUSTED") => Kind::RateLimited,
        Some("UNAVAILABLE") => Kind::Overloaded,
        Some("DEADLINE_EXCEEDED") => Kind::Timeout,
        _ => Kind::Vendor,
    }
}

/// The tier of service behind Google's traffic types.
pub(crate) fn tier_of(traffic: &str) -> &str {
    match traffic {
        "ON_DEMAND" => "standard",
        "ON_DEMAND_PRIORITY" => "priority",
        "ON_DEMAND_FLEX" => "flex",
        other => other,
    }
}

/// The state of one answer.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The candidates seen, and whether each has ended.
    candidates: Vec<(u64, bool)>,
    is_blocked: bool,
}

impl State {
    pub(super) fn event(&mut self, raw: &[u8], facts: &mut Facts) -> Seen {
        let event = sse::parse(raw);
        let data = event.data.trim_ascii();
        if data.is_empty() {
            return Seen::default();
        }
        match serde_json::from_slice::<Chunk<'_>>(data) {
            Ok(chunk) => self.take(chunk, facts),
            Err(error) => Seen::unparsed(&error),
        }
    }

    fn take(&mut self, chunk: Chunk<'_>, facts: &mut Facts) -> Seen {
        let mut seen = Seen::default();
        if let Some(error) = chunk.error {
            let message = error.message.as_deref().unwrap_or("the vendor sent an error without a message");
            facts.error =
                Some(StreamError { kind: kind_of(error.status.as_deref()), message: message.to_owned() });
        }
        if let Some(id) = chunk.response_id {
            facts.answer.id = Some(id.into());
        }
        if let Some(model) = chunk.model_version {
            facts.answer.model = Some(model.into());
        }
        if let Some(told) = chunk.usage_metadata {
            facts.usage = Some(told.usage.into());
            if let Some(tier) = told.service_tier.or(told.traffic_type) {
                facts.answer.service_tier = Some(tier_of(&tier).into());
            }
        }
        if chunk.prompt_feedback.is_some_and(|feedback| feedback.block_reason.is_some()) {
            self.is_blocked = true;
            facts.answer.finish = Some(Finish::Refusal);
        }
        for candidate in chunk.candidates.into_iter().flatten() {
            seen.has_output |= self.candidate(candidate, facts);
        }
        let is_over = !self.candidates.is_empty() && self.candidates.iter().all(|(_, ended)| *ended);
        facts.is_terminated = is_over || self.is_blocked;
        seen
    }

    /// Reads one candidate; whether it holds output.
    fn candidate(&mut self, candidate: Candidate<'_>, facts: &mut Facts) -> bool {
        let before = facts.output_bytes;
        for part in candidate.content.and_then(|content| content.parts).into_iter().flatten() {
            facts.output_bytes += part.text.as_ref().map_or(0, |text| text.len() as u64);
            for other in
                [part.inline_data, part.executable_code, part.code_execution_result].into_iter().flatten()
            {
                facts.output_bytes += other.get().len() as u64;
            }
            let Some(function) = part.function_call else { continue };
            let arguments = function.args.map_or("", RawValue::get);
            let name = function.name.unwrap_or_default();
            facts.output_bytes += (name.len() + arguments.len()) as u64;
            if facts.answer.tools.len() < TOOLS_MAX {
                let mut call = Call::new(name.into_owned());
                call.arguments(arguments);
                facts.answer.tools.push(call.into_use());
            }
        }
        let at = match self.candidates.iter().position(|(index, _)| *index == candidate.index) {
            Some(at) => Some(at),
            None if self.candidates.len() == CANDIDATES_MAX => None,
            None => {
                self.candidates.push((candidate.index, false));
                Some(self.candidates.len() - 1)
            }
        };
        if let Some(reason) =
            candidate.finish_reason.filter(|reason| !["", "FINISH_REASON_UNSPECIFIED"].contains(&&**reason))
        {
            facts.answer.finish = Some(finish_of(&reason, !facts.answer.tools.is_empty()));
            if let Some(at) = at {
                self.candidates[at].1 = true;
            }
        }
        facts.output_bytes > before
    }
}

/// Reads an answer that is no stream, or the count of tokens, which passes by as well.
pub(super) fn whole(body: &[u8], facts: &mut Facts) -> bool {
    let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(body) else { return false };
    let is_answer = chunk.candidates.is_some()
        || chunk.prompt_feedback.is_some()
        || chunk.usage_metadata.is_some()
        || chunk.total_tokens.is_some()
        || chunk.embedding.is_some()
        || chunk.embeddings.is_some()
        || chunk.error.is_some();
    State::default().take(chunk, facts);
    is_answer
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    #[serde(borrow, default)]
    candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    prompt_feedback: Option<Feedback<'a>>,
    #[serde(borrow, default)]
    usage_metadata: Option<UsageAndTier<'a>>,
    #[serde(borrow, default)]
    model_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    response_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    total_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    embedding: Option<&'a RawValue>,
    #[serde(borrow, default)]
    embeddings: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<ErrorBody<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UsageAndTier<'a> {
    #[serde(flatten)]
    usage: GeminiUsage,
    #[serde(borrow, default)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    traffic_type: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    block_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(default)]
    index: u64,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<Content<'a>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    parts: Option<Vec<Part<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    function_call: Option<FunctionCall<'a>>,
    #[serde(borrow, default)]
    inline_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    executable_code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    code_execution_result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct FunctionCall<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ErrorBody<'a> {
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use proptest::prelude::*;

    fn read(wire: &str) -> Facts {
        let mut scanner = Scanner::new(Dialect::GeminiGenerate, false);
        for event in wire.split_inclusive("\r\n\r\n") {
            assert!(!scanner.event(event.as_bytes()).is_malformed, "{event}");
        }
        scanner.take()
    }

    const CALLING: [&str; 3] = [
        r#"{"candidates":[{"content":{"parts":[{"text":"Let me see","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":20,"totalTokenCount":25,"thoughtsTokenCount":5},"modelVersion":"gemini-3-flash","responseId":"r1"}"#,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"look","args":{"q":1}},"thoughtSignature":"c2ln"},{"functionCall":{"name":"look","args":{"q":2}}}],"role":"model"},"index":0}],"modelVersion":"gemini-3-flash","responseId":"r1"}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":20,"candidatesTokenCount":7,"totalTokenCount":40,"thoughtsTokenCount":13,"trafficType":"ON_DEMAND_PRIORITY"},"modelVersion":"gemini-3-flash","responseId":"r1"}"#,
    ];

    fn wire(chunks: &[&str]) -> String {
        chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect()
    }

    #[test]
    fn a_stream_tells_ids_usage_tools_and_its_end() {
        let facts = read(&wire(&CALLING));
        assert_eq!(
            (facts.answer.id.as_deref(), facts.answer.model.as_deref()),
            (Some("r1"), Some("gemini-3-flash"))
        );
        let usage = facts.usage.unwrap();
        assert_eq!((usage.total(), usage.reasoning, usage.output), (40, 13, 7));
        assert_eq!(facts.answer.service_tier.as_deref(), Some("priority"));
        assert_eq!(facts.answer.finish, Some(pilothouse_core::exchange::Finish::ToolCalls));
        assert_eq!(facts.answer.tools.len(), 2);
        assert_ne!(facts.answer.tools[0].arguments_hash, facts.answer.tools[1].arguments_hash);
        assert!(facts.is_terminated && facts.error.is_none());
    }

    #[test]
    fn a_stream_without_a_finish_reason_is_not_whole() {
        assert!(!read(&wire(&CALLING[..2])).is_terminated);
        let two = r#"{"candidates":[{"index":0,"finishReason":"STOP"},{"index":1,"content":{"parts":[{"text":"a"}]}}]}"#;
        assert!(!read(&wire(&[two])).is_terminated);
    }

    #[test]
    fn a_finish_reason_alone_does_not_excuse_a_broken_transport() {
        for (dialect, wire, excused) in [
            (Dialect::GeminiGenerate, wire(&CALLING), false),
            (Dialect::OpenaiChat, "data: [DONE]\n\n".to_owned(), true),
        ] {
            let mut relay = crate::relay::Relay::new(dialect, false);
            let _ = relay.push(bytes::Bytes::from(wire));
            assert!(relay.facts().is_terminated);
            assert_eq!(relay.has_last_word(), excused, "{dialect}");
        }
    }

    #[test]
    fn a_blocked_prompt_is_a_refusal_and_whole() {
        let facts = read(&wire(&[
            r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}}"#,
        ]));
        assert_eq!(facts.answer.finish, Some(pilothouse_core::exchange::Finish::Refusal));
        assert!(facts.is_terminated);
    }

    #[test]
    fn an_error_inside_a_stream_has_its_class() {
        let error = r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
        let facts = read(&wire(&[CALLING[0], error]));
        let found = facts.error.unwrap();
        assert_eq!((found.kind, found.message.as_str()), (Kind::Overloaded, "The model is overloaded."));
        assert!(!facts.is_terminated);
    }

    #[test]
    fn what_is_no_json_is_malformed_and_what_is_no_answer_is_not_whole() {
        let mut scanner = Scanner::new(Dialect::GeminiGenerate, false);
        assert!(scanner.event(b"data: {\"candidates\":[{\r\n\r\n").is_malformed);
        for body in [&b"{\"x\":1}"[..], b"<html>", b"[]"] {
            assert!(!Scanner::new(Dialect::GeminiGenerate, false).whole(body));
        }
        assert!(Scanner::new(Dialect::GeminiGenerate, false).whole(b"{\"totalTokens\":4}"));
    }

    proptest! {
        #[test]
        fn a_whole_answer_tells_what_its_stream_tells(texts in prop::collection::vec(".{1,12}", 1..5), calls in 0usize..3) {
            let mut parts: Vec<serde_json::Value> = texts.iter().map(|text| serde_json::json!({ "text": text })).collect();
            parts.extend((0..calls).map(|at| serde_json::json!({ "functionCall": { "name": "f", "args": { "at": at } } })));
            let chunk = |parts: &[serde_json::Value], finish: Option<&str>| {
                let mut chunk = serde_json::json!({
                    "candidates": [{ "content": { "parts": parts, "role": "model" }, "index": 0 }],
                    "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7 },
                    "modelVersion": "m", "responseId": "r",
                });
                if let Some(word) = finish {
                    chunk["candidates"][0]["finishReason"] = word.into();
                }
                chunk.to_string()
            };
            let mut stream: String = parts.iter().map(|part| format!("data: {}\r\n\r\n", chunk(std::slice::from_ref(part), None))).collect();
            stream.push_str(&format!("data: {}\r\n\r\n", chunk(&[], Some("MAX_TOKENS"))));
            let mut scanner = Scanner::new(Dialect::GeminiGenerate, false);
            prop_assert!(scanner.whole(chunk(&parts, Some("MAX_TOKENS")).as_bytes()));
            prop_assert_eq!(scanner.take(), read(&stream));
        }
    }
}
