//! Function declarations and their schemas, and what the tool configuration may ask.
//!
//! Rules: <https://ai.google.dev/gemini-api/docs/function-calling>; wordings as public bug reports give them, read 2026-11-23:
//! <https://github.com/langchain-ai/langchainjs/pull/7935> (empty properties), <https://github.com/kaitranntt/ccs/issues/25>
//! (names), <https://github.com/UKGovernmentBEIS/inspect_ai/issues/2462> (a configuration without functions). Where no report
//! was found, the words are ours in the provider's form.

use super::error::Refusal;
use crate::models::{Model, Rules};
use crate::shape::{list, some, text};
use serde_json::Value;

/// Longest function name, and deepest schema that is checked.
const NAME_MAX: usize = 64;
const DEPTH_MAX: usize = 32;
/// Tools that run at the provider.
const HOSTED: &[&str] = &[
    "googleSearch",
    "googleSearchRetrieval",
    "codeExecution",
    "urlContext",
    "fileSearch",
    "googleMaps",
    "computerUse",
    "mcpServers",
];

/// The functions that the request declares.
pub(super) fn declarations(request: &Value) -> impl Iterator<Item = &Value> {
    list(request, "tools").iter().flat_map(|t| list(t, "functionDeclarations"))
}

/// Whether a tool that runs at the provider is offered.
pub(super) fn has_hosted(request: &Value) -> bool {
    list(request, "tools").iter().any(|t| HOSTED.iter().any(|h| some(t, h).is_some()))
}

/// Refuses tools and configurations that the provider refuses.
pub(super) fn refuse(model: &Model, request: &Value) -> Result<(), Refusal> {
    let mut seen = Vec::new();
    for (i, tool) in list(request, "tools").iter().enumerate() {
        for (j, declared) in list(tool, "functionDeclarations").iter().enumerate() {
            let at = format!("tools[{i}].function_declarations[{j}]");
            let name = text(declared, "name");
            self::name(name, &at)?;
            if seen.contains(&name) {
                return Err(Refusal::bad(format!("Duplicate function declaration found: {name}")));
            }
            seen.push(name);
            if some(declared, "parameters").is_some() && some(declared, "parametersJsonSchema").is_some() {
                let why = "only one of parameters and parameters_json_schema can be set.";
                return Err(Refusal::field(&format!("{at}.parameters"), why));
            }
            if let Some(parameters) = some(declared, "parameters") {
                schema(parameters, &format!("{at}.parameters"), 0)?;
            }
        }
    }
    let is_2 = matches!(model.rules, Rules::Gemini(rules) if !rules.is_gemini_3);
    if is_2 && !seen.is_empty() && has_hosted(request) {
        return Err(Refusal::bad("Tool use with function calling is unsupported"));
    }
    config(request, &seen)
}

fn name(name: &str, at: &str) -> Result<(), Refusal> {
    let is_start = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
    let is_inside = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
    if name.as_bytes().first().is_some_and(is_start) && name.bytes().all(is_inside) && name.len() <= NAME_MAX
    {
        return Ok(());
    }
    let why = "Invalid function name. Must start with a letter or an underscore. Must be a-z, A-Z, 0-9, or contain underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.";
    Err(Refusal::field(&format!("{at}.name"), why))
}

/// Refuses a schema that is not one of the provider's own.
pub(super) fn schema(schema: &Value, at: &str, depth: usize) -> Result<(), Refusal> {
    if depth > DEPTH_MAX {
        return Err(Refusal::field(at, "exceeds the maximum allowed nesting depth."));
    }
    let kind = text(schema, "type");
    let properties = schema.get("properties").and_then(Value::as_object);
    if kind == "OBJECT" && properties.is_none_or(serde_json::Map::is_empty) {
        return Err(Refusal::field(&format!("{at}.properties"), "should be non-empty for OBJECT type"));
    }
    if kind == "ARRAY" && some(schema, "items").is_none() {
        return Err(Refusal::field(&format!("{at}.items"), "missing field."));
    }
    if !list(schema, "enum").is_empty() && kind != "STRING" {
        return Err(Refusal::field(&format!("{at}.enum"), "only allowed for STRING type"));
    }
    let format = text(schema, "format");
    if kind == "STRING" && !format.is_empty() && !matches!(format, "enum" | "date-time") {
        let why = "only 'enum' and 'date-time' are supported for STRING type";
        return Err(Refusal::field(&format!("{at}.format"), why));
    }
    for (i, required) in list(schema, "required").iter().enumerate() {
        let is_defined = properties.is_some_and(|p| required.as_str().is_some_and(|r| p.contains_key(r)));
        if !is_defined {
            return Err(Refusal::field(&format!("{at}.required[{i}]"), "property is not defined"));
        }
    }
    for (name, inner) in properties.into_iter().flatten() {
        self::schema(inner, &format!("{at}.properties[{name}]"), depth + 1)?;
    }
    for (i, inner) in list(schema, "anyOf").iter().enumerate() {
        self::schema(inner, &format!("{at}.any_of[{i}]"), depth + 1)?;
    }
    some(schema, "items").map_or(Ok(()), |inner| self::schema(inner, &format!("{at}.items"), depth + 1))
}

fn config(request: &Value, declared: &[&str]) -> Result<(), Refusal> {
    let Some(config) = some(&request["toolConfig"], "functionCallingConfig") else { return Ok(()) };
    let (mode, allowed) = (text(config, "mode"), list(config, "allowedFunctionNames"));
    if declared.is_empty() && !matches!(mode, "" | "MODE_UNSPECIFIED") {
        return Err(Refusal::bad("Function calling config is set without function_declarations."));
    }
    if !allowed.is_empty() && !matches!(mode, "ANY" | "VALIDATED") {
        return Err(Refusal::bad(
            "Please set allowed_function_names only when function calling mode is ANY.",
        ));
    }
    match allowed.iter().filter_map(Value::as_str).find(|name| !declared.contains(name)) {
        Some(name) => {
            let at = "tool_config.function_calling_config.allowed_function_names";
            Err(Refusal::field(at, &format!("`{name}` is not among the declared functions.")))
        }
        None => Ok(()),
    }
}

/// A schema of the provider's own kind as JSON Schema, which is what answers are made from.
pub(super) fn json_schema(schema: &Value) -> Value {
    let Some(map) = schema.as_object() else { return schema.clone() };
    let mut out = serde_json::Map::new();
    for (name, value) in map {
        let value = match (name.as_str(), value) {
            ("type", Value::String(kind)) => Value::String(kind.to_lowercase()),
            ("properties", Value::Object(inner)) => {
                Value::Object(inner.iter().map(|(k, v)| (k.clone(), json_schema(v))).collect())
            }
            ("items", inner) => json_schema(inner),
            ("anyOf", Value::Array(inner)) => inner.iter().map(json_schema).collect(),
            ("format", _) if value == "enum" => continue,
            _ => value.clone(),
        };
        out.insert(name.clone(), value);
    }
    Value::Object(out)
}
