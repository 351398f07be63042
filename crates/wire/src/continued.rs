//! Conversations of OpenAI Responses that go on from an earlier response which their vendor does not hold: what was asked
//! and answered before is put before what is asked now.
//!
//! <https://platform.openai.com/docs/guides/conversation-state>, read 2026-11-23: with `previous_response_id`, the items of
//! the earlier input and output come first, and `instructions` of earlier requests do not count.

use std::borrow::Cow;

use pilothouse_core::error::Error;
use pilothouse_core::exchange::Note;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialects::is_sealed_by_us;
use crate::framing::Framing;
use crate::head::{Edit, Edits, Head, apply};
use crate::json::{Members, Object, Path, as_text, items};

/// The member that names the response to go on from.
pub const PREVIOUS: &str = "previous_response_id";

/// One turn of a conversation that is kept: the bodies of its request and of its answer.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// What the client asked.
    pub request: &'a [u8],
    /// What it got: the response, or the events of its stream.
    pub answer: &'a [u8],
    /// Whether the answer is a stream of events.
    pub is_stream: bool,
    /// Whether the target that is asked now answered this turn, so that its own reasoning returns to it.
    pub is_own: bool,
}

/// Why a turn cannot be gone on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The answer did not come to its end.
    Unfinished,
    /// Part of what was asked is held by the vendor.
    HeldElsewhere,
}

impl Unfit {
    /// The reason, for a sentence that begins with the response.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Unfinished => "did not come to its end",
            Self::HeldElsewhere => "leans on a `conversation` or a `prompt` that its vendor holds",
        }
    }
}

/// The text of the response that a body of an answer holds: the body itself, or what the last event of a stream carries.
/// `None` for what is no response, or none that ended.
#[must_use]
pub fn response_of(answer: &[u8], is_stream: bool) -> Option<Cow<'_, [u8]>> {
    if !is_stream {
        return Some(Cow::Borrowed(answer));
    }
    let (mut from, mut found) = (0, None);
    while let Ok(Some(end)) = Framing::Sse.find_end(answer, from, from) {
        let event = Framing::Sse.parse(answer.get(from..end)?).ok()?;
        from = end;
        // Deltas are many, and none of them carries a response.
        if memchr::memmem::find(&event.data, b"\"response\"").is_some()
            && let Ok(told) = serde_json::from_slice::<Told<'_>>(&event.data)
            && is_last(&told.kind)
        {
            found = told.response.map(|raw| raw.get().as_bytes().to_vec());
        }
    }
    found.map(Cow::Owned)
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

fn is_last(kind: &str) -> bool {
    matches!(kind, "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled")
}

/// Whether these bytes of a stream may hold the event that ends a response.
#[must_use]
pub fn may_end(bytes: &[u8]) -> bool {
    ["response.completed\"", "response.incomplete\""]
        .iter()
        .any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some())
}

/// The id of a response that a body of an answer holds, where that ended in a way that can be gone on from.
#[must_use]
pub fn response_id(answer: &[u8], is_stream: bool) -> Option<String> {
    #[derive(Deserialize)]
    struct Ended<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
        #[serde(borrow)]
        status: Cow<'a, str>,
    }
    let response = response_of(answer, is_stream)?;
    let ended: Ended<'_> = serde_json::from_slice(&response).ok()?;
    (is_fit(&ended.status) && !ended.id.is_empty()).then(|| ended.id.into_owned())
}

fn is_fit(status: &str) -> bool {
    matches!(status, "completed" | "incomplete")
}

/// The id of the response that a request goes on from.
#[must_use]
pub fn previous_of(request: &[u8]) -> Option<String> {
    let members = Members::of_body(request).ok()?;
    let id = members.peek(PREVIOUS).and_then(as_text)?;
    (!id.is_empty()).then_some(id)
}

/// The items of a turn as the input of a later one, oldest first. `notes` gets what is left out.
///
/// # Errors
/// [`Unfit`] where something is missing in it that its vendor has, or that never came.
pub fn items_of(turn: &Turn<'_>, notes: &mut Vec<Note>) -> Result<Vec<Box<RawValue>>, Unfit> {
    let request = Members::of_body(turn.request).map_err(|_| Unfit::HeldElsewhere)?;
    let leans = |name: &str| request.peek(name).is_some_and(|raw| raw.get() != "null");
    if leans("conversation") || leans("prompt") {
        return Err(Unfit::HeldElsewhere);
    }
    let mut out = input_of(&request, turn, notes);
    let response = response_of(turn.answer, turn.is_stream).ok_or(Unfit::Unfinished)?;
    let response = Members::of_body(&response).map_err(|_| Unfit::Unfinished)?;
    if !response.peek("status").and_then(as_text).is_some_and(|status| is_fit(&status)) {
        return Err(Unfit::Unfinished);
    }
    let output = response.peek("output").and_then(|raw| items(raw, &Path::Root).ok()).unwrap_or_default();
    out.extend(output.into_iter().filter_map(|item| portable(item, turn.is_own, notes)));
    Ok(out)
}

/// The items of the `input` that a body asks with.
fn input_of(request: &Members<'_>, turn: &Turn<'_>, notes: &mut Vec<Note>) -> Vec<Box<RawValue>> {
    let Some(input) = request.peek("input") else { return Vec::new() };
    match as_text(input) {
        Some(_) => person(input).into_iter().collect(),
        None => items(input, &Path::Root)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|item| portable(item, turn.is_own, notes))
            .collect(),
    }
}

