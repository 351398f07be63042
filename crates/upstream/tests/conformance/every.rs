//! What holds over every engine: requests, answers, early answers, cancellation, encodings and bounds.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::Method;
use pilothouse_upstream::{Failure, OriginOptions, Phase, TlsFiles};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use socket2::{Domain, Socket, Type};

use crate::authority::Authority;
use crate::script::{Act, GAP, answer, answer_with};
use crate::server::{Caller, Engine, Server};

on_every_engine! {
    the_request_arrives_as_it_was_given,
    a_calls_own_path_follows_the_prepared_one,
    calls_without_a_body_arrive_without_one,
    an_answer_arrives_whole_however_it_is_split,
    calls_at_once_each_get_their_own_answer,
    interim_answers_are_skipped,
    an_early_answer_is_read_while_the_body_is_still_being_sent,
    a_large_answer_to_a_large_request_does_not_deadlock,
    redirects_are_not_followed,
    statuses_without_a_body_have_none,
    headers_that_nobody_keeps_are_dropped,
    a_hundred_headers_are_read,
    an_oversized_head_is_refused,
    a_body_shorter_than_its_length_is_cut,
    a_body_that_breaks_off_is_cut_after_what_came,
    a_connection_closed_after_an_interim_answer_is_not_repeated,
    dropping_the_call_cancels_it_at_once,
    dropping_the_call_in_the_middle_of_its_upload_cancels_it_at_once,
    dropping_the_body_cancels_it_at_once,
    compressed_answers_are_decoded,
    compressed_answers_that_break_off_are_refused,
    compression_bombs_are_refused,
    unknown_encodings_are_refused_by_name,
    an_encoding_without_a_body_is_an_empty_body,
    collecting_stops_at_its_bound,
    a_refused_connection_may_be_repeated,
    a_connection_that_is_never_accepted_may_be_repeated,
}

/// Waits for something that must happen soon; a test that hangs says nothing.
async fn soon<T>(happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(60), happens).await.expect("it never happened")
}

async fn a_calls_own_path_follows_the_prepared_one(engine: Engine) {
    let server = Server::start(engine, vec![]).await;
    let caller = server.caller();
    for tail in ["", "/models/m%3A1:stream?alt=sse", ""] {
        caller.send_as(&Method::POST, tail, &"{}".into()).await.unwrap().body.collect(1024).await.unwrap();
    }
    let calls = server.calls();
    let paths: Vec<_> = calls.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/v1/chat", "/v1/chat/models/m%3A1:stream?alt=sse", "/v1/chat"]);
    assert!(calls.iter().all(|seen| seen.headers["authorization"] == "Bearer of this test"));
}

async fn the_request_arrives_as_it_was_given(engine: Engine) {
    let server = Server::start(engine, vec![vec![Act::ReadBody, Act::Echo]]).await;
    // More than sockets, TLS and HTTP/2 windows hold at once, in a pattern that shows any mix-up.
    let body: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 7 % 251) as u8).collect();
    let answer = soon(server.caller().call(&body)).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body == body, "the echo differs");
    let seen = server.calls().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/v1/chat"));
    assert_eq!(seen.headers["authorization"], "Bearer of this test");
    assert_eq!(seen.headers["x-of-this-call"], "1");
    assert_eq!(seen.headers["content-length"], "3000000");
    assert_eq!(seen.headers.get_all("content-length").iter().count(), 1);
}

async fn calls_without_a_body_arrive_without_one(engine: Engine) {
    let server = Server::start(engine, vec![]).await;
    let caller = server.caller();
    for method in [Method::GET, Method::POST] {
        let answer = caller.send_as(&method, "", &Bytes::new()).await.unwrap();
        assert_eq!(answer.body.collect(100).await.unwrap(), "honest");
    }
    let seen = server.calls();
    assert_eq!((seen[0].method.as_str(), seen[1].method.as_str()), ("GET", "POST"));
    assert!(seen.iter().all(|seen| seen.body.is_empty()));
}

async fn an_answer_arrives_whole_however_it_is_split(engine: Engine) {
    let pieces: Vec<Bytes> =
        (1..120_usize).map(|size| vec![b'a' + (size % 26) as u8; size * size % 977 + 1].into()).collect();
    let mut script = vec![Act::ReadBody, Act::Head(200, vec![])];
    for (at, piece) in pieces.iter().enumerate() {
        script.push(Act::Data(piece.clone()));
        if at % 9 == 0 {
            script.push(GAP);
        }
    }
    script.push(Act::End);
    let server = Server::start(engine, vec![script]).await;
    let answer = server.caller().call(b"{}").await.unwrap();
    assert!(answer.body == pieces.concat());
}

