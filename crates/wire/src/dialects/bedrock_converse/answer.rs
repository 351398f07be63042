//! Converse's whole answers, read and written.

use pilothouse_core::conversation::{Answer, Choice, Content, Media, Part, Raw, Rest, UsageReport};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::usage::Usage;
use serde_json::value::RawValue;

use super::block::{
    BlockWriter, is_citable, raw_citations, read_content, write_answer_text, write_reasoning,
};
use super::format::image_format;
use super::{tier_of, word_of_finish};
use crate::codec::usage::write_bedrock;
use crate::codec::{AnswerContext, Losses, Target};
use crate::dialects::anthropic_messages::write_input;
use crate::dialects::fitting_id;
use crate::facts::bedrock_converse::finish_of;
use crate::json::{Array, Members, Object, Path, as_text, plain};
use crate::usage::BedrockUsage;

/// Where the vendor's time stands: no other dialect tells it, and nobody misses it there.
pub(super) const METRICS: &str = "@metrics";
/// What a request may ask to be told of a model's own answer.
pub(super) const FIELDS: &str = "additionalModelResponseFields";
/// The same, where nobody else would miss it.
const OWN_FIELDS: &str = "@additionalModelResponseFields";

pub(super) fn decode(body: &[u8], family: &str) -> Result<Answer, Error> {
    let root = Path::Root;
    let mut members = Members::of_body(body)?;
    let mut answer = Answer::new(Dialect::BedrockConverse);
    let at = root.member("output");
    let mut output = members.object("output", &root)?.ok_or_else(|| root.missing("output"))?;
    let mut message = output.object("message", &at)?.ok_or_else(|| at.missing("message"))?;
    let at = at.member("message");
    message.take("role");
    let content = message.take("content").ok_or_else(|| at.missing("content"))?;
    let mut choice =
        Choice { parts: read_content(content, &at.member("content"), family)?, ..Choice::default() };
    choice.message_rest = message.rest();
    choice.finish_word = members.word("stopReason", &root)?;
    choice.finish = choice.finish_word.as_deref().map(finish_of);
    if let Some(raw) = members.take(FIELDS) {
        choice.stop_sequence = stop_sequence(raw);
        choice.rest.push(fields_name(raw), raw.into());
    }
    if let Some(raw) = members.take("usage") {
        answer.usage = Some(read_usage(raw, &root.member("usage"))?);
    }
    answer.service_tier = members.take("serviceTier").and_then(read_tier);
    answer.rest = rest_of(members);
    answer.choices.push(choice);
    Ok(answer)
}

/// The name under which a model's own fields are kept: where they tell nothing but the stop sequence, that is read.
pub(super) fn fields_name(fields: &RawValue) -> &'static str {
    let members = Members::of(fields).unwrap_or_default();
    if members.only().is_some_and(|(name, _)| name == "stop_sequence") { OWN_FIELDS } else { FIELDS }
}

/// The stop sequence that was met, where the request has asked for that field of the model's answer.
pub(super) fn stop_sequence(fields: &RawValue) -> Option<Box<str>> {
    Members::of(fields)?.take("stop_sequence").and_then(as_text).map(Into::into)
}

pub(super) fn read_usage(raw: &RawValue, path: &Path<'_>) -> Result<UsageReport, Error> {
    let report: BedrockUsage = plain(raw, path, "a usage report")?;
    Ok(UsageReport { counts: Usage::from(report), raw: Some(raw.into()) })
}

/// The tier of service in `serviceTier`.
pub(super) fn read_tier(raw: &RawValue) -> Option<Box<str>> {
    Members::of(raw)?.take("type").and_then(as_text).map(Into::into)
}

/// What is left of an answer, or of the last event of a stream.
pub(super) fn rest_of(mut members: Members<'_>) -> Rest {
    let metrics = members.take("metrics");
    let mut rest = members.rest();
    if let Some(metrics) = metrics {
        rest.push(METRICS, metrics.into());
    }
    rest
}

pub(super) fn encode(answer: &Answer, context: &AnswerContext<'_>, losses: &mut Losses) -> Vec<u8> {
    let native = answer.dialect == Dialect::BedrockConverse;
    if answer.choices.len() > 1 {
        losses.drop("choices", "only the first of several answers fits");
    }
    let nothing = Choice::default();
    let choice = answer.choices.first().unwrap_or(&nothing);
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::new(&mut out);
    {
        let mut output = body.object("output");
        let mut message = output.object("message");
        message.text("role", "assistant");
        write_content(&mut message, choice, native, context, losses);
        if native {
            message.rest(&choice.message_rest);
        }
    }
    let called = choice.parts.iter().any(|part| matches!(part.content, Content::ToolCall(_)));
    match (&choice.finish_word, choice.finish) {
        (Some(word), _) if native => body.text("stopReason", word),
        (_, Some(finish)) => body.text("stopReason", word_of_finish(finish, called, losses)),
        // SDKs ask for one.
        (_, None) => body.text("stopReason", "end_turn"),
    }
    write_stop_sequence(&mut body, choice.stop_sequence.as_deref().filter(|_| !native));
    match &answer.usage {
        Some(UsageReport { raw: Some(raw), .. }) if native => body.raw("usage", raw),
        usage => {
            let counts = usage.as_ref().map(|usage| usage.counts).unwrap_or_default();
            write_bedrock(body.key("usage"), &counts);
        }
    }
    write_metrics(&mut body, answer.rest.get(METRICS));
    write_tier(&mut body, answer.dialect, answer.service_tier.as_deref(), losses);
    if native {
        write_kept(&mut body, &choice.rest);
        answer.rest.iter().filter(|(name, _)| *name != METRICS).for_each(|(name, raw)| body.raw(name, raw));
    } else {
        note_foreign(answer, choice, losses);
    }
    drop(body);
    out
}

