//! The conversation: roles, contents and the order of tool calls and their results.
//!
//! Rules: <https://developers.openai.com/api/docs/api-reference/chat/create> and the function-calling guide, 2026-11-22.

use super::error::Refusal;
use crate::media;
use crate::models::{Model, Rules};
use crate::shape::{Kind, Member, check, list, may, must, null, some, text};
use serde_json::Value;

const ROLES: &[&str] = &["system", "assistant", "user", "function", "tool", "developer"];
const PARTS: &[&str] = &["text", "image_url", "input_audio", "refusal", "audio", "file"];
const BREAKPOINT: Member = may("prompt_cache_breakpoint", Kind::Object);

/// Refuses malformed messages and broken tool loops.
pub(super) fn refuse(model: &Model, request: &Value) -> Result<(), Refusal> {
    let messages = list(request, "messages");
    if messages.is_empty() {
        let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(Refusal::bad("messages", "empty_array", message));
    }
    for (i, message) in messages.iter().enumerate() {
        let at = format!("messages[{i}]");
        one(model, message, &at)?;
    }
    tool_order(messages)?;
    names_json(request, messages)
}

fn one(model: &Model, message: &Value, at: &str) -> Result<(), Refusal> {
    let Some(map) = message.as_object() else { return Err(Refusal::kind(at, "an object", message)) };
    let Some(role) = map.get("role") else {
        let message = format!("Missing required parameter: '{at}.role'.");
        return Err(Refusal::bad(format!("{at}.role"), "missing_required_parameter", message));
    };
    let role = role.as_str().unwrap_or_default();
    let members: &[Member] = match role {
        "system" | "developer" => {
            &[must("role", Kind::Text), must("content", Kind::TextOrList), may("name", Kind::Text)]
        }
        "user" => &[must("role", Kind::Text), must("content", Kind::TextOrList), may("name", Kind::Text)],
        "assistant" => &[
            must("role", Kind::Text),
            null("content", Kind::TextOrList),
            null("refusal", Kind::Text),
            null("name", Kind::Text),
            null("audio", Kind::Object),
            null("tool_calls", Kind::List),
            null("function_call", Kind::Object),
            // Part of every answer, and sent back by clients that keep the answer as it was.
            null("annotations", Kind::List),
        ],
        "tool" => &[
            must("role", Kind::Text),
            must("content", Kind::TextOrList),
            must("tool_call_id", Kind::Text),
            may("name", Kind::Text),
        ],
        "function" => &[must("role", Kind::Text), null("content", Kind::Text), must("name", Kind::Text)],
        _ => return Err(Refusal::not_one_of(&format!("{at}.role"), ROLES, role)),
    };
    check(map, members).map_err(|p| Refusal::shape(at, p))?;
    if role == "assistant" {
        assistant(message, at)?;
    }
    for (i, part) in list(message, "content").iter().enumerate() {
        content_part(model, role, part, at, &format!("{at}.content[{i}]"))?;
    }
    if message.get("content").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        let message = format!(
            "Invalid '{at}.content': empty array. Expected an array with minimum length 1, but got an empty array instead."
        );
        return Err(Refusal::bad(format!("{at}.content"), "empty_array", message));
    }
    Ok(())
}

fn assistant(message: &Value, at: &str) -> Result<(), Refusal> {
    let calls = list(message, "tool_calls");
    if some(message, "tool_calls").is_some() && calls.is_empty() {
        let message = format!(
            "Invalid '{at}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead."
        );
        return Err(Refusal::bad(format!("{at}.tool_calls"), "empty_array", message));
    }
    for (i, call) in calls.iter().enumerate() {
        let at = format!("{at}.tool_calls[{i}]");
        let Some(map) = call.as_object() else { return Err(Refusal::kind(&at, "an object", call)) };
        let members = [
            must("id", Kind::Text),
            must("type", Kind::OneOf(&["function", "custom"])),
            may("function", Kind::Object),
            may("custom", Kind::Object),
        ];
        check(map, &members).map_err(|p| Refusal::shape(&at, p))?;
        if text(call, "type") == "function" {
            let Some(function) = call.get("function").and_then(Value::as_object) else {
                let at = format!("{at}.function");
                return Err(Refusal::bad(
                    &at,
                    "missing_required_parameter",
                    format!("Missing required parameter: '{at}'."),
                ));
            };
            check(function, &[must("name", Kind::Text), must("arguments", Kind::Text)])
                .map_err(|p| Refusal::shape(&format!("{at}.function"), p))?;
        }
    }
    let empty = some(message, "content").is_none() && calls.is_empty();
    if empty && ["refusal", "audio", "function_call"].iter().all(|n| some(message, n).is_none()) {
        let at = format!("{at}.content");
        let message = "Invalid value for 'content': expected a string, got null.";
        return Err(Refusal::plain(at, message));
    }
    Ok(())
}

