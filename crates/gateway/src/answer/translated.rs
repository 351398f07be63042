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
use pilothouse_core::usage::Usage;
use pilothouse_upstream::Body;
use pilothouse_wire::codec::{StreamDecoder, StreamEncoder, VendorError};
use pilothouse_wire::eventstream::Damaged;
use pilothouse_wire::facts::Scanner;
use pilothouse_wire::framing::Framing;
use pilothouse_wire::sse::EVENT_MAX;
use tokio::time::Sleep;

use super::relay::{stopping, unfinished};
use super::resumption::Continued;
use super::spliced::Spliced;
use super::{Broken, Ending, First, Held, Resumption};
use crate::drain::Place;
use crate::job::Job;
use crate::memory::Remembering;
use crate::pipeline::error_codec;

/// A stream that is rewritten in the client's dialect.
pub struct TranslatedBody {
    body: Body,
    rewriter: Rewriter,
    /// `None` when the exchange has been recorded.
    job: Option<Job>,
    dialect: Dialect,
    vendor: Arc<str>,
    place: Place,
    ping: Ping,
    has_first_token: bool,
    first: First,
    /// What was written before the model said anything, where the stream was held until then.
    held: Vec<u8>,
    /// What came next when holding ended.
    pending: Option<Step>,
    ending: Option<Ending>,
    is_done: bool,
    /// What it is continued with, should it break off.
    resumption: Option<Box<Resumption>>,
}

/// What comes next of a stream that is rewritten.
enum Step {
    /// Bytes for the client.
    Out(Vec<u8>),
    /// The vendor's end, behind these bytes.
    Over(Vec<u8>),
    /// It failed, behind these bytes.
    Failed(Vec<u8>, Box<VendorError>),
}

/// When a silent stream must show again that it lives.
pub(super) struct Ping {
    every: Duration,
    due: Pin<Box<Sleep>>,
}

impl Ping {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, due: Box::pin(tokio::time::sleep(every)) }
    }

    /// Ready when the stream has been silent for so long.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.due.as_mut().poll(cx)
    }

    /// The stream was heard of: the next ping is due later.
    pub(super) fn rest(&mut self) {
        let due = tokio::time::Instant::now() + self.every;
        // Moving the timer for every event would cost more than the event; a fifteenth of slack is nothing.
        if self.due.deadline() + self.every / 15 < due {
            self.due.as_mut().reset(due);
        }
    }
}

/// The halves of a translation, and what is read on the way.
pub(crate) struct Rewriter {
    /// Reads the vendor's events.
    decoder: Box<dyn StreamDecoder + Send>,
    /// Writes the client's.
    encoder: Box<dyn StreamEncoder + Send>,
    /// Reads the facts.
    scanner: Scanner,
    /// Cuts the vendor's stream.
    framing: Framing,
    /// Keeps what the client's dialect cannot carry back.
    remembering: Option<Remembering>,
    held: BytesMut,
    looked: usize,
    parts: Vec<StreamPart>,
    has_output: bool,
    /// What has come, where the stream may be continued.
    spliced: Option<Box<Spliced>>,
}

impl Rewriter {
    /// A rewriter of one stream of a vendor that speaks `upstream`.
    #[must_use]
    pub(crate) fn new(
        decoder: Box<dyn StreamDecoder + Send>,
        encoder: Box<dyn StreamEncoder + Send>,
        upstream: Dialect,
        remembering: Option<Remembering>,
    ) -> Self {
        Self {
            decoder,
            encoder,
            scanner: Scanner::new(upstream, false),
            framing: Framing::of(upstream),
            remembering,
            held: BytesMut::new(),
            looked: 0,
            parts: Vec::new(),
            has_output: false,
            spliced: None,
        }
    }

