//! Facts of bedrock-converse answers and streams.

use std::borrow::Cow;

use memchr::{memchr2, memmem};
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Finish;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Call, Facts, Seen, StreamError, TOOLS_MAX};
use crate::framing::{ERROR, Framing};
use crate::scan;
use crate::usage::BedrockUsage;

/// Reads a stop reason (`StopReason` of the service model `bedrock-runtime` 2023-09-30 in
/// <https://github.com/boto/botocore> 1.44, read 2026-11-23). Anthropic's own words, which that model does not list,
/// are read too.
pub(crate) fn finish_of(reason: &str) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence,
        "max_tokens" => Finish::Length,
        "model_context_window_exceeded" => Finish::ContextWindow,
        "tool_use" => Finish::ToolCalls,
        "guardrail_intervened" | "content_filtered" => Finish::ContentFilter,
        "refusal" => Finish::Refusal,
        "pause_turn" => Finish::Pause,
        _ => Finish::Other,
    }
}

/// The class of an exception in a stream.
pub(crate) fn kind_of(exception: &str) -> Kind {
    match exception {
        "throttlingException" => Kind::RateLimited,
        "serviceUnavailableException" => Kind::Overloaded,
        "modelTimeoutException" => Kind::Timeout,
        _ => Kind::Vendor,
    }
}

/// Whether an event of that name says that the stream failed.
pub(crate) fn is_failure(name: &str) -> bool {
    name == ERROR || name.ends_with("Exception")
}

/// A call whose block is open.
#[derive(Debug)]
struct Open {
    index: u32,
    call: Call,
    /// Whether arguments have come.
    has_input: bool,
}

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Calls whose blocks are open, by the block's index.
    calls: Vec<Open>,
    /// The last event has come.
    has_metadata: bool,
}

impl State {
    /// Whether nothing follows: the usage comes behind the reason for the end.
    pub(super) const fn has_metadata(&self) -> bool {
        self.has_metadata
    }

    pub(super) fn event(&mut self, raw: &[u8], facts: &mut Facts) -> Seen {
        let Ok(event) = Framing::EventStream.parse(raw) else {
            return Seen { is_malformed: true, ..Seen::default() };
        };
        let name = event.name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
        match name {
            "contentBlockDelta" if self.calls.is_empty() => {
                facts.output_bytes += text_length(&event.data);
                Seen { has_output: true, ..Seen::default() }
            }
            "contentBlockStart" | "contentBlockDelta" | "contentBlockStop" | "messageStop" | "metadata" => {
                match serde_json::from_slice::<Event<'_>>(&event.data) {
                    Ok(data) => self.take(name, data, facts),
                    Err(error) => Seen::unparsed(&error),
                }
            }
            failure if is_failure(failure) => {
                let told = serde_json::from_slice::<Failure<'_>>(&event.data).unwrap_or_default();
                facts.error = Some(StreamError { kind: kind_of(failure), message: told.message(failure) });
                Seen::default()
            }
            _ => Seen::default(),
        }
    }

    fn take(&mut self, name: &str, event: Event<'_>, facts: &mut Facts) -> Seen {
        let index = event.content_block_index.unwrap_or_default();
        match name {
            "contentBlockStart" => {
                let call = event.start.and_then(|start| start.tool_use);
                if let Some(call) = call.filter(|call| call.kind.is_none() && self.calls.len() < TOOLS_MAX) {
                    let call = Call::new(call.name.unwrap_or_default().into_owned());
                    self.calls.push(Open { index, call, has_input: false });
                }
                return Seen { has_output: true, ..Seen::default() };
            }
            "contentBlockDelta" => {
                let input = event.delta.and_then(|delta| delta.tool_use).and_then(|call| call.input);
                let open = self.calls.iter_mut().find(|open| open.index == index);
                if let (Some(open), Some(input)) = (open, input) {
                    facts.output_bytes += input.len() as u64;
                    open.has_input |= !input.is_empty();
                    open.call.arguments(&input);
                }
                return Seen { has_output: true, ..Seen::default() };
            }
            "contentBlockStop" => {
                if let Some(at) = self.calls.iter().position(|open| open.index == index) {
                    let Open { mut call, has_input, .. } = self.calls.remove(at);
                    if !has_input {
                        // As a whole answer says it.
                        call.arguments("{}");
                    }
                    if facts.answer.tools.len() < TOOLS_MAX {
                        facts.answer.tools.push(call.into_use());
                    }
                }
            }
            "messageStop" => {
                facts.answer.finish = event.stop_reason.as_deref().map(finish_of);
                facts.is_terminated = true;
            }
            _ => {
                facts.usage = event.usage.map(Into::into).or(facts.usage);
                facts.answer.service_tier =
                    event.service_tier.and_then(|tier| tier.kind).map(|tier| tier.into());
                self.has_metadata = true;
            }
        }
        Seen::default()
    }
}

