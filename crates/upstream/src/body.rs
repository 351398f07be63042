//! The body of an answer, whichever engine reads it: data as it comes, with deadlines.
//!
//! Dropping it before its end closes the connection (or resets the stream), which cancels the call at the
//! vendor. Read to its end, the connection goes back to the pool.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::decode::Decoder;
use crate::failure::{Failure, Phase};
use crate::h1::{Chunks, Connection, Framing, Read};
use crate::h2;
use crate::origin::Origin;
use crate::pool::{CallCount, Pool};

/// A body that is being read.
pub struct Body {
    engine: Engine,
    decoder: Option<Decoder>,
    deadlines: Deadlines,
    is_done: bool,
}

enum Engine {
    H1(Box<H1>),
    H2(Incoming, #[expect(dead_code, reason = "counts the call while the body lives")] CallCount),
    Done,
}

struct H1 {
    connection: Connection,
    left: Left,
    is_reusable: bool,
    origin: Origin,
    pool: Pool,
}

/// What is left to read.
enum Left {
    Bytes(u64),
    Chunks(Chunks),
    UntilClose,
}

/// A timer that calls pass on to each other with their connection.
pub(crate) type Timer = Pin<Box<Sleep>>;

/// The deadlines of a call: one timer, moved only when it fires.
pub(crate) struct Deadlines {
    /// `None` once the call is over.
    timer: Option<Timer>,
    last_read: Instant,
    /// Nothing was there to read when it was last tried; then `last_read` is when that was.
    is_waiting: bool,
    first_byte: std::time::Duration,
    between_chunks: std::time::Duration,
    ends_at: Instant,
}

/// A deadline that would move by less than this stays where it is.
const GRAIN: std::time::Duration = std::time::Duration::from_millis(100);

impl Deadlines {
    /// The deadlines of a call that begins now. A timer of an earlier call is moved, which costs much less than
    /// making and ending one.
    pub(crate) fn start(origin: &Origin, now: Instant, spare: Option<Timer>) -> Self {
        let timeouts = &origin.inner().timeouts;
        let ends_at = now + timeouts.total;
        let due = (now + timeouts.first_byte).min(ends_at);
        let timer = match spare {
            Some(mut timer) => {
                timer.as_mut().reset(due);
                timer
            }
            None => Box::pin(tokio::time::sleep_until(due)),
        };
        Self {
            timer: Some(timer),
            last_read: now,
            is_waiting: false,
            first_byte: timeouts.first_byte,
            between_chunks: timeouts.between_chunks,
            ends_at,
        }
    }

    /// Ready when the call has waited too long for its first byte.
    pub(crate) fn poll_first_byte(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(if Instant::now() >= self.ends_at { Phase::Total } else { Phase::FirstByte })
    }

    /// A piece of the request's body has left: the wait for the answer begins anew.
    pub(crate) fn went_on(&mut self) {
        let now = Instant::now();
        let due = (now + self.first_byte).min(self.ends_at);
        self.last_read = now;
        // Moving a timer costs more than a write, and deadlines need not be that exact.
        if let Some(timer) = self.timer.as_mut().filter(|timer| due - timer.deadline() > GRAIN) {
            timer.as_mut().reset(due);
        }
    }

    /// The head is there: from now on the deadline between two reads counts.
    fn head_came(&mut self) {
        let Some(timer) = &mut self.timer else { return };
        // A timer that fires too early is moved then; only one that would fire too late must be moved now,
        // and none is that would be early even if the call began only now.
        if self.last_read + self.between_chunks < timer.deadline() {
            self.last_read = Instant::now();
            let due = (self.last_read + self.between_chunks).min(self.ends_at);
            if due < timer.deadline() {
                timer.as_mut().reset(due);
            }
        }
    }

