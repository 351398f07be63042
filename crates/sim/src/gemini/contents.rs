//! The conversation: roles, parts, and the order of function calls and their responses.
//!
//! Wordings as public bug reports give them, read 2026-11-23: <https://github.com/google-gemini/gemini-cli/issues/17208>
//! (unequal numbers), <https://github.com/songquanpeng/one-api/issues/1385> (roles).

use super::error::Refusal;
use crate::media;
use crate::shape::{list, some, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What a part may hold.
const DATA: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

/// Types of inline data that the models take, beside text, images, sound and video.
const DOCUMENTS: &[&str] =
    &["application/pdf", "application/json", "application/x-javascript", "application/x-python"];

/// Refuses malformed contents and broken function loops.
pub(super) fn refuse(request: &Value) -> Result<(), Refusal> {
    let contents = list(request, "contents");
    if contents.is_empty() {
        return Err(Refusal::field("contents", "contents is not specified"));
    }
    for (i, content) in contents.iter().enumerate() {
        if !matches!(text(content, "role"), "" | "user" | "model" | "function") {
            return Err(Refusal::bad("Please use a valid role: user, model."));
        }
        parts(content, &format!("contents[{i}]"), "contents.parts must not be empty.")?;
    }
    if let Some(system) = some(request, "systemInstruction") {
        parts(system, "system_instruction", "contents.parts must not be empty.")?;
    }
    function_turns(contents)
}

fn parts(content: &Value, at: &str, empty: &str) -> Result<(), Refusal> {
    let parts = list(content, "parts");
    if parts.is_empty() {
        return Err(Refusal::field(&format!("{at}.parts"), empty));
    }
    parts.iter().enumerate().try_for_each(|(i, p)| part(p, &format!("{at}.parts[{i}]")))
}

fn part(part: &Value, at: &str) -> Result<(), Refusal> {
    // A part with nothing but a signature is what ends a stream, and comes back so.
    if !DATA.iter().any(|name| some(part, name).is_some()) && text(part, "thoughtSignature").is_empty() {
        return Err(Refusal::field(
            &format!("{at}.data"),
            "required oneof field 'data' must have one initialized field",
        ));
    }
    for (name, inside) in [("functionCall", "function_call"), ("functionResponse", "function_response")] {
        if some(part, name).is_some_and(|f| text(f, "name").is_empty()) {
            return Err(Refusal::field(&format!("{at}.{inside}.name"), "Name cannot be empty."));
        }
    }
    if let Some(blob) = some(part, "inlineData") {
        inline(blob, at)?;
    }
    if some(part, "fileData").is_some_and(|f| text(f, "fileUri").is_empty()) {
        return Err(Refusal::field(&format!("{at}.file_data.file_uri"), "must not be empty."));
    }
    Ok(())
}

fn inline(blob: &Value, at: &str) -> Result<(), Refusal> {
    let kind = text(blob, "mimeType");
    if kind.is_empty() {
        return Err(Refusal::field(&format!("{at}.inline_data.mime_type"), "must be set."));
    }
    let family = kind.split('/').next().unwrap_or_default();
    if !matches!(family, "text" | "image" | "audio" | "video") && !DOCUMENTS.contains(&kind) {
        return Err(Refusal::bad(format!("Unsupported MIME type: {kind}")));
    }
    let bytes = STANDARD.decode(text(blob, "data")).unwrap_or_default();
    let is_known = media::sniff(&bytes).is_some_and(media::is_image);
    if family == "image" && !is_known && media::is_image(kind) {
        let message = "Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting";
        return Err(Refusal::bad(message));
    }
    if kind == "application/pdf" && media::sniff(&bytes) != Some(kind) {
        return Err(Refusal::bad("The document has no pages."));
    }
    Ok(())
}

/// Consecutive contents of one side: the provider reads them as one turn.
struct Turn<'a> {
    is_model: bool,
    parts: Vec<&'a Value>,
}

impl<'a> Turn<'a> {
    /// The calls or responses of the turn.
    fn of(&self, name: &str) -> Vec<&'a Value> {
        self.parts.iter().filter_map(|p| some(p, name)).collect()
    }
}

fn turns(contents: &[Value]) -> Vec<Turn<'_>> {
    let mut out: Vec<Turn<'_>> = Vec::new();
    for content in contents {
        let is_model = text(content, "role") == "model";
        if out.last().is_none_or(|t| t.is_model != is_model) {
            out.push(Turn { is_model, parts: Vec::new() });
        }
        if let Some(turn) = out.last_mut() {
            turn.parts.extend(list(content, "parts"));
        }
    }
    out
}

/// Every call turn is answered by the next turn, response for call.
fn function_turns(contents: &[Value]) -> Result<(), Refusal> {
    let turns = turns(contents);
    for (i, turn) in turns.iter().enumerate() {
        let (calls, responses) = (turn.of("functionCall"), turn.of("functionResponse"));
        if !calls.is_empty() && (i == 0 || !turn.is_model) {
            return Err(Refusal::bad(
                "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
            ));
        }
        let asked = i.checked_sub(1).map(|b| turns[b].of("functionCall")).unwrap_or_default();
        if !responses.is_empty() && (asked.is_empty() || turn.is_model) {
            return Err(Refusal::bad(
                "Please ensure that function response turn comes immediately after a function call turn.",
            ));
        }
        if responses.len() != asked.len() || (i + 1 == turns.len() && !calls.is_empty()) {
            return Err(Refusal::bad(
                "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
            ));
        }
        answers(&asked, &responses)?;
    }
    Ok(())
}

/// A response with an id answers the call of that id; of those without, each name was called.
fn answers(asked: &[&Value], responses: &[&Value]) -> Result<(), Refusal> {
    for response in responses {
        let id = text(response, "id");
        let has_ids = asked.iter().any(|c| !text(c, "id").is_empty());
        let fits = |call: &&Value| {
            let by_id = !id.is_empty() && has_ids;
            if by_id { text(call, "id") == id } else { text(call, "name") == text(response, "name") }
        };
        if !asked.iter().any(fits) {
            // The service has no words of its own for this.
            return Err(Refusal::bad("Request contains an invalid argument."));
        }
    }
    Ok(())
}
