//! OpenAI's whole answers, read and written.

use pilothouse_core::conversation::{
    Answer, Choice, Content, Origin, Part, Reasoning, Rest, ToolCall, ToolKind, UsageReport,
};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::Finish;
use pilothouse_core::usage::Usage;
use serde_json::value::RawValue;

use super::part::{drop_rest, read_annotations, write_annotation};
use super::request::decode::read_call;
use super::{finish_of_word, tier_of_answer, word_of_finish};
use crate::codec::usage::write_openai;
use crate::codec::{AnswerContext, Losses, family_of};
use crate::json::{Array, Members, Object, Path, items, plain};
use crate::usage::OpenaiUsage;

/// What a refusal says where the vendor gives no words.
pub(in crate::dialects) const REFUSED: &str = "The model refused to answer.";

pub(super) fn decode(body: &[u8]) -> Result<Answer, Error> {
    let root = Path::Root;
    let mut members = Members::of_body(body)?;
    let mut answer = Answer::new(Dialect::OpenaiChat);
    members.take("object");
    answer.id = members.text("id", &root)?.unwrap_or_default();
    answer.model = members.text("model", &root)?.unwrap_or_default();
    answer.created = members.count("created", &root)?;
    answer.service_tier = members.word("service_tier", &root)?;
    answer.system_fingerprint = members.word("system_fingerprint", &root)?;
    let path = root.member("choices");
    let choices = members.array("choices", &root)?.ok_or_else(|| root.missing("choices"))?;
    for (at, raw) in choices.into_iter().enumerate() {
        answer.choices.push(read_choice(raw, at, &answer.model, &path.item(at))?);
    }
    answer.usage = members.take("usage").map(|raw| read_usage(raw, &root.member("usage"))).transpose()?;
    answer.rest = members.rest();
    Ok(answer)
}

pub(super) fn read_usage(raw: &RawValue, path: &Path<'_>) -> Result<UsageReport, Error> {
    let report: OpenaiUsage = plain(raw, path, "a usage report")?;
    Ok(UsageReport { counts: Usage::from(report), raw: Some(raw.into()) })
}

fn read_choice(raw: &RawValue, at: usize, model: &str, path: &Path<'_>) -> Result<Choice, Error> {
    let mut members = Members::read(raw, path)?;
    let mut choice = Choice {
        index: members.plain("index", path, "an integer")?.unwrap_or(u32::try_from(at).unwrap_or(u32::MAX)),
        finish_word: members.word("finish_reason", path)?,
        logprobs: members.raw("logprobs"),
        ..Choice::default()
    };
    let at = path.member("message");
    let mut message = members.object("message", path)?.ok_or_else(|| path.missing("message"))?;
    message.take("role");
    if let Some(text) = take_reasoning(&mut message, &at)? {
        let origin = Origin::of(family_of(model));
        let reasoning = Reasoning { text, signature: None, redacted: None, origin };
        choice.parts.push(Part::new(Content::Reasoning(reasoning)));
    }
    let annotations = message.array("annotations", &at)?.map(read_annotations).unwrap_or_default();
    if let Some(text) = message.text("content", &at)?.filter(|text| !text.is_empty()) {
        choice.parts.push(Part::new(Content::Text { text, annotations }));
    }
    choice.refusal = message.text("refusal", &at)?.filter(|text| !text.is_empty());
    if let Some(raw) = message.take("tool_calls") {
        let at = at.member("tool_calls");
        for (index, raw) in items(raw, &at)?.into_iter().enumerate() {
            choice.parts.push(read_call(raw, &at.item(index))?);
        }
    }
    if let Some(mut call) = message.object("function_call", &at)? {
        let at = at.member("function_call");
        let call = ToolCall {
            id: "".into(),
            name: call.needed_text("name", &at)?.into(),
            arguments: call.text("arguments", &at)?.unwrap_or_default(),
            kind: ToolKind::LegacyFunction,
        };
        choice.parts.push(Part::new(Content::ToolCall(call)));
    }
    choice.finish = choice.finish_word.as_deref().map(|word| finish_of_word(word, choice.refusal.is_some()));
    choice.message_rest = message.rest();
    choice.rest = members.rest();
    Ok(choice)
}

