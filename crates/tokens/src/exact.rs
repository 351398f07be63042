//! The public tokenizers, loaded when first used.
//!
//! Measured 2026-11-22, x86-64: see the constants' docs; the compressed tables are part of the binary.

use std::collections::HashSet;

use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton};

/// A public tokenizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// GPT-4o and later; `gpt-oss` has the same ranks under another set of special tokens.
    O200k,
    /// GPT-4, GPT-3.5 and the embedding models.
    Cl100k,
}

impl Table {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::O200k => "o200k_base",
            Self::Cl100k => "cl100k_base",
        }
    }

    fn get(self) -> &'static CoreBPE {
        match self {
            Self::O200k => o200k_base_singleton(),
            Self::Cl100k => cl100k_base_singleton(),
        }
    }
}

/// The tokens of `text`; names of special tokens count as ordinary text, as vendors treat what users write.
/// `None` when the splitting expression gives up (a run of about a million letters without a break).
pub(crate) fn count(table: Table, text: &str) -> Option<u64> {
    // Not `count_ordinary`: it panics where this returns an error.
    table.get().count(text, &HashSet::new()).ok().map(|tokens| tokens as u64)
}
