//! The items of a stream while they are written: which parts they have become, and what of them was said.

mod pieces;
mod thought;
mod whole;

use pilothouse_core::conversation::{PartHead, Raw, Rest, StreamPart, ToolKind};
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::super::answer::decode::logprobs;
use super::super::super::item::{keep, kind_of_call, read_call};
use crate::json::{Members, Path, items};
use pieces::Piece;
use thought::Thought;

/// More items, or more pieces of content in one, than this are a broken vendor.
const ITEMS_MAX: usize = 1024;

/// All items so far.
#[derive(Debug, Default)]
pub(super) struct Items {
    items: Vec<Item>,
    /// Parts so far.
    parts: u32,
    /// Characters of text so far.
    chars: u64,
    pub(super) has_called: bool,
    pub(super) has_refused: bool,
}

#[derive(Debug)]
struct Item {
    index: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Message { kept: Rest, pieces: Vec<Piece> },
    Call { part: u32, any: bool },
    Thought(Thought),
    Unknown { part: u32 },
    Done,
}

/// An event's place and what it brings.
struct Event<'a> {
    index: u64,
    inner: u64,
    members: Members<'a>,
}

impl Items {
    /// Reads an event of an item.
    pub(super) fn event(
        &mut self,
        kind: &str,
        mut members: Members<'_>,
        data: &[u8],
        family: &str,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let root = Path::Root;
        let index = members.count("output_index", &root)?.unwrap_or(0);
        let inner = match members.count("content_index", &root)? {
            Some(inner) => inner,
            None => members.count("summary_index", &root)?.unwrap_or(0),
        };
        let mut event = Event { index, inner, members };
        match kind {
            "response.output_item.added" => self.added(event, family, out),
            "response.output_item.done" => self.done(event, family, out),
            "response.content_part.added" => self.piece_added(event, out),
            "response.content_part.done" => self.piece_done(event, out),
            "response.output_text.delta" => self.text(event, out),
            "response.output_text.done" => self.text_done(event, "text", out),
            "response.output_text.annotation.added" => self.annotation(event, out),
            "response.refusal.delta" => self.refusal(event, out),
            "response.refusal.done" => self.text_done(event, "refusal", out),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                let text = event.members.needed_text("delta", &root)?;
                self.arguments(index, text, false, out);
                Ok(())
            }
            "response.function_call_arguments.done" => self.arguments_done(event, "arguments", out),
            "response.custom_tool_call_input.done" => self.arguments_done(event, "input", out),
            "response.reasoning_summary_text.delta" => self.reasoning(event, "delta", false, false, out),
            "response.reasoning_summary_text.done" => self.reasoning(event, "text", false, true, out),
            "response.reasoning_text.delta" => self.reasoning(event, "delta", true, false, out),
            "response.reasoning_text.done" => self.reasoning(event, "text", true, true, out),
            "response.reasoning_summary_part.added" | "response.reasoning_summary_part.done" => Ok(()),
            _ => {
                if let Some(raw) = std::str::from_utf8(data).ok().and_then(Raw::parse) {
                    out.push(StreamPart::UnknownEvent { name: kind.into(), raw });
                }
                Ok(())
            }
        }
    }

    fn start(&mut self, head: PartHead, out: &mut Vec<StreamPart>) -> u32 {
        let part = self.parts;
        self.parts += 1;
        out.push(StreamPart::PartStart { choice: 0, part, head });
        part
    }

    fn find(&self, index: u64) -> Option<usize> {
        self.items.iter().rposition(|item| item.index == index && !matches!(item.state, State::Done))
    }

    fn push(&mut self, index: u64, state: State) -> Result<usize, Error> {
        if self.items.len() == ITEMS_MAX {
            return Err(Path::Root.member("output_index").wrong("one of at most 1024 items"));
        }
        self.items.push(Item { index, state });
        Ok(self.items.len() - 1)
    }

    fn added(&mut self, mut event: Event<'_>, family: &str, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        let path = root.member("item");
        let raw = event.members.take("item").ok_or_else(|| root.missing("item"))?;
        let mut members = Members::read(raw, &path)?;
        let kind = members.needed_text("type", &path)?;
        let state = if let Some(tool) = kind_of_call(&kind) {
            self.call_added(members, tool, &path, out)?
        } else {
            match kind.as_str() {
                "message" => {
                    for known in ["role", "status", "content"] {
                        members.take(known);
                    }
                    State::Message { kept: keep(members), pieces: Vec::new() }
                }
                "reasoning" => {
                    members.take("status");
                    State::Thought(Thought::read(members, family, &path)?)
                }
                _ => {
                    let head = PartHead::Unknown { kind: kind.into(), raw: raw.into() };
                    State::Unknown { part: self.start(head, out) }
                }
            }
        };
        self.push(event.index, state)?;
        Ok(())
    }

    fn call_added(
        &mut self,
        mut members: Members<'_>,
        tool: ToolKind,
        path: &Path<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<State, Error> {
        self.has_called = true;
        members.take("status");
        let call = read_call(&mut members, tool, path)?;
        let head = PartHead::ToolCall { id: call.id, name: call.name, kind: tool, rest: keep(members) };
        Ok(State::Call { part: self.start(head, out), any: false })
    }

    fn arguments(&mut self, index: u64, text: String, whole: bool, out: &mut Vec<StreamPart>) {
        if let Some(at) = self.find(index)
            && let State::Call { part, any } = &mut self.items[at].state
            && !text.is_empty()
            && !(whole && *any)
        {
            *any = true;
            out.push(StreamPart::Arguments { choice: 0, part: *part, text });
        }
    }

    fn arguments_done(
        &mut self,
        mut event: Event<'_>,
        member: &str,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let text = event.members.text(member, &Path::Root)?.unwrap_or_default();
        self.arguments(event.index, text, true, out);
        Ok(())
    }

    fn done(&mut self, mut event: Event<'_>, family: &str, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        let path = root.member("item");
        let raw = event.members.take("item").ok_or_else(|| root.missing("item"))?;
        let Some(at) = self.find(event.index) else {
            self.push(event.index, State::Done)?;
            return self.whole(raw, family, &path, out);
        };
        self.finish_item(at, raw, family, &path, out)
    }

    fn finish_item(
        &mut self,
        at: usize,
        raw: &RawValue,
        family: &str,
        path: &Path<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let index = self.items[at].index;
        match &self.items[at].state {
            State::Message { .. } => {
                let mut members = Members::read(raw, path)?;
                let content = path.member("content");
                let pieces = members.array("content", path).unwrap_or_default().unwrap_or_default();
                for (inner, piece) in pieces.into_iter().enumerate() {
                    self.finish_piece(index, inner as u64, piece, &content.item(inner), out)?;
                }
            }
            State::Call { .. } => {
                let mut members = Members::read(raw, path)?;
                for member in ["arguments", "input"] {
                    let text = members.text(member, path)?.unwrap_or_default();
                    self.arguments(index, text, true, out);
                }
            }
            State::Thought(_) => self.finish_thought(at, raw, family, path, out)?,
            State::Unknown { part } => {
                out.push(StreamPart::UnknownDelta { choice: 0, part: *part, raw: raw.into() });
            }
            State::Done => {}
        }
        self.close(at, out);
        Ok(())
    }

    /// Ends the parts of an item that are open.
    fn close(&mut self, at: usize, out: &mut Vec<StreamPart>) {
        let mut stop = |part| out.push(StreamPart::PartStop { choice: 0, part });
        match std::mem::replace(&mut self.items[at].state, State::Done) {
            State::Message { pieces, .. } => {
                pieces.iter().filter(|piece| piece.open).filter_map(|piece| piece.part).for_each(stop);
            }
            State::Call { part, .. } | State::Unknown { part } => stop(part),
            State::Thought(thought) => thought.part.into_iter().for_each(stop),
            State::Done => {}
        }
    }

    /// The response has ended: closes what is open, and reads what came with the end only.
    pub(super) fn end(
        &mut self,
        output: Option<&RawValue>,
        family: &str,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        if let (true, Some(output)) = (self.items.is_empty(), output) {
            let root = Path::Root;
            let path = root.member("output");
            for (at, raw) in items(output, &path)?.into_iter().enumerate() {
                self.whole(raw, family, &path.item(at), out)?;
            }
        }
        for at in 0..self.items.len() {
            self.close(at, out);
        }
        Ok(())
    }
}

fn push_logprobs(tokens: &[Raw], out: &mut Vec<StreamPart>) {
    if let Some(raw) = logprobs(tokens) {
        out.push(StreamPart::Logprobs { choice: 0, raw });
    }
}
