//! Text that every exchange writes: numbers, sentences and JSON, put together without the general machinery of formatting,
//! which costs a receipt more than everything else about it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Digits of the largest number of 64 bits.
const DIGITS_MAX: usize = 20;

/// Puts a number in decimal digits behind a text.
pub fn put_number(text: &mut String, number: u64) {
    let mut digits = [b'0'; DIGITS_MAX];
    let (mut at, mut left) = (DIGITS_MAX, number);
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + (left % 10) as u8;
        }
        left /= 10;
        if left == 0 {
            break;
        }
    }
    text.push_str(std::str::from_utf8(digits.get(at..).unwrap_or_default()).unwrap_or_default());
}

/// Puts words behind a text, with a number behind each of them as long as there are any.
pub fn put_words(text: &mut String, words: &[&str], numbers: &[u64]) {
    let mut numbers = numbers.iter();
    for word in words {
        text.push_str(word);
        if let Some(number) = numbers.next() {
            put_number(text, *number);
        }
    }
}

/// Puts a text as a JSON string behind `json`.
pub fn put_string(json: &mut String, text: &str) {
    let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    // Without an early end, so that many bytes are looked at in one step.
    if text.bytes().fold(false, |found, byte| found | is_special(byte)) {
        json.push_str(&serde_json::Value::from(text).to_string());
        return;
    }
    json.push('"');
    json.push_str(text);
    json.push('"');
}

/// Puts a list behind `json`, each item as `put` writes it.
pub fn put_list<T>(json: &mut String, items: impl IntoIterator<Item = T>, mut put: impl FnMut(&mut String, T)) {
    json.push('[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        put(json, item);
    }
    json.push(']');
}

/// Puts any value behind `json`, for what few exchanges have. `null` where JSON cannot say it.
pub fn put_value(json: &mut String, value: &(impl Serialize + ?Sized)) {
    json.push_str(&serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()));
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
            let mut written = String::new();
            put_number(&mut written, number);
            prop_assert_eq!(&written, &number.to_string());
            written.clear();
            put_words(&mut written, &["a ", " b"], &[number]);
            prop_assert_eq!(&written, &format!("a {number} b"));
            written.clear();
            put_string(&mut written, &text);
            prop_assert_eq!(written, serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn a_list_has_commas_between_its_items_only() {
        for (items, expected) in [(vec![], "[]"), (vec![1], "[1]"), (vec![1, 2, 30], "[1,2,30]")] {
            let mut written = String::new();
            put_list(&mut written, items, |json, number| put_number(json, number));
            assert_eq!(written, expected);
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
