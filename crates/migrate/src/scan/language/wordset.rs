//! Many words looked for in one pass over a text: most words of it are told apart by how they begin and how long they are.

use std::collections::HashMap;

/// Bytes of plain words: letters and digits of ASCII, and `_`.
pub(super) const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        plain[byte] = (byte as u8).is_ascii_alphanumeric() || byte == b'_' as usize;
        byte += 1;
    }
    plain
};

/// The same with all bytes of other scripts.
pub(super) const ANY: [bool; 256] = {
    let mut any = PLAIN;
    let mut byte = 128;
    while byte < 256 {
        any[byte] = true;
        byte += 1;
    }
    any
};

/// The words of a part of a text, each with where it begins: the longest runs of these bytes.
pub(super) fn each_word<'t>(bytes: &'t [u8], kind: &[bool; 256], mut see: impl FnMut(usize, &'t [u8])) {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().position(|byte| !kind[usize::from(*byte)]).unwrap_or(rest.len());
        if length > 0 {
            see(at, &rest[..length]);
        }
        at += length + 1;
    }
}

/// Words, each with what is kept for it.
#[derive(Debug)]
pub(super) struct WordSet<'w, T> {
    words: HashMap<&'w [u8], T>,
    /// For each first byte the lengths that words with it have, a bit for each.
    lengths: [u64; 256],
}

impl<'w, T: Default> WordSet<'w, T> {
    /// These words, without the empty one.
    pub(super) fn of(words: impl Iterator<Item = &'w str>) -> Self {
        let mut set = Self { words: HashMap::new(), lengths: [0; 256] };
        for word in words {
            if let Some(first) = word.bytes().next() {
                set.lengths[usize::from(first)] |= bit(word.len());
                set.words.entry(word.as_bytes()).or_default();
            }
        }
        set
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word of this spelling, with what is kept for it.
    pub(super) fn get_mut(&mut self, word: &[u8]) -> Option<&mut T> {
        let first = *word.first()?;
        let may_be = self.lengths[usize::from(first)] & bit(word.len()) != 0;
        if may_be { self.words.get_mut(word) } else { None }
    }
}

/// Lengths beyond the last bit share it.
const fn bit(length: usize) -> u64 {
    1 << if length < 63 { length } else { 63 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_every_length_are_found_and_no_others() {
        let long = "x".repeat(200);
        let mut set: WordSet<'_, u32> = WordSet::of(["model", "", "m", "modem", &long].into_iter());
        for word in ["model", "m", "modem", &long] {
            *set.get_mut(word.as_bytes()).unwrap() += 1;
        }
        for word in ["mode", "", "models", "medal", &"x".repeat(199)] {
            assert!(set.get_mut(word.as_bytes()).is_none(), "{word}");
        }
        assert!(!set.is_empty());
    }
}
