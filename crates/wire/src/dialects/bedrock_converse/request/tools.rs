//! Tools and how they are chosen, read and written.

use pilothouse_core::conversation::{
    Content, FunctionTool, Raw, Request, Rest, Tool, ToolCall, ToolChoice, ToolContent,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::block::{BlockWriter, read_mark};
use super::decode::keep;
use super::{TOOL_CONFIG, is_nova};
use crate::codec::Losses;
use crate::json::{Array, Members, Object, Path, items, reread};

/// Reads `toolConfig`. A cache point becomes a mark on the tool before it.
pub(super) fn read_config(raw: &RawValue, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    let mut config = Members::read(raw, path)?;
    if let Some(raw) = config.take("tools") {
        let at = path.member("tools");
        for (index, item) in items(raw, &at)?.into_iter().enumerate() {
            read_tool(item, &at.item(index), &mut request.tools)?;
        }
    }
    if let Some(raw) = config.take("toolChoice") {
        request.tool_choice = Some(read_choice(raw, &path.member("toolChoice"))?);
    }
    keep(&mut request.rest, TOOL_CONFIG, config.rest());
    Ok(())
}

fn read_choice(raw: &RawValue, path: &Path<'_>) -> Result<ToolChoice, Error> {
    let members = Members::read(raw, path)?;
    let Some((kind, value)) = members.only() else { return Ok(ToolChoice::Unknown(raw.into())) };
    let inner = Members::of(value).unwrap_or_default();
    Ok(match (kind, inner.only()) {
        ("auto", None) if inner.is_empty() => ToolChoice::Auto,
        ("any", None) if inner.is_empty() => ToolChoice::Required,
        ("tool", _) => {
            let mut inner = Members::read(value, &path.member("tool"))?;
            ToolChoice::Named(inner.needed_text("name", &path.member("tool"))?.into())
        }
        _ => ToolChoice::Unknown(raw.into()),
    })
}

fn read_tool(raw: &RawValue, path: &Path<'_>, tools: &mut Vec<Tool>) -> Result<(), Error> {
    let mut members = Members::read(raw, path)?;
    let mark = members.only().filter(|(name, _)| *name == "cachePoint").map(|(_, point)| point);
    if let (Some(point), Some(before)) = (mark, tools.last_mut())
        && before.cache.is_none()
    {
        before.cache = Some(read_mark(point));
        return Ok(());
    }
    let at = path.member("toolSpec");
    let Some(mut spec) = members.object("toolSpec", path)? else {
        let kind = members.only().map_or("tool", |(kind, _)| kind).into();
        let content = ToolContent::Native { kind, raw: raw.into() };
        tools.push(Tool { content, cache: None, rest: Rest::default() });
        return Ok(());
    };
    let name = spec.needed_text("name", &at)?.into();
    let description = spec.text("description", &at)?;
    let schema = spec.peek("inputSchema").and_then(Members::of);
    let parameters = schema
        .and_then(|schema| schema.only().filter(|(name, _)| *name == "json").map(|(_, json)| json.into()));
    if parameters.is_some() {
        spec.take("inputSchema");
    }
    let strict = spec.flag("strict", &at)?;
    let function = FunctionTool { name, description, parameters, strict, legacy: false, rest: spec.rest() };
    tools.push(Tool { content: ToolContent::Function(function), cache: None, rest: members.rest() });
    Ok(())
}

/// What is offered of a request's tools.
struct Offer<'a> {
    tools: Vec<&'a Tool>,
    /// Tools that are offered only because the conversation has calls of them.
    called: Vec<&'a str>,
}

/// Writes `toolConfig`.
pub(super) fn write(body: &mut Object<'_>, request: &Request, writer: &BlockWriter<'_>, losses: &mut Losses) {
    let native = request.dialect == Dialect::BedrockConverse;
    let offer = offer(request, native, losses);
    let kept = || request.rest.iter().filter(|(name, _)| native && name.starts_with(TOOL_CONFIG));
    if offer.tools.is_empty() && offer.called.is_empty() && kept().next().is_none() {
        if request.tool_choice.is_some() && !matches!(request.tool_choice, Some(ToolChoice::None)) {
            losses.drop("tool_choice", "no tool is left to choose");
        }
        return;
    }
    let mut config = body.object("toolConfig");
    {
        let mut list = config.array("tools");
        for tool in &offer.tools {
            match &tool.content {
                ToolContent::Native { raw, .. } => list.raw(raw),
                ToolContent::Function(function) => {
                    write_tool(&mut list, tool, function, writer, losses);
                }
            }
            writer.mark(&mut list, tool.cache.as_ref(), losses);
        }
        for name in offer.called {
            let mut tool = list.object();
            let mut spec = tool.object("toolSpec");
            spec.text("name", name);
            write_no_schema(&mut spec);
        }
    }
    write_choice(&mut config, request, native, losses);
    kept().for_each(|(name, value)| config.raw(&name[TOOL_CONFIG.len()..], value));
}

