//! OpenAI's models: what each accepts, refuses and costs.
//!
//! Prices: <https://developers.openai.com/api/docs/pricing>, as of 2026-11-22. Parameters:
//! <https://developers.openai.com/api/docs/guides/latest-model> and <https://developers.openai.com/api/docs/guides/reasoning>.
//! Shutdown dates: <https://developers.openai.com/api/docs/deprecations>. `n`: the provider takes only the default on GPT-5.5
//! and later. Tools with an explicit effort: refused in Chat Completions from GPT-5.4 on, as its error message says.

use super::{EmbeddingRules, Model, OpenAiRules, Rules};
use crate::price::Class::{CacheRead, Input, Output};
use crate::price::{Price, long, p, tier, tier_long};

const SOURCE: &str = "https://developers.openai.com/api/docs/pricing";
const TO_XHIGH: &[&str] = &["none", "low", "medium", "high", "xhigh"];
const TO_HIGH: &[&str] = &["none", "low", "medium", "high"];
const FROM_MINIMAL: &[&str] = &["minimal", "low", "medium", "high"];
const O_SERIES: &[&str] = &["low", "medium", "high"];
const PRO: &[&str] = &["medium", "high", "xhigh"];
const SAMPLED: OpenAiRules = OpenAiRules::sampled();

const fn reasoning(efforts: &'static [&'static str], default: &'static str) -> OpenAiRules {
    OpenAiRules::reasoning(efforts, default)
}

const fn chat(
    id: &'static str,
    served_as: &'static str,
    rules: OpenAiRules,
    prices: &'static [Price],
) -> Model {
    Model {
        id,
        served_as,
        made_as: id,
        display: id,
        rules: Rules::OpenAi(rules),
        prices,
        context_tokens: 1_050_000,
        output_tokens_max: 128_000,
        word_bytes: 6,
        first_token_ms: 400,
        token_us: 10_000,
        created: 0,
        shutdown: None,
        source: SOURCE,
        as_of: "2026-11-22",
    }
}

const fn embedding(
    id: &'static str,
    dims: usize,
    shortens: bool,
    created: u64,
    prices: &'static [Price],
) -> Model {
    Model {
        rules: Rules::Embedding(EmbeddingRules { dims, shortens }),
        context_tokens: 8_191,
        output_tokens_max: 0,
        created,
        ..chat(id, id, SAMPLED, prices)
    }
}

