//! Calls that are no conversations: they pass as they came, to whom their model, or what they are about, belongs.
//!
//! Nothing is translated. What is read on the way is what must be known: the model's name, the ids of what a vendor keeps,
//! and what the answer says of usage.

mod body;
mod settle;
mod target;

use std::sync::Arc;

use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RANGE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response};
use hyper::body::Incoming;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::{Caller, Note};
use pilothouse_upstream::Request;
use pilothouse_wire::headers as wire_headers;

use super::admit::admit_key;
use super::attempt::{Outgoing, send};
use super::authorise::authorise;
use super::choose::Choice;
use super::govern::hold_passing;
use super::onward::{Onward, last};
use super::refuse::failed;
use super::relay::{Extra, is_json, passing_headers, vendor_refusal, wrong_type};
use super::{Answer, hops, refusal, stamp, turn};
use crate::answer::{AnswerBody, PassedBody};
use crate::concurrency::WAIT_MAX;
use crate::endpoints::{Call, Endpoint, Pass, Service, Verb};
use crate::job::Job;
use crate::plan::{Live, Plan};
use crate::shared::Worker;
use crate::told::Told;
use body::Given;
pub(crate) use settle::Settling;
pub(super) use settle::price;
pub(super) use target::{forced, speaker, way};

/// A call that passes as it came.
pub(crate) struct Passing<'h> {
    pub(crate) pass: Pass,
    pub(crate) endpoint: &'static Endpoint,
    /// The dialect of the client: OpenAI's or Anthropic's, who have paths in common.
    pub(crate) dialect: Dialect,
    pub(crate) head: &'h Parts,
    pub(crate) told: &'h Told<'h>,
}

impl Passing<'_> {
    fn verb(&self) -> Verb {
        match self.head.method {
            Method::GET => Verb::Get,
            Method::DELETE => Verb::Delete,
            _ => Verb::Post,
        }
    }

    /// The id that the path names.
    fn id(&self) -> Option<&str> {
        self.endpoint.id_in(self.head.uri.path())
    }

    /// Whether the answer is a thing of its own (a file's content, a batch's results) rather than words about one.
    fn is_download(&self) -> bool {
        let path = self.endpoint.path;
        path.ends_with("/content") || path.ends_with("/results")
    }

    /// What follows the prepared path: the call's own path, and its query without keys.
    fn tail(&self, choice: &Choice, is_versioned: bool) -> String {
        let path = self.head.uri.path();
        let path = match (self.pass, choice.surface_dialect()) {
            (Pass::Model(Service::Rerank), _) if is_versioned => path,
            (Pass::Model(Service::Rerank), _) => "",
            // Base addresses of OpenAI's dialects end in the version, those of Anthropic's do not.
            (_, Dialect::AnthropicMessages) => path,
            _ => path.strip_prefix("/v1").unwrap_or(path),
        };
        let pairs = self.head.uri.query().unwrap_or_default().split('&');
        let query: Vec<&str> = pairs.filter(|pair| !pair.is_empty() && !pair.starts_with("key=")).collect();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
    }

    /// The client's headers that pass: those of its dialect, and what says of which form body and answer are.
    fn extra(&self, hops: u32) -> Extra {
        let mut extra = passing_headers(self.dialect, hops, self.told.all);
        for name in [CONTENT_TYPE, ACCEPT, RANGE] {
            let is_needed = name != CONTENT_TYPE || self.verb() == Verb::Post;
            if let (true, Some(value)) = (is_needed, self.told.all.get(&name)) {
                extra.push((name, value.clone()));
            }
        }
        extra
    }
}

