//! Vectors from a vendor of another form: one request of the client's becomes as many calls as the vendor wants.
//!
//! Vendors bound how many texts one call has: a hundred at Google, 96 at Cohere, one with Titan. The calls are made side by
//! side, a few at a time, and answered as one; where one of them fails, the request fails, and what the others used is billed.

use std::sync::Arc;

use futures_util::StreamExt as _;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::{Note, Outcome};
use pilothouse_core::usage::Usage;
use pilothouse_wire::codec::{VendorError, kind_of_status};
use pilothouse_wire::embeddings::{Asked as Texts, Client, Form, Part, Vectors};
use pilothouse_wire::facts::Facts;
use pilothouse_wire::headers::INPUT_TOKENS;

use super::attempt::{Outgoing, send};
use super::choose::Choice;
use super::read::Asked;
use super::refuse::{error_answer, failed, plain_error};
use super::relay::{ERROR_MAX, Extra, WHOLE_MAX, answer_with, is_json, mark_spent, wrong_type};
use super::translate::{foreign_headers, keep_headers};
use super::{Answer, ESTIMATE, stamp};
use crate::answer::AnswerBody;
use crate::endpoints::Call;
use crate::job::{Aside, Job};
use crate::shared::Worker;

/// Most calls that one request may become.
const CALLS_MAX: usize = 256;
/// Most of them at one time.
const SIDE_BY_SIDE: usize = 8;

/// A request made ready.
struct Ready {
    client: Client,
    form: Form,
    texts: Texts,
    extra: Extra,
    tail: String,
    call: Call,
}

/// Why there are no vectors.
enum Failure {
    /// Our words.
    Own(Error),
    /// The vendor's.
    Vendor(Box<VendorError>, HeaderMap),
}

/// What one call brought, and what happened in it.
struct Brought {
    aside: Aside,
    result: Result<(Part, HeaderMap), Failure>,
}

/// Takes a request for vectors to a vendor of another form.
pub(super) async fn embed(
    worker: &Arc<Worker>,
    dialect: Dialect,
    call: Call,
    asked: &mut Asked<'_>,
    choice: &Choice,
    mut job: Job,
) -> Answer {
    let ready = match prepare(dialect, call, asked, choice, &mut job) {
        Ok(ready) => ready,
        Err(error) => return failed(dialect, job, &error),
    };
    asked.body.release();
    let mut vectors = Vectors { tokens: Some(0), ..Vectors::default() };
    let sdk_retries = asked.sdk_retries;
    let bodies = ready.texts.texts.chunks(ready.form.texts_max());
    let calls: Vec<_> =
        bodies.map(|texts| one(worker, choice, &ready, texts, sdk_retries, job.aside())).collect();
    let is_one = calls.len() == 1;
    let mut answers = futures_util::stream::iter(calls).buffered(SIDE_BY_SIDE);
    let mut vendor_headers = HeaderMap::new();
    while let Some(Brought { aside, result }) = answers.next().await {
        job.join(aside);
        match result {
            Ok((part, headers)) => {
                if vectors.lists.is_empty() {
                    job.headers(StatusCode::OK.as_u16());
                }
                vectors.tokens = vectors.tokens.zip(part.tokens).map(|(sum, more)| sum + more);
                vectors.lists.extend(part.lists);
                vendor_headers = headers;
            }
            Err(failure) => {
                drop(answers);
                return refused(dialect, failure, &vectors, job);
            }
        }
    }
    drop(answers);
    if !is_one {
        // Ids and pacing of one call among several would say too little.
        vendor_headers.clear();
    }
    answer(&ready, &asked.model, choice, &vectors, vendor_headers, job).await
}

/// Reads what is asked, and sees what the vendor's form makes of it.
fn prepare(
    dialect: Dialect,
    call: Call,
    asked: &Asked<'_>,
    choice: &Choice,
    job: &mut Job,
) -> Result<Ready, Error> {
    let client = match (dialect, call) {
        (Dialect::GeminiGenerate, Call::EmbeddingsBatch) => Client::GeminiBatch,
        (Dialect::GeminiGenerate, _) => Client::GeminiOne,
        _ => Client::OpenAi,
    };
    let form = choice.embedding_form().ok_or_else(|| {
        Error::bad_request("model", format!("`{}` has no embeddings", choice.provider().name))
    })?;
    let texts = client.read(&asked.body, &asked.model)?;
    let calls = texts.texts.len().div_ceil(form.texts_max());
    if calls > CALLS_MAX {
        let public = format!(
            "`{}` takes {} text per call, so that this request would be {calls} calls; send {} texts at most",
            choice.provider().name,
            form.texts_max(),
            CALLS_MAX * form.texts_max()
        );
        return Err(Error::bad_request("input", public));
    }
    let mut extra = foreign_headers(dialect, asked, job);
    job.edited(Note::new("translate", &format!("{dialect} to {}", form.as_str())));
    let (edits, losses) = form.notes(&texts);
    edits.into_iter().for_each(|note| job.edited(note));
    job.lost(losses);
    if calls > 1 {
        job.edited(Note::new("split:input", &format!("{} texts in {calls} calls", texts.texts.len())));
        let before = extra.len();
        // One key for several calls would make the vendor answer the first again.
        extra.retain(|(name, _)| name != "idempotency-key");
        if extra.len() < before {
            job.lost(vec![Note::code("drop:header.idempotency-key")]);
        }
    }
    let tail = choice.tail(Call::EmbeddingsBatch, false)?;
    // An address that is whole has one head.
    let call = if form == Form::Cohere { Call::Chat } else { Call::EmbeddingsBatch };
    Ok(Ready { client, form, texts, extra, tail, call })
}

