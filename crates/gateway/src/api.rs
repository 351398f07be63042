//! The administration, `/api/v1`: keys, limits, budgets, health, receipts, usage, alerts, audit, and what is configured.
//!
//! Which method of which path takes which role stands in [`crate::endpoints`], with all other endpoints; what an
//! operation takes and answers stands in `operation.rs`, and the OpenAPI document is made of the two. Every answer is JSON, every
//! refusal has one shape. What the disk is asked runs apart from the workers, a few questions at a time.

mod audit;
mod budgets;
mod configured;
mod document;
mod health;
mod keys;
mod lifecycle;
mod limits;
mod operation;
mod query;
mod receipts;
mod refusal;
pub(crate) mod shape;
mod usage;
mod who;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use pilothouse_core::clock::UnixMs;
use pilothouse_store::budget::Alert;
use pilothouse_store::keys::Keys;
use pilothouse_store::{Reader, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

pub use document::document;
pub use operation::Api;
use operation::Operation;
use query::Query;
pub use receipts::exchange_json;
use refusal::Refusal;
pub use shape::iso;
use who::Actor;

use crate::answer::AnswerBody;
use crate::endpoints::{self, Action, Found};
use crate::pipeline::Answer;
use crate::plan::Plan;
use crate::service::preflight;
use crate::shared::{Shared, Worker};
use crate::told::Told;

/// What the paths of the administration begin with.
pub(crate) const BASE: &str = "/api/";
/// Bytes of a request's body, at most.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a body may take.
const BODY_WAIT: Duration = Duration::from_secs(30);
/// Questions that are answered at once, at most; each holds a thread and a connection to the store.
const QUESTIONS_MAX: usize = 8;
/// How long a question waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(5);
/// Alerts that wait to be told to people, at most; older ones go first. The store has them all.
const ALERTS_MAX: usize = 1024;

/// What the administration has for itself.
#[derive(Debug)]
pub struct State {
    /// The data folder.
    pub(crate) data_dir: OnceLock<PathBuf>,
    turns: Semaphore,
    alerts: Mutex<VecDeque<Alert>>,
}

impl Default for State {
    fn default() -> Self {
        Self { data_dir: OnceLock::new(), turns: Semaphore::new(QUESTIONS_MAX), alerts: Mutex::default() }
    }
}

impl State {
    /// Keeps alerts until somebody takes them.
    pub(crate) fn put_alerts(&self, alerts: Vec<Alert>) {
        let mut waiting = self.alerts.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(alerts);
        let excess = waiting.len().saturating_sub(ALERTS_MAX);
        waiting.drain(..excess);
    }

    /// The alerts that nobody has taken, oldest first.
    pub(crate) fn take_alerts(&self) -> Vec<Alert> {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

/// A question that was admitted, with all that answers it.
struct Ask {
    shared: Arc<Shared>,
    plan: Arc<Plan>,
    actor: Actor,
    /// What stands for `{id}` in the path.
    id: String,
    query: Query,
    body: Bytes,
    now: UnixMs,
}

/// An answer that went well.
struct Reply {
    status: StatusCode,
    body: Vec<u8>,
}

type Answered = Result<Reply, Refusal>;

/// Answers with a value.
fn reply(status: StatusCode, value: &impl Serialize) -> Answered {
    let body = serde_json::to_vec(value);
    let body = body.map_err(|error| {
        Refusal::new(500, "the answer", error.to_string(), "tell those who make Pilothouse")
    })?;
    Ok(Reply { status, body })
}

impl Ask {
    /// What the body says.
    fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let text: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(text).map_err(|error| Refusal::invalid("the body", error.to_string()))
    }

    /// The data folder.
    fn data_dir(&self) -> Result<&PathBuf, Refusal> {
        let missing = || Refusal::new(500, "the data folder", "this server has none", "start it with one");
        self.shared.api.data_dir.get().ok_or_else(missing)
    }

    /// The minted keys and temporary limits.
    fn keys(&self) -> Result<Arc<Keys>, Refusal> {
        let missing =
            || Refusal::new(500, "the store of keys", "this server has none", "start it with a data folder");
        self.shared.minted.store().ok_or_else(missing)
    }

    /// The ledger, for reading.
    fn ledger(&self) -> Result<Reader, Refusal> {
        Reader::open(self.data_dir()?).map_err(ledger_failed)
    }
}

fn ledger_failed(error: StoreError) -> Refusal {
    Refusal::of_store(&error, "the ledger")
}

/// A JSON answer that nobody keeps.
fn answer(status: StatusCode, value: &impl Serialize) -> Answer {
    with_body(status, serde_json::to_vec(value).unwrap_or_default())
}

fn with_body(status: StatusCode, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(AnswerBody::full(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// Answers a request whose path begins with [`BASE`].
pub(crate) async fn serve(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    head: &Parts,
    told: &Told<'_>,
    body: Incoming,
    is_loopback: bool,
) -> Answer {
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    let exposed = plan.exposure.check(told, authority).map_err(|error| Refusal::of(&error, "the request"));
    if exposed.is_ok() && head.method == Method::OPTIONS && told.origin.is_some() {
        return preflight(&head.headers);
    }
    let answered = match exposed {
        Ok(()) => run(worker, plan, head, told, body, is_loopback).await,
        Err(refusal) => Err(refusal),
    };
    answered.map_or_else(
        |refusal| {
            worker.shared.metrics.refused.fetch_add(1, Relaxed);
            refusal.into_answer()
        },
        |reply| with_body(reply.status, reply.body),
    )
}

async fn run(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    head: &Parts,
    told: &Told<'_>,
    body: Incoming,
    is_loopback: bool,
) -> Answered {
    let path = head.uri.path();
    let (endpoint, operation) = match endpoints::find(&head.method, path) {
        Found::Endpoint(endpoint) => match endpoint.action {
            Action::Api(api) => (endpoint, api.operation()),
            _ => return Err(no_path(path)),
        },
        Found::OtherMethod => return Err(other_method(path)),
        Found::Nothing => return Err(no_path(path)),
    };
    if plan.is_discovered && !is_loopback {
        let reason = "providers that were found on this machine serve this machine only";
        return Err(Refusal::new(403, "the request", reason, "write a configuration file"));
    }
    let actor = Actor::of(&worker.shared, plan, told, is_loopback)?;
    actor.may(endpoint.role)?;
    let query = Query::read(head.uri.query().unwrap_or_default(), operation.parameters)?;
    let body = read(operation, head, body).await?;
    let ask = Ask {
        shared: Arc::clone(&worker.shared),
        plan: Arc::clone(plan),
        actor,
        id: endpoint.id_in(path).unwrap_or_default().to_owned(),
        query,
        body,
        now: worker.shared.clock.now(),
    };
    let busy = || {
        Refusal::new(
            503,
            "the administration",
            "too many questions are being answered",
            "ask again in a moment",
        )
    };
    let turn = tokio::time::timeout(TURN_WAIT, worker.shared.api.turns.acquire()).await;
    let _turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
    let handler = operation.handler;
    let answered = worker.shared.tasks.spawn_blocking(move || handler(&ask)).await;
    answered.unwrap_or_else(|error| {
        Err(Refusal::new(500, "the administration", error.to_string(), "look at the log of the gateway"))
    })
}

/// Reads the body of an operation that takes one.
async fn read(operation: &Operation, head: &Parts, body: Incoming) -> Result<Bytes, Refusal> {
    if operation.request.is_none() {
        return Ok(Bytes::new());
    }
    let collected = tokio::time::timeout(BODY_WAIT, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let bytes = match collected {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let reason = format!("it is longer than {BODY_BYTES_MAX} bytes");
            return Err(Refusal::new(413, "the body", reason, "send less at once"));
        }
        Ok(Err(_)) => return Err(Refusal::invalid("the body", "it broke off before its end")),
        Err(_) => return Err(Refusal::invalid("the body", "it did not come within 30 seconds")),
    };
    if bytes.is_empty() && operation.needs_body {
        return Err(Refusal::invalid("the body", "there is none"));
    }
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_json =
        kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    // A type that forms of web pages cannot send, besides `Origin`.
    if !bytes.is_empty() && !is_json {
        let step = "send JSON, with the header `content-type: application/json`";
        return Err(Refusal::new(415, "the body", "it is not `application/json`", step));
    }
    Ok(bytes)
}

fn shown(path: &str) -> String {
    path.chars().take(100).collect()
}

fn no_path(path: &str) -> Refusal {
    Refusal::new(404, shown(path), "there is no such endpoint", "/api/v1/openapi.json lists those there are")
}

fn other_method(path: &str) -> Refusal {
    let methods = endpoints::methods_at(path);
    let mut refusal =
        Refusal::new(405, shown(path), format!("it takes {methods} only"), "use one of these methods");
    refusal.allow = Some(methods);
    refusal
}
