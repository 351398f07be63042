//! Google Gemini: `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent` and `:countTokens`.
//!
//! Model and stream stand in the URL: see [`crate::path`]. Sources: <https://ai.google.dev/api/generate-content>;
//! `types.py` of <https://github.com/googleapis/python-genai> 3.4 and `genai.d.ts` of
//! <https://github.com/googleapis/js-genai> 2.32, looked up 2026-11-23. Requests are read in camelCase and in
//! snake_case, as Google's servers do.
//!
//! A thought signature may stand on any part. In the canonical form it is a piece of reasoning of its own beside
//! the part that it stands on, so that other dialects can carry it: see `signature.rs`.

mod answer;
mod count;
mod error;
mod frame;
mod grounding;
mod ids;
mod logprobs;
mod part;
mod request;
mod schema;
mod signature;
mod stream;

use pilothouse_core::conversation::{Answer, Request};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::{Finish, Note};
use pilothouse_core::id::ExchangeId;

pub use count::{decode_count, decode_count_request, encode_count, encode_count_request};
pub use error::retry_delay_ms;
pub use frame::ArrayFrame;

use super::bad_answer;
use crate::codec::{AnswerContext, Codec, Losses, StreamDecoder, StreamEncoder, Target, VendorError};

/// The family of Gemini's own signatures.
const FAMILY: &str = "google";

/// The codec of Google's generateContent.
///
/// A decoded request has no model and is no stream until [`crate::path::GeminiCall::complete`] has told it so.
#[derive(Clone, Copy, Debug)]
pub struct GeminiGenerate;

impl Codec for GeminiGenerate {
    fn dialect(&self) -> Dialect {
        Dialect::GeminiGenerate
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
        answer::decode(body).map_err(bad_answer)
    }

    fn encode_answer(&self, answer: &Answer, context: &AnswerContext<'_>, losses: &mut Vec<Note>) -> Vec<u8> {
        let mut found = Losses::default();
        let body = answer::encode(answer, context, &mut found);
        losses.extend(found.notes());
        body
    }

    fn stream_decoder(&self) -> Box<dyn StreamDecoder + Send> {
        Box::new(stream::decode::Decoder::default())
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
        let mut out = b"data: ".to_vec();
        out.extend_from_slice(&error::encode(error));
        out.extend_from_slice(b"\n\n");
        out
    }

    /// An empty line: the Python SDK takes a comment for a part of the answer and fails
    /// (`_api_client.py` of <https://github.com/googleapis/python-genai> 3.4, `_iter_response_stream`).
    fn keep_alive(&self) -> &'static [u8] {
        b"\n"
    }
}

/// Google's word for a reason. `losses` learns of reasons that this dialect can only approximate.
fn word_of_finish(finish: Finish, losses: &mut Losses) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence | Finish::ToolCalls => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::ContextWindow => {
            losses.add("change:finishReason", "context window exceeded became MAX_TOKENS");
            "MAX_TOKENS"
        }
        Finish::ContentFilter | Finish::Refusal => "SAFETY",
        Finish::Pause => {
            losses.add("change:finishReason", "a paused turn became STOP");
            "STOP"
        }
        Finish::Other => {
            losses.add("change:finishReason", "a reason that this dialect does not know became OTHER");
            "OTHER"
        }
    }
}

/// The tier of service in Google's words; `None` where there is none.
fn tier_of(dialect: Dialect, tier: &str) -> Option<&str> {
    match tier {
        _ if dialect == Dialect::GeminiGenerate => Some(tier),
        "flex" | "priority" => Some(tier),
        "default" | "standard" | "standard_only" => Some("standard"),
        _ => None,
    }
}
