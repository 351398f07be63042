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
use pilothouse_wire::framing::Framing;
use pilothouse_wire::relay::Relay;

use super::{Broken, Ending, First};
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
    ending: Option<Ending>,
    is_done: bool,
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
        loop {
            let next = match self.body.poll_data(cx) {
                Poll::Ready(next) => next,
                Poll::Pending => {
                    if !self.place.poll_is_over(cx) {
                        return Poll::Pending;
                    }
                    return self.fail(cx, &[], &stopping());
                }
            };
            match next {
                Some(Ok(chunk)) => {
                    let out = self.relay.push(chunk);
                    self.saw_output();
                    if self.relay.is_oversized() {
                        return self.fail(cx, &out, &oversized(&self.vendor));
                    }
                    if self.relay.is_malformed() {
                        return self.fail(cx, &out, &malformed(&self.vendor, self.dialect));
                    }
                    if !out.is_empty() {
                        self.first.given();
                        self.gave(out.len());
                        return Poll::Ready(Some(Ok(Frame::data(out))));
                    }
                }
                None => return self.end(cx),
                // Nothing is missing, or the vendor has said itself why something is.
                Some(Err(_)) if self.relay.has_last_word() => return self.end(cx),
                Some(Err(failure)) => {
                    let error = failure.into_error(&self.vendor);
                    return self.fail(cx, &[], &error);
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
