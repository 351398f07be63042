//! The fleet's one port: its address, its connections, its end.

use crate::Options;
use crate::call::Core;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A running fleet. Dropped, it goes on until the runtime ends; [`Fleet::shutdown`] ends it.
#[derive(Debug)]
pub struct Fleet {
    addr: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Fleet {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes the port and every connection, answers in progress too, and waits until all tasks are over.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Starts a fleet on the current tokio runtime.
///
/// # Errors
/// The listening address cannot be bound.
pub async fn start(options: Options) -> std::io::Result<Fleet> {
    let listener = TcpListener::bind(options.listen).await?;
    let (addr, stop, tasks) = (listener.local_addr()?, CancellationToken::new(), TaskTracker::new());
    let core = Arc::new(Core::new(options));
    tasks.spawn(accept(listener, core, stop.clone(), tasks.clone()));
    Ok(Fleet { addr, stop, tasks })
}

async fn accept(listener: TcpListener, core: Arc<Core>, stop: CancellationToken, tasks: TaskTracker) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        // A failed accept (too many open files) passes; give way so that the loop does not spin.
        let Ok((stream, _)) = stream else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        tasks.spawn(serve(stream, core.clone(), stop.clone()));
    }
}

async fn serve(stream: TcpStream, core: Arc<Core>, stop: CancellationToken) {
    // Small frames must leave at once; without it, Nagle's algorithm holds them for the peer's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request| {
        let core = core.clone();
        async move { core.call(request).await }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::select! {
        () = stop.cancelled() => {}
        // An error here is a connection that broke or was broken off on purpose; the books have it already.
        _ = connection => {}
    }
}
