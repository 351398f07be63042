//! Bodies that come while they are sent.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use pilothouse_core::error::Kind;
use pilothouse_upstream::{Answer, Broken, Failure, Head, Phase, Request, Source, Timeouts, Upload};

use crate::script::Act;
use crate::server::{Caller, Engine, Server};

on_http1! {
    a_body_of_known_length_arrives_as_it_came,
    a_body_of_unknown_length_arrives_in_chunks,
    a_connection_is_used_again_after_an_upload,
    a_body_that_breaks_off_is_never_finished,
    a_body_that_is_not_as_long_as_announced_is_never_finished,
    an_answer_before_the_end_of_the_body_is_heard,
    a_silent_vendor_is_given_up_after_the_last_piece,
}

type Step = Result<Bytes, Broken>;

/// Pieces as they are asked for; with `is_endless`, the last of them for ever.
struct Pieces {
    left: VecDeque<Step>,
    is_endless: bool,
}

impl Source for Pieces {
    fn poll_piece(&mut self, _: &mut Context<'_>) -> Poll<Option<Step>> {
        let next = self.left.pop_front();
        if self.is_endless
            && let Some(piece) = &next
        {
            self.left.push_back(piece.clone());
        }
        Poll::Ready(next)
    }
}

async fn upload(caller: &Caller, steps: Vec<Step>, length: Option<u64>) -> Result<Answer, Failure> {
    send(caller, Pieces { left: steps.into(), is_endless: false }, length).await
}

async fn send(caller: &Caller, pieces: Pieces, length: Option<u64>) -> Result<Answer, Failure> {
    let head = Head::for_origin(&caller.origin, &Method::POST, "/files", &[]);
    let request = Request { head: &head, tail: "?a=b", extra: &[], body: &[] };
    let upload = Upload::new(Box::new(pieces), length);
    caller.client.upload(&caller.origin, &request, upload, |_| true).await
}

fn pieces(count: usize, size: usize) -> (Vec<Step>, Vec<u8>) {
    let made: Vec<Bytes> = (0..count).map(|at| Bytes::from(vec![b'a' + (at % 26) as u8; size])).collect();
    (made.iter().cloned().map(Ok).collect(), made.concat())
}

async fn a_body_of_known_length_arrives_as_it_came(engine: Engine) {
    let server = Server::start(engine, Vec::new()).await;
    let (steps, whole) = pieces(40, 70_001);
    let got = upload(&server.caller(), steps, Some(whole.len() as u64)).await.unwrap();
    assert_eq!(got.status, 200);
    let seen = server.calls().remove(0);
    assert_eq!((seen.path.as_str(), seen.headers["content-length"].len()), ("/v1/files?a=b", 7));
    assert!(seen.body == whole && !seen.headers.contains_key("transfer-encoding"));
}

async fn a_body_of_unknown_length_arrives_in_chunks(engine: Engine) {
    let server = Server::start(engine, Vec::new()).await;
    let (steps, whole) = pieces(30, 50_000);
    upload(&server.caller(), steps, None).await.unwrap();
    let seen = server.calls().remove(0);
    assert_eq!(seen.headers["transfer-encoding"], "chunked");
    assert!(seen.body == whole && !seen.headers.contains_key("content-length"));
}

async fn a_connection_is_used_again_after_an_upload(engine: Engine) {
    let server = Server::start(engine, Vec::new()).await;
    let caller = server.caller();
    let got = upload(&caller, vec![Ok(Bytes::from_static(b"whole"))], Some(5)).await.unwrap();
    assert_eq!(got.body.collect(99).await.unwrap(), "honest");
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
    assert_eq!(server.connections(), 1);
}

async fn a_body_that_breaks_off_is_never_finished(engine: Engine) {
    let broken = Broken::new(Kind::TooLarge, "too much");
    for length in [None, Some(100)] {
        let server = Server::start(engine, Vec::new()).await;
        let steps = vec![Ok(Bytes::from_static(b"half")), Err(broken.clone())];
        let failure = upload(&server.caller(), steps, length).await.err();
        assert_eq!(failure, Some(Failure::Upload(broken.clone())));
        server.ended().await;
        let seen = server.calls();
        assert!(seen.iter().all(|seen| seen.body.len() < 100), "{seen:?}");
        assert!(!failure.unwrap().is_safe_to_retry());
    }
}

async fn a_body_that_is_not_as_long_as_announced_is_never_finished(engine: Engine) {
    for length in [3, 5] {
        let server = Server::start(engine, Vec::new()).await;
        let steps = vec![Ok(Bytes::from_static(b"four"))];
        let failure = upload(&server.caller(), steps, Some(length)).await.err();
        assert!(matches!(failure, Some(Failure::Upload(_))), "{failure:?}");
    }
}

async fn an_answer_before_the_end_of_the_body_is_heard(engine: Engine) {
    let refusal =
        vec![Act::Head(413, vec![("content-length", "3".into())]), Act::Data("why".into()), Act::Close];
    let server = Server::start(engine, vec![refusal]).await;
    let caller = server.caller();
    let (steps, _) = pieces(1, 4_000);
    let got = send(&caller, Pieces { left: steps.into(), is_endless: true }, None).await.unwrap();
    assert_eq!(got.status, 413);
    assert_eq!(got.body.collect(99).await.unwrap(), "why");
    caller.call(b"{}").await.unwrap();
    assert_eq!(server.connections(), 2, "half an upload leaves no connection for others");
}

async fn a_silent_vendor_is_given_up_after_the_last_piece(engine: Engine) {
    let server = Server::start(engine, vec![vec![Act::ReadBody, Act::Never]]).await;
    let timeouts = Timeouts { first_byte: Duration::from_secs(50), ..Timeouts::default() };
    let caller = server.caller_with(timeouts);
    let stop_the_clock = async {
        server.log.called.notified().await;
        tokio::time::pause();
    };
    let (sent, ()) = tokio::join!(upload(&caller, vec![Ok(Bytes::from_static(b"x"))], None), stop_the_clock);
    assert_eq!(sent.err(), Some(Failure::Timeout(Phase::FirstByte)));
}
