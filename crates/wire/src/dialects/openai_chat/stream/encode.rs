//! Writes an OpenAI stream: chunks of deltas, the usage chunk if it was asked for, `[DONE]`.

use std::io::Write;

use pilothouse_core::conversation::{Annotation, ExtraAt, PartHead, Rest, StreamPart, ToolKind, UsageReport};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{Finish, Note};

use super::super::answer::{REFUSED, answer_id, count_chars, note_finish, note_reasoning};
use super::super::part::write_annotation;
use super::super::{tier_of_answer, word_of_finish};
use crate::codec::usage::write_openai;
use crate::codec::{AnswerContext, LATE_TIER, Losses, StreamEncoder};
use crate::json::{Object, write_raw, write_str};

/// Writes one stream.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    model: String,
    exchange: pilothouse_core::id::ExchangeId,
    created: u64,
    stream_usage: bool,
    legacy: bool,
    native: bool,
    /// What every chunk begins with: `data: {"id":…,"object":…,"created":…,"model":…`.
    prefix: Vec<u8>,
    choices: Vec<Choice>,
    usage: Option<UsageReport>,
    losses: Losses,
    ended: bool,
}

#[derive(Debug, Default)]
struct Choice {
    index: u32,
    /// Characters of text so far; annotations count in them.
    chars: u64,
    /// Where the open text part began, and what it cites.
    cited: Vec<Annotation>,
    text_start: u64,
    /// The parts that are tool calls, in order: their place is their index on the wire.
    calls: Vec<Call>,
    refused: bool,
}

#[derive(Debug)]
struct Call {
    part: u32,
    kind: ToolKind,
    any: bool,
}

impl Encoder {
    pub(in super::super) fn new(context: &AnswerContext<'_>) -> Self {
        Self {
            model: context.model.to_owned(),
            exchange: context.exchange,
            created: context.created,
            stream_usage: context.stream_usage,
            legacy: context.legacy_functions,
            native: true,
            // Stands where a vendor's stream forgets to begin.
            prefix: head(&answer_id("", false, context), context.created, context.model),
            choices: Vec::new(),
            usage: None,
            losses: Losses::default(),
            ended: false,
        }
    }

