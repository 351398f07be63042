//! Who still hangs on which model: model by key, team, route, application and place in the code, with days left, spend and
//! the state of the plan to leave it.
//!
//! Uses, places and plans come in; lines go out, the nearest end first. *Does not know*: stores, files, the time of day.

mod report;

use std::collections::{BTreeMap, BTreeSet};

use pilothouse_catalog::{Catalog, Model, Status, day};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use serde::Serialize;

use crate::plan::{Plan, Standing};
use crate::scan::finding::{Report as Scan, Rule, Site};

pub use report::{markdown, table};

/// Most uses that one line names; their sums count all.
const USES_MAX: usize = 200;
/// Most places that one line names.
const PLACES_MAX: usize = 200;

/// What one key, application and name asked for came to at one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Use {
    /// The key's name; empty where there was none.
    pub key: String,
    /// Its team, where it has one.
    pub team: Option<String>,
    /// The route or model name that was asked for.
    pub route: String,
    /// The program.
    pub application: String,
    /// Calls.
    pub calls: u64,
    /// What is known of their cost.
    pub spend: PicoUsd,
    /// Calls of which no cost is known.
    pub cost_unknown: u64,
    /// The first of them, in milliseconds since 1970.
    pub first_seen: UnixMs,
    /// The last.
    pub last_seen: UnixMs,
}

/// A place in the code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, relative to what was scanned.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// `calls`, `defines`, …
    pub site: &'static str,
}

/// A plan to leave a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanState {
    /// Its file.
    pub file: String,
    /// Where it leads.
    pub to: String,
    /// How far it is.
    pub standing: Standing,
}

/// What the configuration says of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Who is responsible.
    pub owner: Option<String>,
    /// An end of the team's own, before the vendor's.
    pub retires: Option<String>,
}

/// One model at one provider.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The provider's name, or the catalogue's platform where only code names it.
    pub provider: String,
    /// The id on the wire.
    pub model: String,
    /// `active`, `scheduled`, `deprecated`, `retired`, or `unknown` where the catalogue does not know it.
    pub state: &'static str,
    /// The day under notice on which it stops.
    pub retires: Option<String>,
    /// Days until then; negative after it.
    pub days_left: Option<i64>,
    /// Who is responsible for leaving it.
    pub owner: Option<String>,
    /// What its vendor names instead.
    pub replacement: Vec<String>,
    /// Other platforms that serve it longer, with their day where there is one.
    pub elsewhere: Vec<(String, Option<String>)>,
    /// The plan to leave it.
    pub plan: Option<PlanState>,
    /// Calls in the time that was looked at.
    pub calls: u64,
    /// Its share of all calls, in tenths of a percent.
    pub calls_permille: u64,
    /// What is known of their cost.
    pub spend: PicoUsd,
    /// Calls of which no cost is known.
    pub cost_unknown: u64,
    /// The first and the last call.
    pub seen: Option<(UnixMs, UnixMs)>,
    /// How much hangs on it.
    pub blast_radius: BlastRadius,
    /// Who calls it, the most calls first.
    pub uses: Vec<Use>,
    /// Where the code names it, calls first.
    pub places: Vec<Place>,
}

/// How much hangs on a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlastRadius {
    /// Keys; calls without one count as one.
    pub keys: usize,
    /// Teams.
    pub teams: usize,
    /// Names that are asked for: routes and models.
    pub routes: usize,
    /// Programs.
    pub applications: usize,
    /// Places in the code that call it.
    pub sites: usize,
}

/// Everything, the nearest end first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Inventory {
    /// The day for which it holds.
    pub today: String,
    /// The time that was looked at, for people; `None` where there was no ledger.
    pub period: Option<String>,
    /// The folders whose code was read.
    pub scanned: Vec<String>,
    /// Calls of everything.
    pub calls: u64,
    /// A line a model.
    pub lines: Vec<Line>,
}

/// A provider or platform, and a model's id there.
type Named = (String, String);
/// A key, what was asked for, a program.
type UseKey = (String, String, String);

/// Gathers uses, places and plans.
pub struct Gather<'c> {
    catalog: &'c Catalog,
    now: UnixMs,
    uses: BTreeMap<Named, BTreeMap<UseKey, Use>>,
    places: BTreeMap<Named, BTreeSet<Place>>,
    plans: Vec<(Plan, String)>,
    declared: BTreeMap<String, Declared>,
    inventory: Inventory,
}

