//! Counts of conversations' prefixes, so that a tokenizer reads each message once and not once per turn.

use pilothouse_tokens::{TextShape, Tokenizer};

use super::{Counter, Texts};
use crate::bounded::Bounded;
use crate::random::mix;

/// Counts and shapes by the digest of a prefix.
#[derive(Debug)]
pub struct PrefixCounts {
    tokens: Bounded<u64>,
    shapes: Bounded<TextShape>,
}

impl PrefixCounts {
    /// At most so many counts and so many shapes (32 at least); a shape takes about 150 bytes.
    #[must_use]
    pub fn new(entries_max: usize) -> Self {
        Self { tokens: Bounded::new(entries_max), shapes: Bounded::new(entries_max) }
    }

    /// How many counts are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A counter over texts whose prefixes may have been read before.
#[derive(Clone, Copy, Debug)]
pub struct Prefixed<'a> {
    /// The texts, in order.
    pub texts: &'a [&'a str],
    /// The digests of the prefixes that end with the last texts: [`crate::affinity::Chain::digests`] of a chain that was
    /// given the same texts. May be shorter than the texts.
    pub digests: &'a [u64],
    /// What was read before.
    pub counts: &'a PrefixCounts,
}

impl Prefixed<'_> {
    /// What is kept of the longest prefix that was read before, with the texts after it.
    fn known<V: Copy>(&self, kept: &Bounded<V>, of: u64) -> (Option<V>, &[&str]) {
        let newest_first = self.digests.iter().rev().zip((1..=self.texts.len()).rev());
        let mut found = newest_first.filter_map(|(digest, end)| Some((kept.find(digest ^ of)?, end)));
        found.next().map_or((None, self.texts), |(value, end)| {
            (Some(value), self.texts.get(end..).unwrap_or_default())
        })
    }

    fn keep<V: Copy>(&self, kept: &Bounded<V>, of: u64, value: V, rest: &[&str]) {
        if let (Some(whole), false) = (self.digests.last(), rest.is_empty()) {
            kept.store(whole ^ of, value);
        }
    }
}

impl Counter for Prefixed<'_> {
    fn shape(&mut self) -> Option<TextShape> {
        let (known, rest) = self.known(&self.counts.shapes, 0);
        let mut shape = known.unwrap_or_default();
        rest.iter().for_each(|text| shape.add(text));
        self.keep(&self.counts.shapes, 0, shape, rest);
        Some(shape)
    }

    fn count(&mut self, tokenizer: Tokenizer) -> Option<u64> {
        if !tokenizer.is_ready() {
            return None;
        }
        let of = digest_of(tokenizer);
        let (known, rest) = self.known(&self.counts.tokens, of);
        let tokens = known.unwrap_or(0) + Texts(rest).count(tokenizer)?;
        self.keep(&self.counts.tokens, of, tokens, rest);
        Some(tokens)
    }
}

fn digest_of(tokenizer: Tokenizer) -> u64 {
    tokenizer.name().bytes().fold(0, |sum, byte| mix(sum ^ u64::from(byte)))
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
        counts.tokens.store(chain(&turns[..1]).whole() ^ digest_of(tokenizer), 1_000_000);
        assert_eq!(counted(&turns[..3], &counts), whole(&turns[1..3]).map(|rest| rest + 1_000_000));
        assert_eq!(counted(&turns, &counts), whole(&turns[1..]).map(|rest| rest + 1_000_000));
        assert_eq!(
            counted(&turns[1..], &counts),
            whole(&turns[1..]),
            "another beginning is another conversation"
        );
        assert_eq!(counts.len(), 4);
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
                let chain = chain(&texts[..end]);
                let mut counter = Prefixed { texts: &texts[..end], digests: chain.digests(), counts: &counts };
                prop_assert_eq!(counter.shape(), Texts(&texts[..end]).shape());
            }
        }
    }
}
