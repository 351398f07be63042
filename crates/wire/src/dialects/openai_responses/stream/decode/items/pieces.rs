//! Messages of a stream: their pieces of content, text with what it cites or a refusal.

use pilothouse_core::conversation::{ExtraAt, PartHead, Raw, Rest, StreamPart};
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::super::super::answer::decode::with_item;
use super::super::super::super::content::{count_chars, read_annotation};
use super::{Event, ITEMS_MAX, Items, State, push_logprobs};
use crate::json::{Members, Path};

/// A piece of a message's content.
#[derive(Debug)]
pub(super) struct Piece {
    index: u64,
    /// Its part; `None` for a refusal, which is none.
    pub(super) part: Option<u32>,
    /// Where it begins in the answer's text.
    start: u64,
    any: bool,
    annotations: usize,
    pub(super) open: bool,
}

impl Items {
    /// The message at a place; one is begun where the server left its beginning out.
    fn message(&mut self, index: u64) -> Result<usize, Error> {
        match self.find(index) {
            Some(at) => Ok(at),
            None => self.push(index, State::Message { kept: Rest::default(), pieces: Vec::new() }),
        }
    }

    /// The open piece of content at a place, begun if need be; `None` where the item is no message.
    fn piece(
        &mut self,
        index: u64,
        inner: u64,
        rest: Rest,
        out: &mut Vec<StreamPart>,
    ) -> Result<Option<&mut Piece>, Error> {
        let at = self.message(index)?;
        let (start, next) = (self.chars, self.parts);
        let State::Message { kept, pieces } = &mut self.items[at].state else { return Ok(None) };
        let place = match pieces.iter().rposition(|piece| piece.index == inner) {
            Some(place) => place,
            None if pieces.len() == ITEMS_MAX => {
                return Err(Path::Root.member("content_index").wrong("one of at most 1024 pieces"));
            }
            None => {
                let head = PartHead::Text { rest: with_item(kept, rest) };
                out.push(StreamPart::PartStart { choice: 0, part: next, head });
                self.parts += 1;
                let part = Some(next);
                pieces.push(Piece { index: inner, part, start, any: false, annotations: 0, open: true });
                pieces.len() - 1
            }
        };
        Ok(Some(&mut pieces[place]))
    }

    pub(super) fn piece_added(
        &mut self,
        mut event: Event<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let root = Path::Root;
        let Some(mut piece) = event.members.object("part", &root)? else { return Ok(()) };
        match piece.text("type", &root.member("part"))?.as_deref() {
            Some("output_text") => {
                for known in ["text", "annotations", "logprobs"] {
                    piece.take(known);
                }
                self.piece(event.index, event.inner, piece.rest(), out)?;
                Ok(())
            }
            Some("refusal") => self.refusal_piece(event.index, event.inner, out).map(|_| ()),
            // Reasoning says so by its deltas; what else there may be, the item tells when it is done.
            _ => Ok(()),
        }
    }

    pub(super) fn text(&mut self, mut event: Event<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        let text = event.members.needed_text("delta", &root)?;
        let tokens = event.members.array("logprobs", &root)?.unwrap_or_default();
        self.say(event.index, event.inner, text, out)?;
        push_logprobs(&tokens.into_iter().map(Raw::from).collect::<Vec<_>>(), out);
        Ok(())
    }

    fn say(&mut self, index: u64, inner: u64, text: String, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let chars = count_chars(&text);
        let Some(piece) = self.piece(index, inner, Rest::default(), out)? else { return Ok(()) };
        if let (Some(part), true, false) = (piece.part, piece.open, text.is_empty()) {
            piece.any = true;
            out.push(StreamPart::Text { choice: 0, part, text });
            self.chars += chars;
        }
        Ok(())
    }

    /// Takes the whole of a piece's text where no part of it has come.
    pub(super) fn text_done(
        &mut self,
        mut event: Event<'_>,
        member: &str,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let Some(text) = event.members.text(member, &Path::Root)? else { return Ok(()) };
        self.say_whole(event.index, event.inner, text, member == "refusal", out)
    }