    /// Another stream goes on where this one broke off, which had used so much.
    fn goes_on(&mut self, decoder: Box<dyn StreamDecoder + Send>, upstream: Dialect, before: Usage) {
        self.decoder = decoder;
        self.scanner = Scanner::new(upstream, false);
        // Half an event is nothing.
        self.held.clear();
        self.looked = 0;
        if let Some(spliced) = &mut self.spliced {
            spliced.goes_on(before);
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
        while let Some(end) = self.framing.find_end(buf, from, resume).map_err(damaged)? {
            self.event(&buf[from..end], out)?;
            from = end;
            resume = end;
        }
        Ok(from)
    }

    fn event(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), Box<VendorError>> {
        self.has_output |= self.scanner.event(raw).has_output;
        let event = self.framing.parse(raw).map_err(damaged)?;
        if !event.has_data {
            return Ok(());
        }
        let name = event.name.and_then(|name| std::str::from_utf8(name).ok());
        let result = self.decoder.event(name, &event.data, &mut self.parts);
        if let Some(spliced) = &mut self.spliced {
            let mut passed = Vec::with_capacity(self.parts.len());
            self.parts.drain(..).for_each(|part| spliced.pass(part, &mut passed));
            self.parts = passed;
        }
        for part in self.parts.drain(..) {
            if let Some(remembering) = &mut self.remembering {
                remembering.part(&part);
            }
            // The client may go on, or go away, as soon as it reads the end that is written next.
            if matches!(part, StreamPart::End)
                && let Some(remembering) = self.remembering.take()
            {
                remembering.keep();
            }
            self.encoder.part(&part, out);
        }
        result
    }

    /// The vendor's stream has ended; writes the client's end.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Box<VendorError>> {
        let held = self.held.split().freeze();
        // A last server-sent event may lack its blank line; a message that is not whole is cut.
        if !held.is_empty() && self.framing == Framing::Sse {
            self.event(&held, out)?;
        }
        self.decoder.finish().map_err(|error| Box::new(VendorError::from(&error)))?;
        if let Some(remembering) = self.remembering.take() {
            remembering.keep();
        }
        self.encoder.end(out);
        Ok(())
    }
}

