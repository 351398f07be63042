//! How a cost came about: tokens of each class times their price, shown only if it gives the recorded cost.

use pilothouse_catalog::Catalog;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::{Exchange, TargetUsed};
use pilothouse_core::money::PicoUsd;
use pilothouse_core::usage::Usage;
use serde_json::{Value, json};

/// One summand of a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The place of its answer among those that were paid for and not passed on; `None` is the one that was.
    pub(crate) answer: Option<usize>,
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
        let mut line = json!({
            "class": self.class,
            "tokens": self.tokens,
            "picousd_per_token": self.price,
            "picousd": self.amount(),
        });
        if let Some(answer) = self.answer {
            line["answer"] = answer.into();
        }
        line
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

/// The summands of the exchange's cost: those of the answer that was passed on, then those of the others that were paid
/// for. `None` when the cost is unknown, when the catalogue no longer has the very prices that made it (their fingerprint
/// is in the price row's id), or when they do not give its sum.
pub(crate) fn of(catalog: &Catalog, exchange: &Exchange) -> Option<Vec<Line>> {
    let cost = exchange.bill.cost.known()?;
    let (mut own, mut own_cost) = (exchange.bill.usage, cost);
    let mut others = Vec::new();
    let answers = exchange.receipt.iter().flat_map(|receipt| &receipt.answers);
    for (place, answer) in answers.enumerate() {
        let bill = &answer.bill;
        let part = Part {
            answer: Some(place),
            target: &answer.target,
            tier: answer.tier.as_deref(),
            until_us: answer.ended_us,
        };
        others.extend(part.lines(catalog, exchange, &bill.usage, bill.cost.known()?)?);
        own = without(&own, &bill.usage)?;
        own_cost = PicoUsd(own_cost.0 - bill.cost.known()?.0);
    }
    let part = Part {
        answer: None,
        target: exchange.target.as_ref()?,
        tier: exchange.answer.service_tier.as_deref(),
        until_us: exchange.timings.total_us,
    };
    let mut lines = part.lines(catalog, exchange, &own, own_cost)?;
    lines.extend(others);
    Some(lines)
}

/// What is left of a usage without a part of it.
fn without(usage: &Usage, part: &Usage) -> Option<Usage> {
    let (mut left, mut part) = (*usage, *part);
    for (_, member) in CLASSES {
        let taken = *member(&mut part);
        let count = member(&mut left);
        *count = count.checked_sub(taken)?;
    }
    Some(left)
}

/// One answer of an exchange.
struct Part<'a> {
    answer: Option<usize>,
    target: &'a TargetUsed,
    tier: Option<&'a str>,
    until_us: u64,
}

impl Part<'_> {
    fn lines(
        &self,
        catalog: &Catalog,
        exchange: &Exchange,
        used: &Usage,
        cost: PicoUsd,
    ) -> Option<Vec<Line>> {
        let price_id = self.target.price.as_deref()?;
        let (name, _) = price_id.rsplit_once('@')?;
        let (platform, id) = name.split_once('/')?;
        let model = catalog.model(platform, id).filter(|model| model.price_id() == price_id)?;
        let pricing = model.pricing()?;
        let end = UnixMs(exchange.started_at.0.saturating_add(self.until_us / 1000));
        let cost_of = |usage: &Usage| pricing.cost(usage, self.tier, end).known();
        // The price of one more token. At the very edge of a price step that would be another card's price: then
        // the sum is another one, and nothing is shown.
        let base = cost_of(used)?;
        let mut lines = Vec::new();
        for (class, member) in CLASSES {
            let mut usage = *used;
            let count = member(&mut usage);
            let tokens = *count;
            if tokens > 0 {
                *count = tokens.checked_add(1)?;
                let price = PicoUsd(cost_of(&usage)?.0 - base.0);
                lines.push(Line { answer: self.answer, class, tokens, price });
            }
        }
        (lines.iter().map(Line::amount).sum::<PicoUsd>() == cost).then_some(lines)
    }
}
