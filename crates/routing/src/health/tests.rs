//! Tests of calls as they begin and end.

use super::*;

fn answered(health: &Arc<Health>, now: u64, first_us: u64, total_us: u64) {
    let mut call = health.begin(UnixMs(now)).expect("admitted");
    call.first_token(UnixMs(now), first_us);
    call.end(UnixMs(now), Ended::Answered { total_us, output_tokens: 100 });
}

#[test]
fn calls_in_flight_are_counted_until_they_are_dropped() {
    let health = Arc::new(Health::default());
    let one = health.begin(UnixMs(0)).expect("admitted");
    let two = health.begin(UnixMs(0)).expect("admitted");
    assert_eq!(health.in_flight(), 2);
    drop(one);
    two.end(UnixMs(1), Ended::Refused);
    assert_eq!((health.in_flight(), health.stalled_us(UnixMs(9))), (0, 0));
    assert_eq!(health.pace(UnixMs(1)), None);
}

#[test]
fn pace_follows_what_is_measured_and_says_how_old_it_is() {
    let health = Arc::new(Health::default());
    answered(&health, 0, 500_000, 1_500_000);
    let pace = health.pace(UnixMs(100)).expect("measured");
    assert_eq!(pace, Pace { first_token_us: 500_000, token_ns: 10_000_000, age_ms: 100 });
    for second in 1..60 {
        answered(&health, second * 1000, 100_000, 300_000);
    }
    let pace = health.pace(UnixMs(59_000)).expect("measured");
    assert!((100_000..101_000).contains(&pace.first_token_us), "{pace:?}");
    assert!((2_000_000..2_020_000).contains(&pace.token_ns), "{pace:?}");
}

#[test]
fn percentiles_are_told_only_after_enough_answers() {
    let health = Arc::new(Health::default());
    for second in 0..u64::from(SAMPLES_MIN) {
        assert_eq!(health.first_token_p95_us(), None);
        answered(&health, second, 100_000, 400_000);
    }
    let p95 = health.first_token_p95_us().expect("enough");
    assert!((100_000..=112_500).contains(&p95), "{p95}");
    let total = health.total_p95_us().expect("enough");
    assert!((400_000..=450_000).contains(&total), "{total}");
}

#[test]
fn target_that_hangs_is_stalled_until_a_first_token_comes() {
    let health = Arc::new(Health::default());
    let mut one = health.begin(UnixMs(1000)).expect("admitted");
    let _two = health.begin(UnixMs(1500)).expect("admitted");
    assert_eq!(health.stalled_us(UnixMs(3000)), 2_000_000);
    one.first_token(UnixMs(3000), 2_000_000);
    assert_eq!(health.stalled_us(UnixMs(3100)), 100_000);
}

#[test]
fn retry_after_rests_the_target_and_a_cancelled_call_says_nothing() {
    let health = Arc::new(Health::default());
    for _ in 0..20 {
        health.begin(UnixMs(0)).expect("admitted").end(UnixMs(0), Ended::Cancelled);
    }
    assert_eq!(health.standing(UnixMs(0)), Standing::Closed);
    let call = health.begin(UnixMs(0)).expect("admitted");
    call.end(UnixMs(0), Ended::Limited { retry_after_ms: Some(7_000) });
    assert_eq!(health.standing(UnixMs(0)), Standing::Open { retry_after_ms: 7_000 });
    assert_eq!(health.begin(UnixMs(1)).map(|_| ()), Err(6_999));
    let probe = health.begin(UnixMs(7_000)).expect("a probe");
    assert!(probe.is_probe());
    drop(probe);
    assert_eq!(health.standing(UnixMs(7_000)), Standing::HalfOpen, "the client of the probe went away");
}

#[test]
fn run_of_limits_without_a_time_opens_the_breaker() {
    let health = Arc::new(Health::default());
    for _ in 0..5 {
        let call = health.begin(UnixMs(0)).expect("admitted");
        call.end(UnixMs(0), Ended::Limited { retry_after_ms: None });
    }
    assert!(matches!(health.standing(UnixMs(0)), Standing::Open { .. }));
}

#[test]
fn answers_that_are_too_slow_open_the_breaker_where_that_is_set() {
    let settings = HealthSettings { slow_first_token_ms: Some(1000), ..HealthSettings::default() };
    let (strict, lenient) = (Arc::new(Health::new(settings)), Arc::new(Health::default()));
    for health in [&strict, &lenient] {
        (0..5).for_each(|_| answered(health, 0, 1_000_001, 2_000_000));
    }
    assert!(matches!(strict.standing(UnixMs(0)), Standing::Open { .. }));
    assert_eq!(lenient.standing(UnixMs(0)), Standing::Closed);
}

#[test]
fn counts_are_whole_again_when_many_threads_have_ended_their_calls() {
    let health = Arc::new(Health::default());
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let health = &health;
            scope.spawn(move || {
                for step in 0..2_000 {
                    let Ok(mut call) = health.begin(UnixMs(step)) else { continue };
                    if (step + thread) % 3 == 0 {
                        call.first_token(UnixMs(step), 1_000);
                    }
                    match (step + thread) % 5 {
                        0 => drop(call),
                        1 => call.end(UnixMs(step), Ended::Cancelled),
                        _ => call.end(UnixMs(step), Ended::Answered { total_us: 5_000, output_tokens: 20 }),
                    }
                }
            });
        }
    });
    assert_eq!((health.in_flight(), health.stalled_us(UnixMs(1 << 40))), (0, 0));
    assert!(health.total_p95_us().is_some());
}
