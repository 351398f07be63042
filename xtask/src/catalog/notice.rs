//! Joins three feeds of deprecation notices, and tells a notice from a mere date.
//!
//! A date is a deadline only if a feed carries an announcement, a replacement, or the provider's own list of
//! deprecated models. The clouds publish a "not sooner than" date at launch; Google's page calls its dates
//! the earliest possible ones. Those are kept as `not_before`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use pilothouse_catalog::row::{Life, Row};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Book, COLLECTED, disagree, name};

/// What one feed says of one model.
struct Word {
    feed: &'static str,
    platform: &'static str,
    id: String,
    aliases: Vec<String>,
    announced: Option<String>,
    date: Option<String>,
    replacement: Vec<String>,
    source: Option<String>,
    note: Option<String>,
    /// The provider's own word that the model is on its way out.
    listed: bool,
    gone: bool,
    /// The date is only the earliest possible one.
    earliest: bool,
}

/// Joins the feeds into the book. Later feeds are fresher, and win.
pub(super) fn join(book: &mut Book, folder: &Path) -> Result<()> {
    let words = depdesk(folder)?.into_iter().chain(snapshot(folder)?).chain(bydtech(folder)?);
    for word in words {
        for alias in &word.aliases {
            alias_line(book, &word, alias);
        }
        let key = (word.platform.to_owned(), word.id.clone());
        let row = book.entry(key).or_insert_with(|| Row {
            platform: word.platform.to_owned(),
            version: name::version(&word.id).unwrap_or_default().to_owned(),
            region: name::region(word.platform, &word.id).map(str::to_owned),
            id: word.id.clone(),
            as_of: COLLECTED.to_owned(),
            ..Row::default()
        });
        hear(row, word);
    }
    Ok(())
}

fn hear(row: &mut Row, word: Word) {
    row.feeds.push(word.feed.to_owned());
    let mut life = row.life.take().unwrap_or_default();
    let notice = !word.earliest
        && (word.listed
            || !word.replacement.is_empty()
            || word.announced.as_ref().is_some_and(|announced| Some(announced) < word.date.as_ref()));
    let heard = life.feeds.last().cloned();
    let known = life.retires.clone().or_else(|| life.not_before.clone());
    if let (Some(feed), Some(known), Some(date)) = (heard, known, &word.date) {
        disagree(row, "retires", (word.feed, date.clone()), (&feed, known));
    }
    if notice {
        life.notice = true;
        life.retires = word.date.or(life.retires).or(life.not_before.take());
        life.not_before = None;
    } else if word.earliest || !life.notice {
        life.not_before = word.date.or(life.not_before);
        (life.notice, life.retires) = (false, None);
    }
    life.gone = life.gone || word.gone;
    life.announced = word.announced.or(life.announced).filter(|_| life.notice);
    if !word.replacement.is_empty() {
        life.replacement = word.replacement;
    }
    life.source = word.source.or(life.source);
    life.note = word.note.or(life.note);
    life.feeds.push(word.feed.to_owned());
    row.life = Some(life);
}

fn alias_line(book: &mut Book, word: &Word, alias: &str) {
    let key = (word.platform.to_owned(), alias.to_owned());
    match book.get_mut(&key) {
        Some(row) => {
            row.snapshot.get_or_insert_with(|| word.id.clone());
        }
        None => {
            let line = Row {
                platform: word.platform.to_owned(),
                id: alias.to_owned(),
                alias_of: Some(word.id.clone()),
                as_of: COLLECTED.to_owned(),
                feeds: vec![word.feed.to_owned()],
                ..Row::default()
            };
            book.insert(key, line);
        }
    }
}

/// Gives moving names and regional ids the notice of the id behind them.
pub(super) fn inherit(book: &mut Book) {
    let mut given: Vec<((String, String), Life)> = Vec::new();
    for (key, row) in book.iter().filter(|(_, row)| row.alias_of.is_none()) {
        if row.life.as_ref().is_some_and(|life| life.notice) {
            continue;
        }
        let behind = row.snapshot.clone().or_else(|| name::without_region(&key.0, &key.1).map(str::to_owned));
        let Some(id) = behind else { continue };
        let life = book.get(&(key.0.clone(), id.clone())).and_then(|row| row.life.clone());
        let Some(mut life) = life.filter(|life| life.notice) else { continue };
        life.feeds.extend(row.life.iter().flat_map(|own| own.feeds.clone()));
        life.feeds.sort();
        life.feeds.dedup();
        life.via = Some(id);
        given.push((key.clone(), life));
    }
    for (key, life) in given {
        if let Some(row) = book.get_mut(&key) {
            row.life = Some(life);
        }
    }
}

