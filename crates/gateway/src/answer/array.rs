//! A stream whose events become one JSON array that grows, as Google sends it without `alt=sse`.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame};
use pilothouse_wire::dialects::gemini_generate::ArrayFrame;

use super::{AnswerBody, Broken};

/// A stream whose events become one JSON array.
pub struct ArrayBody {
    events: AnswerBody,
    frame: ArrayFrame,
    is_done: bool,
}

impl ArrayBody {
    /// The array of a stream of events.
    #[must_use]
    pub fn new(events: AnswerBody) -> Self {
        Self { events, frame: ArrayFrame::default(), is_done: false }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        while !self.is_done {
            let mut out = Vec::new();
            match ready!(Pin::new(&mut self.events).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if self.frame.push(&data, &mut out).is_err() {
                        return Poll::Ready(Some(Err(Broken)));
                    }
                }
                // The array stays open, so that no client takes a part for the whole.
                Some(Err(broken)) => return Poll::Ready(Some(Err(broken))),
                None => {
                    self.is_done = true;
                    self.frame.end(&mut out);
                }
            }
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
        }
        Poll::Ready(None)
    }
}
