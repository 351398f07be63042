//! A client that sees the bytes: status, headers, body, and whether the message ended as HTTP says it must.

use crate::{Fleet, Options, start};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One answer as it arrived.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the announced length or the last chunk arrived.
    pub(crate) complete: bool,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Data of all events but `[DONE]`.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.lines().filter_map(|l| l.strip_prefix("data: ")).filter(|d| *d != "[DONE]");
        data.map(|d| serde_json::from_str(d).unwrap_or_else(|e| panic!("{e}: {d}"))).collect()
    }
}

/// A fleet of default options.
pub(crate) async fn fleet() -> Fleet {
    start(Options::default()).await.unwrap()
}

/// POST with the right credentials of the path's vendor.
pub(crate) async fn post(fleet: &Fleet, path: &str, body: &Value) -> Got {
    send(fleet, "POST", path, &[], &body.to_string()).await
}

/// A call with further headers.
pub(crate) async fn send(
    fleet: &Fleet,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Got {
    let mut stream = request(fleet, method, path, headers, body).await;
    let mut bytes = Vec::new();
    // A broken connection is an ending too.
    let _ = stream.read_to_end(&mut bytes).await;
    parse(&bytes)
}

/// Writes a request and leaves its answer on the stream.
pub(crate) async fn request(
    fleet: &Fleet,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> TcpStream {
    let mut stream = TcpStream::connect(fleet.addr()).await.unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    let given = |name: &str| headers.iter().any(|(n, _)| *n == name);
    if path.starts_with("/vertex/") && !given("authorization") && !given("x-goog-api-key") {
        head += "authorization: Bearer ya29.test\r\n";
    } else if path.contains("v1beta/") && !given("authorization") && !given("x-goog-api-key") {
        head += "x-goog-api-key: key-test\r\n";
    } else if !given("authorization") && !given("x-api-key") && !given("x-goog-api-key") {
        head += "authorization: Bearer sk-test\r\n";
    }
    if path.contains("messages") && !given("anthropic-version") {
        head += "anthropic-version: 2023-06-01\r\n";
    }
    for (name, value) in headers.iter().filter(|(_, v)| !v.is_empty()) {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.unwrap();
    stream
}

fn parse(bytes: &[u8]) -> Got {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
        return Got { status: 0, headers: Vec::new(), body: bytes.to_vec(), complete: false };
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> =
        lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
    let rest = &bytes[end + 4..];
    let length =
        headers.iter().find(|(n, _)| n == "content-length").map(|(_, v)| v.parse::<usize>().unwrap());
    let (body, complete) = match length {
        Some(length) => (rest.to_vec(), rest.len() == length),
        None => dechunk(rest),
    };
    Got { status, headers, body, complete }
}

fn dechunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(line) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let data = &rest[line + 2..];
        body.extend_from_slice(&data[..size.min(data.len())]);
        if data.len() < size + 2 {
            break;
        }
        rest = &data[size + 2..];
    }
    (body, false)
}

/// A chat request with one user message.
pub(crate) fn chat(model: &str, ask: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": ask }] })
}

/// A message request with one user message.
pub(crate) fn message(model: &str, ask: &str) -> Value {
    json!({ "model": model, "max_tokens": 1000, "messages": [{ "role": "user", "content": ask }] })
}

/// A request for a response to one text.
pub(crate) fn respond(model: &str, ask: &str) -> Value {
    json!({ "model": model, "input": ask })
}

/// The same, streamed.
pub(crate) fn respond_streamed(model: &str, ask: &str) -> Value {
    json!({ "model": model, "input": ask, "stream": true })
}

/// A request for content with one user text.
pub(crate) fn generate(ask: &str) -> Value {
    json!({ "contents": [{ "role": "user", "parts": [{ "text": ask }] }] })
}

/// The path of a method of one of Google's models.
pub(crate) fn gemini(model: &str, method: &str) -> String {
    format!("/v1beta/models/{model}:{method}")
}

/// The request, streamed.
pub(crate) fn streamed(mut request: Value) -> Value {
    request["stream"] = json!(true);
    if request.get("max_tokens").is_none() {
        request["stream_options"] = json!({ "include_usage": true });
    }
    request
}
