//! Clients that go away: their upstream calls end at once, and the record says what was used.

use std::io::Write as _;

use pilothouse_core::exchange::Outcome;
use pilothouse_core::usage::Provenance;

use crate::harness::http::Stream;
use crate::harness::reading::Client;
use crate::harness::{House, eventually};

/// Two seconds between events: left alone, such a stream goes on for minutes.
const SLOW: &str = "fault-slow-stream-2000";

fn gone(house: &House) -> u64 {
    let totals = house.fleet.totals();
    let vendors = totals.as_object().unwrap().values();
    vendors
        .flat_map(|models| models.as_object().unwrap().values())
        .map(|one| one["client_gone"].as_u64().unwrap())
        .sum()
}

#[test]
fn fifty_of_fifty_abandoned_streams_are_cancelled_at_the_vendor() {
    let house = House::open();
    let streams: Vec<Stream> = (0..50)
        .map(|nth| {
            let client = Client::ALL[nth % 2];
            let model = format!("{}/{SLOW}", client.vendor(nth % 4 < 2));
            let mut stream =
                house.begin(client.path(), &client.ask(&model, "Tell me much. [[words:90]]", true));
            stream.until("data:");
            stream
        })
        .collect();
    assert_eq!(gone(&house), 0);
    let ids: Vec<String> =
        streams.iter().map(|stream| stream.header("x-pilothouse-exchange").unwrap().to_owned()).collect();
    drop(streams);
    eventually("the vendors see that their callers have gone", || (gone(&house) == 50).then_some(()));
    for id in ids {
        let record = house.record_of(&id);
        assert_eq!((record.outcome, record.streamed), (Outcome::Cancelled, true));
        assert_ne!(record.bill.provenance, Provenance::Reported, "what was not told whole is not reported");
        if record.target.unwrap().dialect == pilothouse_core::dialect::Dialect::AnthropicMessages {
            assert_eq!(record.bill.provenance, Provenance::Partial);
            assert!(
                record.bill.usage.input > 0,
                "the last value seen: the vendor told the input at the start"
            );
        }
    }
    let page = house.get("/metrics", &[]).text();
    assert!(page.contains("\npilothouse_inflight 0\n"), "{page}");
}

#[test]
fn a_client_that_leaves_before_the_first_byte_cancels_its_call_too() {
    let house = House::open();
    for is_same in [true, false] {
        let before = gone(&house);
        let model = format!("{}/fault-slow-first-byte-600000", Client::Openai.vendor(is_same));
        let body = Client::Openai.ask(&model, "Hello.", true).to_string();
        let mut socket = std::net::TcpStream::connect(house.address).unwrap();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).unwrap();
        eventually("the vendor has the call", || {
            house.fleet.log().iter().any(|entry| entry["outcome"] == "open").then_some(())
        });
        drop(socket);
        eventually("the vendor sees that its caller has gone", || (gone(&house) > before).then_some(()));
    }
    let records = eventually("both are recorded", || {
        let reader = pilothouse_store::Reader::open(&house.data()).unwrap();
        let records = reader.exchanges(&pilothouse_store::Filter::default()).unwrap();
        (records.len() == 2).then_some(records)
    });
    for record in records {
        assert_eq!(record.exchange.outcome, Outcome::Cancelled);
        assert_eq!(record.exchange.bill.cost, pilothouse_core::money::Cost::Unknown, "it may be billed");
    }
}

#[test]
fn a_client_that_leaves_after_the_terminator_had_a_whole_answer() {
    let house = House::open();
    let mut stream =
        house.begin("/v1/chat/completions", &Client::Openai.ask("openai/fault-many-3", "Hi.", true));
    stream.until("[DONE]");
    let id = stream.header("x-pilothouse-exchange").unwrap().to_owned();
    drop(stream);
    assert_eq!(house.record_of(&id).outcome, Outcome::Complete);
}
