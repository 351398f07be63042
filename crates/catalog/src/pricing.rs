//! What an answer costs: price cards compiled into tables of integers.
//!
//! The rules, each with its reason:
//! - The tier is the one in the *answer*: a request for `priority` may be served, and billed, as standard.
//! - A tier that has no card is unknown. It is never billed at the standard price.
//! - A card above a number of input tokens switches the whole request, not only the tokens beyond it
//!   (OpenAI: "prompts with >272K input tokens are priced at 2x input and 1.5x output for the full session";
//!   Gemini and Anthropic price their 200k step the same way).
//! - Reasoning without a price of its own is billed as output: every vendor that counts it apart says that
//!   reasoning tokens are output tokens (developers.openai.com/api/docs/guides/reasoning).
//! - Cache reads of a model for which no card lists a discount are billed as input: the vendor's list prints
//!   `-` there, and input that has no discount is input. If any card lists one, a card without it is unknown.
//! - Audio input of a model for which no card prices audio is billed as input only where the row says that the
//!   model takes audio at one price for all modalities (Gemini Pro).
//! - Anything else without a price makes the cost unknown, never zero.

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Usage;

use crate::day;
use crate::row::{Class, Row};
use crate::window::Windows;

/// Token classes of a usage, in the order of [`Class::ALL`].
const CLASSES: usize = 8;
/// The price that is not known. No real price is negative.
const UNKNOWN: i64 = -1;

/// The compiled prices of one model. Cheap to clone and to share.
#[derive(Clone, Debug)]
pub struct Pricing(Arc<[Compiled]>);

#[derive(Clone, Debug, Default)]
struct Compiled {
    /// Empty for the standard tier.
    tier: Box<str>,
    above_tokens: u64,
    from: u64,
    to: u64,
    windows: Option<Windows>,
    /// Pico-dollars per token.
    rates: [i64; CLASSES],
}

impl Compiled {
    fn holds(&self, at: UnixMs) -> bool {
        self.from <= at.0 && at.0 < self.to
    }
}

impl Pricing {
    /// Compiles the cards of a row; `None` when it has none.
    ///
    /// A card with an unreadable window or day is left out, so that its use is unknown and not wrong:
    /// [`crate::check`] reports such cards, and a test holds that no bundled row has one.
    #[must_use]
    pub fn of(row: &Row) -> Option<Self> {
        let discounted = has(row, Class::CacheRead);
        let audio_as_input = !has(row, Class::InputAudio) && row.inputs.iter().any(|one| one == "audio");
        let cards: Vec<Compiled> = row
            .prices
            .iter()
            .filter_map(|card| {
                let mut rates = [UNKNOWN; CLASSES];
                for (slot, class) in rates.iter_mut().zip(Class::ALL) {
                    *slot = card
                        .rates
                        .get(&class)
                        .and_then(|price| price.as_i64())
                        .map_or(UNKNOWN, |price| price);
                }
                let [input, output] = [rates[slot(Class::Input)], rates[slot(Class::Output)]];
                fill(&mut rates, Class::Reasoning, output);
                if !discounted {
                    fill(&mut rates, Class::CacheRead, input);
                }
                if audio_as_input {
                    fill(&mut rates, Class::InputAudio, input);
                }
                let bound = |day: &Option<String>, open: u64| match day {
                    Some(day) => day::start_of(day).map(|at| at.0),
                    None => Some(open),
                };
                Some(Compiled {
                    tier: card.tier.clone().unwrap_or_default().into(),
                    above_tokens: card.above_tokens.unwrap_or(0),
                    from: bound(&card.from, 0)?,
                    to: bound(&card.to, u64::MAX)?,
                    windows: match &card.window {
                        Some(window) => Some(Windows::parse(window).ok()?),
                        None => None,
                    },
                    rates,
                })
            })
            .collect();
        (!cards.is_empty()).then(|| Self(cards.into()))
    }

    /// What `usage` costs. `tier` is the service tier that the answer names, `at` the time of the answer's end
    /// (vendors with off-peak hours bill by it).
    ///
    /// [`Cost::Unknown`] when a class that has tokens has no price: see the rules at the top of this file.
    #[must_use]
    pub fn cost(&self, usage: &Usage, tier: Option<&str>, at: UnixMs) -> Cost {
        let tier = tier.filter(|tier| !is_standard(tier)).unwrap_or_default();
        let input_total = usage.input_total();
        // The step is one of the model, not of the tier: a tier that has no card for the step of its standard
        // tier is unknown there, because its price below the step would be too low.
        let step = self
            .0
            .iter()
            .filter(|card| {
                input_total > card.above_tokens && (card.tier.is_empty() || same(&card.tier, tier))
            })
            .filter(|card| card.holds(at))
            .map(|card| card.above_tokens)
            .max()
            .unwrap_or(0);
        let (mut plain, mut special) = (None, None);
        for card in
            self.0.iter().filter(|card| card.above_tokens == step && same(&card.tier, tier) && card.holds(at))
        {
            match &card.windows {
                None => plain = Some(card),
                Some(windows) if windows.contains(at) => special = Some(card),
                Some(_) => {}
            }
        }
        let Some(first) = special.or(plain) else { return Cost::Unknown };
        let tokens = [
            usage.input,
            usage.cache_read,
            usage.cache_write_5m,
            usage.cache_write_1h,
            usage.input_audio,
            usage.output,
            usage.reasoning,
            usage.output_audio,
        ];
        let mut total = PicoUsd::ZERO;
        for (index, count) in tokens.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            let mut rate = first.rates[index];
            if rate == UNKNOWN {
                // A card of off-peak hours lists what changes; the rest keeps its price.
                rate = plain.map_or(UNKNOWN, |card| card.rates[index]);
            }
            if rate == UNKNOWN {
                return Cost::Unknown;
            }
            total += PicoUsd(i128::from(rate)).times(count);
        }
        Cost::Known(total)
    }
}

/// Whether a tier's name means the standard tier. OpenAI answers `default`, Anthropic `standard`, Groq and
/// Gemini `on_demand`; a proxy may repeat the request's `auto`.
#[must_use]
pub fn is_standard(tier: &str) -> bool {
    ["", "default", "standard", "auto", "on_demand", "on-demand"].iter().any(|name| same(name, tier))
}

fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

fn has(row: &Row, class: Class) -> bool {
    row.prices.iter().any(|card| card.rates.contains_key(&class))
}

fn fill(rates: &mut [i64; CLASSES], class: Class, rate: i64) {
    let rate_now = &mut rates[slot(class)];
    if *rate_now == UNKNOWN {
        *rate_now = rate;
    }
}

/// The place of a class in the tables; classes that no usage counts are not asked for.
const fn slot(class: Class) -> usize {
    class as usize % CLASSES
}

#[cfg(test)]
mod tests;
