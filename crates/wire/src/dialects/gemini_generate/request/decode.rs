//! Reads a Gemini request.

use pilothouse_core::conversation::{Content, Message, Request, Role};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::part::{Side, read_parts};
use super::super::{ids, signature};
use super::config::read_config;
use super::tools::{read_tool_config, read_tools};
use crate::json::{Members, Path, as_text, items};

/// Names of a request that are read.
const NAMES: [&str; 4] = ["systemInstruction", "generationConfig", "toolConfig", "serviceTier"];

pub(in super::super) fn decode(body: &[u8]) -> Result<Request, Error> {
    let root = Path::Root;
    let mut members = Members::of_body(body)?.camel(&NAMES);
    // The path names the model; where a body does as well (batches, counts), it is the same.
    let model = members.text("model", &root)?.unwrap_or_default();
    let mut request = Request::new(Dialect::GeminiGenerate, model.strip_prefix("models/").unwrap_or(&model));
    if let Some(raw) = members.take("systemInstruction") {
        let message = read_system(raw, &root.member("systemInstruction"))?;
        request.messages.push(message);
    }
    let path = root.member("contents");
    let contents = members.take("contents").ok_or_else(|| root.missing("contents"))?;
    if contents.get().starts_with('{') {
        // Google's servers take one content without its array.
        request.messages.push(read_content(contents, &path)?);
    } else {
        for (at, raw) in items(contents, &path)?.into_iter().enumerate() {
            request.messages.push(read_content(raw, &path.item(at))?);
        }
    }
    signature::join(&mut request.messages);
    pair_calls(&mut request.messages);
    if let Some(raw) = members.take("tools") {
        read_tools(raw, &root.member("tools"), &mut request)?;
    }
    if let Some(raw) = members.take("toolConfig") {
        read_tool_config(raw, &root.member("toolConfig"), &mut request)?;
    }
    if let Some(raw) = members.take("generationConfig") {
        read_config(raw, &root.member("generationConfig"), &mut request)?;
    }
    request.service_tier = members.word("serviceTier", &root)?;
    for (name, value) in members.rest().iter() {
        request.rest.push(name, value.clone());
    }
    Ok(request)
}

fn read_system(raw: &RawValue, path: &Path<'_>) -> Result<Message, Error> {
    if let Some(text) = as_text(raw) {
        return Ok(Message::new(Role::System, vec![pilothouse_core::conversation::Part::text(text)]));
    }
    let mut message = read_content_as(Members::read(raw, path)?, Some(Role::System), path)?;
    message.role = Role::System;
    Ok(message)
}

fn read_content(raw: &RawValue, path: &Path<'_>) -> Result<Message, Error> {
    read_content_as(Members::read(raw, path)?, None, path)
}

fn read_content_as(mut members: Members<'_>, role: Option<Role>, path: &Path<'_>) -> Result<Message, Error> {
    let word = members.text("role", path)?.unwrap_or_default().to_ascii_lowercase();
    let role = match (role, word.as_str()) {
        (Some(role), _) => role,
        (None, "" | "user" | "function" | "tool") => Role::User,
        (None, "model") => Role::Assistant,
        (None, _) => return Err(path.member("role").wrong("user or model")),
    };
    let parts = match members.take("parts") {
        Some(raw) => read_parts(raw, &path.member("parts"), Side::Request)?,
        None => Vec::new(),
    };
    Ok(Message { role, parts, name: None, rest: members.rest() })
}

/// A call that waits for its result.
struct Open {
    id: Box<str>,
    name: Box<str>,
}

/// Gives calls without ids one, and results the id of the call that they answer: the one they name, else the first
/// open one of the same name, else the first open one.
fn pair_calls(messages: &mut [Message]) {
    let mut open: Vec<Open> = Vec::new();
    for (at, message) in messages.iter_mut().enumerate() {
        let mut place = 0;
        for part in &mut message.parts {
            match &mut part.content {
                Content::ToolCall(call) => {
                    if call.id.is_empty() {
                        call.id = ids::made(at, place);
                    }
                    open.push(Open { id: call.id.clone(), name: call.name.clone() });
                    place += 1;
                }
                Content::ToolResult(result) => {
                    let named = open.iter().position(|call| call.id == result.call_id);
                    let alike = || open.iter().position(|call| Some(&call.name) == result.name.as_ref());
                    let first = || (result.call_id.is_empty() && !open.is_empty()).then_some(0);
                    match named.or_else(alike).or_else(first) {
                        Some(found) => result.call_id = open.remove(found).id,
                        None if result.call_id.is_empty() => result.call_id = ids::made(at, place),
                        None => {}
                    }
                    place += 1;
                }
                _ => {}
            }
        }
    }
}
