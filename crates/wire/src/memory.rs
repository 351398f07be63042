//! Remembers the thinking that a client cannot carry, or does not, so that it can be put back inside a tool loop.
//!
//! A model that thinks and then calls a tool must get its thinking back, signed, with the tool's result. An
//! openai-chat client cannot hold it, and others lose it. So it is kept here under the vendor's own ids of the tool calls, which
//! nobody can guess, and only for the key that the answer went to. It is bounded in bytes, forgotten after an
//! hour, and never written to disk from here: [`pack`] gives it to an owner who keeps it sealed. Where it is missing, thinking is off for that turn, and a note says so.

mod packed;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::conversation::{
    Answer, Content, Effort, Message, Part, Reasoning, Request, Role, Thinking,
};
use pilothouse_core::exchange::Note;

pub use packed::pack;

/// How long thinking is kept, in milliseconds.
pub const KEPT_MS: u64 = 60 * 60 * 1000;
/// What an entry costs besides its text, in bytes: map and queue places, boxes.
const ENTRY_OVERHEAD: usize = 256;
/// An id shorter than this could be guessed (`call_0`), so that nothing is kept under it.
const ID_MIN: usize = 16;

/// The memory of one process.
pub struct ThinkingMemory {
    bytes_max: usize,
    bytes: usize,
    next: u64,
    turns: HashMap<u64, Turn>,
    /// By the key's name and the vendor's id of a tool call.
    by_call: HashMap<(Arc<str>, Box<str>), u64>,
    /// Turns in the order in which they came; they expire in the same order.
    order: VecDeque<u64>,
}

/// The thinking of one turn.
struct Turn {
    key: Arc<str>,
    until: UnixMs,
    bytes: usize,
    calls: Vec<Box<str>>,
    parts: Vec<Part>,
}

impl Turn {
    fn is_of(&self, family: &str) -> bool {
        let is_own =
            |part: &Part| matches!(&part.content, Content::Reasoning(one) if &*one.origin.family == family);
        self.parts.iter().all(is_own)
    }
}

/// Where in a step of the assistant its vendor wants thinking back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before everything else, in every step.
    Front,
    /// Before the first call, once.
    Call,
}

/// What a request needed, and got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Turns whose thinking was put back.
    pub turns: usize,
    /// Whether thinking is asked for, and some that belongs to the open loop is not to be had.
    pub has_gap: bool,
    /// Whether thinking was turned off for that reason.
    pub turned_off: bool,
}

impl ThinkingMemory {
    /// A memory that holds at most about `bytes_max` bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            next: 0,
            turns: HashMap::new(),
            by_call: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Bytes that are held.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps the signed thinking of an answer that calls tools, for the key of that name. Where a model called
    /// without having thought, that is kept too: such a turn has no gap. Answers without calls are not kept.
    pub fn remember(&mut self, key: &str, answer: &Answer, now: UnixMs) {
        if let Some((calls, parts)) = taken(answer) {
            self.put(key, calls, parts, now);
        }
    }

    /// Keeps the thinking of one turn.
    fn put(&mut self, key: &str, calls: Vec<Box<str>>, parts: Vec<Part>, now: UnixMs) {
        self.forget_old(now);
        let bytes = parts.iter().map(size).sum::<usize>()
            + calls.iter().map(|id| 2 * id.len() + ENTRY_OVERHEAD).sum::<usize>()
            + ENTRY_OVERHEAD;
        if bytes > self.bytes_max {
            return;
        }
        while self.bytes + bytes > self.bytes_max && self.forget_first() {}
        let number = self.next;
        self.next += 1;
        let key: Arc<str> = key.into();
        for id in &calls {
            self.by_call.insert((Arc::clone(&key), id.clone()), number);
        }
        let until = UnixMs(now.0.saturating_add(KEPT_MS));
        self.turns.insert(number, Turn { key, until, bytes, calls, parts });
        self.order.push_back(number);
        self.bytes += bytes;
    }

    /// Puts thinking back before the tool calls of the open tool loop: the assistant turns since the person last
    /// spoke. Where a turn of the loop has none, and the request asks for thinking, turns thinking off for this
    /// turn with the note `off:thinking`, as a vendor refuses a loop with a gap.
    pub fn restore(
        &mut self,
        key: &str,
        family: &str,
        request: &mut Request,
        now: UnixMs,
        notes: &mut Vec<Note>,
    ) -> Restored {
        let mut restored = self.put_back(key, family, request, now, Place::Front);
        if restored.has_gap {
            request.reasoning.thinking = Some(Thinking::Off);
            request.reasoning.effort = None;
            restored.turned_off = true;
            notes.push(Note::new(
                "off:thinking",
                "the thinking behind a tool call is no longer held, so that this turn goes without",
            ));
        }
        restored
    }

    /// Puts back what is held, and leaves the request as it is where something is missing: for vendors that take
    /// a loop with a gap, as Gemini does behind a placeholder for the signature, and OpenAI does in any case. Both
    /// take a piece of thinking once, before the first call that follows from it.
    pub fn restore_held(&mut self, key: &str, family: &str, request: &mut Request, now: UnixMs) -> Restored {
        self.put_back(key, family, request, now, Place::Call)
    }

