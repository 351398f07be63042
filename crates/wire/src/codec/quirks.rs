//! What a model accepts, for encoders that must choose before they write. Every fact comes from the catalogue's
//! compatibility rules (`catalog/data/rules.toml`, with evidence), which are asked again of what was written.

use pilothouse_catalog::ModelName;
use pilothouse_catalog::compat::{About, Action, Class, Compat, Rule};
use pilothouse_core::conversation::{Effort, LimitMember};
use pilothouse_core::dialect::Dialect;
use smallvec::SmallVec;

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
    pub efforts: Efforts,
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

impl Default for Quirks {
    fn default() -> Self {
        Self::plain()
    }
}

/// Efforts, least first.
pub type Efforts = SmallVec<[Effort; 7]>;

impl Quirks {
    /// What a name tells, by the catalogue's rules. A model of an unknown name is taken for an undemanding one.
    #[must_use]
    pub fn of(dialect: Dialect, model: &str) -> Self {
        let about = About { model, ..About::default() };
        Self::by(&Compat::of(&about, rules_of(dialect)), dialect, model)
    }

    /// What the rules of a target tell, in the dialect of [`rules_of`].
    #[must_use]
    pub fn by(rules: &Compat, dialect: Dialect, model: &str) -> Self {
        let name = ModelName::of(model);
        match dialect {
            Dialect::AnthropicMessages => Self::of_anthropic(rules, &name, model),
            Dialect::GeminiGenerate => Self::of_gemini(rules, &name),
            Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => {
                Self::of_openai(rules, &name, "reasoning_effort")
            }
            Dialect::BedrockConverse => Self::of_bedrock(rules, &name, model),
            // This dialect has no stop sequences at all.
            Dialect::OpenaiResponses => {
                Self { stop: false, ..Self::of_openai(rules, &name, "reasoning.effort") }
            }
        }
    }

