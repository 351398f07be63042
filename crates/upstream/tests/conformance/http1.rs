//! What only HTTP/1.1 has: framing by bytes, connections that may be poisoned, and answers smuggled in.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use pilothouse_upstream::Failure;

use crate::script::{Act, GAP, Script, raw};
use crate::server::{Caller, Engine, Server};

on_http1! {
    an_answer_is_the_same_cut_at_every_byte,
    an_answer_is_the_same_byte_by_byte,
    bytes_behind_an_answer_are_never_the_next_answer,
    bytes_sent_while_a_connection_is_idle_are_never_the_next_answer,
    bytes_behind_an_answer_are_never_its_body,
    heads_that_two_readers_might_read_differently_are_refused,
    a_connection_whose_answer_was_refused_is_not_used_again,
    a_body_without_a_length_ends_with_the_connection,
    old_and_closing_servers_are_called_on_a_fresh_connection,
    heads_of_answers_to_head_are_not_waited_for,
    too_many_interim_answers_are_refused,
    too_many_headers_are_refused,
    an_endless_head_is_refused_at_its_bound,
    an_endless_size_line_and_endless_trailers_are_refused_at_their_bound,
    a_chunked_body_that_is_wrong_is_refused_and_one_that_breaks_off_is_cut,
    a_head_that_breaks_off_is_cut,
    an_answer_sent_before_the_call_is_not_taken_for_its_answer,
    a_server_that_answers_and_closes_before_it_reads_everything_is_heard,
    the_siblings_of_a_dead_pooled_connection_are_given_up_with_it,
}

const SMUGGLED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";

async fn honest(caller: &Caller) {
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
}

/// An answer that has everything: an interim one before it, chunks with extensions, trailers.
const RICH: &str = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nX-One: 1\r\n\
    transfer-encoding: chunked\r\nx-two: 2\r\n\r\n4;name=value\r\ndata\r\n1\r\n:\r\n00b \r\n{\"a\":1}\r\n\r\n\r\n\
    0;last\r\nx-trailer: t\r\nx-other: u\r\n\r\n";
const RICH_BODY: &str = "data:{\"a\":1}\r\n\r\n";

async fn an_answer_is_the_same_cut_at_every_byte(engine: Engine) {
    let wire = RICH.as_bytes();
    let scripts = (0..=wire.len()).map(|cut| {
        let mut script = raw(&wire[..cut]);
        script.extend([Act::Pause(Duration::from_millis(1)), Act::Raw(wire[cut..].to_vec())]);
        script
    });
    let server = Server::start(engine, scripts.collect()).await;
    let caller = server.caller();
    for cut in 0..=wire.len() {
        let answer = caller.call(b"{}").await.unwrap_or_else(|failure| panic!("cut at {cut}: {failure}"));
        assert_eq!((answer.status, &answer.body[..]), (200, RICH_BODY.as_bytes()), "cut at {cut}");
        assert_eq!((&answer.headers["x-one"], answer.headers.len()), (&"1".parse().unwrap(), 3));
    }
    assert_eq!(server.connections(), 1, "every one of them ended where it should");
}

async fn an_answer_is_the_same_byte_by_byte(engine: Engine) {
    let mut script: Script = vec![Act::ReadBody];
    for byte in RICH.bytes() {
        script.extend([Act::Raw(vec![byte]), Act::Pause(Duration::from_millis(1))]);
    }
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    assert_eq!(caller.call(b"{}").await.unwrap().body, RICH_BODY);
    honest(&caller).await;
    assert_eq!(server.connections(), 1);
}

/// Whole answers of every framing that leaves a connection open.
const WHOLE: [&str; 6] = [
    "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\ncontent-length: 45\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\nfine",
];

async fn bytes_behind_an_answer_are_never_the_next_answer(engine: Engine) {
    for whole in WHOLE {
        for extra in [SMUGGLED, "\r\n", "\0", "H"] {
            let server = Server::start(engine, vec![raw(format!("{whole}{extra}"))]).await;
            let caller = server.caller();
            let answer = caller.call(b"{}").await.unwrap();
            assert!(answer.body.is_empty() || answer.body == "fine", "{whole:?}: {answer:?}");
            honest(&caller).await;
            assert_eq!(server.connections(), 2, "{whole:?} and {extra:?}");
        }
    }
}

async fn bytes_sent_while_a_connection_is_idle_are_never_the_next_answer(engine: Engine) {
    for whole in WHOLE {
        let mut script = raw(whole);
        script.extend([GAP, Act::Raw(SMUGGLED.into())]);
        let server = Server::start(engine, vec![script]).await;
        let caller = server.caller();
        caller.call(b"{}").await.unwrap();
        server.played().await;
        honest(&caller).await;
        assert_eq!(server.connections(), 2, "{whole:?}");
    }
}

async fn bytes_behind_an_answer_are_never_its_body(engine: Engine) {
    let server = Server::start(
        engine,
        vec![
            raw("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nshort and more"),
            raw("HTTP/1.1 204 No Content\r\ncontent-length: 4\r\n\r\nbody"),
            raw("HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"),
        ],
    )
    .await;
    let caller = server.caller();
    for body in ["sho", "", ""] {
        assert_eq!(caller.call(b"{}").await.unwrap().body, body);
    }
    honest(&caller).await;
    assert_eq!(server.connections(), 4);
}

/// Heads whose end or whose body's length is a matter of opinion.
const AMBIGUOUS: [&str; 20] = [
    "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 4, 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: +4\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 0x4\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551620\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, identity\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding:\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding : chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length\r\n : 4\r\n\r\n",
    "HTTP/1.1 200 OK\r\nx-one: 1\r\n folded: 2\r\ncontent-length: 4\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n",
    "HTTP/2 200 OK\r\n\r\n",
    "ICY 200 OK\r\n\r\n",
    "{\"not\":\"http\"}\r\n\r\n",
];

async fn heads_that_two_readers_might_read_differently_are_refused(engine: Engine) {
    let server =
        Server::start(engine, AMBIGUOUS.iter().map(|head| raw(format!("{head}evil"))).collect()).await;
    let caller = server.caller();
    for head in AMBIGUOUS {
        let refused = caller.call(b"{}").await.unwrap_err();
        assert!(matches!(refused, Failure::BadAnswer(_)), "{head:?}: {refused:?}");
        assert!(!refused.is_safe_to_retry());
    }
    assert_eq!(server.connections(), AMBIGUOUS.len(), "none of their connections was used again");
}

async fn a_connection_whose_answer_was_refused_is_not_used_again(engine: Engine) {
    let wrong = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n";
    let server = Server::start(engine, vec![raw(wrong)]).await;
    let caller = server.caller();
    let refused = caller.call(b"{}").await.unwrap_err();
    assert!(matches!(refused, Failure::BadAnswer(_)), "{refused:?}");
    honest(&caller).await;
    assert_eq!(server.connections(), 2);
}

async fn a_body_without_a_length_ends_with_the_connection(engine: Engine) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n";
    let script = |ending: Act| {
        let mut script = raw(head);
        script.extend([GAP, Act::Raw("data: 2\n\n".into()), GAP, ending]);
        script
    };
    let server = Server::start(engine, vec![script(Act::Close), script(Act::HangUp)]).await;
    let caller = server.caller();
    assert_eq!(caller.call(b"{}").await.unwrap().body, "data: 1\n\ndata: 2\n\n");
    let second = caller.call(b"{}").await;
    if engine == Engine::Tls {
        // Without TLS's farewell, anybody on the way may have cut it.
        assert!(matches!(second, Err(Failure::Cut(_))), "{second:?}");
    } else {
        assert_eq!(second.unwrap().body, "data: 1\n\ndata: 2\n\n");
    }
    honest(&caller).await;
    assert_eq!(server.connections(), 3);
}

