//! The memory of conversations: where each was last, bounded in number and in time.

use pilothouse_core::clock::UnixMs;

use crate::bounded::Bounded;
use crate::request::Held;

/// What is remembered of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Where it was, and what it has there.
    pub held: Held,
    /// When its last exchange ended.
    pub at: UnixMs,
}

/// Conversations by digest. Holds at most the number it was made for; the least recently written go first.
#[derive(Debug)]
pub struct Conversations {
    known: Bounded<Remembered>,
    ttl_ms: u64,
}

impl Conversations {
    /// A memory of at most `entries_max` conversations (32 at least), each for `ttl_ms` after its last exchange.
    #[must_use]
    pub fn new(entries_max: usize, ttl_ms: u64) -> Self {
        Self { known: Bounded::new(entries_max), ttl_ms }
    }

    /// Remembers where a conversation is.
    pub fn store(&self, digest: u64, held: Held, now: UnixMs) {
        self.known.store(digest, Remembered { held, at: now });
    }

    /// What is remembered of a conversation.
    #[must_use]
    pub fn find(&self, digest: u64, now: UnixMs) -> Option<Remembered> {
        let found = self.known.find(digest)?;
        (now.0.saturating_sub(found.at.0) <= self.ttl_ms).then_some(found)
    }

    /// The first of these digests that is remembered, with it: for a chain, the longest prefix that was seen.
    pub fn find_first(
        &self,
        digests: impl IntoIterator<Item = u64>,
        now: UnixMs,
    ) -> Option<(u64, Remembered)> {
        digests.into_iter().find_map(|digest| Some((digest, self.find(digest, now)?)))
    }

    /// Forgets a conversation.
    pub fn forget(&self, digest: u64) {
        self.known.remove(digest);
    }

    /// How many are remembered, those included whose time is over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
