//! Outbound proxies: plain calls in absolute form, TLS through a tunnel, credentials, and who goes around.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pilothouse_upstream::{Failure, OriginOptions, Phase, Timeouts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::server::{Caller, Engine, Server};

/// `user:p@ss` in Base64.
const CREDENTIALS: &str = "Basic dXNlcjpwQHNz";

/// How a proxy answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Tunnels where CONNECT asks to, and answers plain calls itself.
    Works,
    Refuses,
    Silent,
    /// Never ends the head of its answer.
    Endless,
}

/// A proxy and the heads that it got.
struct Proxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (mut tasks, seen) = (JoinSet::new(), Arc::clone(&heads));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                connections.spawn(serve(tcp, manner, Arc::clone(&seen)));
            }
        });
        Self { port, heads, _tasks: tasks }
    }

    fn url(&self) -> String {
        format!("http://user:p%40ss@127.0.0.1:{}", self.port)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(mut tcp: TcpStream, manner: Manner, heads: Arc<Mutex<Vec<String>>>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = tcp.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        heads.lock().unwrap().push(head.clone());
        match (manner, head.strip_prefix("CONNECT ")) {
            (Manner::Refuses, _) => {
                let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
                tcp.write_all(refusal).await.unwrap();
            }
            (Manner::Silent, _) => std::future::pending().await,
            (Manner::Endless, _) => while tcp.write_all(b"HTTP/1.1 200 x: y\r\n").await.is_ok() {},
            (Manner::Works, Some(rest)) => {
                let target = rest.split(' ').next().unwrap();
                let mut vendor = TcpStream::connect(target).await.unwrap();
                tcp.write_all(b"HTTP/1.1 200 Connected\r\nvia: test\r\n\r\n").await.unwrap();
                // How a tunnel ends is up to its ends.
                let _ = tokio::io::copy_bidirectional(&mut tcp, &mut vendor).await;
                return;
            }
            (Manner::Works, None) => {
                let mut body = [0; 2];
                tcp.read_exact(&mut body).await.unwrap();
                tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nproxied").await.unwrap();
            }
        }
    }
}

fn options(proxy: Option<String>, environment: &[(&str, &str)]) -> OriginOptions {
    let environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    OriginOptions { proxy, environment, ..OriginOptions::default() }
}

#[tokio::test]
async fn plain_calls_go_to_the_proxy_in_absolute_form_with_its_credentials() {
    let proxy = Proxy::start(Manner::Works).await;
    let caller = Caller::new("http://vendor.invalid:8080/v1", &options(Some(proxy.url()), &[]));
    for _ in 0..2 {
        assert_eq!(caller.call(b"{}").await.unwrap().body, "proxied");
    }
    for head in proxy.heads() {
        assert!(head.starts_with("POST http://vendor.invalid:8080/v1/chat HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nhost: vendor.invalid:8080\r\n"), "{head}");
        assert!(head.contains(&format!("\r\nproxy-authorization: {CREDENTIALS}\r\n")), "{head}");
    }
}

#[tokio::test]
async fn tls_goes_through_a_tunnel_and_the_vendor_never_sees_the_proxys_credentials() {
    for engine in [Engine::Tls, Engine::Http2] {
        let server = Server::start(engine, vec![]).await;
        let proxy = Proxy::start(Manner::Works).await;
        let tls = server.authority.trusted(engine == Engine::Http2);
        let caller = Caller::new(&server.url(), &OriginOptions { tls, ..options(Some(proxy.url()), &[]) });
        for _ in 0..2 {
            assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
        }
        let heads = proxy.heads();
        assert_eq!(heads.len(), 1, "the tunnel is used again");
        let target = format!("127.0.0.1:{}", server.port);
        assert!(
            heads[0].starts_with(&format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n")),
            "{heads:?}"
        );
        assert!(heads[0].contains(&format!("\r\nproxy-authorization: {CREDENTIALS}\r\n")), "{heads:?}");
        assert!(!heads[0].contains("Bearer"), "{heads:?}");
        assert!(server.calls().iter().all(|seen| !seen.headers.contains_key("proxy-authorization")));
    }
}

#[tokio::test]
async fn the_environments_proxy_is_used_unless_no_proxy_lists_the_host() {
    let proxy = Proxy::start(Manner::Works).await;
    let url = proxy.url();
    let through = |no_proxy: &'static str| {
        let environment = [("http_proxy", url.as_str()), ("NO_PROXY", no_proxy)];
        Caller::new("http://vendor.invalid/v1", &options(None, &environment))
    };
    assert_eq!(through("").call(b"{}").await.unwrap().body, "proxied");
    assert_eq!(through("other.invalid").call(b"{}").await.unwrap().body, "proxied");
    // Around the proxy there is nobody of that name.
    let failure = through("vendor.invalid").call(b"{}").await.unwrap_err();
    assert!(failure.is_safe_to_retry(), "{failure:?}");
    assert_eq!(proxy.heads().len(), 2);
}

#[tokio::test]
async fn loopback_and_an_empty_setting_go_around_the_environments_proxy() {
    let server = Server::start(Engine::Plain, vec![]).await;
    let proxy = Proxy::start(Manner::Works).await;
    for setting in [None, Some(String::new())] {
        let options = options(setting, &[("HTTP_PROXY", &proxy.url()), ("ALL_PROXY", &proxy.url())]);
        assert_eq!(Caller::new(&server.url(), &options).call(b"{}").await.unwrap().body, "honest");
    }
    assert!(proxy.heads().is_empty());
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_is_named_with_where_to_put_them() {
    let proxy = Proxy::start(Manner::Refuses).await;
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let caller = Caller::new("https://vendor.invalid", &options(Some(url), &[]));
    let refused = caller.call(b"{}").await.unwrap_err();
    assert!(refused.is_safe_to_retry(), "{refused:?}");
    let words = refused.to_string();
    assert!(words.contains(&format!("proxy 127.0.0.1:{}", proxy.port)) && words.contains("407"), "{words}");
    assert!(words.contains("proxy's URL"), "{words}");
}

#[tokio::test]
async fn a_silent_proxy_ends_at_the_connect_deadline_and_an_endless_one_at_its_bound() {
    let proxy = Proxy::start(Manner::Silent).await;
    let timeouts = Timeouts { connect: Duration::from_millis(50), ..Timeouts::default() };
    let silent = OriginOptions { timeouts, ..options(Some(proxy.url()), &[]) };
    let failure = Caller::new("https://vendor.invalid", &silent).call(b"{}").await.unwrap_err();
    assert_eq!(failure, Failure::Timeout(Phase::Connect));

    let proxy = Proxy::start(Manner::Endless).await;
    let endless = options(Some(proxy.url()), &[]);
    let failure = Caller::new("https://vendor.invalid", &endless).call(b"{}").await.unwrap_err();
    assert!(failure.to_string().contains("too long"), "{failure}");
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_named() {
    let proxy = Proxy::start(Manner::Works).await;
    let (url, port) = (proxy.url(), proxy.port);
    drop(proxy);
    tokio::task::yield_now().await;
    let failure =
        Caller::new("https://vendor.invalid", &options(Some(url), &[])).call(b"{}").await.unwrap_err();
    let words = failure.to_string();
    assert!(words.contains(&format!("proxy 127.0.0.1:{port}")), "{words}");
    assert!(!words.contains("p%40ss") && !words.contains("p@ss"), "{words}");
}
