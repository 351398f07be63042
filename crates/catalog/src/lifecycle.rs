//! Where a model stands in its life at a given moment.

use pilothouse_core::clock::UnixMs;
use serde::{Deserialize, Serialize};

use crate::day;
use crate::row::Life;

/// Where a model stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In service, no date known.
    Active,
    /// In service; the provider names a day before which it will not stop. Not a deadline: clouds publish such
    /// a date at launch for every version.
    Scheduled,
    /// In service and under notice: the provider announced its end.
    Deprecated,
    /// Gone, or past the day that was announced.
    Retired,
}

impl Status {
    /// Every status, from youngest to oldest.
    pub const ALL: [Self; 4] = [Self::Active, Self::Scheduled, Self::Deprecated, Self::Retired];

    /// The name used in reports and filters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Scheduled => "scheduled",
            Self::Deprecated => "deprecated",
            Self::Retired => "retired",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl Life {
    /// Where the model stands at `at`. Only a date under notice can retire a model; any other date, even one
    /// that has passed, leaves it scheduled.
    #[must_use]
    pub fn status(&self, at: UnixMs) -> Status {
        if self.notice || self.gone {
            return match self.retires.as_deref().and_then(day::start_of) {
                Some(end) if at >= end => Status::Retired,
                None if self.gone => Status::Retired,
                _ => Status::Deprecated,
            };
        }
        if self.retires.is_some() || self.not_before.is_some() { Status::Scheduled } else { Status::Active }
    }

    /// The day it stops, if that is a real deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<&str> {
        self.retires.as_deref().filter(|_| self.notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> UnixMs {
        day::start_of(day).expect("a day")
    }

    #[test]
    fn a_date_without_notice_is_never_a_deadline() {
        let life = Life { not_before: Some("2026-11-01".into()), ..Life::default() };
        assert_eq!(life.status(at("2026-10-01")), Status::Scheduled);
        assert_eq!(life.status(at("2027-01-01")), Status::Scheduled);
        assert_eq!(life.deadline(), None);
    }

    #[test]
    fn a_date_under_notice_retires_the_model_on_that_day() {
        let life = Life { notice: true, retires: Some("2026-11-30".into()), ..Life::default() };
        assert_eq!(life.status(at("2026-11-29")), Status::Deprecated);
        assert_eq!(life.status(at("2026-11-30")), Status::Retired);
        assert_eq!(life.deadline(), Some("2026-11-30"));
    }

    #[test]
    fn notice_without_a_date_is_deprecated_until_a_feed_says_gone() {
        assert_eq!(Life { notice: true, ..Life::default() }.status(at("2030-01-01")), Status::Deprecated);
        let gone = Life { notice: true, gone: true, ..Life::default() };
        assert_eq!(gone.status(at("2026-01-01")), Status::Retired);
        assert_eq!(Life::default().status(at("2026-01-01")), Status::Active);
    }
}
