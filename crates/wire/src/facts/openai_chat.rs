//! Facts of openai-chat answers and streams.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Finish;
use serde::Deserialize;

use super::{Call, Facts, Seen, StreamError, TOOLS_MAX, value_after};
use crate::scan::{self, ScanError};
use crate::sse;
use crate::usage::OpenaiUsage;
use crate::walk::Walk;

static FINISH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"finish_reason\""));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usage\""));
static CONTENT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"content\""));

/// Reads a finish reason (<https://platform.openai.com/docs/api-reference/chat/object>, read 2026-11-22).
pub(crate) fn finish_of(reason: &str) -> Finish {
    match reason {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        _ => Finish::Other,
    }
}

/// The state of one stream.
#[derive(Debug)]
pub(super) struct State {
    hide_usage: bool,
    has_started: bool,
    /// Calls by (choice, index), in the order in which they began.
    calls: Vec<((u64, u64), Call)>,
    is_refused: bool,
}

impl State {
    pub(super) const fn new(hide_usage: bool) -> Self {
        Self { hide_usage, has_started: false, calls: Vec::new(), is_refused: false }
    }

    pub(super) fn event(&mut self, raw: &[u8], facts: &mut Facts) -> Seen {
        // The usual event is one `data: {…}` line; anything else goes through the full reader.
        let event;
        let data = match raw.strip_prefix(b"data: ") {
            Some(rest) if !rest[..rest.len().saturating_sub(4)].contains(&b'\n') => rest.trim_ascii_end(),
            _ => {
                event = sse::parse(raw);
                event.data.trim_ascii()
            }
        };
        if data.is_empty() {
            return Seen::default();
        }
        if data == b"[DONE]" {
            facts.is_terminated = true;
            return Seen::default();
        }
        if self.has_started && !tells_something(data) {
            let length = content_length(data);
            facts.output_bytes += length;
            let is_malformed = data.last() != Some(&b'}');
            return Seen { has_output: length > 0, is_malformed, ..Seen::default() };
        }
        self.has_started = true;
        self.parse(data, facts)
    }

    fn parse(&mut self, data: &[u8], facts: &mut Facts) -> Seen {
        let chunk = match serde_json::from_slice::<Chunk<'_>>(data) {
            Ok(chunk) => chunk,
            Err(error) => return Seen::unparsed(&error),
        };
        let is_usage_only = chunk.usage.is_some() && chunk.choices.as_ref().is_none_or(Vec::is_empty);
        let mut seen = Seen { is_unasked: self.hide_usage && is_usage_only, ..Seen::default() };
        if let Some(error) = chunk.error {
            facts.error = Some(StreamError { kind: error.kind(), message: error.message() });
        }
        keep(&mut facts.answer.id, chunk.id);
        keep(&mut facts.answer.model, chunk.model);
        if let Some(tier) = chunk.service_tier {
            facts.answer.service_tier = Some(tier.into());
        }
        if let Some(usage) = chunk.usage {
            facts.usage = Some(usage.into());
        }
        for choice in chunk.choices.into_iter().flatten() {
            if let Some(reason) = choice.finish_reason {
                facts.answer.finish = Some(finish_of(&reason));
            }
            // Legacy completions have their text where chats have a delta.
            let written = choice.text.as_ref().map_or(0, |text| text.len() as u64);
            facts.output_bytes += written;
            seen.has_output |= written > 0;
            let Some(delta) = choice.delta else { continue };
            let mut output = 0;
            for text in [&delta.content, &delta.reasoning_content, &delta.refusal] {
                output += text.as_ref().map_or(0, |text| text.len() as u64);
            }
            self.is_refused |= delta.refusal.is_some_and(|text| !text.is_empty());
            for call in delta.tool_calls.into_iter().flatten() {
                output += self.call((choice.index, call.index.unwrap_or_default()), call.function);
            }
            facts.output_bytes += output;
            seen.has_output |= output > 0;
        }
        seen
    }

    /// Takes a fragment of a tool call and returns how many bytes of output it was.
    fn call(&mut self, place: (u64, u64), function: Option<Function<'_>>) -> u64 {
        let Some(function) = function else { return 0 };
        let known = self.calls.iter().position(|(known, _)| *known == place);
        if known.is_none() {
            if self.calls.len() == TOOLS_MAX {
                return 0;
            }
            self.calls.push((place, Call::new(String::new())));
        }
        let at = known.unwrap_or(self.calls.len() - 1);
        let call = &mut self.calls[at].1;
        let (name, arguments) = (function.name.unwrap_or_default(), function.arguments.unwrap_or_default());
        call.name.push_str(&name);
        call.arguments(&arguments);
        (name.len() + arguments.len()) as u64
    }

    pub(super) fn finish(&mut self, facts: &mut Facts) {
        if self.is_refused && facts.answer.finish == Some(Finish::Stop) {
            facts.answer.finish = Some(Finish::Refusal);
        }
        let calls = std::mem::take(&mut self.calls);
        facts.answer.tools.extend(calls.into_iter().map(|(_, call)| call.into_use()));
    }
}

fn keep(place: &mut Option<Box<str>>, told: Option<Cow<'_, str>>) {
    if place.is_none() {
        *place = told.filter(|told| !told.is_empty()).map(|told| told.into());
    }
}

