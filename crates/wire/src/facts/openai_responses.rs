//! Facts of openai-responses answers and streams.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Finish;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Call, Facts, Seen, StreamError, TOOLS_MAX, value_after};
use crate::scan;
use crate::sse;
use crate::usage::ResponsesUsage;

static DELTA: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"delta\""));
static TYPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"type\""));

/// Events of one answer's calls that are kept apart.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Calls by the place of their item, in the order in which they began, and whether their arguments are whole.
    calls: Vec<(u64, Call, bool)>,
    is_refused: bool,
}

impl State {
    pub(super) fn event(&mut self, raw: &[u8], facts: &mut Facts) -> Seen {
        let event;
        // The usual event is its name and one `data: {…}` line; anything else goes through the full reader.
        let (name, data) = match split(raw) {
            Some(both) => both,
            None => {
                event = sse::parse(raw);
                if !event.has_data {
                    return Seen::default();
                }
                let data = event.data.trim_ascii();
                (type_of(data).unwrap_or_default(), data)
            }
        };
        match name {
            b"response.output_text.delta"
            | b"response.refusal.delta"
            | b"response.reasoning_summary_text.delta"
            | b"response.reasoning_text.delta"
            | b"response.function_call_arguments.delta"
            | b"response.custom_tool_call_input.delta" => {
                // Nearly all events are these; they need only their length.
                self.is_refused |= name == b"response.refusal.delta";
                let length = delta_length(data);
                facts.output_bytes += length;
                let is_malformed = data.last() != Some(&b'}');
                Seen { has_output: length > 0, is_malformed, ..Seen::default() }
            }
            b"response.created"
            | b"response.completed"
            | b"response.incomplete"
            | b"response.failed"
            | b"response.output_item.added"
            | b"response.output_item.done"
            | b"error"
            | b"" => self.parse(data, facts),
            // Other events repeat, or tell how far a tool of the vendor's is.
            _ => Seen { is_malformed: data.last() != Some(&b'}'), ..Seen::default() },
        }
    }

    fn parse(&mut self, data: &[u8], facts: &mut Facts) -> Seen {
        if data == b"[DONE]" {
            return Seen::default();
        }
        let event = match serde_json::from_slice::<Event<'_>>(data) {
            Ok(event) => event,
            Err(error) => return Seen::unparsed(&error),
        };
        let class = event.class.as_deref().unwrap_or_default();
        match class {
            "response.output_item.added" | "response.output_item.done" => {
                return self.item(event.output_index, event.item, class.ends_with("done"), facts);
            }
            "error" => {
                let inner = event.error.unwrap_or_default();
                let (code, message) = (inner.code.or(event.code), inner.message.or(event.message));
                let error = ErrorBody { class: inner.class, code, message };
                facts.error = Some(StreamError { kind: error.kind(), message: error.message() });
            }
            "" if event.error.is_some() => {
                let error = event.error.unwrap_or_default();
                facts.error = Some(StreamError { kind: error.kind(), message: error.message() });
            }
            _ => {}
        }
        if let Some(response) = event.response {
            let has_ended = matches!(class, "response.completed" | "response.incomplete" | "response.failed");
            self.response(response, has_ended, facts);
            facts.is_terminated |= has_ended;
        }
        Seen::default()
    }

    fn item(&mut self, index: u64, item: Option<Item<'_>>, is_done: bool, facts: &mut Facts) -> Seen {
        let Some(item) = item.filter(Item::is_call) else { return Seen::default() };
        let known = self.calls.iter().rposition(|(known, _, done)| *known == index && !*done);
        if known.is_none() && self.calls.len() == TOOLS_MAX {
            return Seen::default();
        }
        let name = item.name.and_then(text_of).unwrap_or_default();
        if known.is_none() {
            facts.output_bytes += name.len() as u64;
        }
        let mut call = Call::new(name.into_owned());
        call.arguments(item.text());
        match known {
            Some(at) => self.calls[at] = (index, call, is_done),
            None => self.calls.push((index, call, is_done)),
        }
        Seen { has_output: true, ..Seen::default() }
    }

    fn response(&mut self, response: Response<'_>, has_ended: bool, facts: &mut Facts) {
        keep(&mut facts.answer.id, response.id);
        keep(&mut facts.answer.model, response.model);
        // `auto` is what was asked for; the end says what it became.
        if let Some(tier) = response.service_tier.filter(|tier| has_ended || tier != "auto") {
            facts.answer.service_tier = Some(tier.into());
        }
        if let Some(usage) = response.usage {
            facts.usage = Some(usage.into());
        }
        if let Some(error) = response.error {
            facts.error = Some(StreamError { kind: error.kind(), message: error.message() });
        }
        if has_ended {
            let reason = response.incomplete_details.and_then(|details| details.reason);
            let status = response.status.as_deref().unwrap_or_default();
            facts.answer.finish =
                finish_of(status, reason.as_deref(), !self.calls.is_empty(), self.is_refused);
        }
    }

    pub(super) fn finish(&mut self, facts: &mut Facts) {
        let calls = std::mem::take(&mut self.calls);
        facts.answer.tools.extend(calls.into_iter().map(|(_, call, _)| call.into_use()));
    }
}

