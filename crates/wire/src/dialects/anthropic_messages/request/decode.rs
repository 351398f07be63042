//! Reads an Anthropic request.

use pilothouse_core::conversation::{
    Effort, FunctionTool, LimitMember, Message, OutputFormat, OutputLimit, Request, Rest, Role, Thinking,
    Tool, ToolChoice, ToolContent,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::part::{read_content, take_cache};
use crate::json::{Members, Path};

const NUMBER: &str = "a number";

pub(in super::super) fn decode(body: &[u8]) -> Result<Request, Error> {
    let root = Path::Root;
    let mut members = Members::of_body(body)?;
    let model = members.needed_text("model", &root)?;
    let mut request = Request::new(Dialect::AnthropicMessages, &model);
    if let Some(raw) = members.take("system") {
        let parts = read_content(raw, &root.member("system"))?;
        request.messages.push(Message::new(Role::System, parts));
    }
    let path = root.member("messages");
    let messages = members.array("messages", &root)?.ok_or_else(|| root.missing("messages"))?;
    for (at, raw) in messages.into_iter().enumerate() {
        request.messages.push(read_message(raw, &path.item(at))?);
    }
    read_tools(&mut members, &mut request)?;
    read_reasoning(&mut members, &mut request)?;
    let sampling = &mut request.sampling;
    sampling.temperature = members.plain("temperature", &root, NUMBER)?;
    sampling.top_p = members.plain("top_p", &root, NUMBER)?;
    sampling.top_k = members.plain("top_k", &root, NUMBER)?;
    request.output_limit = members
        .count("max_tokens", &root)?
        .map(|tokens| OutputLimit { tokens, member: LimitMember::MaxTokens });
    request.stop = members.plain("stop_sequences", &root, "an array of strings")?.unwrap_or_default();
    request.service_tier = members.word("service_tier", &root)?;
    request.cache.last = take_cache(&mut members);
    request.thread = members.raw("thread");
    request.stream = members.flag("stream", &root)?.unwrap_or(false);
    // Anthropic's streams always report their usage.
    request.stream_usage = request.stream;
    if let Some(raw) = members.take("metadata") {
        let at = root.member("metadata");
        let mut metadata = Members::read(raw, &at)?;
        request.end_user = metadata.word("user_id", &at)?;
        keep_whole(&mut request.rest, "metadata", raw, metadata);
    }
    for (name, value) in members.rest().iter() {
        request.rest.push(name, value.clone());
    }
    Ok(request)
}

/// Keeps an object whole in the rest when it has members that were not read.
fn keep_whole(rest: &mut Rest, name: &str, raw: &RawValue, left: Members<'_>) {
    if !left.rest().is_empty() {
        rest.push(name, raw.into());
    }
}

fn read_message(raw: &RawValue, path: &Path<'_>) -> Result<Message, Error> {
    let mut members = Members::read(raw, path)?;
    let role = match members.needed_text("role", path)?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(path.member("role").wrong("one of user, assistant, system")),
    };
    let content = members.take("content").ok_or_else(|| path.missing("content"))?;
    let parts = read_content(content, &path.member("content"))?;
    Ok(Message { role, parts, name: None, rest: members.rest() })
}

fn read_tools(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    let path = root.member("tools");
    for (at, raw) in members.array("tools", &root)?.unwrap_or_default().into_iter().enumerate() {
        request.tools.push(read_tool(raw, &path.item(at))?);
    }
    let Some(raw) = members.take("tool_choice") else { return Ok(()) };
    let at = root.member("tool_choice");
    let mut choice = Members::read(raw, &at)?;
    request.tool_choice = Some(match choice.needed_text("type", &at)?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.needed_text("name", &at)?.into()),
        _ => ToolChoice::Unknown(raw.into()),
    });
    request.parallel_tools = choice.flag("disable_parallel_tool_use", &at)?.map(|off| !off);
    Ok(())
}

fn read_tool(raw: &RawValue, path: &Path<'_>) -> Result<Tool, Error> {
    let mut members = Members::read(raw, path)?;
    let kind = members.text("type", path)?;
    if let Some(kind) = kind.filter(|kind| kind != "custom") {
        let content = ToolContent::Native { kind: kind.into(), raw: raw.into() };
        return Ok(Tool { content, cache: None, rest: Rest::default() });
    }
    let cache = take_cache(&mut members);
    let function = FunctionTool {
        name: members.needed_text("name", path)?.into(),
        description: members.text("description", path)?,
        parameters: members.raw("input_schema"),
        strict: members.flag("strict", path)?,
        legacy: false,
        rest: Rest::default(),
    };
    Ok(Tool { content: ToolContent::Function(function), cache, rest: members.rest() })
}

fn read_reasoning(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    if let Some(raw) = members.take("thinking") {
        let at = root.member("thinking");
        let mut thinking = Members::read(raw, &at)?;
        request.reasoning.display = thinking.word("display", &at)?;
        request.reasoning.thinking = Some(match thinking.needed_text("type", &at)?.as_str() {
            "disabled" => Thinking::Off,
            "adaptive" => Thinking::Adaptive,
            "enabled" => Thinking::Budget(
                thinking.count("budget_tokens", &at)?.ok_or_else(|| at.missing("budget_tokens"))?,
            ),
            other => Thinking::Other(other.into()),
        });
        keep_whole(&mut request.rest, "thinking", raw, thinking);
    }
    if let Some(raw) = members.take("output_config") {
        let at = root.member("output_config");
        let mut config = Members::read(raw, &at)?;
        if let Some(word) = config.text("effort", &at)? {
            let effort = Effort::parse(&word)
                .ok_or_else(|| at.member("effort").wrong("one of low, medium, high, xhigh, max"))?;
            request.reasoning.effort = Some(effort);
        }
        if let Some(raw) = config.take("format") {
            request.output_format = Some(read_format(raw, &at.member("format"))?);
        }
        keep_whole(&mut request.rest, "output_config", raw, config);
    }
    Ok(())
}

fn read_format(raw: &RawValue, path: &Path<'_>) -> Result<OutputFormat, Error> {
    let mut members = Members::read(raw, path)?;
    if members.needed_text("type", path)? != "json_schema" {
        return Ok(OutputFormat::Unknown(raw.into()));
    }
    let schema = members.raw("schema");
    if schema.is_none() {
        return Err(path.missing("schema"));
    }
    Ok(OutputFormat::JsonSchema { name: None, description: None, schema, strict: Some(true) })
}
