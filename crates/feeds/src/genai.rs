//! Joins genai-prices: OpenRouter and Hugging Face rows, prices that change on a known day, and a second opinion.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use pilothouse_catalog::row::{Card, Class, Row};
use pilothouse_core::money::PicoUsd;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{self, Members};
use crate::number::usd_per_million;
use crate::{Book, litellm, name};

/// The feed's name in rows.
pub const FEED: &str = "genai-prices";

/// The days that reading hangs on.
#[derive(Clone, Copy, Debug)]
pub struct Days<'d> {
    /// The day of which the feed speaks.
    pub as_of: &'d str,
    /// The day on which prices that begin or end then are in force or not.
    pub today: &'d str,
}
const PLATFORMS: [(&str, &str); 20] = [
    ("anthropic", "anthropic"),
    ("aws", "bedrock"),
    ("azure", "azure"),
    ("cerebras", "cerebras"),
    ("cohere", "cohere"),
    ("deepseek", "deepseek"),
    ("fireworks", "fireworks"),
    ("google", "gemini"),
    ("groq", "groq"),
    ("minimax", "minimax"),
    ("mistral", "mistral"),
    ("moonshotai", "moonshot"),
    ("novita", "novita"),
    ("openai", "openai"),
    ("openrouter", "openrouter"),
    ("ovhcloud", "ovhcloud"),
    ("perplexity", "perplexity"),
    ("together", "together"),
    ("x-ai", "xai"),
    ("zai", "zai"),
];
const RATES: [(&str, Class); 15] = [
    ("input_mtok", Class::Input),
    ("output_mtok", Class::Output),
    ("cache_read_mtok", Class::CacheRead),
    ("cache_write_mtok", Class::CacheWrite5m),
    ("cache_write_1h_mtok", Class::CacheWrite1h),
    ("input_audio_mtok", Class::InputAudio),
    ("output_audio_mtok", Class::OutputAudio),
    ("cache_audio_read_mtok", Class::CacheReadAudio),
    ("cache_image_read_mtok", Class::CacheReadImage),
    ("input_image_mtok", Class::InputImage),
    ("output_image_mtok", Class::OutputImage),
    ("input_video_mtok", Class::InputVideo),
    ("output_video_mtok", Class::OutputVideo),
    ("output_reasoning_mtok", Class::Reasoning),
    ("output_citation_mtok", Class::Citation),
];

