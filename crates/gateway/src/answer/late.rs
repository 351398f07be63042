//! A stream whose head has left before its answer is known: signs of life until then, and then the answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame};
use pilothouse_core::dialect::Dialect;
use pilothouse_wire::codec::VendorError;

use super::relay::stopping;
use super::translated::Ping;
use super::{AnswerBody, Broken, Ending};
use crate::drain::Place;
use crate::pipeline::{Answer, error_codec};

/// Most bytes of an error that becomes an event.
const ERROR_MAX: usize = 1 << 20;

/// An answer in the making.
pub(crate) type Making = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A stream whose answer is still being made.
pub struct LateBody {
    state: State,
    ping: Ping,
    dialect: Dialect,
    place: Place,
    /// The first sign of life has left, and with it the head.
    has_begun: bool,
}

enum State {
    /// Nobody knows yet what it will say.
    Making(Making),
    /// It is this.
    Passing(AnswerBody),
    /// It is an error, which is gathered to be told as an event.
    Failing(u16, AnswerBody, Vec<u8>),
    /// The event, and then the break.
    Ending(Ending),
}

impl LateBody {
    /// The stream of a client of `dialect`, whose answer is made by `making`.
    pub(crate) fn new(making: Making, every: Duration, dialect: Dialect, place: Place) -> Self {
        Self { state: State::Making(making), ping: Ping::new(every), dialect, place, has_begun: false }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            match &mut self.state {
                State::Making(making) => match making.as_mut().poll(cx) {
                    Poll::Ready(answer) => {
                        let (head, body) = answer.into_parts();
                        self.state = if head.status.is_success() {
                            State::Passing(body)
                        } else {
                            State::Failing(head.status.as_u16(), body, Vec::new())
                        };
                    }
                    Poll::Pending if self.place.poll_is_over(cx) => {
                        let event = VendorError::from(&stopping());
                        self.state = State::Ending(self.told(&event));
                    }
                    Poll::Pending => return self.sign_of_life(cx),
                },
                State::Passing(body) => return Pin::new(body).poll_frame(cx),
                State::Failing(status, body, gathered) => match ready!(Pin::new(body).poll_frame(cx)) {
                    Some(Ok(frame)) if gathered.len() < ERROR_MAX => {
                        gathered.extend_from_slice(&frame.into_data().unwrap_or_default());
                    }
                    _ => {
                        let error = error_codec(self.dialect).decode_error(*status, gathered);
                        self.state = State::Ending(self.told(&error));
                    }
                },
                State::Ending(ending) => return ending.poll(cx),
            }
        }
    }

    fn sign_of_life(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.has_begun {
            ready!(self.ping.poll_due(cx));
        }
        self.has_begun = true;
        self.ping.rest();
        // The timer wakes the task only where it was asked.
        cx.waker().wake_by_ref();
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(error_codec(self.dialect).keep_alive())))))
    }

    fn told(&self, error: &VendorError) -> Ending {
        Ending::after(error_codec(self.dialect).encode_stream_error(error).into())
    }
}
