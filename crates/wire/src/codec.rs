//! What a dialect can do: decode and encode requests, answers, streams and errors. Pure.
//!
//! A call between two dialects goes `decode_request` (client) → `encode_request` (target), and back through
//! `decode_answer` or the stream decoder (target) → `encode_answer` or the stream encoder (client). What the
//! other side cannot carry becomes a [`Note`], never silence. Members that only one dialect knows come back
//! when the same dialect encodes.

pub mod assemble;
pub mod freeform;
mod losses;
mod quirks;
pub(crate) mod usage;

use std::fmt;

use pilothouse_core::conversation::{Answer, Raw, Request, Rest, StreamPart};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Note;
use pilothouse_core::id::ExchangeId;

pub(crate) use losses::{ITEM, LATE_TIER, Losses, OWN};
pub(crate) use quirks::gemini_version;
pub use quirks::{Efforts, Quirks, ThinkingStyle, family_of, rules_of};

use crate::dialects;

/// Everything that one wire format needs. One implementer per dialect; see [`codec`].
pub trait Codec: Sync {
    /// The dialect.
    fn dialect(&self) -> Dialect;

    /// Reads a request's body.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] that names the wrong member.
    fn decode_request(&self, body: &[u8]) -> Result<Request, Error>;

    /// Writes the body that the target gets. What it cannot carry is added to `losses`.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] where the target cannot do what was asked at all, with the member.
    fn encode_request(
        &self,
        request: &Request,
        target: &Target<'_>,
        losses: &mut Vec<Note>,
    ) -> Result<Vec<u8>, Error>;

    /// What of a request's body an answer of this dialect says again; see [`AnswerContext::echoed`].
    fn echoed(&self, _body: &[u8]) -> Rest {
        Rest::EMPTY
    }

    /// Reads an answer's body.
    ///
    /// # Errors
    /// [`Kind::BadAnswer`] that names the wrong member.
    fn decode_answer(&self, body: &[u8]) -> Result<Answer, Error>;

    /// Reads an answer's body, where the dialect's answers name neither their model nor whose reasoning they hold:
    /// `model` was asked.
    ///
    /// # Errors
    /// As [`Codec::decode_answer`].
    fn decode_answer_of(&self, _model: &str, body: &[u8]) -> Result<Answer, Error> {
        self.decode_answer(body)
    }

    /// Writes the body that the client gets. What its dialect cannot carry is added to `losses`.
    fn encode_answer(&self, answer: &Answer, context: &AnswerContext<'_>, losses: &mut Vec<Note>) -> Vec<u8>;

    /// Reads a streamed answer.
    fn stream_decoder(&self) -> Box<dyn StreamDecoder + Send>;

    /// Reads a streamed answer of that model; see [`Codec::decode_answer_of`].
    fn stream_decoder_of(&self, _model: &str) -> Box<dyn StreamDecoder + Send> {
        self.stream_decoder()
    }

    /// Writes a streamed answer.
    fn stream_encoder(&self, context: &AnswerContext<'_>) -> Box<dyn StreamEncoder + Send>;

    /// Reads the body of an error, or the data of an error event in a stream (then `status` is 200).
    /// Never fails: a body that is no error of this dialect becomes the message.
    fn decode_error(&self, status: u16, body: &[u8]) -> VendorError;

    /// The status that a client of this dialect gets for an error.
    fn error_status(&self, error: &VendorError) -> u16;

    /// The body of an error as this dialect's own vendor writes it, with the message as it came.
    fn encode_error(&self, error: &VendorError, exchange: Option<ExchangeId>) -> Vec<u8>;

    /// The event that tells a client in the middle of a stream that it failed. No terminator follows it.
    fn encode_stream_error(&self, error: &VendorError) -> Vec<u8>;

    /// Bytes that show a client of a silent stream that it is alive, and that its SDK ignores.
    fn keep_alive(&self) -> &'static [u8];
}

/// Reads the events of one streamed answer.
pub trait StreamDecoder {
    /// Reads one event: its name, if the stream gave one, and its data. Adds what it means to `out`.
    ///
    /// # Errors
    /// The vendor's own error, when the event is one; [`Kind::BadAnswer`] when it cannot be understood.
    fn event(
        &mut self,
        name: Option<&str>,
        data: &[u8],
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Box<VendorError>>;

    /// Call when the vendor's stream has ended.
    ///
    /// # Errors
    /// [`Kind::Cut`] when the dialect's terminator has not come.
    fn finish(&mut self) -> Result<(), Error>;
}

/// Writes one streamed answer.
pub trait StreamEncoder {
    /// Writes what one step means in this dialect, as whole events.
    fn part(&mut self, part: &StreamPart, out: &mut Vec<u8>);

    /// Writes the end of an answer that arrived whole: what was held back, and the terminator. Not to be
    /// called after a cut. Calling it twice writes nothing more.
    fn end(&mut self, out: &mut Vec<u8>);

    /// What this dialect could not carry so far.
    fn losses(&self) -> Vec<Note>;
}

/// The target of an encoded request, as far as codecs must know it.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// The model's id on the wire.
    pub model: &'a str,
    /// Whose signatures it accepts, such as `anthropic`; see [`family_of`]. Empty when unknown.
    pub family: &'a str,
    /// The most tokens that the model writes, where known. Anthropic asks for a limit in every request.
    pub max_output_tokens: Option<u64>,
    /// What the model accepts.
    pub quirks: Quirks,
}

impl<'a> Target<'a> {
    /// The target of that name, with what its name tells. What the catalogue knows better, the caller sets.
    #[must_use]
    pub fn of(dialect: Dialect, model: &'a str) -> Self {
        Self { model, family: family_of(model), max_output_tokens: None, quirks: Quirks::of(dialect, model) }
    }
}

/// What is known of the client's call when its answer is encoded.
#[derive(Clone, Copy, Debug)]
pub struct AnswerContext<'a> {
    /// The model's name as the client asked for it; used where the vendor names none.
    pub model: &'a str,
    /// The exchange; ids that the vendor does not give are made from it.
    pub exchange: ExchangeId,
    /// Now, in seconds since 1970.
    pub created: u64,
    /// Whether an openai-chat stream ends with a usage chunk.
    pub stream_usage: bool,
    /// Whether the client offered its tools in OpenAI's old form (`functions`).
    pub legacy_functions: bool,
    /// Input tokens, estimated, for the start of an Anthropic stream whose vendor tells them only at its end.
    pub estimated_input: Option<u64>,
    /// Members of the client's request that an openai-responses answer says again; see [`Codec::echoed`].
    pub echoed: Option<&'a Rest>,
}

/// An error that a vendor gave, or one of ours on its way to a client.
#[derive(Clone, Debug, PartialEq)]
pub struct VendorError {
    /// The status that it came with; for our own, the status of its class.
    pub status: u16,
    /// Its class.
    pub kind: Kind,
    /// The sentence for people, as it came.
    pub message: String,
    /// The dialect that `error_type`, `code` and `details` are in; `None` for our own.
    pub dialect: Option<Dialect>,
    /// The vendor's type.
    pub error_type: Option<Box<str>>,
    /// The vendor's code (`error.code`; with Anthropic `error.details.error_code`).
    pub code: Option<Box<str>>,
    /// The request member that is wrong.
    pub param: Option<Box<str>>,
    /// Anthropic's `error.details`, whole.
    pub details: Option<Raw>,
}

/// The code by which an Anthropic SDK learns to go on without a message thread.
/// <https://github.com/anthropics/anthropic-sdk-python> 2.12, `ThreadUnsupportedRequestErrorDetails`, 2026-11-22.
pub const THREAD_UNSUPPORTED: &str = "thread_unsupported_request";

impl VendorError {
    /// The error of an event that is not what its dialect allows.
    pub(crate) fn bad_event(error: Error) -> Box<Self> {
        Box::new(Self::from(&dialects::bad_answer(error)))
    }
}

impl From<&Error> for VendorError {
    fn from(error: &Error) -> Self {
        let thread = error.kind == Kind::BadRequest && error.param.as_deref() == Some("thread");
        Self {
            status: error.kind.status(),
            kind: error.kind,
            message: error.public.to_string(),
            dialect: None,
            error_type: None,
            code: thread.then(|| THREAD_UNSUPPORTED.into()),
            param: error.param.as_deref().filter(|param| !param.is_empty()).map(Into::into),
            details: None,
        }
    }
}

impl fmt::Display for VendorError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}: {}", self.status, self.kind.as_str(), self.message)
    }
}

