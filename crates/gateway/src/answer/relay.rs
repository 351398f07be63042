//! A stream that passes through: the vendor's bytes, with facts read on the way.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Outcome;
use pilothouse_upstream::Body;
use pilothouse_wire::codec::VendorError;
use pilothouse_wire::facts::StreamError;
use pilothouse_wire::framing::Framing;
use pilothouse_wire::relay::Relay;

use super::{Broken, Ending, First, Held};
use crate::drain::Place;
use crate::job::Job;
use crate::pipeline::error_codec;

/// A stream that passes through.
pub struct RelayBody {
    body: Body,
    relay: Relay,
    /// `None` when the exchange has been recorded.
    job: Option<Job>,
    dialect: Dialect,
    vendor: Arc<str>,
    place: Place,
    has_first_token: bool,
    first: First,
    /// What came before the model said anything, where the stream was held until then.
    held: BytesMut,
    /// What came next when holding ended.
    pending: Option<Step>,
    ending: Option<Ending>,
    is_done: bool,
}

/// What comes next of a vendor's stream.
enum Step {
    /// Bytes for the client.
    Out(Bytes),
    /// Its end, clean or not.
    Over,
    /// It failed, behind these bytes.
    Failed(Bytes, Error),
}

impl RelayBody {
    /// A stream of `body`, which speaks the client's `dialect`.
    #[must_use]
    pub fn new(body: Body, relay: Relay, job: Job, dialect: Dialect, vendor: Arc<str>, place: Place) -> Self {
        Self {
            body,
            relay,
            job: Some(job),
            dialect,
            vendor,
            place,
            has_first_token: false,
            first: First::default(),
            held: BytesMut::new(),
            pending: None,
            ending: None,
            is_done: false,
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(ending) = &mut self.ending {
            return ending.poll(cx);
        }
        if self.is_done {
            return Poll::Ready(None);
        }
        if self.first.must_leave(cx) {
            return Poll::Pending;
        }
        if !self.held.is_empty() {
            let held = self.held.split().freeze();
            return self.give(held);
        }
        let step = match self.pending.take() {
            Some(step) => step,
            None => ready!(self.step(cx)),
        };
        match step {
            Step::Out(out) => self.give(out),
            Step::Over => self.end(cx),
            Step::Failed(before, error) => self.fail(cx, &before, &error),
        }
    }

    fn give(&mut self, out: Bytes) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.first.given();
        self.gave(out.len());
        Poll::Ready(Some(Ok(Frame::data(out))))
    }

