//! Writes a Responses stream.
//!
//! Every item begins and ends with an event of its own and so does every piece of its content; the last event
//! repeats the whole response, so that what was written is kept until then, up to [`OUTPUT_MAX`].

mod messages;
mod outputs;

use pilothouse_core::conversation::{ExtraAt, PartHead, Raw, Rest, StreamPart, UsageReport};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::{Finish, Note};
use pilothouse_core::id::ExchangeId;

use super::super::answer::encode::{answer_id, tokens_of};
use super::super::envelope::{Envelope, Status};
use super::super::item::Kept;
use super::super::{COMPLETED, error, note_finish, word_of_finish};
use crate::codec::{AnswerContext, LATE_TIER, Losses, StreamEncoder, VendorError};
use crate::dialects::openai_chat::answer::REFUSED;
use crate::dialects::openai_chat::tier_of_answer;
use crate::json::{Object, as_text, reread};
use messages::Message;
use outputs::Output;

/// The most bytes of one answer that are kept for its last event.
const OUTPUT_MAX: usize = 32 * 1024 * 1024;

/// Writes one stream.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    exchange: ExchangeId,
    created: u64,
    id: String,
    model: String,
    tier: Option<String>,
    native: bool,
    rest: Rest,
    /// What the client's request said.
    echoed: Rest,
    events: Events,
    /// Items that have ended, by their place; a hole where one is still open.
    items: Vec<Option<Raw>>,
    /// Items that are no messages and have begun.
    outputs: Vec<Output>,
    /// The message that content joins.
    message: Option<Message>,
    /// Characters of text so far.
    chars: u64,
    /// What the item is that the next words of a refusal stand in.
    refusal_item: Kept,
    has_refused: bool,
    bytes: usize,
    usage: Option<UsageReport>,
    finish: Option<(Finish, Box<str>)>,
    losses: Losses,
    ended: bool,
}

/// The events that were written, counted.
#[derive(Debug, Default)]
struct Events(u64);

impl Events {
    /// Writes one event: its name, and data that begins with the name as its type.
    fn write(&mut self, out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Object<'_>)) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        {
            let mut data = Object::new(out);
            data.text("type", name);
            data.number("sequence_number", self.0);
            write(&mut data);
        }
        out.extend_from_slice(b"\n\n");
        self.0 += 1;
    }
}

impl Encoder {
    pub(in super::super) fn new(context: &AnswerContext<'_>) -> Self {
        Self {
            exchange: context.exchange,
            created: context.created,
            id: answer_id("", false, context.exchange),
            model: context.model.to_owned(),
            tier: None,
            native: true,
            rest: Rest::default(),
            echoed: context.echoed.cloned().unwrap_or_default(),
            events: Events::default(),
            items: Vec::new(),
            outputs: Vec::new(),
            message: None,
            chars: 0,
            refusal_item: Kept::default(),
            has_refused: false,
            bytes: 0,
            usage: None,
            finish: None,
            losses: Losses::default(),
            ended: false,
        }
    }

    fn start(&mut self, part: &StreamPart, out: &mut Vec<u8>) {
        let StreamPart::Start { dialect, id, model, created, service_tier, rest, .. } = part else { return };
        self.native = *dialect == Dialect::OpenaiResponses;
        self.id = answer_id(id, self.native, self.exchange);
        if !model.is_empty() {
            self.model.clone_from(model);
        }
        self.created = created.unwrap_or(self.created);
        if let Some(tier) = service_tier.as_deref() {
            self.tier = tier_of_answer(*dialect, tier).map(str::to_owned);
            if self.tier.is_none() {
                self.losses.drop("service_tier", tier);
            }
        }
        if self.native {
            self.rest = rest.clone();
        } else {
            self.losses.drop_rest("answer.", rest);
        }
        for name in ["response.created", "response.in_progress"] {
            self.response(name, Status::InProgress, out);
        }
    }

    /// Writes an event that holds the whole response as far as it is.
    fn response(&mut self, name: &str, status: Status<'_>, out: &mut Vec<u8>) {
        let items: Vec<Raw> = match status {
            Status::InProgress => Vec::new(),
            Status::Ended(_) => self.items.iter().flatten().cloned().collect(),
        };
        let envelope = Envelope {
            id: &self.id,
            model: &self.model,
            created: self.created,
            status,
            output: &items,
            usage: self.usage.as_ref().filter(|_| status != Status::InProgress),
            service_tier: self.tier.as_deref(),
            native: self.native,
            rest: &self.rest,
            echoed: Some(&self.echoed),
        };
        self.events.write(out, name, |event| envelope.write(&mut event.object("response")));
    }

    /// Takes a place for an item.
    fn place(&mut self) -> usize {
        self.items.push(None);
        self.items.len() - 1
    }

