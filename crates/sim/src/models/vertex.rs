//! Google Cloud's models: Gemini as Google names it, and Claude with its version after an `@`.
//!
//! Ids: <https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude> and
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/models>; prices of the global endpoint, which are the makers' own:
//! <https://cloud.google.com/gemini-enterprise-agent-platform/generative-ai/pricing>, as of 2026-11-22.

use super::{Model, Rules};
use std::sync::LazyLock;

const SOURCE: &str = "https://cloud.google.com/gemini-enterprise-agent-platform/generative-ai/pricing";

/// What Anthropic calls a model; its id here, and the id that names its version.
const CLAUDES: &[(&str, &str, &str)] = &[
    ("claude-opus-5-5", "claude-opus-5-5", "claude-opus-5-5@default"),
    ("claude-sonnet-5-5", "claude-sonnet-5-5", "claude-sonnet-5-5@default"),
    ("claude-opus-5", "claude-opus-5", "claude-opus-5@default"),
    ("claude-sonnet-5", "claude-sonnet-5", "claude-sonnet-5@default"),
    ("claude-opus-4-8", "claude-opus-4-8", "claude-opus-4-8@default"),
    ("claude-opus-4-7", "claude-opus-4-7", "claude-opus-4-7@default"),
    ("claude-opus-4-6", "claude-opus-4-6", "claude-opus-4-6@default"),
    ("claude-sonnet-4-6", "claude-sonnet-4-6", "claude-sonnet-4-6@default"),
    ("claude-opus-4-5", "claude-opus-4-5", "claude-opus-4-5@20251101"),
    ("claude-sonnet-4-5", "claude-sonnet-4-5", "claude-sonnet-4-5@20250929"),
    ("claude-haiku-4-5", "claude-haiku-4-5", "claude-haiku-4-5@20251001"),
];

/// Every Vertex model of the fleet.
pub(super) static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let gemini = super::gemini::MODELS.iter().filter(|m| matches!(m.rules, Rules::Gemini(_)));
    let mut models: Vec<Model> = gemini.map(|m| Model { source: SOURCE, ..m.clone() }).collect();
    for (made_as, id, versioned) in CLAUDES {
        if let Some(base) = super::anthropic::MODELS.iter().find(|m| m.id == *made_as) {
            models.push(Model { id, served_as: versioned, source: SOURCE, ..base.clone() });
        }
    }
    models
});

/// What the answers of a Claude name as their model: the maker's own id with its date.
pub(crate) fn answers_as(model: &Model) -> &'static str {
    let base = super::anthropic::MODELS.iter().find(|m| m.id == model.made_as);
    base.map_or(model.served_as, |m| m.served_as)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_claude_of_the_list_has_a_row() {
        let claudes = super::MODELS.iter().filter(|m| m.id.starts_with("claude-")).count();
        assert_eq!(claudes, super::CLAUDES.len());
    }
}
