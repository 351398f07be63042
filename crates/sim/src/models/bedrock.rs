//! Amazon Bedrock's models: Claude under its own and its profiles' ids, Nova, and OpenAI's open weights.
//!
//! Ids: <https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html> and
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>; prices: the public price list,
//! as of 2026-11-22. What a regional profile costs more is left out.

use super::{ConverseRules, EmbeddingRules, Model, Native, Rules};
use crate::price::Class::{CacheRead, Input, Output};
use crate::price::{Price, p, tier};
use std::sync::LazyLock;

const CLAUDE_SOURCE: &str = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonBedrockFoundationModels/current/index.json";
const SOURCE: &str =
    "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonBedrock/current/us-east-1/index.json";

/// A model's own id and those of its profiles: one region of the world, and all of them.
macro_rules! profiles {
    ($id:literal) => {
        [$id, concat!("us.", $id), concat!("eu.", $id), concat!("global.", $id)]
    };
}

/// What Anthropic calls a model, and its ids here.
const CLAUDES: &[(&str, [&str; 4])] = &[
    ("claude-opus-5-5", profiles!("anthropic.claude-opus-5-5")),
    ("claude-sonnet-5-5", profiles!("anthropic.claude-sonnet-5-5")),
    ("claude-opus-5", profiles!("anthropic.claude-opus-5")),
    ("claude-sonnet-5", profiles!("anthropic.claude-sonnet-5")),
    ("claude-opus-4-8", profiles!("anthropic.claude-opus-4-8")),
    ("claude-opus-4-7", profiles!("anthropic.claude-opus-4-7")),
    ("claude-opus-4-6", profiles!("anthropic.claude-opus-4-6-v1")),
    ("claude-sonnet-4-6", profiles!("anthropic.claude-sonnet-4-6")),
    ("claude-opus-4-5", profiles!("anthropic.claude-opus-4-5-20251101-v1:0")),
    ("claude-sonnet-4-5", profiles!("anthropic.claude-sonnet-4-5-20250929-v1:0")),
    ("claude-haiku-4-5", profiles!("anthropic.claude-haiku-4-5-20251001-v1:0")),
];

const NOVA: ConverseRules =
    ConverseRules { native: Native::Nova, cache_tokens_min: Some(1_024), media: true, reasons: false };
const GPT_OSS: ConverseRules =
    ConverseRules { native: Native::GptOss, cache_tokens_min: None, media: false, reasons: true };

const NOVA_PRO: &[Price] = &[
    p(Input, "0.8"),
    p(CacheRead, "0.2"),
    p(Output, "3.2"),
    tier(Input, "0.4", "flex"),
    tier(CacheRead, "0.1", "flex"),
    tier(Output, "1.6", "flex"),
    tier(Input, "1.4", "priority"),
    tier(CacheRead, "0.35", "priority"),
    tier(Output, "5.6", "priority"),
];
const GPT_OSS_120B: &[Price] =
    &[p(Input, "0.15"), p(Output, "0.6"), tier(Input, "0.075", "flex"), tier(Output, "0.3", "flex")];

const fn own(
    id: &'static str,
    display: &'static str,
    rules: ConverseRules,
    prices: &'static [Price],
) -> Model {
    Model {
        id,
        served_as: id,
        made_as: id,
        display,
        rules: Rules::Converse(rules),
        prices,
        context_tokens: 300_000,
        output_tokens_max: 10_000,
        word_bytes: 6,
        first_token_ms: 400,
        token_us: 8_000,
        created: 1_733_184_000,
        shutdown: None,
        source: SOURCE,
        as_of: "2026-11-22",
    }
}

const fn embedding(
    id: &'static str,
    display: &'static str,
    rules: EmbeddingRules,
    context_tokens: u64,
    prices: &'static [Price],
) -> Model {
    Model { rules: Rules::Embedding(rules), context_tokens, ..own(id, display, NOVA, prices) }
}

const FIXED: EmbeddingRules = EmbeddingRules { dims: 1_536, shortens: false };
const V3: EmbeddingRules = EmbeddingRules { dims: 1_024, shortens: false };
const SHORTENS: EmbeddingRules = EmbeddingRules { dims: 1_024, shortens: true };
const V4: EmbeddingRules = EmbeddingRules { dims: 1_536, shortens: true };

const TITAN_1: &[Price] = &[p(Input, "0.1")];
const TITAN_2: &[Price] = &[p(Input, "0.02")];
const EMBED_3: &[Price] = &[p(Input, "0.1")];
const EMBED_4: &[Price] = &[p(Input, "0.12")];

/// Models that make vectors.
fn embeddings() -> [Model; 6] {
    [
        embedding("amazon.titan-embed-text-v1", "Titan Embeddings G1 - Text", FIXED, 8_192, TITAN_1),
        embedding("amazon.titan-embed-text-v2:0", "Titan Text Embeddings V2", SHORTENS, 8_192, TITAN_2),
        embedding("cohere.embed-english-v3", "Embed English", V3, 512, EMBED_3),
        embedding("cohere.embed-multilingual-v3", "Embed Multilingual", V3, 512, EMBED_3),
        embedding("cohere.embed-v4:0", "Embed v4", V4, 128_000, EMBED_4),
        embedding("us.cohere.embed-v4:0", "Embed v4", V4, 128_000, EMBED_4),
    ]
}

/// Every Bedrock model of the fleet.
pub(super) static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let mut models: Vec<Model> = Vec::new();
    for (made_as, ids) in CLAUDES {
        let Some(base) = super::anthropic::MODELS.iter().find(|m| m.id == *made_as) else { continue };
        let served = |id| Model { id, served_as: id, source: CLAUDE_SOURCE, shutdown: None, ..base.clone() };
        models.extend(ids.map(served));
    }
    models.push(own("amazon.nova-pro-v1:0", "Nova Pro", NOVA, NOVA_PRO));
    models.push(own("us.amazon.nova-pro-v1:0", "Nova Pro", NOVA, NOVA_PRO));
    models.push(Model {
        context_tokens: 128_000,
        output_tokens_max: 16_384,
        created: 1_754_352_000,
        ..own("openai.gpt-oss-120b-1:0", "gpt-oss-120b", GPT_OSS, GPT_OSS_120B)
    });
    models.extend(embeddings());
    models
});

#[cfg(test)]
mod tests {
    #[test]
    fn every_claude_stands_under_its_own_and_its_profiles_ids() {
        assert_eq!(super::MODELS.len(), 4 * super::CLAUDES.len() + 3 + super::embeddings().len());
    }
}
