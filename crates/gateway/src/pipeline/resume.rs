//! Continuing a stream that broke off: another call to the same target, with the text so far to go on from.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use pilothouse_catalog::Support;
use pilothouse_core::conversation::{Request, Role};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_upstream::Body;
use pilothouse_wire::codec::StreamDecoder;
use pilothouse_wire::framing::Framing;
use serde_json::{Value, json};

use super::attempt::{Outgoing, send};
use super::choose::Choice;
use super::error_codec;
use super::relay::{Extra, is_stream_of};
use crate::endpoints::Call;
use crate::job::Aside;
use crate::shared::Worker;

/// Most calls that continue one stream.
pub(crate) const RESUMPTIONS_MAX: u8 = 2;

/// What another call needs that continues a stream.
pub(crate) struct Source {
    worker: Arc<Worker>,
    choice: Choice,
    /// The request as it was sent.
    sent: Value,
    tail: String,
    extra: Extra,
}

/// A call that continues a stream, on its way.
pub(crate) type Coming = Pin<Box<dyn Future<Output = (Result<Body, Error>, Aside)> + Send>>;

/// Whether a target goes on from a text that it is given, as the catalogue knows it and its dialect can say it.
pub(super) fn can_resume(choice: &Choice) -> bool {
    let known = choice.resolution.target.known.as_ref();
    let dialect = choice.surface_dialect();
    matches!(dialect, Dialect::AnthropicMessages | Dialect::BedrockConverse)
        && known.is_some_and(|model| model.capability("prefill") == Support::Yes)
        && choice.codec_target().quirks.prefill
}

/// Whether an answer to a request may be plain text that a model can go on with: no form that it must have as a whole, no
/// reasoning before it, no beginning of the client's own.
pub(super) fn is_plain(request: &Request) -> bool {
    let ends_with_user = request.messages.last().is_some_and(|last| last.role != Role::Assistant);
    ends_with_user
        && request.output_format.is_none()
        && request.reasoning.is_empty()
        && request.logprobs.is_none()
        && request.thread.is_none()
        && request.n.is_none_or(|n| n == 1)
}

impl Source {
    /// What a call needs that continues the answer to the one that sends `body`.
    pub(super) fn of(
        worker: &Arc<Worker>,
        choice: &Choice,
        body: &Bytes,
        tail: &str,
        extra: &Extra,
    ) -> Option<Box<Self>> {
        let sent: Value = serde_json::from_slice(body).ok()?;
        // Thinking would have to come before the text, and cannot be given.
        if sent.get("thinking").is_some() || !sent["messages"].is_array() {
            return None;
        }
        Some(Box::new(Self {
            worker: Arc::clone(worker),
            choice: choice.clone(),
            sent,
            tail: tail.to_owned(),
            extra: extra.clone(),
        }))
    }

    /// Whether another call may add to the target's load.
    pub(crate) fn may_ask(&self) -> bool {
        let now = self.worker.shared.clock.now();
        !self.choice.provider().has_breaker || self.choice.resolution.target.health.retries.take(now)
    }

    /// Tokens that a call takes which goes on from `text`: of its input, about, and of its output, at most.
    pub(crate) fn tokens(&self, text: &str) -> (u64, u64) {
        let target = &self.choice.resolution.target;
        let body_bytes = self.sent.to_string().len() + text.len();
        let input = pilothouse_tokens::estimate_output(body_bytes as u64, &target.real);
        let most = self.limit().or_else(|| target.known.as_ref().and_then(|known| known.output_tokens_max()));
        (input, most.unwrap_or(u64::from(u16::MAX)).saturating_sub(self.written(text)).max(1))
    }

    fn written(&self, text: &str) -> u64 {
        pilothouse_tokens::estimate_output(text.len() as u64, &self.choice.resolution.target.real)
    }

    fn limit(&self) -> Option<u64> {
        let sent = &self.sent;
        sent["max_tokens"].as_u64().or_else(|| sent["inferenceConfig"]["maxTokens"].as_u64())
    }

    /// Reads the events of a stream of it.
    pub(crate) fn decoder(&self) -> Box<dyn StreamDecoder + Send> {
        error_codec(self.choice.surface_dialect()).stream_decoder_of(&self.choice.resolution.target.model)
    }

    /// The request that goes on from `text`.
    fn body(&self, text: &str) -> Vec<u8> {
        let mut body = self.sent.clone();
        let part = match self.choice.surface_dialect() {
            Dialect::BedrockConverse => json!({"text": text}),
            _ => json!({"type": "text", "text": text}),
        };
        if let Some(messages) = body["messages"].as_array_mut() {
            messages.push(json!({"role": "assistant", "content": [part]}));
        }
        // What has been written counts: both together must not be longer than was asked for.
        if let Some(limit) = self.limit() {
            let left = json!(limit.saturating_sub(self.written(text)).max(1));
            let place =
                if body["max_tokens"].is_u64() { "/max_tokens" } else { "/inferenceConfig/maxTokens" };
            if let Some(place) = body.pointer_mut(place) {
                *place = left;
            }
        }
        body.to_string().into_bytes()
    }

    /// Asks the target to go on from `text`.
    pub(crate) fn ask(&self, text: &str, mut aside: Aside) -> Coming {
        let (worker, choice) = (Arc::clone(&self.worker), self.choice.clone());
        let (body, tail, extra) = (self.body(text), self.tail.clone(), self.extra.clone());
        Box::pin(async move {
            let outgoing = Outgoing {
                call: Call::Chat,
                tail: &tail,
                extra: &extra,
                body: &[&body],
                sdk_retries: 0,
                retries: Some(0),
                is_on_route: true,
            };
            let answer = send(&worker, &choice, &outgoing, &mut aside).await;
            let framing = Framing::of(choice.surface_dialect());
            let answer = answer.and_then(|answer| {
                let is_stream = answer.status.is_success() && is_stream_of(framing, &answer.headers);
                if is_stream {
                    return Ok(answer.body);
                }
                let public = format!("`{}` does not go on: {}", choice.provider().name, answer.status);
                Err(Error::new(Kind::Vendor, public))
            });
            (answer, aside)
        })
    }
}
