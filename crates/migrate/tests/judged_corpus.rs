//! The planted corpus, as far as parameters and interfaces go: read by the real readers, judged by the real judges.
//!
//! `cargo xtask scan-quality` keeps the promise for everything; this names the place at once where a judge is changed.

use std::path::{Path, PathBuf};

use pilothouse_catalog::Catalog;
use pilothouse_migrate::scan::finding::{Finding, Rule, Severity, Site};
use pilothouse_migrate::scan::{Options, Scanner};
use serde::Deserialize;

#[derive(Deserialize)]
struct Corpus {
    today: String,
    file: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    path: String,
    #[serde(default)]
    sites: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    line: u32,
    column: u32,
    text: String,
    expect: String,
    family: String,
}

impl Place {
    /// Whether a finding begins within the text of this place.
    fn holds(&self, finding: &Finding) -> bool {
        let lines: Vec<&str> = self.text.split('\n').collect();
        let last = self.line + count(lines.len() - 1);
        let at = (finding.place.line, finding.place.column);
        let length = count(lines[lines.len() - 1].chars().count());
        let end = if last == self.line { self.column + length } else { 1 + length };
        (self.line, self.column) <= at && at < (last, end)
    }

    fn is_ours(&self) -> bool {
        self.family == "parameter" || self.family == "interface"
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/corpus/scan")
}

#[derive(Default)]
struct Tally {
    hits: usize,
    missed: Vec<String>,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, file: &File, found: &[Finding]) {
        for place in file.sites.iter().filter(|place| place.is_ours()) {
            let blocks = found.iter().any(|one| place.holds(one) && counts(one));
            let is_tuned = found.iter().any(|one| place.holds(one) && one.severity == Severity::Tune);
            let spot = || format!("{}:{} {}", file.path, place.line, place.text);
            match place.expect.as_str() {
                "blocks" if blocks => self.hits += 1,
                "tune" if is_tuned && !blocks => self.hits += 1,
                "blocks" | "tune" => self.missed.push(spot()),
                "none" if blocks => self.wrong.push(spot()),
                _ => {}
            }
        }
        let is_planted = |one: &Finding| file.sites.iter().any(|place| place.holds(one));
        let rest = found.iter().filter(|one| counts(one) && !is_planted(one));
        self.wrong.extend(rest.map(|one| {
            format!("{}:{}:{} {} {:?}", file.path, one.place.line, one.place.column, one.subject, one.rule)
        }));
    }
}

/// Whether a finding says that somebody's call fails.
fn counts(finding: &Finding) -> bool {
    finding.severity == Severity::Blocks && matches!(finding.site, Site::Calls | Site::Defines)
}

#[test]
fn parameters_and_interfaces_of_the_corpus_are_found_and_nothing_else_blocks() {
    let text = std::fs::read_to_string(folder().join("expected.toml")).unwrap();
    let corpus: Corpus = toml::from_str(&text).unwrap();
    let scanner = Scanner::new(Catalog::bundled(), Options::on(&corpus.today));
    let mut tally = Tally::default();
    for file in &corpus.file {
        let text = std::fs::read_to_string(folder().join("files").join(&file.path)).unwrap();
        let mut found = scanner.scan_text(&file.path, &text);
        found.retain(|one| matches!(one.rule, Rule::Parameter(_) | Rule::Interface(_)));
        tally.count(file, &found);
    }
    let Tally { hits, missed, wrong } = tally;
    assert!(
        missed.len() * 100 <= hits * 3 && wrong.is_empty(),
        "{hits} hits\nmissed {missed:#?}\nwrong {wrong:#?}"
    );
}
