//! What a model accepts, as far as its name tells. The catalogue overrides what it knows better.
//!
//! Facts, looked up 2026-11-22:
//! thinking styles, effort and sampling of Claude models:
//! <https://platform.claude.com/docs/en/about-claude/models/migration-guide>,
//! <https://platform.claude.com/docs/en/build-with-claude/effort>,
//! <https://vercel.com/docs/ai-gateway/models-and-providers/reasoning/anthropic>;
//! reasoning effort, `max_completion_tokens`, `stop` and cache breakpoints of OpenAI models:
//! <https://github.com/openai/openai-openapi> at f85dbe2;
//! thinking levels and budgets of Gemini models: <https://ai.google.dev/gemini-api/docs/thinking> (read 2026-11-23).

use pilothouse_core::conversation::{Effort, LimitMember};
use pilothouse_core::dialect::Dialect;

/// How a model's thinking is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThinkingStyle {
    /// It cannot think, or not on request.
    None,
    /// By a number of tokens (Claude 3.7 to 4.5, and other models behind Anthropic's format).
    Budget,
    /// By a number of tokens or adaptively (Claude 4.6).
    Either,
    /// Adaptively only (Claude from 4.7).
    Adaptive,
}

/// What a model accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// How thinking is asked for (Anthropic, Gemini 2.5).
    pub thinking: ThinkingStyle,
    /// The efforts that it accepts, least first; empty when it takes none.
    pub efforts: &'static [Effort],
    /// Whether an effort may be asked for beside tools (not with GPT-5.4 and later in chat completions:
    /// "Function tools with reasoning_effort are not supported … Please use /v1/responses instead").
    pub effort_with_tools: bool,
    /// Whether `temperature`, `top_p` and `top_k` may be set.
    pub sampling: bool,
    /// Whether it continues an assistant message at the end (a prefill).
    pub prefill: bool,
    /// Whether system messages may stand in the middle (Anthropic; OpenAI's always may).
    pub system_anywhere: bool,
    /// Whether it takes a JSON schema for its answer.
    pub json_schema: bool,
    /// The member that carries the output limit (OpenAI).
    pub limit_member: LimitMember,
    /// Whether it knows the `developer` role (OpenAI).
    pub developer_role: bool,
    /// Whether it takes stop sequences.
    pub stop: bool,
    /// Whether it takes prompt-cache markers on parts (OpenAI from GPT-5.6).
    pub cache_marks: bool,
    /// Whether it holds message threads (Anthropic's own service).
    pub threads: bool,
    /// The member in which it takes its own reasoning back (OpenAI-compatible servers).
    pub reasoning_member: Option<&'static str>,
}

const LOW_AND_HIGH: &[Effort] = &[Effort::Low, Effort::High];
const LOW_TO_HIGH: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High];
const LOW_TO_HIGH_AND_MAX: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High, Effort::Max];
const LOW_TO_MAX: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh, Effort::Max];
const MINIMAL_TO_HIGH: &[Effort] = &[Effort::Minimal, Effort::Low, Effort::Medium, Effort::High];
const NONE_TO_HIGH: &[Effort] = &[Effort::None, Effort::Low, Effort::Medium, Effort::High];
const NONE_TO_XHIGH: &[Effort] = &[Effort::None, Effort::Low, Effort::Medium, Effort::High, Effort::Xhigh];

impl Quirks {
    /// What a name tells. A model of an unknown name is taken for an undemanding one.
    #[must_use]
    pub fn of(dialect: Dialect, model: &str) -> Self {
        match dialect {
            Dialect::AnthropicMessages => Self::of_anthropic(model),
            Dialect::GeminiGenerate => Self::of_gemini(model),
            Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => Self::of_openai(model),
            Dialect::BedrockConverse => Self::of_bedrock(model),
            // This dialect has no stop sequences at all.
            Dialect::OpenaiResponses => {
                Self { effort_with_tools: true, stop: false, ..Self::of_openai(model) }
            }
        }
    }

    const fn plain() -> Self {
        Self {
            thinking: ThinkingStyle::None,
            efforts: &[],
            effort_with_tools: true,
            sampling: true,
            prefill: false,
            system_anywhere: false,
            json_schema: true,
            limit_member: LimitMember::MaxTokens,
            developer_role: false,
            stop: true,
            cache_marks: false,
            threads: false,
            reasoning_member: None,
        }
    }

