//! OpenAI Responses: `POST /v1/responses`.
//!
//! Sources: <https://github.com/openai/openai-openapi> at f85dbe2, <https://github.com/openai/openai-python> 3.54
//! (`types/responses`), looked up 2026-11-23. An answer is a list of items; each item becomes one part or, for
//! messages, one part per piece of content, and carries what else it has under a name of its own, so that the
//! same items come back when this dialect is written.

mod answer;
mod content;
mod custom;
mod envelope;
mod error;
mod item;
mod request;
mod stream;

use pilothouse_core::conversation::{Answer, Request, Rest};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::{Finish, Note};
use pilothouse_core::id::ExchangeId;

use crate::codec::{AnswerContext, Codec, Losses, StreamDecoder, StreamEncoder, Target, VendorError};
use crate::json::reread;

pub(crate) use custom::nested_custom;

/// The family of this dialect's own encrypted reasoning.
const FAMILY: &str = "openai";

/// Members of a request that mean the same in OpenAI's chat completions
/// (`ModelResponseProperties` and others of the vendor's OpenAPI document, read 2026-11-23).
pub(crate) const SHARED_MEMBERS: [&str; 5] =
    ["verbosity", "safety_identifier", "prompt_cache_retention", "prompt_cache_options", "moderation"];

/// The codec of OpenAI Responses.
#[derive(Clone, Copy, Debug)]
pub struct OpenaiResponses;

impl Codec for OpenaiResponses {
    fn dialect(&self) -> Dialect {
        Dialect::OpenaiResponses
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

    fn echoed(&self, body: &[u8]) -> Rest {
        envelope::echoed(body)
    }

    fn decode_answer(&self, body: &[u8]) -> Result<Answer, Error> {
        answer::decode::decode(body)
    }

    fn encode_answer(&self, answer: &Answer, context: &AnswerContext<'_>, losses: &mut Vec<Note>) -> Vec<u8> {
        let mut found = Losses::default();
        let body = answer::encode::encode(answer, context, &mut found);
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
        super::openai_chat::error::status(error)
    }

    fn encode_error(&self, error: &VendorError, _exchange: Option<ExchangeId>) -> Vec<u8> {
        super::openai_chat::error::encode(error)
    }

    fn encode_stream_error(&self, error: &VendorError) -> Vec<u8> {
        error::encode_event(error)
    }

    fn keep_alive(&self) -> &'static [u8] {
        b": ping\n\n"
    }
}

/// How an answer ended, as its status and the reason of an incomplete one say, and what it holds.
fn finish_of(word: &str, called: bool, refused: bool) -> Finish {
    match word {
        COMPLETED if refused => Finish::Refusal,
        COMPLETED if called => Finish::ToolCalls,
        COMPLETED => Finish::Stop,
        "max_output_tokens" => Finish::Length,
        "content_filter" => Finish::ContentFilter,
        _ => Finish::Other,
    }
}

/// The status, and with it the word, of an answer that is whole.
const COMPLETED: &str = "completed";
/// The word where an incomplete answer gives no reason.
const INCOMPLETE: &str = "incomplete";

/// The word of an answer: its status, or why it is incomplete.
fn word_of(status: Option<&str>, reason: Option<Box<str>>) -> Box<str> {
    match status {
        Some(INCOMPLETE) => reason.unwrap_or_else(|| INCOMPLETE.into()),
        _ => COMPLETED.into(),
    }
}

/// This dialect's word for a reason of another one.
fn word_of_finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length | Finish::ContextWindow => "max_output_tokens",
        Finish::ContentFilter => "content_filter",
        _ => COMPLETED,
    }
}

/// Notes reasons that this dialect can only approximate.
fn note_finish(finish: Finish, losses: &mut Losses) {
    let became = match finish {
        Finish::StopSequence => "stop_sequence became completed",
        Finish::Pause => "pause_turn became completed",
        Finish::ContextWindow => "context window exceeded became max_output_tokens",
        Finish::Other => "a reason that this dialect does not know became completed",
        _ => return,
    };
    losses.add("change:status", became);
}

/// Raw JSON of what `write` writes; `None` never, unless a writer is broken.
fn raw_of(write: impl FnOnce(&mut Vec<u8>)) -> Option<pilothouse_core::conversation::Raw> {
    let mut out = Vec::new();
    write(&mut out);
    pilothouse_core::conversation::Raw::parse(std::str::from_utf8(&out).ok()?)
}

/// The members of raw JSON that was kept, if it is an object.
fn kept(raw: &pilothouse_core::conversation::Raw) -> Option<crate::json::Members<'_>> {
    reread(raw).and_then(crate::json::Members::of)
}
