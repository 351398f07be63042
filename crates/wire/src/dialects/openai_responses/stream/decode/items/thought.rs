//! Reasoning of a stream: the words of a summary, or of the reasoning itself, and its proof at the end.

use pilothouse_core::conversation::{Origin, PartHead, Rest, StreamPart};
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::super::super::item::{PARAGRAPH, PLAIN_REASONING, mark, read_reasoning};
use super::{Event, Items, State};
use crate::json::{Members, Path};

/// Reasoning; its part begins with its first words, as they tell whether they are a summary.
#[derive(Debug)]
pub(super) struct Thought {
    kept: Rest,
    origin: Origin,
    redacted: Option<Box<str>>,
    pub(super) part: Option<u32>,
    is_plain: bool,
    any: bool,
    /// The summary part that the last words belong to.
    summary: u64,
}

impl Thought {
    /// Reads the beginning of an item; what was said of it before comes again.
    pub(super) fn read(members: Members<'_>, family: &str, path: &Path<'_>) -> Result<Self, Error> {
        let (one, mut kept) = read_reasoning(members, family, path)?;
        kept.take(PLAIN_REASONING);
        Ok(Self {
            kept,
            origin: one.origin,
            redacted: one.redacted,
            part: None,
            is_plain: false,
            any: false,
            summary: 0,
        })
    }

    /// Begins the part, numbered `next`; false when it has begun.
    fn open(&mut self, next: u32, is_plain: bool, out: &mut Vec<StreamPart>) -> bool {
        if self.part.is_some() {
            return false;
        }
        self.part = Some(next);
        self.is_plain = is_plain;
        let mut rest = self.kept.clone();
        if is_plain {
            mark(&mut rest, PLAIN_REASONING);
        }
        let head = PartHead::Reasoning { origin: self.origin.clone(), redacted: self.redacted.take(), rest };
        out.push(StreamPart::PartStart { choice: 0, part: next, head });
        true
    }
}

impl Items {
    /// Takes words of reasoning: of a summary, or of the reasoning itself where there is no summary.
    pub(super) fn reasoning(
        &mut self,
        mut event: Event<'_>,
        member: &str,
        is_plain: bool,
        whole: bool,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let text = event.members.needed_text(member, &Path::Root)?;
        let (Some(at), false) = (self.find(event.index), text.is_empty()) else { return Ok(()) };
        self.think(at, event.inner, text, is_plain, whole, out);
        Ok(())
    }

    fn think(
        &mut self,
        at: usize,
        inner: u64,
        text: String,
        is_plain: bool,
        whole: bool,
        out: &mut Vec<StreamPart>,
    ) {
        let next = self.parts;
        let State::Thought(thought) = &mut self.items[at].state else { return };
        if thought.any && (thought.is_plain != is_plain || (whole && thought.summary >= inner)) {
            return;
        }
        if thought.open(next, is_plain, out) {
            self.parts += 1;
        }
        let Some(part) = thought.part else { return };
        let is_next = !is_plain && thought.any && inner > thought.summary;
        thought.any = true;
        thought.summary = inner;
        let text = if is_next { format!("{PARAGRAPH}{text}") } else { text };
        out.push(StreamPart::Reasoning { choice: 0, part, text });
    }

    pub(super) fn finish_thought(
        &mut self,
        at: usize,
        raw: &RawValue,
        family: &str,
        path: &Path<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let (one, rest) = read_reasoning(Members::read(raw, path)?, family, path)?;
        if !one.text.is_empty() && matches!(&self.items[at].state, State::Thought(thought) if !thought.any) {
            self.think(at, 0, one.text, rest.get(PLAIN_REASONING).is_some(), false, out);
        }
        let next = self.parts;
        let State::Thought(thought) = &mut self.items[at].state else { return Ok(()) };
        if thought.part.is_none() && one.redacted.is_some() {
            thought.origin = one.origin;
            thought.redacted = one.redacted;
        }
        if thought.open(next, false, out) {
            self.parts += 1;
        }
        if let (Some(part), Some(signature)) = (thought.part, one.signature) {
            out.push(StreamPart::Signature { choice: 0, part, signature: signature.into() });
        }
        Ok(())
    }
}
