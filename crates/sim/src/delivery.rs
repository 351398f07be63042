//! How an answer travels: its frames, the pauses between them, where it breaks, and what the books learn of it.

use crate::books::{Call, Outcome};
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;

/// Time for written bytes to leave before a connection is broken.
const FLUSH: Duration = Duration::from_millis(10);

/// Raised in the middle of a body, so that the connection ends without a proper end of message.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the simulated provider broke the answer off")
    }
}

impl std::error::Error for BrokenOff {}

/// What happens to an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// The connection breaks.
    Break,
    /// The same, once what was sent before had time to leave.
    Broken,
    /// A proper end of message, too early.
    EndEarly,
    /// Silence, then the rest.
    Pause(Duration),
}

/// An answer ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) frames: Arc<[Bytes]>,
    /// Between two frames.
    pub(crate) gap: Duration,
    /// Before the frame of this index.
    pub(crate) interrupt: Option<(usize, Interrupt)>,
    /// Bytes announced by content-length; `None` for chunked.
    pub(crate) length: Option<u64>,
    /// What the books note at the end.
    pub(crate) outcome: Outcome,
}

impl Script {
    /// One frame with its length announced.
    pub(crate) fn whole(body: Bytes, outcome: Outcome) -> Script {
        let length = Some(body.len() as u64);
        Script { frames: Arc::new([body]), gap: Duration::ZERO, interrupt: None, length, outcome }
    }
}

/// A response body that plays a script.
#[derive(Debug)]
pub(crate) struct Delivery {
    script: Script,
    next: usize,
    /// A pause in progress.
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whether the pause before frame `next` is over.
    rested: bool,
    call: Option<Call>,
    /// A place in the simulated server's batch, held until the end.
    _slot: Option<OwnedSemaphorePermit>,
}

impl Delivery {
    /// Plays `script` for `call`.
    pub(crate) fn new(script: Script, call: Option<Call>, slot: Option<OwnedSemaphorePermit>) -> Delivery {
        Delivery { script, next: 0, sleep: None, rested: true, call, _slot: slot }
    }

    fn close(&mut self, outcome: Outcome) {
        if let Some(call) = self.call.take() {
            call.close(outcome);
        }
    }

    /// Waits before the next frame; ready when there is nothing (more) to wait for.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(sleep) = &mut self.sleep {
            std::task::ready!(sleep.as_mut().poll(cx));
            self.sleep = None;
            self.rested = true;
            return Poll::Ready(());
        }
        if self.rested {
            return Poll::Ready(());
        }
        if self.script.gap.is_zero() {
            // Give way once, so that each event leaves in a write of its own, as from a real model server.
            self.rested = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.sleep = Some(Box::pin(tokio::time::sleep(self.script.gap)));
        self.poll_rest(cx)
    }
}

impl Body for Delivery {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = &mut *self;
        std::task::ready!(this.poll_rest(cx));
        if let Some((_, interrupt)) = this.script.interrupt.take_if(|(at, _)| *at == this.next) {
            match interrupt {
                Interrupt::Break => {
                    // What was sent before must reach the client: an error drops the connection's unwritten bytes.
                    this.sleep = Some(Box::pin(tokio::time::sleep(FLUSH)));
                    this.script.interrupt = Some((this.next, Interrupt::Broken));
                    std::task::ready!(this.poll_rest(cx));
                }
                Interrupt::Broken => {
                    this.close(Outcome::Cut);
                    return Poll::Ready(Some(Err(BrokenOff)));
                }
                Interrupt::EndEarly => {
                    this.close(Outcome::Cut);
                    this.next = this.script.frames.len();
                    return Poll::Ready(None);
                }
                Interrupt::Pause(pause) => {
                    this.sleep = Some(Box::pin(tokio::time::sleep(pause)));
                    std::task::ready!(this.poll_rest(cx));
                }
            }
        }
        let Some(frame) = this.script.frames.get(this.next).cloned() else {
            this.close(this.script.outcome);
            return Poll::Ready(None);
        };
        this.next += 1;
        this.rested = this.script.frames.len() == 1;
        let share = this.next as f64 / this.script.frames.len() as f64;
        if let Some(call) = &mut this.call {
            call.reach(share);
        }
        if this.script.length.is_some()
            && this.next == this.script.frames.len()
            && this.script.interrupt.is_none()
        {
            // With its length announced the body is over here: it is not asked again.
            this.close(this.script.outcome);
        }
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.script.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
