//! A client that sees the bytes: the head as it came, the body as it comes, and how the message ended.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::PATIENCE;

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As HTTP says it must: the announced length, or the last chunk.
    Whole,
    /// The connection ended first.
    Broken,
}

/// An answer that has arrived.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
}

impl Got {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{} is not JSON ({error}): {}", self.status, self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// One call on a connection of its own.
pub(crate) fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Got {
    Stream::open(address, method, path, headers, body).rest()
}

enum Framing {
    Length(usize),
    /// Bytes left of the chunk that is being read.
    Chunks(usize),
    Done,
}

/// An answer on its way.
pub(crate) struct Stream {
    socket: TcpStream,
    held: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    framing: Framing,
    /// What has come of the body.
    pub(crate) body: Vec<u8>,
    end: Option<End>,
}

impl Stream {
    /// Sends a request and reads the answer's head. A `host` among the headers replaces the usual one.
    pub(crate) fn open(
        address: SocketAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Self {
        let mut request = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request.push_str(&format!("host: {address}\r\n"));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if matches!(method, "POST" | "PATCH") {
            if !headers.iter().any(|(name, _)| *name == "content-type") {
                request.push_str("content-type: application/json\r\n");
            }
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        Self::send(address, &[request.as_bytes(), body].concat())
    }

    /// Sends bytes and reads the answer's head.
    pub(crate) fn send(address: SocketAddr, bytes: &[u8]) -> Self {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        // A server that refuses early may close while we still write; its answer is there to be read.
        let _ = socket.write_all(bytes);
        let mut stream = Self {
            socket,
            held: Vec::new(),
            status: 0,
            headers: Vec::new(),
            framing: Framing::Done,
            body: Vec::new(),
            end: None,
        };
        stream.read_head();
        stream
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    fn more(&mut self) -> bool {
        let mut buffer = [0; 64 * 1024];
        match self.socket.read(&mut buffer) {
            Ok(0) => false,
            Ok(count) => {
                self.held.extend_from_slice(&buffer[..count]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came for a minute: {error}"),
        }
    }

    fn read_head(&mut self) {
        let end = loop {
            if let Some(at) = find(&self.held, b"\r\n\r\n") {
                break at;
            }
            assert!(self.more(), "the connection ended inside the head: {:?}", self.held);
        };
        let head = String::from_utf8(self.held[..end].to_vec()).unwrap();
        self.held.drain(..end + 4);
        let mut lines = head.split("\r\n");
        self.status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        self.headers = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        self.framing = if self.header("transfer-encoding") == Some("chunked") {
            Framing::Chunks(0)
        } else {
            let length = self.header("content-length").map_or(0, |length| length.parse().unwrap());
            Framing::Length(length)
        };
    }

    /// Reads the next piece of the body into `body`. False at its end.
    pub(crate) fn next(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        loop {
            match self.framing {
                Framing::Length(0) | Framing::Done => {
                    self.end = Some(End::Whole);
                    return false;
                }
                Framing::Length(left) if !self.held.is_empty() => {
                    let taken = left.min(self.held.len());
                    self.body.extend(self.held.drain(..taken));
                    self.framing = Framing::Length(left - taken);
                    return true;
                }
                Framing::Chunks(0) => {
                    if let Some(at) = find(&self.held, b"\r\n") {
                        let size = std::str::from_utf8(&self.held[..at]).unwrap();
                        let size = usize::from_str_radix(size, 16).unwrap();
                        if size > 0 {
                            self.held.drain(..at + 2);
                            // The chunk's own line end belongs to it.
                            self.framing = Framing::Chunks(size + 2);
                            continue;
                        }
                        if self.held.len() >= at + 4 {
                            self.held.drain(..at + 4);
                            self.framing = Framing::Done;
                            continue;
                        }
                    }
                }
                Framing::Chunks(left) if self.held.len() >= left => {
                    self.body.extend_from_slice(&self.held[..left - 2]);
                    self.held.drain(..left);
                    self.framing = Framing::Chunks(0);
                    return true;
                }
                _ => {}
            }
            if !self.more() {
                self.body.append(&mut self.held);
                self.end = Some(End::Broken);
                return false;
            }
        }
    }

    /// Reads until the body holds `text`.
    pub(crate) fn until(&mut self, text: &str) {
        while find(&self.body, text.as_bytes()).is_none() {
            assert!(self.next(), "`{text}` never came: {}", String::from_utf8_lossy(&self.body));
        }
    }

    /// Writes more to the connection.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// The next answer on the same connection.
    pub(crate) fn following(self) -> Self {
        let mut next = Self {
            status: 0,
            headers: Vec::new(),
            framing: Framing::Done,
            body: Vec::new(),
            end: None,
            ..self
        };
        next.read_head();
        next
    }

    /// Reads to the end.
    pub(crate) fn rest(mut self) -> Got {
        while self.next() {}
        Got { status: self.status, headers: self.headers, body: self.body, end: self.end.unwrap() }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
