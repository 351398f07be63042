//! Counting tokens for a target whose vendor has no call for it.

use bytes::Bytes;
use http::{HeaderValue, Response};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Outcome;

use super::choose::Choice;
use super::read::Asked;
use super::refuse::failed;
use super::relay::counted;
use super::{Answer, ESTIMATE, stamp};
use crate::answer::AnswerBody;
use crate::job::Job;
use crate::shared::Worker;

/// Answers from our own tokenizers, and says so.
pub(super) fn estimate(_worker: &Worker, asked: &Asked, choice: &Choice, mut job: Job) -> Answer {
    let dialect = Dialect::AnthropicMessages;
    let codec = super::refuse::codec_for(dialect);
    let request = match codec.decode_request(&asked.body) {
        Ok(request) => request,
        Err(error) => return failed(dialect, job, &error),
    };
    let count = pilothouse_tokens::count(&request, &choice.resolution.target.model);
    let body = format!("{{\"input_tokens\":{}}}", count.tokens);
    let mut answer = Response::new(AnswerBody::full(Bytes::from(body)));
    let headers = answer.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(how) = HeaderValue::from_str(&count.how) {
        headers.insert(ESTIMATE, how);
    }
    stamp(&mut answer, &job);
    job.note(|exchange| exchange.status = 200);
    job.finish(Outcome::Complete, counted());
    answer
}
