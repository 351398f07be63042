//! `cargo xtask test`: everything that must be green before a change is merged, in one command.
//!
//! Steps run one after the other, all of them even if one fails, and the summary at the end says what each
//! found and how long it took.

mod clients;
mod steps;

use crate::args::Args;
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// One step: what it is called, what it checks, and what runs. Returns what the summary says of it.
struct Step {
    name: &'static str,
    summary: &'static str,
    run: fn() -> Result<String>,
}

/// Every step; the quick ones first, so that a slip shows early.
const STEPS: &[Step] = &[
    Step { name: "fmt", summary: "every Rust file is formatted", run: steps::fmt },
    Step { name: "walls", summary: "dependencies between crates are on the allowed list", run: steps::walls },
    Step { name: "tidy", summary: "house rules", run: steps::tidy },
    Step { name: "clippy", summary: "lints, in all targets", run: steps::clippy },
    Step { name: "unit", summary: "unit, property, golden and integration tests", run: steps::unit },
    Step {
        name: "scan-quality",
        summary: "recall and precision of the scan on the planted corpus keep their promises",
        run: steps::scan_quality,
    },
    Step { name: "doctest", summary: "examples in the documentation of the code", run: steps::doctest },
    Step {
        name: "rustdoc",
        summary: "documentation of the code builds without a warning",
        run: steps::rustdoc,
    },
    Step { name: "deny", summary: "licences, bans and sources of dependencies", run: steps::deny },
    Step { name: "book", summary: "the book builds, links lead somewhere", run: steps::book },
    Step { name: "examples", summary: "the README's examples, run by stock SDKs", run: clients::examples },
    Step {
        name: "types",
        summary: "what the codecs write in golden cases, against the SDKs' own types and models",
        run: clients::types,
    },
    Step {
        name: "clients",
        summary: "real SDKs through the gateway to the simulated fleet",
        run: clients::matrix,
    },
    Step { name: "chaos", summary: "a vendor is killed under load, and comes back", run: steps::chaos },
    Step {
        name: "fuzz",
        summary: "inputs guided by coverage for all that reads bytes from outside",
        run: steps::fuzz,
    },
];

/// What became of a step.
struct Outcome {
    name: &'static str,
    took: Duration,
    result: Result<String>,
}

/// Runs the chosen steps.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut args = Args::new(arguments);
    let (only, skip, list) = (args.list("--only")?, args.list("--skip")?, args.flag("--list"));
    args.finish()?;
    if let Some(name) = only.iter().chain(&skip).find(|name| !STEPS.iter().any(|step| step.name == **name)) {
        bail!("there is no step {name:?}; `cargo xtask test --list` names them");
    }
    if list {
        STEPS.iter().for_each(|step| println!("{:12} {}", step.name, step.summary));
        return Ok(());
    }
    let chosen = |step: &&Step| chosen(step.name, &only, &skip);
    let outcomes: Vec<Outcome> = STEPS.iter().filter(chosen).map(run_step).collect();
    println!("\n{}", summary(&outcomes));
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    match failed {
        0 => Ok(()),
        failed => bail!("{failed} of {} steps failed", outcomes.len()),
    }
}

fn chosen(name: &str, only: &[String], skip: &[String]) -> bool {
    (only.is_empty() || only.iter().any(|wanted| wanted == name))
        && !skip.iter().any(|unwanted| unwanted == name)
}

fn run_step(step: &Step) -> Outcome {
    println!("\n── {}: {}", step.name, step.summary);
    let began = Instant::now();
    let result = (step.run)();
    let took = began.elapsed();
    match &result {
        Ok(found) => println!("── {} passed in {}: {found}", step.name, minutes(took)),
        Err(error) => println!("── {} FAILED after {}: {error:#}", step.name, minutes(took)),
    }
    Outcome { name: step.name, took, result }
}

fn summary(outcomes: &[Outcome]) -> String {
    let mut text = "summary\n".to_owned();
    for outcome in outcomes {
        let (mark, found) = match &outcome.result {
            Ok(found) => ("ok", found.clone()),
            Err(error) => ("FAILED", format!("{error:#}")),
        };
        // What a step found may have several lines; they stand under each other.
        let found = found.trim_end().replace('\n', &format!("\n{:34}", ""));
        text.push_str(&format!("  {:12} {:>9}  {mark:6}  {found}\n", outcome.name, minutes(outcome.took)));
    }
    let total: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
    text.push_str(&format!("  {:12} {:>9}\n", "all", minutes(total)));
    text
}

fn minutes(took: Duration) -> String {
    format!("{:.1} min", took.as_secs_f64() / 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_chosen_by_only_and_skip() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(chosen("fmt", &[], &[]));
        assert!(chosen("fmt", &list(&["fmt", "unit"]), &[]));
        assert!(!chosen("tidy", &list(&["fmt"]), &[]));
        assert!(!chosen("fmt", &[], &list(&["fmt"])));
    }

    #[test]
    fn summary_names_each_step_with_its_time_and_finding() {
        let outcomes = [
            Outcome {
                name: "fmt",
                took: Duration::from_secs(6),
                result: Ok("12 files\nall good".to_owned()),
            },
            Outcome {
                name: "unit",
                took: Duration::from_secs(90),
                result: Err(anyhow::anyhow!("2 tests failed")),
            },
        ];
        let text = summary(&outcomes);
        assert!(text.contains("fmt            0.1 min  ok      12 files\n"), "{text}");
        assert!(text.contains("unit           1.5 min  FAILED  2 tests failed\n"), "{text}");
        assert!(text.contains("all            1.6 min\n"), "{text}");
    }
}
