//! TLS on both sides: a gateway that calls a gateway, over HTTP/1.1 and HTTP/2.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use http::{HeaderValue, Method};
use pilothouse_core::exchange::Outcome;
use pilothouse_upstream::{self as upstream, Head, Origin, OriginOptions, Request, TlsFiles};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::harness::http::End;
use crate::harness::reading::{self, Client};
use crate::harness::{BOTH_VENDORS, House, PATIENCE, eventually};

/// A gateway with TLS before the fleet, and a plain one before it.
struct Pair {
    far: House,
    near: House,
    files: tempfile::TempDir,
}

impl Pair {
    /// Calls the far gateway itself, over a connection of its own; returns the status and the body.
    fn call_far(&self, method: &Method, path: &str, body: &[u8], is_http2: bool) -> (u16, String) {
        let tls = TlsFiles {
            ca_file: Some(self.files.path().join("chain.pem")),
            http2: is_http2,
            ..TlsFiles::default()
        };
        let url = format!("https://localhost:{}", self.far.address.port());
        let origin = Origin::new(&url, &OriginOptions { tls, ..OriginOptions::default() }).unwrap();
        let fixed = [(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let head = Head::for_origin(&origin, method, path, &fixed);
        let request = Request { head: &head, tail: "", extra: &[], body: &[body] };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let answer = upstream::Client::new().send(&origin, &request, |_| true, &mut 0).await.unwrap();
            assert_eq!(answer.headers.get("connection").is_none(), is_http2);
            let status = answer.status.as_u16();
            (status, String::from_utf8(answer.body.collect(1 << 20).await.unwrap().into()).unwrap())
        })
    }
}

