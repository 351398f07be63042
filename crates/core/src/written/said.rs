//! Texts taken apart: the words that many of them share, with holes, and what fills the holes of one of them. The first are
//! written and digested once, and the second are a few dozen bytes.
//!
//! A hole is a control character, which no word holds. A number is one byte up to 247; beyond, a byte says how many follow,
//! the low ones first. An amount of money is such a number, its sign in the lowest bit. A text is its length and its bytes.

use std::cell::Cell;

use super::{Text, put_words};
use crate::money::PicoUsd;

/// What stands where a number, an amount of money, or words of the text's own are to be.
const NUMBER: u8 = 1;
const MONEY: u8 = 2;
const OWN: u8 = 3;

/// The largest number of one byte.
const BYTE_MAX: u64 = 0xf7;

/// A text taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    words: Vec<u8>,
    fills: Vec<u8>,
}

thread_local! {
    /// The memory of the last one that ended on this thread. Each call on a route says something, and memory that was just
    /// used is at hand, where the allocator's next piece is not.
    static SPARE: Cell<(Vec<u8>, Vec<u8>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// Memory that is larger is not kept.
const SPARE_BYTES_MAX: usize = 16 * 1024;

impl Drop for Said {
    fn drop(&mut self) {
        if (1..=SPARE_BYTES_MAX).contains(&self.words.capacity()) && self.fills.capacity() <= SPARE_BYTES_MAX
        {
            let memory = (std::mem::take(&mut self.words), std::mem::take(&mut self.fills));
            // A thread that ends keeps nothing.
            let _ = SPARE.try_with(|spare| spare.set(memory));
        }
    }
}

impl Said {
    /// An empty one, with room for so many bytes of words and of what fills their holes.
    #[must_use]
    pub fn with_capacity(words: usize, fills: usize) -> Self {
        let (mut words_memory, mut fills_memory) = SPARE.try_with(Cell::take).unwrap_or_default();
        words_memory.clear();
        fills_memory.clear();
        words_memory.reserve(words);
        fills_memory.reserve(fills);
        Self { words: words_memory, fills: fills_memory }
    }

    /// To put more behind it.
    pub const fn split(&mut self) -> Split<'_> {
        Split { words: &mut self.words, fills: &mut self.fills }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        join(&self.words, &self.fills).unwrap_or_default()
    }
}

/// Text is put into two places: words, and what fills their holes.
#[derive(Debug)]
pub struct Split<'a> {
    /// Words with holes: UTF-8.
    pub words: &'a mut Vec<u8>,
    /// What fills the holes, in their order.
    pub fills: &'a mut Vec<u8>,
}

impl Text for Split<'_> {
    #[inline]
    fn words(&mut self, words: &str) {
        self.words.extend_from_slice(words.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.words.push(NUMBER);
        fill(self.fills, number);
    }

    fn money(&mut self, amount: PicoUsd) {
        let Ok(amount) = i64::try_from(amount.0) else {
            return self.own(&amount.to_string());
        };
        self.words.push(MONEY);
        fill(self.fills, (amount << 1 ^ amount >> 63).cast_unsigned());
    }

    fn own(&mut self, words: &str) {
        self.words.push(OWN);
        fill(self.fills, words.len() as u64);
        self.fills.extend_from_slice(words.as_bytes());
    }

    fn said(&mut self, said: &Said) {
        self.words.extend_from_slice(&said.words);
        self.fills.extend_from_slice(&said.fills);
    }
}

#[inline]
fn fill(fills: &mut Vec<u8>, number: u64) {
    if number <= BYTE_MAX {
        return fills.push(number as u8);
    }
    let width = 8 - number.leading_zeros() as usize / 8;
    let mut bytes = [0; 9];
    bytes[0] = (BYTE_MAX as usize + width) as u8;
    bytes[1..].copy_from_slice(&number.to_le_bytes());
    // All nine, whose length is known to the compiler, and then without those that are nothing.
    fills.extend_from_slice(&bytes);
    fills.truncate(fills.len() - (8 - width));
}

