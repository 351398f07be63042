//! Joins three feeds of deprecation notices, and tells a notice from a mere date.
//!
//! A date is a deadline only if a feed carries an announcement, a replacement, or the provider's own list of
//! deprecated models. The clouds publish a "not sooner than" date at launch; Google's page calls its dates
//! the earliest possible ones. Those are kept as `not_before`.

use anyhow::{Context, Result};
use pilothouse_catalog::row::{Life, Row};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Book, disagree, name};

/// What one feed says of one model.
pub struct Word {
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

/// Joins what feeds said into the book, as of a day. Later words are fresher, and win.
pub fn join(book: &mut Book, words: impl IntoIterator<Item = Word>, as_of: &str) {
    for word in words {
        for alias in &word.aliases {
            alias_line(book, &word, alias, as_of);
        }
        let key = (word.platform.to_owned(), word.id.clone());
        let row = book.entry(key).or_insert_with(|| Row {
            platform: word.platform.to_owned(),
            version: name::version(&word.id).unwrap_or_default().to_owned(),
            region: name::region(word.platform, &word.id).map(str::to_owned),
            id: word.id.clone(),
            as_of: as_of.to_owned(),
            ..Row::default()
        });
        hear(row, word);
    }
}

fn hear(row: &mut Row, mut word: Word) {
    // A feed that knows no day writes an empty one.
    for day in [&mut word.announced, &mut word.date] {
        *day = day.take().filter(|day| pilothouse_catalog::day::start_of(day).is_some());
    }
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
        // Notice with a date "to be announced" does not turn another feed's mere date into a deadline.
        life.retires = word.date.or(life.retires);
        if life.retires.is_some() {
            life.not_before = None;
        }
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

fn alias_line(book: &mut Book, word: &Word, alias: &str, as_of: &str) {
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
                as_of: as_of.to_owned(),
                feeds: vec![word.feed.to_owned()],
                ..Row::default()
            };
            book.insert(key, line);
        }
    }
}

/// Gives moving names and regional ids the notice of the id behind them.
pub fn inherit(book: &mut Book) {
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
        // AWS dates differ by region: the notice holds for a regional id, the day may not.
        if row.snapshot.is_none() && life.note.as_ref().is_some_and(|note| note.contains("Region")) {
            life.not_before =
                row.life.as_ref().and_then(|own| own.not_before.clone()).or(life.retires.take());
            (life.retires, life.gone) = (None, false);
        }
        life.via = Some(id);
        given.push((key.clone(), life));
    }
    for (key, life) in given {
        if let Some(row) = book.get_mut(&key) {
            row.life = Some(life);
        }
    }
}