/// Takes the reasoning out of a message or delta: `reasoning_content` (DeepSeek, vLLM before 0.12, SGLang), or
/// `reasoning` as text (vLLM, OpenRouter, Groq, Ollama).
pub(super) fn take_reasoning(members: &mut Members<'_>, path: &Path<'_>) -> Result<Option<String>, Error> {
    let text = match members.text("reasoning_content", path)? {
        // OpenRouter sends both with the same text.
        Some(text) => {
            if members.peek("reasoning").is_some_and(|raw| raw.get().starts_with('"')) {
                members.take("reasoning");
            }
            Some(text)
        }
        None if members.peek("reasoning").is_some_and(|raw| raw.get().starts_with('"')) => {
            members.text("reasoning", path)?
        }
        None => None,
    };
    Ok(text.filter(|text| !text.is_empty()))
}

pub(super) fn encode(answer: &Answer, context: &AnswerContext<'_>, losses: &mut Losses) -> Vec<u8> {
    let native = answer.dialect == Dialect::OpenaiChat;
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::new(&mut out);
    body.text("id", &answer_id(&answer.id, native, context));
    body.text("object", "chat.completion");
    body.number("created", answer.created.unwrap_or(context.created));
    body.text("model", if answer.model.is_empty() { context.model } else { &answer.model });
    {
        let mut choices = body.array("choices");
        for choice in &answer.choices {
            write_choice(&mut choices.object(), choice, native, context, losses);
        }
    }
    match &answer.usage {
        Some(UsageReport { raw: Some(raw), .. }) if native => body.raw("usage", raw),
        Some(usage) => write_openai(body.key("usage"), &usage.counts),
        None => {}
    }
    if let Some(tier) = answer.service_tier.as_deref() {
        match tier_of_answer(answer.dialect, tier) {
            Some(tier) => body.text("service_tier", tier),
            None => losses.drop("service_tier", tier),
        }
    }
    body.maybe_text("system_fingerprint", answer.system_fingerprint.as_deref());
    if native {
        body.rest(&answer.rest);
    } else {
        drop_rest(&answer.rest, "answer.", losses);
    }
    drop(body);
    out
}

/// The vendor's id where it is one of this dialect, else one made from the exchange.
pub(super) fn answer_id(id: &str, native: bool, context: &AnswerContext<'_>) -> String {
    if native && !id.is_empty() { id.to_owned() } else { format!("chatcmpl-{}", context.exchange) }
}

fn write_choice(
    out: &mut Object<'_>,
    choice: &Choice,
    native: bool,
    context: &AnswerContext<'_>,
    losses: &mut Losses,
) {
    out.number("index", choice.index);
    let mut message = out.object("message");
    message.text("role", "assistant");
    write_content(&mut message, choice, native, losses);
    let refused = choice.finish == Some(Finish::Refusal);
    match choice.refusal.as_deref().or(refused.then_some(REFUSED)) {
        Some(text) => message.text("refusal", text),
        None => message.null("refusal"),
    }
    write_calls(&mut message, choice, native, context, losses);
    rest(&mut message, &choice.message_rest, native, losses);
    drop(message);
    match &choice.logprobs {
        Some(raw) => out.raw("logprobs", raw),
        None => out.null("logprobs"),
    }
    match (&choice.finish_word, choice.finish) {
        (Some(word), _) if native => out.text("finish_reason", word),
        (_, Some(finish)) => {
            note_finish(finish, losses);
            out.text("finish_reason", word_of_finish(finish, context.legacy_functions));
        }
        (_, None) => out.null("finish_reason"),
    }
    if native {
        out.rest(&choice.rest);
    } else {
        // `stop_details` has become the refusal.
        let mut rest = choice.rest.clone();
        rest.take("stop_details");
        losses.drop_rest("answer.", &rest);
    }
}

/// Notes reasons that this dialect can only approximate.
pub(super) fn note_finish(finish: Finish, losses: &mut Losses) {
    match finish {
        Finish::StopSequence => losses.add("change:finish_reason", "stop_sequence became stop"),
        Finish::Pause => losses.add("change:finish_reason", "pause_turn became stop"),
        Finish::ContextWindow => losses.add("change:finish_reason", "context window exceeded became length"),
        Finish::Refusal | Finish::Stop | Finish::Length | Finish::ToolCalls => {}
        Finish::Other => {
            losses.add("change:finish_reason", "a reason that this dialect does not know became stop")
        }
        Finish::ContentFilter => {}
    }
}

