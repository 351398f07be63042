//! Hours of the week at which a price holds, as rows write them.
//!
//! Written as `days@HH:MM-HH:MM,…` joined by `;`, for example `1-5@00:00-01:00,04:00-06:00;6-7@00:00-24:00`.
//! Days count from Monday = 1. All times are UTC; a range never crosses midnight (write two).

use pilothouse_core::clock::UnixMs;

/// Minutes of one day.
const DAY_MINUTES: u16 = 24 * 60;

/// A set of ranges of minutes of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows(Vec<(u16, u16)>);

impl Windows {
    /// Reads the written form.
    ///
    /// # Errors
    /// A sentence that names the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut ranges = Vec::new();
        for part in text.split(';') {
            let (days, hours) =
                part.split_once('@').ok_or_else(|| format!("`{part}` has no `@` between days and hours"))?;
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            let day = |text: &str| {
                text.parse::<u16>()
                    .ok()
                    .filter(|day| (1..=7).contains(day))
                    .ok_or_else(|| format!("`{text}` is not a day of the week: 1 is Monday, 7 is Sunday"))
            };
            for day in day(first)?..=day(last)? {
                for range in hours.split(',') {
                    let (from, to) =
                        range.split_once('-').ok_or_else(|| format!("`{range}` is not a range of hours"))?;
                    let (from, to) = (minute(from)?, minute(to)?);
                    if from >= to {
                        return Err(format!("`{range}` ends before it starts; write two ranges"));
                    }
                    ranges.push(((day - 1) * DAY_MINUTES + from, (day - 1) * DAY_MINUTES + to));
                }
            }
        }
        Ok(Self(ranges))
    }

    /// Whether `at` is inside.
    #[must_use]
    pub fn contains(&self, at: UnixMs) -> bool {
        let minutes = at.0 / 60_000;
        // 1970-01-01 was a Thursday, day 3 counted from Monday = 0.
        let minute = (minutes + 3 * u64::from(DAY_MINUTES)) % (7 * u64::from(DAY_MINUTES));
        self.0.iter().any(|(from, to)| (u64::from(*from)..u64::from(*to)).contains(&minute))
    }
}

fn minute(text: &str) -> Result<u16, String> {
    let wrong = || format!("`{text}` is not a time of day between 00:00 and 24:00");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let (hour, minute): (u16, u16) =
        (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
    let total = hour.saturating_mul(60).saturating_add(minute);
    if minute < 60 && total <= DAY_MINUTES { Ok(total) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day;

    fn at(day: &str, hour: u64, minute: u64) -> UnixMs {
        UnixMs(day::start_of(day).expect("a day").0 + (hour * 60 + minute) * 60_000)
    }

    #[test]
    fn windows_hold_their_minutes_and_no_others() {
        let windows =
            Windows::parse("1-5@00:00-01:00,04:00-06:00,10:00-24:00;6-7@00:00-24:00").expect("valid");
        // 2026-11-23 is a Monday, 2026-11-22 a Sunday.
        for (hour, minute, inside) in [
            (0, 0, true),
            (0, 59, true),
            (1, 0, false),
            (3, 59, false),
            (4, 0, true),
            (6, 0, false),
            (23, 59, true),
        ] {
            assert_eq!(windows.contains(at("2026-11-23", hour, minute)), inside, "{hour}:{minute}");
        }
        assert!(windows.contains(at("2026-11-22", 3, 0)));
    }

    #[test]
    fn a_wrong_window_says_what_is_wrong() {
        for wrong in ["", "1", "8@00:00-01:00", "1@01:00-00:00", "1@00:00", "1@00:00-25:00", "x@00:00-01:00"]
        {
            assert!(Windows::parse(wrong).is_err(), "{wrong}");
        }
    }
}