impl std::error::Error for VendorError {}

/// The class of an error by the status that a vendor gave with it. `words` is whatever text may tell more.
#[must_use]
pub fn kind_of_status(status: u16, words: &str) -> Kind {
    match status {
        404 | 410 => {
            let gone = status == 410
                || ["deprecated", "retired", "no longer available", "shut down", "has been removed"]
                    .iter()
                    .any(|word| words.contains(word));
            if gone { Kind::Gone } else { Kind::Vendor }
        }
        408 | 504 => Kind::Timeout,
        413 => Kind::TooLarge,
        429 => Kind::RateLimited,
        503 | 529 => Kind::Overloaded,
        _ => Kind::Vendor,
    }
}

/// Whether a vendor refused a request because it is longer than the model's context: another model may take it.
///
/// OpenAI says it by a code; the words are those of Anthropic, Google, Bedrock and vLLM
/// (<https://platform.openai.com/docs/guides/error-codes>, <https://platform.claude.com/docs/en/api/errors>,
/// <https://docs.vllm.ai/en/latest/>, read 2026-11-23).
#[must_use]
pub fn is_too_long(error: &VendorError) -> bool {
    const WORDS: [&str; 7] = [
        "maximum context length",
        "prompt is too long",
        "exceed context limit",
        "context window",
        "input token count",
        "Input is too long",
        "request_too_large",
    ];
    error.code.as_deref() == Some("context_length_exceeded")
        || WORDS.iter().any(|words| error.message.contains(words))
}

/// The codec of a dialect; `None` for dialects that are only passed through.
#[must_use]
pub fn codec(dialect: Dialect) -> Option<&'static dyn Codec> {
    CODECS.iter().copied().find(|codec| codec.dialect() == dialect)
}

/// The codec that writes errors for clients of a dialect: embeddings share OpenAI's shape.
#[must_use]
pub fn error_codec(dialect: Dialect) -> &'static dyn Codec {
    codec(dialect).unwrap_or(&dialects::openai_chat::OpenaiChat)
}

/// Every codec. One line per dialect.
pub static CODECS: &[&dyn Codec] = &[
    &dialects::openai_chat::OpenaiChat,
    &dialects::anthropic_messages::AnthropicMessages,
    &dialects::openai_responses::OpenaiResponses,
    &dialects::gemini_generate::GeminiGenerate,
    &dialects::bedrock_converse::BedrockConverse,
];
