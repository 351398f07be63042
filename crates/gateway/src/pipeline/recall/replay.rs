//! Gives a kept answer again: as an exchange of its own, which costs nothing.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use pilothouse_cache::answers::Found;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{Note, Outcome};
use pilothouse_wire::facts::Facts;

use super::{CACHE, govern};
use crate::answer::{AnswerBody, ReplayedBody};
use crate::cache::{Kept, Recalled};
use crate::job::Job;
use crate::pipeline::read::Asked;
use crate::pipeline::refuse::failed;
use crate::pipeline::relay::answer_with;
use crate::pipeline::{Answer, CHANGED};
use crate::plan::Plan;
use crate::shared::Worker;

/// Gives a kept answer again. It counts as a request of its key, and uses no tokens and no money.
pub(super) fn replay(
    worker: &Arc<Worker>,
    plan: &Plan,
    dialect: Dialect,
    asked: &mut Asked<'_>,
    found: &Found<Kept>,
    recalled: Recalled,
) -> Answer {
    let shared = &worker.shared;
    let kept = &found.value;
    let mut job = Job::new(shared, dialect, std::mem::take(&mut asked.caller), asked.called().into());
    job.note(|exchange| {
        exchange.streamed = asked.is_stream;
        exchange.request_bytes = asked.body.len() as u64;
        exchange.shape = Some(asked.shape(dialect));
    });
    if let Some(watch) = &asked.watch {
        job.watched_by(watch);
    }
    let route = plan.route(asked.called()).map(|route| &*route.name);
    if let Err(error) = govern::hold(shared, plan, &govern::Who::asks(asked), route, &mut job) {
        return failed(dialect, job, &error);
    }
    asked.body.release();
    let made = &kept.made;
    job.recalled(made.target.clone(), made.bill.cost);
    if let Some(target) = &made.target
        && let Ok(resolution) = plan.resolve(&format!("{}/{}", target.vendor, target.model))
    {
        job.answers_for(resolution.target.life.as_ref());
    }
    job.noted(note(kept, found.age_ms, recalled));
    let facts = Facts { answer: made.answer.clone(), ..Facts::default() };
    let headers = headers(kept, found.age_ms, asked.is_stream, recalled);
    if asked.is_stream {
        let mut answer = answer_with(StatusCode::OK, headers, AnswerBody::Full(None), &job);
        let body = ReplayedBody::new(kept.body.clone(), job, facts);
        *answer.body_mut() = AnswerBody::Replayed(Box::new(body));
        answer
    } else {
        job.gave(kept.body.len());
        let answer = answer_with(StatusCode::OK, headers, AnswerBody::full(kept.body.clone()), &job);
        job.finish(Outcome::Complete, facts);
        answer
    }
}

fn headers(kept: &Kept, age_ms: u64, is_stream: bool, recalled: Recalled) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(kind) = &kept.content_type {
        headers.insert(header::CONTENT_TYPE, kind.clone());
    }
    if let Some(changed) = &kept.changed {
        headers.insert(CHANGED, changed.clone());
    }
    if is_stream {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    headers.insert(CACHE, HeaderValue::from_static(recalled.as_str()));
    headers.insert(header::AGE, HeaderValue::from(age_ms / 1000));
    headers
}

/// What the receipt says of it.
fn note(kept: &Kept, age_ms: u64, recalled: Recalled) -> Note {
    let saved = match kept.made.bill.cost.known() {
        Some(amount) => format!("${amount}"),
        None => "an unknown amount".to_owned(),
    };
    let age = age_ms / 1000;
    let detail = format!("the answer of {}, kept for {age} s; saved {saved}", kept.made.exchange);
    Note::new(format!("cache:{}", recalled.as_str()), &detail)
}
