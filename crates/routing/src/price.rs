//! What an exchange is expected to cost on a target.

use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Usage;

use crate::candidate::Candidate;
use crate::request::Features;

/// The usage that `input_tokens` of input are expected to make on a target: the conversation's cached prefix is read from
/// the cache of the target that holds it, and nowhere else.
#[must_use]
pub fn expected_usage(candidate: &Candidate, features: &Features<'_>, input_tokens: u64) -> Usage {
    let held = features.conversation.and_then(|conversation| conversation.held);
    let cached = held.filter(|held| held.target == candidate.id).map_or(0, |held| held.cached_tokens);
    let cached = cached.min(input_tokens);
    Usage {
        input: input_tokens - cached,
        cache_read: cached,
        output: expected_output(candidate, features),
        ..Usage::default()
    }
}

/// Tokens of output that are expected of a target: what it has written on this route, else what such exchanges have, within the caller's cap and its own.
#[must_use]
pub fn expected_output(candidate: &Candidate, features: &Features<'_>) -> u64 {
    let learned = features.outputs.get(usize::from(candidate.place)).copied().filter(|tokens| *tokens > 0);
    let tokens = match learned {
        Some(tokens) => u64::from(tokens),
        None => (features.output_tokens() as f32 * candidate.output_factor.max(0.0)) as u64,
    };
    let caps = [features.output_tokens_max, candidate.output_tokens_max];
    caps.into_iter().flatten().fold(tokens, u64::min)
}

/// The expected cost of an exchange with that many tokens of input; unknown where a price is.
#[must_use]
pub fn expected_cost(candidate: &Candidate, features: &Features<'_>, input_tokens: u64) -> Cost {
    match &candidate.pricing {
        None => Cost::Unknown,
        Some(pricing) => {
            let usage = expected_usage(candidate, features, input_tokens);
            pricing.cost(&usage, features.service_tier, features.at)
        }
    }
}

/// The same without any prompt cache: what the exchange would cost on a target that has never seen the conversation.
#[must_use]
pub fn uncached_cost(candidate: &Candidate, features: &Features<'_>, input_tokens: u64) -> Cost {
    let features = Features { conversation: None, ..*features };
    expected_cost(candidate, &features, input_tokens)
}

/// The listed price of a million tokens of input and of output, for ceilings.
#[must_use]
pub fn per_million(candidate: &Candidate, features: &Features<'_>) -> Option<(PicoUsd, PicoUsd)> {
    let pricing = candidate.pricing.as_ref()?;
    let of = |usage: &Usage| {
        let one = pricing.cost(usage, features.service_tier, features.at).known()?;
        Some(one.times(1_000_000))
    };
    let input = of(&Usage { input: 1, ..Usage::default() })?;
    let output = of(&Usage { output: 1, ..Usage::default() })?;
    Some((input, output))
}
