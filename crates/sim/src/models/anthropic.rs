//! Anthropic's models: what each accepts, refuses and costs.
//!
//! Prices: <https://platform.claude.com/docs/en/about-claude/pricing>, as of 2026-11-22. Thinking kinds, sampling parameters
//! and prefill: <https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6>,
//! <https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking> and the migration guide. Smallest cacheable
//! prompts: <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>.

use super::{AnthropicRules, Model, Rules, Sampling, ThinkingKind};
use crate::price::Class::{CacheRead, CacheWrite1h, CacheWrite5m, Input, Output};
use crate::price::{Price, p, tier};

const SOURCE: &str = "https://platform.claude.com/docs/en/about-claude/pricing";

/// Claude 4.5: thinking by budget only, prefill allowed, one of temperature and top_p.
const BUDGET: AnthropicRules = AnthropicRules {
    thinking: ThinkingKind::Budget,
    sampling: Sampling::One,
    prefill: true,
    mid_system: false,
    thinks_by_default: false,
    forced_tools: true,
    cache_tokens_min: 1024,
};
/// Claude 4.6: adaptive thinking or a budget; no prefill.
const EITHER: AnthropicRules = AnthropicRules { thinking: ThinkingKind::Either, prefill: false, ..BUDGET };
/// Opus 4.7 and later: adaptive thinking only, no sampling parameters, no prefill.
const ADAPTIVE: AnthropicRules =
    AnthropicRules { thinking: ThinkingKind::Adaptive, sampling: Sampling::None, prefill: false, ..BUDGET };
/// The 5.5 generation: thinking is always on, and a tool cannot be forced.
const ALWAYS: AnthropicRules = AnthropicRules {
    thinking: ThinkingKind::Always,
    forced_tools: false,
    mid_system: true,
    thinks_by_default: true,
    ..ADAPTIVE
};

const fn claude(
    id: &'static str,
    served_as: &'static str,
    display: &'static str,
    rules: AnthropicRules,
    prices: &'static [Price],
) -> Model {
    Model {
        id,
        served_as,
        made_as: id,
        display,
        rules: Rules::Anthropic(rules),
        prices,
        context_tokens: 1_000_000,
        output_tokens_max: 128_000,
        word_bytes: 5,
        first_token_ms: 600,
        token_us: 14_000,
        created: 0,
        shutdown: None,
        source: SOURCE,
        as_of: "2026-11-22",
    }
}