fn parsed<T: DeserializeOwned>(text: &str, feed: &str) -> Result<T> {
    serde_json::from_str(text).with_context(|| feed.to_owned())
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
    let texts = match value {
        Some(serde_json::Value::Array(list)) => list,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    texts.iter().filter_map(serde_json::Value::as_str).flat_map(plain_names).collect()
}

/// `gpt-6-luna or gpt-6-terra (reasoning.mode: pro)`: ids only, so that a program can use them. What stands in
/// brackets is how to call the model, which its own page says better, and what has blanks in it is a sentence for people.
fn plain_names(text: &str) -> Vec<String> {
    let parts = text.split([',', '|']).flat_map(|part| part.split(" or "));
    let names = parts.map(|name| name.trim().trim_start_matches("or "));
    let names = names.map(|name| name.split_once(" (").map_or(name, |(name, _)| name).trim());
    let is_id = |name: &&str| !name.is_empty() && !name.contains(char::is_whitespace);
    names.filter(is_id).map(str::to_owned).collect()
}

/// What a feed in the form `{"models": [{"provider", "id", "status", …}]}` says: depdesk's and bydtech's.
///
/// # Errors
/// When the text is not of that form.
pub fn listed(text: &str, feed: &'static str) -> Result<Vec<Word>> {
    let listed: Listed = parsed(text, feed)?;
    Ok(listed.models.into_iter().filter_map(|model| model.word(feed)).collect())
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

/// What deprecations.info says, read on the day `today`.
///
/// # Errors
/// When the text is not of that feed's form.
pub fn observed(text: &str, today: &str) -> Result<Vec<Word>> {
    let observed: Vec<Observed> = parsed(text, "deprecations.info")?;
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
        let ahead = one.shutdown_date.as_deref().is_some_and(|day| day > today);
        let earliest = platform == "gemini" && announced.is_none() && ahead;
        Some(Word {
            feed: "deprecations.info",
            platform,
            id: one.model_id,
            aliases: Vec::new(),
            announced,
            date: one.shutdown_date,
            replacement: one.replacement_models.iter().flatten().flat_map(|text| plain_names(text)).collect(),
            source: one.url,
            note: None,
            listed: false,
            gone: false,
            earliest,
        })
    });
    Ok(words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(feed: &'static str, date: &str) -> Word {
        Word {
            feed,
            platform: "openai",
            id: "m".to_owned(),
            aliases: Vec::new(),
            announced: None,
            date: Some(date.to_owned()),
            replacement: Vec::new(),
            source: None,
            note: None,
            listed: false,
            gone: false,
            earliest: false,
        }
    }

    fn life_after(words: Vec<Word>) -> Life {
        let mut row = Row::default();
        for word in words {
            hear(&mut row, word);
        }
        row.life.expect("a life")
    }

    #[test]
    fn a_mere_date_is_not_before_and_a_replacement_makes_it_a_deadline() {
        let mere = life_after(vec![word("a", "2027-01-01")]);
        assert_eq!(
            (mere.notice, mere.not_before.as_deref(), mere.retires),
            (false, Some("2027-01-01"), None)
        );
        let named = life_after(vec![
            word("a", "2027-01-01"),
            Word { replacement: vec!["n".to_owned()], ..word("b", "2027-01-01") },
        ]);
        assert_eq!(
            (named.notice, named.not_before, named.retires.as_deref()),
            (true, None, Some("2027-01-01"))
        );
    }

    #[test]
    fn an_earliest_possible_date_is_no_deadline_even_with_a_replacement() {
        let earliest = Word {
            earliest: true,
            listed: true,
            replacement: vec!["n".to_owned()],
            ..word("bydtech", "2027-03-15")
        };
        let life = life_after(vec![earliest]);
        assert_eq!((life.notice, life.not_before.as_deref()), (false, Some("2027-03-15")));
        assert_eq!(life.replacement, ["n"]);
    }

    #[test]
    fn the_fresher_feed_wins_and_the_conflict_is_kept() {
        let mut row = Row::default();
        hear(&mut row, Word { listed: true, ..word("depdesk", "2026-09-30") });
        hear(&mut row, Word { listed: true, ..word("bydtech", "2026-10-22") });
        assert_eq!(row.life.expect("a life").retires.as_deref(), Some("2026-10-22"));
        let conflict = &row.conflicts[0];
        assert_eq!((conflict.member.as_str(), conflict.chosen.as_str()), ("retires", "bydtech"));
        assert_eq!(conflict.says["depdesk"], "2026-09-30");
    }

    #[test]
    fn notice_without_a_day_makes_no_deadline_of_another_feeds_date() {
        let mut row = Row {
            life: Some(Life { not_before: Some("2026-10-01".into()), ..Life::default() }),
            ..Row::default()
        };
        hear(&mut row, Word { listed: true, date: None, ..word("bydtech", "") });
        let life = row.life.expect("a life");
        assert_eq!((life.notice, life.retires, life.not_before.as_deref()), (true, None, Some("2026-10-01")));
    }

    #[test]
    fn a_regional_id_takes_the_notice_but_not_the_day_where_days_differ_by_region() {
        let mut book = Book::new();
        let base = Life {
            notice: true,
            retires: Some("2027-04-08".into()),
            note: Some("lifecycle state can differ by Region.".into()),
            ..Life::default()
        };
        for (id, life) in [("anthropic.m", Some(base)), ("eu.anthropic.m", None)] {
            let row = Row { platform: "bedrock".into(), id: id.into(), life, ..Row::default() };
            book.insert(("bedrock".into(), id.into()), row);
        }
        inherit(&mut book);
        let life = book[&("bedrock".to_owned(), "eu.anthropic.m".to_owned())].life.clone().expect("a life");
        assert_eq!((life.notice, life.retires, life.not_before.as_deref()), (true, None, Some("2027-04-08")));
        assert_eq!(life.via.as_deref(), Some("anthropic.m"));
    }

    #[test]
    fn replacements_are_ids() {
        assert_eq!(plain_names("a-1, b-2, or c-3"), ["a-1", "b-2", "c-3"]);
        assert_eq!(plain_names("x or y (reasoning.mode: pro)"), ["x", "y"]);
        assert_eq!(plain_names("x, the GA models elsewhere"), ["x"]);
        assert!(plain_names("The most capable model available to you.").is_empty());
    }
}
