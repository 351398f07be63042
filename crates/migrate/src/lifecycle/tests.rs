//! States, draws, windows and marks.

use jiff::civil::time;
use jiff::tz::TimeZone;
use pilothouse_catalog::day;
use proptest::prelude::*;

use super::*;

fn at(day: &str) -> UnixMs {
    day::start_of(day).unwrap()
}

fn brownout(share: f64, window: Option<Window>) -> Brownout {
    Brownout { share: Share::new(share).unwrap(), window, answer: BrownoutAnswer::Refuse }
}

fn life() -> Lifecycle {
    Lifecycle {
        is_announced: true,
        deprecated_at: Some(at("2026-06-11")),
        retires_at: Some(at("2026-12-11")),
        removed_at: Some(at("2027-01-10")),
        brownouts: vec![brownout(
            0.5,
            Some(Window::Once { from: Some(at("2026-12-01")), to: Some(at("2026-12-02")) }),
        )],
    }
}

#[test]
fn a_target_goes_through_its_states_in_order() {
    let expected = [
        ("2026-11-30", State::Deprecated),
        ("2026-12-01", State::Brownout),
        ("2026-12-02", State::Deprecated),
        ("2026-12-10", State::Deprecated),
        ("2026-12-11", State::Retired),
        ("2027-01-09", State::Retired),
        ("2027-01-10", State::Removed),
    ];
    for (day, state) in expected {
        assert_eq!(life().state(at(day)), state, "{day}");
    }
    assert_eq!(Lifecycle::default().state(at("2026-12-11")), State::Active);
    let never = Lifecycle { is_announced: true, ..Lifecycle::default() };
    assert_eq!(never.state(at("2099-01-01")), State::Deprecated, "notice without a date retires nothing");
}

#[test]
fn a_brownout_ends_with_the_life_of_its_target() {
    let life = Lifecycle { brownouts: vec![brownout(1.0, None)], ..life() };
    let draw = Draw::of([b"a".as_slice()]);
    assert!(life.brownout(at("2026-12-10"), draw).is_some());
    assert!(life.brownout(at("2026-12-11"), draw).is_none());
}

#[test]
fn the_next_date_is_told_with_what_follows() {
    assert_eq!(life().next_date(at("2026-12-10")), Some((at("2026-12-11"), State::Retired)));
    assert_eq!(life().next_date(at("2026-12-11")), Some((at("2027-01-10"), State::Removed)));
    assert_eq!(life().next_date(at("2027-01-10")), None);
    assert_eq!(life().days_left(UnixMs(at("2026-12-10").0 + DAY_MS - 1)), Some(1));
}

#[test]
fn daily_windows_follow_the_clocks_of_their_zone_over_midnight_and_summer_time() {
    let berlin = || TimeZone::get("Europe/Berlin").unwrap();
    let day = Window::Daily { from: time(9, 0, 0, 0), to: time(10, 0, 0, 0), zone: berlin() };
    let hour = |day: &str, hour: u64| UnixMs(at(day).0 + hour * 3_600_000);
    assert!(day.holds(hour("2026-11-23", 8)) && !day.holds(hour("2026-11-23", 7)));
    assert!(day.holds(hour("2026-07-01", 7)) && !day.holds(hour("2026-07-01", 8)));
    let night = Window::Daily { from: time(23, 0, 0, 0), to: time(1, 0, 0, 0), zone: berlin() };
    assert!(night.holds(hour("2026-11-23", 22)) && night.holds(hour("2026-11-23", 23)));
    assert!(!night.holds(hour("2026-11-24", 0)) && !night.holds(hour("2026-11-23", 12)));
}

#[test]
fn headers_say_moments_as_their_standards_write_them() {
    assert_eq!(deprecation(at("2026-06-11")), "@1781136000");
    assert_eq!(http_date(at("2026-12-11")), "Fri, 11 Dec 2026 00:00:00 GMT");
    assert_eq!(http_date(UnixMs(784_111_777_000)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

#[test]
fn each_day_belongs_to_the_smallest_mark_that_was_reached() {
    let marks = [90, 60, 30, 7, 1];
    let due = [(91, None), (90, Some(90)), (61, Some(90)), (18, Some(30)), (7, Some(7)), (1, Some(1))];
    for (left, mark) in due {
        assert_eq!(mark_due(left, &marks), mark, "{left} days");
    }
    assert_eq!((mark_due(0, &marks), mark_due(-1, &marks), mark_due(0, &[])), (Some(1), None, None));
}

proptest! {
    /// One conversation draws one number, whatever else is asked in between, and a larger share keeps whom a smaller one took.
    #[test]
    fn a_draw_never_flips_and_shares_are_nested(id in "[ -~]{0,40}", small in 0.001f64..1.0, more in 0.0f64..1.0) {
        let draw = || Draw::of([b"openai/gpt-5-mini".as_slice(), id.as_bytes()]);
        prop_assert_eq!(draw(), draw());
        let (small, large) = (Share::new(small).unwrap(), Share::new((small + more).min(1.0)).unwrap());
        prop_assert!(!small.takes(draw()) || large.takes(draw()));
        prop_assert!(Share::ALL.takes(draw()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Over many conversations the share holds, whichever salt and share it is: six standard deviations.
    #[test]
    fn shares_hold_within_bounds(salt in any::<u32>(), share in 0.01f64..0.99) {
        const COUNT: u32 = 4_000;
        let wanted = Share::new(share).unwrap();
        let taken = (0..COUNT)
            .filter(|nth| wanted.takes(Draw::of([&salt.to_le_bytes()[..], &nth.to_le_bytes()[..]])))
            .count();
        let (mean, deviation) =
            (f64::from(COUNT) * share, (f64::from(COUNT) * share * (1.0 - share)).sqrt());
        prop_assert!((taken as f64 - mean).abs() < 6.0 * deviation, "{} of {}", taken, mean);
    }
}

#[test]
fn shares_outside_of_their_range_are_none() {
    for wrong in [0.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(Share::new(wrong), None, "{wrong}");
    }
    assert_eq!(Share::new(0.05).unwrap().percent(), 5.0);
}
