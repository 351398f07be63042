//! How each target has been doing: one [`Health`] per target, shared by all routes that have it.
//!
//! A caller begins a call ([`Health::begin`]), tells its first token and its end, and drops it. What strategies read is
//! published in atomics; what updates take is a mutex for some hundred nanoseconds, never held across anything.

pub mod breaker;
mod calibration;
mod quantile;
pub mod queue;
mod retry;
mod speed;
mod tombstone;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use pilothouse_core::clock::UnixMs;

use breaker::{Breaker, BreakerSettings, Pass, Standing};
pub use calibration::{Calibration, Observed};
pub use retry::{RETRIES_PER_SECOND_MIN, RETRY_SHARE_PERCENT, RetryBudget};
use speed::Speed;
pub use speed::{Pace, SAMPLES_MIN};
pub use tombstone::{Absence, BURIED_MS, BURIED_MS_MAX, Tombstones};

/// What is set per target.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HealthSettings {
    /// When the breaker opens and closes.
    pub breaker: BreakerSettings,
    /// A first token later than so many milliseconds counts as a failure to the breaker; `None` never does.
    pub slow_first_token_ms: Option<u64>,
}

/// The state of one target.
#[derive(Debug)]
pub struct Health {
    settings: HealthSettings,
    in_flight: AtomicU32,
    /// Calls that wait for their first token.
    waiting: AtomicU32,
    /// When a first token last came, or the first of the waiting calls began.
    progressed_at: AtomicU64,
    speed: Speed,
    /// Whether it may be called at all.
    pub breaker: Breaker,
    /// Retries on the same target.
    pub retries: RetryBudget,
    /// Whether its vendor still has the model.
    pub tombstones: Tombstones,
    /// Tokens per byte, as its vendor counts.
    pub calibration: Calibration,
}

impl Default for Health {
    fn default() -> Self {
        Self::new(HealthSettings::default())
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With a whole answer.
    Answered {
        /// Microseconds from the call's begin to its end.
        total_us: u64,
        /// Tokens of output.
        output_tokens: u64,
    },
    /// With a failure of the target: no connection, a timeout, a 5xx, a cut or unreadable answer.
    Failed,
    /// With 429 or another request to slow down.
    Limited {
        /// The pause that the vendor asks for, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// With an error that is the request's own fault: the target is well.
    Refused,
    /// Its client went away, or a hedge won: it tells nothing.
    Cancelled,
}

impl Health {
    /// The health of a target that has not been called.
    #[must_use]
    pub fn new(settings: HealthSettings) -> Self {
        Self {
            settings,
            in_flight: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            progressed_at: AtomicU64::new(0),
            speed: Speed::default(),
            breaker: Breaker::new(settings.breaker),
            retries: RetryBudget::default(),
            tombstones: Tombstones::default(),
            calibration: Calibration::default(),
        }
    }

    /// Begins a call.
    ///
    /// # Errors
    /// Milliseconds after which to ask again, where the breaker lets nothing pass.
    pub fn begin(self: &Arc<Self>, now: UnixMs) -> Result<CallInFlight, u64> {
        let pass = self.breaker.admit(now)?;
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        if self.waiting.fetch_add(1, Ordering::AcqRel) == 0 {
            self.progressed_at.store(now.0, Ordering::Release);
        }
        Ok(CallInFlight { health: Arc::clone(self), pass: Some(pass), first_token_us: None, was_slow: false })
    }

    /// Calls that are under way.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// How the breaker stands.
    #[must_use]
    pub fn standing(&self, now: UnixMs) -> Standing {
        self.breaker.standing(now)
    }

    /// How fast it has been; `None` until a first token has come.
    #[must_use]
    pub fn pace(&self, now: UnixMs) -> Option<Pace> {
        self.speed.pace(now)
    }

    /// Microseconds for which calls have waited for a first token while none came: a target that hangs is slow before
    /// anything ends.
    #[must_use]
    pub fn stalled_us(&self, now: UnixMs) -> u64 {
        if self.waiting.load(Ordering::Acquire) == 0 {
            return 0;
        }
        now.0.saturating_sub(self.progressed_at.load(Ordering::Acquire)).saturating_mul(1000)
    }

    /// Microseconds that 95 of 100 first tokens of late stayed within; `None` before [`SAMPLES_MIN`] answers.
    #[must_use]
    pub fn first_token_p95_us(&self) -> Option<u64> {
        self.speed.p95_us(true)
    }

    /// Microseconds that 95 of 100 whole answers of late stayed within.
    #[must_use]
    pub fn total_p95_us(&self) -> Option<u64> {
        self.speed.p95_us(false)
    }

    fn left_waiting(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A call under way. Dropping it without an end is a cancellation.
#[derive(Debug)]
pub struct CallInFlight {
    health: Arc<Health>,
    /// Until it has ended.
    pass: Option<Pass>,
    first_token_us: Option<u64>,
    was_slow: bool,
}

impl CallInFlight {
    /// Whether this call probes a target that has been resting.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.pass == Some(Pass::Probe)
    }

    /// The first token came, so many microseconds after the call's begin. Only the first report counts.
    pub fn first_token(&mut self, now: UnixMs, after_us: u64) {
        if self.first_token_us.is_some() {
            return;
        }
        self.first_token_us = Some(after_us);
        let slow_us = self.health.settings.slow_first_token_ms.map(|limit| limit.saturating_mul(1000));
        self.was_slow = slow_us.is_some_and(|limit| after_us > limit);
        self.health.progressed_at.store(now.0, Ordering::Release);
        self.health.left_waiting();
        self.health.speed.first_token(now, after_us);
    }

    /// The call has ended.
    pub fn end(mut self, now: UnixMs, ended: Ended) {
        let Some(pass) = self.pass.take() else { return };
        let breaker = &self.health.breaker;
        match ended {
            Ended::Answered { total_us, output_tokens } => {
                if self.first_token_us.is_none() {
                    // An answer that is no stream comes at once: all of it is time to the first token.
                    self.first_token(now, total_us);
                }
                let after_first = total_us.saturating_sub(self.first_token_us.unwrap_or(total_us));
                self.health.speed.whole(now, total_us, after_first, output_tokens);
                self.health.breaker.report(now, pass, !self.was_slow);
            }
            Ended::Refused => breaker.report(now, pass, true),
            Ended::Failed => breaker.report(now, pass, false),
            // A limit is no illness: the target rests for as long as it asks, and comes back as it was. Without a time,
            // a 429 now and then is borne, and a run of them is a target that cannot take this load.
            Ended::Limited { retry_after_ms: Some(asked) } => {
                breaker.give_back(pass);
                breaker.rest(now, asked);
            }
            Ended::Limited { retry_after_ms: None } => breaker.report(now, pass, false),
            Ended::Cancelled => breaker.give_back(pass),
        }
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.health.breaker.give_back(pass);
        }
        if self.first_token_us.is_none() {
            self.health.left_waiting();
        }
        self.health.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
