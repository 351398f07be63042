//! Writes a Converse stream.
//!
//! Blocks are numbered in the order in which they start. The reason and the usage are held back to the end: the usage
//! is the last event, and other dialects tell both in any order.

use pilothouse_core::conversation::{
    ExtraAt, Origin, PartHead, Raw, Rest, StreamPart, ToolKind, UsageReport,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{Finish, Note};
use pilothouse_core::id::ExchangeId;

use super::super::answer::{METRICS, call_id, write_kept, write_metrics, write_stop_sequence, write_tier};
use super::super::block::{blob, is_citable, write_citation};
use super::super::{FAMILY, PING_EVENT, word_of_finish};
use crate::codec::usage::write_bedrock;
use crate::codec::{AnswerContext, LATE_TIER, Losses, StreamEncoder};
use crate::dialects::anthropic_messages::foreign_signature;
use crate::eventstream::write_event;
use crate::json::{Object, as_text, reread, write_str};

/// Writes one stream.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    exchange: ExchangeId,
    dialect: Dialect,
    has_started: bool,
    blocks: Vec<Block>,
    next: u32,
    calls: usize,
    /// The block of a refusal's words.
    refusal: Option<u32>,
    finish: Option<End>,
    usage: Option<UsageReport>,
    tier: Option<String>,
    rest: Rest,
    losses: Losses,
    ended: bool,
}

/// A block that has started.
#[derive(Debug)]
struct Block {
    part: u32,
    index: u32,
    open: bool,
    kind: BlockKind,
}

