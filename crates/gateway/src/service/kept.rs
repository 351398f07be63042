//! Calls about a response that its vendor holds: they go where the response came from, and nowhere else. Those that no vendor
//! holds are answered from what is kept here ([`own`]).
//!
//! <https://platform.openai.com/docs/api-reference/responses>, read 2026-11-23: read it, delete it, cancel it, list its
//! input. None of them is an exchange: no model answers, and nothing is billed or recorded.

mod own;

use std::sync::{Arc, PoisonError};

use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{Method, Response};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_upstream::Request;
use pilothouse_wire::headers;

use crate::answer::AnswerBody;
use crate::pipeline::{self, Answer};
use crate::plan::Plan;
use crate::shared::Worker;
use crate::told::Told;

use own::Own;

/// Answers a call about a response.
pub(super) async fn serve(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    head: &Parts,
    told: &Told<'_>,
    is_loopback: bool,
) -> Answer {
    match pass(worker, plan, head, told, is_loopback).await {
        Ok(answer) => answer,
        Err(error) => pipeline::refusal(&worker.shared, Dialect::OpenaiResponses, &error, None),
    }
}

async fn pass(
    worker: &Worker,
    plan: &Plan,
    head: &Parts,
    told: &Told<'_>,
    is_loopback: bool,
) -> Result<Answer, Error> {
    let caller = pipeline::admit(&worker.shared, plan, told, is_loopback)?;
    let hops = pipeline::hops(told)?;
    let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    let path = head.uri.path().strip_prefix("/v1/responses/").unwrap_or_default();
    let id = id_of(method, path)?;
    let place = worker.shared.responses.lock().unwrap_or_else(PoisonError::into_inner).find(id, &caller.key);
    // What passed before the last start, and what no vendor holds, is known by what is kept of it.
    let place = match place {
        Some(place) => Some(place),
        None => match own::serve(worker, plan, &caller.key, method, id, rest_of(path)).await? {
            Own::Here(answer) => return Ok(answer),
            Own::Held(holder) => Some(holder.into()),
            Own::Unknown => None,
        },
    };
    let provider = place.and_then(|name: Arc<str>| plan.provider(&name)).ok_or_else(|| unknown(id))?;
    let surface = provider.surfaces.iter().find(|one| one.dialect == Dialect::OpenaiResponses);
    let surface = surface.ok_or_else(|| unknown(id))?;
    let heads = surface.credentials.get(provider.credential());
    let prepared = heads.and_then(|heads| heads.kept(method)).ok_or_else(|| unknown(id))?;
    let tail = match query_of(head)? {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    };
    let extra = pipeline::passing_headers(Dialect::OpenaiResponses, hops, told.all);
    let mut request = Request { head: prepared, tail: &tail, extra: &extra, body: &[] };
    let authorised = match heads.and_then(|heads| heads.live.as_ref()) {
        None => None,
        Some(live) => {
            Some(Box::pin(pipeline::authorise(live, &surface.origin, &request, &worker.shared)).await?)
        }
    };
    if let Some(authorised) = &authorised {
        request.extra = authorised;
    }
    let sent = worker.client.send(&surface.origin, &request, headers::passes_down, &mut 0).await;
    let answer = sent.map_err(|failure| failure.into_error(&provider.name))?;
    let (status, mut headers) = (answer.status, answer.headers);
    let body = answer
        .body
        .collect(pipeline::WHOLE_MAX)
        .await
        .map_err(|failure| failure.into_error(&provider.name))?;
    if *method == Method::DELETE && status.is_success() {
        worker.shared.responses.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        own::erase(worker, &caller.key, id).await?;
    }
    headers.remove(CONTENT_LENGTH);
    let mut passed = Response::new(AnswerBody::full(body));
    *passed.status_mut() = status;
    *passed.headers_mut() = headers;
    Ok(passed)
}

/// What a path asks of a response, behind its id.
fn rest_of(path: &str) -> &str {
    path.split_once('/').map_or("", |(_, rest)| rest)
}

/// The id in a path, where method and path are a call that there is.
fn id_of<'p>(method: &Method, path: &'p str) -> Result<&'p str, Error> {
    let (id, rest) = path.split_once('/').unwrap_or((path, ""));
    match (method, rest) {
        (&Method::GET, "" | "input_items") | (&Method::DELETE, "") | (&Method::POST, "cancel") => Ok(id),
        _ => Err(Error::new(
            Kind::NotFound,
            "of a response there are GET and DELETE /v1/responses/{id}, GET …/input_items and POST …/cancel",
        )),
    }
}

/// The query that goes to the vendor: all of it but keys.
fn query_of(head: &Parts) -> Result<String, Error> {
    let pairs = head.uri.query().unwrap_or_default().split('&');
    let pairs: Vec<&str> = pairs.filter(|pair| !pair.is_empty() && !pair.starts_with("key=")).collect();
    if pairs.contains(&"stream=true") {
        let public = "a stream that broke off cannot be taken up here; read the response without `stream`";
        return Err(Error::bad_request("stream", public));
    }
    Ok(pairs.join("&"))
}

fn unknown(id: &str) -> Error {
    let shown: String = id.chars().take(80).collect();
    let public = format!(
        "which provider holds the response `{shown}` is not known here: it did not pass this gateway with this key since \
         its last start, or is still on its way; ask the provider itself"
    );
    Error::new(Kind::NotFound, public)
}
