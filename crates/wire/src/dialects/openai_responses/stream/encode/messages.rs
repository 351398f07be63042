//! Messages of a stream: text in pieces, what it cites, refusals.

use pilothouse_core::conversation::{Annotation, Raw, Rest};

use super::super::super::content::count_chars;
use super::super::super::item::Kept;
use super::super::super::item::write::{Text, annotation, item_id, refusal, write_list, write_message};
use super::super::super::{COMPLETED, INCOMPLETE, raw_of};
use super::Encoder;
use crate::json::Object;

/// A message that has begun.
#[derive(Debug)]
pub(super) struct Message {
    place: usize,
    id: String,
    kept: Kept,
    /// Pieces that have ended, as they are written.
    content: Vec<Vec<u8>>,
    open: Option<Piece>,
}

/// The piece of content that is open: text of a part, or a refusal.
#[derive(Debug)]
struct Piece {
    part: Option<u32>,
    text: Text,
    /// Where it begins in the answer's text.
    start: u64,
    /// Citations that wait for the end of the piece, as they cite all of it.
    waiting: Vec<Annotation>,
}

impl Message {
    /// Writes where a piece of content is.
    fn at(&self, event: &mut Object<'_>) {
        event.text("item_id", &self.id);
        event.number("output_index", self.place);
        event.number("content_index", self.content.len());
    }
}

impl Encoder {
    /// The message that content of an item joins; begins it if need be.
    fn message(&mut self, kept: Kept, out: &mut Vec<u8>) {
        let kept = if self.native { kept } else { Kept::default() };
        if self.message.as_ref().is_some_and(|message| message.kept.id == kept.id) {
            return self.close_piece(out);
        }
        self.close_message(false, out);
        let place = self.place();
        let id = item_id(&kept, "msg", self.exchange, place);
        self.events.write(out, "response.output_item.added", |event| {
            event.number("output_index", place);
            write_message(&mut event.object("item"), &id, "in_progress", &kept.rest, &[]);
        });
        self.message = Some(Message { place, id, kept, content: Vec::new(), open: None });
    }

    pub(super) fn text_start(&mut self, part: u32, rest: &Rest, out: &mut Vec<u8>) {
        self.message(Kept::of(rest), out);
        if !self.native {
            self.losses.drop_rest("answer.", rest);
        }
        let rest = if self.native { rest.clone() } else { Rest::default() };
        let text = Text { rest, ..Text::default() };
        let (Some(message), start) = (&mut self.message, self.chars) else { return };
        self.events.write(out, "response.content_part.added", |event| {
            message.at(event);
            text.write(&mut event.object("part"));
        });
        message.open = Some(Piece { part: Some(part), text, start, waiting: Vec::new() });
    }

    /// Whether the open piece is the text of a part.
    fn is_open(&self, part: u32) -> bool {
        let piece = self.message.as_ref().and_then(|message| message.open.as_ref());
        piece.is_some_and(|piece| piece.part == Some(part))
    }

    pub(super) fn text(&mut self, part: u32, text: &str, out: &mut Vec<u8>) {
        if !self.is_open(part) {
            return;
        }
        self.spend(text.len(), out);
        self.chars += count_chars(text);
        let Some(message) = &mut self.message else { return };
        self.events.write(out, "response.output_text.delta", |event| {
            message.at(event);
            event.text("delta", text);
            drop(event.array("logprobs"));
        });
        if let Some(piece) = &mut message.open {
            piece.text.text.push_str(text);
        }
    }

    /// Writes probabilities of tokens whose text has been written: a piece of no text that carries them.
    pub(super) fn logprobs(&mut self, tokens: &[Raw], out: &mut Vec<u8>) {
        self.spend(tokens.iter().map(|token| token.text().len()).sum(), out);
        let Some(message) = &mut self.message else {
            return self.losses.drop("logprobs", "token probabilities without text");
        };
        if message.open.as_ref().is_none_or(|piece| piece.part.is_none()) {
            return self.losses.drop("logprobs", "token probabilities without text");
        }
        self.events.write(out, "response.output_text.delta", |event| {
            message.at(event);
            event.text("delta", "");
            write_list(event, "logprobs", tokens);
        });
        if let Some(piece) = &mut message.open {
            piece.text.logprobs.extend_from_slice(tokens);
        }
    }

