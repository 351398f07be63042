//! Hedging: a second target while the first one keeps silent, within a bucket of money.
//!
//! Slow calls are often the long and dear ones, so a share of *calls* would not bound the bill. The bucket is filled with
//! a share of what the route's exchanges have cost, and a hedge must be paid out of it before it starts, at its reserved
//! cost; what it cost less comes back. So the sum of all hedges is at most that share, whatever is slow.

use std::sync::{Mutex, PoisonError};

use pilothouse_core::money::PicoUsd;
use serde::{Deserialize, Serialize};

/// The share of settled spend that hedges may have where nothing else is said, in percent.
pub const SHARE_PERCENT: i128 = 5;
/// The same in ten-thousandths.
pub const SHARE_PARTS: u32 = 500;
/// Ten-thousandths of a whole.
const PARTS: i128 = 10_000;

/// The money that a route's hedges may spend.
#[derive(Debug)]
pub struct HedgeBucket {
    /// Ten-thousandths of pico-dollars, so that a share of a small bill is not lost.
    level: Mutex<i128>,
    /// The same unit.
    level_max: i128,
}

/// Whether to hedge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "hedge", rename_all = "snake_case")]
pub enum Hedge {
    /// Yes; `reserved` has left the bucket and must be settled.
    Go {
        /// Pico-dollars.
        reserved: PicoUsd,
    },
    /// The model waits for a tool's result: two of them must not act.
    InToolLoop,
    /// The first target has not been silent for long enough.
    TooEarly,
    /// Too few first tokens were seen to say what is late.
    Unmeasured,
    /// No other target is left.
    NoTarget,
    /// What the second call would reserve is not in the bucket, or has no price.
    TooDear,
}

/// What is known when a call keeps silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Microseconds since the first call began.
    pub waited_us: u64,
    /// What 95 of 100 first tokens of its target stay within.
    pub first_token_p95_us: Option<u64>,
    /// Whether the exchange is in a tool loop.
    pub is_in_tool_loop: bool,
    /// Whether the order has another target.
    pub has_other_target: bool,
    /// What the second call would reserve.
    pub reserve: Option<PicoUsd>,
}

impl HedgeBucket {
    /// An empty bucket that holds at most so much: a quiet night must not pay for a wild hour.
    #[must_use]
    pub const fn new(max: PicoUsd) -> Self {
        Self { level: Mutex::new(0), level_max: max.0.saturating_mul(PARTS) }
    }

    /// An exchange of the route has cost so much; hedges themselves do not count. The usual share of it is put in.
    pub fn settled(&self, cost: PicoUsd) {
        self.fill(cost, SHARE_PARTS);
    }

    /// The same with another share, in ten-thousandths.
    pub fn fill(&self, cost: PicoUsd, share_parts: u32) {
        self.add(cost.0.max(0).saturating_mul(share_parts.into()));
    }

    /// Whether to start a second call now. [`Hedge::Go`] has taken its reservation.
    #[must_use]
    pub fn ask(&self, silence: &Silence) -> Hedge {
        if silence.is_in_tool_loop {
            return Hedge::InToolLoop;
        }
        if !silence.has_other_target {
            return Hedge::NoTarget;
        }
        match silence.first_token_p95_us {
            None => return Hedge::Unmeasured,
            Some(p95_us) if silence.waited_us < p95_us => return Hedge::TooEarly,
            Some(_) => {}
        }
        let Some(reserved) = silence.reserve.filter(|reserve| reserve.0 >= 0) else { return Hedge::TooDear };
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let price = reserved.0.saturating_mul(PARTS);
        if price > *level {
            return Hedge::TooDear;
        }
        *level -= price;
        Hedge::Go { reserved }
    }

    /// A hedge that had reserved so much has cost so much. More than was reserved is owed by the next ones.
    pub fn settle(&self, reserved: PicoUsd, cost: PicoUsd) {
        self.add(reserved.0.saturating_sub(cost.0).saturating_mul(PARTS));
    }

    /// What is in the bucket, rounded down.
    #[must_use]
    pub fn level(&self) -> PicoUsd {
        PicoUsd(self.level.lock().unwrap_or_else(PoisonError::into_inner).div_euclid(PARTS))
    }

    fn add(&self, parts: i128) {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        *level = level.saturating_add(parts).min(self.level_max);
    }
}

#[cfg(test)]
mod tests;
