//! The time that is left, against what 95 of 100 answers of late took. A target without enough answers is not judged.

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint = Constraint {
    name: "deadline",
    summary: "95 of 100 of its answers came within the time that is left",
    check,
};

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    let deadline = look.features.deadline?;
    let health = &candidate.health;
    let p95_us = if deadline.is_first_token { health.first_token_p95_us() } else { health.total_p95_us() }?;
    let p95_ms = p95_us.div_ceil(1000);
    (p95_ms > deadline.remaining_ms)
        .then_some(Removal::TooSlow { p95_ms, remaining_ms: deadline.remaining_ms })
}
