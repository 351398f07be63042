//! Odd but lawful upstreams, byte for byte: split usage chunks, interim answers, compression, line ends, sizes.

use std::io::Write as _;

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Outcome;
use pilothouse_core::usage::Provenance;

use crate::harness::House;
use crate::harness::http::{End, Got, Stream};
use crate::harness::reading::{self, Client};
use crate::harness::scripted::{self, Act, LAST_CHUNK, STREAM_HEAD, Scripted, chunk};

/// A short stream with the usage chunk that the gateway asks for on the client's behalf.
const BEFORE: &str = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\n\ndata: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi \\\"usage\\\"\"},\"finish_reason\":null}],\"usage\":null}\n\ndata: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n";
const USAGE: &str = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn house_before(vendor: &Scripted) -> House {
    House::with(&format!(
        "[providers.odd]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\nmodels = [\"m\"]\n",
        vendor.address
    ))
}

fn stream_of(pieces: &[&[u8]]) -> Act {
    let mut writes = vec![STREAM_HEAD.as_bytes().to_vec()];
    writes.extend(pieces.iter().map(|piece| chunk(piece)));
    writes.push(LAST_CHUNK.to_vec());
    Act::Write(writes)
}

fn ask(house: &House, is_stream: bool) -> Got {
    house.chat(&Client::Openai.ask("m", "Hello.", is_stream))
}

#[test]
fn the_unasked_usage_chunk_is_withheld_wherever_a_read_splits_it() {
    let whole = [BEFORE, USAGE, DONE].concat();
    let wanted = [BEFORE, DONE].concat();
    let from = BEFORE.len() - 3;
    let to = BEFORE.len() + USAGE.len() + 3;
    let splits: Vec<usize> = (from..to).collect();
    let acts =
        splits.iter().map(|at| stream_of(&[&whole.as_bytes()[..*at], &whole.as_bytes()[*at..]])).collect();
    let vendor = Scripted::start(acts);
    let house = house_before(&vendor);
    let answers: Vec<Got> = splits.iter().map(|_| ask(&house, true)).collect();
    for (at, got) in splits.iter().zip(&answers) {
        assert_eq!(got.text(), wanted, "split at {at}");
        assert_eq!(got.end, End::Whole, "split at {at}");
        let bill = house.record(got).bill;
        assert_eq!((bill.usage.input, bill.usage.output), (7, 3), "split at {at}");
        assert_eq!(bill.provenance, Provenance::Reported, "split at {at}");
    }
}

#[test]
fn a_client_that_asks_for_usage_gets_every_byte() {
    let whole = [BEFORE, USAGE, DONE].concat();
    let vendor = Scripted::start(vec![stream_of(&[whole.as_bytes()])]);
    let house = house_before(&vendor);
    let mut body = Client::Openai.ask("m", "Hello.", true);
    body["stream_options"] = serde_json::json!({"include_usage": true});
    assert_eq!(house.chat(&body).text(), whole);
    let request = &vendor.requests()[0];
    assert!(request.ends_with(&body.to_string()), "not a byte was edited: {request}");
}

#[test]
fn a_stream_in_single_bytes_is_the_same_stream() {
    let whole = [BEFORE, USAGE, DONE].concat();
    let bytes: Vec<&[u8]> = whole.as_bytes().chunks(1).collect();
    let vendor = Scripted::start(vec![stream_of(&bytes)]);
    let house = house_before(&vendor);
    let got = ask(&house, true);
    assert_eq!((got.text(), got.end), ([BEFORE, DONE].concat(), End::Whole));
}

#[test]
fn events_that_end_in_crlf_pass_as_they_are_and_are_read_all_the_same() {
    let (before, usage, done) =
        (BEFORE.replace('\n', "\r\n"), USAGE.replace('\n', "\r\n"), DONE.replace('\n', "\r\n"));
    let whole = [before.as_str(), &usage, &done].concat();
    for pieces in [vec![whole.as_bytes()], whole.as_bytes().chunks(7).collect()] {
        let vendor = Scripted::start(vec![stream_of(&pieces)]);
        let house = house_before(&vendor);
        let got = ask(&house, true);
        assert_eq!(got.text(), [before.as_str(), &done].concat());
        assert_eq!(house.record(&got).bill.usage.total(), 10);
    }
}