#[derive(Deserialize)]
struct Provider {
    id: String,
    #[serde(default)]
    pricing_urls: Vec<String>,
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    name: Option<String>,
    #[serde(rename = "match")]
    rule: Rule,
    context_window: Option<u64>,
    prices: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rule {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Regex(serde::de::IgnoredAny),
    Or(Vec<Rule>),
    And(Vec<Rule>),
}

impl Rule {
    fn fits(&self, id: &str) -> bool {
        match self {
            Self::Equals(text) => id.eq_ignore_ascii_case(text),
            Self::StartsWith(text) => id.starts_with(text),
            Self::EndsWith(text) => id.ends_with(text),
            Self::Contains(text) => id.contains(text),
            Self::Regex(_) => false,
            Self::Or(rules) => rules.iter().any(|rule| rule.fits(id)),
            Self::And(rules) => rules.iter().all(|rule| rule.fits(id)),
        }
    }
}

/// One price list and the day from which it holds, if the feed names one.
struct Period {
    from: Option<String>,
    cards: Vec<Card>,
}

/// Joins the feed into a book: new rows of OpenRouter and Hugging Face, a second opinion on the others.
///
/// # Errors
/// When the text is not the feed's JSON, or a price in it is none.
pub fn join(book: &mut Book, text: &str, days: Days<'_>) -> Result<()> {
    let providers: Vec<Provider> = serde_json::from_str(text).context("genai-prices")?;
    for provider in &providers {
        let source = provider.pricing_urls.first().cloned();
        if let Some(host) = provider.id.strip_prefix("huggingface_") {
            for model in &provider.models {
                add(book, "huggingface", format!("{}:{host}", model.id), model, source.clone(), days)?;
            }
            continue;
        }
        let Some((_, platform)) = PLATFORMS.iter().find(|(theirs, _)| *theirs == provider.id) else {
            continue;
        };
        for model in &provider.models {
            let periods = periods(model, &source, days).with_context(|| model.id.clone())?;
            if *platform == "openrouter" {
                add(book, platform, model.id.clone(), model, source.clone(), days)?;
            }
            let ids =
                book.range((platform.to_string(), String::new())..).take_while(|((of, _), _)| of == platform);
            let ids: Vec<String> =
                ids.map(|((_, id), _)| id.clone()).filter(|id| model.rule.fits(id)).collect();
            for id in ids {
                if let Some(row) = book.get_mut(&(platform.to_string(), id)) {
                    second_opinion(row, &periods, days);
                }
            }
        }
    }
    Ok(())
}

/// Adds a row that the other feeds lack, or brings its prices up to this feed's day.
fn add(
    book: &mut Book,
    platform: &str,
    id: String,
    model: &Model,
    source: Option<String>,
    days: Days<'_>,
) -> Result<()> {
    let periods = periods(model, &source, days)?;
    let Some(now) = periods.into_iter().rfind(|period| days.in_force(period.from.as_deref())) else {
        return Ok(());
    };
    let key = (platform.to_owned(), id.clone());
    let row = book.entry(key).or_insert_with(|| Row {
        platform: platform.to_owned(),
        version: name::version(&id).unwrap_or_default().to_owned(),
        id,
        name: model.name.clone(),
        context_tokens: model.context_window,
        ..Row::default()
    });
    row.as_of = days.as_of.to_owned();
    row.source = source;
    row.feeds.push(FEED.to_owned());
    row.prices = now.cards;
    for card in &mut row.prices {
        card.source = None;
        card.as_of = None;
    }
    Ok(())
}

impl Days<'_> {
    fn in_force(&self, from: Option<&str>) -> bool {
        from.is_none_or(|from| from <= self.today)
    }
}

/// The prices that the feed has now for ids that are known, and its own rows of OpenRouter, as rows that hold nothing else.
///
/// # Errors
/// As [`join`].
pub fn said(known: &Book, text: &str, days: Days<'_>) -> Result<Book> {
    let mut book: Book = known
        .iter()
        .filter(|(_, row)| row.alias_of.is_none())
        .map(|(key, row)| {
            (key.clone(), Row { platform: row.platform.clone(), id: row.id.clone(), ..Row::default() })
        })
        .collect();
    let providers: Vec<Provider> = serde_json::from_str(text).context("genai-prices")?;
    for provider in &providers {
        let Some((_, platform)) = PLATFORMS.iter().find(|(theirs, _)| *theirs == provider.id) else {
            continue;
        };
        let source = provider.pricing_urls.first().cloned();
        for model in &provider.models {
            if *platform == "openrouter" {
                add(&mut book, platform, model.id.clone(), model, source.clone(), days)?;
            }
            let ids = book
                .range((platform.to_string(), String::new())..)
                .take_while(|((of, _), row)| of == platform && row.platform == *of)
                .map(|((_, id), _)| id.clone());
            let ids: Vec<String> = ids.filter(|id| model.rule.fits(id)).collect();
            for id in ids {
                add(&mut book, platform, id, model, source.clone(), days)?;
            }
        }
    }
    book.retain(|_, row| !row.prices.is_empty());
    Ok(book)
}

