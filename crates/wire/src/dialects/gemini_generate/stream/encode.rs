//! Writes a Gemini stream: one chunk per piece of text, one per whole call; reasons and usage come last.
//!
//! Calls are held until their arguments are whole, and written in the order in which they began. The finish reason
//! is held to the end, so that a stream that breaks off never looks whole.

use std::collections::VecDeque;

use pilothouse_core::conversation::{
    Annotation, Content, ExtraAt, Origin, Part, PartHead, Reasoning, Rest, StreamPart, ToolCall, UsageReport,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{Finish, Note};
use pilothouse_core::id::ExchangeId;

use super::super::answer::answer_id;
use super::super::part::Writer;
use super::super::{FAMILY, grounding, logprobs, signature, word_of_finish};
use crate::codec::usage::write_gemini;
use crate::codec::{AnswerContext, Losses, StreamEncoder};
use crate::json::{Array, Object};

/// Writes one stream.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    model: String,
    exchange: ExchangeId,
    native: bool,
    id: String,
    /// Members of the answer itself, for the next chunk.
    rest: Rest,
    choices: Vec<Choice>,
    usage: Option<UsageReport>,
    losses: Losses,
    has_ended: bool,
}

#[derive(Debug, Default)]
struct Choice {
    index: u32,
    /// A signature of Gemini's that stands on the part which starts next, if that is a call.
    held: Option<String>,
    thoughts: Vec<Thought>,
    calls: VecDeque<Call>,
    /// Members of the text part that has started, for its first chunk.
    text_rest: Rest,
    cited: Vec<Annotation>,
    refusal: String,
    message_rest: Rest,
    rest: Rest,
    end: Option<(Finish, Box<str>)>,
}

/// A thought that is open.
#[derive(Debug)]
struct Thought {
    part: u32,
    one: Reasoning,
    rest: Rest,
    has_text: bool,
}

/// A call whose arguments come.
#[derive(Debug)]
struct Call {
    part: u32,
    call: ToolCall,
    rest: Rest,
    signature: Option<String>,
    is_whole: bool,
}

impl Encoder {
    pub(in super::super) fn new(context: &AnswerContext<'_>) -> Self {
        Self {
            model: context.model.to_owned(),
            exchange: context.exchange,
            native: true,
            id: String::new(),
            rest: Rest::default(),
            choices: Vec::new(),
            usage: None,
            losses: Losses::default(),
            has_ended: false,
        }
    }

    fn start(&mut self, part: &StreamPart) {
        let StreamPart::Start { dialect, id, model, service_tier, system_fingerprint, rest, .. } = part
        else {
            return;
        };
        self.native = *dialect == Dialect::GeminiGenerate;
        let context = AnswerContext {
            model: "",
            exchange: self.exchange,
            created: 0,
            stream_usage: true,
            legacy_functions: false,
            estimated_input: None,
            echoed: None,
        };
        self.id = answer_id(id, self.native, &context);
        if !model.is_empty() {
            self.model.clone_from(model);
        }
        if self.native {
            self.rest = rest.clone();
            return;
        }
        self.losses.drop_rest("answer.", rest);
        if let Some(tier) = service_tier {
            self.losses.drop("service_tier", tier);
        }
        if system_fingerprint.is_some() {
            self.losses.drop("system_fingerprint", "this dialect has no such member");
        }
    }

    fn open(&mut self, index: u32) -> usize {
        if let Some(at) = self.choices.iter().position(|choice| choice.index == index) {
            return at;
        }
        self.choices.push(Choice { index, ..Choice::default() });
        self.choices.len() - 1
    }

