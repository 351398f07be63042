//! `cargo xtask demo`: from a clean clone to a running gateway in one command.

use crate::workspace;
use anyhow::{Context as _, Result, bail};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

/// The signal of Ctrl-C, and of `kill`.
const ENDED_BY_USER: [i32; 2] = [2, 15];

/// Builds the binary and runs `pilothouse demo` with the remaining arguments.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if !(workspace::has("cc") || workspace::has("gcc") || workspace::has("clang")) {
        bail!(
            "a C compiler is missing (SQLite and the TLS library are compiled from source): \
             install one (Debian: apt-get install build-essential)"
        );
    }
    println!("building Pilothouse (the first time takes some minutes) …");
    let binary = workspace::build("pilothouse", "pilothouse", "quick")?;
    let status = Command::new(&binary)
        .arg("demo")
        .args(arguments)
        .current_dir(workspace::root())
        .status()
        .with_context(|| format!("cannot run {}", binary.display()))?;
    // Ctrl-C reaches the gateway too (same terminal); it drains, and that is a good end.
    if status.success() || status.signal().is_some_and(|signal| ENDED_BY_USER.contains(&signal)) {
        return Ok(());
    }
    bail!("`pilothouse demo` ended with {status}")
}
