//! How a cost came about: tokens of each class times their price, shown only if it gives the recorded cost.

use pilothouse_catalog::Catalog;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Exchange;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Usage;
use serde_json::{Value, json};

/// One summand of a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The token class, as JSON names it.
    pub(crate) class: &'static str,
    /// How many tokens.
    pub(crate) tokens: u64,
    /// The price of one.
    pub(crate) price: PicoUsd,
}

impl Line {
    /// Tokens times price.
    pub(crate) const fn amount(&self) -> PicoUsd {
        self.price.times(self.tokens)
    }

    /// The price as vendors print it.
    pub(crate) const fn price_per_million(&self) -> PicoUsd {
        self.price.times(1_000_000)
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "class": self.class,
            "tokens": self.tokens,
            "picousd_per_token": self.price,
            "picousd": self.amount(),
        })
    }
}

type Member = fn(&mut Usage) -> &mut u64;

const CLASSES: [(&str, Member); 8] = [
    ("input", |usage| &mut usage.input),
    ("cache_read", |usage| &mut usage.cache_read),
    ("cache_write_5m", |usage| &mut usage.cache_write_5m),
    ("cache_write_1h", |usage| &mut usage.cache_write_1h),
    ("input_audio", |usage| &mut usage.input_audio),
    ("output", |usage| &mut usage.output),
    ("reasoning", |usage| &mut usage.reasoning),
    ("output_audio", |usage| &mut usage.output_audio),
];

/// The summands of the exchange's cost. `None` when the cost is unknown, when the catalogue no longer has the
/// very prices that made it (their fingerprint is in the price row's id), or when they do not give its sum.
pub(crate) fn of(catalog: &Catalog, exchange: &Exchange) -> Option<Vec<Line>> {
    let cost = exchange.bill.cost.known()?;
    let price_id = exchange.target.as_ref()?.price.as_deref()?;
    let (name, _) = price_id.rsplit_once('@')?;
    let (platform, id) = name.split_once('/')?;
    let model = catalog.model(platform, id).filter(|model| model.price_id() == price_id)?;
    let pricing = model.pricing()?;
    let tier = exchange.answer.service_tier.as_deref();
    let end = UnixMs(exchange.started_at.0.saturating_add(exchange.timings.total_us / 1000));
    let cost_of = |usage: &Usage| match pricing.cost(usage, tier, end) {
        Cost::Known(cost) => Some(cost),
        Cost::Unknown => None,
    };
    // The price of one more token. At the very edge of a price step that would be another card's price: then
    // the sum is another one, and nothing is shown.
    let base = cost_of(&exchange.bill.usage)?;
    let mut lines = Vec::new();
    for (class, member) in CLASSES {
        let mut usage = exchange.bill.usage;
        let count = member(&mut usage);
        let tokens = *count;
        if tokens > 0 {
            *count = tokens.checked_add(1)?;
            lines.push(Line { class, tokens, price: PicoUsd(cost_of(&usage)?.0 - base.0) });
        }
    }
    (lines.iter().map(Line::amount).sum::<PicoUsd>() == cost).then_some(lines)
}