    pub(super) fn annotation(&mut self, part: u32, one: &Annotation, out: &mut Vec<u8>) {
        if !self.is_open(part) {
            return;
        }
        self.spend(one.raw.text().len(), out);
        let Some(piece) = self.message.as_mut().and_then(|message| message.open.as_mut()) else { return };
        if one.span.is_none() && !self.native {
            piece.waiting.push(one.clone());
            return;
        }
        let written = annotation(one, piece.start, 0, &mut self.losses);
        if let Some(raw) = written {
            self.cite(raw, out);
        }
    }

    fn cite(&mut self, raw: Raw, out: &mut Vec<u8>) {
        let Some(message) = &mut self.message else { return };
        let index = message.open.as_ref().map_or(0, |piece| piece.text.annotations.len());
        self.events.write(out, "response.output_text.annotation.added", |event| {
            message.at(event);
            event.number("annotation_index", index);
            event.raw("annotation", &raw);
        });
        if let Some(piece) = &mut message.open {
            piece.text.annotations.push(raw);
        }
    }

    pub(super) fn text_stop(&mut self, part: u32, out: &mut Vec<u8>) {
        if self.is_open(part) {
            self.close_piece(out);
        }
    }

    /// Ends the piece that is open.
    fn close_piece(&mut self, out: &mut Vec<u8>) {
        let open = self.message.as_mut().and_then(|message| message.open.as_mut());
        let Some(piece) = open else { return };
        let (start, length) = (piece.start, count_chars(&piece.text.text));
        for one in std::mem::take(&mut piece.waiting) {
            if let Some(raw) = annotation(&one, start, length, &mut self.losses) {
                self.cite(raw, out);
            }
        }
        let Some(message) = &mut self.message else { return };
        let Some(piece) = message.open.take() else { return };
        let mut written = Vec::with_capacity(piece.text.text.len() + 64);
        if piece.part.is_some() {
            piece.text.write(&mut Object::new(&mut written));
            self.events.write(out, "response.output_text.done", |event| {
                message.at(event);
                event.text("text", &piece.text.text);
                write_list(event, "logprobs", &piece.text.logprobs);
            });
        } else {
            written = refusal(&piece.text.text);
            self.events.write(out, "response.refusal.done", |event| {
                message.at(event);
                event.text("refusal", &piece.text.text);
            });
        }
        self.events.write(out, "response.content_part.done", |event| {
            message.at(event);
            event.key("part").extend_from_slice(&written);
        });
        message.content.push(written);
    }

    pub(super) fn refuse(&mut self, words: &str, out: &mut Vec<u8>) {
        self.has_refused = true;
        self.spend(words.len(), out);
        let is_open = self
            .message
            .as_ref()
            .and_then(|message| message.open.as_ref())
            .is_some_and(|piece| piece.part.is_none());
        if !is_open {
            self.message(self.refusal_item.clone(), out);
            let Some(message) = &mut self.message else { return };
            self.events.write(out, "response.content_part.added", |event| {
                message.at(event);
                event.key("part").extend_from_slice(&refusal(""));
            });
            message.open = Some(Piece { part: None, text: Text::default(), start: 0, waiting: Vec::new() });
        }
        let Some(message) = &mut self.message else { return };
        self.events.write(out, "response.refusal.delta", |event| {
            message.at(event);
            event.text("delta", words);
        });
        if let Some(piece) = &mut message.open {
            piece.text.text.push_str(words);
        }
    }

    /// Ends the message that is open.
    pub(super) fn close_message(&mut self, is_cut: bool, out: &mut Vec<u8>) {
        self.close_piece(out);
        let Some(message) = self.message.take() else { return };
        let status = if is_cut && message.place + 1 == self.items.len() { INCOMPLETE } else { COMPLETED };
        let item = raw_of(|out| {
            let mut item = Object::new(out);
            write_message(&mut item, &message.id, status, &message.kept.rest, &message.content);
        });
        self.done(message.place, item, out);
    }

    /// Writes that an item has ended, and keeps it for the end.
    pub(super) fn done(&mut self, place: usize, item: Option<Raw>, out: &mut Vec<u8>) {
        let Some(item) = item else { return };
        self.events.write(out, "response.output_item.done", |event| {
            event.number("output_index", place);
            event.raw("item", &item);
        });
        self.items[place] = Some(item);
    }
}