    fn plain() -> Self {
        Self {
            thinking: ThinkingStyle::None,
            efforts: Efforts::new(),
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

    fn of_anthropic(rules: &Compat, name: &ModelName, model: &str) -> Self {
        if name.family != "claude" {
            return Self {
                thinking: ThinkingStyle::Budget,
                prefill: true,
                json_schema: false,
                ..Self::plain()
            };
        }
        let has = |id: &str| rules.rule(id).is_some();
        let thinking = if has("claude-no-thinking") {
            ThinkingStyle::None
        } else if has("claude-adaptive-thinking") {
            ThinkingStyle::Adaptive
        } else if has("claude-budget-thinking") {
            ThinkingStyle::Budget
        } else {
            ThinkingStyle::Either
        };
        Self {
            thinking,
            efforts: words(rules, "output_config.effort"),
            sampling: !drops(rules, "temperature"),
            prefill: !has("claude-prefill"),
            system_anywhere: !has("claude-system-within"),
            // Other platforms spell the name with a prefix, and hold no threads.
            threads: model.starts_with("claude"),
            json_schema: !has("claude-no-schema"),
            ..Self::plain()
        }
    }

    fn of_gemini(rules: &Compat, name: &ModelName) -> Self {
        if name.family != "gemini" {
            return Self::plain();
        }
        let thinking = match rules.rule("gemini-level-to-budget") {
            Some(_) => ThinkingStyle::Budget,
            None => ThinkingStyle::None,
        };
        let efforts = words(rules, "generationConfig.thinkingConfig.thinkingLevel");
        Self { thinking, efforts, prefill: true, ..Self::plain() }
    }

    /// Bedrock serves many families; only Claude's name tells much. Efforts and schemas of the others:
    /// <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>,
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>.
    fn of_bedrock(rules: &Compat, name: &ModelName, model: &str) -> Self {
        if name.family == "claude" {
            return Self { threads: false, ..Self::of_anthropic(rules, name, model) };
        }
        let named = |names: &[&str]| names.iter().any(|name| model.contains(name));
        let efforts: &[Effort] = match named(&["gpt-oss", "nova-2"]) {
            true => &[Effort::Low, Effort::Medium, Effort::High],
            false => &[],
        };
        let json_schema = !named(&["amazon.", "meta.", "cohere.", "ai21.", "writer."]);
        Self {
            efforts: Efforts::from_slice(efforts),
            json_schema,
            cache_marks: named(&["nova"]),
            ..Self::plain()
        }
    }

    fn of_openai(rules: &Compat, name: &ModelName, effort: &str) -> Self {
        let is_gpt = name.family == "gpt";
        let reasons = name.family == "o" || is_gpt && name.version >= (5, 0) && !name.has("chat");
        if !reasons {
            return Self { developer_role: is_gpt && name.version >= (3, 5), ..Self::plain() };
        }
        Self {
            efforts: words(rules, effort),
            effort_with_tools: rules.rule("openai-effort-with-tools").is_none(),
            sampling: !drops(rules, "temperature"),
            limit_member: LimitMember::MaxCompletionTokens,
            developer_role: true,
            stop: false,
            cache_marks: is_gpt && name.version >= (5, 6),
            ..Self::plain()
        }
    }

    /// The same target, as if it accepted what was asked: what an encoder writes for it shows which rules a request
    /// is about.
    #[must_use]
    pub fn permissive(&self) -> Self {
        Self {
            efforts: if self.efforts.is_empty() { Efforts::new() } else { Effort::ALL.into_iter().collect() },
            effort_with_tools: true,
            sampling: true,
            prefill: true,
            stop: true,
            ..self.clone()
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

/// The dialect whose rules tell what a target of `dialect` accepts.
#[must_use]
pub const fn rules_of(dialect: Dialect) -> Dialect {
    match dialect {
        Dialect::OpenaiEmbeddings => Dialect::OpenaiChat,
        // Only of Claude much is known there, and it is the same Claude.
        Dialect::BedrockConverse => Dialect::AnthropicMessages,
        other => other,
    }
}

/// The words that the rules leave of a member, as efforts.
fn words(rules: &Compat, member: &str) -> Efforts {
    let about = |rule: &&&Rule| rule.on.iter().any(|path| path.as_str() == member);
    let mut found: Efforts = rules
        .rules()
        .iter()
        .filter(about)
        .filter_map(|rule| if let Action::Nearest(words) = &rule.action { Some(words) } else { None })
        .flatten()
        .filter_map(|word| Effort::parse(&word.to_ascii_lowercase()))
        .collect();
    found.sort_unstable();
    found
}

/// Whether a member always goes, whatever else the request says but for an effort of none.
fn drops(rules: &Compat, member: &str) -> bool {
    let is_sampling = |rule: &&&Rule| {
        let by_thinking = rule.when.iter().any(|when| when.member.as_str() == "thinking.type");
        rule.action == Action::Drop && rule.class == Class::Refused && !by_thinking
    };
    rules.rules().iter().filter(is_sampling).any(|rule| rule.on.iter().any(|path| path.as_str() == member))
}

/// The version of a Gemini model, from names such as `gemini-2.5-flash-lite`, `models/gemini-3-pro-preview` or
/// `google/gemini-3.1-pro`. `None` for other models.
pub(crate) fn gemini_version(model: &str) -> Option<(u32, u32)> {
    let name = ModelName::of(model);
    (name.family == "gemini").then_some(name.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openai_generations_differ_in_what_they_accept() {
        let of = |model| Quirks::of(Dialect::OpenaiChat, model);
        assert!(of("gpt-4o-mini").sampling && of("gpt-4o-mini").efforts.is_empty());
        assert_eq!(
            of("gpt-5").efforts.as_slice(),
            [Effort::Minimal, Effort::Low, Effort::Medium, Effort::High]
        );
        assert_eq!(of("openai/gpt-5.5").efforts.first(), Some(&Effort::None));
        assert_eq!(of("openai/gpt-5.5").efforts.last(), Some(&Effort::Xhigh));
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
        assert_eq!(of("models/gemini-3-pro-preview").efforts.as_slice(), [Effort::Low, Effort::High]);
        assert_eq!(of("gemini-3.1-pro-preview").efforts.len(), 3);
        assert_eq!(of("gemini-flash-latest").efforts.first(), Some(&Effort::Minimal));
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