    fn of_anthropic(model: &str) -> Self {
        let Some(version) = claude_version(model) else {
            return Self {
                thinking: ThinkingStyle::Budget,
                prefill: true,
                json_schema: false,
                ..Self::plain()
            };
        };
        let opus = model.contains("opus");
        let thinking = match version {
            old if old < (3, 7) => ThinkingStyle::None,
            old if old < (4, 6) => ThinkingStyle::Budget,
            (4, 6) => ThinkingStyle::Either,
            _ => ThinkingStyle::Adaptive,
        };
        let efforts = match version {
            (4, 5) if opus => LOW_TO_HIGH,
            old if old < (4, 6) => &[],
            (4, 6) => LOW_TO_HIGH_AND_MAX,
            _ => LOW_TO_MAX,
        };
        Self {
            thinking,
            efforts,
            sampling: version < (4, 7),
            prefill: version < (4, 6),
            system_anywhere: version >= (5, 0),
            // Other platforms spell the name with a prefix, and hold no threads.
            threads: model.starts_with("claude"),
            // Structured outputs came with Sonnet 4.5 and Opus 4.1.
            json_schema: version >= (4, 5) || (opus && version == (4, 1)),
            ..Self::plain()
        }
    }

    fn of_gemini(model: &str) -> Self {
        let Some(version) = gemini_version(model) else { return Self::plain() };
        let efforts = match version {
            old if old < (3, 0) => &[],
            (3, 0) if model.contains("pro") => LOW_AND_HIGH,
            _ if model.contains("pro") => LOW_TO_HIGH,
            _ => MINIMAL_TO_HIGH,
        };
        let thinking = if version == (2, 5) { ThinkingStyle::Budget } else { ThinkingStyle::None };
        Self { thinking, efforts, prefill: true, ..Self::plain() }
    }

    /// Bedrock serves many families; only Claude's name tells much. Efforts and schemas of the others:
    /// <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>,
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>.
    fn of_bedrock(model: &str) -> Self {
        if model.contains("claude") {
            return Self { threads: false, ..Self::of_anthropic(model) };
        }
        let named = |names: &[&str]| names.iter().any(|name| model.contains(name));
        let efforts = if named(&["gpt-oss", "nova-2"]) { LOW_TO_HIGH } else { &[] };
        let json_schema = !named(&["amazon.", "meta.", "cohere.", "ai21.", "writer."]);
        Self { efforts, json_schema, cache_marks: named(&["nova"]), ..Self::plain() }
    }

    fn of_openai(model: &str) -> Self {
        let name = last_name(model);
        let gpt = name.strip_prefix("gpt-").map(leading_version);
        let o_series = name.len() > 1 && name.starts_with('o') && name.as_bytes()[1].is_ascii_digit();
        let chat = name.contains("-chat");
        let reasoning = o_series || (gpt.is_some_and(|version| version >= (5, 0)) && !chat);
        if !reasoning {
            let known = gpt.is_some_and(|version| version >= (3, 5));
            return Self { developer_role: known, ..Self::plain() };
        }
        let version = gpt.unwrap_or_default();
        let efforts = match version {
            (0, 0) => LOW_TO_HIGH,
            (5, 0) => MINIMAL_TO_HIGH,
            (5, 1) => NONE_TO_HIGH,
            (5, _) => NONE_TO_XHIGH,
            _ => LOW_TO_MAX,
        };
        Self {
            efforts,
            effort_with_tools: version < (5, 4),
            sampling: false,
            limit_member: LimitMember::MaxCompletionTokens,
            developer_role: true,
            stop: false,
            cache_marks: version >= (5, 6),
            ..Self::plain()
        }
    }

    /// The accepted effort that is nearest to the one asked for: the same, else the next lower, else the lowest.
    #[must_use]
    pub fn nearest_effort(&self, asked: Effort) -> Option<Effort> {
        self.efforts.iter().rev().find(|effort| **effort <= asked).or_else(|| self.efforts.first()).copied()
    }
}

/// The family whose signatures a model of that name accepts; empty when the name does not tell.
/// Claude's signatures are good on every platform that serves Claude.
#[must_use]
pub fn family_of(model: &str) -> &'static str {
    const FAMILIES: [(&str, &str); 9] = [
        ("claude", "anthropic"),
        ("gpt", "openai"),
        ("deepseek", "deepseek"),
        ("glm", "zai"),
        ("qwen", "alibaba"),
        ("kimi", "moonshot"),
        ("minimax", "minimax"),
        ("gemini", "google"),
        ("grok", "xai"),
    ];
    let lower = model.to_ascii_lowercase();
    FAMILIES.iter().find(|(part, _)| lower.contains(part)).map_or("", |(_, family)| family)
}

/// The version of a Claude model, from names such as `claude-opus-4-7`, `claude-3-7-sonnet-20250219`,
/// `anthropic.claude-sonnet-4-5-20250929-v1:0` or `anthropic/claude-opus-4.6`.
fn claude_version(model: &str) -> Option<(u32, u32)> {
    let lower = model.to_ascii_lowercase();
    let name = &lower[lower.find("claude")? + "claude".len()..];
    let mut numbers = name
        .split(['-', '.', '@', ':', '/', '_'])
        .map(str::parse::<u32>)
        .skip_while(Result::is_err)
        .map_while(Result::ok)
        // Dates are not versions.
        .filter(|number| *number < 1000);
    // A name without a number (`claude-mythos-preview`) is a new one.
    let major = numbers.next().unwrap_or(5);
    Some((major, numbers.next().unwrap_or(0)))
}

