//! Reads a Responses request.
//!
//! Each item of `input` becomes a message of its own, so that it can be written back as it was; codecs of other
//! dialects join what one speaker says in a row.

use pilothouse_core::conversation::{Content, Message, Part, Raw, Request, Rest, Role, ToolKind, ToolResult};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::FAMILY;
use super::super::content::read_content;
use super::super::item::{keep, kind_of_call, mark, read_call, read_reasoning};
use super::{options, tools};
use crate::codec::ITEM;
use crate::json::{Members, Path, as_text};

/// On the message that stands for `instructions`.
pub(super) const INSTRUCTIONS: &str = "@@instructions";
/// On the message that stands for `input` as text.
pub(super) const INPUT: &str = "@@input";
/// On a message or a tool result whose content came as text.
pub(super) const TEXT: &str = "@@text";
/// On a message that gave no type.
pub(super) const UNTYPED: &str = "@@untyped";
/// On a message that stands for an item that nobody knows.
pub(super) const WHOLE: &str = "@@whole";
/// On a result of a custom tool.
pub(super) const CUSTOM: &str = "@@custom";

pub(in super::super) fn decode(body: &[u8]) -> Result<Request, Error> {
    let root = Path::Root;
    let mut members = Members::of_body(body)?;
    let model = members.needed_text("model", &root)?;
    let mut request = Request::new(Dialect::OpenaiResponses, &model);
    if let Some(text) = members.text("instructions", &root)? {
        let mut message = Message::new(Role::System, vec![Part::text(text)]);
        mark(&mut message.rest, INSTRUCTIONS);
        request.messages.push(message);
    }
    let has_input = match members.take("input") {
        Some(raw) => read_input(raw, &root.member("input"), &mut request).map(|()| true)?,
        None => false,
    };
    tools::read(&mut members, &mut request)?;
    options::read(&mut members, &mut request)?;
    for (name, value) in members.rest().iter() {
        request.rest.push(name, value.clone());
    }
    if has_input || is_held(&request.rest) { Ok(request) } else { Err(root.missing("input")) }
}

/// Whether the vendor holds what is to be answered.
pub(super) fn is_held(rest: &Rest) -> bool {
    ["previous_response_id", "conversation", "prompt"]
        .iter()
        .any(|name| rest.get(name).is_some_and(|raw| !raw.is_null()))
}

fn read_input(raw: &RawValue, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    if let Some(text) = as_text(raw) {
        let mut message = Message::new(Role::User, vec![Part::text(text)]);
        mark(&mut message.rest, INPUT);
        request.messages.push(message);
        return Ok(());
    }
    let list = crate::json::items(raw, path).map_err(|_| path.wrong("a string or an array of items"))?;
    for (at, item) in list.into_iter().enumerate() {
        request.messages.push(read_item(item, &path.item(at))?);
    }
    Ok(())
}

fn read_item(raw: &RawValue, path: &Path<'_>) -> Result<Message, Error> {
    let mut members = Members::read(raw, path)?;
    let has_type = members.peek("type").is_some();
    let kind = match members.text("type", path)? {
        Some(kind) => kind,
        None if members.peek("role").is_some() => "message".to_owned(),
        // A reference needs no type.
        None if members.peek("id").is_some() => "item_reference".to_owned(),
        None => return Err(path.missing("type")),
    };
    if let Some(tool) = kind_of_call(&kind) {
        let content = Content::ToolCall(read_call(&mut members, tool, path)?);
        return Ok(single(Role::Assistant, content, keep(members)));
    }
    match kind.as_str() {
        "message" => {
            let mut message = read_message(members, path)?;
            if !has_type {
                mark(&mut message.rest, UNTYPED);
            }
            Ok(message)
        }
        "function_call_output" => read_result(members, ToolKind::Function, path),
        "custom_tool_call_output" => read_result(members, ToolKind::Custom, path),
        "reasoning" => {
            let (reasoning, rest) = read_reasoning(members, FAMILY, path)?;
            Ok(single(Role::Assistant, Content::Reasoning(reasoning), rest))
        }
        _ => {
            let content = Content::Unknown { kind: kind.into(), raw: raw.into() };
            let mut message = Message::new(Role::Assistant, vec![Part::new(content)]);
            mark(&mut message.rest, WHOLE);
            Ok(message)
        }
    }
}

/// A message of one part.
fn single(role: Role, content: Content, rest: Rest) -> Message {
    Message::new(role, vec![Part { content, cache: None, rest }])
}

fn read_message(mut members: Members<'_>, path: &Path<'_>) -> Result<Message, Error> {
    let role = match members.needed_text("role", path)?.as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => return Err(path.member("role").wrong("one of system, developer, user, assistant")),
    };
    let raw = members.take("content").ok_or_else(|| path.missing("content"))?;
    let parts = read_content(raw, &path.member("content"))?;
    let mut message = Message::new(role, parts);
    message.rest = without_item(members);
    if raw.get().starts_with('"') {
        mark(&mut message.rest, TEXT);
    }
    Ok(message)
}

/// What is left of a message, its id and state apart.
fn without_item(mut members: Members<'_>) -> Rest {
    let own = [("id", members.raw("id")), ("status", members.raw("status"))];
    let mut rest = members.rest();
    if own.iter().any(|(_, raw)| raw.is_some())
        && let Some(raw) = item_of(&own)
    {
        rest.push(ITEM, raw);
    }
    rest
}

fn item_of(own: &[(&str, Option<Raw>)]) -> Option<Raw> {
    super::super::raw_of(|out| {
        let mut object = crate::json::Object::new(out);
        for (name, raw) in own {
            object.maybe_raw(name, raw.as_ref());
        }
    })
}

fn read_result(mut members: Members<'_>, kind: ToolKind, path: &Path<'_>) -> Result<Message, Error> {
    let raw = members.take("output").ok_or_else(|| path.missing("output"))?;
    let result = ToolResult {
        call_id: members.word("call_id", path)?.unwrap_or_default(),
        name: members.word("name", path)?,
        parts: read_content(raw, &path.member("output"))?,
        is_error: false,
    };
    let mut rest = keep(members);
    if raw.get().starts_with('"') {
        mark(&mut rest, TEXT);
    }
    if kind == ToolKind::Custom {
        mark(&mut rest, CUSTOM);
    }
    Ok(single(Role::Tool, Content::ToolResult(result), rest))
}