/// How an answer ended (<https://github.com/openai/openai-python> 3.54, `ResponseStatus` and `IncompleteDetails`,
/// read 2026-11-23).
fn finish_of(status: &str, reason: Option<&str>, has_called: bool, is_refused: bool) -> Option<Finish> {
    match (status, reason) {
        ("completed", _) if is_refused => Some(Finish::Refusal),
        ("completed", _) if has_called => Some(Finish::ToolCalls),
        ("completed", _) => Some(Finish::Stop),
        ("incomplete", Some("max_output_tokens")) => Some(Finish::Length),
        ("incomplete", Some("content_filter")) => Some(Finish::ContentFilter),
        ("incomplete", _) => Some(Finish::Other),
        _ => None,
    }
}

fn keep(place: &mut Option<Box<str>>, told: Option<Cow<'_, str>>) {
    if place.is_none() {
        *place = told.filter(|told| !told.is_empty()).map(|told| told.into());
    }
}

/// The name and the data of an event that is exactly one line of each.
fn split(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = raw.strip_prefix(b"event: ")?;
    let end = memchr::memchr(b'\n', rest)?;
    let data = rest[end + 1..].strip_prefix(b"data: ")?.trim_ascii_end();
    (!data.contains(&b'\n') && !rest[..end].ends_with(b"\r")).then_some((&rest[..end], data))
}

/// The type that an event's data gives itself, where it begins with it.
fn type_of(data: &[u8]) -> Option<&[u8]> {
    let value = value_after(data, TYPE.find(data)? + 6)?;
    let end = scan::skip_string(value, 0).ok()?;
    data.starts_with(b"{\"type\"").then(|| value.get(1..end - 1)).flatten()
}

/// Bytes of the event's `delta` string, escapes included.
fn delta_length(data: &[u8]) -> u64 {
    // The words may stand in the text itself, but there their quotes are escaped.
    let Some(value) = DELTA.find(data).and_then(|at| value_after(data, at + 7)) else { return 0 };
    if value.first() != Some(&b'"') {
        return 0;
    }
    scan::skip_string(value, 0).map_or(0, |end| end as u64 - 2)
}

/// The text of a value that is a string.
fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    scan::text_value(raw.get().as_bytes())
}

/// Reads an answer that is no stream.
pub(super) fn whole(body: &[u8], facts: &mut Facts) -> bool {
    let Ok(members) = scan::members(body) else { return false };
    let Some(output) = members.get(body, "output") else {
        let error = members.get(body, "error").map(serde_json::from_slice::<ErrorBody<'_>>);
        if let Some(Ok(error)) = error {
            facts.error = Some(StreamError { kind: error.kind(), message: error.message() });
        }
        return facts.error.is_some();
    };
    facts.output_bytes = output.len() as u64;
    let (Ok(response), Ok(items)) =
        (serde_json::from_slice::<Response<'_>>(body), serde_json::from_slice::<Vec<Item<'_>>>(output))
    else {
        return false;
    };
    let mut state = State::default();
    for (at, item) in items.into_iter().enumerate() {
        state.is_refused |= item.holds_refusal();
        // What the output holds is counted whole already.
        state.item(at as u64, Some(item), true, &mut Facts::default());
    }
    state.response(response, true, facts);
    state.finish(facts);
    true
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    class: Option<Cow<'a, str>>,
    #[serde(default)]
    output_index: u64,
    #[serde(borrow, default)]
    item: Option<Item<'a>>,
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
    #[serde(borrow, default)]
    error: Option<ErrorBody<'a>>,
    // A number with some servers.
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default, rename = "type")]
    class: Cow<'a, str>,
    // Items of other types have members of these names too, of whatever shape.
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

impl Item<'_> {
    fn is_call(&self) -> bool {
        matches!(self.class.as_ref(), "function_call" | "custom_tool_call")
    }

    fn holds_refusal(&self) -> bool {
        let content = self.content.filter(|_| self.class == "message").map_or("[]", RawValue::get);
        let pieces = serde_json::from_str::<Vec<Piece<'_>>>(content).unwrap_or_default();
        pieces.iter().any(|piece| piece.class == "refusal")
    }

    /// What the tool is called with, as it stands in the answer.
    fn text(&self) -> &str {
        self.arguments.or(self.input).map_or("", RawValue::get)
    }
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, default, rename = "type")]
    class: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    incomplete_details: Option<Details<'a>>,
    #[serde(default)]
    usage: Option<ResponsesUsage>,
    #[serde(borrow, default)]
    error: Option<ErrorBody<'a>>,
}

#[derive(Deserialize)]
struct Details<'a> {
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
struct ErrorBody<'a> {
    #[serde(borrow, default, rename = "type")]
    class: Option<Cow<'a, str>>,
    // A number with some servers.
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

impl ErrorBody<'_> {
    fn kind(&self) -> Kind {
        match self.code.and_then(text_of).or_else(|| self.class.clone()).as_deref() {
            Some("rate_limit_exceeded" | "insufficient_quota" | "rate_limit_error") => Kind::RateLimited,
            Some("server_overloaded" | "overloaded" | "overloaded_error") => Kind::Overloaded,
            Some("vector_store_timeout") => Kind::Timeout,
            _ => Kind::Vendor,
        }
    }

    fn message(&self) -> String {
        self.message.as_deref().unwrap_or("the vendor sent an error without a message").to_owned()
    }
}
