//! Gemini's whole answers, read and written.

use pilothouse_core::conversation::{Annotation, Answer, Choice, Content, Part, Rest, UsageReport};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::Finish;
use pilothouse_core::usage::Usage;
use serde_json::value::RawValue;

use super::part::{Side, Writer, read_parts};
use super::signature::Places;
use super::{FAMILY, grounding, ids, logprobs, word_of_finish};
use crate::codec::usage::write_gemini;
use crate::codec::{AnswerContext, Losses};
use crate::facts::gemini_generate::{finish_of, tier_of};
use crate::json::{Members, Object, Path, as_text, plain};
use crate::usage::GeminiUsage;

/// Names of an answer and its candidates that are read.
const NAMES: [&str; 9] = [
    "promptFeedback",
    "usageMetadata",
    "modelVersion",
    "responseId",
    "finishReason",
    "finishMessage",
    "logprobsResult",
    "groundingMetadata",
    "citationMetadata",
];

pub(super) fn decode(body: &[u8]) -> Result<Answer, Error> {
    let root = Path::Root;
    let mut members = Members::of_body(body)?.camel(&NAMES);
    let mut answer = Answer::new(Dialect::GeminiGenerate);
    answer.id = members.text("responseId", &root)?.unwrap_or_default();
    answer.model = members.text("modelVersion", &root)?.unwrap_or_default();
    if let Some(raw) = members.take("usageMetadata") {
        let (report, tier) = read_usage(raw, &root.member("usageMetadata"))?;
        (answer.usage, answer.service_tier) = (Some(report), tier);
    }
    let path = root.member("candidates");
    let blocked = members.peek("promptFeedback").and_then(block_of);
    match members.array("candidates", &root)? {
        Some(list) if !list.is_empty() => {
            for (at, raw) in list.into_iter().enumerate() {
                answer.choices.push(read_candidate(raw, at, &answer.id, &path.item(at))?);
            }
        }
        None if blocked.is_none() && answer.usage.is_none() => return Err(root.missing("candidates")),
        _ => answer.choices.push(no_candidate(blocked)),
    }
    answer.rest = members.rest();
    Ok(answer)
}

/// The one choice of an answer without candidates: the prompt was blocked, or nothing came at all. Its finish has
/// no word of Google's.
fn no_candidate(blocked: Option<String>) -> Choice {
    let finish = if blocked.is_some() { Finish::Refusal } else { Finish::Other };
    Choice { finish: Some(finish), finish_word: Some("".into()), refusal: blocked, ..Choice::default() }
}

/// Why a prompt was blocked, for people; `None` where it was not.
pub(super) fn block_of(feedback: &RawValue) -> Option<String> {
    let mut members = Members::of(feedback)?.camel(&["blockReason", "blockReasonMessage"]);
    let reason = members.take("blockReason").and_then(as_text)?;
    let message = members.take("blockReasonMessage").and_then(as_text);
    Some(message.unwrap_or_else(|| format!("The prompt was blocked ({reason}).")))
}

/// Reads a usage report and the tier of service in it.
pub(super) fn read_usage(raw: &RawValue, path: &Path<'_>) -> Result<(UsageReport, Option<Box<str>>), Error> {
    let report: GeminiUsage = plain(raw, path, "a usage report")?;
    let mut members = Members::read(raw, path)?;
    let tier = members.take("serviceTier").or_else(|| members.take("trafficType")).and_then(as_text);
    let tier = tier.map(|tier| tier_of(&tier).into());
    Ok((UsageReport { counts: Usage::from(report), raw: Some(raw.into()) }, tier))
}

/// What a candidate holds, as whole answers and chunks of streams alike tell it.
pub(super) struct Candidate {
    pub index: u32,
    /// Parts, calls with the ids that Gemini gave.
    pub parts: Vec<Part>,
    pub annotations: Vec<Annotation>,
    pub finish_word: Option<Box<str>>,
    pub logprobs: Option<pilothouse_core::conversation::Raw>,
    pub message_rest: Rest,
    pub rest: Rest,
}

impl Candidate {
    /// Reads the candidate at that place.
    pub(super) fn read(raw: &RawValue, at: usize, path: &Path<'_>) -> Result<Self, Error> {
        let mut members = Members::read(raw, path)?.camel(&NAMES);
        let place = u32::try_from(at).unwrap_or(u32::MAX);
        let index = members.plain("index", path, "an integer")?.unwrap_or(place);
        let (mut parts, mut message_rest) = (Vec::new(), Rest::default());
        if let Some(mut content) = members.object("content", path)? {
            let at = path.member("content");
            content.take("role");
            if let Some(raw) = content.take("parts") {
                parts = read_parts(raw, &at.member("parts"), Side::Answer)?;
            }
            message_rest = content.rest();
        }
        let finish_word = members.word("finishReason", path)?;
        let finish_word = finish_word.filter(|word| !["", "FINISH_REASON_UNSPECIFIED"].contains(&&**word));
        let annotations = grounding::read(&members);
        let held = members.peek("logprobsResult").and_then(|raw| logprobs::from_google(&raw.into()));
        if held.is_some() {
            members.take("logprobsResult");
        }
        Ok(Self {
            index,
            parts,
            annotations,
            finish_word,
            logprobs: held,
            message_rest,
            rest: members.rest(),
        })
    }
}