/// Every OpenAI model of the fleet.
pub(super) const MODELS: &[Model] = &[
    Model {
        context_tokens: 1_050_000,
        output_tokens_max: 128_000,
        created: 1_776_902_400,
        ..chat(
            "gpt-5.5",
            "gpt-5.5-2026-04-23",
            reasoning(TO_XHIGH, "medium").one_choice().no_tools_with_effort(),
            GPT_5_5,
        )
    },
    Model {
        context_tokens: 1_050_000,
        output_tokens_max: 128_000,
        created: 1_776_902_400,
        ..chat("gpt-5.5-pro", "gpt-5.5-pro-2026-04-23", reasoning(PRO, "high").responses_only(), GPT_5_5_PRO)
    },
    Model {
        context_tokens: 1_050_000,
        output_tokens_max: 128_000,
        created: 1_785_542_400,
        ..chat(
            "gpt-5.6-sol",
            "gpt-5.6-sol",
            reasoning(TO_XHIGH, "medium").one_choice().no_tools_with_effort(),
            GPT_5_6_SOL,
        )
    },
    Model {
        context_tokens: 1_050_000,
        output_tokens_max: 128_000,
        created: 1_785_542_400,
        ..chat(
            "gpt-5.6-terra",
            "gpt-5.6-terra",
            reasoning(TO_XHIGH, "medium").one_choice().no_tools_with_effort(),
            GPT_5_6_TERRA,
        )
    },
    Model {
        context_tokens: 1_050_000,
        output_tokens_max: 128_000,
        created: 1_785_542_400,
        ..chat(
            "gpt-5.6-luna",
            "gpt-5.6-luna",
            reasoning(TO_XHIGH, "medium").one_choice().no_tools_with_effort(),
            GPT_5_6_LUNA,
        )
    },
    Model {
        context_tokens: 1_050_000,
        output_tokens_max: 128_000,
        created: 1_772_668_800,
        ..chat("gpt-5.4", "gpt-5.4-2026-03-05", reasoning(TO_XHIGH, "none").no_tools_with_effort(), GPT_5_4)
    },
    Model {
        context_tokens: 400_000,
        output_tokens_max: 128_000,
        created: 1_773_705_600,
        ..chat(
            "gpt-5.4-mini",
            "gpt-5.4-mini-2026-03-17",
            reasoning(TO_XHIGH, "none").no_tools_with_effort(),
            GPT_5_4_MINI,
        )
    },
    Model {
        context_tokens: 400_000,
        output_tokens_max: 128_000,
        created: 1_773_705_600,
        shutdown: Some("2027-04-01"),
        ..chat(
            "gpt-5.4-nano",
            "gpt-5.4-nano-2026-03-17",
            reasoning(TO_XHIGH, "none").no_tools_with_effort(),
            GPT_5_4_NANO,
        )
    },
    Model {
        context_tokens: 400_000,
        output_tokens_max: 128_000,
        created: 1_765_411_200,
        ..chat("gpt-5.2", "gpt-5.2-2025-12-11", reasoning(TO_XHIGH, "none"), GPT_5_2)
    },
    Model {
        context_tokens: 400_000,
        output_tokens_max: 128_000,
        created: 1_762_992_000,
        shutdown: Some("2027-04-01"),
        ..chat("gpt-5.1", "gpt-5.1-2025-11-13", reasoning(TO_HIGH, "none"), GPT_5_1)
    },
    Model {
        context_tokens: 400_000,
        output_tokens_max: 128_000,
        created: 1_754_524_800,
        shutdown: Some("2026-12-11"),
        ..chat("gpt-5", "gpt-5-2025-08-07", reasoning(FROM_MINIMAL, "medium"), GPT_5)
    },
    Model {
        context_tokens: 400_000,
        output_tokens_max: 128_000,
        created: 1_754_524_800,
        shutdown: Some("2026-12-11"),
        ..chat("gpt-5-mini", "gpt-5-mini-2025-08-07", reasoning(FROM_MINIMAL, "medium"), GPT_5_MINI)
    },
    Model {
        context_tokens: 400_000,
        output_tokens_max: 128_000,
        created: 1_754_524_800,
        shutdown: Some("2026-12-11"),
        ..chat("gpt-5-nano", "gpt-5-nano-2025-08-07", reasoning(FROM_MINIMAL, "medium"), GPT_5_NANO)
    },
    Model {
        context_tokens: 200_000,
        output_tokens_max: 100_000,
        created: 1_744_761_600,
        shutdown: Some("2026-12-11"),
        ..chat("o3", "o3-2025-04-16", reasoning(O_SERIES, "medium").no_parallel_flag(), O3)
    },
    Model {
        context_tokens: 1_047_576,
        output_tokens_max: 32_768,
        created: 1_744_588_800,
        shutdown: Some("2027-01-14"),
        ..chat("gpt-4.1", "gpt-4.1-2025-04-14", SAMPLED, GPT_4_1)
    },
    Model {
        context_tokens: 1_047_576,
        output_tokens_max: 32_768,
        created: 1_744_588_800,
        shutdown: Some("2027-01-14"),
        ..chat("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", SAMPLED, GPT_4_1_MINI)
    },
    Model {
        context_tokens: 128_000,
        output_tokens_max: 16_384,
        created: 1_722_902_400,
        shutdown: Some("2027-01-14"),
        ..chat("gpt-4o", "gpt-4o-2024-08-06", SAMPLED, GPT_4O)
    },
    Model {
        context_tokens: 128_000,
        output_tokens_max: 16_384,
        created: 1_721_260_800,
        shutdown: Some("2027-01-14"),
        ..chat("gpt-4o-mini", "gpt-4o-mini-2024-07-18", SAMPLED, GPT_4O_MINI)
    },
    embedding("text-embedding-3-small", 1536, true, 1_706_140_800, TEXT_EMBEDDING_3_SMALL),
    embedding("text-embedding-3-large", 3072, true, 1_706_140_800, TEXT_EMBEDDING_3_LARGE),
    embedding("text-embedding-ada-002", 1536, false, 1_671_062_400, TEXT_EMBEDDING_ADA_002),
];