/// Bytes of the text in a delta. Events are padded to hide their length, so that this is looked for.
fn text_length(data: &[u8]) -> u64 {
    const TEXT: &[u8] = b"\"text\":\"";
    let Some(start) = memmem::find(data, TEXT).map(|at| at + TEXT.len()) else { return 0 };
    let mut at = start;
    while let Some(found) = memchr2(b'"', b'\\', data.get(at..).unwrap_or_default()) {
        if data[at + found] == b'"' {
            return (at + found - start) as u64;
        }
        at += found + 2;
    }
    0
}

/// Reads an answer that is no stream.
pub(super) fn whole(body: &[u8], facts: &mut Facts) -> bool {
    let Ok(members) = scan::members(body) else { return false };
    let text = |name| members.get(body, name).and_then(scan::text_value);
    facts.answer.finish = text("stopReason").map(|reason| finish_of(&reason));
    let usage = members.get(body, "usage").map(serde_json::from_slice::<BedrockUsage>);
    facts.usage = usage.and_then(Result::ok).map(Into::into);
    let tier = members.get(body, "serviceTier").map(serde_json::from_slice::<Tier<'_>>);
    facts.answer.service_tier = tier.and_then(Result::ok).and_then(|tier| tier.kind).map(|tier| tier.into());
    let Some(output) = members.get(body, "output") else { return false };
    facts.output_bytes = output.len() as u64;
    if memmem::find(output, b"\"toolUse\"").is_some() {
        let Ok(output) = serde_json::from_slice::<Output<'_>>(output) else { return false };
        let blocks = output.message.map(|message| message.content).unwrap_or_default();
        let calls = blocks.into_iter().filter_map(|block| block.tool_use);
        for called in calls.filter(|call| call.kind.is_none()).take(TOOLS_MAX) {
            let mut call = Call::new(called.name.unwrap_or_default().into_owned());
            call.arguments(called.input.map_or("", RawValue::get));
            facts.answer.tools.push(call.into_use());
        }
    }
    output.starts_with(b"{")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(default)]
    content_block_index: Option<u32>,
    #[serde(borrow, default)]
    start: Option<Start<'a>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(default)]
    usage: Option<BedrockUsage>,
    #[serde(borrow, default)]
    service_tier: Option<Tier<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    #[serde(borrow, default)]
    tool_use: Option<Named<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delta<'a> {
    #[serde(borrow, default)]
    tool_use: Option<Piece<'a>>,
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, default)]
    input: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Tier<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow, default)]
    message: Option<Said<'a>>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    content: Vec<Block<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block<'a> {
    #[serde(borrow, default)]
    tool_use: Option<Called<'a>>,
}

#[derive(Deserialize)]
struct Called<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    #[serde(borrow, default, alias = "Message")]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    original_message: Option<Cow<'a, str>>,
}

impl Failure<'_> {
    fn message(&self, name: &str) -> String {
        let told =
            [&self.message, &self.original_message].into_iter().flatten().find(|text| !text.is_empty());
        told.map_or_else(|| format!("the vendor's stream failed with `{name}`"), |text| text.to_string())
    }
}
