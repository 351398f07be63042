//! Tools of a Responses request, and which of them is to be called: read and written.

use pilothouse_core::conversation::{FunctionTool, Raw, Request, Rest, Tool, ToolChoice, ToolContent};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::custom::flat_custom;
use super::super::item::write_rest;
use crate::codec::Losses;
use crate::dialects::schema;
use crate::json::{Array, Members, Object, Path, as_text};

/// Takes the tools and the choice.
pub(super) fn read(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    let at = root.member("tools");
    for (index, raw) in members.array("tools", &root)?.unwrap_or_default().into_iter().enumerate() {
        request.tools.push(read_tool(raw, &at.item(index))?);
    }
    request.parallel_tools = members.flag("parallel_tool_calls", &root)?;
    if let Some(raw) = members.take("tool_choice") {
        request.tool_choice = Some(read_choice(raw, &root.member("tool_choice"))?);
    }
    Ok(())
}

fn read_tool(raw: &RawValue, path: &Path<'_>) -> Result<Tool, Error> {
    let mut members = Members::read(raw, path)?;
    let kind = members.needed_text("type", path)?;
    if kind != "function" {
        let content = ToolContent::Native { kind: kind.into(), raw: raw.into() };
        return Ok(Tool { content, cache: None, rest: Rest::default() });
    }
    let function = FunctionTool {
        name: members.needed_text("name", path)?.into(),
        description: members.text("description", path)?,
        parameters: members.raw("parameters"),
        strict: members.flag("strict", path)?,
        legacy: false,
        rest: Rest::default(),
    };
    Ok(Tool { content: ToolContent::Function(function), cache: None, rest: members.rest() })
}

fn read_choice(raw: &RawValue, path: &Path<'_>) -> Result<ToolChoice, Error> {
    if let Some(word) = as_text(raw) {
        return match word.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" => Ok(ToolChoice::Required),
            _ => Err(path.wrong("auto, none, required or an object")),
        };
    }
    let mut members = Members::read(raw, path).map_err(|_| path.wrong("a string or an object"))?;
    match members.needed_text("type", path)?.as_str() {
        "function" => Ok(ToolChoice::Named(members.needed_text("name", path)?.into())),
        "allowed_tools" => {
            let required = members.text("mode", path)?.as_deref() == Some("required");
            let list = path.member("tools");
            let mut names = Vec::new();
            for (index, item) in members.array("tools", path)?.unwrap_or_default().into_iter().enumerate() {
                let at = list.item(index);
                let mut tool = Members::read(item, &at)?;
                if tool.text("type", &at)?.as_deref() == Some("function") {
                    names.push(tool.needed_text("name", &at)?.into());
                }
            }
            Ok(ToolChoice::Allowed { names, required, raw: raw.into() })
        }
        _ => Ok(ToolChoice::Unknown(raw.into())),
    }
}

/// A tool that is no function, as this dialect writes it.
fn native(request: &Request, raw: &Raw) -> Option<Raw> {
    match request.dialect {
        Dialect::OpenaiResponses => Some(raw.clone()),
        Dialect::OpenaiChat => flat_custom(raw),
        _ => None,
    }
}

/// Writes the tools, the choice, and whether several may be called.
pub(super) fn write(body: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let is_native = request.dialect == Dialect::OpenaiResponses;
    let mut kept: Vec<(&Tool, Option<Raw>)> = Vec::with_capacity(request.tools.len());
    for tool in &request.tools {
        match &tool.content {
            ToolContent::Function(_) => kept.push((tool, None)),
            ToolContent::Native { kind, raw } => match native(request, raw) {
                Some(raw) => kept.push((tool, Some(raw))),
                None => losses.drop(&format!("tools.{kind}"), "a tool that only its own vendor runs"),
            },
        }
    }
    let any = !kept.is_empty();
    if any {
        let mut list = body.array("tools");
        for (tool, raw) in kept {
            match raw {
                Some(raw) => list.raw(&raw),
                None => write_function(&mut list, tool, is_native, losses),
            }
        }
    }
    write_choice(body, request, any, losses);
}

fn write_function(list: &mut Array<'_>, tool: &Tool, native: bool, losses: &mut Losses) {
    let ToolContent::Function(function) = &tool.content else { return };
    let mut out = list.object();
    out.text("type", "function");
    out.text("name", &function.name);
    out.maybe_text("description", function.description.as_deref());
    match &function.parameters {
        Some(schema) => out.raw("parameters", schema),
        None if native => {}
        None => {
            let mut schema = out.object("parameters");
            schema.text("type", "object");
            drop(schema.object("properties"));
        }
    }
    match function.strict {
        strict if native => {
            if let Some(strict) = strict {
                out.flag("strict", strict);
            }
        }
        // Functions are strict here unless they say otherwise
        // (<https://platform.openai.com/docs/guides/migrate-to-responses>, read 2026-11-23).
        None | Some(false) => out.flag("strict", false),
        Some(true) => {
            let fits = function.parameters.as_ref().is_some_and(schema::is_strict);
            if !fits {
                losses.add(
                    "weaken:tools.strict",
                    "strict mode here wants every object closed and every property required",
                );
            }
            out.flag("strict", fits);
        }
    }
    if native {
        return write_rest(&mut out, &tool.rest);
    }
    if tool.cache.is_some() {
        losses.drop("tools.cache_control", "tools take no cache markers here");
    }
    losses.drop_rest("tools.", &tool.rest);
    losses.drop_rest("tools.", &function.rest);
}

/// Whether a function of that name is offered.
fn offers(request: &Request, name: &str) -> bool {
    request.tools.iter().any(|tool| matches!(&tool.content, ToolContent::Function(one) if &*one.name == name))
}

fn write_choice(body: &mut Object<'_>, request: &Request, any: bool, losses: &mut Losses) {
    const MEMBER: &str = "tool_choice";
    let native = request.dialect == Dialect::OpenaiResponses;
    if !any && !native {
        if request.tool_choice.is_some() {
            losses.drop(MEMBER, "no tool is left to choose");
        }
        return;
    }
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => body.text(MEMBER, "auto"),
        Some(ToolChoice::None) => body.text(MEMBER, "none"),
        Some(ToolChoice::Required) => body.text(MEMBER, "required"),
        Some(ToolChoice::Named(name)) if !native && !offers(request, name) => {
            losses.drop(MEMBER, "the tool to choose is not left");
        }
        Some(ToolChoice::Named(name)) => {
            let mut choice = body.object(MEMBER);
            choice.text("type", "function");
            choice.text("name", name);
        }
        Some(ToolChoice::Allowed { raw, .. } | ToolChoice::Unknown(raw)) if native => body.raw(MEMBER, raw),
        Some(ToolChoice::Allowed { names, required, .. }) => write_allowed(body, names, *required),
        Some(ToolChoice::Unknown(raw)) => match flat_custom(raw) {
            Some(raw) => body.raw(MEMBER, &raw),
            None => losses.drop(MEMBER, "a choice that only its own dialect knows"),
        },
    }
    if let Some(parallel) = request.parallel_tools {
        body.flag("parallel_tool_calls", parallel);
    }
}

fn write_allowed(body: &mut Object<'_>, names: &[Box<str>], required: bool) {
    let mut choice = body.object("tool_choice");
    choice.text("type", "allowed_tools");
    choice.text("mode", if required { "required" } else { "auto" });
    let mut list = choice.array("tools");
    for name in names {
        let mut tool = list.object();
        tool.text("type", "function");
        tool.text("name", name);
    }
}
