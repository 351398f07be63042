//! Words that are worth a second look: names of models and of interfaces, found in bytes, before anything is parsed.

use std::ops::Range;

use pilothouse_catalog::Catalog;

/// A word that is worth a second look.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Where it stands: the whole name as written, with decorations (`us.anthropic.…-v2:0`, `azure/gpt-4o`).
    pub span: Range<usize>,
    /// What it may be.
    pub kind: CandidateKind,
}

/// What a candidate may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CandidateKind {
    /// A name of a model: one of the catalogue, or one that looks like its family.
    Model,
    /// The constant of an SDK that stands for a model: `GPT_4O`, `ChatModelGPT4oMini`.
    Constant,
    /// The beginning of a model's name, behind which something is put in at run time: `gpt-` of `"gpt-" + size`.
    Prefix,
    /// A name of an interface: `beta.assistants`, `/v1/assistants`.
    Interface,
}

/// Finds candidates.
#[derive(Clone, Debug)]
pub struct Candidates {}

impl Candidates {
    /// Looks for what `catalog` knows, and for what looks alike.
    #[must_use]
    pub fn of(_catalog: &Catalog) -> Self {
        Self {}
    }

    /// Every candidate of a text, in its order, not overlapping.
    #[must_use]
    pub fn find(&self, _text: &[u8]) -> Vec<Candidate> {
        Vec::new()
    }
}
