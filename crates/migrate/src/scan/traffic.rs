//! What a gateway's recorded traffic says of a scan: how much is called of what the files name, and what is called that
//! no file names.
//!
//! Pure: whoever has a store gives the sums. A model is the same here and there when the catalogue says so, whether one
//! side writes an alias and the other its snapshot.

use std::collections::{BTreeMap, BTreeSet};

use pilothouse_catalog::Catalog;
use pilothouse_core::money::PicoUsd;

use super::finding::Report;

/// What was called in some time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Which time, for people: `the last 7 days`.
    pub period: String,
    /// A row for each key and target; several of one key and target are added up.
    pub rows: Vec<Row>,
}

/// What one key called of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The virtual key; empty where there was none.
    pub key: String,
    /// The configured provider: the catalogue's vendor, or a name of the user's own.
    pub provider: String,
    /// The model's id on the wire.
    pub model: String,
    /// Calls.
    pub exchanges: u64,
    /// What is known of their cost.
    pub cost: PicoUsd,
    /// Calls of which no cost is known.
    pub cost_unknown: u64,
}

/// Traffic beside a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Which time.
    pub period: String,
    /// Calls in all.
    pub exchanges: u64,
    /// What is known of their cost.
    pub cost: PicoUsd,
    /// Models with a finding that were called, the most called first.
    pub found: Vec<Share>,
    /// Models that were called and that no file names, the most called first.
    pub unnamed: Vec<Share>,
}

/// What was called of one model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// The catalogue's platform, else the provider's name.
    pub platform: String,
    /// The model, as findings name it; else its id on the wire.
    pub model: String,
    /// Calls.
    pub exchanges: u64,
    /// Its calls among all, in tenths of a percent, rounded down.
    pub calls_permille: u64,
    /// How many keys called it; calls without a key count as one.
    pub keys: usize,
    /// What is known of their cost.
    pub cost: PicoUsd,
    /// Calls of which no cost is known.
    pub cost_unknown: u64,
}

impl Share {
    /// Its share of all calls for people: `41%`, `0.4%`, `<0.1%`.
    #[must_use]
    pub fn percent(&self) -> String {
        match self.calls_permille {
            0 if self.exchanges > 0 => "<0.1%".to_owned(),
            small @ 0..100 if small % 10 != 0 => format!("{}.{}%", small / 10, small % 10),
            more => format!("{}%", more / 10),
        }
    }
}

/// A model as both sides name it, and the name by which it is shown.
type Key = (Option<String>, String);

#[derive(Default)]
struct Sum {
    shown: (String, String),
    exchanges: u64,
    keys: BTreeSet<String>,
    cost: PicoUsd,
    cost_unknown: u64,
}

/// Joins a report with traffic. Both sides are looked up in the catalogue, so that `gpt-5-mini` in a file and
/// `gpt-5-mini-2025-08-07` on the wire are one model.
#[must_use]
pub fn join(report: &Report, traffic: &Traffic, catalog: &Catalog) -> Joined {
    let found: BTreeMap<Key, (String, String)> = report
        .findings
        .iter()
        .filter_map(|finding| finding.model.clone())
        .map(|(platform, id)| (of_platform(catalog, &platform, &id), (platform, id)))
        .collect();
    let named: BTreeSet<Key> = report
        .models
        .iter()
        .map(|(platform, id)| of_platform(catalog, platform, id))
        .chain(found.keys().cloned())
        .collect();
    let mut sums: BTreeMap<Key, Sum> = BTreeMap::new();
    for row in &traffic.rows {
        let key = of_provider(catalog, &row.provider, &row.model);
        let sum = sums.entry(key).or_default();
        sum.shown = (row.provider.clone(), row.model.clone());
        sum.exchanges = sum.exchanges.saturating_add(row.exchanges);
        sum.keys.insert(row.key.clone());
        sum.cost += row.cost;
        sum.cost_unknown = sum.cost_unknown.saturating_add(row.cost_unknown);
    }
    let exchanges = sums.values().map(|sum| sum.exchanges).sum();
    let cost = sums.values().map(|sum| sum.cost).sum();
    let mut joined = Joined { period: traffic.period.clone(), exchanges, cost, ..Joined::default() };
    for (key, sum) in sums {
        let same = |other: &&Key| is_same(&key, other);
        let found = found.iter().find(|(other, _)| same(other)).map(|(_, shown)| shown.clone());
        let list = match found {
            Some(_) => &mut joined.found,
            None if named.iter().any(|other| same(&other)) => continue,
            None => &mut joined.unnamed,
        };
        list.push(share(sum, found, exchanges));
    }
    for list in [&mut joined.found, &mut joined.unnamed] {
        list.sort_by(|left, right| {
            (right.exchanges, &left.platform, &left.model).cmp(&(
                left.exchanges,
                &right.platform,
                &right.model,
            ))
        });
    }
    joined
}

fn share(sum: Sum, found: Option<(String, String)>, all: u64) -> Share {
    let (platform, model) = found.unwrap_or(sum.shown);
    let permille = u128::from(sum.exchanges) * 1000 / u128::from(all.max(1));
    Share {
        platform,
        model,
        exchanges: sum.exchanges,
        calls_permille: u64::try_from(permille).unwrap_or(u64::MAX),
        keys: sum.keys.len(),
        cost: sum.cost,
        cost_unknown: sum.cost_unknown,
    }
}

/// A provider that no vendor is known of may be any platform: then the id alone decides.
fn is_same((left_platform, left): &Key, (right_platform, right): &Key) -> bool {
    let is_there = match (left_platform, right_platform) {
        (Some(left), Some(right)) => left == right,
        _ => true,
    };
    is_there && left == right
}

fn of_platform(catalog: &Catalog, platform: &str, id: &str) -> Key {
    (Some(platform.to_owned()), canonical(catalog, platform, id))
}

fn of_provider(catalog: &Catalog, provider: &str, id: &str) -> Key {
    match catalog.vendor(provider) {
        Some(vendor) => of_platform(catalog, &vendor.platform, id),
        None => {
            let platform = catalog.platforms_of(id).into_iter().next();
            (None, platform.map_or_else(|| id.to_owned(), |platform| canonical(catalog, &platform, id)))
        }
    }
}

/// The snapshot that a name means today, else the name itself.
fn canonical(catalog: &Catalog, platform: &str, id: &str) -> String {
    let known = catalog.model(platform, id);
    known.map_or_else(|| id.to_owned(), |model| model.snapshot().unwrap_or(model.id()).to_owned())
}

#[cfg(test)]
mod tests;
