//! `cargo xtask fuzz`: inputs for everything that reads bytes from outside, chosen by the code that they reach.
//!
//! The crate in `fuzz/` stands apart from the workspace, so that building the product never builds it. Without a C++
//! compiler, for libFuzzer, inputs are mutated without a look at what they reach.

mod build;
mod dictionary;
mod guided;
mod keep;
mod libfuzzer;

use crate::args::Args;
use anyhow::Result;
use std::path::Path;

pub(crate) use build::clippy;
pub(crate) use guided::Plan;

/// How many times longer one program runs that gives every input to every target.
const BLIND_SHARE: u64 = 10;

/// Runs targets for a while, or takes up a finding.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut args = Args::new(arguments);
    let (again, kept, name) = (args.text("--again")?, args.text("--keep")?, args.text("--as")?);
    let plan = Plan {
        seconds: args.value("--seconds", 20)?,
        only: args.list("--only")?,
        jobs: args.value("--jobs", processors())?,
        seed: args.text("--seed")?,
        is_brief: args.flag("--brief"),
    };
    let is_blind = args.flag("--blind");
    args.finish()?;
    if let Some(file) = kept {
        let kept = keep::keep(Path::new(&file), name.as_deref())?;
        println!("kept as {}; `cargo test -p pilothouse-wire --test codecs found` runs it", kept.display());
        return Ok(());
    }
    if let Some(file) = again {
        return guided::again(&keep::target_of(Path::new(&file))?, Path::new(&file));
    }
    let said = if is_blind { build::blind(plan.seconds, plan.seed.as_deref())? } else { fuzz(&plan)? };
    println!("{said}");
    Ok(())
}

/// Runs targets; returns what the summary says. A finding is an error that says where it lies.
pub(crate) fn fuzz(plan: &Plan) -> Result<String> {
    let Some(missing) = build::missing() else { return guided::run(plan) };
    println!("{missing}\nInputs are mutated without it.");
    let said = build::blind(plan.seconds * BLIND_SHARE, plan.seed.as_deref())?;
    Ok(format!("{said}\n{missing}"))
}

/// How many targets are run at a time.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
