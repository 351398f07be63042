//! Finds lines in the bundled text by binary search, without an index and without parsing the others.
//!
//! The text is a read-only part of the binary: only the pages that a search touches become resident.

use crate::row::{Row, Scores};

/// The rows, sorted by (platform, id, version), one JSON object a line.
pub(crate) const MODELS: &str = include_str!("../data/models.jsonl");
/// The scores, sorted by card.
const BENCHMARKS: &str = include_str!("../data/benchmarks.jsonl");

/// The key of a line of [`MODELS`]: platform and id. Every line starts with these two members, and
/// neither holds a character that JSON escapes (`xtask catalog` and the tests see to it).
pub(crate) fn key_of(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix(r#"{"platform":""#)?;
    let (platform, rest) = rest.split_once('"')?;
    let (id, _) = rest.strip_prefix(r#","id":""#)?.split_once('"')?;
    Some((platform, id))
}

/// The key of a line of [`BENCHMARKS`].
fn card_of(line: &str) -> Option<&str> {
    Some(line.strip_prefix(r#"{"card":""#)?.split_once('"')?.0)
}

/// The lines whose key equals `key`, in a text whose lines are sorted by `key_of`.
fn lines_with<'t, K: Ord>(
    text: &'t str,
    key: &K,
    key_of: impl Fn(&'t str) -> Option<K>,
) -> impl Iterator<Item = &'t str> {
    let (mut low, mut high) = (0, text.len());
    while low < high {
        let middle = low + (high - low) / 2;
        // Bytes, because `middle` may fall inside a character of a name.
        let start = memchr::memrchr(b'\n', &text.as_bytes()[..middle]).map_or(0, |at| at + 1);
        let end =
            memchr::memchr(b'\n', &text.as_bytes()[start..]).map_or(text.len(), |length| start + length);
        let line = &text[start..end];
        if key_of(line).is_some_and(|found| found < *key) {
            low = (start + line.len() + 1).min(text.len());
        } else {
            high = start;
        }
    }
    text[low..].lines().take_while(move |line| key_of(line).is_some_and(|found| found == *key))
}

/// The rows of one id, oldest version first.
pub(crate) fn find(platform: &str, id: &str) -> Vec<Row> {
    lines_with(MODELS, &(platform, id), key_of).filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Whether there is a row of that id.
pub(crate) fn has(platform: &str, id: &str) -> bool {
    lines_with(MODELS, &(platform, id), key_of).next().is_some()
}

/// The scores of one model.
pub(crate) fn scores(card: &str) -> Option<Scores> {
    lines_with(BENCHMARKS, &card, card_of).find_map(|line| serde_json::from_str(line).ok())
}

/// Every line of the scores, for the self-check.
pub(crate) fn score_lines() -> impl Iterator<Item = &'static str> {
    BENCHMARKS.lines()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "{\"card\":\"a\"}\n{\"card\":\"b\",1}\n{\"card\":\"b\",2}\n{\"card\":\"dé\"}\n{\"card\":\"e\"}";

    fn found(text: &'static str, key: &'static str) -> Vec<&'static str> {
        lines_with(text, &key, card_of).collect()
    }

    #[test]
    fn every_line_is_found_by_its_key_and_nothing_else_is() {
        assert_eq!(found(TEXT, "a"), ["{\"card\":\"a\"}"]);
        assert_eq!(found(TEXT, "b"), ["{\"card\":\"b\",1}", "{\"card\":\"b\",2}"]);
        assert_eq!(found(TEXT, "dé"), ["{\"card\":\"dé\"}"]);
        assert_eq!(found(TEXT, "e"), ["{\"card\":\"e\"}"]);
        for absent in ["", "0", "aa", "c", "d", "f"] {
            assert!(found(TEXT, absent).is_empty(), "{absent}");
        }
        assert!(found("", "a").is_empty());
    }

    #[test]
    fn every_bundled_line_is_found_by_binary_search() {
        for line in MODELS.lines() {
            let (platform, id) = key_of(line).expect(line);
            assert!(has(platform, id), "{platform}/{id}");
        }
    }
}
