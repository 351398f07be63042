//! Calendar periods: which one a moment belongs to, and when the next begins.
//!
//! The periods of one calendar are a partition of time: none overlaps another and none is missing, whatever
//! a zone does to its clocks (saving time, a skipped day).

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use pilothouse_core::clock::UnixMs;

/// How often a budget starts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Every {
    /// At the anchor's minute of each hour of UTC.
    Hour,
    /// At the anchor's time of each day, by the zone's clock.
    Day,
    /// On the anchor's day of each month (its last day where it is shorter), by the zone's clock.
    Month,
    /// Never: the budget is for good.
    Total,
}

impl Every {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Month, Self::Total];

    /// The word that configuration and reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// The period of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|every| every.as_str() == word)
    }
}

/// Where in the calendar a period begins. What a period does not need is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Day of the month, 1 to 31.
    pub day: i8,
    /// Hour of the day, 0 to 23.
    pub hour: i8,
    /// Minute of the hour, 0 to 59.
    pub minute: i8,
}

impl Default for Anchor {
    fn default() -> Self {
        Self { day: 1, hour: 0, minute: 0 }
    }
}

/// A stretch of time: `start <= t < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// Its first moment.
    pub start: UnixMs,
    /// The first moment after it; [`Period::NEVER`] for one that does not end.
    pub end: UnixMs,
}

impl Period {
    /// The end of a period that does not end. Fits SQLite's integers.
    pub const NEVER: UnixMs = UnixMs(i64::MAX as u64);
    /// All of time.
    pub const TOTAL: Self = Self { start: UnixMs(0), end: Self::NEVER };

    /// Whether a moment lies in it.
    #[must_use]
    pub const fn contains(&self, at: UnixMs) -> bool {
        self.start.0 <= at.0 && at.0 < self.end.0
    }

    /// When the budget starts anew; `None` for never.
    #[must_use]
    pub fn resets_at(&self) -> Option<UnixMs> {
        (self.end != Self::NEVER).then_some(self.end)
    }
}

/// A rule that cuts time into periods.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    every: Every,
    zone: TimeZone,
    anchor: Anchor,
}

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

impl Calendar {
    /// Periods in UTC that begin with the hour, the day, or the first of the month.
    #[must_use]
    pub fn utc(every: Every) -> Self {
        Self { every, zone: TimeZone::UTC, anchor: Anchor::default() }
    }

    /// Periods by the clock of a zone of the IANA database, such as `Europe/Berlin`. The database is the machine's,
    /// else the one that is built in.
    ///
    /// # Errors
    /// A sentence that names what is wrong: a zone that nobody knows, an anchor outside the calendar.
    pub fn new(every: Every, zone: &str, anchor: Anchor) -> Result<Self, String> {
        let zone = TimeZone::get(zone).map_err(|_| {
            format!(
                "`{zone}` is no time zone; write one of the IANA database, such as `Europe/Berlin` or `UTC`"
            )
        })?;
        if !(1..=31).contains(&anchor.day) {
            return Err(format!("{} is no day of a month; write 1 to 31", anchor.day));
        }
        if !(0..24).contains(&anchor.hour) || !(0..60).contains(&anchor.minute) {
            return Err(format!(
                "{:02}:{:02} is no time of day; write 00:00 to 23:59",
                anchor.hour, anchor.minute
            ));
        }
        Ok(Self { every, zone, anchor })
    }

    /// How often a period begins.
    #[must_use]
    pub const fn every(&self) -> Every {
        self.every
    }

    /// The zone whose calendar counts, such as `Europe/Berlin`.
    #[must_use]
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Where in the calendar its periods begin.
    #[must_use]
    pub const fn anchor(&self) -> Anchor {
        self.anchor
    }

    /// The period of a moment.
    #[must_use]
    pub fn period_of(&self, at: UnixMs) -> Period {
        match self.every {
            Every::Hour => self.hour_of(at),
            // Where the calendar ends (the year 9999), so do periods.
            Every::Day => self.period_among(at, Self::days).unwrap_or(Period::TOTAL),
            Every::Month => self.period_among(at, Self::months).unwrap_or(Period::TOTAL),
            Every::Total => Period::TOTAL,
        }
    }

    /// Hours are of equal length, so they are cut from UTC: by a zone's clock one hour of the year would be met twice.
    fn hour_of(&self, at: UnixMs) -> Period {
        let shift = u64::from(self.anchor.minute.unsigned_abs()) * MINUTE_MS;
        let start = match at.0.checked_sub(shift) {
            Some(since) => since / HOUR_MS * HOUR_MS + shift,
            None => 0,
        };
        let end = if start < shift { shift } else { start.saturating_add(HOUR_MS) };
        Period { start: UnixMs(start), end: UnixMs(end.min(Period::NEVER.0)) }
    }

    /// The last boundary that is not after `at`, and the first that is.
    fn period_among(&self, at: UnixMs, dates: fn(&Self, Date) -> Vec<Date>) -> Option<Period> {
        let today =
            Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?.to_zoned(self.zone.clone()).date();
        let bounds: Vec<u64> =
            dates(self, today).into_iter().filter_map(|date| self.boundary(date)).collect();
        let start = bounds.iter().copied().filter(|bound| *bound <= at.0).max()?;
        let end = bounds.iter().copied().filter(|bound| *bound > at.0).min()?;
        Some(Period { start: UnixMs(start), end: UnixMs(end) })
    }

