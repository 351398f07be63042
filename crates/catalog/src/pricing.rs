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
use crate::row::{Card, Class, Row};
use crate::window::Windows;

/// Token classes of a usage, in the order of [`Class::ALL`].
const CLASSES: usize = 8;
/// The price that is not known. No real price is negative.
const UNKNOWN: i64 = -1;

/// The compiled prices of one model: one entry per tier, the standard tier first. Cheap to clone and to share.
#[derive(Clone, Debug)]
pub struct Pricing(Arc<[Tier]>);

#[derive(Clone, Debug, Default)]
struct Tier {
    /// Empty for the standard tier.
    name: Box<str>,
    cards: Vec<Compiled>,
}

#[derive(Clone, Debug, Default)]
struct Compiled {
    above_tokens: u64,
    from: u64,
    to: u64,
    windows: Option<Windows>,
    /// Pico-dollars per token.
    rates: [i64; CLASSES],
}

impl Compiled {
    /// The card as a table, `None` when a day or a window cannot be read.
    fn of(card: &Card) -> Option<Self> {
        let rate = |class| card.rates.get(&class).and_then(|price| price.as_i64());
        let mut rates = [UNKNOWN; CLASSES];
        for (slot, class) in rates.iter_mut().zip(Class::ALL) {
            *slot = rate(class).filter(|price| *price >= 0).unwrap_or(UNKNOWN);
        }
        let bound = |day: &Option<String>, open| match day {
            Some(day) => day::start_of(day).map(|at| at.0),
            None => Some(open),
        };
        Some(Self {
            above_tokens: card.above_tokens.unwrap_or(0),
            from: bound(&card.from, 0)?,
            to: bound(&card.to, u64::MAX)?,
            windows: card.window.as_deref().map(Windows::parse).transpose().ok()?,
            rates,
        })
    }

    const fn holds(&self, at: UnixMs) -> bool {
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
        let mut tiers = vec![Tier::default()];
        for card in &row.prices {
            let Some(mut compiled) = Compiled::of(card) else { continue };
            let [input, output] = [compiled.rates[slot(Class::Input)], compiled.rates[slot(Class::Output)]];
            fill(&mut compiled.rates, Class::Reasoning, output);
            if !discounted {
                fill(&mut compiled.rates, Class::CacheRead, input);
            }
            if audio_as_input {
                fill(&mut compiled.rates, Class::InputAudio, input);
            }
            let name = card.tier.as_deref().filter(|tier| !is_standard(tier)).unwrap_or_default();
            match tiers.iter_mut().find(|tier| tier.name.eq_ignore_ascii_case(name)) {
                Some(tier) => tier.cards.push(compiled),
                None => tiers.push(Tier { name: name.into(), cards: vec![compiled] }),
            }
        }
        tiers.iter().any(|tier| !tier.cards.is_empty()).then(|| Self(tiers.into()))
    }

    /// What `usage` costs. `tier` is the service tier that the answer names, `at` the time of the answer's end
    /// (vendors with off-peak hours bill by it).
    ///
    /// [`Cost::Unknown`] when a class that has tokens has no price: see the rules at the top of this file.
    #[must_use]
    pub fn cost(&self, usage: &Usage, tier: Option<&str>, at: UnixMs) -> Cost {
        let [standard, others @ ..] = &*self.0 else { return Cost::Unknown };
        let tier = match tier.filter(|tier| !is_standard(tier)) {
            None => standard,
            Some(name) => match others.iter().find(|tier| tier.name.eq_ignore_ascii_case(name)) {
                Some(tier) => tier,
                None => return Cost::Unknown,
            },
        };
        let Some((first, second)) = cards_of(standard, tier, usage, at) else { return Cost::Unknown };
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
        let mut total = 0_i128;
        for ((count, rate), other) in tokens.into_iter().zip(first.rates).zip(second.rates) {
            if count == 0 {
                continue;
            }
            let rate = if rate == UNKNOWN { other } else { rate };
            if rate == UNKNOWN {
                return Cost::Unknown;
            }
            // 63 bits times 64 bits fit; only the sum of several such could not.
            total = total.saturating_add(i128::from(rate) * i128::from(count));
        }
        Cost::Known(PicoUsd(total))
    }
}

/// The card that a request is billed by, and the one that fills what it leaves open.
fn cards_of<'t>(
    standard: &Tier,
    tier: &'t Tier,
    usage: &Usage,
    at: UnixMs,
) -> Option<(&'t Compiled, &'t Compiled)> {
    // Most models have one card, at all hours and for any length.
    if let ([only], 0 | 1) = (&*tier.cards, standard.cards.len())
        && only.above_tokens == 0
        && only.windows.is_none()
        && standard.cards.first().is_none_or(|card| card.above_tokens == 0)
    {
        return only.holds(at).then_some((only, only));
    }
    let step = step_of(standard, tier, usage.input_total(), at);
    let (mut plain, mut special) = (None, None);
    for card in tier.cards.iter().filter(|card| card.above_tokens == step && card.holds(at)) {
        match &card.windows {
            None => plain = Some(card),
            Some(windows) if windows.contains(at) => special = Some(card),
            Some(_) => {}
        }
    }
    let first = special.or(plain)?;
    // A card of off-peak hours lists what changes; the rest keeps its price.
    Some((first, plain.unwrap_or(first)))
}

/// The step of input that a request is on. The step is one of the model, not of the tier: a tier that has no card
/// for the step of the standard tier is unknown there, because its price below the step would be too low.
fn step_of(standard: &Tier, tier: &Tier, input_total: u64, at: UnixMs) -> u64 {
    let cards = standard.cards.iter().chain(&tier.cards);
    let reached = cards.filter(|card| input_total > card.above_tokens && card.holds(at));
    reached.map(|card| card.above_tokens).max().unwrap_or(0)
}

/// Whether a tier's name means the standard tier. OpenAI answers `default`, Anthropic `standard`, Groq and
/// Gemini `on_demand`; a proxy may repeat the request's `auto`.
#[must_use]
pub fn is_standard(tier: &str) -> bool {
    // The common answers first, and by their exact spelling: this is on every exchange's path.
    matches!(tier, "" | "default" | "standard")
        || ["default", "standard", "auto", "on_demand", "on-demand"]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(tier))
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
