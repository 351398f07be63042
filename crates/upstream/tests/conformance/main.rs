//! The conformance suite of the transport: one list of sentences, kept by every engine.
//!
//! [`every`] and [`deadlines`] run over HTTP/1.1 of our own, the same over TLS, and HTTP/2 by hyper; the
//! other modules hold what only one of the protocols has. The servers are scripted, so that each fault
//! comes exactly where the test wants it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a scripted server that cannot play its script fails its test"
)]

/// Makes a test of each function for each engine.
macro_rules! on_every_engine {
    ($($name:ident),* $(,)?) => {
        mod own_http1 {
            $(#[tokio::test] async fn $name() { super::$name(crate::server::Engine::Plain).await })*
        }
        mod own_http1_in_tls {
            $(#[tokio::test] async fn $name() { super::$name(crate::server::Engine::Tls).await })*
        }
        mod http2_by_hyper {
            $(#[tokio::test] async fn $name() { super::$name(crate::server::Engine::Http2).await })*
        }
    };
}

/// Makes a test of each function for HTTP/1.1, plain and in TLS.
macro_rules! on_http1 {
    ($($name:ident),* $(,)?) => {
        mod plain {
            $(#[tokio::test] async fn $name() { super::$name(crate::server::Engine::Plain).await })*
        }
        mod in_tls {
            $(#[tokio::test] async fn $name() { super::$name(crate::server::Engine::Tls).await })*
        }
    };
}

mod authority;
mod deadlines;
mod every;
mod hostile;
mod http1;
mod http2;
mod pooling;
mod proxies;
mod script;
mod server;
mod switching;
mod tls;
mod uploads;
