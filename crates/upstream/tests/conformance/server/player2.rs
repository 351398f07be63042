//! Plays scripts over HTTP/2, one task for each stream.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::Response;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{Log, Seen, Setup, Stream};
use crate::script::Act;

/// How streams end their connection.
#[derive(Default)]
struct Endings {
    hang_up: Notify,
    close: Notify,
}

/// Serves one connection until a script or the client ends it.
pub(super) async fn play(stream: Box<dyn Stream>, connection: usize, setup: Setup, log: &Arc<Log>) {
    let mut builder = h2::server::Builder::new();
    if let Some(streams_max) = setup.streams_max {
        builder.max_concurrent_streams(streams_max);
    }
    let Ok(mut server) = builder.handshake::<_, Bytes>(stream).await else { return };
    let endings = Arc::new(Endings::default());
    let mut calls = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = server.accept() => accepted,
            () = endings.hang_up.notified() => return,
            () = endings.close.notified() => {
                server.graceful_shutdown();
                continue;
            }
        };
        let Some(Ok((request, respond))) = accepted else { return };
        let (head, body) = request.into_parts();
        let (seen, script) = log.begin(Seen {
            connection,
            method: head.method.to_string(),
            path: head.uri.path_and_query().unwrap().as_str().to_owned(),
            headers: head.headers,
            body: Vec::new(),
        });
        let call = Call {
            request: body,
            respond,
            answer: None,
            is_read: false,
            log: Arc::clone(log),
            number: seen,
            endings: Arc::clone(&endings),
        };
        calls.spawn(call.play(script));
    }
}

struct Call {
    request: RecvStream,
    respond: SendResponse<Bytes>,
    answer: Option<SendStream<Bytes>>,
    is_read: bool,
    log: Arc<Log>,
    number: usize,
    endings: Arc<Endings>,
}

impl Call {
    async fn play(mut self, script: Vec<Act>) {
        for act in script {
            if self.act(act).await.is_none() {
                return;
            }
        }
    }

    async fn read_body(&mut self) -> Option<()> {
        while let Some(piece) = self.request.data().await {
            let piece = piece.ok()?;
            self.log.body_came(self.number, &piece);
            self.request.flow_control().release_capacity(piece.len()).ok()?;
        }
        self.is_read = true;
        Some(())
    }

    async fn data(&mut self, mut data: Bytes) -> Option<()> {
        let answer = self.answer.as_mut().unwrap();
        while !data.is_empty() {
            answer.reserve_capacity(data.len());
            let room = poll_fn(|cx| answer.poll_capacity(cx)).await?.ok()?;
            let here = room.min(data.len());
            answer.send_data(data.split_to(here), false).ok()?;
        }
        Some(())
    }

    fn head(&mut self, status: u16, headers: &[(&str, String)]) -> Option<()> {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        self.answer = Some(self.respond.send_response(response.body(()).unwrap(), false).ok()?);
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        let answer = self.answer.as_mut().unwrap();
        answer.send_data(Bytes::new(), true).ok()?;
        // What is left of a body is not wanted: once the answer is sent, dropping the stream resets it
        // without an error (RFC 9113, section 8.1).
        self.is_read.then_some(())
    }

    async fn gone(&mut self) {
        match &mut self.answer {
            Some(answer) => poll_fn(|cx| answer.poll_reset(cx)).await.ok(),
            None => poll_fn(|cx| self.respond.poll_reset(cx)).await.ok(),
        };
        self.log.gone.notify_one();
    }

    async fn act(&mut self, act: Act) -> Option<()> {
        match act {
            Act::ReadBody => self.read_body().await,
            Act::Interim(status) => {
                self.respond.send_informational(Response::builder().status(status).body(()).unwrap()).ok()
            }
            Act::Head(status, headers) => self.head(status, &headers),
            Act::Data(data) => self.data(data).await,
            Act::End => self.end(),
            Act::Pause(time) => {
                tokio::time::sleep(time).await;
                Some(())
            }
            Act::Never => std::future::pending().await,
            Act::AwaitGone => {
                self.gone().await;
                None
            }
            Act::HangUp => {
                self.endings.hang_up.notify_one();
                std::future::pending().await
            }
            Act::Close => {
                self.endings.close.notify_one();
                Some(())
            }
            Act::Reset(reason) => {
                self.respond.send_reset(reason);
                None
            }
            Act::Echo => {
                let body = self.log.body_of(self.number);
                self.head(200, &[("content-length", body.len().to_string())])?;
                self.data(body.into()).await?;
                self.end()
            }
            Act::Raw(_) => panic!("HTTP/2 has no bytes of its own here"),
        }
    }
}
