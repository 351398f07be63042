//! Reading JSON member by member without building trees, and writing it straight into bytes.
//!
//! An object is read as its members' names and the raw text of their values. What a codec knows it takes and
//! reads further; what is left over is the `rest`. So unknown members survive with their exact text, and
//! nothing is copied that is not kept.

mod write;

use std::borrow::Cow;
use std::fmt;

use pilothouse_core::conversation::{Raw, Rest};
use pilothouse_core::error::Error;
use serde::Deserialize;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde_json::value::RawValue;

pub(crate) use write::{Array, Object, write_raw, write_str};

/// The most members that an object we read may have. Real ones have below 40; looking a member up is linear.
const MEMBERS_MAX: usize = 512;

/// Where in a body we are, for errors. Rendered only when one happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'p> {
    /// The body itself.
    Root,
    /// A member of an object.
    Member(&'p Path<'p>, &'p str),
    /// An item of an array.
    Item(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    /// The path of a member below this one.
    pub(crate) const fn member(&'p self, name: &'p str) -> Self {
        Self::Member(self, name)
    }

    /// The path of an item below this one.
    pub(crate) const fn item(&'p self, index: usize) -> Self {
        Self::Item(self, index)
    }

    /// The error of a value that is not what it must be; `expected` completes "must be …".
    pub(crate) fn wrong(&self, expected: &str) -> Error {
        let place = self.to_string();
        let public = match self {
            Self::Root => format!("the body must be {expected}"),
            _ => format!("`{place}` must be {expected}"),
        };
        Error::bad_request(place, public)
    }

    /// The error of a member that is not there.
    pub(crate) fn missing(&self, name: &str) -> Error {
        let place = self.member(name).to_string();
        let public = format!("`{place}` is required");
        Error::bad_request(place, public)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Self::Root, name) => out.write_str(name),
            Self::Member(above, name) => write!(out, "{above}.{name}"),
            Self::Item(above, index) => write!(out, "{above}[{index}]"),
        }
    }
}

/// The members of an object, each as its name and raw value. A name that comes twice counts as its last.
#[derive(Default)]
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads a whole body as an object.
    pub(crate) fn of_body(body: &'a [u8]) -> Result<Self, Error> {
        serde_json::from_slice(body).map_err(|error| {
            let public = match error.classify() {
                serde_json::error::Category::Data => format!("the body must be one JSON object: {error}"),
                _ => format!("the body is not JSON: {error}"),
            };
            Error::bad_request("", public).because(error)
        })
    }

    /// Reads a value as an object.
    pub(crate) fn read(raw: &'a RawValue, path: &Path<'_>) -> Result<Self, Error> {
        Self::of(raw).ok_or_else(|| path.wrong("an object"))
    }

    /// The members, if the value is an object with a sane number of members.
    pub(crate) fn of(raw: &'a RawValue) -> Option<Self> {
        if !raw.get().starts_with('{') {
            return None;
        }
        serde_json::from_str(raw.get()).ok()
    }

    /// The same members with the snake_case spelling of every name in `known` turned into that name: Google's
    /// servers read both. Where both are given, the one in `known` stands.
    pub(crate) fn camel(mut self, known: &[&'static str]) -> Self {
        for at in 0..self.0.len() {
            let name = &self.0[at].0;
            if !name.contains('_') {
                continue;
            }
            let found = known.iter().find(|camel| is_snake_of(name, camel));
            if let Some(camel) = found.filter(|camel| self.peek(camel).is_none()) {
                self.0[at].0 = Cow::Borrowed(camel);
            }
        }
        self
    }

    /// Takes a member out; `null` counts as absent.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        let (_, value) = self.0.remove(at);
        (value.get() != "null").then_some(value)
    }

    /// A member's raw value, left in place.
    pub(crate) fn peek(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// Whether no member is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The member, where there is just one.
    pub(crate) fn only(&self) -> Option<(&str, &'a RawValue)> {
        match self.0.as_slice() {
            [(name, value)] => Some((name, value)),
            _ => None,
        }
    }

    /// Takes a member of a plain type.
    pub(crate) fn plain<T: DeserializeOwned>(
        &mut self,
        name: &str,
        path: &Path<'_>,
        expected: &str,
    ) -> Result<Option<T>, Error> {
        self.take(name).map(|raw| plain(raw, &path.member(name), expected)).transpose()
    }

    /// Takes a member that is text.
    pub(crate) fn text(&mut self, name: &str, path: &Path<'_>) -> Result<Option<String>, Error> {
        self.plain(name, path, "a string")
    }

    /// Takes a member that is short text.
    pub(crate) fn word(&mut self, name: &str, path: &Path<'_>) -> Result<Option<Box<str>>, Error> {
        self.plain(name, path, "a string")
    }

    /// Takes a member that is text and must be there.
    pub(crate) fn needed_text(&mut self, name: &str, path: &Path<'_>) -> Result<String, Error> {
        self.text(name, path)?.ok_or_else(|| path.missing(name))
    }

    /// Takes a member that is a non-negative integer.
    pub(crate) fn count(&mut self, name: &str, path: &Path<'_>) -> Result<Option<u64>, Error> {
        self.plain(name, path, "an integer that is not negative")
    }

    /// Takes a member that is true or false.
    pub(crate) fn flag(&mut self, name: &str, path: &Path<'_>) -> Result<Option<bool>, Error> {
        self.plain(name, path, "true or false")
    }

    /// Takes a member that is an object.
    pub(crate) fn object(&mut self, name: &str, path: &Path<'_>) -> Result<Option<Self>, Error> {
        self.take(name).map(|raw| Members::read(raw, &path.member(name))).transpose()
    }

    /// Takes a member that is an array.
    pub(crate) fn array(&mut self, name: &str, path: &Path<'_>) -> Result<Option<Vec<&'a RawValue>>, Error> {
        self.take(name).map(|raw| items(raw, &path.member(name))).transpose()
    }

    /// Takes a member unread.
    pub(crate) fn raw(&mut self, name: &str) -> Option<Raw> {
        self.take(name).map(Raw::from)
    }

    /// What has not been taken.
    pub(crate) fn rest(self) -> Rest {
        let mut rest = Rest::default();
        for (name, value) in self.0 {
            rest.push(&name, value.into());
        }
        rest
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::with_capacity(8);
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    if let Some(earlier) = members.iter_mut().find(|(known, _)| *known == name) {
                        earlier.1 = value;
                    } else if members.len() == MEMBERS_MAX {
                        return Err(serde::de::Error::custom("an object with too many members"));
                    } else {
                        members.push((name, value));
                    }
                }
                Ok(Members(members))
            }
        }
        input.deserialize_map(Read)
    }
}

