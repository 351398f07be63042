//! What an answer tells, read while its bytes pass: usage, model, finish, tools, errors, first output.
//!
//! One incremental scanner per dialect. Most events of a stream are only searched for a few words; the ones
//! that tell something are parsed. The words are searched with their quotes, which text inside a JSON string
//! cannot have unescaped, and a find is always confirmed by parsing.

mod anthropic_messages;
pub(crate) mod bedrock_converse;
pub(crate) mod gemini_generate;
mod openai_chat;
mod openai_responses;
pub mod other;

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{AnswerFacts, ToolUse};
use pilothouse_core::usage::Usage;

/// Most tool calls whose names are kept.
const TOOLS_MAX: usize = 128;

/// What is known of an answer so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Ids, finish, tools.
    pub answer: AnswerFacts,
    /// The last usage seen.
    pub usage: Option<Usage>,
    /// The dialect's terminator was seen; with Gemini, which has none, every candidate has told why it ended. See
    /// [`Scanner::has_terminator`].
    pub is_terminated: bool,
    /// An error inside the answer.
    pub error: Option<StreamError>,
    /// Bytes of model output seen, to estimate tokens where no usage came.
    pub output_bytes: u64,
}

/// An error that came inside a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// Its class.
    pub kind: Kind,
    /// The vendor's words.
    pub message: String,
}

/// What one event was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The event carries model output.
    pub has_output: bool,
    /// The event is the usage-only chunk that the client did not ask for.
    pub is_unasked: bool,
    /// The event's data is not JSON.
    pub is_malformed: bool,
}

impl Seen {
    /// An event whose data did not parse. JSON of an unexpected shape may be the vendor's news of tomorrow and
    /// is left to the client; what is no JSON at all was damaged on its way.
    fn unparsed(error: &serde_json::Error) -> Self {
        Self { is_malformed: error.is_syntax() || error.is_eof(), ..Self::default() }
    }
}

/// Reads the facts of one answer.
#[derive(Debug)]
pub struct Scanner {
    facts: Facts,
    format: Format,
}

#[derive(Debug)]
enum Format {
    OpenaiChat(openai_chat::State),
    OpenaiEmbeddings,
    AnthropicMessages(anthropic_messages::State),
    OpenaiResponses(openai_responses::State),
    GeminiGenerate(gemini_generate::State),
    BedrockConverse(bedrock_converse::State),
}

impl Scanner {
    /// A scanner for one answer. With `hide_usage`, the usage-only chunk is reported as unasked.
    #[must_use]
    pub fn new(dialect: Dialect, hide_usage: bool) -> Self {
        let format = match dialect {
            Dialect::OpenaiChat => Format::OpenaiChat(openai_chat::State::new(hide_usage)),
            Dialect::OpenaiEmbeddings => Format::OpenaiEmbeddings,
            Dialect::AnthropicMessages => Format::AnthropicMessages(anthropic_messages::State::default()),
            Dialect::OpenaiResponses => Format::OpenaiResponses(openai_responses::State::default()),
            Dialect::GeminiGenerate => Format::GeminiGenerate(gemini_generate::State::default()),
            Dialect::BedrockConverse => Format::BedrockConverse(bedrock_converse::State::default()),
        };
        Self { facts: Facts::default(), format }
    }

    /// Reads one whole event of a stream, framing included.
    pub fn event(&mut self, raw: &[u8]) -> Seen {
        match &mut self.format {
            Format::OpenaiChat(state) => state.event(raw, &mut self.facts),
            Format::OpenaiEmbeddings => Seen::default(),
            Format::AnthropicMessages(state) => state.event(raw, &mut self.facts),
            Format::OpenaiResponses(state) => state.event(raw, &mut self.facts),
            Format::GeminiGenerate(state) => state.event(raw, &mut self.facts),
            Format::BedrockConverse(state) => state.event(raw, &mut self.facts),
        }
    }

    /// Reads one whole answer that is no stream. False when it is not an answer of the dialect.
    pub fn whole(&mut self, body: &[u8]) -> bool {
        match &self.format {
            Format::OpenaiChat(_) | Format::OpenaiEmbeddings => openai_chat::whole(body, &mut self.facts),
            Format::AnthropicMessages(_) => anthropic_messages::whole(body, &mut self.facts),
            Format::OpenaiResponses(_) => openai_responses::whole(body, &mut self.facts),
            Format::GeminiGenerate(_) => gemini_generate::whole(body, &mut self.facts),
            Format::BedrockConverse(_) => bedrock_converse::whole(body, &mut self.facts),
        }
    }

    /// Whether the dialect ends its streams with a word of its own, behind which a broken transport loses nothing.
    /// A stream of Gemini's is whole only when the transport ends cleanly too: behind a finish reason more may come.
    /// One of Bedrock's tells its usage behind its reason, and nothing is missing only then.
    #[must_use]
    pub const fn has_terminator(&self) -> bool {
        match &self.format {
            Format::GeminiGenerate(_) => false,
            Format::BedrockConverse(state) => state.has_metadata(),
            _ => true,
        }
    }

    /// The dialect that it reads.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match &self.format {
            Format::OpenaiChat(_) => Dialect::OpenaiChat,
            Format::OpenaiEmbeddings => Dialect::OpenaiEmbeddings,
            Format::AnthropicMessages(_) => Dialect::AnthropicMessages,
            Format::OpenaiResponses(_) => Dialect::OpenaiResponses,
            Format::GeminiGenerate(_) => Dialect::GeminiGenerate,
            Format::BedrockConverse(_) => Dialect::BedrockConverse,
        }
    }

    /// What is known so far.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Takes what is known.
    #[must_use]
    pub fn take(&mut self) -> Facts {
        match &mut self.format {
            Format::OpenaiChat(state) => state.finish(&mut self.facts),
            Format::OpenaiResponses(state) => state.finish(&mut self.facts),
            Format::OpenaiEmbeddings
            | Format::AnthropicMessages(_)
            | Format::GeminiGenerate(_)
            | Format::BedrockConverse(_) => {}
        }
        std::mem::take(&mut self.facts)
    }
}

/// A running hash of a tool call's arguments (FNV-1a): it tells equal calls from different ones.
#[derive(Clone, Debug)]
struct Call {
    name: String,
    hash: u64,
}

impl Call {
    const fn new(name: String) -> Self {
        Self { name, hash: 0xcbf2_9ce4_8422_2325 }
    }

    fn arguments(&mut self, text: &str) {
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn into_use(self) -> ToolUse {
        ToolUse { name: self.name.into(), arguments_hash: self.hash }
    }
}

/// The value that follows `"name"` at a find of `quoted` in `bytes`, white space skipped.
fn value_after(bytes: &[u8], end_of_name: usize) -> Option<&[u8]> {
    let colon = crate::scan::skip_space(bytes, end_of_name);
    if bytes.get(colon) != Some(&b':') {
        return None;
    }
    bytes.get(crate::scan::skip_space(bytes, colon + 1)..)
}

#[cfg(test)]
mod tests;
