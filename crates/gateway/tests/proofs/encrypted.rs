//! TLS on both sides: a gateway that calls a gateway, over HTTP/1.1 and HTTP/2.

use pilothouse_core::exchange::Outcome;

use crate::harness::http::End;
use crate::harness::reading::{self, Client};
use crate::harness::{BOTH_VENDORS, House, eventually};

/// A gateway with TLS before the fleet, and a plain one before it.
struct Pair {
    far: House,
    near: House,
    _files: tempfile::TempDir,
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
    Pair { far, near, _files: files }
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
