//! A vendor of a few lines: it answers each call with bytes that a test wrote down.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::PATIENCE;

/// What a vendor does with one connection's call.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Writes these pieces, each in a write of its own, then closes.
    Write(Vec<Vec<u8>>),
    /// Writes these pieces and then keeps the connection, silent, until the vendor is dropped.
    Hold(Vec<Vec<u8>>),
    /// Writes these pieces, reads one more request on the same connection, and closes it without a byte.
    HangUpAtNext(Vec<Vec<u8>>),
    /// Closes without a byte.
    Close,
    /// Takes the request and never answers; the connection stays until the vendor is dropped.
    Silence,
}

/// A vendor that follows a script: the nth call gets the nth act, later calls the last one.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    calls: Arc<AtomicUsize>,
}

impl Scripted {
    pub(crate) fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let calls = Arc::new(AtomicUsize::new(0));
        let (seen, counter) = (Arc::clone(&requests), Arc::clone(&calls));
        // The thread ends with the test process; it holds nothing but its sockets.
        std::thread::spawn(move || {
            let mut held = Vec::new();
            while let Ok((mut socket, _)) = listener.accept() {
                socket.set_nodelay(true).unwrap();
                socket.set_read_timeout(Some(PATIENCE)).unwrap();
                let Some(request) = read_request(&mut socket) else { continue };
                let call = counter.fetch_add(1, Ordering::SeqCst);
                seen.lock().unwrap().push(request);
                let act = acts.get(call).or(acts.last()).unwrap();
                if let Act::Write(pieces) | Act::Hold(pieces) | Act::HangUpAtNext(pieces) = act {
                    for piece in pieces {
                        // The gateway may have turned away; that is its right.
                        if socket.write_all(piece).is_err() {
                            break;
                        }
                        // Let the reader take each piece alone.
                        std::thread::yield_now();
                    }
                }
                if matches!(act, Act::HangUpAtNext(_)) {
                    seen.lock().unwrap().extend(read_request(&mut socket));
                }
                if matches!(act, Act::Silence | Act::Hold(_)) {
                    held.push(socket);
                }
            }
        });
        Self { address, requests, calls }
    }

    /// How many calls came.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The calls as they came, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|request| String::from_utf8_lossy(request).into_owned()).collect()
    }
}

fn read_request(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase();
            let length = head
                .split("\r\n")
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if bytes.len() >= at + 4 + length {
                return Some(bytes);
            }
        }
        match socket.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

/// An answer of known length.
pub(crate) fn json(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The head of a stream that ends with its connection's last chunk.
pub(crate) const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";

/// One chunk.
pub(crate) fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// The last chunk.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
