//! The retry budget of a target: a tenth of its load, and at least three a second.
//!
//! Retries multiply load exactly when a target is overloaded; a share of the calls that it gets anyway cannot. A bucket
//! is filled once a second with the larger of the two, so that retries of any span of whole seconds are at most what was
//! in the bucket and what those seconds granted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pilothouse_core::clock::UnixMs;

/// Retries per hundred calls.
pub const RETRY_SHARE_PERCENT: u64 = 10;
/// Retries that each second grants at least.
pub const RETRIES_PER_SECOND_MIN: u64 = 3;
/// Seconds of grants that may be saved up.
const SAVED_SECONDS_MAX: u64 = 10;
/// A retry, in the bucket's unit.
const RETRY: u64 = 100;

/// A retry budget.
#[derive(Debug, Default)]
pub struct RetryBudget {
    /// Calls since the bucket was last filled; retries are no calls.
    calls: AtomicU64,
    bucket: Mutex<Option<Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    filled_at: UnixMs,
    /// Hundredths of retries.
    level: u64,
}

impl RetryBudget {
    /// Counts a call that is no retry.
    pub fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one retry out of the budget; false when it is spent.
    #[must_use]
    pub fn take(&self, now: UnixMs) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let full = || Bucket { filled_at: now, level: RETRIES_PER_SECOND_MIN * RETRY };
        let bucket = bucket.get_or_insert_with(full);
        let seconds = now.0.saturating_sub(bucket.filled_at.0) / 1000;
        if seconds > 0 {
            bucket.filled_at = UnixMs(bucket.filled_at.0 + seconds * 1000);
            let least = RETRIES_PER_SECOND_MIN * RETRY;
            let grant = (self.calls.swap(0, Ordering::Relaxed) * RETRY_SHARE_PERCENT).max(seconds * least);
            let most = SAVED_SECONDS_MAX * (grant / seconds).max(least);
            bucket.level = bucket.level.saturating_add(grant).min(most.max(bucket.level));
        }
        let is_left = bucket.level >= RETRY;
        if is_left {
            bucket.level -= RETRY;
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quiet_target_has_three_retries_a_second() {
        let budget = RetryBudget::default();
        let at = |now| (0..10).filter(|_| budget.take(UnixMs(now))).count();
        assert_eq!((at(0), at(500), at(1000), at(1999), at(2000)), (3, 0, 3, 0, 3));
    }

    #[test]
    fn busy_target_has_a_tenth_of_its_load() {
        let budget = RetryBudget::default();
        while budget.take(UnixMs(0)) {}
        (0..1000).for_each(|_| budget.called());
        assert_eq!((0..1000).filter(|_| budget.take(UnixMs(1000))).count(), 100);
    }

    proptest! {
        #[test]
        fn retries_never_exceed_a_tenth_of_the_calls_and_three_a_second(
            steps in proptest::collection::vec((0_u64..3000, 0_u64..400, 0_u64..200), 1..60),
        ) {
            let budget = RetryBudget::default();
            let (mut now, mut taken, mut calls) = (0_u64, 0_u64, 0_u64);
            for (wait, called, wanted) in steps {
                now += wait;
                (0..called).for_each(|_| budget.called());
                calls += called;
                taken += (0..wanted).filter(|_| budget.take(UnixMs(now))).count() as u64;
                let allowed = RETRIES_PER_SECOND_MIN * (1 + now / 1000) + calls / 10 + 1;
                prop_assert!(taken <= allowed, "{taken} of {allowed} after {now} ms");
            }
        }
    }
}
