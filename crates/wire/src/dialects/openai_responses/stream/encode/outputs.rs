//! Items of a stream that are no messages: calls, reasoning, and what only this dialect knows.

use pilothouse_core::conversation::{Origin, PartHead, Raw, ToolKind};

use super::super::super::answer::encode::{call_id, prefix_of};
use super::super::super::item::write::{Call, Thought, item_id, write_piece};
use super::super::super::item::{Kept, PLAIN_REASONING, seal, split_signature};
use super::super::super::raw_of;
use super::Encoder;
use crate::json::Object;

/// An item that has begun.
#[derive(Debug)]
pub(super) struct Output {
    part: u32,
    place: usize,
    id: String,
    kept: Kept,
    open: bool,
    text: String,
    state: State,
}

#[derive(Debug)]
enum State {
    Call { call_id: String, name: Box<str>, kind: ToolKind },
    Thought { origin: Origin, redacted: Option<Box<str>>, signature: Option<String>, is_plain: bool },
    Unknown { raw: Raw },
}

impl Output {
    /// Writes where the item is.
    fn at(&self, event: &mut Object<'_>) {
        event.text("item_id", &self.id);
        event.number("output_index", self.place);
    }

    /// Writes the item as it is, with what it holds so far.
    fn write(&self, native: bool, status: &str, out: &mut Vec<u8>) {
        match &self.state {
            State::Call { call_id, name, kind } => {
                let (id, arguments, kept) = (&self.id, &self.text, &self.kept.rest);
                Call { id, call_id, name, kind: *kind, arguments, status, kept }.write(&mut Object::new(out));
            }
            State::Thought { is_plain, .. } => {
                let encrypted = self.encrypted(native);
                let thought = Thought {
                    id: Some(&self.id),
                    text: &self.text,
                    is_plain: *is_plain && !self.text.is_empty(),
                    encrypted: encrypted.as_deref(),
                    kept: &self.kept.rest,
                };
                thought.write(&mut Object::new(out));
            }
            State::Unknown { raw } => crate::json::write_raw(out, raw),
        }
    }

    /// The encrypted content of reasoning, as far as it is known.
    fn encrypted(&self, native: bool) -> Option<String> {
        let State::Thought { origin, redacted, signature, .. } = &self.state else { return None };
        if native && redacted.is_none() {
            return signature.as_deref().map(|signature| split_signature(signature).1.to_owned());
        }
        Some(seal(origin, signature.as_deref(), redacted.as_deref()))
    }
}

impl Encoder {
    pub(super) fn output_start(&mut self, part: u32, head: &PartHead, out: &mut Vec<u8>) {
        let (native, place) = (self.native, self.place());
        let rest = match head {
            PartHead::Text { rest } | PartHead::Reasoning { rest, .. } | PartHead::ToolCall { rest, .. } => {
                Some(rest)
            }
            PartHead::Unknown { .. } => None,
        };
        if let (false, Some(rest)) = (native, rest) {
            self.losses.drop_rest("answer.", rest);
        }
        let kept = rest.filter(|_| native).map(Kept::of).unwrap_or_default();
        let (prefix, state) = match head {
            PartHead::ToolCall { id, name, kind, .. } => {
                let call_id = call_id(id, native, self.exchange, place);
                (prefix_of(*kind), State::Call { call_id, name: name.clone(), kind: *kind })
            }
            PartHead::Reasoning { origin, redacted, rest } => {
                let is_plain = native && rest.get(PLAIN_REASONING).is_some();
                let (origin, redacted) = (origin.clone(), redacted.clone());
                ("rs", State::Thought { origin, redacted, signature: None, is_plain })
            }
            PartHead::Unknown { raw, .. } => ("item", State::Unknown { raw: raw.clone() }),
            PartHead::Text { .. } => return,
        };
        let id = item_id(&kept, prefix, self.exchange, place);
        let output = Output { part, place, id, kept, open: true, text: String::new(), state };
        self.events.write(out, "response.output_item.added", |event| {
            event.number("output_index", place);
            output.write(native, "in_progress", event.key("item"));
        });
        self.outputs.push(output);
    }

    /// The open item of a part.
    fn output(&mut self, part: u32) -> Option<usize> {
        self.outputs.iter().rposition(|output| output.part == part && output.open)
    }

    /// The parts of items that are open.
    pub(super) fn open_outputs(&self) -> Vec<u32> {
        self.outputs.iter().filter(|output| output.open).map(|output| output.part).collect()
    }

    pub(super) fn arguments(&mut self, part: u32, text: &str, out: &mut Vec<u8>) {
        self.spend(text.len(), out);
        let Some(at) = self.output(part) else { return };
        let output = &mut self.outputs[at];
        let State::Call { kind, .. } = &output.state else { return };
        let name = match kind {
            ToolKind::Custom => "response.custom_tool_call_input.delta",
            ToolKind::Function | ToolKind::LegacyFunction => "response.function_call_arguments.delta",
        };
        self.events.write(out, name, |event| {
            output.at(event);
            event.text("delta", text);
        });
        output.text.push_str(text);
    }