/// Takes a call that is no conversation through its life.
pub(crate) async fn pass(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    passing: &Passing<'_>,
    incoming: Incoming,
    is_loopback: bool,
) -> Answer {
    let refused = |error: &Error| refusal(&worker.shared, passing.dialect, error, None);
    let admitted = admit_key(&worker.shared, plan, passing.told, is_loopback)
        .and_then(|(caller, key)| Ok((caller, key, hops(passing.told)?)));
    let (caller, key, hops) = match admitted {
        Ok(admitted) => admitted,
        Err(error) => return refused(&error),
    };
    let given = match body::read(worker, plan, passing, incoming).await {
        Ok(given) => given,
        Err(error) => return refused(&error),
    };
    let choice = match target::choose(worker, plan, passing, &given, &caller) {
        Ok(choice) => choice,
        Err(error) => return recorded(worker, passing, &given, caller, &error),
    };
    let mut job =
        Job::new(&worker.shared, passing.dialect, caller.clone(), Arc::clone(&choice.resolution.asked));
    job.chose(&choice.resolution, choice.surface_dialect());
    begin(&mut job, passing, &given);
    let held = hold_passing(&worker.shared, plan, key.as_ref(), passing.told.all, &choice, &mut job);
    if let Err(error) = held {
        return failed(passing.dialect, job, &error);
    }
    if let Err(error) = turn::enter_only(plan, &choice, &caller.key, WAIT_MAX, &mut job).await {
        return failed(passing.dialect, job, &error);
    }
    let sent = match call(worker, plan, passing, given, &choice, hops, &mut job).await {
        Ok(answer) => answer,
        Err(error) => return failed(passing.dialect, job, &error),
    };
    job.headers(sent.status.as_u16());
    if !sent.status.is_success() {
        let only = Onward::only(None);
        let refused = Box::pin(vendor_refusal(passing.dialect, &choice, sent, &only, job)).await;
        return last(passing.dialect, refused);
    }
    let settling = Settling::new(worker, plan, passing, &choice, &caller);
    answer(worker, passing, &choice, sent, settling, job).await
}

/// Refuses a call that is recorded: its caller is known, but no target is.
fn recorded(
    worker: &Arc<Worker>,
    passing: &Passing<'_>,
    given: &Given,
    caller: Caller,
    error: &Error,
) -> Answer {
    let asked: String = given.model().unwrap_or(name_of(passing.pass)).chars().take(200).collect();
    let mut job = Job::new(&worker.shared, passing.dialect, caller, asked.into());
    begin(&mut job, passing, given);
    worker.shared.metrics.refused.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    failed(passing.dialect, job, error)
}

/// What records know of the call before it is sent.
fn begin(job: &mut Job, passing: &Passing<'_>, given: &Given) {
    job.note(|exchange| exchange.request_bytes = given.bytes());
    let what = format!("{} {}", passing.head.method, passing.endpoint.path);
    job.noted(Note::new("pass", &what));
}

/// The name of a call in records, where no model is named.
pub(super) const fn name_of(pass: Pass) -> &'static str {
    match pass {
        Pass::Model(service) => service.as_str(),
        Pass::Held(holding) => holding.as_str(),
    }
}

/// Sends the call.
async fn call(
    worker: &Arc<Worker>,
    plan: &Plan,
    passing: &Passing<'_>,
    given: Given,
    choice: &Choice,
    hops: u32,
    job: &mut Job,
) -> Result<pilothouse_upstream::Answer, Error> {
    let is_versioned = choice.provider().rerank.as_ref().is_some_and(|rerank| rerank.is_versioned);
    let tail = passing.tail(choice, is_versioned);
    let mut extra = passing.extra(hops);
    let verb = Call::Pass(passing.verb());
    let whole = match given {
        Given::Form(form) => {
            let provider = choice.provider();
            let heads = choice.surface().and_then(|surface| surface.credentials.get(provider.credential()));
            let head = heads.and_then(|heads| heads.get(verb)).ok_or_else(|| target::no_way(choice))?;
            let surface = choice.surface().ok_or_else(|| target::no_way(choice))?;
            let upload = form.into_upload(choice, plan.upload_bytes_max, job);
            let mut request = Request { head, tail: &tail, extra: &extra, body: &[] };
            let authorised =
                live(heads.and_then(|heads| heads.live.as_ref()), worker, choice, &request).await?;
            request.extra = authorised.as_deref().unwrap_or(&extra);
            job.sent();
            let keep = wire_headers::passes_down_with_files;
            let sent = worker.client.upload(&surface.origin, &request, upload, keep).await;
            return sent.map_err(|failure| failure.into_error(&provider.name));
        }
        whole => whole,
    };
    if passing.verb() == Verb::Post && !whole.is_empty() && !passing.told.all.contains_key(CONTENT_TYPE) {
        extra.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
    }
    let edits = whole.edits(choice, job);
    let body = pilothouse_wire::head::apply(whole.bytes_of(), &edits)?;
    // What makes or ends something at the vendor is not repeated after it may have been done.
    let is_repeatable = matches!(passing.pass, Pass::Model(_)) || passing.verb() == Verb::Get;
    let sdk_retries = if is_repeatable { super::read::sdk_retries(passing.told) } else { u32::MAX };
    let outgoing = Outgoing {
        call: verb,
        tail: &tail,
        extra: &extra,
        body: &body,
        sdk_retries,
        retries: None,
        is_on_route: false,
    };
    send(worker, choice, &outgoing, job).await
}

