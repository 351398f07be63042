//! Limits: requests and tokens per minute, and calls at once, for a key and for every team above it.
//!
//! Rates follow the generic cell rate algorithm (ITU-T I.371, in its form as a leaky bucket): a burst passes at once,
//! then as many units as the rate allows, to the unit and without windows that begin anew. Tokens are taken by
//! estimate and corrected by what the call used; a correction may leave a debt, which later calls wait for.

mod memory;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use pilothouse_core::clock::UnixMs;

pub use memory::MemoryCounters;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counts {
    /// Requests per minute.
    Requests,
    /// Tokens per minute, in and out.
    Tokens,
    /// Calls under way at once.
    Concurrency,
}

impl Counts {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Requests, Self::Tokens, Self::Concurrency];

    /// What messages call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests per minute",
            Self::Tokens => "tokens per minute",
            Self::Concurrency => "calls at once",
        }
    }
}

/// So many units in each minute, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Units that come free per minute, at least 1.
    pub per_minute: u64,
    /// Units that may pass at once, at least 1.
    pub burst: u64,
}

impl Rate {
    /// A rate whose burst is the minute's whole allowance, as vendors count theirs.
    #[must_use]
    pub const fn per_minute(units: u64) -> Self {
        let units = if units == 0 { 1 } else { units };
        Self { per_minute: units, burst: units }
    }
}

/// The limits of one key or team; what is `None` is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests per minute.
    pub requests: Option<Rate>,
    /// Tokens per minute.
    pub tokens: Option<Rate>,
    /// Calls under way at once.
    pub concurrency: Option<u32>,
}

impl Limits {
    /// Whether nothing is limited.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.requests.is_none() && self.tokens.is_none() && self.concurrency.is_none()
    }
}

/// A key or a team with limits. A call is checked against its key and every team above, so a team's limits hold
/// for all that is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name, distinct among keys and teams: `key search-app`, `team search`.
    pub name: Arc<str>,
    /// What it may.
    pub limits: Limits,
}

/// Units taken from one counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Take<'a> {
    /// Whose counter.
    pub subject: &'a str,
    /// The limit that it is taken against.
    pub limit: Limit,
    /// How many.
    pub units: u64,
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Requests per minute.
    Requests(Rate),
    /// Tokens per minute.
    Tokens(Rate),
    /// So many at once.
    Concurrency(u32),
}

impl Limit {
    /// What it counts.
    #[must_use]
    pub const fn counts(self) -> Counts {
        match self {
            Self::Requests(_) => Counts::Requests,
            Self::Tokens(_) => Counts::Tokens,
            Self::Concurrency(_) => Counts::Concurrency,
        }
    }

    /// The number that the limit is known by.
    const fn number(self) -> u64 {
        match self {
            Self::Requests(rate) | Self::Tokens(rate) => rate.per_minute,
            Self::Concurrency(most) => most as u64,
        }
    }
}

/// Why a call may not go now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Whose limit it is.
    pub subject: Box<str>,
    /// The limit.
    pub limit: Limit,
    /// Units that were asked for.
    pub units: u64,
    /// After how many milliseconds the same call would pass, were there no others; `None` where waiting does not help
    /// (more than a burst at once) or nobody knows (calls under way).
    pub retry_after_ms: Option<u64>,
}

impl Limited {
    /// Whether the call is larger than the limit ever allows.
    #[must_use]
    pub const fn is_too_large(&self) -> bool {
        match self.limit {
            Limit::Requests(rate) | Limit::Tokens(rate) => self.units > rate.burst,
            Limit::Concurrency(most) => most == 0,
        }
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, what) = (self.limit.number(), self.limit.counts().as_str());
        write!(out, "{} is limited to {number} {what}", self.subject)?;
        match self.retry_after_ms {
            _ if self.is_too_large() => {
                write!(out, ", and this call alone takes {}; make it smaller or raise the limit", self.units)
            }
            Some(wait) => write!(out, "; try again in {} s", wait.div_ceil(1000)),
            None => out.write_str("; try again when one of them has ended"),
        }
    }
}

impl std::error::Error for Limited {}

/// Counters that limits are kept with, in memory or shared by replicas. Every backend keeps the laws in `limits/tests.rs`:
///
/// - what passes within `t` is at most `burst + rate × t`;
/// - a take over several counters takes from all or none;
/// - units given back by [`Counters::correct`] are free at once, units added count as a debt;
/// - time that goes back makes nothing free;
/// - of `n` allowed at once, `n` pass and no more until one leaves.
pub trait Counters: Send + Sync + fmt::Debug {
    /// Takes units from every counter, or from none.
    ///
    /// # Errors
    /// [`Limited`] for the limit that has to be waited for longest.
    fn take(&self, takes: &[Take<'_>], now: UnixMs) -> Result<(), Limited>;

    /// Adds units to counters of a subject that a take has used, or gives some back (below zero). Never refuses.
    fn correct(&self, subject: &str, corrections: &[(Counts, i64)], now: UnixMs);

    /// How many units are counted at a moment: what has not drained yet, or calls under way.
    fn level(&self, subject: &str, counts: Counts, now: UnixMs) -> u64;
}

/// A call that was let in. Dropping it ends its part in the calls at once.
#[derive(Debug)]
#[must_use = "dropping an admission says that the call has ended"]
pub struct Admission {
    counters: Arc<dyn Counters>,
    chain: Arc<[Subject]>,
    /// Tokens that were taken, and those that were used as far as anybody told.
    tokens: u64,
    used: u64,
    now: UnixMs,
}

/// Lets a call in that takes a request, `tokens` by estimate and one of the calls at once, from its key and every team
/// above (`chain`, in any order), or takes nothing.
///
/// # Errors
/// [`Limited`] for the limit that has to be waited for longest.
pub fn admit(
    counters: &Arc<dyn Counters>,
    chain: &Arc<[Subject]>,
    tokens: u64,
    now: UnixMs,
) -> Result<Admission, Limited> {
    let mut takes = Vec::with_capacity(chain.len() * Counts::ALL.len());
    for Subject { name, limits } in chain.iter() {
        let mut take = |limit, units| takes.push(Take { subject: name, limit, units });
        if let Some(rate) = limits.requests {
            take(Limit::Requests(rate), 1);
        }
        if let Some(rate) = limits.tokens {
            take(Limit::Tokens(rate), tokens);
        }
        if let Some(most) = limits.concurrency {
            take(Limit::Concurrency(most), 1);
        }
    }
    if !takes.is_empty() {
        counters.take(&takes, now)?;
    }
    Ok(Admission { counters: Arc::clone(counters), chain: Arc::clone(chain), tokens, used: tokens, now })
}

impl Admission {
    /// Ends the call's part in the calls at once, and corrects the estimate by what it used.
    pub fn end(mut self, used: u64, now: UnixMs) {
        (self.used, self.now) = (used, now);
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let tokens = i64::try_from(i128::from(self.used) - i128::from(self.tokens)).unwrap_or(i64::MAX);
        for Subject { name, limits } in self.chain.iter() {
            let both = [(Counts::Tokens, tokens), (Counts::Concurrency, -1)];
            let corrections = match (limits.tokens.filter(|_| tokens != 0), limits.concurrency) {
                (Some(_), Some(_)) => &both[..],
                (Some(_), None) => &both[..1],
                (None, Some(_)) => &both[1..],
                (None, None) => continue,
            };
            self.counters.correct(name, corrections, self.now);
        }
    }
}