    fn say_whole(
        &mut self,
        index: u64,
        inner: u64,
        text: String,
        refused: bool,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        if refused {
            let any = self.refusal_piece(index, inner, out)?.is_none_or(|piece| piece.any);
            return if any { Ok(()) } else { self.refuse(index, inner, text, out) };
        }
        let any = self.piece(index, inner, Rest::default(), out)?.is_none_or(|piece| piece.any);
        if any { Ok(()) } else { self.say(index, inner, text, out) }
    }

    pub(super) fn piece_done(
        &mut self,
        mut event: Event<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        if let Some(raw) = event.members.take("part") {
            self.finish_piece(event.index, event.inner, raw, &Path::Root.member("part"), out)?;
        }
        Ok(())
    }

    /// Adds what a finished piece of content says beyond what has come, and closes it.
    pub(super) fn finish_piece(
        &mut self,
        index: u64,
        inner: u64,
        raw: &RawValue,
        path: &Path<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        // A piece that only a later version can read is passed over, here as in a whole answer.
        let Ok(mut members) = Members::read(raw, path) else { return Ok(()) };
        match members.text("type", path).unwrap_or_default().as_deref() {
            Some("output_text") => {}
            Some("refusal") => {
                let text = members.text("refusal", path)?.unwrap_or_default();
                return self.say_whole(index, inner, text, true, out);
            }
            _ => return Ok(()),
        }
        let text = members.text("text", path)?.unwrap_or_default();
        let annotations = members.array("annotations", path)?.unwrap_or_default();
        members.take("logprobs");
        self.piece(index, inner, members.rest(), out)?;
        self.say_whole(index, inner, text, false, out)?;
        let Some(piece) = self.piece(index, inner, Rest::default(), out)? else { return Ok(()) };
        let Some(part) = piece.part.filter(|_| piece.open) else { return Ok(()) };
        for raw in annotations.into_iter().skip(piece.annotations) {
            out.push(StreamPart::Annotation {
                choice: 0,
                part,
                annotation: read_annotation(raw, piece.start),
            });
        }
        piece.open = false;
        out.push(StreamPart::PartStop { choice: 0, part });
        Ok(())
    }

    pub(super) fn annotation(
        &mut self,
        mut event: Event<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let Some(raw) = event.members.take("annotation") else { return Ok(()) };
        let Some(piece) = self.piece(event.index, event.inner, Rest::default(), out)? else { return Ok(()) };
        if let (Some(part), true) = (piece.part, piece.open) {
            piece.annotations += 1;
            let annotation = read_annotation(raw, piece.start);
            out.push(StreamPart::Annotation { choice: 0, part, annotation });
        }
        Ok(())
    }

    /// The piece of content that is a refusal.
    fn refusal_piece(
        &mut self,
        index: u64,
        inner: u64,
        out: &mut Vec<StreamPart>,
    ) -> Result<Option<&mut Piece>, Error> {
        let at = self.message(index)?;
        let State::Message { kept, pieces } = &mut self.items[at].state else { return Ok(None) };
        let place = match pieces.iter().rposition(|piece| piece.index == inner) {
            Some(place) => place,
            None if pieces.len() == ITEMS_MAX => {
                return Err(Path::Root.member("content_index").wrong("one of at most 1024 pieces"));
            }
            None => {
                if !kept.is_empty() {
                    out.push(StreamPart::Extra { choice: 0, at: ExtraAt::Message, rest: kept.clone() });
                }
                pieces.push(Piece {
                    index: inner,
                    part: None,
                    start: 0,
                    any: false,
                    annotations: 0,
                    open: true,
                });
                pieces.len() - 1
            }
        };
        Ok(Some(&mut pieces[place]))
    }

    pub(super) fn refusal(&mut self, mut event: Event<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let text = event.members.needed_text("delta", &Path::Root)?;
        self.refuse(event.index, event.inner, text, out)
    }

    fn refuse(
        &mut self,
        index: u64,
        inner: u64,
        text: String,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        if let Some(piece) = self.refusal_piece(index, inner, out)? {
            piece.any = true;
            self.has_refused = true;
            out.push(StreamPart::Refusal { choice: 0, text });
        }
        Ok(())
    }
}
