//! Counters in this process's memory: a short lock per counter, taken in one order by everybody.

use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilothouse_core::clock::UnixMs;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{Counters, Counts, Limit, Limited, Rate, Take};

/// Maps of counters, so that threads seldom meet at one.
const SHARDS: usize = 16;

/// Counters of one map; beyond it, those that count nothing are forgotten before a new one is made.
const COUNTERS_MAX: usize = 16_384;

const MINUTE_MS: i128 = 60_000;

type Shard = FxHashMap<(Counts, Arc<str>), Arc<Counter>>;

/// Counters in memory. Bounded: a counter that has drained is the same as none.
#[derive(Debug)]
pub struct MemoryCounters {
    shards: Vec<Mutex<Shard>>,
}

#[derive(Debug)]
struct Counter(Mutex<Level>);

/// What has been taken and has not drained yet.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// In units × minutes per millisecond, so that draining is exact in integers: `units × 60,000`.
    backlog: i128,
    /// When that was so.
    at: UnixMs,
    /// How fast it drains, as the last take said; 0 for calls at once, which leave one by one.
    per_minute: u64,
}

impl Level {
    /// Drains until `now`. A clock that went back drains nothing, and nothing twice.
    fn drain(&mut self, now: UnixMs) {
        let passed = now.0.saturating_sub(self.at.0);
        let drained = i128::from(passed).saturating_mul(self.per_minute.into());
        self.backlog = (self.backlog - drained).max(0);
        self.at = self.at.max(now);
    }

    fn units(&self) -> u64 {
        u64::try_from((self.backlog + MINUTE_MS - 1) / MINUTE_MS).unwrap_or(u64::MAX)
    }

    /// For how long a take has to wait: `None` if it may pass now.
    fn wait(&self, take: &Take<'_>) -> Option<Limited> {
        let cost = i128::from(take.units) * MINUTE_MS;
        let limited = |retry_after_ms| Limited {
            subject: take.subject.into(),
            limit: take.limit,
            units: take.units,
            retry_after_ms,
        };
        match take.limit {
            Limit::Concurrency(most) => {
                (self.backlog + cost > i128::from(most) * MINUTE_MS).then(|| limited(None))
            }
            Limit::Requests(rate) | Limit::Tokens(rate) => {
                let excess = self.backlog + cost - i128::from(rate.burst) * MINUTE_MS;
                if excess <= 0 {
                    return None;
                }
                if take.units > rate.burst {
                    return Some(limited(None));
                }
                let speed = i128::from(rate.per_minute.max(1));
                Some(limited(Some(u64::try_from((excess + speed - 1) / speed).unwrap_or(u64::MAX))))
            }
        }
    }
}

impl Counter {
    fn lock(&self) -> MutexGuard<'_, Level> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryCounters {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl MemoryCounters {
    fn shard(&self, subject: &str, counts: Counts) -> MutexGuard<'_, Shard> {
        let hash = FxBuildHasher.hash_one((counts, subject));
        let shard = usize::try_from(hash >> 60).unwrap_or(0) % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many counters are in memory.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    fn find(&self, subject: &str, counts: Counts) -> Option<Arc<Counter>> {
        self.shard(subject, counts).get(&(counts, subject) as &dyn Key).cloned()
    }

    fn find_or_make(&self, take: &Take<'_>, now: UnixMs) -> Arc<Counter> {
        let counts = take.limit.counts();
        let mut shard = self.shard(take.subject, counts);
        if let Some(counter) = shard.get(&(counts, take.subject) as &dyn Key) {
            return Arc::clone(counter);
        }
        if shard.len() >= COUNTERS_MAX {
            shard.retain(|_, counter| {
                let mut level = *counter.lock();
                level.drain(now);
                level.backlog > 0 || Arc::strong_count(counter) > 1
            });
        }
        let counter = Arc::new(Counter(Mutex::new(Level { at: now, ..Level::default() })));
        shard.insert((counts, take.subject.into()), Arc::clone(&counter));
        counter
    }
}

impl Counters for MemoryCounters {
    fn take(&self, takes: &[Take<'_>], now: UnixMs) -> Result<(), Limited> {
        let mut counters: Vec<(Arc<Counter>, &Take<'_>)> =
            takes.iter().map(|take| (self.find_or_make(take, now), take)).collect();
        // One order for everybody, so that two callers never wait for each other.
        counters.sort_by_key(|(counter, _)| Arc::as_ptr(counter).addr());
        counters.dedup_by(|one, other| Arc::ptr_eq(&one.0, &other.0));
        let mut levels: Vec<_> = counters.iter().map(|(counter, _)| counter.lock()).collect();
        let mut longest: Option<Limited> = None;
        for (level, (_, take)) in levels.iter_mut().zip(&counters) {
            level.drain(now);
            level.per_minute = match take.limit {
                Limit::Requests(Rate { per_minute, .. }) | Limit::Tokens(Rate { per_minute, .. }) => {
                    per_minute
                }
                Limit::Concurrency(_) => 0,
            };
            if let Some(limited) = level.wait(take) {
                let longer = |known: &Limited| known.weight() < limited.weight();
                if longest.as_ref().is_none_or(longer) {
                    longest = Some(limited);
                }
            }
        }
        if let Some(limited) = longest {
            return Err(limited);
        }
        for (level, (_, take)) in levels.iter_mut().zip(&counters) {
            level.backlog += i128::from(take.units) * MINUTE_MS;
        }
        Ok(())
    }

    fn correct(&self, subject: &str, counts: Counts, units: i64, now: UnixMs) {
        // A counter that was forgotten had drained: there is nothing to give back, and a debt is at most one call's.
        if let Some(counter) = self.find(subject, counts) {
            let mut level = counter.lock();
            level.drain(now);
            level.backlog = (level.backlog + i128::from(units) * MINUTE_MS).max(0);
        }
    }

    fn level(&self, subject: &str, counts: Counts, now: UnixMs) -> u64 {
        self.find(subject, counts).map_or(0, |counter| {
            let mut level = *counter.lock();
            level.drain(now);
            level.units()
        })
    }
}

impl Limited {
    /// What is never allowed weighs more than what is not now, and a known wait more than calls that may end soon.
    fn weight(&self) -> (bool, u64) {
        (self.is_too_large(), self.retry_after_ms.unwrap_or(0))
    }
}

/// A counter's name without a copy of it, to look it up.
trait Key {
    fn parts(&self) -> (Counts, &str);
}

impl Key for (Counts, Arc<str>) {
    fn parts(&self) -> (Counts, &str) {
        (self.0, &self.1)
    }
}

impl Key for (Counts, &str) {
    fn parts(&self) -> (Counts, &str) {
        (self.0, self.1)
    }
}

impl<'a> std::borrow::Borrow<dyn Key + 'a> for (Counts, Arc<str>) {
    fn borrow(&self) -> &(dyn Key + 'a) {
        self
    }
}

impl PartialEq for dyn Key + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for dyn Key + '_ {}

impl std::hash::Hash for dyn Key + '_ {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}
