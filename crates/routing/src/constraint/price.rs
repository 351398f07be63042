//! Price ceilings. An unknown price is above every ceiling.

use pilothouse_core::money::PicoUsd;

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::price::{expected_cost, per_million};
use crate::reason::{Ceiling, Removal};

pub(super) const PLUGIN: Constraint = Constraint {
    name: "price",
    summary: "the exchange, and a million tokens, cost no more than the ceilings",
    check,
};

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    let ceilings = look.constraints;
    if ceilings.input_price_max.is_some() || ceilings.output_price_max.is_some() {
        let Some((input, output)) = per_million(candidate, look.features) else {
            return Some(Removal::PriceUnknown);
        };
        let found = above(input, ceilings.input_price_max, Ceiling::MillionInput)
            .or_else(|| above(output, ceilings.output_price_max, Ceiling::MillionOutput));
        if found.is_some() {
            return found;
        }
    }
    let limit = ceilings.cost_max?;
    let mut tokens = look.lengths.estimate(candidate);
    let cost = |tokens| expected_cost(candidate, look.features, tokens).known();
    let is_above = |tokens| cost(tokens).is_some_and(|cost| cost > limit);
    if look.lengths.is_rough(candidate, &tokens) && is_above(tokens.low) != is_above(tokens.high) {
        // No tokenizer: a ceiling is no promise to the last cent.
        tokens = look.lengths.read_shape(candidate);
    }
    match cost(tokens.likely) {
        None => Some(Removal::PriceUnknown),
        Some(cost) => above(cost, Some(limit), Ceiling::Exchange),
    }
}

fn above(cost: PicoUsd, limit: Option<PicoUsd>, of: Ceiling) -> Option<Removal> {
    let limit = limit.filter(|limit| cost > *limit)?;
    Some(Removal::TooDear { cost, limit, of })
}
