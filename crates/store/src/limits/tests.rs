//! The laws of counters, for every backend on the list.

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use proptest::prelude::*;

use super::{Counters, Counts, Limit, Limits, MemoryCounters, Rate, Subject, Take, admit};

const START: u64 = 1_795_348_800_000;

/// Every backend, fresh.
fn backends() -> Vec<(&'static str, Arc<dyn Counters>)> {
    vec![("memory", Arc::new(MemoryCounters::default()))]
}

fn requests(subject: &str, rate: Rate) -> Take<'_> {
    Take { subject, limit: Limit::Requests(rate), units: 1 }
}

proptest! {
    #[test]
    fn what_passes_is_never_more_than_burst_and_rate_allow(
        per_minute in 1u64..2000, burst in 1u64..50,
        calls in proptest::collection::vec((0u64..3000, 1u64..8, any::<bool>()), 1..200),
    ) {
        for (name, counters) in backends() {
            let rate = Rate { per_minute, burst };
            let (mut now, mut latest, mut passed) = (START, 0, Vec::<(u64, u64)>::new());
            for &(wait, units, is_back) in &calls {
                // A clock that goes back makes nothing free: what passes then counts at the latest time seen.
                now += wait;
                let shown = if is_back { now - now.min(wait + 500) } else { now };
                latest = latest.max(shown);
                let take = Take { subject: "key a", limit: Limit::Tokens(rate), units };
                if counters.take(&[take], UnixMs(shown)).is_ok() {
                    passed.push((latest, units));
                }
            }
            for (at, (first, _)) in passed.iter().enumerate() {
                let mut sum = 0u128;
                for (last, units) in &passed[at..] {
                    sum += u128::from(*units);
                    // Within any stretch: sum <= burst + rate × t, in units × 60,000.
                    let allowed = u128::from(burst) * 60_000 + u128::from(last - first) * u128::from(per_minute);
                    prop_assert!(sum * 60_000 <= allowed, "{name}: {sum} in {} ms", last - first);
                }
            }
        }
    }

    #[test]
    fn call_passes_after_the_wait_that_was_told_and_not_a_millisecond_before(
        per_minute in 1u64..100_000, burst in 1u64..1000, first in 1u64..1000, second in 1u64..1000,
    ) {
        for (name, counters) in backends() {
            let rate = Rate { per_minute, burst };
            let take = |units| Take { subject: "team b", limit: Limit::Tokens(rate), units };
            let _ = counters.take(&[take(first)], UnixMs(START));
            let Err(limited) = counters.take(&[take(second)], UnixMs(START)) else { continue };
            prop_assert_eq!(limited.retry_after_ms.is_none(), second > burst);
            let Some(wait) = limited.retry_after_ms else { continue };
            prop_assert!(counters.take(&[take(second)], UnixMs(START + wait - 1)).is_err(), "{name}");
            prop_assert!(counters.take(&[take(second)], UnixMs(START + wait)).is_ok(), "{name}");
        }
    }
}

#[test]
fn take_over_several_counters_takes_from_all_or_none() {
    for (name, counters) in backends() {
        let wide = requests("team", Rate::per_minute(100));
        let narrow = requests("key", Rate::per_minute(1));
        assert_eq!(counters.take(&[wide, narrow, wide], UnixMs(START)), Ok(()), "{name}");
        let limited = counters.take(&[wide, narrow], UnixMs(START)).unwrap_err();
        assert_eq!((&*limited.subject, limited.retry_after_ms), ("key", Some(60_000)), "{name}");
        assert_eq!(counters.level("team", Counts::Requests, UnixMs(START)), 1, "{name}");
        assert_eq!(limited.to_string(), "key is limited to 1 requests per minute; try again in 60 s");
    }
}

#[test]
fn correction_gives_back_at_once_and_a_debt_is_waited_for() {
    for (name, counters) in backends() {
        let rate = Rate::per_minute(6000);
        let take = |units| Take { subject: "key", limit: Limit::Tokens(rate), units };
        counters.take(&[take(6000)], UnixMs(START)).unwrap();
        assert!(counters.take(&[take(1)], UnixMs(START)).is_err(), "{name}");
        counters.correct("key", &[(Counts::Tokens, -5900)], UnixMs(START));
        assert_eq!(counters.level("key", Counts::Tokens, UnixMs(START)), 100, "{name}");
        counters.correct("key", &[(Counts::Tokens, 11_900)], UnixMs(START));
        let limited = counters.take(&[take(1)], UnixMs(START)).unwrap_err();
        assert_eq!(limited.retry_after_ms, Some(60_010), "{name}: twice the burst is owed");
        let large = counters.take(&[take(6001)], UnixMs(START + 600_000)).unwrap_err();
        assert!(large.is_too_large() && large.to_string().contains("this call alone takes 6001"), "{large}");
        counters.correct("key", &[(Counts::Tokens, i64::MIN)], UnixMs(START));
        assert_eq!(counters.level("key", Counts::Tokens, UnixMs(START)), 0, "{name}: never below nothing");
    }
}

