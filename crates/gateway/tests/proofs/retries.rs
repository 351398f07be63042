//! Second attempts: when they are made, when never, and with which credential.

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Outcome;

use crate::harness::House;
use crate::harness::http::Got;
use crate::harness::reading::Client;
use crate::harness::scripted::{self, Act, STREAM_HEAD, Scripted, chunk};

const ANSWER: &str = "{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}";

fn house_before(address: std::net::SocketAddr, more: &str) -> House {
    House::with(&format!(
        "[providers.odd]\ndialect = \"openai-chat\"\nbase_url = \"http://{address}/v1\"\nmodels = [\"m\"]\n{more}\n"
    ))
}

fn ask(house: &House, is_stream: bool, headers: &[(&str, &str)]) -> Got {
    let body = Client::Openai.ask("m", "Hello.", is_stream).to_string();
    house.post("/v1/chat/completions", headers, body.as_bytes())
}

fn attempts(house: &House, got: &Got) -> usize {
    house.record(got).receipt.map_or(0, |receipt| receipt.attempts.len())
}

#[test]
fn retries_that_the_sdk_has_made_are_not_made_again() {
    for (spent, calls) in [("0", 3), ("1", 2), ("2", 1), ("9", 1)] {
        let house = House::open();
        let body = Client::Openai.ask("openai/fault-500", "Hello.", false).to_string();
        let got = house.post("/v1/chat/completions", &[("x-stainless-retry-count", spent)], body.as_bytes());
        assert_eq!((got.status, house.fleet.log().len()), (500, calls), "after {spent} retries of the SDK");
        // Whoever made attempts of its own says that they are spent.
        assert_eq!(got.header("x-should-retry"), (calls > 1).then_some("false"), "{spent}");
    }
}

#[test]
fn a_provider_without_retries_is_asked_once() {
    let vendor = Scripted::start(vec![Act::Write(vec![scripted::json("500 Oops", "", "{}")])]);
    let house = house_before(vendor.address, "retries = 0");
    assert_eq!(ask(&house, false, &[]).status, 500);
    assert_eq!(vendor.calls(), 1);
}

#[test]
fn a_vendor_that_asks_for_a_long_pause_is_not_waited_for() {
    let refusal = scripted::json(
        "429 Too Many Requests",
        "retry-after: 3600\r\n",
        "{\"error\":{\"message\":\"Later.\"}}",
    );
    let vendor = Scripted::start(vec![Act::Write(vec![refusal])]);
    let house = house_before(vendor.address, "");
    let got = ask(&house, false, &[]);
    assert_eq!((got.status, got.header("retry-after"), vendor.calls()), (429, Some("3600"), 1));
    assert_eq!(got.header("x-should-retry"), None, "the client may come back when it is time");
}

#[test]
fn the_next_credential_is_used_when_one_is_refused_and_stays_in_use() {
    let configuration = r#"
[providers.openai]
base_url = "http://FLEET/openai/v1"
api_keys = ["bad-first", "sk-second"]
"#;
    let house = House::with(configuration);
    let ask = || house.chat(&Client::Openai.ask("openai/fault-many-2", "Hello.", false));
    let got = ask();
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(house.fleet.log().iter().filter(|entry| entry["status"] != 200).count(), 1);
    let record = house.record(&got);
    assert_eq!(record.receipt.unwrap().attempts[0].status, Some(401));
    assert_eq!(ask().status, 200);
    assert_eq!(house.fleet.log().len(), 3, "the refused one is not tried again");
}

#[test]
fn when_every_credential_is_refused_the_client_reads_the_vendors_refusal() {
    let configuration = r#"
[providers.anthropic]
base_url = "http://FLEET/anthropic"
api_keys = ["bad-first", "bad-second"]
"#;
    let house = House::with(configuration);
    for client in Client::ALL {
        let before = house.fleet.log().len();
        let body = client.ask("anthropic/claude-sonnet-4-5", "Hello.", false).to_string();
        let got = house.post(client.path(), &[], body.as_bytes());
        assert_eq!(got.status, 401, "{}", got.text());
        assert!(!got.text().contains("bad-"), "{}", got.text());
        assert_eq!(house.fleet.log().len() - before, 2);
    }
}

#[test]
fn a_timeout_with_the_body_sent_is_never_tried_again() {
    let vendor = Scripted::start(vec![Act::Silence]);
    let house = house_before(vendor.address, "timeouts = { first_byte = 0.2 }");
    let got = ask(&house, false, &[]);
    assert_eq!((got.status, vendor.calls()), (504, 1));
    let record = house.record(&got);
    assert_eq!(record.outcome, Outcome::Failed(Kind::Timeout));
    assert_eq!(record.bill.cost, pilothouse_core::money::Cost::Unknown, "it may be billed");
}

