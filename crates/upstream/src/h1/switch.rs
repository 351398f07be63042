//! Leaving HTTP: a call whose answer switches the connection to another protocol (RFC 9110, section 7.8).

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{AnswerHead, Connection, Sending};
use crate::connect::Io;
use crate::failure::Failure;
use crate::request::Request;

/// A connection that has left HTTP: bytes both ways. It never goes back to a pool.
pub struct Tunnel {
    io: Io,
    /// What the vendor sent right behind its answer.
    early: BytesMut,
}

impl Connection {
    /// Sends a request that asks for another protocol, and reads the head of its answer, whose status tells whether the
    /// connection has switched.
    pub(crate) async fn ask_to_switch(
        &mut self,
        request: &Request<'_>,
        keep: fn(&str) -> bool,
    ) -> Result<AnswerHead, Failure> {
        let mut sending = Sending::new(request);
        let mut informational = 0;
        poll_fn(|cx| {
            // A write that fails has its reason in the answer, or in the end of the connection.
            if let Poll::Ready(Err(_)) = sending.poll(cx, &mut self.io) {
                sending.is_broken = true;
            }
            self.poll_head(cx, keep, &mut informational)
        })
        .await
    }

    /// What is left of the connection once it has switched.
    pub(crate) fn into_tunnel(self) -> Tunnel {
        Tunnel { io: self.io, early: self.buf }
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.early.is_empty() {
            return Pin::new(&mut this.io).poll_read(cx, buf);
        }
        let taken = this.early.len().min(buf.remaining());
        buf.put_slice(&this.early[..taken]);
        this.early.advance(taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let io = &mut self.get_mut().io;
        ready!(Pin::new(&mut *io).poll_flush(cx))?;
        Pin::new(io).poll_shutdown(cx)
    }
}
