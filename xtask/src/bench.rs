//! `cargo xtask bench`: processor time per request as a ratio to nginx in the same run.
//!
//! Rounds are interleaved, so that what the machine does meanwhile hits everybody alike; the table shows
//! medians and half of the range. Everything is on that users have on: key check, usage, cost, recording.

mod field;
mod ledger;
mod measure;
mod peers;
pub(crate) mod process;
mod profile;
mod report;
mod rows;
mod scan;
mod stats;
mod tls;

use crate::args::Args;
use crate::workspace;
use anyhow::{Context as _, Result, bail};
use field::{Candidate, Field, Given};
use ledger::Meter;
use measure::Pace;
use peers::Peer;
use report::{Line, Verdict};
use rows::Row;
use std::path::{Path, PathBuf};

const USAGE: &str = "cargo xtask bench [options]
  --quick               2 rounds of 1 s instead of 5 of 2 s, and the `quick` build profile
  --rounds N, --secs S  how often and how long
  --only A,B            of: plain, stream, latency, translate, idle, start, size, big, workers, tls, http2, and, where
                        named: pairs and bursts (every pair of dialects), codec (translation without a network), routing
                        (strategies beside their optimum, and what a choice costs), scan (`pilothouse scan` beside
                        `rg -c`; `--only scan --help`)
  --gate                exit 1 when a limit is missed, or when the bill is wrong
  --profile TEXT        sample the first row whose name contains TEXT with perf; print where the time goes
  --binary PATH         measure this binary instead of building one
  --candidate ADDR --pid N [--upstream ADDR] [--model-prefix fake/] [--key SECRET]
                        measure a gateway that already runs (before a fleet that already runs)
  --peer-config FILE    then measure other gateways, each in a run of its own (xtask/src/bench/peers.rs)";

/// What was asked for.
struct Options {
    pace: Pace,
    only: Vec<String>,
    gate: bool,
    quick: bool,
    profile: Option<String>,
    given: Given,
    peers: Vec<Peer>,
}

/// Runs the benchmark.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let is_scan = arguments.windows(2).any(|pair| pair == ["--only", "scan"]);
    if !is_scan && arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return Ok(());
    }
    // What needs neither nginx nor the fleet.
    if is_scan {
        return scan::run(arguments);
    }
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--only", "codec"] => return codec(),
        ["--only", "routing"] => return routing(),
        _ => {}
    }
    let options = parse(arguments)?;
    let load = workspace::build("pilothouse-testkit", "load", "release")?;
    let rows: Vec<Row> = rows::all().into_iter().filter(|row| options.wants(row.group)).collect();
    if let Some(text) = &options.profile {
        let row =
            rows.iter().find(|row| row.name.contains(text.as_str())).context("no row has such a name")?;
        let field = Field::start(&empty_folder()?, &options.given, std::slice::from_ref(row))?;
        return profile::run(&field, &load, row, options.pace.seconds.max(3.0));
    }
    let lines = gateway(&options, &load, &rows)?;
    for peer in &options.peers {
        println!("\n{}", peer.name);
        let given = Given {
            candidate: Some(Candidate::Peer(peer.clone())),
            prefix: Some(peer.model_prefix.clone()),
            key: peer.key.clone(),
            headers: peer.headers.clone(),
            ..options.given.clone()
        };
        let field = Field::start(&empty_folder()?, &given, &rows)?;
        let measured = measure::measure(&field, &load, &rows, options.pace, &mut |_, _| Ok(()))?;
        let unjudged =
            measured.iter().map(report::line).map(|line| Line { verdict: Verdict::Reported, ..line });
        println!("\n{}\n\n{}", peer.name, report::table(&unjudged.collect::<Vec<_>>()));
    }
    if options.wants("codec") {
        codec()?;
    }
    if options.wants("routing") {
        routing()?;
    }
    verdict(&lines, options.gate)
}

/// What translating costs apart from the network: the tables of an example of the crate that does it.
fn codec() -> Result<()> {
    example("pilothouse-wire", "codec")
}

/// Strategies beside their optimum, and what a choice costs: the tables of an example likewise.
fn routing() -> Result<()> {
    example("pilothouse-routing", "routing")
}

/// Cascades before the simulated fleet: cost and right answers beside their parts.
pub(crate) fn cascade(arguments: &[String]) -> Result<()> {
    let run = [
        "run",
        "--quiet",
        "--profile",
        "quick",
        "--package",
        "pilothouse-gateway",
        "--example",
        "cascade",
        "--",
    ];
    workspace::run(workspace::cargo().args(run).args(arguments))
}

