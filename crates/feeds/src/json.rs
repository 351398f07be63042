//! Reads JSON members with numbers as the text that the file holds, so that no price becomes a binary fraction.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The members of an object, each as raw text.
pub(crate) type Members = BTreeMap<String, Box<RawValue>>;

/// The member as a value, if it is there and of that type.
pub(crate) fn get<T: DeserializeOwned>(members: &Members, name: &str) -> Option<T> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

/// The member's number as text.
pub(crate) fn number<'m>(members: &'m Members, name: &str) -> Option<&'m str> {
    Some(members.get(name)?.get()).filter(|text| text.starts_with(|sign: char| sign.is_ascii_digit()))
}

/// A count of tokens, also where a feed wrote it as `256000.0`.
pub(crate) fn count(members: &Members, name: &str) -> Option<u64> {
    let text = number(members, name)?;
    text.strip_suffix(".0").unwrap_or(text).parse().ok().filter(|count| *count > 0)
}