    /// When the anchor's time comes on a date. Where the zone's clock skips it, the moment after the gap; where it
    /// comes twice, the first.
    fn boundary(&self, date: Date) -> Option<u64> {
        let time = Time::new(self.anchor.hour, self.anchor.minute, 0, 0).ok()?;
        let zoned = date.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
        // Before 1970 there is no money of ours: the first period begins at zero.
        Some(u64::try_from(zoned.timestamp().as_millisecond()).unwrap_or(0))
    }

    /// Dates around today. Two on each side, because a zone may skip one.
    fn days(&self, today: Date) -> Vec<Date> {
        (-2..=2).filter_map(|days| today.checked_add(i32::days(days)).ok()).collect()
    }

    /// The anchor's day in the months around today.
    fn months(&self, today: Date) -> Vec<Date> {
        let months =
            (-2..=2).filter_map(|months| today.first_of_month().checked_add(i32::months(months)).ok());
        let day_in = |month: Date| month.with().day(self.anchor.day.min(month.days_in_month())).build().ok();
        months.filter_map(day_in).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> UnixMs {
        UnixMs(text.parse::<Timestamp>().unwrap().as_millisecond().cast_unsigned())
    }

    fn period(calendar: &Calendar, moment: &str) -> (String, String) {
        let period = calendar.period_of(at(moment));
        let text = |ms: UnixMs| Timestamp::from_millisecond(ms.0.cast_signed()).unwrap().to_string();
        (text(period.start), text(period.end))
    }

    fn of(start: &str, end: &str) -> (String, String) {
        (start.to_owned(), end.to_owned())
    }

    #[test]
    fn periods_begin_where_the_anchor_says() {
        let moment = "2026-11-23T08:12:00Z";
        let utc = |every| period(&Calendar::utc(every), moment);
        assert_eq!(utc(Every::Hour), of("2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z"));
        assert_eq!(utc(Every::Day), of("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"));
        assert_eq!(utc(Every::Month), of("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"));
        assert_eq!(Calendar::utc(Every::Total).period_of(at(moment)), Period::TOTAL);

        let anchor = Anchor { day: 25, hour: 6, minute: 30 };
        let berlin = |every| period(&Calendar::new(every, "Europe/Berlin", anchor).unwrap(), moment);
        assert_eq!(berlin(Every::Hour), of("2026-11-23T07:30:00Z", "2026-11-23T08:30:00Z"));
        assert_eq!(berlin(Every::Day), of("2026-11-23T05:30:00Z", "2026-11-24T05:30:00Z"));
        assert_eq!(berlin(Every::Month), of("2026-10-25T05:30:00Z", "2026-11-25T05:30:00Z"));
    }

    #[test]
    fn days_at_a_change_of_saving_time_have_23_and_25_hours() {
        let berlin = Calendar::new(Every::Day, "Europe/Berlin", Anchor::default()).unwrap();
        let spring = of("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
        assert_eq!(period(&berlin, "2026-03-29T10:00:00Z"), spring);
        let autumn = of("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        assert_eq!(period(&berlin, "2026-10-25T10:00:00Z"), autumn);
        // 02:30 does not exist on the day in spring, and comes twice on the one in autumn.
        let night = Anchor { hour: 2, minute: 30, ..Anchor::default() };
        let berlin = Calendar::new(Every::Day, "Europe/Berlin", night).unwrap();
        assert_eq!(period(&berlin, "2026-03-29T10:00:00Z").0, "2026-03-29T01:30:00Z");
        assert_eq!(period(&berlin, "2026-10-25T10:00:00Z").0, "2026-10-25T00:30:00Z");
    }

    #[test]
    fn months_shorter_than_the_anchor_begin_on_their_last_day() {
        let calendar = Calendar::new(Every::Month, "UTC", Anchor { day: 31, ..Anchor::default() }).unwrap();
        let bounds = [
            ("2028-02-10T00:00:00Z", "2028-01-31T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("2027-02-28T00:00:00Z", "2027-02-28T00:00:00Z", "2027-03-31T00:00:00Z"),
            ("2026-04-30T00:00:00Z", "2026-04-30T00:00:00Z", "2026-05-31T00:00:00Z"),
        ];
        for (moment, start, end) in bounds {
            assert_eq!(period(&calendar, moment), of(start, end));
        }
    }

    #[test]
    fn what_is_not_in_the_calendar_is_refused_by_name() {
        let refused = |zone, anchor| Calendar::new(Every::Month, zone, anchor).unwrap_err();
        assert!(refused("Europe/Atlantis", Anchor::default()).contains("`Europe/Atlantis` is no time zone"));
        assert!(refused("UTC", Anchor { day: 32, ..Anchor::default() }).contains("32 is no day"));
        assert!(refused("UTC", Anchor { hour: 24, ..Anchor::default() }).contains("24:00 is no time"));
    }

    proptest! {
        #[test]
        fn periods_are_a_partition_of_time(
            moment in 0u64..7_258_118_400_000,
            every in 0usize..4,
            zone in 0usize..6,
            day in 1i8..=31, hour in 0i8..24, minute in 0i8..60,
        ) {
            // Samoa skipped a day, Lord Howe moves its clock by half an hour, Casablanca around each Ramadan.
            let zones =
                ["UTC", "Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"];
            let calendar = Calendar::new(Every::ALL[every], zones[zone], Anchor { day, hour, minute }).unwrap();
            let period = calendar.period_of(UnixMs(moment));
            prop_assert!(period.contains(UnixMs(moment)), "{period:?}");
            prop_assert_eq!(calendar.period_of(period.start), period);
            if let Some(next) = period.resets_at() {
                prop_assert_eq!(calendar.period_of(UnixMs(next.0 - 1)), period);
                prop_assert_eq!(calendar.period_of(next).start, next);
            }
        }
    }
}