fn pair(is_http2: bool) -> Pair {
    let files = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (files.path().join("chain.pem"), files.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let far = House::with(&format!(
        "[server]\ntls = {{ certificate = {certificate:?}, key = {key:?} }}\n{BOTH_VENDORS}"
    ));
    let near = House::with(&format!(
        "[providers.far]\ndialect = \"openai-chat\"\nbase_url = \"https://localhost:{}/v1\"\nca_file = {certificate:?}\nhttp2 = {is_http2}\n",
        far.address.port()
    ));
    Pair { far, near, files }
}

#[test]
fn answers_and_streams_pass_over_tls_by_both_versions_of_http() {
    for is_http2 in [false, true] {
        let pair = pair(is_http2);
        for client in Client::ALL {
            for is_stream in [false, true] {
                let body = client.ask("far/openai/gpt-4o", "Over the wire. [[say:All is well.]]", is_stream);
                let got = pair.near.post(client.path(), &[], body.to_string().as_bytes());
                assert_eq!((got.status, got.end), (200, End::Whole), "{}", got.text());
                let read =
                    if is_stream { reading::stream(client, &got.body) } else { reading::whole(client, &got) };
                assert_eq!(read.text, "All is well.", "http2 {is_http2}");
                assert_eq!(read.is_terminated, is_stream);
                assert_eq!(pair.near.record(&got).outcome, Outcome::Complete);
                assert_eq!(pair.far.fleet.last()["headers"]["x-pilothouse-hops"], "2");
            }
        }
    }
}

#[test]
fn a_cut_stream_stays_a_cut_stream_over_two_gateways_and_tells_its_error_once() {
    for is_http2 in [false, true] {
        let pair = pair(is_http2);
        for client in Client::ALL {
            let body = client.ask("far/openai/fault-cut-50", "Cut it.", true);
            let got = pair.near.post(client.path(), &[], body.to_string().as_bytes());
            let read = reading::stream(client, &got.body);
            assert_eq!((got.status, got.end), (200, End::Broken), "http2 {is_http2}: {}", got.text());
            assert!(read.error.is_some() && !read.is_terminated, "{}", got.text());
            assert_eq!((read.after_end, read.unreadable), (0, 0), "{}", got.text());
            assert!(matches!(pair.near.record(&got).outcome, Outcome::Failed(_)));
        }
    }
}

#[test]
fn a_client_that_leaves_is_felt_through_two_gateways() {
    for is_http2 in [false, true] {
        let pair = pair(is_http2);
        let body = Client::Openai.ask("far/openai/fault-slow-stream-2000", "Slowly. [[words:60]]", true);
        let mut stream = pair.near.begin("/v1/chat/completions", &body);
        stream.until("data:");
        drop(stream);
        eventually("the vendor sees that its caller has gone", || {
            let totals = pair.far.fleet.totals();
            (totals["openai"]["fault-slow-stream-2000"]["client_gone"] == 1).then_some(())
        });
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent() {
    let pair = pair(false);
    let stranger = House::with(&format!(
        "[providers.far]\ndialect = \"openai-chat\"\nbase_url = \"https://localhost:{}/v1\"\nretries = 0\n",
        pair.far.address.port()
    ));
    let got = stranger.chat(&Client::Openai.ask("far/openai/gpt-4o", "Hello.", false));
    assert_eq!(got.status, 502);
    assert!(got.text().contains("certificate"), "{}", got.text());
    assert!(pair.far.fleet.log().is_empty());
}

#[test]
fn a_connection_that_opens_while_the_gateway_drains_gets_its_one_answer_by_both_versions_of_http() {
    for is_http2 in [false, true] {
        let pair = pair(is_http2);
        // A stream that still runs keeps the gateway draining.
        let body = Client::Openai.ask("far/openai/fault-slow-stream-20", "Slowly. [[words:20]]", true);
        let mut stream = pair.near.begin("/v1/chat/completions", &body);
        stream.until("data:");
        pair.far.server().begin_stop();
        for _ in 0..20 {
            assert_eq!(
                pair.call_far(&Method::GET, "/readyz", b"", is_http2),
                (503, "draining\n".to_owned()),
                "http2 {is_http2}"
            );
        }
        for client in Client::ALL {
            let body = client.ask("openai/gpt-4o", "Hello.", false).to_string();
            let (status, text) = pair.call_far(&Method::POST, client.path(), body.as_bytes(), is_http2);
            assert!(status == 503 || status == 529, "http2 {is_http2}: {status} {text}");
            let said: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(said["error"]["message"].as_str().unwrap().contains("stopped"), "{text}");
            assert_eq!(said["type"] == "error", client == Client::Anthropic, "in the dialect of the caller");
        }
        assert_eq!(stream.rest().end, End::Whole, "http2 {is_http2}");
    }
}

/// A client of HTTP/2 in frames (RFC 9113, sections 3.4, 4.1 and 6), to see what comes before the first request.
struct Frames(rustls::StreamOwned<rustls::ClientConnection, TcpStream>);

/// A frame's type, flags and payload.
type Frame = (u8, u8, Vec<u8>);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

impl Frames {
    fn open(pair: &Pair) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(pair.files.path().join("chain.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let session =
            rustls::ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        let socket = TcpStream::connect(pair.far.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(rustls::StreamOwned::new(session, socket))
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u8, payload: &[u8]) {
        let length = u8::try_from(payload.len()).unwrap();
        let head = [0, 0, length, kind, flags, 0, 0, 0, stream];
        self.0.write_all(&[&head, payload].concat()).unwrap();
    }

    /// The next frame, pings answered; `None` when the connection has ended.
    fn next(&mut self) -> Option<Frame> {
        loop {
            match self.read()? {
                (PING, 0, payload) => self.send(PING, ACK, 0, &payload),
                frame => return Some(frame),
            }
        }
    }

    fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        self.0.read_exact(&mut payload).ok()?;
        Some((head[3], head[4], payload))
    }

    /// Asks for the readiness, in the static table's fields of HPACK (RFC 7541, appendix A).
    fn ask_readiness(&mut self) {
        let fields: &[u8] = b"\x82\x87\x04\x07/readyz\x01\x09localhost";
        self.send(HEADERS, END_STREAM | END_HEADERS, 1, fields);
    }
}

#[test]
fn a_slow_http2_client_is_not_sent_away_before_its_first_request() {
    let pair = pair(false);
    pair.far.server().begin_stop();
    let mut client = Frames::open(&pair);
    // The server greets as soon as it serves the connection; only then does this client say its first word.
    let (kind, ..) = client.next().expect("the server greets");
    assert_eq!(kind, SETTINGS);
    client.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    client.send(SETTINGS, 0, 0, b"");
    // Our settings are acknowledged: the server has seen that we are here, and has not sent us away.
    loop {
        let (kind, flags, _) = client.next().expect("the server waits for the request");
        assert_ne!(kind, GOAWAY);
        if (kind, flags) == (SETTINGS, ACK) {
            break;
        }
    }
    client.ask_readiness();
    let mut seen = Vec::new();
    loop {
        let (kind, flags, payload) = client.next().unwrap_or_else(|| panic!("no answer came: {seen:?}"));
        seen.push(kind);
        if kind == DATA {
            assert_eq!(payload, b"draining\n");
        }
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            break;
        }
    }
    // It had its one answer: it is told to go, and the connection ends.
    while let Some((kind, ..)) = client.next() {
        seen.push(kind);
    }
    assert!(seen.contains(&GOAWAY), "{seen:?}");
}
