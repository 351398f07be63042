//! OpenAI Chat Completions: `POST /v1/chat/completions`.
//!
//! Sources: <https://github.com/openai/openai-openapi> at f85dbe2, <https://github.com/openai/openai-python>
//! 3.54, looked up 2026-11-22. Extensions of other servers that are read and written: `reasoning_content`
//! (DeepSeek, vLLM, SGLang), `reasoning` in answers, `top_k`, `cache_control` on parts.

pub(super) mod answer;
pub(super) mod error;
pub(super) mod part;
mod request;
mod stream;

use pilothouse_core::conversation::{Answer, Request};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::{Finish, Note};
use pilothouse_core::id::ExchangeId;

use super::bad_answer;
use crate::codec::{AnswerContext, Codec, Losses, StreamDecoder, StreamEncoder, Target, VendorError};

/// The codec of OpenAI Chat Completions.
#[derive(Clone, Copy, Debug)]
pub struct OpenaiChat;

impl Codec for OpenaiChat {
    fn dialect(&self) -> Dialect {
        Dialect::OpenaiChat
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

    fn keep_alive(&self) -> &'static [u8] {
        b": ping\n\n"
    }
}

/// The reason behind OpenAI's word. `refused` says whether the message holds a refusal.
fn finish_of_word(word: &str, refused: bool) -> Finish {
    match word {
        "stop" | "content_filter" if refused => Finish::Refusal,
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        _ => Finish::Other,
    }
}

/// OpenAI's word for a reason.
///
/// A refusal ends with `content_filter`, so that a client that looks only at the reason does not take it for an
/// answer; its words are in `message.refusal`. A paused turn has no word; `stop` lets the client go on.
fn word_of_finish(finish: Finish, legacy_functions: bool) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence | Finish::Pause | Finish::Other => "stop",
        Finish::Length | Finish::ContextWindow => "length",
        Finish::ToolCalls if legacy_functions => "function_call",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter | Finish::Refusal => "content_filter",
    }
}

/// The tier of service in OpenAI's words.
pub(super) fn tier_of_answer(dialect: Dialect, tier: &str) -> Option<&str> {
    match (dialect, tier) {
        (Dialect::AnthropicMessages, "standard") => Some("default"),
        (Dialect::AnthropicMessages, "priority") => Some("priority"),
        (Dialect::AnthropicMessages, _) => None,
        (_, same) => Some(same),
    }
}