/// Compares base prices, and takes over what only this feed knows: on which day a price changes.
fn second_opinion(row: &mut Row, periods: &[Period], days: Days<'_>) {
    if row.feeds.iter().any(|feed| feed == FEED) || row.prices.is_empty() {
        return;
    }
    let Some(now) = periods.iter().rfind(|period| days.in_force(period.from.as_deref())) else { return };
    let rate = |cards: &[Card], class| {
        let base = cards
            .iter()
            .find(|card| card.tier.is_none() && card.above_tokens.is_none() && card.window.is_none());
        base.and_then(|card| card.rates.get(&class).copied())
    };
    for (member, class) in
        [("input", Class::Input), ("output", Class::Output), ("cache_read", Class::CacheRead)]
    {
        if let (Some(ours), Some(theirs)) = (rate(&row.prices, class), rate(&now.cards, class)) {
            let million = |price: PicoUsd| price.times(1_000_000).to_string();
            litellm::compare(row, FEED, member, million(ours), million(theirs));
        }
    }
    row.feeds.push(FEED.to_owned());
    let dated: Vec<&Period> = periods.iter().filter(|period| period.from.is_some()).collect();
    let [change] = dated[..] else { return };
    let other = periods.iter().find(|period| period.from.is_none());
    let (Some(day), Some(before)) = (&change.from, other) else { return };
    let old = days.in_force(Some(day));
    // Only where both feeds agree on today's price is it sure that they speak of the same change.
    let today = rate(&row.prices, Class::Input);
    if today.is_none() || today != rate(if old { &change.cards } else { &before.cards }, Class::Input) {
        return;
    }
    for card in &mut row.prices {
        if old { card.from = Some(day.clone()) } else { card.to = Some(day.clone()) }
    }
    for card in if old { &before.cards } else { &change.cards } {
        let (from, to) = if old { (None, Some(day.clone())) } else { (Some(day.clone()), None) };
        row.prices.push(Card { from, to, ..card.clone() });
    }
}

fn periods(model: &Model, source: &Option<String>, days: Days<'_>) -> Result<Vec<Period>> {
    let free = model.id.ends_with(":free");
    let text = model.prices.get();
    if text.starts_with('{') {
        let members: Members = serde_json::from_str(text)?;
        return Ok(vec![Period { from: None, cards: cards(&members, source, free, days)? }]);
    }
    let mut periods = Vec::new();
    for one in serde_json::from_str::<Vec<Members>>(text)? {
        let constraint: BTreeMap<String, String> = json::get(&one, "constraint").unwrap_or_default();
        // Hours of the day come from litellm, whose windows are newer.
        if constraint.contains_key("start_time") {
            return Ok(Vec::new());
        }
        let members: Members = json::get(&one, "prices").unwrap_or_default();
        periods.push(Period {
            from: constraint.get("start_date").cloned(),
            cards: cards(&members, source, free, days)?,
        });
    }
    Ok(periods)
}

fn cards(members: &Members, source: &Option<String>, free: bool, days: Days<'_>) -> Result<Vec<Card>> {
    let mut steps: BTreeMap<u64, BTreeMap<Class, PicoUsd>> = BTreeMap::new();
    let mut add = |above: u64, class: Class, text: &str| -> Result<()> {
        let price = usd_per_million(text)?;
        if price > PicoUsd::ZERO || free {
            steps.entry(above).or_default().insert(class, price);
        }
        Ok(())
    };
    for (theirs, class) in RATES {
        if let Some(price) = json::number(members, theirs) {
            add(0, class, price)?;
        } else if let Some(tiered) = json::get::<Members>(members, theirs) {
            if let Some(price) = json::number(&tiered, "base") {
                add(0, class, price)?;
            }
            for step in json::get::<Vec<Members>>(&tiered, "tiers").unwrap_or_default() {
                if let (Some(start), Some(price)) =
                    (json::count(&step, "start"), json::number(&step, "price"))
                {
                    add(start, class, price)?;
                }
            }
        }
    }
    let base = steps.contains_key(&0);
    let cards = steps.into_iter().filter(|_| base).map(|(above, rates)| Card {
        above_tokens: (above > 0).then_some(above),
        as_of: Some(days.as_of.to_owned()),
        source: source.clone(),
        rates,
        ..Card::default()
    });
    Ok(cards.collect())
}
