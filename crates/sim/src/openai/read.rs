//! Reads a valid request: what it costs in tokens, and what the answer depends on.

use super::effort;
use crate::media;
use crate::models::{Model, Rules};
use crate::plan::{Brief, Choice, Form, Media, Tool};
use crate::prompt::Prompt;
use crate::quiz;
use crate::shape::{list, some, text};
use crate::steer::Steering;
use serde_json::{Value, json};

/// Tokens of a message's frame and of the answer's opening, as the provider's cookbook counts them.
pub(super) const MESSAGE_FRAME: u64 = 3;
pub(super) const ANSWER_OPENING: u64 = 3;

/// The prompt as it is counted.
pub(super) fn prompt(model: &Model, request: &Value) -> Prompt {
    let mut prompt = Prompt::new(model.word_bytes);
    if let Some(tools) = some(request, "tools") {
        prompt.text(&tools.to_string());
    }
    if let Some(format) = some(request, "response_format") {
        prompt.text(&format.to_string());
    }
    for message in list(request, "messages") {
        prompt.opaque(MESSAGE_FRAME, text(message, "role").as_bytes());
        prompt.text(text(message, "name"));
        prompt.text(text(message, "content"));
        prompt.text(text(message, "refusal"));
        for part in list(message, "content") {
            match media_of(part) {
                Some(found) if found.media_type.starts_with("image/") => {
                    prompt.opaque(media::image_tokens(found.bytes), part.to_string().as_bytes());
                }
                Some(found) => prompt.opaque(media::file_tokens(found.bytes), part.to_string().as_bytes()),
                None => prompt.text(if text(part, "type") == "refusal" {
                    text(part, "refusal")
                } else {
                    text(part, "text")
                }),
            }
        }
        for call in list(message, "tool_calls") {
            prompt.opaque(MESSAGE_FRAME, b"call");
            prompt.text(text(&call["function"], "name"));
            prompt.text(text(&call["function"], "arguments"));
        }
    }
    prompt.opaque(ANSWER_OPENING, b"answer");
    prompt
}

/// What the answer depends on.
pub(super) fn brief(model: &Model, request: &Value) -> Brief {
    let messages = list(request, "messages");
    let last_user = messages.iter().rev().find(|m| text(m, "role") == "user");
    let ask = last_user.map(content_text).unwrap_or_default();
    let steering = Steering::read(&ask);
    let output_tokens_max = ["max_completion_tokens", "max_tokens"]
        .iter()
        .find_map(|n| some(request, n).and_then(Value::as_u64))
        .unwrap_or(model.output_tokens_max);
    Brief {
        prefill: String::new(),
        results: results(messages),
        media: last_user
            .map(|m| list(m, "content").iter().filter_map(media_of).collect())
            .unwrap_or_default(),
        tools: tools(request),
        choice: choice(request),
        parallel: request.get("parallel_tool_calls") != Some(&json!(false)),
        form: form(request),
        think: thinks(model, effort(model, some(request, "reasoning_effort"))),
        output_tokens_max,
        stops: stops(request),
        word_bytes: model.word_bytes,
        skill: quiz::skill(model.made_as),
        steering,
        ask,
    }
}

/// Text of a message: its string or its text parts.
fn content_text(message: &Value) -> String {
    let parts = list(message, "content").iter().map(|p| text(p, "text")).collect::<Vec<_>>().join("\n");
    if parts.is_empty() { text(message, "content").to_owned() } else { parts }
}

/// The image, sound or file of a content part.
fn media_of(part: &Value) -> Option<Media> {
    let from_url = |url: &str, kind: &str| match media::data_url(url) {
        Some((media_type, bytes)) => Media { media_type, bytes: Some(bytes.len()), reference: None },
        None => Media { media_type: kind.to_owned(), bytes: None, reference: Some(url.to_owned()) },
    };
    match text(part, "type") {
        "image_url" => Some(from_url(text(&part["image_url"], "url"), "image/*")),
        "file" if some(&part["file"], "file_id").is_some() => {
            let reference = Some(text(&part["file"], "file_id").to_owned());
            Some(Media { media_type: "application/pdf".to_owned(), bytes: None, reference })
        }
        "file" => Some(from_url(text(&part["file"], "file_data"), "application/pdf")),
        "input_audio" => {
            let audio = &part["input_audio"];
            let bytes = media::decode(text(audio, "data")).map(|b| b.len());
            Some(Media { media_type: format!("audio/{}", text(audio, "format")), bytes, reference: None })
        }
        _ => None,
    }
}

/// Tool results at the end of the conversation, with the names of their tools.
fn results(messages: &[Value]) -> Vec<(String, String)> {
    let first = messages.iter().rposition(|m| text(m, "role") != "tool").map_or(0, |i| i + 1);
    let calls = first.checked_sub(1).map_or(&[][..], |i| list(&messages[i], "tool_calls"));
    let name = |id: &str| {
        calls.iter().find(|c| text(c, "id") == id).map_or("tool", |c| text(&c["function"], "name"))
    };
    messages[first..].iter().map(|m| (name(text(m, "tool_call_id")).to_owned(), content_text(m))).collect()
}

fn tools(request: &Value) -> Vec<Tool> {
    let read = |tool: &Value| match text(tool, "type") {
        "function" => Some(Tool {
            name: text(&tool["function"], "name").to_owned(),
            schema: some(&tool["function"], "parameters")
                .cloned()
                .unwrap_or_else(|| json!({ "type": "object" })),
        }),
        _ => None,
    };
    list(request, "tools").iter().filter_map(read).collect()
}

fn choice(request: &Value) -> Choice {
    match request.get("tool_choice") {
        Some(Value::String(word)) if word == "none" => Choice::Never,
        Some(Value::String(word)) if word == "required" => Choice::Required,
        Some(Value::Object(map)) if map.contains_key("function") => {
            Choice::Named(text(&map["function"], "name").to_owned())
        }
        _ => Choice::Auto,
    }
}

fn form(request: &Value) -> Form {
    let Some(format) = some(request, "response_format") else { return Form::Text };
    match text(format, "type") {
        "json_object" => Form::Json,
        "json_schema" => Form::Schema(format["json_schema"]["schema"].clone()),
        _ => Form::Text,
    }
}

/// Most reasoning tokens: by effort; none for models that do not reason.
pub(super) fn thinks(model: &Model, effort: &str) -> Option<u64> {
    let Rules::OpenAi(rules) = model.rules else { return None };
    if !rules.reasons() {
        return None;
    }
    match effort {
        "none" => None,
        "minimal" => Some(8),
        "low" => Some(24),
        "medium" => Some(64),
        _ => Some(4_096),
    }
}

fn stops(request: &Value) -> Vec<String> {
    match request.get("stop") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
