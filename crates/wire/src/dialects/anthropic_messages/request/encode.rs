//! Writes an Anthropic request.
//!
//! Several answers (`n` above 1) are not an error: one answer comes, and the loss says so. A caller that must
//! have all of them asks for strictness, which refuses every loss.

use pilothouse_core::conversation::{
    CacheMark, OutputFormat, Request, Thinking, Tool, ToolChoice, ToolContent,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::Number;

use super::super::part::write_mark;
use super::messages::write_messages;
use super::thinking::{Plan, Switch, plan};
use crate::codec::{Losses, Target, ThinkingStyle};
use crate::dialects::{no_threads, refuse_bound, schema};
use crate::json::{Array, Object};

/// The output limit where neither the client nor the catalogue gives one: the smallest that every Claude model
/// since version 3.5 takes.
const LIMIT_DEFAULT: u64 = 8192;

pub(in super::super) fn encode(
    request: &Request,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<Vec<u8>, Error> {
    let native = request.dialect == Dialect::AnthropicMessages;
    refuse_bound(request, Dialect::AnthropicMessages)?;
    if request.thread.is_some() && !target.quirks.threads {
        return Err(no_threads());
    }
    let max_tokens = limit(request, target, native, losses);
    let plan = if native { Plan::default() } else { plan(request, target, max_tokens, losses) };
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::new(&mut out);
    body.text("model", target.model);
    body.number("max_tokens", max_tokens);
    write_messages(&mut body, request, target, losses)?;
    write_tools(&mut body, request, target, native, losses);
    if native {
        write_native_reasoning(&mut body, request);
    } else {
        write_planned_reasoning(&mut body, request, target, &plan, losses);
    }
    write_sampling(&mut body, request, target, native, &plan, losses);
    write_service(&mut body, request, native, losses);
    if request.stream {
        body.flag("stream", true);
    }
    if native {
        body.maybe_raw("thread", request.thread.as_ref());
        body.rest(&request.rest);
    } else {
        note_foreign(request, losses);
    }
    drop(body);
    Ok(out)
}

fn limit(request: &Request, target: &Target<'_>, native: bool, losses: &mut Losses) -> u64 {
    match (request.output_limit, target.max_output_tokens) {
        (Some(limit), Some(most)) if !native && limit.tokens > most => {
            losses.add("clamp:max_tokens", &format!("{} is above the model's {most}", limit.tokens));
            most
        }
        (Some(limit), _) => limit.tokens,
        (None, most) => {
            let tokens = most.unwrap_or(LIMIT_DEFAULT);
            losses.add("set:max_tokens", &format!("{tokens}, as this dialect asks for a limit"));
            tokens
        }
    }
}

fn write_tools(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    native: bool,
    losses: &mut Losses,
) {
    let allowed = |tool: &&Tool| match (&tool.content, &request.tool_choice) {
        (ToolContent::Native { .. }, _) => native,
        (ToolContent::Function(function), Some(ToolChoice::Allowed { names, .. })) => {
            names.contains(&function.name)
        }
        (ToolContent::Function(_), _) => true,
    };
    for tool in &request.tools {
        if let (ToolContent::Native { kind, .. }, false) = (&tool.content, native) {
            losses.drop(&format!("tools.{kind}"), "a tool that only its own dialect has");
        }
    }
    if matches!(request.tool_choice, Some(ToolChoice::Allowed { .. })) {
        losses.add("narrow:tools", "only the allowed tools are offered");
    }
    let any = request.tools.iter().any(|tool| allowed(&tool));
    if any {
        let mut list = body.array("tools");
        for tool in request.tools.iter().filter(allowed) {
            match &tool.content {
                ToolContent::Native { raw, .. } => list.raw(raw),
                ToolContent::Function(_) => write_tool(&mut list, tool, target, native, losses),
            }
        }
    }
    write_choice(body, request, native, any, losses);
}

fn write_choice(body: &mut Object<'_>, request: &Request, native: bool, any: bool, losses: &mut Losses) {
    let serial = request.parallel_tools == Some(false);
    let kind = match &request.tool_choice {
        Some(ToolChoice::Unknown(raw)) if native => return body.raw("tool_choice", raw),
        _ if !any && !native => {
            if request.tool_choice.is_some() {
                losses.drop("tool_choice", "no tool is left to choose");
            }
            return;
        }
        None if request.parallel_tools.is_none() || (!serial && !native) => return,
        None | Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => "auto",
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => "any",
        Some(ToolChoice::None) => "none",
        Some(ToolChoice::Named(name)) if !native && !offers(request, name) => {
            return losses.drop("tool_choice", "the tool to choose is not left");
        }
        Some(ToolChoice::Named(_)) => "tool",
        Some(ToolChoice::Unknown(_)) => {
            return losses.drop("tool_choice", "a choice that only its own dialect knows");
        }
    };
    let mut choice = body.object("tool_choice");
    choice.text("type", kind);
    if let Some(ToolChoice::Named(name)) = &request.tool_choice {
        choice.text("name", name);
    }
    match request.parallel_tools {
        Some(parallel) if native || (serial && kind != "none") => {
            choice.flag("disable_parallel_tool_use", !parallel);
        }
        _ => {}
    }
}

/// Whether a function of that name is offered.
fn offers(request: &Request, name: &str) -> bool {
    request.tools.iter().any(|tool| matches!(&tool.content, ToolContent::Function(one) if &*one.name == name))
}

fn write_tool(list: &mut Array<'_>, tool: &Tool, target: &Target<'_>, native: bool, losses: &mut Losses) {
    let ToolContent::Function(function) = &tool.content else { return };
    let mut out = list.object();
    out.text("name", &function.name);
    out.maybe_text("description", function.description.as_deref());
    match &function.parameters {
        Some(schema) if native || schema.text().contains("\"type\"") => out.raw("input_schema", schema),
        Some(schema) => {
            // The schema must say that it is an object's.
            let mut typed = out.object("input_schema");
            typed.text("type", "object");
            if let Some(members) = crate::json::reread(schema).and_then(crate::json::Members::of) {
                typed.rest(&members.rest());
            }
        }
        None => {
            let mut schema = out.object("input_schema");
            schema.text("type", "object");
            drop(schema.object("properties"));
        }
    }
    match function.strict {
        Some(strict) if native => out.flag("strict", strict),
        Some(true) if target.quirks.json_schema => out.flag("strict", true),
        Some(true) => losses.add("weaken:tools.strict", "the model does not follow schemas strictly"),
        _ => {}
    }
    if let Some(mark) = &tool.cache {
        write_mark(&mut out, mark);
    }
    if native {
        out.rest(&tool.rest);
    } else {
        losses.drop_rest("tools.", &tool.rest);
        losses.drop_rest("tools.", &function.rest);
    }
}

fn write_native_reasoning(body: &mut Object<'_>, request: &Request) {
    if request.rest.get("thinking").is_none()
        && let Some(thinking) = &request.reasoning.thinking
    {
        let mut out = body.object("thinking");
        match thinking {
            Thinking::Off => out.text("type", "disabled"),
            Thinking::Adaptive => out.text("type", "adaptive"),
            Thinking::Budget(tokens) => {
                out.text("type", "enabled");
                out.number("budget_tokens", tokens);
            }
            Thinking::Other(kind) => out.text("type", kind),
        }
        out.maybe_text("display", request.reasoning.display.as_deref());
    }
    let schema = match &request.output_format {
        Some(OutputFormat::JsonSchema { schema, .. }) => schema.as_ref(),
        Some(OutputFormat::Unknown(raw)) => Some(raw),
        _ => None,
    };
    if request.rest.get("output_config").is_some() || (request.reasoning.effort.is_none() && schema.is_none())
    {
        return;
    }
    let mut config = body.object("output_config");
    config.maybe_text("effort", request.reasoning.effort.map(|effort| effort.as_str()));
    match (&request.output_format, schema) {
        (Some(OutputFormat::Unknown(raw)), _) => config.raw("format", raw),
        (_, Some(schema)) => {
            let mut format = config.object("format");
            format.text("type", "json_schema");
            format.raw("schema", schema);
        }
        _ => {}
    }
}

fn write_planned_reasoning(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    plan: &Plan,
    losses: &mut Losses,
) {
    match plan.thinking {
        None => {}
        Some(Switch::Off) => body.object("thinking").text("type", "disabled"),
        Some(Switch::Adaptive) => {
            let mut out = body.object("thinking");
            out.text("type", "adaptive");
            // These models show their thinking only where they are asked to.
            let asked = request
                .reasoning
                .display
                .as_deref()
                .filter(|_| target.quirks.thinking == ThinkingStyle::Adaptive);
            out.maybe_text("display", asked);
        }
        Some(Switch::Budget(tokens)) => {
            let mut out = body.object("thinking");
            out.text("type", "enabled");
            out.number("budget_tokens", tokens);
        }
    }
    let schema = match &request.output_format {
        Some(OutputFormat::JsonSchema { schema: Some(schema), .. }) if target.quirks.json_schema => {
            let closed = schema::closed(schema);
            if closed.is_some() {
                losses.add("set:additionalProperties", "schemas here want every object closed");
            }
            Some(closed.unwrap_or_else(|| schema.clone()))
        }
        None | Some(OutputFormat::Text) => None,
        Some(OutputFormat::JsonSchema { .. }) => {
            losses.drop("response_format", "the model takes no JSON schema for its answer");
            None
        }
        Some(OutputFormat::JsonObject) => {
            losses.drop("response_format", "json_object: this dialect takes JSON by a schema only");
            None
        }
        Some(OutputFormat::Unknown(_)) => {
            losses.drop("response_format", "a form that only its own dialect knows");
            None
        }
    };
    if plan.effort.is_none() && schema.is_none() {
        return;
    }
    let mut config = body.object("output_config");
    config.maybe_text("effort", plan.effort.map(|effort| effort.as_str()));
    if let Some(schema) = schema {
        let mut format = config.object("format");
        format.text("type", "json_schema");
        format.raw("schema", &schema);
    }
}

fn write_sampling(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    native: bool,
    plan: &Plan,
    losses: &mut Losses,
) {
    let sampling = &request.sampling;
    if native {
        body.maybe_number("temperature", sampling.temperature.as_ref());
        body.maybe_number("top_p", sampling.top_p.as_ref());
        body.maybe_number("top_k", sampling.top_k.as_ref());
    } else {
        let why = if !target.quirks.sampling {
            Some("the model takes no sampling parameters")
        } else if plan.thinks() {
            Some("thinking excludes sampling parameters")
        } else {
            None
        };
        let mut number = |name: &str, value: &Option<Number>, losses: &mut Losses| match (value, why) {
            // The default changes nothing.
            (Some(value), Some(_)) if name != "top_k" && is_one(value) => {}
            (Some(_), Some(why)) => losses.drop(name, why),
            (Some(value), None)
                if name == "temperature" && value.as_f64().is_some_and(|value| value > 1.0) =>
            {
                losses.add("clamp:temperature", &format!("{value} is above this dialect's 1"));
                body.number(name, 1);
            }
            (Some(value), None) => body.number(name, value),
            (None, _) => {}
        };
        number("temperature", &sampling.temperature, losses);
        number("top_p", &sampling.top_p, losses);
        number("top_k", &sampling.top_k, losses);
    }
    // Anthropic refuses stop sequences of white space only.
    let (kept, blank): (Vec<&String>, Vec<&String>) =
        request.stop.iter().partition(|stop| native || !stop.trim().is_empty());
    if !blank.is_empty() {
        losses.drop("stop", "a stop sequence of white space only");
    }
    if !kept.is_empty() {
        let mut list = body.array("stop_sequences");
        kept.into_iter().for_each(|stop| list.text(stop));
    }
}

fn is_one(value: &Number) -> bool {
    value.as_f64().is_some_and(|value| (value - 1.0).abs() < f64::EPSILON)
}

fn write_service(body: &mut Object<'_>, request: &Request, native: bool, losses: &mut Losses) {
    match request.service_tier.as_deref() {
        None => {}
        Some(tier) if native => body.text("service_tier", tier),
        Some("default") => body.text("service_tier", "standard_only"),
        Some("auto") => body.text("service_tier", "auto"),
        Some("priority") => {
            losses.add("change:service_tier", "priority became auto: priority where the account has it");
            body.text("service_tier", "auto");
        }
        Some(tier) => losses.drop("service_tier", tier),
    }
    if let Some(user) = &request.end_user
        && request.rest.get("metadata").is_none_or(|_| !native)
    {
        body.object("metadata").text("user_id", user);
    }
    match &request.cache.last {
        Some(CacheMark { raw: (Dialect::AnthropicMessages, raw), .. }) => body.raw("cache_control", raw),
        Some(mark) => write_mark(body, mark),
        None => {}
    }
}

/// Notes what OpenAI has and Anthropic has not.
fn note_foreign(request: &Request, losses: &mut Losses) {
    let sampling = &request.sampling;
    let none = "this dialect has no such member";
    for (name, given) in [
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("seed", sampling.seed.is_some()),
        ("logprobs", request.logprobs.is_some_and(|logprobs| logprobs.enabled || logprobs.top.is_some())),
        ("metadata", request.metadata.is_some()),
        ("prompt_cache_key", request.cache.key.is_some()),
    ] {
        if given {
            losses.drop(name, none);
        }
    }
    if let Some(n) = request.n.filter(|n| *n > 1) {
        losses.drop("n", &format!("one answer instead of {n}"));
    }
    let mut rest = request.rest.clone();
    rest.take("stream_options");
    losses.drop_rest("", &rest);
}
