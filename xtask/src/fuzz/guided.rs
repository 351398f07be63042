//! Runs libFuzzer on every target: what it begins with, how long, and what it found.

use super::libfuzzer::{Told, finding, message};
use super::{build, dictionary};
use crate::workspace;
use anyhow::{Context as _, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The longest input, in bytes; golden cases are half as long at most.
const INPUT_BYTES_MAX: u64 = 16 * 1024;
/// An input that takes longer is a finding.
const INPUT_SECONDS_MAX: u64 = 10;
/// A target that takes more memory is a finding.
const MEMORY_MIB_MAX: u64 = 1024;
/// A kept corpus with more inputs is reduced to those that reach something of their own.
const CORPUS_FILES_MAX: usize = 1500;
/// How long an input that breaks something is made smaller.
const MINIMISE_SECONDS: u64 = 20;
/// How long the needle may take; with coverage it takes one second.
const NEEDLE_SECONDS: u64 = 30;
/// How much of a finding is printed: bytes of the input, characters of the message.
const SHOWN_MAX: usize = 2000;

/// What to run.
pub(crate) struct Plan {
    /// Seconds for each target.
    pub(crate) seconds: u64,
    /// The targets; all where it is empty.
    pub(crate) only: Vec<String>,
    /// How many at a time.
    pub(crate) jobs: usize,
    /// The seed of libFuzzer's chance, else one of its own.
    pub(crate) seed: Option<String>,
    /// Begins with golden cases only, and keeps nothing: reading what long runs have kept takes longer than a short one.
    pub(crate) is_brief: bool,
}

/// What became of one target.
struct Outcome {
    told: Told,
    finding: Option<String>,
}

/// The folders of a run.
struct Fuzzer {
    binary: PathBuf,
    /// Below cargo's target folder: seeds, dictionary, logs, and the inputs that earlier runs kept.
    work: PathBuf,
}

/// Runs the chosen targets; returns what the summary says. A finding is an error that says where it lies.
pub(super) fn run(plan: &Plan) -> Result<String> {
    let (fuzzer, all) = Fuzzer::prepare()?;
    if let Some(name) = plan.only.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {name:?}; there are {}", all.join(", "));
    }
    fuzzer.find_needle()?;
    let names: Vec<String> =
        all.into_iter().filter(|name| plan.only.is_empty() || plan.only.contains(name)).collect();
    println!("{:16} {:>9} {:>7} {:>9} {:>7}", "target", "runs", "edges", "features", "corpus");
    let outcomes = fuzzer.run_all(&names, plan)?;
    let sum = |number: fn(&Told) -> u64| outcomes.iter().map(|outcome| number(&outcome.told)).sum::<u64>();
    let found: Vec<&str> = outcomes.iter().filter_map(|outcome| outcome.finding.as_deref()).collect();
    found.iter().for_each(|finding| println!("\n{finding}"));
    let runs = sum(|told| told.runs);
    let text = format!(
        "guided by coverage: {} targets, {runs} inputs, {} edges, {} inputs kept",
        names.len(),
        sum(|told| told.edges),
        sum(|told| told.corpus),
    );
    if found.is_empty() {
        return Ok(format!("{text}, nothing found"));
    }
    let first: Vec<&str> = found.iter().filter_map(|finding| finding.lines().next()).collect();
    bail!("{text}\n{}", first.join("\n"))
}

impl Fuzzer {
    /// Builds the program and writes what the targets begin with; also returns their names.
    fn prepare() -> Result<(Self, Vec<String>)> {
        let fuzzer = Self { binary: build::guided()?, work: workspace::target().join("fuzz/guided") };
        for folder in ["corpus", "logs"] {
            fs::create_dir_all(fuzzer.work.join(folder))?;
        }
        let _alone = fuzzer.lock("seeds")?;
        let mut command = Command::new(&fuzzer.binary);
        let listed = workspace::output(command.env("FUZZ_PREPARE", fuzzer.work.join("seeds")))?;
        dictionary::write(&fuzzer.dictionary())?;
        Ok((fuzzer, listed.lines().map(str::to_owned).collect()))
    }

