//! Reading one answer: just enough HTTP/1.1 to know when it is complete, and its events as they pass.
//!
//! Written apart from the gateway's own parsers on purpose: the ruler must not share their mistakes.

use super::{Dialect, Mode, Shared};
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A silent server is given up on after this long.
const READ_LIMIT: Duration = Duration::from_secs(60);

/// One kept-alive connection.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// One answer, timed from the first byte sent.
pub(super) struct Answer {
    /// Until the first event with text (streams) or the end (plain).
    pub(super) first: Duration,
    /// Until the last byte.
    pub(super) total: Duration,
    /// Events with text.
    pub(super) events: u64,
    /// Bytes of body, without the framing of chunks.
    pub(super) bytes: u64,
    /// Why it does not count: a status other than 200, or an end missing.
    pub(super) problem: Option<String>,
    /// The server will close, so the connection cannot be used again.
    pub(super) closes: bool,
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

struct Head {
    status: u16,
    framing: Framing,
    closes: bool,
    end: usize,
}

impl Connection {
    pub(super) async fn open(address: &str) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(32 * 1024) })
    }

    async fn fill(&mut self) -> io::Result<()> {
        match tokio::time::timeout(READ_LIMIT, self.stream.read_buf(&mut self.buffer)).await {
            Ok(Ok(0)) => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed in the middle of an answer"))
            }
            Ok(read) => read.map(|_| ()),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "silent for 60 s")),
        }
    }

    /// One request and its answer.
    pub(super) async fn exchange(&mut self, shared: &Shared) -> io::Result<Answer> {
        let began = Instant::now();
        self.buffer.clear();
        self.stream.write_all(&shared.request).await?;
        let head = self.head().await?;
        let mut events = Events::new(shared, began);
        let completed = match head.framing {
            Framing::Length(length) => self.sized(head.end, length, &mut events).await.map(|()| true)?,
            Framing::Chunked => self.chunked(head.end, shared, &mut events).await?,
            Framing::UntilClose => self.rest(head.end, shared, &mut events).await?,
        };
        let total = began.elapsed();
        let problem = if completed { events.problem(head.status) } else { None };
        Ok(Answer {
            first: events.first.unwrap_or(total),
            total,
            events: events.count,
            bytes: events.bytes,
            problem,
            closes: head.closes || head.framing == Framing::UntilClose || !completed,
        })
    }

    async fn head(&mut self) -> io::Result<Head> {
        let end = loop {
            if let Some(index) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                break index + 4;
            }
            self.fill().await?;
        };
        parse_head(&self.buffer[..end])
            .map(|(status, framing, closes)| Head { status, framing, closes, end })
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer's head is not HTTP/1.1"))
    }

    async fn sized(&mut self, start: usize, length: usize, events: &mut Events<'_>) -> io::Result<()> {
        while self.buffer.len() < start + length {
            self.fill().await?;
        }
        events.take(&self.buffer[start..start + length]);
        Ok(())
    }

    /// Returns false if it stopped because the measurement is over.
    async fn chunked(&mut self, start: usize, shared: &Shared, events: &mut Events<'_>) -> io::Result<bool> {
        let mut at = start;
        loop {
            let line_end = loop {
                if let Some(index) = memchr::memmem::find(&self.buffer[at..], b"\r\n") {
                    break at + index;
                }
                if shared.mode == Mode::Hold && !self.fill_unless_stopped(shared).await? {
                    return Ok(false);
                } else if shared.mode != Mode::Hold {
                    self.fill().await?;
                }
            };
            let size = chunk_size(&self.buffer[at..line_end]).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "a chunk's size is not hexadecimal")
            })?;
            let data = line_end + 2;
            while self.buffer.len() < data + size + 2 {
                self.fill().await?;
            }
            if size == 0 {
                return Ok(true);
            }
            events.take(&self.buffer[data..data + size]);
            at = data + size + 2;
            if at > 64 * 1024 {
                self.buffer.drain(..at);
                at = 0;
            }
        }
    }

    /// Waits for bytes in short steps, so that a held stream is dropped soon after the window has ended.
    async fn fill_unless_stopped(&mut self, shared: &Shared) -> io::Result<bool> {
        loop {
            if shared.stopping.load(Relaxed) {
                return Ok(false);
            }
            match tokio::time::timeout(Duration::from_millis(200), self.fill()).await {
                Ok(result) => return result.map(|()| true),
                Err(_) => continue,
            }
        }
    }

    async fn rest(&mut self, start: usize, shared: &Shared, events: &mut Events<'_>) -> io::Result<bool> {
        let mut at = start;
        loop {
            events.take(&self.buffer[at..]);
            at = self.buffer.len();
            if shared.mode == Mode::Hold && shared.stopping.load(Relaxed) {
                return Ok(false);
            }
            match self.fill().await {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Status, framing and whether the connection closes; `None` if it is no HTTP/1.x answer.
fn parse_head(head: &[u8]) -> Option<(u16, Framing, bool)> {
    let text = std::str::from_utf8(head).ok()?.to_ascii_lowercase();
    let mut lines = text.split("\r\n");
    let status = lines.next()?.strip_prefix("http/1.")?.split(' ').nth(1)?.parse().ok()?;
    let (mut framing, mut closes) = (Framing::UntilClose, false);
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        match (name, value.trim()) {
            ("content-length", length) => framing = Framing::Length(length.parse().ok()?),
            ("transfer-encoding", "chunked") => framing = Framing::Chunked,
            ("connection", "close") => closes = true,
            _ => {}
        }
    }
    Some((status, framing, closes))
}

fn chunk_size(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line).ok()?;
    usize::from_str_radix(text.split(';').next()?.trim(), 16).ok()
}

/// Counts events with text as the body passes; markers may be split over reads.
struct Events<'a> {
    shared: &'a Shared,
    dialect: Dialect,
    began: Instant,
    body: Vec<u8>,
    scanned: usize,
    first: Option<Duration>,
    count: u64,
    bytes: u64,
}

