//! Context window, longest input, longest output.
//!
//! A target goes only when even the low end of the estimate does not fit: a wrong guess that keeps it is mended by its
//! vendor's refusal and the next target, a wrong guess that removes it is mended by nothing.

use super::{Constraint, Look};
use crate::candidate::Candidate;
use crate::reason::Removal;

pub(super) const PLUGIN: Constraint =
    Constraint { name: "length", summary: "input and output fit the model's limits", check };

fn check(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    if let (Some(wanted), Some(limit)) = (look.constraints.output_tokens_min, candidate.output_tokens_max)
        && wanted > limit
    {
        return Some(Removal::OutputTooShort { wanted, limit });
    }
    input(candidate, look).or_else(|| context(candidate, look))
}

fn input(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    let limit = candidate.input_tokens_max?;
    if look.lengths.is_surely_within(candidate, limit) {
        return None;
    }
    let tokens = look.lengths.against(candidate, limit).low;
    (tokens > limit).then_some(Removal::InputTooLong { tokens, limit })
}

/// Vendors refuse a request whose input and asked output exceed the window together; where nothing is asked, some output
/// must still fit.
fn context(candidate: &Candidate, look: &mut Look<'_, '_>) -> Option<Removal> {
    let limit = candidate.context_tokens?;
    let asked = look.features.output_tokens_max.unwrap_or(1);
    let output_tokens = candidate.output_tokens_max.map_or(asked, |most| asked.min(most));
    let Some(room) = limit.checked_sub(output_tokens) else {
        return Some(Removal::ContextTooShort { tokens: 0, output_tokens, limit });
    };
    if look.lengths.is_surely_within(candidate, room) {
        return None;
    }
    let tokens = look.lengths.against(candidate, room).low;
    (tokens > room).then_some(Removal::ContextTooShort { tokens, output_tokens, limit })
}
