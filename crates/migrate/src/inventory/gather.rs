//! Gathers uses, places and plans, and makes lines of them.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use pilothouse_catalog::{Catalog, Model, Status, day};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;

use super::{Afterwards, BlastRadius, Declared, Inventory, Line, OnDay, Place, PlanState, Use};
use crate::plan::Plan;
use crate::scan::finding::{Report as Scan, Rule};
use crate::scan::report;
use crate::shelf::Shelf;

/// Most uses that one line names; their sums count all.
const USES_MAX: usize = 200;
/// Most places that one line names.
const PLACES_MAX: usize = 200;

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
    on_day: Option<OnDay>,
    platforms: BTreeMap<String, String>,
    /// The whole catalogue, once a line asks where else its model is served.
    shelf: OnceCell<Shelf>,
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
            on_day: None,
            platforms: BTreeMap::new(),
            shelf: OnceCell::new(),
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
                known.refused = known.refused.saturating_add(call.refused);
                known.passed_on = known.passed_on.saturating_add(call.passed_on);
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
                site: report::site(finding.site),
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
        self.declared.insert(target, Declared { is_configured: true, ..declared });
    }

    /// Says what calls get from the day on of a target that does not say it itself.
    pub fn on_every_day(&mut self, on_day: Option<OnDay>) {
        self.on_day = on_day;
    }

    /// Says on which of the catalogue's platforms a configured provider serves.
    pub fn add_provider(&mut self, name: String, platform: String) {
        self.platforms.insert(name, platform);
    }

    /// The inventory. Without `all`, models are left out whose end nobody announced.
    #[must_use]
    pub fn finish(mut self, all: bool) -> Inventory {
        let uses = std::mem::take(&mut self.uses);
        // What the configuration names and nobody calls any more: after its day, that is what people want to read.
        let is_called = |target: &str| {
            let (provider, model) = target.split_once('/')?;
            uses.contains_key(&(provider.to_owned(), model.to_owned())).then_some(())
        };
        let uncalled = self.declared.keys().filter(|target| is_called(target).is_none());
        let uncalled: Vec<Named> = uncalled
            .filter_map(|target| target.split_once('/'))
            .map(|(provider, model)| (provider.to_owned(), model.to_owned()))
            .collect();
        let mut lines: Vec<Line> = uses
            .into_iter()
            .map(|((provider, model), uses)| self.line(provider, model, uses.into_values().collect()))
            .collect();
        lines.extend(uncalled.into_iter().map(|(provider, model)| self.line(provider, model, Vec::new())));
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
        let platform = self.platform_of(&provider);
        let known = self.catalog.model(&platform, &model).or_else(|| {
            let platform = self.catalog.platforms_of(&model).into_iter().next()?;
            self.catalog.model(&platform, &model)
        });
        let declared = self.declared.get(&format!("{provider}/{model}")).cloned().unwrap_or_default();
        let places = self.places_of(&platform, &model, known.as_ref());
        let deadline = known.as_ref().and_then(|known| known.deadline().map(str::to_owned));
        let retires = [deadline, declared.retires.clone()].into_iter().flatten().min();
        let days_left = retires.as_deref().and_then(|end| day::days_until(end, self.now));
        let plan = self.plan_of(&provider, &model, known.as_ref(), &declared);
        let afterwards =
            retires.is_some().then(|| Afterwards::of(&provider, &declared, self.on_day, plan.as_ref()));
        let radius = radius(&uses, &places);
        let all = |one: &Use| one.calls.saturating_add(one.refused).saturating_add(one.passed_on);
        uses.sort_by(|left, right| {
            (all(right), &left.key, &left.route).cmp(&(all(left), &right.key, &right.route))
        });
        let count = |of: fn(&Use) -> u64| uses.iter().map(of).fold(0, u64::saturating_add);
        let calls = count(|one| one.calls);
        let seen = uses.iter().map(|one| (one.first_seen, one.last_seen));
        let elsewhere = known.as_ref().zip(retires.as_deref());
        Line {
            state: state(known.as_ref().map(|known| known.status(self.now)), days_left),
            days_left,
            owner: declared.owner,
            replacement: known.as_ref().map(|known| known.replacement().to_vec()).unwrap_or_default(),
            elsewhere: elsewhere.map(|(known, retires)| self.elsewhere(known, retires)).unwrap_or_default(),
            plan,
            afterwards,
            calls,
            calls_permille: calls.saturating_mul(1000) / self.inventory.calls.max(1),
            refused: count(|one| one.refused),
            passed_on: count(|one| one.passed_on),
            spend: uses.iter().map(|one| one.spend).fold(PicoUsd::ZERO, |sum, one| sum + one),
            cost_unknown: count(|one| one.cost_unknown),
            seen: seen.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1))),
            blast_radius: radius,
            uses: uses.into_iter().take(USES_MAX).collect(),
            places,
            retires,
            provider,
            platform,
            model,
        }
    }

    /// The catalogue's platform of a provider: as configured, else as its name says.
    fn platform_of(&self, provider: &str) -> String {
        if let Some(platform) = self.platforms.get(provider) {
            return platform.clone();
        }
        self.catalog.vendor(provider).map_or_else(|| provider.to_owned(), |vendor| vendor.platform.clone())
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

    /// The plan that the configuration names, else one that was found for the model.
    fn plan_of(
        &self,
        provider: &str,
        model: &str,
        known: Option<&Model>,
        declared: &Declared,
    ) -> Option<PlanState> {
        if let Some((plan, file)) = &declared.plan {
            return Some(PlanState::of(plan, file, true));
        }
        let named = format!("{provider}/{model}");
        let snapshot = known.and_then(Model::snapshot);
        let (plan, file) = self.plans.iter().find(|(plan, _)| {
            let from = plan.from.as_str();
            let bare = from.rsplit_once('/').map_or(from, |(_, bare)| bare);
            from == named || bare == model || Some(bare) == snapshot
        })?;
        Some(PlanState::of(plan, file, false))
    }

    /// Where else the same model is served, longer than here.
    fn elsewhere(&self, known: &Model, retires: &str) -> Vec<(String, Option<String>)> {
        let others = self.shelf.get_or_init(|| Shelf::of(self.catalog)).elsewhere(known).filter(|other| {
            other.status(self.now) != Status::Retired
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

/// Where a model stands: a day of the team's own counts as one of the vendor's.
fn state(known: Option<Status>, days_left: Option<i64>) -> &'static str {
    let known = known.map_or("unknown", Status::as_str);
    match days_left {
        Some(..=0) => Status::Retired.as_str(),
        Some(_) if !is_ending(known) => Status::Deprecated.as_str(),
        _ => known,
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
        projects: count(&|one| one.project.as_deref()),
        routes: count(&|one| Some(&one.route)),
        applications: count(&|one| {
            Some(&one.application).filter(|name| !name.is_empty()).map(String::as_str)
        }),
        sites: places.iter().filter(|place| place.site == "calls").count(),
    }
}
