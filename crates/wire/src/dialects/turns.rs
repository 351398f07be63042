//! Messages as turns, for the dialects whose vendors read consecutive messages of one speaker as one.

use pilothouse_core::conversation::{Content, Message, Part, Role};

use crate::codec::Losses;

/// What a dialect's writer can carry of a part.
pub(crate) trait Carrier {
    /// Whether the request was written in the writer's own dialect.
    fn is_native(&self) -> bool;

    /// Whether anything of a part arrives.
    fn carries(&self, part: &Part) -> bool;

    /// Notes what is lost of a part that is not carried.
    fn note_lost(&self, part: &Part, losses: &mut Losses);
}

/// Consecutive messages of one speaker.
pub(crate) struct Turn<'a> {
    /// Who speaks: system, user or assistant.
    pub(crate) role: Role,
    pub(crate) parts: Vec<&'a Part>,
    /// The message, where the turn is one message as it came.
    pub(crate) single: Option<&'a Message>,
}

/// The turns of messages; those of the system only where they may stand `anywhere`.
pub(crate) fn turns<'a>(
    messages: &'a [Message],
    anywhere: bool,
    carrier: &impl Carrier,
    losses: &mut Losses,
) -> Vec<Turn<'a>> {
    let mut turns: Vec<Turn<'a>> = Vec::with_capacity(messages.len());
    for message in messages {
        let role = match message.role {
            Role::System | Role::Developer if !anywhere => continue,
            Role::System | Role::Developer => Role::System,
            Role::User | Role::Tool => Role::User,
            Role::Assistant => Role::Assistant,
        };
        if carrier.is_native() {
            let parts = message.parts.iter().collect();
            turns.push(Turn { role, parts, single: Some(message) });
            continue;
        }
        if message.name.is_some() {
            losses.drop("messages.name", "this dialect names no speakers");
        }
        losses.drop_rest("messages.", &message.rest);
        let mut parts: Vec<&Part> = Vec::with_capacity(message.parts.len());
        for part in &message.parts {
            if carrier.carries(part) {
                parts.push(part);
            } else {
                carrier.note_lost(part, losses);
            }
        }
        if parts.is_empty() {
            continue;
        }
        match turns.last_mut() {
            Some(turn) if turn.role == role => turn.parts.extend(parts),
            _ => turns.push(Turn { role, parts, single: None }),
        }
    }
    if !carrier.is_native() {
        // Results answer the calls of the turn before, so that they come first.
        for turn in turns.iter_mut().filter(|turn| turn.role == Role::User) {
            turn.parts.sort_by_key(|part| !matches!(part.content, Content::ToolResult(_)));
        }
    }
    turns
}
