//! Amazon Bedrock Converse: `POST /model/{modelId}/converse` and `/converse-stream`.
//!
//! Model and stream stand in the URL: see [`crate::path::ConverseCall`]. Streams are messages of Amazon's event stream:
//! see [`crate::eventstream`]. Source: the service model `bedrock-runtime` 2023-09-30 in
//! <https://github.com/boto/botocore> 1.44; <https://docs.aws.amazon.com/bedrock/latest/APIReference/>; looked up
//! 2026-11-23.
//!
//! Blocks are unions: an object whose one member tells what it is. What a block's own object has that nobody else
//! knows is kept under a name with the block's before it (`document.citations`). A cache point is a block of its own
//! here; in the canonical form it is a mark on the part before it.

mod answer;
mod block;
mod error;
mod format;
mod request;
mod stream;

use std::sync::LazyLock;

use pilothouse_core::conversation::{Answer, Request};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::{Finish, Note};
use pilothouse_core::id::ExchangeId;

pub use error::error_name;

use super::bad_answer;
use crate::codec::{
    AnswerContext, Codec, Losses, StreamDecoder, StreamEncoder, Target, VendorError, family_of,
};
use crate::eventstream;

/// Whose reasoning it is where nothing tells: Claude's is the only one that is signed here.
const FAMILY: &str = super::anthropic_messages::FAMILY;

/// The codec of Bedrock's Converse.
///
/// A decoded request has no model and is no stream until [`crate::path::ConverseCall::complete`] has told it so.
#[derive(Clone, Copy, Debug)]
pub struct BedrockConverse;

impl Codec for BedrockConverse {
    fn dialect(&self) -> Dialect {
        Dialect::BedrockConverse
    }

    fn decode_request(&self, body: &[u8]) -> Result<Request, Error> {
        request::decode::decode(body)
    }

    fn encode_request(
        &self,
        request: &Request,
        target: &Target<'_>,
        losses: &mut Vec<Note>,
    ) -> Result<Vec<u8>, Error> {
        let mut found = Losses::default();
        let body = request::encode::encode(request, target, &mut found)?;
        losses.extend(found.notes());
        Ok(body)
    }

    fn decode_answer(&self, body: &[u8]) -> Result<Answer, Error> {
        answer::decode(body, FAMILY).map_err(bad_answer)
    }

    fn decode_answer_of(&self, model: &str, body: &[u8]) -> Result<Answer, Error> {
        answer::decode(body, family_of(model)).map_err(bad_answer)
    }

    fn encode_answer(&self, answer: &Answer, context: &AnswerContext<'_>, losses: &mut Vec<Note>) -> Vec<u8> {
        let mut found = Losses::default();
        let body = answer::encode(answer, context, &mut found);
        losses.extend(found.notes());
        body
    }

    fn stream_decoder(&self) -> Box<dyn StreamDecoder + Send> {
        Box::new(stream::decode::Decoder::new(FAMILY))
    }

    fn stream_decoder_of(&self, model: &str) -> Box<dyn StreamDecoder + Send> {
        Box::new(stream::decode::Decoder::new(family_of(model)))
    }

    fn stream_encoder(&self, context: &AnswerContext<'_>) -> Box<dyn StreamEncoder + Send> {
        Box::new(stream::encode::Encoder::new(context))
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> VendorError {
        error::decode(status, body)
    }

    fn error_status(&self, error: &VendorError) -> u16 {
        error::status(error)
    }

    fn encode_error(&self, error: &VendorError, _exchange: Option<ExchangeId>) -> Vec<u8> {
        error::encode(error)
    }

    fn encode_stream_error(&self, error: &VendorError) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        eventstream::write_exception(&mut out, error::exception_name(error), &error::encode_exception(error));
        out
    }

    /// An event of a type that no SDK knows. `EventStream` of <https://github.com/boto/botocore> 1.44 yields nothing
    /// for it, and the SDK for JavaScript skips what it cannot name.
    fn keep_alive(&self) -> &'static [u8] {
        static PING: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let mut out = Vec::new();
            eventstream::write_event(&mut out, PING_EVENT, b"{}");
            out
        });
        &PING
    }
}

/// The event by which a silent stream shows that it lives.
const PING_EVENT: &str = "ping";

/// Bedrock's word for a reason. `called` says whether the answer calls tools: OpenAI ends a forced call with `stop`.
fn word_of_finish(finish: Finish, called: bool, losses: &mut Losses) -> &'static str {
    match finish {
        Finish::Stop if called => "tool_use",
        Finish::Stop => "end_turn",
        Finish::StopSequence => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::ContextWindow => "model_context_window_exceeded",
        Finish::ContentFilter => "content_filtered",
        Finish::Refusal => {
            losses.add("change:stopReason", "a refusal became content_filtered");
            "content_filtered"
        }
        Finish::Pause | Finish::Other => {
            let why = if finish == Finish::Pause { "a paused turn" } else { "a reason unknown here" };
            let word = if called { "tool_use" } else { "end_turn" };
            losses.add("change:stopReason", &format!("{why} became {word}"));
            word
        }
    }
}

/// The tier of service in Bedrock's words; `None` where there is none. What the vendor decides itself is not asked for.
fn tier_of(dialect: Dialect, tier: &str) -> Option<&str> {
    match tier {
        _ if dialect == Dialect::BedrockConverse => Some(tier),
        "priority" | "flex" => Some(tier),
        "default" | "standard" | "standard_only" => Some("default"),
        _ => None,
    }
}