#[test]
fn a_timeout_is_tried_again_where_that_is_configured() {
    let vendor = Scripted::start(vec![Act::Silence, Act::Write(vec![scripted::json("200 OK", "", ANSWER)])]);
    let house = house_before(vendor.address, "retry_after_timeout = true\ntimeouts = { first_byte = 0.2 }");
    let got = ask(&house, false, &[]);
    assert_eq!((got.status, vendor.calls()), (200, 2));
    assert_eq!(attempts(&house, &got), 1);
}

#[test]
fn a_connection_that_nobody_takes_is_tried_again_and_then_named() {
    // A port that was free a moment ago.
    let address = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let house = house_before(address, "");
    let got = ask(&house, false, &[]);
    assert_eq!(got.status, 502);
    assert!(got.text().contains("`odd`") && got.text().contains("base_url"), "{}", got.text());
    let record = house.record(&got);
    assert_eq!(record.outcome, Outcome::Failed(Kind::ConnectFailed));
    assert_eq!(record.receipt.unwrap().attempts.len(), 2);
    assert_eq!(record.bill.cost, pilothouse_core::money::Cost::Known(pilothouse_core::money::PicoUsd::ZERO));
}

#[test]
fn an_answer_that_broke_off_is_never_tried_again() {
    let half =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{ANSWER}");
    let vendor = Scripted::start(vec![Act::Write(vec![half.into_bytes()])]);
    let house = house_before(vendor.address, "");
    assert_eq!((ask(&house, false, &[]).status, vendor.calls()), (502, 1));
    let vendor = Scripted::start(vec![Act::Write(vec![
        STREAM_HEAD.as_bytes().to_vec(),
        chunk(b"data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n"),
    ])]);
    let house = house_before(vendor.address, "");
    assert_eq!((ask(&house, true, &[]).status, vendor.calls()), (200, 1));
}

#[test]
fn a_fresh_connection_that_closes_without_a_byte_is_not_tried_again() {
    let vendor = Scripted::start(vec![Act::Close]);
    let house = house_before(vendor.address, "");
    assert_eq!((ask(&house, false, &[]).status, vendor.calls()), (502, 1));
}

/// A vendor that answers, keeps the connection, and gives it up at the next call; then it does that.
fn house_with_a_stale_connection(then: Act) -> (Scripted, House) {
    let kept = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
        ANSWER.len()
    );
    let vendor = Scripted::start(vec![Act::HangUpAtNext(vec![kept.into_bytes()]), then]);
    let house = house_before(vendor.address, "");
    let first = ask(&house, false, &[]);
    assert_eq!((first.status, house.record(&first).receipt), (200, None));
    (vendor, house)
}

#[test]
fn a_kept_connection_that_the_vendor_gave_up_is_replaced_unseen_and_noted_in_the_receipt() {
    let (vendor, house) =
        house_with_a_stale_connection(Act::Write(vec![scripted::json("200 OK", "", ANSWER)]));
    let got = ask(&house, false, &[]);
    assert_eq!((got.status, got.header("x-pilothouse-changed")), (200, None), "{}", got.text());
    assert_eq!(got.header("x-should-retry"), None);
    assert_eq!(vendor.requests().len(), 3, "the second call came twice");
    let receipt = house.record(&got).receipt.unwrap();
    assert_eq!((receipt.attempts.len(), receipt.notes.len()), (0, 1), "{receipt:?}");
    assert_eq!(receipt.notes[0].code, "replace:connection");
}

#[test]
fn a_replaced_connection_is_noted_even_where_the_fresh_one_fails_too() {
    let (_vendor, house) = house_with_a_stale_connection(Act::Close);
    let got = ask(&house, false, &[]);
    assert_eq!(got.status, 502);
    let receipt = house.record(&got).receipt.unwrap();
    assert_eq!(receipt.notes[0].code, "replace:connection");
    assert!(receipt.error.is_some());
}

#[test]
fn an_interruption_between_chunks_ends_the_stream_as_a_timeout() {
    let house = House::with(
        "[providers.openai]\nbase_url = \"http://FLEET/openai/v1\"\napi_key = \"sk-upstream\"\ntimeouts = { between_chunks = 0.2 }\n",
    );
    let got = house.chat(&Client::Openai.ask("openai/fault-stall-600000-50", "Hello.", true));
    assert_eq!(got.end, crate::harness::http::End::Broken);
    assert!(got.text().contains("deadline"), "{}", got.text());
    assert_eq!(house.record(&got).outcome, Outcome::Failed(Kind::Timeout));
}
