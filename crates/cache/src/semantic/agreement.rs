//! Whether two answers say the same: what a would-be hit is judged by.
//!
//! Nobody reads them, so that the judgement leans to no: two answers that differ in a number, in yes and no, or too much in
//! their words are two answers. What is called false here may be right; what is called right is seldom false.

use std::collections::BTreeSet;

use serde_json::Value;

use super::embedding::Embedding;
use super::marks::Marks;

/// An answer of so few words is compared as a question is: each may turn it round.
const WORDS_FEW: usize = 24;

/// What two answers are to each other, as far as their words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// They say the same, word for word or nearly.
    Same,
    /// They differ in something that no other words can mend.
    Differ,
    /// Their meanings must be compared: by the angle between their embeddings.
    ByMeaning,
}

/// Compares two answers by their words.
#[must_use]
pub fn compare(one: &str, other: &str) -> Agreement {
    if plain(one) == plain(other) {
        return Agreement::Same;
    }
    if let (Some(one), Some(other)) = (json(one), json(other)) {
        return if one == other { Agreement::Same } else { Agreement::Differ };
    }
    if one.trim().is_empty() || other.trim().is_empty() {
        return Agreement::Differ;
    }
    if first_word(one) != first_word(other) || numbers(one) != numbers(other) {
        return Agreement::Differ;
    }
    let is_short = |text: &str| text.split_whitespace().count() <= WORDS_FEW;
    if is_short(one) && is_short(other) && Marks::read(one).difference(&Marks::read(other)).is_some() {
        return Agreement::Differ;
    }
    Agreement::ByMeaning
}

/// Whether two answers say the same, with the built-in embedding in place of meaning.
#[must_use]
pub fn agree(one: &str, other: &str, similarity_min: f32) -> bool {
    match compare(one, other) {
        Agreement::Same => true,
        Agreement::Differ => false,
        Agreement::ByMeaning => {
            let both = Embedding::hashed(one).zip(Embedding::hashed(other));
            both.is_some_and(|(one, other)| one.similarity(&other) >= similarity_min)
        }
    }
}

/// An answer without what does not count: case, white space, the marks at its end.
fn plain(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").trim_end_matches(['.', '!']).to_owned()
}

/// An answer that is JSON, with or without a fence around it.
fn json(text: &str) -> Option<Value> {
    let text = text.trim();
    let inner = text.strip_prefix("```json").or_else(|| text.strip_prefix("```"));
    let text = inner.and_then(|inner| inner.strip_suffix("```")).unwrap_or(text);
    serde_json::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array())
}

/// Yes or no, where an answer begins so.
fn first_word(text: &str) -> Option<bool> {
    let first = text.split(|one: char| !one.is_alphanumeric()).find(|word| !word.is_empty())?;
    match first.to_lowercase().as_str() {
        "yes" | "yeah" | "correct" | "true" | "ja" | "oui" | "sí" | "si" => Some(true),
        "no" | "nope" | "not" | "incorrect" | "false" | "nein" | "non" => Some(false),
        _ => None,
    }
}

/// The numbers of an answer, without those that count its items.
fn numbers(text: &str) -> BTreeSet<String> {
    let of_line = |line: &str| {
        let line = line.trim_start();
        let behind = line.trim_start_matches(|one: char| one.is_ascii_digit());
        // "1. First", "2) Second": how the list is numbered says nothing.
        let line = if behind.len() < line.len()
            && behind.starts_with([')', '.'])
            && behind.chars().nth(1) == Some(' ')
        {
            behind
        } else {
            line
        };
        line.split(|one: char| !(one.is_ascii_digit() || one == '.' || one == ','))
            .map(|number| number.trim_matches(['.', ',']).replace(',', ""))
            .filter(|number| !number.is_empty())
            .collect::<Vec<_>>()
    };
    text.lines().flat_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_agree_whatever_their_case_and_space() {
        for (one, other) in [
            ("Paris.", "paris"),
            ("It takes 3 days.", "It  takes\n3 days"),
            ("{\"a\": 1, \"b\": [2]}", "```json\n{\"b\":[2],\"a\":1}\n```"),
        ] {
            assert_eq!(compare(one, other), Agreement::Same, "{one}");
        }
        let long = "To reset your password, open the settings, choose security and then follow the link that we send you.";
        assert!(agree(long, &long.replace("and then", "and"), 0.85));
        assert!(!agree(
            long,
            "Our offices are open from Monday to Friday, and on holidays nobody will be there to help you with anything.",
            0.85
        ));
    }

    #[test]
    fn another_number_another_name_and_no_for_yes_differ() {
        for (one, other) in [
            ("It takes 3 days.", "It takes 4 days."),
            ("Yes, that is allowed by the contract.", "No, that is not allowed by the contract."),
            ("The capital is Paris.", "The capital is Lyon."),
            ("{\"a\": 1}", "{\"a\": 2}"),
            ("Something.", ""),
        ] {
            assert_eq!(compare(one, other), Agreement::Differ, "{one} / {other}");
        }
        assert_eq!(
            numbers("1. Wait 5 minutes\n2) Pay 1,000.50 now"),
            BTreeSet::from(["5".to_owned(), "1000.50".to_owned()])
        );
    }
}