    /// Waiting begins with the first read that brings nothing: data that is there needs no clock.
    fn poll_between(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        if !self.is_waiting {
            self.last_read = Instant::now();
            self.is_waiting = true;
        }
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        loop {
            ready!(timer.as_mut().poll(cx));
            let now = Instant::now();
            if now >= self.ends_at {
                return Poll::Ready(Phase::Total);
            }
            let due = self.last_read + self.between_chunks;
            if now >= due {
                return Poll::Ready(Phase::BetweenChunks);
            }
            timer.as_mut().reset(due.min(self.ends_at));
        }
    }
}

impl Body {
    pub(crate) fn h1(
        connection: Connection,
        framing: Framing,
        is_reusable: bool,
        pool: &Pool,
        origin: &Origin,
        decoder: Option<Decoder>,
        deadlines: Deadlines,
    ) -> Self {
        let left = match framing {
            Framing::Length(length) => Left::Bytes(length),
            Framing::Chunked => Left::Chunks(Chunks::new()),
            Framing::UntilClose => Left::UntilClose,
        };
        let h1 = H1 { connection, left, is_reusable, origin: origin.clone(), pool: pool.clone() };
        // An empty body is whole as it is, whatever encoding its head names (304, 204).
        let decoder = decoder.filter(|_| framing != Framing::Length(0));
        let mut body = Self { engine: Engine::H1(Box::new(h1)), decoder, deadlines, is_done: false };
        body.deadlines.head_came();
        body.rest_if_done();
        body
    }

    pub(crate) fn h2(
        incoming: Incoming,
        count: CallCount,
        decoder: Option<Decoder>,
        mut deadlines: Deadlines,
    ) -> Self {
        let decoder = decoder.filter(|_| !http_body::Body::is_end_stream(&incoming));
        deadlines.head_came();
        let mut body = Self { engine: Engine::H2(incoming, count), decoder, deadlines, is_done: false };
        body.rest_if_done();
        body
    }

    /// Bytes that are still to come, where the vendor said how many and they come unencoded.
    #[must_use]
    pub fn bytes_left(&self) -> Option<u64> {
        match &self.engine {
            _ if self.decoder.is_some() => None,
            Engine::H1(h1) => match h1.left {
                Left::Bytes(left) => Some(left),
                _ => None,
            },
            Engine::Done => Some(0),
            Engine::H2(..) => None,
        }
    }

    /// Whether everything has been read.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.is_done
    }

