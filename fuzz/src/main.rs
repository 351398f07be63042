//! Throws mutated messages at everything that reads bytes from outside, for as long as it is told to.
//!
//! `cargo run --manifest-path fuzz/Cargo.toml -- 60` runs for 60 seconds from a seed that it prints; a second
//! argument is the seed to begin with. A panic is a finding: the seed before it makes it again.

#[path = "../../crates/wire/tests/codecs/mutate.rs"]
mod mutate;
mod targets;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mutate::{Chance, mutate};
use targets::TARGETS;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(seconds), seed) = (
        arguments.next().and_then(|text| text.parse().ok()),
        arguments.next().and_then(|text| text.parse().ok()),
    ) else {
        eprintln!("usage: pilothouse-fuzz SECONDS [SEED]");
        return ExitCode::from(2);
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/wire/fixtures");
    let corpus = match read_corpus(&folder) {
        Ok(corpus) if !corpus.is_empty() => corpus,
        Ok(_) => {
            eprintln!("{} holds no fixtures", folder.display());
            return ExitCode::from(2);
        }
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            return ExitCode::from(2);
        }
    };
    let first: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()) << 32);
    let until = Instant::now() + Duration::from_secs(seconds);
    println!("{} fixtures, {} targets, from seed {first} for {seconds} s", corpus.len(), TARGETS.len());
    let mut seed = first;
    while Instant::now() < until {
        let result = std::panic::catch_unwind(|| run(&corpus, seed));
        if result.is_err() {
            eprintln!("found by seed {seed}: run again with `-- 1 {seed}`");
            return ExitCode::FAILURE;
        }
        seed = seed.wrapping_add(1);
    }
    println!("{} inputs, nothing found", seed.wrapping_sub(first));
    ExitCode::SUCCESS
}

/// One input, given to every target: what is a fixture of one may be poison for another.
fn run(corpus: &[Vec<u8>], seed: u64) {
    let mut chance = Chance::new(seed);
    let input = &corpus[chance.below(corpus.len())];
    let lender = &corpus[chance.below(corpus.len())];
    let input = mutate(input, lender, &mut chance);
    for target in TARGETS {
        target(&input, &mut chance);
    }
}

fn read_corpus(folder: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut corpus = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    // The order of a folder is not the same everywhere, and seeds pick by place.
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            corpus.extend(read_corpus(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "json" || ending == "sse") {
            corpus.push(std::fs::read(&path)?);
        }
    }
    Ok(corpus)
}
