//! Google's Gemini models: what each accepts, refuses and costs.
//!
//! Prices: <https://ai.google.dev/gemini-api/docs/pricing>, as of 2026-11-22; sound and film are billed as text here. Thinking:
//! <https://ai.google.dev/gemini-api/docs/thinking>. Smallest cached prompts: <https://ai.google.dev/gemini-api/docs/caching>.
//! Shutdown dates: <https://ai.google.dev/gemini-api/docs/deprecations>. Releases are not shown by this vendor; where none is
//! known, the day of the prices stands. That only the 2.5 flash models give log probabilities is an assumption.

use super::{EmbeddingRules, GeminiRules, GeminiThinking, Model, Rules};
use crate::price::Class::{CacheRead, Input, Output};
use crate::price::{Price, long, p, tier, tier_long};

const SOURCE: &str = "https://ai.google.dev/gemini-api/docs/pricing";

/// Gemini 3 Pro: always thinks, at three levels.
const PRO_3: GeminiRules = GeminiRules {
    thinking: GeminiThinking::Levels { levels: &["LOW", "MEDIUM", "HIGH"], can_stop: false },
    is_gemini_3: true,
    logprobs: false,
    cache_tokens_min: 4_096,
};
/// Gemini 3 Flash: four levels, and a budget of 0 is taken.
const FLASH_3: GeminiRules = GeminiRules {
    thinking: GeminiThinking::Levels { levels: &["MINIMAL", "LOW", "MEDIUM", "HIGH"], can_stop: true },
    cache_tokens_min: 1_024,
    ..PRO_3
};
const PRO_2_5: GeminiRules = GeminiRules {
    thinking: GeminiThinking::Budget { min: 128, max: 32_768, can_stop: false, by_default: true },
    is_gemini_3: false,
    logprobs: false,
    cache_tokens_min: 4_096,
};
const FLASH_2_5: GeminiRules = GeminiRules {
    thinking: GeminiThinking::Budget { min: 1, max: 24_576, can_stop: true, by_default: true },
    logprobs: true,
    cache_tokens_min: 1_024,
    ..PRO_2_5
};
/// Thinks only if it is told to.
const LITE_2_5: GeminiRules = GeminiRules {
    thinking: GeminiThinking::Budget { min: 512, max: 24_576, can_stop: true, by_default: false },
    ..FLASH_2_5
};

const fn gemini(
    id: &'static str,
    display: &'static str,
    rules: GeminiRules,
    prices: &'static [Price],
) -> Model {
    Model {
        id,
        served_as: id,
        made_as: id,
        display,
        rules: Rules::Gemini(rules),
        prices,
        context_tokens: 1_048_576,
        output_tokens_max: 65_536,
        word_bytes: 5,
        first_token_ms: 500,
        token_us: 6_000,
        created: 0,
        shutdown: None,
        source: SOURCE,
        as_of: "2026-11-22",
    }
}

const fn embedding(
    id: &'static str,
    display: &'static str,
    context_tokens: u64,
    prices: &'static [Price],
) -> Model {
    Model {
        rules: Rules::Embedding(EmbeddingRules { dims: 3_072, shortens: true }),
        context_tokens,
        output_tokens_max: 0,
        ..gemini(id, display, FLASH_2_5, prices)
    }
}

/// Every Gemini model of the fleet.
pub(super) const MODELS: &[Model] = &[
    Model {
        created: 1_779_148_800,
        ..gemini("gemini-3.5-flash", "Gemini 3.5 Flash", FLASH_3, GEMINI_3_5_FLASH)
    },
    Model {
        created: 1_771_459_200,
        ..gemini("gemini-3.1-pro-preview", "Gemini 3.1 Pro Preview", PRO_3, GEMINI_3_1_PRO)
    },
    Model {
        created: 1_778_112_000,
        shutdown: Some("2027-05-07"),
        ..gemini("gemini-3.1-flash-lite", "Gemini 3.1 Flash Lite", FLASH_3, GEMINI_3_1_FLASH_LITE)
    },
    Model {
        created: 1_765_929_600,
        ..gemini("gemini-3-flash-preview", "Gemini 3 Flash Preview", FLASH_3, GEMINI_3_FLASH)
    },
    Model { created: 1_750_118_400, ..gemini("gemini-2.5-pro", "Gemini 2.5 Pro", PRO_2_5, GEMINI_2_5_PRO) },
    Model {
        created: 1_750_118_400,
        ..gemini("gemini-2.5-flash", "Gemini 2.5 Flash", FLASH_2_5, GEMINI_2_5_FLASH)
    },
    Model {
        created: 1_750_118_400,
        ..gemini("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", LITE_2_5, GEMINI_2_5_FLASH_LITE)
    },
    Model {
        created: 1_795_305_600,
        ..embedding("gemini-embedding-2", "Gemini Embedding 2", 8_192, GEMINI_EMBEDDING_2)
    },
    Model {
        created: 1_747_699_200,
        shutdown: Some("2028-05-14"),
        ..embedding("gemini-embedding-001", "Gemini Embedding 001", 2_048, GEMINI_EMBEDDING_001)
    },
];

