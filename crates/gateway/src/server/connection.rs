//! One client connection: HTTP/1.1, or HTTP/2 where TLS negotiated it.

use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::service;
use crate::shared::Worker;

/// A client has this long for its request's headers, and for the TLS handshake.
const HEADERS_TIME: Duration = Duration::from_secs(30);
/// Largest head of a request, and the most that one read takes.
const BUFFER_MAX: usize = 128 * 1024;
/// Most calls at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 200;

/// Serves a connection until it ends.
pub(super) async fn serve(
    worker: &Arc<Worker>,
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
) {
    let is_loopback = peer.ip().to_canonical().is_loopback();
    match tls {
        None => serve_h1(worker, stream, is_loopback).await,
        // Boxed: what TLS and HTTP/2 need to remember must not make every plain connection larger.
        Some(acceptor) => Box::pin(serve_tls(worker, stream, acceptor, is_loopback)).await,
    }
}

async fn serve_tls(worker: &Arc<Worker>, stream: TcpStream, acceptor: TlsAcceptor, is_loopback: bool) {
    let handshake = tokio::time::timeout(HEADERS_TIME, acceptor.accept(stream)).await;
    let Ok(Ok(stream)) = handshake else { return };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        serve_h2(worker, stream, is_loopback).await;
    } else {
        serve_h1(worker, stream, is_loopback).await;
    }
}

async fn serve_h1<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    worker: &Arc<Worker>,
    stream: S,
    is_loopback: bool,
) {
    let answer = service_fn(|request| service::serve(Arc::clone(worker), request, is_loopback));
    // While we drain, a new connection gets its one answer ("draining", "send it to another one"): closing it
    // before its request has come would look like a crash to whoever asks for our readiness.
    let is_draining = worker.shared.closing.is_over();
    let mut connection = pin!(
        http1::Builder::new()
            .keep_alive(!is_draining)
            .timer(worker.timers.clone())
            .header_read_timeout(HEADERS_TIME)
            .max_buf_size(BUFFER_MAX)
            .serve_connection(TokioIo::new(stream), answer)
            // For WebSockets, whose conversation goes on in a task of its own.
            .with_upgrades()
    );
    let place = worker.shared.closing.enter();
    // How a connection ends is the client's affair; what it asked for has been recorded.
    let has_ended = poll_fn(|cx| match connection.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if !is_draining && place.poll_is_over(cx) => Poll::Ready(false),
        Poll::Pending => Poll::Pending,
    });
    if !has_ended.await {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

async fn serve_h2<S: AsyncRead + AsyncWrite + Unpin>(worker: &Arc<Worker>, stream: S, is_loopback: bool) {
    // As over HTTP/1.1: a connection that comes while we drain is told to go only after it has asked.
    let is_draining = worker.shared.stopping.is_cancelled();
    let asked = Notify::new();
    let answer = service_fn(|request| {
        asked.notify_one();
        service::serve(Arc::clone(worker), request, is_loopback)
    });
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(HEADERS_TIME))
            .max_concurrent_streams(STREAMS_MAX)
            .serve_connection(TokioIo::new(stream), answer)
    );
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = worker.shared.stopping.cancelled(), if !is_draining => {}
        _ = tokio::time::timeout(HEADERS_TIME, asked.notified()), if is_draining => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
