//! Writes the `input` of a Responses request: one item per message, call, result and piece of reasoning.

use pilothouse_core::conversation::{
    Content, Message, Part, Reasoning, Request, Rest, Role, ToolCall, ToolKind, ToolResult,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;

use super::super::FAMILY;
use super::super::content::PartWriter;
use super::super::item::write::{Thought, member_of, type_of};
use super::super::item::{Kept, PLAIN_REASONING, split_signature};
use super::decode::{CUSTOM, INPUT, INSTRUCTIONS, TEXT, UNTYPED, WHOLE, is_held};
use crate::codec::{ITEM, Losses, Target};
use crate::dialects::{fitting_id, nothing_arrives};
use crate::json::{Array, Object};

/// The longest `call_id` that the vendor's schema allows (`FunctionCallOutputItemParam`, in
/// <https://github.com/openai/openai-openapi> at f85dbe2, read 2026-11-23).
const CALL_ID_MAX: usize = 64;
/// What a failed tool's result begins with, as the dialect has no member for failure.
const FAILED: &str = "[tool failed] ";

/// What items are written with.
struct Writer<'a> {
    parts: PartWriter<'a>,
    target: &'a Target<'a>,
    /// The ids of calls of custom tools: their results have a type of their own.
    custom: Vec<&'a str>,
}

