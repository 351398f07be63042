//! The key's allow-list.

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint =
    Constraint { name: "allowed", summary: "the key's allow-list has the target", check };

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    let list = look.features.allowed?;
    (!list.allows(&candidate.name)).then_some(Removal::NotAllowed)
}
