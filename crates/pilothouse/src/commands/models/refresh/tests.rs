//! Tests of `pilothouse models refresh` with files that are as they should be, and with files that somebody doctored.

use std::io::Cursor;

use clap::Parser;
use pilothouse_catalog::row::{Class, Row};
use pilothouse_core::money::PicoUsd;
use pilothouse_migrate::refresh::trust::Signing;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    refresh: Refresh,
}

/// A folder with a configuration that trusts one key, and a release that the key has signed.
struct Desk {
    folder: tempfile::TempDir,
    key: Signing,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (key, _) = Signing::generate().expect("a key");
        let config = format!("[catalog]\nroots = [\"{}\"]\nrefreshed = \"catalogue.jsonl\"\n", key.root());
        std::fs::write(folder.path().join("pilothouse.toml"), config).expect("written");
        Self { folder, key }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Writes a release of the bundled catalogue with one change on one row of OpenAI's, as of a day.
    fn release(&self, as_of: &str, id: &str, change: impl FnOnce(&mut Row)) -> String {
        let mut book = book_of(&Catalog::bundled());
        let row = book.get_mut(&("openai".to_owned(), id.to_owned())).expect("bundled");
        row.as_of = as_of.to_owned();
        change(row);
        let text = Release::write(&book, as_of, &[], std::slice::from_ref(&self.key)).expect("text");
        let path = self.path("release.jsonl");
        std::fs::write(&path, text).expect("written");
        path
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let config = self.path("pilothouse.toml");
        let line = [&["refresh"], arguments, &["--config", &config]].concat();
        let line = Line::try_parse_from(line).expect("valid arguments");
        let mut out = Vec::new();
        let now = day::start_of("2026-12-01").expect("a day");
        match line.refresh.run(&mut out, now) {
            Ok(_) => Ok(String::from_utf8(out).expect("UTF-8")),
            Err(error) => Err(format!("{error:#}")),
        }
    }

    fn refreshed(&self) -> Option<Catalog> {
        let text = std::fs::read_to_string(self.folder.path().join("catalogue.jsonl")).ok()?;
        Some(Catalog::bundled().with_file(&text, "refreshed").expect("reads"))
    }
}

fn times(row: &mut Row, factor: i128) {
    for price in row.prices.iter_mut().flat_map(|card| card.rates.values_mut()) {
        *price = PicoUsd(price.0 * factor);
    }
}

fn retires(row: &mut Row, day: &str) {
    row.life.as_mut().expect("a life").retires = Some(day.to_owned());
}

#[test]
fn a_signed_release_is_shown_and_counts_once_somebody_agrees() {
    let desk = Desk::new();
    let path = desk.release("2026-12-01", "gpt-5.5", |row| row.context_tokens = Some(2_000_000));
    let shown = desk.run(&[&path, "--dry-run"]).expect("shown");
    assert!(shown.contains("openai/gpt-5.5  context_tokens: 1050000 -> 2000000"), "{shown}");
    assert!(desk.refreshed().is_none(), "shown only");
    desk.run(&[&path, "--yes"]).expect("taken");
    let model = desk.refreshed().expect("written").model("openai", "gpt-5.5").expect("known");
    assert_eq!(model.row().context_tokens, Some(2_000_000));
}

#[test]
fn a_release_that_was_doctored_after_it_was_signed_is_refused() {
    let desk = Desk::new();
    let path = desk.release("2026-12-01", "gpt-5.5", |_| {});
    let text = std::fs::read_to_string(&path).expect("there");
    std::fs::write(&path, text.replacen("\"context_tokens\":1050000", "\"context_tokens\":9050000", 1))
        .expect("written");
    let error = desk.run(&[&path, "--yes"]).expect_err("doctored");
    assert!(error.contains("bad signature") && error.contains("fetch it again"), "{error}");
    assert!(desk.refreshed().is_none());
}

#[test]
fn a_release_of_a_key_that_nobody_trusts_is_refused_with_the_key() {
    let desk = Desk::new();
    let stranger = Desk::new();
    let path = stranger.release("2026-12-01", "gpt-5.5", |_| {});
    let error = desk.run(&[&path, "--yes"]).expect_err("a stranger's");
    assert!(
        error.contains(&stranger.key.root().to_string()) && error.contains("`roots` of [catalog]"),
        "{error}"
    );
}

#[test]
fn an_older_release_is_refused_with_both_days() {
    let desk = Desk::new();
    let path = desk.release("2026-12-01", "gpt-5.5", |_| {});
    desk.run(&[&path, "--yes"]).expect("taken");
    let path = desk.release("2026-11-30", "gpt-5.5", |_| {});
    let error = desk.run(&[&path, "--yes"]).expect_err("older");
    assert!(error.contains("of 2026-11-30") && error.contains("2026-12-01"), "{error}");
}

