//! Open breakers and tombstones.

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::health::breaker::Standing;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint = Constraint {
    name: "standing",
    summary: "the target is not resting after failures, and its vendor has it",
    check,
};

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    let now = look.features.at;
    if let Some(retry_after_ms) = candidate.health.tombstones.target_buried_ms(now) {
        return Some(Removal::Tombstoned { retry_after_ms });
    }
    match candidate.health.standing(now) {
        Standing::Open { retry_after_ms } => Some(Removal::BreakerOpen { retry_after_ms }),
        Standing::Closed | Standing::HalfOpen => None,
    }
}
