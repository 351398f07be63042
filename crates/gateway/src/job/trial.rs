//! An exchange whose answer waits for a verdict: when the answer has ended, nothing is recorded yet.

use std::sync::{Arc, Mutex, PoisonError};

use pilothouse_core::exchange::Outcome;
use pilothouse_wire::facts::Facts;

use super::{Job, Parts};

/// Where a job is put when its answer has ended, until somebody has judged it.
#[derive(Default)]
pub(crate) struct Trial(Mutex<Option<Tested>>);

/// A job whose answer has ended. Dropped without a verdict, its client is gone.
pub(crate) struct Tested {
    job: Option<Job>,
    outcome: Outcome,
    facts: Facts,
}

impl Trial {
    pub(super) fn put(&self, job: Job, outcome: Outcome, facts: Facts) {
        let tested = Tested { job: Some(job), outcome, facts };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(tested);
    }

    /// The job, once its answer has ended.
    pub(crate) fn take(&self) -> Option<Tested> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Tested {
    /// How the answer ended.
    pub(crate) const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The job, while it has not ended.
    pub(crate) const fn job(&mut self) -> Option<&mut Job> {
        self.job.as_mut()
    }

    /// The answer is passed on: the exchange ends with it.
    pub(crate) fn pass(mut self) {
        if let Some(job) = self.job.take() {
            job.finish(self.outcome, std::mem::take(&mut self.facts));
        }
    }

    /// The answer is paid for and not passed on; the exchange goes on.
    pub(crate) fn set_aside(mut self, why: &str) -> Option<Job> {
        let mut job = self.job.take()?;
        job.sets_aside(self.outcome, &self.facts, why);
        Some(job)
    }
}

impl Drop for Tested {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            let outcome = match self.outcome {
                Outcome::Complete => Outcome::Cancelled,
                other => other,
            };
            job.finish(outcome, std::mem::take(&mut self.facts));
        }
    }
}

impl Job {
    /// From now on the answer waits for a verdict.
    pub(crate) fn goes_on_trial(&mut self, trial: &Arc<Trial>) {
        self.rare().trial = Some(Arc::clone(trial));
    }

    /// Nothing came that could be judged.
    pub(crate) fn leaves_trial(&mut self) {
        self.rare().trial = None;
    }

    /// The job itself, where only a borrow of it is at hand; what is left behind records nothing.
    pub(super) fn handed_over(&mut self) -> Self {
        Self(Box::new(Parts {
            shared: Arc::clone(&self.shared),
            started: self.started,
            exchange: self.exchange.take(),
            resolution: self.resolution.take(),
            was_sent: self.was_sent,
            is_free: self.is_free,
            watch: self.watch.take(),
            course: self.course.take(),
            holds: self.holds.take(),
            rare: self.rare.take(),
        }))
    }
}