#[test]
fn crlf_events_are_translated_too() {
    let whole = [BEFORE, USAGE, DONE].concat().replace('\n', "\r\n");
    let vendor = Scripted::start(vec![stream_of(&whole.as_bytes().chunks(11).collect::<Vec<_>>())]);
    let house = house_before(&vendor);
    let got = house.message(&Client::Anthropic.ask("m", "Hello.", true));
    let read = reading::stream(Client::Anthropic, &got.body);
    assert_eq!((read.text.as_str(), read.usage, read.is_terminated), ("Hi \"usage\"", Some((7, 3)), true));
}

#[test]
fn interim_answers_before_the_answer_are_passed_over() {
    let body = "{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}";
    let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n";
    let vendor =
        Scripted::start(vec![Act::Write(vec![interim.to_vec(), scripted::json("200 OK", "", body)])]);
    let house = house_before(&vendor);
    let got = ask(&house, false);
    assert_eq!((got.status, got.text().as_str()), (200, body));
    assert_eq!(got.header("link"), None);
}

#[test]
fn a_compressed_answer_arrives_unpacked() {
    let body = "{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}";
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(body.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        packed.len()
    );
    let vendor = Scripted::start(vec![Act::Write(vec![head.into_bytes(), packed])]);
    let house = house_before(&vendor);
    let got = ask(&house, false);
    assert_eq!((got.status, got.text().as_str(), got.header("content-encoding")), (200, body, None));
    assert!(vendor.requests()[0].contains("accept-encoding: identity\r\n"));
}

#[test]
fn half_an_event_at_the_end_never_reaches_the_client() {
    let half = &USAGE[..USAGE.len() / 2];
    let vendor = Scripted::start(vec![stream_of(&[BEFORE.as_bytes(), half.as_bytes()])]);
    let house = house_before(&vendor);
    let got = ask(&house, true);
    assert!(got.text().starts_with(BEFORE), "{}", got.text());
    assert!(!got.text().contains("prompt_tokens"), "{}", got.text());
    let read = reading::stream(Client::Openai, &got.body);
    assert_eq!((read.unreadable, read.is_terminated, got.end), (0, false, End::Broken));
    assert!(read.error.is_some());
    let record = house.record(&got);
    assert_eq!(record.outcome, Outcome::Failed(Kind::Cut));
    assert_eq!(record.bill.provenance, Provenance::Partial);
    assert!(record.bill.estimated_output > 0, "what was written is estimated, and labelled so");
}

#[test]
fn an_end_without_the_last_chunk_is_a_cut_even_after_whole_events() {
    let mut writes = vec![STREAM_HEAD.as_bytes().to_vec(), chunk(BEFORE.as_bytes())];
    writes.push(chunk(USAGE.as_bytes()));
    let vendor = Scripted::start(vec![Act::Write(writes)]);
    let house = house_before(&vendor);
    let got = ask(&house, true);
    assert_eq!(got.end, End::Broken);
    let record = house.record(&got);
    assert_eq!(record.outcome, Outcome::Failed(Kind::Cut));
    assert_eq!((record.bill.provenance, record.bill.usage.total()), (Provenance::Partial, 10));
}

#[test]
fn an_answer_whose_terminator_came_is_whole_even_if_the_transport_then_breaks() {
    let whole = [BEFORE, USAGE, DONE].concat();
    let vendor =
        Scripted::start(vec![Act::Write(vec![STREAM_HEAD.as_bytes().to_vec(), chunk(whole.as_bytes())])]);
    let house = house_before(&vendor);
    let got = ask(&house, true);
    assert_eq!((got.text(), got.end), ([BEFORE, DONE].concat(), End::Whole));
    assert_eq!(house.record(&got).outcome, Outcome::Complete);
}

#[test]
fn an_event_of_a_megabyte_passes_and_one_beyond_reading_fails() {
    let event = |bytes: usize| {
        format!(
            "data: {{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}},\"finish_reason\":null}}]}}\n\n",
            "a".repeat(bytes)
        )
    };
    let (large, monster) = (event(1 << 20), event(17 << 20));
    let whole = [BEFORE, &large, USAGE, DONE].concat();
    let vendor = Scripted::start(vec![
        stream_of(&[whole.as_bytes()]),
        stream_of(&[BEFORE.as_bytes(), monster.as_bytes(), DONE.as_bytes()]),
    ]);
    let house = house_before(&vendor);
    let got = ask(&house, true);
    assert_eq!((got.body.len(), got.end), (whole.len() - USAGE.len(), End::Whole));
    let got = ask(&house, true);
    assert_eq!(got.end, End::Broken);
    assert_eq!(house.record(&got).outcome, Outcome::Failed(Kind::BadAnswer));
}

