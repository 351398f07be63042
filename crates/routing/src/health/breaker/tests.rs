//! Tests of the breaker.

use super::*;
use proptest::prelude::*;

fn fail(breaker: &Breaker, now: u64, times: usize) {
    for _ in 0..times {
        if let Ok(pass) = breaker.admit(UnixMs(now)) {
            breaker.report(UnixMs(now), pass, false);
        }
    }
}

fn opened_at(now: u64) -> Breaker {
    let breaker = Breaker::new(BreakerSettings::default());
    fail(&breaker, now, 5);
    breaker
}

#[test]
fn failures_in_a_row_open_it_and_time_half_opens_it() {
    let breaker = opened_at(1000);
    assert_eq!(breaker.standing(UnixMs(1000)), Standing::Open { retry_after_ms: 5000 });
    assert_eq!(breaker.admit(UnixMs(5999)), Err(1));
    assert_eq!(breaker.standing(UnixMs(6000)), Standing::HalfOpen);
    assert_eq!(breaker.admit(UnixMs(6000)), Ok(Pass::Probe));
    assert_eq!(breaker.admit(UnixMs(6000)), Err(PROBE_WAIT_MS), "one probe at a time");
}

#[test]
fn half_of_the_calls_failing_opens_it_and_a_few_do_not() {
    let breaker = Breaker::new(BreakerSettings::default());
    let report = |is_success| {
        let pass = breaker.admit(UnixMs(1))?;
        breaker.report(UnixMs(1), pass, is_success);
        Ok::<(), u64>(())
    };
    for call in 0..300 {
        assert_eq!(report(call % 4 != 0), Ok(()), "a quarter fails");
    }
    assert!((breaker.error_share() - 0.25).abs() < 0.01);
    let opened = (0..600).find(|call| report(call % 3 == 0).is_err());
    assert!(opened.is_some(), "two thirds fail");
}

#[test]
fn old_failures_fade_and_do_not_open_it() {
    let breaker = Breaker::new(BreakerSettings { failures_in_row: 1000, ..BreakerSettings::default() });
    for minute in 0..100 {
        fail(&breaker, minute * 60_000, 1);
        assert_eq!(breaker.standing(UnixMs(minute * 60_000)), Standing::Closed);
    }
}

#[test]
fn two_good_probes_close_it_and_a_bad_one_doubles_the_rest() {
    let breaker = opened_at(0);
    let probe = |now, is_success| {
        let pass = breaker.admit(UnixMs(now)).expect("half open");
        assert_eq!(pass, Pass::Probe);
        breaker.report(UnixMs(now), pass, is_success);
    };
    probe(5000, true);
    probe(5001, false);
    assert_eq!(breaker.standing(UnixMs(5001)), Standing::Open { retry_after_ms: 10_000 });
    probe(15_001, true);
    probe(15_002, true);
    assert_eq!(breaker.standing(UnixMs(15_002)), Standing::Closed);
    fail(&breaker, 20_000, 5);
    assert_eq!(
        breaker.standing(UnixMs(20_000)),
        Standing::Open { retry_after_ms: 5000 },
        "the rest is as at first"
    );
}

#[test]
fn asked_rest_is_kept_but_not_believed_without_bound() {
    let breaker = Breaker::new(BreakerSettings::default());
    breaker.rest(UnixMs(0), 30_000);
    breaker.rest(UnixMs(0), 1_000);
    assert_eq!(breaker.standing(UnixMs(0)), Standing::Open { retry_after_ms: 30_000 });
    breaker.rest(UnixMs(0), u64::MAX);
    assert_eq!(breaker.standing(UnixMs(0)), Standing::Open { retry_after_ms: 120_000 });
}

#[test]
fn probe_that_tells_nothing_is_given_back() {
    let breaker = opened_at(0);
    for _ in 0..3 {
        let pass = breaker.admit(UnixMs(9000)).expect("half open");
        breaker.give_back(pass);
    }
    assert_eq!(breaker.standing(UnixMs(9000)), Standing::HalfOpen);
}

#[test]
fn late_ends_of_calls_from_before_it_opened_change_nothing() {
    let breaker = Breaker::new(BreakerSettings::default());
    let late = breaker.admit(UnixMs(0)).expect("closed");
    fail(&breaker, 0, 5);
    breaker.report(UnixMs(1), late, true);
    assert!(matches!(breaker.standing(UnixMs(1)), Standing::Open { .. }));
}

proptest! {
    /// Whatever happens in whatever order: while it is not closed, no more probes are under way than allowed, and nothing
    /// passes while it rests.
    #[test]
    fn never_more_probes_than_allowed(
        probes_max in 1_u32..4, steps in proptest::collection::vec((0_u8..5, 0_u64..4000), 1..400),
    ) {
        let settings = BreakerSettings { probes_max, probes_needed: 3, ..BreakerSettings::default() };
        let breaker = Breaker::new(settings);
        let (mut now, mut under_way) = (1_u64, Vec::new());
        for (action, wait) in steps {
            now += wait;
            let before = breaker.standing(UnixMs(now));
            match action {
                0 | 1 => match breaker.admit(UnixMs(now)) {
                    Ok(pass) => {
                        prop_assert_eq!(pass == Pass::Probe, before == Standing::HalfOpen);
                        under_way.push(pass);
                    }
                    Err(_) => prop_assert!(matches!(before, Standing::Open { .. }), "refused while {before:?}"),
                },
                2 => if let Some(pass) = under_way.pop() { breaker.report(UnixMs(now), pass, false) },
                3 => if let Some(pass) = under_way.pop() { breaker.report(UnixMs(now), pass, true) },
                _ => if let Some(pass) = under_way.pop() { breaker.give_back(pass) },
            }
            let probes = under_way.iter().filter(|pass| **pass == Pass::Probe).count();
            prop_assert!(probes <= probes_max as usize, "{} probes", probes);
            prop_assert_eq!(probes, breaker.probing.load(Ordering::Acquire) as usize);
        }
    }
}

#[test]
fn threads_that_race_for_probes_get_no_more_than_allowed() {
    let breaker = opened_at(0);
    let won: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..1000).filter(|_| breaker.admit(UnixMs(6000)).is_ok()).count()))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!(won, 1);
}
