//! One HTTP request: from where, to which endpoint, and who answers.

mod bedrock;
mod google;
mod kept;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};

use crate::answer::AnswerBody;
use crate::api;
use crate::endpoints::{self, Action, Endpoint, Found, Role};
use crate::pipeline::{self, Answer};
use crate::plan::Plan;
use crate::shared::Worker;
use crate::told::Told;

/// Names the provider that a call goes to, beside the model or instead of it.
const PROVIDER: HeaderName = HeaderName::from_static("x-pilothouse-provider");

/// Answers one request.
///
/// # Errors
/// Never: every failure is an answer.
pub(crate) async fn serve(
    worker: Arc<Worker>,
    request: Request<Incoming>,
    is_loopback: bool,
) -> Result<Answer, Infallible> {
    let plan = worker.shared.plan.load_full();
    let (mut head, body) = request.into_parts();
    unprefix(&mut head);
    let head = head;
    let told = Told::read(&head.headers);
    let mut answer = dispatch(&worker, &plan, &head, &told, body, is_loopback).await;
    if let Some(origin) = plan.exposure.cors_origin(&told).cloned() {
        let headers = answer.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::VARY, HeaderValue::from_static("origin"));
    }
    if head.method == Method::HEAD {
        *answer.body_mut() = AnswerBody::full(Bytes::new());
    }
    Ok(answer)
}

/// Turns a provider at the path's beginning (`/p/NAME/v1/…`, which SDKs take for a base address) into the header that
/// says the same.
fn unprefix(head: &mut Parts) {
    let Some(whole) = head.uri.path_and_query().map(http::uri::PathAndQuery::as_str) else { return };
    let Some((name, rest)) = whole.strip_prefix("/p/").and_then(|behind| behind.split_once('/')) else {
        return;
    };
    let uri = Uri::try_from(format!("/{rest}"));
    if let (Ok(uri), Ok(name)) = (uri, HeaderValue::from_str(name)) {
        head.uri = uri;
        head.headers.insert(PROVIDER, name);
    }
}

async fn dispatch(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    head: &Parts,
    told: &Told<'_>,
    body: Incoming,
    is_loopback: bool,
) -> Answer {
    let path = head.uri.path();
    if path.starts_with(api::BASE) {
        return Box::pin(api::serve(worker, plan, head, told, body, is_loopback)).await;
    }
    let dialect = || dialect_of(head, told);
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    if let Err(error) = plan.exposure.check(told, authority) {
        return pipeline::refusal(&worker.shared, dialect(), &error, None);
    }
    if head.method == Method::OPTIONS && told.origin.is_some() {
        return preflight(&head.headers);
    }
    let endpoint = match endpoints::find(&head.method, path) {
        Found::Endpoint(endpoint) => endpoint,
        Found::OtherMethod => return wrong_method(worker, dialect(), path),
        Found::Nothing => return unknown_path(worker, dialect(), path),
    };
    if worker.shared.stopping.is_cancelled()
        && matches!(
            endpoint.action,
            Action::Exchange(..) | Action::Google | Action::Bedrock | Action::Pass(_) | Action::Realtime
        )
    {
        let error =
            Error::new(Kind::Overloaded, "the gateway is being stopped; send the request to another one");
        let mut answer = pipeline::refusal(&worker.shared, dialect(), &error, None);
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return answer;
    }
    if plan.is_discovered && !is_loopback && endpoint.role != Role::Anyone {
        let error = Error::new(
            Kind::Forbidden,
            "providers that were found on this machine serve this machine only; write a configuration file",
        );
        return pipeline::refusal(&worker.shared, dialect(), &error, None);
    }
    match endpoint.action {
        Action::Exchange(dialect, call) => {
            // Boxed: the future is large, and a connection should not carry it while it is idle.
            Box::pin(pipeline::run(worker, plan, dialect, call, None, told, body, is_loopback)).await
        }
        Action::KeptResponse => Box::pin(kept::serve(worker, plan, head, told, is_loopback)).await,
        // Nobody asks what a listing would be like; whatever is sent upstream is answered whole.
        Action::Pass(_) | Action::Realtime if head.method == Method::HEAD => {
            wrong_method(worker, dialect(), path)
        }
        Action::Pass(pass) => {
            let passing = pipeline::Passing { pass, endpoint, dialect: dialect(), head, told };
            Box::pin(pipeline::pass(worker, plan, &passing, body, is_loopback)).await
        }
        Action::Realtime => Box::pin(pipeline::realtime(worker, plan, head, told, is_loopback)).await,
        Action::Google => Box::pin(google::serve(worker, plan, head, told, body, is_loopback)).await,
        Action::Bedrock => Box::pin(bedrock::serve(worker, plan, head, told, body, is_loopback)).await,
        _ => page(worker, plan, endpoint, dialect(), head, told, is_loopback),
    }
}

