//! How long answers are expected to be, per route and target: learned from what is settled, and leaning on the ledger's roll-ups
//! of each target at first. In memory; it outlives reloads.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pilothouse_core::clock::UnixMs;
use pilothouse_routing::output::ExpectedOutput;
use pilothouse_store::{By, Reader, StoreError, UsageQuery};

/// Roll-ups of so many days tell how long a target's answers were.
const DAYS: u64 = 14;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

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
}
