//! Taking connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::StartError;
use super::connection;
use crate::config::{ConfigError, Diagnostic, Source, TlsSection};
use crate::shared::Worker;

/// How many connections may wait to be taken.
const BACKLOG: i32 = 4096;
/// After an error of accept (no file descriptors left, say), how long to wait.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const TIMER_EVERY: Duration = Duration::from_millis(250);
/// How long connections have to end after the stop.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Binds the listening socket.
pub(super) fn bind(listen: SocketAddr) -> Result<std::net::TcpListener, StartError> {
    let make = || {
        let socket = Socket::new(Domain::for_address(listen), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&listen.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    make().map_err(|error: std::io::Error| {
        StartError::System(
            format!("cannot listen on {listen} (is it taken? give another with --listen)"),
            error,
        )
    })
}

/// The TLS side of the listener.
pub(super) fn acceptor(source: &Source, section: &TlsSection) -> Result<TlsAcceptor, ConfigError> {
    let folder = source.folder();
    let wrong = |span: std::ops::Range<usize>, what: String| source.error(vec![Diagnostic::at(span, what)]);
    let path = folder.join(section.certificate.get_ref());
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(&path).and_then(Iterator::collect).map_err(|error| {
            wrong(section.certificate.span(), format!("`{}` cannot be used: {error}", path.display()))
        })?;
    let path = folder.join(section.key.get_ref());
    let key = PrivateKeyDer::from_pem_file(&path).map_err(|error| {
        wrong(section.key.span(), format!("`{}` cannot be used: {error}", path.display()))
    })?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let mut config = config.map_err(|error| {
        wrong(section.certificate.span(), format!("certificate and key cannot be used together: {error}"))
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Takes connections until the tasks of the server are closed.
pub(super) async fn run(
    worker: Arc<Worker>,
    socket: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    permits: Arc<Semaphore>,
) {
    let Ok(listener) = TcpListener::from_std(socket) else { return };
    let tasks = worker.shared.tasks.clone();
    // A timer that is always the next one: the runtime wakes itself by a system call whenever a timer is set
    // that is due before all others, and every exchange sets some.
    let mut next_timer = tokio::time::interval(TIMER_EVERY);
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closed(&worker) => break,
            _ = next_timer.tick() => continue,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Small writes must leave at once: Nagle plus delayed ACK costs 40 ms to the first token.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let (worker, tls) = (Arc::clone(&worker), tls.clone());
        tasks.spawn(async move {
            worker.shared.metrics.connections.fetch_add(1, Relaxed);
            connection::serve(&worker, stream, peer, tls).await;
            worker.shared.metrics.connections.fetch_sub(1, Relaxed);
            drop(permit);
        });
    }
    // Idle connections have been told to close; give the last answers a moment to leave.
    let _ = tokio::time::timeout(LAST_WORDS, tasks.wait()).await;
}

/// Ready when the server's tasks are closed. Looked at now and then: only a stop needs it.
async fn closed(worker: &Worker) {
    worker.shared.stopping.cancelled().await;
    while !worker.shared.tasks.is_closed() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
