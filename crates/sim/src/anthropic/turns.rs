//! The conversation: roles, content blocks, tool loops, thinking that comes back, prefill, cache markers.
//!
//! Rules: <https://platform.claude.com/docs/en/api/messages>, the tool-use pages (results directly after their calls and first
//! in their message) and <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>; block members from the
//! Python SDK 2.12's types. 2026-11-22.

use super::error::{Refusal, listed};
use super::parameters::{cache_control, thinks};
use super::thinking;
use crate::media;
use crate::models::{Model, Rules};
use crate::shape::{Kind, Member, check, list, may, must, null, some, text};
use serde_json::Value;
use std::collections::HashSet;

/// Most cache markers in one request.
const MARKERS_MAX: usize = 4;
const CACHE_CONTROL: Member = null("cache_control", Kind::Object);
const TYPE: Member = must("type", Kind::Text);

/// The blocks and their members.
const BLOCKS: &[(&str, &[Member])] = &[
    (
        "document",
        &[
            TYPE,
            must("source", Kind::Object),
            CACHE_CONTROL,
            null("citations", Kind::Object),
            null("context", Kind::Text),
            null("title", Kind::Text),
        ],
    ),
    ("image", &[TYPE, must("source", Kind::Object), CACHE_CONTROL, null("transformations", Kind::Object)]),
    ("redacted_thinking", &[TYPE, must("data", Kind::Text)]),
    (
        "search_result",
        &[
            TYPE,
            must("content", Kind::List),
            must("source", Kind::Text),
            must("title", Kind::Text),
            CACHE_CONTROL,
            may("citations", Kind::Object),
        ],
    ),
    ("text", &[TYPE, must("text", Kind::Text), CACHE_CONTROL, null("citations", Kind::List)]),
    ("thinking", &[TYPE, must("thinking", Kind::Text), must("signature", Kind::Text)]),
    (
        "tool_result",
        &[
            TYPE,
            must("tool_use_id", Kind::Text),
            may("content", Kind::TextOrList),
            may("is_error", Kind::Bool),
            CACHE_CONTROL,
            null("toolset_name", Kind::Text),
        ],
    ),
    (
        "tool_use",
        &[
            TYPE,
            must("id", Kind::Text),
            must("name", Kind::Text),
            must("input", Kind::Object),
            CACHE_CONTROL,
            null("caller", Kind::Object),
            null("toolset_name", Kind::Text),
        ],
    ),
];

/// Refuses malformed messages, broken tool loops and forged thinking.
pub(super) fn refuse(model: &Model, seed: u64, request: &Value) -> Result<(), Refusal> {
    let messages = list(request, "messages");
    system(request)?;
    if messages.is_empty() {
        return Err(Refusal::bad("messages: at least one message is required"));
    }
    for (i, message) in messages.iter().enumerate() {
        one(model, message, i, i + 1 == messages.len())?;
    }
    if text(&messages[0], "role") == "assistant" {
        return Err(Refusal::bad("messages: first message must use the \"user\" role"));
    }
    let turns = turns(messages);
    tool_loops(&turns)?;
    signatures(model, seed, &turns)?;
    ending(model, request, &turns)?;
    markers(request)
}

/// A block with its place.
struct Placed<'a> {
    message: usize,
    index: usize,
    block: &'a Value,
}

/// Consecutive messages of one role: the provider reads them as one turn.
struct Turn<'a> {
    role: &'a str,
    blocks: Vec<Placed<'a>>,
    /// Index of its first message.
    first: usize,
    /// Text of a turn that is a plain string.
    plain: Option<&'a str>,
}

fn turns(messages: &[Value]) -> Vec<Turn<'_>> {
    let mut out: Vec<Turn<'_>> = Vec::new();
    for (message, value) in messages.iter().enumerate().filter(|(_, m)| text(m, "role") != "system") {
        let role = text(value, "role");
        if out.last().is_none_or(|t| t.role != role) {
            out.push(Turn { role, blocks: Vec::new(), first: message, plain: None });
        }
        if let Some(turn) = out.last_mut() {
            turn.plain = value["content"].as_str();
            let placed = list(value, "content").iter().enumerate();
            turn.blocks.extend(placed.map(|(index, block)| Placed { message, index, block }));
        }
    }
    out
}

