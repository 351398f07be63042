//! Reads a valid request: its blocks with their tokens, and what the answer depends on.

use super::parameters::thinks;
use super::tools::is_custom;
use crate::cache::{Block, Ttl};
use crate::media;
use crate::models::{Model, Rules};
use crate::plan::{Brief, Choice, Form, Media, Tool};
use crate::quiz;
use crate::shape::{list, some, text};
use crate::steer::Steering;
use crate::tokens;
use serde_json::{Value, json};

/// Tokens of a message's frame, and of the instructions that tools bring with them.
const MESSAGE_FRAME: u64 = 3;
const TOOLS_FRAME: u64 = 346;

/// The prompt in its order: tools, system, messages.
pub(super) fn blocks(model: &Model, request: &Value) -> Vec<Block> {
    let width = model.word_bytes;
    let mut out: Vec<Block> = Vec::new();
    for (i, tool) in list(request, "tools").iter().enumerate() {
        let frame = if i == 0 { TOOLS_FRAME } else { 0 };
        let bare = bare(tool);
        out.push(Block {
            tokens: frame + tokens::count(&bare, width),
            content: bare.into_bytes(),
            mark: mark(tool),
        });
    }
    if let Some(system) = request.get("system").and_then(Value::as_str) {
        out.push(Block { tokens: tokens::count(system, width), content: system.into(), mark: None });
    }
    for block in list(request, "system") {
        let content = text(block, "text");
        out.push(Block { tokens: tokens::count(content, width), content: content.into(), mark: mark(block) });
    }
    for message in list(request, "messages") {
        let role = text(message, "role");
        let plain = message["content"].as_str().map(|t| json!({ "type": "text", "text": t }));
        let blocks = plain.as_ref().map_or(list(message, "content"), std::slice::from_ref);
        for (i, block) in blocks.iter().enumerate() {
            let frame = if i == 0 { MESSAGE_FRAME } else { 0 };
            let content = format!("{role}{}", bare(block)).into_bytes();
            out.push(Block { tokens: frame + block_tokens(block, width), content, mark: block_mark(block) });
        }
    }
    if let Some(last) = out.last_mut().filter(|b| b.mark.is_none()) {
        last.mark = mark(request);
    }
    out
}

/// An object's JSON without its cache marker.
fn bare(value: &Value) -> String {
    let mut value = value.clone();
    if let Some(map) = value.as_object_mut() {
        map.shift_remove("cache_control");
    }
    value.to_string()
}

fn mark(object: &Value) -> Option<Ttl> {
    some(object, "cache_control").map(|c| if text(c, "ttl") == "1h" { Ttl::Hour1 } else { Ttl::Minutes5 })
}

/// A block's own marker, or one inside a tool result.
fn block_mark(block: &Value) -> Option<Ttl> {
    mark(block).or_else(|| list(block, "content").iter().find_map(mark))
}

fn block_tokens(block: &Value, width: u8) -> u64 {
    let inner = || list(block, "content").iter().map(|b| block_tokens(b, width)).sum::<u64>();
    match text(block, "type") {
        "text" => tokens::count(text(block, "text"), width),
        "thinking" => tokens::count(text(block, "thinking"), width),
        "image" => media::image_tokens(media_of(block).and_then(|m| m.bytes)),
        "document" => media::file_tokens(media_of(block).and_then(|m| m.bytes)),
        "tool_use" => {
            tokens::count(text(block, "name"), width) + tokens::count(&block["input"].to_string(), width)
        }
        "tool_result" => tokens::count(text(block, "content"), width) + inner(),
        "search_result" => tokens::count(text(block, "title"), width) + inner(),
        _ => 0,
    }
}