/// Whether an event holds more than a piece of text.
fn tells_something(data: &[u8]) -> bool {
    let is_set = |finder: &Finder<'_>, name: usize| {
        finder
            .find(data)
            .is_some_and(|at| !value_after(data, at + name).is_some_and(|value| value.starts_with(b"null")))
    };
    // Every choice's chunk ends with its finish reason, so the search from the end is short.
    is_set(&FINISH, 15)
        || is_set(&USAGE, 7)
        || !data.starts_with(b"{\"id\"")
            && !data.starts_with(b"{\"choices\"")
            && !data.starts_with(b"{\"object\"")
        || content_length(data) == 0
}

/// Bytes of the first `content` string of a chunk, escapes included.
fn content_length(data: &[u8]) -> u64 {
    let Some(at) = CONTENT.find(data) else { return 0 };
    let Some(value) = value_after(data, at + 9) else { return 0 };
    if value.first() != Some(&b'"') {
        return 0;
    }
    scan::skip_string(value, 0).map_or(0, |end| end as u64 - 2)
}

/// Reads an answer that is no stream. Every byte is looked at once.
pub(super) fn whole(body: &[u8], facts: &mut Facts) -> bool {
    let mut whole = Whole { facts, has_choices: false, has_data: false, is_refused: false };
    let mut walk = Walk::new(body);
    let is_walked = body.get(walk.at()) == Some(&b'{')
        && walk.object(|walk, name| whole.member(walk, name)).is_ok()
        && walk.is_at_end();
    if !is_walked {
        return false;
    }
    let answer = &mut whole.facts.answer;
    if whole.is_refused && answer.finish == Some(Finish::Stop) {
        answer.finish = Some(Finish::Refusal);
    }
    // An embeddings answer has `data` instead of choices.
    whole.has_choices || whole.has_data || whole.facts.error.is_some()
}

/// What is known of an answer that is being walked through.
struct Whole<'f> {
    facts: &'f mut Facts,
    has_choices: bool,
    has_data: bool,
    is_refused: bool,
}

impl Whole<'_> {
    fn member(&mut self, walk: &mut Walk<'_>, name: &[u8]) -> Result<(), ScanError> {
        let answer = &mut self.facts.answer;
        match name {
            b"id" => answer.id = walk.text()?.map(Into::into),
            b"model" => answer.model = walk.text()?.map(Into::into),
            b"service_tier" => answer.service_tier = walk.text()?.map(Into::into),
            b"usage" => self.facts.usage = OpenaiUsage::walk(walk)?.map(Into::into),
            b"error" => {
                let error = serde_json::from_slice::<ErrorBody<'_>>(walk.skip()?).ok();
                self.facts.error =
                    error.map(|error| StreamError { kind: error.kind(), message: error.message() });
            }
            b"choices" => {
                let start = walk.at();
                walk.array(|walk| walk.object(|walk, name| self.choice(walk, name)))?;
                let choices = walk.passed_since(start);
                self.has_choices = choices.starts_with(b"[");
                self.facts.output_bytes = choices.len() as u64;
            }
            b"data" => {
                walk.skip()?;
                self.has_data = true;
            }
            _ => drop(walk.skip()?),
        }
        Ok(())
    }

    fn choice(&mut self, walk: &mut Walk<'_>, name: &[u8]) -> Result<(), ScanError> {
        match name {
            b"finish_reason" => {
                if let Some(reason) = walk.text()? {
                    self.facts.answer.finish = Some(finish_of(&reason));
                }
                Ok(())
            }
            b"message" => walk.object(|walk, name| match name {
                b"refusal" => {
                    self.is_refused |= walk.text()?.is_some_and(|text| !text.is_empty());
                    Ok(())
                }
                b"tool_calls" => walk.array(|walk| self.tool_call(walk)),
                _ => walk.skip().map(drop),
            }),
            _ => walk.skip().map(drop),
        }
    }

    fn tool_call(&mut self, walk: &mut Walk<'_>) -> Result<(), ScanError> {
        let mut call = None;
        walk.object(|walk, name| match name {
            b"function" => {
                let (mut name, mut arguments) = (Cow::default(), Cow::default());
                walk.object(|walk, member| {
                    match member {
                        b"name" => name = walk.text()?.unwrap_or_default(),
                        b"arguments" => arguments = walk.text()?.unwrap_or_default(),
                        _ => drop(walk.skip()?),
                    }
                    Ok(())
                })?;
                let mut function = Call::new(name.into_owned());
                function.arguments(&arguments);
                call = Some(function);
                Ok(())
            }
            _ => walk.skip().map(drop),
        })?;
        if let Some(call) = call.filter(|_| self.facts.answer.tools.len() < TOOLS_MAX) {
            self.facts.answer.tools.push(call.into_use());
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<OpenaiUsage>,
    #[serde(borrow, default)]
    error: Option<ErrorBody<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u64,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, default, alias = "reasoning")]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    refusal: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arguments: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ErrorBody<'a> {
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    class: Option<Cow<'a, str>>,
}

impl ErrorBody<'_> {
    fn kind(&self) -> Kind {
        match self.class.as_deref() {
            Some("rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota") => Kind::RateLimited,
            Some("overloaded_error") => Kind::Overloaded,
            _ => Kind::Vendor,
        }
    }

    fn message(&self) -> String {
        self.message.as_deref().unwrap_or("the vendor sent an error without a message").to_owned()
    }
}
