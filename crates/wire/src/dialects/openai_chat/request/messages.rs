//! Writes the messages of an OpenAI chat request.

use std::borrow::Cow;

use pilothouse_core::conversation::{Content, Message, Part, Request, Role, ToolCall, ToolKind, ToolResult};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;

use super::super::part::{PartWriter, document_text, drop_rest};
use super::decode::{LEGACY_ID, UNKNOWN_CALL};
use crate::codec::{Losses, Target};
use crate::dialects::{fitting_id, nothing_arrives};
use crate::json::{Array, Object};

/// OpenAI refuses longer ids of tool calls ("string too long. Expected a string with maximum length 40").
/// <https://github.com/microsoft/autogen/issues/6377>, looked up 2026-11-22.
const CALL_ID_MAX: usize = 40;
/// What a failed tool's result begins with, as the dialect has no member for failure.
const FAILED: &str = "[tool failed] ";

/// What one message is written with.
struct Writer<'a> {
    parts: PartWriter<'a>,
    target: &'a Target<'a>,
}

pub(super) fn write_messages(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<(), Error> {
    let native = request.dialect == Dialect::OpenaiChat;
    let writer = Writer { parts: PartWriter { native, quirks: &target.quirks }, target };
    let mut list = body.array("messages");
    let mut turn = 0;
    for message in &turns(request, losses) {
        writer.message(&mut list, message, turn, losses)?;
        turn += usize::from(message.role == Role::User);
    }
    if !native && request.messages.last().is_some_and(|message| message.role == Role::Assistant) {
        losses.add(
            "change:prefill",
            "the target answers after the last assistant message and does not continue it",
        );
    }
    Ok(())
}

/// The messages, where turns came as items: what the model says and calls in a row is one message here, and so are
/// the results of its calls, so that what they hold besides text comes behind all of them. A turn of which nothing
/// is left is none.
fn turns<'a>(request: &'a Request, losses: &mut Losses) -> Vec<Cow<'a, Message>> {
    if request.dialect != Dialect::OpenaiResponses {
        return request.messages.iter().map(Cow::Borrowed).collect();
    }
    let mut turns: Vec<Cow<'a, Message>> = Vec::with_capacity(request.messages.len());
    for message in &request.messages {
        match turns.last_mut() {
            Some(last)
                if last.role == message.role && matches!(message.role, Role::Assistant | Role::Tool) =>
            {
                drop_rest(&message.rest, "messages.", losses);
                last.to_mut().parts.extend(message.parts.iter().cloned());
            }
            _ => turns.push(Cow::Borrowed(message)),
        }
    }
    turns.retain(|turn| {
        let left = turn.role != Role::Assistant
            || turn.parts.iter().any(|part| !matches!(part.content, Content::Unknown { .. }));
        if !left {
            for part in &turn.parts {
                if let Content::Unknown { kind, .. } = &part.content {
                    losses.drop(kind, "a part that only its own dialect knows");
                }
            }
        }
        left
    });
    turns
}

