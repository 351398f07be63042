//! Plays scripts over HTTP/1.1, byte by byte under the script's control.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Log, Seen, Stream};
use crate::script::Act;

struct Conversation<'a> {
    stream: Box<dyn Stream>,
    /// Bytes read and not yet used.
    pending: Vec<u8>,
    log: &'a Arc<Log>,
    call: usize,
    body_left: usize,
    /// The call's body comes in chunks.
    comes_in_chunks: bool,
    is_chunked: bool,
}

/// Serves one connection until a script or the client ends it.
pub(super) async fn play(stream: Box<dyn Stream>, connection: usize, log: &Arc<Log>) {
    let mut talk = Conversation {
        stream,
        pending: Vec::new(),
        log,
        call: 0,
        body_left: 0,
        comes_in_chunks: false,
        is_chunked: false,
    };
    while let Some(seen) = talk.read_head(connection).await {
        let (call, script) = log.begin(seen);
        talk.call = call;
        for act in script {
            // A client that is gone ends the conversation; whether it should be is the test's question.
            if talk.act(act).await.is_none() {
                drop(talk);
                log.played.notify_one();
                return;
            }
        }
        log.played.notify_one();
    }
}

impl Conversation<'_> {
    async fn read_more(&mut self) -> Option<()> {
        self.pending.reserve(16 * 1024);
        let read = self.stream.read_buf(&mut self.pending).await.ok()?;
        (read > 0).then_some(())
    }

    async fn read_head(&mut self, connection: usize) -> Option<Seen> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut request = httparse::Request::new(&mut headers);
            if let httparse::Status::Complete(length) = request.parse(&self.pending).unwrap() {
                let mut map = HeaderMap::new();
                for header in request.headers.iter() {
                    map.append(
                        HeaderName::from_bytes(header.name.as_bytes()).unwrap(),
                        HeaderValue::from_bytes(header.value).unwrap(),
                    );
                }
                let seen = Seen {
                    connection,
                    method: request.method.unwrap().to_owned(),
                    path: request.path.unwrap().to_owned(),
                    headers: map,
                    body: Vec::new(),
                };
                let length_of_body = seen.headers.get("content-length");
                self.body_left = length_of_body.map_or(0, |value| value.to_str().unwrap().parse().unwrap());
                self.comes_in_chunks = seen.headers.contains_key("transfer-encoding");
                self.pending.drain(..length);
                return Some(seen);
            }
            self.read_more().await?;
        }
    }

    /// Reads a chunk's line, its data and the line end behind it; nothing behind the last.
    async fn read_chunk(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.pending.windows(2).position(|pair| pair == b"\r\n") {
                let size = std::str::from_utf8(&self.pending[..at]).unwrap();
                let size = usize::from_str_radix(size, 16).unwrap();
                if self.pending.len() >= at + 2 + size + 2 {
                    let data = self.pending[at + 2..at + 2 + size].to_vec();
                    self.pending.drain(..at + 2 + size + 2);
                    return Some(data);
                }
            }
            self.read_more().await?;
        }
    }

    async fn read_body(&mut self) -> Option<()> {
        while self.comes_in_chunks {
            let chunk = self.read_chunk().await?;
            self.comes_in_chunks = !chunk.is_empty();
            self.log.body_came(self.call, &chunk);
        }
        while self.body_left > 0 {
            if self.pending.is_empty() {
                self.read_more().await?;
            }
            let here = self.body_left.min(self.pending.len());
            self.log.body_came(self.call, &self.pending[..here]);
            self.pending.drain(..here);
            self.body_left -= here;
        }
        Some(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.stream.write_all(bytes).await.ok()?;
        self.stream.flush().await.ok()
    }

    async fn head(&mut self, status: u16, headers: &[(&str, String)]) -> Option<()> {
        let mut head = format!("HTTP/1.1 {status} Said\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let has_length = headers.iter().any(|(name, _)| *name == "content-length");
        self.is_chunked = !has_length && status != 204 && status != 304;
        if self.is_chunked {
            head.push_str("transfer-encoding: chunked\r\n");
        }
        head.push_str("\r\n");
        self.write(head.as_bytes()).await
    }

    async fn data(&mut self, data: &[u8]) -> Option<()> {
        if self.is_chunked {
            let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
            chunk.extend_from_slice(data);
            chunk.extend_from_slice(b"\r\n");
            self.write(&chunk).await
        } else {
            self.write(data).await
        }
    }

    async fn act(&mut self, act: Act) -> Option<()> {
        match act {
            Act::ReadBody => self.read_body().await,
            Act::Interim(status) => self.write(format!("HTTP/1.1 {status} Wait\r\n\r\n").as_bytes()).await,
            Act::Head(status, headers) => self.head(status, &headers).await,
            Act::Data(data) => self.data(&data).await,
            Act::End if self.is_chunked => self.write(b"0\r\n\r\n").await,
            Act::End => Some(()),
            Act::Pause(time) => {
                tokio::time::sleep(time).await;
                Some(())
            }
            Act::Never => std::future::pending().await,
            Act::AwaitGone => {
                while self.read_more().await.is_some() {
                    self.pending.clear();
                }
                self.log.gone.notify_one();
                None
            }
            Act::HangUp => None,
            Act::Close => {
                let _ = self.stream.shutdown().await;
                None
            }
            Act::Raw(bytes) => self.write(&bytes).await,
            Act::Echo => {
                let body = self.log.body_of(self.call);
                self.head(200, &[("content-length", body.len().to_string())]).await?;
                self.data(&body).await
            }
            Act::Reset(_) => panic!("HTTP/1.1 has no streams"),
        }
    }
}
