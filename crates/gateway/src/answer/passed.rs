//! An answer that passes as it comes, whatever it is: words, events, sound, files. What it tells is read on the way.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Outcome;
use pilothouse_upstream::Body;
use pilothouse_wire::codec::VendorError;
use pilothouse_wire::facts::other::{self, Told};
use pilothouse_wire::sieve::Sieve;

use super::relay::{stopping, unfinished};
use super::{Broken, Ending, First};
use crate::drain::Place;
use crate::job::Job;
use crate::pipeline::{Settling, error_codec};

/// Words up to this size are read whole before they are passed on.
const HELD_MAX: usize = 256 * 1024;

/// Reads what an answer tells.
pub struct Reading {
    form: Form,
    sieve: Sieve,
    told: Told,
    is_terminated: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Events,
    Nothing,
}

impl Reading {
    fn new(form: Form) -> Self {
        Self { form, sieve: Sieve::default(), told: Told::default(), is_terminated: false }
    }

    /// One JSON value.
    #[must_use]
    pub fn json() -> Self {
        Self::new(Form::Json)
    }

    /// Server-sent events, each with JSON.
    #[must_use]
    pub fn events() -> Self {
        Self::new(Form::Events)
    }

    /// Bytes that tell nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::new(Form::Nothing)
    }

    fn push(&mut self, bytes: &[u8]) {
        match self.form {
            Form::Nothing => {}
            Form::Json => self.sieve.push(bytes),
            // JSON has no line ends within its strings, so that each line is a piece of its own.
            Form::Events => {
                for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                    self.sieve.push(line);
                    if line.ends_with(b"\n") {
                        self.line();
                    }
                }
            }
        }
    }

    fn line(&mut self) {
        let data = self.sieve.kept().and_then(|line| line.trim_ascii().strip_prefix(b"data:"));
        match data.map(<[u8]>::trim_ascii) {
            Some(b"[DONE]") => self.is_terminated = true,
            Some(data) => {
                if let Some(told) = other::read(data) {
                    self.merge(told);
                }
            }
            None => {}
        }
        self.sieve.clear();
    }

    /// The events that end such streams are called so by all who have them: `image_generation.completed`,
    /// `speech.audio.done`, `transcript.text.done` (<https://github.com/openai/openai-openapi>, read 2026-11-23).
    fn merge(&mut self, told: Told) {
        let kind = told.event.as_deref().unwrap_or_default();
        self.is_terminated |= kind.ends_with(".completed") || kind.ends_with(".done");
        if let Some(usage) = told.usage {
            let before = self.told.usage.unwrap_or_default();
            self.told.usage = Some(before.plus(&usage));
            self.told.input_image += told.input_image;
            self.told.output_image += told.output_image;
        }
        self.told.units = told.units.or(self.told.units);
        self.told.error = told.error.or(self.told.error.take());
    }

    /// Whether the answer is one, now that it has ended.
    fn is_sound(&mut self) -> bool {
        match self.form {
            Form::Nothing => true,
            Form::Events => self.is_terminated,
            Form::Json => {
                // What is too large to be kept even so passes unread.
                let Some(kept) = self.sieve.kept() else { return true };
                if let Some(told) = other::read(kept) {
                    self.told = told;
                    return true;
                }
                serde_json::from_slice::<serde::de::IgnoredAny>(kept).is_ok()
            }
        }
    }
}

/// An answer that passes as it comes.
pub struct PassedBody {
    body: Body,
    /// What was read before the answer was passed on.
    before: VecDeque<Bytes>,
    reading: Reading,
    /// `None` when the exchange has been recorded.
    job: Option<Job>,
    settling: Settling,
    dialect: Dialect,
    vendor: Arc<str>,
    place: Place,
    has_begun: bool,
    first: First,
    ending: Option<Ending>,
    is_over: bool,
}

impl PassedBody {
    /// An answer on its way to the client.
    #[must_use]
    pub(crate) fn new(
        body: Body,
        reading: Reading,
        job: Job,
        settling: Settling,
        dialect: Dialect,
        vendor: Arc<str>,
        place: Place,
    ) -> Self {
        Self {
            body,
            before: VecDeque::new(),
            reading,
            job: Some(job),
            settling,
            dialect,
            vendor,
            place,
            has_begun: false,
            first: First::default(),
            ending: None,
            is_over: false,
        }
    }

    /// Reads words on until they are whole, or too many to be held.
    ///
    /// # Errors
    /// When they are broken; the exchange is recorded as failed.
    pub(crate) async fn hold(&mut self) -> Result<(), Error> {
        let mut held = 0;
        while self.reading.form == Form::Json && held <= HELD_MAX {
            match poll_fn(|cx| self.body.poll_data(cx)).await {
                Some(Ok(piece)) => {
                    held += piece.len();
                    self.reading.push(&piece);
                    self.before.push_back(piece);
                }
                Some(Err(failure)) => return Err(self.failed(failure.into_error(&self.vendor))),
                None if self.reading.is_sound() => {
                    self.is_over = true;
                    return Ok(());
                }
                None => return Err(self.failed(malformed(&self.vendor))),
            }
        }
        Ok(())
    }

