//! Joins models.dev: names, limits, modalities, open weights, effort values, and prices that litellm lacks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use pilothouse_catalog::row::{Card as Prices, Class, Row};
use toml::de::DeTable;

use crate::number::usd_per_million;
use crate::toml_read::{count, flag, tables, text, texts};
use crate::{Book, litellm, name};

/// The feed's name in rows.
pub const FEED: &str = "models.dev";
/// The day of the feed's commit.
const AS_OF: &str = "2026-07-02";
pub(crate) const PLATFORMS: [(&str, &str); 12] = [
    ("alibaba", "alibaba"),
    ("amazon-bedrock", "bedrock"),
    ("anthropic", "anthropic"),
    ("azure", "azure"),
    ("deepseek", "deepseek"),
    ("google", "gemini"),
    ("google-vertex", "vertex"),
    ("mistral", "mistral"),
    ("openai", "openai"),
    ("openrouter", "openrouter"),
    ("xai", "xai"),
    ("zai", "zai"),
];

/// A model whoever serves it.
pub struct Card {
    /// `maker/model`.
    pub id: String,
    pub(crate) facts: Row,
}

/// Every TOML file below a folder, sorted.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|kind| kind == "toml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The name of a file below a folder, without its ending.
pub fn stem(folder: &Path, file: &Path) -> Result<String> {
    let relative = file.strip_prefix(folder)?.with_extension("");
    // `with_extension` cuts at the last point, which is the ending: `gpt-5.5.toml` becomes `gpt-5.5`.
    relative.to_str().map(str::to_owned).ok_or_else(|| anyhow!("{}: not UTF-8", file.display()))
}

/// The models, by their plain name.
pub fn cards(folder: &Path) -> Result<BTreeMap<String, Card>> {
    let mut cards = BTreeMap::new();
    for file in files(folder)? {
        let id = stem(folder, &file)?;
        let body = fs::read_to_string(&file)?;
        let table = DeTable::parse(&body).map_err(|error| anyhow!("{}: {error}", file.display()))?;
        let facts = facts(table.get_ref());
        cards.insert(name::plain(&id), Card { id, facts });
    }
    Ok(cards)
}

/// Joins the providers' files.
pub fn join(book: &mut Book, folder: &Path, cards: &BTreeMap<String, Card>) -> Result<()> {
    for (theirs, ours) in PLATFORMS {
        let models = folder.join("providers").join(theirs).join("models");
        for file in files(&models)? {
            let id = stem(&models, &file)?;
            let body = fs::read_to_string(&file)?;
            let table = DeTable::parse(&body).map_err(|error| anyhow!("{}: {error}", file.display()))?;
            let mut row = facts(table.get_ref());
            if let Some(card) = text(table.get_ref(), &["base_model"]).and_then(|base| by_id(cards, &base)) {
                inherit(&mut row, card);
            }
            row.platform = ours.to_owned();
            row.version = name::version(&id).unwrap_or_default().to_owned();
            row.region = name::region(ours, &id).map(str::to_owned);
            row.source = Some(format!("https://models.dev/?search={id}"));
            row.id = id;
            row.prices = prices(table.get_ref(), row.id.ends_with(":free"))
                .with_context(|| file.display().to_string())?;
            lay(book, row);
        }
    }
    Ok(())
}

fn by_id<'c>(cards: &'c BTreeMap<String, Card>, id: &str) -> Option<&'c Card> {
    cards.values().find(|card| card.id == id)
}

/// A provider's file says only what differs from the model's.
fn inherit(row: &mut Row, card: &Card) {
    let base = card.facts.clone();
    row.card = Some(card.id.clone());
    row.name = row.name.take().or(base.name);
    row.context_tokens = row.context_tokens.or(base.context_tokens);
    row.input_tokens_max = row.input_tokens_max.or(base.input_tokens_max);
    row.output_tokens_max = row.output_tokens_max.or(base.output_tokens_max);
    row.open_weights = row.open_weights.or(base.open_weights);
    row.released = row.released.take().or(base.released);
    row.knowledge = row.knowledge.take().or(base.knowledge);
    row.licence = row.licence.take().or(base.licence);
    let lists =
        [(&mut row.inputs, base.inputs), (&mut row.outputs, base.outputs), (&mut row.effort, base.effort)];
    for (own, inherited) in lists {
        if own.is_empty() {
            *own = inherited;
        }
    }
    for name in base.yes {
        if !row.no.contains(&name) && !row.yes.contains(&name) {
            row.yes.push(name);
        }
    }
    for name in base.no {
        if !row.no.contains(&name) && !row.yes.contains(&name) {
            row.no.push(name);
        }
    }
    row.yes.sort();
    row.no.sort();
}

/// Everything but key and price.
fn facts(table: &DeTable<'_>) -> Row {
    let mut row = Row {
        name: text(table, &["name"]),
        context_tokens: count(table, &["limit", "context"]),
        input_tokens_max: count(table, &["limit", "input"]),
        output_tokens_max: count(table, &["limit", "output"]),
        inputs: texts(table, &["modalities", "input"]),
        outputs: texts(table, &["modalities", "output"]),
        licence: text(table, &["license"]),
        open_weights: flag(table, &["open_weights"]),
        released: text(table, &["release_date"]).filter(|day| day.len() == 10),
        knowledge: text(table, &["knowledge"]),
        as_of: AS_OF.to_owned(),
        feeds: vec![FEED.to_owned()],
        ..Row::default()
    };
    let members = [
        ("reasoning", "reasoning"),
        ("tool_call", "tools"),
        ("structured_output", "json_schema"),
        ("temperature", "temperature"),
    ];
    for (theirs, ours) in members {
        match flag(table, &[theirs]) {
            Some(true) => row.yes.push(ours.to_owned()),
            Some(false) => row.no.push(ours.to_owned()),
            None => {}
        }
    }
    for option in tables(table, &["reasoning_options"]) {
        if text(option, &["type"]).as_deref() == Some("effort") {
            row.effort = texts(option, &["values"]);
        }
    }
    row.yes.sort();
    row.no.sort();
    row
}

