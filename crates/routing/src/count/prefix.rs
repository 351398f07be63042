//! Counts of conversations' prefixes, so that a tokenizer reads each message once and not once per turn.

use pilothouse_tokens::{TextShape, Tokenizer};

use super::{Counter, Texts};
use crate::bounded::Bounded;
use crate::random::mix;

/// Counts by the digest of a prefix and its tokenizer.
#[derive(Debug)]
pub struct PrefixCounts(Bounded<u64>);

impl PrefixCounts {
    /// At most so many counts (32 at least).
    #[must_use]
    pub fn new(entries_max: usize) -> Self {
        Self(Bounded::new(entries_max))
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A counter over texts whose prefixes may have been counted before.
#[derive(Clone, Copy, Debug)]
pub struct Prefixed<'a> {
    /// The texts, in order.
    pub texts: &'a [&'a str],
    /// The digests of the prefixes that end with the last texts: [`crate::affinity::Chain::digests`] of a chain that was
    /// given the same texts. May be shorter than the texts.
    pub digests: &'a [u64],
    /// What was counted before.
    pub counts: &'a PrefixCounts,
}

impl Counter for Prefixed<'_> {
    fn shape(&mut self) -> Option<TextShape> {
        Texts(self.texts).shape()
    }

    fn count(&mut self, tokenizer: Tokenizer) -> Option<u64> {
        if !tokenizer.is_ready() {
            return None;
        }
        let of = tokenizer.name().bytes().fold(0_u64, |sum, byte| mix(sum ^ u64::from(byte)));
        let newest_first =
            || self.digests.iter().rev().map(|digest| digest ^ of).zip((1..=self.texts.len()).rev());
        let known = newest_first().find_map(|(digest, end)| Some((self.counts.0.find(digest)?, end)));
        let (tokens, end) = known.unwrap_or((0, 0));
        let rest = Texts(self.texts.get(end..)?).count(tokenizer)?;
        if let Some((whole, _)) = newest_first().next()
            && end < self.texts.len()
        {
            self.counts.0.store(whole, tokens + rest);
        }
        Some(tokens + rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affinity::{Chain, Scope};
    use proptest::prelude::*;

    fn chain(texts: &[&str]) -> Chain {
        let scope = Scope { seed: 1, key: "k", end_user: None, route: "r" };
        let mut chain = Chain::new(&scope, b"");
        texts.iter().for_each(|text| chain.push(text.as_bytes()));
        chain
    }

    fn counted(texts: &[&str], counts: &PrefixCounts) -> Option<u64> {
        let chain = chain(texts);
        Prefixed { texts, digests: chain.digests(), counts }.count(Tokenizer::of("gpt-4"))
    }

    #[test]
    fn next_turn_counts_only_what_is_new() {
        let tokenizer = Tokenizer::of("gpt-4");
        let whole = |texts: &[&str]| texts.iter().map(|text| tokenizer.count(text)).sum::<Option<u64>>();
        assert!(whole(&["the table must be loaded"]).is_some());
        let counts = PrefixCounts::new(100);
        let turns = ["Hello there", "Hi, what can I do?", "Tell me of ferries", "They float."];
        assert_eq!(counted(&turns[..1], &counts), whole(&turns[..1]));
        // A wrong number in the memory shows that it is used, and that only the rest is counted.
        counts.0.store(counts_key(&turns[..1]), 1_000_000);
        assert_eq!(counted(&turns[..3], &counts), whole(&turns[1..3]).map(|rest| rest + 1_000_000));
        assert_eq!(counted(&turns, &counts), whole(&turns[1..]).map(|rest| rest + 1_000_000));
        assert_eq!(
            counted(&turns[1..], &counts),
            whole(&turns[1..]),
            "another beginning is another conversation"
        );
        assert_eq!(counts.len(), 4);
    }

    fn counts_key(texts: &[&str]) -> u64 {
        let of = Tokenizer::of("gpt-4").name().bytes().fold(0_u64, |sum, byte| mix(sum ^ u64::from(byte)));
        chain(texts).whole() ^ of
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn counts_with_and_without_a_memory_are_equal(texts in proptest::collection::vec("[a-z ]{0,40}", 1..8)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let tokenizer = Tokenizer::of("gpt-4");
            let counts = PrefixCounts::new(100);
            for end in 1..=texts.len() {
                let whole = texts[..end].iter().map(|text| tokenizer.count(text)).sum::<Option<u64>>();
                prop_assert_eq!(counted(&texts[..end], &counts), whole);
            }
        }
    }
}