/// Every Anthropic model of the fleet.
pub(super) const MODELS: &[Model] = &[
    Model {
        context_tokens: 1_000_000,
        output_tokens_max: 128_000,
        created: 1_790_035_200,
        word_bytes: 4,
        ..claude(
            "claude-opus-5-5",
            "claude-opus-5-5",
            "Claude Opus 5.5",
            ALWAYS.caching_from(512),
            CLAUDE_OPUS_5_5,
        )
    },
    Model {
        context_tokens: 1_000_000,
        output_tokens_max: 128_000,
        created: 1_790_035_200,
        word_bytes: 4,
        ..claude(
            "claude-sonnet-5-5",
            "claude-sonnet-5-5",
            "Claude Sonnet 5.5",
            ALWAYS.caching_from(512),
            CLAUDE_SONNET_5_5,
        )
    },
    Model {
        context_tokens: 1_000_000,
        output_tokens_max: 128_000,
        created: 1_784_851_200,
        word_bytes: 4,
        ..claude(
            "claude-opus-5",
            "claude-opus-5",
            "Claude Opus 5",
            ADAPTIVE.with_mid_system().thinking_by_default().caching_from(512),
            CLAUDE_OPUS_5,
        )
    },
    Model {
        context_tokens: 1_000_000,
        output_tokens_max: 128_000,
        created: 1_782_777_600,
        word_bytes: 4,
        ..claude(
            "claude-sonnet-5",
            "claude-sonnet-5",
            "Claude Sonnet 5",
            ADAPTIVE.with_mid_system().caching_from(1024),
            CLAUDE_SONNET_5,
        )
    },
    Model {
        context_tokens: 1_000_000,
        output_tokens_max: 128_000,
        created: 1_779_926_400,
        word_bytes: 4,
        ..claude(
            "claude-opus-4-8",
            "claude-opus-4-8",
            "Claude Opus 4.8",
            ADAPTIVE.caching_from(1024),
            CLAUDE_OPUS_4_8,
        )
    },
    Model {
        context_tokens: 1_000_000,
        output_tokens_max: 128_000,
        created: 1_776_297_600,
        word_bytes: 4,
        ..claude(
            "claude-opus-4-7",
            "claude-opus-4-7",
            "Claude Opus 4.7",
            ADAPTIVE.caching_from(2048),
            CLAUDE_OPUS_4_7,
        )
    },
    Model {
        context_tokens: 1_000_000,
        output_tokens_max: 128_000,
        created: 1_770_249_600,
        ..claude(
            "claude-opus-4-6",
            "claude-opus-4-6",
            "Claude Opus 4.6",
            EITHER.caching_from(4096),
            CLAUDE_OPUS_4_6,
        )
    },
    Model {
        context_tokens: 1_000_000,
        output_tokens_max: 128_000,
        created: 1_771_286_400,
        ..claude(
            "claude-sonnet-4-6",
            "claude-sonnet-4-6",
            "Claude Sonnet 4.6",
            EITHER.caching_from(1024),
            CLAUDE_SONNET_4_6,
        )
    },
    Model {
        context_tokens: 200_000,
        output_tokens_max: 64_000,
        created: 1_761_955_200,
        ..claude(
            "claude-opus-4-5",
            "claude-opus-4-5-20251101",
            "Claude Opus 4.5",
            BUDGET.caching_from(4096),
            CLAUDE_OPUS_4_5,
        )
    },
    Model {
        context_tokens: 200_000,
        output_tokens_max: 64_000,
        created: 1_759_104_000,
        shutdown: Some("2026-11-30"),
        ..claude(
            "claude-sonnet-4-5",
            "claude-sonnet-4-5-20250929",
            "Claude Sonnet 4.5",
            BUDGET.caching_from(1024),
            CLAUDE_SONNET_4_5,
        )
    },
    Model {
        context_tokens: 200_000,
        output_tokens_max: 64_000,
        created: 1_759_276_800,
        ..claude(
            "claude-haiku-4-5",
            "claude-haiku-4-5-20251001",
            "Claude Haiku 4.5",
            BUDGET.caching_from(4096),
            CLAUDE_HAIKU_4_5,
        )
    },
];

