//! The `[server]` section.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

/// Where and how we listen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port.
    pub listen: Option<Spanned<String>>,
    /// Worker threads; 0 is one per core.
    pub workers: usize,
    /// TLS for our own listener.
    pub tls: Option<TlsSection>,
    /// Host names by which callers may reach us, besides loopback names and IP addresses.
    pub hosts: Vec<String>,
    /// Web origins whose pages may call us.
    pub origins: Vec<String>,
    /// The token for `/metrics` and the status page, where others than this machine may ask.
    pub admin_token: Option<Spanned<String>>,
    /// Largest request body in bytes.
    pub body_bytes_max: u64,
    /// Largest upload in bytes: a file or a form, which passes without being held.
    pub upload_bytes_max: u64,
    /// Most bytes of request bodies held at once.
    pub inflight_bytes_max: u64,
    /// Most connections at once.
    pub connections_max: usize,
    /// Seconds that streams may go on after a stop was asked for.
    pub drain_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: None,
            workers: 0,
            tls: None,
            hosts: Vec::new(),
            origins: Vec::new(),
            admin_token: None,
            body_bytes_max: 64 * 1024 * 1024,
            upload_bytes_max: 1024 * 1024 * 1024,
            inflight_bytes_max: 1024 * 1024 * 1024,
            connections_max: 16_384,
            drain_seconds: 300,
        }
    }
}

/// TLS for our own listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSection {
    /// PEM file of the certificate chain.
    pub certificate: Spanned<PathBuf>,
    /// PEM file of the key.
    pub key: Spanned<PathBuf>,
}
