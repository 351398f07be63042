//! How long answers are expected to be, per route and target: learned from what is settled, and leaning on the ledger's roll-ups
//! of each target at first. In memory; it outlives reloads.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::{Exchange, Outcome, TargetUsed};
use pilothouse_core::usage::{Bill, Provenance};
use pilothouse_routing::output::ExpectedOutput;
use pilothouse_store::{By, Filter, Reader, StoreError, UsageQuery};

/// Roll-ups of so many days tell how long a target's answers were.
const DAYS: u64 = 14;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Answers on one route that are learned from at most.
const ANSWERS_MAX: usize = 1000;

/// What a ledger has told of the answers' lengths of one route.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Answers on the route that were learned from, by `provider/model`.
    pub(crate) answers: BTreeMap<String, u32>,
    /// Mean tokens of output on all routes, by `provider/model`.
    pub(crate) means: BTreeMap<String, u32>,
}

/// What is known of answers' lengths.
#[derive(Debug, Default)]
pub struct Outputs(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// By route, then `provider/model`.
    routes: BTreeMap<(Box<str>, Box<str>), Arc<ExpectedOutput>>,
    /// Mean tokens of output by `provider/model`, from the ledger.
    means: BTreeMap<String, u32>,
}

impl Outputs {
    /// Those of a target on a route.
    pub(crate) fn of(&self, route: &str, target: &str) -> Arc<ExpectedOutput> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = &mut *known;
        let place = known.routes.entry((route.into(), target.into()));
        let expected = place.or_insert_with(|| {
            let expected = ExpectedOutput::default();
            if let Some(mean) = known.means.get(target) {
                expected.lean_on(*mean);
            }
            Arc::new(expected)
        });
        Arc::clone(expected)
    }

    /// Reads the means of all targets out of the ledger of a data folder.
    ///
    /// # Errors
    /// The disk's refusal.
    pub(crate) fn read(&self, data_dir: &Path, now: UnixMs) -> Result<(), StoreError> {
        let since = UnixMs(now.0.saturating_sub(DAYS * DAY_MS));
        let query = UsageQuery { by: By::Model, since: Some(since), until: None };
        let report = Reader::open(data_dir)?.usage(&query)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in report.rows {
            let (Some(name), reported) = (row.name, row.totals.reported) else { continue };
            let answers = u128::from(reported.exchanges) + u128::from(reported.answers);
            let mean = reported.tokens.output_total().checked_div(answers);
            if let Some(mean) = mean {
                known.means.insert(name, u32::try_from(mean).unwrap_or(u32::MAX));
            }
        }
        for ((_, target), expected) in &known.routes {
            if let Some(mean) = known.means.get(&**target) {
                expected.lean_on(*mean);
            }
        }
        Ok(())
    }

    /// Learns from a ledger what a gateway would know of a route that had seen its newest answers itself.
    ///
    /// # Errors
    /// The disk's refusal.
    pub(crate) fn learn_of(&self, data_dir: &Path, route: &str, now: UnixMs) -> Result<Seen, StoreError> {
        self.read(data_dir, now)?;
        let filter = Filter {
            since: Some(UnixMs(now.0.saturating_sub(DAYS * DAY_MS))),
            model: Some(route.to_owned()),
            outcome: Some(Outcome::Complete),
            limit: ANSWERS_MAX,
            ..Filter::default()
        };
        let newest = Reader::open(data_dir)?.exchanges(&filter)?;
        let mut seen = Seen { means: self.means(), ..Seen::default() };
        // The oldest first, as they came.
        for exchange in newest.into_iter().rev().map(|one| one.exchange) {
            if *exchange.asked != *route {
                continue;
            }
            for (target, tokens) in lengths(&exchange) {
                let name = format!("{}/{}", target.vendor, target.model);
                self.of(route, &name).learn(tokens);
                *seen.answers.entry(name).or_default() += 1;
            }
        }
        Ok(seen)
    }

    fn means(&self) -> BTreeMap<String, u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).means.clone()
    }
}

/// The length of each of an exchange's answers of which the vendor told it.
fn lengths(exchange: &Exchange) -> Vec<(&TargetUsed, u64)> {
    let others = exchange.receipt.as_ref().map_or(&[][..], |receipt| &receipt.answers);
    let is_told = |bill: &Bill| bill.provenance == Provenance::Reported;
    let mut found: Vec<(&TargetUsed, u64)> = others
        .iter()
        .filter(|answer| is_told(&answer.bill))
        .map(|answer| (&answer.target, answer.bill.usage.output_total()))
        .collect();
    // The bill is of all of them together.
    let beside: u64 = others.iter().map(|answer| answer.bill.usage.output_total()).sum();
    let own = exchange.target.as_ref().filter(|_| is_told(&exchange.bill) && exchange.bill.saved.is_none());
    found.extend(own.map(|target| (target, exchange.bill.usage.output_total().saturating_sub(beside))));
    found
}