/// The id that others see for the call at `place` of a choice.
pub(super) fn call_id(id: &str, response: &str, choice: u32, place: usize) -> Box<str> {
    let place = if choice == 0 { place.to_string() } else { format!("{choice}_{place}") };
    ids::outward(id, response, &place)
}

fn read_candidate(raw: &RawValue, at: usize, response: &str, path: &Path<'_>) -> Result<Choice, Error> {
    let read = Candidate::read(raw, at, path)?;
    let mut choice = Choice {
        index: read.index,
        parts: read.parts,
        logprobs: read.logprobs,
        message_rest: read.message_rest,
        rest: read.rest,
        ..Choice::default()
    };
    let mut calls = 0;
    for part in &mut choice.parts {
        if let Content::ToolCall(call) = &mut part.content {
            call.id = call_id(&call.id, response, choice.index, calls);
            calls += 1;
        }
    }
    let last = choice.parts.iter_mut().rev().find_map(|part| match &mut part.content {
        Content::Text { annotations, .. } => Some(annotations),
        _ => None,
    });
    if let Some(last) = last {
        last.extend(read.annotations);
    }
    choice.finish = read.finish_word.as_deref().map(|word| finish_of(word, calls > 0));
    choice.finish_word = read.finish_word;
    Ok(choice)
}

pub(super) fn encode(answer: &Answer, context: &AnswerContext<'_>, losses: &mut Losses) -> Vec<u8> {
    let native = answer.dialect == Dialect::GeminiGenerate;
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::new(&mut out);
    let is_empty = native && answer.choices.iter().all(|choice| choice.finish_word.as_deref() == Some(""));
    if !is_empty || answer.rest.get("promptFeedback").is_none() {
        let mut list = body.array("candidates");
        for choice in answer.choices.iter().filter(|_| !is_empty) {
            write_candidate(&mut list.object(), choice, native, losses);
        }
    }
    match &answer.usage {
        Some(UsageReport { raw: Some(raw), .. }) if native => body.raw("usageMetadata", raw),
        Some(usage) => write_gemini(body.key("usageMetadata"), &usage.counts),
        None => {}
    }
    body.text("modelVersion", if answer.model.is_empty() { context.model } else { &answer.model });
    body.text("responseId", &answer_id(&answer.id, native, context));
    if native {
        body.rest(&answer.rest);
    } else {
        losses.drop_rest("answer.", &answer.rest);
        if answer.system_fingerprint.is_some() {
            losses.drop("system_fingerprint", "this dialect has no such member");
        }
        if let Some(tier) = &answer.service_tier {
            losses.drop("service_tier", tier);
        }
    }
    drop(body);
    out
}

/// The vendor's id where it is one of this dialect, else one made from the exchange.
pub(super) fn answer_id(id: &str, native: bool, context: &AnswerContext<'_>) -> String {
    if native && !id.is_empty() { id.to_owned() } else { context.exchange.to_string() }
}

fn write_candidate(out: &mut Object<'_>, choice: &Choice, native: bool, losses: &mut Losses) {
    {
        let mut content = out.object("content");
        write_parts(&mut content, choice, native, losses);
        content.text("role", "model");
        if native {
            content.rest(&choice.message_rest);
        }
    }
    match (&choice.finish_word, choice.finish) {
        (Some(word), _) if native => out.text("finishReason", word),
        (_, Some(finish)) => out.text("finishReason", word_of_finish(finish, losses)),
        _ => {}
    }
    out.number("index", choice.index);
    if let Some(raw) = &choice.logprobs {
        match logprobs::to_google(raw) {
            Some(raw) => out.raw("logprobsResult", &raw),
            None => losses.drop("logprobs", "token probabilities in a form that cannot be read"),
        }
    }
    if native {
        return out.rest(&choice.rest);
    }
    out.maybe_text("finishMessage", choice.refusal.as_deref());
    let cited: Vec<&Annotation> = choice
        .parts
        .iter()
        .filter_map(|part| match &part.content {
            Content::Text { annotations, .. } => Some(annotations),
            _ => None,
        })
        .flatten()
        .collect();
    grounding::write(out, &cited, losses);
    // What Anthropic tells in `stop_details` has become the finish message.
    let mut rest = choice.rest.clone();
    rest.take("stop_details");
    losses.drop_rest("answer.", &rest);
    losses.drop_rest("answer.", &choice.message_rest);
    if choice.stop_sequence.is_some() {
        losses.drop("stop_sequence", "this dialect does not say which sequence was met");
    }
}

fn write_parts(content: &mut Object<'_>, choice: &Choice, native: bool, losses: &mut Losses) {
    let mut list = content.array("parts");
    let writer = Writer { native, family: FAMILY, results_hold_media: false };
    let parts: Vec<&Part> = choice.parts.iter().collect();
    let places = Places::of(&parts);
    for (at, part) in parts.into_iter().enumerate().filter(|(at, _)| !places.is_moved(*at)) {
        match &part.content {
            Content::Unknown { kind, .. } if !native => {
                losses.drop(kind, "a part that only its own dialect knows");
            }
            // Sources are told beside the text.
            Content::Text { text, .. } => {
                let plain = Part { rest: part.rest.clone(), ..Part::text(text.as_str()) };
                writer.part(&mut list, &plain, places.on(at), losses);
            }
            _ => writer.part(&mut list, part, places.on(at), losses),
        }
    }
    if let Some(text) = choice.refusal.as_deref().filter(|_| !native) {
        // The person should read why.
        list.object().text("text", text);
    }
}