    /// Counts bytes that are kept; an answer that grows beyond all bounds ends in an error.
    fn spend(&mut self, bytes: usize, out: &mut Vec<u8>) {
        self.bytes += bytes;
        if self.bytes > OUTPUT_MAX && !self.ended {
            self.ended = true;
            let public = "the answer exceeds 32 MiB, more than its last event can repeat; ask for less";
            let broken = VendorError::from(&Error::new(Kind::BadAnswer, public));
            out.extend_from_slice(&error::encode_event(&broken));
        }
    }

    fn part_start(&mut self, part: u32, head: &PartHead, out: &mut Vec<u8>) {
        self.spend(64, out);
        match head {
            PartHead::Text { rest } => self.text_start(part, rest, out),
            PartHead::Unknown { kind, .. } if !self.native => {
                self.losses.drop(kind, "a part that only its own dialect knows");
            }
            head => {
                self.close_message(false, out);
                self.output_start(part, head, out);
            }
        }
    }

    fn extra(&mut self, at: ExtraAt, rest: &Rest) {
        if !self.native {
            return self.losses.drop_rest("answer.", rest);
        }
        match at {
            ExtraAt::Message => self.refusal_item = Kept::of(rest),
            ExtraAt::Answer | ExtraAt::Choice => {
                let mut rest = rest.clone();
                if let Some(tier) = rest.take(LATE_TIER).as_ref().and_then(reread).and_then(as_text) {
                    self.tier = Some(tier);
                }
                for (name, value) in rest.iter() {
                    self.rest.take(name);
                    self.rest.push(name, value.clone());
                }
            }
        }
    }

    /// Writes an event that only this dialect knows, as it came but for its number.
    fn unknown_event(&mut self, name: &str, raw: &Raw, out: &mut Vec<u8>) {
        let Some(mut members) =
            super::super::kept(raw).filter(|_| self.native && !name.contains(['\n', '\r']))
        else {
            return self.losses.drop(&format!("event.{name}"), "an event that only its own dialect knows");
        };
        members.take("type");
        members.take("sequence_number");
        self.events.write(out, name, |event| event.rest(&members.rest()));
    }

    fn finish(&mut self, finish: Finish, word: &str, rest: &Rest) {
        if !self.native {
            note_finish(finish, &mut self.losses);
            let mut rest = rest.clone();
            // Has become the refusal.
            rest.take("stop_details");
            self.losses.drop_rest("answer.", &rest);
        }
        let word = if self.native { word } else { word_of_finish(finish) };
        self.finish = Some((finish, word.into()));
    }
}

impl StreamEncoder for Encoder {
    fn part(&mut self, part: &StreamPart, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        if choice_of(part) > 0 {
            return self.losses.drop("choices", "only the first of several answers fits");
        }
        match part {
            StreamPart::Start { .. } => self.start(part, out),
            StreamPart::PartStart { part, head, .. } => self.part_start(*part, head, out),
            StreamPart::Text { part, text, .. } => self.text(*part, text, out),
            StreamPart::Reasoning { part, text, .. } => self.reasoning(*part, text, out),
            StreamPart::Signature { part, signature, .. } => self.signature(*part, signature, out),
            StreamPart::Arguments { part, text, .. } => self.arguments(*part, text, out),
            StreamPart::Annotation { part, annotation, .. } => self.annotation(*part, annotation, out),
            StreamPart::UnknownDelta { part, raw, .. } => self.unknown_delta(*part, raw, out),
            StreamPart::PartStop { part, .. } => {
                self.text_stop(*part, out);
                self.output_stop(*part, COMPLETED, out);
            }
            StreamPart::Refusal { text, .. } => self.refuse(text, out),
            StreamPart::Logprobs { raw, .. } => self.logprobs(&tokens_of(Some(raw)), out),
            StreamPart::Finish { finish, word, rest, .. } => self.finish(*finish, word, rest),
            StreamPart::Usage(usage) => self.usage = Some(usage.clone()),
            StreamPart::Extra { at, rest, .. } => self.extra(*at, rest),
            StreamPart::UnknownEvent { name, raw } => self.unknown_event(name, raw, out),
            StreamPart::Ping => {}
            StreamPart::End => self.end(out),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        let (finish, word) = self.finish.take().unwrap_or((Finish::Stop, COMPLETED.into()));
        if finish == Finish::Refusal && !self.has_refused {
            self.refuse(REFUSED, out);
        }
        let is_whole = &*word == COMPLETED;
        // What no one stopped is stopped here, so that every item that began also ends.
        for part in self.open_outputs() {
            self.output_stop(part, if is_whole { COMPLETED } else { super::super::INCOMPLETE }, out);
        }
        self.close_message(!is_whole, out);
        let status = Status::Ended(&word);
        let name = format!("response.{}", status.word());
        self.response(&name, status, out);
        self.ended = true;
    }

    fn losses(&self) -> Vec<Note> {
        self.losses.notes()
    }
}

/// The choice that a step belongs to.
fn choice_of(part: &StreamPart) -> u32 {
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