/// What the answer depends on.
pub(super) fn brief(model: &Model, request: &Value) -> Brief {
    let messages = list(request, "messages");
    let last_user = messages.iter().rev().find(|m| text(m, "role") == "user" && !words(m).is_empty());
    let ask = last_user.map(words).unwrap_or_default();
    let last = messages.iter().rev().find(|m| text(m, "role") == "user");
    let media_in = |m: &Value| {
        let blocks = list(m, "content").iter();
        let nested = list(m, "content").iter().flat_map(|b| list(b, "content"));
        blocks.chain(nested).filter_map(media_of).collect::<Vec<Media>>()
    };
    Brief {
        results: results(messages),
        media: last.map(media_in).unwrap_or_default(),
        tools: tools(request),
        choice: choice(request),
        parallel: request["tool_choice"].get("disable_parallel_tool_use") != Some(&json!(true)),
        form: match some(&request["output_config"], "format") {
            Some(format) => Form::Schema(format["schema"].clone()),
            None => Form::Text,
        },
        think: budget(model, request),
        output_tokens_max: some(request, "max_tokens")
            .and_then(Value::as_u64)
            .unwrap_or(model.output_tokens_max),
        stops: list(request, "stop_sequences").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        word_bytes: model.word_bytes,
        skill: quiz::skill(model.made_as),
        prefill: messages.last().filter(|m| text(m, "role") == "assistant").map(words).unwrap_or_default(),
        steering: Steering::read(&ask),
        ask,
    }
}

fn words(message: &Value) -> String {
    let parts =
        list(message, "content").iter().filter(|b| text(b, "type") == "text").map(|b| text(b, "text"));
    let parts = parts.collect::<Vec<_>>().join("\n");
    if parts.is_empty() { text(message, "content").to_owned() } else { parts }
}

fn media_of(block: &Value) -> Option<Media> {
    let kind = text(block, "type");
    if !matches!(kind, "image" | "document") {
        return None;
    }
    let source = &block["source"];
    let reference =
        [text(source, "url"), text(source, "file_id")].into_iter().find(|r| !r.is_empty()).map(str::to_owned);
    let bytes = match text(source, "type") {
        "base64" => media::decode(text(source, "data")).map(|b| b.len()),
        "text" => Some(text(source, "data").len()),
        _ => None,
    };
    let fallback = if kind == "image" { "image/*" } else { "application/pdf" };
    let media_type =
        Some(text(source, "media_type")).filter(|t| !t.is_empty()).unwrap_or(fallback).to_owned();
    Some(Media { media_type, bytes, reference })
}

/// Results in the last user turn, with the names of their tools.
fn results(messages: &[Value]) -> Vec<(String, String)> {
    let first = messages.iter().rposition(|m| text(m, "role") == "assistant").map_or(0, |i| i + 1);
    let calls = first.checked_sub(1).map_or(&[][..], |i| list(&messages[i], "content"));
    let name = |id: &str| calls.iter().find(|c| text(c, "id") == id).map_or("tool", |c| text(c, "name"));
    let results = messages[first..]
        .iter()
        .flat_map(|m| list(m, "content"))
        .filter(|b| text(b, "type") == "tool_result");
    results
        .map(|b| {
            let parts = list(b, "content").iter().map(|p| text(p, "text")).collect::<Vec<_>>().join("\n");
            let said = if parts.is_empty() { text(b, "content").to_owned() } else { parts };
            let said = if b.get("is_error") == Some(&json!(true)) { format!("(error) {said}") } else { said };
            (name(text(b, "tool_use_id")).to_owned(), said)
        })
        .collect()
}

fn tools(request: &Value) -> Vec<Tool> {
    let custom = list(request, "tools").iter().filter(|t| is_custom(t));
    custom.map(|t| Tool { name: text(t, "name").to_owned(), schema: t["input_schema"].clone() }).collect()
}

fn choice(request: &Value) -> Choice {
    let choice = &request["tool_choice"];
    match text(choice, "type") {
        "none" => Choice::Never,
        "any" => Choice::Required,
        "tool" => Choice::Named(text(choice, "name").to_owned()),
        _ => Choice::Auto,
    }
}

/// Most thinking tokens: the budget, or by effort; none where thinking is off or the effort is low.
fn budget(model: &Model, request: &Value) -> Option<u64> {
    let on = match model.rules {
        Rules::Anthropic(rules) => thinks(&rules, request),
        _ => matches!(text(&request["thinking"], "type"), "enabled" | "adaptive"),
    };
    if !on {
        return None;
    }
    if let Some(budget) = some(&request["thinking"], "budget_tokens").and_then(Value::as_u64) {
        return Some(budget);
    }
    match text(&request["output_config"], "effort") {
        "low" => None,
        "medium" => Some(64),
        _ => Some(4_096),
    }
}
