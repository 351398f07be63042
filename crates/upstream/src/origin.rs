//! A place that answers calls: parsed base URL, deadlines, TLS and proxy settings. Made from configuration only.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::proxy::Proxy;
use crate::tls::{TlsError, TlsFiles, client_config, http1_only};

/// Deadlines of one vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Opening a connection: TCP, proxy and TLS together.
    pub connect: Duration,
    /// From the request to the first byte of the answer.
    pub first_byte: Duration,
    /// Between two reads of the answer.
    pub between_chunks: Duration,
    /// The whole call.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(600),
            between_chunks: Duration::from_secs(600),
            total: Duration::from_secs(3600),
        }
    }
}

/// What an origin is made from.
#[derive(Clone, Debug, Default)]
pub struct OriginOptions {
    /// Deadlines.
    pub timeouts: Timeouts,
    /// Extra CA and client certificate.
    pub tls: TlsFiles,
    /// An explicit proxy URL; `None` reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` as given in `environment`.
    pub proxy: Option<String>,
    /// The proxy variables of the environment, by name.
    pub environment: Vec<(String, String)>,
    /// Idle connections kept per worker.
    pub idle_connections_max: usize,
}

/// A place that answers calls.
#[derive(Clone)]
pub struct Origin(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
    /// The same without the offer of HTTP/2, for calls that need a connection of their own.
    pub(crate) tls_http1: Option<Arc<rustls::ClientConfig>>,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What the `Host` header says.
    pub(crate) authority: String,
    pub(crate) path_prefix: String,
    pub(crate) timeouts: Timeouts,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) idle_max: usize,
}

/// Why a base URL cannot be used.
#[derive(Debug)]
pub enum OriginError {
    /// The URL is not one we can call.
    Url(String),
    /// A certificate or key file cannot be used.
    Tls(TlsError),
}

impl fmt::Display for OriginError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => out.write_str(why),
            Self::Tls(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for OriginError {}

impl Origin {
    /// Parses `base_url` (`https://api.openai.com/v1`) and loads what TLS needs.
    ///
    /// # Errors
    /// When the URL has another scheme than http or https, credentials, a query or no host, or when a
    /// certificate file cannot be used.
    pub fn new(base_url: &str, options: &OriginOptions) -> Result<Self, OriginError> {
        let wrong = |why: &str| OriginError::Url(format!("`{base_url}` {why}"));
        let uri: http::Uri = base_url.parse().map_err(|_| wrong("is not a URL"))?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("holds credentials; put them into api_key"));
        }
        if uri.query().is_some() {
            return Err(wrong("must not have a query"));
        }
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = if is_tls { Some(client_config(&options.tls).map_err(OriginError::Tls)?) } else { None };
        let proxy = Proxy::choose(is_tls, &host, port, options.proxy.as_deref(), &options.environment)
            .map_err(OriginError::Url)?;
        let tls_http1 = tls.as_ref().map(http1_only);
        Ok(Self(Arc::new(Inner {
            tls,
            tls_http1,
            host,
            port,
            authority: authority.as_str().to_owned(),
            path_prefix: uri.path().trim_end_matches('/').to_owned(),
            timeouts: options.timeouts,
            proxy,
            idle_max: if options.idle_connections_max == 0 { 512 } else { options.idle_connections_max },
        })))
    }

    /// The path that precedes the dialect's own (`/v1`), without a trailing slash.
    #[must_use]
    pub fn path_prefix(&self) -> &str {
        &self.0.path_prefix
    }

    /// Host and port, as the `Host` header says them.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.0.authority
    }

    /// The host without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// The port called.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Where the origin lies: the same for its clones, and its own while a reference, weak ones included,
    /// is kept.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Origin({}{})", self.0.authority, self.0.path_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_that_could_mislead_are_refused() {
        let options = OriginOptions::default();
        for wrong in ["ftp://x", "http://", "https://u:p@x/v1", "http://x/v1?k=1", "nonsense"] {
            assert!(Origin::new(wrong, &options).is_err(), "{wrong}");
        }
        let origin = Origin::new("http://[::1]:8000/v1/", &options).unwrap();
        assert_eq!((origin.host(), origin.port(), origin.path_prefix()), ("::1", 8000, "/v1"));
        assert_eq!(origin.authority(), "[::1]:8000");
    }
}
