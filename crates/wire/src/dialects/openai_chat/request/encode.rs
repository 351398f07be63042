//! Writes an OpenAI chat request.
//!
//! Effort from Anthropic: `output_config.effort` as it is, else by `thinking.budget_tokens`: up to 4,096 low, up
//! to 12,288 medium, above high; `disabled` is `none`. What the model does not accept becomes the nearest lower.

use pilothouse_core::conversation::{
    CacheMark, Effort, LimitMember, OutputFormat, Request, Thinking, ToolChoice, ToolContent,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::Number;

use super::super::part::drop_rest;
use super::messages::write_messages;
use crate::codec::{Losses, Target};
use crate::dialects::openai_responses::{SHARED_MEMBERS, nested_custom};
use crate::dialects::{no_threads, note_budget, refuse_bound, schema};
use crate::json::{Array, Object};

/// The most stop sequences: <https://platform.openai.com/docs/api-reference/chat/create>, 2026-11-22.
const STOP_MAX: usize = 4;

pub(in super::super) fn encode(
    request: &Request,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<Vec<u8>, Error> {
    let native = request.dialect == Dialect::OpenaiChat;
    refuse_bound(request, Dialect::OpenaiChat)?;
    if request.thread.is_some() {
        return Err(no_threads());
    }
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::new(&mut out);
    body.text("model", target.model);
    write_messages(&mut body, request, target, losses)?;
    write_tools(&mut body, request, native, losses);
    write_format(&mut body, request, losses);
    write_sampling(&mut body, request, target, losses);
    write_limits(&mut body, request, target, losses);
    write_effort(&mut body, request, target, losses);
    write_service(&mut body, request, native, losses);
    if request.stream {
        body.flag("stream", true);
        let options = request.rest.get("stream_options").filter(|_| native);
        if request.stream_usage && options.is_none() {
            body.object("stream_options").flag("include_usage", true);
        }
    }
    if native {
        body.rest(&request.rest);
    } else {
        write_shared(&mut body, request, losses);
    }
    drop(body);
    Ok(out)
}

/// Writes the members that OpenAI's two dialects share, and notes what else the request has.
fn write_shared(body: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let mut rest = request.rest.clone();
    if request.dialect == Dialect::OpenaiResponses {
        for name in SHARED_MEMBERS {
            body.maybe_raw(name, rest.take(name).as_ref());
        }
    }
    drop_rest(&rest, "", losses);
}

fn write_tools(body: &mut Object<'_>, request: &Request, native: bool, losses: &mut Losses) {
    let legacy = native && request.tools.iter().any(|tool| is_legacy(&tool.content));
    let carried = |content: &ToolContent| match content {
        ToolContent::Function(function) => !(legacy && function.legacy),
        ToolContent::Native { kind, .. } => native || is_shared(request, kind),
    };
    for tool in &request.tools {
        if let ToolContent::Native { kind, .. } = &tool.content
            && !carried(&tool.content)
        {
            losses.drop(&format!("tools.{kind}"), "a tool that only its own vendor runs");
        }
    }
    if request.tools.iter().any(|tool| carried(&tool.content)) {
        let mut list = body.array("tools");
        for tool in request.tools.iter().filter(|tool| carried(&tool.content)) {
            match &tool.content {
                ToolContent::Native { raw, .. } => list.raw(nested_custom(raw).as_ref().unwrap_or(raw)),
                ToolContent::Function(_) => write_tool(&mut list, tool, native, losses),
            }
        }
    }
    if legacy {
        let mut list = body.array("functions");
        for tool in &request.tools {
            if let ToolContent::Function(function) = &tool.content
                && function.legacy
            {
                write_function(&mut list.object(), function, native, losses);
            }
        }
    }
    let any = request.tools.iter().any(|tool| carried(&tool.content) || is_legacy(&tool.content));
    write_choice(body, request, native, any, legacy, losses);
}

/// Whether a tool that is no function is one of OpenAI's two dialects alike.
fn is_shared(request: &Request, kind: &str) -> bool {
    request.dialect == Dialect::OpenaiResponses && kind == "custom"
}

/// Whether a function of that name is offered.
fn offers(request: &Request, name: &str) -> bool {
    request.tools.iter().any(|tool| matches!(&tool.content, ToolContent::Function(one) if &*one.name == name))
}

fn is_legacy(content: &ToolContent) -> bool {
    matches!(content, ToolContent::Function(function) if function.legacy)
}

fn write_choice(
    body: &mut Object<'_>,
    request: &Request,
    native: bool,
    any: bool,
    legacy: bool,
    losses: &mut Losses,
) {
    if !any && !native {
        if request.tool_choice.is_some() {
            losses.drop("tool_choice", "no tool is left to choose");
        }
        return;
    }
    let member = if legacy { "function_call" } else { "tool_choice" };
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => body.text(member, "auto"),
        Some(ToolChoice::None) => body.text(member, "none"),
        Some(ToolChoice::Required) => body.text(member, "required"),
        Some(ToolChoice::Named(name)) if !native && !offers(request, name) => {
            losses.drop("tool_choice", "the tool to choose is not left");
        }
        Some(ToolChoice::Named(name)) if legacy => body.object(member).text("name", name),
        Some(ToolChoice::Named(name)) => {
            let mut choice = body.object(member);
            choice.text("type", "function");
            choice.object("function").text("name", name);
        }
        Some(ToolChoice::Allowed { raw, .. } | ToolChoice::Unknown(raw)) if native => body.raw(member, raw),
        Some(ToolChoice::Allowed { names, required, .. }) => {
            let offered = names.iter().filter(|name| offers(request, name));
            write_allowed(body, offered, *required);
        }
        Some(ToolChoice::Unknown(raw)) if is_shared(request, "custom") && nested_custom(raw).is_some() => {
            body.maybe_raw(member, nested_custom(raw).as_ref());
        }
        Some(_) => losses.drop("tool_choice", "a choice that only its own dialect knows"),
    }
    if let Some(parallel) = request.parallel_tools {
        body.flag("parallel_tool_calls", parallel);
    }
}

/// Writes the choice of one of several functions.
fn write_allowed<'a>(body: &mut Object<'_>, names: impl Iterator<Item = &'a Box<str>>, required: bool) {
    let mut choice = body.object("tool_choice");
    choice.text("type", "allowed_tools");
    let mut allowed = choice.object("allowed_tools");
    allowed.text("mode", if required { "required" } else { "auto" });
    let mut list = allowed.array("tools");
    for name in names {
        let mut tool = list.object();
        tool.text("type", "function");
        tool.object("function").text("name", name);
    }
}

