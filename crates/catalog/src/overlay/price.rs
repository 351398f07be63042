//! Reads the `prices` of an overlay into cards and unit prices.

use std::collections::BTreeMap;

use pilothouse_core::money::PicoUsd;

use super::read::{Value, Wrong, calendar_day, count, list, table, text, wrong};
use crate::row::{Card, Class, Side, UnitPrice};
use crate::window::Windows;

/// Units that are not tokens.
pub(crate) const UNITS: [&str; 7] = ["image", "pixel", "second", "character", "page", "search", "request"];

/// One entry before it finds its card.
#[derive(Default)]
struct Entry<'v, 't> {
    class: Option<Class>,
    unit: Option<String>,
    per_million: Option<&'v Value<'t>>,
    per_unit: Option<&'v Value<'t>>,
    side: Option<Side>,
    when: Option<String>,
    card: Card,
}

pub(super) fn prices(value: &Value<'_>) -> Result<(Vec<Card>, Vec<UnitPrice>), Wrong> {
    let (mut cards, mut units): (Vec<Card>, Vec<UnitPrice>) = (Vec::new(), Vec::new());
    for one in list(value)? {
        let entry = entry(one)?;
        let price = price(one, &entry)?;
        match (entry.class, entry.unit) {
            (Some(class), None) => add(&mut cards, entry.card, class, price).or_else(|()| {
                wrong(one, format!("`{}` has two prices under the same condition", class.as_str()))
            })?,
            (None, Some(unit)) => {
                units.push(UnitPrice {
                    unit,
                    side: entry.side,
                    when: entry.when,
                    tier: entry.card.tier,
                    price,
                });
            }
            _ => return wrong(one, "a price needs either `class` (of tokens) or `unit`"),
        }
    }
    Ok((cards, units))
}

/// Puts a rate on the card of its condition.
fn add(cards: &mut Vec<Card>, condition: Card, class: Class, price: PicoUsd) -> Result<(), ()> {
    let same = |card: &Card| Card { rates: BTreeMap::new(), ..card.clone() } == condition;
    let at = match cards.iter().position(same) {
        Some(at) => at,
        None => {
            cards.push(condition);
            cards.len() - 1
        }
    };
    let card = cards.get_mut(at).ok_or(())?;
    card.rates.insert(class, price).map_or(Ok(()), |_| Err(()))
}

fn entry<'v, 't>(value: &'v Value<'t>) -> Result<Entry<'v, 't>, Wrong> {
    let mut entry = Entry::default();
    for (key, value) in table(value)? {
        match key.get_ref().as_ref() {
            "class" => {
                let name = text(value)?;
                let known = || Class::ALL.map(Class::as_str).join(", ");
                entry.class = Some(Class::parse(name).map_or_else(
                    || wrong(value, format!("`{name}` is not a class of tokens: {}", known())),
                    Ok,
                )?);
            }
            "unit" => {
                let name = text(value)?;
                if !UNITS.contains(&name) {
                    return wrong(value, format!("`{name}` is not a unit: {}", UNITS.join(", ")));
                }
                entry.unit = Some(name.to_owned());
            }
            "usd_per_million" => entry.per_million = Some(value),
            "usd" => entry.per_unit = Some(value),
            "side" => {
                entry.side = Some(match text(value)? {
                    "input" => Side::Input,
                    "output" => Side::Output,
                    other => return wrong(value, format!("`{other}` is not a side: input, output")),
                });
            }
            "when" => entry.when = Some(text(value)?.to_owned()),
            "tier" => entry.card.tier = Some(text(value)?.to_owned()),
            "above_tokens" => entry.card.above_tokens = Some(count(value)?),
            "window" => {
                let window = text(value)?;
                Windows::parse(window).or_else(|message| wrong(value, message))?;
                entry.card.window = Some(window.to_owned());
            }
            "from" => entry.card.from = Some(calendar_day(value)?),
            "to" => entry.card.to = Some(calendar_day(value)?),
            "as_of" => entry.card.as_of = Some(calendar_day(value)?),
            "source" => entry.card.source = Some(text(value)?.to_owned()),
            other => {
                return Err(Wrong {
                    span: key.span(),
                    message: format!("`{other}` is not a member of a price"),
                });
            }
        }
    }
    Ok(entry)
}

fn price(at: &Value<'_>, entry: &Entry<'_, '_>) -> Result<PicoUsd, Wrong> {
    let (value, per_million) = match (entry.per_million, entry.per_unit) {
        (Some(value), None) => (value, true),
        (None, Some(value)) => (value, false),
        _ => return wrong(at, "a price needs either `usd_per_million` or `usd` (per token or unit)"),
    };
    let text = decimal(value)?;
    let price = if per_million { PicoUsd::parse_usd_per_million(&text) } else { PicoUsd::parse_usd(&text) };
    let price = price.or_else(|message| wrong(value, message))?;
    if price < PicoUsd::ZERO || price.as_i64().is_none() {
        return wrong(value, "a price is not negative and below 9 million dollars a unit");
    }
    Ok(price)
}

/// The decimal digits as written, whether quoted or not.
fn decimal(value: &Value<'_>) -> Result<String, Wrong> {
    let inner = value.get_ref();
    let digits = inner
        .as_str()
        .or_else(|| inner.as_integer().map(|number| number.as_str()))
        .or_else(|| inner.as_float().map(|number| number.as_str()));
    digits.map_or_else(
        || wrong(value, "an amount of dollars is expected here, such as \"2.5\""),
        |text| Ok(text.replace('_', "")),
    )
}