/// The version of a Gemini model, from names such as `gemini-2.5-flash-lite`, `models/gemini-3-pro-preview` or
/// `google/gemini-3.1-pro`. `None` for other models.
pub(crate) fn gemini_version(model: &str) -> Option<(u32, u32)> {
    let lower = model.to_ascii_lowercase();
    let name = lower.split_once("gemini-")?.1;
    let version = name.split('-').find(|piece| piece.starts_with(|letter: char| letter.is_ascii_digit()));
    // A name without a version (`gemini-flash-latest`) is the newest there is, or a later one.
    Some(version.map_or((3, 5), leading_version))
}

/// The part of a name behind the last slash: aggregators write `openai/gpt-5.5`.
fn last_name(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}

/// The version at the start of a text such as `5.4-mini` or `4o`.
fn leading_version(text: &str) -> (u32, u32) {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit());
    let major = numbers.next().and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let minor = if text[text.len().min(digits_of(major))..].starts_with('.') {
        numbers.next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    } else {
        0
    };
    (major, minor)
}

fn digits_of(number: u32) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claude_versions_are_read_from_every_spelling() {
        for (name, version) in [
            ("claude-opus-4-7", (4, 7)),
            ("claude-3-7-sonnet-20250219", (3, 7)),
            ("anthropic.claude-sonnet-4-5-20250929-v1:0", (4, 5)),
            ("anthropic/claude-opus-4.6", (4, 6)),
            ("claude-opus-4-20250514", (4, 0)),
            ("claude-sonnet-4@20250514", (4, 0)),
            ("claude-opus-5", (5, 0)),
            ("claude-mythos-preview", (5, 0)),
        ] {
            assert_eq!(claude_version(name), Some(version), "{name}");
        }
        assert_eq!(claude_version("glm-5.1"), None);
    }

    #[test]
    fn openai_generations_differ_in_what_they_accept() {
        let of = |model| Quirks::of(Dialect::OpenaiChat, model);
        assert!(of("gpt-4o-mini").sampling && of("gpt-4o-mini").efforts.is_empty());
        assert_eq!(of("gpt-5").efforts, MINIMAL_TO_HIGH);
        assert_eq!(of("openai/gpt-5.5").efforts, NONE_TO_XHIGH);
        assert_eq!(of("gpt-5.5").limit_member, LimitMember::MaxCompletionTokens);
        assert!(!of("o3").stop && of("llama-3.3-70b").stop);
        assert!(of("gpt-5.6").cache_marks && !of("gpt-5.5").cache_marks);
        assert!(of("gpt-5-chat-latest").sampling);
        assert!(of("olmo-2").sampling);
    }

    #[test]
    fn gemini_generations_think_by_budget_or_by_level() {
        let of = |model| Quirks::of(Dialect::GeminiGenerate, model);
        assert_eq!(of("gemini-2.5-flash").thinking, ThinkingStyle::Budget);
        assert_eq!(of("models/gemini-3-pro-preview").efforts, LOW_AND_HIGH);
        assert_eq!(of("gemini-3.1-pro-preview").efforts, LOW_TO_HIGH);
        assert_eq!(of("gemini-flash-latest").efforts, MINIMAL_TO_HIGH);
        assert!(of("gemini-2.0-flash").efforts.is_empty() && of("gemma-4-31b-it").efforts.is_empty());
        assert_eq!(gemini_version("gemini-2.5-flash-preview-09-2025"), Some((2, 5)));
    }

    #[test]
    fn an_effort_that_is_not_accepted_becomes_the_next_lower_one() {
        let quirks = Quirks::of(Dialect::AnthropicMessages, "claude-sonnet-4-6");
        assert_eq!(quirks.nearest_effort(Effort::Xhigh), Some(Effort::High));
        assert_eq!(quirks.nearest_effort(Effort::Minimal), Some(Effort::Low));
        assert_eq!(Quirks::plain().nearest_effort(Effort::High), None);
    }

    #[test]
    fn odd_names_never_panic() {
        for name in [
            "",
            "gpt-",
            "gpt-5",
            "gpt-5.",
            "o",
            "claude",
            "claude-",
            "gpt-99999999999",
            "ö",
            "o1ö",
            "gemini-",
        ] {
            for dialect in Dialect::ALL {
                let _ = Quirks::of(dialect, name);
            }
        }
    }
}
