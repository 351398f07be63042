//! `pilothouse migrate status`: who still hangs on which model.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use pilothouse_catalog::{Catalog, day};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Exchange;
use pilothouse_core::money::PicoUsd;
use pilothouse_gateway::config::{OnRetired, Source as Config};
use pilothouse_migrate::inventory::{self, Declared, Gather, Line, OnDay, Use};
use pilothouse_migrate::lifecycle::absence;
use pilothouse_migrate::plan::Plan;
use pilothouse_migrate::scan::{Options, Scanner};
use pilothouse_store::Filter;
use pilothouse_store::keys::Grants;

use crate::commands::logs::source::When;
use crate::commands::models::calendar::{self, End};

use super::recorded;
use super::sources::Sources;

/// Shows who still hangs on which model: calls, keys, teams, projects, routes, applications, code, days left, plans, and what
/// calls get from the day on.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Status {
    /// Calls from this time on: 30d, 2026-11-01 or 2026-11-01T12:00:00Z.
    #[arg(long, value_name = "TIME", default_value = "30d")]
    since: When,
    /// The day for which it holds, such as 2026-12-11; today where not given.
    #[arg(long, value_name = "DATE")]
    today: Option<jiff::civil::Date>,
    /// The folder with plans.
    #[arg(long, value_name = "DIR", default_value = "plans")]
    plans: PathBuf,
    /// The configuration, for owners, own dates and teams; `pilothouse.toml` where it is there.
    #[arg(long, short, value_name = "FILE", env = "PILOTHOUSE_CONFIG")]
    config: Option<PathBuf>,
    /// Models without an end as well.
    #[arg(long)]
    all: bool,
    /// One JSON document.
    #[arg(long, conflicts_with_all = ["markdown", "ics"])]
    json: bool,
    /// Markdown, for a weekly report.
    #[arg(long, conflicts_with = "ics")]
    markdown: bool,
    /// An iCalendar file of the ends that are still ahead, with what hangs on each.
    #[arg(long)]
    ics: bool,
    #[command(flatten)]
    sources: Sources,
}

impl Status {
    pub(super) fn run(
        &self,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        now: UnixMs,
    ) -> anyhow::Result<ExitCode> {
        let now = match self.today {
            None => now,
            Some(date) => day::start_of(&date.to_string()).context("--today: a day of 1970 or later")?,
        };
        let catalog = self.sources.catalog()?;
        let mut gather = Gather::new(&catalog, now);
        let mut known = self.declared(&mut gather, &catalog, notes)?;
        self.traffic(&mut gather, &mut known.keys, notes, now)?;
        self.code(&mut gather, &catalog, notes, now)?;
        self.add_plans(&mut gather, &known.plans, notes)?;
        let inventory = gather.finish(self.all);
        if self.ics {
            calendar::write(inventory.lines.iter().filter_map(|line| end(&catalog, line)), out, now)?;
        } else if self.json {
            writeln!(out, "{:#}", serde_json::to_value(&inventory)?)?;
        } else if self.markdown {
            write!(out, "{}", inventory::markdown(&inventory))?;
        } else {
            write!(out, "{}", inventory::table(&inventory))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What the configuration says of targets, providers and keys.
    fn declared(
        &self,
        gather: &mut Gather<'_>,
        catalog: &Catalog,
        notes: &mut dyn Write,
    ) -> anyhow::Result<Known> {
        let usual = PathBuf::from("pilothouse.toml");
        let Some(path) = self.config.clone().or_else(|| usual.exists().then_some(usual)) else {
            return Ok(Known::default());
        };
        let source = Config::read(&path)?;
        for (name, provider) in &source.file.providers {
            let vendor = provider.vendor.as_ref().map_or(name.get_ref(), |vendor| vendor.get_ref());
            let platform = match &provider.platform {
                Some(platform) => Some(platform.get_ref().clone()),
                None => catalog.vendor(vendor).map(|vendor| vendor.platform.clone()),
            };
            gather.add_provider(name.get_ref().clone(), platform.unwrap_or_else(|| vendor.clone()));
        }
        let mut known = Known::default();
        gather.on_every_day(source.file.lifecycle.on_retired.map(on_day));
        for (target, life) in &source.file.lifecycle.targets {
            let retires =
                life.retires.as_ref().map(|day| day.get_ref().to_string().chars().take(10).collect());
            let declared = Declared {
                owner: life.owner.clone(),
                retires,
                on_day: life.on_retired.map(on_day),
                successor: life.successor.as_ref().map(|successor| successor.get_ref().clone()),
                plan: match &life.plan {
                    Some(plan) => known.plan(&source.folder(), plan.get_ref(), notes)?,
                    None => None,
                },
                ..Declared::default()
            };
            gather.declare(target.get_ref().clone(), declared);
        }
        let keys = source.file.keys.iter();
        known.keys = keys
            .map(|(name, key)| {
                let team = key.team.as_ref().map(|team| team.get_ref().clone());
                (name.get_ref().clone(), Belongs { team, project: key.project.clone() })
            })
            .collect();
        Ok(known)
    }

    fn traffic(
        &self,
        gather: &mut Gather<'_>,
        keys: &mut BTreeMap<String, Belongs>,
        notes: &mut dyn Write,
        now: UnixMs,
    ) -> anyhow::Result<()> {
        let Some((reader, folder)) = self.sources.ledger(notes)? else { return Ok(()) };
        if let Ok(minted) = pilothouse_store::keys::Keys::look(folder).and_then(|minted| minted.list()) {
            keys.extend(minted.into_iter().map(|row| {
                let Grants { team, project, .. } = row.grants;
                (row.name, Belongs { team, project })
            }));
        }
        let since = self.since.from(now);
        gather.of_period(format!("since {}", day::of(since)));
        let filter = Filter { since: Some(since), ..Filter::default() };
        recorded::each(&reader, &filter, |exchange| {
            let Belongs { team, project } = keys.get(&*exchange.caller.key).cloned().unwrap_or_default();
            let one = Use { team, project, ..of_caller(exchange) };
            for (provider, model) in absent(exchange) {
                let is_answered = exchange.target.is_some();
                let (refused, passed_on) = (u64::from(!is_answered), u64::from(is_answered));
                gather.add_use(provider, model, Use { refused, passed_on, ..one.clone() });
            }
            if let Some(target) = &exchange.target {
                let cost = exchange.bill.cost.known();
                let (spend, cost_unknown) = (cost.unwrap_or(PicoUsd::ZERO), u64::from(cost.is_none()));
                gather.add_use(&target.vendor, &target.model, Use { calls: 1, spend, cost_unknown, ..one });
            }
        })
    }

    fn code(
        &self,
        gather: &mut Gather<'_>,
        catalog: &Catalog,
        notes: &mut dyn Write,
        now: UnixMs,
    ) -> anyhow::Result<()> {
        let paths = self.sources.code(notes)?;
        if paths.is_empty() {
            return Ok(());
        }
        let scanner = Scanner::new(catalog.clone(), Options::on(&day::of(now))).of_paths(&paths);
        let report = scanner.scan(&paths);
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        gather.add_scan(&report, &names.join(", "));
        Ok(())
    }

    /// Adds the plans of the folder, but for those that the configuration names.
    fn add_plans(
        &self,
        gather: &mut Gather<'_>,
        known: &BTreeSet<PathBuf>,
        notes: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let Ok(entries) = std::fs::read_dir(&self.plans) else { return Ok(()) };
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|kind| kind == "toml"));
        files.retain(|path| path.canonicalize().is_ok_and(|path| !known.contains(&path)));
        files.sort();
        for path in files {
            if let Some((plan, name)) = read_plan(&path, notes)? {
                gather.add_plan(plan, name);
            }
        }
        Ok(())
    }
}

