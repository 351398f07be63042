//! Hedging where the slow calls are the dear ones: does the spend stay in its bucket, and what is it good for.
//!
//! A call's cost grows with its length, and so does its time to the first token; besides, one call in thirty meets a target
//! that is eight times slower for no reason that anybody knows. A hedge reserves a third more than it will cost.

use pilothouse_core::money::PicoUsd;
use pilothouse_routing::Random;
use pilothouse_routing::hedge::{Hedge, HedgeBucket, SHARE_PERCENT, Silence};

use crate::chance::lognormal;
use crate::row::{Row, quantile};

const CALLS: usize = 30_000;

/// Whom to hedge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    Never,
    Bucket,
    Always,
}

struct Outcome {
    /// The hedges' cost as a share of all other calls'.
    share: f64,
    /// The 99th percentile of the time to the first token, ms.
    p99_ms: f64,
}

pub(crate) fn simulate(seed: u64) -> [Row; 2] {
    let [never, bucket, always] =
        [Policy::Never, Policy::Bucket, Policy::Always].map(|policy| run(seed, policy));
    let cap = SHARE_PERCENT as f64 / 100.0;
    [
        Row {
            name: "hedging",
            figure: "hedges' share of settled spend",
            ours: bucket.share,
            optimum: cap,
            constant: always.share,
            constant_is: "hedging every late call",
            limit: cap,
        },
        Row {
            name: "hedging",
            figure: "99th percentile to the first token, ms",
            ours: bucket.p99_ms,
            optimum: always.p99_ms,
            constant: never.p99_ms,
            constant_is: "never hedging",
            limit: never.p99_ms * 0.9,
        },
    ]
}

fn run(seed: u64, policy: Policy) -> Outcome {
    let mut random = Random::new(seed);
    let bucket = HedgeBucket::new(PicoUsd(1_000_000_000_000));
    // What a route would have measured: the percentile of the calls before.
    let mut sample: Vec<f64> = (0..2_000).map(|_| call(&mut random).1).collect();
    let p95_ms = quantile(&mut sample, 0.95);
    let (mut spend, mut hedged, mut times) = (0_i128, 0_i128, Vec::new());
    for _ in 0..CALLS {
        let (cost, first_ms, normal_ms) = call(&mut random);
        let second_ms = p95_ms + normal_ms * stall(&mut random);
        let mut time_ms = first_ms;
        let silence = Silence {
            waited_us: (first_ms.min(p95_ms) * 1000.0).ceil() as u64,
            first_token_p95_us: Some((p95_ms * 1000.0) as u64),
            is_in_tool_loop: false,
            has_other_target: true,
            reserve: Some(PicoUsd(cost * 4 / 3)),
        };
        let reserved = match policy {
            Policy::Never => None,
            Policy::Always if first_ms >= p95_ms => Some(PicoUsd(cost * 4 / 3)),
            Policy::Always => None,
            Policy::Bucket => match bucket.ask(&silence) {
                Hedge::Go { reserved } => Some(reserved),
                _ => None,
            },
        };
        if let Some(reserved) = reserved {
            time_ms = first_ms.min(second_ms);
            hedged += cost;
            bucket.settle(reserved, PicoUsd(cost));
        }
        bucket.settled(PicoUsd(cost));
        spend += cost;
        times.push(time_ms);
    }
    Outcome { share: hedged as f64 / spend as f64, p99_ms: quantile(&mut times, 0.99) }
}

/// A call: its cost in pico-dollars, its time to the first token, and what that would be without bad luck.
fn call(random: &mut Random) -> (i128, f64, f64) {
    let tokens = lognormal(random, 3_000.0, 1.0);
    let normal_ms = 300.0 + tokens * 0.12;
    ((tokens * 3_000_000.0) as i128, normal_ms * stall(random), normal_ms)
}

/// How many times longer than usual.
fn stall(random: &mut Random) -> f64 {
    let noise = lognormal(random, 1.0, 0.2);
    if random.unit() < 1.0 / 30.0 { noise * 8.0 } else { noise }
}
