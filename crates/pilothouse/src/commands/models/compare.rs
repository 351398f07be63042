//! `pilothouse models check`: whether the catalogue keeps its own rules, and what vendors' own lists say against it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use pilothouse_catalog::{Catalog, check};
use pilothouse_core::clock::UnixMs;
use pilothouse_gateway::config::Source;
use pilothouse_gateway::listing::{self, Listed};
use pilothouse_gateway::metrics::Metrics;
use pilothouse_gateway::plan::{self, Environment, Plan};
use pilothouse_migrate::refresh::live::{Difference, Listing, compare, read};
use serde_json::json;

/// Most differences of one kind that are listed of one provider; their number is told in any case.
const SHOWN_MAX: usize = 20;

/// Checks the catalogue, and compares it with the lists of the configured providers.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// An overlay or a refreshed file laid over the bundled catalogue (repeatable, the last one wins).
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// The configuration whose providers are asked for their models; `pilothouse.toml` where it is there.
    #[arg(long, short, value_name = "FILE", env = "PILOTHOUSE_CONFIG")]
    config: Option<PathBuf>,
    /// Ask nobody: check the catalogue itself only.
    #[arg(long)]
    offline: bool,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// What was found of one provider.
struct Compared {
    provider: String,
    outcome: Result<Vec<Difference>, String>,
}

impl Check {
    pub(super) fn run(self, out: &mut dyn Write, now: UnixMs) -> Result<ExitCode> {
        let plan = self.plan()?;
        let catalog = match &plan {
            // What the configuration lays over the catalogue counts, unless other files are named.
            Some(plan) if self.catalog.is_empty() => plan.catalog.clone(),
            _ => super::load(&self.catalog)?,
        };
        let problems = check::problems(&catalog);
        let compared = match &plan {
            Some(plan) if !self.offline => compare_all(plan, &catalog, now)?,
            _ => Vec::new(),
        };
        if self.json {
            write_json(out, &problems, &compared)?;
        } else {
            write_problems(out, &catalog, &problems)?;
            compared.iter().try_for_each(|one| write_compared(out, one))?;
            if plan.is_none() && !self.offline {
                writeln!(
                    out,
                    "no configuration, so no provider was asked for its models; name one with --config"
                )?;
            }
        }
        let faults = compared.iter().filter_map(|one| one.outcome.as_ref().ok()).flatten();
        let is_good = problems.is_empty() && !faults.into_iter().any(Difference::is_fault);
        Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    fn plan(&self) -> Result<Option<Plan>> {
        let usual = PathBuf::from("pilothouse.toml");
        let Some(path) = self.config.clone().or_else(|| usual.exists().then_some(usual)) else {
            return Ok(None);
        };
        let source = Source::read(&path)?;
        let environment = Environment::of_process(&source);
        let listen = plan::listen_address(&source)?;
        Ok(Some(plan::build(&source, &environment, listen, 1, &Arc::new(Metrics::default()))?))
    }
}

fn compare_all(plan: &Plan, catalog: &Catalog, now: UnixMs) -> Result<Vec<Compared>> {
    let listed = listing::ask(plan).context("providers cannot be asked")?;
    Ok(listed.into_iter().map(|listed| compare_one(catalog, listed, now)).collect())
}

fn compare_one(catalog: &Catalog, listed: Listed, now: UnixMs) -> Compared {
    let Listed { provider, platform, pages } = listed;
    let outcome = pages.and_then(|pages| {
        let mut listing = Listing { provider: provider.clone(), platform, ..Listing::default() };
        for page in &pages {
            listing.models.extend(read(page).ok_or("what it answered is no list of models")?);
        }
        Ok(compare(catalog, &listing, now))
    });
    Compared { provider, outcome }
}

fn write_problems(out: &mut dyn Write, catalog: &Catalog, problems: &[String]) -> Result<()> {
    if problems.is_empty() {
        let (models, vendors) = (catalog.models().count(), catalog.vendors().len());
        writeln!(out, "the catalogue is consistent: {models} models, {vendors} vendors")?;
        return Ok(());
    }
    for problem in problems {
        writeln!(out, "{problem}")?;
    }
    writeln!(out, "{} problems; correct the overlay, or report them if there is none", problems.len())?;
    Ok(())
}

fn write_compared(out: &mut dyn Write, Compared { provider, outcome }: &Compared) -> Result<()> {
    let differences = match outcome {
        Err(why) => {
            writeln!(out, "{provider}: not compared: {why}")?;
            return Ok(());
        }
        Ok(differences) if differences.is_empty() => {
            writeln!(out, "{provider}: its list says what the catalogue says")?;
            return Ok(());
        }
        Ok(differences) => differences,
    };
    let (faults, rest): (Vec<_>, Vec<_>) = differences.iter().partition(|one| one.is_fault());
    writeln!(
        out,
        "{provider}: {} that break calls sooner than the catalogue says, {} more",
        faults.len(),
        rest.len()
    )?;
    for (mark, list) in [("✗", faults), ("·", rest)] {
        for difference in list.iter().take(SHOWN_MAX) {
            writeln!(out, "  {mark} {difference}")?;
        }
        if list.len() > SHOWN_MAX {
            writeln!(out, "  {mark} and {} more; --json lists them all", list.len() - SHOWN_MAX)?;
        }
    }
    Ok(())
}

fn write_json(out: &mut dyn Write, problems: &[String], compared: &[Compared]) -> Result<()> {
    let providers = compared.iter().map(|one| match &one.outcome {
        Err(why) => json!({ "provider": one.provider, "not_compared": why }),
        Ok(differences) => {
            let list = differences.iter().map(|difference| {
                json!({ "says": difference.to_string(), "breaks_sooner": difference.is_fault() })
            });
            json!({ "provider": one.provider, "differences": list.collect::<Vec<_>>() })
        }
    });
    let document = json!({ "problems": problems, "providers": providers.collect::<Vec<_>>() });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use pilothouse_catalog::day;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        check: Check,
    }

    fn run(arguments: &[&str]) -> (bool, String) {
        let line = Line::try_parse_from([&["check"], arguments].concat()).expect("valid arguments");
        let mut out = Vec::new();
        let code = line.check.run(&mut out, day::start_of("2026-11-23").expect("a day")).expect("runs");
        (code == ExitCode::SUCCESS, String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn lists_of_vendors_that_answer_are_compared_and_who_does_not_answer_is_named() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let fleet =
            runtime.block_on(pilothouse_sim::start(pilothouse_sim::Options::default())).expect("a fleet");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pilothouse.toml");
        let address = fleet.addr();
        let config = format!(
            "[providers.openai]\nbase_url = \"http://{address}/v1\"\napi_key = \"sk-simulated\"\n\
             [providers.anthropic]\nbase_url = \"http://{address}\"\napi_key = \"sk-simulated\"\n\
             [providers.groq]\nbase_url = \"http://127.0.0.1:9/v1\"\napi_key = \"sk-simulated\"\n"
        );
        std::fs::write(&path, config).expect("written");
        let path = path.display().to_string();
        let (is_good, printed) = run(&["--config", &path]);
        assert!(printed.contains("the catalogue is consistent"), "{printed}");
        assert!(printed.contains("groq: not compared: it could not be asked"), "{printed}");
        // The fleet serves a few models only, so most of the catalogue's are missing from its list.
        assert!(printed.contains("is in service by the catalogue and not listed") && !is_good, "{printed}");
        assert!(printed.contains("\nanthropic: "), "{printed}");
        let (is_good, printed) = run(&["--config", &path, "--offline"]);
        assert!(is_good && printed.lines().count() == 1, "{printed}");
    }
}
