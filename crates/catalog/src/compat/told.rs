//! A member's value as the tests of rules compare it. Words and numbers, which nearly all are about, are not copied.

use serde_json::Value;

/// A value that was read.
pub(super) enum Told<'a> {
    /// A string without escapes.
    Word(&'a str),
    /// A number.
    Number(f64),
    /// Anything else.
    Other(Value),
}

impl<'a> Told<'a> {
    /// Reads the JSON text of a value; `None` where it is none.
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        match text {
            [b'"', word @ .., b'"'] if !word.contains(&b'\\') => {
                std::str::from_utf8(word).ok().map(Self::Word)
            }
            [b'-' | b'0'..=b'9', ..] => serde_json::from_slice(text).ok().map(Self::Number),
            _ => serde_json::from_slice(text).ok().map(Self::Other),
        }
    }

    /// Whether it is the value that a rule names. Numbers compare by value: 1 is 1.0.
    pub(super) fn is(&self, wanted: &Value) -> bool {
        match self {
            Self::Word(word) => wanted.as_str() == Some(word),
            Self::Number(number) => {
                wanted.as_f64().is_some_and(|wanted| (wanted - number).abs() < f64::EPSILON)
            }
            Self::Other(value) => wanted == value,
        }
    }

    /// Its number, where it is one.
    pub(super) const fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Word(_) | Self::Other(_) => None,
        }
    }

    /// Its text, where it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Other(value) => value.as_str(),
            Self::Number(_) => None,
        }
    }

    /// Its items, where it is a list.
    pub(super) fn list(&self) -> Option<&[Value]> {
        match self {
            Self::Other(value) => value.as_array().map(Vec::as_slice),
            Self::Word(_) | Self::Number(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn same(text: &str, wanted: &Value) -> bool {
        Told::read(text.as_bytes()).is_some_and(|told| told.is(wanted))
    }

    #[test]
    fn numbers_are_compared_by_value_and_words_by_what_they_say() {
        assert!(same("1", &json!(1.0)) && same("1.0", &json!(1)) && same("1e0", &json!(1)));
        assert!(!same("\"1\"", &json!(1)) && !same("1", &json!("1")));
        assert!(same("\"a\\u0062\"", &json!("ab")) && same("\"ab\"", &json!("ab")));
        assert!(same("true", &json!(true)) && !same("truth", &json!(true)));
    }

    proptest! {
        #[test]
        fn a_word_is_read_as_the_parser_reads_it(word in "[a-z\"\\\\\u{e9}\n ]{0,8}") {
            let text = serde_json::to_string(&word).unwrap();
            let told = Told::read(text.as_bytes()).unwrap();
            prop_assert_eq!(told.text(), Some(word.as_str()));
            prop_assert!(told.is(&json!(word)));
        }
    }
}
