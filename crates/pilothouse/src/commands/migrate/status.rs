//! `pilothouse migrate status`: who still hangs on which model.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use pilothouse_catalog::{Catalog, Model, day};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use pilothouse_gateway::config::Source as Config;
use pilothouse_migrate::inventory::{self, Declared, Gather, Inventory, Use};
use pilothouse_migrate::plan::Plan;
use pilothouse_migrate::scan::{Options, Scanner};
use pilothouse_store::{Filter, Reader, Trace};

use crate::commands::logs::source::When;
use crate::commands::models::{calendar, load};

use super::recorded;

/// Shows who still hangs on which model: calls, keys, teams, routes, applications, code, days left, plans.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Status {
    /// Calls from this time on: 30d, 2026-11-01 or 2026-11-01T12:00:00Z.
    #[arg(long, value_name = "TIME", default_value = "30d")]
    since: When,
    /// Files and folders whose code is read; this folder where it is a git work tree.
    #[arg(long, value_name = "PATH")]
    path: Vec<PathBuf>,
    /// Read no code.
    #[arg(long, conflicts_with = "path")]
    no_code: bool,
    /// The folder with plans.
    #[arg(long, value_name = "DIR", default_value = "plans")]
    plans: PathBuf,
    /// The configuration, for owners, own dates and teams; `pilothouse.toml` where it is there.
    #[arg(long, short, value_name = "FILE", env = "PILOTHOUSE_CONFIG")]
    config: Option<PathBuf>,
    /// The data folder with the ledger; the usual one where it is there.
    #[arg(long, value_name = "DIR", env = "PILOTHOUSE_DATA")]
    data: Option<PathBuf>,
    /// An overlay or a refreshed file laid over the bundled catalogue (repeatable, the last one wins).
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// Models without an end as well.
    #[arg(long)]
    all: bool,
    /// One JSON document.
    #[arg(long, conflicts_with_all = ["markdown", "ics"])]
    json: bool,
    /// Markdown, for a weekly report.
    #[arg(long, conflicts_with = "ics")]
    markdown: bool,
    /// An iCalendar file of the ends of what is in use.
    #[arg(long)]
    ics: bool,
}

impl Status {
    pub(super) fn run(
        &self,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        now: UnixMs,
    ) -> anyhow::Result<ExitCode> {
        let catalog = load(&self.catalog)?;
        let mut gather = Gather::new(&catalog, now);
        let teams = self.declared(&mut gather)?;
        self.traffic(&mut gather, teams, notes, now)?;
        self.code(&mut gather, &catalog, now);
        self.add_plans(&mut gather, notes)?;
        let inventory = gather.finish(self.all);
        if self.ics {
            calendar::write(&models(&catalog, &inventory), out, now)?;
        } else if self.json {
            writeln!(out, "{:#}", serde_json::to_value(&inventory)?)?;
        } else if self.markdown {
            write!(out, "{}", inventory::markdown(&inventory))?;
        } else {
            write!(out, "{}", inventory::table(&inventory))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What the configuration says of targets; gives the teams of its keys.
    fn declared(&self, gather: &mut Gather<'_>) -> anyhow::Result<BTreeMap<String, String>> {
        let usual = PathBuf::from("pilothouse.toml");
        let Some(path) = self.config.clone().or_else(|| usual.exists().then_some(usual)) else {
            return Ok(BTreeMap::new());
        };
        let source = Config::read(&path)?;
        for (target, life) in &source.file.lifecycle.targets {
            let retires =
                life.retires.as_ref().map(|day| day.get_ref().to_string().chars().take(10).collect());
            gather.declare(target.get_ref().clone(), Declared { owner: life.owner.clone(), retires });
        }
        let keys = source.file.keys.iter();
        let of_team = keys
            .filter_map(|(name, key)| Some((name.get_ref().clone(), key.team.as_ref()?.get_ref().clone())));
        Ok(of_team.collect())
    }

    fn traffic(
        &self,
        gather: &mut Gather<'_>,
        mut teams: BTreeMap<String, String>,
        notes: &mut dyn Write,
        now: UnixMs,
    ) -> anyhow::Result<()> {
        let usual = Path::new("./.pilothouse");
        let folder = self.data.as_deref().unwrap_or(usual);
        if self.data.is_none() && Trace::of(folder) != Trace::Present {
            writeln!(
                notes,
                "no ledger at {}: name its folder with --data to see who calls",
                folder.display()
            )?;
            return Ok(());
        }
        let reader = Reader::open(folder)?;
        if let Ok(keys) = pilothouse_store::keys::Keys::look(folder).and_then(|keys| keys.list()) {
            teams.extend(keys.into_iter().filter_map(|row| Some((row.name, row.grants.team?))));
        }
        let since = self.since.from(now);
        gather.of_period(format!("since {}", day::of(since)));
        let filter = Filter { since: Some(since), ..Filter::default() };
        recorded::each(&reader, &filter, |exchange| {
            let Some(target) = &exchange.target else { return };
            let team = teams.get(&*exchange.caller.key).cloned();
            gather.add_use(&target.vendor, &target.model, Use { team, ..of_exchange(exchange) });
        })
    }

    fn code(&self, gather: &mut Gather<'_>, catalog: &Catalog, now: UnixMs) {
        let is_work_tree = Path::new(".git").exists();
        let paths = match self.path.as_slice() {
            [] if self.no_code || !is_work_tree => return,
            [] => vec![PathBuf::from(".")],
            given => given.to_vec(),
        };
        let scanner = Scanner::new(catalog.clone(), Options::on(&day::of(now)));
        let report = scanner.scan(&paths);
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        gather.add_scan(&report, &names.join(", "));
    }

    fn add_plans(&self, gather: &mut Gather<'_>, notes: &mut dyn Write) -> anyhow::Result<()> {
        let Ok(entries) = std::fs::read_dir(&self.plans) else { return Ok(()) };
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|kind| kind == "toml"));
        files.sort();
        for path in files {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path).with_context(|| name.clone())?;
            match Plan::read(&text, &name) {
                Ok(plan) => gather.add_plan(plan, name),
                Err(error) => writeln!(notes, "not read as a plan: {error}")?,
            }
        }
        Ok(())
    }
}

fn of_exchange(exchange: &pilothouse_core::exchange::Exchange) -> Use {
    let cost = exchange.bill.cost.known();
    Use {
        key: exchange.caller.key.to_string(),
        team: None,
        route: exchange.asked.to_string(),
        application: exchange.caller.application.to_string(),
        calls: 1,
        spend: cost.unwrap_or(PicoUsd::ZERO),
        cost_unknown: u64::from(cost.is_none()),
        first_seen: exchange.started_at,
        last_seen: exchange.started_at,
    }
}

/// The catalogue's models that are in use.
fn models(catalog: &Catalog, inventory: &Inventory) -> Vec<Model> {
    let platform = |provider: &str| {
        catalog.vendor(provider).map_or(provider.to_owned(), |vendor| vendor.platform.clone())
    };
    inventory.lines.iter().filter_map(|line| catalog.model(&platform(&line.provider), &line.model)).collect()
}