/// What the feed calls each class of tokens, in both of its forms.
pub(crate) const RATES: [(&str, Class); 7] = [
    ("input", Class::Input),
    ("output", Class::Output),
    ("reasoning", Class::Reasoning),
    ("cache_read", Class::CacheRead),
    ("cache_write", Class::CacheWrite5m),
    ("input_audio", Class::InputAudio),
    ("output_audio", Class::OutputAudio),
];

fn prices(table: &DeTable<'_>, free: bool) -> Result<Vec<Prices>> {
    let rates = |cost: &DeTable<'_>| -> Result<BTreeMap<Class, _>> {
        let mut rates = BTreeMap::new();
        for (theirs, class) in RATES {
            if let Some(price) = text(cost, &[theirs]) {
                let price = usd_per_million(&price)?;
                if free || price.0 > 0 {
                    rates.insert(class, price);
                }
            }
        }
        Ok(rates)
    };
    let mut cards = Vec::new();
    let Some(cost) = crate::toml_read::at(table, &["cost"]).and_then(|cost| cost.as_table()) else {
        return Ok(cards);
    };
    cards.push(Prices { rates: rates(cost)?, ..Prices::default() });
    for step in tables(cost, &["tiers"]) {
        let above_tokens = count(step, &["tier", "size"]);
        cards.push(Prices { above_tokens, rates: rates(step)?, ..Prices::default() });
    }
    let fast =
        crate::toml_read::at(table, &["experimental", "modes", "fast"]).and_then(|fast| fast.as_table());
    if let Some(fast) = fast
        && let Some(tier) = text(fast, &["provider", "body", "service_tier"])
        && let Some(cost) = crate::toml_read::at(fast, &["cost"]).and_then(|cost| cost.as_table())
    {
        cards.push(Prices { tier: Some(tier), rates: rates(cost)?, ..Prices::default() });
    }
    cards.retain(|card| !card.rates.is_empty());
    if cards.first().is_none_or(|card| card.above_tokens.is_some() || card.tier.is_some()) {
        cards.clear();
    }
    Ok(cards)
}

/// Lays a row of this feed under the one that is there, or adds it.
fn lay(book: &mut Book, mut other: Row) {
    let key = (other.platform.clone(), other.id.clone());
    let Some(row) = book.get_mut(&key) else {
        book.insert(key, other);
        return;
    };
    let base =
        |row: &Row, class| row.prices.first().and_then(|card: &Prices| card.rates.get(&class).copied());
    for (member, class) in
        [("input", Class::Input), ("output", Class::Output), ("cache_read", Class::CacheRead)]
    {
        if let (Some(ours), Some(theirs)) = (base(row, class), base(&other, class)) {
            litellm::compare(
                row,
                FEED,
                member,
                ours.times(1_000_000).to_string(),
                theirs.times(1_000_000).to_string(),
            );
        }
    }
    if row.prices.is_empty() && !other.prices.is_empty() {
        row.prices = std::mem::take(&mut other.prices);
        for card in &mut row.prices {
            card.as_of = Some(AS_OF.to_owned());
            card.source.clone_from(&other.source);
        }
    }
    limits(row, &other);
    row.name = row.name.take().or(other.name);
    row.card = row.card.take().or(other.card);
    row.released = row.released.take().or(other.released);
    row.knowledge = row.knowledge.take().or(other.knowledge);
    row.licence = row.licence.take().or(other.licence);
    row.open_weights = row.open_weights.or(other.open_weights);
    // This feed's lists are kept by hand and complete; litellm's leave out PDF.
    if !other.inputs.is_empty() {
        row.inputs = other.inputs;
    }
    if !other.outputs.is_empty() {
        row.outputs = other.outputs;
    }
    if row.effort.is_empty() {
        row.effort = other.effort;
    }
    for name in other.yes {
        if !row.yes.contains(&name) && !row.no.contains(&name) {
            row.yes.push(name);
        }
    }
    for name in other.no {
        if !row.yes.contains(&name) && !row.no.contains(&name) {
            row.no.push(name);
        }
    }
    row.yes.sort();
    row.no.sort();
    row.feeds.push(FEED.to_owned());
}

/// litellm's one limit is sometimes the context window and sometimes only its input part; this feed tells them
/// apart. Where it says that the input is smaller than the window, it is right about both.
fn limits(row: &mut Row, other: &Row) {
    if other.input_tokens_max.is_some() && other.context_tokens >= row.context_tokens {
        row.context_tokens = other.context_tokens;
        row.input_tokens_max = other.input_tokens_max;
    } else if row.context_tokens.is_none() {
        row.context_tokens = other.context_tokens;
    }
    row.output_tokens_max = row.output_tokens_max.or(other.output_tokens_max);
}
