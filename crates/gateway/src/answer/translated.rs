//! A stream that is rewritten in the client's dialect, event by event.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use pilothouse_core::conversation::StreamPart;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Outcome;
use pilothouse_upstream::Body;
use pilothouse_wire::codec::{StreamDecoder, StreamEncoder, VendorError};
use pilothouse_wire::facts::Scanner;
use pilothouse_wire::sse::{self, EVENT_MAX};
use tokio::time::Sleep;

use super::relay::{stopping, unfinished};
use super::{Broken, Ending, First};
use crate::drain::Place;
use crate::job::Job;
use crate::memory::Remembering;
use crate::pipeline::error_codec;

/// A silent stream shows that it lives this often.
const PING_EVERY: Duration = Duration::from_secs(15);

/// A stream that is rewritten in the client's dialect.
pub struct TranslatedBody {
    body: Body,
    rewriter: Rewriter,
    /// `None` when the exchange has been recorded.
    job: Option<Job>,
    dialect: Dialect,
    vendor: Arc<str>,
    place: Place,
    ping: Pin<Box<Sleep>>,
    has_first_token: bool,
    first: First,
    ending: Option<Ending>,
    is_done: bool,
}

/// The halves of a translation, and what is read on the way.
pub(crate) struct Rewriter {
    /// Reads the vendor's events.
    decoder: Box<dyn StreamDecoder + Send>,
    /// Writes the client's.
    encoder: Box<dyn StreamEncoder + Send>,
    /// Reads the facts.
    scanner: Scanner,
    /// Keeps what the client's dialect cannot carry back.
    remembering: Option<Remembering>,
    held: BytesMut,
    looked: usize,
    parts: Vec<StreamPart>,
    has_output: bool,
}

impl Rewriter {
    /// A rewriter of one stream.
    #[must_use]
    pub(crate) fn new(
        decoder: Box<dyn StreamDecoder + Send>,
        encoder: Box<dyn StreamEncoder + Send>,
        scanner: Scanner,
        remembering: Option<Remembering>,
    ) -> Self {
        Self {
            decoder,
            encoder,
            scanner,
            remembering,
            held: BytesMut::new(),
            looked: 0,
            parts: Vec::new(),
            has_output: false,
        }
    }

    /// Whether nothing can be missing behind what came, however the transport ends.
    fn has_last_word(&self) -> bool {
        self.scanner.facts().is_terminated && self.scanner.has_terminator()
    }

    /// Rewrites the events that `chunk` completes.
    fn push(&mut self, chunk: &Bytes, out: &mut Vec<u8>) -> Result<(), Box<VendorError>> {
        // Events that lie whole in the chunk, the usual case, are not copied.
        if self.held.is_empty() {
            let used = self.events(chunk, 0, out)?;
            self.held.extend_from_slice(&chunk[used..]);
        } else {
            self.held.extend_from_slice(chunk);
            let held = self.held.split().freeze();
            let used = self.events(&held, self.looked, out)?;
            self.held.extend_from_slice(&held[used..]);
        }
        self.looked = self.held.len();
        if self.held.len() > EVENT_MAX {
            return Err(Box::new(VendorError::from(&Error::new(Kind::BadAnswer, "an event exceeds 16 MiB"))));
        }
        Ok(())
    }

