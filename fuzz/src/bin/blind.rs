//! Throws mutated golden cases at every target, without a look at what they reach: for machines without a C++ compiler.
//!
//! `cargo run --manifest-path fuzz/Cargo.toml --bin blind -- 60` runs for 60 seconds from a seed that it prints; a second
//! argument is the seed to begin with. A panic is a finding: the input lies in `fuzz/found`, by target.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use pilothouse_fuzz::{Chosen, Mutations, every};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(seconds), seed) = (
        arguments.next().and_then(|text| text.parse().ok()),
        arguments.next().and_then(|text| text.parse().ok()),
    ) else {
        eprintln!("usage: blind SECONDS [SEED]");
        return ExitCode::from(2);
    };
    let mutations = match Mutations::read() {
        Ok(mutations) => mutations,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let first: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()) << 32);
    let until = Instant::now() + Duration::from_secs(seconds);
    println!("{} inputs, {} targets, from seed {first} for {seconds} s", mutations.count(), every().count());
    let mut seed = first;
    while Instant::now() < until {
        let input = mutations.input(seed);
        // One input is given to every target: what is a case of one may be poison for another.
        for target in every() {
            if std::panic::catch_unwind(|| target.run(&input)).is_err() {
                report(target, seed, &input);
                return ExitCode::FAILURE;
            }
        }
        seed = seed.wrapping_add(1);
    }
    println!("{} inputs, nothing found", seed.wrapping_sub(first));
    ExitCode::SUCCESS
}

fn report(target: Chosen, seed: u64, input: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("found").join(target.name());
    let file = folder.join(format!("seed-{seed}"));
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, input));
    let place = written.map_or_else(|error| error.to_string(), |()| file.display().to_string());
    eprintln!("{} failed, found by seed {seed}: {place}", target.name());
    eprintln!("{}", input.escape_ascii());
}
