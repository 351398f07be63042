//! Where to go from a model that ends: candidates in an order with reasons, and for each what of the code and of recorded
//! traffic it would refuse, what it would cost, and what must be tuned by hand.
//!
//! Code and exchanges come in, an [`Advice`] goes out; [`Advice::plan`] makes the file that people review and accept.
//! *Does not know*: stores, the file system, the time of day.

mod choose;
mod code;
mod file;
mod report;

use std::collections::HashMap;

use pilothouse_catalog::row::Class;
use pilothouse_catalog::{Benchmark, Catalog, Model, Support, day};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Exchange;
use pilothouse_core::money::PicoUsd;
use serde::Serialize;

use crate::lint::{self, Lint, Mode, Target, UnknownTarget};
use crate::scan::Scanner;
use crate::shelf::Shelf;

pub use code::{CodeFinding, Source};
pub use report::{markdown, table};

/// Candidates at most.
const CANDIDATES_MAX: usize = 6;

/// One model to go to, with all that is known of the way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// `vendor/model`.
    pub name: String,
    /// Why it is on the list, the strongest reason first.
    pub because: Vec<String>,
    /// Why it may be no candidate after all.
    pub against: Vec<String>,
    /// The day under notice on which it stops itself.
    pub retires: Option<String>,
    /// List prices of a million tokens: class, of the old model, of this one.
    pub prices: Vec<(String, Option<PicoUsd>, Option<PicoUsd>)>,
    /// Tokens: what, of the old model, of this one.
    pub sizes: Vec<(&'static str, Option<u64>, Option<u64>)>,
    /// What the old model can and this one cannot.
    pub lost: Vec<String>,
    /// Of that, what nothing is known of.
    pub unknown: Vec<String>,
    /// What this one can and the old model cannot.
    pub gained: Vec<String>,
    /// Scores that compare, of one benchmark in one setting: name, of the old model, of this one, source.
    pub benchmarks: Vec<(String, String, String, String)>,
    /// What recorded traffic would meet; `None` where there is none.
    pub traffic: Option<lint::Report>,
    /// What would be paid once because another model's cache is empty at first, at most.
    pub cache_loss: Option<PicoUsd>,
    /// What calls in the code would meet.
    pub code: Vec<CodeFinding>,
    /// What must be looked at by hand.
    pub by_hand: Vec<String>,
}

/// Where a model is still served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// The catalogue's platform.
    pub platform: String,
    /// The id there.
    pub id: String,
    /// The day under notice on which it stops there.
    pub retires: Option<String>,
    /// Days that moving there buys; `None` where no day is known there.
    pub buys_days: Option<i64>,
}

/// Where to go.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// The day for which it holds.
    pub today: String,
    /// The newest fact of the catalogue.
    pub catalogue_as_of: String,
    /// `vendor/model` that is left.
    pub from: String,
    /// The snapshot that it means, where it is a moving name.
    pub snapshot: Option<String>,
    /// The day under notice on which it stops.
    pub retires: Option<String>,
    /// Days until then.
    pub days_left: Option<i64>,
    /// Where its notice can be read.
    pub source: Option<String>,
    /// Other platforms that serve the same model.
    pub platforms: Vec<Platform>,
    /// Exchanges of the model that were looked at.
    pub exchanges: u64,
    /// Where the code names it.
    pub sites: Vec<code::CodeSite>,
    /// The candidates, the best first.
    pub candidates: Vec<Candidate>,
}

/// Gathers what is known of a model's use, for one candidate after the other.
pub struct Adviser<'c> {
    catalog: &'c Catalog,
    now: UnixMs,
    from: Target,
    model: Model,
    shelf: Shelf,
    lints: Vec<(Model, Target, Vec<String>, Lint)>,
    exchanges: u64,
    sources: Vec<Source>,
    /// Which recorded targets are the model, by provider and id.
    meant: HashMap<(String, String), bool>,
}