    fn context(&self) -> AnswerContext<'_> {
        AnswerContext {
            model: &self.model,
            exchange: self.exchange,
            created: self.created,
            stream_usage: self.stream_usage,
            legacy_functions: self.legacy,
            estimated_input: None,
            echoed: None,
        }
    }

    fn start(&mut self, part: &StreamPart, out: &mut Vec<u8>) {
        let StreamPart::Start { dialect, id, model, created, service_tier, system_fingerprint, rest } = part
        else {
            return;
        };
        self.native = *dialect == Dialect::OpenaiChat;
        let id = answer_id(id, self.native, &self.context());
        let model = if model.is_empty() { &self.model } else { model };
        let mut prefix = head(&id, created.unwrap_or(self.created), model);
        if let Some(tier) = service_tier.as_deref().and_then(|tier| tier_of_answer(*dialect, tier)) {
            prefix.extend_from_slice(b",\"service_tier\":");
            write_str(&mut prefix, tier);
        }
        if let Some(fingerprint) = system_fingerprint {
            prefix.extend_from_slice(b",\"system_fingerprint\":");
            write_str(&mut prefix, fingerprint);
        }
        self.prefix = prefix;
        self.extra_answer(rest, out);
        self.open(0, out);
    }

    /// The state of a choice; its first chunk carries the role.
    fn open(&mut self, index: u32, out: &mut Vec<u8>) -> usize {
        if let Some(at) = self.choices.iter().position(|choice| choice.index == index) {
            return at;
        }
        self.choices.push(Choice { index, ..Choice::default() });
        self.chunk(out, index, |delta| {
            delta.text("role", "assistant");
            delta.text("content", "");
            delta.null("refusal");
        });
        self.choices.len() - 1
    }

    fn tail(&self, out: &mut Vec<u8>) {
        // As the vendor does: with a usage report to come, every other chunk says that it has none.
        if self.stream_usage {
            out.extend_from_slice(b",\"usage\":null");
        }
        out.extend_from_slice(b"}\n\n");
    }

    fn chunk(&self, out: &mut Vec<u8>, choice: u32, write: impl FnOnce(&mut Object<'_>)) {
        out.extend_from_slice(&self.prefix);
        let _ = write!(out, ",\"choices\":[{{\"index\":{choice},\"delta\":");
        write(&mut Object::new(out));
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":null}]");
        self.tail(out);
    }

    fn part_start(&mut self, index: u32, part: u32, head: &PartHead, out: &mut Vec<u8>) {
        let at = self.open(index, out);
        match head {
            PartHead::Text { .. } => self.choices[at].text_start = self.choices[at].chars,
            PartHead::Reasoning { redacted, .. } => {
                note_reasoning(false, redacted.is_some(), &mut self.losses);
            }
            PartHead::ToolCall { id, name, kind, rest } => {
                let place = self.choices[at].calls.len();
                let kind = if self.legacy { ToolKind::LegacyFunction } else { *kind };
                self.choices[at].calls.push(Call { part, kind, any: false });
                if kind == ToolKind::LegacyFunction {
                    if place > 0 {
                        return self.losses.drop("tool_calls", "only one call fits into `function_call`");
                    }
                    return self.chunk(out, index, |delta| {
                        let mut function = delta.object("function_call");
                        function.text("name", name);
                        function.text("arguments", "");
                    });
                }
                let id: std::borrow::Cow<'_, str> = if id.is_empty() && !self.native {
                    format!("call_{}_{place}", self.exchange).into()
                } else {
                    (&**id).into()
                };
                if !self.native {
                    self.losses.drop_rest("tool_use.", rest);
                }
                self.chunk(out, index, |delta| {
                    let mut list = delta.array("tool_calls");
                    let mut call = list.object();
                    call.number("index", place);
                    call.text("id", &id);
                    write_call_start(&mut call, kind, name);
                    if self.native {
                        call.rest(rest);
                    }
                });
            }
            PartHead::Unknown { kind, .. } => {
                self.losses.drop(kind, "a part that only its own dialect knows");
            }
        }
    }

    fn arguments(&mut self, index: u32, part: u32, text: &str, out: &mut Vec<u8>) {
        let at = self.open(index, out);
        let Some(place) = self.choices[at].calls.iter().position(|call| call.part == part) else { return };
        let call = &mut self.choices[at].calls[place];
        call.any = true;
        let kind = call.kind;
        match kind {
            ToolKind::LegacyFunction if place > 0 => {}
            ToolKind::LegacyFunction => {
                self.chunk(out, index, |delta| delta.object("function_call").text("arguments", text));
            }
            _ => self.chunk(out, index, |delta| {
                let mut list = delta.array("tool_calls");
                let mut call = list.object();
                call.number("index", place);
                let (inner, member) =
                    if kind == ToolKind::Custom { ("custom", "input") } else { ("function", "arguments") };
                call.object(inner).text(member, text);
            }),
        }
    }

    fn part_stop(&mut self, index: u32, part: u32, out: &mut Vec<u8>) {
        let at = self.open(index, out);
        if let Some(place) = self.choices[at].calls.iter().position(|call| call.part == part) {
            // A call without arguments: clients parse the text, so that it must be an object.
            if !self.choices[at].calls[place].any && self.choices[at].calls[place].kind != ToolKind::Custom {
                self.arguments(index, part, "{}", out);
            }
        }
        let cited = std::mem::take(&mut self.choices[at].cited);
        if cited.is_empty() {
            return;
        }
        let span = (self.choices[at].text_start, self.choices[at].chars);
        let mut losses = std::mem::take(&mut self.losses);
        let carried = cited.iter().any(|one| one.dialect == Dialect::OpenaiChat || one.url.is_some());
        if carried {
            self.chunk(out, index, |delta| {
                let mut list = delta.array("annotations");
                cited.iter().for_each(|one| write_annotation(&mut list, one, span, &mut losses));
            });
        } else {
            losses.drop("citations", "a citation of a document; only web pages can be cited here");
        }
        self.losses = losses;
    }

    fn finish(&mut self, index: u32, finish: Finish, word: &str, rest: &Rest, out: &mut Vec<u8>) {
        let at = self.open(index, out);
        if finish == Finish::Refusal && !self.choices[at].refused {
            self.chunk(out, index, |delta| delta.text("refusal", REFUSED));
        }
        let word = if self.native {
            word
        } else {
            note_finish(finish, &mut self.losses);
            word_of_finish(finish, self.legacy)
        };
        out.extend_from_slice(&self.prefix);
        let _ = write!(
            out,
            ",\"choices\":[{{\"index\":{index},\"delta\":{{}},\"logprobs\":null,\"finish_reason\":"
        );
        write_str(out, word);
        if self.native {
            write_members(out, rest);
        }
        out.extend_from_slice(b"}]");
        self.tail(out);
    }

    fn extra_answer(&mut self, rest: &Rest, out: &mut Vec<u8>) {
        if rest.is_empty() {
            return;
        }
        if !self.native {
            if let Some(tier) = rest.get(LATE_TIER) {
                self.prefix.extend_from_slice(b",\"service_tier\":");
                write_raw(&mut self.prefix, tier);
            }
            return self.losses.drop_rest("answer.", rest);
        }
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(b",\"choices\":[]");
        write_members(out, rest);
        self.tail(out);
    }

    fn extra(&mut self, index: u32, at: ExtraAt, rest: &Rest, out: &mut Vec<u8>) {
        match at {
            ExtraAt::Answer => self.extra_answer(rest, out),
            _ if !self.native => self.losses.drop_rest("answer.", rest),
            ExtraAt::Message => {
                self.open(index, out);
                self.chunk(out, index, |delta| delta.rest(rest));
            }
            ExtraAt::Choice => {
                self.open(index, out);
                out.extend_from_slice(&self.prefix);
                let _ = write!(
                    out,
                    ",\"choices\":[{{\"index\":{index},\"delta\":{{}},\"logprobs\":null,\"finish_reason\":null"
                );
                write_members(out, rest);
                out.extend_from_slice(b"}]");
                self.tail(out);
            }
        }
    }
}

