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

/// The counters of each subject.
type Shard = FxHashMap<Arc<str>, Arc<Counter>>;

/// Counters in memory. Bounded: a counter that has drained is the same as none.
#[derive(Debug)]
pub struct MemoryCounters {
    shards: Vec<Mutex<Shard>>,
}

/// What a subject is counted by, in the order of [`Counts::ALL`].
#[derive(Debug)]
struct Counter(Mutex<[Level; 3]>);

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
    fn lock(&self) -> MutexGuard<'_, [Level; 3]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryCounters {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl MemoryCounters {
    fn shard(&self, subject: &str) -> MutexGuard<'_, Shard> {
        let hash = FxBuildHasher.hash_one(subject);
        let shard = usize::try_from(hash >> 60).unwrap_or(0) % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many counters are in memory.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    fn find(&self, subject: &str) -> Option<Arc<Counter>> {
        self.shard(subject).get(subject).cloned()
    }

    fn find_or_make(&self, subject: &str, now: UnixMs) -> Arc<Counter> {
        let mut shard = self.shard(subject);
        if let Some(counter) = shard.get(subject) {
            return Arc::clone(counter);
        }
        if shard.len() >= COUNTERS_MAX {
            shard.retain(|_, counter| {
                let mut levels = *counter.lock();
                levels.iter_mut().for_each(|level| level.drain(now));
                levels.iter().any(|level| level.backlog > 0) || Arc::strong_count(counter) > 1
            });
        }
        let counter = Arc::new(Counter(Mutex::new([Level { at: now, ..Level::default() }; 3])));
        shard.insert(subject.into(), Arc::clone(&counter));
        counter
    }

    /// The counters of some takes, in the order in which everybody locks them: two callers never wait for each other.
    fn in_order<'t>(&self, takes: &'t [Take<'t>], now: UnixMs) -> Vec<(Arc<Counter>, &'t Take<'t>)> {
        let mut ordered: Vec<(Arc<Counter>, &Take<'_>)> = Vec::with_capacity(takes.len());
        for take in takes {
            let counter = match ordered.last() {
                Some((counter, before)) if before.subject == take.subject => Arc::clone(counter),
                _ => self.find_or_make(take.subject, now),
            };
            ordered.push((counter, take));
        }
        let place =
            |(counter, take): &(Arc<Counter>, &Take<'_>)| (Arc::as_ptr(counter).addr(), take.limit.counts());
        ordered.sort_by_key(place);
        ordered.dedup_by_key(|entry| place(entry));
        ordered
    }
}

impl Counters for MemoryCounters {
    fn take(&self, takes: &[Take<'_>], now: UnixMs) -> Result<(), Limited> {
        let is_before = |one: &Take<'_>, next: &Take<'_>| {
            one.subject == next.subject && one.limit.counts() < next.limit.counts()
        };
        if let Some(first) = takes.first().filter(|_| takes.is_sorted_by(is_before)) {
            // Of one subject, as most calls are: nothing is to be ordered, and no other lock is held.
            let counter = self.find_or_make(first.subject, now);
            let levels = &mut *counter.lock();
            let refusal = takes
                .iter()
                .fold(None, |longest, take| longer(longest, drained(levels, take, now).wait(take)));
            refusal.map_or(Ok(()), Err)?;
            takes.iter().for_each(|take| add(levels, take));
            return Ok(());
        }
        let ordered = self.in_order(takes, now);
        let subjects = ordered.chunk_by(|one, other| Arc::ptr_eq(&one.0, &other.0));
        let mut locked: Vec<_> = subjects.map(|takes| (takes[0].0.lock(), takes)).collect();
        let mut longest: Option<Limited> = None;
        for (levels, takes) in &mut locked {
            for (_, take) in *takes {
                longest = longer(longest, drained(levels, take, now).wait(take));
            }
        }
        if let Some(limited) = longest {
            return Err(limited);
        }
        for (levels, takes) in &mut locked {
            takes.iter().for_each(|(_, take)| add(levels, take));
        }
        Ok(())
    }

    fn correct(&self, subject: &str, corrections: &[(Counts, i64)], now: UnixMs) {
        // A counter that was forgotten had drained: there is nothing to give back, and a debt is at most one call's.
        if let Some(counter) = self.find(subject) {
            let mut levels = counter.lock();
            for (counts, units) in corrections {
                let level = &mut levels[*counts as usize];
                level.drain(now);
                level.backlog = (level.backlog + i128::from(*units) * MINUTE_MS).max(0);
            }
        }
    }

    fn level(&self, subject: &str, counts: Counts, now: UnixMs) -> u64 {
        self.find(subject).map_or(0, |counter| {
            let mut level = counter.lock()[counts as usize];
            level.drain(now);
            level.units()
        })
    }
}

/// The level that a take is about, as it is now.
fn drained<'l>(levels: &'l mut [Level; 3], take: &Take<'_>, now: UnixMs) -> &'l mut Level {
    let level = &mut levels[take.limit.counts() as usize];
    level.drain(now);
    level.per_minute = match take.limit {
        Limit::Requests(Rate { per_minute, .. }) | Limit::Tokens(Rate { per_minute, .. }) => per_minute,
        Limit::Concurrency(_) => 0,
    };
    level
}

fn add(levels: &mut [Level; 3], take: &Take<'_>) {
    levels[take.limit.counts() as usize].backlog += i128::from(take.units) * MINUTE_MS;
}

/// The one of two refusals that has to be waited for longer.
fn longer(one: Option<Limited>, other: Option<Limited>) -> Option<Limited> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.longer(other)),
        (one, None) => one,
        (None, other) => other,
    }
}

impl Limited {
    /// The one that has to be waited for longer: what is never allowed counts for more than what is not now, and a known
    /// wait for more than calls that may end soon.
    fn longer(self, other: Self) -> Self {
        let weight = |limited: &Self| (limited.is_too_large(), limited.retry_after_ms.unwrap_or(0));
        if weight(&other) > weight(&self) { other } else { self }
    }
}
