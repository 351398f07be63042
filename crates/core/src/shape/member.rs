//! The members and words that a shape may name: closed lists, in the order of their numbers on disk.
//!
//! Everything that is compared by a compatibility rule or asks something of a model is here. What people write as they
//! like (texts, tool names, metadata, users, keys of caches, seeds) is never kept: such a member is only told to be there.

use std::fmt;
use std::sync::LazyLock;

/// What is kept of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Its number, if it is one, or its word, if that is in [`WORDS`].
    Value,
    /// That it is there, and of what kind.
    Presence,
}

/// A member that shapes know.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Where it stands, from the top: `thinking.type`.
    pub path: &'static str,
    /// What is kept of it.
    pub keeps: Keeps,
}

const fn value(path: &'static str) -> Member {
    Member { path, keeps: Keeps::Value }
}

const fn presence(path: &'static str) -> Member {
    Member { path, keeps: Keeps::Presence }
}

/// Every member that is known, of all dialects. **Only ever added to at the end**: a member's place is its number in
/// shapes that are recorded. An object stands before what is in it.
pub const MEMBERS: &[Member] = &[
    // OpenAI, Chat Completions.
    value("temperature"),
    value("top_p"),
    value("n"),
    value("stream"),
    presence("stream_options"),
    value("stream_options.include_usage"),
    value("stop"),
    value("max_tokens"),
    value("max_completion_tokens"),
    value("presence_penalty"),
    value("frequency_penalty"),
    presence("logit_bias"),
    value("logprobs"),
    value("top_logprobs"),
    presence("response_format"),
    value("response_format.type"),
    presence("seed"),
    value("tool_choice"),
    value("tool_choice.type"),
    value("parallel_tool_calls"),
    value("reasoning_effort"),
    value("verbosity"),
    value("modalities"),
    presence("audio"),
    presence("prediction"),
    presence("web_search_options"),
    value("service_tier"),
    value("store"),
    presence("metadata"),
    presence("user"),
    presence("safety_identifier"),
    presence("prompt_cache_key"),
    value("prompt_cache_retention"),
    presence("functions"),
    presence("function_call"),
    // Servers of open weights.
    value("top_k"),
    value("min_p"),
    value("repetition_penalty"),
    presence("extra_body"),
    // OpenAI, Responses.
    value("max_output_tokens"),
    presence("reasoning"),
    value("reasoning.effort"),
    value("reasoning.summary"),
    presence("text"),
    presence("text.format"),
    value("text.format.type"),
    value("text.verbosity"),
    value("truncation"),
    value("include"),
    presence("previous_response_id"),
    presence("conversation"),
    value("background"),
    value("max_tool_calls"),
    presence("prompt"),
    presence("context_management"),
    // Anthropic, Messages.
    value("stop_sequences"),
    presence("thinking"),
    value("thinking.type"),
    value("thinking.budget_tokens"),
    value("thinking.display"),
    presence("output_config"),
    value("output_config.effort"),
    presence("output_config.format"),
    value("output_config.format.type"),
    presence("output_format"),
    value("output_format.type"),
    value("tool_choice.disable_parallel_tool_use"),
    presence("container"),
    presence("mcp_servers"),
    presence("cache_control"),
    value("inference_geo"),
    value("speed"),
    // Google, Gemini.
    presence("generationConfig"),
    value("generationConfig.temperature"),
    value("generationConfig.topP"),
    value("generationConfig.topK"),
    value("generationConfig.maxOutputTokens"),
    value("generationConfig.candidateCount"),
    value("generationConfig.stopSequences"),
    value("generationConfig.responseMimeType"),
    presence("generationConfig.responseSchema"),
    presence("generationConfig.responseJsonSchema"),
    value("generationConfig.presencePenalty"),
    value("generationConfig.frequencyPenalty"),
    presence("generationConfig.seed"),
    value("generationConfig.responseLogprobs"),
    value("generationConfig.logprobs"),
    presence("generationConfig.thinkingConfig"),
    value("generationConfig.thinkingConfig.thinkingBudget"),
    value("generationConfig.thinkingConfig.thinkingLevel"),
    value("generationConfig.thinkingConfig.includeThoughts"),
    presence("generationConfig.speechConfig"),
    value("generationConfig.responseModalities"),
    value("generationConfig.mediaResolution"),
    presence("safetySettings"),
    presence("cachedContent"),
    presence("toolConfig"),
    presence("toolConfig.functionCallingConfig"),
    value("toolConfig.functionCallingConfig.mode"),
    presence("labels"),
    // Amazon, Bedrock Converse.
    presence("inferenceConfig"),
    value("inferenceConfig.temperature"),
    value("inferenceConfig.topP"),
    value("inferenceConfig.maxTokens"),
    value("inferenceConfig.stopSequences"),
    presence("additionalModelRequestFields"),
    value("additionalModelRequestFields.top_k"),
    presence("additionalModelRequestFields.thinking"),
    value("additionalModelRequestFields.thinking.type"),
    value("additionalModelRequestFields.thinking.budget_tokens"),
    presence("additionalModelRequestFields.reasoning_config"),
    value("additionalModelRequestFields.reasoning_config.type"),
    value("additionalModelRequestFields.reasoning_config.budget_tokens"),
    presence("toolConfig.toolChoice"),
    presence("guardrailConfig"),
    presence("performanceConfig"),
    value("performanceConfig.latency"),
    presence("requestMetadata"),
    presence("promptVariables"),
    // Lists of one dialect in the body of another.
    presence("messages"),
    presence("input"),
    presence("contents"),
    presence("system"),
    presence("instructions"),
    presence("systemInstruction"),
    // OpenAI, embeddings.
    value("encoding_format"),
    value("dimensions"),
];

