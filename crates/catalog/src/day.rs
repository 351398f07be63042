//! Calendar days as the catalogue writes them: `YYYY-MM-DD`, midnight UTC.

use jiff::civil::Date;
use pilothouse_core::clock::UnixMs;

/// Milliseconds of one day.
pub const DAY_MS: u64 = 86_400_000;

/// The first moment of a day, or `None` when the text is not a day after 1970.
#[must_use]
pub fn start_of(day: &str) -> Option<UnixMs> {
    let days = days_since_1970(day.parse::<Date>().ok().filter(|_| day.len() == 10)?)?;
    Some(UnixMs(days * DAY_MS))
}

/// The day that holds a moment, as `YYYY-MM-DD`.
#[must_use]
pub fn of(at: UnixMs) -> String {
    let second = i64::try_from(at.seconds()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(second)
        .map_or_else(|_| "9999-12-31".to_owned(), |when| when.strftime("%Y-%m-%d").to_string())
}

/// Whole days from `at` to the start of `day`: 0 on that day, negative after it.
#[must_use]
pub fn days_until(day: &str, at: UnixMs) -> Option<i64> {
    let to = i64::try_from(start_of(day)?.0 / DAY_MS).ok()?;
    Some(to - i64::try_from(at.0 / DAY_MS).ok()?)
}

fn days_since_1970(date: Date) -> Option<u64> {
    let epoch = Date::constant(1970, 1, 1);
    u64::try_from(date.since(epoch).ok()?.get_days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_midnight_utc() {
        assert_eq!(start_of("1970-01-02"), Some(UnixMs(DAY_MS)));
        assert_eq!(start_of("2026-11-22"), Some(UnixMs(1_795_305_600_000)));
        assert_eq!(of(UnixMs(1_795_305_600_000 + DAY_MS - 1)), "2026-11-22");
        assert_eq!(days_until("2026-11-30", UnixMs(1_795_305_600_000 + 5)), Some(8));
        assert_eq!(days_until("2026-11-21", UnixMs(1_795_305_600_000)), Some(-1));
    }

    #[test]
    fn what_is_not_a_day_is_refused() {
        for wrong in ["", "2026-11", "2026-13-01", "2026-02-30", "tomorrow", "2026-11-22T00:00", "1969-01-01"]
        {
            assert_eq!(start_of(wrong), None, "{wrong}");
        }
    }
}
