//! Anthropic's events as bytes.

use pilothouse_core::conversation::{PartHead, Raw, Rest, StreamPart};

use super::super::super::{FAMILY, foreign_signature};
use crate::json::{Object, write_raw};

/// Writes one event: its name, and data that begins with the name as its type.
pub(super) fn event(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Object<'_>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    {
        let mut data = Object::new(out);
        data.text("type", name);
        write(&mut data);
    }
    out.extend_from_slice(b"\n\n");
}

pub(super) fn delta(out: &mut Vec<u8>, index: u32, kind: &str, write: impl FnOnce(&mut Object<'_>)) {
    event(out, "content_block_delta", |out| {
        out.number("index", index);
        let mut delta = out.object("delta");
        delta.text("type", kind);
        write(&mut delta);
    });
}

pub(super) fn write_head(block: &mut Object<'_>, head: &PartHead, id: &str, native: bool) {
    match head {
        PartHead::Text { .. } => {
            block.text("type", "text");
            block.text("text", "");
        }
        PartHead::Reasoning { redacted: Some(data), .. } => {
            block.text("type", "redacted_thinking");
            block.text("data", data);
        }
        PartHead::Reasoning { origin, .. } => {
            block.text("type", "thinking");
            block.text("thinking", "");
            // Claude's own begins empty, as Claude's blocks do: there are clients that add the deltas up.
            let is_own = native || &*origin.family == FAMILY;
            let begun = if is_own { String::new() } else { foreign_signature(origin, None) };
            block.text("signature", &begun);
        }
        PartHead::ToolCall { name, .. } => {
            block.text("type", "tool_use");
            block.text("id", id);
            block.text("name", name);
            drop(block.object("input"));
        }
        PartHead::Unknown { .. } => {}
    }
}

pub(super) fn rest_of(head: &PartHead) -> &Rest {
    static NONE: Rest = Rest::EMPTY;
    match head {
        PartHead::Text { rest } | PartHead::Reasoning { rest, .. } | PartHead::ToolCall { rest, .. } => rest,
        PartHead::Unknown { .. } => &NONE,
    }
}

pub(super) fn choice_of(part: &StreamPart) -> u32 {
    match part {
        StreamPart::PartStart { choice, .. }
        | StreamPart::Text { choice, .. }
        | StreamPart::Reasoning { choice, .. }
        | StreamPart::Signature { choice, .. }
        | StreamPart::Arguments { choice, .. }
        | StreamPart::Annotation { choice, .. }
        | StreamPart::UnknownDelta { choice, .. }
        | StreamPart::PartStop { choice, .. }
        | StreamPart::Refusal { choice, .. }
        | StreamPart::Logprobs { choice, .. }
        | StreamPart::Finish { choice, .. }
        | StreamPart::Extra { choice, .. } => *choice,
        StreamPart::Start { .. }
        | StreamPart::Usage(_)
        | StreamPart::UnknownEvent { .. }
        | StreamPart::Ping
        | StreamPart::End => 0,
    }
}

/// Writes an event that only this dialect knows, as it came.
pub(super) fn unknown_event(out: &mut Vec<u8>, name: &str, raw: &Raw) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    write_raw(out, raw);
    out.extend_from_slice(b"\n\n");
}
