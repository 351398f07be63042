//! Responses that no vendor holds, because another vendor's answer was translated: they are read and deleted where their
//! bodies are kept here.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response};
use pilothouse_core::error::{Error, Kind};
use pilothouse_store::{BodyRecorder, Erase, Kept, StoreError};
use pilothouse_wire::continued::{listed, response_of};
use pilothouse_wire::head::quoted;

use crate::answer::AnswerBody;
use crate::bodies::BodiesMode;
use crate::pipeline::Answer;
use crate::plan::Plan;
use crate::shared::Worker;

/// Who answers a call about a response.
pub(super) enum Own {
    /// We, from what is kept.
    Here(Answer),
    /// The provider that holds it, as the kept record says.
    Held(Box<str>),
    /// Nobody that is known here.
    Unknown,
}

/// Answers a call about a response of the caller with that key, where its bodies are kept here.
///
/// # Errors
/// [`Kind::BadRequest`] for a call that makes no sense for a response that has ended.
pub(super) async fn serve(
    worker: &Worker,
    plan: &Plan,
    key: &Arc<str>,
    method: &Method,
    id: &str,
    rest: &str,
) -> Result<Own, Error> {
    let Some(recorder) = worker.shared.bodies.get().filter(|_| plan.bodies != BodiesMode::Off) else {
        return Ok(Own::Unknown);
    };
    let (name, caller) = (id.to_owned(), Arc::clone(key));
    let Some(kept) = aside(worker, recorder, move |store| store.find(&caller, &name)).await? else {
        return Ok(Own::Unknown);
    };
    if let Some(holder) = &kept.holder {
        return Ok(Own::Held(holder.clone()));
    }
    let body = match (method, rest) {
        (&Method::DELETE, _) => {
            erase(worker, key, id).await?;
            let id = String::from_utf8_lossy(&quoted(id)).into_owned();
            format!("{{\"id\":{id},\"object\":\"response\",\"deleted\":true}}").into()
        }
        (&Method::POST, _) => {
            let public = "only a response that runs in the background can be cancelled; this one has ended";
            return Err(Error::bad_request("response_id", public));
        }
        (_, "input_items") => listed(&kept.request, &kept.exchange.to_string()).into(),
        _ => response(&kept),
    };
    let mut answer = Response::new(AnswerBody::full(body));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(Own::Here(answer))
}

fn response(kept: &Kept) -> Bytes {
    match kept.is_stream {
        false => kept.answer.clone(),
        true => response_of(&kept.answer, true).map(|text| text.into_owned().into()).unwrap_or_default(),
    }
}

/// Erases what is kept of a response of the caller with that key, wherever the response itself is held.
///
/// # Errors
/// [`Kind::Internal`] where the store refuses.
pub(super) async fn erase(worker: &Worker, key: &Arc<str>, id: &str) -> Result<(), Error> {
    let Some(recorder) = worker.shared.bodies.get() else { return Ok(()) };
    let (key, id) = (Arc::clone(key), id.to_owned());
    aside(worker, recorder, move |store| store.erase(&Erase::Response { key: &key, id: &id })).await.map(drop)
}

/// Asks the store without holding up the other exchanges of this thread.
async fn aside<T: Send + 'static>(
    worker: &Worker,
    recorder: &BodyRecorder,
    ask: impl FnOnce(&BodyRecorder) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Error> {
    let failed = "the kept bodies cannot be reached; try again, and tell whoever runs the gateway";
    let recorder = recorder.clone();
    let asked = worker.shared.tasks.spawn_blocking(move || ask(&recorder)).await;
    asked
        .map_err(|error| Error::new(Kind::Internal, failed).because(error))?
        .map_err(|error| Error::new(Kind::Internal, failed).because(error))
}
