//! The hot path's HTTP/1.1 client: writes one prepared buffer, reads the answer's head, de-chunks its body.
//!
//! Our own because hyper's client hands a body over frame by frame between two tasks, which costs one write
//! per event on bursts; here one read of the socket becomes one frame, however many chunks it held.
//! Strict where leniency would be dangerous: conflicting lengths, obsolete line folding and oversized heads
//! are refused, and a connection with anything unexpected left in it is never used again.

mod chunked;
mod head;
mod switch;
mod upload;

use std::future::{Future as _, poll_fn};
use std::io::IoSlice;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use http::StatusCode;
use smallvec::SmallVec;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::body::Timer;
use crate::connect::{Io, refused_handshake};
use crate::failure::Failure;
use crate::request::{Request, append_line};
pub(crate) use chunked::Chunks;
pub(crate) use head::{AnswerHead, Framing, Parsed};
pub use switch::Tunnel;

/// Bodies up to this size are copied behind the head, so that one write sends all.
const INLINE_BODY_MAX: usize = 16 * 1024;
/// First size of a connection's read buffer; it grows while reads fill it.
const READ_MIN: usize = 4 * 1024;
const READ_MAX: usize = 64 * 1024;
/// Largest head of an answer, in bytes.
const HEAD_MAX: usize = 64 * 1024;
/// Most informational answers (1xx) before the real one.
const INFORMATIONAL_MAX: u32 = 16;

/// One connection to a vendor.
pub(crate) struct Connection {
    io: Io,
    /// Bytes read and not yet taken.
    pub(crate) buf: BytesMut,
    read_size: usize,
    pub(crate) is_reused: bool,
    /// The timer of the call before.
    pub(crate) timer: Option<Timer>,
}

/// What one read brought.
pub(crate) enum Read {
    Bytes,
    End,
}

impl Connection {
    pub(crate) fn new(io: Io) -> Self {
        Self { io, buf: BytesMut::new(), read_size: READ_MIN, is_reused: false, timer: None }
    }

    /// Whether the connection is still open and silent, as a pooled one must be. Costs no system call
    /// unless the peer did something.
    pub(crate) fn is_silent(&mut self) -> bool {
        let mut probe = [0; 1];
        let mut probe = ReadBuf::new(&mut probe);
        // Outside of tokio's budget: a task that has used its budget up would be told that nothing came.
        let read = tokio::task::unconstrained(poll_fn(|cx| Pin::new(&mut self.io).poll_read(cx, &mut probe)));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        self.buf.is_empty() && pin!(read).poll(&mut cx).is_pending()
    }

    /// Makes the connection ready to wait in a pool.
    pub(crate) fn rest(&mut self) {
        self.is_reused = true;
        self.read_size = READ_MIN;
        if self.buf.capacity() > READ_MIN {
            self.buf = BytesMut::new();
        }
    }

