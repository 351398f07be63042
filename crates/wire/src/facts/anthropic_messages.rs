//! Facts of anthropic-messages answers and streams.

use std::borrow::Cow;

use memchr::memmem;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Finish;
use serde::Deserialize;

use super::{Call, Facts, Seen, StreamError, TOOLS_MAX};
use crate::scan;
use crate::sse;
use crate::usage::AnthropicUsage;

/// Reads a stop reason (<https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>,
/// read 2026-11-22).
pub(crate) fn finish_of(reason: &str) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence,
        "max_tokens" => Finish::Length,
        "model_context_window_exceeded" => Finish::ContextWindow,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::Refusal,
        "pause_turn" => Finish::Pause,
        _ => Finish::Other,
    }
}

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct State {
    usage: AnthropicUsage,
    call: Option<Call>,
}

impl State {
    pub(super) fn event(&mut self, raw: &[u8], facts: &mut Facts) -> Seen {
        // Text deltas are nearly all events; they need only their length.
        if raw.starts_with(b"event: content_block_delta\n") && self.call.is_none() {
            let length = raw.len().saturating_sub(DELTA_FRAME) as u64;
            facts.output_bytes += length;
            // Reading the last byte is all that a damaged event costs here.
            let is_malformed = raw.trim_ascii_end().last() != Some(&b'}');
            return Seen { has_output: true, is_malformed, ..Seen::default() };
        }
        let event = sse::parse(raw);
        if !event.has_data {
            return Seen::default();
        }
        match serde_json::from_slice::<Event<'_>>(&event.data) {
            Ok(message) => self.take(message, facts),
            Err(error) => Seen::unparsed(&error),
        }
    }

    fn take(&mut self, event: Event<'_>, facts: &mut Facts) -> Seen {
        let mut seen = Seen::default();
        match event.class.as_ref() {
            "message_start" => {
                let Some(message) = event.message else { return seen };
                facts.answer.id = message.id.map(|id| id.into());
                facts.answer.model = message.model.map(|model| model.into());
                self.usage(message.usage, facts);
            }
            "content_block_start" => {
                self.end_call(facts);
                seen.has_output = true;
                if let Some(block) = event.content_block.filter(|block| block.class == "tool_use") {
                    self.call = Some(Call::new(block.name.unwrap_or_default().into_owned()));
                }
            }
            "content_block_delta" => {
                seen.has_output = true;
                if let (Some(call), Some(json)) =
                    (&mut self.call, event.delta.and_then(|delta| delta.partial_json))
                {
                    facts.output_bytes += json.len() as u64;
                    call.arguments(&json);
                }
            }
            "content_block_stop" => self.end_call(facts),
            "message_delta" => {
                let reason = event.delta.and_then(|delta| delta.stop_reason);
                if let Some(reason) = reason {
                    facts.answer.finish = Some(finish_of(&reason));
                }
                self.usage(event.usage, facts);
            }
            "message_stop" => facts.is_terminated = true,
            "error" => {
                let error = event.error.unwrap_or_default();
                facts.error = Some(StreamError { kind: error.kind(), message: error.message() });
            }
            _ => {}
        }
        seen
    }

    fn usage(&mut self, told: Option<AnthropicUsageAndTier<'_>>, facts: &mut Facts) {
        let Some(told) = told else { return };
        self.usage.update(&told.usage);
        facts.usage = Some(self.usage.into());
        if let Some(tier) = told.service_tier {
            facts.answer.service_tier = Some(tier.into());
        }
    }

    fn end_call(&mut self, facts: &mut Facts) {
        if let Some(call) = self.call.take()
            && facts.answer.tools.len() < TOOLS_MAX
        {
            facts.answer.tools.push(call.into_use());
        }
    }
}

/// Bytes of a text delta's event that are framing, about.
const DELTA_FRAME: usize = 116;

/// Reads an answer that is no stream.
pub(super) fn whole(body: &[u8], facts: &mut Facts) -> bool {
    let Ok(members) = scan::members(body) else { return false };
    let text = |name| {
        members.get(body, name).and_then(scan::text_value).map(|text| text.into_owned().into_boxed_str())
    };
    facts.answer.id = text("id");
    facts.answer.model = text("model");
    facts.answer.finish = text("stop_reason").map(|reason| finish_of(&reason));
    let usage = members.get(body, "usage").map(serde_json::from_slice::<AnthropicUsageAndTier<'_>>);
    if let Some(Ok(told)) = usage {
        facts.usage = Some(told.usage.into());
        facts.answer.service_tier = told.service_tier.map(|tier| tier.into());
    }
    if let Some(error) =
        members.get(body, "error").and_then(|error| serde_json::from_slice::<ErrorBody<'_>>(error).ok())
    {
        facts.error = Some(StreamError { kind: error.kind(), message: error.message() });
    }
    let Some(content) = members.get(body, "content") else { return facts.error.is_some() };
    facts.output_bytes = content.len() as u64;
    if memmem::find(content, b"\"tool_use\"").is_some() {
        let Ok(blocks) = serde_json::from_slice::<Vec<Block<'_>>>(content) else { return false };
        for block in blocks.into_iter().filter(|block| block.class == "tool_use").take(TOOLS_MAX) {
            let mut call = Call::new(block.name.unwrap_or_default().into_owned());
            call.arguments(block.input.map_or("", serde_json::value::RawValue::get));
            facts.answer.tools.push(call.into_use());
        }
    }
    content.starts_with(b"[")
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    class: Cow<'a, str>,
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(borrow, default)]
    content_block: Option<Block<'a>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    usage: Option<AnthropicUsageAndTier<'a>>,
    #[serde(borrow, default)]
    error: Option<ErrorBody<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    usage: Option<AnthropicUsageAndTier<'a>>,
}

#[derive(Deserialize)]
struct AnthropicUsageAndTier<'a> {
    #[serde(flatten)]
    usage: AnthropicUsage,
    #[serde(borrow, default)]
    service_tier: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, rename = "type")]
    class: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    input: Option<&'a serde_json::value::RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    partial_json: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
struct ErrorBody<'a> {
    #[serde(borrow, default, rename = "type")]
    class: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

impl ErrorBody<'_> {
    fn kind(&self) -> Kind {
        match self.class.as_deref() {
            Some("rate_limit_error") => Kind::RateLimited,
            Some("overloaded_error") => Kind::Overloaded,
            Some("timeout_error") => Kind::Timeout,
            _ => Kind::Vendor,
        }
    }

    fn message(&self) -> String {
        self.message.as_deref().unwrap_or("the vendor sent an error without a message").to_owned()
    }
}