impl<'c> Gather<'c> {
    /// Nothing yet, as of a moment.
    #[must_use]
    pub fn new(catalog: &'c Catalog, now: UnixMs) -> Self {
        let inventory = Inventory { today: day::of(now), ..Inventory::default() };
        Self {
            catalog,
            now,
            uses: BTreeMap::new(),
            places: BTreeMap::new(),
            plans: Vec::new(),
            declared: BTreeMap::new(),
            inventory,
        }
    }

    /// Says which time the uses are of.
    pub fn of_period(&mut self, period: String) {
        self.inventory.period = Some(period);
    }

    /// Adds calls of `model` at the provider of that name. Several of one key, name and program are added up.
    pub fn add_use(&mut self, provider: &str, model: &str, call: Use) {
        self.inventory.calls = self.inventory.calls.saturating_add(call.calls);
        let uses = self.uses.entry((provider.to_owned(), model.to_owned())).or_default();
        let key = (call.key.clone(), call.route.clone(), call.application.clone());
        match uses.get_mut(&key) {
            None => drop(uses.insert(key, call)),
            Some(known) => {
                known.calls = known.calls.saturating_add(call.calls);
                known.spend += call.spend;
                known.cost_unknown = known.cost_unknown.saturating_add(call.cost_unknown);
                known.first_seen = known.first_seen.min(call.first_seen);
                known.last_seen = known.last_seen.max(call.last_seen);
            }
        }
    }

    /// Adds what a scan found of models. Suppressed findings count: the code still names the model.
    pub fn add_scan(&mut self, scan: &Scan, folder: &str) {
        self.inventory.scanned.push(folder.to_owned());
        for finding in &scan.findings {
            // A parameter has a line of its own: the place that names the model is the model's.
            let is_name = matches!(
                finding.rule,
                Rule::ModelRetired | Rule::ModelRetiring | Rule::ModelDeprecated | Rule::ModelUnknown
            );
            let Some(model) = finding.model.clone().filter(|_| is_name) else { continue };
            let place = Place {
                path: finding.place.path.to_string(),
                line: finding.place.line,
                site: site_name(finding.site),
            };
            self.places.entry(model).or_default().insert(place);
        }
    }

    /// Adds a plan and its file's name.
    pub fn add_plan(&mut self, plan: Plan, file: String) {
        self.plans.push((plan, file));
    }

    /// Adds what the configuration says of `provider/model`.
    pub fn declare(&mut self, target: String, declared: Declared) {
        self.declared.insert(target, declared);
    }

    /// The inventory. Without `all`, models are left out whose end nobody announced.
    #[must_use]
    pub fn finish(mut self, all: bool) -> Inventory {
        let uses = std::mem::take(&mut self.uses);
        let mut lines: Vec<Line> = uses
            .into_iter()
            .map(|((provider, model), uses)| self.line(provider, model, uses.into_values().collect()))
            .collect();
        // What only the code names.
        while let Some((platform, model)) = self.places.keys().next().cloned() {
            lines.push(self.line(platform.clone(), model.clone(), Vec::new()));
            // Each is looked at once, whatever the catalogue says of it.
            self.places.remove(&(platform, model));
        }
        lines.retain(|line| all || line.retires.is_some() || is_ending(line.state));
        lines.sort_by(|left, right| order(left).cmp(&order(right)));
        Inventory { lines, ..self.inventory }
    }

