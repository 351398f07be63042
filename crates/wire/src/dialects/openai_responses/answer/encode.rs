//! Writes a whole answer of Responses.

use pilothouse_core::conversation::{
    Answer, Choice, Content, Part, Raw, Reasoning, Rest, ToolCall, ToolKind,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Finish;
use pilothouse_core::id::ExchangeId;

use super::super::content::count_chars;
use super::super::envelope::{Envelope, Status};
use super::super::item::write::{Call, Text, Thought, annotation, item_id, refusal, write_message};
use super::super::item::{Kept, PLAIN_REASONING, seal, split_signature};
use super::super::{COMPLETED, INCOMPLETE, kept, note_finish, raw_of, word_of_finish};
use crate::codec::{AnswerContext, Losses};
use crate::dialects::openai_chat::answer::REFUSED;
use crate::dialects::openai_chat::tier_of_answer;
use crate::json::{Object, Path, as_text};

pub(in super::super) fn encode(answer: &Answer, context: &AnswerContext<'_>, losses: &mut Losses) -> Vec<u8> {
    let native = answer.dialect == Dialect::OpenaiResponses;
    if answer.choices.len() > 1 {
        losses.drop("choices", "only the first of several answers fits");
    }
    let nothing = Choice::default();
    let choice = answer.choices.first().unwrap_or(&nothing);
    let word = word(choice, native, losses);
    let mut writer = Writer {
        native,
        exchange: context.exchange,
        is_whole: &*word == COMPLETED,
        items: Vec::new(),
        open: None,
        tokens: tokens_of(choice.logprobs.as_ref()),
        chars: 0,
        losses,
    };
    writer.choice(choice);
    let items = writer.items;
    let tier = answer.service_tier.as_deref();
    let given = tier.and_then(|tier| tier_of_answer(answer.dialect, tier));
    if let (Some(tier), None) = (tier, given) {
        losses.drop("service_tier", tier);
    }
    let id = answer_id(&answer.id, native, context.exchange);
    let envelope = Envelope {
        id: &id,
        model: if answer.model.is_empty() { context.model } else { &answer.model },
        created: answer.created.unwrap_or(context.created),
        status: Status::Ended(&word),
        output: &items,
        usage: answer.usage.as_ref(),
        service_tier: given,
        native,
        rest: &answer.rest,
        echoed: context.echoed,
    };
    let mut out = Vec::with_capacity(1024);
    envelope.write(&mut Object::new(&mut out));
    if !native {
        note_rest(answer, choice, losses);
    }
    out
}

/// The vendor's id where it is one of this dialect, else one made from the exchange.
pub(in super::super) fn answer_id(id: &str, native: bool, exchange: ExchangeId) -> String {
    if native && !id.is_empty() { id.to_owned() } else { format!("resp_{exchange}") }
}

fn word(choice: &Choice, native: bool, losses: &mut Losses) -> Box<str> {
    match (&choice.finish_word, choice.finish) {
        (Some(word), _) if native => word.clone(),
        (_, Some(finish)) => {
            note_finish(finish, losses);
            word_of_finish(finish).into()
        }
        (_, None) => COMPLETED.into(),
    }
}

fn note_rest(answer: &Answer, choice: &Choice, losses: &mut Losses) {
    losses.drop_rest("answer.", &answer.rest);
    losses.drop_rest("answer.", &choice.message_rest);
    let mut rest = choice.rest.clone();
    // Has become the refusal.
    rest.take("stop_details");
    losses.drop_rest("answer.", &rest);
}

/// The tokens of chat completions' probabilities.
pub(in super::super) fn tokens_of(logprobs: Option<&Raw>) -> Vec<Raw> {
    let list = logprobs
        .and_then(kept)
        .and_then(|mut both| both.array("content", &Path::Root).ok().flatten())
        .unwrap_or_default();
    list.into_iter().map(Raw::from).collect()
}

/// A message that more content may still join.
struct Open {
    kept: Kept,
    content: Vec<Vec<u8>>,
}

struct Writer<'a> {
    native: bool,
    exchange: ExchangeId,
    is_whole: bool,
    items: Vec<Raw>,
    open: Option<Open>,
    /// Token probabilities that no piece of text has taken yet.
    tokens: Vec<Raw>,
    /// Characters of text so far.
    chars: u64,
    losses: &'a mut Losses,
}

