//! `cargo xtask bench --only scan`: the time and memory of `pilothouse scan` over a made-up repository of a million
//! lines, beside `rg -c` for the same ids over the same tree.
//!
//! Rounds alternate, so that what the machine does meanwhile hits both alike. The repository comes from a seed
//! (`crates/testkit/src/repository.rs`) and is made once per target folder.

use super::report::{self, Line, Verdict};
use super::stats::median;
use crate::args::Args;
use crate::workspace;
use anyhow::{Context as _, Result, bail};
use pilothouse_catalog::Catalog;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const USAGE: &str = "cargo xtask bench --only scan [options]
  --rounds N     how often each of the two runs (5)
  --tree FOLDER  scan this instead of the made-up repository
  --binary PATH  measure this binary instead of building one
  --gate         exit 1 when a limit is missed

The repository is made by
  cargo run --release -p pilothouse-testkit --bin repository -- FOLDER [--lines N] [--file-bytes-max N] [--seed N]";

/// The promises: seconds, MiB, and times the seconds of `rg -c`.
const SECONDS_MAX: f64 = 10.0;
const RESIDENT_MIB_MAX: f64 = 300.0;
const RATIO_MAX: f64 = 6.0;

/// The day that the scan takes for today, so that the work is the same every day.
const TODAY: &str = "2026-11-23";

/// How often memory is read. The kernel keeps the peak itself, so only what is reached in the last moment is lost.
const POLL: Duration = Duration::from_millis(2);

/// One run of a program.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    seconds: f64,
    peak_mib: f64,
}

/// Measures and prints the table.
pub(super) fn run(arguments: &[String]) -> Result<()> {
    let mut args = Args::new(arguments);
    let _ = args.list("--only")?;
    if args.flag("--help") {
        println!("{USAGE}");
        return Ok(());
    }
    let rounds: usize = args.value("--rounds", 5)?;
    let gate = args.flag("--gate");
    let tree = args.text("--tree")?.map(PathBuf::from);
    let binary = args.text("--binary")?.map(PathBuf::from);
    args.finish()?;
    if rounds == 0 {
        bail!("--rounds must be more than zero");
    }
    let binary = match binary {
        Some(path) => path.canonicalize().with_context(|| format!("no binary at {}", path.display()))?,
        None => workspace::build("pilothouse", "pilothouse", "release")?,
    };
    let tree = match tree {
        Some(path) => path,
        None => repository()?,
    };
    let ids = ids_file()?;
    let has_rg = match workspace::need("rg", "ripgrep") {
        Ok(()) => true,
        Err(error) => {
            println!("no ratio: {error:#}");
            false
        }
    };
    let (ours, theirs) = alternate(&binary, &tree, &ids, has_rg, rounds)?;
    super::verdict(&print(&ours, &theirs), gate)
}

/// The made-up repository; made anew when what makes it has changed.
fn repository() -> Result<PathBuf> {
    let generator = workspace::build("pilothouse-testkit", "repository", "release")?;
    let folder = workspace::target().join("bench-scan");
    let (tree, summary) = (folder.join("tree"), folder.join("summary.json"));
    let is_newer = |path: &Path, than: &Path| -> Option<bool> {
        Some(path.metadata().ok()?.modified().ok()? >= than.metadata().ok()?.modified().ok()?)
    };
    if !is_newer(&summary, &generator).unwrap_or(false) {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&summary, workspace::output(Command::new(generator).arg(&tree))?)?;
    }
    println!("{}", describe(&std::fs::read_to_string(&summary)?)?);
    Ok(tree)
}

/// What the tree holds, as the generator counted it.
fn describe(summary: &str) -> Result<String> {
    let summary: serde_json::Value = serde_json::from_str(summary).context("the generator's summary")?;
    let number = |name: &str| summary[name].as_u64().unwrap_or(0);
    let languages = summary["languages"].as_object().map_or(0, serde_json::Map::len);
    let (lines, candidates) = (number("lines"), number("candidates").max(1));
    Ok(format!(
        "{lines} lines, {:.1} MB in {} files of {languages} languages; an id every {} lines; {:.1} MB more are ignored",
        number("bytes") as f64 / 1e6,
        number("files"),
        lines / candidates,
        number("ignored_bytes") as f64 / 1e6,
    ))
}

/// Every id and alias of the bundled catalogue, one a line.
fn ids_file() -> Result<PathBuf> {
    let catalog = Catalog::bundled();
    let mut ids: BTreeSet<String> = catalog.models().map(|model| model.id().to_owned()).collect();
    ids.extend(catalog.aliases().map(|(_, alias, _)| alias));
    let path = workspace::target().join("bench-scan-ids.txt");
    let text: Vec<String> = ids.into_iter().collect();
    println!("{} ids", text.len());
    std::fs::write(&path, text.join("\n") + "\n")?;
    Ok(path)
}

