//! What is refused before a vendor is asked: sizes, broken requests, unknown names, paths and methods.

use crate::harness::http::Got;
use crate::harness::reading::Client;
use crate::harness::{BOTH_VENDORS, House, eventually};

fn error(got: &Got) -> (String, String) {
    let body = got.json();
    let word = |name: &str| body["error"][name].as_str().unwrap_or_default().to_owned();
    (word("type"), word("message"))
}

fn limited() -> House {
    House::with(&format!("[server]\nbody_bytes_max = 4000\ninflight_bytes_max = 5000\n{BOTH_VENDORS}"))
}

#[test]
fn a_body_beyond_the_limit_is_413_in_the_dialect_whether_announced_or_not() {
    let house = limited();
    for (client, kind) in
        [(Client::Openai, "invalid_request_error"), (Client::Anthropic, "request_too_large")]
    {
        let model = format!("{}/fault-many-2", client.vendor(true));
        let body = client.ask(&model, &"a".repeat(4000), false).to_string();
        let got = house.post(client.path(), &[], body.as_bytes());
        assert_eq!((got.status, error(&got).0.as_str()), (413, kind));
        let chunked = format!(
            "POST {} HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            client.path(),
            body.len()
        );
        let got = crate::harness::http::Stream::send(house.address, chunked.as_bytes()).rest();
        assert_eq!((got.status, error(&got).0.as_str()), (413, kind));
    }
    assert!(house.fleet.log().is_empty());
}

#[test]
fn bodies_in_flight_are_bounded_together_and_their_room_is_given_back() {
    let house = limited();
    let slow =
        Client::Openai.ask("openai/fault-slow-first-byte-600000", &"a".repeat(3000), false).to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n\r\n{slow}",
        slow.len()
    );
    let mut waiting = std::net::TcpStream::connect(house.address).unwrap();
    std::io::Write::write_all(&mut waiting, request.as_bytes()).unwrap();
    let held = || {
        let page = house.get("/metrics", &[]).text();
        let line =
            page.lines().find_map(|line| line.strip_prefix("pilothouse_held_bytes ").map(str::to_owned));
        line.unwrap().parse::<u64>().unwrap()
    };
    eventually("the first body is held", || (held() >= 3000).then_some(()));
    for client in Client::ALL {
        let model = format!("{}/fault-many-2", client.vendor(true));
        let got = house.post(
            client.path(),
            &[],
            client.ask(&model, &"b".repeat(3000), false).to_string().as_bytes(),
        );
        assert!(got.status == 503 || got.status == 529, "{client:?} {}", got.status);
        assert!(error(&got).1.contains("in flight"), "{}", got.text());
        assert!(got.header("retry-after").is_some());
    }
    drop(waiting);
    eventually("its room is given back", || (held() == 0).then_some(()));
    let got = house.chat(&Client::Openai.ask("openai/fault-many-2", &"b".repeat(3000), false));
    assert_eq!(got.status, 200);
}

#[test]
fn malformed_json_is_400_with_its_place() {
    let house = House::open();
    for client in Client::ALL {
        for body in [
            "{\"model\": \"gpt-4o\", \"messages\": [}",
            "",
            "[]",
            "not json",
            "{\"model\": \"gpt-4o\"",
            "{} {}",
        ] {
            let got = house.post(client.path(), &[], body.as_bytes());
            let (kind, message) = error(&got);
            assert_eq!((got.status, kind.as_str()), (400, "invalid_request_error"), "{body}: {message}");
        }
        let got = house.post(client.path(), &[], b"{\"model\": \"gpt-4o\", ]}");
        assert!(error(&got).1.contains("20"), "the byte of the place: {}", got.text());
    }
    assert!(house.fleet.log().is_empty());
}

#[test]
fn a_member_given_twice_is_400_because_readers_would_disagree() {
    let house = House::open();
    for body in [
        r#"{"model":"openai/gpt-4o","model":"anthropic/claude-sonnet-4-5","messages":[]}"#,
        r#"{"model":"openai/gpt-4o","mod\u0065l":"anthropic/claude-sonnet-4-5","messages":[]}"#,
        r#"{"model":"openai/gpt-4o","stream":false,"stream":true,"messages":[]}"#,
    ] {
        let got = house.post("/v1/chat/completions", &[], body.as_bytes());
        assert_eq!(got.status, 400, "{body}");
        assert!(error(&got).1.contains("twice"), "{}", got.text());
    }
    assert!(house.fleet.log().is_empty());
}

#[test]
fn a_model_of_the_wrong_type_or_missing_is_400() {
    let house = House::open();
    for body in ["{}", "{\"model\":7}", "{\"model\":null}", "{\"model\":\"gpt-4o\",\"stream\":\"yes\"}"] {
        let got = house.post("/v1/messages", &[], body.as_bytes());
        assert_eq!((got.status, error(&got).0.as_str()), (400, "invalid_request_error"), "{body}");
    }
}

#[test]
fn an_unknown_model_is_404_with_the_names_near_it_and_recorded() {
    let house = House::open();
    for (client, kind) in [(Client::Openai, "invalid_request_error"), (Client::Anthropic, "not_found_error")]
    {
        let got = house.post(
            client.path(),
            &[],
            client.ask("claude-sonet-4-5", "Hello.", false).to_string().as_bytes(),
        );
        let (told, message) = error(&got);
        assert_eq!((got.status, told.as_str()), (404, kind));
        assert!(message.contains("claude-sonnet-4-5"), "{message}");
        let record = house.record(&got);
        assert_eq!((&*record.asked, record.outcome.as_str()), ("claude-sonet-4-5", "unknown_model"));
        assert!(record.target.is_none());
    }
    // A name that another vendor serves says whose it is.
    let got = house.chat(&Client::Openai.ask("mistral-large-latest", "Hello.", false));
    assert_eq!(got.status, 404);
    assert!(error(&got).1.contains("[providers.mistral]"), "{}", got.text());
}

#[test]
fn unknown_paths_are_404_and_wrong_methods_405_in_the_callers_dialect() {
    let house = House::open();
    for path in [
        "/v1/fine_tuning/jobs",
        "/chat/completions",
        "/v1/chat/completions/",
        "//v1/messages",
        "/v1/messages/threads",
    ] {
        let got = house.post(path, &[], b"{}");
        assert_eq!(got.status, 404, "{path}");
        assert!(got.json()["error"]["message"].is_string(), "{path}");
    }
    let got = house.get("/v1/messages/other", &[]);
    assert_eq!((got.status, got.json()["type"].as_str()), (404, Some("error")));
    assert!(house.post("/chat/completions", &[], b"{}").text().contains("/v1"), "the hint for base URLs");
    for (method, path, allowed) in [
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/messages", "POST"),
        ("PUT", "/v1/models", "GET"),
    ] {
        let got = crate::harness::http::call(house.address, method, path, &[], b"");
        assert_eq!((got.status, got.header("allow")), (405, Some(allowed)), "{method} {path}");
        assert!(got.json()["error"]["message"].is_string());
    }
}

#[test]
fn a_compressed_request_is_refused_with_the_reason() {
    let house = House::open();
    let got = house.post("/v1/chat/completions", &[("content-encoding", "gzip")], b"\x1f\x8b");
    assert_eq!(got.status, 400);
    assert!(error(&got).1.contains("compressed"), "{}", got.text());
}