fn system(request: &Value) -> Result<(), Refusal> {
    for (i, block) in list(request, "system").iter().enumerate() {
        let at = format!("system.{i}");
        let Some(map) = block.as_object() else {
            return Err(Refusal::bad(format!("{at}: Input should be a valid dictionary")));
        };
        let members = [
            must("type", Kind::OneOf(&["text"])),
            must("text", Kind::Text),
            CACHE_CONTROL,
            null("citations", Kind::List),
        ];
        check(map, &members).map_err(|p| Refusal::shape(&at, p))?;
        if text(block, "text").is_empty() {
            return Err(Refusal::bad("system: text content blocks must be non-empty"));
        }
        cache_control(block, &format!("{at}.cache_control"))?;
    }
    Ok(())
}

fn one(model: &Model, message: &Value, i: usize, last: bool) -> Result<(), Refusal> {
    let at = format!("messages.{i}");
    let Some(map) = message.as_object() else {
        return Err(Refusal::bad(format!("{at}: Input should be a valid dictionary")));
    };
    check(map, &[must("role", Kind::Text), must("content", Kind::TextOrList)])
        .map_err(|p| Refusal::shape(&at, p))?;
    let mid_system = match model.rules {
        Rules::Anthropic(rules) => rules.mid_system,
        _ => true,
    };
    match text(message, "role") {
        "user" | "assistant" => {}
        "system" if mid_system => {}
        "system" => {
            return Err(Refusal::bad(
                "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.",
            ));
        }
        _ => return Err(Refusal::bad(format!("{at}.role: Input should be 'user' or 'assistant'"))),
    }
    let blocks = list(message, "content");
    let empty = message["content"].as_str().map_or(blocks.is_empty(), str::is_empty);
    if empty && !(last && text(message, "role") == "assistant") {
        return Err(Refusal::bad(format!(
            "{at}: all messages must have non-empty content except for the optional final assistant message"
        )));
    }
    for (j, found) in blocks.iter().enumerate() {
        block(found, text(message, "role"), &format!("{at}.content.{j}"))?;
    }
    Ok(())
}

fn block(block: &Value, role: &str, at: &str) -> Result<(), Refusal> {
    let Some(map) = block.as_object() else {
        return Err(Refusal::bad(format!("{at}: Input should be a valid dictionary")));
    };
    let Some(kind) = map.get("type") else { return Err(Refusal::bad(format!("{at}.type: Field required"))) };
    let kind = kind.as_str().unwrap_or_default();
    let Some((_, members)) = BLOCKS.iter().find(|(name, _)| *name == kind) else {
        let tags: Vec<&str> = BLOCKS.iter().map(|(name, _)| *name).collect();
        let message = format!(
            "{at}: Input tag '{kind}' found using 'type' does not match any of the expected tags: '{}'",
            tags.join("', '")
        );
        return Err(Refusal::bad(message));
    };
    let inside = format!("{at}.{kind}");
    check(map, members).map_err(|p| Refusal::shape(&inside, p))?;
    cache_control(block, &format!("{inside}.cache_control"))?;
    match kind {
        "text" if text(block, "text").is_empty() => {
            let marked = some(block, "cache_control").is_some();
            let marked =
                marked.then(|| format!("{inside}: cache_control cannot be set for empty text blocks"));
            Err(Refusal::bad(
                marked.unwrap_or_else(|| "messages: text content blocks must be non-empty".to_owned()),
            ))
        }
        "image" | "document" => source(&block["source"], kind, &format!("{inside}.source")),
        "tool_result" => list(block, "content")
            .iter()
            .enumerate()
            .try_for_each(|(k, b)| self::block(b, role, &format!("{inside}.content.{k}"))),
        "thinking" | "redacted_thinking" | "tool_use" if role == "user" => {
            Err(Refusal::bad(format!("{at}: `{kind}` blocks can only be in `assistant` messages")))
        }
        _ => Ok(()),
    }
}

