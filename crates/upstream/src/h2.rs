//! HTTP/2 by hyper, for servers that choose it by ALPN.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use crate::connect::Io;
use crate::failure::Failure;
use crate::origin::Inner;
use crate::request::Request;

pub(crate) type Sender = http2::SendRequest<Full<Bytes>>;

/// Starts HTTP/2 on a connection. Its driver runs until the connection ends.
pub(crate) async fn start(io: Io) -> Result<Sender, Failure> {
    let (sender, driver) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(std::time::Duration::from_secs(30))
        .handshake(TokioIo::new(io))
        .await
        .map_err(|error| Failure::Connect(format!("HTTP/2: {error}")))?;
    #[expect(clippy::disallowed_methods, reason = "the driver ends with its connection, whose senders the pool holds")]
    tokio::spawn(async move {
        // How a connection ends is told to the calls on it.
        let _ = driver.await;
    });
    Ok(sender)
}

/// Sends a request and waits for the head of its answer.
pub(crate) async fn call(
    sender: &mut Sender,
    origin: &Inner,
    request: &Request<'_>,
) -> Result<http::Response<Incoming>, Failure> {
    let scheme = if origin.tls.is_some() { "https" } else { "http" };
    let uri = format!("{scheme}://{}{}", origin.authority, request.head.path);
    let mut message = http::Request::new(Full::new(request.body.clone()));
    *message.method_mut() = request.head.method.clone();
    *message.uri_mut() = uri.parse().map_err(|_| Failure::BadAnswer(format!("`{uri}` is not a URL")))?;
    let mut headers = HeaderMap::with_capacity(request.head.headers.len() + request.extra.len());
    headers.extend(request.head.headers.clone());
    for (name, value) in request.extra {
        headers.append(name, value.clone());
    }
    *message.headers_mut() = headers;
    sender.ready().await.map_err(|_| Failure::StaleConnection)?;
    sender.send_request(message).await.map_err(|error| {
        // A stream that the server never took up (GOAWAY, REFUSED_STREAM) may be sent again.
        if error.is_canceled() || error.is_closed() { Failure::StaleConnection } else { Failure::Cut(error.to_string()) }
    })
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
