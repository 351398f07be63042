//! Conversations: what they are known by, where they were, and whether they may move.
//!
//! Two rules. **Inside of a tool loop a conversation never moves** while its target can be called: signed reasoning and
//! half a plan do not travel. **At a user's turn it moves when moving is cheaper than staying**, the lost prompt cache
//! included ([`weigh`]); where one of the two has no price, nothing speaks for a move, and it stays.

mod identity;
mod memory;

use pilothouse_core::money::PicoUsd;

pub use identity::{Chain, Identity, Scope};
pub use memory::{Conversations, Remembered};

use crate::candidate::Candidate;
use crate::count::Lengths;
use crate::price::{expected_cost, uncached_cost};
use crate::reason::Stay;
use crate::request::{Conversation, Features, Held};

/// Turns that a move is reckoned to last, this one included, where nothing better is known.
pub const TURNS_AHEAD: u32 = 3;

/// Whether a conversation stays with the target that it has, `home`, or moves to `best`, the target that the strategy
/// would choose. `None` is a move.
#[must_use]
pub fn weigh(
    held: &Held,
    home: &Candidate,
    best: &Candidate,
    features: &Features<'_>,
    lengths: &Lengths<'_>,
    turns: u32,
) -> Option<Stay> {
    if held.is_in_tool_loop {
        return Some(Stay::ToolLoop);
    }
    if home.id == best.id {
        return Some(Stay::Best);
    }
    let (home_tokens, best_tokens) = (lengths.estimate(home).likely, lengths.estimate(best).likely);
    // A target that has taken one turn has its prefix cached at the next: both sides get their caches.
    let moved = Held { target: best.id, cached_tokens: best_tokens, is_in_tool_loop: false };
    let id = features.conversation.map_or(0, |known| known.id);
    let later = Features { conversation: Some(Conversation { id, held: Some(moved) }), ..*features };
    let later_turns = u64::from(turns.saturating_sub(1));
    let staying = expected_cost(home, features, home_tokens).known().map(|cost| cost.times(later_turns + 1));
    let moving = uncached_cost(best, features, best_tokens)
        .known()
        .zip(expected_cost(best, &later, best_tokens).known())
        .map(|(first, next)| first + next.times(later_turns));
    match (staying, moving) {
        (Some(staying), Some(moving)) if moving < staying => None,
        (Some(staying), Some(moving)) => Some(Stay::CacheIsWorthMore { staying, moving }),
        _ => Some(Stay::Unpriced),
    }
}

/// What a prompt cache is worth to the next exchange: the same exchange without it, less with it.
#[must_use]
pub fn cache_value(home: &Candidate, features: &Features<'_>, input_tokens: u64) -> Option<PicoUsd> {
    let without = uncached_cost(home, features, input_tokens).known()?;
    let with = expected_cost(home, features, input_tokens).known()?;
    Some(PicoUsd(without.0.saturating_sub(with.0)))
}

#[cfg(test)]
mod tests;
