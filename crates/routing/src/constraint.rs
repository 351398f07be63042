//! What a target must meet before any strategy sees it. Each constraint names the first reason against a target.
//!
//! One rule decides what is not known: **what protects fails closed, what only concerns ability fails open.** A price
//! ceiling, open weights, a region or a required tag are promises to somebody, so an unknown price, licence, region or
//! tag is against the target. An unknown capability or limit is not "no": servers of one's own rarely declare any, and
//! the vendor's refusal is a failure that the next target mends. A route may ask for proof (`unproven = "refuse"`).

mod allowed;
mod capability;
mod condition;
mod deadline;
mod length;
mod licence;
mod lifecycle;
mod place;
mod price;
mod standing;

use pilothouse_core::money::PicoUsd;

use crate::candidate::Candidate;
use crate::count::Lengths;
use crate::reason::Removal;
use crate::request::Features;
use crate::sight::Sight;

/// What a route asks of its targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Constraints {
    /// Only models whose weights can be downloaded.
    pub open_weights: bool,
    /// Only these regions; `eu` is met by `eu-west-1` too. Empty is anywhere.
    pub regions: Box<[Box<str>]>,
    /// Tags that a target must have.
    pub tags_required: Box<[Box<str>]>,
    /// Tags that a target must not have.
    pub tags_refused: Box<[Box<str>]>,
    /// The most that one exchange may be expected to cost.
    pub cost_max: Option<PicoUsd>,
    /// The most that a million tokens of input may cost.
    pub input_price_max: Option<PicoUsd>,
    /// The most that a million tokens of output may cost.
    pub output_price_max: Option<PicoUsd>,
    /// The least output that a target must be able to write, in tokens.
    pub output_tokens_min: Option<u64>,
    /// Whether models under notice are left out.
    pub no_deprecated: bool,
    /// Whether a capability that nobody affirms is against a target.
    pub refuse_unproven: bool,
}

/// What a constraint looks at.
pub struct Look<'r, 'c> {
    /// What the route asks.
    pub constraints: &'r Constraints,
    /// What the request needs.
    pub features: &'r Features<'r>,
    /// How long it is.
    pub lengths: &'r mut Lengths<'c>,
    /// How the targets have been doing.
    pub sight: &'r Sight,
}

/// A constraint: its name and its question.
pub struct Constraint {
    /// Its name in documents.
    pub name: &'static str,
    /// What it asks, in a sentence.
    pub summary: &'static str,
    /// What is against the target.
    pub check: fn(&Candidate, &mut Look<'_, '_>) -> Option<Removal>,
}

/// Every constraint: what is for other exchanges first, so that nobody waits for it; then the cheapest to ask. Lengths come
/// last because they may need a tokenizer.
pub const CONSTRAINTS: &[&Constraint] = &[
    &allowed::PLUGIN,
    &condition::PLUGIN,
    &lifecycle::PLUGIN,
    &standing::PLUGIN,
    &capability::PLUGIN,
    &licence::PLUGIN,
    &place::PLUGIN,
    &deadline::PLUGIN,
    &length::PLUGIN,
    &price::PLUGIN,
];

/// The first reason against a target.
pub fn against(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    CONSTRAINTS.iter().find_map(|constraint| (constraint.check)(candidate, look))
}

#[cfg(test)]
mod tests;