/// Whether `snake` spells the same name as `camel` does, with underscores.
fn is_snake_of(snake: &str, camel: &str) -> bool {
    let mut letters = snake.chars();
    camel.chars().all(|letter| {
        (!letter.is_ascii_uppercase() || letters.next() == Some('_'))
            && letters.next() == Some(letter.to_ascii_lowercase())
    }) && letters.next().is_none()
}

/// A member's name, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Name<'de>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        input.deserialize_str(Read)
    }
}

/// The items of an array.
pub(crate) fn items<'a>(raw: &'a RawValue, path: &Path<'_>) -> Result<Vec<&'a RawValue>, Error> {
    serde_json::from_str(raw.get()).map_err(|_| path.wrong("an array"))
}

/// A value of a plain type.
pub(crate) fn plain<T: DeserializeOwned>(
    raw: &RawValue,
    path: &Path<'_>,
    expected: &str,
) -> Result<T, Error> {
    serde_json::from_str(raw.get()).map_err(|_| path.wrong(expected))
}

/// The value as text, if it is a string.
pub(crate) fn as_text(raw: &RawValue) -> Option<String> {
    if raw.get().starts_with('"') { serde_json::from_str(raw.get()).ok() } else { None }
}

/// The text of a value without the white space between its tokens.
pub(crate) fn compact(raw: &RawValue) -> String {
    let text = raw.get();
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for letter in text.chars() {
        if in_string {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if letter.is_ascii_whitespace() {
            continue;
        } else {
            in_string = letter == '"';
        }
        out.push(letter);
    }
    out
}

/// The same for a model to read: characters outside ASCII stand for themselves, where a library escaped them all.
pub(crate) fn readable(raw: &RawValue) -> String {
    let text = compact(raw);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // An escaped backslash is two characters, and so is every other escape but these.
        let (letter, len) = match unescaped(rest) {
            Some((letter, len)) if !letter.is_ascii() => (Some(letter), len),
            Some((_, len)) => (None, len),
            None => (None, 2),
        };
        let (escape, behind) = rest.split_at_checked(len).unwrap_or((rest, ""));
        match letter {
            Some(letter) => out.push(letter),
            None => out.push_str(escape),
        }
        rest = behind;
    }
    out + rest
}

/// The character of the escape `\uXXXX`, or of two that are a surrogate pair, and how long it is.
fn unescaped(text: &str) -> Option<(char, usize)> {
    let unit = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let units = [unit(text), text.get(6..).and_then(unit)].into_iter().map_while(|one| one);
    let letter = char::decode_utf16(units).next()?.ok()?;
    Some((letter, 6 * letter.len_utf16()))
}

/// Reads raw JSON that was kept.
pub(crate) fn reread(raw: &Raw) -> Option<&RawValue> {
    serde_json::from_str(raw.text()).ok()
}

#[cfg(test)]
mod tests;
