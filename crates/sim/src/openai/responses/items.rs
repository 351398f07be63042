//! Input items: their members, the order of calls, results and reasoning, and what must be known to the fleet.
//!
//! Members: the published OpenAPI document's `InputItem`, 2026-08-21. Wordings as public bug reports give them, read
//! 2026-11-23: <https://github.com/TanStack/ai/issues/1212> (call without its reasoning),
//! <https://github.com/openai/openai-agents-python/issues/1660> (reasoning without what follows it),
//! <https://github.com/continuedev/continue/issues/9101> (items that were not stored).

use super::parameters::shape;
use super::reasoning;
use super::shelf::output;
use crate::openai::error::Refusal;
use crate::openai::messages::{document, picture};
use crate::setting::Setting;
use crate::shape::{Kind, Member, check, list, may, must, null, some, text};
use serde_json::{Value, json};

const TYPE: Member = null("type", Kind::Text);
const STATUS: Member = null("status", Kind::OneOf(&["in_progress", "completed", "incomplete"]));
const BREAKPOINT: Member = may("prompt_cache_breakpoint", Kind::Object);
/// Longest `call_id`.
const CALL_ID_MAX: usize = 64;

/// Items with members that are checked.
const ITEMS: &[(&str, &[Member])] = &[
    (
        "message",
        &[
            TYPE,
            must("role", Kind::OneOf(&["assistant", "system", "developer", "user"])),
            must("content", Kind::TextOrList),
            null("id", Kind::Text),
            null("phase", Kind::OneOf(&["commentary", "final_answer"])),
            STATUS,
        ],
    ),
    (
        "function_call",
        &[
            TYPE,
            must("call_id", Kind::Text),
            must("name", Kind::Text),
            must("arguments", Kind::Text),
            null("id", Kind::Text),
            null("async", Kind::Bool),
            null("caller", Kind::Object),
            null("namespace", Kind::Text),
            STATUS,
        ],
    ),
    (
        "function_call_output",
        &[
            TYPE,
            must("call_id", Kind::Text),
            must("output", Kind::TextOrList),
            null("id", Kind::Text),
            null("name", Kind::Text),
            null("namespace", Kind::Text),
            null("caller", Kind::Object),
            STATUS,
        ],
    ),
    (
        "reasoning",
        &[
            TYPE,
            must("summary", Kind::List),
            null("id", Kind::Text),
            null("encrypted_content", Kind::Text),
            null("content", Kind::List),
            STATUS,
        ],
    ),
    (
        "custom_tool_call",
        &[
            TYPE,
            must("call_id", Kind::Text),
            must("name", Kind::Text),
            must("input", Kind::Text),
            null("id", Kind::Text),
            null("caller", Kind::Object),
            null("namespace", Kind::Text),
            STATUS,
        ],
    ),
    (
        "custom_tool_call_output",
        &[
            TYPE,
            must("call_id", Kind::Text),
            must("output", Kind::TextOrList),
            null("id", Kind::Text),
            null("caller", Kind::Object),
            STATUS,
        ],
    ),
    ("item_reference", &[TYPE, must("id", Kind::Text)]),
];

/// Items of tools that run at the provider: passed over here.
const HOSTED: &[&str] = &[
    "file_search_call",
    "computer_call",
    "computer_call_output",
    "web_search_call",
    "image_generation_call",
    "code_interpreter_call",
    "local_shell_call",
    "local_shell_call_output",
    "shell_call",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "compaction",
    "tool_search_call",
    "tool_search_output",
];

const INPUT_PARTS: &[&str] = &["input_text", "input_image", "output_text", "refusal", "input_file"];

/// The request's own input as items: a text is one user message, an item without a type is a message.
pub(super) fn given(request: &Value) -> Vec<Value> {
    let plain = |text: &str| json!({ "type": "message", "role": "user", "content": text });
    if let Some(text) = request.get("input").and_then(Value::as_str) {
        return vec![plain(text)];
    }
    list(request, "input").iter().map(typed).collect()
}

fn typed(item: &Value) -> Value {
    let kind =
        if item.get("role").is_none() && item.get("id").is_some() { "item_reference" } else { "message" };
    let mut item = item.clone();
    if let Some(map) = item.as_object_mut().filter(|m| m.get("type").is_none_or(Value::is_null)) {
        map.insert("type".to_owned(), json!(kind));
    }
    item
}

/// Refuses items that are malformed.
pub(super) fn refuse(given: &[Value]) -> Result<(), Refusal> {
    given.iter().enumerate().try_for_each(|(i, item)| one(item, &format!("input[{i}]")))
}

