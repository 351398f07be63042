//! The message as server-sent events.
//!
//! Grammar: <https://platform.claude.com/docs/en/build-with-claude/streaming>, 2026-11-22: `message_start`, then for each
//! block a start, its deltas and a stop, with `ping` in between, then `message_delta` with the reason and the final counts,
//! then `message_stop`.

use super::answer::{Frame, stop};
use crate::answer::Telling;
use crate::plan::Plan;
use crate::tokens;
use bytes::Bytes;
use serde_json::{Value, json};

/// All events of the stream.
pub(super) fn events(frame: &Frame, plan: &Plan, content: &[Value], word_bytes: u8) -> Vec<Bytes> {
    let mut message = json!({
        "id": frame.id,
        "type": "message",
        "role": "assistant",
        "model": frame.model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "stop_details": null,
    });
    if frame.telling != Telling::Never {
        // The count at the start is of the first tokens only; the final one comes in `message_delta`.
        message["usage"] = frame.usage_json(frame.usage.output.min(1));
    }
    let mut out = vec![event("message_start", json!({ "message": message }))];
    for (index, block) in content.iter().enumerate() {
        let (opening, deltas) = parts(block, word_bytes);
        out.push(event("content_block_start", json!({ "index": index, "content_block": opening })));
        if index == 0 {
            out.push(event("ping", json!({})));
        }
        let delta = |delta: Value| event("content_block_delta", json!({ "index": index, "delta": delta }));
        out.extend(deltas.into_iter().map(delta));
        out.push(event("content_block_stop", json!({ "index": index })));
    }
    let (reason, sequence, details) = stop(plan);
    let mut last =
        json!({ "delta": { "stop_reason": reason, "stop_sequence": sequence, "stop_details": details } });
    if frame.telling != Telling::Never {
        last["usage"] = frame.delta_usage_json();
    }
    out.push(event("message_delta", last.clone()));
    if frame.telling == Telling::Twice {
        out.push(event("message_delta", last));
    }
    out.push(event("message_stop", json!({})));
    out
}

/// A block's opening and its deltas.
fn parts(block: &Value, word_bytes: u8) -> (Value, Vec<Value>) {
    let text = |name: &str| block[name].as_str().unwrap_or_default();
    match block["type"].as_str().unwrap_or_default() {
        "thinking" => {
            let pieces = tokens::pieces(text("thinking"), word_bytes);
            let mut deltas: Vec<Value> =
                pieces.map(|p| json!({ "type": "thinking_delta", "thinking": p })).collect();
            deltas.push(json!({ "type": "signature_delta", "signature": text("signature") }));
            (json!({ "type": "thinking", "thinking": "", "signature": "" }), deltas)
        }
        "text" => {
            let pieces = tokens::pieces(text("text"), word_bytes);
            let mut deltas: Vec<Value> = pieces.map(|p| json!({ "type": "text_delta", "text": p })).collect();
            for citation in block["citations"].as_array().into_iter().flatten() {
                deltas.push(json!({ "type": "citations_delta", "citation": citation }));
            }
            let mut opening = json!({ "type": "text", "text": "" });
            if block.get("citations").is_some() {
                opening["citations"] = json!([]);
            }
            (opening, deltas)
        }
        "tool_use" => {
            let input = block["input"].to_string();
            let fragment = |p: &str| json!({ "type": "input_json_delta", "partial_json": p });
            let deltas = std::iter::once(fragment(""))
                .chain(tokens::pieces(&input, word_bytes).map(fragment))
                .collect();
            (json!({ "type": "tool_use", "id": block["id"], "name": block["name"], "input": {} }), deltas)
        }
        _ => (block.clone(), Vec::new()),
    }
}

fn event(kind: &str, rest: Value) -> Bytes {
    let mut body = json!({ "type": kind });
    if let (Some(into), Value::Object(from)) = (body.as_object_mut(), rest) {
        into.extend(from);
    }
    Bytes::from(format!("event: {kind}\ndata: {body}\n\n"))
}
