//! Different dialects: the request goes through the canonical form up, and the answer comes back through it.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use pilothouse_core::conversation::{LimitMember, OutputLimit, Raw, Request, Rest};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::{Note, Outcome};
use pilothouse_wire::cap::note;
use pilothouse_wire::codec::freeform::Freeform;
use pilothouse_wire::codec::{AnswerContext, kind_of_status};
use pilothouse_wire::dialects::name_place;
use pilothouse_wire::facts::{Facts, Scanner};
use pilothouse_wire::framing::Framing;
use pilothouse_wire::head::Head;
use pilothouse_wire::headers;

use super::attempt::{Outgoing, asked_pause, send};
use super::choose::Choice;
use super::error_codec;
use super::onward::{Onward, Tried};
use super::read::Asked;
use super::refuse::{ERROR_TYPE, error_answer};
use super::relay::{
    ERROR_MAX, Extra, WHOLE_MAX, answer_with, anthropic_version, bad_json, collected, hop, is_json,
    is_stream_of, mark_spent, passing_headers, wrong_type,
};
use super::resume::{Source, can_resume, is_plain};
use super::{fit, stamp, vertex};
use crate::answer::{AnswerBody, Resumption, Rewriter, TranslatedBody};
use crate::endpoints::Call;
use crate::job::Job;
use crate::memory::Remembering;
use crate::shared::Worker;

/// What the answer's encoder must know of the request.
struct Context {
    model: String,
    stream_usage: bool,
    legacy_functions: bool,
    estimated_input: Option<u64>,
    echoed: Rest,
    /// Freeform tools that the vendor got as functions.
    freeform: Freeform,
    /// The answer may be plain text that a model can go on with.
    is_plain: bool,
    /// What another call needs that continues the stream, where it may be continued.
    source: Option<Box<Source>>,
}

impl Context {
    fn answer<'a>(&'a self, job: &Job) -> AnswerContext<'a> {
        AnswerContext {
            model: &self.model,
            exchange: job.id(),
            created: job.started_seconds(),
            stream_usage: self.stream_usage,
            legacy_functions: self.legacy_functions,
            estimated_input: self.estimated_input,
            echoed: Some(&self.echoed),
        }
    }
}

/// Between whom an answer is translated.
struct Pair<'a> {
    client: Dialect,
    vendor: Dialect,
    choice: &'a Choice,
    onward: &'a Onward,
}