fn content_part(model: &Model, role: &str, part: &Value, message_at: &str, at: &str) -> Result<(), Refusal> {
    let Some(map) = part.as_object() else { return Err(Refusal::kind(at, "an object", part)) };
    let kind = text(part, "type");
    let members: &[Member] = match kind {
        "text" => &[must("type", Kind::Text), must("text", Kind::Text), BREAKPOINT],
        "refusal" => &[must("type", Kind::Text), must("refusal", Kind::Text)],
        "image_url" => &[must("type", Kind::Text), must("image_url", Kind::Object), BREAKPOINT],
        "input_audio" => &[must("type", Kind::Text), must("input_audio", Kind::Object), BREAKPOINT],
        "file" => &[must("type", Kind::Text), must("file", Kind::Object), BREAKPOINT],
        "" => {
            let at = format!("{at}.type");
            return Err(Refusal::bad(
                &at,
                "missing_required_parameter",
                format!("Missing required parameter: '{at}'."),
            ));
        }
        _ => return Err(Refusal::not_one_of(&format!("{at}.type"), PARTS, kind)),
    };
    check(map, members).map_err(|p| Refusal::shape(at, p))?;
    let allowed = match role {
        "user" => kind != "refusal",
        "assistant" => matches!(kind, "text" | "refusal"),
        _ => kind == "text",
    };
    if !allowed {
        let message = match kind {
            "image_url" => format!(
                "Invalid '{message_at}'. Image URLs are only allowed for messages with role 'user', but this message with role '{role}' contains an image URL."
            ),
            _ => format!(
                "Invalid '{message_at}'. Content of type '{kind}' is not allowed for messages with role '{role}'."
            ),
        };
        return Err(Refusal::bad(message_at, "invalid_value", message));
    }
    match kind {
        "image_url" => image(&part["image_url"], &format!("{at}.image_url")),
        "file" => file(&part["file"], &format!("{at}.file")),
        "input_audio" if matches!(model.rules, Rules::OpenAi(_)) => {
            let message = "Content blocks are expected to be either text or image_url type.";
            Err(Refusal::bad(format!("{at}.type"), "invalid_value", message))
        }
        _ => Ok(()),
    }
}

fn image(image: &Value, at: &str) -> Result<(), Refusal> {
    let members =
        [must("url", Kind::Text), null("detail", Kind::OneOf(&["auto", "low", "high", "original"]))];
    if let Some(map) = image.as_object() {
        check(map, &members).map_err(|p| Refusal::shape(at, p))?;
    }
    picture(text(image, "url"), &format!("{at}.url"))
}

/// An image by its address, or in a data URL that holds one.
pub(super) fn picture(url: &str, at: &str) -> Result<(), Refusal> {
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(());
    }
    let Some((claimed, bytes)) = media::data_url(url) else {
        let message = format!(
            "Invalid '{at}'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got an invalid base64-encoded value."
        );
        return Err(Refusal::bad(at, "invalid_base64", message));
    };
    if !media::is_image(&claimed) || !media::sniff(&bytes).is_some_and(media::is_image) {
        let message = "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].";
        return Err(Refusal::other(400, "invalid_request_error", Some("invalid_image_format"), message));
    }
    Ok(())
}

fn file(file: &Value, at: &str) -> Result<(), Refusal> {
    let members = [may("filename", Kind::Text), may("file_data", Kind::Text), may("file_id", Kind::Text)];
    if let Some(map) = file.as_object() {
        check(map, &members).map_err(|p| Refusal::shape(at, p))?;
    }
    if some(file, "file_id").is_some() {
        return Ok(());
    }
    if some(file, "file_data").is_none() {
        let message = format!("Missing required parameter: '{at}.file_id'.");
        return Err(Refusal::bad(format!("{at}.file_id"), "missing_required_parameter", message));
    }
    document(text(file, "file_data"), &format!("{at}.file_data"))
}

/// A PDF in a data URL.
pub(super) fn document(data: &str, at: &str) -> Result<(), Refusal> {
    let Some((media_type, _)) = media::data_url(data) else {
        let message = format!(
            "Invalid '{at}'. Expected a base64-encoded data URL (e.g. 'data:application/pdf;base64,JVBERi0='), but got an invalid value."
        );
        return Err(Refusal::bad(at, "invalid_value", message));
    };
    if media_type != "application/pdf" {
        let message = format!(
            "Invalid file data: '{at}'. Expected a file with an application/pdf MIME type, but got unsupported MIME type '{media_type}'."
        );
        return Err(Refusal::bad(at, "unsupported_file", message));
    }
    Ok(())
}

/// Every tool message answers a call of the assistant message before it, and every call is answered.
fn tool_order(messages: &[Value]) -> Result<(), Refusal> {
    let mut open: Vec<&str> = Vec::new();
    let mut asked_at = 0;
    for (i, message) in messages.iter().enumerate() {
        if text(message, "role") == "tool" {
            let id = text(message, "tool_call_id");
            let known = list(&messages[asked_at], "tool_calls").iter().any(|c| text(c, "id") == id);
            let follows = i > 0 && matches!(text(&messages[i - 1], "role"), "assistant" | "tool");
            if !known || !follows {
                let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
                return Err(Refusal::plain(format!("messages.[{i}].role"), message));
            }
            open.retain(|call| *call != id);
            continue;
        }
        unanswered(&open, i)?;
        open.clear();
        if text(message, "role") == "assistant" {
            asked_at = i;
            open.extend(list(message, "tool_calls").iter().map(|c| text(c, "id")));
        }
    }
    unanswered(&open, messages.len())
}

fn unanswered(open: &[&str], at: usize) -> Result<(), Refusal> {
    if open.is_empty() {
        return Ok(());
    }
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open.join(", ")
    );
    Err(Refusal::plain(format!("messages.[{at}].role"), message))
}

/// JSON mode asks that the conversation says so.
fn names_json(request: &Value, messages: &[Value]) -> Result<(), Refusal> {
    let wanted = request.get("response_format").is_some_and(|f| text(f, "type") == "json_object");
    let said = messages.iter().any(|m| m["content"].to_string().to_lowercase().contains("json"));
    if wanted && !said {
        let message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
        return Err(Refusal::plain("messages", message));
    }
    Ok(())
}
