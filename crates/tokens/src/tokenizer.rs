//! A model's tokenizer as a handle, for those who count one text for many models: routes with mixed targets.

use std::fmt;

use crate::exact::{self, Table};
use crate::family::{self, Family};
use crate::shape::{self, Shape};

/// The tokenizer behind a model's name. Two models with equal handles count every text alike, so one count serves both.
#[derive(Clone, Copy)]
pub struct Tokenizer {
    family: &'static Family,
    table: Option<Table>,
    is_sure: bool,
}

impl PartialEq for Tokenizer {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.family, other.family) && self.table == other.table
    }
}

impl Eq for Tokenizer {}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Tokenizer({})", self.name())
    }
}

impl Tokenizer {
    /// The tokenizer of the model of that name; prefixes of platforms are fine, an unknown name has the weights of the
    /// mean of the open tokenizers.
    #[must_use]
    pub fn of(model: &str) -> Self {
        let reading = family::read(model);
        Self { family: reading.family, table: reading.table, is_sure: reading.is_sure }
    }

    /// Its name for people and receipts: `o200k_base`, `anthropic`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.table.map_or(self.family.name, Table::name)
    }

    /// Whether its table is public and is known to be the model's own.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        self.table.is_some() && self.is_sure
    }

    /// The error that 19 of 20 estimates from a [`TextShape`] stay within, in percent.
    #[must_use]
    pub const fn error_percent(self) -> u32 {
        self.family.error_percent
    }

    /// Thousandths of bytes per token of English prose.
    #[must_use]
    pub const fn prose_millibytes(self) -> u64 {
        self.family.prose_millibytes
    }

    /// Tokens around each message, with its role.
    #[must_use]
    pub const fn message_tokens(self) -> u64 {
        self.family.message_tokens + 1
    }

    /// Whether [`Tokenizer::count`] would have to build a table first, which takes up to a second.
    #[must_use]
    pub fn is_ready(self) -> bool {
        self.table.is_some_and(Table::is_loaded)
    }

    /// The tokens of `text` by the public table, loading it if need be; `None` where there is no table. Runs at about
    /// 10 MB/s on prose.
    #[must_use]
    pub fn count(self, text: &str) -> Option<u64> {
        self.table.map(|table| exact::count(table, text).0)
    }

    /// The tokens of a text of that shape, within [`Tokenizer::error_percent`].
    #[must_use]
    pub fn estimate(self, shape: &TextShape) -> u64 {
        shape.0.millitokens(&self.family.weights).div_ceil(1000)
    }
}

/// What a text is made of, as far as tokenizers care: one pass over it serves every tokenizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextShape(Shape);

impl TextShape {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(shape::of(text))
    }

    /// Adds a text that stands by itself.
    pub fn add(&mut self, text: &str) {
        self.0.plus(&shape::of(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_of_one_family_share_a_tokenizer_and_others_do_not() {
        assert_eq!(Tokenizer::of("openai/gpt-4o"), Tokenizer::of("gpt-5.5"));
        assert_ne!(Tokenizer::of("gpt-4"), Tokenizer::of("gpt-4o"));
        assert_ne!(Tokenizer::of("claude-3-haiku"), Tokenizer::of("claude-opus-5"));
        assert_eq!(Tokenizer::of("gpt-4o").name(), "o200k_base");
        assert_eq!(Tokenizer::of("claude-opus-5").name(), "anthropic");
    }

    #[test]
    fn one_shape_gives_each_family_the_estimate_that_its_own_count_gives() {
        let text = "Der schnelle braune Fuchs springt über den faulen Hund; 12345 Mal, {\"a\": [1, 2]}.";
        let shape = TextShape::of(text);
        for model in ["claude-opus-5", "qwen3-32b", "gemini-3.5-flash", "nobody"] {
            let tokenizer = Tokenizer::of(model);
            assert_eq!(tokenizer.estimate(&shape), crate::count_text(text, model).tokens, "{model}");
            assert_eq!(tokenizer.count(text), None);
        }
        let mut pieces = TextShape::of("one two");
        pieces.add("three");
        assert!(
            Tokenizer::of("gemini").estimate(&pieces)
                >= Tokenizer::of("gemini").estimate(&TextShape::of("one two"))
        );
    }

    #[test]
    fn public_table_counts_exactly_and_is_ready_afterwards() {
        let tokenizer = Tokenizer::of("gpt-4o");
        assert!(tokenizer.is_exact());
        assert_eq!(tokenizer.count("Hello, world"), Some(3));
        assert!(tokenizer.is_ready());
    }
}
