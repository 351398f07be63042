//! Keeps the signed thinking that a client's dialect cannot carry, and puts it back in a tool loop.

use std::sync::{Arc, PoisonError};

use pilothouse_core::conversation::{Answer, Request, StreamPart};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Note;
use pilothouse_wire::codec::assemble::Assembler;
use pilothouse_wire::codec::{Target, ThinkingStyle};

use crate::shared::Shared;

/// Most bytes of one answer that are gathered for the memory.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Whether the pair of dialects loses thinking that the vendor wants back.
fn loses_thinking(client: Dialect, upstream: Dialect) -> bool {
    use Dialect::{AnthropicMessages, BedrockConverse, GeminiGenerate, OpenaiChat, OpenaiResponses};
    client == OpenaiChat
        && matches!(upstream, AnthropicMessages | OpenaiResponses | GeminiGenerate | BedrockConverse)
}

/// Gathers one answer for the memory.
pub(crate) struct Remembering {
    shared: Arc<Shared>,
    key: Arc<str>,
    assembler: Option<Assembler>,
    answer: Option<Answer>,
}

impl Remembering {
    /// `None` where the client carries its thinking itself.
    #[must_use]
    pub(crate) fn for_pair(
        shared: &Arc<Shared>,
        client: Dialect,
        upstream: Dialect,
        key: &Arc<str>,
    ) -> Option<Self> {
        loses_thinking(client, upstream).then(|| Self {
            shared: Arc::clone(shared),
            key: Arc::clone(key),
            assembler: None,
            answer: None,
        })
    }

    /// Takes one step of a streamed answer.
    pub(crate) fn part(&mut self, part: &StreamPart) {
        self.assembler.get_or_insert_with(|| Assembler::new(ANSWER_BYTES_MAX)).part(part);
    }

    /// Takes a whole answer.
    pub(crate) fn answer(&mut self, answer: &Answer) {
        self.answer = Some(answer.clone());
    }

    /// Keeps what was gathered.
    pub(crate) fn keep(self) {
        let answer = self.answer.or_else(|| self.assembler.and_then(Assembler::finish));
        let Some(answer) = answer else { return };
        let now = self.shared.clock.now();
        let mut thinking = self.shared.thinking.lock().unwrap_or_else(PoisonError::into_inner);
        thinking.remember(&self.key, &answer, now);
    }
}

/// Puts thinking back into a request, and says what had to be given up.
pub(crate) fn restore(
    shared: &Shared,
    request: &mut Request,
    client: Dialect,
    upstream: Dialect,
    target: &Target<'_>,
    key: &str,
) -> Vec<Note> {
    let mut notes = Vec::new();
    if loses_thinking(client, upstream) {
        let mut thinking = shared.thinking.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, family) = (shared.clock.now(), target.family);
        let restored = match upstream {
            // A call of Gemini's without its signature gets the placeholder that Google documents.
            Dialect::GeminiGenerate => thinking.restore_held(key, family, request, now),
            // Where thinking is adaptive, turns may begin without.
            _ if matches!(target.quirks.thinking, ThinkingStyle::Adaptive | ThinkingStyle::Either) => {
                thinking.restore_held(key, family, request, now)
            }
            Dialect::OpenaiResponses => {
                let asked = request.reasoning.clone();
                let restored = thinking.restore(key, family, request, now, &mut notes);
                if restored.turned_off {
                    // This vendor takes a tool loop with a gap in its reasoning, so that nothing need be turned off.
                    request.reasoning = asked;
                    notes.clear();
                    notes.push(Note::new(
                        "drop:thinking",
                        "the reasoning behind a tool call is not held for this model",
                    ));
                }
                restored
            }
            _ => thinking.restore(key, family, request, now, &mut notes),
        };
        if restored.turns > 0 {
            notes.push(Note::new("restore:thinking", &format!("{} turns", restored.turns)));
        }
    }
    notes
}
