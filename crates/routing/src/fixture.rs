//! Candidates and features for tests.

use pilothouse_catalog::Pricing;
use pilothouse_catalog::row::{Card, Class, Row};
use pilothouse_core::money::PicoUsd;

use crate::candidate::Candidate;
use crate::request::Features;

/// A target whose input and output cost so many dollars per million tokens; cached input costs a tenth.
pub(crate) fn priced(name: &str, input_usd: u64, output_usd: u64) -> Candidate {
    let per_token = |usd: u64| PicoUsd(i128::from(usd) * 1_000_000);
    let card = Card {
        rates: [
            (Class::Input, per_token(input_usd)),
            (Class::CacheRead, PicoUsd(per_token(input_usd).0 / 10)),
            (Class::Output, per_token(output_usd)),
        ]
        .into(),
        ..Card::default()
    };
    let row = Row { prices: vec![card], ..Row::default() };
    Candidate { pricing: Pricing::of(&row), ..Candidate::new(name) }
}

/// An exchange without any needs.
pub(crate) fn features<'a>() -> Features<'a> {
    Features { at: pilothouse_core::clock::UnixMs(1_800_000_000_000), ..Features::default() }
}

/// The same targets, each with its place.
pub(crate) fn numbered(candidates: &[Candidate]) -> Vec<Candidate> {
    let mut candidates = candidates.to_vec();
    candidates.iter_mut().zip(0..).for_each(|(candidate, place)| candidate.place = place);
    candidates
}
