//! Load models for benchmarks: answers rendered once, chosen by a scan of the body, without reading its JSON.
//!
//! `fake`, or `fake` with parts: `c` chunks of four tokens, `d` milliseconds between chunks, `l` milliseconds to the first
//! byte, `k` words of a plain answer; as in `fake-c100-d5`.

mod streams;

use crate::dialect::Dialect;
use crate::price::Usage;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A load model's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Load {
    pub(crate) chunks: u32,
    pub(crate) gap_ms: u32,
    pub(crate) first_byte_ms: u32,
    pub(crate) words: u32,
}

/// Prompt tokens that every load answer reports.
const PROMPT_TOKENS: u64 = 20;
/// Tokens in one chunk of a stream.
const CHUNK_TOKENS: u64 = 4;
/// Most renderings kept; others are rendered for each call.
const RENDERED_MAX: usize = 64;

impl Load {
    /// Reads a model name; `None` if it names no load model.
    pub(crate) fn parse(name: &str) -> Option<Load> {
        let rest = name.strip_prefix("fake")?;
        let mut load = Load { chunks: 100, gap_ms: 0, first_byte_ms: 0, words: 60 };
        if rest.is_empty() {
            return Some(load);
        }
        for part in rest.strip_prefix('-')?.split('-') {
            let number = part.get(1..)?.parse::<u32>().ok().filter(|n| *n <= 100_000)?;
            match part.as_bytes().first()? {
                b'c' => load.chunks = number,
                b'd' => load.gap_ms = number,
                b'l' => load.first_byte_ms = number,
                b'k' => load.words = number,
                _ => return None,
            }
        }
        Some(load)
    }

    /// What an answer costs in tokens.
    pub(crate) fn usage(&self, stream: bool) -> Usage {
        let output = if stream { CHUNK_TOKENS * u64::from(self.chunks) } else { u64::from(self.words) };
        Usage { input: PROMPT_TOKENS, output, ..Usage::default() }
    }
}

/// What a scan of a body finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scan<'a> {
    pub(crate) model: &'a str,
    pub(crate) stream: bool,
    pub(crate) usage: bool,
}

/// Looks for a load model in a request body, without parsing it.
pub(crate) fn scan(body: &[u8]) -> Option<Scan<'_>> {
    let after = |key: &str| {
        memchr::memmem::find(body, key.as_bytes()).map(|at| body[at + key.len()..].trim_ascii_start())
    };
    let value = |key: &str| after(key)?.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
    let name = value("\"model\"")?.strip_prefix(b"\"")?;
    let name = std::str::from_utf8(&name[..memchr::memchr(b'"', name)?]).ok()?;
    if !name.starts_with("fake") {
        return None;
    }
    Some(Scan { model: name, ..flags(body)? })
}

/// What a body says of its delivery, where the path names the model.
pub(crate) fn flags(body: &[u8]) -> Option<Scan<'static>> {
    let value = |key: &str| {
        let at = memchr::memmem::find(body, key.as_bytes())? + key.len();
        body[at..].trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start)
    };
    let yes = |key: &str| value(key).is_some_and(|v| v.starts_with(b"true"));
    Some(Scan { model: "", stream: yes("\"stream\""), usage: yes("\"include_usage\"") })
}

/// Answers rendered so far.
#[derive(Debug, Default)]
pub(crate) struct Renderings(Mutex<HashMap<Wanted, Arc<[Bytes]>>>);

/// Dialect, model name, streamed, with usage.
type Wanted = (Dialect, String, bool, bool);

impl Renderings {
    /// The frames of an answer: one for a plain answer, one per event for a stream.
    pub(crate) fn frames(&self, dialect: Dialect, scan: &Scan<'_>, load: &Load) -> Arc<[Bytes]> {
        let key = (dialect, scan.model.to_owned(), scan.stream, scan.usage);
        let mut rendered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frames) = rendered.get(&key) {
            return frames.clone();
        }
        let frames: Arc<[Bytes]> = if scan.stream {
            streams::events(dialect, scan, load).into()
        } else {
            Arc::new([plain(dialect, scan, load)])
        };
        if rendered.len() < RENDERED_MAX {
            rendered.insert(key, frames.clone());
        }
        frames
    }
}

