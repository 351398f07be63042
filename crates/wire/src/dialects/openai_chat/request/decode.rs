//! Reads an OpenAI chat request.

use pilothouse_core::conversation::{
    Content, Effort, FunctionTool, LimitMember, Logprobs, Message, OutputFormat, OutputLimit, Part,
    Reasoning, Request, Rest, Role, Tool, ToolCall, ToolChoice, ToolContent, ToolKind, ToolResult,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::part::{read_content, take_cache};
use crate::json::{Members, Path, as_text, items};

const NUMBER: &str = "a number";
/// What the kinds of unknown tool calls begin with.
pub(super) const UNKNOWN_CALL: &str = "tool_calls.";
/// What the ids of old-style calls begin with, which have none on the wire; the message's place follows.
pub(super) const LEGACY_ID: &str = "call_legacy_";

pub(in super::super) fn decode(body: &[u8]) -> Result<Request, Error> {
    let root = Path::Root;
    let mut members = Members::of_body(body)?;
    let model = members.needed_text("model", &root)?;
    let mut request = Request::new(Dialect::OpenaiChat, &model);
    let messages = members.array("messages", &root)?.ok_or_else(|| root.missing("messages"))?;
    request.messages = read_messages(messages, &root.member("messages"))?;
    read_tools(&mut members, &mut request)?;
    read_sampling(&mut members, &mut request)?;
    read_limits(&mut members, &mut request)?;
    request.output_format = members
        .take("response_format")
        .map(|raw| read_format(raw, &root.member("response_format")))
        .transpose()?;
    if let Some(word) = members.text("reasoning_effort", &root)? {
        let effort = Effort::parse(&word).ok_or_else(|| {
            root.member("reasoning_effort").wrong("one of none, minimal, low, medium, high, xhigh, max")
        })?;
        request.reasoning.effort = Some(effort);
    }
    request.service_tier = members.word("service_tier", &root)?;
    // `user` is the older name; where both are given, the newer one stays in the rest.
    request.end_user = match members.word("user", &root)? {
        Some(user) => Some(user),
        None => members.word("safety_identifier", &root)?,
    };
    request.metadata = members.raw("metadata");
    request.cache.key = members.word("prompt_cache_key", &root)?;
    request.cache.last = take_cache(&mut members);
    request.stream = members.flag("stream", &root)?.unwrap_or(false);
    let options = members.take("stream_options");
    if let Some(raw) = options {
        let at = root.member("stream_options");
        let mut options = Members::read(raw, &at)?;
        request.stream_usage = options.flag("include_usage", &at)?.unwrap_or(false);
        if !options.rest().is_empty() {
            request.rest.push("stream_options", raw.into());
        }
    }
    for (name, value) in members.rest().iter() {
        request.rest.push(name, value.clone());
    }
    Ok(request)
}

fn read_sampling(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    let sampling = &mut request.sampling;
    sampling.temperature = members.plain("temperature", &root, NUMBER)?;
    sampling.top_p = members.plain("top_p", &root, NUMBER)?;
    sampling.top_k = members.plain("top_k", &root, NUMBER)?;
    sampling.frequency_penalty = members.plain("frequency_penalty", &root, NUMBER)?;
    sampling.presence_penalty = members.plain("presence_penalty", &root, NUMBER)?;
    sampling.logit_bias = members.raw("logit_bias");
    sampling.seed = members.plain("seed", &root, "an integer")?;
    Ok(())
}

fn read_limits(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    let limit = |tokens, member| OutputLimit { tokens, member };
    request.output_limit = match members.count("max_completion_tokens", &root)? {
        Some(tokens) => {
            members.take("max_tokens");
            Some(limit(tokens, LimitMember::MaxCompletionTokens))
        }
        None => members.count("max_tokens", &root)?.map(|tokens| limit(tokens, LimitMember::MaxTokens)),
    };
    if let Some(raw) = members.take("stop") {
        let at = root.member("stop");
        request.stop = match as_text(raw) {
            Some(one) => vec![one],
            None => crate::json::plain(raw, &at, "a string or an array of strings")?,
        };
    }
    request.n = members.count("n", &root)?;
    let enabled = members.flag("logprobs", &root)?;
    let top = members.count("top_logprobs", &root)?;
    if enabled.is_some() || top.is_some() {
        request.logprobs = Some(Logprobs { enabled: enabled.unwrap_or(false), top });
    }
    Ok(())
}

fn read_format(raw: &RawValue, path: &Path<'_>) -> Result<OutputFormat, Error> {
    let mut members = Members::read(raw, path)?;
    match members.needed_text("type", path)?.as_str() {
        "text" => Ok(OutputFormat::Text),
        "json_object" => Ok(OutputFormat::JsonObject),
        "json_schema" => {
            let at = path.member("json_schema");
            let mut schema =
                members.object("json_schema", path)?.ok_or_else(|| path.missing("json_schema"))?;
            Ok(OutputFormat::JsonSchema {
                name: schema.word("name", &at)?,
                description: schema.word("description", &at)?,
                schema: schema.raw("schema"),
                strict: schema.flag("strict", &at)?,
            })
        }
        _ => Ok(OutputFormat::Unknown(raw.into())),
    }
}

fn read_tools(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    let at = root.member("tools");
    for (index, raw) in members.array("tools", &root)?.unwrap_or_default().into_iter().enumerate() {
        request.tools.push(read_tool(raw, &at.item(index))?);
    }
    let at = root.member("functions");
    for (index, raw) in members.array("functions", &root)?.unwrap_or_default().into_iter().enumerate() {
        let at = at.item(index);
        let function = read_function(Members::read(raw, &at)?, &at, true)?;
        request.tools.push(Tool {
            content: ToolContent::Function(function),
            cache: None,
            rest: Rest::default(),
        });
    }
    request.parallel_tools = members.flag("parallel_tool_calls", &root)?;
    if let Some(raw) = members.take("tool_choice") {
        request.tool_choice = Some(read_choice(raw, &root.member("tool_choice"))?);
    } else if let Some(raw) = members.take("function_call") {
        let at = root.member("function_call");
        request.tool_choice = Some(match as_text(raw) {
            Some(word) => word_choice(&word, raw),
            None => ToolChoice::Named(Members::read(raw, &at)?.needed_text("name", &at)?.into()),
        });
    }
    Ok(())
}

fn read_tool(raw: &RawValue, path: &Path<'_>) -> Result<Tool, Error> {
    let mut members = Members::read(raw, path)?;
    let kind = members.needed_text("type", path)?;
    let cache = take_cache(&mut members);
    if kind != "function" {
        let content = ToolContent::Native { kind: kind.into(), raw: raw.into() };
        return Ok(Tool { content, cache: None, rest: Rest::default() });
    }
    let function = members.object("function", path)?.ok_or_else(|| path.missing("function"))?;
    let function = read_function(function, &path.member("function"), false)?;
    Ok(Tool { content: ToolContent::Function(function), cache, rest: members.rest() })
}

fn read_function(mut members: Members<'_>, path: &Path<'_>, legacy: bool) -> Result<FunctionTool, Error> {
    Ok(FunctionTool {
        name: members.needed_text("name", path)?.into(),
        description: members.text("description", path)?,
        parameters: members.raw("parameters"),
        strict: members.flag("strict", path)?,
        legacy,
        rest: members.rest(),
    })
}

fn word_choice(word: &str, raw: &RawValue) -> ToolChoice {
    match word {
        "auto" => ToolChoice::Auto,
        "none" => ToolChoice::None,
        "required" => ToolChoice::Required,
        _ => ToolChoice::Unknown(raw.into()),
    }
}

fn read_choice(raw: &RawValue, path: &Path<'_>) -> Result<ToolChoice, Error> {
    if let Some(word) = as_text(raw) {
        return match word_choice(&word, raw) {
            ToolChoice::Unknown(_) => Err(path.wrong("auto, none, required or an object")),
            choice => Ok(choice),
        };
    }
    let mut members = Members::read(raw, path).map_err(|_| path.wrong("a string or an object"))?;
    match members.needed_text("type", path)?.as_str() {
        "function" => {
            let mut function = members.object("function", path)?.ok_or_else(|| path.missing("function"))?;
            Ok(ToolChoice::Named(function.needed_text("name", &path.member("function"))?.into()))
        }
        "allowed_tools" => {
            let at = path.member("allowed_tools");
            let mut allowed =
                members.object("allowed_tools", path)?.ok_or_else(|| path.missing("allowed_tools"))?;
            let required = allowed.text("mode", &at)?.as_deref() == Some("required");
            let list = at.member("tools");
            let mut names = Vec::new();
            for (index, item) in allowed.array("tools", &at)?.unwrap_or_default().into_iter().enumerate() {
                let at = list.item(index);
                let mut tool = Members::read(item, &at)?;
                if let Some(mut function) = tool.object("function", &at)? {
                    names.push(function.needed_text("name", &at.member("function"))?.into());
                }
            }
            Ok(ToolChoice::Allowed { names, required, raw: raw.into() })
        }
        _ => Ok(ToolChoice::Unknown(raw.into())),
    }
}

fn read_messages(list: Vec<&RawValue>, path: &Path<'_>) -> Result<Vec<Message>, Error> {
    let mut messages: Vec<Message> = Vec::with_capacity(list.len());
    for (index, raw) in list.into_iter().enumerate() {
        let message = read_message(raw, index, &path.item(index), messages.last())?;
        messages.push(message);
    }
    Ok(messages)
}

fn read_message(
    raw: &RawValue,
    index: usize,
    path: &Path<'_>,
    before: Option<&Message>,
) -> Result<Message, Error> {
    let mut members = Members::read(raw, path)?;
    let word = members.needed_text("role", path)?;
    let role = match word.as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        _ => return Err(path.member("role").wrong("one of system, developer, user, assistant, tool")),
    };
    let mut name = members.word("name", path)?;
    let mut cache = take_cache(&mut members);
    let content = members.take("content");
    let mut parts = content.map_or(Ok(Vec::new()), |raw| read_content(raw, &path.member("content")))?;
    match role {
        Role::Assistant => read_assistant(&mut members, index, path, &mut parts)?,
        Role::Tool => {
            let call_id = match word.as_str() {
                "tool" => members.needed_text("tool_call_id", path)?.into(),
                _ => legacy_id(before),
            };
            let result = ToolResult { call_id, name: name.take(), parts, is_error: false };
            parts = vec![Part { cache: cache.take(), ..Part::new(Content::ToolResult(result)) }];
        }
        _ if content.is_none() => return Err(path.missing("content")),
        _ => {}
    }
    if let (Some(mark), Some(last)) = (cache, parts.last_mut()) {
        last.cache = Some(mark);
    }
    Ok(Message { role, parts, name, rest: members.rest() })
}