    /// The next data, never empty; `None` at the end.
    ///
    /// # Errors
    /// [`Failure::Cut`] when the vendor closes too early, [`Failure::Timeout`] at a deadline,
    /// [`Failure::BadAnswer`] when the framing or the encoding is wrong.
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        loop {
            let piece = match self.poll_engine(cx) {
                Poll::Ready(piece) => piece,
                Poll::Pending => {
                    let phase = ready!(self.deadlines.poll_between(cx));
                    return self.fail(Failure::Timeout(phase));
                }
            };
            self.deadlines.is_waiting = false;
            match (piece, &mut self.decoder) {
                (Some(Err(failure)), _) => return self.fail(failure),
                (Some(Ok(piece)), None) => {
                    self.rest_if_done();
                    return Poll::Ready(Some(Ok(piece)));
                }
                (Some(Ok(piece)), Some(decoder)) => match decoder.push(&piece) {
                    Ok(decoded) if decoded.is_empty() => {}
                    Ok(decoded) => return Poll::Ready(Some(Ok(decoded))),
                    Err(failure) => return self.fail(failure),
                },
                (None, decoder) => {
                    let rest = decoder.as_mut().map_or(Ok(Bytes::new()), |decoder| decoder.push(&[]));
                    self.finish();
                    return match rest {
                        Ok(rest) if rest.is_empty() => Poll::Ready(None),
                        Ok(rest) => Poll::Ready(Some(Ok(rest))),
                        Err(failure) => self.fail(failure),
                    };
                }
            }
        }
    }

    /// Reads all of it, up to `max` bytes.
    ///
    /// # Errors
    /// As [`Body::poll_data`], and [`Failure::BadAnswer`] above `max`.
    pub async fn collect(mut self, max: usize) -> Result<Bytes, Failure> {
        let mut first = Bytes::new();
        let mut rest = Vec::new();
        while let Some(piece) = std::future::poll_fn(|cx| self.poll_data(cx)).await {
            let piece = piece?;
            let so_far = if rest.is_empty() { first.len() } else { rest.len() };
            if so_far + piece.len() > max {
                return Err(Failure::BadAnswer(format!("it exceeds {max} bytes")));
            }
            if first.is_empty() {
                first = piece;
            } else {
                if rest.is_empty() {
                    rest.extend_from_slice(&first);
                }
                rest.extend_from_slice(&piece);
            }
        }
        Ok(if rest.is_empty() { first } else { rest.into() })
    }

    fn fail(&mut self, failure: Failure) -> Poll<Option<Result<Bytes, Failure>>> {
        self.is_done = true;
        self.engine = Engine::Done;
        Poll::Ready(Some(Err(failure)))
    }

    fn poll_engine(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        match &mut self.engine {
            Engine::H1(h1) => h1.poll_data(cx),
            Engine::H2(incoming, _) => h2::poll_data(incoming, cx),
            Engine::Done => Poll::Ready(None),
        }
    }

    /// A body of known length is done with its last byte: nobody may ask again.
    fn rest_if_done(&mut self) {
        let is_done = self.decoder.is_none()
            && match &self.engine {
                Engine::H1(h1) => match &h1.left {
                    Left::Bytes(left) => *left == 0,
                    Left::Chunks(chunks) => chunks.is_done(),
                    Left::UntilClose => false,
                },
                Engine::H2(incoming, _) => http_body::Body::is_end_stream(incoming),
                Engine::Done => true,
            };
        if is_done {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.is_done = true;
        if let Engine::H1(h1) = std::mem::replace(&mut self.engine, Engine::Done) {
            let H1 { mut connection, is_reusable, origin, pool, .. } = *h1;
            // Bytes that nobody asked for would poison the next call.
            if is_reusable && connection.buf.is_empty() {
                connection.timer = self.deadlines.timer.take();
                pool.put(&origin, connection, origin.inner().idle_max);
            }
        }
    }
}

impl H1 {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        loop {
            match self.take_buffered() {
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
                Ok(None) if self.is_done() => return Poll::Ready(None),
                Ok(None) => {}
                Err(failure) => return Poll::Ready(Some(Err(failure))),
            }
            match ready!(self.connection.poll_fill(cx)) {
                Ok(Read::Bytes) => {}
                Ok(Read::End) if matches!(self.left, Left::UntilClose) => {
                    self.left = Left::Bytes(0);
                    return Poll::Ready(None);
                }
                Ok(Read::End) => {
                    return Poll::Ready(Some(Err(Failure::Cut("the connection was closed".into()))));
                }
                Err(error) => return Poll::Ready(Some(Err(cut_by(&error)))),
            }
        }
    }

    fn is_done(&self) -> bool {
        match &self.left {
            Left::Bytes(left) => *left == 0,
            Left::Chunks(chunks) => chunks.is_done(),
            Left::UntilClose => false,
        }
    }

    fn take_buffered(&mut self) -> Result<Option<Bytes>, Failure> {
        let buf = &mut self.connection.buf;
        if buf.is_empty() {
            return Ok(None);
        }
        let piece = match &mut self.left {
            Left::Bytes(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(buf.len());
                *left -= here as u64;
                buf.split_to(here).freeze()
            }
            Left::Chunks(chunks) => chunks.take(buf)?,
            Left::UntilClose => buf.split().freeze(),
        };
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// What a broken transport means for the answer. A TLS peer that vanishes is a closed connection to whoever
/// reads this; how TLS words it helps nobody.
fn cut_by(error: &std::io::Error) -> Failure {
    Failure::Cut(match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the connection was closed".into(),
        std::io::ErrorKind::ConnectionReset => "the connection was reset".into(),
        _ => error.to_string(),
    })
}
