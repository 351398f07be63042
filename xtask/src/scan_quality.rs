//! `cargo xtask scan-quality`: how much of the planted corpus `pilothouse scan` finds, and how much of what it calls
//! blocking is.
//!
//! The corpus (`crates/testkit/corpus/scan`) is written from the pages of providers and from what code that uses their
//! SDKs looks like, never from the scanner: a miss is mended in the scanner, or in the catalogue where that lacks a
//! fact, and a place of the corpus changes only when it was wrong about the world.

mod compare;
mod expected;
mod found;
mod table;

use crate::args::Args;
use crate::workspace;
use anyhow::{Context as _, Result, bail};
use compare::Comparison;
use expected::Corpus;
use std::path::{Path, PathBuf};
use std::process::Command;

const USAGE: &str = "cargo xtask scan-quality [options]
  --binary PATH   this binary instead of building one
  --report FILE   this report (`pilothouse scan --format json`) instead of scanning
  --brief         without the lists of single places";

/// The promises, of what blocks.
const RECALL_MIN: f64 = 0.97;
const PRECISION_MIN: f64 = 0.98;

/// Scans the corpus and judges what was found.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut args = Args::new(arguments);
    if args.flag("--help") {
        println!("{USAGE}");
        return Ok(());
    }
    let is_brief = args.flag("--brief");
    let binary = args.text("--binary")?.map(PathBuf::from);
    let report = args.text("--report")?;
    args.finish()?;
    let corpus = expected::read(&folder())?;
    let text = match report {
        Some(path) => std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?,
        None => scan(binary.as_deref(), &corpus.today)?,
    };
    judge(&corpus, &text, is_brief).map(drop)
}

/// The same as a step of `cargo xtask test`: everything is listed, and what it returns is one line.
pub(crate) fn step() -> Result<String> {
    let corpus = expected::read(&folder())?;
    let text = scan(None, &corpus.today)?;
    judge(&corpus, &text, false).map(|comparison| table::line(&comparison))
}

/// Prints how a report compares with the corpus; an error where a promise is not kept.
fn judge(corpus: &Corpus, report: &str, is_brief: bool) -> Result<Comparison> {
    let comparison = compare::compare(corpus, &found::read(report, &folder().join("files"))?);
    print!("{}", table::text(corpus, &comparison, is_brief));
    verdict(&comparison)?;
    Ok(comparison)
}

/// Where the corpus lies.
fn folder() -> PathBuf {
    workspace::root().join("crates/testkit/corpus/scan")
}

/// The report of the built binary on the corpus; the code 1 says only that something was found.
fn scan(binary: Option<&Path>, today: &str) -> Result<String> {
    let binary = match binary {
        Some(path) => path.canonicalize().with_context(|| format!("no binary at {}", path.display()))?,
        None => workspace::build("pilothouse", "pilothouse", "dev")?,
    };
    let mut command = Command::new(&binary);
    command.args(["scan", "--format", "json", "--today", today]).arg(folder().join("files"));
    let done = command.output().with_context(|| format!("cannot run {}", binary.display()))?;
    if !matches!(done.status.code(), Some(0 | 1)) {
        let errors = String::from_utf8_lossy(&done.stderr);
        bail!("the scan ended with {}\n{}", done.status, errors.trim_end());
    }
    String::from_utf8(done.stdout).context("the report is not UTF-8")
}

fn verdict(comparison: &Comparison) -> Result<()> {
    let all = comparison.total();
    let mut missed = Vec::new();
    if all.recall() < RECALL_MIN {
        missed.push(format!("recall {:.4} is under {RECALL_MIN}", all.recall()));
    }
    if all.precision() < PRECISION_MIN {
        missed.push(format!("precision {:.4} is under {PRECISION_MIN}", all.precision()));
    }
    if !comparison.is_table_found() {
        missed.push("the table of the three measured scanners is not fully found".to_owned());
    }
    match missed.is_empty() {
        true => Ok(()),
        false => bail!("{}", missed.join("; ")),
    }
}