fn write_tool(
    list: &mut Array<'_>,
    tool: &pilothouse_core::conversation::Tool,
    native: bool,
    losses: &mut Losses,
) {
    let ToolContent::Function(function) = &tool.content else { return };
    let mut out = list.object();
    out.text("type", "function");
    write_function(&mut out.object("function"), function, native, losses);
    match &tool.cache {
        Some(CacheMark { raw: (dialect, raw), .. }) if native => match dialect {
            Dialect::AnthropicMessages => out.raw("cache_control", raw),
            _ => out.raw("prompt_cache_breakpoint", raw),
        },
        Some(_) => losses.drop("tools.cache_control", "tools take no cache markers here"),
        None => {}
    }
    if native {
        out.rest(&tool.rest);
    } else {
        drop_rest(&tool.rest, "tools.", losses);
    }
}

fn write_function(
    out: &mut Object<'_>,
    function: &pilothouse_core::conversation::FunctionTool,
    native: bool,
    losses: &mut Losses,
) {
    out.text("name", &function.name);
    out.maybe_text("description", function.description.as_deref());
    out.maybe_raw("parameters", function.parameters.as_ref());
    if let Some(strict) = function.strict {
        let fits = native || !strict || function.parameters.as_ref().is_some_and(schema::is_strict);
        if !fits {
            losses.add(
                "weaken:tools.strict",
                "strict mode here wants every object closed and every property required",
            );
        }
        out.flag("strict", strict && fits);
    }
    if native {
        out.rest(&function.rest);
    } else {
        drop_rest(&function.rest, "tools.", losses);
    }
}

