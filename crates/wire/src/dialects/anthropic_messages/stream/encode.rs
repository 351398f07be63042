//! Writes an Anthropic stream.
//!
//! Blocks are numbered in the order in which they start. The message delta, with the reason and the usage, is
//! held back to the end: other dialects tell the usage after the reason.

mod events;

use pilothouse_core::conversation::{ExtraAt, Origin, PartHead, Rest, StreamPart, ToolKind, UsageReport};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{Finish, Note};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::usage::Usage;

use super::super::answer::{
    answer_id, call_id, is_citable, tier_of_answer, write_citation, write_stop_details,
};
use super::super::{FAMILY, foreign_signature, note_finish, word_of_finish};
use crate::codec::usage::write_anthropic;
use crate::codec::{AnswerContext, Losses, StreamEncoder};
use crate::json::write_str;

use events::{choice_of, delta, event, rest_of, unknown_event, write_head};

/// Writes one stream.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    model: String,
    exchange: ExchangeId,
    estimated_input: Option<u64>,
    native: bool,
    /// The start, held back while the usage that belongs into it may still come.
    head: Option<Head>,
    blocks: Vec<Block>,
    next: u32,
    calls: usize,
    refusal: Option<(u32, String)>,
    finish: Option<End>,
    usage: Option<UsageReport>,
    delta_rest: Rest,
    event_rest: Rest,
    losses: Losses,
    ended: bool,
}

/// What a message starts with.
#[derive(Debug)]
struct Head {
    id: String,
    model: String,
    tier: Option<String>,
    rest: Rest,
}

/// A block that has started.
#[derive(Debug)]
struct Block {
    part: u32,
    index: u32,
    open: bool,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text,
    /// Reasoning, and whose; without a signature so far.
    Unsigned(Origin),
    Signed,
    Function,
    /// Free text, which becomes the member `input` of an object; whether it has begun.
    Custom(bool),
    Native,
}

/// Why a message ended.
#[derive(Debug)]
struct End {
    finish: Finish,
    word: Box<str>,
    stop_sequence: Option<Box<str>>,
    rest: Rest,
}

impl Encoder {
    pub(in super::super) fn new(context: &AnswerContext<'_>) -> Self {
        Self {
            model: context.model.to_owned(),
            exchange: context.exchange,
            estimated_input: context.estimated_input,
            native: true,
            head: None,
            blocks: Vec::new(),
            next: 0,
            calls: 0,
            refusal: None,
            finish: None,
            usage: None,
            delta_rest: Rest::default(),
            event_rest: Rest::default(),
            losses: Losses::default(),
            ended: false,
        }
    }

