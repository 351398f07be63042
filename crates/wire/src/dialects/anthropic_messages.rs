//! Anthropic Messages: `POST /v1/messages`.
//!
//! Source: <https://github.com/anthropics/anthropic-sdk-python> 2.12 (its request and response types; the vendor
//! publishes no schema), looked up 2026-11-22.

mod answer;
mod error;
mod part;
mod request;
mod stream;

use pilothouse_core::conversation::{Answer, Origin, Request};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::{Finish, Note};
use pilothouse_core::id::ExchangeId;

pub(in crate::dialects) use part::write_input;
pub(in crate::dialects) use request::thinking;

use super::{FOREIGN_SIGNATURE, bad_answer};
use crate::codec::{AnswerContext, Codec, Losses, StreamDecoder, StreamEncoder, Target, VendorError};

/// The family of Claude's own signatures.
pub(in crate::dialects) const FAMILY: &str = "anthropic";

/// The codec of Anthropic Messages.
#[derive(Clone, Copy, Debug)]
pub struct AnthropicMessages;

impl Codec for AnthropicMessages {
    fn dialect(&self) -> Dialect {
        Dialect::AnthropicMessages
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

    fn encode_error(&self, error: &VendorError, exchange: Option<ExchangeId>) -> Vec<u8> {
        error::encode(error, exchange)
    }

    fn encode_stream_error(&self, error: &VendorError) -> Vec<u8> {
        let mut out = b"event: error\ndata: ".to_vec();
        out.extend_from_slice(&error::encode(error, None));
        out.extend_from_slice(b"\n\n");
        out
    }

    fn keep_alive(&self) -> &'static [u8] {
        b"event: ping\ndata: {\"type\": \"ping\"}\n\n"
    }
}

/// The reason behind Anthropic's word.
fn finish_of_word(word: &str) -> Finish {
    match word {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence,
        "max_tokens" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "pause_turn" => Finish::Pause,
        "refusal" => Finish::Refusal,
        "model_context_window_exceeded" => Finish::ContextWindow,
        _ => Finish::Other,
    }
}

/// Anthropic's word for a reason. `called` says whether the answer calls tools: OpenAI ends a forced call with
/// `stop`, where an Anthropic client would not run the tool unless it reads `tool_use`.
fn word_of_finish(finish: Finish, called: bool) -> &'static str {
    match finish {
        Finish::Stop | Finish::Other if called => "tool_use",
        Finish::Stop | Finish::Other => "end_turn",
        Finish::StopSequence => "stop_sequence",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::Pause => "pause_turn",
        Finish::ContentFilter | Finish::Refusal => "refusal",
        Finish::ContextWindow => "model_context_window_exceeded",
    }
}

/// Notes reasons that this dialect can only approximate.
fn note_finish(finish: Finish, losses: &mut Losses) {
    match finish {
        Finish::ContentFilter => losses.add("change:stop_reason", "content_filter became refusal"),
        Finish::Other => {
            losses.add("change:stop_reason", "a reason that this dialect does not know became end_turn");
        }
        _ => {}
    }
}

/// The signature that reasoning of another origin gets, so that it is told apart when it comes back: the family
/// that wrote it and, behind a colon, that family's own proof where there is one.
pub(in crate::dialects) fn foreign_signature(origin: &Origin, proof: Option<&str>) -> String {
    match proof {
        Some(proof) => format!("{FOREIGN_SIGNATURE}{}:{proof}", origin.family),
        None => format!("{FOREIGN_SIGNATURE}{}", origin.family),
    }
}

/// Who wrote reasoning of that signature, and the signature if it is one. A client that adds the pieces of a stream up has
/// our mark twice; the last one is whole.
pub(in crate::dialects) fn origin_of(signature: Option<Box<str>>) -> (Origin, Option<Box<str>>) {
    let marked = signature.as_deref().filter(|text| text.starts_with(FOREIGN_SIGNATURE));
    match marked.and_then(|text| text.rsplit(FOREIGN_SIGNATURE).next()) {
        Some(foreign) => match foreign.split_once(':') {
            Some((family, proof)) => (Origin::of(family), Some(proof.into())),
            None => (Origin::of(foreign), None),
        },
        None => (Origin::of(FAMILY), signature.filter(|text| !text.is_empty())),
    }
}
