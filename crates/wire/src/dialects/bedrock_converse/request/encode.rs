//! Writes a Converse request.
//!
//! Several answers (`n` above 1) are not an error: one answer comes, and the loss says so.

use pilothouse_core::conversation::{OutputFormat, Raw, Request};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use serde_json::Number;

use super::super::block::BlockWriter;
use super::super::{FAMILY, tier_of};
use super::{EFFORT, FIELD, FIELDS, INFERENCE, OUTPUT, TOOL_CONFIG, fields, messages, tools};
use crate::codec::{Losses, Target};
use crate::dialects::anthropic_messages::thinking::{Plan, plan};
use crate::dialects::{no_threads, refuse_bound, schema};
use crate::json::{Array, Members, Object, as_text, compact, reread};

/// What a model writes at most where neither the client nor the catalogue says: enough for any thinking budget's half.
const LIMIT_ASSUMED: u64 = 64_000;
/// The most labels of a request, and the longest of their texts (`RequestMetadata` of the service model).
const LABELS_MAX: usize = 16;
const LABEL_MAX: usize = 256;

pub(in super::super) fn encode(
    request: &Request,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<Vec<u8>, Error> {
    let native = request.dialect == Dialect::BedrockConverse;
    refuse_bound(request, Dialect::BedrockConverse)?;
    if request.thread.is_some() {
        return Err(no_threads());
    }
    let limit = limit(request, target, native, losses);
    let plan = match native || target.family != FAMILY {
        true => Plan::default(),
        false => {
            let most = limit.or(target.max_output_tokens).unwrap_or(LIMIT_ASSUMED);
            plan(request, target, most, losses)
        }
    };
    let writer = BlockWriter::new(native, target);
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::new(&mut out);
    messages::write(&mut body, request, &writer, losses)?;
    write_inference(&mut body, request, target, limit, &plan, losses);
    tools::write(&mut body, request, &writer, losses);
    if native {
        write_native(&mut body, request);
    } else {
        fields::write(&mut body, request, target, &plan, losses);
        write_output(&mut body, request, target, &plan, losses);
        write_labels(&mut body, request, losses);
        note_foreign(request, losses);
    }
    match request.service_tier.as_deref() {
        None | Some("auto") => {}
        Some(tier) => match tier_of(request.dialect, tier) {
            Some(word) => body.object("serviceTier").text("type", word),
            None => losses.drop("service_tier", tier),
        },
    }
    drop(body);
    Ok(out)
}

fn limit(request: &Request, target: &Target<'_>, native: bool, losses: &mut Losses) -> Option<u64> {
    let asked = request.output_limit?.tokens;
    match target.max_output_tokens {
        Some(most) if !native && asked > most => {
            losses.add("clamp:max_tokens", &format!("{asked} is above the model's {most}"));
            Some(most)
        }
        _ => Some(asked),
    }
}

fn write_inference(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    limit: Option<u64>,
    plan: &Plan,
    losses: &mut Losses,
) {
    let native = request.dialect == Dialect::BedrockConverse;
    let sampling = &request.sampling;
    let why = match () {
        () if native => None,
        () if !target.quirks.sampling => Some("the model takes no sampling parameters"),
        () if plan.thinks() => Some("thinking excludes sampling parameters"),
        () => None,
    };
    let mut number = |name: &str, value: &Option<Number>| {
        let value = value.as_ref()?;
        match why {
            // The default changes nothing.
            Some(_) if is_one(value) => None,
            Some(why) => {
                losses.drop(name, why);
                None
            }
            None if !native && name == "temperature" && value.as_f64().is_some_and(|value| value > 1.0) => {
                losses.add("clamp:temperature", &format!("{value} is above this dialect's 1"));
                Some(Number::from(1))
            }
            None => Some(value.clone()),
        }
    };
    let (temperature, top_p) =
        (number("temperature", &sampling.temperature), number("top_p", &sampling.top_p));
    let (stop, blank): (Vec<&String>, Vec<&String>) =
        request.stop.iter().partition(|stop| native || !stop.trim().is_empty());
    if !blank.is_empty() {
        losses.drop("stop", "a stop sequence of white space only");
    }
    let kept = || request.rest.iter().filter(|(name, _)| native && name.starts_with(INFERENCE));
    let is_empty = limit.is_none() && temperature.is_none() && top_p.is_none() && stop.is_empty();
    if is_empty && kept().next().is_none() {
        return;
    }
    let mut config = body.object("inferenceConfig");
    config.maybe_number("maxTokens", limit);
    config.maybe_number("temperature", temperature);
    config.maybe_number("topP", top_p);
    if !stop.is_empty() {
        let mut list: Array<'_> = config.array("stopSequences");
        stop.into_iter().for_each(|stop| list.text(stop));
    }
    kept().for_each(|(name, value)| config.raw(&name[INFERENCE.len()..], value));
}

fn is_one(value: &Number) -> bool {
    value.as_f64().is_some_and(|value| (value - 1.0).abs() < f64::EPSILON)
}

/// Writes back what only this dialect knows.
fn write_native(body: &mut Object<'_>, request: &Request) {
    body.maybe_raw("additionalModelRequestFields", request.rest.get(FIELDS));
    let kept = || request.rest.iter().filter(|(name, _)| name.starts_with(OUTPUT));
    let effort = request.rest.get(EFFORT);
    if request.output_format.is_some() || effort.is_some() || kept().next().is_some() {
        let mut config = body.object("outputConfig");
        config.maybe_raw("effort", effort);
        match &request.output_format {
            Some(OutputFormat::Unknown(raw)) => config.raw("textFormat", raw),
            Some(OutputFormat::JsonSchema { name, description, schema: Some(schema), .. }) => {
                write_schema(&mut config, name.as_deref(), description.as_deref(), schema);
            }
            _ => {}
        }
        kept().for_each(|(name, value)| config.raw(&name[OUTPUT.len()..], value));
    }
    body.maybe_raw("requestMetadata", request.metadata.as_ref());
    let elsewhere = [FIELD, INFERENCE, OUTPUT, TOOL_CONFIG, "@"];
    for (name, value) in request.rest.iter() {
        if !elsewhere.iter().any(|prefix| name.starts_with(prefix)) {
            body.raw(name, value);
        }
    }
}

fn write_schema(config: &mut Object<'_>, name: Option<&str>, description: Option<&str>, schema: &Raw) {
    let mut format = config.object("textFormat");
    format.text("type", "json_schema");
    let mut structure = format.object("structure");
    let mut inner = structure.object("jsonSchema");
    inner.text("schema", schema.text());
    inner.maybe_text("name", name);
    inner.maybe_text("description", description);
}

fn write_output(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    plan: &Plan,
    losses: &mut Losses,
) {
    let lost = |losses: &mut Losses, why: &str| losses.drop("response_format", why);
    let schema = match &request.output_format {
        Some(OutputFormat::JsonSchema { name, description, schema: Some(schema), .. })
            if target.quirks.json_schema =>
        {
            let closed = schema::closed(schema);
            if closed.is_some() {
                losses.add("set:additionalProperties", "schemas here want every object closed");
            }
            let shut = closed.unwrap_or_else(|| schema.clone());
            let short = reread(&shut).map(compact).and_then(|text| Raw::parse(&text));
            Some((name, description, short.unwrap_or(shut)))
        }
        None | Some(OutputFormat::Text) => None,
        Some(OutputFormat::JsonSchema { .. }) => {
            lost(losses, "the model takes no JSON schema for its answer");
            None
        }
        Some(OutputFormat::JsonObject) => {
            lost(losses, "json_object: this dialect takes JSON by a schema only");
            None
        }
        Some(OutputFormat::Unknown(_)) => {
            lost(losses, "a form that only its own dialect knows");
            None
        }
    };
    if schema.is_none() && plan.effort.is_none() {
        return;
    }
    let mut config = body.object("outputConfig");
    config.maybe_text("effort", plan.effort.map(|effort| effort.as_str()));
    if let Some((name, description, schema)) = schema {
        write_schema(&mut config, name.as_deref(), description.as_deref(), &schema);
    }
}

/// Writes labels that Bedrock takes: a few short texts of plain letters.
fn write_labels(body: &mut Object<'_>, request: &Request, losses: &mut Losses) {
    let Some(metadata) = &request.metadata else { return };
    let Some(labels) = reread(metadata).and_then(Members::of).map(Members::rest) else {
        return losses.drop("metadata", "labels must be an object of texts");
    };
    let fits = |text: &str| {
        text.len() <= LABEL_MAX
            && text.chars().all(|letter| {
                letter.is_ascii_alphanumeric()
                    || letter.is_ascii_whitespace()
                    || ":_@$#=/+,-.".contains(letter)
            })
    };
    let texts: Vec<(&str, Option<String>)> =
        labels.iter().map(|(name, value)| (name, reread(value).and_then(as_text))).collect();
    let is_fitting = texts.len() <= LABELS_MAX
        && texts
            .iter()
            .all(|(name, value)| !name.is_empty() && fits(name) && value.as_deref().is_some_and(fits));
    if !is_fitting {
        return losses.drop("metadata", "labels hold at most 16 short texts of plain letters here");
    }
    if !texts.is_empty() {
        let mut out = body.object("requestMetadata");
        texts.iter().for_each(|(name, value)| out.maybe_text(name, value.as_deref()));
    }
}

/// Notes what others have and Bedrock has not.
fn note_foreign(request: &Request, losses: &mut Losses) {
    let sampling = &request.sampling;
    let none = "this dialect has no such member";
    for (name, given) in [
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("seed", sampling.seed.is_some()),
        ("logprobs", request.logprobs.is_some_and(|logprobs| logprobs.enabled || logprobs.top.is_some())),
        ("prompt_cache_key", request.cache.key.is_some()),
        ("user", request.end_user.is_some()),
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
