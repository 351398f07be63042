//! Open weights.

use pilothouse_catalog::Support;

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint =
    Constraint { name: "licence", summary: "the weights are open, where the route asks for that", check };

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    match (look.constraints.open_weights, candidate.open_weights) {
        (false, _) | (true, Support::Yes) => None,
        (true, Support::No) => Some(Removal::ClosedWeights { is_known: true }),
        (true, Support::Unknown) => Some(Removal::ClosedWeights { is_known: false }),
    }
}
