//! Opening a connection: TCP, then the proxy's tunnel, then TLS; ALPN tells which engine takes it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::CertificateError;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::failure::{Failure, Phase};
use crate::origin::Inner;
use crate::proxy::Proxy;

/// Largest answer of a proxy to CONNECT that we read, in bytes.
const PROXY_HEAD_MAX: usize = 8 * 1024;

/// A byte stream to a vendor.
pub(crate) enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// An open connection and the protocol that its server chose.
pub(crate) enum Opened {
    H1(Io),
    H2(Io),
}

/// Opens a connection within the origin's connect deadline.
pub(crate) async fn open(origin: &Inner) -> Result<Opened, Failure> {
    within_connect(origin, open_unbounded(origin, origin.tls.as_ref())).await
}

/// Opens a connection that speaks HTTP/1.1, within the origin's connect deadline.
pub(crate) async fn open_http1(origin: &Inner) -> Result<Io, Failure> {
    match within_connect(origin, open_unbounded(origin, origin.tls_http1.as_ref())).await? {
        Opened::H1(io) => Ok(io),
        // A server that chooses what was not offered breaks the handshake.
        Opened::H2(_) => Err(Failure::Connect("it insists on HTTP/2, which this call cannot use".into())),
    }
}

async fn within_connect(
    origin: &Inner,
    opening: impl Future<Output = Result<Opened, Failure>>,
) -> Result<Opened, Failure> {
    tokio::time::timeout(origin.timeouts.connect, opening)
        .await
        .unwrap_or(Err(Failure::Timeout(Phase::Connect)))
}

async fn open_unbounded(origin: &Inner, tls: Option<&Arc<rustls::ClientConfig>>) -> Result<Opened, Failure> {
    let failed = |error: io::Error| Failure::Connect(error.to_string());
    let (host, port) = match &origin.proxy {
        Some(proxy) => (proxy.host.as_str(), proxy.port),
        None => (origin.host.as_str(), origin.port),
    };
    let mut tcp = TcpStream::connect((host, port)).await.map_err(|error| match &origin.proxy {
        Some(proxy) => Failure::Connect(format!("proxy {}:{}: {error}", proxy.host, proxy.port)),
        None => failed(error),
    })?;
    // Small writes must leave at once: Nagle plus delayed ACK costs 40 ms.
    tcp.set_nodelay(true).map_err(failed)?;
    let Some(config) = tls else { return Ok(Opened::H1(Io::Plain(tcp))) };
    if let Some(proxy) = &origin.proxy {
        tunnel(&mut tcp, proxy, origin).await?;
    }
    let name = ServerName::try_from(origin.host.clone())
        .map_err(|_| Failure::Connect(format!("`{}` is not a name TLS can check", origin.host)))?;
    let stream = TlsConnector::from(Arc::clone(config))
        .connect(name, tcp)
        .await
        .map_err(|error| handshake_failed(&error, &origin.host))?;
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = Io::Tls(Box::new(stream));
    Ok(if is_h2 { Opened::H2(io) } else { Opened::H1(io) })
}

/// Why a handshake failed, and what may be done about it.
fn handshake_failed(error: &io::Error, host: &str) -> Failure {
    if let Some(failure) = refused_handshake(error) {
        return failure;
    }
    let advice = match rustls_error(error) {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => "; if a private authority signed it, name that authority's PEM file in `ca_file`".to_owned(),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => format!("; `{host}` in base_url must be a name that the certificate holds"),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "; it must be renewed, or this machine's clock is wrong".to_owned(),
        Some(rustls::Error::InvalidMessage(_)) => {
            "; the port may speak plain HTTP: then begin base_url with http://".to_owned()
        }
        _ => String::new(),
    };
    Failure::Connect(format!("TLS: {error}{advice}"))
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// The failure of a call whose server ended the handshake for a reason that a setting mends. With TLS 1.3
/// we learn so only when we read the answer. By its words, which is all that the HTTP/2 library keeps.
pub(crate) fn refused_handshake(error: &io::Error) -> Option<Failure> {
    if error.kind() != io::ErrorKind::InvalidData {
        return None;
    }
    let words = error.to_string();
    let alert = words.strip_prefix("received fatal alert: ")?;
    let advice = match alert {
        "CertificateRequired" => {
            "it asks for a client certificate: set `client_certificate` and `client_key`"
        }
        "BadCertificate"
        | "UnsupportedCertificate"
        | "CertificateRevoked"
        | "CertificateExpired"
        | "CertificateUnknown"
        | "UnknownCA"
        | "AccessDenied"
        | "DecryptError" => "it does not accept our certificate: check `client_certificate` and `client_key`",
        "NoApplicationProtocol" => "it does not speak HTTP/1.1: set `http2 = true`",
        _ => return None,
    };
    Some(Failure::Connect(format!("TLS: {advice} ({alert})")))
}

/// Asks a proxy for a tunnel (RFC 9110, section 9.3.6).
async fn tunnel(tcp: &mut TcpStream, proxy: &Proxy, origin: &Inner) -> Result<(), Failure> {
    let failed = |why: String| Failure::Connect(format!("proxy {}:{}: {why}", proxy.host, proxy.port));
    let authority = if origin.host.contains(':') {
        format!("[{}]:{}", origin.host, origin.port)
    } else {
        format!("{}:{}", origin.host, origin.port)
    };
    let mut ask = format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n");
    if let Some(authorization) = &proxy.authorization {
        ask.push_str(&format!("proxy-authorization: {}\r\n", authorization.reveal()));
    }
    ask.push_str("\r\n");
    tcp.write_all(ask.as_bytes()).await.map_err(|error| failed(error.to_string()))?;
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        // Byte by byte, so that nothing of the tunnel's first bytes is swallowed. Once per connection.
        let byte = tcp.read_u8().await.map_err(|error| failed(error.to_string()))?;
        head.push(byte);
        if head.len() > PROXY_HEAD_MAX {
            return Err(failed("its answer to CONNECT is too long".into()));
        }
    }
    let status = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or("???");
    if head.starts_with(b"HTTP/1.") && status.starts_with('2') {
        Ok(())
    } else {
        let advice = if status == "407" { "; put its user and password into the proxy's URL" } else { "" };
        Err(failed(format!("it answered {status} to CONNECT{advice}")))
    }
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::{Origin, OriginOptions};

    #[tokio::test]
    async fn small_writes_leave_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let origin = Origin::new(&url, &OriginOptions::default()).unwrap();
        let Ok(Opened::H1(Io::Plain(tcp))) = open(origin.inner()).await else {
            panic!("a plain connection opens");
        };
        assert!(socket2::SockRef::from(&tcp).tcp_nodelay().unwrap());
    }
}
