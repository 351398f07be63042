//! Reads a whole answer of Responses.

use pilothouse_core::conversation::{Answer, Choice, Content, Part, Raw, Rest, ToolKind, UsageReport};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::usage::Usage;
use serde_json::Number;
use serde_json::value::RawValue;

use super::super::content::read_text;
use super::super::item::{keep, kind_of_call, read_call, read_reasoning};
use super::super::{envelope, error, finish_of, raw_of, word_of};
use crate::codec::{ITEM, family_of};
use crate::dialects::bad_answer;
use crate::json::{Array, Members, Object, Path, items, plain};
use crate::usage::ResponsesUsage;

pub(in super::super) fn decode(body: &[u8]) -> Result<Answer, Error> {
    let members = Members::of_body(body).map_err(bad_answer)?;
    check_ended(&members, body)?;
    read(members).map_err(bad_answer)
}

/// Refuses an answer that failed, with the vendor's words, and one that has not ended.
fn check_ended(members: &Members<'_>, body: &[u8]) -> Result<(), Error> {
    let failed = members.peek("error").is_some_and(|raw| raw.get() != "null");
    let status = members.peek("status").and_then(crate::json::as_text);
    match status.as_deref() {
        Some("failed") | None if failed || status.is_some() => {
            let error = error::decode(200, body);
            let message = match &error.code {
                Some(code) => format!("the vendor's answer failed with `{code}`: {}", error.message),
                None => format!("the vendor's answer failed: {}", error.message),
            };
            Err(Error::new(error.kind, message))
        }
        Some(word @ ("queued" | "in_progress" | "cancelled")) => Err(Error::new(
            Kind::BadAnswer,
            format!("the vendor's answer is `{word}` and not whole; ask without `background`"),
        )),
        _ => Ok(()),
    }
}

fn read(mut members: Members<'_>) -> Result<Answer, Error> {
    let root = Path::Root;
    let mut answer = Answer::new(Dialect::OpenaiResponses);
    members.take("object");
    members.take("error");
    answer.id = members.text("id", &root)?.unwrap_or_default();
    answer.model = members.text("model", &root)?.unwrap_or_default();
    answer.created = read_created(&mut members)?;
    answer.service_tier = members.word("service_tier", &root)?;
    let word = read_word(&mut members)?;
    let output = members.take("output").ok_or_else(|| root.missing("output"))?;
    let choice = read_output(output, family_of(&answer.model), &word, &root.member("output"))?;
    answer.choices.push(choice);
    answer.usage = members.take("usage").map(|raw| read_usage(raw, &root.member("usage"))).transpose()?;
    answer.rest = envelope::keep(members.rest());
    Ok(answer)
}

/// Takes when a response was made, in whole seconds: the vendor's schema lets it have a fraction.
pub(in super::super) fn read_created(members: &mut Members<'_>) -> Result<Option<u64>, Error> {
    let number: Option<Number> = members.plain("created_at", &Path::Root, "a number")?;
    // Seconds since 1970 are far below what a double holds exactly, and negative ones are none.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
    let whole = |number: &Number| number.as_f64().map(|seconds| seconds.clamp(0.0, 1e15) as u64);
    Ok(number.and_then(|number| number.as_u64().or_else(|| whole(&number))))
}

/// Takes the status and the reason of an incomplete answer, as one word.
pub(in super::super) fn read_word(members: &mut Members<'_>) -> Result<Box<str>, Error> {
    let root = Path::Root;
    let status = members.text("status", &root)?;
    let reason = match members.object("incomplete_details", &root)? {
        Some(mut details) => details.word("reason", &root.member("incomplete_details"))?,
        None => None,
    };
    Ok(word_of(status.as_deref(), reason))
}

pub(in super::super) fn read_usage(raw: &RawValue, path: &Path<'_>) -> Result<UsageReport, Error> {
    let report: ResponsesUsage = plain(raw, path, "a usage report")?;
    Ok(UsageReport { counts: Usage::from(report), raw: Some(raw.into()) })
}

