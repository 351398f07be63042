//! What a target's vendor reports in tokens for the bytes that it gets, and how far off that is.
//!
//! Every settled exchange teaches it. The ratio folds in what no tokenizer knows (templates, hidden instructions), and
//! the error is the observed one: 19 of 20 estimates were within it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pilothouse_core::clock::UnixMs;

use super::quantile::Quantile;

/// Exchanges before an observation is used.
const SAMPLES_MIN: u32 = 20;
/// Shorter requests are mostly what surrounds the text, and would teach the wrong ratio.
const BYTES_MIN: u64 = 256;
/// The share of the newest exchange in the ratio.
const NEWEST: f32 = 0.05;
/// An error counts half after so long.
const HALF_LIFE_MS: u64 = 60 * 60 * 1000;
/// Errors are kept in tenths of a percent, from this upwards.
const ERROR_PERCENT_MAX: u64 = 1000;

/// An estimate from what was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Tokens of text with everything that surrounds it.
    pub tokens: u64,
    /// The error that 19 of 20 estimates stayed within, in percent.
    pub error_percent: u32,
}

/// Observed tokens per byte.
#[derive(Debug)]
pub struct Calibration {
    /// The bits of the ratio (f32) above the error in percent; 0 until there is enough.
    told: AtomicU64,
    learned: Mutex<Learned>,
}

#[derive(Debug)]
struct Learned {
    samples: u32,
    ratio: f32,
    /// Of the error of each estimate, in tenths of a percent.
    errors: Quantile,
}

impl Default for Calibration {
    fn default() -> Self {
        let learned = Learned { samples: 0, ratio: 0.0, errors: Quantile::new(HALF_LIFE_MS) };
        Self { told: AtomicU64::new(0), learned: Mutex::new(learned) }
    }
}

impl Calibration {
    /// The tokens that so many bytes of text are expected to be; `None` while too little was observed. Takes no lock.
    #[must_use]
    pub fn tokens(&self, text_bytes: u64) -> Option<Observed> {
        let told = self.told.load(Ordering::Relaxed);
        if told == 0 {
            return None;
        }
        let ratio = f64::from(f32::from_bits((told >> 32) as u32));
        Some(Observed { tokens: (text_bytes as f64 * ratio).ceil() as u64, error_percent: told as u32 })
    }

    /// Learns from an exchange: the bytes of its text, and the tokens of input that the vendor reported, less those of
    /// media.
    pub fn learn(&self, now: UnixMs, text_bytes: u64, tokens: u64) {
        if text_bytes < BYTES_MIN || tokens == 0 {
            return;
        }
        let ratio = (tokens as f64 / text_bytes as f64) as f32;
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        if learned.samples > 0 {
            let error = (ratio / learned.ratio - 1.0).abs() * 1000.0;
            learned.errors.add(now, error as u64);
        }
        learned.samples = learned.samples.saturating_add(1);
        // The mean at first, a fading mean later.
        let share = NEWEST.max(1.0 / learned.samples as f32);
        learned.ratio += (ratio - learned.ratio) * share;
        if learned.samples >= SAMPLES_MIN {
            let error = learned.errors.p95(now).unwrap_or(0).div_ceil(10).clamp(1, ERROR_PERCENT_MAX);
            self.told.store((u64::from(learned.ratio.to_bits()) << 32) | error, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn nothing_is_said_before_twenty_exchanges() {
        let calibration = Calibration::default();
        for _ in 0..19 {
            calibration.learn(UnixMs(1), 1000, 250);
            calibration.learn(UnixMs(1), 10, 250);
        }
        assert_eq!(calibration.tokens(1000), None);
        calibration.learn(UnixMs(1), 1000, 250);
        let observed = calibration.tokens(2000).expect("enough");
        assert_eq!((observed.tokens, observed.error_percent), (500, 1));
    }

    #[test]
    fn nineteen_of_twenty_exchanges_are_within_the_stated_error() {
        let (calibration, mut random) = (Calibration::default(), Random::new(3));
        let mut ratio = || 0.25 * (1.0 + 0.3 * (random.unit() + random.unit() - 1.0));
        for step in 0..2000 {
            calibration.learn(UnixMs(step), 4000, (4000.0 * ratio()) as u64);
        }
        let observed = calibration.tokens(4000).expect("enough");
        let error = observed.tokens as f64 * f64::from(observed.error_percent) / 100.0;
        let within = (0..1000).filter(|_| (4000.0 * ratio() - observed.tokens as f64).abs() <= error).count();
        assert!((930..=995).contains(&within), "{within} of 1000 within {observed:?}");
    }
}
