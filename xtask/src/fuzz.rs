//! `cargo xtask fuzz`: mutated messages for everything that reads bytes from outside.
//!
//! The crate in `fuzz/` stands apart from the workspace, so that building the product never builds it.

use crate::{args::Args, workspace};
use anyhow::Result;
use std::process::Command;

const MANIFEST: &str = "fuzz/Cargo.toml";

/// Runs every target for a while, from a seed or from chance.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut args = Args::new(arguments);
    let seconds = args.value("--seconds", 60)?;
    let seed = args.text("--seed")?;
    args.finish()?;
    for_seconds(seconds, seed.as_deref()).map(|_| ())
}

/// Runs for so many seconds; returns what the runner says at its end. A finding is an error, with its seed.
pub(crate) fn for_seconds(seconds: u64, seed: Option<&str>) -> Result<String> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "--manifest-path", MANIFEST, "--"]);
    let text = workspace::watch(command.arg(seconds.to_string()).args(seed))?;
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(2)..].join("\n"))
}

/// Lints of the fuzzed crate, which the workspace's run does not reach.
pub(crate) fn clippy() -> Result<()> {
    let mut command = cargo();
    command.args(["clippy", "--quiet", "--locked", "--manifest-path", MANIFEST, "--", "--deny", "warnings"]);
    workspace::run(&mut command)
}

fn cargo() -> Command {
    let mut command = workspace::cargo();
    command.env("CARGO_TARGET_DIR", workspace::target().join("fuzz"));
    command
}