    fn put_back(
        &mut self,
        key: &str,
        family: &str,
        request: &mut Request,
        now: UnixMs,
        place: Place,
    ) -> Restored {
        self.forget_old(now);
        let key: Arc<str> = key.into();
        let (mut restored, mut has_missed, mut done) = (Restored::default(), false, Vec::new());
        let from = loop_start(&request.messages);
        // Some dialects write one step of the assistant as several messages, which follow upon each other.
        let steps = request.messages[from..]
            .chunk_by_mut(|one, other| one.role == Role::Assistant && other.role == Role::Assistant);
        for step in steps {
            let has_calls = step.iter().any(|message| calls(message).next().is_some());
            if step[0].role != Role::Assistant || !has_calls || step.iter().any(has_thinking) {
                continue;
            }
            let place_of = |id: &str| self.by_call.get(&(Arc::clone(&key), id.into()));
            let number = step.iter().flat_map(calls).find_map(place_of).copied();
            let held = number.and_then(|one| Some((one, self.turns.get(&one)?)));
            // Another vendor's thinking would only be left out again.
            let Some((number, turn)) = held.filter(|(_, turn)| turn.is_of(family)) else {
                has_missed = true;
                continue;
            };
            let is_again = done.contains(&number) && place == Place::Call;
            if turn.parts.is_empty() || is_again {
                continue;
            }
            done.push(number);
            put_into(step, &turn.parts, place);
            restored.turns += 1;
        }
        restored.has_gap = has_missed && asks_for_thinking(request);
        restored
    }

    fn forget_old(&mut self, now: UnixMs) {
        while let Some(first) = self.order.front() {
            match self.turns.get(first) {
                Some(turn) if turn.until > now => break,
                _ => self.forget_first(),
            };
        }
    }

    /// Forgets the oldest turn; false when there is none.
    fn forget_first(&mut self) -> bool {
        let Some(number) = self.order.pop_front() else { return false };
        if let Some(turn) = self.turns.remove(&number) {
            self.bytes = self.bytes.saturating_sub(turn.bytes);
            for id in turn.calls {
                let place = (Arc::clone(&turn.key), id);
                // A later turn with the same id keeps its place.
                if self.by_call.get(&place) == Some(&number) {
                    self.by_call.remove(&place);
                }
            }
        }
        true
    }
}

/// Shows how much is held, never what.
impl fmt::Debug for ThinkingMemory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ThinkingMemory")
            .field("turns", &self.turns.len())
            .field("bytes", &self.bytes)
            .field("bytes_max", &self.bytes_max)
            .finish_non_exhaustive()
    }
}

/// What is kept of an answer: the ids of its calls, and its signed thinking. `None` where it calls nothing.
fn taken(answer: &Answer) -> Option<(Vec<Box<str>>, Vec<Part>)> {
    let choice = answer.choices.first()?;
    let is_kept = |part: &&Part| matches!(&part.content, Content::Reasoning(one) if is_proven(one));
    let parts: Vec<Part> = choice.parts.iter().filter(is_kept).cloned().collect();
    let calls: Vec<Box<str>> = choice
        .parts
        .iter()
        .filter_map(|part| match &part.content {
            Content::ToolCall(call) if call.id.len() >= ID_MIN => Some(call.id.clone()),
            _ => None,
        })
        .collect();
    (!calls.is_empty()).then_some((calls, parts))
}

fn is_proven(one: &Reasoning) -> bool {
    one.signature.is_some() || one.redacted.is_some()
}

fn size(part: &Part) -> usize {
    let Content::Reasoning(one) = &part.content else { return ENTRY_OVERHEAD };
    let proof = one.signature.as_deref().map_or(0, str::len) + one.redacted.as_deref().map_or(0, str::len);
    size_of::<Part>() + one.text.len() + proof
}

fn put_into(step: &mut [Message], parts: &[Part], place: Place) {
    for message in &mut *step {
        // What the client sent back of it is text without proof.
        message.parts.retain(|part| !matches!(part.content, Content::Reasoning(_)));
    }
    let is_call = |part: &Part| matches!(part.content, Content::ToolCall(_));
    let of_call = step.iter().enumerate().find_map(|(message, one)| {
        let part = one.parts.iter().position(is_call)?;
        Some((message, part))
    });
    let (message, part) = of_call.filter(|_| place == Place::Call).unwrap_or((0, 0));
    step[message].parts.splice(part..part, parts.iter().cloned());
}

/// Where the open tool loop begins: behind the person's last words. The whole length when no loop is open.
fn loop_start(messages: &[Message]) -> usize {
    let is_result =
        |message: &Message| message.parts.iter().any(|part| matches!(part.content, Content::ToolResult(_)));
    if !messages.last().is_some_and(is_result) {
        return messages.len();
    }
    messages
        .iter()
        .rposition(|message| message.role == Role::User && !is_result(message))
        .map_or(0, |at| at + 1)
}

fn has_thinking(message: &Message) -> bool {
    message.parts.iter().any(|part| matches!(&part.content, Content::Reasoning(one) if is_proven(one)))
}

fn calls(message: &Message) -> impl Iterator<Item = &str> {
    message.parts.iter().filter_map(|part| match &part.content {
        Content::ToolCall(call) => Some(&*call.id),
        _ => None,
    })
}

fn asks_for_thinking(request: &Request) -> bool {
    let switched = matches!(request.reasoning.thinking, Some(Thinking::Adaptive | Thinking::Budget(_)));
    switched || request.reasoning.effort.is_some_and(|effort| effort != Effort::None)
}

#[cfg(test)]
mod tests;