/// The error of bytes that are no events.
fn damaged(why: Damaged) -> Box<VendorError> {
    let public = format!("the vendor's stream is damaged: {why}; try again");
    Box::new(VendorError::from(&Error::new(Kind::BadAnswer, public)))
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
        let ping = Ping::new(job.ping_every());
        Self {
            body,
            rewriter,
            job: Some(job),
            dialect,
            vendor,
            place,
            ping,
            has_first_token: false,
            first: First::default(),
            held: Vec::new(),
            pending: None,
            ending: None,
            is_done: false,
            resumption: None,
        }
    }

    /// The same, continued by another call where it breaks off in the middle of its text.
    #[must_use]
    pub(crate) fn resuming(mut self, resumption: Option<Box<Resumption>>) -> Self {
        if resumption.is_some() {
            self.rewriter.spliced = Some(Box::default());
            self.resumption = resumption;
        }
        self
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
            let held = std::mem::take(&mut self.held);
            return self.give(held);
        }
        if let Some(resumption) = self.resumption.as_mut().filter(|resumption| resumption.is_under_way()) {
            match resumption.poll(cx, &mut self.job) {
                Poll::Ready(Ok(continued)) => self.goes_on(continued),
                Poll::Ready(Err(error)) => return self.fail(cx, Vec::new(), &error),
                Poll::Pending => return self.waits(cx),
            }
        }
        let step = match self.pending.take() {
            Some(step) => Poll::Ready(step),
            None => self.step(cx),
        };
        let step = step.map(|step| self.or_resumed(step));
        match step {
            Poll::Ready(Step::Out(out)) if out.is_empty() => {
                // A second call is on its way.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(Step::Out(out)) => {
                self.ping.rest();
                self.give(out)
            }
            Poll::Ready(Step::Over(out)) => self.end(cx, out),
            Poll::Ready(Step::Failed(out, error)) => self.fail(cx, out, &error),
            Poll::Pending => self.waits(cx),
        }
    }

    /// Nothing has come: after a while, a sign of life.
    fn waits(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        ready!(self.ping.poll_due(cx));
        self.ping.rest();
        self.give(error_codec(self.dialect).keep_alive().to_vec())
    }

    /// What comes next, where the stream may be continued: instead of its failure, what came before that, while another call
    /// is made.
    fn or_resumed(&mut self, step: Step) -> Step {
        let (Some(resumption), Some(job)) = (&mut self.resumption, &self.job) else { return step };
        let (out, error) = match step {
            Step::Over(out) if !self.rewriter.scanner.facts().is_terminated => {
                (out, Box::new(VendorError::from(&unfinished(&self.vendor))))
            }
            Step::Failed(out, error) => (out, error),
            other => return other,
        };
        let text = self.rewriter.spliced.as_ref().and_then(|spliced| spliced.text());
        match text {
            Some(text) if resumption.begin(text, &error, job) => Step::Out(out),
            _ => Step::Failed(out, error),
        }
    }

    /// The second stream has begun.
    fn goes_on(&mut self, continued: Continued) {
        let Some(job) = &mut self.job else { return };
        let upstream = self.rewriter.scanner.dialect();
        let facts = self.rewriter.scanner.take();
        let (body, decoder, before) = continued.settle(&facts, job);
        self.body = body;
        self.rewriter.goes_on(decoder, upstream, before);
    }

    /// What comes next of the vendor's stream, rewritten.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let mut out = Vec::new();
        loop {
            let next = match self.body.poll_data(cx) {
                Poll::Ready(next) => next,
                Poll::Pending if self.place.poll_is_over(cx) => {
                    // We are leaving: nobody else is asked.
                    self.resumption = None;
                    return Poll::Ready(Step::Failed(out, Box::new(VendorError::from(&stopping()))));
                }
                Poll::Pending => return Poll::Pending,
            };
            let result = match next {
                Some(Ok(chunk)) => {
                    out.reserve(chunk.len() * 2);
                    self.rewriter.push(&chunk, &mut out)
                }
                None => return Poll::Ready(Step::Over(out)),
                Some(Err(_)) if self.rewriter.has_last_word() => return Poll::Ready(Step::Over(out)),
                Some(Err(failure)) => Err(Box::new(VendorError::from(&failure.into_error(&self.vendor)))),
            };
            self.saw_output();
            let written = self.rewriter.scanner.facts().output_bytes;
            let paid = self.job.as_mut().map_or(Ok(()), |job| job.pays_for(written));
            if let Err(error) =
                result.and_then(|()| paid.map_err(|error| Box::new(VendorError::from(&error))))
            {
                return Poll::Ready(Step::Failed(out, error));
            }
            if !out.is_empty() {
                return Poll::Ready(Step::Out(out));
            }
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

impl Held for TranslatedBody {
    fn job(&mut self) -> &mut Option<Job> {
        &mut self.job
    }

    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Box<VendorError>>> {
        loop {
            let step = ready!(self.step(cx));
            // One read may bring the first word and the failure behind it.
            let is_terminated = self.rewriter.scanner.facts().is_terminated;
            let error = match step {
                step if self.has_first_token => {
                    self.pending = Some(step);
                    return Poll::Ready(Ok(()));
                }
                Step::Failed(_, error) => error,
                step if is_terminated => {
                    self.pending = Some(step);
                    return Poll::Ready(Ok(()));
                }
                Step::Out(out) => {
                    self.held.extend_from_slice(&out);
                    continue;
                }
                Step::Over(_) => Box::new(VendorError::from(&unfinished(&self.vendor))),
            };
            return Poll::Ready(Err(error));
        }
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{Instant, advance};

    use super::*;

    const EVERY: Duration = Duration::from_secs(15);

    async fn due(ping: &mut Ping) -> Instant {
        poll_fn(|cx| ping.poll_due(cx)).await;
        ping.rest();
        Instant::now()
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_is_pinged_again_and_again() {
        let start = Instant::now();
        let mut ping = Ping::new(EVERY);
        for nth in 1..=3 {
            let waited = due(&mut ping).await - start;
            assert_eq!(waited.as_secs(), 15 * nth);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_was_heard_of_is_not_pinged_before_its_time() {
        let mut ping = Ping::new(EVERY);
        for _ in 0..20 {
            advance(Duration::from_secs(10)).await;
            ping.rest();
        }
        let last = Instant::now();
        assert_eq!((due(&mut ping).await - last).as_secs(), 15);
    }

    #[tokio::test(start_paused = true)]
    async fn events_in_quick_succession_move_the_timer_by_no_more_than_its_slack() {
        let mut ping = Ping::new(EVERY);
        let start = Instant::now();
        advance(Duration::from_millis(900)).await;
        ping.rest();
        assert_eq!((due(&mut ping).await - start).as_secs(), 15, "not worth moving");
    }
}
