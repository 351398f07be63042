//! How long a route's answers are expected to be, where no gateway runs that has seen them: by the ledger, else by a guess.

use std::path::Path;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Standing;
use pilothouse_routing::request::OUTPUT_TOKENS_GUESS;
use pilothouse_store::StoreError;

use crate::outputs::Seen;
use crate::plan::{Plan, Route};

/// What was found out about the lengths of a route's answers.
#[derive(Debug)]
pub struct Lengths {
    seen: Seen,
    /// Why the ledger tells nothing, where it does not.
    lacks: Option<String>,
}

impl Lengths {
    /// Lets a route expect what the ledger of a data folder knows of its answers: the newest ones on the route, leaning on what each
    /// target wrote on all routes. Without a ledger, the route goes on guessing.
    #[must_use]
    pub fn read(plan: &Plan, route: &Route, data_dir: &Path, now: UnixMs) -> Self {
        match plan.metrics.outputs.learn_of(data_dir, &route.name, now) {
            Ok(seen) => Self { seen, lacks: None },
            Err(error) => Self { seen: Seen::default(), lacks: Some(lack(&error, data_dir)) },
        }
    }

    /// How long each target's answers are expected to be, and whence that is known; a cap of the caller's or the target's own is
    /// not in it.
    #[must_use]
    pub fn told(&self, route: &Route) -> Vec<Standing> {
        let targets = route.chooser.candidates().iter().zip(&route.targets);
        let told = targets.map(|(candidate, target)| {
            let tokens = target.output.as_ref().map_or(0, |output| output.tokens());
            Standing { target: candidate.name.clone(), why: self.words(&candidate.name, tokens) }
        });
        told.collect()
    }

    fn words(&self, target: &str, tokens: u32) -> String {
        let answers = self.seen.answers.get(target).copied().unwrap_or(0);
        match (answers, self.seen.means.get(target), &self.lacks) {
            (0, None, Some(lack)) => format!("{OUTPUT_TOKENS_GUESS} tokens, a guess: {lack}"),
            (0, None, None) => {
                format!("{OUTPUT_TOKENS_GUESS} tokens, a guess: the ledger has none of its answers of late")
            }
            (0, Some(_), _) => format!("{tokens} tokens, the mean of its answers on all routes of late"),
            (1, ..) => format!("{tokens} tokens, learned from 1 answer on this route in the ledger"),
            _ => format!("{tokens} tokens, learned from {answers} answers on this route in the ledger"),
        }
    }
}

fn lack(error: &StoreError, data_dir: &Path) -> String {
    match error {
        StoreError::Missing { .. } => format!("there is no ledger in {}", data_dir.display()),
        error => format!("the ledger cannot be read: {error}"),
    }
}
