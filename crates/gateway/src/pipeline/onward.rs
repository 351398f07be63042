//! What becomes of an attempt that failed: the client is told, or the next target is asked.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::time::Duration;

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_wire::codec::{VendorError, is_too_long};
use pilothouse_wire::facts::Facts;
use tokio::time::Instant;

use super::choose::Order;
use super::gone::is_about_the_model;
use super::refuse::{error_answer, failed};
use super::{Answer, stamp};
use crate::answer::Held;
use crate::job::Job;
use crate::plan::Plan;

/// The answer for the client, or the job of an attempt that brought nothing, for the next target.
pub(super) type Tried = Result<Answer, Job>;

/// The answer of an attempt that nothing comes after.
pub(super) fn last(dialect: Dialect, tried: Tried) -> Answer {
    let lost = || Error::new(Kind::Internal, "no target is left to ask");
    tried.unwrap_or_else(|job| failed(dialect, job, &lost()))
}

/// What an attempt must know of those around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Onward {
    /// Another target is left.
    pub(super) has_next: bool,
    /// Streams are held until the model has said something, or for so long.
    pub(super) hold: Option<Duration>,
    /// When there must be an answer.
    pub(super) deadline: Option<Deadline>,
    /// Further attempts at this target, where the provider does not decide.
    pub(super) retries: Option<u32>,
    /// A model that is gone is told, or followed, in our own words.
    pub(super) minds_gone: bool,
    /// A stream of text that breaks off is continued, where the model can.
    pub(super) resumes: bool,
    /// The model may turn out to be gone, and another one may follow it.
    pub(super) may_follow: bool,
}

/// When there must be an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    /// How long that is in all, for people.
    all: Duration,
}

impl Deadline {
    /// So long from now.
    pub(super) fn after(all: Duration) -> Self {
        Self { at: Instant::now() + all, all }
    }

    /// Whether it has passed.
    pub(super) fn has_passed(self) -> bool {
        Instant::now() >= self.at
    }

    fn error(self) -> Error {
        let seconds = self.all.as_secs_f64();
        let public = format!(
            "no answer came within the deadline of {seconds} s; raise `deadline` of the route, or ask a faster target"
        );
        Error::new(Kind::Timeout, public)
    }
}

impl Onward {
    /// What the attempts of a call share.
    pub(super) fn of(order: &Order, plan: &Plan) -> Self {
        let route = order.route.as_deref();
        let deadline = match route {
            Some(route) => route.deadline,
            None => plan.deadline(),
        };
        Self {
            has_next: false,
            hold: route.map(|route| route.commit_after),
            deadline: order.until.or_else(|| deadline.map(Deadline::after)),
            retries: None,
            minds_gone: true,
            may_follow: false,
            resumes: route.is_some_and(|route| route.resume),
        }
    }

    /// The same for a target behind which so many are left: while one is, asking it is better than waiting.
    pub(super) fn before(self, left: usize, order: &Order) -> Self {
        let between = order.route.as_ref().map(|route| route.retries);
        Self { has_next: left > 0, retries: between.filter(|_| left > 0), ..self }
    }

    /// When there must be an answer.
    pub(super) fn until(&self) -> Option<Instant> {
        self.deadline.map(|deadline| deadline.at)
    }

    /// The same for a second call beside the first one: what it fails with is told to nobody while that one goes on.
    pub(super) const fn for_hedge(self) -> Self {
        Self { has_next: false, retries: Some(0), minds_gone: false, ..self }
    }

    /// An attempt that nothing comes after.
    pub(super) const fn only(deadline: Option<Deadline>) -> Self {
        Self {
            has_next: false,
            hold: None,
            deadline,
            retries: None,
            minds_gone: false,
            may_follow: false,
            resumes: false,
        }
    }

    /// Whether the request may be needed for another target.
    pub(super) const fn keeps_request(&self) -> bool {
        self.has_next || self.may_follow
    }

    /// Whether a route was called.
    pub(super) const fn is_on_route(&self) -> bool {
        self.hold.is_some()
    }