/// Puts a text together again; `None` where the two do not belong together.
#[must_use]
pub fn join(words: &[u8], fills: &[u8]) -> Option<String> {
    let mut text = Vec::with_capacity(words.len() + 4 * fills.len());
    let (mut words, mut fills) = (words, fills);
    while let Some(at) = words.iter().position(|byte| matches!(*byte, NUMBER | MONEY | OWN)) {
        let (before, rest) = words.split_at_checked(at)?;
        text.extend_from_slice(before);
        let (hole, after) = rest.split_first()?;
        let number = take_number(&mut fills)?;
        match *hole {
            NUMBER => put_words(&mut text, &[""], &[number]),
            MONEY => {
                let amount = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
                text.money(PicoUsd(amount.into()));
            }
            _ => {
                let (own, rest) = fills.split_at_checked(usize::try_from(number).ok()?)?;
                text.extend_from_slice(own);
                fills = rest;
            }
        }
        words = after;
    }
    text.extend_from_slice(words);
    String::from_utf8(text).ok().filter(|_| fills.is_empty())
}

fn take_number(fills: &mut &[u8]) -> Option<u64> {
    let (first, rest) = fills.split_first()?;
    *fills = rest;
    let Some(width) = u64::from(*first).checked_sub(BYTE_MAX).filter(|width| *width > 0) else {
        return Some(u64::from(*first));
    };
    let (bytes, rest) = rest.split_at_checked(usize::try_from(width).ok()?)?;
    *fills = rest;
    let mut word = [0; 8];
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{put_own_string, put_string, put_value};
    use super::*;

    /// Something that can be put into a text.
    #[derive(Clone, Debug)]
    enum Piece {
        Words(String),
        Number(u64),
        Money(i128),
        Own(String),
        Shared(String),
        OwnString(String),
        Value(Vec<u32>),
    }

    fn piece() -> impl Strategy<Value = Piece> {
        let number = (any::<u64>(), 0u32..64).prop_map(|(number, shift)| number >> shift);
        let amount = (any::<i128>(), 0u32..128).prop_map(|(amount, shift)| amount >> shift);
        prop_oneof![
            "[^\\p{C}]{0,12}".prop_map(Piece::Words),
            number.prop_map(Piece::Number),
            amount.prop_map(Piece::Money),
            any::<String>().prop_map(Piece::Own),
            any::<String>().prop_map(Piece::Shared),
            any::<String>().prop_map(Piece::OwnString),
            any::<Vec<u32>>().prop_map(Piece::Value),
        ]
    }

    fn put(text: &mut impl Text, piece: &Piece) {
        match piece {
            Piece::Words(words) => text.words(words),
            Piece::Number(number) => text.number(*number),
            Piece::Money(amount) => text.money(PicoUsd(*amount)),
            Piece::Own(words) => text.own(words),
            Piece::Shared(words) => put_string(text, words),
            Piece::OwnString(words) => put_own_string(text, words),
            Piece::Value(value) => put_value(text, value),
        }
    }

    proptest! {
        #[test]
        fn a_text_taken_apart_is_the_text_when_it_is_put_together(pieces in proptest::collection::vec(piece(), 0..20)) {
            let (mut whole, mut said) = (Vec::new(), Said::default());
            for piece in &pieces {
                put(&mut whole, piece);
                put(&mut said.split(), piece);
            }
            prop_assert_eq!(said.text().into_bytes(), whole.clone());
            let (mut twice, mut again) = (Vec::new(), Said::default());
            twice.said(&said);
            again.split().said(&said);
            prop_assert_eq!(&twice, &whole);
            prop_assert_eq!(again, said);
        }

        #[test]
        fn foreign_bytes_never_panic(words: Vec<u8>, fills: Vec<u8>) {
            let _ = join(&words, &fills);
        }
    }

    #[test]
    fn what_does_not_belong_together_is_no_text() {
        let mut said = Said::default();
        put_words(&mut said.split(), &["at ", " of "], &[300, 5]);
        assert_eq!(said.text(), "at 300 of 5");
        assert_eq!(said.fills, [0xf9, 44, 1, 5], "two bytes and one");
        for fills in [&said.fills[..3], &said.fills[1..], &[0xf9, 44, 1, 5, 0], &[]] {
            assert_eq!(join(&said.words, fills), None, "{fills:?}");
        }
    }
}