fn example(package: &str, name: &str) -> Result<()> {
    let arguments = ["run", "--quiet", "--profile", "release", "--package", package, "--example", name];
    workspace::run(workspace::cargo().args(arguments))
}

/// Measures our own gateway and prints its tables.
fn gateway(options: &Options, load: &Path, rows: &[Row]) -> Result<Vec<Line>> {
    let folder = empty_folder()?;
    let mut field = Field::start(&folder, &options.given, rows)?;
    let mut meter = Meter::new(field.fleet_address());
    let check_bill = options.given.candidate.is_none();
    let mut observe = |call: &rows::Call, before| match check_bill {
        true => meter.observe(call, before),
        false => Ok(()),
    };
    let measured = measure::measure(&field, load, rows, options.pace, &mut observe)?;
    let mut lines: Vec<Line> = measured.iter().map(report::line).collect();
    lines.extend(startup(options, &field)?);
    println!("\n{}", report::table(&lines));
    if let (true, Some(home), Some(binary)) = (check_bill, field.stop_gateway(), field.binary()) {
        let (text, equal) = ledger::compare(&meter.served, &ledger::billed(binary, &home)?);
        println!("{text}");
        lines.push(report::yes_or_no("the bill equals the fleet's count", equal));
    }
    Ok(lines)
}

fn empty_folder() -> Result<PathBuf> {
    let folder = workspace::target().join("bench");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder.canonicalize()?)
}

impl Options {
    fn wants(&self, group: &str) -> bool {
        match self.only.as_slice() {
            [] => !rows::ON_REQUEST.contains(&group),
            only => only.iter().any(|wanted| wanted == group),
        }
    }
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut args = Args::new(arguments);
    let quick = args.flag("--quick");
    let pace = Pace {
        rounds: args.value("--rounds", if quick { 2 } else { 5 })?,
        seconds: args.value("--secs", if quick { 1.0 } else { 2.0 })?,
    };
    let (only, gate, profile) = (args.list("--only")?, args.flag("--gate"), args.text("--profile")?);
    let upstream = args.text("--upstream")?;
    let pid = args.value("--pid", 0)?;
    let candidate = args.text("--candidate")?.map(|address| Candidate::Runs { address, pid });
    let prefix = args.text("--model-prefix")?;
    let key = args.text("--key")?;
    let peers = args.text("--peer-config")?.map(|path| peers::read(Path::new(&path))).transpose()?;
    let binary = args.text("--binary")?.map(PathBuf::from);
    args.finish()?;
    if pace.rounds == 0 || pace.seconds <= 0.0 {
        bail!("--rounds and --secs must be more than zero");
    }
    // A profile needs names in the binary; what ships has none.
    let build = if quick || profile.is_some() { "quick" } else { "release" };
    let binary = match binary {
        Some(path) => Some(path.canonicalize().with_context(|| format!("no binary at {}", path.display()))?),
        None if candidate.is_some() && upstream.is_some() => None,
        None => Some(workspace::build("pilothouse", "pilothouse", build)?),
    };
    let given = Given { candidate, upstream, binary, prefix, key, headers: Vec::new() };
    Ok(Options { pace, only, gate, quick, profile, given, peers: peers.unwrap_or_default() })
}

/// Start-to-ready time and size on disk of the binary that was measured.
fn startup(options: &Options, field: &Field) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let Some(binary) = field.binary().filter(|_| options.given.candidate.is_none()) else { return Ok(lines) };
    if options.wants("start") {
        let times = field.start_times_ms(options.pace.rounds.max(3))?;
        lines.push(report::simple("start to ready", &times, " ms", Some(150.0)));
    }
    if options.wants("size") {
        // Only what ships is judged; the `quick` build carries names for the profiler.
        let limit = (!options.quick).then_some(40.0);
        lines.push(report::simple("binary", &[megabytes(binary)?], " MB", limit));
    }
    Ok(lines)
}

fn megabytes(path: &Path) -> Result<f64> {
    Ok(std::fs::metadata(path)?.len() as f64 / 1e6)
}

fn verdict(lines: &[Line], gate: bool) -> Result<()> {
    let missed: Vec<&str> =
        lines.iter().filter(|line| line.verdict == Verdict::Missed).map(|line| line.name.as_str()).collect();
    match missed.is_empty() {
        true => println!("every limit that was measured is met"),
        false => println!("missed: {}", missed.join("; ")),
    }
    if gate && !missed.is_empty() {
        bail!("{} limits missed", missed.len());
    }
    Ok(())
}