/// The id of the old-style call that a `function` message answers: such calls have none, so that it is made up
/// the same way on both sides.
fn legacy_id(before: Option<&Message>) -> Box<str> {
    let call = before.into_iter().flat_map(|message| &message.parts).find_map(|part| match &part.content {
        Content::ToolCall(call) => Some(call.id.clone()),
        _ => None,
    });
    call.unwrap_or_else(|| LEGACY_ID.into())
}

fn read_assistant(
    members: &mut Members<'_>,
    index: usize,
    path: &Path<'_>,
    parts: &mut Vec<Part>,
) -> Result<(), Error> {
    if let Some(text) = members.text("reasoning_content", path)?.filter(|text| !text.is_empty()) {
        let reasoning = Reasoning { text, signature: None, redacted: None, origin: Default::default() };
        parts.insert(0, Part::new(Content::Reasoning(reasoning)));
    }
    if let Some(text) = members.text("refusal", path)?.filter(|text| !text.is_empty()) {
        parts.push(Part::new(Content::Refusal { text }));
    }
    if let Some(raw) = members.take("tool_calls") {
        let at = path.member("tool_calls");
        for (index, raw) in items(raw, &at)?.into_iter().enumerate() {
            parts.push(read_call(raw, &at.item(index))?);
        }
    }
    if let Some(mut call) = members.object("function_call", path)? {
        let at = path.member("function_call");
        let call = ToolCall {
            id: format!("{LEGACY_ID}{index}").into(),
            name: call.needed_text("name", &at)?.into(),
            arguments: call.text("arguments", &at)?.unwrap_or_default(),
            kind: ToolKind::LegacyFunction,
        };
        parts.push(Part::new(Content::ToolCall(call)));
    }
    Ok(())
}

