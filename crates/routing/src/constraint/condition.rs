//! The target's own condition on the exchange.

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint =
    Constraint { name: "condition", summary: "the target's `when` holds for the exchange", check };

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    let condition = candidate.condition.as_ref()?;
    let unmet = look.sight.unmet(candidate, condition, look.features.values);
    unmet.map(|unmet| Removal::Unmet { unmet })
}
