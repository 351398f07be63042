//! `fastest` beside one who knows at every moment which target is slow.
//!
//! Four targets of 400 to 480 ms to the first token, lognormal; one of them is six times slower, and every 30 s it is
//! another one. Twenty calls a second for ten minutes; what a call was told is known only when its events have come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use pilothouse_core::clock::UnixMs;
use pilothouse_routing::{
    CallInFlight, Candidate, Constraints, Ended, Features, Random, Route, RouteSettings, Settings, Unread,
};

use crate::chance::{lognormal, until_next};
use crate::row::{Row, quantile};

const FIRST_MS: [f64; 4] = [400.0, 420.0, 450.0, 480.0];
const SPREAD: f64 = 0.3;
const TOKENS: u64 = 150;
const TOKEN_MS: f64 = 8.0;
const SLOWER: f64 = 6.0;
const MOVES_EVERY_MS: f64 = 30_000.0;
const LASTS_MS: f64 = 600_000.0;
const PER_SECOND: f64 = 20.0;

/// How many times slower a target is at a moment.
fn factor(target: usize, at_ms: f64) -> f64 {
    let slow = (at_ms / MOVES_EVERY_MS) as usize % FIRST_MS.len();
    if target == slow { SLOWER } else { 1.0 }
}

/// First token and total, in milliseconds.
fn times(target: usize, at_ms: f64, random: &mut Random) -> (f64, f64) {
    let factor = factor(target, at_ms);
    let first = lognormal(random, FIRST_MS[target], SPREAD) * factor;
    (first, first + lognormal(random, TOKEN_MS, 0.1) * TOKENS as f64 * factor.sqrt())
}

/// A call whose events are still to come, by the time of the next one in microseconds.
struct Coming {
    call: CallInFlight,
    first_ms: f64,
    total_ms: f64,
    started_ms: f64,
    had_first: bool,
}

pub(crate) fn simulate(seed: u64) -> Row {
    let names = ["a/one", "b/two", "c/three", "d/four"];
    let route = Route::new(RouteSettings {
        name: "fastest",
        candidates: names.into_iter().map(Candidate::new).collect(),
        constraints: Constraints::default(),
        strategy: "fastest",
        settings: Settings::default(),
        turns_ahead: 1,
    });
    let mut ours = route.map(|route| run(&route, seed)).unwrap_or_else(|_| vec![f64::INFINITY]);
    let best = |at_ms: f64| usize::from(factor(0, at_ms) > 1.0);
    let mut optimum = without_health(seed, best);
    let constants = (0..4).map(|target| quantile(&mut without_health(seed, |_| target), 0.95));
    let optimum = quantile(&mut optimum, 0.95);
    Row {
        name: "`fastest`",
        figure: "95th percentile of the answer's time, ms",
        ours: quantile(&mut ours, 0.95),
        optimum,
        constant: constants.fold(f64::INFINITY, f64::min),
        constant_is: "the best single target",
        limit: optimum * 1.15,
    }
}

fn run(route: &Route, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut totals = Vec::new();
    let mut coming: Vec<Option<Coming>> = Vec::new();
    let mut events: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut now_ms = 1_000.0;
    while now_ms < LASTS_MS {
        now_ms += until_next(&mut random, PER_SECOND) * 1000.0;
        while let Some(Reverse((at_us, which))) =
            events.peek().copied().filter(|Reverse((at_us, _))| (*at_us as f64) < now_ms * 1000.0)
        {
            events.pop();
            if let Some(next_us) = happen(&mut coming[which], at_us) {
                events.push(Reverse((next_us, which)));
            }
        }
        let at = UnixMs(now_ms as u64);
        let features = Features { at, output_tokens_expected: Some(TOKENS), ..Features::default() };
        let Ok(decision) = route.choose(&features, &mut Unread, &mut random) else { continue };
        let target = usize::from(decision.order[0].index);
        let (first_ms, total_ms) = times(target, now_ms, &mut random);
        totals.push(total_ms);
        let Ok(call) = route.candidates()[target].health.begin(at) else { continue };
        events.push(Reverse((((now_ms + first_ms) * 1000.0) as u64, coming.len())));
        coming.push(Some(Coming { call, first_ms, total_ms, started_ms: now_ms, had_first: false }));
    }
    totals
}

/// Lets a call's next event happen; the time of the one after it.
fn happen(slot: &mut Option<Coming>, at_us: u64) -> Option<u64> {
    let mut one = slot.take()?;
    let now = UnixMs(at_us / 1000);
    if one.had_first {
        one.call
            .end(now, Ended::Answered { total_us: (one.total_ms * 1000.0) as u64, output_tokens: TOKENS });
        return None;
    }
    one.call.first_token(now, (one.first_ms * 1000.0) as u64);
    one.had_first = true;
    let end_us = ((one.started_ms + one.total_ms) * 1000.0) as u64;
    *slot = Some(one);
    Some(end_us)
}

/// Times where the target depends on nothing but the clock.
fn without_health(seed: u64, target: impl Fn(f64) -> usize) -> Vec<f64> {
    let mut random = Random::new(seed);
    let (mut now_ms, mut totals) = (1_000.0, Vec::new());
    while now_ms < LASTS_MS {
        now_ms += until_next(&mut random, PER_SECOND) * 1000.0;
        totals.push(times(target(now_ms), now_ms, &mut random).1);
    }
    totals
}
