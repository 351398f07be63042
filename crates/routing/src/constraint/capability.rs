//! What the request needs the model to be able to do. Unknown is not "no", unless the route asks for proof.

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint =
    Constraint { name: "capability", summary: "the model can do what the request needs", check };

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    let needs = look.features.needs;
    if let Some(capability) = candidate.abilities.denied(needs).iter().next() {
        return Some(Removal::Lacks { capability });
    }
    if !look.constraints.refuse_unproven {
        return None;
    }
    let capability = candidate.abilities.unproven(needs).iter().next()?;
    Some(Removal::Unproven { capability })
}
