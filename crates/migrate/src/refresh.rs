//! Keeping the catalogue true: newer facts from a signed release or a public feed, what they change, and who must agree.
//!
//! Nothing here is fetched, asked or written: texts come in, changes and the text of the refreshed file go out.

pub mod difference;
pub mod live;
pub mod release;
pub mod trust;

use std::collections::BTreeMap;

use pilothouse_catalog::Catalog;
use pilothouse_catalog::row::Row;
use serde::{Deserialize, Serialize};

/// The rows by (platform, wire id).
pub type Book = BTreeMap<(String, String), Row>;

/// Every row of a catalogue.
#[must_use]
pub fn book_of(catalog: &Catalog) -> Book {
    catalog.rows().map(|row| ((row.platform.clone(), row.id.clone()), row)).collect()
}

/// The first line of a refreshed file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The form: 1.
    pub catalogue: u32,
    /// The day of which it speaks, `YYYY-MM-DD`; an older release is refused after it.
    pub as_of: String,
    /// What it was made of, in words.
    pub from: String,
    /// The keys that later releases are signed with, where a release has named new ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<String>,
}

impl Header {
    /// The header of a refreshed file; `None` where its first line is none.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        serde_json::from_str(text.lines().next()?).ok()
    }
}

/// The text of a refreshed file: the header, and those rows that are not the bundled ones.
///
/// # Errors
/// Never for rows that came from JSON; the encoder's refusal.
pub fn refreshed(header: &Header, rows: &Book) -> Result<String, serde_json::Error> {
    let bundled = book_of(&Catalog::bundled());
    let mut text = serde_json::to_string(header)?;
    text.push('\n');
    for (key, row) in rows {
        if bundled.get(key) != Some(row) {
            text.push_str(&serde_json::to_string(row)?);
            text.push('\n');
        }
    }
    Ok(text)
}

/// Known rows with the whole rows of a release over them: a row of the release counts unless a newer one is known, and
/// what the release does not have stays.
#[must_use]
pub fn laid(known: &Book, release: Book) -> Book {
    let mut book = known.clone();
    for (key, row) in release {
        if book.get(&key).is_none_or(|old| row.as_of >= old.as_of) {
            book.insert(key, row);
        }
    }
    book
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header { catalogue: 1, as_of: "2026-12-01".into(), from: "tests".into(), roots: Vec::new() }
    }

    #[test]
    fn a_refreshed_file_holds_what_changed_and_reads_back_as_the_same_rows() {
        let mut book = book_of(&Catalog::bundled());
        let row = book.get_mut(&("openai".to_owned(), "gpt-5.5".to_owned())).expect("bundled");
        (row.as_of, row.context_tokens) = ("2026-12-01".into(), Some(7));
        let text = refreshed(&header(), &book).expect("text");
        assert_eq!(text.lines().count(), 2);
        let catalog = Catalog::bundled().with_file(&text, "refreshed").expect("reads");
        assert_eq!(book_of(&catalog), book);
        assert_eq!(Header::of(&text), Some(header()));
    }

    #[test]
    fn an_older_row_of_a_release_does_not_undo_what_is_known() {
        let known = book_of(&Catalog::bundled());
        let key = ("openai".to_owned(), "gpt-5.5".to_owned());
        let old = Row { as_of: "2020-01-01".into(), context_tokens: Some(7), ..known[&key].clone() };
        assert_eq!(laid(&known, Book::from([(key, old)])), known);
    }

    #[test]
    fn a_row_that_is_older_than_the_bundled_one_does_not_count() {
        let text = "{\"catalogue\":1,\"as_of\":\"2020-01-01\",\"from\":\"x\"}\n{\"platform\":\"openai\",\"id\":\"gpt-5.5\",\"context_tokens\":7,\"as_of\":\"2020-01-01\"}\n";
        let catalog = Catalog::bundled().with_rows(text, "old").expect("reads");
        let model = catalog.model("openai", "gpt-5.5").expect("bundled");
        assert_ne!(model.row().context_tokens, Some(7));
    }

    #[test]
    fn a_line_that_is_no_row_is_named() {
        let error = Catalog::bundled()
            .with_rows("{\"catalogue\":1}\n{\"platform\":1}\n", "x.jsonl")
            .expect_err("no row");
        assert!(error.to_string().starts_with("x.jsonl:2:"), "{error}");
    }
}