/// Every word that a value may be kept as. **Only ever added to at the end.**
pub const WORDS: &[&str] = &[
    "none",
    "minimal",
    "low",
    "medium",
    "high",
    "xhigh",
    "max",
    "auto",
    "default",
    "flex",
    "priority",
    "scale",
    "batch",
    "standard",
    "standard_only",
    "required",
    "any",
    "tool",
    "function",
    "allowed_tools",
    "custom",
    "text",
    "json_object",
    "json_schema",
    "json",
    "grammar",
    "disabled",
    "enabled",
    "adaptive",
    "summarized",
    "omitted",
    "concise",
    "detailed",
    "audio",
    "image",
    "in-memory",
    "24h",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
    "file_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "text/plain",
    "application/json",
    "text/x.enum",
    "AUTO",
    "ANY",
    "NONE",
    "VALIDATED",
    "MODE_UNSPECIFIED",
    "MINIMAL",
    "LOW",
    "MEDIUM",
    "HIGH",
    "TEXT",
    "IMAGE",
    "AUDIO",
    "MEDIA_RESOLUTION_LOW",
    "MEDIA_RESOLUTION_MEDIUM",
    "MEDIA_RESOLUTION_HIGH",
    "optimized",
    "fast",
    "us",
    "eu",
    "global",
    "float",
    "base64",
    "THINKING_LEVEL_UNSPECIFIED",
    // Kinds of tools.
    "web_search",
    "web_search_preview",
    "web_search_2025_08_26",
    "file_search",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "image_generation",
    "local_shell",
    "shell",
    "apply_patch",
    "mcp",
    "namespace",
    "tool_search",
    "web_search_20250305",
    "web_search_20260209",
    "web_fetch_20250910",
    "web_fetch_20260209",
    "bash_20241022",
    "bash_20250124",
    "text_editor_20241022",
    "text_editor_20250124",
    "text_editor_20250429",
    "text_editor_20250728",
    "computer_20241022",
    "computer_20250124",
    "computer_20251124",
    "code_execution_20250522",
    "code_execution_20250825",
    "memory_20250818",
    "mcp_toolset",
    "tool_search_tool_regex_20251119",
    "tool_search_tool_bm25_20251119",
    "functionDeclarations",
    "googleSearch",
    "googleSearchRetrieval",
    "codeExecution",
    "urlContext",
    "googleMaps",
    "fileSearch",
    "computerUse",
    "toolSpec",
    "systemTool",
    "cachePoint",
];

/// A number, to three digits. Others are kept to two, and said to be rounded; whole powers of two are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The digits.
    pub digits: i64,
    /// The power of ten by which they are multiplied.
    pub exponent: i8,
    /// The request's number has more digits than these.
    pub is_rounded: bool,
}

/// What is known of a member's value. A `null` is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A text that is not kept, or is none of [`WORDS`].
    Text,
    /// An object. Its members that are known stand behind it.
    Object,
    /// A number that is not kept.
    SomeNumber,
    /// `true` or `false`.
    Flag(bool),
    /// A list of so many items (255 and more are 255). Those that are words stand behind it, with the same member.
    List(u8),
    /// The place of a word in [`WORDS`].
    Word(u8),
    /// A number.
    Number(Decimal),
}

/// The word at that place.
#[must_use]
pub fn word(place: u8) -> Option<&'static str> {
    WORDS.get(usize::from(place)).copied()
}

/// The place of the member at `path`.
#[must_use]
pub fn id(path: &str) -> Option<u8> {
    MEMBERS.iter().position(|member| member.path == path).and_then(|at| u8::try_from(at).ok())
}

/// The top, as the parent of members.
pub const TOP: u8 = u8::MAX;

/// The member of that name in the object `parent`, which is a place in [`MEMBERS`] or [`TOP`].
#[must_use]
pub fn find(parent: u8, name: &[u8]) -> Option<u8> {
    TABLES.members.find(parent, name)
}

/// The place of a word.
#[must_use]
pub fn find_word(text: &[u8]) -> Option<u8> {
    TABLES.words.find(TOP, text)
}

