//! Deadlines over every engine. The clock is stopped once a call is where its test wants it, and moves only
//! when everybody waits: no test waits in earnest.

use std::time::Duration;

use bytes::Bytes;
use pilothouse_upstream::{Body, Failure, Phase, Timeouts};
use tokio::time::Instant;

use crate::script::Act;
use crate::server::{Engine, Server};

on_every_engine! {
    silence_before_the_first_byte_ends_at_its_deadline,
    an_interim_answer_is_not_the_first_byte,
    silence_between_two_pieces_ends_at_its_deadline,
    the_time_until_the_head_is_no_silence_between_two_pieces,
    a_steady_answer_goes_on_until_the_deadline_of_the_whole_call,
    the_whole_call_may_end_before_the_first_byte,
    a_call_that_ran_out_of_time_is_cancelled_at_the_server,
}

const HOUR: Duration = Duration::from_secs(3600);

fn seconds(first_byte: u64, between_chunks: u64, total: u64) -> Timeouts {
    Timeouts {
        first_byte: Duration::from_secs(first_byte),
        between_chunks: Duration::from_secs(between_chunks),
        total: Duration::from_secs(total),
        ..Timeouts::default()
    }
}

async fn next(body: &mut Body) -> Option<Result<Bytes, Failure>> {
    std::future::poll_fn(|cx| body.poll_data(cx)).await
}

/// Sends a call, stops the clock once the server has it, and returns how it ended and after what time.
async fn end_of_silence(server: &Server, timeouts: Timeouts) -> (Failure, Duration) {
    let caller = server.caller_with(timeouts);
    let stop_the_clock = async {
        server.log.called.notified().await;
        tokio::time::pause();
        Instant::now()
    };
    let (outcome, stopped) = tokio::join!(caller.call(b"{}"), stop_the_clock);
    (outcome.unwrap_err(), stopped.elapsed())
}

async fn silence_before_the_first_byte_ends_at_its_deadline(engine: Engine) {
    let server = Server::start(engine, vec![vec![Act::ReadBody, Act::Never]]).await;
    let (failure, waited) = end_of_silence(&server, seconds(100, 1, 1000)).await;
    assert_eq!(failure, Failure::Timeout(Phase::FirstByte));
    assert!(!failure.is_safe_to_retry(), "the vendor may still be working");
    assert!(waited <= Duration::from_secs(101), "{waited:?}");
}

async fn an_interim_answer_is_not_the_first_byte(engine: Engine) {
    let pause = Act::Pause(Duration::from_secs(30));
    let mut script = vec![Act::ReadBody];
    script.extend([pause, Act::Interim(103)].into_iter().cycle().take(20));
    let server = Server::start(engine, vec![script]).await;
    let (failure, waited) = end_of_silence(&server, seconds(100, 1000, 1000)).await;
    assert_eq!(failure, Failure::Timeout(Phase::FirstByte));
    assert!(waited <= Duration::from_secs(101), "{waited:?}");
}

async fn the_whole_call_may_end_before_the_first_byte(engine: Engine) {
    let server = Server::start(engine, vec![vec![Act::ReadBody, Act::Never]]).await;
    let (failure, _) = end_of_silence(&server, seconds(100, 100, 20)).await;
    assert_eq!(failure, Failure::Timeout(Phase::Total));
}

async fn silence_between_two_pieces_ends_at_its_deadline(engine: Engine) {
    let script = vec![Act::ReadBody, Act::Head(200, vec![]), Act::Data("one".into()), Act::Never];
    let server = Server::start(engine, vec![script]).await;
    // Shorter than the deadline of the first byte, which no longer counts.
    let caller = server.caller_with(seconds(600, 10, 3600));
    let mut body = caller.send(&Bytes::from_static(b"{}")).await.unwrap().body;
    assert_eq!(next(&mut body).await, Some(Ok("one".into())));
    tokio::time::pause();
    let stopped = Instant::now();
    assert_eq!(next(&mut body).await, Some(Err(Failure::Timeout(Phase::BetweenChunks))));
    assert!(stopped.elapsed() <= Duration::from_secs(11), "{:?}", stopped.elapsed());
    assert_eq!(next(&mut body).await, None);
}

async fn the_time_until_the_head_is_no_silence_between_two_pieces(engine: Engine) {
    let script = vec![
        Act::ReadBody,
        Act::Pause(Duration::from_secs(90)),
        Act::Head(200, vec![]),
        Act::Pause(Duration::from_secs(15)),
        Act::Data("late".into()),
        Act::End,
    ];
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller_with(seconds(100, 20, 3600));
    let stop_the_clock = async {
        server.log.called.notified().await;
        tokio::time::pause();
    };
    let (outcome, ()) = tokio::join!(caller.call(b"{}"), stop_the_clock);
    assert_eq!(outcome.unwrap().body, "late");
}

async fn a_steady_answer_goes_on_until_the_deadline_of_the_whole_call(engine: Engine) {
    let mut script = vec![Act::ReadBody, Act::Head(200, vec![]), Act::Data("0".into())];
    for _ in 0..1000 {
        script.extend([Act::Pause(Duration::from_secs(8)), Act::Data("+".into())]);
    }
    let server = Server::start(engine, vec![script]).await;
    let caller = server.caller_with(seconds(600, 20, 300));
    let mut body = caller.send(&Bytes::from_static(b"{}")).await.unwrap().body;
    assert_eq!(next(&mut body).await, Some(Ok("0".into())));
    tokio::time::pause();
    let (stopped, mut pieces) = (Instant::now(), 0);
    let failure = loop {
        match next(&mut body).await.expect("the answer does not end by itself") {
            Ok(piece) => pieces += piece.len(),
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure, Failure::Timeout(Phase::Total));
    assert!(pieces >= 30 && stopped.elapsed() < HOUR, "{pieces} pieces in {:?}", stopped.elapsed());
}

async fn a_call_that_ran_out_of_time_is_cancelled_at_the_server(engine: Engine) {
    let script = vec![Act::ReadBody, Act::Head(200, vec![]), Act::Data("one".into()), Act::AwaitGone];
    let server = Server::start(engine, vec![vec![Act::ReadBody, Act::AwaitGone], script]).await;
    let caller = server.caller_with(seconds(1, 1, 3600));
    assert_eq!(caller.call(b"{}").await.unwrap_err(), Failure::Timeout(Phase::FirstByte));
    server.log.gone.notified().await;
    assert_eq!(caller.call(b"{}").await.unwrap_err(), Failure::Timeout(Phase::BetweenChunks));
    server.log.gone.notified().await;
}