async fn calls_at_once_each_get_their_own_answer(engine: Engine) {
    let script = vec![Act::ReadBody, GAP, Act::Echo];
    let server = Server::start(engine, vec![script; 40]).await;
    let caller = server.caller();
    let calls = (0..40_usize).map(|number| {
        let caller = caller.clone();
        async move {
            let body = format!("{{\"call\":{number}}}").repeat(number + 1);
            assert_eq!(caller.call(body.as_bytes()).await.unwrap().body, body);
        }
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(server.calls().len(), 40);
}

async fn interim_answers_are_skipped(engine: Engine) {
    let mut script = vec![Act::ReadBody, Act::Interim(103), GAP, Act::Interim(102), Act::Interim(103)];
    script.extend(answer(200, b"after the hints"));
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    assert_eq!(caller.call(b"{}").await.unwrap().body, "after the hints");
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
    assert_eq!(server.connections(), 1);
}

async fn an_early_answer_is_read_while_the_body_is_still_being_sent(engine: Engine) {
    let refusal = Bytes::from_static(b"{\"error\":\"too large\"}");
    let length = vec![("content-length", refusal.len().to_string())];
    let script = vec![
        Act::Head(413, length),
        Act::Data(refusal.clone()),
        Act::End,
        Act::Pause(std::time::Duration::MAX),
    ];
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    let answer = soon(caller.call(&vec![b'x'; 24 << 20])).await.unwrap();
    assert_eq!((answer.status, answer.body), (413, refusal));
    // The half-sent request must not be mistaken for the beginning of the next one.
    assert_eq!(soon(caller.call(b"{}")).await.unwrap().body, "honest");
    assert_eq!(server.calls().len(), 2);
}

async fn a_large_answer_to_a_large_request_does_not_deadlock(engine: Engine) {
    let large = Bytes::from(vec![b'y'; 8 << 20]);
    // The server answers at length before it reads anything.
    let script = vec![Act::Head(200, vec![]), GAP, Act::ReadBody, Act::Data(large.clone()), GAP, Act::End];
    let server = Server::start(engine, vec![script]).await;
    let answer = server.caller().send(&Bytes::from_static(b"small")).await.unwrap();
    let body = soon(answer.body.collect(64 << 20)).await.unwrap();
    assert!(body == large);
}

async fn redirects_are_not_followed(engine: Engine) {
    let script = answer_with(307, vec![("location", "/elsewhere".to_owned())], b"moved");
    let server = Server::start(engine, vec![script]).await;
    let answer = server.caller().call(b"{}").await.unwrap();
    assert_eq!((answer.status, &answer.headers["location"]), (307, &"/elsewhere".parse().unwrap()));
    assert_eq!(server.calls().len(), 1);
}

async fn statuses_without_a_body_have_none(engine: Engine) {
    let server = Server::start(engine, vec![answer(204, b""), answer(304, b"")]).await;
    let caller = server.caller();
    for status in [204, 304] {
        let answer = caller.call(b"{}").await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (status, 0));
    }
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
    assert_eq!(server.connections(), 1);
}

async fn headers_that_nobody_keeps_are_dropped(engine: Engine) {
    let headers = vec![("x-unwanted", "1".to_owned()), ("x-wanted", "2".to_owned())];
    let server = Server::start(engine, vec![answer_with(200, headers, b"")]).await;
    let answer = server.caller().call(b"{}").await.unwrap();
    assert!(!answer.headers.contains_key("x-unwanted"));
    assert_eq!(answer.headers["x-wanted"], "2");
}

async fn a_hundred_headers_are_read(engine: Engine) {
    let headers = (0..100).map(|number| ("x-many", number.to_string())).collect();
    let server = Server::start(engine, vec![answer_with(200, headers, b"")]).await;
    let answer = server.caller().call(b"{}").await.unwrap();
    let many: Vec<_> = answer.headers.get_all("x-many").iter().cloned().collect();
    assert_eq!(many.len(), 100);
    assert_eq!((&many[0], &many[99]), (&"0".parse().unwrap(), &"99".parse().unwrap()));
}

async fn an_oversized_head_is_refused(engine: Engine) {
    let headers = (0..20).map(|_| ("x-large", "v".repeat(8 << 10))).collect();
    let server = Server::start(engine, vec![answer_with(200, headers, b"")]).await;
    let caller = server.caller();
    let refused = caller.call(b"{}").await.unwrap_err();
    assert!(matches!(refused, Failure::BadAnswer(_)), "{refused:?}");
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
}

async fn a_body_shorter_than_its_length_is_cut(engine: Engine) {
    let length = vec![("content-length", "10".to_owned())];
    let script =
        vec![Act::ReadBody, Act::Head(200, length), Act::Data("short".into()), Act::End, GAP, Act::HangUp];
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    let cut = caller.call(b"{}").await.unwrap_err();
    assert!(matches!(cut, Failure::Cut(_)), "{cut:?}");
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
}

async fn a_body_that_breaks_off_is_cut_after_what_came(engine: Engine) {
    let script = vec![
        Act::ReadBody,
        Act::Head(200, vec![]),
        Act::Data("data: 1\n\n".into()),
        Act::Data("data: 2\n\n".into()),
        GAP,
        Act::HangUp,
    ];
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    let mut body = caller.send(&Bytes::from_static(b"{}")).await.unwrap().body;
    let mut came = Vec::new();
    let cut = loop {
        match std::future::poll_fn(|cx| body.poll_data(cx)).await.expect("a cut is no end") {
            Ok(piece) => came.extend_from_slice(&piece),
            Err(failure) => break failure,
        }
    };
    assert_eq!(came, b"data: 1\n\ndata: 2\n\n");
    assert!(matches!(cut, Failure::Cut(_)), "{cut:?}");
    assert!(body.is_done(), "after a failure nothing comes");
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
    assert_eq!(server.connections(), 2);
}

async fn a_connection_closed_after_an_interim_answer_is_not_repeated(engine: Engine) {
    let script = vec![Act::ReadBody, Act::Interim(103), GAP, Act::HangUp];
    let server = Server::start(engine, vec![script]).await;
    let failure = server.caller().call(b"{}").await.unwrap_err();
    // HTTP/2 does not tell us of interim answers: there the connection just ended.
    assert!(matches!(failure, Failure::Cut(_) | Failure::ClosedEarly), "{failure:?}");
    assert!(!failure.is_safe_to_retry(), "the vendor had begun");
    assert_eq!(server.calls().len(), 1);
}

async fn dropping_the_call_cancels_it_at_once(engine: Engine) {
    let server = Server::start(engine, vec![vec![Act::ReadBody, Act::AwaitGone]]).await;
    let caller = server.caller();
    tokio::select! {
        _ = caller.call(b"{}") => panic!("nobody answers"),
        () = server.log.called.notified() => {}
    }
    soon(server.log.gone.notified()).await;
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
}

async fn dropping_the_call_in_the_middle_of_its_upload_cancels_it_at_once(engine: Engine) {
    let server = Server::start(engine, vec![vec![Act::AwaitGone]]).await;
    let caller = server.caller();
    let upload = vec![b'x'; 24 << 20];
    tokio::select! {
        _ = caller.call(&upload) => panic!("nobody answers"),
        () = server.log.called.notified() => {}
    }
    soon(server.log.gone.notified()).await;
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
}

async fn dropping_the_body_cancels_it_at_once(engine: Engine) {
    let script = vec![Act::ReadBody, Act::Head(200, vec![]), Act::Data("data: 1\n\n".into()), Act::AwaitGone];
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    let mut body = caller.send(&Bytes::from_static(b"{}")).await.unwrap().body;
    let first = std::future::poll_fn(|cx| body.poll_data(cx)).await.unwrap().unwrap();
    assert_eq!(first, "data: 1\n\n");
    drop(body);
    soon(server.log.gone.notified()).await;
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
}

fn compressed(encoding: &str, text: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "zstd" => compress_to_vec(text, CompressionLevel::Fastest),
        other => panic!("{other}"),
    }
}

