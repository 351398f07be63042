//! Conversations over a WebSocket: the handshake goes through like any call, then bytes pass both ways.
//!
//! Frames are followed, not taken apart: where they end must be known to close between two of them, and short messages
//! of the vendor's tell what a response has used. Extensions are not asked for, so that text is text
//! (<https://platform.openai.com/docs/guides/realtime-websocket>, read 2026-11-23).

mod handshake;
mod session;

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Note;
use pilothouse_upstream::{Request, Switched, Tunnel};
use pilothouse_wire::headers as wire_headers;

use super::admit::admit_key;
use super::choose::Choice;
use super::govern::hold_passing;
use super::onward::{Onward, last};
use super::pass::{forced, live, speaker, way};
use super::read::named;
use super::refuse::failed;
use super::relay::{passing_headers, vendor_refusal};
use super::{Answer, admit, hops, refusal, retire, stamp, turn};
use crate::answer::AnswerBody;
use crate::endpoints::{Call, Verb};
use crate::job::Job;
use crate::plan::Plan;
use crate::shared::{Shared, Worker};
use crate::told::Told;
use handshake::Handshake;
use session::Session;

const DIALECT: Dialect = Dialect::OpenaiChat;
/// How long a handshake waits for a place. Clients give up themselves: `websockets` of Python, which OpenAI's SDK uses, after ten
/// seconds (<https://websockets.readthedocs.io/en/stable/reference/asyncio/client.html>, `open_timeout`, read 2026-11-23).
const HANDSHAKE_WAIT: Duration = Duration::from_secs(5);
/// What records call a session whose model nobody named.
const NAME: &str = "realtime";

/// Answers a handshake, and leaves the conversation to a task of its own.
pub(crate) async fn realtime(
    worker: &Arc<Worker>,
    plan: &Arc<Plan>,
    head: &Parts,
    told: &Told<'_>,
    is_loopback: bool,
) -> Answer {
    let refused = |error: &Error| refusal(&worker.shared, DIALECT, error, None);
    let (handshake, upgrade) = match Handshake::read(head) {
        Ok(read) => read,
        Err(error) => {
            // Strangers learn nothing of what is served here.
            return refused(&admit(&worker.shared, plan, told, is_loopback).err().unwrap_or(error));
        }
    };
    let told = &handshake.with_key(told);
    let admitted = admit_key(&worker.shared, plan, told, is_loopback)
        .and_then(|(caller, key)| Ok((caller, key, hops(told)?)));
    let (caller, key, hops) = match admitted {
        Ok(admitted) => admitted,
        Err(error) => return refused(&error),
    };
    let Ok(room) = Arc::clone(&worker.shared.sessions).try_acquire_owned() else {
        return refused(&Error::new(
            Kind::Overloaded,
            "too many conversations are going on; try again later",
        ));
    };
    let choice = choose(&worker.shared, plan, told, &handshake);
    let asked = match &choice {
        Ok(choice) => Arc::clone(&choice.resolution.asked),
        Err(_) => handshake.model.as_deref().unwrap_or(NAME).chars().take(200).collect::<String>().into(),
    };
    let mut job = Job::new(&worker.shared, DIALECT, caller.clone(), asked);
    job.note(|exchange| exchange.streamed = true);
    job.noted(Note::new("pass", "GET /v1/realtime"));
    let choice = match choice {
        Ok(choice) => choice,
        Err(error) => return failed(DIALECT, job, &error),
    };
    job.chose(&choice.resolution, choice.surface_dialect());
    if let Err(error) = hold_passing(&worker.shared, plan, key.as_ref(), told.all, &choice, &mut job) {
        return failed(DIALECT, job, &error);
    }
    // The places are held until the conversation has ended.
    let entered = turn::enter_only(plan, &choice, &caller.key, HANDSHAKE_WAIT, &mut job).await;
    if let Err(error) = entered {
        return failed(DIALECT, job, &error);
    }
    let switched = switch(worker, &choice, told, &handshake, hops, &mut job).await;
    match switched {
        Ok(Switched::Open(headers, tunnel)) => {
            let answer = accepted(headers, &job);
            begin(worker, upgrade, tunnel, job, &choice, room);
            answer
        }
        Ok(Switched::Refused(answer)) if !answer.status.is_success() => {
            job.headers(answer.status.as_u16());
            last(DIALECT, Box::pin(vendor_refusal(DIALECT, &choice, answer, &Onward::only(None), job)).await)
        }
        Ok(Switched::Refused(_)) => {
            let name = &choice.provider().name;
            let public = format!("`{name}` did not open a WebSocket where one was due; check its base_url");
            failed(DIALECT, job, &Error::new(Kind::BadAnswer, public))
        }
        Err(error) => failed(DIALECT, job, &error),
    }
}

fn choose(shared: &Shared, plan: &Plan, told: &Told<'_>, handshake: &Handshake) -> Result<Choice, Error> {
    let resolution = match &handshake.model {
        Some(model) => retire::on_day(shared, plan, plan.resolve(&named(model, told))?)?,
        None => {
            let provider = match forced(plan, told)? {
                Some(provider) => provider,
                None => speaker(plan, DIALECT)?,
            };
            plan.unnamed(provider, NAME)
        }
    };
    way(resolution, DIALECT, NAME)
}

/// Asks the vendor for the same.
async fn switch(
    worker: &Arc<Worker>,
    choice: &Choice,
    told: &Told<'_>,
    handshake: &Handshake,
    hops: u32,
    job: &mut Job,
) -> Result<Switched, Error> {
    let provider = choice.provider();
    let no_way = || Error::bad_request("model", format!("`{}` has no realtime API", provider.name));
    let surface = choice.surface().ok_or_else(no_way)?;
    let heads = surface.credentials.get(provider.credential()).ok_or_else(no_way)?;
    let head = heads.get(Call::Pass(Verb::Get)).ok_or_else(no_way)?;
    let mut extra = passing_headers(DIALECT, hops, told.all);
    extra.extend(handshake.headers());
    let tail = handshake.tail(&choice.resolution.target.model, choice.resolution.is_renamed);
    let mut request = Request { head, tail: &tail, extra: &extra, body: &[] };
    let authorised = live(heads.live.as_ref(), worker, choice, &request).await?;
    request.extra = authorised.as_deref().unwrap_or(&extra);
    job.sent();
    let keep = wire_headers::passes_down_with_switch;
    let switched = worker.client.switch(&surface.origin, &request, keep).await;
    switched.map_err(|failure| failure.into_error(&provider.name))
}

fn accepted(headers: http::HeaderMap, job: &Job) -> Answer {
    let mut answer = Response::new(AnswerBody::full(bytes::Bytes::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *answer.headers_mut() = headers;
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    stamp(&mut answer, job);
    answer
}

fn begin(
    worker: &Arc<Worker>,
    upgrade: OnUpgrade,
    tunnel: Tunnel,
    mut job: Job,
    choice: &Choice,
    room: tokio::sync::OwnedSemaphorePermit,
) {
    job.headers(StatusCode::SWITCHING_PROTOCOLS.as_u16());
    let places = [worker.shared.drain.enter(), worker.shared.drain.enter()];
    let session = Session::new(job, Arc::clone(&choice.provider().name), places);
    worker.shared.tasks.spawn(async move {
        session.run(upgrade, tunnel).await;
        drop(room);
    });
}