fn plain(dialect: Dialect, scan: &Scan<'_>, load: &Load) -> Bytes {
    let words = ["the", " pilot", " house", " steers", " ships"];
    let text: String = (0..load.words as usize)
        .map(|i| if i == 0 { "the" } else { words[i % 5].trim_start() }.to_owned() + " ")
        .collect();
    let (text, model, output) = (text.trim_end(), scan.model, load.usage(false).output);
    let total = PROMPT_TOKENS + output;
    Bytes::from(match dialect {
        Dialect::Chat => format!(
            r#"{{"id":"chatcmpl-fake","object":"chat.completion","created":1767225600,"model":"{model}","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{PROMPT_TOKENS},"completion_tokens":{output},"total_tokens":{total}}},"service_tier":"default","system_fingerprint":"fp_fake"}}"#
        ),
        Dialect::Responses => format!(
            r#"{{"id":"resp_fake","object":"response","created_at":1767225600,"status":"completed","error":null,"incomplete_details":null,"instructions":null,"metadata":{{}},"model":"{model}","output":[{{"id":"msg_fake","type":"message","status":"completed","role":"assistant","content":[{{"type":"output_text","text":"{text}","annotations":[],"logprobs":[]}}]}}],"parallel_tool_calls":true,"service_tier":"default","temperature":1.0,"tool_choice":"auto","tools":[],"top_p":1.0,"usage":{{"input_tokens":{PROMPT_TOKENS},"input_tokens_details":{{"cached_tokens":0,"cache_write_tokens":0}},"output_tokens":{output},"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{total}}}}}"#
        ),
        Dialect::Gemini | Dialect::GeminiList => format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}],"role":"model"}},"finishReason":"STOP","index":0}}],"usageMetadata":{{"promptTokenCount":{PROMPT_TOKENS},"candidatesTokenCount":{output},"totalTokenCount":{total}}},"modelVersion":"{model}","responseId":"fake"}}"#
        ),
        Dialect::Converse => format!(
            r#"{{"output":{{"message":{{"role":"assistant","content":[{{"text":"{text}"}}]}}}},"stopReason":"end_turn","usage":{{"inputTokens":{PROMPT_TOKENS},"outputTokens":{output},"totalTokens":{total}}},"metrics":{{"latencyMs":1}}}}"#
        ),
        Dialect::Messages => format!(
            r#"{{"id":"msg_fake","type":"message","role":"assistant","model":"{model}","content":[{{"type":"text","text":"{text}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":{PROMPT_TOKENS},"output_tokens":{output}}}}}"#
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_their_numbers_and_bad_ones_are_no_load_models() {
        assert_eq!(
            Load::parse("fake-c10-d5-l7-k3"),
            Some(Load { chunks: 10, gap_ms: 5, first_byte_ms: 7, words: 3 })
        );
        assert!(Load::parse("fake").is_some());
        assert!(
            Load::parse("faker").is_none()
                && Load::parse("fake-x1").is_none()
                && Load::parse("fake-c").is_none()
        );
    }

    #[test]
    fn the_scan_finds_model_and_flags_but_not_in_quoted_text() {
        let body = br#"{"messages":[{"role":"user","content":"say \"model\": \"fake\""}], "stream" : true,"model": "fake-c2"}"#;
        assert_eq!(scan(body), Some(Scan { model: "fake-c2", stream: true, usage: false }));
        assert_eq!(scan(br#"{"model":"gpt-4o"}"#), None);
    }

    #[test]
    fn every_rendered_event_is_json_and_the_last_usage_is_the_models() {
        let load = Load { chunks: 3, gap_ms: 0, first_byte_ms: 0, words: 2 };
        for dialect in [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini] {
            let scan = Scan { model: "fake-c3", stream: true, usage: true };
            let frames = Renderings::default().frames(dialect, &scan, &load);
            let text = String::from_utf8(frames.concat()).unwrap();
            let events: Vec<serde_json::Value> = text
                .lines()
                .filter_map(|l| l.strip_prefix("data: "))
                .filter(|d| *d != "[DONE]")
                .map(|d| serde_json::from_str(d).unwrap())
                .collect();
            let usage = events
                .iter()
                .rev()
                .find_map(|e| {
                    let places = [&e["usage"], &e["response"]["usage"], &e["usageMetadata"]];
                    places.into_iter().find(|u| !u.is_null()).cloned()
                })
                .unwrap();
            assert!(
                [&usage["completion_tokens"], &usage["output_tokens"], &usage["candidatesTokenCount"]]
                    .contains(&&serde_json::json!(12)),
                "{usage}"
            );
            let plain = Renderings::default().frames(dialect, &Scan { stream: false, ..scan }, &load);
            assert!(serde_json::from_slice::<serde_json::Value>(&plain[0]).is_ok());
        }
    }
}
