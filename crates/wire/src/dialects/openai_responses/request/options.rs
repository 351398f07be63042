//! Reads how a Responses request wants its answer: form, reasoning, limits, service.
//!
//! What says nothing to another dialect is kept under a name of our own; see [`OWN`](crate::codec::OWN).

use pilothouse_core::conversation::{Effort, LimitMember, Logprobs, OutputFormat, OutputLimit, Raw, Request};
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use crate::json::{Members, Path, as_text, items};

const NUMBER: &str = "a number";
/// Asks for encrypted reasoning.
pub(super) const INCLUDE_REASONING: &str = "reasoning.encrypted_content";
/// Asks for token probabilities.
pub(super) const INCLUDE_LOGPROBS: &str = "message.output_text.logprobs";
/// What the names of further members of `text` begin with in the rest.
pub(super) const IN_TEXT: &str = "text.";
/// What the names of further members of `reasoning` begin with in the rest.
pub(super) const IN_REASONING: &str = "reasoning.";
/// The summary that was asked for.
pub(super) const SUMMARY: &str = "@@summary";
/// That the person behind the request was named by `safety_identifier`.
pub(super) const SAFETY: &str = "@@safety_identifier";

/// Takes what is known.
pub(super) fn read(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    request.sampling.temperature = members.plain("temperature", &root, NUMBER)?;
    request.sampling.top_p = members.plain("top_p", &root, NUMBER)?;
    request.output_limit = members
        .count("max_output_tokens", &root)?
        .map(|tokens| OutputLimit { tokens, member: LimitMember::MaxCompletionTokens });
    read_include(members, request)?;
    read_text(members, request)?;
    read_reasoning(members, request)?;
    request.service_tier = members.word("service_tier", &root)?;
    request.end_user = members.word("user", &root)?;
    if request.end_user.is_none() {
        request.end_user = members.word("safety_identifier", &root)?;
        if request.end_user.is_some() {
            super::super::item::mark(&mut request.rest, SAFETY);
        }
    }
    request.metadata = members.raw("metadata");
    request.cache.key = members.word("prompt_cache_key", &root)?;
    request.stream = members.flag("stream", &root)?.unwrap_or(false);
    // These streams always report their usage.
    request.stream_usage = request.stream;
    // What only says what holds anyway where nothing is stored, cut or run behind the caller's back.
    for (name, nothing) in [("store", "false"), ("background", "false"), ("truncation", "\"disabled\"")] {
        if members.peek(name).is_some_and(|raw| raw.get() == nothing)
            && let Some(raw) = members.raw(name)
        {
            request.rest.push(&format!("@{name}"), raw);
        }
    }
    if let Some(raw) = members.raw("stream_options") {
        request.rest.push("@stream_options", raw);
    }
    Ok(())
}

fn read_include(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    let top = members.count("top_logprobs", &root)?;
    let mut enabled = top.is_some_and(|top| top > 0);
    if let Some(raw) = members.take("include") {
        let list = items(raw, &root.member("include"))?;
        let words: Vec<String> = list.into_iter().filter_map(as_text).collect();
        enabled |= words.iter().any(|word| word == INCLUDE_LOGPROBS);
        let known = words.iter().all(|word| word == INCLUDE_LOGPROBS || word == INCLUDE_REASONING);
        request.rest.push(if known { "@include" } else { "include" }, raw.into());
    }
    if enabled || top.is_some() {
        request.logprobs = Some(Logprobs { enabled, top });
    }
    Ok(())
}

fn read_text(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    let at = root.member("text");
    let Some(mut text) = members.object("text", &root)? else { return Ok(()) };
    request.output_format =
        text.take("format").map(|raw| read_format(raw, &at.member("format"))).transpose()?;
    if let Some(raw) = text.raw("verbosity") {
        request.rest.push("verbosity", raw);
    }
    keep_inner(request, IN_TEXT, text);
    Ok(())
}

fn keep_inner(request: &mut Request, prefix: &str, left: Members<'_>) {
    for (name, value) in left.rest().iter() {
        request.rest.push(&format!("{prefix}{name}"), value.clone());
    }
}

fn read_format(raw: &RawValue, path: &Path<'_>) -> Result<OutputFormat, Error> {
    let mut members = Members::read(raw, path)?;
    match members.needed_text("type", path)?.as_str() {
        "text" => Ok(OutputFormat::Text),
        "json_object" => Ok(OutputFormat::JsonObject),
        "json_schema" => Ok(OutputFormat::JsonSchema {
            name: members.word("name", path)?,
            description: members.word("description", path)?,
            schema: members.raw("schema"),
            strict: members.flag("strict", path)?,
        }),
        _ => Ok(OutputFormat::Unknown(raw.into())),
    }
}

fn read_reasoning(members: &mut Members<'_>, request: &mut Request) -> Result<(), Error> {
    let root = Path::Root;
    let at = root.member("reasoning");
    let Some(mut reasoning) = members.object("reasoning", &root)? else { return Ok(()) };
    if let Some(word) = reasoning.text("effort", &at)? {
        let effort = Effort::parse(&word).ok_or_else(|| {
            at.member("effort").wrong("one of none, minimal, low, medium, high, xhigh, max")
        })?;
        request.reasoning.effort = Some(effort);
    }
    let summary: Option<Raw> = reasoning.raw("summary");
    if let Some(raw) = summary {
        request.reasoning.display = Some("summarized".into());
        request.rest.push(SUMMARY, raw);
    }
    keep_inner(request, IN_REASONING, reasoning);
    Ok(())
}