const GEMINI_3_5_FLASH: &[Price] = &[
    p(Input, "1.5"),
    p(CacheRead, "0.15"),
    p(Output, "9"),
    tier(Input, "0.75", "batch"),
    tier(CacheRead, "0.075", "batch"),
    tier(Output, "4.5", "batch"),
    tier(Input, "0.75", "flex"),
    tier(CacheRead, "0.08", "flex"),
    tier(Output, "4.5", "flex"),
    tier(Input, "2.7", "priority"),
    tier(CacheRead, "0.27", "priority"),
    tier(Output, "16.2", "priority"),
];
const GEMINI_3_1_PRO: &[Price] = &[
    p(Input, "2"),
    p(CacheRead, "0.2"),
    p(Output, "12"),
    tier(Input, "1", "batch"),
    tier(CacheRead, "0.2", "batch"),
    tier(Output, "6", "batch"),
    tier(Input, "1", "flex"),
    tier(CacheRead, "0.2", "flex"),
    tier(Output, "6", "flex"),
    tier(Input, "3.6", "priority"),
    tier(CacheRead, "0.36", "priority"),
    tier(Output, "21.6", "priority"),
    long(Input, "4", 200_000),
    long(CacheRead, "0.4", 200_000),
    long(Output, "18", 200_000),
    tier_long(Input, "2", "batch", 200_000),
    tier_long(CacheRead, "0.4", "batch", 200_000),
    tier_long(Output, "9", "batch", 200_000),
    tier_long(Input, "7.2", "priority", 200_000),
    tier_long(CacheRead, "0.72", "priority", 200_000),
    tier_long(Output, "32.4", "priority", 200_000),
];
const GEMINI_3_1_FLASH_LITE: &[Price] = &[
    p(Input, "0.25"),
    p(CacheRead, "0.025"),
    p(Output, "1.5"),
    tier(Input, "0.125", "batch"),
    tier(CacheRead, "0.0125", "batch"),
    tier(Output, "0.75", "batch"),
    tier(Input, "0.125", "flex"),
    tier(CacheRead, "0.0125", "flex"),
    tier(Output, "0.75", "flex"),
    tier(Input, "0.45", "priority"),
    tier(CacheRead, "0.045", "priority"),
    tier(Output, "2.7", "priority"),
];
const GEMINI_3_FLASH: &[Price] = &[
    p(Input, "0.5"),
    p(CacheRead, "0.05"),
    p(Output, "3"),
    tier(Input, "0.25", "batch"),
    tier(CacheRead, "0.05", "batch"),
    tier(Output, "1.5", "batch"),
    tier(Input, "0.25", "flex"),
    tier(CacheRead, "0.05", "flex"),
    tier(Output, "1.5", "flex"),
    tier(Input, "0.9", "priority"),
    tier(CacheRead, "0.09", "priority"),
    tier(Output, "5.4", "priority"),
];
const GEMINI_2_5_PRO: &[Price] = &[
    p(Input, "1.25"),
    p(CacheRead, "0.125"),
    p(Output, "10"),
    tier(Input, "0.625", "batch"),
    tier(CacheRead, "0.125", "batch"),
    tier(Output, "5", "batch"),
    tier(Input, "0.625", "flex"),
    tier(CacheRead, "0.125", "flex"),
    tier(Output, "5", "flex"),
    tier(Input, "2.25", "priority"),
    tier(CacheRead, "0.225", "priority"),
    tier(Output, "18", "priority"),
    long(Input, "2.5", 200_000),
    long(CacheRead, "0.25", 200_000),
    long(Output, "15", 200_000),
    tier_long(Input, "1.25", "batch", 200_000),
    tier_long(CacheRead, "0.25", "batch", 200_000),
    tier_long(Output, "7.5", "batch", 200_000),
    tier_long(Input, "4.5", "priority", 200_000),
    tier_long(CacheRead, "0.45", "priority", 200_000),
    tier_long(Output, "27", "priority", 200_000),
];
const GEMINI_2_5_FLASH: &[Price] = &[
    p(Input, "0.3"),
    p(CacheRead, "0.03"),
    p(Output, "2.5"),
    tier(Input, "0.15", "batch"),
    tier(CacheRead, "0.03", "batch"),
    tier(Output, "1.25", "batch"),
    tier(Input, "0.15", "flex"),
    tier(CacheRead, "0.03", "flex"),
    tier(Output, "1.25", "flex"),
    tier(Input, "0.54", "priority"),
    tier(CacheRead, "0.054", "priority"),
    tier(Output, "4.5", "priority"),
];
const GEMINI_2_5_FLASH_LITE: &[Price] = &[
    p(Input, "0.1"),
    p(CacheRead, "0.01"),
    p(Output, "0.4"),
    tier(Input, "0.05", "batch"),
    tier(CacheRead, "0.01", "batch"),
    tier(Output, "0.2", "batch"),
    tier(Input, "0.05", "flex"),
    tier(CacheRead, "0.01", "flex"),
    tier(Output, "0.2", "flex"),
    tier(Input, "0.18", "priority"),
    tier(CacheRead, "0.018", "priority"),
    tier(Output, "0.72", "priority"),
];
const GEMINI_EMBEDDING_2: &[Price] = &[p(Input, "0.2"), tier(Input, "0.1", "batch")];
const GEMINI_EMBEDDING_001: &[Price] = &[p(Input, "0.15"), tier(Input, "0.075", "batch")];
