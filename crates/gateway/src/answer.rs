//! Bodies of answers on their way to the client.

mod array;
mod late;
mod passed;
mod relay;
mod replayed;
mod resumption;
mod spliced;
mod tapped;
mod translated;

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use pilothouse_wire::codec::VendorError;

use crate::job::Job;

pub use array::ArrayBody;
pub use late::LateBody;
pub use passed::{PassedBody, Reading};
pub use relay::RelayBody;
pub use replayed::ReplayedBody;
pub(crate) use resumption::Resumption;
pub(crate) use tapped::Tap;
pub use tapped::TappedBody;
pub(crate) use translated::Rewriter;
pub use translated::TranslatedBody;

/// Why a body ends without its end: the connection is then closed without a terminator, so that no client
/// takes a part for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the answer broke off")
    }
}

impl std::error::Error for Broken {}

/// The body of an answer.
pub enum AnswerBody {
    /// All of it at once; `None` when it has been given.
    Full(Option<Bytes>),
    /// A stream that passes through.
    Relay(Box<RelayBody>),
    /// A stream that is rewritten in another dialect.
    Translated(Box<TranslatedBody>),
    /// A stream whose events become one JSON array.
    Array(Box<ArrayBody>),
    /// Whatever it is, as it comes.
    Passed(Box<PassedBody>),
    /// A stream that has begun before it is known what it will say.
    Late(Box<LateBody>),
    /// A stream that was given before.
    Replayed(Box<ReplayedBody>),
    /// Whatever it is, and looked at on its way.
    Tapped(Box<TappedBody>),
}

impl AnswerBody {
    /// A body of known bytes.
    #[must_use]
    pub const fn full(bytes: Bytes) -> Self {
        Self::Full(Some(bytes))
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            Self::Full(bytes) => Poll::Ready(
                bytes.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))),
            ),
            Self::Relay(body) => body.poll(cx),
            Self::Translated(body) => body.poll(cx),
            Self::Array(body) => body.poll(cx),
            Self::Passed(body) => body.poll(cx),
            Self::Late(body) => body.poll(cx),
            Self::Replayed(body) => body.poll(),
            Self::Tapped(body) => body.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Full(bytes) if bytes.as_ref().is_none_or(Bytes::is_empty))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Passed(body) => body.bytes_left().map_or_else(SizeHint::default, SizeHint::with_exact),
            Self::Relay(_)
            | Self::Translated(_)
            | Self::Array(_)
            | Self::Late(_)
            | Self::Replayed(_)
            | Self::Tapped(_) => SizeHint::default(),
        }
    }
}

/// A stream that can be held until the model has said something, so that a failure before that can still be anything:
/// told with a status of its own, or made good by another target.
pub(crate) trait Held {
    /// The exchange, while it has not been recorded.
    fn job(&mut self) -> &mut Option<Job>;

    /// Ready when the model has said something, the answer is whole without a word, or the stream has failed before one.
    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Box<VendorError>>>;
}

/// The first piece of a stream leaves at once. The server asks for as much as there is before it writes, which
/// saves writes in a burst but would keep the first token waiting for all that follows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum First {
    #[default]
    Awaited,
    Given,
    Left,
}

impl First {
    /// A piece was handed over.
    fn given(&mut self) {
        if *self == Self::Awaited {
            *self = Self::Given;
        }
    }

    /// Whether the server must be made to write now: true once, with the task woken again at once.
    fn must_leave(&mut self, cx: &Context<'_>) -> bool {
        if *self != Self::Given {
            return false;
        }
        *self = Self::Left;
        cx.waker().wake_by_ref();
        true
    }
}

/// The end of a stream that failed: the error event, then, when that has left, the break.
enum Ending {
    /// The event has yet to be given.
    Event(Bytes),
    /// It was given; the break waits until the connection has had time to send it.
    Flushing(Pin<Box<tokio::time::Sleep>>),
}

/// How long the connection has to send the error event before it is broken off.
const FLUSH_TIME: std::time::Duration = std::time::Duration::from_millis(20);

impl Ending {
    /// The break, once `last` has left.
    fn after(last: Bytes) -> Self {
        if last.is_empty() {
            Self::Flushing(Box::pin(tokio::time::sleep(FLUSH_TIME)))
        } else {
            Self::Event(last)
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        use std::future::Future as _;
        match self {
            Self::Event(event) => {
                let event = std::mem::take(event);
                *self = Self::Flushing(Box::pin(tokio::time::sleep(FLUSH_TIME)));
                Poll::Ready(Some(Ok(Frame::data(event))))
            }
            Self::Flushing(sleep) => sleep.as_mut().poll(cx).map(|()| Some(Err(Broken))),
        }
    }
}