#[test]
fn a_price_that_changes_a_hundredfold_needs_a_word_of_its_own() {
    let desk = Desk::new();
    let path = desk.release("2026-12-01", "gpt-5.5", |row| times(row, 100));
    let error = desk.run(&[&path, "--yes"]).expect_err("not without a word");
    assert!(error.contains("need a word each") && error.contains("--confirm openai/gpt-5.5"), "{error}");
    assert!(error.contains("× 100"), "{error}");
    assert!(desk.refreshed().is_none(), "nothing is written");
    desk.run(&[&path, "--confirm", "openai/gpt-5.5"]).expect("taken");
    let model = desk.refreshed().expect("written").model("openai", "gpt-5.5").expect("known");
    let now = day::start_of("2026-12-01").expect("a day");
    assert_eq!(model.base_price(Class::Input, now), Some(PicoUsd(500_000_000)));
}

#[test]
fn a_day_that_moves_earlier_needs_a_word_of_its_own() {
    let desk = Desk::new();
    let path = desk.release("2026-12-01", "gpt-5-2025-08-07", |row| retires(row, "2026-12-02"));
    let error = desk.run(&[&path, "--yes"]).expect_err("not without a word");
    assert!(error.contains("2026-12-11 -> 2026-12-02 (9 days earlier)"), "{error}");
    let path = desk.release("2026-12-01", "gpt-5-2025-08-07", |row| retires(row, "2027-01-02"));
    desk.run(&[&path, "--yes"]).expect("a later day is only shown");
}

#[test]
fn who_is_asked_may_take_all_but_one() {
    let desk = Desk::new();
    let path = desk.release("2026-12-01", "gpt-5.5", |row| {
        times(row, 100);
        row.context_tokens = Some(7);
    });
    let line =
        Line::try_parse_from(["refresh", &path, "--config", &desk.path("pilothouse.toml")]).expect("valid");
    let known = line.refresh.known().expect("known");
    let text = std::fs::read_to_string(&path).expect("there");
    let proposal = of_release(&text, &path, &known).expect("a release");
    let found = changes(&known.rows, &proposal.rows, None);
    let doubtful = found.iter().filter(|change| change.what.doubt().is_some()).count();
    let answers = format!("{}y\n", "n\n".repeat(doubtful));
    let mut out = Vec::new();
    let refused = line.refresh.agreement(&found, true, &mut Cursor::new(answers), &mut out).expect("asked");
    let refused = refused.expect("taken");
    assert_eq!(refused.len(), 1);
    assert_eq!(agreed(&known.rows, proposal.rows, &refused), known.rows);
    let nothing = line.refresh.agreement(&found, true, &mut Cursor::new(""), &mut out).expect("asked");
    assert_eq!(nothing, None, "silence is no agreement");
}

#[test]
fn a_feed_is_never_taken_for_a_release_and_is_read_when_it_is_named() {
    let desk = Desk::new();
    let path = desk.path("feed.json");
    let feed = r#"{"gpt-5.5":{"litellm_provider":"openai","mode":"chat","max_input_tokens":1100000,
        "input_cost_per_token":6e-06,"output_cost_per_token":3e-05}}"#;
    std::fs::write(&path, feed).expect("written");
    let error = desk.run(&[&path, "--yes"]).expect_err("no release");
    assert!(error.contains("--from litellm"), "{error}");
    let error = desk.run(&[&path, "--from", "models.dev", "--yes"]).expect_err("another feed");
    assert!(error.contains("looks like litellm"), "{error}");
    let shown = desk.run(&[&path, "--from", "litellm", "--yes"]).expect("taken");
    assert!(shown.contains("input: $5.00 per million -> $6.00 per million (× 1.2)"), "{shown}");
    assert!(shown.contains("sources disagree on input"), "{shown}");
}

#[test]
fn nothing_is_taken_where_nobody_can_be_asked() {
    let desk = Desk::new();
    let path = desk.release("2026-12-01", "gpt-5.5", |row| row.context_tokens = Some(2_000_000));
    let line =
        Line::try_parse_from(["refresh", &path, "--config", &desk.path("pilothouse.toml")]).expect("valid");
    let found = changes(
        &line.refresh.known().expect("known").rows,
        &of_release(
            &std::fs::read_to_string(&path).expect("there"),
            &path,
            &line.refresh.known().expect("known"),
        )
        .expect("a release")
        .rows,
        None,
    );
    let error =
        line.refresh.agreement(&found, false, &mut Cursor::new(""), &mut Vec::new()).expect_err("nobody");
    assert!(error.to_string().contains("--yes"), "{error}");
}
