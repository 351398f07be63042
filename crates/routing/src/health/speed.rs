//! How fast a target has been of late: time to the first token, time per token, and what 95 of 100 stay within.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pilothouse_core::clock::UnixMs;

use super::quantile::Quantile;

/// After so long, what was measured weighs half of what is measured now.
const HALF_LIFE_MS: u64 = 4_000;
/// The share that a measurement has at least, however soon it follows the one before.
const SHARE_MIN: f32 = 0.02;
/// Quantiles forget more slowly: a tail needs many calls.
const QUANTILE_HALF_LIFE_MS: u64 = 120_000;
/// Answers before a quantile is believed.
pub const SAMPLES_MIN: u32 = 20;

/// How fast a target is, as last measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Microseconds to the first token.
    pub first_token_us: u64,
    /// Nanoseconds per token after it.
    pub token_ns: u64,
    /// Milliseconds since the last measurement.
    pub age_ms: u64,
}

/// Times of a target. Readers take no lock.
#[derive(Debug)]
pub(crate) struct Speed {
    samples: AtomicU32,
    first_token_us: AtomicU64,
    token_ns: AtomicU64,
    measured_at: AtomicU64,
    first_token_p95_us: AtomicU64,
    total_p95_us: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    first_token: Average,
    token: Average,
    first_tokens: Quantile,
    totals: Quantile,
}

/// A mean that fades with time.
#[derive(Debug, Default)]
struct Average {
    value: Option<f32>,
    at: UnixMs,
}

impl Average {
    fn add(&mut self, now: UnixMs, value: f32) -> f32 {
        let age = now.0.saturating_sub(self.at.0) as f32;
        let share = (1.0 - (-age / HALF_LIFE_MS as f32).exp2()).max(SHARE_MIN);
        let mean = self.value.map_or(value, |mean| mean + (value - mean) * share);
        self.value = Some(mean);
        self.at = now.max(self.at);
        mean
    }
}

impl Default for Speed {
    fn default() -> Self {
        let state = State {
            first_token: Average::default(),
            token: Average::default(),
            first_tokens: Quantile::new(QUANTILE_HALF_LIFE_MS),
            totals: Quantile::new(QUANTILE_HALF_LIFE_MS),
        };
        Self {
            samples: AtomicU32::new(0),
            first_token_us: AtomicU64::new(0),
            token_ns: AtomicU64::new(0),
            measured_at: AtomicU64::new(0),
            first_token_p95_us: AtomicU64::new(0),
            total_p95_us: AtomicU64::new(0),
            state: Mutex::new(state),
        }
    }
}

impl Speed {
    /// A first token came after so long.
    pub(crate) fn first_token(&self, now: UnixMs, after_us: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mean = state.first_token.add(now, after_us as f32);
        state.first_tokens.add(now, after_us);
        self.first_token_us.store(mean as u64, Ordering::Relaxed);
        self.first_token_p95_us.store(state.first_tokens.p95(now).unwrap_or(0), Ordering::Relaxed);
        self.measured_at.store(now.0, Ordering::Relaxed);
        self.samples.fetch_add(1, Ordering::Release);
    }

    /// An answer was whole after so long, of which so many tokens took so long after the first.
    pub(crate) fn whole(&self, now: UnixMs, total_us: u64, after_first_us: u64, tokens: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.totals.add(now, total_us);
        self.total_p95_us.store(state.totals.p95(now).unwrap_or(0), Ordering::Relaxed);
        // Fewer tokens than a handful come in one event, and tell nothing of the pace.
        if tokens >= 8 {
            let mean = state.token.add(now, after_first_us as f32 * 1000.0 / tokens as f32);
            self.token_ns.store(mean as u64, Ordering::Relaxed);
        }
    }

    pub(crate) fn pace(&self, now: UnixMs) -> Option<Pace> {
        if self.samples.load(Ordering::Acquire) == 0 {
            return None;
        }
        Some(Pace {
            first_token_us: self.first_token_us.load(Ordering::Relaxed),
            token_ns: self.token_ns.load(Ordering::Relaxed),
            age_ms: now.0.saturating_sub(self.measured_at.load(Ordering::Relaxed)),
        })
    }

    /// What 95 of 100 first tokens, or whole answers, stayed within; `None` while there are too few.
    pub(crate) fn p95_us(&self, is_first_token: bool) -> Option<u64> {
        if self.samples.load(Ordering::Acquire) < SAMPLES_MIN {
            return None;
        }
        let p95 = if is_first_token { &self.first_token_p95_us } else { &self.total_p95_us };
        Some(p95.load(Ordering::Relaxed)).filter(|p95| *p95 > 0)
    }
}
