//! The answer in chunks: as server-sent events with `alt=sse`, else as the items of one JSON list.
//!
//! Each chunk is a whole answer object with the usage so far; the last one of a candidate has its finish reason, and on
//! Gemini 3 its signature in an empty part. <https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>
//! and <https://ai.google.dev/gemini-api/docs/thought-signatures>, read 2026-11-23. Lines end in CR LF; there is no end mark.

use super::answer::{Frame, blocked, candidate, finish, is_blocked, logprobs};
use crate::answer::Telling;
use crate::chance::Chance;
use crate::plan::{Plan, call_tokens};
use crate::shape::{some, text};
use crate::tokens;
use bytes::Bytes;
use serde_json::{Value, json};

/// One chunk of one candidate.
struct Step {
    parts: Vec<Value>,
    /// Tokens of it that are answer, and those that are thought.
    output: u64,
    thoughts: u64,
    is_last: bool,
}

/// All chunks of the stream, candidates interleaved.
pub(super) fn chunks(frame: &Frame, plans: &[Plan], parts: &[Vec<Value>], chance: &mut Chance) -> Vec<Value> {
    if plans.iter().any(is_blocked) {
        return vec![blocked(frame)];
    }
    let mut lanes: Vec<std::vec::IntoIter<Step>> =
        plans.iter().zip(parts).map(|(plan, parts)| steps(frame, plan, parts).into_iter()).collect();
    let (mut out, mut output, mut thoughts) = (Vec::new(), 0, 0);
    loop {
        let before = out.len();
        for (index, lane) in lanes.iter_mut().enumerate() {
            let Some(step) = lane.next() else { continue };
            output += step.output;
            thoughts += step.thoughts;
            let mut made = candidate(index, &step.parts);
            if step.is_last {
                finish(&mut made, &plans[index]);
            }
            if let (Some(top), Some(said)) = (frame.logprobs, step.parts.first().map(|p| text(p, "text"))) {
                made["logprobsResult"] = logprobs(said, top, frame.word_bytes, chance);
            }
            out.push(frame.around(Some(json!([made])), output, thoughts));
        }
        if out.len() == before {
            break;
        }
    }
    if frame.telling == Telling::Twice {
        // Told twice, the final numbers stand once more in a chunk of their own.
        out.push(frame.around(None, output, thoughts));
    }
    out
}

fn steps(frame: &Frame, plan: &Plan, parts: &[Value]) -> Vec<Step> {
    let mut out = Vec::new();
    // Thoughts that are not shown are counted with the first chunk.
    let mut hidden = plan.thinking_tokens;
    let mut calls = plan.calls.iter();
    let mut ending = json!({ "text": "" });
    for part in parts {
        let is_thought = part.get("thought") == Some(&json!(true));
        if some(part, "functionCall").is_some() {
            let output = calls.next().map_or(0, |c| call_tokens(c, frame.word_bytes));
            out.push(Step {
                parts: vec![part.clone()],
                output,
                thoughts: std::mem::take(&mut hidden),
                is_last: false,
            });
            continue;
        }
        for piece in tokens::pieces(text(part, "text"), frame.word_bytes) {
            let mut made = json!({ "text": piece });
            if is_thought {
                made["thought"] = json!(true);
                hidden = hidden.saturating_sub(1);
            }
            let thoughts = if is_thought { 1 } else { std::mem::take(&mut hidden) };
            out.push(Step { parts: vec![made], output: u64::from(!is_thought), thoughts, is_last: false });
        }
        if let Some(signature) = some(part, "thoughtSignature") {
            ending["thoughtSignature"] = signature.clone();
        }
    }
    let told: u64 = out.iter().map(|s| s.output).sum();
    let parts = if parts.is_empty() { Vec::new() } else { vec![ending] };
    // What was produced and not shown (a malformed call, a filtered text) counts at the end.
    out.push(Step {
        parts,
        output: plan.answer_tokens.saturating_sub(told),
        thoughts: hidden,
        is_last: true,
    });
    out
}

/// Chunks as server-sent events.
pub(super) fn events(chunks: &[Value]) -> Vec<Bytes> {
    chunks.iter().map(|c| Bytes::from(format!("data: {c}\r\n\r\n"))).collect()
}

/// Chunks as one JSON list, item by item.
pub(super) fn items(chunks: &[Value]) -> Vec<Bytes> {
    let opening = |i: usize| if i == 0 { "[" } else { ",\r\n" };
    let mut out: Vec<Bytes> =
        chunks.iter().enumerate().map(|(i, c)| Bytes::from(format!("{}{c:#}\n", opening(i)))).collect();
    out.push(Bytes::from_static(b"]\n"));
    out
}
