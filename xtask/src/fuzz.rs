//! `cargo xtask fuzz`: every fuzz target for a while, from the corpus that the repository keeps.
//!
//! Coverage-guided fuzzing needs a nightly compiler; the crate in `fuzz/` stands outside of the workspace so
//! that nothing else does.

use crate::{args::Args, tools, workspace};
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// Runs the targets.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut args = Args::new(arguments);
    let seconds = args.value("--seconds", 60)?;
    let only = args.text("--target")?;
    args.finish()?;
    println!("{}", all(seconds, only.as_deref())?);
    Ok(())
}

/// Whether there is anything to fuzz.
pub(crate) fn exists() -> bool {
    manifest().is_file()
}

/// Runs each target for so many seconds; returns a summary.
pub(crate) fn all(seconds: u32, only: Option<&str>) -> Result<String> {
    let targets: Vec<String> =
        targets()?.into_iter().filter(|name| only.is_none_or(|wanted| wanted == name)).collect();
    if targets.is_empty() {
        bail!("no fuzz target {}", only.unwrap_or("in fuzz/Cargo.toml"));
    }
    let tool = tools::install(&tools::FUZZ)?;
    if workspace::output(Command::new("cargo").args(["+nightly", "--version"])).is_err() {
        bail!("fuzzing needs a nightly compiler: rustup toolchain install nightly --profile minimal");
    }
    for target in &targets {
        let mut command = Command::new(&tool);
        // The tool asks `cargo` for the compiler; without this it would ask for the pinned stable one.
        command.env("RUSTUP_TOOLCHAIN", "nightly").env_remove("CARGO").env_remove("RUSTC");
        command.env("CARGO_TARGET_DIR", workspace::target().join("fuzz"));
        command.args(["run", "--sanitizer", "none", target, "--"]).arg(format!("-max_total_time={seconds}"));
        command.args(["-print_final_stats=1", "-rss_limit_mb=1024"]).current_dir(workspace::root());
        workspace::run(&mut command).with_context(|| format!("fuzz target {target}"))?;
    }
    Ok(format!("fuzz: {} targets, {seconds} s each, no crash", targets.len()))
}

fn manifest() -> PathBuf {
    workspace::root().join("fuzz/Cargo.toml")
}

/// The names of the `[[bin]]` entries.
fn targets() -> Result<Vec<String>> {
    let text = std::fs::read_to_string(manifest()).context("there is no fuzz/Cargo.toml")?;
    names(&text)
}

fn names(manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let bins = manifest.get("bin").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    Ok(bins.iter().filter_map(|bin| bin.get("name")?.as_str().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_bins_of_the_manifest() {
        let text = "[package]\nname = \"fuzz\"\n[[bin]]\nname = \"sse\"\n[[bin]]\nname = \"http\"\n";
        assert_eq!(names(text).unwrap(), ["sse", "http"]);
    }
}