#[derive(Debug)]
enum BlockKind {
    /// Whether anything of it was written: only a delta starts it.
    Text(bool),
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
            exchange: context.exchange,
            dialect: Dialect::BedrockConverse,
            has_started: false,
            blocks: Vec::new(),
            next: 0,
            calls: 0,
            refusal: None,
            finish: None,
            usage: None,
            tier: None,
            rest: Rest::default(),
            losses: Losses::default(),
            ended: false,
        }
    }

    fn native(&self) -> bool {
        self.dialect == Dialect::BedrockConverse
    }

    fn start(&mut self, part: &StreamPart, out: &mut Vec<u8>) {
        let nothing = Rest::default();
        let mut kept = &nothing;
        if let StreamPart::Start { dialect, service_tier, system_fingerprint, rest, .. } = part {
            self.dialect = *dialect;
            self.tier = service_tier.as_deref().map(str::to_owned);
            if self.native() {
                kept = rest;
            } else {
                self.losses.drop_rest("answer.", rest);
            }
            if system_fingerprint.is_some() {
                self.losses.drop("system_fingerprint", "this dialect has no such member");
            }
        }
        self.has_started = true;
        event(out, "messageStart", |out| {
            out.text("role", "assistant");
            out.rest(kept);
        });
    }

    fn part_start(&mut self, part: u32, head: &PartHead, out: &mut Vec<u8>) {
        let (index, native) = (self.next, self.native());
        let kind = match head {
            PartHead::Unknown { kind, .. } if !native => {
                return self.losses.drop(kind, "a part that only its own dialect knows");
            }
            PartHead::Unknown { raw, .. } => {
                block_start(out, index, |out| out.raw("start", raw));
                BlockKind::Native
            }
            PartHead::Text { .. } => BlockKind::Text(false),
            PartHead::Reasoning { redacted: Some(data), .. } => {
                delta(out, index, |out| out.object("reasoningContent").text("redactedContent", &blob(data)));
                BlockKind::Signed
            }
            PartHead::Reasoning { origin, .. } => BlockKind::Unsigned(origin.clone()),
            PartHead::ToolCall { id, name, kind, rest } => {
                let id = self.call_id(id);
                block_start(out, index, |out| {
                    let mut start = out.object("start");
                    let mut call = start.object("toolUse");
                    call.text("toolUseId", &id);
                    call.text("name", name);
                    for (name, value) in rest.iter().filter(|_| native) {
                        if let Some(name) = name.strip_prefix("toolUse.") {
                            call.raw(name, value);
                        }
                    }
                });
                self.calls += 1;
                if *kind == ToolKind::Custom { BlockKind::Custom(false) } else { BlockKind::Function }
            }
        };
        match head {
            PartHead::Text { rest } | PartHead::Reasoning { rest, .. } | PartHead::ToolCall { rest, .. }
                if !native =>
            {
                self.losses.drop_rest("answer.", rest);
            }
            _ => {}
        }
        self.next += 1;
        self.blocks.push(Block { part, index, open: true, kind });
    }

    fn call_id(&self, id: &str) -> String {
        if self.native() {
            return id.to_owned();
        }
        let context = AnswerContext {
            model: "",
            exchange: self.exchange,
            created: 0,
            stream_usage: true,
            legacy_functions: false,
            estimated_input: None,
            echoed: None,
        };
        call_id(id, self.calls, &context)
    }

    fn block(&mut self, part: u32) -> Option<&mut Block> {
        self.blocks.iter_mut().rev().find(|block| block.part == part && block.open)
    }

    fn text(&mut self, part: u32, text: &str, out: &mut Vec<u8>) {
        let Some(block) = self.block(part) else { return };
        block.kind = BlockKind::Text(true);
        delta(out, block.index, |out| out.text("text", text));
    }

    fn reasoning(&mut self, part: u32, text: &str, out: &mut Vec<u8>) {
        if let Some(index) = self.block(part).map(|block| block.index) {
            delta(out, index, |out| out.object("reasoningContent").text("text", text));
        }
    }

    fn signature(&mut self, part: u32, signature: &str, out: &mut Vec<u8>) {
        let native = self.native();
        let Some(block) = self.block(part) else { return };
        let signature: std::borrow::Cow<'_, str> = match &block.kind {
            BlockKind::Unsigned(origin) if !native && &*origin.family != FAMILY => {
                foreign_signature(origin, Some(signature)).into()
            }
            _ => signature.into(),
        };
        block.kind = BlockKind::Signed;
        delta(out, block.index, |out| out.object("reasoningContent").text("signature", &signature));
    }

    fn arguments(&mut self, part: u32, text: &str, out: &mut Vec<u8>) {
        let Some(block) = self.block(part) else { return };
        let index = block.index;
        let BlockKind::Custom(begun) = &mut block.kind else { return input(out, index, text) };
        let first = !std::mem::replace(begun, true);
        let mut escaped = Vec::with_capacity(text.len() + 16);
        write_str(&mut escaped, text);
        let inner = std::str::from_utf8(&escaped[1..escaped.len() - 1]).unwrap_or_default();
        let json = if first { format!("{{\"input\":\"{inner}") } else { inner.to_owned() };
        input(out, index, &json);
    }

    fn part_stop(&mut self, part: u32, out: &mut Vec<u8>) {
        let native = self.native();
        let Some(block) = self.block(part) else { return };
        block.open = false;
        let index = block.index;
        match &block.kind {
            BlockKind::Text(false) => delta(out, index, |out| out.text("text", "")),
            // Ours says who wrote it, so that it never goes to Claude as Claude's.
            BlockKind::Unsigned(origin) if !native && &*origin.family != FAMILY => {
                let signature = foreign_signature(origin, None);
                delta(out, index, |out| out.object("reasoningContent").text("signature", &signature));
            }
            BlockKind::Custom(begun) => {
                input(out, index, if *begun { "\"}" } else { "{\"input\":\"\"}" });
            }
            _ => {}
        }
        event(out, "contentBlockStop", |out| out.number("contentBlockIndex", index));
    }

    /// The words of a refusal are text that the person should read.
    fn refuse(&mut self, text: &str, out: &mut Vec<u8>) {
        if self.native() {
            return;
        }
        let next = &mut self.next;
        let index = *self.refusal.get_or_insert_with(|| {
            *next += 1;
            *next - 1
        });
        delta(out, index, |out| out.text("text", text));
    }

    fn extra(&mut self, rest: &Rest) {
        let mut rest = rest.clone();
        if let Some(tier) = rest.take(LATE_TIER).as_ref().and_then(reread).and_then(as_text) {
            self.tier = Some(tier);
        }
        if !self.native() {
            return self.losses.drop_rest("answer.", &rest);
        }
        rest.iter().for_each(|(name, value)| self.rest.push(name, value.clone()));
    }

    fn message_stop(&mut self, out: &mut Vec<u8>) {
        let (native, called) = (self.native(), self.calls > 0);
        let losses = &mut self.losses;
        event(out, "messageStop", |out| match &self.finish {
            Some(end) => {
                let word = if native { &end.word } else { word_of_finish(end.finish, called, losses) };
                out.text("stopReason", word);
                if native {
                    write_kept(out, &end.rest);
                } else {
                    write_stop_sequence(out, end.stop_sequence.as_deref());
                }
            }
            None => out.text("stopReason", if called { "tool_use" } else { "end_turn" }),
        });
    }

    fn metadata(&mut self, out: &mut Vec<u8>) {
        let native = self.native();
        if native && self.usage.is_none() && self.tier.is_none() && self.rest.is_empty() {
            // The vendor has told none.
            return;
        }
        let losses = &mut self.losses;
        event(out, "metadata", |out| {
            match &self.usage {
                Some(UsageReport { raw: Some(raw), .. }) if native => out.raw("usage", raw),
                usage => {
                    let counts = usage.as_ref().map(|usage| usage.counts).unwrap_or_default();
                    write_bedrock(out.key("usage"), &counts);
                }
            }
            write_metrics(out, self.rest.get(METRICS));
            write_tier(out, self.dialect, self.tier.as_deref(), losses);
            self.rest.iter().filter(|(name, _)| *name != METRICS).for_each(|(name, raw)| out.raw(name, raw));
        });
    }

    fn finish(&mut self, end: End) {
        if !self.native() {
            let mut rest = end.rest.clone();
            rest.take("stop_details");
            self.losses.drop_rest("answer.", &rest);
        }
        self.finish = Some(end);
    }
}

