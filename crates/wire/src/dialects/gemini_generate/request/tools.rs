//! Tools and how they are chosen, read and written.

use pilothouse_core::conversation::{FunctionTool, Raw, Request, Rest, Tool, ToolChoice, ToolContent};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::part::null;
use super::super::schema;
use super::{AS_WRITTEN, CALLING, TOOL_CONFIG};
use crate::codec::Losses;
use crate::json::{Array, Members, Object, Path, items};

/// Reads `tools`: an array, or one tool, which Google's servers take too.
pub(super) fn read_tools(raw: &RawValue, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    if raw.get().starts_with('{') {
        return read_tool(raw, path, request);
    }
    for (at, item) in items(raw, path)?.into_iter().enumerate() {
        read_tool(item, &path.item(at), request)?;
    }
    Ok(())
}

/// Reads one tool: any number of functions, and tools that Google runs, each under its name.
fn read_tool(raw: &RawValue, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    let mut members = Members::read(raw, path)?.camel(&["functionDeclarations"]);
    if let Some(list) = members.array("functionDeclarations", path)? {
        let at = path.member("functionDeclarations");
        for (index, item) in list.into_iter().enumerate() {
            let content = ToolContent::Function(read_function(item, &at.item(index))?);
            request.tools.push(Tool { content, cache: None, rest: Rest::default() });
        }
    }
    for (name, value) in members.rest().iter().filter(|(_, value)| !value.is_null()) {
        let mut out = Vec::new();
        Object::new(&mut out).raw(name, value);
        let Some(raw) = std::str::from_utf8(&out).ok().and_then(Raw::parse) else { continue };
        let content = ToolContent::Native { kind: name.into(), raw };
        request.tools.push(Tool { content, cache: None, rest: Rest::default() });
    }
    Ok(())
}

fn read_function(raw: &RawValue, path: &Path<'_>) -> Result<FunctionTool, Error> {
    let mut members = Members::read(raw, path)?.camel(&["parametersJsonSchema"]);
    let mut rest = Rest::default();
    let name = members.needed_text("name", path)?.into();
    let description = members.text("description", path)?;
    let parameters = match (members.raw("parametersJsonSchema"), members.raw("parameters")) {
        (Some(schema), _) => {
            // How it was written; no loss to others.
            rest.push("parametersJsonSchema", null());
            Some(schema)
        }
        (None, Some(own)) => {
            let (schema, is_whole) = schema::from_google(&own);
            if !is_whole {
                rest.push(&format!("parameters{AS_WRITTEN}"), own);
            }
            Some(schema)
        }
        (None, None) => None,
    };
    for (name, value) in members.rest().iter() {
        rest.push(name, value.clone());
    }
    Ok(FunctionTool { name, description, parameters, strict: None, legacy: false, rest })
}

/// Reads `toolConfig`.
pub(super) fn read_tool_config(raw: &RawValue, path: &Path<'_>, request: &mut Request) -> Result<(), Error> {
    let mut config = Members::read(raw, path)?.camel(&["functionCallingConfig"]);
    if let Some(raw) = config.take("functionCallingConfig") {
        let at = path.member("functionCallingConfig");
        let mut calling = Members::read(raw, &at)?.camel(&["allowedFunctionNames"]);
        let mode = calling.text("mode", &at)?.map(|mode| mode.to_ascii_uppercase());
        let names: Vec<Box<str>> =
            calling.plain("allowedFunctionNames", &at, "an array of strings")?.unwrap_or_default();
        request.tool_choice = choice(mode.as_deref(), names, raw);
        if !matches!(request.tool_choice, Some(ToolChoice::Unknown(_) | ToolChoice::Allowed { .. })) {
            for (name, value) in calling.rest().iter() {
                request.rest.push(&format!("{CALLING}{name}"), value.clone());
            }
        }
    }
    for (name, value) in config.rest().iter() {
        request.rest.push(&format!("{TOOL_CONFIG}{name}"), value.clone());
    }
    Ok(())
}

fn choice(mode: Option<&str>, mut names: Vec<Box<str>>, raw: &RawValue) -> Option<ToolChoice> {
    Some(match (mode, names.len()) {
        (None | Some("MODE_UNSPECIFIED"), 0) => return None,
        (Some("AUTO"), 0) => ToolChoice::Auto,
        (Some("NONE"), _) => ToolChoice::None,
        (Some("ANY"), 0) => ToolChoice::Required,
        (Some("ANY"), 1) => ToolChoice::Named(names.remove(0)),
        (Some("ANY"), _) => ToolChoice::Allowed { names, required: true, raw: raw.into() },
        // Calls that follow their schemas, or text: with names, as others allow some tools.
        (Some("VALIDATED"), 1..) => ToolChoice::Allowed { names, required: false, raw: raw.into() },
        _ => ToolChoice::Unknown(raw.into()),
    })
}