async fn old_and_closing_servers_are_called_on_a_fresh_connection(engine: Engine) {
    let heads = [
        "HTTP/1.0 200 OK\r\ncontent-length: 4\r\n\r\nfine",
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nfine",
        "HTTP/1.1 200 OK\r\nconnection: close, keep-alive\r\ncontent-length: 4\r\n\r\nfine",
        "HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nConnection: CLOSE\r\ncontent-length: 4\r\n\r\nfine",
        "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 4\r\n\r\nfine",
    ];
    let server = Server::start(engine, heads.iter().map(raw).collect()).await;
    let caller = server.caller();
    for _ in heads {
        assert_eq!(caller.call(b"{}").await.unwrap().body, "fine");
    }
    honest(&caller).await;
    assert_eq!(server.connections(), heads.len(), "only the last of them stays open");
}

async fn heads_of_answers_to_head_are_not_waited_for(engine: Engine) {
    let server = Server::start(engine, vec![raw("HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n")]).await;
    let caller = server.caller();
    let answer = caller.send_as(&Method::HEAD, "", &Bytes::new()).await.unwrap();
    assert_eq!(answer.body.collect(10).await.unwrap(), "");
    honest(&caller).await;
}

async fn too_many_interim_answers_are_refused(engine: Engine) {
    let wire = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17) + SMUGGLED;
    let server = Server::start(engine, vec![raw(wire)]).await;
    let refused = server.caller().call(b"{}").await.unwrap_err();
    assert!(matches!(refused, Failure::BadAnswer(_)), "{refused:?}");
}

async fn too_many_headers_are_refused(engine: Engine) {
    let wire = format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "x: 1\r\n".repeat(128));
    let server = Server::start(engine, vec![raw(wire)]).await;
    let refused = server.caller().call(b"{}").await.unwrap_err();
    assert!(matches!(refused, Failure::BadAnswer(_)), "{refused:?}");
}