fn write_format(body: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let native = request.dialect == Dialect::OpenaiChat;
    match &request.output_format {
        None => {}
        Some(OutputFormat::Text) => body.object("response_format").text("type", "text"),
        Some(OutputFormat::JsonObject) => body.object("response_format").text("type", "json_object"),
        Some(OutputFormat::JsonSchema { name, description, schema, strict }) => {
            let fits = native || schema.as_ref().is_some_and(schema::is_strict);
            if !fits {
                losses.add(
                    "weaken:output_format.strict",
                    "strict mode here wants every object closed and every property required",
                );
            }
            let mut format = body.object("response_format");
            format.text("type", "json_schema");
            let mut out = format.object("json_schema");
            // OpenAI asks for a name; Anthropic has none.
            out.text("name", name.as_deref().unwrap_or("answer"));
            out.maybe_text("description", description.as_deref());
            out.maybe_raw("schema", schema.as_ref());
            match strict {
                Some(strict) => out.flag("strict", *strict && fits),
                None if !native => out.flag("strict", fits),
                None => {}
            }
        }
        Some(OutputFormat::Unknown(raw)) if native => body.raw("response_format", raw),
        Some(OutputFormat::Unknown(_)) => {
            losses.drop("output_format", "a form that only its own dialect knows")
        }
    }
}

fn write_sampling(body: &mut Object<'_>, request: &Request, target: &Target<'_>, losses: &mut Losses) {
    let sampling = &request.sampling;
    let native = request.dialect == Dialect::OpenaiChat;
    // Reasoning models take sampling parameters only while they do not reason.
    let off = effort(request).is_some_and(|effort| effort == Effort::None);
    let allowed = native || target.quirks.sampling || (off && target.quirks.efforts.contains(&Effort::None));
    let mut number = |name: &str, value: &Option<Number>| match value {
        Some(value) if allowed => body.number(name, value),
        // The default changes nothing.
        Some(value) if name != "frequency_penalty" && name != "presence_penalty" && is_one(value) => {}
        Some(_) => losses.drop(name, "the model takes no sampling parameters"),
        None => {}
    };
    number("temperature", &sampling.temperature);
    number("top_p", &sampling.top_p);
    number("frequency_penalty", &sampling.frequency_penalty);
    number("presence_penalty", &sampling.presence_penalty);
    match &sampling.top_k {
        // An extension of open-weight servers: OpenAI itself refuses it.
        Some(value) if native => body.number("top_k", value),
        Some(_) => losses.drop("top_k", "this dialect has no top_k"),
        None => {}
    }
    body.maybe_raw("logit_bias", sampling.logit_bias.as_ref());
    body.maybe_number("seed", sampling.seed.as_ref());
}

fn is_one(value: &Number) -> bool {
    value.as_f64().is_some_and(|value| (value - 1.0).abs() < f64::EPSILON)
}

fn write_limits(body: &mut Object<'_>, request: &Request, target: &Target<'_>, losses: &mut Losses) {
    let native = request.dialect == Dialect::OpenaiChat;
    if let Some(limit) = request.output_limit {
        let member = if native { limit.member } else { target.quirks.limit_member };
        let tokens = match target.max_output_tokens {
            Some(most) if !native && limit.tokens > most => {
                losses.add("clamp:max_tokens", &format!("{} is above the model's {most}", limit.tokens));
                most
            }
            _ => limit.tokens,
        };
        let name = match member {
            LimitMember::MaxTokens => "max_tokens",
            LimitMember::MaxCompletionTokens => "max_completion_tokens",
        };
        body.number(name, tokens);
    }
    if !request.stop.is_empty() {
        if !native && !target.quirks.stop {
            losses.drop("stop", "the model takes no stop sequences");
        } else {
            let most = if native { usize::MAX } else { STOP_MAX };
            if request.stop.len() > most {
                losses.drop("stop", &format!("only the first {STOP_MAX} stop sequences are taken"));
            }
            let mut list = body.array("stop");
            request.stop.iter().take(most).for_each(|stop| list.text(stop));
        }
    }
    body.maybe_number("n", request.n);
    if let Some(logprobs) = request.logprobs {
        body.flag("logprobs", logprobs.enabled);
        body.maybe_number("top_logprobs", logprobs.top);
    }
}