    fn context(&self) -> AnswerContext<'_> {
        AnswerContext {
            model: &self.model,
            exchange: self.exchange,
            created: 0,
            stream_usage: true,
            legacy_functions: false,
            estimated_input: self.estimated_input,
            echoed: None,
        }
    }

    fn start(&mut self, part: &StreamPart, out: &mut Vec<u8>) {
        let StreamPart::Start { dialect, id, model, service_tier, rest, .. } = part else { return };
        self.native = *dialect == Dialect::AnthropicMessages;
        let tier = service_tier.as_deref().and_then(|tier| tier_of_answer(*dialect, tier)).map(str::to_owned);
        let id = answer_id(id, self.native, &self.context());
        let model = if model.is_empty() { self.model.clone() } else { model.clone() };
        if !self.native {
            self.losses.drop_rest("answer.", rest);
        }
        let rest = if self.native { rest.clone() } else { Rest::default() };
        self.head = Some(Head { id, model, tier, rest });
        // Gemini tells its usage with its first chunk, right behind the start.
        if !self.native && *dialect != Dialect::GeminiGenerate {
            self.flush_head(None, out);
        }
    }

    /// Writes `message_start`, with the usage that came with it, or what is known so far.
    fn flush_head(&mut self, usage: Option<&UsageReport>, out: &mut Vec<u8>) {
        let Some(head) = self.head.take() else { return };
        let native = self.native;
        let estimated = Usage { input: self.estimated_input.unwrap_or(0), ..Usage::default() };
        event(out, "message_start", |out| {
            let mut message = out.object("message");
            message.text("id", &head.id);
            message.text("type", "message");
            message.text("role", "assistant");
            message.text("model", &head.model);
            drop(message.array("content"));
            message.null("stop_reason");
            message.null("stop_sequence");
            match usage {
                Some(UsageReport { raw: Some(raw), .. }) if native => message.raw("usage", raw),
                Some(usage) if !native => {
                    write_anthropic(message.key("usage"), &usage.counts, head.tier.as_deref());
                }
                _ => write_anthropic(message.key("usage"), &estimated, head.tier.as_deref()),
            }
            message.rest(&head.rest);
        });
    }

    fn part_start(&mut self, part: u32, head: &PartHead, out: &mut Vec<u8>) {
        let (index, native) = (self.next, self.native);
        let id = match head {
            PartHead::ToolCall { id, .. } => {
                self.calls += 1;
                call_id(id, self.calls - 1, native, &self.context())
            }
            PartHead::Unknown { kind, .. } if !native => {
                return self.losses.drop(kind, "a part that only its own dialect knows");
            }
            _ => String::new(),
        };
        event(out, "content_block_start", |out| {
            out.number("index", index);
            if let PartHead::Unknown { raw, .. } = head {
                return out.raw("content_block", raw);
            }
            let mut block = out.object("content_block");
            write_head(&mut block, head, &id, native);
            if native {
                block.rest(rest_of(head));
            }
        });
        if !native {
            self.losses.drop_rest("answer.", rest_of(head));
        }
        let kind = match head {
            PartHead::Text { .. } => Kind::Text,
            PartHead::Reasoning { redacted: Some(_), .. } => Kind::Signed,
            PartHead::Reasoning { origin, .. } => Kind::Unsigned(origin.clone()),
            PartHead::ToolCall { kind: ToolKind::Custom, .. } => Kind::Custom(false),
            PartHead::ToolCall { .. } => Kind::Function,
            PartHead::Unknown { .. } => Kind::Native,
        };
        self.next += 1;
        self.blocks.push(Block { part, index, open: true, kind });
    }

    fn block(&mut self, part: u32) -> Option<&mut Block> {
        self.blocks.iter_mut().rev().find(|block| block.part == part && block.open)
    }

    fn text_delta(&mut self, part: u32, kind: &str, member: &str, text: &str, out: &mut Vec<u8>) {
        if let Some(index) = self.block(part).map(|block| block.index) {
            delta(out, index, kind, |out| out.text(member, text));
        }
    }

    fn arguments(&mut self, part: u32, text: &str, out: &mut Vec<u8>) {
        let Some(block) = self.block(part) else { return };
        let index = block.index;
        let Kind::Custom(begun) = &mut block.kind else {
            return delta(out, index, "input_json_delta", |out| out.text("partial_json", text));
        };
        let first = !std::mem::replace(begun, true);
        let mut escaped = Vec::with_capacity(text.len() + 16);
        write_str(&mut escaped, text);
        let inner = std::str::from_utf8(&escaped[1..escaped.len() - 1]).unwrap_or_default();
        let json = if first { format!("{{\"input\":\"{inner}") } else { inner.to_owned() };
        delta(out, index, "input_json_delta", |out| out.text("partial_json", &json));
    }

    fn signature(&mut self, part: u32, signature: &str, out: &mut Vec<u8>) {
        let native = self.native;
        if let Some(block) = self.block(part) {
            let index = block.index;
            let signature: std::borrow::Cow<'_, str> = match &block.kind {
                Kind::Unsigned(origin) if !native && &*origin.family != FAMILY => {
                    foreign_signature(origin, Some(signature)).into()
                }
                _ => signature.into(),
            };
            block.kind = Kind::Signed;
            delta(out, index, "signature_delta", |out| out.text("signature", &signature));
        }
    }

    fn part_stop(&mut self, part: u32, out: &mut Vec<u8>) {
        let native = self.native;
        let Some(block) = self.block(part) else { return };
        block.open = false;
        let index = block.index;
        match &block.kind {
            // The SDKs ask for a signature. Ours says who wrote it, so that it never goes to Claude as Claude's.
            Kind::Unsigned(origin) if !native => {
                let signature = foreign_signature(origin, None);
                delta(out, index, "signature_delta", |out| out.text("signature", &signature));
            }
            Kind::Custom(begun) => {
                let close = if *begun { "\"}" } else { "{\"input\":\"\"}" };
                delta(out, index, "input_json_delta", |out| out.text("partial_json", close));
            }
            _ => {}
        }
        event(out, "content_block_stop", |out| out.number("index", index));
    }

    /// The words of a refusal are text that the person should read.
    fn refuse(&mut self, text: &str, out: &mut Vec<u8>) {
        if self.native {
            return;
        }
        if self.refusal.is_none() {
            let index = self.next;
            self.next += 1;
            event(out, "content_block_start", |out| {
                out.number("index", index);
                let mut block = out.object("content_block");
                block.text("type", "text");
                block.text("text", "");
            });
            self.refusal = Some((index, String::new()));
        }
        if let Some((index, words)) = &mut self.refusal {
            words.push_str(text);
            delta(out, *index, "text_delta", |out| out.text("text", text));
        }
    }

    fn message_delta(&mut self, out: &mut Vec<u8>) {
        let called = self.calls > 0;
        let nothing = Rest::default();
        event(out, "message_delta", |out| {
            {
                let mut delta = out.object("delta");
                match &self.finish {
                    Some(end) if self.native => delta.text("stop_reason", &end.word),
                    Some(end) => delta.text("stop_reason", word_of_finish(end.finish, called)),
                    None => delta.null("stop_reason"),
                }
                match self.finish.as_ref().and_then(|end| end.stop_sequence.as_deref()) {
                    Some(stop) => delta.text("stop_sequence", stop),
                    None => delta.null("stop_sequence"),
                }
                if let (Some((_, words)), Some(Finish::Refusal)) =
                    (&self.refusal, self.finish.as_ref().map(|end| end.finish))
                {
                    write_stop_details(delta.key("stop_details"), words);
                }
                delta.rest(self.finish.as_ref().filter(|_| self.native).map_or(&nothing, |end| &end.rest));
                delta.rest(&self.delta_rest);
            }
            match &self.usage {
                Some(UsageReport { raw: Some(raw), .. }) if self.native => out.raw("usage", raw),
                Some(usage) => write_anthropic(out.key("usage"), &usage.counts, None),
                // Nothing is known: what the start said of the input stays.
                None => out.object("usage").number("output_tokens", 0),
            }
            out.rest(&self.event_rest);
        });
    }

    fn extra(&mut self, at: ExtraAt, rest: &Rest) {
        if !self.native {
            return self.losses.drop_rest("answer.", rest);
        }
        let kept = if at == ExtraAt::Choice { &mut self.event_rest } else { &mut self.delta_rest };
        for (name, value) in rest.iter() {
            kept.push(name, value.clone());
        }
    }
}

