//! The memory of answers: bounded by bytes, each for its time, and hard to empty by asking many things once.
//!
//! What is new waits in a short queue of a tenth of the room. Only what is asked for again while it waits, or soon after it
//! fell out, comes to the long one, where each answer stays as long as it is asked for in every round. So a scan over a
//! million different requests passes through the tenth and leaves the rest as it was. The method is S3-FIFO (Yang et al.,
//! "FIFO queues are all you need for cache eviction", SOSP 2023, <https://doi.org/10.1145/3600006.3613147>).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilothouse_core::clock::UnixMs;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::key::Key;

/// The short queue has this part of the room.
const SHORT_PART: usize = 10;
/// One answer takes at most this part of the room.
const ANSWER_PART: usize = 8;
/// What an entry takes besides its value: keys, places, times.
const ENTRY_BYTES: usize = 192;
/// Uses that are counted; more are no better.
const USES_MAX: u8 = 3;
/// Fewest keys of answers that fell out which are remembered.
const FALLEN_MIN: usize = 1024;

/// An answer that was found.
#[derive(Debug)]
pub struct Found<V> {
    /// The answer.
    pub value: Arc<V>,
    /// For how long it has been kept, in milliseconds.
    pub age_ms: u64,
    /// For how long it is good yet, in milliseconds.
    pub left_ms: u64,
}

/// The memory of answers.
#[derive(Debug)]
pub struct Answers<V> {
    inner: Mutex<Inner<V>>,
}

#[derive(Debug)]
struct Inner<V> {
    bytes_max: usize,
    entries: FxHashMap<Key, Entry<V>>,
    short: Queue,
    long: Queue,
    /// Keys of answers that fell out of the short queue, the oldest first.
    fallen: VecDeque<Key>,
    fallen_set: FxHashSet<Key>,
    next: u64,
    evicted: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: Arc<V>,
    bytes: usize,
    kept_at: UnixMs,
    ends_at: UnixMs,
    uses: u8,
    is_long: bool,
    /// Its place in the queue; a place with another number is that of an entry that is gone.
    number: u64,
}

/// Entries in the order in which they came.
#[derive(Debug, Default)]
struct Queue {
    places: VecDeque<(Key, u64)>,
    bytes: usize,
}

impl<V> Answers<V> {
    /// A memory of so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                bytes_max,
                entries: FxHashMap::default(),
                short: Queue::default(),
                long: Queue::default(),
                fallen: VecDeque::new(),
                fallen_set: FxHashSet::default(),
                next: 0,
                evicted: 0,
            }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer of that key, where there is one whose time is not over.
    pub fn get(&self, key: &Key, now: UnixMs) -> Option<Found<V>> {
        let mut inner = self.inner();
        let entry = inner.entries.get_mut(key)?;
        if entry.ends_at <= now {
            inner.remove(key);
            return None;
        }
        entry.uses = (entry.uses + 1).min(USES_MAX);
        Some(Found {
            value: Arc::clone(&entry.value),
            age_ms: now.0.saturating_sub(entry.kept_at.0),
            left_ms: entry.ends_at.0.saturating_sub(now.0),
        })
    }

    /// Keeps an answer of so many bytes for so long, in the place of an earlier one. False for one that is too large.
    pub fn put(&self, key: Key, value: V, bytes: usize, now: UnixMs, ttl_ms: u64) -> bool {
        self.put_shared(key, Arc::new(value), bytes, now, ttl_ms)
    }

    /// Keeps an answer that others hold too; as [`Answers::put`].
    pub fn put_shared(&self, key: Key, value: Arc<V>, bytes: usize, now: UnixMs, ttl_ms: u64) -> bool {
        let bytes = bytes.saturating_add(ENTRY_BYTES);
        let mut inner = self.inner();
        if bytes > inner.bytes_max / ANSWER_PART || ttl_ms == 0 {
            return false;
        }
        inner.remove(&key);
        // What fell out a moment ago and comes again has shown that it is asked for.
        let is_long = inner.fallen_set.remove(&key);
        let number = inner.next;
        inner.next += 1;
        let ends_at = UnixMs(now.0.saturating_add(ttl_ms));
        inner.entries.insert(key, Entry { value, bytes, kept_at: now, ends_at, uses: 0, is_long, number });
        inner.queue(is_long).push(key, number, bytes);
        inner.make_room(now);
        true
    }

    /// Forgets an answer.
    pub fn remove(&self, key: &Key) {
        self.inner().remove(key);
    }

    /// Changes the room; what does not fit falls out.
    pub fn resize(&self, bytes_max: usize, now: UnixMs) {
        let mut inner = self.inner();
        inner.bytes_max = bytes_max;
        inner.make_room(now);
    }

    /// Bytes that one answer may have.
    #[must_use]
    pub fn answer_max(&self) -> usize {
        (self.inner().bytes_max / ANSWER_PART).saturating_sub(ENTRY_BYTES)
    }

    /// Bytes in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.inner().bytes()
    }

    /// How many answers there are, those whose time is over included until somebody asks for them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner().entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many fell out for want of room.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.inner().evicted
    }
}

