//! `cheapest`: by the expected cost of *this* exchange.
//!
//! Cost = uncached input × its price + cached input × its price + expected output × its price, by the price rows that hold
//! now (tier, step of input length, hour). Where the order of the first place depends on how many tokens the input has,
//! more of it is read: first its shape, then, where two costs are within [`COUNT_BAND_PERCENT`] of each other, by the
//! tokenizers of the targets in question.

use pilothouse_core::money::{Cost, PicoUsd};
use smallvec::SmallVec;

use super::{Ask, Index, Order, Plugin, Ranked, Strategy};
use crate::candidate::Candidate;
use crate::count::{COUNT_BAND_PERCENT, Instrument, Tokens};
use crate::price::{expected_cost, expected_usage};
use crate::reason::Reason;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "cheapest",
    summary: "By the expected cost of this exchange: counted input, cached prefix, expected output, price tier.",
    when: "Several targets are good enough, and the bill matters.",
    make: |_| Ok(Box::new(Cheapest)),
};

#[derive(Debug)]
struct Cheapest;

/// A target with its cost; none is unknown.
struct Priced {
    index: Index,
    tokens: Tokens,
    cost: Option<PicoUsd>,
}

impl Strategy for Cheapest {
    fn order(&self, ask: &mut Ask<'_, '_>, order: &mut Order) {
        let mut priced: SmallVec<[Priced; 16]> = SmallVec::new();
        price(ask, &mut priced);
        // Two rounds: the shape serves all targets, and then each tokenizer runs at most once.
        for _ in 0..2 {
            if !read_on(ask, &priced) {
                break;
            }
            priced.clear();
            price(ask, &mut priced);
        }
        // Equal costs keep the order of the list.
        priced.sort_by_key(|one| (one.cost.is_none(), one.cost));
        for one in &priced {
            let candidate = &ask.candidates[usize::from(one.index)];
            order.push(Ranked { index: one.index, reason: reason(ask, candidate, one) });
        }
    }
}

fn price(ask: &Ask<'_, '_>, priced: &mut SmallVec<[Priced; 16]>) {
    for (index, candidate) in ask.candidates() {
        let tokens = ask.lengths.estimate(candidate);
        priced.push(Priced {
            index,
            tokens,
            cost: expected_cost(candidate, ask.features, tokens.likely).known(),
        });
    }
}

fn reason(ask: &Ask<'_, '_>, candidate: &Candidate, one: &Priced) -> Reason {
    let Some(expected) = one.cost else { return Reason::PriceUnknown };
    let usage = expected_usage(candidate, ask.features, one.tokens.likely);
    Reason::Cost {
        expected,
        input_tokens: one.tokens.likely,
        cached_tokens: usage.cache_read,
        output_tokens: usage.output,
    }
}

/// Reads more of the request where another number of tokens could put another target first. Whether anything was read.
fn read_on(ask: &mut Ask<'_, '_>, priced: &[Priced]) -> bool {
    let known = priced.iter().filter(|one| one.cost.is_some());
    let Some(best) = known.clone().min_by_key(|one| one.cost) else { return false };
    let rivals: SmallVec<[&Priced; 4]> =
        known.filter(|one| one.index != best.index && could_beat(ask, one, best)).collect();
    if rivals.is_empty() {
        return false;
    }
    let involved = || rivals.iter().copied().chain([best]);
    let candidate = |one: &Priced| &ask.candidates[usize::from(one.index)];
    if involved().any(|one| ask.lengths.is_rough(candidate(one), &one.tokens)) {
        ask.lengths.read_shape(candidate(best));
        return true;
    }
    // Farther apart, even an error that swaps the two is rare, and what it costs is small.
    let is_near = |rival: &&Priced| match (rival.cost, best.cost) {
        (Some(rival), Some(best)) => (rival.0 - best.0) * 100 <= best.0 * i128::from(COUNT_BAND_PERCENT),
        _ => false,
    };
    if !rivals.iter().any(&is_near) {
        return false;
    }
    let near = rivals.iter().copied().filter(is_near).chain([best]);
    let uncounted: SmallVec<[&Priced; 4]> =
        near.filter(|one| one.tokens.by != Instrument::Tokenizer).collect();
    for one in &uncounted {
        ask.lengths.run_tokenizer(candidate(one));
    }
    !uncounted.is_empty()
}

/// Whether `rival` could be cheaper than `best` at some number of tokens within the estimates' errors.
fn could_beat(ask: &Ask<'_, '_>, rival: &Priced, best: &Priced) -> bool {
    let cost = |one: &Priced, tokens: u64| -> Option<PicoUsd> {
        match expected_cost(&ask.candidates[usize::from(one.index)], ask.features, tokens) {
            Cost::Known(cost) => Some(cost),
            Cost::Unknown => None,
        }
    };
    let below =
        |rival: Option<PicoUsd>, best: Option<PicoUsd>| matches!((rival, best), (Some(r), Some(b)) if r < b);
    let tokenizer = |one: &Priced| ask.candidates[usize::from(one.index)].tokenizer;
    if tokenizer(rival) == tokenizer(best) && rival.tokens.by == best.tokens.by {
        // They have the same number of tokens, whatever it is.
        let at = |tokens| below(cost(rival, tokens), cost(best, tokens));
        return at(best.tokens.low) || at(best.tokens.high);
    }
    below(cost(rival, rival.tokens.low), cost(best, best.tokens.high))
}