#[test]
fn comments_and_fields_of_tomorrow_pass_untouched() {
    let odd = ": keep-alive\n\nid: 7\nretry: 100\nevent: news\ndata: {\"new\":true}\n\n";
    let whole = [BEFORE, odd, USAGE, DONE].concat();
    let vendor = Scripted::start(vec![stream_of(&[whole.as_bytes()])]);
    let house = house_before(&vendor);
    let got = ask(&house, true);
    assert_eq!((got.text(), got.end), ([BEFORE, odd, DONE].concat(), End::Whole));
}

#[test]
fn a_redirect_is_never_followed() {
    let moved = scripted::json("307 Temporary Redirect", "location: http://127.0.0.1:1/v1\r\n", "{}");
    let vendor = Scripted::start(vec![Act::Write(vec![moved])]);
    let house = house_before(&vendor);
    let got = ask(&house, false);
    assert!(got.status >= 300 && got.status != 200, "{}", got.status);
    assert_eq!(got.header("location"), None, "SDKs would follow it with the caller's key");
    assert_eq!(vendor.calls(), 1);
}

#[test]
fn a_client_that_hangs_up_at_the_vendors_error_event_has_a_failed_exchange_and_not_a_cancelled_one() {
    let error = "data: {\"error\":{\"message\":\"Overloaded.\",\"type\":\"server_error\",\"code\":null}}\n\n";
    let pieces = vec![STREAM_HEAD.as_bytes().to_vec(), chunk([BEFORE, error].concat().as_bytes())];
    let vendor = Scripted::start(vec![Act::Hold(pieces)]);
    let house = house_before(&vendor);
    let mut stream = house.begin("/v1/chat/completions", &Client::Openai.ask("m", "Hello.", true));
    stream.until("Overloaded.");
    let id = stream.header("x-pilothouse-exchange").unwrap().to_owned();
    drop(stream);
    assert!(matches!(house.record_of(&id).outcome, Outcome::Failed(_)), "{:?}", house.record_of(&id).outcome);
}

#[test]
fn a_silent_stream_that_is_translated_shows_that_it_lives_in_the_clients_dialect() {
    let fast = std::time::Duration::from_millis(5);
    let opening = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}}\n\n";
    let cases = [
        ("openai-chat", "/v1", BEFORE, Client::Anthropic, "event: ping\ndata: {\"type\": \"ping\"}\n\n"),
        ("anthropic-messages", "", opening, Client::Openai, ": ping\n\n"),
    ];
    for (dialect, path, events, client, ping) in cases {
        let pieces = vec![STREAM_HEAD.as_bytes().to_vec(), chunk(events.as_bytes())];
        let vendor = Scripted::start(vec![Act::Hold(pieces)]);
        let house = House::pinging(
            &format!(
                "[providers.odd]\ndialect = \"{dialect}\"\nbase_url = \"http://{}{path}\"\nmodels = [\"m\"]\n",
                vendor.address
            ),
            fast,
        );
        let mut stream = house.begin(client.path(), &client.ask("m", "Hello.", true));
        for _ in 0..20 {
            assert!(stream.next(), "{dialect}: a silent stream goes on");
        }
        let text = String::from_utf8_lossy(&stream.body);
        assert!(text.contains(&ping.repeat(3)), "{dialect}: {text}");
        let read = reading::stream(client, &stream.body);
        assert_eq!((read.unreadable, read.error, read.is_terminated), (0, None, false), "{dialect}");
    }
}

#[test]
fn one_connection_carries_one_call_after_the_other_whatever_became_of_the_first() {
    let house = House::open();
    let good = Client::Openai.ask("openai/fault-many-2", "Hello.", false).to_string();
    let calls = [
        ("/v1/chat/completions", "not json", 400),
        ("/v1/nothing", "{}", 404),
        ("/v1/chat/completions", &good, 200),
    ];
    let mut bytes = String::new();
    for (path, body, _) in calls {
        bytes.push_str(&format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ));
    }
    // All at once: pipelined.
    let mut stream = Stream::send(house.address, bytes.as_bytes());
    for (path, _, status) in calls {
        assert_eq!(stream.status, status, "{path}");
        while stream.next() {}
        if status != 200 {
            stream = stream.following();
        }
    }
}

#[test]
fn a_client_that_waits_for_leave_to_send_its_body_gets_it() {
    let house = House::open();
    let body = Client::Openai.ask("openai/fault-many-2", "Hello.", false).to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = Stream::send(house.address, head.as_bytes());
    assert_eq!(stream.status, 100);
    stream.write(body.as_bytes());
    assert_eq!(stream.following().rest().status, 200);
}