async fn an_endless_head_is_refused_at_its_bound(engine: Engine) {
    let mut script = raw("HTTP/1.1 200 OK\r\nx-endless: ");
    script.extend(vec![Act::Raw(vec![b'x'; 16 << 10]); 600]);
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    let refused = caller.call(b"{}").await.unwrap_err();
    assert!(refused.to_string().contains("64 KiB"), "{refused}");
    honest(&caller).await;
}

async fn an_endless_size_line_and_endless_trailers_are_refused_at_their_bound(engine: Engine) {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let endless = [
        (format!("{head}1;"), vec![b'x'; 16 << 10]),
        (format!("{head}0\r\nx-trailer: "), vec![b'x'; 16 << 10]),
        (format!("{head}0\r\n"), b"x-trailer: 1\r\n".repeat(1000)),
    ];
    for (begin, piece) in endless {
        let mut script = raw(begin);
        script.extend(vec![Act::Raw(piece); 600]);
        let server = Server::start(engine, vec![script]).await;
        let caller = server.caller();
        let refused = caller.call(b"{}").await.unwrap_err();
        assert!(matches!(refused, Failure::BadAnswer(_)), "{refused:?}");
        honest(&caller).await;
    }
}

async fn a_chunked_body_that_is_wrong_is_refused_and_one_that_breaks_off_is_cut(engine: Engine) {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for wrong in
        ["\r\n", "z\r\n", "-1\r\n", "0x4\r\nfine\r\n", "4\nfine\r\n", "3\r\nfine\r\n", "4\r\nfine0\r\n"]
    {
        let server = Server::start(engine, vec![raw(format!("{head}{wrong}0\r\n\r\n{SMUGGLED}"))]).await;
        let caller = server.caller();
        let refused = caller.call(b"{}").await.unwrap_err();
        assert!(matches!(refused, Failure::BadAnswer(_)), "{wrong:?}: {refused:?}");
        honest(&caller).await;
    }
    for half in [
        "",
        "4",
        "4\r",
        "4\r\n",
        "4\r\nfi",
        "4\r\nfine",
        "4\r\nfine\r\n",
        "4\r\nfine\r\n0\r\n",
        "0\r\nx: y\r\n",
    ] {
        let mut script = raw(format!("{head}{half}"));
        script.extend([GAP, Act::Close]);
        let server = Server::start(engine, vec![script]).await;
        let cut = server.caller().call(b"{}").await.unwrap_err();
        assert!(matches!(cut, Failure::Cut(_)), "{half:?}: {cut:?}");
    }
}

async fn a_head_that_breaks_off_is_cut(engine: Engine) {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n";
    let script = |end: usize| {
        let mut script = raw(&head[..end]);
        script.push(Act::Close);
        script
    };
    let server = Server::start(engine, (1..head.len()).map(script).collect()).await;
    let caller = server.caller();
    for end in 1..head.len() {
        let cut = caller.call(b"{}").await.unwrap_err();
        assert!(matches!(cut, Failure::Cut(_)), "up to {end}: {cut:?}");
    }
    assert_eq!(server.calls().len(), head.len() - 1, "none of them was repeated");
}

async fn an_answer_sent_before_the_call_is_not_taken_for_its_answer(engine: Engine) {
    // The second answer comes while the connection is idle, and the third call finds a fresh one.
    let mut script = raw("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst");
    script.extend([Act::Pause(Duration::from_millis(20)), Act::Raw(SMUGGLED.into()), Act::Close]);
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    assert_eq!(caller.call(b"{}").await.unwrap().body, "first");
    server.played().await;
    honest(&caller).await;
    honest(&caller).await;
    assert_eq!(server.connections(), 2);
}

async fn a_server_that_answers_and_closes_before_it_reads_everything_is_heard(engine: Engine) {
    let refusal = "HTTP/1.1 413 Too Large\r\ncontent-length: 9\r\nconnection: close\r\n\r\ntoo large";
    let script = vec![Act::Raw(refusal.into()), Act::Pause(Duration::from_millis(500)), Act::Close];
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    let answer = caller.call(&vec![b'x'; 24 << 20]).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (413, &b"too large"[..]));
    honest(&caller).await;
}

async fn the_siblings_of_a_dead_pooled_connection_are_given_up_with_it(engine: Engine) {
    let slow = vec![Act::ReadBody, GAP, Act::Echo];
    let scripts =
        vec![slow.clone(), slow.clone(), vec![Act::ReadBody, Act::HangUp], slow.clone(), slow.clone(), slow];
    let server = Server::start(engine, scripts).await;
    let caller = server.caller();
    let pair = async || {
        let (one, other) = tokio::join!(caller.call(b"one"), caller.call(b"other"));
        assert_eq!((one.unwrap().body, other.unwrap().body), ("one".into(), "other".into()));
    };
    pair().await;
    assert_eq!(caller.call(b"{}").await.unwrap().body, "{}");
    pair().await;
    let mut last: Vec<_> = server.calls()[4..].iter().map(|seen| seen.connection).collect();
    last.sort_unstable();
    assert_eq!(last, [2, 3], "one that lived on was kept, and its elder sibling was not");
}