fn alternate(
    binary: &Path,
    tree: &Path,
    ids: &Path,
    has_rg: bool,
    rounds: usize,
) -> Result<(Vec<Run>, Vec<Run>)> {
    let scan = || {
        let mut command = Command::new(binary);
        command.args(["scan", "--format", "json", "--today", TODAY]).arg(tree);
        command
    };
    let search = || {
        let mut command = Command::new("rg");
        command.args(["--count", "--fixed-strings", "--file"]).arg(ids).arg(tree);
        command
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // The first of each fills the page cache and is not counted.
    for round in 0..=rounds {
        let mine = measure(&mut scan())?;
        let other = if has_rg { Some(measure(&mut search())?) } else { None };
        if round > 0 {
            ours.push(mine);
            theirs.extend(other);
        }
    }
    Ok((ours, theirs))
}

/// Runs a program to its end. It may end with 0 or 1 (found something); all else is an error.
fn measure(command: &mut Command) -> Result<Run> {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {command:?}"))?;
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(peak_kib_of(child.id()));
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(POLL),
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    if !matches!(status.code(), Some(0 | 1)) {
        let mut errors = String::new();
        if let Some(mut stream) = child.stderr.take() {
            std::io::Read::read_to_string(&mut stream, &mut errors)?;
        }
        bail!("{command:?} ended with {status}\n{}", errors.trim_end());
    }
    Ok(Run { seconds, peak_mib: peak_kib as f64 / 1024.0 })
}

/// The most memory that a process has had resident so far, as the kernel counts it; 0 when it is gone.
/// Source: Linux `Documentation/filesystems/proc.rst`, `VmHWM`.
fn peak_kib_of(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    peak_in(&status)
}

fn peak_in(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Prints the table and returns its lines.
fn print(ours: &[Run], theirs: &[Run]) -> Vec<Line> {
    let seconds = |runs: &[Run]| -> Vec<f64> { runs.iter().map(|run| run.seconds).collect() };
    let peaks: Vec<f64> = ours.iter().map(|run| run.peak_mib).collect();
    let ratios: Vec<f64> =
        ours.iter().zip(theirs).map(|(mine, other)| mine.seconds / other.seconds.max(1e-9)).collect();
    let side =
        |runs: &[Run]| median(&seconds(runs)).map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let mut ratio = report::simple("scan against rg -c, same ids, same tree", &ratios, "×", Some(RATIO_MAX));
    (ratio.base, ratio.ours) = (side(theirs), side(ours));
    if theirs.is_empty() {
        ratio = Line { note: "ripgrep is missing".to_owned(), verdict: Verdict::Skipped, ..ratio };
    }
    let lines = vec![
        report::simple("scan of a million lines", &seconds(ours), " s", Some(SECONDS_MAX)),
        report::simple("its peak memory", &peaks, " MiB", Some(RESIDENT_MIB_MAX)),
        ratio,
    ];
    println!("\n{}", report::table(&lines));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_is_read_from_the_kernels_words() {
        assert_eq!(peak_in("Name:\trg\nVmPeak:\t  90 kB\nVmHWM:\t   4242 kB\nVmRSS:\t 12 kB\n"), 4242);
        assert_eq!(peak_in("Name:\tgone\n"), 0);
        assert!(peak_kib_of(std::process::id()) > 100);
    }

    #[test]
    fn gates_judge_seconds_memory_and_ratio_each() {
        let run = |seconds, peak_mib| Run { seconds, peak_mib };
        let lines = print(&[run(9.0, 400.0)], &[run(1.0, 20.0)]);
        let verdicts: Vec<Verdict> = lines.iter().map(|line| line.verdict).collect();
        assert_eq!(verdicts, [Verdict::Met, Verdict::Missed, Verdict::Missed]);
        assert_eq!(print(&[run(9.0, 40.0)], &[])[2].verdict, Verdict::Skipped);
    }

    #[test]
    fn summary_is_told_in_one_line() {
        let line = describe(
            r#"{"files":2,"lines":1000,"bytes":2500000,"candidates":4,"ignored_bytes":0,"languages":{"go":{}}}"#,
        );
        assert_eq!(
            line.unwrap(),
            "1000 lines, 2.5 MB in 2 files of 1 languages; an id every 250 lines; 0.0 MB more are ignored"
        );
    }
}
