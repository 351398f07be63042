//! Multipart forms as SDKs write them.

use std::net::SocketAddr;

use super::http::{Got, Stream};

/// The boundary of all forms here.
const BOUNDARY: &str = "----proof";

/// One field: its disposition behind `form-data; `, its type where it is a file, and its value.
pub(crate) type Field<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// A form's body.
pub(crate) fn form(fields: &[Field<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (disposition, kind, value) in fields {
        out.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n").into_bytes());
        if let Some(kind) = kind {
            out.extend(format!("Content-Type: {kind}\r\n").into_bytes());
        }
        out.extend(b"\r\n");
        out.extend(*value);
        out.extend(b"\r\n");
    }
    out.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    out
}

/// The head of a request that brings a form.
pub(crate) fn head(address: SocketAddr, path: &str, framing: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: multipart/form-data; boundary={BOUNDARY}\r\n{framing}\r\n"
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

/// Sends a form of known length.
pub(crate) fn send(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Got {
    let head = head(address, path, &format!("content-length: {}", body.len()), headers);
    Stream::send(address, &[head.as_bytes(), body].concat()).rest()
}

/// Sends a form in chunks of that size.
pub(crate) fn send_chunked(address: SocketAddr, path: &str, body: &[u8], size: usize) -> Got {
    let mut bytes = head(address, path, "transfer-encoding: chunked", &[]).into_bytes();
    for chunk in body.chunks(size) {
        bytes.extend(super::scripted::chunk(chunk));
    }
    bytes.extend(super::scripted::LAST_CHUNK);
    Stream::send(address, &bytes).rest()
}
