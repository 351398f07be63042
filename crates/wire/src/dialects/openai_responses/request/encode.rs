//! Writes a Responses request.
//!
//! A request of another dialect is written so that the vendor holds nothing of it: `store` is false, and models that
//! reason are asked for their reasoning in encrypted form, which the caller's next request brings back.

use pilothouse_core::conversation::{Effort, OutputFormat, Raw, Request, Rest, Thinking};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::Number;

use super::super::SHARED_MEMBERS;
use super::super::item::write_rest;
use super::options::{IN_REASONING, IN_TEXT, INCLUDE_LOGPROBS, INCLUDE_REASONING, SAFETY, SUMMARY};
use super::{input, tools};
use crate::codec::{Losses, Target};
use crate::dialects::{fitting_id, no_threads, note_budget, refuse_bound, schema};
use crate::json::Object;

/// "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16",
/// <https://github.com/vectorize-io/hindsight/issues/58>, read 2026-11-23.
const LIMIT_MIN: u64 = 16;
/// The longest `safety_identifier` (the vendor's OpenAPI document at f85dbe2, read 2026-11-23).
const END_USER_MAX: usize = 64;

pub(in super::super) fn encode(
    request: &Request,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<Vec<u8>, Error> {
    let native = request.dialect == Dialect::OpenaiResponses;
    refuse_bound(request, Dialect::OpenaiResponses)?;
    if request.thread.is_some() {
        return Err(no_threads());
    }
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::new(&mut out);
    body.text("model", target.model);
    input::write(&mut body, request, target, losses)?;
    tools::write(&mut body, request, losses);
    write_text(&mut body, request, losses);
    write_sampling(&mut body, request, target, losses);
    write_limits(&mut body, request, target, losses);
    write_reasoning(&mut body, request, target, losses);
    write_include(&mut body, request, target);
    write_service(&mut body, request, losses);
    if request.stream {
        body.flag("stream", true);
    }
    if native {
        write_rest(&mut body, &own_rest(&request.rest));
    } else {
        write_foreign_rest(&mut body, request, losses);
    }
    drop(body);
    Ok(out)
}

/// The members that are written at the top: those of inner objects have gone into them.
fn own_rest(rest: &Rest) -> Rest {
    let mut own = Rest::default();
    let inner =
        |name: &str| name == "verbosity" || name.starts_with(IN_TEXT) || name.starts_with(IN_REASONING);
    for (name, value) in rest.iter().filter(|(name, _)| !inner(name)) {
        own.push(name, value.clone());
    }
    own
}

/// Writes the members whose names begin so, without that beginning.
fn write_inner(out: &mut Object<'_>, request: &Request, prefix: &str) {
    for (name, value) in request.rest.iter() {
        if let Some(name) = name.strip_prefix(prefix) {
            out.raw(name, value);
        }
    }
}

fn has_inner(request: &Request, prefix: &str) -> bool {
    request.rest.iter().any(|(name, _)| name.starts_with(prefix))
}

fn write_foreign_rest(body: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let mut rest = request.rest.clone();
    let store = rest.take("store").filter(|_| request.dialect == Dialect::OpenaiChat);
    match store {
        Some(raw) => body.raw("store", &raw),
        // Answers are stored here unless the request says otherwise; elsewhere nobody asked for that.
        None => body.flag("store", false),
    }
    rest.take("stream_options");
    rest.take("verbosity").filter(|_| request.dialect == Dialect::OpenaiChat);
    if request.dialect == Dialect::OpenaiChat {
        for name in SHARED_MEMBERS {
            body.maybe_raw(name, rest.take(name).as_ref());
        }
    }
    losses.drop_rest("", &rest);
}

fn write_text(body: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let native = request.dialect == Dialect::OpenaiResponses;
    let kin = native || request.dialect == Dialect::OpenaiChat;
    let verbosity = request.rest.get("verbosity").filter(|raw| kin && !raw.is_null());
    let inner = native && has_inner(request, IN_TEXT);
    let format = match &request.output_format {
        Some(OutputFormat::Unknown(_)) if !native => {
            losses.drop("output_format", "a form that only its own dialect knows");
            None
        }
        format => format.as_ref(),
    };
    if verbosity.is_none() && format.is_none() && !inner {
        return;
    }
    let mut text = body.object("text");
    match format {
        None => {}
        Some(OutputFormat::Text) => text.object("format").text("type", "text"),
        Some(OutputFormat::JsonObject) => text.object("format").text("type", "json_object"),
        Some(OutputFormat::JsonSchema { .. }) => write_schema(&mut text.object("format"), request, losses),
        Some(OutputFormat::Unknown(raw)) => text.raw("format", raw),
    }
    text.maybe_raw("verbosity", verbosity);
    if inner {
        write_inner(&mut text, request, IN_TEXT);
    }
}

fn write_schema(out: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let Some(OutputFormat::JsonSchema { name, description, schema, strict }) = &request.output_format else {
        return;
    };
    let native = request.dialect == Dialect::OpenaiResponses;
    let fits = native || schema.as_ref().is_some_and(schema::is_strict);
    if !fits && *strict != Some(false) {
        losses.add(
            "weaken:output_format.strict",
            "strict mode here wants every object closed and every property required",
        );
    }
    out.text("type", "json_schema");
    match name.as_deref() {
        name if native => out.maybe_text("name", name),
        // OpenAI asks for a name; Anthropic has none.
        name => out.text("name", name.unwrap_or("answer")),
    }
    out.maybe_text("description", description.as_deref());
    out.maybe_raw("schema", schema.as_ref());
    match strict {
        Some(strict) => out.flag("strict", *strict && fits),
        // Chat completions are lax unless they are told; Anthropic always is strict.
        None if !native => out.flag("strict", fits && request.dialect != Dialect::OpenaiChat),
        None => {}
    }
}

fn write_sampling(body: &mut Object<'_>, request: &Request, target: &Target<'_>, losses: &mut Losses) {
    let sampling = &request.sampling;
    let native = request.dialect == Dialect::OpenaiResponses;
    // Reasoning models take sampling parameters only while they do not reason.
    let off = effort(request) == Some(Effort::None) && target.quirks.efforts.contains(&Effort::None);
    let allowed = native || target.quirks.sampling || off;
    let mut number = |name: &str, value: &Option<Number>| match value {
        Some(value) if allowed => body.number(name, value),
        // The default changes nothing.
        Some(value) if is_one(value) => {}
        Some(_) => losses.drop(name, "the model takes no sampling parameters"),
        None => {}
    };
    number("temperature", &sampling.temperature);
    number("top_p", &sampling.top_p);
    for (name, given) in [
        ("top_k", sampling.top_k.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("seed", sampling.seed.is_some()),
        ("stop", !request.stop.is_empty()),
    ] {
        if given {
            losses.drop(name, "this dialect has no such member");
        }
    }
    if let Some(n) = request.n.filter(|n| *n > 1) {
        losses.drop("n", &format!("one answer instead of {n}"));
    }
}

fn is_one(value: &Number) -> bool {
    value.as_f64().is_some_and(|value| (value - 1.0).abs() < f64::EPSILON)
}

fn write_limits(body: &mut Object<'_>, request: &Request, target: &Target<'_>, losses: &mut Losses) {
    let native = request.dialect == Dialect::OpenaiResponses;
    if let Some(limit) = request.output_limit {
        let tokens = match target.max_output_tokens {
            Some(most) if !native && limit.tokens > most => {
                losses.add("clamp:max_tokens", &format!("{} is above the model's {most}", limit.tokens));
                most
            }
            _ if !native && limit.tokens < LIMIT_MIN => {
                losses
                    .add("clamp:max_tokens", &format!("{} became {LIMIT_MIN}, the least here", limit.tokens));
                LIMIT_MIN
            }
            _ => limit.tokens,
        };
        body.number("max_output_tokens", tokens);
    }
    if let Some(logprobs) = request.logprobs.filter(|logprobs| native || logprobs.enabled) {
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
        // As in chat completions: adaptive thinking works at the effort `high` where none is named.
        (Some(Thinking::Adaptive), None) => Some(Effort::High),
        (Some(Thinking::Other(_)) | None, None) => None,
    }
}

fn write_reasoning(body: &mut Object<'_>, request: &Request, target: &Target<'_>, losses: &mut Losses) {
    if request.dialect == Dialect::OpenaiResponses {
        let summary = request.rest.get(SUMMARY);
        if request.reasoning.effort.is_some() || summary.is_some() || has_inner(request, IN_REASONING) {
            let mut out = body.object("reasoning");
            out.maybe_text("effort", request.reasoning.effort.map(|effort| effort.as_str()));
            out.maybe_raw("summary", summary);
            write_inner(&mut out, request, IN_REASONING);
        }
        return;
    }
    if let Some(Thinking::Other(kind)) = &request.reasoning.thinking {
        losses.drop("thinking", kind);
    }
    let effort = given_effort(request, target, losses);
    // Summaries are for verified organizations only, so that they are asked for only where the caller does.
    let summary = request.reasoning.display.as_deref() == Some("summarized") && reasons(target);
    if effort.is_none() && !summary {
        return;
    }
    let mut out = body.object("reasoning");
    out.maybe_text("effort", effort.map(Effort::as_str));
    if summary {
        out.text("summary", "auto");
    }
}

/// The accepted effort that is nearest to what was asked for.
fn given_effort(request: &Request, target: &Target<'_>, losses: &mut Losses) -> Option<Effort> {
    let asked = effort(request)?;
    let Some(given) = target.quirks.nearest_effort(asked) else {
        if asked != Effort::None {
            losses.drop("reasoning_effort", "the model takes no reasoning effort");
        }
        return None;
    };
    note_budget(request, given, losses);
    if given != asked {
        losses.add("change:reasoning_effort", &format!("{} became {}", asked.as_str(), given.as_str()));
    }
    Some(given)
}

/// Whether the model reasons.
fn reasons(target: &Target<'_>) -> bool {
    !target.quirks.efforts.is_empty()
}

fn write_include(body: &mut Object<'_>, request: &Request, target: &Target<'_>) {
    if request.dialect == Dialect::OpenaiResponses {
        return;
    }
    let logprobs = request.logprobs.is_some_and(|logprobs| logprobs.enabled);
    if !logprobs && !reasons(target) {
        return;
    }
    let mut list = body.array("include");
    if reasons(target) {
        list.text(INCLUDE_REASONING);
    }
    if logprobs {
        list.text(INCLUDE_LOGPROBS);
    }
}

fn write_service(body: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let native = request.dialect == Dialect::OpenaiResponses;
    match request.service_tier.as_deref() {
        None => {}
        Some(tier) if native || request.dialect == Dialect::OpenaiChat => body.text("service_tier", tier),
        Some("auto") => body.text("service_tier", "auto"),
        Some("standard_only") => body.text("service_tier", "default"),
        Some("standard") if request.dialect == Dialect::GeminiGenerate => {
            body.text("service_tier", "default")
        }
        Some(tier @ ("flex" | "priority")) => body.text("service_tier", tier),
        Some(tier) => losses.drop("service_tier", tier),
    }
    match request.end_user.as_deref() {
        None => {}
        Some(user) if native && request.rest.get(SAFETY).is_none() => body.text("user", user),
        Some(user) if native => body.text("safety_identifier", user),
        Some(user) => write_end_user(body, request, user, losses),
    }
    body.maybe_raw("metadata", request.metadata.as_ref());
    body.maybe_text("prompt_cache_key", request.cache.key.as_deref());
    if request.cache.last.is_some() {
        losses.drop("cache_control", "the target caches without markers");
    }
}

/// Writes who the person is, within what the vendor takes.
fn write_end_user(body: &mut Object<'_>, request: &Request, user: &str, losses: &mut Losses) {
    let named: Option<&Raw> = request.rest.get("safety_identifier");
    if named.is_some() && request.dialect == Dialect::OpenaiChat {
        // Both names were given: each keeps its own.
        return body.text("user", user);
    }
    if user.chars().count() <= END_USER_MAX {
        return body.text("safety_identifier", user);
    }
    losses.add("change:user", "a name of more than 64 characters became a shorter one, always the same");
    body.text("safety_identifier", &fitting_id(user, END_USER_MAX));
}