impl StreamEncoder for Encoder {
    fn part(&mut self, part: &StreamPart, out: &mut Vec<u8>) {
        if self.head.is_some() {
            match part {
                StreamPart::Usage(usage) => {
                    self.usage = Some(usage.clone()).filter(|_| !self.native);
                    return self.flush_head(Some(usage), out);
                }
                _ => self.flush_head(None, out),
            }
        }
        if choice_of(part) > 0 {
            return self.losses.drop("choices", "only the first of several answers fits");
        }
        match part {
            StreamPart::Start { .. } => self.start(part, out),
            StreamPart::PartStart { part, head, .. } => self.part_start(*part, head, out),
            StreamPart::Text { part, text, .. } => self.text_delta(*part, "text_delta", "text", text, out),
            StreamPart::Reasoning { part, text, .. } => {
                self.text_delta(*part, "thinking_delta", "thinking", text, out);
            }
            StreamPart::Signature { part, signature, .. } => self.signature(*part, signature, out),
            StreamPart::Arguments { part, text, .. } => self.arguments(*part, text, out),
            StreamPart::Annotation { annotation, .. } if !is_citable(annotation) => {
                self.losses.drop("annotations", "a citation of a file; only web pages can be cited here");
            }
            StreamPart::Annotation { part, annotation, .. } => {
                if let Some(index) = self.block(*part).map(|block| block.index) {
                    let losses = &mut self.losses;
                    delta(out, index, "citations_delta", |out| {
                        write_citation(out.key("citation"), annotation, losses);
                    });
                }
            }
            StreamPart::UnknownDelta { part, raw, .. } => {
                if let Some(index) = self.block(*part).map(|block| block.index) {
                    event(out, "content_block_delta", |out| {
                        out.number("index", index);
                        out.raw("delta", raw);
                    });
                }
            }
            StreamPart::PartStop { part, .. } => self.part_stop(*part, out),
            StreamPart::Refusal { text, .. } => self.refuse(text, out),
            StreamPart::Logprobs { .. } => {
                self.losses.drop("logprobs", "this dialect has no token probabilities")
            }
            StreamPart::Finish { finish, word, stop_sequence, rest, .. } => {
                if !self.native {
                    note_finish(*finish, &mut self.losses);
                    self.losses.drop_rest("answer.", rest);
                }
                self.finish = Some(End {
                    finish: *finish,
                    word: word.clone(),
                    stop_sequence: stop_sequence.clone(),
                    rest: rest.clone(),
                });
            }
            StreamPart::Usage(usage) => self.usage = Some(usage.clone()),
            StreamPart::Extra { at, rest, .. } => self.extra(*at, rest),
            StreamPart::UnknownEvent { name, raw } if self.native && !name.contains(['\n', '\r']) => {
                unknown_event(out, name, raw);
            }
            StreamPart::UnknownEvent { name, .. } => {
                self.losses.drop(&format!("event.{name}"), "an event that only its own dialect knows");
            }
            StreamPart::Ping => out.extend_from_slice(b"event: ping\ndata: {\"type\": \"ping\"}\n\n"),
            StreamPart::End => self.end(out),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.flush_head(None, out);
        // What no one stopped is stopped here, so that every block that started also ends.
        let open: Vec<u32> = self.blocks.iter().filter(|block| block.open).map(|block| block.part).collect();
        open.into_iter().for_each(|part| self.part_stop(part, out));
        if let Some((index, _)) = self.refusal {
            event(out, "content_block_stop", |out| out.number("index", index));
        }
        self.message_delta(out);
        event(out, "message_stop", |_| {});
    }

    fn losses(&self) -> Vec<Note> {
        self.losses.notes()
    }
}