/// The effort that is asked for, in whichever way.
fn effort(request: &Request) -> Option<Effort> {
    match (&request.reasoning.thinking, request.reasoning.effort) {
        (Some(Thinking::Off), _) => Some(Effort::None),
        (_, Some(effort)) => Some(effort),
        (Some(Thinking::Budget(..=4096)), None) => Some(Effort::Low),
        (Some(Thinking::Budget(..=12288)), None) => Some(Effort::Medium),
        (Some(Thinking::Budget(_)), None) => Some(Effort::High),
        // Adaptive thinking works at the effort `high` where none is named
        // (<https://platform.claude.com/docs/en/build-with-claude/effort>, 2026-11-22); some models here do not
        // reason at all unless they are asked to.
        (Some(Thinking::Adaptive), None) => Some(Effort::High),
        (Some(Thinking::Other(_)) | None, None) => None,
    }
}

fn write_effort(body: &mut Object<'_>, request: &Request, target: &Target<'_>, losses: &mut Losses) {
    let native = request.dialect == Dialect::OpenaiChat;
    if !native {
        note_thinking(request, target, losses);
    }
    let Some(asked) = effort(request) else { return };
    if native {
        return body.text("reasoning_effort", asked.as_str());
    }
    let Some(given) = target.quirks.nearest_effort(asked) else {
        if asked != Effort::None {
            losses.drop("reasoning_effort", "the model takes no reasoning effort");
        }
        return;
    };
    if given != Effort::None && !request.tools.is_empty() && !target.quirks.effort_with_tools {
        return losses.drop("reasoning_effort", "the model takes no effort beside tools in chat completions");
    }
    note_budget(request, given, losses);
    if given != asked {
        losses.add("change:reasoning_effort", &format!("{} became {}", asked.as_str(), given.as_str()));
    }
    body.text("reasoning_effort", given.as_str());
}

/// Notes what of Anthropic's thinking has no counterpart here.
fn note_thinking(request: &Request, target: &Target<'_>, losses: &mut Losses) {
    match &request.reasoning.thinking {
        Some(Thinking::Other(kind)) => losses.drop("thinking", kind),
        Some(Thinking::Adaptive)
            if target.quirks.efforts.is_empty() && request.reasoning.effort.is_none() =>
        {
            losses.drop("thinking", "the model takes no reasoning effort");
        }
        _ => {}
    }
    if let Some(display) = &request.reasoning.display {
        losses.drop("thinking.display", display);
    }
}

fn write_service(body: &mut Object<'_>, request: &Request, native: bool, losses: &mut Losses) {
    if let Some(tier) = request.service_tier.as_deref() {
        match tier {
            "auto" => body.text("service_tier", "auto"),
            "standard_only" if !native => body.text("service_tier", "default"),
            "standard" if request.dialect == Dialect::GeminiGenerate => body.text("service_tier", "default"),
            "flex" | "priority" if !native => body.text("service_tier", tier),
            _ if native || request.dialect == Dialect::OpenaiResponses => body.text("service_tier", tier),
            _ => losses.drop("service_tier", tier),
        }
    }
    body.maybe_text("user", request.end_user.as_deref());
    body.maybe_raw("metadata", request.metadata.as_ref());
    body.maybe_text("prompt_cache_key", request.cache.key.as_deref());
    if let Some(mark) = &request.cache.last {
        match mark.raw {
            (Dialect::AnthropicMessages, ref raw) if native => body.raw("cache_control", raw),
            (_, ref raw) if native => body.raw("prompt_cache_breakpoint", raw),
            _ => losses.drop("cache_control", "the target caches without markers"),
        }
    }
}
