//! Retired models are never called; those under notice only where the route takes them. A deprecated model is in service
//! until its day, so by default it stays.

use pilothouse_catalog::Status;

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint =
    Constraint { name: "lifecycle", summary: "the model has not been retired, or put under notice", check };

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    match candidate.lifecycle.at(look.features.at) {
        Status::Retired => Some(Removal::Retired),
        status @ Status::Deprecated if look.constraints.no_deprecated => {
            Some(Removal::UnderNotice { status })
        }
        _ => None,
    }
}
