//! The corpus: each file's places with what a person would want to be told of them.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::path::Path;

/// The whole of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Corpus {
    /// The day for which it holds.
    pub(super) today: String,
    #[serde(rename = "file")]
    pub(super) files: Vec<File>,
}

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// From the folder `files`.
    pub(super) path: String,
    pub(super) language: String,
    /// The table that this file retells; all of such a table has to be found.
    pub(super) table: Option<String>,
    pub(super) sites: Vec<Site>,
}

/// One place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Site {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) text: String,
    pub(super) expect: Expect,
    pub(super) family: String,
    pub(super) model: Option<String>,
    /// Passes calls on: it may be said to define where others must be said to call.
    #[serde(default)]
    pub(super) serves: bool,
    /// The provider says it, the bundled catalogue does not.
    #[serde(default)]
    pub(super) catalogue_lacks: bool,
    #[serde(default)]
    pub(super) why: String,
}

/// What a person would want to be told.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expect {
    Blocks,
    Tune,
    None,
    Open,
}

impl Site {
    /// Whether something that begins there is this place. One character before it may be a quote.
    pub(super) fn holds(&self, line: usize, column: usize) -> bool {
        let (last_line, last_column) = self.end();
        (line, column) >= (self.line, self.column.saturating_sub(1))
            && (line, column) <= (last_line, last_column)
    }

    fn end(&self) -> (usize, usize) {
        let breaks = self.text.matches('\n').count();
        let last = self.text.rsplit('\n').next().unwrap_or_default().chars().count();
        (self.line + breaks, if breaks == 0 { self.column + last } else { last + 1 })
    }
}

/// Reads `expected.toml`.
pub(super) fn read(folder: &Path) -> Result<Corpus> {
    let path = folder.join("expected.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let corpus: Corpus = toml::from_str(&text).with_context(|| format!("{}", path.display()))?;
    for file in &corpus.files {
        let text = std::fs::read_to_string(folder.join("files").join(&file.path))
            .with_context(|| format!("cannot read {}", file.path))?;
        for site in &file.sites {
            if !stands(&text, site) {
                bail!("{}:{}:{}: {:?} does not stand there", file.path, site.line, site.column, site.text);
            }
        }
    }
    Ok(corpus)
}

fn stands(text: &str, site: &Site) -> bool {
    let Some((start, _)) = line_starts(text).nth(site.line - 1) else { return false };
    let mut places = text[start..].char_indices().map(|(offset, _)| start + offset);
    places.nth(site.column - 1).is_some_and(|place| text[place..].starts_with(&site.text))
}

fn line_starts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |start, line| {
        let begin = *start;
        *start += line.len();
        Some((begin, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn corpus() -> Corpus {
        read(&super::super::folder()).unwrap()
    }

    fn walk(folder: &Path, found: &mut BTreeSet<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(&path, found),
                false => _ = found.insert(path),
            }
        }
    }

    #[test]
    fn half_of_the_places_are_traps_and_every_language_has_both() {
        let corpus = corpus();
        let count = |expect: Expect, language: Option<&str>| -> usize {
            let files = corpus.files.iter().filter(|file| language.is_none_or(|name| file.language == name));
            files.flat_map(|file| &file.sites).filter(|site| site.expect == expect).count()
        };
        let (blocks, traps) = (count(Expect::Blocks, None), count(Expect::None, None));
        assert!(blocks >= 150 && traps >= blocks && blocks + traps >= 300, "{blocks} and {traps}");
        let languages: BTreeSet<&str> = corpus.files.iter().map(|file| file.language.as_str()).collect();
        assert!(languages.len() >= 18, "{languages:?}");
        for name in languages {
            assert!(count(Expect::Blocks, Some(name)) >= 3, "{name}");
            assert!(count(Expect::None, Some(name)) >= 3, "{name}");
        }
    }

    #[test]
    fn every_file_of_the_corpus_is_listed_once() {
        let (corpus, folder) = (corpus(), super::super::folder().join("files"));
        let listed: BTreeSet<_> = corpus.files.iter().map(|file| folder.join(&file.path)).collect();
        assert_eq!(listed.len(), corpus.files.len());
        let mut there = BTreeSet::new();
        walk(&folder, &mut there);
        assert_eq!(there, listed);
    }

    #[test]
    fn table_of_the_measured_scanners_has_its_twelve_rows() {
        let corpus = corpus();
        let files = corpus.files.iter().filter(|file| file.table.as_deref() == Some("b5"));
        let rows: BTreeSet<String> = files
            .flat_map(|file| &file.sites)
            .filter_map(|site| Some(site.why.strip_prefix("row ")?.split(':').next()?.to_owned()))
            .collect();
        assert_eq!(rows.len(), 12, "{rows:?}");
    }

    #[test]
    fn place_is_held_from_its_quote_to_its_end_over_lines() {
        let site = |text: &str| Site {
            line: 3,
            column: 5,
            text: text.to_owned(),
            expect: Expect::Blocks,
            family: "model".to_owned(),
            model: None,
            serves: false,
            catalogue_lacks: false,
            why: String::new(),
        };
        let one = site("abc");
        assert!(one.holds(3, 4) && one.holds(3, 5) && one.holds(3, 8));
        assert!(!one.holds(3, 3) && !one.holds(3, 9) && !one.holds(4, 5));
        let two = site("abc\n  d");
        assert!(two.holds(3, 99) && two.holds(4, 1) && two.holds(4, 4) && !two.holds(4, 5));
        assert!(stands("a\nb\n«xyabc", &Site { column: 4, ..one }));
    }
}