    fn dictionary(&self) -> PathBuf {
        self.work.join("words.dict")
    }

    /// Another run on this machine waits until the file is closed.
    fn lock(&self, name: &str) -> Result<File> {
        let file = File::create(self.work.join(format!("{name}.lock")))?;
        file.lock().with_context(|| format!("cannot lock {name}"))?;
        Ok(file)
    }

    /// The program on one target.
    fn command(&self, target: &str, options: &[String]) -> Command {
        let mut command = Command::new(&self.binary);
        command.env("FUZZ_TARGET", target).env("RUST_BACKTRACE", "0").args(options);
        command.args([format!("-timeout={INPUT_SECONDS_MAX}"), format!("-rss_limit_mb={MEMORY_MIB_MAX}")]);
        command
    }

    /// Runs a command, its output in a file; returns how it ended and what it printed.
    fn logged(&self, name: &str, command: &mut Command) -> Result<(ExitStatus, String)> {
        let path = self.work.join("logs").join(format!("{name}.log"));
        let log = File::create(&path)?;
        let status =
            command.stdout(log.try_clone()?).stderr(log).status().context("cannot run the fuzzer")?;
        Ok((status, String::from_utf8_lossy(&fs::read(&path)?).into_owned()))
    }

    /// Wants a bug found that chance alone would take ages to find: the flags are not documented for stable compilers, so
    /// that it must show whether they still do anything.
    fn find_needle(&self) -> Result<()> {
        let _alone = self.lock("needle")?;
        let prefix = format!("-artifact_prefix={}/logs/needle-", self.work.display());
        let options = [format!("-max_total_time={NEEDLE_SECONDS}"), "-seed=1".to_owned(), prefix];
        let (status, _) = self.logged("needle", &mut self.command("needle", &options))?;
        if finding(status.code()).is_none() {
            bail!(
                "the planted bug was not found in {NEEDLE_SECONDS} s ({status}): coverage does not reach libFuzzer"
            );
        }
        println!("coverage is seen: a bug planted behind eight bytes was found");
        Ok(())
    }

