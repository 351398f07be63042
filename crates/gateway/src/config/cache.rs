//! `[cache]`, and `cache = { … }` in `[defaults]` and `[routes.NAME.defaults]`: which answers are given again.

use serde::Deserialize;
use toml::Spanned;

/// The memory of all kept answers.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheMemory {
    /// Bytes that kept answers may take; beyond it, what is asked for least falls out.
    pub bytes_max: u64,
}

impl Default for CacheMemory {
    fn default() -> Self {
        Self { bytes_max: 64 * 1024 * 1024 }
    }
}

/// Which answers are given again.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// For how long an answer is given to the same request again, such as `10m`; `off` where never.
    pub exact: Option<Spanned<String>>,
    /// Who shares answers: `key` (each key by itself, the default) or `team` (all keys of a team).
    pub share: Option<Spanned<String>>,
    /// Answers to the same question in other words.
    pub semantic: Option<Spanned<SemanticCache>>,
}

/// Answers to the same question in other words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SemanticCache {
    /// For how long an answer is given again; an hour where not given.
    pub ttl: Option<Spanned<String>>,
    /// The embedding model, by a name that can be called; the built-in one where not given.
    pub model: Option<Spanned<String>>,
    /// How near two questions must be, from 0 to 1.
    pub similarity: Option<Spanned<f64>>,
    /// The share of false hits that must not be reached; 0.01 where not given.
    pub false_hits_max: Option<Spanned<f64>>,
    /// The share of hits that is sent to the vendor all the same, to be compared; 0.02 where not given.
    pub sample: Option<Spanned<f64>>,
    /// How alike two answers must be to count as the same, from 0 to 1; 0.85 where not given.
    pub agreement: Option<Spanned<f64>>,
    /// The built-in embedding may do more than observe.
    pub builtin_may_serve: bool,
}
