//! A request to a vendor: a head prepared once per target, what differs per call, and the body's bytes.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::origin::Origin;

/// The part of a request that is the same for every call to one endpoint of one target with one credential.
#[derive(Clone)]
pub struct Head {
    /// `POST <path> HTTP/1.1` and the fixed headers, each line ended by CRLF, ready for the wire.
    pub(crate) h1: Bytes,
    /// Where the path of the request line ends in `h1`: what a call adds to it goes there.
    pub(crate) path_end: usize,
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

impl Head {
    /// Prepares the head of a call. `path` follows the origin's own path; `headers` are the fixed ones
    /// (credential included); `host`, `content-length` and hop-by-hop headers are added by the engines.
    #[must_use]
    pub fn new(
        origin: &Origin,
        method: &http::Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        via_plain_proxy: bool,
    ) -> Self {
        let path = format!("{}{path}", origin.path_prefix());
        let target =
            if via_plain_proxy { format!("http://{}{path}", origin.authority()) } else { path.clone() };
        let mut h1 = Vec::with_capacity(512);
        h1.extend_from_slice(method.as_str().as_bytes());
        h1.push(b' ');
        h1.extend_from_slice(target.as_bytes());
        let path_end = h1.len();
        h1.extend_from_slice(b" HTTP/1.1\r\nhost: ");
        h1.extend_from_slice(origin.authority().as_bytes());
        h1.extend_from_slice(b"\r\n");
        // A tunnel is authorised once, when it is opened; a plain proxy reads the head of every call.
        let authorization = origin.inner().proxy.as_ref().and_then(|proxy| proxy.authorization.as_ref());
        if let (true, Some(authorization)) = (via_plain_proxy, authorization) {
            h1.extend_from_slice(b"proxy-authorization: ");
            h1.extend_from_slice(authorization.reveal().as_bytes());
            h1.extend_from_slice(b"\r\n");
        }
        let mut map = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            append_line(&mut h1, name, value);
            map.append(name.clone(), value.clone());
        }
        Self { h1: h1.into(), path_end, method: method.clone(), path, headers: map }
    }

    /// The method of the calls.
    #[must_use]
    pub const fn method(&self) -> &http::Method {
        &self.method
    }

    /// The prepared path, the origin's own included; a call may add to it ([`Request::tail`]).
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The fixed headers, without those that the engines add.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The same, asking the origin itself whether its proxy wants absolute URLs.
    #[must_use]
    pub fn for_origin(
        origin: &Origin,
        method: &http::Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Self {
        let plain_proxy = origin.inner().proxy.is_some() && origin.inner().tls.is_none();
        Self::new(origin, method, path, headers, plain_proxy)
    }
}

impl fmt::Debug for Head {
    /// Without headers: they hold credentials.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Head({} {})", self.method, self.path)
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The prepared part.
    pub head: &'a Head,
    /// What follows the prepared path in this call only, such as `/models/m:generateContent?alt=sse`: ASCII that may
    /// stand in a URL. Empty for the calls whose path is the same every time.
    pub tail: &'a str,
    /// Headers of this call only.
    pub extra: &'a [(HeaderName, HeaderValue)],
    /// The body, in pieces that follow each other; empty for calls without one. In pieces, so that an edited
    /// body need not be put together before it is written.
    pub body: &'a [&'a [u8]],
}

impl Request<'_> {
    /// Appends the request line and the fixed headers.
    pub(crate) fn append_head(&self, out: &mut Vec<u8>) {
        if self.tail.is_empty() {
            out.extend_from_slice(&self.head.h1);
            return;
        }
        let (before, behind) = self.head.h1.split_at(self.head.path_end);
        // A space or a line end would make another request of it.
        let tail = self.tail.bytes().filter(u8::is_ascii_graphic);
        out.extend_from_slice(before);
        out.extend(tail);
        out.extend_from_slice(behind);
    }

    /// Bytes of the body.
    pub(crate) fn body_len(&self) -> usize {
        self.body.iter().map(|piece| piece.len()).sum()
    }
}

pub(crate) fn append_line(out: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}
