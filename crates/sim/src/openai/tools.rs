//! Tools, tool choice and response format: names, strict schemas, and what goes with what.
//!
//! Rules: <https://developers.openai.com/api/docs/guides/function-calling> and
//! <https://developers.openai.com/api/docs/guides/structured-outputs>, 2026-11-22.

use super::error::Refusal;
use crate::schema;
use crate::shape::{Kind, check, list, may, must, null, some, text};
use serde_json::{Value, json};

/// Most tools in one request, and the longest name.
pub(super) const TOOLS_MAX: usize = 128;
const NAME_MAX: usize = 64;

/// Refuses tools, choices and formats that the provider refuses for every model.
pub(super) fn refuse(request: &Value) -> Result<(), Refusal> {
    let tools = list(request, "tools");
    if request.get("tools").is_some() && tools.is_empty() {
        let message = "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(Refusal::bad("tools", "empty_array", message));
    }
    if tools.len() > TOOLS_MAX {
        let message = format!(
            "Invalid 'tools': array too long. Expected an array with maximum length {TOOLS_MAX}, but got an array with length {} instead.",
            tools.len()
        );
        return Err(Refusal::bad("tools", "array_above_max_length", message));
    }
    for (i, tool) in tools.iter().enumerate() {
        one(tool, &format!("tools[{i}]"))?;
    }
    choice(request, tools)?;
    if tools.is_empty() && request.get("parallel_tool_calls").is_some() {
        let message = "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.";
        return Err(Refusal::plain("parallel_tool_calls", message));
    }
    format(request)
}

fn one(tool: &Value, at: &str) -> Result<(), Refusal> {
    let Some(map) = tool.as_object() else { return Err(Refusal::kind(at, "an object", tool)) };
    let kind = Kind::OneOf(&["function", "custom"]);
    check(map, &[must("type", kind), may("function", Kind::Object), may("custom", Kind::Object)])
        .map_err(|p| Refusal::shape(at, p))?;
    let inner = text(tool, "type");
    let Some(function) = tool.get(inner).and_then(Value::as_object) else {
        let at = format!("{at}.{inner}");
        return Err(Refusal::bad(
            &at,
            "missing_required_parameter",
            format!("Missing required parameter: '{at}'."),
        ));
    };
    let at = format!("{at}.{inner}");
    if inner == "custom" {
        let members = [must("name", Kind::Text), may("description", Kind::Text), may("format", Kind::Object)];
        check(function, &members).map_err(|p| Refusal::shape(&at, p))?;
        return name(text(&tool[inner], "name"), &at);
    }
    let members = [
        must("name", Kind::Text),
        null("description", Kind::Text),
        null("parameters", Kind::Object),
        null("strict", Kind::Bool),
    ];
    check(function, &members).map_err(|p| Refusal::shape(&at, p))?;
    let tool_name = text(&tool["function"], "name");
    name(tool_name, &at)?;
    let Some(parameters) = some(&tool["function"], "parameters") else { return Ok(()) };
    let strict = function.get("strict") == Some(&json!(true));
    let violation = if strict { schema::strict_violation(parameters) } else { not_an_object(parameters) };
    violation.map_or(Ok(()), |why| {
        let message = format!("Invalid schema for function '{tool_name}': {why}");
        Err(Refusal::bad(format!("{at}.parameters"), "invalid_function_parameters", message))
    })
}

/// Parameters without the strict flag must still be an object's schema.
pub(super) fn not_an_object(parameters: &Value) -> Option<String> {
    let empty = parameters.as_object().is_some_and(serde_json::Map::is_empty);
    let object = parameters.get("type") == Some(&json!("object"));
    (!empty && !object).then(|| {
        let found = parameters.get("type").map_or("None".to_owned(), |t| t.to_string().replace('"', "'"));
        format!("schema must be a JSON Schema of 'type: \"object\"', got 'type: {found}'.")
    })
}

pub(super) fn name(name: &str, at: &str) -> Result<(), Refusal> {
    let at = format!("{at}.name");
    if name.len() > NAME_MAX {
        let message = format!(
            "Invalid '{at}': string too long. Expected a string with maximum length {NAME_MAX}, but got a string with length {} instead.",
            name.len()
        );
        return Err(Refusal::bad(at, "string_above_max_length", message));
    }
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        let message = format!(
            "Invalid '{at}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        );
        return Err(Refusal::bad(at, "invalid_value", message));
    }
    Ok(())
}

fn choice(request: &Value, tools: &[Value]) -> Result<(), Refusal> {
    let Some(choice) = request.get("tool_choice") else { return Ok(()) };
    if tools.is_empty() && choice != &json!("none") {
        let message =
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
        return Err(Refusal::plain("tool_choice", message));
    }
    if let Some(word) = choice.as_str() {
        return match word {
            "none" | "auto" | "required" => Ok(()),
            _ => Err(Refusal::not_one_of("tool_choice", &["none", "auto", "required"], word)),
        };
    }
    let kind = text(choice, "type");
    match kind {
        "function" | "custom" => {
            let members = [
                must("type", Kind::Text),
                must(if kind == "function" { "function" } else { "custom" }, Kind::Object),
            ];
            if let Some(map) = choice.as_object() {
                check(map, &members).map_err(|p| Refusal::shape("tool_choice", p))?;
            }
            let wanted = text(&choice[kind], "name");
            if !tools.iter().any(|t| text(&t[kind], "name") == wanted) {
                let message = format!("Tool choice '{wanted}' not found in 'tools' parameter.");
                return Err(Refusal::plain("tool_choice", message));
            }
            Ok(())
        }
        "allowed_tools" => Ok(()),
        _ => Err(Refusal::not_one_of("tool_choice.type", &["allowed_tools", "function", "custom"], kind)),
    }
}

fn format(request: &Value) -> Result<(), Refusal> {
    let Some(format) = request.get("response_format") else { return Ok(()) };
    let at = "response_format";
    let kind = Kind::OneOf(&["json_object", "json_schema", "text"]);
    if let Some(map) = format.as_object() {
        check(map, &[must("type", kind), may("json_schema", Kind::Object)])
            .map_err(|p| Refusal::shape(at, p))?;
    }
    if text(format, "type") != "json_schema" {
        return Ok(());
    }
    let at = "response_format.json_schema";
    let Some(map) = format.get("json_schema").and_then(Value::as_object) else {
        return Err(Refusal::bad(
            at,
            "missing_required_parameter",
            format!("Missing required parameter: '{at}'."),
        ));
    };
    let members = [
        must("name", Kind::Text),
        may("description", Kind::Text),
        may("schema", Kind::Object),
        null("strict", Kind::Bool),
    ];
    check(map, &members).map_err(|p| Refusal::shape(at, p))?;
    let schema_name = text(&format["json_schema"], "name");
    name(schema_name, at)?;
    let Some(wanted) = map.get("schema") else {
        let at = format!("{at}.schema");
        return Err(Refusal::bad(
            &at,
            "missing_required_parameter",
            format!("Missing required parameter: '{at}'."),
        ));
    };
    let strict = map.get("strict") == Some(&json!(true));
    match schema::strict_violation(wanted).filter(|_| strict).or_else(|| not_an_object(wanted)) {
        Some(why) => Err(Refusal::plain(
            "response_format",
            format!("Invalid schema for response_format '{schema_name}': {why}"),
        )),
        None => Ok(()),
    }
}