    /// Every target, some at a time, in the order of the list.
    fn run_all(&self, names: &[String], plan: &Plan) -> Result<Vec<Outcome>> {
        let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..plan.jobs.clamp(1, names.len().max(1)) {
                scope.spawn(|| {
                    while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let outcome = self.run_one(name, plan);
                        if let Ok(mut outcomes) = outcomes.lock() {
                            outcomes.push(outcome);
                        }
                    }
                });
            }
        });
        let outcomes = outcomes.into_inner().unwrap_or_default();
        outcomes.into_iter().collect()
    }

    fn run_one(&self, target: &str, plan: &Plan) -> Result<Outcome> {
        let _alone = self.lock(target)?;
        let found = workspace::root().join("fuzz/found").join(target);
        let corpus = self.work.join(if plan.is_brief { "brief" } else { "corpus" }).join(target);
        let seeds = self.work.join("seeds").join(target);
        fs::create_dir_all(&found)?;
        if plan.is_brief && corpus.exists() {
            fs::remove_dir_all(&corpus)?;
        }
        fs::create_dir_all(&corpus)?;
        self.reduce(target, &corpus)?;
        let mut options = vec![
            format!("-max_total_time={}", plan.seconds),
            format!("-max_len={INPUT_BYTES_MAX}"),
            format!("-dict={}", self.dictionary().display()),
            format!("-artifact_prefix={}/", found.display()),
        ];
        options.extend(plan.seed.as_ref().map(|seed| format!("-seed={seed}")));
        let before = files(&found)?;
        let (status, text) = self.logged(target, self.command(target, &options).arg(&corpus).arg(&seeds))?;
        let told = Told::read(&text);
        let state = finding(status.code()).unwrap_or(if status.success() { "" } else { "FAILED" });
        println!(
            "{target:16} {:>9} {:>7} {:>9} {:>7} {state}",
            told.runs, told.edges, told.features, told.corpus
        );
        if status.success() {
            return Ok(Outcome { told, finding: None });
        }
        let new = files(&found)?.into_iter().find(|file| !before.contains(file));
        let Some(file) = new.filter(|_| finding(status.code()).is_some()) else {
            let log = self.work.join("logs").join(format!("{target}.log"));
            bail!("the fuzzer of {target} ended with {status}; {} says why", log.display());
        };
        let file = self.minimise(target, &file)?;
        Ok(Outcome { told, finding: Some(describe(target, state, &text, &file)?) })
    }

    /// Makes a corpus that grew over many runs small again.
    fn reduce(&self, target: &str, corpus: &Path) -> Result<()> {
        if files(corpus)?.len() <= CORPUS_FILES_MAX {
            return Ok(());
        }
        let small = corpus.with_extension("small");
        if small.exists() {
            fs::remove_dir_all(&small)?;
        }
        fs::create_dir_all(&small)?;
        let name = format!("{target}-merge");
        let options = ["-merge=1".to_owned(), format!("-max_len={INPUT_BYTES_MAX}")];
        let mut command = self.command(target, &options);
        let (status, _) = self.logged(&name, command.arg(&small).arg(corpus))?;
        if status.success() {
            fs::remove_dir_all(corpus)?;
            fs::rename(&small, corpus)?;
        }
        Ok(())
    }

    /// The smallest input that still does it. What takes long or much memory stays as it is.
    fn minimise(&self, target: &str, file: &Path) -> Result<PathBuf> {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(hash) = name.strip_prefix("crash-") else { return Ok(file.to_path_buf()) };
        let small = file.with_file_name(format!("small-{hash}"));
        let options = [
            "-minimize_crash=1".to_owned(),
            format!("-max_total_time={MINIMISE_SECONDS}"),
            format!("-exact_artifact_path={}", small.display()),
        ];
        let log = format!("{target}-minimise");
        self.logged(&log, self.command(target, &options).arg(file))?;
        if !small.is_file() {
            return Ok(file.to_path_buf());
        }
        // What libFuzzer itself stumbles over would be taken for the smallest input of all.
        let (status, _) = self.logged(&log, self.command(target, &[]).arg(&small))?;
        if finding(status.code()).is_some() {
            return Ok(small);
        }
        fs::remove_file(&small)?;
        Ok(file.to_path_buf())
    }

    /// Gives one target one input.
    fn again(&self, target: &str, file: &Path) -> Result<()> {
        workspace::run(self.command(target, &[]).env("RUST_BACKTRACE", "1").arg(file))
    }
}

/// Gives a finding to its target again, with a backtrace.
pub(super) fn again(target: &str, file: &Path) -> Result<()> {
    Fuzzer::prepare()?.0.again(target, file)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// What is printed of a finding: enough to go on where the file itself is lost.
fn describe(target: &str, state: &str, text: &str, file: &Path) -> Result<String> {
    let input = fs::read(file)?;
    let root = workspace::root();
    let place = file.strip_prefix(&root).unwrap_or(file).display().to_string();
    let mut said = format!("{target} {state}: {place} ({} bytes)\n", input.len());
    said.push_str(&message(text, SHOWN_MAX));
    said.push_str(&format!("\ninput: \"{}\"", input[..input.len().min(SHOWN_MAX)].escape_ascii()));
    said.push_str(&format!("\nagain: cargo xtask fuzz --again {place}"));
    said.push_str(&format!(
        "\nkeep it as a test, once mended: cargo xtask fuzz --keep {place} --as what-was-wrong"
    ));
    Ok(said)
}