const GPT_5_5: &[Price] = &[
    p(Input, "5"),
    p(CacheRead, "0.5"),
    p(Output, "30"),
    tier(Input, "2.5", "batch"),
    tier(CacheRead, "0.25", "batch"),
    tier(Output, "15", "batch"),
    tier(Input, "2.5", "flex"),
    tier(CacheRead, "0.25", "flex"),
    tier(Output, "15", "flex"),
    tier(Input, "12.5", "priority"),
    tier(CacheRead, "1.25", "priority"),
    tier(Output, "75", "priority"),
    long(Input, "10", 272_000),
    long(CacheRead, "1", 272_000),
    long(Output, "45", 272_000),
    tier_long(Input, "5", "batch", 272_000),
    tier_long(CacheRead, "0.5", "batch", 272_000),
    tier_long(Output, "22.5", "batch", 272_000),
    tier_long(Input, "5", "flex", 272_000),
    tier_long(CacheRead, "0.5", "flex", 272_000),
    tier_long(Output, "22.5", "flex", 272_000),
];
const GPT_5_5_PRO: &[Price] = &[
    p(Input, "30"),
    p(Output, "180"),
    tier(Input, "15", "batch"),
    tier(Output, "90", "batch"),
    tier(Input, "15", "flex"),
    tier(Output, "90", "flex"),
    long(Input, "60", 272_000),
    long(Output, "270", 272_000),
    tier_long(Input, "30", "batch", 272_000),
    tier_long(Output, "135", "batch", 272_000),
];
const GPT_5_6_SOL: &[Price] = &[
    p(Input, "4"),
    p(CacheRead, "0.4"),
    p(Output, "20"),
    tier(Input, "2", "batch"),
    tier(CacheRead, "0.2", "batch"),
    tier(Output, "10", "batch"),
    tier(Input, "2", "flex"),
    tier(CacheRead, "0.2", "flex"),
    tier(Output, "10", "flex"),
    tier(Input, "8", "priority"),
    tier(CacheRead, "0.8", "priority"),
    tier(Output, "40", "priority"),
    long(Input, "8", 272_000),
    long(CacheRead, "0.8", 272_000),
    long(Output, "30", 272_000),
    tier_long(Input, "4", "batch", 272_000),
    tier_long(CacheRead, "0.4", "batch", 272_000),
    tier_long(Output, "15", "batch", 272_000),
    tier_long(Input, "4", "flex", 272_000),
    tier_long(CacheRead, "0.4", "flex", 272_000),
    tier_long(Output, "15", "flex", 272_000),
    tier_long(Input, "16", "priority", 272_000),
    tier_long(CacheRead, "1.6", "priority", 272_000),
    tier_long(Output, "60", "priority", 272_000),
];
const GPT_5_6_TERRA: &[Price] = &[
    p(Input, "2"),
    p(CacheRead, "0.2"),
    p(Output, "12"),
    tier(Input, "1", "batch"),
    tier(CacheRead, "0.1", "batch"),
    tier(Output, "6", "batch"),
    tier(Input, "1", "flex"),
    tier(CacheRead, "0.1", "flex"),
    tier(Output, "6", "flex"),
    tier(Input, "4", "priority"),
    tier(CacheRead, "0.4", "priority"),
    tier(Output, "24", "priority"),
    long(Input, "4", 272_000),
    long(CacheRead, "0.4", 272_000),
    long(Output, "18", 272_000),
    tier_long(Input, "2", "batch", 272_000),
    tier_long(CacheRead, "0.2", "batch", 272_000),
    tier_long(Output, "9", "batch", 272_000),
    tier_long(Input, "2", "flex", 272_000),
    tier_long(CacheRead, "0.2", "flex", 272_000),
    tier_long(Output, "9", "flex", 272_000),
    tier_long(Input, "8", "priority", 272_000),
    tier_long(CacheRead, "0.8", "priority", 272_000),
    tier_long(Output, "36", "priority", 272_000),
];
const GPT_5_6_LUNA: &[Price] = &[
    p(Input, "0.2"),
    p(CacheRead, "0.02"),
    p(Output, "1.2"),
    tier(Input, "0.1", "batch"),
    tier(CacheRead, "0.01", "batch"),
    tier(Output, "0.6", "batch"),
    tier(Input, "0.1", "flex"),
    tier(CacheRead, "0.01", "flex"),
    tier(Output, "0.6", "flex"),
    tier(Input, "0.4", "priority"),
    tier(CacheRead, "0.04", "priority"),
    tier(Output, "2.4", "priority"),
    long(Input, "0.4", 272_000),
    long(CacheRead, "0.04", 272_000),
    long(Output, "1.8", 272_000),
    tier_long(Input, "0.2", "batch", 272_000),
    tier_long(CacheRead, "0.02", "batch", 272_000),
    tier_long(Output, "0.9", "batch", 272_000),
    tier_long(Input, "0.2", "flex", 272_000),
    tier_long(CacheRead, "0.02", "flex", 272_000),
    tier_long(Output, "0.9", "flex", 272_000),
    tier_long(Input, "0.8", "priority", 272_000),
    tier_long(CacheRead, "0.08", "priority", 272_000),
    tier_long(Output, "3.6", "priority", 272_000),
];
const GPT_5_4: &[Price] = &[
    p(Input, "2.5"),
    p(CacheRead, "0.25"),
    p(Output, "15"),
    tier(Input, "1.25", "batch"),
    tier(CacheRead, "0.13", "batch"),
    tier(Output, "7.5", "batch"),
    tier(Input, "1.25", "flex"),
    tier(CacheRead, "0.13", "flex"),
    tier(Output, "7.5", "flex"),
    tier(Input, "5", "priority"),
    tier(CacheRead, "0.5", "priority"),
    tier(Output, "30", "priority"),
    long(Input, "5", 272_000),
    long(CacheRead, "0.5", 272_000),
    long(Output, "22.5", 272_000),
    tier_long(Input, "2.5", "batch", 272_000),
    tier_long(CacheRead, "0.25", "batch", 272_000),
    tier_long(Output, "11.25", "batch", 272_000),
    tier_long(Input, "2.5", "flex", 272_000),
    tier_long(CacheRead, "0.25", "flex", 272_000),
    tier_long(Output, "11.25", "flex", 272_000),
];
const GPT_5_4_MINI: &[Price] = &[
    p(Input, "0.75"),
    p(CacheRead, "0.075"),
    p(Output, "4.5"),
    tier(Input, "0.375", "batch"),
    tier(CacheRead, "0.0375", "batch"),
    tier(Output, "2.25", "batch"),
    tier(Input, "0.375", "flex"),
    tier(CacheRead, "0.0375", "flex"),
    tier(Output, "2.25", "flex"),
    tier(Input, "1.5", "priority"),
    tier(CacheRead, "0.15", "priority"),
    tier(Output, "9", "priority"),
];
const GPT_5_4_NANO: &[Price] = &[
    p(Input, "0.2"),
    p(CacheRead, "0.02"),
    p(Output, "1.25"),
    tier(Input, "0.1", "batch"),
    tier(CacheRead, "0.01", "batch"),
    tier(Output, "0.625", "batch"),
    tier(Input, "0.1", "flex"),
    tier(CacheRead, "0.01", "flex"),
    tier(Output, "0.625", "flex"),
];
const GPT_5_2: &[Price] = &[
    p(Input, "1.75"),
    p(CacheRead, "0.175"),
    p(Output, "14"),
    tier(Input, "0.875", "batch"),
    tier(CacheRead, "0.0875", "batch"),
    tier(Output, "7", "batch"),
    tier(Input, "0.875", "flex"),
    tier(CacheRead, "0.0875", "flex"),
    tier(Output, "7", "flex"),
    tier(Input, "3.5", "priority"),
    tier(CacheRead, "0.35", "priority"),
    tier(Output, "28", "priority"),
];
const GPT_5_1: &[Price] = &[
    p(Input, "1.25"),
    p(CacheRead, "0.125"),
    p(Output, "10"),
    tier(Input, "0.625", "batch"),
    tier(CacheRead, "0.0625", "batch"),
    tier(Output, "5", "batch"),
    tier(Input, "0.625", "flex"),
    tier(CacheRead, "0.0625", "flex"),
    tier(Output, "5", "flex"),
    tier(Input, "2.5", "priority"),
    tier(CacheRead, "0.25", "priority"),
    tier(Output, "20", "priority"),
];
const GPT_5: &[Price] = &[
    p(Input, "1.25"),
    p(CacheRead, "0.125"),
    p(Output, "10"),
    tier(Input, "0.625", "batch"),
    tier(CacheRead, "0.0625", "batch"),
    tier(Output, "5", "batch"),
    tier(Input, "0.625", "flex"),
    tier(CacheRead, "0.0625", "flex"),
    tier(Output, "5", "flex"),
    tier(Input, "2.5", "priority"),
    tier(CacheRead, "0.25", "priority"),
    tier(Output, "20", "priority"),
];
const GPT_5_MINI: &[Price] = &[
    p(Input, "0.25"),
    p(CacheRead, "0.025"),
    p(Output, "2"),
    tier(Input, "0.125", "batch"),
    tier(CacheRead, "0.0125", "batch"),
    tier(Output, "1", "batch"),
    tier(Input, "0.125", "flex"),
    tier(CacheRead, "0.0125", "flex"),
    tier(Output, "1", "flex"),
    tier(Input, "0.45", "priority"),
    tier(CacheRead, "0.045", "priority"),
    tier(Output, "3.6", "priority"),
];
const GPT_5_NANO: &[Price] = &[
    p(Input, "0.05"),
    p(CacheRead, "0.005"),
    p(Output, "0.4"),
    tier(Input, "0.025", "batch"),
    tier(CacheRead, "0.0025", "batch"),
    tier(Output, "0.2", "batch"),
    tier(Input, "0.025", "flex"),
    tier(CacheRead, "0.0025", "flex"),
    tier(Output, "0.2", "flex"),
];
const O3: &[Price] = &[
    p(Input, "2"),
    p(CacheRead, "0.5"),
    p(Output, "8"),
    tier(Input, "1", "batch"),
    tier(Output, "4", "batch"),
    tier(Input, "1", "flex"),
    tier(CacheRead, "0.25", "flex"),
    tier(Output, "4", "flex"),
    tier(Input, "3.5", "priority"),
    tier(CacheRead, "0.875", "priority"),
    tier(Output, "14", "priority"),
];
const GPT_4_1: &[Price] = &[
    p(Input, "2"),
    p(CacheRead, "0.5"),
    p(Output, "8"),
    tier(Input, "1", "batch"),
    tier(Output, "4", "batch"),
    tier(Input, "3.5", "priority"),
    tier(CacheRead, "0.875", "priority"),
    tier(Output, "14", "priority"),
];
const GPT_4_1_MINI: &[Price] = &[
    p(Input, "0.4"),
    p(CacheRead, "0.1"),
    p(Output, "1.6"),
    tier(Input, "0.2", "batch"),
    tier(Output, "0.8", "batch"),
    tier(Input, "0.7", "priority"),
    tier(CacheRead, "0.175", "priority"),
    tier(Output, "2.8", "priority"),
];
const GPT_4O: &[Price] = &[
    p(Input, "2.5"),
    p(CacheRead, "1.25"),
    p(Output, "10"),
    tier(Input, "1.25", "batch"),
    tier(Output, "5", "batch"),
    tier(Input, "4.25", "priority"),
    tier(CacheRead, "2.125", "priority"),
    tier(Output, "17", "priority"),
];
const GPT_4O_MINI: &[Price] = &[
    p(Input, "0.15"),
    p(CacheRead, "0.075"),
    p(Output, "0.6"),
    tier(Input, "0.075", "batch"),
    tier(Output, "0.3", "batch"),
    tier(Input, "0.25", "priority"),
    tier(CacheRead, "0.125", "priority"),
    tier(Output, "1", "priority"),
];
const TEXT_EMBEDDING_3_SMALL: &[Price] = &[p(Input, "0.02"), tier(Input, "0.01", "batch")];
const TEXT_EMBEDDING_3_LARGE: &[Price] = &[p(Input, "0.13"), tier(Input, "0.065", "batch")];
const TEXT_EMBEDDING_ADA_002: &[Price] = &[p(Input, "0.1")];