fn source(source: &Value, kind: &str, at: &str) -> Result<(), Refusal> {
    let tag = text(source, "type");
    let (types, members): (&[&str], &[Member]) = match (kind, tag) {
        ("image", "base64") => (&["image/jpeg", "image/png", "image/gif", "image/webp"], &[]),
        ("document", "base64") => (&["application/pdf"], &[]),
        ("document", "text") => (&["text/plain"], &[]),
        (_, "url") => (&[], &[must("type", Kind::Text), must("url", Kind::Text)]),
        (_, "file") => (&[], &[must("type", Kind::Text), must("file_id", Kind::Text)]),
        ("document", "content") => (&[], &[must("type", Kind::Text), must("content", Kind::TextOrList)]),
        _ => {
            let tags = if kind == "image" {
                "'base64', 'file', 'url'"
            } else {
                "'base64', 'content', 'file', 'text', 'url'"
            };
            let message = format!(
                "{at}: Input tag '{tag}' found using 'type' does not match any of the expected tags: {tags}"
            );
            return Err(Refusal::bad(message));
        }
    };
    let data = [must("type", Kind::Text), must("media_type", Kind::Text), must("data", Kind::Text)];
    let members = if members.is_empty() { &data[..] } else { members };
    if let Some(map) = source.as_object() {
        check(map, members).map_err(|p| Refusal::shape(&format!("{at}.{tag}"), p))?;
    }
    if types.is_empty() {
        return Ok(());
    }
    if !types.contains(&text(source, "media_type")) {
        return Err(Refusal::bad(format!("{at}.{tag}.media_type: Input should be {}", listed(types))));
    }
    if tag == "text" {
        return Ok(());
    }
    let Some(bytes) = media::decode(text(source, "data")) else {
        return Err(Refusal::bad(format!("{at}.{tag}: invalid base64 data")));
    };
    match media::sniff(&bytes) {
        Some(found) if found == text(source, "media_type") => Ok(()),
        Some(found) if kind == "image" => Err(Refusal::bad(format!(
            "{at}.{tag}.media_type: The image was specified using the {} media type, but the image appears to be a {found} image",
            text(source, "media_type")
        ))),
        _ if kind == "image" => Err(Refusal::bad("Could not process image")),
        _ => Err(Refusal::bad(format!("{at}.{tag}.data: The PDF specified was not valid."))),
    }
}

/// Every call is answered at the start of the next turn, and every answer has its call there.
fn tool_loops(turns: &[Turn<'_>]) -> Result<(), Refusal> {
    let of = |turn: &Turn<'_>, kind: &str, member: &str| -> Vec<String> {
        let found = turn.blocks.iter().filter(|p| text(p.block, "type") == kind);
        found.map(|p| text(p.block, member).to_owned()).collect()
    };
    let mut seen = HashSet::new();
    for (i, turn) in turns.iter().enumerate() {
        for placed in turn.blocks.iter().filter(|p| text(p.block, "type") == "tool_use") {
            if !seen.insert(text(placed.block, "id")) {
                return Err(Refusal::bad(format!(
                    "messages.{}.content.{}: `tool_use` ids must be unique",
                    placed.message, placed.index
                )));
            }
        }
        let calls = of(turn, "tool_use", "id");
        let leading: Vec<&str> = turns.get(i + 1).map_or(Vec::new(), |next| {
            let results = next.blocks.iter().take_while(|p| text(p.block, "type") == "tool_result");
            results.map(|p| text(p.block, "tool_use_id")).collect()
        });
        let open: Vec<&str> = calls.iter().map(String::as_str).filter(|id| !leading.contains(id)).collect();
        if !open.is_empty() {
            return Err(Refusal::bad(format!(
                "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
                turn.first,
                open.join(", ")
            )));
        }
        results(turn, i.checked_sub(1).map_or(Vec::new(), |before| of(&turns[before], "tool_use", "id")))?;
    }
    Ok(())
}

