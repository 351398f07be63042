//! The steps that check the code itself.

use crate::{
    chaos, fuzz as fuzzing, scan_quality as quality, tidy as rules, tools, walls as architecture, workspace,
};
use anyhow::{Context as _, Result, bail};
use std::process::Command;

/// How long each target is fuzzed here; `cargo xtask fuzz` runs longer, and keeps what it learns.
const FUZZ_SECONDS: u64 = 2;

pub(super) fn fmt() -> Result<String> {
    // Not `cargo fmt`: it does not see modules that a macro declares.
    // Samples of what other people write are data: where a word stands in them is what tests are about.
    let is_ours = |path: &String| path.ends_with(".rs") && !rules::is_data(path);
    let files: Vec<String> = workspace::files()?.into_iter().filter(is_ours).collect();
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024", "--check", "-l"]).args(&files).current_dir(workspace::root());
    let done = command.output().context("cannot run rustfmt")?;
    if done.status.success() {
        return Ok(format!("{} files", files.len()));
    }
    let root = workspace::root().to_string_lossy().into_owned() + "/";
    let listed = String::from_utf8_lossy(&done.stdout).replace(&root, "");
    let errors = String::from_utf8_lossy(&done.stderr);
    bail!("rustfmt --edition 2024 would change\n{}{}", listed, errors.trim_end())
}

pub(super) fn walls() -> Result<String> {
    architecture::run(&[]).map(|()| "every dependency is on the list".to_owned())
}

pub(super) fn tidy() -> Result<String> {
    rules::run(&[]).map(|()| "no rule is broken".to_owned())
}

pub(super) fn clippy() -> Result<String> {
    let mut command = workspace::cargo();
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
        "--",
        "--deny",
        "warnings",
    ]);
    workspace::run(&mut command)?;
    fuzzing::clippy().map(|()| "no warning".to_owned())
}

pub(super) fn unit() -> Result<String> {
    let mut command = workspace::cargo();
    let text = if workspace::has("cargo-nextest") {
        command.args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]);
        command.args(["--status-level", "fail", "--final-status-level", "fail", "--color", "never"]);
        workspace::watch(&mut command)?
    } else {
        command.args(["test", "--workspace", "--locked", "--lib", "--bins", "--tests", "--no-fail-fast"]);
        workspace::watch(&mut command)?
    };
    Ok(count_tests(&text))
}

/// The number of tests, from nextest's summary or from the many of `cargo test`.
fn count_tests(text: &str) -> String {
    if let Some(line) = text.lines().rev().find(|line| line.trim_start().starts_with("Summary")) {
        return line.rsplit(']').next().unwrap_or(line).trim().to_owned();
    }
    let passed = |line: &str| line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse::<u64>().ok();
    format!("{} tests passed", text.lines().filter_map(passed).sum::<u64>())
}

pub(super) fn scan_quality() -> Result<String> {
    quality::step()
}

pub(super) fn doctest() -> Result<String> {
    let text =
        workspace::watch(workspace::cargo().args(["test", "--workspace", "--locked", "--doc", "--quiet"]))?;
    Ok(count_tests(&text))
}

pub(super) fn rustdoc() -> Result<String> {
    let mut command = workspace::cargo();
    command
        .args(["doc", "--workspace", "--no-deps", "--locked", "--quiet"])
        .env("RUSTDOCFLAGS", "-D warnings");
    workspace::run(&mut command).map(|()| "no warning".to_owned())
}

pub(super) fn deny() -> Result<String> {
    let tool = tools::install(&tools::DENY)?;
    let mut command = Command::new(tool);
    command.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    workspace::run(command.current_dir(workspace::root())).map(|()| "licences, bans and sources".to_owned())
}

pub(super) fn book() -> Result<String> {
    crate::docs::build().map(|()| "built, links checked".to_owned())
}

pub(super) fn chaos() -> Result<String> {
    chaos::quick()
}

pub(super) fn fuzz() -> Result<String> {
    let jobs = fuzzing::processors();
    fuzzing::fuzz(&fuzzing::Plan {
        seconds: FUZZ_SECONDS,
        only: Vec::new(),
        jobs,
        seed: None,
        is_brief: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_counts_are_read_from_either_runner() {
        let nextest = "x\n     Summary [   0.9s] 15 tests run: 15 passed, 0 skipped\n";
        assert_eq!(count_tests(nextest), "15 tests run: 15 passed, 0 skipped");
        let cargo = "test result: ok. 3 passed; 0 failed\n…\ntest result: ok. 4 passed; 0 failed\n";
        assert_eq!(count_tests(cargo), "7 tests passed");
    }
}