/// Which tools are offered. A conversation with calls must offer tools here: "The toolConfig field must be defined
/// when using toolUse and toolResult content blocks".
fn offer<'a>(request: &'a Request, native: bool, losses: &mut Losses) -> Offer<'a> {
    if native {
        return Offer { tools: request.tools.iter().collect(), called: Vec::new() };
    }
    let mut tools: Vec<&Tool> = Vec::new();
    for tool in &request.tools {
        match (&tool.content, &request.tool_choice) {
            (ToolContent::Native { kind, .. }, _) => {
                losses.drop(&format!("tools.{kind}"), "a tool that only its own dialect has");
            }
            (ToolContent::Function(one), Some(ToolChoice::Allowed { names, .. }))
                if !names.contains(&one.name) => {}
            _ => tools.push(tool),
        }
    }
    if matches!(request.tool_choice, Some(ToolChoice::Allowed { .. })) {
        losses.add("narrow:tools", "only the allowed tools are offered");
    }
    let mut called: Vec<&str> = Vec::new();
    for call in calls(request) {
        if !called.contains(&&*call.name) {
            called.push(&call.name);
        }
    }
    if matches!(request.tool_choice, Some(ToolChoice::None)) && called.is_empty() {
        if !tools.is_empty() {
            losses.add("narrow:tools", "no tool may be called, so that none is offered");
        }
        tools.clear();
    }
    if !tools.is_empty() {
        called.clear();
    }
    if !called.is_empty() {
        losses.add("add:tools", "the tools that the conversation calls, which must be offered here");
    }
    Offer { tools, called }
}

/// Every call in a conversation.
fn calls(request: &Request) -> impl Iterator<Item = &ToolCall> {
    request.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match &part.content {
        Content::ToolCall(call) => Some(call),
        _ => None,
    })
}

fn write_tool(
    list: &mut Array<'_>,
    tool: &Tool,
    function: &FunctionTool,
    writer: &BlockWriter<'_>,
    losses: &mut Losses,
) {
    let mut out = list.object();
    {
        let mut spec = out.object("toolSpec");
        spec.text("name", &function.name);
        let description = function.description.as_deref();
        spec.maybe_text("description", description.filter(|text| writer.native || !text.trim().is_empty()));
        match &function.parameters {
            Some(schema) if writer.native => spec.object("inputSchema").raw("json", schema),
            Some(schema) if is_nova(writer.target.model) => write_for_nova(&mut spec, schema, losses),
            Some(schema) if schema.text().contains("\"type\"") => {
                spec.object("inputSchema").raw("json", schema);
            }
            Some(schema) => {
                // The schema must say that it is an object's.
                let mut holder = spec.object("inputSchema");
                let mut typed = holder.object("json");
                typed.text("type", "object");
                if let Some(members) = reread(schema).and_then(Members::of) {
                    typed.rest(&members.rest());
                }
            }
            None if writer.native => {}
            None => write_no_schema(&mut spec),
        }
        match function.strict {
            Some(strict) if writer.native => spec.flag("strict", strict),
            Some(true) if writer.target.quirks.json_schema => spec.flag("strict", true),
            Some(true) => losses.add("weaken:tools.strict", "the model does not follow schemas strictly"),
            _ => {}
        }
        if writer.native {
            spec.rest(&function.rest);
        }
    }
    if writer.native {
        out.rest(&tool.rest);
    } else {
        losses.drop_rest("tools.", &tool.rest);
        losses.drop_rest("tools.", &function.rest);
    }
}

/// Nova passes over tools whose schema has anything but these at its top:
/// <https://docs.aws.amazon.com/nova/latest/userguide/prompting-tool-troubleshooting.html>, read 2026-11-23.
const NOVAS_SCHEMA: [&str; 3] = ["type", "properties", "required"];

fn write_for_nova(spec: &mut Object<'_>, schema: &Raw, losses: &mut Losses) {
    let members = reread(schema).and_then(Members::of).unwrap_or_default().rest();
    let mut holder = spec.object("inputSchema");
    let mut out = holder.object("json");
    if members.get("type").is_none() {
        out.text("type", "object");
    }
    for (name, value) in members.iter() {
        if NOVAS_SCHEMA.contains(&name) {
            out.raw(name, value);
        } else {
            losses.add(
                "narrow:tools.schema",
                "the model takes type, properties and required at a schema's top",
            );
        }
    }
}

/// A schema of any object.
fn write_no_schema(spec: &mut Object<'_>) {
    let mut holder = spec.object("inputSchema");
    let mut schema = holder.object("json");
    schema.text("type", "object");
    drop(schema.object("properties"));
}

fn write_choice(config: &mut Object<'_>, request: &Request, native: bool, losses: &mut Losses) {
    if request.parallel_tools == Some(false) && !native {
        losses.drop("parallel_tool_calls", "this dialect cannot ask for one call at a time");
    }
    let offers = |name: &str| {
        request
            .tools
            .iter()
            .any(|tool| matches!(&tool.content, ToolContent::Function(one) if &*one.name == name))
    };
    let kind = match &request.tool_choice {
        None => return,
        Some(ToolChoice::Unknown(raw)) if native => return config.raw("toolChoice", raw),
        Some(ToolChoice::Unknown(_)) => {
            return losses.drop("tool_choice", "a choice that only its own dialect knows");
        }
        Some(ToolChoice::None) => {
            return losses
                .drop("tool_choice", "tools cannot be forbidden here while the conversation has calls");
        }
        Some(ToolChoice::Named(name)) if native || offers(name) => {
            return config.object("toolChoice").object("tool").text("name", name);
        }
        Some(ToolChoice::Named(_)) => {
            return losses.drop("tool_choice", "the tool to choose is not left");
        }
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => "auto",
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => "any",
    };
    drop(config.object("toolChoice").object(kind));
}