impl<'a> Events<'a> {
    fn new(shared: &'a Shared, began: Instant) -> Events<'a> {
        Events {
            shared,
            dialect: shared.dialect,
            began,
            body: Vec::with_capacity(8 * 1024),
            scanned: 0,
            first: None,
            count: 0,
            bytes: 0,
        }
    }

    fn take(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        self.body.extend_from_slice(data);
        if self.shared.mode != Mode::Plain {
            self.scan();
        }
    }

    /// Finds markers that are complete; an event's text counts when at least one character of it is there.
    fn scan(&mut self) {
        let marker = self.dialect.text_marker();
        while let Some(index) = memchr::memmem::find(&self.body[self.scanned..], marker) {
            let after = self.scanned + index + marker.len();
            // The first OpenAI event carries an empty text: `"content":""`. Wait for the byte that tells.
            let Some(next) = self.body.get(after) else { return };
            self.scanned = after;
            if self.dialect == Dialect::OpenaiChat && *next == b'"' {
                continue;
            }
            self.count += 1;
            self.shared.events.fetch_add(1, Relaxed);
            if self.first.is_none() {
                self.first = Some(self.began.elapsed());
                self.shared.streams_started.fetch_add(1, Relaxed);
            }
        }
        self.scanned = self.scanned.max(self.body.len().saturating_sub(marker.len() - 1));
        if self.body.len() > 128 * 1024 {
            let keep = self.scanned.saturating_sub(64);
            self.body.drain(..keep);
            self.scanned -= keep;
        }
    }

    fn problem(&self, status: u16) -> Option<String> {
        let wanted = match self.shared.mode {
            Mode::Plain => self.dialect.usage_marker(),
            Mode::Stream | Mode::Hold => self.dialect.terminator(),
        };
        if status == 200 && memchr::memmem::rfind(&self.body, wanted).is_some() {
            return None;
        }
        let tail = &self.body[self.body.len().saturating_sub(300)..];
        let wanted = String::from_utf8_lossy(wanted);
        Some(format!("status {status}, no {wanted} in an answer ending: {}", String::from_utf8_lossy(tail)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_tells_how_the_body_ends() {
        let head = |text: &str| parse_head(text.as_bytes());
        assert_eq!(
            head("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"),
            Some((200, Framing::Length(12), false))
        );
        let chunked = head("HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        assert_eq!(chunked, Some((503, Framing::Chunked, true)));
        assert_eq!(head("HTTP/1.0 200 OK\r\n\r\n"), Some((200, Framing::UntilClose, false)));
        assert_eq!(head("SSH-2.0-x\r\n\r\n"), None);
    }

    #[test]
    fn chunk_size_ignores_extensions_and_refuses_other_text() {
        assert_eq!(chunk_size(b"1aF;name=value"), Some(0x1af));
        assert_eq!(chunk_size(b"xyz"), None);
    }
}
