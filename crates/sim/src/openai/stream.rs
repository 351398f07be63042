//! The chat completion as server-sent events.
//!
//! Grammar: <https://developers.openai.com/api/docs/guides/streaming-responses?api-mode=chat> and the published OpenAPI
//! document, 2026-11-22: first the role, then the deltas, then one chunk with the finish reason, then the usage chunk where
//! it was asked for, then `[DONE]`.

use super::answer::{Frame, annotations, call_id, finish, logprob};
use crate::answer::Telling;
use crate::chance::Chance;
use crate::plan::{Call, Finish, Plan};
use crate::tokens;
use bytes::Bytes;
use serde_json::{Value, json};

/// All events of the stream, choices interleaved.
pub(super) fn events(frame: &Frame, plans: &[Plan], chance: &mut Chance) -> Vec<Bytes> {
    let mut lanes: Vec<std::vec::IntoIter<Step>> =
        plans.iter().map(|plan| steps(frame, plan, chance).into_iter()).collect();
    let mut out = Vec::new();
    let mut left = true;
    while left {
        left = false;
        for (index, lane) in lanes.iter_mut().enumerate() {
            if let Some(step) = lane.next() {
                left = true;
                let last = step.finish.is_some() && index + 1 == plans.len();
                out.push(chunk(frame, index, step, last, chance));
            }
        }
    }
    if frame.include_usage && frame.telling != Telling::Never {
        let mut body = head(frame);
        body["choices"] = json!([]);
        body["usage"] = frame.usage_json();
        out.push(event(body, frame, chance));
    }
    out.push(Bytes::from_static(b"data: [DONE]\n\n"));
    out
}

/// One delta of one choice.
struct Step {
    delta: Value,
    logprobs: Value,
    finish: Option<&'static str>,
}

fn steps(frame: &Frame, plan: &Plan, chance: &mut Chance) -> Vec<Step> {
    let step = |delta: Value| Step { delta, logprobs: Value::Null, finish: None };
    let refused = plan.finish == Finish::Refusal;
    let opening = if plan.calls.is_empty() { json!("") } else { Value::Null };
    let mut out = vec![step(json!({ "role": "assistant", "content": opening, "refusal": null }))];
    for piece in tokens::pieces(&plan.text, frame.word_bytes) {
        let name = if refused { "refusal" } else { "content" };
        let mut made = step(json!({ name: piece }));
        if let Some(top) = frame.logprobs {
            let token = json!([logprob(piece, top, chance)]);
            made.logprobs = if refused {
                json!({ "content": null, "refusal": token })
            } else {
                json!({ "content": token, "refusal": null })
            };
        }
        out.push(made);
    }
    if plan.cite {
        out.push(step(json!({ "annotations": annotations(plan) })));
    }
    for (index, call) in plan.calls.iter().enumerate() {
        out.extend(call_steps(index, call, frame.word_bytes, chance).into_iter().map(step));
    }
    out.push(Step { delta: json!({}), logprobs: Value::Null, finish: Some(finish(&plan.finish)) });
    out
}

/// A call's opening with id and name, then its arguments in fragments that are not JSON by themselves.
fn call_steps(index: usize, call: &Call, word_bytes: u8, chance: &mut Chance) -> Vec<Value> {
    let opening = json!({ "tool_calls": [{
        "index": index,
        "id": call_id(chance),
        "type": "function",
        "function": { "name": call.name, "arguments": "" },
    }] });
    let fragment =
        |piece: &str| json!({ "tool_calls": [{ "index": index, "function": { "arguments": piece } }] });
    std::iter::once(opening).chain(tokens::pieces(&call.arguments, word_bytes).map(fragment)).collect()
}

fn head(frame: &Frame) -> Value {
    json!({
        "id": frame.id,
        "object": "chat.completion.chunk",
        "created": frame.created,
        "model": frame.model,
        "service_tier": frame.tier,
        "system_fingerprint": frame.fingerprint,
    })
}

fn chunk(frame: &Frame, index: usize, step: Step, last: bool, chance: &mut Chance) -> Bytes {
    let mut body = head(frame);
    body["choices"] = json!([{ "index": index, "delta": step.delta, "logprobs": step.logprobs, "finish_reason": step.finish }]);
    if frame.include_usage {
        // Told twice, the same numbers stand on the last chunk with a choice too, as some servers do.
        let twice = last && frame.telling == Telling::Twice;
        body["usage"] = if twice { frame.usage_json() } else { Value::Null };
    }
    event(body, frame, chance)
}

fn event(mut body: Value, frame: &Frame, chance: &mut Chance) -> Bytes {
    if frame.obfuscate {
        // Padding that hides token lengths from those who see only packet sizes.
        let length = 4 + chance.below(10);
        body["obfuscation"] = json!(chance.name(length));
    }
    Bytes::from(format!("data: {body}\n\n"))
}
