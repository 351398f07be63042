//! Gives one target the inputs that libFuzzer makes, which keeps those that reach new code.
//!
//! `FUZZ_TARGET` names the target; arguments are libFuzzer's (<https://llvm.org/docs/LibFuzzer.html>, read 2026-11-23).
//! With `FUZZ_PREPARE`, the inputs to begin with are written into that folder instead, and the targets named. `needle`
//! is a target that shows whether coverage is seen at all. `cargo xtask fuzz` does all three.

#![no_main]

use std::path::Path;
use std::process::exit;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use pilothouse_fuzz::{Chosen, every, needle, prepare};

/// The chosen target; `None` is the needle.
static TARGET: OnceLock<Option<Chosen>> = OnceLock::new();

/// Chooses the target, or prepares and ends: libFuzzer owns the program's beginning.
#[expect(clippy::disallowed_methods, reason = "the program's beginning is libFuzzer's, which would go on")]
fn begin() {
    if let Some(folder) = std::env::var_os("FUZZ_PREPARE") {
        if let Err(error) = prepare(Path::new(&folder)) {
            eprintln!("{error}");
            exit(2);
        }
        every().for_each(|target| println!("{}", target.name()));
        exit(0);
    }
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let target = Chosen::named(&name);
    if target.is_none() && name != "needle" {
        eprintln!("FUZZ_TARGET={name:?} is no target");
        exit(2);
    }
    let _ = TARGET.set(target);
}

fuzz_target!(
    init: begin(),
    |input: &[u8]| {
        match TARGET.get() {
            Some(Some(target)) => target.run(input),
            _ => needle(input),
        }
    }
);
