//! Where the time goes: one row under `perf`, as a list of functions.

use super::field::Field;
use super::measure::{self, Pace};
use super::rows::Row;
use crate::workspace;
use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// Samples per second; odd, so that it does not beat with timers.
const FREQUENCY: &str = "997";

/// Runs a row's own side while `perf` samples it, and prints the functions that cost most.
pub(crate) fn run(field: &Field, load: &Path, row: &Row, seconds: f64) -> Result<()> {
    if !workspace::has("perf") {
        bail!("perf is missing: install it (Debian: apt-get install linux-perf)");
    }
    let process = field.party(row.ours.party).context("the gateway does not run in this setting")?;
    let file = field.folder.join("perf.data");
    println!("profiling: {}", row.name);
    let mut recorder = Command::new("perf")
        .args([
            "record",
            "--quiet",
            "-e",
            "cpu-clock",
            "-F",
            FREQUENCY,
            "-g",
            "-p",
            &process.pid().to_string(),
        ])
        .arg("-o")
        .arg(&file)
        .args(["--", "sleep", &(seconds + 0.5).to_string()])
        .stdout(Stdio::null())
        .spawn()?;
    let report = measure::one_call(field, load, &row.ours, Pace { rounds: 1, seconds })?;
    recorder.wait()?;
    println!("{:.2} µs of processor time per answer", report.cpu_us_per_answer.unwrap_or_default());
    let mut print = Command::new("perf");
    print
        .args([
            "report",
            "--stdio",
            "--no-children",
            "--sort",
            "dso,symbol",
            "-g",
            "none",
            "--percent-limit",
            "0.5",
            "-i",
        ])
        .arg(&file);
    let text = workspace::output(&mut print)?;
    text.lines().filter(|line| !line.trim().is_empty()).take(70).for_each(|line| println!("{line}"));
    println!("{} keeps the call chains: perf report -i", file.display());
    Ok(())
}