const CLAUDE_OPUS_5_5: &[Price] = &[
    p(Input, "4"),
    p(CacheRead, "0.2"),
    p(CacheWrite5m, "5"),
    p(CacheWrite1h, "8"),
    p(Output, "20"),
    tier(Input, "2", "batch"),
    tier(CacheRead, "0.1", "batch"),
    tier(CacheWrite5m, "2.5", "batch"),
    tier(Output, "10", "batch"),
    tier(CacheWrite1h, "4", "batch"),
];
const CLAUDE_SONNET_5_5: &[Price] = &[
    p(Input, "2"),
    p(CacheRead, "0.1"),
    p(CacheWrite5m, "2.5"),
    p(CacheWrite1h, "4"),
    p(Output, "10"),
    tier(Input, "1", "batch"),
    tier(CacheRead, "0.05", "batch"),
    tier(CacheWrite5m, "1.25", "batch"),
    tier(Output, "5", "batch"),
    tier(CacheWrite1h, "2", "batch"),
];
const CLAUDE_OPUS_5: &[Price] = &[
    p(Input, "5"),
    p(CacheRead, "0.5"),
    p(CacheWrite5m, "6.25"),
    p(CacheWrite1h, "10"),
    p(Output, "25"),
    tier(Input, "2.5", "batch"),
    tier(CacheRead, "0.25", "batch"),
    tier(CacheWrite5m, "3.125", "batch"),
    tier(Output, "12.5", "batch"),
    tier(CacheWrite1h, "5", "batch"),
];
const CLAUDE_SONNET_5: &[Price] = &[
    p(Input, "2"),
    p(CacheRead, "0.2"),
    p(CacheWrite5m, "2.5"),
    p(CacheWrite1h, "4"),
    p(Output, "10"),
    tier(Input, "1", "batch"),
    tier(CacheRead, "0.1", "batch"),
    tier(CacheWrite5m, "1.25", "batch"),
    tier(Output, "5", "batch"),
    tier(CacheWrite1h, "2", "batch"),
];
const CLAUDE_OPUS_4_8: &[Price] = &[
    p(Input, "5"),
    p(CacheRead, "0.5"),
    p(CacheWrite5m, "6.25"),
    p(CacheWrite1h, "10"),
    p(Output, "25"),
    tier(Input, "2.5", "batch"),
    tier(CacheRead, "0.25", "batch"),
    tier(CacheWrite5m, "3.125", "batch"),
    tier(Output, "12.5", "batch"),
    tier(CacheWrite1h, "5", "batch"),
];
const CLAUDE_OPUS_4_7: &[Price] = &[
    p(Input, "5"),
    p(CacheRead, "0.5"),
    p(CacheWrite5m, "6.25"),
    p(CacheWrite1h, "10"),
    p(Output, "25"),
    tier(Input, "2.5", "batch"),
    tier(CacheRead, "0.25", "batch"),
    tier(CacheWrite5m, "3.125", "batch"),
    tier(Output, "12.5", "batch"),
    tier(CacheWrite1h, "5", "batch"),
];
const CLAUDE_OPUS_4_6: &[Price] = &[
    p(Input, "5"),
    p(CacheRead, "0.5"),
    p(CacheWrite5m, "6.25"),
    p(CacheWrite1h, "10"),
    p(Output, "25"),
    tier(Input, "2.5", "batch"),
    tier(CacheRead, "0.25", "batch"),
    tier(CacheWrite5m, "3.125", "batch"),
    tier(Output, "12.5", "batch"),
    tier(CacheWrite1h, "5", "batch"),
];
const CLAUDE_SONNET_4_6: &[Price] = &[
    p(Input, "3"),
    p(CacheRead, "0.3"),
    p(CacheWrite5m, "3.75"),
    p(CacheWrite1h, "6"),
    p(Output, "15"),
    tier(Input, "1.5", "batch"),
    tier(CacheRead, "0.15", "batch"),
    tier(CacheWrite5m, "1.875", "batch"),
    tier(Output, "7.5", "batch"),
    tier(CacheWrite1h, "3", "batch"),
];
const CLAUDE_OPUS_4_5: &[Price] = &[
    p(Input, "5"),
    p(CacheRead, "0.5"),
    p(CacheWrite5m, "6.25"),
    p(CacheWrite1h, "10"),
    p(Output, "25"),
    tier(Input, "2.5", "batch"),
    tier(CacheRead, "0.25", "batch"),
    tier(CacheWrite5m, "3.125", "batch"),
    tier(Output, "12.5", "batch"),
    tier(CacheWrite1h, "5", "batch"),
];
const CLAUDE_SONNET_4_5: &[Price] = &[
    p(Input, "3"),
    p(CacheRead, "0.3"),
    p(CacheWrite5m, "3.75"),
    p(CacheWrite1h, "6"),
    p(Output, "15"),
    tier(Input, "1.5", "batch"),
    tier(CacheRead, "0.15", "batch"),
    tier(CacheWrite5m, "1.875", "batch"),
    tier(Output, "7.5", "batch"),
    tier(CacheWrite1h, "3", "batch"),
];
const CLAUDE_HAIKU_4_5: &[Price] = &[
    p(Input, "1"),
    p(CacheRead, "0.1"),
    p(CacheWrite5m, "1.25"),
    p(CacheWrite1h, "2"),
    p(Output, "5"),
    tier(Input, "0.5", "batch"),
    tier(CacheRead, "0.05", "batch"),
    tier(CacheWrite5m, "0.625", "batch"),
    tier(Output, "2.5", "batch"),
    tier(CacheWrite1h, "1", "batch"),
];
