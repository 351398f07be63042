//! Equal dialects on both sides: the client's bytes go up, the vendor's bytes come down.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::{Note, Outcome};
use pilothouse_wire::codec::kind_of_status;
use pilothouse_wire::facts::{Facts, Scanner};
use pilothouse_wire::framing::Framing;
use pilothouse_wire::head::{self, Head};
use pilothouse_wire::headers as wire_headers;
use pilothouse_wire::relay::Relay;
use pilothouse_wire::scan::Members;
use smallvec::SmallVec;

use super::attempt::{Outgoing, asked_pause, send};
use super::choose::Choice;
use super::error_codec;
use super::onward::{Onward, Tried};
use super::read::Asked;
use super::refuse::{SHOULD_RETRY, name_error};
use super::{Answer, HOPS, fit, stamp, vertex};
use crate::answer::{AnswerBody, RelayBody};
use crate::endpoints::Call;
use crate::job::Job;
use crate::shared::Worker;

/// Largest error body that is passed on.
pub(super) const ERROR_MAX: usize = 256 * 1024;
/// An answer up to this size is read whole before it is passed on, so that a broken one can still be refused.
pub(crate) const WHOLE_MAX: usize = 32 * 1024 * 1024;
pub(super) const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// Headers of one call: the hop counter, and what of the client's passes.
pub(crate) type Extra = SmallVec<[(HeaderName, HeaderValue); 2]>;

