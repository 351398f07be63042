//! A request in canonical form.

use serde::Serialize;
use serde_json::Number;

use super::part::{CacheMark, Part};
use super::raw::{Raw, Rest};
use super::tool::{Tool, ToolChoice, ToolContent};
use crate::dialect::Dialect;

/// A request for a chat answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Request {
    /// The dialect that it was decoded from: `rest` and unknown parts are in it.
    pub dialect: Dialect,
    /// The model's name, as asked.
    pub model: String,
    /// The conversation, system messages included, in order.
    pub messages: Vec<Message>,
    /// The tools on offer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether a tool must be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called in one turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tools: Option<bool>,
    /// The form of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_format: Option<OutputFormat>,
    /// How tokens are drawn.
    #[serde(skip_serializing_if = "Sampling::is_empty")]
    pub sampling: Sampling,
    /// The most tokens to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_limit: Option<OutputLimit>,
    /// Texts at which to stop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// How many answers to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// Whether token probabilities are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Logprobs>,
    /// The tier of service, in the dialect's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<Box<str>>,
    /// How much to reason.
    #[serde(skip_serializing_if = "ReasoningAsk::is_empty")]
    pub reasoning: ReasoningAsk,
    /// The person behind the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_user: Option<Box<str>>,
    /// Labels that the vendor stores with the answer (OpenAI's `metadata`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Raw>,
    /// Hints to the vendor's prompt cache for the request as a whole.
    #[serde(skip_serializing_if = "CacheHints::is_empty")]
    pub cache: CacheHints,
    /// Whether the answer comes as a stream.
    pub stream: bool,
    /// Whether the stream ends with a usage report (always so in Anthropic's).
    pub stream_usage: bool,
    /// Server-held conversation state (Anthropic's message threads).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<Raw>,
    /// Members that only its dialect knows.
    #[serde(skip_serializing_if = "Rest::is_empty")]
    pub rest: Rest,
}

impl Request {
    /// An empty request of a dialect.
    #[must_use]
    pub fn new(dialect: Dialect, model: &str) -> Self {
        Self {
            dialect,
            model: model.to_owned(),
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tools: None,
            output_format: None,
            sampling: Sampling::default(),
            output_limit: None,
            stop: Vec::new(),
            n: None,
            logprobs: None,
            service_tier: None,
            reasoning: ReasoningAsk::default(),
            end_user: None,
            metadata: None,
            cache: CacheHints::default(),
            stream: false,
            stream_usage: false,
            thread: None,
            rest: Rest::default(),
        }
    }

    /// Whether the client offers its tools in OpenAI's old form, and so reads answers in it.
    #[must_use]
    pub fn uses_legacy_functions(&self) -> bool {
        self.tools.iter().any(|tool| matches!(&tool.content, ToolContent::Function(one) if one.legacy))
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The application's standing instructions.
    System,
    /// The same, as OpenAI's newer models name it.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool, in dialects where results are messages of their own.
    Tool,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// The speaker's name, where the dialect has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// Members that only its dialect knows.
    #[serde(skip_serializing_if = "Rest::is_empty")]
    pub rest: Rest,
}

impl Message {
    /// A message of these parts.
    #[must_use]
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, parts, name: None, rest: Rest::default() }
    }
}

/// The form of the answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// Text.
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON by a schema.
    JsonSchema {
        /// The schema's name; OpenAI asks for one.
        name: Option<Box<str>>,
        /// What it is for.
        description: Option<Box<str>>,
        /// The schema.
        schema: Option<Raw>,
        /// Whether the answer must follow it; `None` when the client did not say.
        strict: Option<bool>,
    },
    /// A form that only its dialect knows.
    Unknown(Raw),
}

/// How tokens are drawn. Numbers stay as they were written.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sampling {
    /// Randomness; 0 to 2 with OpenAI, 0 to 1 with Anthropic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Number>,
    /// Nucleus sampling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<Number>,
    /// The number of candidates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<Number>,
    /// Penalty by frequency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<Number>,
    /// Penalty by presence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<Number>,
    /// Bias by token id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logit_bias: Option<Raw>,
    /// Seed of the draw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<Number>,
}

impl Sampling {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The most tokens to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OutputLimit {
    /// Tokens, reasoning included.
    pub tokens: u64,
    /// The member that the client used.
    pub member: LimitMember,
}

/// The member that a client set its output limit with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitMember {
    /// `max_tokens`.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

/// Which token probabilities are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Logprobs {
    /// Whether the answer holds them.
    pub enabled: bool,
    /// How many alternatives per token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<u64>,
}

/// How much to reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReasoningAsk {
    /// The effort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// How thinking is switched (Anthropic's `thinking.type`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Thinking>,
    /// How thinking is shown: `summarized`, `omitted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<Box<str>>,
}

impl ReasoningAsk {
    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How thinking is switched.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// Off.
    Off,
    /// On, as much as the model likes.
    Adaptive,
    /// On, with this many tokens.
    Budget(u64),
    /// A switch that only its dialect knows (`between_tools`), by its name.
    Other(Box<str>),
}

/// How much effort to spend, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// No reasoning.
    None,
    /// As little as possible.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More than `high`.
    Xhigh,
    /// As much as possible.
    Max,
}

impl Effort {
    /// Every effort, least first.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max];

    /// The word on the wire, the same in both dialects.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.as_str() == word)
    }
}

/// Hints to the vendor's prompt cache for the request as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CacheHints {
    /// Requests with the same key likely share a prefix (OpenAI's `prompt_cache_key`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Box<str>>,
    /// Mark the last part that can be cached (Anthropic's top-level `cache_control`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<CacheMark>,
}

impl CacheHints {
    /// Whether nothing is hinted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
