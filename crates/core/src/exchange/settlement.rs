//! Money that was set aside for an answer, and what became of it: told in words, by every exchange that has a budget.

use crate::money::PicoUsd;
use crate::written::{Text, put, put_words};

/// What money is set aside for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// So many tokens.
    Tokens {
        /// Of input, about.
        input: u64,
        /// Of output, at most.
        output: u64,
    },
    /// So many tokens of a call that goes on with another one's stream.
    GoingOn {
        /// Of input.
        input: u64,
        /// Of output, at most.
        output: u64,
    },
    /// Something that has no price beforehand.
    Unpriced,
}

/// What was set aside for an answer, and what it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What was set aside.
    pub reserved: PicoUsd,
    /// What for.
    pub purpose: Purpose,
    /// What counts as spent.
    pub settled: PicoUsd,
}

impl Purpose {
    /// Puts it behind a text, in words.
    pub fn put(self, text: &mut impl Text) {
        match self {
            Self::Tokens { input, output } => {
                put_words(text, &["", " tokens in and ", " out"], &[input, output]);
            }
            Self::GoingOn { input, output } => {
                let words = ["", " tokens in and ", " out, to go on with a stream"];
                put_words(text, &words, &[input, output]);
            }
            Self::Unpriced => put(text, "a call that cannot be priced beforehand"),
        }
    }
}

impl Settlement {
    /// The code of the note that tells it.
    pub const CODE: &str = "reserve";

    /// Puts the detail of that note behind a text: words that JSON escapes nothing of.
    pub fn put(&self, text: &mut impl Text) {
        put(text, "$");
        text.money(self.reserved);
        put(text, " set aside for ");
        self.purpose.put(text);
        put(text, "; settled at $");
        text.money(self.settled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settlement_says_what_was_set_aside_and_what_came_of_it() {
        let mut text = Vec::new();
        let purpose = Purpose::GoingOn { input: 12, output: 345 };
        Settlement { reserved: PicoUsd(2_500_000_000), purpose, settled: PicoUsd(0) }.put(&mut text);
        let words =
            "$0.0025 set aside for 12 tokens in and 345 out, to go on with a stream; settled at $0.00";
        assert_eq!(String::from_utf8(text).unwrap(), words);
    }
}
