//! `cargo xtask chaos`: three simulated vendors behind one route, load, and vendors that are killed under it.
//!
//! What is promised: before the model's first word no client sees a failure; after it, the client is told in its own
//! dialect and the connection ends uncleanly; a vendor that comes back is used again without a restart of anything.

mod call;
mod report;
mod vendors;

use crate::args::Args;
use crate::bench::process::{Running, free_address};
use crate::workspace;
use anyhow::{Context as _, Result};
use report::{Phase, Tally};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use vendors::{ROUTE, VENDORS, Vendor};

const USAGE: &str = "cargo xtask chaos [options]
  --quick          half a minute instead of one: one vendor is killed and comes back
  --clients N      how many call at once, one call after the other (12)
  --binary PATH    this binary instead of one that is built";

/// How long a vendor that came back may take to be asked again: a rest after failures, doubled by probes that failed while
/// it was away, and the probes that bring it back.
const RECOVERY_MAX: Duration = Duration::from_secs(20);

/// What is played.
struct Options {
    is_quick: bool,
    clients: usize,
    binary: Option<PathBuf>,
}

/// One thing that is done to the vendors.
#[derive(Clone, Copy)]
enum Act {
    /// Nothing: everybody is well.
    Watch(Duration),
    /// That one is killed, as `kill -9` does, and load goes on for so long.
    Kill(usize, Duration),
    /// That one is started again, and load goes on until it answers calls.
    Revive(usize),
}

/// Plays the scenario; fails when a promise is broken.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return Ok(());
    }
    let mut args = Args::new(arguments);
    let options = Options {
        is_quick: args.flag("--quick"),
        clients: args.value("--clients", 12)?,
        binary: args.text("--binary")?.map(PathBuf::from),
    };
    args.finish()?;
    play(&options).map(|found| println!("{found}"))
}

/// The short form, for `cargo xtask test`; a sentence on what it found.
pub(crate) fn quick() -> Result<String> {
    play(&Options { is_quick: true, clients: 12, binary: None })
}

fn play(options: &Options) -> Result<String> {
    let binary = match &options.binary {
        Some(path) => path.canonicalize().with_context(|| format!("no binary at {}", path.display()))?,
        None => workspace::build("pilothouse", "pilothouse", "dev")?,
    };
    let folder = workspace::target().join("chaos");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let mut vendors = vendors::start(&binary, &folder)?;
    let gateway = vendors::gateway(&binary, &folder, &vendors)?;
    let phases =
        under_load(&gateway, options.clients, |stage| scenario(stage, &mut vendors, &acts(options)))?;
    println!("\n{}", report::table(&phases));
    report::verdict(&phases)
}

fn acts(options: &Options) -> Vec<Act> {
    let well = |seconds| Act::Watch(Duration::from_secs(seconds));
    let kill = |vendor, seconds| Act::Kill(vendor, Duration::from_secs(seconds));
    match options.is_quick {
        true => vec![well(2), kill(0, 4), Act::Revive(0), well(2)],
        false => vec![well(4), kill(0, 8), Act::Revive(0), kill(1, 8), Act::Revive(1), well(4)],
    }
}

/// Where the acts put what the clients see.
struct Stage<'a> {
    current: &'a AtomicUsize,
    tallies: &'a Mutex<Vec<Tally>>,
}

impl Stage<'_> {
    /// From now on, calls that end belong to another phase.
    fn next(&self) {
        let mut tallies = self.tallies.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tallies.push(Tally::default());
        self.current.store(tallies.len() - 1, Ordering::SeqCst);
    }
}

/// Lets clients call for as long as the scenario plays.
fn under_load(
    gateway: &Running,
    clients: usize,
    scenario: impl FnOnce(&Stage<'_>) -> Result<Vec<(String, Option<Duration>)>>,
) -> Result<Vec<Phase>> {
    let (is_over, current) = (AtomicBool::new(false), AtomicUsize::new(0));
    let tallies = Mutex::new(Vec::new());
    let stage = Stage { current: &current, tallies: &tallies };
    let played = std::thread::scope(|scope| {
        stage.next();
        for client in 0..clients {
            let (is_over, current, tallies) = (&is_over, &current, &tallies);
            scope.spawn(move || {
                for nth in client.. {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let began = Instant::now();
                    let seen = call::make(&gateway.address, ROUTE, nth);
                    // What a kill cuts off belongs to the kill, whenever it began.
                    let phase = current.load(Ordering::SeqCst);
                    let mut tallies = tallies.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if let Some(tally) = tallies.get_mut(phase) {
                        tally.count(seen, began.elapsed());
                    }
                }
            });
        }
        let played = scenario(&stage);
        is_over.store(true, Ordering::SeqCst);
        played
    })?;
    let tallies = tallies.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(played.into_iter().zip(tallies).map(|((name, back), tally)| Phase { name, back, tally }).collect())
}

/// Plays the acts; the name of each phase, and how long a vendor that came back took to be asked again.
fn scenario(
    stage: &Stage<'_>,
    vendors: &mut [Vendor],
    acts: &[Act],
) -> Result<Vec<(String, Option<Duration>)>> {
    let mut played = Vec::new();
    for (nth, act) in acts.iter().enumerate() {
        if nth > 0 {
            stage.next();
        }
        played.push(match *act {
            Act::Watch(time) => {
                std::thread::sleep(time);
                ("all are well".to_owned(), None)
            }
            Act::Kill(at, time) => {
                vendors[at].kill();
                std::thread::sleep(time);
                (format!("{} is killed", VENDORS[at].0), None)
            }
            Act::Revive(at) => {
                vendors[at].revive()?;
                let back = vendors[at].asked_again(RECOVERY_MAX)?;
                (format!("{} comes back", VENDORS[at].0), Some(back))
            }
        });
    }
    Ok(played)
}

/// A folder and an address for a program.
fn home(folder: &Path, name: &str) -> Result<(PathBuf, String)> {
    let home = folder.join(name);
    std::fs::create_dir_all(&home)?;
    Ok((home, free_address()?))
}
