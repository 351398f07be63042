//! What tools on offer count for.
//!
//! Vendors write them into the prompt in forms of their own. OpenAI's cookbook publishes a rule for flat
//! schemas (`num_tokens_for_tools` in `How_to_count_tokens_with_tiktoken.ipynb`, read 2026-11-22): 7 a
//! function, 3 for its properties, 3 a property with `name:type:description`, 3 a value of an enum
//! after its first, 12 for all (older models: 10 a function, not told apart here). The same rule is applied to nested properties here, and to every family.

use std::borrow::Cow;

use pilothouse_core::conversation::{FunctionTool, Raw, Tool, ToolContent};
use serde_json::Value;

use crate::request::Walked;

/// Schemas nested deeper than this count as their JSON text below it.
const DEPTH_MAX: u32 = 16;

const FUNCTION_TOKENS: u64 = 7;
const PROPERTIES_TOKENS: u64 = 3;
const PROPERTY_TOKENS: u64 = 3;
const ENUM_VALUE_TOKENS: u64 = 3;

/// Adds a tool.
pub(crate) fn walk<'r>(tool: &'r Tool, walked: &mut Walked<'r>) {
    match &tool.content {
        ToolContent::Function(FunctionTool { name, description, parameters, .. }) => {
            walked.tokens += FUNCTION_TOKENS;
            let description = description.as_deref().unwrap_or_default();
            walked.texts.push(Cow::Owned(format!("{name}:{description}")));
            if let Some(parameters) = parameters {
                schema(parameters, walked);
            }
        }
        ToolContent::Native { raw, .. } => walked.texts.push(Cow::Borrowed(raw.text())),
    }
}

/// Adds a JSON schema.
pub(crate) fn schema<'r>(raw: &'r Raw, walked: &mut Walked<'r>) {
    match serde_json::from_str::<Value>(raw.text()) {
        Ok(value) => properties(&value, walked, 0),
        // Only a schema that is nested deeper than the parser goes.
        Err(_) => walked.texts.push(Cow::Borrowed(raw.text())),
    }
}

fn properties(schema: &Value, walked: &mut Walked<'_>, depth: u32) {
    if depth == DEPTH_MAX {
        walked.texts.push(Cow::Owned(schema.to_string()));
        return;
    }
    if let Some(members) = schema.get("properties").and_then(Value::as_object) {
        walked.tokens += PROPERTIES_TOKENS;
        for (name, member) in members {
            property(name, member, walked, depth);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner @ Value::Object(_)) = schema.get(key) {
            property("", inner, walked, depth);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        for choice in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            property("", choice, walked, depth);
        }
    }
    for key in ["$defs", "definitions"] {
        for (name, inner) in schema.get(key).and_then(Value::as_object).into_iter().flatten() {
            property(name, inner, walked, depth);
        }
    }
}

fn property(name: &str, member: &Value, walked: &mut Walked<'_>, depth: u32) {
    let text = |key| member.get(key).and_then(Value::as_str).unwrap_or_default();
    walked.tokens += PROPERTY_TOKENS;
    walked.texts.push(Cow::Owned(format!("{name}:{}:{}", text("type"), text("description"))));
    for (index, value) in member.get("enum").and_then(Value::as_array).into_iter().flatten().enumerate() {
        walked.tokens += if index == 0 { 0 } else { ENUM_VALUE_TOKENS };
        walked.texts.push(Cow::Owned(value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    properties(member, walked, depth + 1);
}
