//! Writes the messages of an Anthropic request: system text apart, turns merged, tool results first.

use pilothouse_core::conversation::{Content, Message, Part, Request, Role};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;

use super::super::part::BlockWriter;
use crate::codec::{Losses, Target};
use crate::dialects::turns::{Carrier, Turn, turns};
use crate::dialects::{nothing_arrives, number_of};
use crate::json::{Array, Object};

/// What the person says where a dialect asks for a turn of theirs and none is there.
const GO_ON: &str = "Continue.";

pub(super) fn write_messages(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<(), Error> {
    let native = request.dialect == Dialect::AnthropicMessages;
    let writer = BlockWriter { native, target };
    let leading = request.messages.iter().take_while(|message| is_system(message.role)).count();
    let (head, tail) = request.messages.split_at(leading);
    let mut system: Vec<&Part> = head.iter().flat_map(|message| &message.parts).collect();
    let anywhere = native || target.quirks.system_anywhere;
    if !anywhere {
        for message in tail.iter().filter(|message| is_system(message.role)) {
            losses.add("move:system", "a system message in the middle joined those at the start");
            system.extend(&message.parts);
        }
    }
    let mut turns = turns(tail, anywhere, &writer, losses);
    if !native {
        check_lost(tail, &writer)?;
        if turns.is_empty() {
            // Only instructions: Anthropic asks for a turn of the person's.
            losses.add("move:system", "the only messages are instructions, so that they became the person's");
            turns.push(Turn { role: Role::User, parts: std::mem::take(&mut system), single: None });
        }
    }
    write_system(body, &system, &writer, losses);
    let mut list = body.array("messages");
    if !native && turns.first().is_some_and(|turn| turn.role == Role::Assistant) {
        losses.add("add:user_turn", "the conversation must begin with the person's turn");
        write_text_turn(&mut list, "user", GO_ON);
    }
    let last = turns.len().saturating_sub(1);
    for (at, turn) in turns.iter().enumerate() {
        let prefill = at == last && turn.role == Role::Assistant;
        write_turn(&mut list, turn, &writer, prefill, losses);
        if prefill && !native && !target.quirks.prefill {
            losses.add("add:user_turn", "the model does not continue an assistant message");
            write_text_turn(&mut list, "user", GO_ON);
        }
    }
    Ok(())
}

fn is_system(role: Role) -> bool {
    matches!(role, Role::System | Role::Developer)
}

/// A message of the person's of which nothing arrives would change what is asked, so that it is refused.
fn check_lost(messages: &[Message], writer: &BlockWriter<'_>) -> Result<(), Error> {
    for (at, message) in messages.iter().enumerate() {
        let lost = message.role == Role::User
            && message
                .parts
                .iter()
                .any(|part| !matches!(&part.content, Content::Text { text, .. } if text.is_empty()))
            && !message.parts.iter().any(|part| writer.carries(part));
        if lost {
            return Err(nothing_arrives(number_of(messages, at), "text, image or document"));
        }
    }
    Ok(())
}

fn write_system(body: &mut Object<'_>, system: &[&Part], writer: &BlockWriter<'_>, losses: &mut Losses) {
    match system {
        [] => {}
        [Part { content: Content::Text { text, .. }, cache: None, rest }] if rest.is_empty() => {
            if !text.is_empty() || writer.native {
                body.text("system", text);
            }
        }
        parts => {
            let mut list = body.array("system");
            for part in parts {
                writer.block(&mut list, part, losses);
            }
        }
    }
}

fn write_text_turn(list: &mut Array<'_>, role: &str, text: &str) {
    let mut message = list.object();
    message.text("role", role);
    message.text("content", text);
}

fn write_turn(
    list: &mut Array<'_>,
    turn: &Turn<'_>,
    writer: &BlockWriter<'_>,
    prefill: bool,
    losses: &mut Losses,
) {
    let mut message = list.object();
    message.text(
        "role",
        match turn.role {
            Role::System => "system",
            Role::Assistant => "assistant",
            _ => "user",
        },
    );
    match turn.parts.as_slice() {
        [Part { content: Content::Text { text, annotations }, cache: None, rest }]
            if rest.is_empty() && annotations.is_empty() =>
        {
            // Anthropic refuses a prefill that ends in white space.
            let text = if prefill && !writer.native { text.trim_end() } else { text };
            message.text("content", text);
        }
        parts => {
            let mut list = message.array("content");
            parts.iter().for_each(|part| writer.block(&mut list, part, losses));
        }
    }
    if let Some(single) = turn.single {
        message.rest(&single.rest);
    }
}