fn file<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T> {
    let text = fs::read_to_string(folder.join(name)).with_context(|| name.to_owned())?;
    serde_json::from_str(&text).with_context(|| name.to_owned())
}

#[derive(Deserialize)]
struct Listed {
    models: Vec<ListedModel>,
}

#[derive(Deserialize)]
struct ListedModel {
    provider: String,
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    status: String,
    deprecated_on: Option<String>,
    retires_on: Option<String>,
    earliest_retirement: Option<String>,
    replacement: Option<serde_json::Value>,
    source: Option<String>,
    note: Option<String>,
}

impl ListedModel {
    fn word(self, feed: &'static str) -> Option<Word> {
        let platform = match self.provider.as_str() {
            "openai" => "openai",
            "anthropic" => "anthropic",
            "mistral" => "mistral",
            "cohere" => "cohere",
            "google-gemini-api" => "gemini",
            "google-vertex-ai" => "vertex",
            "aws-bedrock" => "bedrock",
            _ => return None,
        };
        let earliest = self.note.as_ref().is_some_and(|note| note.contains("earliest possible"));
        let listed = self.status != "active";
        let page = match platform {
            "openai" => "https://developers.openai.com/api/docs/deprecations",
            _ => "https://platform.claude.com/docs/en/about-claude/model-deprecations",
        };
        Some(Word {
            feed,
            platform,
            id: self.id,
            aliases: self.aliases,
            announced: self.deprecated_on,
            date: if listed { self.retires_on } else { self.earliest_retirement },
            replacement: names(self.replacement),
            source: self.source.or_else(|| Some(page.to_owned())),
            note: self.note,
            listed,
            gone: self.status == "retired",
            earliest: earliest || !listed,
        })
    }
}

/// A replacement is one name, several, or one text of several names.
fn names(value: Option<serde_json::Value>) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    match value {
        Some(serde_json::Value::Array(list)) => list.iter().filter_map(text).collect(),
        Some(serde_json::Value::String(one)) => {
            let names = one.split([',', '|']).map(|name| name.trim().trim_start_matches("or ").trim());
            names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn depdesk(folder: &Path) -> Result<Vec<Word>> {
    let listed: Listed = file(folder, "depdesk_catalog.json")?;
    Ok(listed.models.into_iter().filter_map(|model| model.word("depdesk")).collect())
}

fn bydtech(folder: &Path) -> Result<Vec<Word>> {
    let listed: Listed = file(folder, "bydtech_models.json")?;
    Ok(listed.models.into_iter().filter_map(|model| model.word("bydtech")).collect())
}

#[derive(Deserialize)]
struct Observed {
    provider: String,
    model_id: String,
    shutdown_date: Option<String>,
    deprecation_date: Option<String>,
    replacement_models: Option<Vec<String>>,
    url: Option<String>,
}

fn snapshot(folder: &Path) -> Result<Vec<Word>> {
    let observed: Vec<Observed> = file(folder, "deprecations-info_snapshot.json")?;
    let words = observed.into_iter().filter_map(|one| {
        let platform = match one.provider.as_str() {
            "OpenAI" => "openai",
            "Anthropic" => "anthropic",
            "Azure" => "azure",
            "Google" => "gemini",
            "Google Vertex" => "vertex",
            "Groq" => "groq",
            "Cohere" => "cohere",
            "xAI" => "xai",
            _ => return None,
        };
        // Where the feed had only one date it wrote it twice.
        let announced = one.deprecation_date.filter(|day| Some(day) < one.shutdown_date.as_ref());
        // Google's page lists replacements beside dates that are only the earliest possible.
        let ahead = one.shutdown_date.as_deref().is_some_and(|day| day > COLLECTED);
        let earliest = platform == "gemini" && announced.is_none() && ahead;
        Some(Word {
            feed: "deprecations.info",
            platform,
            id: one.model_id,
            aliases: Vec::new(),
            announced,
            date: one.shutdown_date,
            replacement: one.replacement_models.unwrap_or_default(),
            source: one.url,
            note: None,
            listed: false,
            gone: false,
            earliest,
        })
    });
    Ok(words.collect())
}