impl Writer<'_> {
    fn message(
        &self,
        list: &mut Array<'_>,
        message: &Message,
        turn: usize,
        losses: &mut Losses,
    ) -> Result<(), Error> {
        match message.role {
            Role::System | Role::Developer => {
                let developer = message.role == Role::Developer
                    && (self.parts.native || self.target.quirks.developer_role);
                let parts: Vec<&Part> = message.parts.iter().collect();
                self.plain(list, message, if developer { "developer" } else { "system" }, &parts, losses);
            }
            Role::Assistant => self.assistant(list, message, losses),
            Role::User | Role::Tool => self.user(list, message, turn, losses)?,
        }
        Ok(())
    }

    fn plain(
        &self,
        list: &mut Array<'_>,
        message: &Message,
        role: &str,
        parts: &[&Part],
        losses: &mut Losses,
    ) {
        let mut out = list.object();
        out.text("role", role);
        out.maybe_text("name", message.name.as_deref());
        if parts.is_empty() {
            out.text("content", "");
        }
        self.parts.content(&mut out, parts, message.role, losses);
        self.rest(&mut out, message, losses);
    }

    fn rest(&self, out: &mut Object<'_>, message: &Message, losses: &mut Losses) {
        if self.parts.native {
            out.rest(&message.rest);
        } else {
            drop_rest(&message.rest, "messages.", losses);
        }
    }

    /// Tool results come first and each become a message of their own; what they hold besides text, and what
    /// the person says, follow in a user message.
    fn user(
        &self,
        list: &mut Array<'_>,
        message: &Message,
        turn: usize,
        losses: &mut Losses,
    ) -> Result<(), Error> {
        let mut said: Vec<&Part> = Vec::new();
        let mut answered = false;
        for part in &message.parts {
            if let Content::ToolResult(result) = &part.content {
                answered = true;
                self.result(list, message, part, result, &mut said, losses);
            }
        }
        said.extend(message.parts.iter().filter(|part| !matches!(part.content, Content::ToolResult(_))));
        if said.is_empty() && (answered || self.parts.native && message.role == Role::Tool) {
            return Ok(());
        }
        if !said.is_empty() && !self.parts.native && said.iter().all(|part| !carried(part)) {
            return Err(nothing_arrives(turn, "text, image or base64"));
        }
        self.plain(list, message, "user", &said, losses);
        Ok(())
    }

    fn result<'p>(
        &self,
        list: &mut Array<'_>,
        message: &Message,
        part: &Part,
        result: &'p ToolResult,
        said: &mut Vec<&'p Part>,
        losses: &mut Losses,
    ) {
        let native = self.parts.native;
        let legacy = native && result.call_id.starts_with(LEGACY_ID);
        let mut out = list.object();
        out.text("role", if legacy { "function" } else { "tool" });
        if legacy {
            out.maybe_text("name", result.name.as_deref());
        } else {
            out.text("tool_call_id", &self.call_id(&result.call_id));
        }
        if native {
            let parts: Vec<&Part> = result.parts.iter().collect();
            self.parts.content(&mut out, &parts, Role::Tool, losses);
            if parts.is_empty() {
                out.text("content", "");
            }
            if message.role == Role::Tool {
                out.rest(&message.rest);
            }
            return;
        }
        let mut text = String::new();
        if result.is_error {
            losses
                .add("inline:tool_result.is_error", "the failure is told at the start of the result's text");
            text.push_str(FAILED);
        }
        for inner in &result.parts {
            match &inner.content {
                Content::Text { text: more, .. } => {
                    if !text.is_empty() && text != FAILED {
                        text.push('\n');
                    }
                    text.push_str(more);
                }
                Content::File { source, name }
                    if matches!(
                        source,
                        pilothouse_core::conversation::Media::Text(_)
                            | pilothouse_core::conversation::Media::Parts(_)
                    ) =>
                {
                    losses.add("inline:document", "a text document became a text part");
                    text.push_str(&document_text(source, name.as_deref()));
                }
                Content::Image { .. } | Content::File { .. } => {
                    losses.add(
                        "move:tool_result.media",
                        "pictures and files of a tool result follow as the user's",
                    );
                    said.push(inner);
                }
                Content::Unknown { kind, .. } => losses.drop(kind, "a part of a tool result"),
                _ => {}
            }
        }
        out.text("content", &text);
        if part.cache.is_some() {
            losses.drop("cache_control", "the target caches without markers");
        }
        drop_rest(&part.rest, "tool_result.", losses);
    }

    fn assistant(&self, list: &mut Array<'_>, message: &Message, losses: &mut Losses) {
        let native = self.parts.native;
        let (mut said, mut calls, mut foreign) = (Vec::new(), Vec::new(), Vec::new());
        let mut reasoning = String::new();
        for part in &message.parts {
            match &part.content {
                Content::ToolCall(call) => calls.push((call, part)),
                Content::Unknown { kind, raw } if native && kind.starts_with(UNKNOWN_CALL) => {
                    foreign.push(raw)
                }
                Content::Reasoning(one) => {
                    let known = &*one.origin.family == self.target.family || one.origin.family.is_empty();
                    if native || (known && self.target.quirks.reasoning_member.is_some()) {
                        reasoning.push_str(&one.text);
                    } else {
                        losses.drop("reasoning", "reasoning goes back only to the vendor that wrote it");
                    }
                }
                _ => said.push(part),
            }
        }
        let mut out = list.object();
        out.text("role", "assistant");
        out.maybe_text("name", message.name.as_deref());
        if said.is_empty() {
            out.null("content");
        }
        self.parts.content(&mut out, &said, Role::Assistant, losses);
        if !reasoning.is_empty() {
            out.text(self.target.quirks.reasoning_member.unwrap_or("reasoning_content"), &reasoning);
        }
        match calls.first() {
            Some((call, _)) if native && call.kind == ToolKind::LegacyFunction => {
                let mut function = out.object("function_call");
                function.text("name", &call.name);
                function.text("arguments", &call.arguments);
            }
            None if foreign.is_empty() => {}
            _ => {
                let mut list = out.array("tool_calls");
                for (call, part) in calls {
                    self.call(&mut list, call, part, losses);
                }
                foreign.into_iter().for_each(|raw| list.raw(raw));
            }
        }
        self.rest(&mut out, message, losses);
    }

    fn call(&self, list: &mut Array<'_>, call: &ToolCall, part: &Part, losses: &mut Losses) {
        let mut out = list.object();
        out.text("id", &self.call_id(&call.id));
        if call.kind == ToolKind::Custom {
            out.text("type", "custom");
            let mut custom = out.object("custom");
            custom.text("name", &call.name);
            custom.text("input", &call.arguments);
        } else {
            out.text("type", "function");
            let mut function = out.object("function");
            function.text("name", &call.name);
            function.text("arguments", &call.arguments);
        }
        if self.parts.native {
            out.rest(&part.rest);
        } else {
            drop_rest(&part.rest, "tool_use.", losses);
            if part.cache.is_some() {
                losses.drop("cache_control", "the target caches without markers");
            }
        }
    }

    fn call_id<'i>(&self, id: &'i str) -> Cow<'i, str> {
        if self.parts.native { id.into() } else { fitting_id(id, CALL_ID_MAX) }
    }
}

/// Whether anything of a part arrives in a user message of this dialect.
fn carried(part: &Part) -> bool {
    use pilothouse_core::conversation::Media;
    match &part.content {
        Content::Text { .. } | Content::Refusal { .. } => true,
        Content::Image { source, .. } => !matches!(source, Media::FileId(_)),
        Content::Audio { source } => matches!(source, Media::Base64 { .. }),
        Content::File { source, .. } => !matches!(source, Media::FileId(_) | Media::Url(_)),
        Content::Unknown { kind, .. } => &**kind == "search_result",
        Content::ToolCall(_) | Content::ToolResult(_) | Content::Reasoning(_) => false,
    }
}