    /// Writes one chunk with what `write` makes of its candidate; without candidates where it is `None`.
    fn chunk(
        &mut self,
        out: &mut Vec<u8>,
        usage: Option<&UsageReport>,
        write: Option<&mut dyn FnMut(&mut Object<'_>)>,
    ) {
        out.extend_from_slice(b"data: ");
        {
            let mut body = Object::new(out);
            if let Some(write) = write {
                let mut list = body.array("candidates");
                write(&mut list.object());
            }
            // Google tells what is known so far in every chunk.
            let known = self.usage.as_ref().filter(|_| self.native);
            match usage.or(known) {
                Some(UsageReport { raw: Some(raw), .. }) if self.native => body.raw("usageMetadata", raw),
                Some(usage) => write_gemini(body.key("usageMetadata"), &usage.counts),
                None => {}
            }
            body.text("modelVersion", &self.model);
            body.text("responseId", &self.id);
            body.rest(&std::mem::take(&mut self.rest));
        }
        out.extend_from_slice(b"\n\n");
    }

    /// Writes one chunk with one part.
    fn part_chunk(&mut self, index: u32, out: &mut Vec<u8>, part: &Part, signature: Option<&str>) {
        let writer = Writer { native: self.native, family: FAMILY, results_hold_media: false };
        let mut losses = std::mem::take(&mut self.losses);
        self.parts_chunk(index, out, &mut |list| writer.part(list, part, signature, &mut losses));
        self.losses = losses;
    }

    fn parts_chunk(&mut self, index: u32, out: &mut Vec<u8>, write: &mut dyn FnMut(&mut Array<'_>)) {
        self.chunk(
            out,
            None,
            Some(&mut |candidate| {
                {
                    let mut content = candidate.object("content");
                    write(&mut content.array("parts"));
                    content.text("role", "model");
                }
                candidate.number("index", index);
            }),
        );
    }

    fn part_start(&mut self, index: u32, part: u32, head: &PartHead, out: &mut Vec<u8>) {
        let at = self.open(index);
        if !matches!(head, PartHead::ToolCall { .. }) {
            self.flush_held(at, out);
        }
        match head {
            PartHead::Text { rest } => {
                self.choices[at].text_rest = self.kept(rest);
            }
            PartHead::Reasoning { origin, redacted, rest } => {
                let one = Reasoning {
                    text: String::new(),
                    signature: None,
                    redacted: redacted.clone(),
                    origin: origin.clone(),
                };
                let rest = self.kept(rest);
                self.choices[at].thoughts.push(Thought { part, one, rest, has_text: false });
            }
            PartHead::ToolCall { id, name, kind, rest } => {
                let rest = self.kept(rest);
                let choice = &mut self.choices[at];
                let call =
                    ToolCall { id: id.clone(), name: name.clone(), arguments: String::new(), kind: *kind };
                let signature = choice.held.take();
                choice.calls.push_back(Call { part, call, rest, signature, is_whole: false });
            }
            PartHead::Unknown { kind, raw } if self.native => {
                let part = Part::new(Content::Unknown { kind: kind.clone(), raw: raw.clone() });
                self.part_chunk(index, out, &part, None);
            }
            PartHead::Unknown { kind, .. } => {
                self.losses.drop(kind, "a part that only its own dialect knows");
            }
        }
    }

    /// Members that only the source's dialect knows, where that is this one; else they are noted.
    fn kept(&mut self, rest: &Rest) -> Rest {
        if self.native {
            return rest.clone();
        }
        self.losses.drop_rest("answer.", rest);
        Rest::default()
    }

    /// Writes a held signature as a part of its own.
    fn flush_held(&mut self, at: usize, out: &mut Vec<u8>) {
        let Some(held) = self.choices[at].held.take() else { return };
        let index = self.choices[at].index;
        self.parts_chunk(index, out, &mut |list| {
            let mut part = list.object();
            part.text("text", "");
            part.text("thoughtSignature", &held);
        });
    }

    fn text(&mut self, index: u32, text: &str, out: &mut Vec<u8>) {
        let at = self.open(index);
        let rest = std::mem::take(&mut self.choices[at].text_rest);
        if rest.is_empty() {
            return self.parts_chunk(index, out, &mut |list| list.object().text("text", text));
        }
        self.part_chunk(index, out, &Part { rest, ..Part::text(text) }, None);
    }

    /// Writes a piece of a thought. The first of another vendor's says whose it is.
    fn thought(&mut self, index: u32, part: u32, text: &str, out: &mut Vec<u8>) {
        let at = self.open(index);
        let Some(open) = self.choices[at].thoughts.iter_mut().find(|open| open.part == part) else { return };
        let is_first = !std::mem::replace(&mut open.has_text, true);
        let origin = if is_first { open.one.origin.clone() } else { Origin::of(FAMILY) };
        let rest = std::mem::take(&mut open.rest);
        let one = Reasoning { text: text.to_owned(), signature: None, redacted: None, origin };
        self.part_chunk(index, out, &Part { content: Content::Reasoning(one), cache: None, rest }, None);
    }

    fn signature(&mut self, index: u32, part: u32, signature: &str) {
        let at = self.open(index);
        if let Some(open) = self.choices[at].thoughts.iter_mut().find(|open| open.part == part) {
            open.one.signature = Some(signature.into());
        }
    }

    fn part_stop(&mut self, index: u32, part: u32, out: &mut Vec<u8>) {
        let at = self.open(index);
        let choice = &mut self.choices[at];
        if let Some(place) = choice.thoughts.iter().position(|open| open.part == part) {
            let thought = choice.thoughts.swap_remove(place);
            return self.end_thought(at, thought, out);
        }
        if let Some(call) = choice.calls.iter_mut().find(|call| call.part == part) {
            call.is_whole = true;
        }
        self.flush_calls(at, false, out);
    }

    /// Writes what a thought ends with: its proof. A signature alone stands on what comes next.
    fn end_thought(&mut self, at: usize, thought: Thought, out: &mut Vec<u8>) {
        let index = self.choices[at].index;
        let Thought { one, mut rest, has_text, .. } = thought;
        let whole = Part { content: Content::Reasoning(one), cache: None, rest: rest.clone() };
        if let Some(bare) = signature::bare(&whole).filter(|_| !has_text) {
            self.choices[at].held = Some(bare.to_owned());
            return;
        }
        let Content::Reasoning(one) = whole.content else { return };
        if one.signature.is_none() && one.redacted.is_none() && has_text {
            return;
        }
        // It is told from a signature of another part by being a thought.
        if rest.is_empty() {
            rest.push(signature::THOUGHT, super::super::part::null());
        }
        self.part_chunk(index, out, &Part { content: Content::Reasoning(one), cache: None, rest }, None);
    }

    /// Writes the calls that are whole, up to the first that is not; all of them at the end.
    fn flush_calls(&mut self, at: usize, is_end: bool, out: &mut Vec<u8>) {
        let index = self.choices[at].index;
        while self.choices[at].calls.front().is_some_and(|call| call.is_whole || is_end) {
            let Some(call) = self.choices[at].calls.pop_front() else { return };
            let part = Part { content: Content::ToolCall(call.call), cache: None, rest: call.rest };
            self.part_chunk(index, out, &part, call.signature.as_deref());
        }
    }

    fn arguments(&mut self, index: u32, part: u32, text: &str) {
        let at = self.open(index);
        if let Some(call) = self.choices[at].calls.iter_mut().find(|call| call.part == part) {
            call.call.arguments.push_str(text);
        }
    }

    fn logprobs(&mut self, index: u32, raw: &pilothouse_core::conversation::Raw, out: &mut Vec<u8>) {
        self.open(index);
        match logprobs::to_google(raw) {
            Some(raw) => self.chunk(
                out,
                None,
                Some(&mut |candidate| {
                    candidate.number("index", index);
                    candidate.raw("logprobsResult", &raw);
                }),
            ),
            None => self.losses.drop("logprobs", "token probabilities in a form that cannot be read"),
        }
    }

    fn extra(&mut self, index: u32, at: ExtraAt, rest: &Rest) {
        if !self.native {
            return self.losses.drop_rest("answer.", rest);
        }
        let place = self.open(index);
        let kept = match at {
            ExtraAt::Answer => &mut self.rest,
            ExtraAt::Choice => &mut self.choices[place].rest,
            ExtraAt::Message => &mut self.choices[place].message_rest,
        };
        *kept = merged(kept, rest);
    }

    /// Writes the last chunk of a choice: why it ended, and what is known of it as a whole.
    fn end_choice(&mut self, at: usize, usage: Option<&UsageReport>, out: &mut Vec<u8>) {
        self.flush_held(at, out);
        self.flush_calls(at, true, out);
        let choice = std::mem::take(&mut self.choices[at]);
        let native = self.native;
        let word = choice.end.as_ref().map(|(finish, word)| {
            if native { word.clone() } else { word_of_finish(*finish, &mut self.losses).into() }
        });
        if native && word.as_deref() == Some("") {
            // The prompt was blocked: the feedback says so, and there is no candidate.
            return self.chunk(out, usage, None);
        }
        let mut losses = std::mem::take(&mut self.losses);
        let cited: Vec<&Annotation> = choice.cited.iter().filter(|_| !native).collect();
        self.chunk(
            out,
            usage,
            Some(&mut |candidate| {
                {
                    let mut content = candidate.object("content");
                    content.array("parts").object().text("text", "");
                    content.text("role", "model");
                    content.rest(&choice.message_rest);
                }
                candidate.maybe_text("finishReason", word.as_deref());
                candidate.number("index", choice.index);
                if !choice.refusal.is_empty() && !native {
                    candidate.text("finishMessage", &choice.refusal);
                }
                grounding::write(candidate, &cited, &mut losses);
                candidate.rest(&choice.rest);
            }),
        );
        self.losses = losses;
    }
}

/// Members with those that came later; one that is there already is replaced.
fn merged(kept: &Rest, more: &Rest) -> Rest {
    let mut all = Rest::default();
    let stays = kept.iter().filter(|(name, _)| more.get(name).is_none());
    for (name, value) in stays.chain(more.iter()) {
        all.push(name, value.clone());
    }
    all
}

impl StreamEncoder for Encoder {
    fn part(&mut self, part: &StreamPart, out: &mut Vec<u8>) {
        match part {
            StreamPart::Start { .. } => self.start(part),
            StreamPart::PartStart { choice, part, head } => self.part_start(*choice, *part, head, out),
            StreamPart::Text { choice, text, .. } => self.text(*choice, text, out),
            StreamPart::Reasoning { choice, part, text } => self.thought(*choice, *part, text, out),
            StreamPart::Signature { choice, part, signature } => self.signature(*choice, *part, signature),
            StreamPart::Arguments { choice, part, text } => self.arguments(*choice, *part, text),
            StreamPart::PartStop { choice, part } => self.part_stop(*choice, *part, out),
            StreamPart::Annotation { choice, annotation, .. } => {
                let at = self.open(*choice);
                self.choices[at].cited.push(annotation.clone());
            }
            StreamPart::Refusal { choice, text } => {
                let at = self.open(*choice);
                self.choices[at].refusal.push_str(text);
                if !self.native {
                    // The person should read why.
                    self.text(*choice, text, out);
                }
            }
            StreamPart::Logprobs { choice, raw } => self.logprobs(*choice, raw, out),
            StreamPart::Finish { choice, finish, word, stop_sequence, rest } => {
                let at = self.open(*choice);
                if stop_sequence.is_some() && !self.native {
                    self.losses.drop("stop_sequence", "this dialect does not say which sequence was met");
                }
                let kept = if self.native {
                    rest.clone()
                } else {
                    let mut others = rest.clone();
                    others.take("stop_details");
                    self.losses.drop_rest("answer.", &others);
                    Rest::default()
                };
                let choice = &mut self.choices[at];
                choice.rest = merged(&choice.rest, &kept);
                choice.end = Some((*finish, word.clone()));
            }
            StreamPart::Usage(usage) => self.usage = Some(usage.clone()),
            StreamPart::Extra { choice, at, rest } => self.extra(*choice, *at, rest),
            StreamPart::UnknownDelta { .. } => {
                self.losses.drop("delta", "a change of a part that only its own dialect knows");
            }
            StreamPart::UnknownEvent { name, .. } => {
                self.losses.drop(&format!("event.{name}"), "an event that only its own dialect knows");
            }
            StreamPart::Ping => {}
            StreamPart::End => self.end(out),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let usage = self.usage.take();
        let count = self.choices.len();
        for at in 0..count {
            if self.choices[at].end.is_none() {
                // A whole answer that never said why it ended.
                self.choices[at].end = Some((Finish::Other, "OTHER".into()));
            }
            let is_last = at + 1 == count;
            self.end_choice(at, usage.as_ref().filter(|_| is_last), out);
        }
        if count == 0 {
            self.choices.push(Choice { end: Some((Finish::Other, "OTHER".into())), ..Choice::default() });
            self.end_choice(0, usage.as_ref(), out);
        }
    }

    fn losses(&self) -> Vec<Note> {
        self.losses.notes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilothouse_core::clock::UnixMs;
    use pilothouse_core::conversation::ToolKind;

    #[test]
    fn calls_leave_in_the_order_in_which_they_began() {
        let context = AnswerContext {
            model: "m",
            exchange: ExchangeId::new(UnixMs(0), 0),
            created: 0,
            stream_usage: true,
            legacy_functions: false,
            estimated_input: None,
            echoed: None,
        };
        let mut encoder = Encoder::new(&context);
        let mut out = Vec::new();
        let head = |name: &str| PartHead::ToolCall {
            id: name.into(),
            name: name.into(),
            kind: ToolKind::Function,
            rest: Rest::default(),
        };
        encoder.part(&StreamPart::PartStart { choice: 0, part: 0, head: head("first") }, &mut out);
        encoder.part(&StreamPart::PartStart { choice: 0, part: 1, head: head("second") }, &mut out);
        encoder.part(&StreamPart::PartStop { choice: 0, part: 1 }, &mut out);
        assert!(out.is_empty());
        encoder.part(&StreamPart::PartStop { choice: 0, part: 0 }, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.find("\"first\"").unwrap() < text.find("\"second\"").unwrap());
        assert!(!text.contains("finishReason"));
    }
}
