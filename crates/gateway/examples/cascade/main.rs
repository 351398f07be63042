//! Cascades on questions of known difficulty, through the gateway itself: cost and right answers beside always asking the
//! cheap target and always asking the strong one. `cargo xtask cascade` builds and runs it.
//!
//! The questions, the simulated models and their prices have no chance but their seed, so the figures are the same on every
//! machine; `tests/proofs/quality.rs` runs a small part of them.

mod measure;

/// Any would do; the tests take others.
const SEED: u64 = 20_261_123;
/// So many questions where the command line says nothing.
const QUESTIONS: usize = 1_000;

#[expect(clippy::print_stdout, reason = "the table is what it is for")]
fn main() -> Result<(), String> {
    let count = match std::env::args().nth(1) {
        None => QUESTIONS,
        Some(text) => text.parse().map_err(|_| format!("`{text}` is no number of questions"))?,
    };
    let report = measure::run(SEED, count)?;
    println!("{}\n\n{}", report.table(), report.arithmetic());
    Ok(())
}