fn rest(out: &mut Object<'_>, rest: &Rest, native: bool, losses: &mut Losses) {
    if native {
        out.rest(rest);
    } else {
        drop_rest(rest, "answer.", losses);
    }
}

fn write_content(message: &mut Object<'_>, choice: &Choice, native: bool, losses: &mut Losses) {
    let (mut text, mut reasoning) = (String::new(), String::new());
    let mut cited = Vec::new();
    let mut any = false;
    for part in &choice.parts {
        match &part.content {
            Content::Text { text: more, annotations } => {
                any = true;
                let start = count_chars(&text);
                text.push_str(more);
                let span = (start, start + count_chars(more));
                cited.extend(annotations.iter().map(|annotation| (annotation, span)));
            }
            Content::Reasoning(one) => {
                reasoning.push_str(&one.text);
                note_reasoning(one.signature.is_some(), one.redacted.is_some(), losses);
            }
            Content::ToolCall(_) => {}
            Content::Unknown { .. } if native => {}
            Content::Unknown { kind, .. } => losses.drop(kind, "a part that only its own dialect knows"),
            _ => losses.drop("answer.part", "a part that this dialect's answers do not have"),
        }
    }
    if any {
        message.text("content", &text)
    } else {
        message.null("content")
    }
    if !reasoning.is_empty() {
        message.text("reasoning_content", &reasoning);
    }
    if !cited.is_empty() {
        let mut list = message.array("annotations");
        for (annotation, span) in cited {
            write_annotation(&mut list, annotation, span, losses);
        }
    }
}

/// Notes what this dialect cannot carry of a piece of reasoning.
pub(super) fn note_reasoning(signed: bool, redacted: bool, losses: &mut Losses) {
    if redacted {
        losses.drop("reasoning.redacted", "this dialect has no encrypted reasoning");
    } else if signed {
        losses.drop("reasoning.signature", "this dialect has no signatures");
    }
}

pub(super) fn count_chars(text: &str) -> u64 {
    text.chars().count() as u64
}

fn write_calls(
    message: &mut Object<'_>,
    choice: &Choice,
    native: bool,
    context: &AnswerContext<'_>,
    losses: &mut Losses,
) {
    let calls: Vec<(&ToolCall, &Part)> = choice
        .parts
        .iter()
        .filter_map(|part| match &part.content {
            Content::ToolCall(call) => Some((call, part)),
            _ => None,
        })
        .collect();
    let foreign: Vec<_> = choice
        .parts
        .iter()
        .filter_map(|part| match &part.content {
            Content::Unknown { raw, .. } if native => Some(raw),
            _ => None,
        })
        .collect();
    match calls.first() {
        None if foreign.is_empty() => {}
        Some((call, _)) if context.legacy_functions || call.kind == ToolKind::LegacyFunction => {
            if calls.len() > 1 {
                losses.drop("tool_calls", "only one call fits into `function_call`");
            }
            let mut function = message.object("function_call");
            function.text("name", &call.name);
            function.text("arguments", arguments(call));
        }
        _ => {
            let mut list = message.array("tool_calls");
            for (at, (call, part)) in calls.into_iter().enumerate() {
                write_call(&mut list, call, part, at, native, context, losses);
            }
            foreign.into_iter().for_each(|raw| list.raw(raw));
        }
    }
}

fn write_call(
    list: &mut Array<'_>,
    call: &ToolCall,
    part: &Part,
    at: usize,
    native: bool,
    context: &AnswerContext<'_>,
    losses: &mut Losses,
) {
    let mut out = list.object();
    if call.id.is_empty() && !native {
        out.text("id", &format!("call_{}_{at}", context.exchange));
    } else {
        out.text("id", &call.id);
    }
    if call.kind == ToolKind::Custom {
        out.text("type", "custom");
        let mut custom = out.object("custom");
        custom.text("name", &call.name);
        custom.text("input", &call.arguments);
    } else {
        out.text("type", "function");
        let mut function = out.object("function");
        function.text("name", &call.name);
        function.text("arguments", arguments(call));
    }
    if native {
        out.rest(&part.rest);
    } else {
        drop_rest(&part.rest, "tool_use.", losses);
    }
}

/// The arguments' text; clients parse it, so that no arguments at all are an empty object.
pub(super) fn arguments(call: &ToolCall) -> &str {
    if call.arguments.is_empty() { "{}" } else { &call.arguments }
}
