//! Keeps the signed thinking of another dialect that clients may lose, and puts it back in a tool loop.
//!
//! An openai-chat client cannot carry it at all. Clients of the other dialects can, and many do not: they send back
//! only what they know of, or nothing that their own vendor did not sign. What a client does carry is left alone.

use std::sync::{Arc, PoisonError};

use pilothouse_core::clock::UnixMs;
use pilothouse_core::conversation::{Answer, Content, Request, StreamPart};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Note;
use pilothouse_store::StoreError;
use pilothouse_wire::codec::Target;
use pilothouse_wire::codec::assemble::Assembler;
use pilothouse_wire::memory::{KEPT_MS, pack};

use crate::bodies::Watch;
use crate::shared::Shared;

/// Most bytes of one answer that are gathered for the memory.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Whether a client of that dialect may lose thinking that the vendor wants back.
fn may_lose_thinking(client: Dialect, upstream: Dialect) -> bool {
    use Dialect::{AnthropicMessages, BedrockConverse, GeminiGenerate, OpenaiResponses};
    client != upstream
        && matches!(upstream, AnthropicMessages | OpenaiResponses | GeminiGenerate | BedrockConverse)
}

/// Gathers one answer for the memory.
pub(crate) struct Remembering {
    shared: Arc<Shared>,
    key: Arc<str>,
    assembler: Option<Assembler>,
    answer: Option<Answer>,
    /// Whoever keeps the bodies of the exchange.
    watch: Option<Arc<Watch>>,
}

impl Remembering {
    /// `None` where there is nothing that the client could lose.
    #[must_use]
    pub(crate) fn for_pair(
        shared: &Arc<Shared>,
        client: Dialect,
        upstream: Dialect,
        key: &Arc<str>,
        kept: Option<&Arc<Watch>>,
    ) -> Option<Self> {
        may_lose_thinking(client, upstream).then(|| Self {
            shared: Arc::clone(shared),
            key: Arc::clone(key),
            assembler: None,
            answer: None,
            watch: kept.map(Arc::clone),
        })
    }

    /// Takes one step of a streamed answer; of all steps only those that are about thinking or begin a call count.
    pub(crate) fn part(&mut self, part: &StreamPart) {
        use StreamPart::{PartStart, Reasoning, Signature, Start};
        if !matches!(part, Start { .. } | PartStart { .. } | Reasoning { .. } | Signature { .. }) {
            return;
        }
        self.assembler.get_or_insert_with(|| Assembler::new(ANSWER_BYTES_MAX)).part(part);
    }

    /// Takes a whole answer.
    pub(crate) fn answer(&mut self, answer: &Answer) {
        let mut parts = answer.choices.iter().flat_map(|choice| &choice.parts);
        if parts.any(|part| matches!(part.content, Content::ToolCall(_))) {
            self.answer = Some(answer.clone());
        }
    }

    /// Keeps what was gathered.
    pub(crate) fn keep(self) {
        let answer = self.answer.or_else(|| self.assembler.and_then(Assembler::finish));
        let Some(answer) = answer else { return };
        let now = self.shared.clock.now();
        if let Some(watch) = &self.watch {
            watch.lost(pack(&answer).unwrap_or_default());
        }
        let mut thinking = self.shared.thinking.lock().unwrap_or_else(PoisonError::into_inner);
        thinking.remember(&self.key, &answer, now);
    }
}

/// Reads back what was kept of thinking before the last stop.
pub(crate) fn reread(shared: &Shared) -> Result<(), StoreError> {
    let Some(bodies) = shared.bodies.get() else { return Ok(()) };
    let now = shared.clock.now();
    let parts = bodies.lost_parts(UnixMs(now.0.saturating_sub(KEPT_MS)))?;
    let mut thinking = shared.thinking.lock().unwrap_or_else(PoisonError::into_inner);
    for part in parts {
        thinking.remember_packed(&part.key, &part.part, part.at, now);
    }
    Ok(())
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
    if may_lose_thinking(client, upstream) {
        let mut thinking = shared.thinking.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, family) = (shared.clock.now(), target.family);
        let restored = match upstream {
            // A call of Gemini's without its signature gets the placeholder that Google documents.
            Dialect::GeminiGenerate => thinking.restore_held(key, family, request, now),
            // This vendor takes a tool loop with a gap in its reasoning, so that nothing need be turned off.
            Dialect::OpenaiResponses => {
                let restored = thinking.restore_held(key, family, request, now);
                if restored.has_gap && client == Dialect::OpenaiChat {
                    let why = "the reasoning behind a tool call is no longer held";
                    notes.push(Note::new("drop:thinking", why));
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