/// What the configuration says besides what it says of targets.
#[derive(Debug, Default)]
struct Known {
    keys: BTreeMap<String, Belongs>,
    /// The plans that it names, as their files lie on the disk.
    plans: BTreeSet<PathBuf>,
}

/// Whose key it is.
#[derive(Clone, Debug, Default)]
struct Belongs {
    team: Option<String>,
    project: Option<String>,
}

impl Known {
    /// A plan that the configuration names; `None`, with a note, where it is none.
    fn plan(
        &mut self,
        folder: &Path,
        named: &Path,
        notes: &mut dyn Write,
    ) -> anyhow::Result<Option<(Plan, String)>> {
        let path = folder.join(named);
        if let Ok(path) = path.canonicalize() {
            self.plans.insert(path);
        }
        let read = read_plan(&path, notes)?;
        Ok(read.map(|(plan, _)| (plan, named.display().to_string())))
    }
}

fn read_plan(path: &Path, notes: &mut dyn Write) -> anyhow::Result<Option<(Plan, String)>> {
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            writeln!(notes, "{name}: not read as a plan: {error}")?;
            return Ok(None);
        }
    };
    match Plan::read(&text, &name) {
        Ok(plan) => Ok(Some((plan, name))),
        Err(error) => {
            writeln!(notes, "not read as a plan: {error}")?;
            Ok(None)
        }
    }
}

const fn on_day(given: OnRetired) -> OnDay {
    match given {
        OnRetired::Successor => OnDay::Successor,
        OnRetired::Fail => OnDay::Fail,
    }
}

/// Who calls, and when.
fn of_caller(exchange: &Exchange) -> Use {
    Use {
        key: exchange.caller.key.to_string(),
        route: exchange.asked.to_string(),
        application: exchange.caller.application.to_string(),
        first_seen: exchange.started_at,
        last_seen: exchange.started_at,
        ..Use::default()
    }
}

/// The targets that did not take a call because they end, as its receipt says.
fn absent(exchange: &Exchange) -> impl Iterator<Item = (&str, &str)> {
    let notes = exchange.receipt.as_ref().map(|receipt| receipt.notes.as_slice()).unwrap_or_default();
    notes.iter().filter_map(absence::target_of).filter_map(|target| target.split_once('/'))
}

/// The event of a model that ends and has not: what calls get then, who hangs on it, who takes care of it.
fn end(catalog: &Catalog, line: &Line) -> Option<End> {
    let day = line.retires.clone().filter(|_| line.days_left.is_some_and(|days| days > 0))?;
    let next = line.afterwards.as_ref().map(ToString::to_string).unwrap_or_default();
    let radius = line.blast_radius;
    let mut about =
        format!("{} calls, {} keys, {} places in the code.", line.calls, radius.keys, radius.sites);
    if !line.replacement.is_empty() {
        about.push_str(&format!(" Its vendor names {}.", line.replacement.join(", ")));
    }
    match &line.plan {
        Some(plan) => {
            about.push_str(&format!(" Plan: {} to {}, {}.", plan.file, plan.to, plan.standing.as_str()))
        }
        None => about.push_str(" No plan."),
    }
    about.push_str(&format!(" Owner: {}.", line.owner.as_deref().unwrap_or("nobody")));
    let known = catalog.model(&line.platform, &line.model);
    let url = known.and_then(|known| known.life().and_then(|life| life.source.clone()));
    Some(End { name: format!("{}/{}", line.provider, line.model), day, next, about, url })
}