fn results(turn: &Turn<'_>, asked: Vec<String>) -> Result<(), Refusal> {
    let mut answered = HashSet::new();
    for placed in turn.blocks.iter().filter(|p| text(p.block, "type") == "tool_result") {
        let id = text(placed.block, "tool_use_id");
        let at = format!("messages.{}.content.{}", placed.message, placed.index);
        if !asked.iter().any(|a| a == id) {
            return Err(Refusal::bad(format!(
                "{at}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )));
        }
        if !answered.insert(id) {
            return Err(Refusal::bad(format!(
                "{at}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}"
            )));
        }
    }
    Ok(())
}

/// Thinking that comes back must be what this model thought.
fn signatures(model: &Model, seed: u64, turns: &[Turn<'_>]) -> Result<(), Refusal> {
    for placed in turns.iter().flat_map(|t| &t.blocks) {
        let (kind, shown, signature) = match text(placed.block, "type") {
            "thinking" => ("thinking", text(placed.block, "thinking"), text(placed.block, "signature")),
            "redacted_thinking" => ("redacted_thinking", "redacted", text(placed.block, "data")),
            _ => continue,
        };
        if !thinking::verify(seed, model.made_as, shown, signature) {
            let at = format!("messages.{}.content.{}", placed.message, placed.index);
            return Err(thinking::invalid(&at, kind));
        }
    }
    Ok(())
}

/// The last turns: prefill, and thinking inside a tool loop.
fn ending(model: &Model, request: &Value, turns: &[Turn<'_>]) -> Result<(), Refusal> {
    let Rules::Anthropic(rules) = model.rules else { return Ok(()) };
    let Some(last) = turns.last() else { return Ok(()) };
    if last.role == "assistant" && !rules.prefill {
        return Err(Refusal::bad(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    let tail = last.blocks.last().map_or(last.plain.unwrap_or_default(), |p| text(p.block, "text"));
    if last.role == "assistant" && tail.ends_with(char::is_whitespace) {
        return Err(Refusal::bad("messages: final assistant content cannot end with trailing whitespace"));
    }
    // With a budget the loop's first thinking is required; in adaptive mode turns may begin without.
    let budget = thinks(&rules, request) && text(&request["thinking"], "type") == "enabled";
    let looping = last.blocks.first().is_some_and(|p| text(p.block, "type") == "tool_result");
    let asked =
        if last.role == "assistant" { Some(last) } else { turns.iter().rev().nth(1).filter(|_| looping) };
    let Some(asked) = asked.filter(|_| budget) else { return Ok(()) };
    let found = asked.blocks.first().map_or("text", |p| text(p.block, "type"));
    if !matches!(found, "thinking" | "redacted_thinking") {
        return Err(Refusal::bad(format!(
            "messages.{}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{found}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable `thinking`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
            asked.first
        )));
    }
    Ok(())
}

/// At most four markers, the longer lifetimes first.
fn markers(request: &Value) -> Result<(), Refusal> {
    let system = list(request, "system").iter();
    let tools = list(request, "tools").iter();
    let blocks = list(request, "messages").iter().flat_map(|m| list(m, "content"));
    let inner =
        list(request, "messages").iter().flat_map(|m| list(m, "content")).flat_map(|b| list(b, "content"));
    let found: Vec<&Value> = tools
        .chain(system)
        .chain(blocks)
        .filter_map(|b| some(b, "cache_control"))
        .chain(some(request, "cache_control"))
        .collect();
    let count = found.len() + inner.filter(|b| some(b, "cache_control").is_some()).count();
    if count > MARKERS_MAX {
        return Err(Refusal::bad(format!(
            "A maximum of {MARKERS_MAX} blocks with cache_control may be provided. Found {count}."
        )));
    }
    let hour = |c: &&Value| text(c, "ttl") == "1h";
    let mixed = found.iter().skip_while(|c| hour(c)).any(hour);
    if mixed {
        return Err(Refusal::bad(
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
        ));
    }
    Ok(())
}