/// One call.
async fn one(
    worker: &Worker,
    choice: &Choice,
    ready: &Ready,
    texts: &[String],
    sdk_retries: u32,
    mut aside: Aside,
) -> Brought {
    let body = ready.form.encode(&ready.texts, texts, &choice.resolution.target.model);
    let (call, tail, extra) = (ready.call, ready.tail.as_str(), &ready.extra);
    let outgoing =
        Outgoing { call, tail, extra, body: &[&body], sdk_retries, retries: None, is_on_route: false };
    let sent = Box::pin(send(worker, choice, &outgoing, &mut aside)).await;
    let result = match sent {
        Ok(sent) => read(choice, ready.form, texts.len(), sent).await,
        Err(error) => Err(Failure::Own(error)),
    };
    Brought { aside, result }
}

/// Reads the answer to one call.
async fn read(
    choice: &Choice,
    form: Form,
    count: usize,
    sent: pilothouse_upstream::Answer,
) -> Result<(Part, HeaderMap), Failure> {
    let (status, mut headers) = (sent.status, sent.headers);
    let max = if status.is_success() { WHOLE_MAX } else { ERROR_MAX };
    let name = &choice.provider().name;
    let body = sent.body.collect(max).await.map_err(|failure| Failure::Own(failure.into_error(name)))?;
    if !status.is_success() {
        return Err(Failure::Vendor(Box::new(form.error(status.as_u16(), &body)), headers));
    }
    if !is_json(&headers) {
        return Err(Failure::Own(wrong_type(choice, &headers, "application/json")));
    }
    let mut part = form.decode(&body, count).map_err(Failure::Own)?;
    let told = headers.remove(INPUT_TOKENS);
    let told = told.as_ref().and_then(|value| value.to_str().ok()?.parse().ok());
    part.tokens = part.tokens.or(told);
    Ok((part, headers))
}

/// Ends a request one of whose calls failed. What the others used is in the bill, as far as it is known.
fn refused(dialect: Dialect, failure: Failure, vectors: &Vectors, job: Job) -> Answer {
    let facts = if vectors.lists.is_empty() { Facts::default() } else { facts(vectors.tokens) };
    let mut answer = match &failure {
        Failure::Own(error) => plain_error(dialect, error, Some(job.id())),
        Failure::Vendor(error, _) => error_answer(dialect, error, Some(job.id())),
    };
    stamp(&mut answer, &job);
    let status = answer.status().as_u16();
    match failure {
        Failure::Own(error) => job.fail(&error, status, facts),
        Failure::Vendor(error, headers) => {
            keep_headers(answer.headers_mut(), headers);
            mark_spent(answer.headers_mut(), &job);
            job.fail_with(kind_of_status(error.status, &error.message), &error.message, status, facts);
        }
    }
    answer
}

/// What the calls told.
fn facts(tokens: Option<u64>) -> Facts {
    let usage = tokens.map(|input| Usage { input, ..Usage::default() });
    Facts { usage, ..Facts::default() }
}

/// Answers in the client's form.
async fn answer(
    ready: &Ready,
    model: &str,
    choice: &Choice,
    vectors: &Vectors,
    vendor_headers: HeaderMap,
    mut job: Job,
) -> Answer {
    if let (Some(wanted), Some(got)) = (ready.texts.dimensions, vectors.dimensions())
        && wanted != got
    {
        let detail = format!("{wanted} were asked for, and the vendor's vectors have {got}");
        job.lost(vec![Note::new("drop:dimensions", &detail)]);
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    keep_headers(&mut headers, vendor_headers);
    let tokens = match vectors.tokens {
        Some(tokens) => tokens,
        None => {
            job.noted(Note::new("unknown:usage", "the vendor did not tell how many tokens the texts have"));
            let (tokens, how) = estimate(ready, choice).await;
            if let Ok(how) = HeaderValue::from_str(&how) {
                headers.insert(ESTIMATE, how);
            }
            tokens
        }
    };
    let body = vectors.write(ready.client, &ready.texts, model, tokens);
    job.gave(body.len());
    let passed = answer_with(StatusCode::OK, headers, AnswerBody::full(body.into()), &job);
    job.finish(Outcome::Complete, facts(vectors.tokens));
    passed
}

/// Counts by our own tokenizers, for clients that cannot read an answer without a count. The bill does not know it.
async fn estimate(ready: &Ready, choice: &Choice) -> (u64, String) {
    let texts = ready.texts.texts.join("\n");
    let model = Arc::clone(&choice.resolution.target.real);
    // A tokenizer's table takes a second to build the first time: no stream may wait for that.
    let counted = tokio::task::spawn_blocking(move || pilothouse_tokens::count_text(&texts, &model)).await;
    counted.map_or_else(|_| (0, "unknown".to_owned()), |count| (count.tokens, count.how))
}
