//! Moments and lengths of time: what is read of them, and how they are written.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// What can be read of a moment, by the clock of a zone. Counted as the language does: months and days of the year and
/// month from 0, days of the week from Sunday as 0, the date from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// The functions that read it.
pub(crate) const PARTS: [(&str, Part); 10] = [
    ("getFullYear", Part::FullYear),
    ("getMonth", Part::Month),
    ("getDate", Part::Date),
    ("getDayOfMonth", Part::DayOfMonth),
    ("getDayOfWeek", Part::DayOfWeek),
    ("getDayOfYear", Part::DayOfYear),
    ("getHours", Part::Hours),
    ("getMinutes", Part::Minutes),
    ("getSeconds", Part::Seconds),
    ("getMilliseconds", Part::Milliseconds),
];

impl Part {
    /// What a zone's clock shows at a moment.
    pub(crate) fn read(self, at: Timestamp, zone: &TimeZone) -> i64 {
        let there = zone.to_datetime(at);
        match self {
            Self::FullYear => i64::from(there.year()),
            Self::Month => i64::from(there.month()) - 1,
            Self::Date => i64::from(there.day()),
            Self::DayOfMonth => i64::from(there.day()) - 1,
            Self::DayOfWeek => i64::from(there.weekday().to_sunday_zero_offset()),
            Self::DayOfYear => i64::from(there.day_of_year()) - 1,
            Self::Hours => i64::from(there.hour()),
            Self::Minutes => i64::from(there.minute()),
            Self::Seconds => i64::from(there.second()),
            Self::Milliseconds => i64::from(there.millisecond()),
        }
    }
}

/// The zone of a name (`Europe/Berlin`) or of a difference to UTC (`+02:00`, `-08:00`).
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    let (sign, rest) = match name.as_bytes().first()? {
        b'-' => (-1, &name[1..]),
        b'+' => (1, &name[1..]),
        b'0'..=b'9' => (1, name),
        _ => return TimeZone::get(name).ok(),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if !(0..=18).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    Some(TimeZone::fixed(Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?))
}

/// Reads a moment, `2026-11-23T14:00:00Z`.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok()
}

/// Units of a length of time, in nanoseconds; those that begin with others before them.
const UNITS: [(&str, i128); 7] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];

/// Reads a length of time, `1h30m`, `-1.5s`.
pub(crate) fn length(text: &str) -> Option<SignedDuration> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut nanoseconds: i128 = 0;
    let mut is_empty = true;
    while !rest.is_empty() {
        let end = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.')?;
        let (number, behind) = rest.split_at(end);
        let (unit, size) = UNITS.into_iter().find(|(unit, _)| behind.starts_with(unit))?;
        nanoseconds = nanoseconds.checked_add(scaled(number, size)?)?;
        rest = &behind[unit.len()..];
        is_empty = false;
    }
    (!is_empty).then_some(())?;
    let seconds = i64::try_from(nanoseconds / 1_000_000_000).ok()?;
    let fraction = i32::try_from(nanoseconds % 1_000_000_000).ok()?;
    Some(SignedDuration::new(sign * seconds, fraction * sign as i32))
}

/// A decimal number of units, in nanoseconds; what is below one is cut off.
fn scaled(number: &str, size: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() > 15 || fraction.len() > 15 || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<i128>().ok() };
    let parts = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    Some(digits(whole)? * size + digits(fraction)? * size / parts)
}
