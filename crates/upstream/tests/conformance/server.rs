//! A server that plays scripts over HTTP/1.1, HTTP/1.1 in TLS or HTTP/2, and the client that calls it.

mod player1;
mod player2;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use pilothouse_upstream::{
    Answer, Client, Failure, Head, Origin, OriginOptions, Request, Timeouts, TlsFiles,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;
use crate::script::{Script, answer};

/// The ways to reach a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Our own HTTP/1.1.
    Plain,
    /// Our own HTTP/1.1 in TLS.
    Tls,
    /// HTTP/2 by hyper, chosen by ALPN.
    Http2,
}

/// A call as the server saw it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Which connection brought it, from 0.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What happened at the server.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) connections: Mutex<usize>,
    pub(crate) calls: Mutex<Vec<Seen>>,
    scripts: Mutex<VecDeque<Script>>,
    pub(crate) called: Notify,
    pub(crate) gone: Notify,
    /// A script over HTTP/1.1 came to its end.
    pub(crate) played: Notify,
    /// A connection ended.
    pub(crate) ended: Notify,
}

impl Log {
    /// Notes a call and returns its number and its script.
    fn begin(&self, seen: Seen) -> (usize, Script) {
        let mut calls = self.calls.lock().unwrap();
        calls.push(seen);
        self.called.notify_one();
        let script = self.scripts.lock().unwrap().pop_front();
        (calls.len() - 1, script.unwrap_or_else(|| answer(200, b"honest")))
    }

    fn body_came(&self, call: usize, piece: &[u8]) {
        self.calls.lock().unwrap()[call].body.extend_from_slice(piece);
    }

    fn body_of(&self, call: usize) -> Vec<u8> {
        self.calls.lock().unwrap()[call].body.clone()
    }
}

/// How a server is set up beyond its scripts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setup {
    pub(crate) wants_client_certificate: bool,
    /// Most streams at once; HTTP/2 only.
    pub(crate) streams_max: Option<u32>,
}

/// A running server. It stops when dropped.
pub(crate) struct Server {
    pub(crate) log: Arc<Log>,
    pub(crate) authority: Authority,
    pub(crate) port: u16,
    engine: Engine,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Starts a server whose calls get the scripts one after the other, and `honest` when there is none.
    pub(crate) async fn start(engine: Engine, scripts: Vec<Script>) -> Self {
        Self::start_with(engine, scripts, Setup::default()).await
    }

    pub(crate) async fn start_with(engine: Engine, scripts: Vec<Script>, setup: Setup) -> Self {
        let authority = Authority::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Log { scripts: Mutex::new(scripts.into()), ..Log::default() });
        let protocol = if engine == Engine::Http2 { "h2" } else { "http/1.1" };
        let acceptor = (engine != Engine::Plain)
            .then(|| TlsAcceptor::from(authority.server(&[protocol], setup.wants_client_certificate)));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, acceptor, engine, setup, Arc::clone(&log)));
        Self { log, authority, port, engine, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.engine == Engine::Plain { "http" } else { "https" };
        format!("{scheme}://127.0.0.1:{}/v1", self.port)
    }

    /// A client of this server with the default deadlines.
    pub(crate) fn caller(&self) -> Caller {
        self.caller_with(Timeouts::default())
    }

    pub(crate) fn caller_with(&self, timeouts: Timeouts) -> Caller {
        let tls = self.authority.trusted(self.engine == Engine::Http2);
        let tls = if self.engine == Engine::Plain { TlsFiles::default() } else { tls };
        Caller::new(&self.url(), &OriginOptions { timeouts, tls, ..OriginOptions::default() })
    }

    /// Waits until a script over HTTP/1.1 was played to its end and its bytes are known to the client.
    pub(crate) async fn played(&self) {
        self.log.played.notified().await;
        // Whoever sleeps lets the runtime look at its sockets.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }

    /// Waits until a connection ended and the client knows.
    pub(crate) async fn ended(&self) {
        self.log.ended.notified().await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }

    pub(crate) fn connections(&self) -> usize {
        *self.log.connections.lock().unwrap()
    }

    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.log.calls.lock().unwrap().clone()
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    engine: Engine,
    setup: Setup,
    log: Arc<Log>,
) {
    let mut connections = JoinSet::new();
    while let Ok((tcp, _)) = listener.accept().await {
        tcp.set_nodelay(true).unwrap();
        let number = {
            let mut count = log.connections.lock().unwrap();
            *count += 1;
            *count - 1
        };
        let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
        connections.spawn(async move {
            let stream: Box<dyn Stream> = match acceptor {
                None => Box::new(tcp),
                // A handshake that the client breaks off is the client's business.
                Some(acceptor) => match acceptor.accept(tcp).await {
                    Ok(tls) => Box::new(tls),
                    Err(_) => return,
                },
            };
            if engine == Engine::Http2 {
                player2::play(stream, number, setup, &log).await;
            } else {
                player1::play(stream, number, &log).await;
            }
            log.ended.notify_one();
        });
    }
}

/// A byte stream of any kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A client and the origin it calls.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) client: Client,
    pub(crate) origin: Origin,
    stale: Arc<AtomicU32>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Caller {
    pub(crate) fn new(url: &str, options: &OriginOptions) -> Self {
        Self { client: Client::new(), origin: Origin::new(url, options).unwrap(), stale: Arc::default() }
    }

    /// Sends a POST and waits for the head of its answer.
    pub(crate) async fn send(&self, body: &Bytes) -> Result<Answer, Failure> {
        self.send_as(&Method::POST, "", body).await
    }

    pub(crate) async fn send_as(&self, method: &Method, tail: &str, body: &Bytes) -> Result<Answer, Failure> {
        let fixed =
            [(HeaderName::from_static("authorization"), HeaderValue::from_static("Bearer of this test"))];
        let head = Head::for_origin(&self.origin, method, "/chat", &fixed);
        let extra = [(HeaderName::from_static("x-of-this-call"), HeaderValue::from_static("1"))];
        let pieces = body.split_at(body.len() / 3);
        let request = Request { head: &head, tail, extra: &extra, body: &[pieces.0, pieces.1] };
        let mut stale = 0;
        let keep: fn(&str) -> bool = |name| !name.eq_ignore_ascii_case("x-unwanted");
        let sent = self.client.send(&self.origin, &request, keep, &mut stale).await;
        self.stale.fetch_add(stale, Ordering::SeqCst);
        sent
    }

    /// How many dead connections its calls have met.
    pub(crate) fn stale(&self) -> u32 {
        self.stale.load(Ordering::SeqCst)
    }

    /// Sends a POST and reads its whole answer.
    pub(crate) async fn call(&self, body: &[u8]) -> Result<Whole, Failure> {
        let answer = self.send(&Bytes::copy_from_slice(body)).await?;
        let (status, headers) = (answer.status.as_u16(), answer.headers);
        Ok(Whole { status, headers, body: answer.body.collect(64 << 20).await? })
    }
}
