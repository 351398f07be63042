//! What the service itself refuses of a conversation, before the model sees it.
//!
//! Rules: <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html> and `DocumentBlock` of
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html>; wordings as public bug reports give
//! them, read 2026-11-23: <https://github.com/langgenius/dify/issues/9294> (roles),
//! <https://github.com/langgenius/dify/issues/12340> (first role),
//! <https://github.com/aws-samples/sample-multi-agent-orchestration-chat-on-agentcore/issues/15> (empty error results). Where no
//! report was found, the words are ours in the provider's form.

use super::error::Refusal;
use super::messages::unsupported;
use crate::models::{Model, Native, Rules, ThinkingKind};
use crate::shape::{list, some, text};
use serde_json::Value;
use std::collections::HashSet;

/// Refuses malformed conversations and tools.
pub(super) fn refuse(model: &Model, request: &Value) -> Result<(), Refusal> {
    let messages = list(request, "messages");
    roles(messages)?;
    for (i, message) in messages.iter().enumerate() {
        one(model, message, i)?;
    }
    documents(messages)?;
    tool_loops(request, messages)?;
    tools(model, request)?;
    system(model, request)?;
    limits(model, request)
}

fn roles(messages: &[Value]) -> Result<(), Refusal> {
    let spoken: Vec<&str> = messages.iter().map(|m| text(m, "role")).filter(|r| *r != "system").collect();
    if spoken.first() != Some(&"user") {
        return Err(Refusal::validation(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
        ));
    }
    if spoken.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Refusal::validation(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.",
        ));
    }
    Ok(())
}

fn one(model: &Model, message: &Value, i: usize) -> Result<(), Refusal> {
    let blocks = list(message, "content");
    if blocks.is_empty() {
        return Err(Refusal::validation(format!(
            "The content field in the Message object at messages.{i} is empty. Add a ContentBlock object to the content field and try again."
        )));
    }
    for (j, block) in blocks.iter().enumerate() {
        let at = format!("messages.{i}.content.{j}");
        self::block(model, block, text(message, "role"), &at)?;
        let inner = list(&block["toolResult"], "content").iter().enumerate();
        inner.clone().try_for_each(|(k, b)| kinds(model, b, &format!("{at}.toolResult.content.{k}")))?;
    }
    Ok(())
}

fn block(model: &Model, block: &Value, role: &str, at: &str) -> Result<(), Refusal> {
    kinds(model, block, at)?;
    let misplaced = |kind: &str, place: &str| {
        Err(Refusal::validation(format!(
            "The {kind} block at {at} can only be used in {place} messages. Move it and try again."
        )))
    };
    for (kind, place) in [("toolUse", "assistant"), ("reasoningContent", "assistant"), ("toolResult", "user")]
    {
        if some(block, kind).is_some() && role != place {
            return misplaced(kind, place);
        }
    }
    if let Some(call) = some(block, "toolUse")
        && !call["input"].is_object()
    {
        return Err(Refusal::validation(format!(
            "The format of the value at {at}.toolUse.input is invalid. Provide a json object for the field and try again."
        )));
    }
    if let Some(result) = some(block, "toolResult")
        && text(result, "status") == "error"
        && list(result, "content").is_empty()
    {
        return Err(Refusal::validation(format!(
            "The content field at {at}.toolResult cannot be empty when status value is error."
        )));
    }
    Ok(())
}

/// What a block holds: text that is not blank, and media that the model takes.
fn kinds(model: &Model, block: &Value, at: &str) -> Result<(), Refusal> {
    if some(block, "text").and_then(Value::as_str).is_some_and(|t| t.trim().is_empty()) {
        return Err(Refusal::validation(format!(
            "The text field in the ContentBlock object at {at} is blank. Add text to the text field, and try again."
        )));
    }
    let (takes_media, is_claude) = match model.rules {
        Rules::Converse(rules) => (rules.media, false),
        _ => (true, true),
    };
    for kind in ["image", "document"] {
        let Some(found) = some(block, kind) else { continue };
        if !takes_media {
            return Err(unsupported(kind));
        }
        if is_claude && some(&found["source"], "s3Location").is_some() {
            return Err(unsupported("s3Location"));
        }
    }
    if some(block, "cachePoint").is_some() && !caches(model) {
        return Err(Refusal::no_cache());
    }
    Ok(())
}

fn caches(model: &Model) -> bool {
    !matches!(model.rules, Rules::Converse(rules) if rules.cache_tokens_min.is_none())
}

/// Names of documents are checked because the model reads them; a document needs words beside it.
fn documents(messages: &[Value]) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    for (i, message) in messages.iter().enumerate() {
        let blocks = list(message, "content");
        let found: Vec<&Value> = blocks.iter().filter_map(|b| some(b, "document")).collect();
        for document in &found {
            let name = text(document, "name");
            let is_allowed =
                |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "-()[]".contains(c);
            if !name.chars().all(is_allowed) || name.split(' ').any(str::is_empty) {
                return Err(Refusal::validation(
                    "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character.",
                ));
            }
            if !names.insert(name) {
                return Err(Refusal::validation(format!(
                    "Messages contain duplicate document names. Each document name must be unique: {name}."
                )));
            }
        }
        let has_text = blocks.iter().any(|b| some(b, "text").is_some());
        if !found.is_empty() && !has_text {
            return Err(Refusal::validation(format!(
                "A text block must be included with the document block at messages.{i}. Add a text block and try again."
            )));
        }
    }
    Ok(())
}