    /// What comes next of the vendor's stream.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            let next = match self.body.poll_data(cx) {
                Poll::Ready(next) => next,
                Poll::Pending if self.place.poll_is_over(cx) => {
                    return Poll::Ready(Step::Failed(Bytes::new(), stopping()));
                }
                Poll::Pending => return Poll::Pending,
            };
            match next {
                Some(Ok(chunk)) => {
                    let out = self.relay.push(chunk);
                    self.saw_output();
                    if let Err(error) = self.is_paid() {
                        return Poll::Ready(Step::Failed(out, error));
                    }
                    if self.relay.is_oversized() {
                        return Poll::Ready(Step::Failed(out, oversized(&self.vendor)));
                    }
                    if self.relay.is_malformed() {
                        return Poll::Ready(Step::Failed(out, malformed(&self.vendor, self.dialect)));
                    }
                    if !out.is_empty() {
                        return Poll::Ready(Step::Out(out));
                    }
                }
                None => return Poll::Ready(Step::Over),
                // Nothing is missing, or the vendor has said itself why something is.
                Some(Err(_)) if self.relay.has_last_word() => return Poll::Ready(Step::Over),
                Some(Err(failure)) => {
                    return Poll::Ready(Step::Failed(Bytes::new(), failure.into_error(&self.vendor)));
                }
            }
        }
    }

    /// Whether the vendor's last chunk or error event has come.
    fn is_over(&self) -> bool {
        let facts = self.relay.facts();
        facts.is_terminated || facts.error.is_some()
    }

    fn saw_output(&mut self) {
        if !self.has_first_token && self.relay.has_output() {
            self.has_first_token = true;
            if let Some(job) = &mut self.job {
                job.first_token();
            }
        }
    }

    /// Whether somebody pays for what came.
    fn is_paid(&mut self) -> Result<(), Error> {
        let written = self.relay.facts().output_bytes;
        self.job.as_mut().map_or(Ok(()), |job| job.pays_for(written))
    }

    fn gave(&mut self, bytes: usize) {
        if let Some(job) = &mut self.job {
            job.gave(bytes);
        }
    }

    /// The vendor's stream has ended cleanly: whole if its terminator came, else cut. After an error event of
    /// the vendor's own there is nothing to tell, but the end is no clean one.
    fn end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let rest = self.relay.finish();
        let facts = self.relay.facts();
        if !facts.is_terminated && facts.error.is_none() {
            let error = unfinished(&self.vendor);
            return self.fail(cx, &[], &error);
        }
        let is_whole = facts.is_terminated;
        self.gave(rest.len());
        self.record();
        if !is_whole {
            let ending = self.ending.insert(Ending::after(rest));
            return ending.poll(cx);
        }
        self.is_done = true;
        if rest.is_empty() { Poll::Ready(None) } else { Poll::Ready(Some(Ok(Frame::data(rest)))) }
    }

    fn record(&mut self) {
        let Some(job) = self.job.take() else { return };
        let facts = self.relay.take_facts();
        match &facts.error {
            None => job.finish(Outcome::Complete, facts),
            Some(error) => {
                let (kind, message) = (error.kind, error.message.clone());
                job.fail_with(kind, &message, 200, facts);
            }
        }
    }

    /// Gives what came `before` the failure, tells the client in its dialect, then breaks off.
    fn fail(
        &mut self,
        cx: &mut Context<'_>,
        before: &[u8],
        error: &Error,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let mut event = BytesMut::from(before);
        if let Some(interruption) = self.relay.interruption() {
            event.extend_from_slice(interruption);
            event
                .extend_from_slice(&error_codec(self.dialect).encode_stream_error(&VendorError::from(error)));
        }
        self.gave(event.len());
        let facts = self.relay.take_facts();
        if let Some(job) = self.job.take() {
            job.fail(error, 200, facts);
        }
        let ending = self.ending.insert(Ending::after(event.freeze()));
        Poll::Ready(ready!(ending.poll(cx)))
    }
}

impl Held for RelayBody {
    fn job(&mut self) -> &mut Option<Job> {
        &mut self.job
    }

    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Box<VendorError>>> {
        loop {
            let step = ready!(self.step(cx));
            let facts = self.relay.facts();
            // One read may bring the first word and the failure behind it.
            if self.has_first_token || (facts.is_terminated && facts.error.is_none()) {
                self.pending = Some(step);
                return Poll::Ready(Ok(()));
            }
            let error = match (&facts.error, step) {
                (Some(error), _) => told(error),
                (None, Step::Out(out)) => {
                    self.held.extend_from_slice(&out);
                    continue;
                }
                (None, Step::Over) => unfinished(&self.vendor),
                (None, Step::Failed(_, error)) => error,
            };
            return Poll::Ready(Err(Box::new(VendorError::from(&error))));
        }
    }
}

impl Drop for RelayBody {
    /// The client went away; an answer that was whole by then counts as whole, and one whose vendor had told an
    /// error (at which SDKs hang up) as failed.
    fn drop(&mut self) {
        if self.is_over() {
            self.record();
        } else if let Some(job) = self.job.take() {
            job.finish(Outcome::Cancelled, self.relay.take_facts());
        }
    }
}

/// An error that the vendor told within its stream.
fn told(error: &StreamError) -> Error {
    Error::new(error.kind, error.message.clone())
}

pub(super) fn unfinished(vendor: &str) -> Error {
    Error::new(Kind::Cut, format!("the answer of `{vendor}` ended before it was complete; try again"))
}

pub(super) fn stopping() -> Error {
    Error::new(Kind::Overloaded, "the gateway is being stopped and this stream's time is up; try again")
}

fn malformed(vendor: &str, dialect: Dialect) -> Error {
    let what = match Framing::of(dialect) {
        Framing::Sse => "an event that is not JSON",
        Framing::EventStream => "a damaged message",
    };
    Error::new(Kind::BadAnswer, format!("`{vendor}` sent {what}; try again"))
}

fn oversized(vendor: &str) -> Error {
    Error::new(
        Kind::BadAnswer,
        format!("`{vendor}` sent an event of more than 16 MiB, which no client could read"),
    )
}
