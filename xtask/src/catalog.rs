//! `cargo xtask catalog --from DIR`: joins public feeds into the bundled catalogue.
//!
//! DIR holds the feeds that NOTICE names, each in its folder: `litellm/`, `models.dev/`, `genai-prices/`,
//! `deprecations/`, and beside it, or given by `--aider FILE`, the Aider leaderboard. The result is committed
//! (`crates/catalog/data/*.jsonl`); nothing needs the feeds to build, to test or to run.
//!
//! How each feed is read and joined: `crates/feeds`.

mod score;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use pilothouse_catalog::row::{Conflict, Row};
use pilothouse_catalog::{Catalog, overlay};
use pilothouse_feeds::genai::Days;
use pilothouse_feeds::{Book, alias, family, genai, litellm, models_dev, name, notice};

/// The day at which the feeds were collected: what rows without a day of their own are as of.
const COLLECTED: &str = "2026-11-22";
/// Where the data lives, from the repository's root.
const DATA: &str = "crates/catalog/data";

/// The day of genai-prices' commit.
const GENAI_AS_OF: &str = "2026-08-21";

/// Builds the bundled catalogue from `--from DIR`, or checks the committed one with `--check`.
///
/// # Errors
/// When a feed is missing or unreadable, or when the result breaks a rule of the catalogue.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let value = |flag: &str| {
        args.iter().position(|arg| arg == flag).and_then(|at| args.get(at + 1)).map(PathBuf::from)
    };
    let root = root()?;
    if args.iter().any(|arg| arg == "--check") {
        return check();
    }
    let Some(from) = value("--from") else {
        bail!("name the folder of the feeds: cargo xtask catalog --from DIR [--aider FILE], or --check");
    };
    let aider = value("--aider").unwrap_or_else(|| from.join("../routing/aider_polyglot_leaderboard.yml"));
    let data = root.join(DATA);
    let book = build(&from, &data)?;
    let scores = score::collect(&from.join("models.dev/models"), &aider, &data.join("scores.toml"))?;
    write_lines(&data.join("models.jsonl"), in_key_order(book))?;
    write_lines(&data.join("benchmarks.jsonl"), scores)?;
    Ok(())
}

fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest.parent().context("xtask lies in the repository")?.to_owned())
}

fn build(from: &Path, data: &Path) -> Result<Book> {
    let families = family::bundled()?;
    let read = |name: &str| {
        let path = from.join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let prices = read("litellm/model_prices_and_context_window.json")?;
    let mut book = litellm::read(&prices, &families, COLLECTED)?;
    let base = book.len();
    let cards = models_dev::cards(&from.join("models.dev/models"))?;
    models_dev::join(&mut book, &from.join("models.dev"), &cards)?;
    let days = Days { as_of: GENAI_AS_OF, today: COLLECTED };
    genai::join(&mut book, &read("genai-prices/data_v2.json")?, days)?;
    let mut words = notice::listed(&read("deprecations/depdesk_catalog.json")?, "depdesk")?;
    words.extend(notice::observed(&read("deprecations/deprecations-info_snapshot.json")?, COLLECTED)?);
    words.extend(notice::listed(&read("deprecations/bydtech_models.json")?, "bydtech")?);
    notice::join(&mut book, words, COLLECTED);
    additions(&mut book, &data.join("additions.toml"))?;
    name::fill(&mut book, &cards);
    family::fill(&mut book, &families);
    alias::resolve(&mut book, &families)?;
    notice::inherit(&mut book);
    ensure!(base > 1_800, "the price feed gave only {base} rows; is it whole?");
    Ok(book)
}

/// Lays the hand-written rows over the joined ones.
fn additions(book: &mut Book, path: &Path) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    for patch in overlay::parse(&text, "additions.toml")? {
        let key = (patch.platform.clone(), patch.id.clone());
        for alias in &patch.aliases {
            let line = Row {
                platform: key.0.clone(),
                id: alias.clone(),
                alias_of: Some(key.1.clone()),
                as_of: COLLECTED.to_owned(),
                feeds: vec!["additions".to_owned()],
                ..Row::default()
            };
            book.insert((key.0.clone(), alias.clone()), line);
        }
        let mut row = patch.onto(book.remove(&key).unwrap_or_default());
        row.feeds.push("additions".to_owned());
        book.insert(key, row);
    }
    Ok(())
}

fn in_key_order(book: Book) -> Vec<Row> {
    let mut rows: Vec<Row> = book.into_values().collect();
    for row in &mut rows {
        row.feeds.sort();
        row.feeds.dedup();
        if let Some(life) = &mut row.life {
            life.feeds.sort();
            life.feeds.dedup();
        }
        row.conflicts.sort_by(|left: &Conflict, right| left.member.cmp(&right.member));
    }
    rows.sort_by(|left, right| {
        (&left.platform, &left.id, &left.version).cmp(&(&right.platform, &right.id, &right.version))
    });
    rows
}

fn write_lines<T: serde::Serialize>(path: &Path, lines: Vec<T>) -> Result<()> {
    let mut text = String::new();
    let count = lines.len();
    for line in lines {
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
    }
    fs::write(path, &text).with_context(|| path.display().to_string())?;
    println!("{}: {count} lines, {} KiB", path.display(), text.len() / 1024);
    Ok(())
}

/// Checks the catalogue that this program was built with.
fn check() -> Result<()> {
    let problems = pilothouse_catalog::check::problems(&Catalog::bundled());
    for problem in &problems {
        println!("{problem}");
    }
    ensure!(problems.is_empty(), "the catalogue breaks {} rules", problems.len());
    Ok(())
}