impl Queue {
    fn push(&mut self, key: Key, number: u64, bytes: usize) {
        self.places.push_back((key, number));
        self.bytes += bytes;
    }
}

impl<V> Inner<V> {
    const fn bytes(&self) -> usize {
        self.short.bytes + self.long.bytes
    }

    const fn queue(&mut self, is_long: bool) -> &mut Queue {
        if is_long { &mut self.long } else { &mut self.short }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.queue(entry.is_long).bytes -= entry.bytes;
        }
        // Places of what is gone are passed over; where they are most of a queue, it is written anew.
        for is_long in [false, true] {
            let most = 2 * self.entries.len() + 64;
            if self.queue(is_long).places.len() > most {
                let mut places = std::mem::take(&mut self.queue(is_long).places);
                places.retain(|(key, number)| self.entries.get(key).is_some_and(|it| it.number == *number));
                self.queue(is_long).places = places;
            }
        }
    }

    fn make_room(&mut self, now: UnixMs) {
        while self.bytes() > self.bytes_max {
            let is_short_full = self.short.bytes > self.bytes_max / SHORT_PART;
            let is_from_short = is_short_full || self.long.bytes == 0;
            let Some((key, number)) = self.queue(!is_from_short).places.pop_front() else { return };
            let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.number == number) else {
                continue;
            };
            let (bytes, is_used) = (entry.bytes, entry.uses > 0 && entry.ends_at > now);
            if is_used {
                // From the short queue it comes to the long one; within the long one it goes round again.
                entry.uses = if is_from_short { 0 } else { entry.uses - 1 };
                entry.is_long = true;
                self.queue(!is_from_short).bytes -= bytes;
                self.long.push(key, number, bytes);
                continue;
            }
            self.entries.remove(&key);
            self.queue(!is_from_short).bytes -= bytes;
            self.evicted += 1;
            if is_from_short {
                self.fell(key);
            }
        }
    }

    /// Remembers the key of what fell out of the short queue: about as many as there are answers.
    fn fell(&mut self, key: Key) {
        if self.fallen_set.insert(key) {
            self.fallen.push_back(key);
        }
        while self.fallen.len() > self.entries.len().max(FALLEN_MIN) {
            if let Some(oldest) = self.fallen.pop_front() {
                self.fallen_set.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::Scope;

    const HOUR: u64 = 3_600_000;
    const NOW: UnixMs = UnixMs(1_000);

    fn key(number: u32) -> Key {
        Key::exact(&Scope::default(), &number.to_le_bytes())
    }

    /// A memory with room for so many answers of a thousand bytes.
    fn room_for(answers: usize) -> Answers<u32> {
        Answers::new(answers * (1000 + ENTRY_BYTES))
    }

    #[test]
    fn an_answer_is_good_for_its_time_and_tells_its_age() {
        let answers = room_for(20);
        assert!(answers.put(key(1), 7, 1000, NOW, HOUR));
        let found = answers.get(&key(1), UnixMs(NOW.0 + 5_000)).unwrap();
        assert_eq!((*found.value, found.age_ms, found.left_ms), (7, 5_000, HOUR - 5_000));
        assert!(answers.get(&key(1), UnixMs(NOW.0 + HOUR)).is_none());
        assert_eq!((answers.len(), answers.bytes()), (0, 0), "what is over gives its room back");
    }

    #[test]
    fn an_answer_takes_the_place_of_the_one_before() {
        let answers = room_for(20);
        answers.put(key(1), 1, 1000, NOW, HOUR);
        answers.put(key(1), 2, 500, NOW, HOUR);
        assert_eq!(*answers.get(&key(1), NOW).unwrap().value, 2);
        assert_eq!(answers.bytes(), 500 + ENTRY_BYTES);
    }

    #[test]
    fn what_is_too_large_or_good_for_no_time_is_not_kept() {
        let answers = room_for(16);
        assert!(!answers.put(key(1), 1, 3000, NOW, HOUR));
        assert!(!answers.put(key(1), 1, 10, NOW, 0));
        assert!(answers.is_empty());
    }

    #[test]
    fn a_scan_over_many_requests_leaves_what_is_asked_for() {
        let answers = room_for(100);
        for number in 0..50 {
            answers.put(key(number), number, 1000, NOW, HOUR);
            answers.get(&key(number), NOW);
        }
        for number in 1_000..20_000 {
            answers.put(key(number), number, 1000, NOW, HOUR);
        }
        let left = (0..50).filter(|number| answers.get(&key(*number), NOW).is_some()).count();
        assert_eq!(left, 50, "each was asked for once before the scan came");
        assert!(answers.evicted() > 18_000);
    }

    #[test]
    fn what_comes_again_soon_after_it_fell_out_stays_through_the_next_scan() {
        let answers = room_for(100);
        let scan = |from: u32| {
            for number in from..from + 500 {
                answers.put(key(number), number, 1000, NOW, HOUR);
            }
        };
        answers.put(key(1), 1, 1000, NOW, HOUR);
        scan(1_000);
        assert!(answers.get(&key(1), NOW).is_none());
        answers.put(key(1), 1, 1000, NOW, HOUR);
        scan(9_000);
        assert!(answers.get(&key(1), NOW).is_some());
    }

    #[test]
    fn with_less_room_the_rest_falls_out() {
        let answers = room_for(100);
        for number in 0..90 {
            answers.put(key(number), number, 1000, NOW, HOUR);
        }
        answers.resize(10 * (1000 + ENTRY_BYTES), NOW);
        assert_eq!(answers.len(), 10);
        answers.resize(0, NOW);
        assert_eq!((answers.len(), answers.bytes()), (0, 0));
    }

    proptest! {
        #[test]
        fn bytes_stay_within_the_bound_and_add_up(
            steps in proptest::collection::vec((0u32..40, 1usize..3000, 0u8..4, 1u64..50), 1..400),
        ) {
            let bytes_max = 20_000;
            let answers = Answers::new(bytes_max);
            let mut now = NOW;
            for (number, bytes, what, ttl) in steps {
                now.0 += 1;
                match what {
                    0 => { answers.get(&key(number), now); }
                    1 => answers.remove(&key(number)),
                    _ => { answers.put(key(number), number, bytes, now, ttl); }
                }
                prop_assert!(answers.bytes() <= bytes_max);
            }
            let inner = answers.inner();
            let sum: usize = inner.entries.values().map(|entry| entry.bytes).sum();
            prop_assert_eq!(sum, inner.bytes());
            let places = inner.short.places.len() + inner.long.places.len();
            prop_assert!(places <= 4 * inner.entries.len() + 200, "{} places", places);
            prop_assert!(inner.fallen.len() <= FALLEN_MIN);
        }
    }
}
