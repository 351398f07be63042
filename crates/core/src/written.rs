//! Text that every exchange writes: numbers, sentences and JSON, put together without the general machinery of formatting,
//! which costs a receipt more than everything else about it. Texts grow as bytes and are looked at once, when they are
//! whole ([`into_text`]).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

mod said;

pub use said::{Said, Split, join};

use crate::money::PicoUsd;

/// Digits of the largest number of 64 bits.
const DIGITS_MAX: usize = 20;

/// What text is put into: whole (`Vec<u8>`), or taken apart into what many texts share and what is this one's own
/// ([`Split`]).
pub trait Text {
    /// Puts words that texts of this kind have in common. They hold no control characters, as JSON does not.
    fn words(&mut self, words: &str);

    /// Puts a number in decimal digits.
    fn number(&mut self, number: u64);

    /// Puts an amount in dollars, as it is displayed.
    fn money(&mut self, amount: PicoUsd);

    /// Puts words that are this text's alone.
    fn own(&mut self, words: &str);

    /// Puts a text that was taken apart before.
    fn said(&mut self, said: &Said);
}

impl Text for Vec<u8> {
    fn words(&mut self, words: &str) {
        self.extend_from_slice(words.as_bytes());
    }

    fn number(&mut self, number: u64) {
        if number < 10 {
            self.push(b'0' + number as u8);
            return;
        }
        let (mut digits, mut at, mut left) = ([0; DIGITS_MAX], DIGITS_MAX, number);
        while left > 0 {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        self.extend_from_slice(&digits[at..]);
    }

    fn money(&mut self, amount: PicoUsd) {
        amount.put(self);
    }

    fn own(&mut self, words: &str) {
        self.words(words);
    }

    fn said(&mut self, said: &Said) {
        // What was taken apart fits together.
        self.words(&said.text());
    }
}

/// Puts a text behind another.
pub fn put(text: &mut impl Text, words: &str) {
    text.words(words);
}

/// Puts a number in decimal digits behind a text.
pub fn put_number(text: &mut impl Text, number: u64) {
    text.number(number);
}

/// Puts words behind a text, with a number behind each of them as long as there are any.
pub fn put_words(text: &mut impl Text, words: &[&str], numbers: &[u64]) {
    let mut numbers = numbers.iter();
    for word in words {
        text.words(word);
        if let Some(number) = numbers.next() {
            text.number(*number);
        }
    }
}

/// What was put together, as text.
#[must_use]
pub fn into_text(bytes: Vec<u8>) -> String {
    // Everything that puts something puts text.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Puts a text as a JSON string behind `json`: one that many have in common.
pub fn put_string(json: &mut impl Text, text: &str) {
    if is_special(text) {
        return match serde_json::to_string(text) {
            Ok(text) => json.words(&text),
            Err(_) => json.words("null"),
        };
    }
    json.words("\"");
    json.words(text);
    json.words("\"");
}

/// Puts a text as a JSON string behind `json`: one that is its alone.
pub fn put_own_string(json: &mut impl Text, text: &str) {
    if is_special(text) {
        return put_value(json, text);
    }
    json.words("\"");
    json.own(text);
    json.words("\"");
}

/// Whether a JSON string escapes something of the text.
fn is_special(text: &str) -> bool {
    let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    // Without an early end, so that many bytes are looked at in one step.
    text.bytes().fold(false, |found, byte| found | is_special(byte))
}

/// Puts a list behind `json`, each item as `item` writes it.
pub fn put_list<W: Text, T>(
    json: &mut W,
    items: impl IntoIterator<Item = T>,
    mut item: impl FnMut(&mut W, T),
) {
    json.words("[");
    for (at, one) in items.into_iter().enumerate() {
        if at > 0 {
            json.words(",");
        }
        item(json, one);
    }
    json.words("]");
}

/// Puts any value behind `json`, for what few exchanges have. `null` where JSON cannot say it.
pub fn put_value(json: &mut impl Text, value: &(impl Serialize + ?Sized)) {
    match serde_json::to_string(value) {
        Ok(text) => json.own(&text),
        Err(_) => json.own("null"),
    }
}

/// A JSON text that we have written ourselves and that is carried unread. Two are equal when their texts are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written(Box<str>);

impl Written {
    /// The text.
    #[must_use]
    pub const fn text(&self) -> &str {
        &self.0
    }
}

impl From<String> for Written {
    /// Takes a text that is one JSON value; one that is none makes whatever it stands in unreadable.
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0).map_err(serde::ser::Error::custom)?.serialize(out)
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(from).map(|raw| Self(raw.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_strings_are_those_of_any_other_writer(number: u64, text: String) {
            let mut written = Vec::new();
            put_number(&mut written, number);
            prop_assert_eq!(&into_text(written.clone()), &number.to_string());
            written.clear();
            put_words(&mut written, &["a ", " b"], &[number]);
            prop_assert_eq!(&into_text(written.clone()), &format!("a {number} b"));
            written.clear();
            put_string(&mut written, &text);
            prop_assert_eq!(written, serde_json::to_vec(&text).unwrap());
        }
    }

    #[test]
    fn a_list_has_commas_between_its_items_only() {
        for (items, expected) in [(vec![], "[]"), (vec![1], "[1]"), (vec![1, 2, 30], "[1,2,30]")] {
            let mut written = Vec::new();
            put_list(&mut written, items, put_number);
            assert_eq!(written, expected.as_bytes());
        }
    }

    #[test]
    fn a_written_text_stands_in_other_json_as_it_is() {
        let written = Written::from(r#"{"a": [1]}"#.to_owned());
        let text = serde_json::to_string(&vec![&written]).unwrap();
        assert_eq!(text, r#"[{"a": [1]}]"#);
        assert_eq!(serde_json::from_str::<Vec<Written>>(&text).unwrap(), [written]);
        assert!(serde_json::to_string(&Written::from("{".to_owned())).is_err());
    }
}