/// What a person says as text alone, as an item.
fn person(text: &RawValue) -> Option<Box<RawValue>> {
    RawValue::from_string(format!("{{\"role\":\"user\",\"content\":{}}}", text.get())).ok()
}

/// An item without what binds it to the vendor that made it; `None` for reasoning of which nothing would be left.
///
/// An id names an item that its vendor stores, and a call by such an id wants the stored reasoning before it; the vendor
/// takes both without ids. Reasoning keeps its id, which its encrypted content is bound to.
fn portable(item: &RawValue, is_own: bool, notes: &mut Vec<Note>) -> Option<Box<RawValue>> {
    let Some(members) = Members::of(item) else { return Some(item.to_owned()) };
    let kind = members.peek("type").and_then(as_text).unwrap_or_default();
    let left_out: &[&str] = match &*kind {
        ""
        | "message"
        | "function_call"
        | "custom_tool_call"
        | "function_call_output"
        | "custom_tool_call_output" => &["id", "status"],
        "reasoning" => {
            let sealed = members.peek("encrypted_content").and_then(as_text).unwrap_or_default();
            if sealed.is_empty() || !(is_own || is_sealed_by_us(&sealed)) {
                let why = match sealed.is_empty() {
                    true => "the earlier answer held no sealed form of it",
                    false => "it is sealed by another vendor",
                };
                notes.push(Note::new("drop:reasoning", why));
                return None;
            }
            &["status"]
        }
        _ => &[],
    };
    let mut out = Vec::with_capacity(item.get().len());
    {
        let mut object = Object::new(&mut out);
        for (name, value) in members.rest().iter().filter(|(name, _)| !left_out.contains(name)) {
            object.raw(name, value);
        }
    }
    String::from_utf8(out).ok().and_then(|text| RawValue::from_string(text).ok())
}

/// The body with `before` in front of its input, and without the response that it goes on from. Every other byte stays.
///
/// # Errors
/// A 400 for a body that is no JSON object, or whose input is neither text nor an array.
pub fn joined(body: &[u8], before: &[Box<RawValue>]) -> Result<Vec<u8>, Error> {
    let head = Head::read(body)?;
    let mut items_text = Vec::new();
    let push = |text: &str, out: &mut Vec<u8>| {
        out.push(if out.is_empty() { b'[' } else { b',' });
        out.extend_from_slice(text.as_bytes());
    };
    before.iter().for_each(|item| push(item.get(), &mut items_text));
    let input = head.find(|name| name == b"\"input\"" || name == b"input").map(|(_, member)| member.value());
    let value = input.clone().and_then(|range| body.get(range)).filter(|value| *value != b"null");
    if let Some(value) = value {
        let wrong = || Error::bad_request("input", "`input` must be a string or an array of items");
        let raw: &RawValue = serde_json::from_slice(value).map_err(|_| wrong())?;
        match as_text(raw) {
            Some(_) => person(raw).iter().for_each(|item| push(item.get(), &mut items_text)),
            None => {
                let now = items(raw, &Path::Root).map_err(|_| wrong())?;
                now.into_iter().for_each(|item| push(item.get(), &mut items_text));
            }
        }
    }
    if items_text.is_empty() {
        items_text.push(b'[');
    }
    items_text.push(b']');
    let mut edits = Edits::new();
    // What comes stands first: what goes may begin at the same place.
    match input {
        Some(range) => edits.push(Edit { range, with: items_text.into() }),
        None => {
            // Behind the model, which every request names.
            let at = head.find(|name| name == b"model").map_or(0, |(_, member)| member.value().end);
            edits
                .push(Edit { range: at..at, with: [b",\"input\":".as_slice(), &items_text].concat().into() });
        }
    }
    edits.extend(head.remove(PREVIOUS));
    Ok(apply(body, &edits)?.concat())
}

/// The items of a kept request's input as OpenAI lists them, each with an id.
#[must_use]
pub fn listed(request: &[u8], exchange: &str) -> Vec<u8> {
    let members = Members::of_body(request).unwrap_or_default();
    let input = members.peek("input");
    let text = input.filter(|raw| as_text(raw).is_some()).and_then(person);
    let list = match (&text, input) {
        (Some(item), _) => vec![&**item],
        (None, Some(raw)) => items(raw, &Path::Root).unwrap_or_default(),
        (None, None) => Vec::new(),
    };
    let id_of = |at: usize, members: &Members<'_>| {
        let own = members.peek("id").and_then(as_text).filter(|id| !id.is_empty());
        own.unwrap_or_else(|| format!("item_{exchange}_{at}"))
    };
    let read: Vec<_> = list.iter().filter_map(|item| Members::of(item)).collect();
    let ids: Vec<String> = read.iter().enumerate().map(|(at, members)| id_of(at, members)).collect();
    let mut out = Vec::new();
    {
        let mut object = Object::new(&mut out);
        object.text("object", "list");
        let data = object.key("data");
        data.push(b'[');
        for (at, (members, id)) in read.into_iter().zip(&ids).enumerate() {
            if at > 0 {
                data.push(b',');
            }
            let mut item = Object::new(data);
            item.text("id", id);
            if members.peek("type").is_none() {
                item.text("type", "message");
            }
            for (name, value) in members.rest().iter().filter(|(name, _)| *name != "id") {
                item.raw(name, value);
            }
        }
        data.push(b']');
        object.maybe_text("first_id", ids.first().map(String::as_str));
        object.maybe_text("last_id", ids.last().map(String::as_str));
        object.key("has_more").extend_from_slice(b"false");
    }
    out
}

#[cfg(test)]
mod tests;
