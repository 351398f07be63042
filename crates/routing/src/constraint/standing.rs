//! Open breakers and tombstones.

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint = Constraint {
    name: "standing",
    summary: "the target is not resting after failures, and its vendor has it",
    check,
};

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    if let Some(retry_after_ms) = look.sight.buried_ms(candidate) {
        return Some(Removal::Tombstoned { retry_after_ms });
    }
    look.sight.resting_ms(candidate).map(|retry_after_ms| Removal::BreakerOpen { retry_after_ms })
}
