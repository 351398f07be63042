//! A `[providers.NAME]` section.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

/// A place that may be called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provider {
    /// The catalogue's vendor, where it is not the section's own name.
    pub vendor: Option<Spanned<String>>,
    /// The wire format, for a server that the catalogue does not know or for one of several it speaks.
    pub dialect: Option<Spanned<String>>,
    /// Everything before the dialect's own path.
    pub base_url: Option<Spanned<String>>,
    /// The address of its rerank call, where it is not the vendor's or `/rerank` below `base_url`.
    pub rerank_url: Option<Spanned<String>>,
    /// Its credential: `env:NAME` or `file:PATH`.
    pub api_key: Option<Spanned<String>>,
    /// Several credentials; the next is used when one is refused.
    pub api_keys: Vec<Spanned<String>>,
    /// Bare model names that this provider answers to, besides those of the catalogue.
    pub models: Vec<String>,
    /// The platform whose price rows apply, where it is not the vendor's.
    pub platform: Option<Spanned<String>>,
    /// Sent as `OpenAI-Organization`.
    pub organization: Option<String>,
    /// Sent as `OpenAI-Project`.
    pub project: Option<String>,
    /// Further headers of every call.
    pub headers: BTreeMap<String, Spanned<String>>,
    /// Values for placeholders in the vendor's address (`{resource}`, `{region}`).
    pub params: BTreeMap<String, String>,
    /// Deadlines.
    pub timeouts: TimeoutSection,
    /// Further attempts after the first, 0 to 2.
    pub retries: Option<Spanned<u32>>,
    /// Whether a call may be repeated after a timeout with its body sent, which may be billed twice.
    pub retry_after_timeout: bool,
    /// PEM file of further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// PEM file of our certificate, for servers that ask for one.
    pub client_certificate: Option<PathBuf>,
    /// PEM file of its key.
    pub client_key: Option<PathBuf>,
    /// Use HTTP/2 where the server offers it.
    pub http2: bool,
    /// An outbound proxy; an empty text means none, whatever the environment says.
    pub proxy: Option<Spanned<String>>,
}

/// Deadlines in seconds.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutSection {
    /// Opening a connection; 5 where not given.
    pub connect: Option<f64>,
    /// Until the first byte of the answer; 600 where not given.
    pub first_byte: Option<f64>,
    /// Between two reads of the answer; 600 where not given.
    pub between_chunks: Option<f64>,
    /// The whole call; 3600 where not given.
    pub total: Option<f64>,
}