/// Every call is answered in the next message, and every answer has its call in the one before.
fn tool_loops(request: &Value, messages: &[Value]) -> Result<(), Refusal> {
    let ids = |message: &Value, kind: &str| -> Vec<String> {
        let found = list(message, "content").iter().filter_map(|b| some(b, kind));
        found.map(|f| text(f, "toolUseId").to_owned()).collect()
    };
    let spoken: Vec<(usize, &Value)> =
        messages.iter().enumerate().filter(|(_, m)| text(m, "role") != "system").collect();
    let mut has_tools = false;
    for (position, (i, message)) in spoken.iter().enumerate() {
        let asked = position.checked_sub(1).map(|b| ids(spoken[b].1, "toolUse")).unwrap_or_default();
        let answered = ids(message, "toolResult");
        has_tools |= !answered.is_empty() || !ids(message, "toolUse").is_empty();
        let open: Vec<&str> = asked.iter().filter(|a| !answered.contains(a)).map(String::as_str).collect();
        if !open.is_empty() {
            return Err(Refusal::validation(format!(
                "Expected toolResult blocks at messages.{i}.content for the following Ids: {}",
                open.join(", ")
            )));
        }
        if answered.len() > asked.len() {
            return Err(Refusal::validation(format!(
                "The number of toolResult blocks at messages.{i}.content exceeds the number of toolUse blocks of previous turn."
            )));
        }
    }
    if has_tools && some(request, "toolConfig").is_none() {
        return Err(Refusal::validation(
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        ));
    }
    Ok(())
}

fn tools(model: &Model, request: &Value) -> Result<(), Refusal> {
    let config = &request["toolConfig"];
    let mut names = HashSet::new();
    for (i, spec) in
        list(config, "tools").iter().enumerate().filter_map(|(i, t)| Some((i, some(t, "toolSpec")?)))
    {
        let name = text(spec, "name");
        if !names.insert(name) {
            return Err(Refusal::validation(format!(
                "The tool names in the toolConfig field must be unique: {name} is there more than once."
            )));
        }
        let at = format!("toolConfig.tools.{i}.toolSpec.inputSchema.json");
        let schema = &spec["inputSchema"]["json"];
        if !schema.is_object() {
            return Err(Refusal::validation(format!(
                "The format of the value at {at} is invalid. Provide a json object for the field and try again."
            )));
        }
        if text(schema, "type") != "object" {
            return Err(Refusal::validation(format!(
                "The value at {at}.type must be one of the following: object."
            )));
        }
        nova_schema(model, schema, &at)?;
    }
    let wanted = some(&config["toolChoice"], "tool").map(|t| text(t, "name"));
    match wanted.filter(|w| !names.contains(w)) {
        Some(name) => Err(Refusal::validation(format!(
            "The tool {name} of toolConfig.toolChoice is not among toolConfig.tools. Add it and try again."
        ))),
        None => Ok(()),
    }
}

/// Nova takes three members at the top of a schema:
/// <https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html>; wording:
/// <https://github.com/lastmile-ai/mcp-agent/pull/126>.
fn nova_schema(model: &Model, schema: &Value, at: &str) -> Result<(), Refusal> {
    let is_nova = matches!(model.rules, Rules::Converse(rules) if rules.native == Native::Nova);
    let extra = |name: &&String| !matches!(name.as_str(), "type" | "properties" | "required");
    match schema.as_object().and_then(|m| m.keys().find(extra)).filter(|_| is_nova) {
        Some(name) => {
            let place = at.replace('.', "/");
            Err(Refusal::of_model(&format!(
                "Malformed input request: #/{place}: extraneous key [{name}] is not permitted, please reformat your input and try again."
            )))
        }
        None => Ok(()),
    }
}

fn system(model: &Model, request: &Value) -> Result<(), Refusal> {
    let points = list(request, "system").iter().chain(list(&request["toolConfig"], "tools"));
    if points.into_iter().any(|b| some(b, "cachePoint").is_some()) && !caches(model) {
        return Err(Refusal::no_cache());
    }
    let is_ours = matches!(model.rules, Rules::Converse(_));
    if is_ours && list(request, "messages").iter().any(|m| text(m, "role") == "system") {
        return Err(Refusal::validation(
            "This model doesn't support the system role in messages. Use the system field and try again.",
        ));
    }
    Ok(())
}

/// Whether the model answers by a schema: <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>.
fn structures(model: &Model) -> bool {
    match model.rules {
        Rules::Converse(rules) => rules.native == Native::GptOss,
        Rules::Anthropic(rules) => matches!(rules.thinking, ThinkingKind::Budget | ThinkingKind::Either),
        _ => true,
    }
}

fn limits(model: &Model, request: &Value) -> Result<(), Refusal> {
    let most = model.output_tokens_max;
    let asked = some(&request["inferenceConfig"], "maxTokens").and_then(Value::as_u64).unwrap_or(0);
    if asked > most {
        return Err(Refusal::validation(format!(
            "The maximum tokens you requested exceeds the model limit of {most}. Try again with a maximum tokens value that is lower than {most}."
        )));
    }
    if some(&request["outputConfig"], "textFormat").is_some() && !structures(model) {
        return Err(unsupported("outputConfig.textFormat"));
    }
    if text(&request["performanceConfig"], "latency") == "optimized" {
        return Err(Refusal::validation(format!(
            "Latency performance configuration is not supported for {}.",
            model.id
        )));
    }
    Ok(())
}
