//! The fleet's model table: real models by vendor, the fault models and the load models, each as one row of data.

mod anthropic;
mod azure;
mod bedrock;
mod gemini;
mod openai;
pub(crate) mod vertex;

use crate::bedrock::error::{Refusal as AwsRefusal, in_stream_named};
use crate::fault::Fault;
use crate::load::Load;
use crate::price::{Class, Price, p};

/// Whose wire format and rules a call follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Vendor {
    OpenAi,
    Anthropic,
    Gemini,
    Bedrock,
    Vertex,
    Azure,
}

impl Vendor {
    /// Every vendor of the fleet, in the order of the overlay.
    pub(crate) const ALL: [Vendor; 6] =
        [Vendor::OpenAi, Vendor::Anthropic, Vendor::Gemini, Vendor::Bedrock, Vendor::Vertex, Vendor::Azure];

    /// The name in paths, totals and the overlay.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Vendor::OpenAi => "openai",
            Vendor::Anthropic => "anthropic",
            Vendor::Gemini => "gemini",
            Vendor::Bedrock => "bedrock",
            Vendor::Vertex => "vertex",
            Vendor::Azure => "azure",
        }
    }
}

/// One model as its provider serves it.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The name that clients send.
    pub(crate) id: &'static str,
    /// The snapshot that answers name; accepted as a name too.
    pub(crate) served_as: &'static str,
    /// What its maker calls it, which is the same on every platform: what signatures are bound to.
    pub(crate) made_as: &'static str,
    pub(crate) display: &'static str,
    pub(crate) rules: Rules,
    pub(crate) prices: &'static [Price],
    /// Prompt and answer together.
    pub(crate) context_tokens: u64,
    pub(crate) output_tokens_max: u64,
    /// The model's part of the token rule, see `tokens`.
    pub(crate) word_bytes: u8,
    /// Latency profile at scale 1: time to the first token, then between tokens.
    pub(crate) first_token_ms: u64,
    pub(crate) token_us: u64,
    /// Release, Unix seconds.
    pub(crate) created: u64,
    /// Announced shutdown, ISO date.
    pub(crate) shutdown: Option<&'static str>,
    /// Where the prices were read, and when.
    pub(crate) source: &'static str,
    pub(crate) as_of: &'static str,
}

/// What the provider refuses for this model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rules {
    OpenAi(OpenAiRules),
    Anthropic(AnthropicRules),
    Gemini(GeminiRules),
    /// Bedrock's models that are not of another maker's kind.
    Converse(ConverseRules),
    Embedding(EmbeddingRules),
    /// Fault models: any well-formed request of any dialect.
    Permissive,
}

/// Parameters of an OpenAI chat model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenAiRules {
    /// Efforts accepted; empty for models that do not reason.
    pub(crate) efforts: &'static [&'static str],
    pub(crate) default_effort: &'static str,
    /// Served by the Responses API only.
    pub(crate) responses_only: bool,
    /// Takes `parallel_tool_calls`.
    pub(crate) parallel_flag: bool,
    /// Takes only `n = 1`.
    pub(crate) one_choice: bool,
    /// Refuses function tools together with an explicit effort other than none.
    pub(crate) no_tools_with_effort: bool,
}

impl OpenAiRules {
    const fn sampled() -> OpenAiRules {
        OpenAiRules {
            efforts: &[],
            default_effort: "none",
            responses_only: false,
            parallel_flag: true,
            one_choice: false,
            no_tools_with_effort: false,
        }
    }

    const fn reasoning(efforts: &'static [&'static str], default_effort: &'static str) -> OpenAiRules {
        OpenAiRules { efforts, default_effort, ..OpenAiRules::sampled() }
    }

    const fn responses_only(self) -> OpenAiRules {
        OpenAiRules { responses_only: true, ..self }
    }

    const fn no_parallel_flag(self) -> OpenAiRules {
        OpenAiRules { parallel_flag: false, ..self }
    }

    const fn one_choice(self) -> OpenAiRules {
        OpenAiRules { one_choice: true, ..self }
    }

    const fn no_tools_with_effort(self) -> OpenAiRules {
        OpenAiRules { no_tools_with_effort: true, ..self }
    }

    /// Whether the model can reason at all.
    pub(crate) fn reasons(&self) -> bool {
        !self.efforts.is_empty()
    }
}

/// How an Anthropic model takes `thinking`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThinkingKind {
    /// `enabled` with a budget.
    Budget,
    /// `enabled` or `adaptive`.
    Either,
    /// `adaptive` only, off by default.
    Adaptive,
    /// `adaptive` only, and it cannot be turned off.
    Always,
}

/// Sampling parameters of an Anthropic model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// `temperature` or `top_p`, not both.
    One,
    /// None but the defaults.
    None,
}

/// Parameters of an Anthropic model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnthropicRules {
    pub(crate) thinking: ThinkingKind,
    pub(crate) sampling: Sampling,
    /// Continues a final assistant message.
    pub(crate) prefill: bool,
    /// Takes `system` messages inside the conversation.
    pub(crate) mid_system: bool,
    /// Thinks unless told not to.
    pub(crate) thinks_by_default: bool,
    /// Takes `tool_choice` `any` and `tool`.
    pub(crate) forced_tools: bool,
    /// Shortest prefix that is cached.
    pub(crate) cache_tokens_min: u64,
}

impl AnthropicRules {
    const fn caching_from(self, tokens: u64) -> AnthropicRules {
        AnthropicRules { cache_tokens_min: tokens, ..self }
    }

    const fn thinking_by_default(self) -> AnthropicRules {
        AnthropicRules { thinks_by_default: true, ..self }
    }