/// Reads one item of `tool_calls`, of a request's message or of an answer's.
pub(in super::super) fn read_call(raw: &RawValue, path: &Path<'_>) -> Result<Part, Error> {
    let mut members = Members::read(raw, path)?;
    let kind = members.text("type", path)?;
    let id = members.word("id", path)?.unwrap_or_default();
    let call = match kind.as_deref() {
        None | Some("function") => {
            let at = path.member("function");
            let mut function = members.object("function", path)?.ok_or_else(|| path.missing("function"))?;
            let name = function.needed_text("name", &at)?.into();
            let arguments = read_arguments(&mut function, &at)?;
            ToolCall { id, name, arguments, kind: ToolKind::Function }
        }
        Some("custom") => {
            let at = path.member("custom");
            let mut custom = members.object("custom", path)?.ok_or_else(|| path.missing("custom"))?;
            let name = custom.needed_text("name", &at)?.into();
            ToolCall { id, name, arguments: custom.needed_text("input", &at)?, kind: ToolKind::Custom }
        }
        Some(other) => {
            // Told apart from unknown content by its name, so that it goes back to where it came from.
            let kind = format!("{UNKNOWN_CALL}{other}").into();
            return Ok(Part::new(Content::Unknown { kind, raw: raw.into() }));
        }
    };
    // The index of streamed calls that some servers leave in whole ones says nothing here.
    members.take("index");
    Ok(Part { content: Content::ToolCall(call), cache: None, rest: members.rest() })
}

/// Arguments are text; some servers send the object itself.
fn read_arguments(function: &mut Members<'_>, path: &Path<'_>) -> Result<String, Error> {
    match function.peek("arguments") {
        Some(raw) if raw.get().starts_with('{') => {
            function.take("arguments");
            Ok(raw.get().to_owned())
        }
        _ => Ok(function.text("arguments", path)?.unwrap_or_default()),
    }
}
