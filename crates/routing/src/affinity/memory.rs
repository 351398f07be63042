//! The memory of conversations: where each was last, bounded in number and in time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use pilothouse_core::clock::UnixMs;

use crate::request::Held;

/// Parts with a lock of their own, so that threads rarely meet.
const SHARDS: usize = 16;

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
    shards: Box<[Mutex<Shard>]>,
    /// Entries of one generation of one shard.
    half_max: usize,
    ttl_ms: u64,
}

/// Two generations: when the young one is full it becomes the old one, and what was old and not written again is gone.
/// That keeps a bound without a list of ages.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<u64, Remembered>,
    old: HashMap<u64, Remembered>,
}

impl Conversations {
    /// A memory of at most `entries_max` conversations (rounded down to what its parts hold, at least one each), each for
    /// `ttl_ms` after its last exchange.
    #[must_use]
    pub fn new(entries_max: usize, ttl_ms: u64) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, half_max: (entries_max / SHARDS / 2).max(1), ttl_ms }
    }

    /// Remembers where a conversation is.
    pub fn store(&self, digest: u64, held: Held, now: UnixMs) {
        let mut shard = self.shard(digest);
        if shard.young.len() >= self.half_max && !shard.young.contains_key(&digest) {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.old.remove(&digest);
        shard.young.insert(digest, Remembered { held, at: now });
    }

    /// What is remembered of a conversation.
    #[must_use]
    pub fn find(&self, digest: u64, now: UnixMs) -> Option<Remembered> {
        let shard = self.shard(digest);
        let found = shard.young.get(&digest).or_else(|| shard.old.get(&digest)).copied()?;
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
        let mut shard = self.shard(digest);
        shard.young.remove(&digest);
        shard.old.remove(&digest);
    }

    /// How many are remembered, those included whose time is over.
    #[must_use]
    pub fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(count).sum()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, digest: u64) -> std::sync::MutexGuard<'_, Shard> {
        // The upper bits: the maps use the lower ones.
        let shard = &self.shards[(digest >> 59) as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
