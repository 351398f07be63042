//! Tools and tool choice.
//!
//! Rules: <https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview> and `ToolParam` of the Python SDK 2.12,
//! 2026-11-22.

use super::error::Refusal;
use super::parameters::cache_control;
use crate::models::{Model, Rules};
use crate::shape::{Kind, check, list, may, must, null, some, text};
use serde_json::Value;
use std::collections::HashSet;

/// Longest tool name.
const NAME_MAX: usize = 128;

/// Refuses tools and a choice that the provider refuses.
pub(super) fn refuse(model: &Model, request: &Value) -> Result<(), Refusal> {
    let tools = list(request, "tools");
    let mut names = HashSet::new();
    for (i, tool) in tools.iter().enumerate() {
        one(tool, i)?;
        if !names.insert(text(tool, "name")) {
            return Err(Refusal::bad("tools: Tool names must be unique."));
        }
    }
    choice(model, request, tools)
}

/// Whether a tool is the caller's own; others run at the provider or have a fixed shape.
pub(super) fn is_custom(tool: &Value) -> bool {
    matches!(text(tool, "type"), "" | "custom")
}

fn one(tool: &Value, i: usize) -> Result<(), Refusal> {
    let Some(map) = tool.as_object() else {
        return Err(Refusal::bad(format!("tools.{i}: Input should be a valid dictionary")));
    };
    if !is_custom(tool) {
        return Ok(());
    }
    let at = format!("tools.{i}.custom");
    let members = [
        must("name", Kind::Text),
        must("input_schema", Kind::Object),
        null("type", Kind::Text),
        may("description", Kind::Text),
        null("cache_control", Kind::Object),
        may("strict", Kind::Bool),
        may("allowed_callers", Kind::List),
        may("defer_loading", Kind::Bool),
        null("eager_input_streaming", Kind::Bool),
        may("input_examples", Kind::List),
    ];
    check(map, &members).map_err(|p| Refusal::shape(&at, p))?;
    let name = text(tool, "name");
    let fits = (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !fits {
        return Err(Refusal::bad(format!(
            "{at}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        )));
    }
    match tool["input_schema"].get("type").and_then(Value::as_str) {
        None => Err(Refusal::bad(format!("{at}.input_schema.type: Field required"))),
        Some("object") => cache_control(tool, &format!("{at}.cache_control")),
        Some(_) => Err(Refusal::bad(format!("{at}.input_schema.type: Input should be 'object'"))),
    }
}

fn choice(model: &Model, request: &Value, tools: &[Value]) -> Result<(), Refusal> {
    let Some(choice) = some(request, "tool_choice") else { return Ok(()) };
    let kind = text(choice, "type");
    let serial = may("disable_parallel_tool_use", Kind::Bool);
    let members: &[_] = match kind {
        "auto" | "any" => &[must("type", Kind::Text), serial],
        "tool" => &[must("type", Kind::Text), must("name", Kind::Text), serial],
        "none" => &[must("type", Kind::Text)],
        _ => {
            let message = format!(
                "tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags: 'any', 'auto', 'none', 'tool'"
            );
            return Err(Refusal::bad(message));
        }
    };
    if let Some(map) = choice.as_object() {
        check(map, members).map_err(|p| Refusal::shape(&format!("tool_choice.{kind}"), p))?;
    }
    if tools.is_empty() && kind != "none" {
        return Err(Refusal::bad("tool_choice: tool_choice may only be specified while providing tools"));
    }
    if let Rules::Anthropic(rules) = model.rules
        && !rules.forced_tools
        && matches!(kind, "any" | "tool")
    {
        return Err(Refusal::bad(format!(
            "tool_choice.type: '{kind}' is not supported for this model. Use 'auto' or 'none'."
        )));
    }
    if kind == "tool" && !tools.iter().any(|t| text(t, "name") == text(choice, "name")) {
        return Err(Refusal::bad(format!("Tool '{}' not found in provided tools", text(choice, "name"))));
    }
    Ok(())
}
