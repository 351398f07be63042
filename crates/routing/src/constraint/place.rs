//! Where a target computes, and what its operator says of data and use.

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint = Constraint {
    name: "place",
    summary: "the target's region and tags are those that the route asks for",
    check,
};

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    let constraints = look.constraints;
    if !constraints.regions.is_empty() {
        let Some(region) = &candidate.region else { return Some(Removal::OtherRegion { is_known: false }) };
        if !constraints.regions.iter().any(|wanted| is_in(region, wanted)) {
            return Some(Removal::OtherRegion { is_known: true });
        }
    }
    let has = |tag: &str| candidate.tags.iter().any(|own| **own == *tag);
    if let Some(tag) = constraints.tags_required.iter().position(|tag| !has(tag)) {
        return Some(Removal::TagMissing { tag: place(tag) });
    }
    let tag = constraints.tags_refused.iter().position(|tag| has(tag))?;
    Some(Removal::TagRefused { tag: place(tag) })
}

/// Whether a region is the wanted one or a part of it: `eu-west-1` is in `eu`, `europe` is not.
fn is_in(region: &str, wanted: &str) -> bool {
    let (Some(start), Some(rest)) = (region.get(..wanted.len()), region.get(wanted.len()..)) else {
        return false;
    };
    start.eq_ignore_ascii_case(wanted) && (rest.is_empty() || rest.starts_with('-'))
}

fn place(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}
