//! Going on from an earlier response that the target does not hold, where its bodies are kept here: what was said before is
//! put before what is asked now.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Note;
use pilothouse_store::BodyRecorder;
use pilothouse_wire::continued::{PREVIOUS, Turn, items_of, joined, previous_of};

use super::choose::Choice;
use super::read::Asked;
use crate::job::Job;
use crate::plan::Plan;
use crate::shared::Worker;

/// Most turns that a conversation is followed back.
const TURNS_MAX: usize = 64;

/// Puts the conversation that a request goes on with before its input, where the target does not hold it and we do.
///
/// # Errors
/// [`Kind::NotFound`] where nobody here knows the response under the caller's key, [`Kind::BadRequest`] where part of the
/// conversation is missing, [`Kind::TooLarge`] where it exceeds the bound on request bodies.
pub(super) async fn go_on(
    worker: &Worker,
    plan: &Plan,
    asked: &mut Asked<'_>,
    choice: &Choice,
    job: &mut Job,
) -> Result<(), Error> {
    // Another target begins with what the client sent: it may hold other parts of the conversation.
    if let Some(sent) = asked.as_sent.take() {
        asked.rewrite(sent, plan)?;
    }
    if asked.members.get(&asked.body, PREVIOUS).is_none() {
        return Ok(());
    }
    let (Some(recorder), Some(id)) = (worker.shared.bodies.get(), previous_of(&asked.body)) else {
        return Ok(());
    };
    let target = choice.is_same_dialect.then(|| Arc::clone(&choice.provider().name));
    let held = worker.shared.responses.lock().unwrap_or_else(PoisonError::into_inner).find(&id, &asked.key);
    if held.is_some() && held == target {
        return Ok(());
    }
    let chain = Chain {
        recorder: recorder.clone(),
        key: Arc::clone(&asked.key),
        target,
        bytes_max: plan.body_bytes_max,
    };
    let sent = Bytes::clone(&asked.body);
    let body = Bytes::clone(&sent);
    // The disk is read aside: other exchanges of this thread go on meanwhile.
    let read = worker.shared.tasks.spawn_blocking(move || chain.read(&id, &body));
    let read = Box::pin(read).await;
    match read
        .map_err(|error| Error::new(Kind::Internal, "reading kept bodies broke down").because(error))??
    {
        None => Ok(()),
        Some(Joined { body, edit, losses }) => {
            job.edited(edit);
            job.lost(losses);
            asked.as_sent = Some(sent);
            asked.rewrite(body.into(), plan)
        }
    }
}

/// A body with the conversation before it.
struct Joined {
    body: Vec<u8>,
    edit: Note,
    losses: Vec<Note>,
}

/// A conversation to be read.
struct Chain {
    recorder: BodyRecorder,
    key: Arc<str>,
    /// The provider that is asked now, where it speaks Responses and may hold what is gone on from.
    target: Option<Arc<str>>,
    bytes_max: u64,
}

impl Chain {
    /// The body with the conversation before its input; `None` where the target holds it, or may.
    fn read(&self, first: &str, body: &[u8]) -> Result<Option<Joined>, Error> {
        let (mut id, mut turns, mut losses) = (first.to_owned(), Vec::new(), Vec::new());
        let mut bytes = body.len() as u64;
        loop {
            let found = self.recorder.find(&self.key, &id).map_err(|error| {
                let public = "the kept bodies cannot be read; send the whole conversation in `input`, and tell whoever runs \
                              the gateway";
                Error::new(Kind::Internal, public).because(error)
            })?;
            let Some(kept) = found else {
                // What passed before bodies were kept may be held by its vendor, who says so otherwise.
                let may_be_held = turns.is_empty() && self.target.is_some();
                return if may_be_held { Ok(None) } else { Err(missing(first, &id)) };
            };
            let is_own = kept.holder.is_some() && kept.holder.as_deref() == self.target.as_deref();
            if is_own && turns.is_empty() {
                return Ok(None);
            }
            let turn =
                Turn { request: &kept.request, answer: &kept.answer, is_stream: kept.is_stream, is_own };
            let items = items_of(&turn, &mut losses).map_err(|unfit| broken(&id, unfit.reason()))?;
            bytes += items.iter().map(|item| item.get().len() as u64).sum::<u64>();
            turns.push(items);
            if bytes > self.bytes_max || turns.len() > TURNS_MAX {
                return Err(too_long(self.bytes_max));
            }
            match previous_of(&kept.request) {
                Some(previous) => id = previous,
                None => break,
            }
        }
        let told = format!("{} turns before `{}`", turns.len(), shown(first));
        let edit = Note::new("set:input", &told);
        let before: Vec<_> = turns.into_iter().rev().flatten().collect();
        Ok(Some(Joined { body: joined(body, &before)?, edit, losses }))
    }
}

fn shown(id: &str) -> String {
    id.chars().take(80).collect()
}

fn missing(first: &str, id: &str) -> Error {
    let public = if first == id {
        format!(
            "the response `{}` is not kept here under this key: it was never, is too old, or was erased; send the whole \
             conversation in `input`",
            shown(id)
        )
    } else {
        format!(
            "the response `{}` goes on from `{}`, which is not kept here any more; send the whole conversation in `input`",
            shown(first),
            shown(id)
        )
    };
    Error { param: Some(PREVIOUS.into()), ..Error::new(Kind::NotFound, public) }
}

fn broken(id: &str, reason: &str) -> Error {
    let public = format!(
        "the response `{}` {reason}, so that no other vendor can go on from it; send the whole conversation in `input`",
        shown(id)
    );
    Error::bad_request(PREVIOUS, public)
}

fn too_long(bytes_max: u64) -> Error {
    let public = format!(
        "the conversation before this request has more than {TURNS_MAX} turns or {bytes_max} bytes; send in `input` what is \
         still needed of it"
    );
    Error { param: Some(PREVIOUS.into()), ..Error::new(Kind::TooLarge, public) }
}