    fn failed(&mut self, error: Error) -> Error {
        if let Some(job) = self.job.take() {
            job.fail(&error, error.kind.status(), pilothouse_wire::facts::Facts::default());
        }
        error
    }

    /// Bytes that are still to come, where that is known.
    #[must_use]
    pub fn bytes_left(&self) -> Option<u64> {
        let before: u64 = self.before.iter().map(|piece| piece.len() as u64).sum();
        self.body.bytes_left().map(|left| left + before)
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(ending) = &mut self.ending {
            return ending.poll(cx);
        }
        if let Some(piece) = self.before.pop_front() {
            let is_last = self.is_over && self.before.is_empty();
            return Poll::Ready(Some(Ok(self.give(piece, is_last))));
        }
        if self.is_over {
            self.record();
            return Poll::Ready(None);
        }
        if self.first.must_leave(cx) {
            return Poll::Pending;
        }
        match self.body.poll_data(cx) {
            Poll::Ready(Some(Ok(piece))) => {
                self.reading.push(&piece);
                self.first.given();
                // With its length announced, an answer is not asked again behind its last byte.
                let is_last = self.body.is_done() && self.reading.is_sound();
                Poll::Ready(Some(Ok(self.give(piece, is_last))))
            }
            Poll::Ready(Some(Err(failure))) => {
                let error = failure.into_error(&self.vendor);
                self.fail(cx, &error)
            }
            Poll::Ready(None) => self.end(cx),
            Poll::Pending if self.place.poll_is_over(cx) => self.fail(cx, &stopping()),
            Poll::Pending => Poll::Pending,
        }
    }

    fn give(&mut self, piece: Bytes, is_last: bool) -> Frame<Bytes> {
        if let Some(job) = &mut self.job {
            if !self.has_begun && self.reading.form != Form::Json {
                job.first_token();
            }
            job.gave(piece.len());
        }
        self.has_begun = true;
        if is_last {
            self.is_over = true;
            self.record();
        }
        Frame::data(piece)
    }

    fn end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if !self.reading.is_sound() && self.reading.told.error.is_none() {
            let error = if self.reading.form == Form::Json {
                malformed(&self.vendor)
            } else {
                unfinished(&self.vendor)
            };
            return self.fail(cx, &error);
        }
        let is_whole = self.reading.told.error.is_none();
        self.is_over = true;
        self.record();
        if is_whole {
            return Poll::Ready(None);
        }
        // The vendor has told its error itself; the end behind it is no clean one.
        self.ending.insert(Ending::after(Bytes::new())).poll(cx)
    }

    /// Records the exchange as what the answer tells that it was.
    fn record(&mut self) {
        let Some(mut job) = self.job.take() else { return };
        let told = std::mem::take(&mut self.reading.told);
        let error = told.error.clone().filter(|_| self.reading.form == Form::Events);
        let facts = self.settling.settle(told, &mut job);
        match error {
            None => job.finish(Outcome::Complete, facts),
            Some(message) => job.fail_with(Kind::Vendor, &message, 200, facts),
        }
    }

    /// Tells the client in its dialect, where events can, then breaks off.
    fn fail(&mut self, cx: &mut Context<'_>, error: &Error) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let mut event = BytesMut::new();
        if self.reading.form == Form::Events {
            if self.has_begun {
                event.extend_from_slice(b"\n\n");
            }
            event
                .extend_from_slice(&error_codec(self.dialect).encode_stream_error(&VendorError::from(error)));
        }
        if let Some(mut job) = self.job.take() {
            job.gave(event.len());
            let usage = self.reading.told.usage;
            job.fail(error, 200, pilothouse_wire::facts::Facts { usage, ..Default::default() });
        }
        self.ending.insert(Ending::after(event.freeze())).poll(cx)
    }
}

impl Drop for PassedBody {
    /// The client went away; what was whole by then counts as whole.
    fn drop(&mut self) {
        // An empty answer is whole without being asked for.
        let is_whole =
            self.is_over || (self.body.is_done() && self.before.is_empty() && self.reading.is_sound());
        if is_whole || self.reading.is_terminated {
            self.record();
        } else if let Some(job) = self.job.take() {
            let facts =
                pilothouse_wire::facts::Facts { usage: self.reading.told.usage, ..Default::default() };
            job.finish(Outcome::Cancelled, facts);
        }
    }
}

fn malformed(vendor: &str) -> Error {
    Error::new(Kind::BadAnswer, format!("`{vendor}` sent an answer that is not JSON; try again"))
}
