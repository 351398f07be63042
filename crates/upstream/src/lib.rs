//! Transport to vendors: prepared bytes in; status, headers, body, timings and an error class out.
//!
//! One interface ([`Client::send`], and [`Client::upload`] and [`Client::switch`] for bodies and answers that are no
//! messages), two engines: an HTTP/1.1 client of our own for the hot path (plain or
//! TLS), and hyper for HTTP/2 where the server chooses it by ALPN. This crate knows nothing of dialects,
//! routes or clients.

mod body;
mod client;
mod connect;
mod decode;
mod failure;
mod h1;
mod h2;
mod origin;
mod pool;
mod proxy;
mod request;
mod tls;
mod upload;

pub use body::Body;
pub use client::{Answer, Client, Switched};
pub use failure::{Failure, Phase};
pub use h1::Tunnel;
pub use origin::{Origin, OriginError, OriginOptions, Timeouts};
pub use request::{Head, Request};
pub use tls::{TlsError, TlsFiles};
pub use upload::{Broken, Source, Upload};
