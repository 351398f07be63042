//! The breaker: a target that fails too often rests, and comes back by probes.
//!
//! Closed: everything passes, and a fading share of failures is kept. Open: nothing passes until the rest is over.
//! Half open: at most [`BreakerSettings::probes_max`] calls at a time pass; enough that succeed close it, one that fails
//! opens it again for twice as long. Reading is one atomic load; writing takes a lock for some nanoseconds.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pilothouse_core::clock::UnixMs;

/// When a breaker opens and closes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSettings {
    /// The share of failures, from 0 to 1, at which it opens.
    pub error_share: f32,
    /// Calls that must have been seen of late before a share means anything.
    pub calls_min: f32,
    /// Milliseconds after which a call counts half.
    pub half_life_ms: u64,
    /// Failures in a row that open it, however few calls there were.
    pub failures_in_row: u32,
    /// Milliseconds of the first rest; each failed probe doubles it.
    pub rest_ms: u64,
    /// The longest rest, also the most that a vendor's Retry-After is believed.
    pub rest_ms_max: u64,
    /// Probes at a time while half open.
    pub probes_max: u32,
    /// Probes that must succeed, one after the other, to close it.
    pub probes_needed: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            error_share: 0.5,
            calls_min: 10.0,
            half_life_ms: 10_000,
            failures_in_row: 5,
            rest_ms: 5_000,
            rest_ms_max: 120_000,
            probes_max: 1,
            probes_needed: 2,
        }
    }
}

/// How a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Calls pass.
    Closed,
    /// Calls pass as probes.
    HalfOpen,
    /// Calls do not pass for so many milliseconds: it rests, or all probes are under way.
    Open {
        /// Milliseconds.
        retry_after_ms: u64,
    },
}

/// How a call came past a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Like any other.
    Usual,
    /// As a probe: its end decides, and must be reported or given back.
    Probe,
}

/// A breaker.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    /// 0 while closed, else the moment at which probes may start.
    probes_from: AtomicU64,
    probing: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: f32,
    failures: f32,
    faded_at: UnixMs,
    in_row: u32,
    rest_ms: u64,
    succeeded: u32,
}

/// How long a caller waits while all probes are under way: about a call.
const PROBE_WAIT_MS: u64 = 1_000;

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Self {
        let state = State { rest_ms: settings.rest_ms, ..State::default() };
        Self {
            settings,
            probes_from: AtomicU64::new(0),
            probing: AtomicU32::new(0),
            state: Mutex::new(state),
        }
    }

    /// How it stands. Takes no lock.
    #[must_use]
    pub fn standing(&self, now: UnixMs) -> Standing {
        match self.probes_from.load(Ordering::Acquire) {
            0 => Standing::Closed,
            from if now.0 < from => Standing::Open { retry_after_ms: from - now.0 },
            _ if self.probing.load(Ordering::Acquire) < self.settings.probes_max => Standing::HalfOpen,
            _ => Standing::Open { retry_after_ms: PROBE_WAIT_MS },
        }
    }

    /// Lets a call pass, or says for how many milliseconds none passes.
    ///
    /// # Errors
    /// Milliseconds after which to ask again.
    pub fn admit(&self, now: UnixMs) -> Result<Pass, u64> {
        match self.standing(now) {
            Standing::Closed => return Ok(Pass::Usual),
            Standing::Open { retry_after_ms } => return Err(retry_after_ms),
            Standing::HalfOpen => {}
        }
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = match self.standing(now) {
            Standing::Closed => Ok(Pass::Usual),
            Standing::Open { retry_after_ms } => Err(retry_after_ms),
            Standing::HalfOpen => {
                self.probing.fetch_add(1, Ordering::AcqRel);
                Ok(Pass::Probe)
            }
        };
        drop(state);
        admitted
    }

    /// Reports how a call ended that [`Breaker::admit`] let pass.
    pub fn report(&self, now: UnixMs, pass: Pass, is_success: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match pass {
            Pass::Probe => {
                self.release();
                self.probed(&mut state, now, is_success);
            }
            // What began before the breaker opened says nothing about how the target is now.
            Pass::Usual if self.probes_from.load(Ordering::Acquire) != 0 => {}
            Pass::Usual => self.counted(&mut state, now, is_success),
        }
    }

    /// Gives a probe back that ended without telling anything: its client went away.
    pub fn give_back(&self, pass: Pass) {
        if pass == Pass::Probe {
            let _state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.release();
        }
    }

    /// Rests because the vendor asked for it. Never shortens a rest.
    pub fn rest(&self, now: UnixMs, asked_ms: u64) {
        // A target that never rests does not do so for a millisecond either.
        if self.settings.rest_ms_max == 0 {
            return;
        }
        let _state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let until = now.0.saturating_add(asked_ms.min(self.settings.rest_ms_max).max(1));
        self.probes_from.fetch_max(until, Ordering::AcqRel);
    }

    /// The fading share of failures, from 0 to 1.
    #[must_use]
    pub fn error_share(&self) -> f32 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.calls > 0.0 { state.failures / state.calls } else { 0.0 }
    }

    fn release(&self) {
        let _ = self.probing.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1));
    }

    fn counted(&self, state: &mut State, now: UnixMs, is_success: bool) {
        let age = now.0.saturating_sub(state.faded_at.0);
        let kept = (-(age as f32) / self.settings.half_life_ms.max(1) as f32).exp2();
        state.calls = state.calls * kept + 1.0;
        state.failures = state.failures * kept + f32::from(u8::from(!is_success));
        state.faded_at = UnixMs(now.0.max(state.faded_at.0));
        state.in_row = if is_success { 0 } else { state.in_row + 1 };
        let is_bad = state.calls >= self.settings.calls_min
            && state.failures >= state.calls * self.settings.error_share;
        if !is_success && (is_bad || state.in_row >= self.settings.failures_in_row) {
            state.rest_ms = self.settings.rest_ms;
            self.open(state, now);
        }
    }

    fn probed(&self, state: &mut State, now: UnixMs, is_success: bool) {
        if self.probes_from.load(Ordering::Acquire) == 0 {
            return;
        }
        if !is_success {
            state.rest_ms = state.rest_ms.saturating_mul(2).min(self.settings.rest_ms_max);
            self.open(state, now);
            return;
        }
        state.succeeded += 1;
        if state.succeeded >= self.settings.probes_needed {
            *state = State { rest_ms: self.settings.rest_ms, faded_at: now, ..State::default() };
            self.probes_from.store(0, Ordering::Release);
        }
    }

    fn open(&self, state: &mut State, now: UnixMs) {
        state.succeeded = 0;
        state.in_row = 0;
        let until = now.0.saturating_add(state.rest_ms).max(1);
        self.probes_from.fetch_max(until, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
