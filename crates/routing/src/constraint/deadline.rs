//! The time that is left, against what 95 of 100 answers of late took.
//!
//! A target without enough answers is not judged. Neither is one whose figures are old and that no call is measuring:
//! left out for good, it could never show that it is fast again.

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint = Constraint {
    name: "deadline",
    summary: "95 of 100 of its answers came within the time that is left",
    check,
};

/// Figures that are older say nothing against a target.
const OLD_MS: u64 = 60_000;

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    let deadline = look.features.deadline?;
    let sight = look.sight;
    let is_old = sight.pace(candidate).is_some_and(|pace| pace.age_ms > OLD_MS);
    if is_old && sight.in_flight(candidate) == 0 {
        return None;
    }
    let p95_us = if deadline.is_first_token {
        sight.first_token_p95_us(candidate)
    } else {
        sight.total_p95_us(candidate)
    }?;
    let p95_ms = p95_us.div_ceil(1000);
    let remaining_ms = deadline.remaining_ms;
    (p95_ms > remaining_ms).then_some(Removal::TooSlow { p95_ms, remaining_ms })
}