    fn events(
        &mut self,
        buf: &[u8],
        mut resume: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, Box<VendorError>> {
        let mut from = 0;
        while let Some(end) = sse::find_end(buf, from, resume) {
            self.event(&buf[from..end], out)?;
            from = end;
            resume = end;
        }
        Ok(from)
    }

    fn event(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Box<VendorError>> {
        self.has_output |= self.scanner.event(raw).has_output;
        let event = sse::parse(raw);
        if !event.has_data {
            return Ok(());
        }
        let name = event.name.and_then(|name| std::str::from_utf8(name).ok());
        let result = self.decoder.event(name, &event.data, &mut self.parts);
        for part in self.parts.drain(..) {
            if let Some(remembering) = &mut self.remembering {
                remembering.part(&part);
            }
            self.encoder.part(&part, out);
        }
        result
    }

    /// The vendor's stream has ended; writes the client's end.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Box<VendorError>> {
        let held = self.held.split().freeze();
        if !held.is_empty() {
            self.event(&held, out)?;
        }
        self.decoder.finish().map_err(|error| Box::new(VendorError::from(&error)))?;
        self.encoder.end(out);
        if let Some(remembering) = self.remembering.take() {
            remembering.keep();
        }
        Ok(())
    }
}

impl TranslatedBody {
    /// A stream of `body`, rewritten for a client of `dialect`.
    #[must_use]
    pub(crate) fn new(
        body: Body,
        rewriter: Rewriter,
        job: Job,
        dialect: Dialect,
        vendor: Arc<str>,
        place: Place,
    ) -> Self {
        Self {
            body,
            rewriter,
            job: Some(job),
            dialect,
            vendor,
            place,
            ping: Box::pin(tokio::time::sleep(PING_EVERY)),
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
            let mut out = Vec::new();
            let next = match self.body.poll_data(cx) {
                Poll::Ready(next) => next,
                Poll::Pending if self.place.poll_is_over(cx) => {
                    return self.fail(cx, out, &VendorError::from(&stopping()));
                }
                Poll::Pending => {
                    ready!(self.ping.as_mut().poll(cx));
                    self.rest();
                    return self.give(error_codec(self.dialect).keep_alive().to_vec());
                }
            };
            let result = match next {
                Some(Ok(chunk)) => {
                    out.reserve(chunk.len() * 2);
                    self.rewriter.push(&chunk, &mut out)
                }
                None => return self.end(cx, out),
                Some(Err(_)) if self.rewriter.has_last_word() => return self.end(cx, out),
                Some(Err(failure)) => Err(Box::new(VendorError::from(&failure.into_error(&self.vendor)))),
            };
            self.saw_output();
            if let Err(error) = result {
                return self.fail(cx, out, &error);
            }
            if !out.is_empty() {
                self.rest();
                return self.give(out);
            }
        }
    }

    /// The stream was heard of: the next ping is due later.
    fn rest(&mut self) {
        let due = tokio::time::Instant::now() + PING_EVERY;
        // Moving the timer for every event would cost more than the event; a second of slack is nothing.
        if self.ping.deadline() + Duration::from_secs(1) < due {
            self.ping.as_mut().reset(due);
        }
    }

    fn saw_output(&mut self) {
        if !self.has_first_token && self.rewriter.has_output {
            self.has_first_token = true;
            if let Some(job) = &mut self.job {
                job.first_token();
            }
        }
    }

    fn give(&mut self, out: Vec<u8>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.first.given();
        if let Some(job) = &mut self.job {
            job.gave(out.len());
        }
        Poll::Ready(Some(Ok(Frame::data(out.into()))))
    }

    fn end(&mut self, cx: &mut Context<'_>, mut out: Vec<u8>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Err(mut error) = self.rewriter.finish(&mut out) {
            if error.kind == Kind::Cut {
                // The codec knows what is missing, but not whose answer it is.
                *error = VendorError::from(&unfinished(&self.vendor));
            }
            return self.fail(cx, out, &error);
        }
        let losses = self.rewriter.encoder.losses();
        if let Some(job) = &mut self.job {
            job.gave(out.len());
            job.lost(losses);
        }
        let facts = self.rewriter.scanner.take();
        if let Some(job) = self.job.take() {
            job.finish(Outcome::Complete, facts);
        }
        self.is_done = true;
        if out.is_empty() { Poll::Ready(None) } else { Poll::Ready(Some(Ok(Frame::data(out.into())))) }
    }

    /// Gives what was rewritten before the failure, tells the client in its dialect, then breaks off.
    fn fail(
        &mut self,
        cx: &mut Context<'_>,
        mut out: Vec<u8>,
        error: &VendorError,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        out.extend_from_slice(&error_codec(self.dialect).encode_stream_error(error));
        if let Some(mut job) = self.job.take() {
            job.gave(out.len());
            job.fail_with(error.kind, &error.message, 200, self.rewriter.scanner.take());
        }
        let ending = self.ending.insert(Ending::Event(out.into()));
        Poll::Ready(ready!(ending.poll(cx)))
    }
}

impl Drop for TranslatedBody {
    /// The client went away; an answer that was whole by then counts as whole.
    fn drop(&mut self) {
        let Some(job) = self.job.take() else { return };
        let is_whole = self.rewriter.scanner.facts().is_terminated;
        let outcome = if is_whole { Outcome::Complete } else { Outcome::Cancelled };
        job.finish(outcome, self.rewriter.scanner.take());
    }
}
