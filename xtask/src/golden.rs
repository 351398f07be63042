//! `cargo xtask golden`: rewrites the golden files with what the code prints now; git shows what changed.

use crate::workspace;
use anyhow::Result;
use std::process::Command;

/// Runs the tests with `UPDATE_GOLDEN=1`; arguments go to `cargo test`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut command = workspace::cargo();
    command.args(["test", "--quiet"]).args(arguments).env("UPDATE_GOLDEN", "1");
    if !arguments.iter().any(|argument| matches!(argument.as_str(), "-p" | "--package" | "--workspace")) {
        command.arg("--workspace");
    }
    workspace::run(&mut command)?;
    workspace::run(Command::new("git").args(["status", "--short"]).current_dir(workspace::root()))
}
