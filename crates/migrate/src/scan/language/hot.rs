//! Where the names stand that are bound to something with a candidate in it.

use super::wordset::{PLAIN, WordSet, each_word};
use crate::scan::source::Span;

/// Where words stand by themselves in a text: found once, asked about for every call.
#[derive(Debug, Default)]
pub(super) struct HotWords {
    /// Begin and end of each, by where it begins.
    places: Vec<(usize, usize)>,
}

impl HotWords {
    /// The places of words in parts of a text.
    pub(super) fn of(text: &str, parts: &[Span], words: &[&str]) -> Self {
        if words.is_empty() {
            return Self::default();
        }
        let bytes = text.as_bytes();
        let is_part = |byte: u8| PLAIN[usize::from(byte)];
        // Plain names are looked up word by word, in one pass; others (`$model`, `@model`) are searched one by one.
        let (plain, signed): (Vec<&str>, Vec<&str>) =
            words.iter().copied().filter(|word| !word.is_empty()).partition(|word| word.bytes().all(is_part));
        let mut plain: WordSet<'_, ()> = WordSet::of(plain.into_iter());
        let mut places = Vec::new();
        let searched = if plain.is_empty() { &[] } else { parts };
        for part in searched {
            each_word(&bytes[part.clone()], &PLAIN, |at, word| {
                if plain.get_mut(word).is_some() {
                    places.push((part.start + at, part.start + at + word.len()));
                }
            });
        }
        for word in signed {
            let finder = memchr::memmem::Finder::new(word);
            let found = parts.iter().flat_map(|part| {
                finder
                    .find_iter(&bytes[part.clone()])
                    .map(|at| (part.start + at, part.start + at + word.len()))
            });
            places.extend(found.filter(|(at, end)| {
                !at.checked_sub(1).is_some_and(|before| is_part(bytes[before]))
                    && !bytes.get(*end).is_some_and(|byte| is_part(*byte))
            }));
        }
        places.sort_unstable();
        Self { places }
    }

    /// Whether one stands in a span.
    pub(super) fn stand_in(&self, span: &Span) -> bool {
        let first = self.places.partition_point(|(at, _)| *at < span.start);
        let behind = self.places.get(first..).unwrap_or_default();
        behind.iter().take_while(|(at, _)| *at < span.end).any(|(_, end)| *end <= span.end)
    }
}