#[test]
fn changed_rate_holds_from_the_next_take_and_keeps_what_is_counted() {
    for (name, counters) in backends() {
        let take = |rate| requests("key", rate);
        for _ in 0..60 {
            counters.take(&[take(Rate::per_minute(60))], UnixMs(START)).unwrap();
        }
        assert!(counters.take(&[take(Rate::per_minute(60))], UnixMs(START)).is_err(), "{name}");
        counters.take(&[take(Rate::per_minute(120))], UnixMs(START)).unwrap();
        assert_eq!(counters.level("key", Counts::Requests, UnixMs(START + 10_000)), 41, "{name}");
    }
}

fn chain(of: &[(&str, Limits)]) -> Arc<[Subject]> {
    of.iter().map(|(name, limits)| Subject { name: (*name).into(), limits: *limits }).collect()
}

#[test]
fn calls_at_once_are_as_many_as_allowed_until_one_ends() {
    for (name, counters) in backends() {
        let two = Limits { concurrency: Some(2), ..Limits::default() };
        let of = |key: &str| chain(&[(key, Limits::default()), ("team", two)]);
        let enter = |key: &str| admit(&counters, &of(key), 0, UnixMs(START));
        let (one, _two) = (enter("key a").unwrap(), enter("key b").unwrap());
        let limited = enter("key a").unwrap_err();
        assert_eq!((&*limited.subject, limited.retry_after_ms), ("team", None), "{name}");
        drop(one);
        assert!(enter("key a").is_ok(), "{name}");
        assert_eq!(counters.level("team", Counts::Concurrency, UnixMs(START)), 1, "{name}");
    }
}

#[test]
fn teams_limit_holds_for_all_of_its_keys_together() {
    for (name, counters) in backends() {
        let tokens = |units| Limits { tokens: Some(Rate::per_minute(units)), ..Limits::default() };
        let of = |key: &str| {
            chain(&[(key, tokens(800)), ("team search", tokens(1000)), ("team all", tokens(9000))])
        };
        let one = admit(&counters, &of("key a"), 700, UnixMs(START)).unwrap();
        let limited = admit(&counters, &of("key b"), 700, UnixMs(START)).unwrap_err();
        assert_eq!(&*limited.subject, "team search", "{name}");
        assert_eq!(counters.level("team all", Counts::Tokens, UnixMs(START)), 700, "{name}");
        one.end(100, UnixMs(START));
        assert_eq!(counters.level("key a", Counts::Tokens, UnixMs(START)), 100, "{name}");
        assert!(admit(&counters, &of("key b"), 700, UnixMs(START)).is_ok(), "{name}");
    }
}

#[test]
fn a_call_that_ends_gives_back_its_place_and_what_it_did_not_use() {
    for (name, counters) in backends() {
        let wide = Rate::per_minute(1000);
        let limits = Limits { requests: Some(wide), tokens: Some(wide), concurrency: Some(5) };
        let of = chain(&[("key", limits), ("team", Limits { concurrency: Some(5), ..Limits::default() })]);
        let level = |subject, counts| counters.level(subject, counts, UnixMs(START));
        let enter = || admit(&counters, &of, 700, UnixMs(START)).unwrap();
        enter().end(100, UnixMs(START));
        let (requests, tokens) = (level("key", Counts::Requests), level("key", Counts::Tokens));
        assert_eq!((requests, tokens, level("key", Counts::Concurrency)), (1, 100, 0), "{name}");
        let under_way = enter();
        assert_eq!((level("key", Counts::Tokens), level("team", Counts::Concurrency)), (800, 1), "{name}");
        drop(under_way);
        assert_eq!((level("key", Counts::Tokens), level("team", Counts::Concurrency)), (800, 0), "{name}");
    }
}

#[test]
fn threads_that_race_take_exactly_the_burst() {
    for (name, counters) in backends() {
        let (narrow, wide) = (Rate::per_minute(500), Rate::per_minute(1_000_000));
        let passed: usize = std::thread::scope(|scope| {
            // Half of them name the counters in the other order.
            let racers = [true, false, true, false].map(|is_forward| {
                let counters = &counters;
                scope.spawn(move || {
                    let mut takes = [requests("narrow", narrow), requests("wide", wide)];
                    if !is_forward {
                        takes.reverse();
                    }
                    (0..400).filter(|_| counters.take(&takes, UnixMs(START)).is_ok()).count()
                })
            });
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(passed, 500, "{name}");
        assert_eq!(counters.level("wide", Counts::Requests, UnixMs(START)), 500, "{name}");
    }
}

#[test]
fn drained_counters_are_forgotten_when_there_are_too_many() {
    let counters = MemoryCounters::default();
    for user in 0..400_000u64 {
        let name = format!("end user {user}");
        counters.take(&[requests(&name, Rate::per_minute(6000))], UnixMs(START + user)).unwrap();
    }
    let kept: usize = counters.kept();
    assert!(kept <= 16 * 16_384, "{kept}");
}
