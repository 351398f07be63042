//! A map with a bound on its entries: what has not been written for long goes first.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

/// Parts with a lock of their own, so that threads rarely meet.
const SHARDS: usize = 16;

/// Values by digest. Digests are made with a secret seed, so that nobody can choose them to collide.
#[derive(Debug)]
pub(crate) struct Bounded<V> {
    shards: Box<[Mutex<Shard<V>>]>,
    /// Entries of one generation of one shard.
    half_max: usize,
}

/// Two generations: when the young one is full it becomes the old one, and what was old and not written again is gone.
/// That keeps a bound without a list of ages.
#[derive(Debug)]
struct Shard<V> {
    young: FxHashMap<u64, V>,
    old: FxHashMap<u64, V>,
}

impl<V: Copy> Bounded<V> {
    /// For at most so many entries, rounded down to what the parts hold; two for each part at least.
    pub(crate) fn new(entries_max: usize) -> Self {
        let shard = |_| Mutex::new(Shard { young: FxHashMap::default(), old: FxHashMap::default() });
        Self { shards: (0..SHARDS).map(shard).collect(), half_max: (entries_max / SHARDS / 2).max(1) }
    }

    pub(crate) fn store(&self, digest: u64, value: V) {
        let mut shard = self.shard(digest);
        if shard.young.len() >= self.half_max && !shard.young.contains_key(&digest) {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.old.remove(&digest);
        shard.young.insert(digest, value);
    }

    pub(crate) fn find(&self, digest: u64) -> Option<V> {
        let shard = self.shard(digest);
        shard.young.get(&digest).or_else(|| shard.old.get(&digest)).copied()
    }

    pub(crate) fn remove(&self, digest: u64) {
        let mut shard = self.shard(digest);
        shard.young.remove(&digest);
        shard.old.remove(&digest);
    }

    pub(crate) fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard<V>>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(count).sum()
    }

    fn shard(&self, digest: u64) -> MutexGuard<'_, Shard<V>> {
        // The upper bits: the maps use the lower ones.
        let shard = &self.shards[(digest >> 59) as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