impl StreamEncoder for Encoder {
    fn part(&mut self, part: &StreamPart, out: &mut Vec<u8>) {
        match part {
            StreamPart::Start { .. } => self.start(part, out),
            StreamPart::PartStart { choice, part, head } => self.part_start(*choice, *part, head, out),
            StreamPart::Text { choice, text, .. } => {
                let at = self.open(*choice, out);
                self.choices[at].chars += count_chars(text);
                self.chunk(out, *choice, |delta| delta.text("content", text));
            }
            StreamPart::Reasoning { choice, text, .. } => {
                self.open(*choice, out);
                self.chunk(out, *choice, |delta| delta.text("reasoning_content", text));
            }
            StreamPart::Signature { .. } => note_reasoning(true, false, &mut self.losses),
            StreamPart::Arguments { choice, part, text } => self.arguments(*choice, *part, text, out),
            StreamPart::Annotation { choice, annotation, .. } => {
                let at = self.open(*choice, out);
                self.choices[at].cited.push(annotation.clone());
            }
            StreamPart::PartStop { choice, part } => self.part_stop(*choice, *part, out),
            StreamPart::Refusal { choice, text } => {
                let at = self.open(*choice, out);
                self.choices[at].refused = true;
                self.chunk(out, *choice, |delta| delta.text("refusal", text));
            }
            StreamPart::Logprobs { choice, raw } => {
                self.open(*choice, out);
                out.extend_from_slice(&self.prefix);
                let _ = write!(out, ",\"choices\":[{{\"index\":{choice},\"delta\":{{}},\"logprobs\":");
                write_raw(out, raw);
                out.extend_from_slice(b",\"finish_reason\":null}]");
                self.tail(out);
            }
            StreamPart::Finish { choice, finish, word, rest, .. } => {
                self.finish(*choice, *finish, word, rest, out);
            }
            StreamPart::Usage(usage) => self.usage = Some(usage.clone()),
            StreamPart::Extra { choice, at, rest } => self.extra(*choice, *at, rest, out),
            StreamPart::UnknownEvent { name, .. } => {
                self.losses.drop(&format!("event.{name}"), "an event that only its own dialect knows");
            }
            StreamPart::UnknownDelta { .. } => {
                self.losses.drop("delta", "a change of a part that only its own dialect knows");
            }
            StreamPart::Ping => {}
            StreamPart::End => self.end(out),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if self.stream_usage
            && let Some(usage) = &self.usage
        {
            out.extend_from_slice(&self.prefix);
            out.extend_from_slice(b",\"choices\":[],\"usage\":");
            match &usage.raw {
                Some(raw) if self.native => write_raw(out, raw),
                _ => write_openai(out, &usage.counts),
            }
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn losses(&self) -> Vec<Note> {
        self.losses.notes()
    }
}

/// What every chunk begins with, up to what only some answers tell.
fn head(id: &str, created: u64, model: &str) -> Vec<u8> {
    let mut head = b"data: {\"id\":".to_vec();
    write_str(&mut head, id);
    let _ = write!(head, ",\"object\":\"chat.completion.chunk\",\"created\":{created},\"model\":");
    write_str(&mut head, model);
    head
}

fn write_call_start(call: &mut Object<'_>, kind: ToolKind, name: &str) {
    if kind == ToolKind::Custom {
        call.text("type", "custom");
        let mut custom = call.object("custom");
        custom.text("name", name);
        custom.text("input", "");
    } else {
        call.text("type", "function");
        let mut function = call.object("function");
        function.text("name", name);
        function.text("arguments", "");
    }
}

/// Writes members behind others.
fn write_members(out: &mut Vec<u8>, rest: &Rest) {
    for (name, value) in rest.iter() {
        out.push(b',');
        write_str(out, name);
        out.push(b':');
        write_raw(out, value);
    }
}