async fn compressed_answers_are_decoded(engine: Engine) {
    let text = b"data: {\"token\":\"a\"}\n\n".repeat(400);
    for encoding in ["gzip", "deflate", "zstd"] {
        let wire = compressed(encoding, &text);
        let mut script = vec![Act::ReadBody, Act::Head(200, vec![("content-encoding", encoding.to_owned())])];
        for piece in wire.chunks(7) {
            script.push(Act::Data(Bytes::copy_from_slice(piece)));
        }
        script.push(Act::End);
        let whole = answer_with(200, vec![("content-encoding", encoding.to_owned())], &wire);
        let server = Server::start(engine, vec![script, whole]).await;
        let caller = server.caller();
        for _ in 0..2 {
            let answer = caller.call(b"{}").await.unwrap();
            assert!(answer.body == text, "{encoding}");
        }
        assert_eq!(server.connections(), 1, "a decoded answer leaves its connection usable");
    }
}

async fn compressed_answers_that_break_off_are_refused(engine: Engine) {
    for encoding in ["gzip", "deflate", "zstd"] {
        let wire = compressed(encoding, &b"hello ".repeat(100));
        let half = &wire[..wire.len() / 2];
        let script = answer_with(200, vec![("content-encoding", encoding.to_owned())], half);
        let server = Server::start(engine, vec![script]).await;
        let refused = server.caller().call(b"{}").await.unwrap_err();
        assert!(matches!(refused, Failure::BadAnswer(_)), "{encoding}: {refused:?}");
    }
}

