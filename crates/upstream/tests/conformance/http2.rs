//! What only HTTP/2 has: streams that were never taken up, servers that leave, and many calls at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use h2::Reason;
use pilothouse_upstream::{Failure, OriginOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::authority::Authority;
use crate::script::{Act, answer};
use crate::server::{Caller, Engine, Server, Setup};

#[tokio::test]
async fn a_refused_stream_of_a_pooled_connection_is_repeated() {
    let refuse = vec![Act::ReadBody, Act::Reset(Reason::REFUSED_STREAM)];
    let server = Server::start(Engine::Http2, vec![answer(200, b"first"), refuse]).await;
    let caller = server.caller();
    caller.call(b"1").await.unwrap();
    assert_eq!(caller.call(b"2").await.unwrap().body, "honest");
    assert_eq!(server.calls().len(), 3);
}

#[tokio::test]
async fn a_refused_stream_of_a_fresh_connection_may_be_repeated() {
    let refuse = vec![Act::ReadBody, Act::Reset(Reason::REFUSED_STREAM)];
    let server = Server::start(Engine::Http2, vec![refuse]).await;
    let failure = server.caller().call(b"{}").await.unwrap_err();
    assert!(failure.is_safe_to_retry(), "{failure:?}");
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_stream_reset_for_another_reason_is_cut_and_not_repeated() {
    for reason in [Reason::INTERNAL_ERROR, Reason::CANCEL, Reason::ENHANCE_YOUR_CALM] {
        let reset = vec![Act::ReadBody, Act::Reset(reason)];
        let server = Server::start(Engine::Http2, vec![answer(200, b"first"), reset]).await;
        let caller = server.caller();
        caller.call(b"1").await.unwrap();
        let failure = caller.call(b"2").await.unwrap_err();
        assert!(matches!(failure, Failure::Cut(_)) && !failure.is_safe_to_retry(), "{failure:?}");
        assert_eq!(server.calls().len(), 2);
        // One stream's end is not its connection's.
        assert_eq!(caller.call(b"3").await.unwrap().body, "honest");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_server_that_leaves_ends_its_calls_and_gets_no_more() {
    let mut leaving = vec![Act::ReadBody, Act::Head(200, vec![]), Act::Data("begun ".into()), Act::Close];
    leaving.extend([Act::Pause(Duration::from_millis(300)), Act::Data("and ended".into()), Act::End]);
    let server = Server::start(Engine::Http2, vec![leaving]).await;
    let caller = server.caller();
    let answer = caller.send(&"{}".into()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
    assert_eq!(answer.body.collect(100).await.unwrap(), "begun and ended");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn more_than_a_hundred_calls_at_once_open_a_second_connection() {
    let hold = vec![Act::ReadBody, Act::Pause(Duration::from_millis(300)), Act::Echo];
    let mut scripts = vec![answer(200, b"first")];
    scripts.extend(vec![hold; 150]);
    let server = Server::start(Engine::Http2, scripts).await;
    let caller = server.caller();
    caller.call(b"{}").await.unwrap();
    let calls = (0..101).map(|number| {
        let caller = caller.clone();
        async move { caller.call(format!("{number}").as_bytes()).await.unwrap().body }
    });
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().enumerate().all(|(number, body)| *body == number.to_string()));
    assert_eq!(server.connections(), 2);
    let of_first = server.calls().iter().filter(|seen| seen.connection == 0).count();
    assert_eq!(of_first, 1 + 100);
}

#[tokio::test]
async fn a_server_that_allows_fewer_calls_at_once_is_not_asked_for_more() {
    let hold = vec![Act::ReadBody, Act::Pause(Duration::from_millis(200)), Act::Echo];
    // What a server allows is learned with the call after its settings came.
    let mut scripts = vec![answer(200, b"first"), answer(200, b"second")];
    scripts.extend(vec![hold; 11]);
    let setup = Setup { streams_max: Some(10), ..Setup::default() };
    let server = Server::start_with(Engine::Http2, scripts, setup).await;
    let caller = server.caller();
    for _ in 0..2 {
        caller.call(b"{}").await.unwrap();
    }
    let calls = (0..11).map(|_| caller.call(b"{}"));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.unwrap().body, "{}");
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn connections_beyond_one_are_closed_when_a_burst_is_over() {
    let hold = vec![Act::ReadBody, Act::Pause(Duration::from_millis(50)), Act::Echo];
    let server = Server::start(Engine::Http2, vec![hold; 8]).await;
    let caller = server.caller();
    // Nothing is pooled yet: each of them opens a connection of its own.
    let calls = (0..8).map(|_| caller.call(b"{}"));
    futures_util::future::join_all(calls).await;
    let opened = server.connections();
    for _ in 0..3 {
        assert_eq!(caller.call(b"{}").await.unwrap().body, "honest");
    }
    assert_eq!(server.connections(), opened, "one of them was kept and used");
    let last: Vec<_> = server.calls()[8..].iter().map(|seen| seen.connection).collect();
    assert_eq!(last, [last[0]; 3]);
}

/// HTTP/2 frames written by hand, for what a well-behaved library never does.
struct ByHand {
    stream: TlsStream<TcpStream>,
}

const HEADERS: u8 = 1;

impl ByHand {
    /// Greets the client: its preface, our settings, the acknowledgement of its own.
    async fn greet(acceptor: &TlsAcceptor, tcp: TcpStream) -> Self {
        let mut stream = acceptor.accept(tcp).await.unwrap();
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.unwrap();
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        stream.write_all(&[0, 0, 0, 4, 1, 0, 0, 0, 0]).await.unwrap();
        stream.flush().await.unwrap();
        Self { stream }
    }

    /// The stream of the next call, once its head came; `None` when the client is gone.
    async fn next_call(&mut self) -> Option<u32> {
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).await.ok()?;
            if head[3] == HEADERS {
                return Some(u32::from_be_bytes([head[5], head[6], head[7], head[8]]));
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// `:status 200` (the eighth entry of the static table) and the end of the stream.
    async fn answer(&mut self, stream: u32) {
        let [a, b, c, d] = stream.to_be_bytes();
        self.write(&[0, 0, 1, HEADERS, 5, a, b, c, d, 0x88]).await;
    }

    async fn go_away(&mut self, last: u32, reason: u32) {
        let mut frame = vec![0, 0, 8, 7, 0, 0, 0, 0, 0];
        frame.extend(last.to_be_bytes());
        frame.extend(reason.to_be_bytes());
        self.write(&frame).await;
    }
}

/// What a server by hand does with a call beyond its first answers.
#[derive(Clone, Copy)]
enum Farewell {
    /// Leaves, saying that the call was not taken up.
    NotTakenUp,
    /// Leaves, saying that the call was taken up, and closes without an answer.
    TakenUpAndClosed,
    /// Sends bytes that are no frame.
    Garbage,
}

/// Starts a server whose first connection answers `answers` calls and then says its farewell; later ones
/// answer everything. Returns a caller and the calls by connection.
async fn by_hand(answers: usize, farewell: Farewell) -> (Caller, Arc<Mutex<Vec<usize>>>, JoinSet<()>) {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(authority.server(&["h2"], false));
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (mut tasks, seen) = (JoinSet::new(), Arc::clone(&calls));
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        for number in 0.. {
            let (tcp, _) = listener.accept().await.unwrap();
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
            connections.spawn(async move {
                let mut talk = ByHand::greet(&acceptor, tcp).await;
                let mut left = if number == 0 { answers } else { usize::MAX };
                while let Some(stream) = talk.next_call().await {
                    seen.lock().unwrap().push(number);
                    if left > 0 {
                        left -= 1;
                        talk.answer(stream).await;
                        continue;
                    }
                    match farewell {
                        Farewell::NotTakenUp => talk.go_away(stream - 2, 0).await,
                        Farewell::TakenUpAndClosed => return talk.go_away(stream, 0).await,
                        Farewell::Garbage => {
                            talk.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil").await
                        }
                    }
                }
            });
        }
    });
    let options = OriginOptions { tls: authority.trusted(true), ..OriginOptions::default() };
    (Caller::new(&format!("https://127.0.0.1:{port}"), &options), calls, tasks)
}

#[tokio::test]
async fn a_call_that_a_leaving_server_did_not_take_up_is_repeated_on_a_fresh_connection() {
    let (caller, calls, _server) = by_hand(1, Farewell::NotTakenUp).await;
    for _ in 0..2 {
        assert_eq!(caller.call(b"{}").await.unwrap().status, 200);
    }
    assert_eq!(*calls.lock().unwrap(), [0, 0, 1]);
}

#[tokio::test]
async fn a_call_that_a_fresh_connection_took_up_before_it_left_is_not_repeated() {
    let (caller, calls, _server) = by_hand(0, Farewell::TakenUpAndClosed).await;
    let failure = caller.call(b"{}").await.unwrap_err();
    assert!(!failure.is_safe_to_retry(), "{failure:?}");
    assert_eq!(*calls.lock().unwrap(), [0]);
    assert_eq!(caller.call(b"{}").await.unwrap().status, 200);
}

#[tokio::test]
async fn bytes_that_are_no_frames_are_refused_and_their_connection_is_not_used_again() {
    let (caller, calls, _server) = by_hand(0, Farewell::Garbage).await;
    let failure = caller.call(b"{}").await.unwrap_err();
    assert!(matches!(failure, Failure::BadAnswer(_)), "{failure:?}");
    assert_eq!(caller.call(b"{}").await.unwrap().status, 200);
    assert_eq!(*calls.lock().unwrap(), [0, 1]);
}
