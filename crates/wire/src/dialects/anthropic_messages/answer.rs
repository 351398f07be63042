//! Anthropic's whole answers, read and written.

use pilothouse_core::conversation::{
    Annotation, Answer, Choice, Content, Media, Raw, Reasoning, Rest, ToolCall, UsageReport,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::Finish;
use pilothouse_core::usage::Usage;
use serde_json::value::RawValue;

use super::part::{read_block, write_input};
use super::{FAMILY, finish_of_word, foreign_signature, note_finish, word_of_finish};
use crate::codec::usage::write_anthropic;
use crate::codec::{AnswerContext, Losses};
use crate::dialects::fitting_id;
use crate::json::{Array, Members, Object, Path, as_text, items, plain};
use crate::usage::AnthropicUsage;

pub(super) fn decode(body: &[u8]) -> Result<Answer, Error> {
    let root = Path::Root;
    let mut members = Members::of_body(body)?;
    let mut answer = Answer::new(Dialect::AnthropicMessages);
    members.take("type");
    members.take("role");
    answer.id = members.text("id", &root)?.unwrap_or_default();
    answer.model = members.text("model", &root)?.unwrap_or_default();
    let mut choice = Choice::default();
    let path = root.member("content");
    let content = members.take("content").ok_or_else(|| root.missing("content"))?;
    for (at, raw) in items(content, &path)?.into_iter().enumerate() {
        choice.parts.push(read_block(raw, &path.item(at))?);
    }
    choice.finish_word = members.word("stop_reason", &root)?;
    choice.finish = choice.finish_word.as_deref().map(finish_of_word);
    choice.stop_sequence = members.word("stop_sequence", &root)?;
    if let Some(raw) = members.take("stop_details") {
        choice.refusal = explanation(raw);
        choice.rest.push("stop_details", raw.into());
    }
    if let Some(raw) = members.take("usage") {
        let (report, tier) = read_usage(raw, &root.member("usage"))?;
        answer.usage = Some(UsageReport { counts: Usage::from(report), raw: Some(raw.into()) });
        answer.service_tier = tier;
    }
    answer.choices.push(choice);
    answer.rest = members.rest();
    Ok(answer)
}

/// Reads a usage report and the tier of service in it.
pub(super) fn read_usage(
    raw: &RawValue,
    path: &Path<'_>,
) -> Result<(AnthropicUsage, Option<Box<str>>), Error> {
    let report: AnthropicUsage = plain(raw, path, "a usage report")?;
    let tier = Members::of(raw).and_then(|mut members| members.take("service_tier")).and_then(as_text);
    Ok((report, tier.map(Into::into)))
}

/// The words of a refusal in `stop_details`.
pub(super) fn explanation(raw: &RawValue) -> Option<String> {
    Members::of(raw)?.text("explanation", &Path::Root).ok()?
}

pub(super) fn encode(answer: &Answer, context: &AnswerContext<'_>, losses: &mut Losses) -> Vec<u8> {
    let native = answer.dialect == Dialect::AnthropicMessages;
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::new(&mut out);
    body.text("id", &answer_id(&answer.id, native, context));
    body.text("type", "message");
    body.text("role", "assistant");
    body.text("model", if answer.model.is_empty() { context.model } else { &answer.model });
    if answer.choices.len() > 1 {
        losses.drop("choices", "only the first of several answers fits");
    }
    let nothing = Choice::default();
    let choice = answer.choices.first().unwrap_or(&nothing);
    write_content(&mut body, choice, native, context, losses);
    write_finish(&mut body, choice, native, losses);
    let tier = answer.service_tier.as_deref().and_then(|tier| tier_of_answer(answer.dialect, tier));
    match &answer.usage {
        Some(UsageReport { raw: Some(raw), .. }) if native => body.raw("usage", raw),
        usage => {
            let counts = usage.as_ref().map(|usage| usage.counts).unwrap_or_default();
            write_anthropic(body.key("usage"), &counts, tier);
        }
    }
    if native {
        body.rest(&answer.rest);
    } else {
        if choice.logprobs.is_some() {
            losses.drop("logprobs", "this dialect has no token probabilities");
        }
        losses.drop_rest("answer.", &answer.rest);
        losses.drop_rest("answer.", &choice.rest);
        losses.drop_rest("answer.", &choice.message_rest);
    }
    drop(body);
    out
}

/// The vendor's id where it is one of this dialect, else one made from the exchange.
pub(super) fn answer_id(id: &str, native: bool, context: &AnswerContext<'_>) -> String {
    if native && !id.is_empty() { id.to_owned() } else { format!("msg_{}", context.exchange) }
}

/// OpenAI's tier of service in Anthropic's words.
pub(super) fn tier_of_answer(dialect: Dialect, tier: &str) -> Option<&str> {
    match (dialect, tier) {
        (Dialect::AnthropicMessages, same) => Some(same),
        (_, "priority") => Some("priority"),
        (_, "default" | "auto") => Some("standard"),
        _ => None,
    }
}

fn write_content(
    body: &mut Object<'_>,
    choice: &Choice,
    native: bool,
    context: &AnswerContext<'_>,
    losses: &mut Losses,
) {
    let mut list = body.array("content");
    let mut calls = 0;
    for part in &choice.parts {
        match &part.content {
            Content::Text { text, annotations } => {
                let mut out = list.object();
                out.text("type", "text");
                out.text("text", text);
                write_citations(&mut out, annotations, losses);
                rest(&mut out, &part.rest, native, losses);
            }
            Content::Reasoning(one) => write_reasoning(&mut list, one, &part.rest, native, losses),
            Content::ToolCall(call) => {
                let mut out = list.object();
                write_call(&mut out, call, calls, native, context, losses);
                rest(&mut out, &part.rest, native, losses);
                calls += 1;
            }
            Content::Unknown { raw, .. } if native => list.raw(raw),
            Content::Unknown { kind, .. } => losses.drop(kind, "a part that only its own dialect knows"),
            Content::Image { source: Media::Base64 { .. } | Media::Url(_), .. } => {
                losses.drop("answer.image", "this dialect's answers hold no pictures");
            }
            _ => losses.drop("answer.part", "a part that this dialect's answers do not have"),
        }
    }
    if let Some(text) = choice.refusal.as_deref().filter(|_| !native) {
        // The person should read why: Anthropic's own refusals come as text too.
        let mut out = list.object();
        out.text("type", "text");
        out.text("text", text);
    }
}

fn write_reasoning(list: &mut Array<'_>, one: &Reasoning, kept: &Rest, native: bool, losses: &mut Losses) {
    let mut out = list.object();
    match &one.redacted {
        Some(data) => {
            out.text("type", "redacted_thinking");
            out.text("data", data);
        }
        None => {
            out.text("type", "thinking");
            out.text("thinking", &one.text);
            match &one.signature {
                Some(signature) if native || &*one.origin.family == FAMILY => {
                    out.text("signature", signature)
                }
                Some(proof) => out.text("signature", &foreign_signature(&one.origin, Some(proof))),
                // The SDKs ask for a signature. Ours says who wrote it, so that it never goes to Claude as Claude's.
                None if !native => out.text("signature", &foreign_signature(&one.origin, None)),
                None => out.text("signature", ""),
            }
        }
    }
    rest(&mut out, kept, native, losses);
}

fn write_call(
    out: &mut Object<'_>,
    call: &ToolCall,
    at: usize,
    native: bool,
    context: &AnswerContext<'_>,
    losses: &mut Losses,
) {
    out.text("type", "tool_use");
    out.text("id", &call_id(&call.id, at, native, context));
    out.text("name", &call.name);
    write_input(out, call, losses);
}

/// The vendor's id of a call, made to fit; one made from the exchange where it gives none.
pub(super) fn call_id(id: &str, at: usize, native: bool, context: &AnswerContext<'_>) -> String {
    if native {
        id.to_owned()
    } else if id.is_empty() {
        format!("toolu_{}_{at}", context.exchange)
    } else {
        fitting_id(id, usize::MAX).into_owned()
    }
}

fn rest(out: &mut Object<'_>, rest: &Rest, native: bool, losses: &mut Losses) {
    if native {
        out.rest(rest);
    } else {
        losses.drop_rest("answer.", rest);
    }
}

fn write_citations(out: &mut Object<'_>, annotations: &[Annotation], losses: &mut Losses) {
    if annotations.iter().any(|one| !is_citable(one)) {
        losses.drop("annotations", "a citation of a file; only web pages can be cited here");
    }
    if annotations.iter().any(is_citable) {
        let mut list = out.array("citations");
        annotations
            .iter()
            .filter(|one| is_citable(one))
            .for_each(|one| write_citation(list.item(), one, losses));
    }
}

/// Whether this dialect has a form for a citation.
pub(super) fn is_citable(one: &Annotation) -> bool {
    one.dialect == Dialect::AnthropicMessages || one.url.is_some()
}

/// Writes one citation. OpenAI's point to web pages; Anthropic's form for those has members that only its own
/// search can fill: the words of the page, and an index.
pub(super) fn write_citation(out: &mut Vec<u8>, one: &Annotation, losses: &mut Losses) {
    if one.dialect == Dialect::AnthropicMessages {
        return crate::json::write_raw(out, &one.raw);
    }
    losses.add("change:annotations", "a url_citation became a web_search_result_location");
    let mut citation = Object::new(out);
    citation.text("type", "web_search_result_location");
    citation.text("cited_text", one.quote.as_deref().unwrap_or_default());
    citation.text("url", one.url.as_deref().unwrap_or_default());
    match one.title.as_deref() {
        Some(title) => citation.text("title", title),
        None => citation.null("title"),
    }
    citation.text("encrypted_index", "");
}

fn write_finish(body: &mut Object<'_>, choice: &Choice, native: bool, losses: &mut Losses) {
    let called = choice.parts.iter().any(|part| matches!(part.content, Content::ToolCall(_)));
    match (&choice.finish_word, choice.finish) {
        (Some(word), _) if native => body.text("stop_reason", word),
        (_, Some(finish)) => {
            note_finish(finish, losses);
            body.text("stop_reason", word_of_finish(finish, called));
        }
        (_, None) => body.null("stop_reason"),
    }
    match choice.stop_sequence.as_deref() {
        Some(stop) => body.text("stop_sequence", stop),
        None => body.null("stop_sequence"),
    }
    let details: Option<&Raw> = choice.rest.get("stop_details").filter(|_| native);
    match (details, choice.finish, &choice.refusal) {
        (Some(raw), _, _) => body.raw("stop_details", raw),
        (None, Some(Finish::Refusal), Some(words)) => {
            write_stop_details(body.key("stop_details"), words);
        }
        _ => {}
    }
}

/// Writes why a model refused.
pub(super) fn write_stop_details(out: &mut Vec<u8>, words: &str) {
    let mut details = Object::new(out);
    details.text("type", "refusal");
    details.null("category");
    details.text("explanation", words);
}
