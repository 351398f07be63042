//! Turning to a target: whether it rests, whether a further failover may be afforded, and a place within its limits.

use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use pilothouse_core::error::{Error, Kind, Retry};
use pilothouse_core::exchange::Note;
use pilothouse_routing::health::breaker::Standing;
use rustc_hash::FxHasher;
use smallvec::SmallVec;
use tokio::time::Instant;

use super::choose::{Choice, Order};
use super::onward::Onward;
use super::read::Asked;
use crate::concurrency::{Full, Place, WAIT_MAX};
use crate::job::Job;
use crate::plan::Plan;
use crate::shared::Shared;

/// The places of one call at one target.
pub(crate) type Places = SmallVec<[Place; 2]>;

/// One step along an order of targets.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) order: &'a Order,
    /// Which of them it is.
    pub(super) nth: usize,
    /// How many are left behind it.
    pub(super) left: usize,
    /// How many have been asked and have failed.
    pub(super) failed: usize,
}

/// Takes a place on the route itself, where it has a limit.
///
/// # Errors
/// [`Kind::RateLimited`] where none became free in time.
pub(super) async fn enter_route(
    order: &Order,
    asked: &Asked<'_>,
    onward: &Onward,
    job: &mut Job,
) -> Result<(), Error> {
    let Some(limit) = order.route.as_ref().and_then(|route| route.limit.as_ref()) else { return Ok(()) };
    let place = match limit.try_enter() {
        Ok(place) => place,
        Err(_) => {
            let began = Instant::now();
            let until = onward.until().unwrap_or(began + WAIT_MAX);
            let place = Box::pin(limit.enter(digest(&asked.key), until)).await;
            waited(job, &limit.of().to_string(), began);
            place.map_err(Full::into_error)?
        }
    };
    job.takes_route(place);
    Ok(())
}

/// Takes the places of a call that has one target and no deadline: on the route that it names, then at the target.
///
/// # Errors
/// [`Kind::RateLimited`] where none became free within `wait`.
pub(super) async fn enter_only(
    plan: &Plan,
    choice: &Choice,
    key: &str,
    wait: Duration,
    job: &mut Job,
) -> Result<(), Error> {
    let until = Instant::now() + wait;
    if let Some(limit) = plan.route(&choice.resolution.asked).and_then(|route| route.limit.as_ref()) {
        let place = Box::pin(limit.enter(digest(key), until)).await;
        job.takes_route(place.map_err(Full::into_error)?);
    }
    let mut places = Places::new();
    for limit in &choice.resolution.target.limits {
        let place = Box::pin(limit.enter(digest(key), until)).await;
        places.push(place.map_err(Full::into_error)?);
    }
    job.takes(places);
    Ok(())
}

/// Turns to a target. False where another one is to be asked.
///
/// # Errors
/// The error of a call that nobody can take now.
pub(super) async fn turn_to(
    shared: &Shared,
    step: Step<'_>,
    choice: &Choice,
    asked: &Asked<'_>,
    onward: &Onward,
    job: &mut Job,
) -> Result<bool, Error> {
    let is_on_route = step.order.route.is_some();
    if let Err(rests_ms) = job.turns_to(choice, is_on_route)
        && step.left > 0
    {
        job.passed_over(choice, &format!("rests for {rests_ms} ms"));
        return Ok(false);
    }
    if step.failed > 1 && is_on_route && !may_fail_over(shared, choice) {
        if step.left > 0 {
            job.passed_over(choice, "may have no further failover now");
            return Ok(false);
        }
        let public = "several targets have failed, and what further failovers may add to the load of the last one is used up; \
                      try again in a moment";
        return Err(Error { retry: Retry::After(Some(1_000)), ..Error::new(Kind::Overloaded, public) });
    }
    if choice.resolution.target.limits.is_empty() {
        return Ok(true);
    }
    // Boxed: few targets have limits, and every exchange would carry the room of one that waits.
    match Box::pin(enter(shared, step, choice, asked, onward, job)).await {
        Ok(places) => {
            job.takes(places);
            Ok(true)
        }
        Err(full) if step.left > 0 => {
            job.passed_over(choice, &full.to_string());
            Ok(false)
        }
        Err(full) => Err(full.into_error()),
    }
}

/// Whether a failover behind the first one may add to the target's load.
fn may_fail_over(shared: &Shared, choice: &Choice) -> bool {
    !choice.provider().has_breaker || choice.resolution.target.health.retries.take(shared.clock.now())
}

/// Takes the places of a call: at once, or, where nobody else has room, after a while in the queue.
async fn enter(
    shared: &Shared,
    step: Step<'_>,
    choice: &Choice,
    asked: &Asked<'_>,
    onward: &Onward,
    job: &mut Job,
) -> Result<Places, Full> {
    let full = match try_enter(choice) {
        Ok(places) => return Ok(places),
        Err(full) => full,
    };
    // A conversation in the middle of a tool loop waits for its target; others are better served elsewhere.
    let is_held = step.order.is_in_tool_loop && step.nth == 0;
    let has_room = |other: &Choice| has_room(shared, other);
    let is_elsewhere = !is_held && step.order.each().skip(step.nth + 1).any(|(other, _)| has_room(other));
    // The first failover may wait as a first call may; a further one only takes what is free.
    if is_elsewhere || step.failed > 1 {
        return Err(full);
    }
    let began = Instant::now();
    let until = onward.until().unwrap_or(began + WAIT_MAX);
    let mut places = Places::new();
    let key = digest(&asked.key);
    for limit in &choice.resolution.target.limits {
        let place = limit.enter(key, until).await;
        if place.is_err() {
            waited(job, &limit.of().to_string(), began);
        }
        places.push(place?);
    }
    waited(job, &choice.name(), began);
    job.turn_begins();
    Ok(places)
}

/// Takes the places of a call where they are free.
///
/// # Errors
/// What is full.
pub(super) fn try_enter(choice: &Choice) -> Result<Places, Full> {
    choice.resolution.target.limits.iter().map(|limit| limit.try_enter()).collect()
}

/// Whether a target that can be called has room.
fn has_room(shared: &Shared, choice: &Choice) -> bool {
    let target = &choice.resolution.target;
    !matches!(target.health.standing(shared.clock.now()), Standing::Open { .. })
        && target.limits.iter().all(|limit| limit.has_room())
}

/// Notes how long a call was in a queue.
fn waited(job: &mut Job, of: &str, began: Instant) {
    let detail = format!("{} ms for {of}", began.elapsed().as_millis());
    job.noted(Note::new("queue", &detail));
}

/// What the queue knows a key by, to be fair between them.
fn digest(key: &str) -> u64 {
    let mut hasher = FxHasher::default();
    key.hash(&mut hasher);
    hasher.finish()
}
