//! Whether two answers say the same: by their text, or by the final answer that each arrives at.

use serde::{Deserialize, Serialize};

use super::Answer;

/// What two answers must have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// The whole text, but for case, blanks and punctuation.
    Text,
    /// The final answer ([`final_answer`]), however each came to it.
    FinalAnswer,
}

impl Agreement {
    /// Whether they agree. Tools that are called must be the same in the same order, with arguments that are equal JSON;
    /// answers that say nothing agree on nothing.
    #[must_use]
    pub fn holds(self, one: &Answer<'_>, other: &Answer<'_>) -> bool {
        if !one.tool_calls.is_empty() || !other.tool_calls.is_empty() {
            return one.tool_calls.len() == other.tool_calls.len()
                && one.tool_calls.iter().zip(other.tool_calls).all(|(one, other)| same_call(*one, *other));
        }
        match self {
            Self::Text => {
                let text = normalised(one.text);
                !text.is_empty() && text == normalised(other.text)
            }
            Self::FinalAnswer => {
                let found = final_answer(one.text);
                found.is_some() && found == final_answer(other.text)
            }
        }
    }
}

fn same_call((one, one_arguments): (&str, &str), (other, other_arguments): (&str, &str)) -> bool {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other
        && match (json(one_arguments), json(other_arguments)) {
            (Some(one), Some(other)) => one == other,
            _ => one_arguments == other_arguments,
        }
}

/// A text in small letters, each run of anything but letters, digits and what belongs to a number as one blank.
#[must_use]
pub fn normalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let letters: Vec<char> = text.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let digit_at = |at: usize| letters.get(at).is_some_and(char::is_ascii_digit);
        // `3.5` and `-2` are not `35` and `2`.
        let is_of_number = match letter {
            '.' => at > 0 && digit_at(at - 1) && digit_at(at + 1),
            '-' => digit_at(at + 1) && !(at > 0 && letters[at - 1].is_alphanumeric()),
            _ => false,
        };
        let is_grouping = *letter == ',' && at > 0 && digit_at(at - 1) && digit_at(at + 1);
        if letter.is_alphanumeric() || is_of_number {
            out.extend(letter.to_lowercase());
        } else if !is_grouping && !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Marks behind which models write their final answer, the surest first. `####` is that of GSM8K's reference answers.
const MARKS: [&str; 5] = ["\\boxed{", "####", "final answer", "answer is", "answer:"];

/// The final answer of a text, normalised: what stands behind the last mark of the surest kind (`\boxed{}`, `####`,
/// `final answer`, `answer is`, `answer:`), else the whole of a text that is one short line, else the last number. A number
/// has no group separators and no trailing zeros after its point.
#[must_use]
pub fn final_answer(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    for mark in MARKS {
        if let Some(at) = lower.rfind(mark) {
            let rest = text.get(at + mark.len()..)?;
            let rest = if mark.ends_with('{') { braced(rest) } else { first_line(rest) };
            return canonical(rest);
        }
    }
    let line = text.trim();
    if !line.contains('\n') && line.len() <= 60 {
        return canonical(line);
    }
    last_number(text)
}

/// What follows a mark: up to the end of its line or sentence.
fn first_line(rest: &str) -> &str {
    let rest = rest.trim_start_matches([':', '*', ' ', '=', '\n', '\t']).trim_start_matches("is ");
    let line = rest.lines().next().unwrap_or_default();
    line.split_once(". ").map_or(line, |(sentence, _)| sentence)
}

/// Up to the brace that closes.
fn braced(rest: &str) -> &str {
    let mut depth = 1_u32;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return &rest[..at],
            b'}' => depth -= 1,
            _ => {}
        }
    }
    rest
}

fn canonical(text: &str) -> Option<String> {
    let words = normalised(text);
    // `18 dollars` and `$18` are the same answer; of a sentence with several numbers the words decide.
    let mut numbers = words.split(' ').filter_map(number);
    match (numbers.next(), numbers.next()) {
        (Some(only), None) if words.split(' ').count() <= 4 => Some(only),
        _ => Some(words).filter(|words| !words.is_empty()),
    }
}

fn last_number(text: &str) -> Option<String> {
    normalised(text).split(' ').rev().find_map(number)
}

fn number(word: &str) -> Option<String> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let is_number = digits.starts_with(|digit: char| digit.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !is_number {
        return None;
    }
    let short = if word.contains('.') { word.trim_end_matches('0').trim_end_matches('.') } else { word };
    Some(short.to_owned())
}
