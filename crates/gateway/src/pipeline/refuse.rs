//! Saying no in the client's own dialect.

use std::sync::atomic::Ordering::Relaxed;

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind, Retry};
use pilothouse_core::id::ExchangeId;
use pilothouse_wire::codec::{VendorError, error_codec};
use pilothouse_wire::dialects::bedrock_converse;
use pilothouse_wire::facts::Facts;

use super::read::Asked;
use super::{Answer, stamp};
use crate::answer::AnswerBody;
use crate::job::Job;
use crate::shared::{Shared, Worker};

/// The name of an error, as AWS's SDKs read it.
pub(super) const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Tells SDKs whether to try again.
pub(super) const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// An error of ours as an answer in `dialect`.
pub fn plain_error(dialect: Dialect, error: &Error, exchange: Option<ExchangeId>) -> Answer {
    let mut answer = error_answer(dialect, &VendorError::from(error), exchange);
    if let Retry::After(after) = error.retry {
        let seconds = after.map_or(1, |millis| millis.div_ceil(1000)).max(1);
        answer.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if error.kind == Kind::RateLimited && error.retry == Retry::Never {
        // SDKs repeat every 429; this one would be the same again.
        answer.headers_mut().insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    if error.kind == Kind::Unauthorized {
        answer.headers_mut().insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

/// An error of a vendor as an answer in `dialect`.
pub(super) fn error_answer(dialect: Dialect, error: &VendorError, exchange: Option<ExchangeId>) -> Answer {
    let codec = error_codec(dialect);
    let status = StatusCode::from_u16(codec.error_status(error)).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut answer = Response::new(AnswerBody::full(codec.encode_error(error, exchange).into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    name_error(dialect, error, answer.headers_mut());
    answer
}

/// Names an error where the client's SDKs read its name from a header.
pub(super) fn name_error(dialect: Dialect, error: &VendorError, headers: &mut HeaderMap) {
    if dialect == Dialect::BedrockConverse
        && let Ok(name) = HeaderValue::from_str(bedrock_converse::error_name(error))
    {
        headers.insert(ERROR_TYPE, name);
    }
}

/// Refuses a request before it has become an exchange.
pub fn refusal(shared: &Shared, dialect: Dialect, error: &Error, exchange: Option<ExchangeId>) -> Answer {
    shared.metrics.refused.fetch_add(1, Relaxed);
    plain_error(dialect, error, exchange)
}

/// Ends an exchange with an error of ours.
pub(super) fn failed(dialect: Dialect, job: Job, error: &Error) -> Answer {
    let mut answer = plain_error(dialect, error, Some(job.id()));
    stamp(&mut answer, &job);
    let status = answer.status().as_u16();
    job.fail(error, status, Facts::default());
    answer
}

/// Refuses a request that is recorded: its caller is known, but no target is.
pub(super) fn recorded(worker: &Worker, dialect: Dialect, asked: &mut Asked<'_>, error: Error) -> Answer {
    let name: String = asked.called().chars().take(200).collect();
    let mut job = Job::new(&worker.shared, dialect, std::mem::take(&mut asked.caller), name.into());
    job.note(|exchange| {
        exchange.streamed = asked.is_stream;
        exchange.request_bytes = asked.body.len() as u64;
        exchange.shape = Some(asked.shape(dialect));
    });
    job.ends_soon(asked.retirement.get());
    worker.shared.metrics.refused.fetch_add(1, Relaxed);
    failed(dialect, job, &error)
}