impl<'c> Adviser<'c> {
    /// For the model called `from`; `to` narrows the candidates to one.
    ///
    /// # Errors
    /// [`UnknownTarget`] where one of the names leads to no model.
    pub fn new(
        catalog: &'c Catalog,
        from: &str,
        to: Option<&str>,
        now: UnixMs,
    ) -> Result<Self, UnknownTarget> {
        let target = Target::find(catalog, from)?;
        let unknown = || UnknownTarget { name: from.to_owned(), near: Vec::new() };
        let model = target.model().cloned().ok_or_else(unknown)?;
        let shelf = Shelf::of(catalog);
        let chosen = match to {
            Some(to) => vec![(Target::find(catalog, to)?, vec!["it was asked for".to_owned()])],
            None => choose::candidates(catalog, &shelf, &target, &model, now),
        };
        let lints = chosen.into_iter().take(CANDIDATES_MAX).filter_map(|(target, because)| {
            let known = target.model().cloned()?;
            let lint = Lint::new(catalog, target.clone(), Mode::Fix, now);
            Some((known, target, because, lint))
        });
        Ok(Self {
            catalog,
            now,
            lints: lints.collect(),
            from: target,
            model,
            shelf,
            exchanges: 0,
            sources: Vec::new(),
            meant: HashMap::new(),
        })
    }

    /// Adds an exchange, with its request's body where that is kept. Those of other models are passed over.
    pub fn add(&mut self, exchange: &Exchange, body: Option<&[u8]>) {
        let Some(target) = &exchange.target else { return };
        // Looked up once a target: a lookup parses a row of the catalogue.
        let key = (target.vendor.to_string(), target.model.to_string());
        let is_meant = match self.meant.get(&key) {
            Some(is_meant) => *is_meant,
            None => {
                let platform = self.catalog.vendor(&key.0).map_or(key.0.as_str(), |vendor| &vendor.platform);
                let is_meant = platform == self.model.platform() && self.is_same(&key.1);
                self.meant.insert(key, is_meant);
                is_meant
            }
        };
        if !is_meant {
            return;
        }
        self.exchanges += 1;
        for (.., lint) in &mut self.lints {
            lint.add(exchange, body);
        }
    }

    fn is_same(&self, id: &str) -> bool {
        let canonical = |model: &Model| model.snapshot().unwrap_or(model.id()).to_owned();
        let own = canonical(&self.model);
        self.catalog
            .model(self.model.platform(), id)
            .map_or(id == self.model.id(), |model| canonical(&model) == own)
    }

    /// Adds a file of source code that names the model.
    pub fn add_source(&mut self, source: Source) {
        self.sources.push(source);
    }

    /// What all of it says.
    #[must_use]
    pub fn finish(self, scanner: &Scanner, since: Option<UnixMs>) -> Advice {
        let today = day::of(self.now);
        let is_same = |platform: &str, id: &str| platform == self.model.platform() && self.is_same(id);
        let sites = code::sites(&self.sources, &is_same);
        let old_findings = code::findings(scanner, &self.sources, None);
        let mut candidates: Vec<Candidate> = Vec::new();
        for (model, target, because, lint) in self.lints {
            let traffic = (self.exchanges > 0).then(|| lint.finish(since));
            let found = code::moved(scanner, &self.sources, &sites, &model, &old_findings);
            candidates.push(candidate(&self.model, &model, &target, because, traffic, found));
        }
        candidates.sort_by_key(Candidate::rank);
        let retires = self.model.deadline().map(str::to_owned);
        Advice {
            from: self.from.name(),
            snapshot: self.model.snapshot().map(str::to_owned),
            days_left: retires.as_deref().and_then(|day| day::days_until(day, self.now)),
            source: self.model.life().and_then(|life| life.source.clone()),
            platforms: choose::platforms(&self.shelf, &self.model, self.now),
            catalogue_as_of: self.catalog.rows().map(|row| row.as_of).max().unwrap_or_default(),
            exchanges: self.exchanges,
            candidates,
            retires,
            sites,
            today,
        }
    }
}

impl Candidate {
    /// The order: what would be refused goes behind, then the vendor's own word, then money.
    fn rank(&self) -> (u64, bool, Option<PicoUsd>, String) {
        let refused = self.traffic.as_ref().map_or(0, |report| {
            report
                .lines
                .iter()
                .filter(|line| line.severity == lint::Severity::Refused)
                .map(|line| line.all.exchanges)
                .sum()
        });
        let is_named = self.because.iter().any(|reason| reason.starts_with("named"));
        let cost = self.traffic.as_ref().map(|report| report.estimate.target_cost.about);
        let listed = self.prices.iter().find(|(class, ..)| class == "output").and_then(|(.., price)| *price);
        (refused, !is_named, cost.or(listed), self.name.clone())
    }
}

