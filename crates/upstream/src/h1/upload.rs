//! Sending a body that comes while it is sent, and hearing the answer meanwhile.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http::StatusCode;
use tokio::io::AsyncWrite as _;

use super::{AnswerHead, Connection, append_number, unasked_switch};
use crate::body::Deadlines;
use crate::connect::Io;
use crate::failure::Failure;
use crate::request::{Request, append_line};
use crate::upload::{Broken, Upload};
use pilothouse_core::error::Kind;

/// Where the sending stands.
struct Uploading {
    upload: Upload,
    /// What is to be written next.
    pending: BytesMut,
    /// The piece behind it, and how many bytes of framing follow that.
    piece: Bytes,
    sent: u64,
    is_last: bool,
    is_flushed: bool,
    /// The vendor takes no more: its answer decides.
    is_broken: bool,
}

impl Connection {
    /// Sends the head of `request` and the body that `upload` brings, and reads the head of the answer. Each piece
    /// that goes out gives the vendor its time to answer anew.
    pub(crate) async fn upload(
        &mut self,
        request: &Request<'_>,
        upload: Upload,
        keep: fn(&str) -> bool,
        deadlines: &mut Deadlines,
    ) -> Result<AnswerHead, Failure> {
        let mut uploading = Uploading::new(request, upload);
        let mut informational = 0;
        poll_fn(|cx| {
            let is_sent = match uploading.poll(cx, &mut self.io, deadlines) {
                Poll::Ready(Ok(())) => true,
                Poll::Pending => false,
                Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
            };
            match self.poll_head(cx, keep, &mut informational) {
                Poll::Ready(Ok(answer)) if answer.status == StatusCode::SWITCHING_PROTOCOLS => {
                    Poll::Ready(Err(unasked_switch()))
                }
                Poll::Ready(Ok(mut answer)) => {
                    answer.is_reusable &= is_sent && !uploading.is_broken;
                    Poll::Ready(Ok(answer))
                }
                Poll::Ready(Err(failure)) => Poll::Ready(Err(failure)),
                Poll::Pending => deadlines.poll_first_byte(cx).map(|phase| Err(Failure::Timeout(phase))),
            }
        })
        .await
    }
}

impl Uploading {
    fn new(request: &Request<'_>, upload: Upload) -> Self {
        let mut head = Vec::with_capacity(request.head.h1.len() + 256);
        request.append_head(&mut head);
        for (name, value) in request.extra {
            append_line(&mut head, name, value);
        }
        match upload.length.and_then(|length| usize::try_from(length).ok()) {
            Some(length) => {
                head.extend_from_slice(b"content-length: ");
                append_number(&mut head, length);
                head.extend_from_slice(b"\r\n\r\n");
            }
            None => head.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n"),
        }
        Self {
            upload,
            pending: BytesMut::from(&head[..]),
            piece: Bytes::new(),
            sent: 0,
            is_last: false,
            is_flushed: false,
            is_broken: false,
        }
    }

    /// Writes what there is. Ready when all is sent, or when the vendor takes no more.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Io,
        deadlines: &mut Deadlines,
    ) -> Poll<Result<(), Failure>> {
        while !self.is_broken {
            if let Err(()) = ready!(self.poll_write(cx, io, deadlines)) {
                self.is_broken = true;
                break;
            }
            if self.is_last {
                if !self.is_flushed && ready!(Pin::new(&mut *io).poll_flush(cx)).is_err() {
                    self.is_broken = true;
                }
                self.is_flushed = true;
                break;
            }
            match ready!(self.upload.source.poll_piece(cx)) {
                Some(Ok(piece)) if piece.is_empty() => {}
                Some(Ok(piece)) => self.take(piece).map_err(Failure::Upload)?,
                Some(Err(broken)) => return Poll::Ready(Err(Failure::Upload(broken))),
                None => self.end().map_err(Failure::Upload)?,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what is pending, then the piece behind it.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Io,
        deadlines: &mut Deadlines,
    ) -> Poll<Result<(), ()>> {
        loop {
            let next: &[u8] = if self.pending.is_empty() { &self.piece } else { &self.pending };
            if next.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let written = match ready!(Pin::new(&mut *io).poll_write(cx, next)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(())),
                Ok(written) => written,
            };
            deadlines.went_on();
            if self.pending.is_empty() {
                self.piece.advance(written);
                if self.piece.is_empty() && self.upload.length.is_none() {
                    self.pending.extend_from_slice(b"\r\n");
                }
            } else {
                self.pending.advance(written);
            }
        }
    }

    fn take(&mut self, piece: Bytes) -> Result<(), Broken> {
        self.sent += piece.len() as u64;
        match self.upload.length {
            Some(length) if self.sent > length => {
                return Err(Broken::new(
                    Kind::BadRequest,
                    "the request body is longer than it was announced",
                ));
            }
            Some(_) => {}
            None => self.pending.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes()),
        }
        self.piece = piece;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Broken> {
        self.is_last = true;
        match self.upload.length {
            Some(length) if self.sent < length => {
                Err(Broken::new(Kind::BadRequest, "the request body broke off before its end"))
            }
            Some(_) => Ok(()),
            None => {
                self.pending.extend_from_slice(b"0\r\n\r\n");
                Ok(())
            }
        }
    }
}
