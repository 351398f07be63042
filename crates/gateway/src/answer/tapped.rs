//! An answer that somebody looks at while it passes: to keep it, whatever for.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame};

use super::{AnswerBody, Broken};

/// Sees what the client gets.
pub(crate) trait Tap: Send {
    /// Bytes pass. False where nothing more need be seen.
    fn saw(&mut self, data: &Bytes) -> bool;

    /// The answer has ended, and its exchange is recorded: all of it was given, or it broke off.
    fn ended(self: Box<Self>, is_whole: bool);
}

/// An answer that somebody looks at.
pub struct TappedBody {
    inner: AnswerBody,
    /// `None` when it has seen enough.
    tap: Option<Box<dyn Tap>>,
}

impl TappedBody {
    pub(crate) fn new(inner: AnswerBody, tap: Box<dyn Tap>) -> Self {
        Self { inner, tap: Some(tap) }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                let goes_on = match (&mut self.tap, frame.data_ref()) {
                    (Some(tap), Some(data)) => tap.saw(data),
                    _ => true,
                };
                if !goes_on {
                    self.tap = None;
                }
            }
            Some(Err(_)) => self.end(false),
            None => self.end(true),
        }
        Poll::Ready(frame)
    }

    fn end(&mut self, is_whole: bool) {
        if let Some(tap) = self.tap.take() {
            tap.ended(is_whole);
        }
    }
}

impl Drop for TappedBody {
    /// The client went away: first the exchange ends, then whoever looks is told.
    fn drop(&mut self) {
        self.inner = AnswerBody::Full(None);
        self.end(false);
    }
}