fn candidate(
    old: &Model,
    new: &Model,
    target: &Target,
    because: Vec<String>,
    traffic: Option<lint::Report>,
    code: Vec<CodeFinding>,
) -> Candidate {
    let price = |model: &Model, class: &Class| {
        let rows = model.row().prices.iter();
        let base = rows.into_iter().find(|card| card.tier.is_none() && card.above_tokens.is_none());
        base.and_then(|card| card.rates.get(class)).map(|price| price.times(1_000_000))
    };
    let classes = [Class::Input, Class::CacheRead, Class::Output];
    let prices =
        classes.iter().map(|class| (class.as_str().to_owned(), price(old, class), price(new, class)));
    let (lost, unknown, gained) = capabilities(old, new);
    let loss = traffic.as_ref().and_then(|report| {
        let (full, cached) = (price(new, &Class::Input)?, price(new, &Class::CacheRead)?);
        let per_million = full.0.checked_sub(cached.0)?;
        Some(PicoUsd(per_million.saturating_mul(i128::from(report.estimate.cached_tokens)) / 1_000_000))
    });
    let mut out = Candidate {
        name: target.name(),
        because,
        against: Vec::new(),
        retires: new.deadline().map(str::to_owned),
        prices: prices.collect(),
        sizes: vec![
            ("context", old.row().context_tokens, new.row().context_tokens),
            ("output", old.output_tokens_max(), new.output_tokens_max()),
        ],
        benchmarks: benchmarks(&old.benchmarks(), &new.benchmarks()),
        cache_loss: loss.filter(|loss| loss.0 > 0),
        by_hand: by_hand(old, new, traffic.as_ref(), &code),
        lost,
        unknown,
        gained,
        traffic,
        code,
    };
    out.against = against(&out);
    out
}

fn against(candidate: &Candidate) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(day) = &candidate.retires {
        found.push(format!("it retires itself on {day}"));
    }
    for (what, old, new) in &candidate.sizes {
        if let (Some(old), Some(new)) = (old, new)
            && new < old
        {
            found.push(format!("{what} of {new} tokens instead of {old}"));
        }
    }
    if let Some(report) = &candidate.traffic {
        for line in report.lines.iter().filter(|line| line.severity == lint::Severity::Refused) {
            found.push(format!(
                "{} of {} recorded calls would be refused: {}",
                line.all.exchanges, report.exchanges, line.title
            ));
        }
    }
    found
}

/// Capabilities that people would miss, and those they would win.
fn capabilities(old: &Model, new: &Model) -> (Vec<String>, Vec<String>, Vec<String>) {
    let of = |list: &[String], model: &Model, support| -> Vec<String> {
        list.iter().filter(|name| model.capability(name) == support).cloned().collect()
    };
    let old_can = &old.row().yes;
    (
        of(old_can, new, Support::No),
        of(old_can, new, Support::Unknown),
        new.row().yes.iter().filter(|name| old.capability(name) == Support::No).cloned().collect(),
    )
}

/// Scores that compare: of the same benchmark, version, metric and setting.
fn benchmarks(old: &[Benchmark], new: &[Benchmark]) -> Vec<(String, String, String, String)> {
    let mut found = Vec::new();
    for one in new {
        let same = |other: &&Benchmark| {
            other.name == one.name
                && other.version == one.version
                && other.metric == one.metric
                && other.setting == one.setting
        };
        if let Some(other) = old.iter().find(same) {
            let name = [Some(&one.name), one.version.as_ref()].into_iter().flatten().cloned();
            let name = name.collect::<Vec<_>>().join(" ");
            found.push((name, other.score.clone(), one.score.clone(), one.source.clone()));
        }
    }
    found
}

fn by_hand(old: &Model, new: &Model, traffic: Option<&lint::Report>, code: &[CodeFinding]) -> Vec<String> {
    let mut found = Vec::new();
    let effort = |model: &Model| model.row().effort_default.clone();
    if let (Some(before), Some(after)) = (effort(old), effort(new))
        && before != after
    {
        found.push(format!(
            "without a word on effort it reasons with `{after}`, not with `{before}`: say which you want"
        ));
    }
    if old.capability("reasoning") != Support::Yes && new.capability("reasoning") == Support::Yes {
        found.push(
            "it reasons before it answers: give output limits room, and expect the first word later"
                .to_owned(),
        );
    }
    let silent = traffic
        .iter()
        .flat_map(|report| &report.lines)
        .filter(|line| line.severity == lint::Severity::Silent);
    found.extend(silent.map(|line| format!("{}: {}", line.title, line.fix)));
    found.extend(
        code.iter()
            .filter(|one| !one.is_blocking)
            .map(|one| format!("{}:{}: {}", one.path, one.line, one.message)),
    );
    found.push("prompts were written for the old model: compare answers before the change".to_owned());
    found.dedup();
    found
}

#[cfg(test)]
mod tests;