    fn line(&mut self, provider: String, model: String, mut uses: Vec<Use>) -> Line {
        let platform = self.catalog.vendor(&provider).map(|vendor| vendor.platform.clone());
        let platform = platform.unwrap_or_else(|| provider.clone());
        let known = self.catalog.model(&platform, &model).or_else(|| {
            let platform = self.catalog.platforms_of(&model).into_iter().next()?;
            self.catalog.model(&platform, &model)
        });
        let declared = self.declared.get(&format!("{provider}/{model}")).cloned().unwrap_or_default();
        let places = self.places_of(&platform, &model, known.as_ref());
        let deadline = known.as_ref().and_then(|known| known.deadline().map(str::to_owned));
        let retires = [deadline, declared.retires].into_iter().flatten().min();
        let radius = radius(&uses, &places);
        uses.sort_by(|left, right| {
            (right.calls, &left.key, &left.route).cmp(&(left.calls, &right.key, &right.route))
        });
        let calls = uses.iter().map(|one| one.calls).fold(0, u64::saturating_add);
        let seen = uses.iter().map(|one| (one.first_seen, one.last_seen));
        Line {
            state: known.as_ref().map_or("unknown", |known| known.status(self.now).as_str()),
            days_left: retires.as_deref().and_then(|day| day::days_until(day, self.now)),
            owner: declared.owner,
            replacement: known.as_ref().map(|known| known.replacement().to_vec()).unwrap_or_default(),
            elsewhere: known
                .as_ref()
                .map(|known| self.elsewhere(known, retires.as_deref()))
                .unwrap_or_default(),
            plan: self.plan_of(&provider, &model, known.as_ref()),
            calls,
            calls_permille: calls.saturating_mul(1000) / self.inventory.calls.max(1),
            spend: uses.iter().map(|one| one.spend).fold(PicoUsd::ZERO, |sum, one| sum + one),
            cost_unknown: uses.iter().map(|one| one.cost_unknown).fold(0, u64::saturating_add),
            seen: seen.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1))),
            blast_radius: radius,
            uses: uses.into_iter().take(USES_MAX).collect(),
            places,
            retires,
            provider,
            model,
        }
    }

    /// The places that mean the model, taken out of those that are left.
    fn places_of(&mut self, platform: &str, model: &str, known: Option<&Model>) -> Vec<Place> {
        let canonical = |platform: &str, id: &str| {
            let row = self.catalog.model(platform, id);
            row.map_or_else(|| id.to_owned(), |row| row.snapshot().unwrap_or(row.id()).to_owned())
        };
        let own =
            known.map_or_else(|| model.to_owned(), |known| known.snapshot().unwrap_or(known.id()).to_owned());
        let meant: Vec<(String, String)> = self
            .places
            .keys()
            .filter(|(of, id)| *of == platform && canonical(of, id) == own)
            .cloned()
            .collect();
        let mut places: Vec<Place> =
            meant.iter().filter_map(|key| self.places.remove(key)).flatten().collect();
        places.sort_by(|left, right| {
            (left.site != "calls", &left.path, left.line).cmp(&(
                right.site != "calls",
                &right.path,
                right.line,
            ))
        });
        places.dedup();
        places.truncate(PLACES_MAX);
        places
    }

    fn plan_of(&self, provider: &str, model: &str, known: Option<&Model>) -> Option<PlanState> {
        let named = format!("{provider}/{model}");
        let snapshot = known.and_then(Model::snapshot);
        let (plan, file) = self.plans.iter().find(|(plan, _)| {
            let from = plan.from.as_str();
            let bare = from.rsplit_once('/').map_or(from, |(_, bare)| bare);
            from == named || bare == model || Some(bare) == snapshot
        })?;
        Some(PlanState { file: file.clone(), to: plan.to.clone(), standing: plan.standing() })
    }

    /// Where else the same model is served, longer than here.
    fn elsewhere(&self, known: &Model, retires: Option<&str>) -> Vec<(String, Option<String>)> {
        let Some(retires) = retires else { return Vec::new() };
        let card = known.row().card.as_deref();
        let others = self.catalog.models().filter(|other| {
            card.is_some()
                && other.row().card.as_deref() == card
                && other.platform() != known.platform()
                && other.status(self.now) != Status::Retired
                && other.pricing().is_some()
                && other.deadline().is_none_or(|day| day > retires)
        });
        let mut days: BTreeMap<String, Option<String>> = BTreeMap::new();
        for other in others {
            // Of several ids on one platform, the latest day that is known.
            let day = other.deadline().map(str::to_owned);
            let known = days.entry(other.platform().to_owned()).or_default();
            if day > *known {
                *known = day;
            }
        }
        days.into_iter().take(6).collect()
    }
}

fn is_ending(state: &str) -> bool {
    state == Status::Deprecated.as_str() || state == Status::Retired.as_str()
}

/// The nearest end first, then the most calls.
fn order(line: &Line) -> (bool, Option<i64>, std::cmp::Reverse<u64>, &str, &str) {
    let no_day = line.days_left.is_none() && !is_ending(line.state);
    (no_day, line.days_left, std::cmp::Reverse(line.calls), &line.provider, &line.model)
}

fn radius(uses: &[Use], places: &[Place]) -> BlastRadius {
    let count = |of: &dyn Fn(&Use) -> Option<&str>| uses.iter().filter_map(of).collect::<BTreeSet<_>>().len();
    BlastRadius {
        keys: count(&|one| Some(&one.key)),
        teams: count(&|one| one.team.as_deref()),
        routes: count(&|one| Some(&one.route)),
        applications: count(&|one| {
            Some(&one.application).filter(|name| !name.is_empty()).map(String::as_str)
        }),
        sites: places.iter().filter(|place| place.site == "calls").count(),
    }
}

fn site_name(site: Site) -> &'static str {
    match site {
        Site::Calls => "calls",
        Site::Defines => "defines",
        Site::Opaque => "opaque",
        Site::Test => "test",
        Site::History => "history",
    }
}

#[cfg(test)]
mod tests;
