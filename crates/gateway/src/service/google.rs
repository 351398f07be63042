//! What the paths of Google's dialect say before a body is read: model, method, key, and the form of a stream.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Uri, header};
use hyper::body::Incoming;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_wire::dialects::gemini_generate::ArrayFrame;
use pilothouse_wire::path::{GeminiCall, GeminiMethod, PathCall};

use crate::answer::{AnswerBody, ArrayBody};
use crate::endpoints::{Call, models::percent_decoded};
use crate::pipeline::{self, Answer};
use crate::plan::Plan;
use crate::shared::Worker;
use crate::told::Told;

/// Whether whoever sends that speaks Google's dialect: its paths, or its key on a path that others have too.
pub(super) fn speaks(head: &Parts, told: &Told<'_>) -> bool {
    let path = head.uri.path();
    if path.starts_with("/v1beta/") {
        return true;
    }
    let Some(below) = path.strip_prefix("/v1/models") else { return false };
    let has_key = told.goog_api_key.is_some() || key_of(&head.uri).is_some();
    has_key || (head.method == http::Method::POST && below.contains(':'))
}

/// The text of the key in a query (`?key=`).
fn key_of(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("key=")).filter(|key| !key.is_empty())
}

/// The key in a query, as a header would carry it. It goes nowhere but to who admits the call: what a vendor gets is
/// written anew, and no record holds a query.
pub(super) fn query_key(uri: &Uri) -> Option<HeaderValue> {
    let mut key = HeaderValue::from_str(&percent_decoded(key_of(uri)?)).ok()?;
    key.set_sensitive(true);
    Some(key)
}

/// What is told, with the key of the query where no header has one.
pub(super) fn with_key<'h>(told: &Told<'h>, key: Option<&'h HeaderValue>) -> Told<'h> {
    let mut told = told.clone();
    told.api_key = told.api_key.or(key);
    told
}

/// Answers a call of a model's method.
pub(super) async fn serve(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    head: &Parts,
    told: &Told<'_>,
    body: Incoming,
    is_loopback: bool,
) -> Answer {
    let dialect = Dialect::GeminiGenerate;
    let key = query_key(&head.uri);
    let told = with_key(told, key.as_ref());
    let parsed = GeminiCall::parse(head.uri.path(), head.uri.query().unwrap_or_default());
    let parsed = parsed.unwrap_or_else(|| {
        let public = "this path names no method: POST /v1beta/models/{model}:{method}";
        Err(Error::new(Kind::NotFound, public))
    });
    let call = match parsed {
        Ok(call) => call,
        Err(error) => {
            // Strangers learn nothing of what is served here.
            let error = pipeline::admit(&worker.shared, plan, &told, is_loopback).err().unwrap_or(error);
            return pipeline::refusal(&worker.shared, dialect, &error, None);
        }
    };
    let what = match call.method {
        GeminiMethod::Generate | GeminiMethod::Stream => Call::Chat,
        GeminiMethod::CountTokens => Call::CountTokens,
        GeminiMethod::Embed => Call::Embeddings,
        GeminiMethod::BatchEmbed => Call::EmbeddingsBatch,
    };
    let by_path = PathCall::from(&call);
    let answer = pipeline::run(worker, plan, dialect, what, Some(&by_path), &told, body, is_loopback).await;
    if call.is_stream() && !call.is_sse { as_array(answer) } else { answer }
}

/// A stream of events as the array that grows, for clients that did not ask for events.
fn as_array(mut answer: Answer) -> Answer {
    // What is whole is a refusal; everything else is a stream, whoever looks at it on its way.
    if matches!(answer.body(), AnswerBody::Full(_)) {
        return answer;
    }
    let events = std::mem::replace(answer.body_mut(), AnswerBody::full(Bytes::new()));
    *answer.body_mut() = AnswerBody::Array(Box::new(ArrayBody::new(events)));
    let json = HeaderValue::from_static(ArrayFrame::CONTENT_TYPE);
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}
