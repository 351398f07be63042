//! Counting tokens for a target whose vendor has no call for it.

use bytes::Bytes;
use http::{HeaderValue, Response};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Outcome;
use pilothouse_wire::dialects::gemini_generate;

use super::choose::Choice;
use super::read::Asked;
use super::refuse::failed;
use super::relay::counted;
use super::{Answer, ESTIMATE, stamp};
use crate::answer::AnswerBody;
use crate::job::Job;

/// Answers from our own tokenizers, and says so.
pub(super) async fn estimate(dialect: Dialect, asked: &Asked<'_>, choice: &Choice, mut job: Job) -> Answer {
    let decoded = match dialect {
        Dialect::GeminiGenerate => gemini_generate::decode_count_request(&asked.body),
        _ => super::error_codec(dialect).decode_request(&asked.body),
    };
    let request = match decoded {
        Ok(request) => request,
        Err(error) => return failed(dialect, job, &error),
    };
    // A tokenizer's table takes a second to build the first time: no stream may wait for that.
    let model = std::sync::Arc::clone(&choice.resolution.target.real);
    let counted_apart = tokio::task::spawn_blocking(move || pilothouse_tokens::count(&request, &model)).await;
    let count = match counted_apart {
        Ok(count) => count,
        Err(error) => {
            let error = Error::new(Kind::Internal, "counting these tokens failed").because(error);
            return failed(dialect, job, &error);
        }
    };
    let body = match dialect {
        Dialect::GeminiGenerate => format!("{{\"totalTokens\":{}}}", count.tokens),
        // <https://platform.openai.com/docs/api-reference/responses/input-tokens>, read 2026-11-23.
        Dialect::OpenaiResponses => {
            format!("{{\"object\":\"response.input_tokens\",\"input_tokens\":{}}}", count.tokens)
        }
        _ => format!("{{\"input_tokens\":{}}}", count.tokens),
    };
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