    /// Holds a stream until the model has said something. When the time is over, a vendor that lives is believed.
    ///
    /// # Errors
    /// What the stream failed with before that, or that the deadline has passed, and the exchange to go on with.
    pub(super) async fn hold(&self, body: &mut impl Held) -> Result<(), (Box<VendorError>, Job)> {
        let Some(most) = self.hold else { return Ok(()) };
        let until = Instant::now() + most;
        let until = self.deadline.map_or(until, |deadline| deadline.at.min(until));
        let held = tokio::time::timeout_at(until, poll_fn(|cx| body.poll_held(cx))).await;
        let late = || self.deadline.filter(|deadline| deadline.has_passed());
        let error = match held {
            Ok(result) => result.err(),
            Err(_) => late().map(|deadline| Box::new(VendorError::from(&deadline.error()))),
        };
        match (error, body.job().take()) {
            (Some(error), Some(job)) => Err((error, job)),
            (_, job) => {
                *body.job() = job;
                Ok(())
            }
        }
    }

    /// Waits for something that brings an answer, until the deadline.
    ///
    /// # Errors
    /// What it fails with, or that the deadline has passed.
    pub(super) async fn within<T>(
        &self,
        coming: Pin<&mut impl Future<Output = Result<T, Error>>>,
    ) -> Result<T, Error> {
        let Some(deadline) = self.deadline else { return coming.await };
        match tokio::time::timeout_at(deadline.at, coming).await {
            Ok(result) => result,
            Err(_) => Err(deadline.error()),
        }
    }

    /// An attempt that came to nothing for a reason of ours, or on the way to the vendor.
    pub(super) fn lost(&self, dialect: Dialect, mut job: Job, error: &Error) -> Tried {
        if self.goes_on(error.kind) {
            job.attempt_failed(error.kind, None);
            job.target_failed(error.kind, None, None);
            return Err(job);
        }
        Ok(failed(dialect, job, error))
    }

    /// An attempt whose stream failed before the model had said anything.
    pub(super) fn lost_early(&self, dialect: Dialect, mut job: Job, error: &VendorError) -> Tried {
        if self.goes_on(error.kind) {
            job.attempt_failed(error.kind, None);
            job.target_failed(error.kind, None, None);
            return Err(job);
        }
        let mut answer = error_answer(dialect, error, Some(job.id()));
        stamp(&mut answer, &job);
        let status = answer.status().as_u16();
        job.fail_with(error.kind, &error.message, status, Facts::default());
        Ok(answer)
    }

    /// An attempt that the vendor refused: whether the next target is asked. The attempt is then in the receipt.
    pub(super) fn passes_by(
        &self,
        status: u16,
        error: &VendorError,
        asked_pause: Option<Duration>,
        job: &mut Job,
    ) -> bool {
        let kind = pilothouse_wire::codec::kind_of_status(status, &error.message);
        let is_gone = self.minds_gone && matches!(status, 404 | 410) && is_gone(status, error, job);
        if is_gone {
            job.is_gone(status, &error.message);
        }
        let goes_on = is_of_target(status, is_too_long(error)) && (is_gone || self.may_go_on());
        if goes_on {
            let pause_ms = asked_pause.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
            job.attempt_failed(kind, Some(status));
            job.target_failed(kind, Some(status), pause_ms);
        }
        goes_on
    }

    fn may_go_on(&self) -> bool {
        self.has_next && self.deadline.is_none_or(|deadline| !deadline.has_passed())
    }

    /// Whether a failure of that class may be another target's success.
    fn goes_on(&self, kind: Kind) -> bool {
        let is_of_target =
            !matches!(kind, Kind::Unauthorized | Kind::Forbidden | Kind::NotFound | Kind::Internal);
        is_of_target && self.may_go_on()
    }
}

/// Whether a refusal with that status is the target's own, so that another one may do better.
pub(crate) const fn is_of_target(status: u16, is_too_long: bool) -> bool {
    match status {
        // Our credential, or our account, at this vendor.
        401..=403 | 407 => true,
        // Here the model is unknown or gone; elsewhere it may not be.
        404 | 410 => true,
        400 | 413 | 422 => is_too_long,
        408 | 409 | 425 | 429 | 500..=599 => true,
        _ => false,
    }
}

/// Whether the model is gone, as its vendor says and the catalogue knows.
fn is_gone(status: u16, error: &VendorError, job: &Job) -> bool {
    let model = job.resolution().map(|resolution| &*resolution.target.model);
    model.is_some_and(|model| is_about_the_model(status, error, model)) && job.is_known_to_end()
}
