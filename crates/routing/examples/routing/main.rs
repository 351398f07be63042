//! Strategies beside their optimum, and what a choice costs. `cargo xtask bench --only routing` builds and runs it.
//!
//! Every simulation has a fixed seed and no clock, so its figures are the same on every machine; `tests/simulations.rs`
//! holds them to their limits for several seeds. Only the last table measures time.

mod cascade;
mod chance;
mod cheapest;
mod choice;
mod fastest;
mod hedging;
mod least_loaded;
mod row;
mod sticky;

/// Any would do; the tests take others.
const SEED: u64 = 20_261_123;

#[expect(clippy::print_stdout, reason = "the tables are what it is for")]
fn main() {
    let mut rows = vec![cheapest::simulate(SEED), fastest::simulate(SEED)];
    rows.extend(least_loaded::simulate(SEED));
    rows.push(sticky::simulate(SEED));
    rows.extend(hedging::simulate(SEED));
    rows.extend(cascade::simulate(SEED));
    println!("{}", row::table(&rows));
    println!("{}\n", cascade::arithmetic(SEED));
    println!("{}", choice::table());
}
