//! What is particular to clients of Amazon Bedrock: the model in the path, signed calls, and the headers that AWS's
//! SDKs read.

use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;
use hyper::body::Incoming;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_wire::path::ConverseCall;

use crate::endpoints::Call;
use crate::pipeline::{self, Answer};
use crate::plan::Plan;
use crate::shared::Worker;
use crate::told::Told;

/// The id of an exchange, as AWS's SDKs read it (`ResponseMetadata.RequestId` of boto3).
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Whether whoever sends that speaks Bedrock's dialect.
pub(super) fn speaks(head: &Parts) -> bool {
    head.uri.path().starts_with("/model/")
}

/// Answers a call of a model's operation.
pub(super) async fn serve(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    head: &Parts,
    told: &Told<'_>,
    body: Incoming,
    is_loopback: bool,
) -> Answer {
    let dialect = Dialect::BedrockConverse;
    let parsed = ConverseCall::parse(head.uri.path()).unwrap_or_else(|| {
        Err(Error::new(Kind::NotFound, "this path names no operation: POST /model/{modelId}/converse"))
    });
    // Strangers learn nothing of what is served here.
    let refused = pipeline::admit(&worker.shared, plan, told, is_loopback)
        .err()
        .map(|error| sign_less(told).unwrap_or(error));
    let mut answer = match (refused, parsed) {
        (Some(error), _) | (None, Err(error)) => pipeline::refusal(&worker.shared, dialect, &error, None),
        (None, Ok(call)) => {
            let call = call.into();
            pipeline::run(worker, plan, dialect, Call::Chat, Some(&call), told, body, is_loopback).await
        }
    };
    name_request(&mut answer);
    answer
}

/// Why a signed call is not admitted whose access key id is no key of ours: its signature cannot help, because it is
/// checked with a secret that is not held here.
fn sign_less(told: &Told<'_>) -> Option<Error> {
    let scheme = told.authorization?.as_bytes().get(..16)?;
    scheme.eq_ignore_ascii_case(b"AWS4-HMAC-SHA256").then(|| {
        Error::new(
            Kind::Forbidden,
            "the access key id of this signed call is not a key of this gateway; set AWS_ACCESS_KEY_ID to a Pilothouse \
             key (any secret will do: signatures are not checked), or AWS_BEARER_TOKEN_BEDROCK (boto3 over https only)",
        )
    })
}

/// Gives an answer the id of its exchange where the vendor's own is not there.
fn name_request(answer: &mut Answer) {
    let headers = answer.headers_mut();
    if headers.contains_key(REQUEST_ID) {
        return;
    }
    if let Some(id) = headers.get(pipeline::EXCHANGE).cloned() {
        headers.insert(REQUEST_ID, id);
    }
}