async fn compression_bombs_are_refused(engine: Engine) {
    for encoding in ["gzip", "zstd"] {
        let wire = compressed(encoding, &vec![0; 40 << 20]);
        let script = answer_with(200, vec![("content-encoding", encoding.to_owned())], &wire);
        let server = Server::start(engine, vec![script]).await;
        let caller = server.caller();
        let refused = caller.call(b"{}").await.unwrap_err();
        assert!(matches!(refused, Failure::BadAnswer(_)), "{encoding}: {refused:?}");
        assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
    }
}

async fn unknown_encodings_are_refused_by_name(engine: Engine) {
    let script = answer_with(200, vec![("content-encoding", "rot13".to_owned())], b"uryyb");
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    let refused = caller.call(b"{}").await.unwrap_err().to_string();
    assert!(refused.contains("`rot13`"), "{refused}");
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
}

async fn an_encoding_without_a_body_is_an_empty_body(engine: Engine) {
    let gzip = vec![("content-encoding", "gzip".to_owned())];
    let empty = vec![Act::ReadBody, Act::Head(200, gzip.clone()), Act::End];
    let server = Server::start(engine, vec![answer_with(304, gzip.clone(), b""), empty]).await;
    let caller = server.caller();
    for status in [304, 200] {
        let answer = caller.call(b"{}").await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (status, 0));
    }
}

async fn collecting_stops_at_its_bound(engine: Engine) {
    let script = || {
        let mut script = vec![Act::ReadBody, Act::Head(200, vec![])];
        for _ in 0..4 {
            script.extend([Act::Data(vec![b'z'; 250].into()), GAP]);
        }
        script.push(Act::End);
        script
    };
    let server = Server::start(engine, vec![script(), script()]).await;
    let caller = server.caller();
    let small = Bytes::from_static(b"{}");
    let fits = caller.send(&small).await.unwrap().body.collect(1000).await.unwrap();
    assert_eq!(fits.len(), 1000);
    let refused = caller.send(&small).await.unwrap().body.collect(999).await.unwrap_err();
    assert!(refused.to_string().contains("999 bytes"), "{refused}");
}

async fn a_refused_connection_may_be_repeated(engine: Engine) {
    let server = Server::start(engine, vec![]).await;
    let caller = server.caller();
    drop(server);
    tokio::task::yield_now().await;
    let refused = caller.call(b"{}").await.unwrap_err();
    assert!(matches!(refused, Failure::Connect(_)) && refused.is_safe_to_retry(), "{refused:?}");
    let words = refused.into_error("acme").to_string();
    assert!(words.contains("acme") && words.contains("base_url"), "{words}");
}

async fn a_connection_that_is_never_accepted_may_be_repeated(engine: Engine) {
    let scheme = if engine == Engine::Plain { "http" } else { "https" };
    let authority = Authority::new();
    let tls = if engine == Engine::Plain { TlsFiles::default() } else { authority.trusted(true) };
    // A listener whose queue is full: the kernel leaves whoever comes then without any answer.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let connect = || std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100));
    let queue: Vec<_> = std::iter::repeat_with(connect).take(16).take_while(Result::is_ok).collect();
    assert!(queue.len() < 16, "the queue of a listener never fills on this machine");
    let caller = Caller::new(
        &format!("{scheme}://127.0.0.1:{}", address.port()),
        &OriginOptions { tls, ..OriginOptions::default() },
    );
    tokio::time::pause();
    let failure = caller.call(b"{}").await.unwrap_err();
    assert_eq!(failure, Failure::Timeout(Phase::Connect));
    assert!(failure.is_safe_to_retry(), "{failure:?}");
}
