//! A quantile of what has been seen of late: a histogram with logarithmic buckets whose counts fade.

use pilothouse_core::clock::UnixMs;

/// Buckets per doubling: a quantile is at most one eighth too high.
const PER_DOUBLING: usize = 8;
/// Doublings that are told apart; 2^40 µs is twelve days.
const DOUBLINGS: usize = 40;
const BUCKETS: usize = PER_DOUBLING * DOUBLINGS;
/// New counts grow instead of old ones shrinking, until this; then all are scaled down once.
const SCALE_MAX: f32 = 1_048_576.0;

/// From so many values on, one more moves a quantile little.
const SETTLED: u32 = 64;
/// Then it is looked for again after so many values, or so many milliseconds.
const UNTOLD_MAX: u32 = 16;
const UNTOLD_MS_MAX: u64 = 10;

/// Fading counts of values in any unit.
#[derive(Debug)]
pub(crate) struct Quantile {
    counts: Box<[f32; BUCKETS]>,
    total: f32,
    /// No bucket above this one has a count: a quantile is looked for from here downwards.
    highest: usize,
    /// When a count weighed one.
    since: UnixMs,
    half_life_ms: u64,
    /// What was last told of the present, when, and the values that have come since.
    told: Option<u64>,
    told_at: UnixMs,
    untold: u32,
    /// Values in all, as far as [`SETTLED`].
    values: u32,
}

impl Quantile {
    pub(crate) fn new(half_life_ms: u64) -> Self {
        Self {
            counts: Box::new([0.0; BUCKETS]),
            total: 0.0,
            highest: 0,
            since: UnixMs(0),
            half_life_ms: half_life_ms.max(1),
            told: None,
            told_at: UnixMs(0),
            untold: 0,
            values: 0,
        }
    }

    pub(crate) fn add(&mut self, now: UnixMs, value: u64) {
        let weight = self.weight(now);
        let bucket = bucket(value);
        self.counts[bucket] += weight;
        self.highest = self.highest.max(bucket);
        self.total += weight;
        self.untold += 1;
        self.values = (self.values + 1).min(SETTLED);
    }

    /// The value that 95 of 100 do not exceed. Looked for again after a few values or milliseconds only: finding it takes
    /// longer than all else that a value costs, and one of many moves it little.
    pub(crate) fn p95(&mut self, now: UnixMs) -> Option<u64> {
        let is_settled = self.values == SETTLED;
        let is_fresh = self.untold < UNTOLD_MAX && now.0.saturating_sub(self.told_at.0) < UNTOLD_MS_MAX;
        if !(is_settled && is_fresh) {
            self.told = self.at(0.95);
            (self.told_at, self.untold) = (now, 0);
        }
        self.told
    }

    /// The weight of a count at `now`.
    fn weight(&mut self, now: UnixMs) -> f32 {
        if self.total == 0.0 {
            self.since = now;
        }
        let halvings = now.0.saturating_sub(self.since.0) as f32 / self.half_life_ms as f32;
        let weight = halvings.min(126.0).exp2();
        if weight <= SCALE_MAX {
            return weight;
        }
        self.counts.iter_mut().for_each(|count| *count /= weight);
        self.total = self.counts.iter().sum();
        self.since = now;
        1.0
    }

    /// The value that `share` of the counts are at or below, rounded up to its bucket's end; `None` without counts.
    pub(crate) fn at(&self, share: f32) -> Option<u64> {
        if self.total <= f32::MIN_POSITIVE {
            return None;
        }
        let above = self.total * (1.0 - share);
        let mut tail = 0.0;
        for (index, count) in self.counts.iter().enumerate().take(self.highest + 1).rev() {
            tail += count;
            if *count > 0.0 && tail > above {
                return Some(end_of(index));
            }
        }
        self.counts.iter().position(|count| *count > 0.0).map(end_of)
    }
}

fn bucket(value: u64) -> usize {
    let value = value.max(PER_DOUBLING as u64);
    let exponent = 63 - value.leading_zeros() as usize;
    let fraction = (value >> (exponent - 3)) as usize & (PER_DOUBLING - 1);
    ((exponent - 3) * PER_DOUBLING + fraction).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn end_of(index: usize) -> u64 {
    let (exponent, fraction) = (index / PER_DOUBLING, index % PER_DOUBLING);
    ((PER_DOUBLING as u64 + fraction as u64 + 1) << exponent) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_fade_so_that_the_quantile_follows_the_present() {
        let mut quantile = Quantile::new(1000);
        assert_eq!(quantile.at(0.95), None);
        for step in 0..1000 {
            quantile.add(UnixMs(step), 1_000_000);
        }
        for step in 0..1000 {
            quantile.add(UnixMs(20_000 + step), 1000);
        }
        let p95 = quantile.at(0.95).expect("counts");
        assert!((1000..=1125).contains(&p95), "{p95}");
        quantile.add(UnixMs(10_000_000), 64_000);
        let now = quantile.at(0.5).expect("counts");
        assert!((64_000..=72_000).contains(&now), "{now}");
    }

    #[test]
    fn every_bucket_holds_the_value_at_its_end() {
        for index in 0..BUCKETS {
            assert_eq!(bucket(end_of(index)), index, "{index}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    proptest! {
        #[test]
        fn quantile_is_never_below_the_truth_and_at_most_an_eighth_above(
            mut values in proptest::collection::vec(8_u64..1_000_000_000, 1..200), share in 0.0_f32..1.0,
        ) {
            let mut quantile = Quantile::new(60_000);
            values.iter().for_each(|value| quantile.add(UnixMs(5), *value));
            values.sort_unstable();
            let found = quantile.at(share).expect("counts");
            let rank = ((values.len() as f32 * share) as usize).min(values.len() - 1);
            // Ranks of floats may be off by one.
            let low = values[rank.saturating_sub(1)];
            let high = values[(rank + 1).min(values.len() - 1)];
            prop_assert!(found >= low && found <= high + high / 8 + 1, "{found} for {low}..{high}");
        }
    }
}