fn one(item: &Value, at: &str) -> Result<(), Refusal> {
    let Some(map) = item.as_object() else { return Err(Refusal::kind(at, "an object", item)) };
    let kind = text(item, "type");
    if HOSTED.contains(&kind) {
        return Ok(());
    }
    let Some((_, members)) = ITEMS.iter().find(|(name, _)| *name == kind) else {
        let all: Vec<&str> = ITEMS.iter().map(|(name, _)| *name).chain(HOSTED.iter().copied()).collect();
        return Err(Refusal::not_one_of(at, &all, kind));
    };
    check(map, members).map_err(|p| shape(at, p))?;
    let prefix = match kind {
        "message" if text(item, "role") == "assistant" => Some("msg"),
        "function_call" => Some("fc"),
        "reasoning" => Some("rs"),
        _ => None,
    };
    if let (Some(prefix), Some(id)) = (prefix, some(item, "id").and_then(Value::as_str))
        && !id.starts_with(prefix)
    {
        let message = format!("Invalid '{at}.id': '{id}'. Expected an ID that begins with '{prefix}'.");
        return Err(Refusal::bad(format!("{at}.id"), "invalid_value", message));
    }
    let call_id = text(item, "call_id");
    if call_id.len() > CALL_ID_MAX {
        let message = format!(
            "Invalid '{at}.call_id': string too long. Expected a string with maximum length {CALL_ID_MAX}, but got a string with length {} instead.",
            call_id.len()
        );
        return Err(Refusal::bad(format!("{at}.call_id"), "string_above_max_length", message));
    }
    let (name, role) = match kind {
        "message" => ("content", text(item, "role")),
        _ => ("output", "user"),
    };
    list(item, name).iter().enumerate().try_for_each(|(i, p)| part(p, role, &format!("{at}.{name}[{i}]")))
}

fn part(part: &Value, role: &str, at: &str) -> Result<(), Refusal> {
    let Some(map) = part.as_object() else { return Err(Refusal::kind(at, "an object", part)) };
    let kind = text(part, "type");
    let allowed: &[&str] = if role == "assistant" { &["output_text", "refusal"] } else { INPUT_PARTS };
    if !allowed.contains(&kind) {
        return Err(Refusal::not_one_of(at, allowed, kind));
    }
    let members: &[Member] = match kind {
        "input_text" => &[must("type", Kind::Text), must("text", Kind::Text), BREAKPOINT],
        "output_text" => &[
            must("type", Kind::Text),
            must("text", Kind::Text),
            null("annotations", Kind::List),
            null("logprobs", Kind::List),
        ],
        "refusal" => &[must("type", Kind::Text), must("refusal", Kind::Text)],
        "input_image" => &[
            must("type", Kind::Text),
            null("image_url", Kind::Text),
            null("file_id", Kind::Text),
            null("detail", Kind::OneOf(&["low", "high", "auto", "original"])),
            BREAKPOINT,
        ],
        _ => &[
            must("type", Kind::Text),
            null("file_id", Kind::Text),
            null("filename", Kind::Text),
            null("file_data", Kind::Text),
            null("file_url", Kind::Text),
            may("detail", Kind::OneOf(&["auto", "low", "high"])),
            BREAKPOINT,
        ],
    };
    check(map, members).map_err(|p| shape(at, p))?;
    let has = |name: &str| some(part, name).is_some();
    let one_of = |names: &[&str]| {
        let message = format!("Missing required parameter: '{at}.{}'.", names[0]);
        let refusal = Refusal::bad(format!("{at}.{}", names[0]), "missing_required_parameter", message);
        if names.iter().any(|n| has(n)) { Ok(()) } else { Err(refusal) }
    };
    match kind {
        "input_image" if has("image_url") => picture(text(part, "image_url"), &format!("{at}.image_url")),
        "input_image" => one_of(&["image_url", "file_id"]),
        "input_file" if has("file_data") => document(text(part, "file_data"), &format!("{at}.file_data")),
        "input_file" => one_of(&["file_id", "file_data", "file_url"]),
        _ => Ok(()),
    }
}

