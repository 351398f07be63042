//! Which models a rule is about: `gpt>=5.5 -chat`, `claude<4.6`, `gemini=2.5 +flash-lite`, `*`.

use serde::de::{Deserialize, Deserializer, Error};

use crate::name::ModelName;

/// A family, a range of versions, and words that must or must not stand in the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    family: Option<Box<str>>,
    from: Option<(u32, u32)>,
    below: Option<(u32, u32)>,
    with: Vec<Box<str>>,
    without: Vec<Box<str>>,
    text: Box<str>,
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let first = words.next().ok_or("a selector is empty")?;
        let end = first.find(['<', '>', '=']).unwrap_or(first.len());
        let (family, mut range) = first.split_at(end);
        let mut out = Self { text: text.into(), ..Self::default() };
        out.family = (family != "*").then(|| family.into());
        while !range.is_empty() {
            let length = range.find(|letter: char| letter.is_ascii_digit()).unwrap_or(range.len());
            let (sign, rest) = range.split_at(length);
            let end = rest.find(['<', '>', '=']).unwrap_or(rest.len());
            let (number, rest) = rest.split_at(end);
            let version = version(number).ok_or_else(|| format!("`{number}` is not a version"))?;
            match sign {
                ">=" => out.from = Some(version),
                "<" => out.below = Some(version),
                "=" => (out.from, out.below) = (Some(version), Some((version.0, version.1 + 1))),
                _ => return Err(format!("`{sign}` is none of >=, < and =")),
            }
            range = rest;
        }
        for word in words {
            match word.split_at_checked(1) {
                Some(("+", word)) if !word.is_empty() => out.with.push(word.into()),
                Some(("-", word)) if !word.is_empty() => out.without.push(word.into()),
                _ => return Err(format!("`{word}` is neither +word nor -word")),
            }
        }
        Ok(out)
    }

    /// Whether a model is meant.
    #[must_use]
    pub fn fits(&self, name: &ModelName) -> bool {
        self.family.as_deref().is_none_or(|family| family == name.family)
            && self.from.is_none_or(|from| name.version >= from)
            && self.below.is_none_or(|below| name.version < below)
            && self.with.iter().all(|word| name.has(word))
            && !self.without.iter().any(|word| name.has(word))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_mean_the_models_they_name() {
        for (selector, meant, other) in [
            ("gpt>=5.5 -chat", "openai/gpt-5.5", "gpt-5.5-chat-latest"),
            ("gpt>=5.1<5.5", "gpt-5.4-mini", "gpt-5.5"),
            ("gpt=5", "gpt-5-2025-08-07", "gpt-5.1"),
            ("claude<4.6", "claude-haiku-4-5", "claude-opus-4-6"),
            ("gemini=2.5 +flash-lite", "gemini-2.5-flash-lite", "gemini-2.5-flash"),
            ("o", "o3", "olmo-2"),
            ("*", "anything", ""),
        ] {
            let selector = Selector::parse(selector).unwrap();
            assert!(selector.fits(&ModelName::of(meant)), "{selector:?} {meant}");
            assert!(other.is_empty() || !selector.fits(&ModelName::of(other)), "{selector:?} {other}");
        }
        for wrong in ["", "gpt>5", "gpt>=x", "gpt word", "gpt +"] {
            assert!(Selector::parse(wrong).is_err(), "{wrong}");
        }
    }
}