fn read_output(output: &RawValue, family: &str, word: &str, path: &Path<'_>) -> Result<Choice, Error> {
    let mut found = Found::default();
    for (at, raw) in items(output, path)?.into_iter().enumerate() {
        read_item(raw, family, &path.item(at), &mut found)?;
    }
    let called = found.parts.iter().any(|part| matches!(part.content, Content::ToolCall(_)));
    Ok(Choice {
        index: 0,
        finish: Some(finish_of(word, called, found.refusal.is_some())),
        finish_word: Some(word.into()),
        logprobs: logprobs(&found.logprobs),
        parts: found.parts,
        refusal: found.refusal,
        message_rest: found.refusal_rest,
        ..Choice::default()
    })
}

/// Token probabilities in the form that chat completions have.
pub(in super::super) fn logprobs(tokens: &[Raw]) -> Option<Raw> {
    if tokens.is_empty() {
        return None;
    }
    raw_of(|out| {
        let mut both = Object::new(out);
        {
            let mut list = Array::new(both.key("content"));
            tokens.iter().for_each(|token| list.raw(token));
        }
        both.null("refusal");
    })
}

/// What items hold.
#[derive(Debug, Default)]
pub(in super::super) struct Found {
    pub(in super::super) parts: Vec<Part>,
    pub(in super::super) refusal: Option<String>,
    /// The item that the refusal stood in.
    pub(in super::super) refusal_rest: Rest,
    pub(in super::super) logprobs: Vec<Raw>,
    /// Characters of text so far.
    pub(in super::super) chars: u64,
}

/// Reads one item of an answer.
pub(in super::super) fn read_item(
    raw: &RawValue,
    family: &str,
    path: &Path<'_>,
    found: &mut Found,
) -> Result<(), Error> {
    let mut members = Members::read(raw, path)?;
    let kind = members.needed_text("type", path)?;
    if let Some(tool) = kind_of_call(&kind) {
        return read_tool_call(members, tool, path, found);
    }
    match kind.as_str() {
        "message" if is_plain_message(&members) => read_message(members, path, found),
        "reasoning" => {
            members.take("status");
            let (reasoning, rest) = read_reasoning(members, family, path)?;
            found.parts.push(Part { content: Content::Reasoning(reasoning), cache: None, rest });
            Ok(())
        }
        _ => {
            found.parts.push(Part::new(Content::Unknown { kind: kind.into(), raw: raw.into() }));
            Ok(())
        }
    }
}

fn read_tool_call(
    mut members: Members<'_>,
    tool: ToolKind,
    path: &Path<'_>,
    found: &mut Found,
) -> Result<(), Error> {
    members.take("status");
    let call = read_call(&mut members, tool, path)?;
    found.parts.push(Part { content: Content::ToolCall(call), cache: None, rest: keep(members) });
    Ok(())
}

/// Whether every piece of a message's content is one that is known.
fn is_plain_message(members: &Members<'_>) -> bool {
    let Some(content) = members.peek("content") else { return false };
    items(content, &Path::Root).is_ok_and(|list| {
        list.into_iter().all(|piece| {
            let kind =
                Members::of(piece).and_then(|mut piece| piece.text("type", &Path::Root).ok().flatten());
            matches!(kind.as_deref(), Some("output_text" | "refusal"))
        })
    })
}

fn read_message(mut members: Members<'_>, path: &Path<'_>, found: &mut Found) -> Result<(), Error> {
    let at = path.member("content");
    let content = members.array("content", path)?.unwrap_or_default();
    members.take("role");
    members.take("status");
    let kept = keep(members);
    for (index, raw) in content.into_iter().enumerate() {
        let at = at.item(index);
        let mut piece = Members::read(raw, &at)?;
        if piece.needed_text("type", &at)? == "refusal" {
            found.refusal.get_or_insert_default().push_str(&piece.needed_text("refusal", &at)?);
            found.refusal_rest = kept.clone();
            continue;
        }
        let content = read_text(&mut piece, &mut found.chars, &at)?;
        let tokens = piece.array("logprobs", &at)?.unwrap_or_default();
        found.logprobs.extend(tokens.into_iter().map(Raw::from));
        let rest = with_item(&kept, piece.rest());
        found.parts.push(Part { content, cache: None, rest });
    }
    Ok(())
}

/// What was kept of an item, and behind it what is left of a piece of its content.
pub(in super::super) fn with_item(kept: &Rest, piece: Rest) -> Rest {
    let mut rest = Rest::default();
    if let Some(raw) = kept.get(ITEM) {
        rest.push(ITEM, raw.clone());
    }
    for (name, value) in piece.iter() {
        rest.push(name, value.clone());
    }
    rest
}
