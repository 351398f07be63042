//! Reads models.dev's one-file form, `api.json`: providers, and in each its models.
//!
//! Source of the form: <https://models.dev/api.json> and the project's README, read 2026-11-23.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use pilothouse_catalog::row::{Card, Life, Row};
use serde::Deserialize;

use crate::json::{self, Members};
use crate::models_dev::{FEED, PLATFORMS, RATES};
use crate::number::usd_per_million;
use crate::{Book, name};

#[derive(Deserialize)]
struct Provider {
    #[serde(default)]
    models: BTreeMap<String, Members>,
}

/// Rows of the providers that we know, as of the day on which the file was read.
///
/// # Errors
/// When the text is not of that form, or a price in it is none.
pub(crate) fn rows(text: &str, as_of: &str) -> Result<Book> {
    let providers: BTreeMap<String, Provider> =
        serde_json::from_str(text).context("models.dev's api.json")?;
    let mut book = Book::new();
    for (theirs, platform) in PLATFORMS {
        let Some(provider) = providers.get(theirs) else { continue };
        for (id, members) in &provider.models {
            let row = row(platform, id, members, as_of).with_context(|| format!("{theirs}/{id}"))?;
            book.insert((platform.to_owned(), id.clone()), row);
        }
    }
    Ok(book)
}

fn row(platform: &str, id: &str, members: &Members, as_of: &str) -> Result<Row> {
    let limit: Members = json::get(members, "limit").unwrap_or_default();
    let modalities: BTreeMap<String, Vec<String>> = json::get(members, "modalities").unwrap_or_default();
    let list = |side: &str| modalities.get(side).cloned().unwrap_or_default();
    let mut row = Row {
        platform: platform.to_owned(),
        id: id.to_owned(),
        version: name::version(id).unwrap_or_default().to_owned(),
        region: name::region(platform, id).map(str::to_owned),
        name: json::get(members, "name"),
        context_tokens: json::count(&limit, "context"),
        input_tokens_max: json::count(&limit, "input"),
        output_tokens_max: json::count(&limit, "output"),
        inputs: list("input"),
        outputs: list("output"),
        open_weights: json::get(members, "open_weights"),
        released: json::get::<String>(members, "release_date").filter(|day| day.len() == 10),
        knowledge: json::get(members, "knowledge"),
        as_of: as_of.to_owned(),
        source: Some(format!("https://models.dev/?search={id}")),
        feeds: vec![FEED.to_owned()],
        prices: prices(members, id.ends_with(":free"))?,
        ..Row::default()
    };
    for (theirs, ours) in [
        ("reasoning", "reasoning"),
        ("tool_call", "tools"),
        ("structured_output", "json_schema"),
        ("temperature", "temperature"),
    ] {
        match json::get::<bool>(members, theirs) {
            Some(true) => row.yes.push(ours.to_owned()),
            Some(false) => row.no.push(ours.to_owned()),
            None => {}
        }
    }
    row.yes.sort();
    row.no.sort();
    // A status is notice without a day.
    if json::get::<String>(members, "status").as_deref() == Some("deprecated") {
        row.life = Some(Life { notice: true, feeds: vec![FEED.to_owned()], ..Life::default() });
    }
    Ok(row)
}

fn prices(members: &Members, free: bool) -> Result<Vec<Card>> {
    let Some(cost) = json::get::<Members>(members, "cost") else { return Ok(Vec::new()) };
    let mut cards = vec![card(&cost, None, free)?];
    if let Some(long) = json::get::<Members>(&cost, "context_over_200k") {
        cards.push(card(&long, Some(200_000), free)?);
    }
    for step in json::get::<Vec<Members>>(&cost, "tiers").unwrap_or_default() {
        let tier: Members = json::get(&step, "tier").unwrap_or_default();
        if let Some(above) = json::count(&tier, "size") {
            cards.push(card(&step, Some(above), free)?);
        }
    }
    cards.retain(|card| !card.rates.is_empty());
    if cards.first().is_none_or(|card| card.above_tokens.is_some()) {
        cards.clear();
    }
    cards.dedup_by(|later, earlier| later.above_tokens == earlier.above_tokens);
    Ok(cards)
}

fn card(cost: &Members, above_tokens: Option<u64>, free: bool) -> Result<Card> {
    let mut card = Card { above_tokens, ..Card::default() };
    for (theirs, class) in RATES {
        let Some(text) = json::number(cost, theirs) else { continue };
        let price = usd_per_million(text)?;
        if free || price.0 > 0 {
            card.rates.insert(class, price);
        }
    }
    Ok(card)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilothouse_catalog::row::Class;

    #[test]
    fn a_provider_with_its_models_becomes_rows_of_our_platforms() {
        let text = r#"{"google":{"id":"google","models":{"gemini-9":{"id":"gemini-9","name":"Gemini 9","reasoning":true,
          "tool_call":true,"temperature":false,"release_date":"2026-11-01","modalities":{"input":["text","image"],"output":["text"]},
          "cost":{"input":2,"output":12.5,"cache_read":0.2,"context_over_200k":{"input":4,"output":18}},
          "limit":{"context":1048576,"output":65536},"status":"deprecated"}}},"somebody":{"models":{"x":{}}}}"#;
        let book = rows(text, "2026-11-23").expect("rows");
        assert_eq!(book.len(), 1);
        let row = &book[&("gemini".to_owned(), "gemini-9".to_owned())];
        assert_eq!((row.context_tokens, row.output_tokens_max), (Some(1_048_576), Some(65_536)));
        assert_eq!(row.prices.len(), 2);
        assert_eq!(row.prices[0].rates[&Class::Output].0, 12_500_000);
        assert_eq!(row.prices[1].above_tokens, Some(200_000));
        assert_eq!(
            (row.yes.join(" "), row.no.join(" ")),
            ("reasoning tools".to_owned(), "temperature".to_owned())
        );
        assert!(row.life.as_ref().is_some_and(|life| life.notice && life.retires.is_none()));
    }

    #[test]
    fn a_price_that_is_none_is_refused_with_the_models_name() {
        let text = r#"{"openai":{"models":{"m":{"cost":{"input":1e99}}}}}"#;
        let error = format!("{:#}", rows(text, "2026-11-23").expect_err("no price"));
        assert!(error.starts_with("openai/m: "), "{error}");
    }
}