/// Takes a call through the canonical form.
pub(super) async fn translate(
    worker: &Arc<Worker>,
    dialect: Dialect,
    asked: &mut Asked<'_>,
    choice: &Choice,
    onward: &Onward,
    mut job: Job,
) -> Tried {
    let upstream = choice.surface_dialect();
    let (body, mut context) = match prepare(worker, dialect, asked, choice, &mut job) {
        Ok(prepared) => prepared,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    let remembering =
        Remembering::for_pair(&worker.shared, dialect, upstream, &asked.key, asked.kept.as_ref());
    let tail = match choice.tail(Call::Chat, asked.is_stream) {
        Ok(tail) => tail,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    let mut extra = extra_headers(dialect, upstream, asked, &mut job);
    if choice.is_vertex_anthropic() {
        vertex::headers(&mut extra);
    }
    if onward.resumes && asked.is_stream && context.is_plain && can_resume(choice) {
        context.source = Source::of(worker, choice, &body, &tail, &extra);
    }
    let (sdk_retries, retries) = (asked.sdk_retries, onward.retries);
    let outgoing = Outgoing {
        call: Call::Chat,
        tail: &tail,
        extra: &extra,
        body: &[&body],
        sdk_retries,
        retries,
        is_on_route: onward.is_on_route(),
    };
    let sent = {
        let sending = pin!(send(worker, choice, &outgoing, &mut job));
        onward.within(sending).await
    };
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    let is_stream = asked.is_stream;
    drop(body);
    if !onward.keeps_request() {
        asked.body.release();
    }
    job.headers(answer.status.as_u16());
    let pair = Pair { client: dialect, vendor: upstream, choice, onward };
    if !answer.status.is_success() {
        return vendor_refusal(&pair, answer, job).await;
    }
    if is_stream {
        stream(worker, &pair, answer, context, remembering, job).await
    } else {
        whole(&pair, answer, &context, remembering, job).await
    }
}

/// The body in the target's dialect.
fn prepare(
    worker: &Worker,
    dialect: Dialect,
    asked: &Asked<'_>,
    choice: &Choice,
    job: &mut Job,
) -> Result<(Bytes, Context), Error> {
    let upstream = choice.surface_dialect();
    let mut request = error_codec(dialect).decode_request(&asked.body)?;
    if matches!(dialect, Dialect::GeminiGenerate | Dialect::BedrockConverse) {
        // The path said it, not the body; their streams always report usage.
        request.model.clone_from(&asked.model);
        (request.stream, request.stream_usage) = (asked.is_stream, asked.is_stream);
    }
    if let Some(note) = cap(&mut request, choice) {
        job.edited(note);
    }
    let resolved = &choice.resolution.target;
    let target = choice.codec_target();
    for note in crate::memory::restore(&worker.shared, &mut request, dialect, upstream, &target, &asked.key) {
        job.edited(note);
    }
    let mut losses = Vec::new();
    let freeform = Freeform::replace(&mut request, upstream, &mut losses);
    // What the client gets is its own choice; what we are billed we always want to know.
    let stream_usage = request.stream_usage;
    request.stream_usage |= request.stream && !choice.provider().no_stream_options;
    let named = |error| name_place(error, dialect, &asked.body);
    fit::refuse_translated(asked, choice, &request).map_err(named)?;
    let body = error_codec(upstream).encode_request(&request, &target, &mut losses).map_err(named)?;
    job.edited(Note::new("translate", &format!("{dialect} to {upstream}")));
    job.lost(losses);
    // Most targets of open weights have no rules: what was written for them is not looked at again.
    let fitted = match choice.rules() {
        Some(_) => fit::fit(asked, choice, &Head::read(&body)?, job)?,
        None => None,
    };
    let body = fitted.unwrap_or(body);
    let body = fit::told_last_turn(asked, choice, &body, job).unwrap_or(body);
    let body = if choice.is_vertex_anthropic() { vertex::rewritten(&body, job)? } else { body };
    let context = Context {
        model: asked.model.clone(),
        stream_usage,
        legacy_functions: request.uses_legacy_functions(),
        estimated_input: (dialect == Dialect::AnthropicMessages && asked.is_stream)
            .then(|| pilothouse_tokens::estimate_output(asked.body.len() as u64, &resolved.real)),
        echoed: told_as_kept(error_codec(dialect).echoed(&asked.body), dialect, asked),
        is_plain: freeform.is_empty() && is_plain(&request),
        source: None,
        freeform,
    };
    Ok((body.into(), context))
}

/// What the answer says again of its request, and that it is stored, where it is kept here so that a client may go on
/// from it.
fn told_as_kept(mut echoed: Rest, dialect: Dialect, asked: &Asked<'_>) -> Rest {
    if asked.kept.is_some()
        && dialect == Dialect::OpenaiResponses
        && let Some(yes) = Raw::parse("true")
    {
        echoed.push("store", yes);
    }
    echoed
}

/// Lowers the output limit to what the target may be asked for.
fn cap(request: &mut Request, choice: &Choice) -> Option<Note> {
    let most = choice.output_tokens_max?;
    let verb = match &mut request.output_limit {
        Some(limit) if limit.tokens <= most => return None,
        Some(limit) => {
            limit.tokens = most;
            "clamp"
        }
        none => {
            *none = Some(OutputLimit { tokens: most, member: LimitMember::default() });
            "set"
        }
    };
    Some(note(verb, "max_output_tokens", most))
}

/// Headers of the call: what a vendor of another dialect would not understand is lost, and reported.
fn extra_headers(dialect: Dialect, upstream: Dialect, asked: &Asked<'_>, job: &mut Job) -> Extra {
    if dialect == upstream {
        return passing_headers(dialect, asked.hops, asked.headers);
    }
    let mut extra = foreign_headers(dialect, asked, job);
    if upstream == Dialect::AnthropicMessages {
        extra.push(anthropic_version());
    }
    extra
}

/// Headers of a call to a vendor of another dialect, whichever it is.
pub(super) fn foreign_headers(dialect: Dialect, asked: &Asked<'_>, job: &mut Job) -> Extra {
    let mut extra = Extra::new();
    extra.push(hop(asked.hops));
    let mut losses = Vec::new();
    for (name, value) in asked.headers {
        if headers::passes_always(name.as_str()) {
            extra.push((name.clone(), value.clone()));
        } else if headers::is_lost_in_translation(dialect, name.as_str()) {
            losses.push(Note::code(format!("drop:header.{name}")));
        }
    }
    job.lost(losses);
    extra
}

/// A vendor's refusal in the client's dialect, with the vendor's message.
async fn vendor_refusal(pair: &Pair<'_>, answer: pilothouse_upstream::Answer, mut job: Job) -> Tried {
    let Pair { client: dialect, choice, onward, .. } = *pair;
    let status = answer.status.as_u16();
    let pause = asked_pause(&answer.headers);
    let body = match collected(answer.body, ERROR_MAX, choice, onward).await {
        Ok(body) => body,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    let error = match choice.is_vertex_anthropic() {
        true => vertex::error(status, &body).0,
        false => error_codec(pair.vendor).decode_error(status, &body),
    };
    if onward.passes_by(status, &error, pause, &mut job) {
        return Err(job);
    }
    let mut passed = error_answer(dialect, &error, Some(job.id()));
    keep_headers(passed.headers_mut(), answer.headers);
    mark_spent(passed.headers_mut(), &job);
    stamp(&mut passed, &job);
    let status = passed.status().as_u16();
    job.fail_with(kind_of_status(error.status, &error.message), &error.message, status, Facts::default());
    Ok(passed)
}

/// Adds the vendor's headers that say nothing of the body.
pub(super) fn keep_headers(into: &mut HeaderMap, from: HeaderMap) {
    for (name, value) in &from {
        if name != CONTENT_TYPE && name != CONTENT_LENGTH && name != ERROR_TYPE {
            into.append(name.clone(), value.clone());
        }
    }
}

async fn stream(
    worker: &Arc<Worker>,
    pair: &Pair<'_>,
    answer: pilothouse_upstream::Answer,
    context: Context,
    remembering: Option<Remembering>,
    job: Job,
) -> Tried {
    let Pair { client: dialect, vendor: upstream, choice, onward } = *pair;
    let framing = Framing::of(upstream);
    if !is_stream_of(framing, &answer.headers) {
        let error = wrong_type(choice, &answer.headers, framing.content_type());
        return onward.lost(dialect, job, &error);
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(Framing::of(dialect).content_type()));
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    keep_headers(&mut headers, answer.headers);
    let rewriter = Rewriter::new(
        context.freeform.decoder(error_codec(upstream).stream_decoder_of(&choice.resolution.target.model)),
        error_codec(dialect).stream_encoder(&context.answer(&job)),
        upstream,
        remembering,
    );
    let mut passed = answer_with(answer.status, headers, AnswerBody::full(Bytes::new()), &job);
    let (vendor, place) = (Arc::clone(&choice.provider().name), worker.shared.drain.enter());
    let body = TranslatedBody::new(answer.body, rewriter, job, dialect, vendor, place);
    let resumption = context.source.map(|source| Box::new(Resumption::new(source)));
    let mut body = Box::new(body.resuming(resumption));
    if let Err((error, job)) = onward.hold(&mut *body).await {
        return onward.lost_early(dialect, job, &error);
    }
    *passed.body_mut() = AnswerBody::Translated(body);
    Ok(passed)
}

async fn whole(
    pair: &Pair<'_>,
    answer: pilothouse_upstream::Answer,
    context: &Context,
    remembering: Option<Remembering>,
    mut job: Job,
) -> Tried {
    let Pair { client: dialect, vendor: upstream, choice, onward } = *pair;
    if !is_json(&answer.headers) {
        return onward.lost(dialect, job, &wrong_type(choice, &answer.headers, "application/json"));
    }
    let (status, vendor_headers) = (answer.status, answer.headers);
    let body = match collected(answer.body, WHOLE_MAX, choice, onward).await {
        Ok(body) => body,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    let mut scanner = Scanner::new(upstream, false);
    if !scanner.whole(&body) {
        return onward.lost(dialect, job, &bad_json(choice));
    }
    let mut decoded = match error_codec(upstream).decode_answer_of(&choice.resolution.target.model, &body) {
        Ok(decoded) => decoded,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    context.freeform.answer(&mut decoded);
    if let Some(mut remembering) = remembering {
        remembering.answer(&decoded);
        remembering.keep();
    }
    let mut losses = Vec::new();
    let encoded = error_codec(dialect).encode_answer(&decoded, &context.answer(&job), &mut losses);
    job.lost(losses);
    job.gave(encoded.len());
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    keep_headers(&mut headers, vendor_headers);
    let passed = answer_with(status, headers, AnswerBody::full(encoded.into()), &job);
    job.finish(Outcome::Complete, scanner.take());
    Ok(passed)
}
