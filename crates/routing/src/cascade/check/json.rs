//! `json`: the answer is JSON, with or without the fence that models put around it.

use serde_json::Value;

use super::{Answer, Check, CheckPlugin, Example};

pub(super) const PLUGIN: CheckPlugin = CheckPlugin {
    name: "json",
    summary: "The answer is one JSON value, also inside of a Markdown fence.",
    judges_tool_calls: false,
    options: &[],
    make: |_| Ok(Box::new(Json)),
    example: Example {
        options: r#"{"check": "json"}"#,
        passes: "```json\n{\"a\": 1}\n```",
        fails: "{\"a\": 1",
    },
};

#[derive(Debug)]
struct Json;

impl Check for Json {
    fn check(&self, answer: &Answer<'_>) -> Result<(), String> {
        read(answer.text).map(|_| ())
    }
}

/// The value that an answer is.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let text = text.trim();
    let inside = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    // The first line of a fence may name the language.
    let inside = inside.and_then(|inside| inside.split_once('\n')).map_or(text, |(_, inside)| inside);
    // The message has a place and no text of the answer.
    serde_json::from_str(inside)
        .map_err(|error| format!("no JSON: line {}, column {}", error.line(), error.column()))
}
