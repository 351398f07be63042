//! Which connections are used again, which are given up, and what is repeated on a fresh one.

use bytes::Bytes;
use pilothouse_upstream::Failure;

use crate::script::{Act, GAP, answer};
use crate::server::{Engine, Server};

on_every_engine! {
    a_connection_is_used_again_after_any_whole_answer,
    a_pooled_connection_closed_before_any_byte_is_replaced_once,
    a_pooled_connection_that_was_closed_while_idle_is_not_called,
    a_fresh_connection_closed_before_any_byte_is_not_repeated,
    a_call_is_repeated_once_and_no_more,
    a_pooled_connection_cut_within_its_answer_is_not_repeated,
    each_client_and_each_origin_has_connections_of_its_own,
}

async fn a_connection_is_used_again_after_any_whole_answer(engine: Engine) {
    let statuses = [200, 500, 429, 404, 401, 204, 529];
    let scripts = statuses.iter().map(|status| answer(*status, if *status == 204 { b"" } else { b"why" }));
    let server = Server::start(engine, scripts.collect()).await;
    let caller = server.caller();
    for status in statuses {
        assert_eq!(caller.call(b"{}").await.unwrap().status, status);
    }
    assert_eq!(server.connections(), 1);
}

async fn a_pooled_connection_closed_before_any_byte_is_replaced_once(engine: Engine) {
    let server = Server::start(engine, vec![answer(200, b"first"), vec![Act::ReadBody, Act::HangUp]]).await;
    let caller = server.caller();
    assert_eq!(caller.call(b"1").await.unwrap().body, "first");
    assert_eq!(caller.stale(), 0);
    assert_eq!(caller.call(b"2").await.unwrap().body, "honest");
    assert_eq!(caller.stale(), 1);
    let seen: Vec<_> = server.calls().into_iter().map(|seen| (seen.connection, seen.body)).collect();
    assert_eq!(seen, [(0, b"1".to_vec()), (0, b"2".to_vec()), (1, b"2".to_vec())]);
}

async fn a_pooled_connection_that_was_closed_while_idle_is_not_called(engine: Engine) {
    let mut script = answer(200, b"first");
    script.push(Act::Close);
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller();
    assert_eq!(caller.call(b"1").await.unwrap().body, "first");
    server.ended().await;
    assert_eq!(caller.call(b"2").await.unwrap().body, "honest");
    assert_eq!(caller.stale(), 0, "nothing was sent over it");
    let seen: Vec<_> = server.calls().into_iter().map(|seen| (seen.connection, seen.body)).collect();
    assert_eq!(seen, [(0, b"1".to_vec()), (1, b"2".to_vec())]);
}

async fn a_fresh_connection_closed_before_any_byte_is_not_repeated(engine: Engine) {
    let server = Server::start(engine, vec![vec![Act::ReadBody, Act::HangUp]]).await;
    let failure = server.caller().call(b"{}").await.unwrap_err();
    assert_eq!(failure, Failure::ClosedEarly);
    assert!(!failure.is_safe_to_retry(), "the vendor may have worked on it");
    assert_eq!(server.calls().len(), 1);
}

async fn a_call_is_repeated_once_and_no_more(engine: Engine) {
    let hang_up = vec![Act::ReadBody, Act::HangUp];
    let server = Server::start(engine, vec![answer(200, b"first"), hang_up.clone(), hang_up]).await;
    let caller = server.caller();
    caller.call(b"1").await.unwrap();
    assert_eq!(caller.call(b"2").await.unwrap_err(), Failure::ClosedEarly);
    assert_eq!(
        (server.calls().len(), caller.stale()),
        (3, 1),
        "a call that fails in the end tells of it too"
    );
}

async fn a_pooled_connection_cut_within_its_answer_is_not_repeated(engine: Engine) {
    let script = vec![Act::ReadBody, Act::Head(200, vec![]), Act::Data("half".into()), GAP, Act::HangUp];
    let server = Server::start(engine, vec![answer(200, b"first"), script]).await;
    let caller = server.caller();
    caller.call(b"1").await.unwrap();
    let cut = caller.call(b"2").await.unwrap_err();
    assert!(matches!(cut, Failure::Cut(_)), "{cut:?}");
    assert_eq!(server.calls().len(), 2);
}

async fn each_client_and_each_origin_has_connections_of_its_own(engine: Engine) {
    let server = Server::start(engine, vec![]).await;
    let caller = server.caller();
    let mut other_origin = server.caller();
    other_origin.client = caller.client.clone();
    let mut other_client = server.caller();
    other_client.origin = caller.origin.clone();
    for caller in [&caller, &other_origin, &other_client, &caller] {
        let answer = caller.send(&Bytes::from_static(b"{}")).await.unwrap();
        assert_eq!(answer.body.collect(100).await.unwrap(), "honest");
    }
    assert_eq!(server.connections(), 3);
}
