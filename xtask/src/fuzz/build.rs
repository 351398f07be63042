//! Builds the fuzzed programs, with coverage where there is a C++ compiler for libFuzzer.

use crate::workspace;
use anyhow::{Context as _, Result, bail};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const MANIFEST: &str = "fuzz/Cargo.toml";

/// What makes LLVM count the edges that are passed, as cargo-fuzz 0.13 has it without a sanitizer
/// (<https://github.com/rust-fuzz/cargo-fuzz>, `src/project.rs`; read 2026-11-23). Stable compilers take it.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Why libFuzzer cannot be built here. A compiler is installed first where that is possible and none is chosen.
pub(super) fn missing() -> Option<String> {
    let found = match std::env::var("CXX") {
        Ok(compiler) => compiles(&compiler).context("CXX names the compiler"),
        Err(_) => {
            compiles("c++").or_else(|_| workspace::install_package("g++").and_then(|()| compiles("c++")))
        }
    };
    let error = found.err()?;
    Some(format!("guidance by coverage needs a C++ compiler with its library, for libFuzzer: {error:#}"))
}

/// Whether the compiler that builds libFuzzer knows its own library.
fn compiles(compiler: &str) -> Result<()> {
    let mut command = Command::new(compiler);
    command.args(["-x", "c++", "-std=c++17", "-fsyntax-only", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("cannot run {compiler}"))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(b"#include <atomic>\n#include <vector>\n")?;
    }
    match child.wait()?.success() {
        true => Ok(()),
        false => bail!("{compiler} cannot compile a file that includes <atomic>"),
    }
}

/// Builds the program that libFuzzer guides and returns its path.
pub(super) fn guided() -> Result<PathBuf> {
    let host = host()?;
    workspace::run(&mut instrumented("build", &host))?;
    Ok(workspace::target().join("fuzz").join(host).join("debug/guided"))
}

/// Runs the program that only mutates; what it printed is returned.
pub(super) fn blind(seconds: u64, seed: Option<&str>) -> Result<String> {
    let mut command = cargo("run");
    command.args(["--bin", "blind", "--"]).arg(seconds.to_string()).args(seed);
    let text = workspace::watch(&mut command)?;
    Ok(text.lines().last().unwrap_or_default().to_owned())
}

/// Lints of the fuzzed crate, which the workspace's run does not reach.
pub(crate) fn clippy() -> Result<()> {
    // With the flags of the build, so that libFuzzer is compiled once for both.
    let mut command = match missing() {
        None => instrumented("clippy", &host()?),
        Some(_) => cargo("clippy"),
    };
    workspace::run(command.args(["--lib", "--bins", "--", "--deny", "warnings"]))
}

/// Only what is built for a target named gets the flags: build scripts and macros could not run with them.
fn instrumented(action: &str, host: &str) -> Command {
    let mut command = cargo(action);
    command.args(["--features", "guided", "--target", host]).env("RUSTFLAGS", COVERAGE.join(" "));
    if action == "build" {
        command.args(["--bin", "guided"]);
    }
    command
}

fn cargo(action: &str) -> Command {
    let mut command = workspace::cargo();
    command.args([action, "--quiet", "--locked", "--manifest-path", MANIFEST]);
    command.env("CARGO_TARGET_DIR", workspace::target().join("fuzz"));
    command
}

/// The machine's own target triple.
fn host() -> Result<String> {
    let text = workspace::output(Command::new("rustc").arg("-vV").current_dir(workspace::root()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("`rustc -vV` names no host")
}
