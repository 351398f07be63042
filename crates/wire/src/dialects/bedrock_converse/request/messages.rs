//! Writes the messages of a Converse request: system text apart, turns merged, tool results first.

use pilothouse_core::conversation::{Content, Message, Part, Request, Role};
use pilothouse_core::error::Error;

use super::super::block::BlockWriter;
use crate::codec::Losses;
use crate::dialects::turns::{Carrier, Turn, turns};
use crate::dialects::{nothing_arrives, number_of};
use crate::json::{Array, Object};

/// What the person says where a turn of theirs must stand and none is there.
const GO_ON: &str = "Continue.";
/// What stands beside a document that comes alone: "If you include a ContentBlock with a document field in the array,
/// you must also include a ContentBlock with a text field" (`Message` of the service model).
const SEE: &str = "See the document.";

pub(super) fn write(
    body: &mut Object<'_>,
    request: &Request,
    writer: &BlockWriter<'_>,
    losses: &mut Losses,
) -> Result<(), Error> {
    let native = writer.native;
    // Natively, `system` is the first message, and others of that role stand where they stood.
    let leading = if native {
        usize::from(request.messages.first().is_some_and(|message| is_system(message.role)))
    } else {
        request.messages.iter().take_while(|message| is_system(message.role)).count()
    };
    let (head, tail) = request.messages.split_at(leading);
    let mut system: Vec<&Part> = head.iter().flat_map(|message| &message.parts).collect();
    let anywhere = native || writer.target.quirks.system_anywhere;
    if !anywhere {
        for message in tail.iter().filter(|message| is_system(message.role)) {
            losses.add("move:system", "a system message in the middle joined those at the start");
            system.extend(&message.parts);
        }
    }
    let mut turns = turns(tail, anywhere, writer, losses);
    if !native {
        check_lost(tail, writer)?;
        if turns.is_empty() {
            losses.add("move:system", "the only messages are instructions, so that they became the person's");
            turns.push(Turn { role: Role::User, parts: std::mem::take(&mut system), single: None });
        }
    }
    write_system(body, &system, !head.is_empty(), writer, losses);
    let mut list = body.array("messages");
    if !native && turns.first().is_some_and(|turn| turn.role == Role::Assistant) {
        losses.add("add:user_turn", "the conversation must begin with the person's turn");
        write_go_on(&mut list);
    }
    let last = turns.len().saturating_sub(1);
    for (at, turn) in turns.iter().enumerate() {
        let prefill = at == last && turn.role == Role::Assistant;
        let mark = request.cache.last.as_ref().filter(|_| at == last);
        let mut message = list.object();
        message.text("role", word_of(turn.role));
        {
            let mut content = message.array("content");
            write_parts(&mut content, turn, prefill, writer, losses);
            writer.mark(&mut content, mark, losses);
        }
        if let Some(single) = turn.single {
            message.rest(&single.rest);
        }
        drop(message);
        if prefill && !native && !writer.target.quirks.prefill {
            losses.add("add:user_turn", "the model does not continue an assistant message");
            write_go_on(&mut list);
        }
    }
    Ok(())
}

const fn word_of(role: Role) -> &'static str {
    match role {
        Role::System | Role::Developer => "system",
        Role::Assistant => "assistant",
        Role::User | Role::Tool => "user",
    }
}

fn is_system(role: Role) -> bool {
    matches!(role, Role::System | Role::Developer)
}

/// A message of the person's of which nothing arrives would change what is asked, so that it is refused.
fn check_lost(messages: &[Message], writer: &BlockWriter<'_>) -> Result<(), Error> {
    for (at, message) in messages.iter().enumerate() {
        let says =
            |part: &&Part| !matches!(&part.content, Content::Text { text, .. } if text.trim().is_empty());
        let lost = message.role == Role::User
            && message.parts.iter().any(|part| says(&part))
            && !message.parts.iter().any(|part| writer.carries(part));
        if lost {
            let forms = "text, or as an image or document in base64";
            return Err(nothing_arrives(number_of(messages, at), forms));
        }
    }
    Ok(())
}

/// Writes `system`: text, guarded text and cache points; of another dialect nothing else.
fn write_system(
    body: &mut Object<'_>,
    system: &[&Part],
    is_given: bool,
    writer: &BlockWriter<'_>,
    losses: &mut Losses,
) {
    let is_text = |part: &&&Part| matches!(part.content, Content::Text { .. }) && writer.carries(part);
    if writer.native {
        if is_given {
            let mut list = body.array("system");
            system.iter().for_each(|part| writer.block(&mut list, part, losses));
        }
        return;
    }
    for part in system.iter().filter(|part| !is_text(part)) {
        match &part.content {
            Content::Text { .. } => {}
            _ => losses.drop("system.part", "instructions hold text only here"),
        }
    }
    let texts: Vec<&&Part> = system.iter().filter(is_text).collect();
    if !texts.is_empty() {
        let mut list = body.array("system");
        texts.into_iter().for_each(|part| writer.block(&mut list, part, losses));
    }
}

fn write_go_on(list: &mut Array<'_>) {
    let mut message = list.object();
    message.text("role", "user");
    message.array("content").object().text("text", GO_ON);
}

fn write_parts(
    list: &mut Array<'_>,
    turn: &Turn<'_>,
    prefill: bool,
    writer: &BlockWriter<'_>,
    losses: &mut Losses,
) {
    let is_document = |part: &&Part| matches!(part.content, Content::File { .. });
    let is_text = |part: &&Part| matches!(part.content, Content::Text { .. });
    if !writer.native && turn.parts.iter().any(is_document) && !turn.parts.iter().any(is_text) {
        losses.add("add:text", "a document must have text beside it here");
        list.object().text("text", SEE);
    }
    let last = turn.parts.len().saturating_sub(1);
    for (at, part) in turn.parts.iter().enumerate() {
        match &part.content {
            // Claude refuses a prefill that ends in white space.
            Content::Text { text, .. } if prefill && at == last && !writer.native => {
                let mut trimmed = (*part).clone();
                trimmed.content = Content::Text { text: text.trim_end().to_owned(), annotations: Vec::new() };
                writer.block(list, &trimmed, losses);
            }
            _ => writer.block(list, part, losses),
        }
    }
}
