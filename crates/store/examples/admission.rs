//! What admission costs a request: limits of a key and its teams, then a reservation in three budgets and its settlement.
//!
//! `cargo run --profile quick -p pilothouse-store --example admission`; nanoseconds per call, medians of seven rounds.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pilothouse_core::clock::{Clock as _, SystemClock};
use pilothouse_core::money::PicoUsd;
use pilothouse_store::budget::{Account, BudgetOptions, Budgets, Calendar, Every, Rule, ScopeKind};
use pilothouse_store::limits::{Counters, Limits, MemoryCounters, Rate, Subject, admit};

const CALLS: u32 = 200_000;
const ROUNDS: usize = 7;

/// The median of some rounds, in nanoseconds per call of one thread.
fn measure(threads: usize, call: impl Fn() + Sync) -> f64 {
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| (0..CALLS).for_each(|_| call()));
                }
            });
            began.elapsed()
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2].as_secs_f64() * 1e9 / f64::from(CALLS)
}

fn accounts(budgets: &Budgets, count: usize) -> Result<Vec<Account>, Box<dyn std::error::Error>> {
    let rule = Arc::new(Rule::new(PicoUsd::parse_usd("1000000")?, Calendar::utc(Every::Month))?);
    let kinds = [ScopeKind::Key, ScopeKind::Team, ScopeKind::Route, ScopeKind::EndUser, ScopeKind::Run];
    let accounts: Result<Vec<_>, _> =
        kinds.iter().take(count).map(|kind| budgets.account(*kind, "scope", &rule)).collect();
    let accounts = accounts?;
    if !budgets.warm(&accounts, Duration::from_secs(10)) {
        return Err("the first leases did not come".into());
    }
    Ok(accounts)
}

#[expect(clippy::print_stdout, reason = "an example prints what it measured")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let budgets = Budgets::open(dir.path(), BudgetOptions::default())?;
    println!("{:<58} {:>8}", "ns per call", "median");
    for scopes in [1, 3, 5] {
        let accounts = accounts(&budgets, scopes)?;
        for threads in [1, 2] {
            let now = SystemClock.now();
            let cost = measure(threads, || {
                if let Ok(held) = budgets.reserve(&accounts, PicoUsd(50_000), now) {
                    black_box(held.settle(PicoUsd(30_000)));
                }
            });
            println!("{:<58} {cost:>8.0}", format!("reserve and settle, {scopes} scopes, {threads} threads"));
        }
    }
    let counters: Arc<dyn Counters> = Arc::new(MemoryCounters::default());
    let wide = Rate::per_minute(1_000_000_000_000);
    let limits = Limits { requests: Some(wide), tokens: Some(wide), concurrency: Some(1000) };
    let chain: Arc<[Subject]> =
        ["key a", "team b", "team c"].map(|name| Subject { name: name.into(), limits }).into();
    for threads in [1, 2] {
        let now = SystemClock.now();
        let cost = measure(threads, || {
            if let Ok(admission) = admit(&counters, &chain, 900, now) {
                black_box(admission).end(700, now);
            }
        });
        println!(
            "{:<58} {cost:>8.0}",
            format!("admit and settle, 9 limits of 3 subjects, {threads} threads")
        );
    }
    budgets.close()?;
    Ok(())
}