    /// Reads once into the buffer.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<Read>> {
        if self.buf.capacity() - self.buf.len() < self.read_size / 2 {
            self.buf.reserve(self.read_size);
        }
        let spare = self.buf.capacity() - self.buf.len();
        let before = self.buf.len();
        let read = {
            let future = tokio_util::io::poll_read_buf(Pin::new(&mut self.io), cx, &mut self.buf);
            ready!(future)?
        };
        if read == 0 {
            return Poll::Ready(Ok(Read::End));
        }
        if self.buf.len() - before == spare && self.read_size < READ_MAX {
            self.read_size *= 4;
        }
        Poll::Ready(Ok(Read::Bytes))
    }

    /// Sends a request and reads the head of its answer.
    ///
    /// The answer may come before the whole body has been sent (a refusal of a large upload); sending then
    /// stops, and the connection is not used again.
    pub(crate) async fn call(
        &mut self,
        request: &Request<'_>,
        keep: fn(&str) -> bool,
    ) -> Result<AnswerHead, Failure> {
        let mut sending = Sending::new(request);
        let mut informational = 0;
        poll_fn(|cx| {
            let sent = match sending.poll(cx, &mut self.io) {
                Poll::Ready(Ok(())) => true,
                Poll::Pending => false,
                // The peer may have answered before it closed its reading side: the answer decides.
                Poll::Ready(Err(_)) => {
                    sending.is_broken = true;
                    true
                }
            };
            let mut answer = ready!(self.poll_head(cx, keep, &mut informational))?;
            if answer.status == StatusCode::SWITCHING_PROTOCOLS {
                return Poll::Ready(Err(unasked_switch()));
            }
            answer.is_reusable &= sent && !sending.is_broken;
            if request.head.method == http::Method::HEAD {
                answer.framing = Framing::Length(0);
            }
            Poll::Ready(Ok(answer))
        })
        .await
    }

    /// Reads on until the head of the final answer is there, which may be one that switches protocols.
    /// `informational` counts the answers before it.
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        keep: fn(&str) -> bool,
        informational: &mut u32,
    ) -> Poll<Result<AnswerHead, Failure>> {
        loop {
            match head::parse(&mut self.buf, keep)? {
                Parsed::Final(answer) => return Poll::Ready(Ok(answer)),
                Parsed::Informational if *informational < INFORMATIONAL_MAX => {
                    *informational += 1;
                    continue;
                }
                Parsed::Informational => {
                    return Poll::Ready(Err(Failure::BadAnswer("too many informational answers".into())));
                }
                Parsed::Partial if self.buf.len() >= HEAD_MAX => {
                    return Poll::Ready(Err(Failure::BadAnswer("its headers exceed 64 KiB".into())));
                }
                Parsed::Partial => {}
            }
            match ready!(self.poll_fill(cx)) {
                Ok(Read::Bytes) => {}
                Err(error)
                    if self.buf.is_empty()
                        && let Some(failure) = refused_handshake(&error) =>
                {
                    return Poll::Ready(Err(failure));
                }
                Ok(Read::End) | Err(_) if self.buf.is_empty() && *informational == 0 => {
                    let stale = self.is_reused;
                    return Poll::Ready(Err(if stale {
                        Failure::StaleConnection
                    } else {
                        Failure::ClosedEarly
                    }));
                }
                Ok(Read::End) => return Poll::Ready(Err(Failure::Cut("in its headers".into()))),
                Err(error) => return Poll::Ready(Err(Failure::Cut(format!("in its headers: {error}")))),
            }
        }
    }
}

fn unasked_switch() -> Failure {
    Failure::BadAnswer("it switched protocols without being asked".into())
}

/// The bytes of a request on their way out.
struct Sending<'a> {
    /// The head, with the body behind it if that is short. Let go of when all is sent: the answer may take long.
    head: Vec<u8>,
    body: &'a [&'a [u8]],
    sent: usize,
    total: usize,
    is_flushed: bool,
    is_broken: bool,
}

impl<'a> Sending<'a> {
    fn new(request: &Request<'a>) -> Self {
        let length = request.body_len();
        let is_inline = length <= INLINE_BODY_MAX;
        let inline = if is_inline { length } else { 0 };
        let mut head = Vec::with_capacity(
            request.head.h1.len() + request.tail.len() + 64 * request.extra.len() + 64 + inline,
        );
        request.append_head(&mut head);
        for (name, value) in request.extra {
            append_line(&mut head, name, value);
        }
        let expects_body =
            matches!(request.head.method, http::Method::POST | http::Method::PUT | http::Method::PATCH);
        if length > 0 || expects_body {
            head.extend_from_slice(b"content-length: ");
            append_number(&mut head, length);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        let body = if is_inline {
            request.body.iter().for_each(|piece| head.extend_from_slice(piece));
            &[]
        } else {
            request.body
        };
        let total = head.len() + length - inline;
        Self { head, body, sent: 0, total, is_flushed: false, is_broken: false }
    }

    fn poll(&mut self, cx: &mut Context<'_>, io: &mut Io) -> Poll<std::io::Result<()>> {
        while self.sent < self.total && !self.is_broken {
            let written = if self.body.is_empty() {
                ready!(Pin::new(&mut *io).poll_write(cx, &self.head[self.sent..]))?
            } else {
                ready!(Pin::new(&mut *io).poll_write_vectored(cx, &self.left()))?
            };
            if written == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            self.sent += written;
        }
        // TLS keeps written bytes until it is told to flush, and a full socket may take several turns;
        // plain TCP ignores this.
        if !self.is_flushed && !self.is_broken {
            ready!(Pin::new(&mut *io).poll_flush(cx))?;
            self.is_flushed = true;
            self.head = Vec::new();
        }
        Poll::Ready(Ok(()))
    }

    /// What has not been written yet.
    fn left(&self) -> SmallVec<[IoSlice<'_>; 8]> {
        let mut skip = self.sent;
        let pieces = std::iter::once(self.head.as_slice()).chain(self.body.iter().copied());
        let left = pieces.filter_map(|piece| {
            let rest = piece.get(skip..).unwrap_or_default();
            skip = skip.saturating_sub(piece.len());
            (!rest.is_empty()).then(|| IoSlice::new(rest))
        });
        left.collect()
    }
}

fn append_number(out: &mut Vec<u8>, number: usize) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
