//! The life of a target as a gateway enforces it: which state holds at a moment, who is drawn into a brownout, which day mark is
//! due, and what the headers say.
//!
//! Dates, shares and a moment in; a state out. *Does not know*: configuration, requests, the time of day.

pub mod absence;
mod draw;
mod text;
mod window;

use pilothouse_catalog::day::DAY_MS;
use pilothouse_core::clock::UnixMs;
use serde::Serialize;

pub use draw::{Draw, Share};
pub use text::{deprecation, http_date};
pub use window::Window;

/// Where a target stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In service, and nobody said that it ends.
    Active,
    /// In service, and its end is announced. It takes every call.
    Deprecated,
    /// In service for some: calls are being tried without it.
    Brownout,
    /// Its day has come.
    Retired,
    /// So long behind its day that nothing stands in for it any more.
    Removed,
}

impl State {
    /// Every state, from the youngest to the oldest.
    pub const ALL: [Self; 5] = [Self::Active, Self::Deprecated, Self::Brownout, Self::Retired, Self::Removed];

    /// The name used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deprecated => "deprecated",
            Self::Brownout => "brownout",
            Self::Retired => "retired",
            Self::Removed => "removed",
        }
    }
}

/// What calls get that are drawn into a brownout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BrownoutAnswer {
    /// An answer of the successor.
    Successor,
    /// A refusal that names the successor.
    Refuse,
}

/// A time in which calls are tried without the target.
#[derive(Clone, Debug, PartialEq)]
pub struct Brownout {
    /// The share of conversations that is drawn into it.
    pub share: Share,
    /// When it holds; `None` is always.
    pub window: Option<Window>,
    /// What those calls get.
    pub answer: BrownoutAnswer,
}

/// The life of one target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lifecycle {
    /// Whether its end is announced, by its vendor or by whoever runs the gateway.
    pub is_announced: bool,
    /// When that was announced, where known.
    pub deprecated_at: Option<UnixMs>,
    /// When it retires.
    pub retires_at: Option<UnixMs>,
    /// When nothing stands in for it any more.
    pub removed_at: Option<UnixMs>,
    /// Times in which calls are tried without it; of several at once the first that draws a call decides.
    pub brownouts: Vec<Brownout>,
}

impl Lifecycle {
    /// The state at a moment. A day begins at midnight UTC, and what ends on a day is over from its first moment.
    #[must_use]
    pub fn state(&self, at: UnixMs) -> State {
        let has_come = |moment: Option<UnixMs>| moment.is_some_and(|moment| at >= moment);
        if has_come(self.removed_at) {
            State::Removed
        } else if has_come(self.retires_at) {
            State::Retired
        } else if self.brownouts.iter().any(|one| one.is_on(at)) {
            State::Brownout
        } else if self.is_announced {
            State::Deprecated
        } else {
            State::Active
        }
    }

    /// The brownout that a conversation is drawn into at a moment; none before and none after the target's time of brownouts.
    #[must_use]
    pub fn brownout(&self, at: UnixMs, draw: Draw) -> Option<&Brownout> {
        if self.state(at) != State::Brownout {
            return None;
        }
        self.brownouts.iter().find(|one| one.is_on(at) && one.share.takes(draw))
    }

    /// The next moment at which a date changes the state, with what it is then. Windows of brownouts are not dates.
    #[must_use]
    pub fn next_date(&self, at: UnixMs) -> Option<(UnixMs, State)> {
        [(self.retires_at, State::Retired), (self.removed_at, State::Removed)]
            .into_iter()
            .find_map(|(moment, state)| Some((moment.filter(|moment| at < *moment)?, state)))
    }

    /// Whole days from a moment's day to the day on which it retires: 0 on that day, negative after it.
    #[must_use]
    pub fn days_left(&self, at: UnixMs) -> Option<i64> {
        let day = |at: UnixMs| i64::try_from(at.0 / DAY_MS).unwrap_or(i64::MAX);
        Some(day(self.retires_at?) - day(at))
    }
}

impl Brownout {
    /// Whether it holds at a moment.
    #[must_use]
    pub fn is_on(&self, at: UnixMs) -> bool {
        self.window.as_ref().is_none_or(|window| window.holds(at))
    }
}

/// The mark that so many days before the end belong to: the smallest mark that has been reached. Whoever tells each mark once tells
/// of no mark that was passed in silence.
#[must_use]
pub fn mark_due(days_left: i64, marks: &[u32]) -> Option<u32> {
    let left = u32::try_from(days_left).ok()?;
    marks.iter().copied().filter(|mark| left <= *mark).min()
}

#[cfg(test)]
mod tests;