impl Writer<'_> {
    fn choice(&mut self, choice: &Choice) {
        let refused = choice.finish == Some(Finish::Refusal);
        let words = choice.refusal.as_deref().or(refused.then_some(REFUSED));
        let texts = choice.parts.iter().filter(|part| matches!(part.content, Content::Text { .. })).count();
        let mut left = texts;
        for (at, part) in choice.parts.iter().enumerate() {
            let last = at + 1 == choice.parts.len() && words.is_none();
            match &part.content {
                Content::Text { text, annotations } => {
                    left -= 1;
                    let start = self.chars;
                    let length = count_chars(text);
                    self.chars += length;
                    let annotations = annotations
                        .iter()
                        .filter_map(|one| annotation(one, start, length, self.losses))
                        .collect();
                    let logprobs = self.take_tokens(text, left == 0);
                    let rest = self.part_rest(&part.rest);
                    let piece = Text { text: text.clone(), annotations, logprobs, rest };
                    let mut out = Vec::with_capacity(text.len() + 64);
                    piece.write(&mut Object::new(&mut out));
                    self.join(Kept::of(&part.rest), out);
                }
                Content::ToolCall(call) => self.call(call, part, last),
                Content::Reasoning(one) => self.reasoning(one, part),
                Content::Unknown { raw, .. } if self.native => {
                    self.flush(false);
                    self.items.push(raw.clone());
                }
                Content::Unknown { kind, .. } => {
                    self.losses.drop(kind, "a part that only its own dialect knows");
                }
                _ => self.losses.drop("answer.part", "a part that this dialect's answers do not have"),
            }
        }
        if let Some(words) = words {
            self.join(Kept::of(&choice.message_rest), refusal(words));
        }
        self.flush(true);
    }

    /// What of a part's rest is written.
    fn part_rest(&mut self, rest: &Rest) -> Rest {
        if self.native {
            return rest.clone();
        }
        self.losses.drop_rest("answer.", rest);
        Rest::default()
    }

    /// Puts content into the open message, or a new one where it stood in another item.
    fn join(&mut self, kept: Kept, piece: Vec<u8>) {
        let kept = if self.native { kept } else { Kept::default() };
        match &mut self.open {
            Some(open) if open.kept.id == kept.id => open.content.push(piece),
            _ => {
                self.flush(false);
                self.open = Some(Open { kept, content: vec![piece] });
            }
        }
    }

    fn status(&self, last: bool) -> &'static str {
        if last && !self.is_whole { INCOMPLETE } else { COMPLETED }
    }

    fn flush(&mut self, last: bool) {
        let Some(open) = self.open.take() else { return };
        let id = item_id(&open.kept, "msg", self.exchange, self.items.len());
        let status = self.status(last);
        self.item(|out| write_message(out, &id, status, &open.kept.rest, &open.content));
    }

    fn item(&mut self, write: impl FnOnce(&mut Object<'_>)) {
        self.items.extend(raw_of(|out| write(&mut Object::new(out))));
    }

    /// The tokens whose text is this text's.
    fn take_tokens(&mut self, text: &str, last: bool) -> Vec<Raw> {
        if last {
            return std::mem::take(&mut self.tokens);
        }
        let (mut bytes, mut taken) = (0, 0);
        while taken < self.tokens.len() && bytes < text.len() {
            let token = kept(&self.tokens[taken]).and_then(|token| token.peek("token").and_then(as_text));
            bytes += token.map_or(0, |token| token.len());
            taken += 1;
        }
        self.tokens.drain(..taken).collect()
    }

    fn call(&mut self, call: &ToolCall, part: &Part, last: bool) {
        self.flush(false);
        if !self.native {
            self.losses.drop_rest("tool_use.", &part.rest);
        }
        let kept = if self.native { Kept::of(&part.rest) } else { Kept::default() };
        let id = item_id(&kept, prefix_of(call.kind), self.exchange, self.items.len());
        let call_id = call_id(&call.id, self.native, self.exchange, self.items.len());
        let written = Call {
            id: &id,
            call_id: &call_id,
            name: &call.name,
            kind: call.kind,
            arguments: arguments(call, self.native),
            status: self.status(last),
            kept: &kept.rest,
        };
        self.item(|out| written.write(out));
    }

    fn reasoning(&mut self, one: &Reasoning, part: &Part) {
        self.flush(false);
        let native = self.native;
        if !native {
            self.losses.drop_rest("answer.", &part.rest);
        }
        let kept = if native { Kept::of(&part.rest) } else { Kept::default() };
        let id = item_id(&kept, "rs", self.exchange, self.items.len());
        let sealed;
        let encrypted = if native {
            one.signature.as_deref().map(|signature| split_signature(signature).1)
        } else {
            sealed = seal(&one.origin, one.signature.as_deref(), one.redacted.as_deref());
            Some(sealed.as_str())
        };
        let is_plain = native && part.rest.get(PLAIN_REASONING).is_some();
        let thought = Thought { id: Some(&id), text: &one.text, is_plain, encrypted, kept: &kept.rest };
        self.item(|out| thought.write(out));
    }
}

/// What the ids of items begin with that call a tool of a kind.
pub(in super::super) const fn prefix_of(kind: ToolKind) -> &'static str {
    match kind {
        ToolKind::Custom => "ctc",
        ToolKind::Function | ToolKind::LegacyFunction => "fc",
    }
}

/// The vendor's id of a call; one made from the exchange where another dialect gives none.
pub(in super::super) fn call_id(id: &str, native: bool, exchange: ExchangeId, at: usize) -> String {
    if id.is_empty() && !native { format!("call_{exchange}_{at}") } else { id.to_owned() }
}

/// The arguments' text; clients parse it, so that no arguments at all are an empty object.
fn arguments(call: &ToolCall, native: bool) -> &str {
    if call.arguments.is_empty() && call.kind != ToolKind::Custom && !native { "{}" } else { &call.arguments }
}
