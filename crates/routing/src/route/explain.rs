//! A decision with names and sentences: for receipts, for `route explain`, for error messages.

use std::sync::Arc;

use serde::Serialize;

use super::{Decision, NoTarget, Removed, Route};
use crate::count::Tokens;
use crate::reason::{Reason, Removal};

/// A decision, readable without its route.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The route's name.
    pub route: Arc<str>,
    /// The targets, the first to be called first.
    pub order: Vec<Place>,
    /// Those that were left out.
    pub removed: Vec<LeftOut>,
    /// The tokens of input that were reckoned with, for the first target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
}

/// A target in its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Its name.
    pub target: Arc<str>,
    /// Why it stands there.
    pub reason: Reason,
    /// The same in words.
    pub text: String,
}

/// A target that was left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeftOut {
    /// Its name.
    pub target: Arc<str>,
    /// Why.
    pub removal: Removal,
    /// The same in words.
    pub text: String,
}

impl Route {
    /// A decision of this route in words.
    #[must_use]
    pub fn explain(&self, decision: &Decision) -> Explanation {
        let name = |index: u16| self.candidates.get(usize::from(index)).map(|one| Arc::clone(&one.name));
        let order = decision.order.iter().filter_map(|ranked| {
            let text = ranked.reason.to_string();
            Some(Place { target: name(ranked.index)?, reason: ranked.reason, text })
        });
        let removed = decision.removed.iter().filter_map(|removed| {
            let text = self.why_not(removed);
            Some(LeftOut { target: name(removed.index)?, removal: removed.removal, text })
        });
        let (order, removed) = (order.collect(), removed.collect());
        Explanation { route: Arc::clone(&self.name), order, removed, tokens: decision.tokens }
    }

    /// The same for an exchange that no target can take.
    #[must_use]
    pub fn explain_none(&self, none: &NoTarget) -> Explanation {
        let left_out = |(target, removal): &(Arc<str>, Removal)| {
            let place = self.candidates.iter().position(|one| one.name == *target);
            let text = self.in_words(place, removal);
            LeftOut { target: Arc::clone(target), removal: *removal, text }
        };
        let removed = none.removed.iter().map(left_out).collect();
        Explanation { route: Arc::clone(&self.name), order: Vec::new(), removed, tokens: None }
    }

    /// Why a target was left out, with what only the route knows: its tags, the target's condition.
    #[must_use]
    pub fn why_not(&self, removed: &Removed) -> String {
        self.in_words(Some(usize::from(removed.index)), &removed.removal)
    }

    fn in_words(&self, place: Option<usize>, removal: &Removal) -> String {
        let name = |tags: &[Box<str>], tag: u16| {
            tags.get(usize::from(tag)).map_or_else(String::new, ToString::to_string)
        };
        match removal {
            Removal::TagMissing { tag } => {
                format!("lacks the tag `{}`", name(&self.constraints.tags_required, *tag))
            }
            Removal::TagRefused { tag } => {
                format!("bears the refused tag `{}`", name(&self.constraints.tags_refused, *tag))
            }
            Removal::Unmet { unmet } => {
                let candidate = place.and_then(|place| self.candidates.get(place));
                match candidate.and_then(|candidate| candidate.condition.as_deref()) {
                    Some(condition) => unmet.of(condition),
                    None => removal.to_string(),
                }
            }
            other => other.to_string(),
        }
    }
}