/// Whether the member at that place is an object whose members are looked at.
#[must_use]
pub fn is_parent(id: u8) -> bool {
    TABLES.parents.get(usize::from(id)).copied().unwrap_or_default()
}

/// Slots of a table: a power of two, more than twice the names.
const SLOTS: usize = 512;

/// A name's parent, the name, and its place.
type Slot = Option<(u8, &'static str, u8)>;

/// Names by a cheap hash, each with its parent.
struct Table {
    slots: Box<[Slot]>,
}

struct Tables {
    members: Table,
    words: Table,
    parents: Box<[bool]>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let split = |path: &'static str| match path.rsplit_once('.') {
        Some((parent, name)) => (id(parent).unwrap_or(TOP), name),
        None => (TOP, path),
    };
    let members: Vec<_> = MEMBERS.iter().map(|member| split(member.path)).collect();
    Tables {
        parents: (0..).zip(MEMBERS).map(|(at, _)| members.iter().any(|(parent, _)| *parent == at)).collect(),
        members: Table::of(members.into_iter()),
        words: Table::of(WORDS.iter().map(|word| (TOP, *word))),
    }
});

impl Table {
    fn of(names: impl Iterator<Item = (u8, &'static str)>) -> Self {
        let mut slots = vec![None; SLOTS].into_boxed_slice();
        for ((parent, name), id) in names.zip(0..) {
            let mut at = hash(parent, name.as_bytes());
            while slots[at].is_some() {
                at = (at + 1) % SLOTS;
            }
            slots[at] = Some((parent, name, id));
        }
        Self { slots }
    }

    #[inline]
    fn find(&self, parent: u8, name: &[u8]) -> Option<u8> {
        let mut at = hash(parent, name);
        // An empty slot is always met: there are more slots than names.
        while let Some((of, known, id)) = self.slots.get(at).copied().flatten() {
            if of == parent && known.as_bytes() == name {
                return Some(id);
            }
            at = (at + 1) % SLOTS;
        }
        None
    }
}

/// Cheap, and apart enough: length, first, middle and last byte.
#[inline]
fn hash(parent: u8, name: &[u8]) -> usize {
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return usize::from(parent) };
    let middle = name.get(name.len() / 2).copied().unwrap_or_default();
    let mixed = u32::from(*first) | u32::from(*last) << 8 | u32::from(middle) << 16 | u32::from(parent) << 24;
    ((mixed ^ name.len() as u32).wrapping_mul(0x9E37_79B1) >> 23) as usize
}

/// The most digits that are kept as they are, and the place of the second one.
const DIGITS_KEPT: i64 = 999;
const DIGITS_ROUNDED: i64 = 99;

impl Decimal {
    /// Reads a JSON number; `None` where it is none, or is too large to be one.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let (is_negative, text) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            _ => (false, text),
        };
        let (mut digits, mut exponent, mut has_point, mut is_cut) = (0_i64, 0_i32, false, false);
        let mut rest = text.iter();
        while let Some(byte) = rest.next() {
            match byte {
                b'0'..=b'9' if digits < i64::MAX / 100 => {
                    digits = digits * 10 + i64::from(byte - b'0');
                    exponent -= i32::from(has_point);
                }
                b'0'..=b'9' => {
                    is_cut |= *byte != b'0';
                    exponent += i32::from(!has_point);
                }
                b'.' if !has_point => has_point = true,
                b'e' | b'E' => {
                    let power = std::str::from_utf8(rest.as_slice()).ok()?;
                    exponent = exponent.checked_add(power.parse::<i32>().ok()?)?;
                    break;
                }
                _ => return None,
            }
        }
        Self::of(if is_negative { -digits } else { digits }, exponent, is_cut)
    }

    /// A whole number.
    #[must_use]
    pub fn whole(number: i64) -> Option<Self> {
        Self::of(number, 0, false)
    }

    fn of(mut digits: i64, mut exponent: i32, mut is_rounded: bool) -> Option<Self> {
        if digits == 0 {
            return Some(Self { digits: 0, exponent: 0, is_rounded });
        }
        while digits % 10 == 0 {
            (digits, exponent) = (digits / 10, exponent + 1);
        }
        let size = digits.unsigned_abs();
        let is_power = exponent == 0 && size.is_power_of_two() && size <= 1 << 24;
        if size > DIGITS_KEPT.unsigned_abs() && !is_power {
            is_rounded = true;
            while digits.abs() > DIGITS_ROUNDED {
                (digits, exponent) = (digits / 10, exponent + 1);
            }
            while digits % 10 == 0 {
                (digits, exponent) = (digits / 10, exponent + 1);
            }
        }
        Some(Self { digits, exponent: i8::try_from(exponent).ok()?, is_rounded })
    }

    /// The number as a float.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or_default()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_f64().fmt(out)
    }
}