/// The dialect in which a request that is no exchange is answered: by what the caller's SDK sends.
fn dialect_of(head: &Parts, told: &Told<'_>) -> Dialect {
    let path = head.uri.path();
    if google::speaks(head, told) {
        Dialect::GeminiGenerate
    } else if bedrock::speaks(head) {
        Dialect::BedrockConverse
    } else if path.starts_with("/v1/messages") || told.anthropic_version.is_some() {
        Dialect::AnthropicMessages
    } else {
        Dialect::OpenaiChat
    }
}

fn page(
    worker: &Worker,
    plan: &Plan,
    endpoint: &Endpoint,
    dialect: Dialect,
    head: &Parts,
    told: &Told<'_>,
    is_loopback: bool,
) -> Answer {
    let query_key = (dialect == Dialect::GeminiGenerate).then(|| google::query_key(&head.uri)).flatten();
    let told = &google::with_key(told, query_key.as_ref());
    let admitted = match endpoint.role {
        Role::Anyone => Ok(None),
        Role::Caller => pipeline::admit_key(&worker.shared, plan, told, is_loopback).map(|(_, key)| key),
        // The administration admits for itself; nothing of it comes here.
        Role::Operator | Role::Viewer | Role::Lead | Role::Admin => {
            pipeline::admit_operator(plan, told, is_loopback).map(|()| None)
        }
    };
    let key = match admitted {
        Ok(key) => key,
        Err(error) => return pipeline::refusal(&worker.shared, dialect, &error, None),
    };
    let query = head.uri.query().unwrap_or_default();
    match endpoint.action {
        Action::Models => {
            endpoints::models::list(plan, key.as_deref(), dialect, query, worker.shared.clock.now())
        }
        Action::Model => {
            let id = head.uri.path().strip_prefix(endpoint.path).unwrap_or_default();
            endpoints::models::one(plan, dialect, id, worker.shared.clock.now())
        }
        Action::Livez => endpoints::pages::text("ok\n"),
        Action::Readyz => endpoints::pages::readyz(&worker.shared),
        Action::Metrics => endpoints::pages::metrics(&worker.shared),
        Action::Version => endpoints::pages::version(),
        Action::Status
        | Action::Exchange(..)
        | Action::Google
        | Action::Bedrock
        | Action::KeptResponse
        | Action::Pass(_)
        | Action::Realtime
        | Action::Api(_) => endpoints::status::page(&worker.shared, plan, head),
    }
}

pub(crate) fn preflight(headers: &HeaderMap) -> Answer {
    let mut answer = Response::new(AnswerBody::full(Bytes::new()));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let out = answer.headers_mut();
    out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PATCH, DELETE"));
    out.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    answer
}

fn wrong_method(worker: &Worker, dialect: Dialect, path: &str) -> Answer {
    let methods = endpoints::methods_at(path);
    worker.shared.metrics.refused.fetch_add(1, Relaxed);
    let error = Error::new(Kind::BadRequest, format!("this endpoint takes {methods} only"));
    let mut answer = pipeline::plain_error(dialect, &error, None);
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    if let Ok(methods) = HeaderValue::from_str(&methods) {
        answer.headers_mut().insert(header::ALLOW, methods);
    }
    answer
}

fn unknown_path(worker: &Worker, dialect: Dialect, path: &str) -> Answer {
    let shown: String = path.chars().take(100).collect();
    let hint = if path.starts_with("/v1") {
        ""
    } else {
        "; base URLs of OpenAI SDKs end in /v1, those of Anthropic's and Google's do not"
    };
    let error = Error::new(Kind::NotFound, format!("there is no endpoint at `{shown}`{hint}"));
    pipeline::refusal(&worker.shared, dialect, &error, None)
}
