//! Writes the contents of a Gemini request: instructions apart, turns merged, results right behind their calls.

use std::collections::HashMap;

use pilothouse_core::conversation::{Content, Message, Part, Request, Role};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;

use super::super::part::Writer;
use super::super::signature::{PLACEHOLDER, Places};
use crate::codec::{Losses, Target, gemini_version};
use crate::dialects::{nothing_arrives, number_of};
use crate::json::{Array, Object};

/// What the person says where a conversation would begin with the model.
const GO_ON: &str = "Continue.";
/// The name of a function whose call is not in the conversation; Google asks for one.
const UNKNOWN: &str = "unknown_function";

/// Consecutive messages of one speaker.
struct Turn<'a> {
    is_model: bool,
    parts: Vec<&'a Part>,
    /// The message, where the turn is one message as it came.
    single: Option<&'a Message>,
}

/// What contents are written with.
struct Scribe<'a> {
    writer: Writer<'a>,
    /// The function of each call, by the call's id.
    names: HashMap<&'a str, &'a str>,
    /// Whether the model refuses calls of the open turn without a signature.
    wants_signatures: bool,
}

pub(super) fn write_contents(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<(), Error> {
    let native = request.dialect == Dialect::GeminiGenerate;
    let is_new = gemini_version(target.model).is_some_and(|version| version >= (3, 0));
    let scribe = Scribe {
        writer: Writer { native, family: target.family, results_hold_media: is_new },
        names: names(&request.messages),
        wants_signatures: is_new && !native,
    };
    let (mut system, mut turns) = scribe.turns(&request.messages, losses);
    if !native {
        check_lost(&request.messages, &scribe.writer)?;
        if turns.is_empty() {
            losses.add("move:system", "the only messages are instructions, so that they became the person's");
            turns.push(Turn { is_model: false, parts: std::mem::take(&mut system), single: None });
        }
    }
    scribe.write_system(body, request, &system, losses);
    let mut list = body.array("contents");
    if !native && turns.first().is_some_and(|turn| turn.is_model) {
        losses.add("add:user_turn", "the conversation must begin with the person's turn");
        write_text(&mut list, GO_ON);
    }
    let open_from = open_turn(&turns);
    for (at, turn) in turns.iter().enumerate() {
        if turn.is_model {
            scribe.model(&mut list, turn, at >= open_from, losses);
        } else {
            let before = at.checked_sub(1).map_or(&[][..], |before| turns[before].parts.as_slice());
            scribe.user(&mut list, turn, before, losses);
        }
    }
    Ok(())
}

fn is_system(role: Role) -> bool {
    matches!(role, Role::System | Role::Developer)
}

fn names(messages: &[Message]) -> HashMap<&str, &str> {
    let calls = messages.iter().flat_map(|message| &message.parts).filter_map(|part| match &part.content {
        Content::ToolCall(call) => Some((&*call.id, &*call.name)),
        _ => None,
    });
    calls.collect()
}

/// The place of the call that a result answers among the parts of the turn before.
fn place_of_call(result: &Part, before: &[&Part]) -> usize {
    let Content::ToolResult(result) = &result.content else { return usize::MAX };
    let answers =
        |part: &&Part| matches!(&part.content, Content::ToolCall(call) if call.id == result.call_id);
    before.iter().position(answers).unwrap_or(usize::MAX)
}

/// Where the open turn begins, within which Google validates signatures: behind the person's last words
/// (<https://ai.google.dev/gemini-api/docs/thought-signatures>, read 2026-11-23).
fn open_turn(turns: &[Turn<'_>]) -> usize {
    let speaks = |turn: &Turn<'_>| {
        !turn.is_model && turn.parts.iter().any(|part| !matches!(part.content, Content::ToolResult(_)))
    };
    turns.iter().rposition(speaks).map_or(0, |at| at + 1)
}

/// A message of the person's of which nothing arrives would change what is asked, so that it is refused.
fn check_lost(messages: &[Message], writer: &Writer<'_>) -> Result<(), Error> {
    for (at, message) in messages.iter().enumerate() {
        let says = |part: &Part| !matches!(&part.content, Content::Text { text, .. } if text.is_empty());
        let is_lost = message.role == Role::User
            && message.parts.iter().any(says)
            && !message.parts.iter().any(|part| writer.carries(part));
        if is_lost {
            return Err(nothing_arrives(number_of(messages, at), "text, image, sound or document"));
        }
    }
    Ok(())
}

fn write_text(list: &mut Array<'_>, text: &str) {
    let mut content = list.object();
    content.text("role", "user");
    content.array("parts").object().text("text", text);
}

impl<'a> Scribe<'a> {
    /// The instructions, and the turns.
    fn turns(&self, messages: &'a [Message], losses: &mut Losses) -> (Vec<&'a Part>, Vec<Turn<'a>>) {
        let (mut system, mut turns) = (Vec::new(), Vec::<Turn<'a>>::with_capacity(messages.len()));
        for message in messages {
            if message.name.is_some() {
                losses.drop("messages.name", "this dialect names no speakers");
            }
            if !self.writer.native {
                losses.drop_rest("messages.", &message.rest);
            }
            let mut parts = Vec::with_capacity(message.parts.len());
            for part in &message.parts {
                if self.writer.carries(part) {
                    parts.push(part);
                } else {
                    self.writer.note_lost(part, losses);
                }
            }
            if is_system(message.role) {
                if !turns.is_empty() {
                    losses.add("move:system", "a system message in the middle joined those at the start");
                }
                system.extend(parts);
                continue;
            }
            let is_model = message.role == Role::Assistant;
            match turns.last_mut() {
                _ if self.writer.native => turns.push(Turn { is_model, parts, single: Some(message) }),
                _ if parts.is_empty() => {}
                Some(turn) if turn.is_model == is_model => turn.parts.extend(parts),
                _ => turns.push(Turn { is_model, parts, single: None }),
            }
        }
        (system, turns)
    }

    fn write_system(&self, body: &mut Object<'_>, request: &Request, system: &[&Part], losses: &mut Losses) {
        let whole = request.messages.first().filter(|message| is_system(message.role) && self.writer.native);
        if system.is_empty() && whole.is_none() {
            return;
        }
        let mut content = body.object("systemInstruction");
        {
            let mut list = content.array("parts");
            system.iter().for_each(|part| self.writer.part(&mut list, part, None, losses));
        }
        if let Some(message) = whole {
            content.rest(&message.rest);
        }
    }

    /// Writes a turn of the model. The first call of a step in the open turn must have a signature; where there is
    /// none, Google's own word for that stands in.
    fn model(&self, list: &mut Array<'_>, turn: &Turn<'_>, is_open: bool, losses: &mut Losses) {
        let mut content = list.object();
        content.text("role", "model");
        let places = Places::of(&turn.parts);
        let mut is_first = true;
        {
            let mut parts = content.array("parts");
            for (at, part) in turn.parts.iter().enumerate().filter(|(at, _)| !places.is_moved(*at)) {
                let mut signature = places.on(at);
                if matches!(part.content, Content::ToolCall(_)) && std::mem::take(&mut is_first) {
                    let is_missing = signature.is_none() && is_open && self.wants_signatures;
                    if is_missing {
                        losses.add(
                            "set:thoughtSignature",
                            "a call without Gemini's signature got the placeholder that Google documents",
                        );
                        signature = Some(PLACEHOLDER);
                    }
                }
                self.writer.part(&mut parts, part, signature, losses);
            }
        }
        if let Some(single) = turn.single {
            content.rest(&single.rest);
        }
    }

    /// Writes a turn of the person's. Results come first, in the order of their calls, and in a content of their
    /// own; what the person says, and media that a result cannot hold, follows.
    fn user(&self, list: &mut Array<'_>, turn: &Turn<'_>, before: &[&Part], losses: &mut Losses) {
        if self.writer.native {
            let mut content = list.object();
            content.text("role", "user");
            self.parts(&mut content, &turn.parts, losses);
            if let Some(single) = turn.single {
                content.rest(&single.rest);
            }
            return;
        }
        let is_result = |part: &&&Part| matches!(part.content, Content::ToolResult(_));
        let mut results: Vec<&Part> = turn.parts.iter().filter(is_result).copied().collect();
        results.sort_by_key(|part| place_of_call(part, before));
        let mut said = Vec::new();
        if !results.is_empty() {
            let mut content = list.object();
            content.text("role", "user");
            said = self.parts(&mut content, &results, losses);
        }
        said.extend(turn.parts.iter().filter(|part| !is_result(part)).copied());
        if !said.is_empty() {
            let mut content = list.object();
            content.text("role", "user");
            self.parts(&mut content, &said, losses);
        }
    }

    /// Writes parts and returns the media that results could not hold.
    fn parts<'p>(&self, content: &mut Object<'_>, parts: &[&'p Part], losses: &mut Losses) -> Vec<&'p Part> {
        let mut list = content.array("parts");
        let mut after = Vec::new();
        let places = if self.writer.native { Places::of(parts) } else { Places::default() };
        for (at, part) in parts.iter().enumerate().filter(|(at, _)| !places.is_moved(*at)) {
            let Content::ToolResult(result) = &part.content else {
                self.writer.part(&mut list, part, places.on(at), losses);
                continue;
            };
            let named = result.name.as_deref().or_else(|| self.names.get(&*result.call_id).copied());
            if named.is_none() {
                losses.add(
                    "set:functionResponse.name",
                    "the call that this result answers is not in the conversation",
                );
            }
            self.writer.result(&mut list, part, result, named.unwrap_or(UNKNOWN), &mut after, losses);
        }
        after
    }
}