/// Passes a call through.
pub(super) async fn relay(
    worker: &Arc<Worker>,
    dialect: Dialect,
    call: Call,
    asked: &mut Asked<'_>,
    choice: &Choice,
    onward: &Onward,
    mut job: Job,
) -> Tried {
    // Kept where another target may have to be asked: its edits are made in the client's own bytes again.
    let members =
        if onward.keeps_request() { asked.members.clone() } else { std::mem::take(&mut asked.members) };
    let (fitted, members) = match fitted(call, asked, members, choice, &mut job) {
        Ok(fitted) => fitted,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    let source = Head::again(fitted.as_deref().unwrap_or(&asked.body), members);
    let (edits, hides_usage) = edits(dialect, call, asked.is_stream, &source, choice, &mut job);
    let body = match head::apply(source.body(), &edits) {
        Ok(body) => body,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    let tail = match choice.tail(call, asked.is_stream) {
        Ok(tail) => tail,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    let mut extra = passing_headers(dialect, asked.hops, asked.headers);
    if choice.is_vertex_anthropic() {
        vertex::headers(&mut extra);
    }
    let (sdk_retries, retries) = (asked.sdk_retries, onward.retries);
    let outgoing = Outgoing {
        call,
        tail: &tail,
        extra: &extra,
        body: &body,
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
    // The request's bytes are not needed any more: streams live long.
    drop((body, extra, tail));
    drop(fitted);
    if !onward.keeps_request() {
        asked.body.release();
    }
    job.headers(answer.status.as_u16());
    if !answer.status.is_success() {
        // Boxed: a refusal is rare, and every exchange would carry its room.
        return Box::pin(vendor_refusal(dialect, choice, answer, onward, job)).await;
    }
    if is_stream {
        stream(worker, dialect, choice, answer, hides_usage, onward, job).await
    } else {
        whole(dialect, call, choice, answer, onward, job).await
    }
}

/// The body as the target's rules want it, where they want it otherwise, and where its members stand.
fn fitted(
    call: Call,
    asked: &Asked<'_>,
    members: Members,
    choice: &Choice,
    job: &mut Job,
) -> Result<(Option<Vec<u8>>, Members), Error> {
    if call != Call::Chat {
        return Ok((None, members));
    }
    let capped = fit::capped(&asked.body, choice, job);
    let head = match &capped {
        Some(body) => Head::read(body)?,
        None => Head::again(&asked.body, members),
    };
    let fitted = match choice.rules() {
        Some(_) => fit::fit(asked, choice, &head, job)?,
        None => None,
    };
    let told = fit::told_last_turn(asked, choice, fitted.as_deref().unwrap_or(head.body()), job);
    let members = match told.as_ref().or(fitted.as_ref()) {
        Some(body) => Head::read(body)?.into_members(),
        None => head.into_members(),
    };
    Ok((told.or(fitted).or(capped), members))
}

/// The edits that the client's bytes need, and whether usage is asked for on its behalf.
fn edits(
    dialect: Dialect,
    call: Call,
    is_stream: bool,
    head: &Head<'_>,
    choice: &Choice,
    job: &mut Job,
) -> (head::Edits, bool) {
    let asks_usage = dialect == Dialect::OpenaiChat
        && matches!(call, Call::Chat | Call::Completions)
        && is_stream
        && !choice.provider().no_stream_options;
    let is_vertex_anthropic = choice.is_vertex_anthropic();
    if !choice.resolution.is_renamed && !asks_usage && !is_vertex_anthropic {
        return (head::Edits::new(), false);
    }
    let mut edits = head::Edits::new();
    if dialect == Dialect::BedrockConverse {
        // The path names the model, and nothing else does.
        job.edited(Note::code("set:model"));
    } else if dialect == Dialect::GeminiGenerate {
        // The path names the model; a body may say it once more.
        edits.extend(head.set_gemini_model(&choice.resolution.target.model));
        job.edited(Note::code("set:model"));
    } else if choice.resolution.is_renamed
        && !(is_vertex_anthropic && call == Call::Chat)
        && let Some(edit) = head.set_model(&choice.resolution.target.model)
    {
        edits.push(edit);
        job.edited(Note::code("set:model"));
    }
    if is_vertex_anthropic {
        vertex::edits(head, call, &mut edits, job);
    }
    let mut hides_usage = false;
    if asks_usage && let Some(edit) = head.include_usage() {
        edits.push(edit);
        hides_usage = true;
        job.edited(Note::code("set:stream_options.include_usage"));
    }
    (edits, hides_usage)
}

/// The version of Anthropic's dialect that is written here.
pub(super) fn anthropic_version() -> (HeaderName, HeaderValue) {
    (ANTHROPIC_VERSION, HeaderValue::from_static("2023-06-01"))
}

/// The hop counter of a call that came with so many hops behind it: no more than fit one digit are let in.
pub(super) fn hop(behind: u32) -> (HeaderName, HeaderValue) {
    const DIGITS: [&str; 9] = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let digit = usize::try_from(behind).ok().and_then(|at| DIGITS.get(at)).copied().unwrap_or("9");
    (HOPS, HeaderValue::from_static(digit))
}

/// The client's headers that pass, and the hop counter.
pub(crate) fn passing_headers(dialect: Dialect, hops: u32, headers: &HeaderMap) -> Extra {
    let mut extra = Extra::new();
    extra.push(hop(hops));
    for (name, value) in headers {
        if wire_headers::passes_up(dialect, name.as_str()) {
            extra.push((name.clone(), value.clone()));
        }
    }
    if dialect == Dialect::AnthropicMessages && !headers.contains_key(ANTHROPIC_VERSION) {
        // Bare HTTP clients may leave it out; the vendor insists.
        extra.push(anthropic_version());
    }
    extra
}

/// An answer with the headers that the vendor's answer left in.
pub(super) fn answer_with(status: StatusCode, headers: HeaderMap, body: AnswerBody, job: &Job) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    stamp(&mut answer, job);
    answer
}

/// Passes a vendor's refusal on as it came, or, where something before the vendor spoke (a proxy's page), in the
/// client's dialect: SDKs read nothing else.
pub(super) async fn vendor_refusal(
    dialect: Dialect,
    choice: &Choice,
    answer: pilothouse_upstream::Answer,
    onward: &Onward,
    mut job: Job,
) -> Tried {
    let status = answer.status;
    let pause = asked_pause(&answer.headers);
    let body = match collected(answer.body, ERROR_MAX, choice, onward).await {
        Ok(body) => body,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    let (error, is_own) = match choice.is_vertex_anthropic() {
        true => vertex::error(status.as_u16(), &body),
        false => (error_codec(dialect).decode_error(status.as_u16(), &body), true),
    };
    if onward.passes_by(status.as_u16(), &error, pause, &mut job) {
        return Err(job);
    }
    let mut headers = answer.headers;
    headers.remove(CONTENT_LENGTH);
    mark_spent(&mut headers, &job);
    let body = if is_own && is_json(&headers) {
        body
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        name_error(dialect, &error, &mut headers);
        error_codec(dialect).encode_error(&error, Some(job.id())).into()
    };
    let passed = answer_with(status, headers, AnswerBody::full(body), &job);
    let words = error.message.as_str();
    job.fail_with(kind_of_status(status.as_u16(), words), words, status.as_u16(), Facts::default());
    Ok(passed)
}

/// A body that is read whole, until the deadline.
pub(super) async fn collected(
    body: pilothouse_upstream::Body,
    max: usize,
    choice: &Choice,
    onward: &Onward,
) -> Result<Bytes, Error> {
    let vendor = &choice.provider().name;
    let coming = pin!(async { body.collect(max).await.map_err(|failure| failure.into_error(vendor)) });
    onward.within(coming).await
}

/// Tells the SDK not to try again where our attempts are spent: both together would multiply.
pub(super) fn mark_spent(headers: &mut HeaderMap, job: &Job) {
    if job.failed_attempts() > 0 {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
}

async fn stream(
    worker: &Arc<Worker>,
    dialect: Dialect,
    choice: &Choice,
    answer: pilothouse_upstream::Answer,
    hides_usage: bool,
    onward: &Onward,
    job: Job,
) -> Tried {
    let framing = Framing::of(dialect);
    if !is_stream_of(framing, &answer.headers) {
        let error = wrong_type(choice, &answer.headers, framing.content_type());
        return onward.lost(dialect, job, &error);
    }
    let (status, mut headers) = (answer.status, answer.headers);
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let relay = Relay::new(dialect, hides_usage);
    let mut passed = answer_with(status, headers, AnswerBody::full(Bytes::new()), &job);
    let vendor = Arc::clone(&choice.provider().name);
    let place = worker.shared.drain.enter();
    let mut body = Box::new(RelayBody::new(answer.body, relay, job, dialect, vendor, place));
    if let Err((error, job)) = onward.hold(&mut *body).await {
        return onward.lost_early(dialect, job, &error);
    }
    *passed.body_mut() = AnswerBody::Relay(body);
    Ok(passed)
}

async fn whole(
    dialect: Dialect,
    call: Call,
    choice: &Choice,
    answer: pilothouse_upstream::Answer,
    onward: &Onward,
    mut job: Job,
) -> Tried {
    if !is_json(&answer.headers) {
        return onward.lost(dialect, job, &wrong_type(choice, &answer.headers, "application/json"));
    }
    let (status, headers) = (answer.status, answer.headers);
    let body = match collected(answer.body, WHOLE_MAX, choice, onward).await {
        Ok(body) => body,
        Err(error) => return onward.lost(dialect, job, &error),
    };
    let mut scanner = Scanner::new(dialect, false);
    if call != Call::CountTokens && !scanner.whole(&body) {
        return onward.lost(dialect, job, &bad_json(choice));
    }
    job.gave(body.len());
    let passed = answer_with(status, headers, AnswerBody::full(body), &job);
    let facts = if call == Call::CountTokens { counted() } else { scanner.take() };
    match &facts.error {
        Some(error) => {
            let (kind, message) = (error.kind, error.message.clone());
            job.fail_with(kind, &message, status.as_u16(), facts);
        }
        None => job.finish(Outcome::Complete, facts),
    }
    Ok(passed)
}

/// Counting tokens uses none, and costs nothing
/// (<https://platform.claude.com/docs/en/build-with-claude/token-counting>, 2026-11-22).
pub(super) fn counted() -> Facts {
    Facts { usage: Some(pilothouse_core::usage::Usage::default()), ..Facts::default() }
}

pub(super) fn is_stream_of(framing: Framing, headers: &HeaderMap) -> bool {
    begins(headers, framing.content_type())
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    begins(headers, "application/json") || !headers.contains_key(CONTENT_TYPE)
}

fn begins(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.as_bytes().get(..wanted.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(wanted.as_bytes()))
}

pub(super) fn wrong_type(choice: &Choice, headers: &HeaderMap, wanted: &str) -> Error {
    let told = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
    let name = &choice.provider().name;
    Error::new(
        Kind::BadAnswer,
        format!("`{name}` answered with `{told}` where `{wanted}` was due; check its base_url"),
    )
}

pub(super) fn bad_json(choice: &Choice) -> Error {
    let name = &choice.provider().name;
    Error::new(
        Kind::BadAnswer,
        format!("`{name}` sent an answer that is not what its dialect says; try again"),
    )
}