/// Writes one event.
fn event(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Object<'_>)) {
    let mut data = Vec::with_capacity(128);
    write(&mut Object::new(&mut data));
    write_event(out, name, &data);
}

fn block_start(out: &mut Vec<u8>, index: u32, write: impl FnOnce(&mut Object<'_>)) {
    event(out, "contentBlockStart", |out| {
        write(out);
        out.number("contentBlockIndex", index);
    });
}

fn delta(out: &mut Vec<u8>, index: u32, write: impl FnOnce(&mut Object<'_>)) {
    event(out, "contentBlockDelta", |out| {
        write(&mut out.object("delta"));
        out.number("contentBlockIndex", index);
    });
}

fn input(out: &mut Vec<u8>, index: u32, text: &str) {
    delta(out, index, |out| out.object("toolUse").text("input", text));
}

/// Writes an event that only this dialect knows, as it came.
fn unknown_event(out: &mut Vec<u8>, name: &str, raw: &Raw) {
    let mut data = Vec::with_capacity(raw.text().len());
    crate::json::write_raw(&mut data, raw);
    write_event(out, name, &data);
}

/// The choice of a step; only the first has a place here.
fn is_further(part: &StreamPart) -> bool {
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
        | StreamPart::Extra { choice, .. } => *choice > 0,
        _ => false,
    }
}

impl StreamEncoder for Encoder {
    fn part(&mut self, part: &StreamPart, out: &mut Vec<u8>) {
        if is_further(part) {
            return self.losses.drop("choices", "only the first of several answers fits");
        }
        if !self.has_started && !matches!(part, StreamPart::Ping) {
            self.start(part, out);
        }
        match part {
            StreamPart::Start { .. } => {}
            StreamPart::PartStart { part, head, .. } => self.part_start(*part, head, out),
            StreamPart::Text { part, text, .. } => self.text(*part, text, out),
            StreamPart::Reasoning { part, text, .. } => self.reasoning(*part, text, out),
            StreamPart::Signature { part, signature, .. } => self.signature(*part, signature, out),
            StreamPart::Arguments { part, text, .. } => self.arguments(*part, text, out),
            StreamPart::Annotation { annotation, .. } if !is_citable(annotation) => {
                self.losses.drop("annotations", "a citation of a file; only web pages can be cited here");
            }
            StreamPart::Annotation { part, annotation, .. } => {
                if let Some(index) = self.block(*part).map(|block| block.index) {
                    delta(out, index, |out| write_citation(out.key("citation"), annotation));
                }
            }
            StreamPart::UnknownDelta { part, raw, .. } => {
                let block = self.block(*part).filter(|block| matches!(block.kind, BlockKind::Native));
                if let Some(index) = block.map(|block| block.index) {
                    event(out, "contentBlockDelta", |out| {
                        out.raw("delta", raw);
                        out.number("contentBlockIndex", index);
                    });
                }
            }
            StreamPart::PartStop { part, .. } => self.part_stop(*part, out),
            StreamPart::Refusal { text, .. } => self.refuse(text, out),
            StreamPart::Logprobs { .. } => {
                self.losses.drop("logprobs", "this dialect has no token probabilities");
            }
            StreamPart::Finish { finish, word, stop_sequence, rest, .. } => self.finish(End {
                finish: *finish,
                word: word.clone(),
                stop_sequence: stop_sequence.clone(),
                rest: rest.clone(),
            }),
            StreamPart::Usage(usage) => self.usage = Some(usage.clone()),
            StreamPart::Extra { at: ExtraAt::Answer, rest, .. } => self.extra(rest),
            StreamPart::Extra { rest, .. } if self.native() => self.extra(rest),
            StreamPart::Extra { rest, .. } => self.losses.drop_rest("answer.", rest),
            StreamPart::UnknownEvent { name, raw } if self.native() => unknown_event(out, name, raw),
            StreamPart::UnknownEvent { name, .. } => {
                self.losses.drop(&format!("event.{name}"), "an event that only its own dialect knows");
            }
            StreamPart::Ping => event(out, PING_EVENT, |_| {}),
            StreamPart::End => self.end(out),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if !self.has_started {
            self.start(&StreamPart::Ping, out);
        }
        // What no one stopped is stopped here, so that every block that started also ends.
        let open: Vec<u32> = self.blocks.iter().filter(|block| block.open).map(|block| block.part).collect();
        open.into_iter().for_each(|part| self.part_stop(part, out));
        if let Some(index) = self.refusal {
            event(out, "contentBlockStop", |out| out.number("contentBlockIndex", index));
        }
        self.message_stop(out);
        self.metadata(out);
    }

    fn losses(&self) -> Vec<Note> {
        self.losses.notes()
    }
}
