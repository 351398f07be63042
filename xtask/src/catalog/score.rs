//! Collects benchmark scores: models.dev's, Aider's leaderboard, and those written by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use pilothouse_catalog::row::{Score, Scores};
use serde::Deserialize;
use toml::de::DeTable;

use pilothouse_feeds::models_dev::{files, stem};
use pilothouse_feeds::name::plain;
use pilothouse_feeds::toml_read::{tables, text};

/// `scores.toml`.
#[derive(Deserialize)]
struct Hand {
    score: Vec<HandScore>,
}

#[derive(Deserialize)]
struct HandScore {
    card: String,
    #[serde(flatten)]
    score: Score,
}

/// Every score by model, sorted.
pub(super) fn collect(models: &Path, aider: &Path, hand: &Path) -> Result<Vec<Scores>> {
    let mut by_card: BTreeMap<String, Vec<Score>> = BTreeMap::new();
    let mut cards: BTreeMap<String, String> = BTreeMap::new();
    for file in files(models)? {
        let card = stem(models, &file)?;
        let body = fs::read_to_string(&file)?;
        let table = DeTable::parse(&body).map_err(|error| anyhow!("{}: {error}", file.display()))?;
        cards.insert(plain(&card), card.clone());
        let scores = tables(table.get_ref(), &["benchmarks"]).into_iter().filter_map(score);
        by_card.entry(card).or_default().extend(scores);
    }
    for (model, score) in aider_runs(aider)? {
        if let Some(card) = cards.get(&plain(&model)) {
            by_card.entry(card.clone()).or_default().push(score);
        }
    }
    let body = fs::read_to_string(hand).with_context(|| hand.display().to_string())?;
    for one in toml::from_str::<Hand>(&body).context("scores.toml")?.score {
        ensure!(one.score.source.starts_with("https://"), "scores.toml: {} has no source", one.card);
        by_card.entry(one.card).or_default().push(one.score);
    }
    let scores = by_card.into_iter().filter(|(_, scores)| !scores.is_empty()).map(|(card, mut scores)| {
        scores.sort_by(|left, right| {
            (&left.name, &left.version, &left.source, &left.setting).cmp(&(
                &right.name,
                &right.version,
                &right.source,
                &right.setting,
            ))
        });
        scores.dedup();
        Scores { card, scores }
    });
    Ok(scores.collect())
}

fn score(table: &DeTable<'_>) -> Option<Score> {
    let (name, version) = spelling(&text(table, &["name"])?);
    let setting: Vec<String> =
        ["harness", "variant", "dataset"].iter().filter_map(|member| text(table, &[member])).collect();
    Some(Score {
        name,
        version: version.or_else(|| text(table, &["version"])),
        score: text(table, &["score"])?.replace('_', ""),
        metric: text(table, &["metric"]),
        setting: (!setting.is_empty()).then(|| setting.join(", ")),
        source: text(table, &["source"]).filter(|source| source.starts_with("https://"))?,
        date: text(table, &["date"]),
    })
}

/// One spelling for a benchmark that the feed spells in several ways.
fn spelling(name: &str) -> (String, Option<String>) {
    let known = [
        ("Terminal Bench 2.0", "Terminal-Bench", Some("2.0")),
        ("Terminal Bench 2.1", "Terminal-Bench", Some("2.1")),
        ("Terminal-Bench 2.1", "Terminal-Bench", Some("2.1")),
        ("SWE-Bench Pro", "SWE-bench Pro", None),
        ("SWE-Bench Verified", "SWE-bench Verified", None),
        ("SWE-Bench Multilingual", "SWE-bench Multilingual", None),
        ("Aider Polyglot", "Aider polyglot", None),
    ];
    match known.iter().find(|(theirs, ..)| *theirs == name) {
        Some((_, ours, version)) => ((*ours).to_owned(), version.map(str::to_owned)),
        None => (name.to_owned(), None),
    }
}

/// Aider's runs: a flat list in YAML, of which four members matter.
fn aider_runs(path: &Path) -> Result<Vec<(String, Score)>> {
    let body = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut runs = Vec::new();
    for run in body.split("\n- ").map(|run| run.trim_start_matches("- ")) {
        let member = |name: &str| {
            let line = run.lines().find_map(|line| line.trim_start().strip_prefix(name)?.strip_prefix(": "));
            line.map(|value| value.trim().trim_matches(['"', '\'']).to_owned())
        };
        let (Some(model), Some(rate)) = (member("model"), member("pass_rate_2")) else { continue };
        // `claude-opus-4-20250514 (32k thinking)`: the words in brackets are the setting.
        let (model, note) = model.split_once(" (").map_or((model.as_str(), None), |(model, note)| {
            (model, Some(note.trim_end_matches(')').to_owned()))
        });
        let setting = [member("edit_format").map(|format| format!("edit format {format}")), note];
        runs.push((
            model.to_lowercase().replace(' ', "-"),
            Score {
                name: "Aider polyglot".to_owned(),
                score: rate,
                metric: Some("percent of 225 exercises solved in two tries".to_owned()),
                setting: Some(setting.into_iter().flatten().collect::<Vec<_>>().join(", ")),
                source: "https://aider.chat/docs/leaderboards/".to_owned(),
                date: member("date"),
                ..Score::default()
            },
        ));
    }
    ensure!(runs.len() > 50, "{}: only {} runs", path.display(), runs.len());
    Ok(runs)
}
