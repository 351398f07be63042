//! Times in which a brownout holds: once, or every day.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use pilothouse_core::clock::UnixMs;

/// When something holds: from a beginning on, before an end.
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// Between two moments; `None` is open.
    Once {
        /// The first moment.
        from: Option<UnixMs>,
        /// The first moment after it.
        to: Option<UnixMs>,
    },
    /// Every day, by the clocks of a zone. From later to earlier goes over midnight.
    Daily {
        /// The first moment.
        from: Time,
        /// The first moment after it.
        to: Time,
        /// Whose clocks.
        zone: TimeZone,
    },
}

impl Window {
    /// Whether it holds at a moment.
    #[must_use]
    pub fn holds(&self, at: UnixMs) -> bool {
        match self {
            Self::Once { from, to } => from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to),
            Self::Daily { from, to, zone } => {
                let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
                let Ok(moment) = Timestamp::from_millisecond(millis) else { return false };
                let time = moment.to_zoned(zone.clone()).time();
                if from <= to { *from <= time && time < *to } else { *from <= time || time < *to }
            }
        }
    }

    /// Whether it is over for good at a moment.
    #[must_use]
    pub fn is_over(&self, at: UnixMs) -> bool {
        matches!(self, Self::Once { to: Some(to), .. } if at >= *to)
    }
}
