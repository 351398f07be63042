//! The generator against a scripted server: what it counts, and that it cannot be fooled by half answers.

use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const STREAM: &[&str] = &[
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"one\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"two\"}}]}\n\n",
    "data: [DONE]\n\n",
];

/// Serves every request on every connection with the same bytes.
async fn server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = Arc::new(answer);
    #[expect(clippy::disallowed_methods, reason = "the test's runtime ends its tasks")]
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            #[expect(clippy::disallowed_methods, reason = "the test's runtime ends its tasks")]
            tokio::spawn(serve(socket, Arc::clone(&answer)));
        }
    });
    address
}

async fn serve(mut socket: TcpStream, answer: Arc<Vec<u8>>) {
    let mut seen = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = memchr::memmem::find(&seen, b"\"stream\":")
                && let Some(close) = memchr::memchr(b'}', &seen[at..])
            {
                break at + close + 1;
            }
            if socket.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                return;
            }
        };
        seen.drain(..end);
        // Small writes, so that markers are split over reads.
        for part in answer.chunks(7) {
            if socket.write_all(part).await.is_err() {
                return;
            }
        }
    }
}

fn chunked(parts: &[&str], finished: bool) -> Vec<u8> {
    let mut text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for part in parts {
        text.push_str(&format!("{:x}\r\n{part}\r\n", part.len()));
    }
    if finished {
        text.push_str("0\r\n\r\n");
    }
    text.into_bytes()
}

fn plan(mode: Mode, address: String) -> Plan {
    Plan {
        mode,
        address,
        shape: Shape {
            dialect: Dialect::OpenaiChat,
            path: None,
            model: "fake".to_owned(),
            key: "k".to_owned(),
            headers: Vec::new(),
            prompt_bytes: 100,
            escape_every: 0,
        },
        connections: 2,
        window: Duration::from_millis(200),
        warm_up: Duration::from_millis(20),
        pids: vec![std::process::id()],
    }
}

#[tokio::test]
async fn stream_counts_the_events_with_text_and_not_the_empty_first_one() {
    let report = run(&plan(Mode::Stream, server(chunked(STREAM, true)).await)).await;
    assert_eq!((report.bad, report.errors), (0, 0), "{:?}", report.sample);
    assert!(report.completed > 0);
    assert_eq!(report.events_per_answer, 2.0);
    assert!(report.cpu_us_per_answer.is_some_and(|us| us > 0.0));
}

#[tokio::test]
async fn stream_without_its_terminator_is_bad_even_if_the_transport_ends_cleanly() {
    let report = run(&plan(Mode::Stream, server(chunked(&STREAM[..3], true)).await)).await;
    assert_eq!(report.completed, 0);
    assert!(report.bad > 0);
    assert!(report.sample.is_some_and(|text| text.contains("no data: [DONE]")));
}

#[tokio::test]
async fn plain_answer_needs_status_200_and_usage() {
    let body = "{\"choices\":[],\"usage\":{\"total_tokens\":3}}";
    let good = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let report = run(&plan(Mode::Plain, server(good.clone().into_bytes()).await)).await;
    assert_eq!((report.bad, report.errors), (0, 0), "{:?}", report.sample);
    assert!(report.completed > 0 && report.bytes_per_answer == body.len() as f64);
    let refused = good.replace("200 OK", "401 Unauthorized");
    let report = run(&plan(Mode::Plain, server(refused.into_bytes()).await)).await;
    assert!(report.completed == 0 && report.bad > 0);
}

#[tokio::test]
async fn held_streams_are_counted_and_dropped_after_the_window() {
    let report = run(&plan(Mode::Hold, server(chunked(&STREAM[..2], false)).await)).await;
    assert_eq!((report.streams_started, report.bad, report.errors), (2, 0, 0), "{:?}", report.sample);
    assert!(report.resident_kib_peak > 0);
}

#[tokio::test]
async fn server_that_cannot_be_reached_is_an_error_with_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let report = run(&plan(Mode::Plain, address.clone())).await;
    assert!(report.completed == 0 && report.errors > 0);
    assert!(report.sample.is_some_and(|text| text.contains(&address)));
}
