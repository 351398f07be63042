//! Tools, tool choice and text format of the Responses API: functions are flat here, and strict unless told otherwise.
//!
//! Rules: <https://developers.openai.com/api/docs/guides/function-calling> and
//! <https://developers.openai.com/api/docs/guides/migrate-to-responses>, read 2026-11-23.

use super::parameters::shape;
use crate::openai::error::Refusal;
use crate::openai::tools::{TOOLS_MAX, name, not_an_object};
use crate::schema;
use crate::shape::{Kind, check, list, may, must, null, some, text};
use serde_json::{Value, json};

/// Tools that run at the provider: taken, and never called here.
const HOSTED: &[&str] = &[
    "file_search",
    "computer",
    "computer_use_preview",
    "web_search",
    "web_search_2025_08_26",
    "mcp",
    "code_interpreter",
    "programmatic_tool_calling",
    "image_generation",
    "local_shell",
    "shell",
    "namespace",
    "tool_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "apply_patch",
];

/// Refuses tools, choices and formats that the provider refuses for every model.
pub(super) fn refuse(request: &Value) -> Result<(), Refusal> {
    let tools = list(request, "tools");
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
    format(request)
}

fn one(tool: &Value, at: &str) -> Result<(), Refusal> {
    let Some(map) = tool.as_object() else { return Err(Refusal::kind(at, "an object", tool)) };
    let kind = text(tool, "type");
    let members = match kind {
        "function" => vec![
            must("type", Kind::Text),
            must("name", Kind::Text),
            null("description", Kind::Text),
            null("parameters", Kind::Object),
            null("strict", Kind::Bool),
            null("output_schema", Kind::Object),
            may("defer_loading", Kind::Bool),
            null("allowed_callers", Kind::List),
            null("async", Kind::Bool),
        ],
        "custom" => vec![
            must("type", Kind::Text),
            must("name", Kind::Text),
            may("description", Kind::Text),
            may("format", Kind::Object),
            may("defer_loading", Kind::Bool),
            null("allowed_callers", Kind::List),
        ],
        "" => {
            let at = format!("{at}.type");
            let message = format!("Missing required parameter: '{at}'.");
            return Err(Refusal::bad(at, "missing_required_parameter", message));
        }
        _ if HOSTED.contains(&kind) => return Ok(()),
        _ => {
            let all: Vec<&str> = ["function", "custom"].iter().chain(HOSTED).copied().collect();
            return Err(Refusal::not_one_of(&format!("{at}.type"), &all, kind));
        }
    };
    check(map, &members).map_err(|p| shape(at, p))?;
    name(text(tool, "name"), at)?;
    let Some(parameters) = some(tool, "parameters") else { return Ok(()) };
    let strict = map.get("strict") == Some(&json!(true));
    let violation = if strict { schema::strict_violation(parameters) } else { not_an_object(parameters) };
    violation.map_or(Ok(()), |why| {
        let message = format!("Invalid schema for function '{}': {why}", text(tool, "name"));
        Err(Refusal::bad(format!("{at}.parameters"), "invalid_function_parameters", message))
    })
}

fn choice(request: &Value, tools: &[Value]) -> Result<(), Refusal> {
    let Some(choice) = some(request, "tool_choice") else { return Ok(()) };
    if let Some(word) = choice.as_str() {
        return match word {
            "required" if tools.is_empty() => {
                let message = "Tool choice 'required' must be specified with 'tools' parameter.";
                Err(Refusal::plain("tool_choice", message))
            }
            "none" | "auto" | "required" => Ok(()),
            _ => Err(Refusal::not_one_of("tool_choice", &["none", "auto", "required"], word)),
        };
    }
    let kind = text(choice, "type");
    match kind {
        "function" | "custom" => {
            let members = [must("type", Kind::Text), must("name", Kind::Text)];
            if let Some(map) = choice.as_object() {
                check(map, &members).map_err(|p| shape("tool_choice", p))?;
            }
            let wanted = text(choice, "name");
            if tools.iter().any(|t| text(t, "type") == kind && text(t, "name") == wanted) {
                return Ok(());
            }
            let message = format!("Tool choice '{wanted}' not found in 'tools' parameter.");
            Err(Refusal::plain("tool_choice", message))
        }
        "allowed_tools" => {
            let members = [
                must("type", Kind::Text),
                must("mode", Kind::OneOf(&["auto", "required"])),
                must("tools", Kind::List),
            ];
            choice.as_object().map_or(Ok(()), |map| check(map, &members).map_err(|p| shape("tool_choice", p)))
        }
        _ if HOSTED.contains(&kind) && tools.iter().any(|t| text(t, "type") == kind) => Ok(()),
        _ if HOSTED.contains(&kind) => {
            let message = format!("Tool choice '{kind}' not found in 'tools' parameter.");
            Err(Refusal::plain("tool_choice", message))
        }
        _ => Err(Refusal::not_one_of("tool_choice.type", &["allowed_tools", "function", "custom"], kind)),
    }
}

fn format(request: &Value) -> Result<(), Refusal> {
    let Some(format) = some(&request["text"], "format") else { return Ok(()) };
    let at = "text.format";
    let Some(map) = format.as_object() else { return Err(Refusal::kind(at, "an object", format)) };
    let kinds = Kind::OneOf(&["json_object", "json_schema", "text"]);
    if text(format, "type") != "json_schema" {
        return check(map, &[must("type", kinds)]).map_err(|p| shape(at, p));
    }
    let members = [
        must("type", kinds),
        must("name", Kind::Text),
        must("schema", Kind::Object),
        null("description", Kind::Text),
        null("strict", Kind::Bool),
    ];
    check(map, &members).map_err(|p| shape(at, p))?;
    name(text(format, "name"), at)?;
    let strict = map.get("strict") == Some(&json!(true));
    let wanted = &format["schema"];
    match schema::strict_violation(wanted).filter(|_| strict).or_else(|| not_an_object(wanted)) {
        Some(why) => {
            let message = format!("Invalid schema for response_format '{}': {why}", text(format, "name"));
            Err(Refusal::bad("text.format.schema", "invalid_json_schema", message))
        }
        None => Ok(()),
    }
}

/// The tools as the response repeats them: a function without a `strict` of its own is strict where its schema allows it.
pub(super) fn echoed(request: &Value) -> Value {
    let fill = |tool: &Value| {
        let mut tool = tool.clone();
        if text(&tool, "type") == "function" {
            let fits = some(&tool, "parameters").is_some_and(|p| schema::strict_violation(p).is_none());
            let strict = some(&tool, "strict").and_then(Value::as_bool).unwrap_or(fits);
            tool["strict"] = json!(strict);
            for name in ["parameters", "description"] {
                if tool.get(name).is_none() {
                    tool[name] = Value::Null;
                }
            }
        }
        tool
    };
    list(request, "tools").iter().map(fill).collect()
}