    pub(super) fn reasoning(&mut self, part: u32, text: &str, out: &mut Vec<u8>) {
        self.spend(text.len(), out);
        let Some(at) = self.output(part) else { return };
        let output = &mut self.outputs[at];
        let State::Thought { is_plain, .. } = output.state else { return };
        let (added, delta, kind, index) = names(is_plain);
        if output.text.is_empty() {
            self.events.write(out, added, |event| {
                output.at(event);
                event.number(index, 0);
                write_piece(&mut event.object("part"), kind, "");
            });
        }
        self.events.write(out, delta, |event| {
            output.at(event);
            event.number(index, 0);
            event.text("delta", text);
        });
        output.text.push_str(text);
    }

    pub(super) fn signature(&mut self, part: u32, proof: &str, out: &mut Vec<u8>) {
        self.spend(proof.len(), out);
        if let Some(at) = self.output(part)
            && let State::Thought { signature, .. } = &mut self.outputs[at].state
        {
            *signature = Some(proof.to_owned());
        }
    }

    pub(super) fn unknown_delta(&mut self, part: u32, whole: &Raw, out: &mut Vec<u8>) {
        self.spend(whole.text().len(), out);
        if let Some(at) = self.output(part)
            && let State::Unknown { raw } = &mut self.outputs[at].state
            && self.native
        {
            *raw = whole.clone();
        }
    }

    pub(super) fn output_stop(&mut self, part: u32, status: &str, out: &mut Vec<u8>) {
        let Some(at) = self.output(part) else { return };
        if let State::Call { kind, .. } = &self.outputs[at].state
            && *kind != ToolKind::Custom
            && self.outputs[at].text.is_empty()
            && !self.native
        {
            // Clients parse the arguments, so that none at all are an empty object.
            self.arguments(part, "{}", out);
        }
        let native = self.native;
        let output = &mut self.outputs[at];
        output.open = false;
        match &output.state {
            State::Call { kind, name, .. } => {
                let custom = *kind == ToolKind::Custom;
                let event_name = if custom {
                    "response.custom_tool_call_input.done"
                } else {
                    "response.function_call_arguments.done"
                };
                self.events.write(out, event_name, |event| {
                    output.at(event);
                    if !custom {
                        event.text("name", name);
                    }
                    event.text(if custom { "input" } else { "arguments" }, &output.text);
                });
            }
            State::Thought { is_plain, .. } if !output.text.is_empty() => {
                let (_, _, kind, index) = names(*is_plain);
                let (text_done, part_done) = done_names(*is_plain);
                self.events.write(out, text_done, |event| {
                    output.at(event);
                    event.number(index, 0);
                    event.text("text", &output.text);
                });
                self.events.write(out, part_done, |event| {
                    output.at(event);
                    event.number(index, 0);
                    write_piece(&mut event.object("part"), kind, &output.text);
                });
            }
            State::Thought { .. } | State::Unknown { .. } => {}
        }
        let place = output.place;
        let item = raw_of(|out| output.write(native, status, out));
        output.text = String::new();
        self.done(place, item, out);
    }
}

/// The events that begin and go on with reasoning, the type of its piece, and the member that counts pieces.
const fn names(is_plain: bool) -> (&'static str, &'static str, &'static str, &'static str) {
    if is_plain {
        ("response.content_part.added", "response.reasoning_text.delta", "reasoning_text", "content_index")
    } else {
        (
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "summary_text",
            "summary_index",
        )
    }
}

/// The events that end the words of reasoning and their piece.
const fn done_names(is_plain: bool) -> (&'static str, &'static str) {
    if is_plain {
        ("response.reasoning_text.done", "response.content_part.done")
    } else {
        ("response.reasoning_summary_text.done", "response.reasoning_summary_part.done")
    }
}

#[cfg(test)]
mod tests {
    use pilothouse_core::conversation::Reasoning;

    use super::*;

    #[test]
    fn reasoning_of_another_vendor_is_sealed_with_its_origin() {
        let state = State::Thought {
            origin: Origin::of("anthropic"),
            redacted: None,
            signature: Some("sig".to_owned()),
            is_plain: false,
        };
        let output = Output {
            part: 0,
            place: 0,
            id: "rs_1".to_owned(),
            kept: Kept::default(),
            open: true,
            text: "why".to_owned(),
            state,
        };
        let sealed = output.encrypted(false).unwrap();
        let mut read =
            Reasoning { text: String::new(), signature: None, redacted: None, origin: Origin::of("") };
        super::super::super::super::item::unseal(&sealed, "rs_1", &mut read);
        assert_eq!((&*read.origin.family, read.signature.as_deref()), ("anthropic", Some("sig")));
    }
}
