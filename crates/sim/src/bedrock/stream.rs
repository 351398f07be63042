//! The Converse answer as an event stream.
//!
//! Grammar: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html> and `ConverseStreamOutput`
//! of the service model, read 2026-11-23: `messageStart`, then for each block its deltas and a stop (only tool calls have a
//! start), then `messageStop` with the reason, then `metadata` with the counts. Each payload is padded in `p`.

use super::answer::{Frame, stop};
use super::frames::event;
use crate::answer::Telling;
use crate::chance::Chance;
use crate::shape::{list, some, text};
use crate::tokens;
use bytes::Bytes;
use serde_json::{Value, json};

/// All events of the stream.
pub(super) fn events(frame: &Frame<'_>, content: &[Value], chance: &mut Chance) -> Vec<Bytes> {
    let mut out = vec![("messageStart", json!({ "role": "assistant" }))];
    for (index, block) in content.iter().enumerate() {
        if let Some(call) = some(block, "toolUse") {
            let start = json!({ "toolUse": { "toolUseId": call["toolUseId"], "name": call["name"] } });
            out.push(("contentBlockStart", json!({ "start": start, "contentBlockIndex": index })));
        }
        for delta in deltas(frame, block) {
            out.push(("contentBlockDelta", json!({ "delta": delta, "contentBlockIndex": index })));
        }
        out.push(("contentBlockStop", json!({ "contentBlockIndex": index })));
    }
    let mut last = json!({ "stopReason": stop(&frame.made.plan) });
    if let Some(fields) = &frame.fields {
        last["additionalModelResponseFields"] = fields.clone();
    }
    out.push(("messageStop", last));
    out.push(("metadata", frame.metadata()));
    if frame.telling == Telling::Twice {
        out.push(("metadata", frame.metadata()));
    }
    out.into_iter().map(|(kind, payload)| event(kind, &padded(payload, chance))).collect()
}

/// The payload with padding that hides token lengths from those who see only packet sizes.
fn padded(mut payload: Value, chance: &mut Chance) -> Value {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    payload["p"] = json!(LETTERS[..4 + chance.below(LETTERS.len() - 4)]);
    payload
}

fn deltas(frame: &Frame<'_>, block: &Value) -> Vec<Value> {
    let pieces =
        |said: &str| -> Vec<String> { tokens::pieces(said, frame.word_bytes).map(str::to_owned).collect() };
    if let Some(call) = some(block, "toolUse") {
        let input = call["input"].to_string();
        return pieces(&input).iter().map(|p| json!({ "toolUse": { "input": p } })).collect();
    }
    if let Some(reasoning) = some(block, "reasoningContent") {
        let said = &reasoning["reasoningText"];
        if some(reasoning, "redactedContent").is_some() {
            return vec![json!({ "reasoningContent": reasoning })];
        }
        let mut out: Vec<Value> =
            pieces(text(said, "text")).iter().map(|p| json!({ "reasoningContent": { "text": p } })).collect();
        if let Some(signature) = some(said, "signature") {
            out.push(json!({ "reasoningContent": { "signature": signature } }));
        }
        return out;
    }
    if let Some(cited) = some(block, "citationsContent") {
        let said: String = list(cited, "content").iter().map(|c| text(c, "text")).collect();
        let texts = pieces(&said).into_iter().map(|p| json!({ "text": p }));
        let citations = list(cited, "citations").iter().map(|c| json!({ "citation": c }));
        return texts.chain(citations).collect();
    }
    pieces(text(block, "text")).iter().map(|p| json!({ "text": p })).collect()
}