/// Puts stored items in the place of references to them.
pub(super) fn resolved(
    setting: &Setting<'_>,
    request: &Value,
    given: Vec<Value>,
) -> Result<Vec<Value>, Refusal> {
    let found = |item: Value| {
        if text(&item, "type") != "item_reference" {
            return Ok(item);
        }
        let id = text(&item, "id");
        let holder = setting.shelf.holder(setting.caller, id);
        let stored = holder.and_then(|s| output(&s.response).iter().find(|i| text(i, "id") == id).cloned());
        stored.ok_or_else(|| not_stored(request, id))
    };
    given.into_iter().map(found).collect()
}

fn not_stored(request: &Value, id: &str) -> Refusal {
    let stateless = request.get("store") == Some(&json!(false));
    let hint = " Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.";
    let message = format!("Item with id '{id}' not found.{}", if stateless { hint } else { "" });
    Refusal { status: 404, ..Refusal::plain("input", message) }
}

/// Refuses reasoning that cannot be verified, and calls without results or results without calls in the whole conversation.
pub(super) fn refuse_order(
    setting: &Setting<'_>,
    request: &Value,
    context: &[Value],
    given: &[Value],
) -> Result<(), Refusal> {
    for (i, item) in given.iter().enumerate() {
        match text(item, "type") {
            "reasoning" => returned_reasoning(setting, request, item, given.get(i + 1))?,
            "function_call" | "message" => needs_reasoning(setting, item, &given[..i])?,
            _ => {}
        }
    }
    let whole = || context.iter().chain(given);
    let of = |kind: &'static str| whole().filter(move |i| text(i, "type") == kind);
    for (kind, answer, noun) in [
        ("function_call", "function_call_output", "function"),
        ("custom_tool_call", "custom_tool_call_output", "custom tool"),
    ] {
        let has = |kind, id: &str| of(kind).any(|i| text(i, "call_id") == id);
        if let Some(id) = of(answer).map(|i| text(i, "call_id")).find(|id| !has(kind, id)) {
            let message = format!("No tool call found for {noun} call output with call_id {id}.");
            return Err(Refusal::plain("input", message));
        }
        if let Some(id) = of(kind).map(|i| text(i, "call_id")).find(|id| !has(answer, id)) {
            let message = format!("No tool output found for {noun} call {id}.");
            return Err(Refusal::plain("input", message));
        }
    }
    Ok(())
}

/// A reasoning item that comes back is sealed or known, and what it led to follows it.
fn returned_reasoning(
    setting: &Setting<'_>,
    request: &Value,
    item: &Value,
    next: Option<&Value>,
) -> Result<(), Refusal> {
    let id = text(item, "id");
    match some(item, "encrypted_content").and_then(Value::as_str) {
        Some(sealed) => reasoning::refuse(setting.seed, id, sealed)?,
        None if setting.shelf.holder(setting.caller, id).is_none() => return Err(not_stored(request, id)),
        None => {}
    }
    let led_to = |next: &Value| match text(next, "type") {
        "message" => text(next, "role") == "assistant",
        kind => !kind.ends_with("_output"),
    };
    if next.is_some_and(led_to) {
        return Ok(());
    }
    let message =
        format!("Item '{id}' of type 'reasoning' was provided without its required following item.");
    Err(Refusal::plain("input", message))
}

/// A stored item that was reasoned for comes back with its reasoning.
fn needs_reasoning(setting: &Setting<'_>, item: &Value, before: &[Value]) -> Result<(), Refusal> {
    let id = text(item, "id");
    let Some(holder) = setting.shelf.holder(setting.caller, id) else { return Ok(()) };
    let output = output(&holder.response);
    let at = output.iter().position(|i| text(i, "id") == id).unwrap_or(0);
    let Some(thought) = at.checked_sub(1).map(|i| &output[i]).filter(|i| text(i, "type") == "reasoning")
    else {
        return Ok(());
    };
    let needed = text(thought, "id");
    if before.iter().any(|i| text(i, "type") == "reasoning" && [needed, ""].contains(&text(i, "id"))) {
        return Ok(());
    }
    let kind = text(item, "type");
    let message = format!(
        "Item '{id}' of type '{kind}' was provided without its required 'reasoning' item: '{needed}'."
    );
    Err(Refusal::plain("input", message))
}

/// JSON mode asks that the conversation says so.
pub(super) fn names_json(request: &Value, whole: &[Value]) -> Result<(), Refusal> {
    let wanted = text(&request["text"]["format"], "type") == "json_object";
    let says = |value: &Value| value.to_string().to_lowercase().contains("json");
    if wanted && !whole.iter().any(|i| says(&i["content"])) && !says(&request["instructions"]) {
        let message = "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.";
        return Err(Refusal::plain("input", message));
    }
    Ok(())
}
