//! Sends a call over a pooled or fresh connection, by whichever engine its server chose.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use http::{HeaderMap, StatusCode};
use tokio::time::Instant;

use crate::body::{Body, Deadlines};
use crate::connect::{Io, Opened, open, open_http1};
use crate::decode::Decoder;
use crate::failure::Failure;
use crate::h1::{AnswerHead, Connection, Tunnel};
use crate::h2;
use crate::origin::Origin;
use crate::pool::{CallCount, Pool};
use crate::request::Request;
use crate::upload::Upload;

/// Calls vendors. Each worker has one of its own, so that its pool is never contended.
#[derive(Clone, Default)]
pub struct Client {
    pool: Pool,
}

/// The answer to a call: its head, and its body still to be read.
pub struct Answer {
    /// The vendor's status.
    pub status: StatusCode,
    /// The headers that the caller asked to keep.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// What became of a request for another protocol.
pub enum Switched {
    /// The connection has left HTTP; the headers that the caller asked to keep.
    Open(HeaderMap, Tunnel),
    /// The vendor answered instead.
    Refused(Answer),
}

impl Client {
    /// A client with an empty pool.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a request and waits for the head of its answer. Headers for which `keep` is false are dropped
    /// unread. A pooled connection that turns out to be dead is replaced by a fresh one, once; `stale` counts the
    /// connections that were, whatever becomes of the call.
    ///
    /// # Errors
    /// A [`Failure`]; dropping the future closes the connection.
    pub async fn send(
        &self,
        origin: &Origin,
        request: &Request<'_>,
        keep: fn(&str) -> bool,
        stale: &mut u32,
    ) -> Result<Answer, Failure> {
        let now = Instant::now();
        let mut pooled = self.pool.take(origin, now);
        let timer = pooled.as_mut().and_then(|connection| connection.timer.take());
        let mut deadlines = Deadlines::start(origin, now, timer);
        if pooled.is_none()
            && let Some((sender, count)) = self.pool.take_shared(origin)
        {
            // Boxed: what HTTP/2 remembers must not make every call's future larger.
            match Box::pin(self.call_h2(origin, (sender, true), count, request, keep, deadlines)).await {
                Err((Failure::StaleConnection, given_back)) => {
                    *stale += 1;
                    deadlines = given_back;
                }
                other => return other.map_err(|(failure, _)| failure),
            }
        }
        loop {
            let mut connection = match pooled.take() {
                Some(connection) => connection,
                // Boxed: connecting is rare, and its timers would make every call's future larger.
                None => match Box::pin(open(origin.inner())).await? {
                    Opened::H1(io) => Connection::new(io),
                    Opened::H2(io) => {
                        return Box::pin(self.first_h2(origin, io, request, keep, deadlines)).await;
                    }
                },
            };
            match within(&mut deadlines, connection.call(request, keep)).await {
                Ok(head) => return self.answer_h1(origin, connection, head, deadlines),
                Err(Failure::StaleConnection) if connection.is_reused => {
                    *stale += 1;
                    // Its siblings were most likely closed with it.
                    self.pool.forget_idle(origin);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Sends a request whose body comes while it is sent, and waits for the head of its answer. It goes over a fresh
    /// HTTP/1.1 connection, because a body that has begun to leave cannot be sent a second time.
    ///
    /// # Errors
    /// As [`Client::send`], and [`Failure::Upload`] where the body has no good end.
    pub async fn upload(
        &self,
        origin: &Origin,
        request: &Request<'_>,
        upload: Upload,
        keep: fn(&str) -> bool,
    ) -> Result<Answer, Failure> {
        let mut connection = Connection::new(open_http1(origin.inner()).await?);
        let mut deadlines = Deadlines::start(origin, Instant::now(), None);
        let head = connection.upload(request, upload, keep, &mut deadlines).await?;
        self.answer_h1(origin, connection, head, deadlines)
    }

    /// Sends a request that asks for another protocol than HTTP, over a fresh HTTP/1.1 connection.
    ///
    /// # Errors
    /// As [`Client::send`]. A vendor that does not switch has answered: [`Switched::Refused`].
    pub async fn switch(
        &self,
        origin: &Origin,
        request: &Request<'_>,
        keep: fn(&str) -> bool,
    ) -> Result<Switched, Failure> {
        let mut connection = Connection::new(open_http1(origin.inner()).await?);
        let mut deadlines = Deadlines::start(origin, Instant::now(), None);
        let mut head = within(&mut deadlines, connection.ask_to_switch(request, keep)).await?;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Switched::Open(head.headers, connection.into_tunnel()));
        }
        // What was asked of this connection is not what others want of it.
        head.is_reusable = false;
        self.answer_h1(origin, connection, head, deadlines).map(Switched::Refused)
    }

    fn answer_h1(
        &self,
        origin: &Origin,
        connection: Connection,
        head: AnswerHead,
        deadlines: Deadlines,
    ) -> Result<Answer, Failure> {
        let AnswerHead { status, headers, framing, encoding, is_reusable } = head;
        let decoder = Decoder::for_encoding(encoding.as_ref())?;
        let body = Body::h1(connection, framing, is_reusable, &self.pool, origin, decoder, deadlines);
        Ok(Answer { status, headers, body })
    }

    /// The first call of a connection whose server speaks HTTP/2.
    async fn first_h2(
        &self,
        origin: &Origin,
        io: Io,
        request: &Request<'_>,
        keep: fn(&str) -> bool,
        deadlines: Deadlines,
    ) -> Result<Answer, Failure> {
        let started = h2::start(io).await?;
        let count = self.pool.put_shared(origin, &started);
        let call = self.call_h2(origin, (started.sender, false), count, request, keep, deadlines);
        Box::pin(call).await.map_err(|(failure, _)| failure)
    }

    async fn call_h2(
        &self,
        origin: &Origin,
        (mut sender, is_reused): (h2::Sender, bool),
        count: CallCount,
        request: &Request<'_>,
        keep: fn(&str) -> bool,
        mut deadlines: Deadlines,
    ) -> Result<Answer, (Failure, Deadlines)> {
        let answer =
            match within(&mut deadlines, h2::call(&mut sender, origin.inner(), request, is_reused)).await {
                Ok(answer) => answer,
                Err(failure) => return Err((failure, deadlines)),
            };
        let (head, incoming) = answer.into_parts();
        let decoder = match Decoder::for_encoding(head.headers.get(http::header::CONTENT_ENCODING)) {
            Ok(decoder) => decoder,
            Err(failure) => return Err((failure, deadlines)),
        };
        let headers = head.headers.iter().filter(|(name, _)| keep(name.as_str()));
        let headers = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Answer { status: head.status, headers, body: Body::h2(incoming, count, decoder, deadlines) })
    }
}

/// Waits for a call's head until its first deadline.
async fn within<T>(
    deadlines: &mut Deadlines,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut call = pin!(call);
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(result),
        Poll::Pending => deadlines.poll_first_byte(cx).map(|phase| Err(Failure::Timeout(phase))),
    })
    .await
}
