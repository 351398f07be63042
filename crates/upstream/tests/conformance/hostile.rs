//! Answers mutated at random: whatever a server sends, a call ends, its body is bounded by what was sent,
//! and the next call gets the next answer.

use std::time::Duration;

use pilothouse_upstream::{Failure, Timeouts};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::script::{Act, raw};
use crate::server::{Engine, Server};

/// Answers that are right, as the material of wrong ones.
const SEEDS: [&str; 7] = [
    "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"answer\":1}",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n4\r\n1\n\n2\r\n0\r\nx: y\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nwhy",
    "HTTP/1.1 204 No Content\r\nserver: x\r\n\r\n",
    "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\ncontent-encoding: deflate\r\ncontent-length: 11\r\n\r\nx\x01\x01\x01\0\x01\0\0\0\0\0",
    "HTTP/1.1 429 Slow\r\nretry-after: 1\r\nconnection: close\r\n\r\nuntil the end",
];
const SMUGGLED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";

/// One change to an answer.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Remove(Index, u8),
    Insert(Index, &'static str),
    Repeat(Index, u8),
}

/// What is worth inserting: pieces that framing is made of.
const PIECES: [&str; 16] = [
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    ":",
    " ",
    "\0",
    "content-length: 1\r\n",
    "content-length: 999\r\n",
    "transfer-encoding: chunked\r\n",
    "connection: keep-alive\r\n",
    "content-encoding: gzip\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (any::<Index>(), 1..20_u8).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<Index>(), prop::sample::select(&PIECES[..])).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<Index>(), 1..40_u8).prop_map(|(at, count)| Change::Repeat(at, count)),
    ]
}

fn apply(wire: &mut Vec<u8>, change: &Change) {
    if wire.is_empty() {
        return;
    }
    let end = |at: usize, count: u8, length: usize| (at + usize::from(count)).min(length);
    match change {
        Change::Byte(at, byte) => {
            let at = at.index(wire.len());
            wire[at] = *byte;
        }
        Change::Remove(at, count) => {
            let at = at.index(wire.len());
            wire.drain(at..end(at, *count, wire.len()));
        }
        Change::Insert(at, piece) => {
            let at = at.index(wire.len());
            wire.splice(at..at, piece.bytes());
        }
        Change::Repeat(at, count) => {
            let at = at.index(wire.len());
            let again = wire[at..end(at, *count, wire.len())].to_vec();
            wire.splice(at..at, again);
        }
    }
}

/// Sends `wire` cut in two, and a smuggled answer behind it, as the answer to the first of two calls.
async fn is_survived(wire: &[u8], cut: usize, closes: bool) -> Result<(), TestCaseError> {
    let mut script = raw(&wire[..cut]);
    script.push(Act::Pause(Duration::from_micros(100)));
    script.push(Act::Raw([&wire[cut..], SMUGGLED].concat()));
    script.push(Act::Pause(Duration::from_millis(2)));
    if closes {
        script.push(Act::Close);
    }
    let server = Server::start(Engine::Plain, vec![script]).await;
    let short = Duration::from_millis(400);
    // Where the server waits for more, nobody ends the call but its deadline.
    let patient = Timeouts { total: Duration::from_secs(60), ..Timeouts::default() };
    let impatient = Timeouts { first_byte: short, between_chunks: short, ..patient };
    let caller = server.caller_with(if closes { patient } else { impatient });
    match caller.call(b"{}").await {
        Ok(answer) => {
            prop_assert!((100..1000).contains(&answer.status));
            let is_decoded = wire.windows(16).any(|part| part.eq_ignore_ascii_case(b"content-encoding"));
            prop_assert!(is_decoded || answer.body.len() <= wire.len() + SMUGGLED.len());
        }
        Err(Failure::Connect(why)) => prop_assert!(false, "the server was there: {why}"),
        Err(Failure::StaleConnection) => prop_assert!(false, "the connection was fresh"),
        Err(_) => {}
    }
    // What comes after the next call began is its answer, for all that HTTP/1.1 can tell.
    server.played().await;
    let second = caller.call(b"{}").await.map_err(|failure| TestCaseError::fail(failure.to_string()))?;
    prop_assert_eq!(&second.body[..], b"honest");
    Ok(())
}

fn on_a_runtime(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_answer_is_survived_and_never_reaches_into_the_next_one(
        seed in prop::sample::select(&SEEDS[..]),
        changes in prop::collection::vec(change(), 0..5),
        cut in any::<Index>(),
        closes in prop::bool::weighted(0.95),
    ) {
        let mut wire = seed.as_bytes().to_vec();
        for change in &changes {
            apply(&mut wire, change);
        }
        let cut = cut.index(wire.len() + 1);
        on_a_runtime(is_survived(&wire, cut, closes))?;
    }

    #[test]
    fn noise_is_survived(wire in prop::collection::vec(any::<u8>(), 0..300), cut in any::<Index>()) {
        let cut = cut.index(wire.len() + 1);
        on_a_runtime(is_survived(&wire, cut, true))?;
    }
}