/// The headers of a call whose credential is made call by call, where it is. A signature is one of bytes that are known
/// before they are sent, which those of an upload are not.
pub(super) async fn live(
    live: Option<&Live>,
    worker: &Arc<Worker>,
    choice: &Choice,
    request: &Request<'_>,
) -> Result<Option<super::authorise::Headers>, Error> {
    match (live, choice.surface()) {
        (None, _) | (_, None) => Ok(None),
        (Some(Live::Signed(_)), _) => {
            let name = &choice.provider().name;
            let public =
                format!("calls to `{name}` are signed, and this one cannot be; give it a key instead");
            Err(Error::new(Kind::BadRequest, public))
        }
        (Some(live), Some(surface)) => {
            Box::pin(authorise(live, &surface.origin, request, &worker.shared)).await.map(Some)
        }
    }
}

/// Passes the answer on.
async fn answer(
    worker: &Arc<Worker>,
    passing: &Passing<'_>,
    choice: &Choice,
    sent: pilothouse_upstream::Answer,
    settling: Settling,
    mut job: Job,
) -> Answer {
    let (status, mut headers) = (sent.status, sent.headers);
    let is_events = is_of(&headers, b"text/event-stream");
    if !passing.is_download() && is_page(&headers) {
        return failed(passing.dialect, job, &wrong_type(choice, &headers, "application/json"));
    }
    if is_events {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        job.note(|exchange| exchange.streamed = true);
    }
    let is_words = is_json(&headers) && !passing.is_download() && sent.body.bytes_left() != Some(0);
    let reading = match (is_events, is_words) {
        (true, _) => crate::answer::Reading::events(),
        (false, true) => crate::answer::Reading::json(),
        (false, false) => crate::answer::Reading::nothing(),
    };
    let vendor = Arc::clone(&choice.provider().name);
    let place = worker.shared.drain.enter();
    let (mut passed, id) = (Response::new(AnswerBody::full(bytes::Bytes::new())), job.id());
    *passed.status_mut() = status;
    *passed.headers_mut() = headers;
    stamp(&mut passed, &job);
    let mut body = PassedBody::new(sent.body, reading, job, settling, passing.dialect, vendor, place);
    // What is short is read whole first, so that a broken answer can still be refused.
    if let Err(error) = body.hold().await {
        let mut refused = super::plain_error(passing.dialect, &error, Some(id));
        if let Some(exchange) = passed.headers_mut().remove(super::EXCHANGE) {
            refused.headers_mut().insert(super::EXCHANGE, exchange);
        }
        return refused;
    }
    *passed.body_mut() = AnswerBody::Passed(Box::new(body));
    passed
}

/// Whether something before the vendor spoke: no API answers with a page.
fn is_page(headers: &HeaderMap) -> bool {
    is_of(headers, b"text/html")
}

/// Whether the content type begins so.
fn is_of(headers: &HeaderMap, wanted: &[u8]) -> bool {
    let told = headers.get(CONTENT_TYPE).and_then(|value| value.as_bytes().get(..wanted.len()));
    told.is_some_and(|start| start.eq_ignore_ascii_case(wanted))
}

/// The error of a provider that does not speak the dialect of such calls.
pub(super) fn has_none(provider: &str, what: &str, example: &str) -> Error {
    let public = format!(
        "`{provider}` has no {what} that this gateway knows; ask a provider that has, such as {example}"
    );
    Error::new(Kind::BadRequest, public)
}