    const fn with_mid_system(self) -> AnthropicRules {
        AnthropicRules { mid_system: true, ..self }
    }
}

/// How a Gemini model takes `thinkingConfig`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GeminiThinking {
    /// A budget in tokens; `can_stop` where 0 turns it off, `by_default` where it thinks unasked.
    Budget { min: i64, max: i64, can_stop: bool, by_default: bool },
    /// A level; a budget is still read.
    Levels { levels: &'static [&'static str], can_stop: bool },
}

/// Parameters of a Gemini model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GeminiRules {
    pub(crate) thinking: GeminiThinking,
    /// Function calls have ids and come back with their thought signature or are refused; one candidate; JSON goes with
    /// functions, and functions with the provider's own tools.
    pub(crate) is_gemini_3: bool,
    /// Gives log probabilities.
    pub(crate) logprobs: bool,
    /// Shortest prefix that is cached.
    pub(crate) cache_tokens_min: u64,
}

/// Which request members of its own a model of Bedrock takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Native {
    /// Amazon Nova: `inferenceConfig` with `topK`.
    Nova,
    /// OpenAI's open weights: their chat parameters, `reasoning_effort` among them.
    GptOss,
}

/// Parameters of a Bedrock model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConverseRules {
    pub(crate) native: Native,
    /// Takes cache points, from this many tokens on.
    pub(crate) cache_tokens_min: Option<u64>,
    /// Takes images and documents.
    pub(crate) media: bool,
    /// Thinks, and shows it.
    pub(crate) reasons: bool,
}

/// Parameters of an embedding model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EmbeddingRules {
    pub(crate) dims: usize,
    /// Takes `dimensions`.
    pub(crate) shortens: bool,
}

/// What a model name turned out to be.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Real(&'static Model),
    Fault(&'static Model, Fault),
    Load,
}

/// Prices of the fault models, the same at every vendor; invented, so that bills of faults are never zero.
pub(crate) const FAULT_PRICES: &[Price] = &[
    p(Class::Input, "1"),
    p(Class::CacheRead, "0.1"),
    p(Class::CacheWrite5m, "1.25"),
    p(Class::Output, "2"),
];
/// Prices of the load models.
pub(crate) const LOAD_PRICES: &[Price] = &[p(Class::Input, "1"), p(Class::Output, "2")];
/// Source named for invented prices.
pub(crate) const INVENTED: &str = "pilothouse sim (invented)";

const FAULTY: Model = Model {
    id: "fault",
    served_as: "fault",
    made_as: "fault",
    display: "Fault",
    rules: Rules::Permissive,
    prices: FAULT_PRICES,
    context_tokens: 1_000_000,
    output_tokens_max: 128_000,
    word_bytes: 6,
    first_token_ms: 0,
    token_us: 0,
    created: 1_767_225_600,
    shutdown: None,
    source: INVENTED,
    as_of: "2026-11-22",
};
static FAULTED: Model = FAULTY;

/// What load models are at endpoints that have no rendered answer for them.
pub(crate) static LOADED: Model =
    Model { id: "fake", served_as: "fake", display: "Fake", prices: LOAD_PRICES, ..FAULTY };

/// The models of a vendor, in the order of its list.
pub(crate) fn of(vendor: Vendor) -> &'static [Model] {
    match vendor {
        Vendor::OpenAi => openai::MODELS,
        Vendor::Anthropic => anthropic::MODELS,
        Vendor::Gemini => gemini::MODELS,
        Vendor::Bedrock => &bedrock::MODELS,
        Vendor::Vertex => &vertex::MODELS,
        Vendor::Azure => &azure::MODELS,
    }
}

/// Resolves the name in a request at a vendor.
pub(crate) fn find(vendor: Vendor, name: &str) -> Option<Found> {
    if Load::parse(name).is_some() {
        return Some(Found::Load);
    }
    if let Some(fault) = Fault::parse(name) {
        return Some(Found::Fault(&FAULTED, fault));
    }
    let is_exception = AwsRefusal::named(name).is_some() || in_stream_named(name).is_some();
    if vendor == Vendor::Bedrock && is_exception {
        return Some(Found::Real(&FAULTED));
    }
    of(vendor).iter().find(|m| m.id == name || m.served_as == name).map(Found::Real)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_row_has_a_price_a_source_and_a_name_of_its_own() {
        let mut names = HashSet::new();
        for (vendor, model) in Vendor::ALL.iter().flat_map(|v| of(*v).iter().map(move |m| (v, m))) {
            assert!(names.insert((vendor, model.id)), "{} twice", model.id);
            assert!(model.prices.iter().any(|r| r.class == Class::Input), "{}", model.id);
            for row in model.prices {
                assert!(row.picousd_per_token().is_some_and(|v| v > 0), "{}: {row:?}", model.id);
            }
            assert!(model.source.starts_with("https://") && model.created > 0, "{}", model.id);
        }
        assert!(names.len() >= 100);
    }

    #[test]
    fn names_of_both_kinds_resolve_and_others_do_not() {
        assert!(
            matches!(find(Vendor::OpenAi, "gpt-4o-2024-08-06"), Some(Found::Real(m)) if m.id == "gpt-4o")
        );
        assert!(matches!(find(Vendor::Anthropic, "fault-cut-50"), Some(Found::Fault(..))));
        assert!(matches!(find(Vendor::OpenAi, "fake-c100-d5"), Some(Found::Load)));
        assert!(find(Vendor::OpenAi, "claude-opus-4-7").is_none());
        assert!(find(Vendor::Anthropic, "fault-unheard-of").is_none());
        assert!(matches!(find(Vendor::Gemini, "gemini-2.5-pro"), Some(Found::Real(_))));
    }
}