fn note_foreign(answer: &Answer, choice: &Choice, losses: &mut Losses) {
    if choice.logprobs.is_some() {
        losses.drop("logprobs", "this dialect has no token probabilities");
    }
    if answer.system_fingerprint.is_some() {
        losses.drop("system_fingerprint", "this dialect has no such member");
    }
    losses.drop_rest("answer.", &answer.rest);
    let mut rest = choice.rest.clone();
    rest.take("stop_details");
    losses.drop_rest("answer.", &rest);
    losses.drop_rest("answer.", &choice.message_rest);
}

/// Tells which stop sequence was met where Claude's own answer would.
pub(super) fn write_stop_sequence(out: &mut Object<'_>, stop: Option<&str>) {
    if let Some(stop) = stop {
        out.object(FIELDS).text("stop_sequence", stop);
    }
}

/// Writes what was kept of an answer, or of the event that ends it.
pub(super) fn write_kept(out: &mut Object<'_>, rest: &Rest) {
    rest.iter().for_each(|(name, raw)| out.raw(name.strip_prefix('@').unwrap_or(name), raw));
}

/// SDKs ask for the time that the model took; where nobody has told it, it is told as nothing.
pub(super) fn write_metrics(out: &mut Object<'_>, told: Option<&Raw>) {
    match told {
        Some(raw) => out.raw("metrics", raw),
        None => out.object("metrics").number("latencyMs", 0),
    }
}

pub(super) fn write_tier(out: &mut Object<'_>, dialect: Dialect, tier: Option<&str>, losses: &mut Losses) {
    let Some(tier) = tier else { return };
    match tier_of(dialect, tier) {
        Some(word) => out.object("serviceTier").text("type", word),
        None => losses.drop("service_tier", tier),
    }
}

fn write_content(
    message: &mut Object<'_>,
    choice: &Choice,
    native: bool,
    context: &AnswerContext<'_>,
    losses: &mut Losses,
) {
    let mut list = message.array("content");
    let mut calls = 0;
    for part in &choice.parts {
        if native {
            write_native(&mut list, part);
            continue;
        }
        match &part.content {
            Content::Text { text, annotations } => {
                write_answer_text(&mut list.object(), text, annotations, losses);
            }
            Content::Reasoning(one) => write_reasoning(&mut list.object(), one, false),
            Content::ToolCall(call) => {
                let mut block = list.object();
                let mut out = block.object("toolUse");
                out.text("toolUseId", &call_id(&call.id, calls, context));
                out.text("name", &call.name);
                write_input(&mut out, call, losses);
                calls += 1;
            }
            Content::Image { source: Media::Base64 { media_type, data }, .. }
                if image_format(media_type).is_some() =>
            {
                let mut block = list.object();
                let mut out = block.object("image");
                out.maybe_text("format", image_format(media_type));
                out.object("source").text("bytes", data);
            }
            Content::Refusal { text } => list.object().text("text", text),
            Content::Unknown { kind, .. } => losses.drop(kind, "a part that only its own dialect knows"),
            _ => losses.drop("answer.part", "a part that this dialect's answers do not have"),
        }
        losses.drop_rest("answer.", &part.rest);
    }
    if let Some(text) = choice.refusal.as_deref().filter(|_| !native) {
        // The person should read why.
        list.object().text("text", text);
    }
}

/// Writes a part of an answer that came in this dialect.
fn write_native(list: &mut Array<'_>, part: &Part) {
    match &part.content {
        Content::Reasoning(one) => {
            // Of another family only where it came so: behind a tag of ours, with its proof.
            let own = one.signature.is_none() || one.origin.family.is_empty();
            write_reasoning(&mut list.object(), one, own);
        }
        Content::Text { text, annotations }
            if raw_citations(&part.rest).is_none() && annotations.iter().any(is_citable) =>
        {
            write_answer_text(&mut list.object(), text, annotations, &mut Losses::default());
        }
        _ => {
            let nowhere = Target::of(Dialect::BedrockConverse, "");
            BlockWriter::new(true, &nowhere).block(list, part, &mut Losses::default());
        }
    }
}

/// The vendor's id of a call, made to fit; one made from the exchange where it gives none.
pub(super) fn call_id(id: &str, at: usize, context: &AnswerContext<'_>) -> String {
    if id.is_empty() {
        format!("tooluse_{}_{at}", context.exchange)
    } else {
        fitting_id(id, usize::MAX).into_owned()
    }
}
