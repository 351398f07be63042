//! A stream that was given before, and is given again as it was.

use std::task::Poll;

use bytes::Bytes;
use http_body::Frame;
use pilothouse_core::exchange::Outcome;
use pilothouse_wire::facts::Facts;

use super::Broken;
use crate::job::Job;

/// A stream that is given again, all at once: nobody has to wait for a model that has spoken already.
pub struct ReplayedBody {
    bytes: Bytes,
    /// `None` when the exchange has been recorded.
    job: Option<Job>,
    facts: Facts,
}

impl ReplayedBody {
    /// A stream of these bytes, which told these facts.
    #[must_use]
    pub fn new(bytes: Bytes, job: Job, facts: Facts) -> Self {
        Self { bytes, job: Some(job), facts }
    }

    pub(super) fn poll(&mut self) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(mut job) = self.job.take() else { return Poll::Ready(None) };
        job.first_token();
        job.gave(self.bytes.len());
        job.finish(Outcome::Complete, std::mem::take(&mut self.facts));
        Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.bytes)))))
    }
}