/// Writes `tools` and `toolConfig`.
pub(super) fn write_tools(body: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let native = request.dialect == Dialect::GeminiGenerate;
    let is_function = |tool: &Tool| matches!(tool.content, ToolContent::Function(_));
    for tool in &request.tools {
        if let (ToolContent::Native { kind, .. }, false) = (&tool.content, native) {
            losses.drop(&format!("tools.{kind}"), "a tool that only its own dialect has");
        }
    }
    let carried: Vec<&Tool> = request.tools.iter().filter(|tool| native || is_function(tool)).collect();
    if !carried.is_empty() {
        let mut list = body.array("tools");
        for group in carried.chunk_by(|one, other| is_function(one) && is_function(other)) {
            match &group[0].content {
                ToolContent::Native { raw, .. } => list.raw(raw),
                ToolContent::Function(_) => {
                    let mut tool = list.object();
                    let mut functions = tool.array("functionDeclarations");
                    group.iter().for_each(|tool| write_function(&mut functions, tool, native, losses));
                }
            }
        }
    }
    write_tool_config(body, request, native, carried.iter().any(|tool| is_function(tool)), losses);
}

fn write_function(list: &mut Array<'_>, tool: &Tool, native: bool, losses: &mut Losses) {
    let ToolContent::Function(function) = &tool.content else { return };
    let mut out = list.object();
    out.text("name", &function.name);
    out.maybe_text("description", function.description.as_deref());
    let as_written = format!("parameters{AS_WRITTEN}");
    if native {
        let is_json = function.rest.get("parametersJsonSchema").is_some();
        match (&function.parameters, function.rest.get(&as_written)) {
            (_, Some(own)) => out.raw("parameters", own),
            (Some(schema), None) if is_json => out.raw("parametersJsonSchema", schema),
            (Some(schema), None) => write_schema(&mut out, "parameters", "parametersJsonSchema", schema),
            (None, None) => {}
        }
        let skipped = ["parametersJsonSchema", as_written.as_str()];
        for (name, value) in function.rest.iter().filter(|(name, _)| !skipped.contains(name)) {
            out.raw(name, value);
        }
        return;
    }
    if let Some(schema) = function.parameters.as_ref().filter(|schema| !schema::is_empty_object(schema)) {
        write_schema(&mut out, "parameters", "parametersJsonSchema", schema);
    }
    if function.strict == Some(true) {
        losses.add("weaken:tools.strict", "this dialect has no strict mode for single functions");
    }
    if tool.cache.is_some() {
        losses.drop("tools.cache_control", "tools take no cache markers here");
    }
    losses.drop_rest("tools.", &tool.rest);
    losses.drop_rest("tools.", &function.rest);
}

/// Writes a schema as Google's own where that can say it, else as JSON Schema.
pub(super) fn write_schema(out: &mut Object<'_>, own: &str, json: &str, schema: &Raw) {
    match schema::to_google(schema) {
        Some(google) => out.raw(own, &google),
        None => out.raw(json, schema),
    }
}

fn write_tool_config(body: &mut Object<'_>, request: &Request, native: bool, any: bool, losses: &mut Losses) {
    if request.parallel_tools == Some(false) {
        losses.drop("parallel_tool_calls", "this dialect cannot ask for one call at a time");
    }
    let kept = |name: &&str| native && name.starts_with(TOOL_CONFIG);
    let has_rest = request.rest.iter().any(|(name, _)| kept(&name));
    let choice =
        request.tool_choice.as_ref().filter(|choice| is_possible(choice, request, native, any, losses));
    if choice.is_none() && !has_rest {
        return;
    }
    let mut config = body.object("toolConfig");
    let inner: Vec<_> = request.rest.iter().filter(|(name, _)| native && name.starts_with(CALLING)).collect();
    match choice {
        Some(ToolChoice::Unknown(raw)) => config.raw("functionCallingConfig", raw),
        Some(ToolChoice::Allowed { raw, .. }) if native => config.raw("functionCallingConfig", raw),
        None if inner.is_empty() => {}
        choice => {
            let mut calling = config.object("functionCallingConfig");
            write_choice(&mut calling, choice);
            inner.into_iter().for_each(|(name, value)| calling.raw(&name[CALLING.len()..], value));
        }
    }
    for (name, value) in request.rest.iter().filter(|(name, _)| kept(name) && !name.starts_with(CALLING)) {
        config.raw(&name[TOOL_CONFIG.len()..], value);
    }
}

/// Whether a choice can be asked for; notes why not.
fn is_possible(choice: &ToolChoice, request: &Request, native: bool, any: bool, losses: &mut Losses) -> bool {
    let offers = |name: &str| {
        request
            .tools
            .iter()
            .any(|tool| matches!(&tool.content, ToolContent::Function(one) if &*one.name == name))
    };
    let why = match choice {
        _ if native => return true,
        _ if !any => "no tool is left to choose",
        ToolChoice::Named(name) if !offers(name) => "the tool to choose is not left",
        ToolChoice::Unknown(_) => "a choice that only its own dialect knows",
        _ => return true,
    };
    losses.drop("tool_choice", why);
    false
}

fn write_choice(calling: &mut Object<'_>, choice: Option<&ToolChoice>) {
    let mode = match choice {
        None | Some(ToolChoice::Unknown(_)) => return,
        Some(ToolChoice::Auto) => "AUTO",
        Some(ToolChoice::None) => "NONE",
        Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { required: true, .. }) => {
            "ANY"
        }
        // Names may be given with ANY and with VALIDATED only.
        Some(ToolChoice::Allowed { required: false, .. }) => "VALIDATED",
    };
    calling.text("mode", mode);
    let names: &[Box<str>] = match choice {
        Some(ToolChoice::Named(name)) => std::slice::from_ref(name),
        Some(ToolChoice::Allowed { names, .. }) => names,
        _ => return,
    };
    let mut list = calling.array("allowedFunctionNames");
    names.iter().for_each(|name| list.text(name));
}
