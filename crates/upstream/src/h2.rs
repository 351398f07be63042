//! HTTP/2 by hyper, for servers that choose it by ALPN.

use std::error::Error as _;
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use crate::connect::{Io, refused_handshake};
use crate::failure::Failure;
use crate::origin::Inner;
use crate::request::Request;

pub(crate) type Sender = http2::SendRequest<Full<Bytes>>;

/// Largest head of an answer, in bytes; as for HTTP/1.1.
const HEAD_MAX: u32 = 64 * 1024;

/// A connection that speaks HTTP/2.
pub(crate) struct Started {
    pub(crate) sender: Sender,
    /// Most calls at once that the server allows, as it last said.
    pub(crate) calls_max: Arc<AtomicUsize>,
}

/// Starts HTTP/2 on a connection. Its driver runs until the connection ends.
pub(crate) async fn start(io: Io) -> Result<Started, Failure> {
    let (sender, mut driver) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_MAX)
        .keep_alive_interval(std::time::Duration::from_secs(30))
        .handshake(TokioIo::new(io))
        .await
        .map_err(|error| Failure::Connect(format!("HTTP/2: {error}")))?;
    let calls_max = Arc::new(AtomicUsize::new(usize::MAX));
    let says = Arc::clone(&calls_max);
    #[expect(
        clippy::disallowed_methods,
        reason = "the driver ends with its connection, whose senders the pool holds"
    )]
    tokio::spawn(poll_fn(move |cx| {
        let polled = Pin::new(&mut driver).poll(cx);
        says.store(driver.current_max_send_streams(), Ordering::Relaxed);
        // How a connection ends is told to the calls on it.
        polled.map(drop)
    }));
    Ok(Started { sender, calls_max })
}

/// Sends a request and waits for the head of its answer. `is_reused` tells that the connection has answered
/// before, so that its end may only mean that the server had given it up.
pub(crate) async fn call(
    sender: &mut Sender,
    origin: &Inner,
    request: &Request<'_>,
    is_reused: bool,
) -> Result<http::Response<Incoming>, Failure> {
    let scheme = if origin.tls.is_some() { "https" } else { "http" };
    let uri = format!("{scheme}://{}{}{}", origin.authority, request.head.path, request.tail);
    let mut message = http::Request::new(Full::new(Bytes::from(request.body.concat())));
    *message.method_mut() = request.head.method.clone();
    *message.uri_mut() = uri.parse().map_err(|_| Failure::BadAnswer(format!("`{uri}` is not a URL")))?;
    let mut headers = HeaderMap::with_capacity(request.head.headers.len() + request.extra.len());
    headers.extend(request.head.headers.clone());
    for (name, value) in request.extra {
        headers.append(name, value.clone());
    }
    *message.headers_mut() = headers;
    sender.ready().await.map_err(|_| Failure::StaleConnection)?;
    sender.send_request(message).await.map_err(|error| failure_of(&error, is_reused))
}

/// What an error before the head of an answer means.
fn failure_of(error: &hyper::Error, is_reused: bool) -> Failure {
    let cause = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    match cause {
        _ if error.is_canceled() || error.is_closed() => Failure::StaleConnection,
        // Streams beyond the last one of a GOAWAY, and refused ones, were never taken up (RFC 9113,
        // section 8.7).
        Some(cause) if cause.is_remote() && cause.is_go_away() => Failure::StaleConnection,
        Some(cause) if cause.is_remote() && cause.reason() == Some(h2::Reason::REFUSED_STREAM) => {
            Failure::StaleConnection
        }
        Some(cause) if cause.is_remote() => Failure::Cut(format!("before its headers: {cause}")),
        Some(cause) => Failure::BadAnswer(format!("its headers are not HTTP/2 that we accept ({cause})")),
        None => {
            let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
            io.and_then(refused_handshake).unwrap_or(if is_reused {
                Failure::StaleConnection
            } else {
                Failure::ClosedEarly
            })
        }
    }
}

/// Reads what is ready of a body, several frames as one piece.
pub(crate) fn poll_data(body: &mut Incoming, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
    loop {
        match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                _ => {}
            },
            Some(Err(error)) => return Poll::Ready(Some(Err(Failure::Cut(error.to_string())))),
            None => return Poll::Ready(None),
        }
    }
}