pub(super) fn write(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<(), Error> {
    let native = request.dialect == Dialect::OpenaiResponses;
    let custom = request
        .messages
        .iter()
        .flat_map(|message| &message.parts)
        .filter_map(|part| match &part.content {
            Content::ToolCall(call) if call.kind == ToolKind::Custom => Some(&*call.id),
            _ => None,
        })
        .collect();
    let writer = Writer { parts: PartWriter { native, quirks: &target.quirks }, target, custom };
    let mut messages = request.messages.as_slice();
    if let [first, rest @ ..] = messages
        && first.rest.get(INSTRUCTIONS).is_some()
        && let [Part { content: Content::Text { text, .. }, .. }] = first.parts.as_slice()
    {
        body.text("instructions", text);
        messages = rest;
    }
    match messages {
        [Message { parts, rest, .. }] if rest.get(INPUT).is_some() => {
            if let [Part { content: Content::Text { text, .. }, .. }] = parts.as_slice() {
                body.text("input", text);
            }
            return Ok(());
        }
        [] if native && is_held(&request.rest) => return Ok(()),
        _ => {}
    }
    let mut list = body.array("input");
    let mut turn = 0;
    for message in messages {
        writer.message(&mut list, message, turn, losses)?;
        turn += usize::from(message.role == Role::User);
    }
    if !native && messages.last().is_some_and(|message| message.role == Role::Assistant) {
        losses.add(
            "change:prefill",
            "the target answers after the last assistant message and does not continue it",
        );
    }
    Ok(())
}

impl Writer<'_> {
    /// Writes a message as the items that it is here: what is said in a row is one item. `turn` is how many of the
    /// person's came before.
    fn message(
        &self,
        list: &mut Array<'_>,
        message: &Message,
        turn: usize,
        losses: &mut Losses,
    ) -> Result<(), Error> {
        if message.name.is_some() {
            losses.drop("messages.name", "this dialect names no speakers");
        }
        if !self.parts.native {
            losses.drop_rest("messages.", &message.rest);
        }
        let mut said: Vec<&Part> = Vec::new();
        let (mut any, mut lost) = (false, false);
        let mut parts: Vec<&Part> = message.parts.iter().collect();
        if !self.parts.native {
            // Results answer the calls before them, so that nothing comes between.
            parts.sort_by_key(|part| !matches!(part.content, Content::ToolResult(_)));
        }
        for part in parts {
            let is_item =
                matches!(part.content, Content::ToolCall(_) | Content::ToolResult(_) | Content::Reasoning(_));
            if !is_item && self.parts.carries(part) {
                if self.answered(list, message, part, losses) {
                    any = true;
                } else {
                    said.push(part);
                }
                continue;
            }
            if !is_item {
                lost = true;
                self.note_lost(part, losses);
                continue;
            }
            any = true;
            self.flush(list, message, &mut said, losses);
            match &part.content {
                Content::ToolCall(call) => self.call(list, part, call, losses),
                Content::ToolResult(result) => self.result(list, part, result, losses),
                Content::Reasoning(one) => self.reasoning(list, part, one, losses),
                _ => {}
            }
        }
        if said.is_empty() && lost && !any && message.role == Role::User {
            return Err(nothing_arrives(turn, "text, image or document"));
        }
        if message.parts.is_empty() && (self.parts.native || message.role == Role::User) {
            self.say(list, message, &[], losses);
        }
        self.flush(list, message, &mut said, losses);
        Ok(())
    }

    /// Writes what the model said in another dialect: content in pieces would need an id of this vendor's, so that
    /// each piece becomes a message of plain text.
    fn answered(&self, list: &mut Array<'_>, message: &Message, part: &Part, losses: &mut Losses) -> bool {
        if self.parts.native || message.role != Role::Assistant {
            return false;
        }
        let text = match &part.content {
            Content::Text { text, annotations } => {
                if !annotations.is_empty() {
                    losses.drop("citations", "a citation of another dialect");
                }
                text
            }
            Content::Refusal { text } => {
                losses.add("change:refusal", "a refusal in the conversation became text");
                text
            }
            _ => return false,
        };
        if part.cache.is_some() {
            losses.drop("cache_control", "what the model said takes no cache markers here");
        }
        losses.drop_rest("output_text.", &part.rest);
        if text.is_empty() {
            // Nothing was said beside a call.
            return true;
        }
        let mut out = list.object();
        out.text("type", "message");
        out.text("role", "assistant");
        out.text("content", text);
        true
    }

    fn note_lost(&self, part: &Part, losses: &mut Losses) {
        match &part.content {
            Content::Audio { .. } => losses.drop("audio", "this dialect takes no sound"),
            Content::Image { .. } => losses.drop("image.file_id", "a file id is good at its own vendor only"),
            Content::File { .. } => {
                losses.drop("document.file_id", "a file id is good at its own vendor only");
            }
            Content::Unknown { kind, .. } => losses.drop(kind, "a part that only its own dialect knows"),
            _ => {}
        }
    }

    fn flush(&self, list: &mut Array<'_>, message: &Message, said: &mut Vec<&Part>, losses: &mut Losses) {
        if !said.is_empty() {
            self.say(list, message, said, losses);
            said.clear();
        }
    }

    fn say(&self, list: &mut Array<'_>, message: &Message, parts: &[&Part], losses: &mut Losses) {
        if message.rest.get(WHOLE).is_some() {
            if let [Part { content: Content::Unknown { raw, .. }, .. }] = parts {
                list.raw(raw);
            }
            return;
        }
        let role = match message.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        let mut out = list.object();
        if message.rest.get(UNTYPED).is_none() {
            out.text("type", "message");
        }
        out.text("role", role);
        let was_text = message.rest.get(TEXT).is_some();
        self.parts.content(&mut out, "content", (parts, was_text), message.role, losses);
        if self.parts.native {
            self.item_rest(&mut out, &message.rest);
            super::super::item::write_rest(&mut out, &message.rest);
        }
    }

    /// Writes what was kept of an item, its id and state included.
    fn item_rest(&self, out: &mut Object<'_>, rest: &Rest) {
        if let Some(members) = rest.get(ITEM).and_then(super::super::kept) {
            out.rest(&members.rest());
        }
    }

    fn call(&self, list: &mut Array<'_>, part: &Part, call: &ToolCall, losses: &mut Losses) {
        let native = self.parts.native;
        let mut out = list.object();
        out.text("type", type_of(call.kind));
        out.text("call_id", &self.call_id(&call.id));
        out.text("name", &call.name);
        let empty = !native && call.arguments.is_empty() && call.kind != ToolKind::Custom;
        out.text(member_of(call.kind), if empty { "{}" } else { &call.arguments });
        self.close(&mut out, part, "tool_use.", losses);
    }

    /// Ends an item: what else it has, or what is lost of it.
    fn close(&self, out: &mut Object<'_>, part: &Part, prefix: &str, losses: &mut Losses) {
        if self.parts.native {
            self.item_rest(out, &part.rest);
            return;
        }
        if part.cache.is_some() {
            losses.drop("cache_control", "the target caches without markers");
        }
        losses.drop_rest(prefix, &part.rest);
    }

    fn result(&self, list: &mut Array<'_>, part: &Part, result: &ToolResult, losses: &mut Losses) {
        let custom = part.rest.get(CUSTOM).is_some() || self.custom.contains(&&*result.call_id);
        let mut out = list.object();
        out.text("type", if custom { "custom_tool_call_output" } else { "function_call_output" });
        if !(self.parts.native && result.call_id.is_empty()) {
            out.text("call_id", &self.call_id(&result.call_id));
        }
        let mut parts: Vec<&Part> = Vec::with_capacity(result.parts.len() + 1);
        let failed;
        let mut inner = result.parts.iter();
        if result.is_error {
            losses
                .add("inline:tool_result.is_error", "the failure is told at the start of the result's text");
            let said = match result.parts.first() {
                Some(Part { content: Content::Text { text, .. }, .. }) => {
                    inner.next();
                    text.as_str()
                }
                _ => "",
            };
            failed = Part::text(format!("{FAILED}{said}"));
            parts.push(&failed);
        }
        for one in inner {
            if self.parts.carries(one) {
                parts.push(one);
            } else {
                self.note_lost(one, losses);
            }
        }
        let was_text = part.rest.get(TEXT).is_some();
        self.parts.content(&mut out, "output", (&parts, was_text), Role::Tool, losses);
        if self.parts.native {
            out.maybe_text("name", result.name.as_deref());
        }
        self.close(&mut out, part, "tool_result.", losses);
    }

    fn reasoning(&self, list: &mut Array<'_>, part: &Part, one: &Reasoning, losses: &mut Losses) {
        let family = &*one.origin.family;
        let native = self.parts.native;
        // Without a seal of ours it is what the vendor behind this dialect gave.
        let own = native && family == FAMILY;
        let proven = one.signature.is_some() && one.redacted.is_none();
        // A seal of ours opens for the dialect that the proof is of, and this one is another.
        let theirs = !native && proven && !family.is_empty() && family == self.target.family;
        if !own && !theirs {
            return losses.drop("reasoning", "reasoning goes back only to the vendor that wrote it");
        }
        let signature = one.signature.as_deref().map(split_signature);
        let kept = if native { Kept::of(&part.rest) } else { Kept::default() };
        let bound = signature.and_then(|(id, _)| id);
        let thought = Thought {
            id: kept.id.as_deref().or(bound),
            text: &one.text,
            is_plain: part.rest.get(PLAIN_REASONING).is_some(),
            encrypted: signature.map(|(_, encrypted)| encrypted),
            kept: &kept.rest,
        };
        thought.write(&mut list.object());
    }

    fn call_id<'i>(&self, id: &'i str) -> std::borrow::Cow<'i, str> {
        if self.parts.native { id.into() } else { fitting_id(id, CALL_ID_MAX) }
    }
}
