//! Reads a valid request: what its conversation costs in tokens, and what the answer depends on.

use crate::media;
use crate::models::Model;
use crate::openai::effort;
use crate::openai::read::{ANSWER_OPENING, MESSAGE_FRAME, thinks};
use crate::plan::{Brief, Choice, Form, Media, Tool};
use crate::prompt::Prompt;
use crate::quiz;
use crate::shape::{list, some, text};
use crate::steer::Steering;
use serde_json::{Value, json};

/// The conversation as it is counted.
pub(super) fn prompt(model: &Model, request: &Value, whole: &[Value]) -> Prompt {
    let mut prompt = Prompt::new(model.word_bytes);
    if !list(request, "tools").is_empty() {
        prompt.text(&request["tools"].to_string());
    }
    if let Some(format) = some(&request["text"], "format").filter(|f| text(f, "type") != "text") {
        prompt.text(&format.to_string());
    }
    if let Some(instructions) = some(request, "instructions").and_then(Value::as_str) {
        prompt.opaque(MESSAGE_FRAME, b"developer");
        prompt.text(instructions);
    }
    whole.iter().for_each(|item| count(&mut prompt, item));
    prompt.opaque(ANSWER_OPENING, b"answer");
    prompt
}

fn count(prompt: &mut Prompt, item: &Value) {
    match text(item, "type") {
        "message" => {
            prompt.opaque(MESSAGE_FRAME, text(item, "role").as_bytes());
            prompt.text(text(item, "content"));
            list(item, "content").iter().for_each(|part| count_part(prompt, part));
        }
        "function_call" | "custom_tool_call" => {
            prompt.opaque(MESSAGE_FRAME, b"call");
            prompt.text(text(item, "name"));
            prompt.text(text(item, "arguments"));
            prompt.text(text(item, "input"));
        }
        "function_call_output" | "custom_tool_call_output" => {
            prompt.opaque(MESSAGE_FRAME, b"result");
            prompt.text(text(item, "output"));
            list(item, "output").iter().for_each(|part| count_part(prompt, part));
        }
        "reasoning" => list(item, "summary").iter().for_each(|s| prompt.text(text(s, "text"))),
        _ => {}
    }
}

fn count_part(prompt: &mut Prompt, part: &Value) {
    match media_of(part) {
        Some(found) if found.media_type.starts_with("image/") => {
            prompt.opaque(media::image_tokens(found.bytes), part.to_string().as_bytes());
        }
        Some(found) => prompt.opaque(media::file_tokens(found.bytes), part.to_string().as_bytes()),
        None => ["text", "refusal"].iter().for_each(|name| prompt.text(text(part, name))),
    }
}

/// What the answer depends on.
pub(super) fn brief(model: &Model, request: &Value, whole: &[Value]) -> Brief {
    let is_user = |i: &&Value| text(i, "type") == "message" && text(i, "role") == "user";
    let last_user = whole.iter().rev().find(is_user);
    let ask = last_user.map(|m| said(m, "content")).unwrap_or_default();
    Brief {
        prefill: String::new(),
        results: results(whole),
        media: last_user
            .map(|m| list(m, "content").iter().filter_map(media_of).collect())
            .unwrap_or_default(),
        tools: tools(request),
        choice: choice(request),
        parallel: request.get("parallel_tool_calls") != Some(&json!(false)),
        form: form(request),
        think: thinks(model, effort(model, some(&request["reasoning"], "effort"))),
        output_tokens_max: some(request, "max_output_tokens")
            .and_then(Value::as_u64)
            .unwrap_or(model.output_tokens_max),
        stops: Vec::new(),
        word_bytes: model.word_bytes,
        skill: quiz::skill(model.made_as),
        steering: Steering::read(&ask),
        ask,
    }
}

/// A member that is text or a list of parts, as text.
fn said(item: &Value, name: &str) -> String {
    let parts = list(item, name).iter().map(|p| text(p, "text")).collect::<Vec<_>>().join("\n");
    if parts.is_empty() { text(item, name).to_owned() } else { parts }
}

fn media_of(part: &Value) -> Option<Media> {
    let (kind, links, data) = match text(part, "type") {
        "input_image" => ("image/*", ["image_url", "file_id"], "image_url"),
        "input_file" => ("application/pdf", ["file_url", "file_id"], "file_data"),
        _ => return None,
    };
    if let Some((media_type, bytes)) = media::data_url(text(part, data)) {
        return Some(Media { media_type, bytes: Some(bytes.len()), reference: None });
    }
    let reference = links.iter().map(|n| text(part, n)).find(|l| !l.is_empty()).map(str::to_owned);
    Some(Media { media_type: kind.to_owned(), bytes: None, reference })
}

/// Results at the end of the conversation, with the names of their tools.
fn results(whole: &[Value]) -> Vec<(String, String)> {
    let is_result = |i: &Value| {
        text(i, "type").ends_with("tool_call_output") || text(i, "type") == "function_call_output"
    };
    let first = whole.iter().rposition(|i| !is_result(i)).map_or(0, |i| i + 1);
    let name = |id: &str| {
        let call =
            whole[..first].iter().rev().find(|i| text(i, "call_id") == id && some(i, "name").is_some());
        call.map_or("tool", |c| text(c, "name")).to_owned()
    };
    whole[first..].iter().map(|i| (name(text(i, "call_id")), said(i, "output"))).collect()
}

/// The functions that may be called: those of the request, or the allowed ones among them.
fn tools(request: &Value) -> Vec<Tool> {
    let allowed = list(&request["tool_choice"], "tools");
    let is_allowed =
        |t: &Value| allowed.is_empty() || allowed.iter().any(|a| text(a, "name") == text(t, "name"));
    let functions = list(request, "tools").iter().filter(|t| text(t, "type") == "function" && is_allowed(t));
    functions
        .map(|t| Tool {
            name: text(t, "name").to_owned(),
            schema: some(t, "parameters").cloned().unwrap_or_else(|| json!({ "type": "object" })),
        })
        .collect()
}

fn choice(request: &Value) -> Choice {
    match request.get("tool_choice") {
        Some(Value::String(word)) if word == "none" => Choice::Never,
        Some(Value::String(word)) if word == "required" => Choice::Required,
        Some(choice) if text(choice, "type") == "function" => Choice::Named(text(choice, "name").to_owned()),
        Some(choice) if text(choice, "mode") == "required" => Choice::Required,
        _ => Choice::Auto,
    }
}

fn form(request: &Value) -> Form {
    let Some(format) = some(&request["text"], "format") else { return Form::Text };
    match text(format, "type") {
        "json_object" => Form::Json,
        "json_schema" => Form::Schema(format["schema"].clone()),
        _ => Form::Text,
    }
}
