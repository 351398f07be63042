//! The response as server-sent events.
//!
//! Grammar: <https://developers.openai.com/api/docs/guides/streaming-responses> and the published OpenAPI document: the
//! response's own events around those of its items, each with a number that rises by one. There is no `[DONE]`.

use crate::answer::Telling;
use crate::chance::Chance;
use crate::shape::{list, text};
use crate::tokens;
use bytes::Bytes;
use serde_json::{Value, json};

/// Events in the making.
struct Events<'a> {
    out: Vec<Bytes>,
    word_bytes: u8,
    /// Draws the padding that hides token lengths; `None` where the client turned it off.
    padding: Option<&'a mut Chance>,
}

impl Events<'_> {
    fn push(&mut self, kind: &str, rest: Value) {
        let mut body = json!({ "type": kind, "sequence_number": self.out.len() });
        if let (Some(into), Value::Object(from)) = (body.as_object_mut(), rest) {
            into.extend(from);
        }
        self.out.push(Bytes::from(format!("event: {kind}\ndata: {body}\n\n")));
    }

    /// A fragment of something that belongs to `at`, with padding.
    fn delta(&mut self, kind: &str, at: &Value, delta: &str, logprobs: Option<Value>) {
        let mut body = at.clone();
        body["delta"] = json!(delta);
        if let Some(logprobs) = logprobs {
            body["logprobs"] = logprobs;
        }
        if let Some(chance) = &mut self.padding {
            let length = 4 + chance.below(10);
            body["obfuscation"] = json!(chance.name(length));
        }
        self.push(kind, body);
    }
}

/// `at` with further members.
fn with(at: &Value, name: &str, value: Value) -> Value {
    let mut out = at.clone();
    out[name] = value;
    out
}

/// All events of the stream, from the response as it begins to the response as it ends.
pub(super) fn events(
    opening: &Value,
    ended: &Value,
    telling: Telling,
    word_bytes: u8,
    padding: Option<&mut Chance>,
) -> Vec<Bytes> {
    let mut events = Events { out: Vec::new(), word_bytes, padding };
    events.push("response.created", json!({ "response": opening }));
    if opening["background"] == json!(true) {
        events.push("response.queued", json!({ "response": with(opening, "status", json!("queued")) }));
    }
    let mut begun = opening.clone();
    if telling == Telling::Twice {
        // Told twice, the same numbers stand on the response that has begun too, as some servers do.
        begun["usage"] = ended["usage"].clone();
    }
    events.push("response.in_progress", json!({ "response": begun }));
    for (index, item) in list(ended, "output").iter().enumerate() {
        let mut begun = item.clone();
        begun["status"] = json!("in_progress");
        match text(item, "type") {
            "reasoning" => reasoning(&mut events, index, item),
            "function_call" => function_call(&mut events, index, item, begun),
            _ => message(&mut events, index, item, begun),
        }
        events.push("response.output_item.done", json!({ "output_index": index, "item": item }));
    }
    let kind = format!("response.{}", text(ended, "status"));
    events.push(&kind, json!({ "response": ended }));
    events.out
}

fn added(events: &mut Events<'_>, index: usize, item: Value) {
    events.push("response.output_item.added", json!({ "output_index": index, "item": item }));
}

fn reasoning(events: &mut Events<'_>, index: usize, item: &Value) {
    let mut begun = item.clone();
    begun["summary"] = json!([]);
    added(events, index, begun);
    for (i, part) in list(item, "summary").iter().enumerate() {
        let at = json!({ "item_id": item["id"], "output_index": index, "summary_index": i });
        let empty = json!({ "type": "summary_text", "text": "" });
        events.push("response.reasoning_summary_part.added", with(&at, "part", empty));
        for piece in tokens::pieces(text(part, "text"), events.word_bytes) {
            events.delta("response.reasoning_summary_text.delta", &at, piece, None);
        }
        events.push("response.reasoning_summary_text.done", with(&at, "text", part["text"].clone()));
        events.push("response.reasoning_summary_part.done", with(&at, "part", part.clone()));
    }
}

fn function_call(events: &mut Events<'_>, index: usize, item: &Value, mut begun: Value) {
    begun["arguments"] = json!("");
    added(events, index, begun);
    let at = json!({ "item_id": item["id"], "output_index": index });
    for piece in tokens::pieces(text(item, "arguments"), events.word_bytes) {
        events.delta("response.function_call_arguments.delta", &at, piece, None);
    }
    let done = with(&with(&at, "name", item["name"].clone()), "arguments", item["arguments"].clone());
    events.push("response.function_call_arguments.done", done);
}

fn message(events: &mut Events<'_>, index: usize, item: &Value, mut begun: Value) {
    begun["content"] = json!([]);
    added(events, index, begun);
    for (i, part) in list(item, "content").iter().enumerate() {
        let at = json!({ "item_id": item["id"], "output_index": index, "content_index": i });
        if text(part, "type") == "refusal" {
            let empty = json!({ "type": "refusal", "refusal": "" });
            events.push("response.content_part.added", with(&at, "part", empty));
            for piece in tokens::pieces(text(part, "refusal"), events.word_bytes) {
                events.delta("response.refusal.delta", &at, piece, None);
            }
            events.push("response.refusal.done", with(&at, "refusal", part["refusal"].clone()));
        } else {
            spoken(events, &at, part);
        }
        events.push("response.content_part.done", with(&at, "part", part.clone()));
    }
}

fn spoken(events: &mut Events<'_>, at: &Value, part: &Value) {
    let empty = json!({ "type": "output_text", "text": "", "annotations": [], "logprobs": [] });
    events.push("response.content_part.added", with(at, "part", empty));
    let logprobs = list(part, "logprobs");
    for (i, piece) in tokens::pieces(text(part, "text"), events.word_bytes).enumerate() {
        let of_piece: Value = logprobs.get(i).into_iter().cloned().collect();
        events.delta("response.output_text.delta", at, piece, Some(of_piece));
    }
    for (i, annotation) in list(part, "annotations").iter().enumerate() {
        let body = with(&with(at, "annotation_index", json!(i)), "annotation", annotation.clone());
        events.push("response.output_text.annotation.added", body);
    }
    let done = with(&with(at, "text", part["text"].clone()), "logprobs", part["logprobs"].clone());
    events.push("response.output_text.done", done);
}
