//! Conversations over a WebSocket, from the handshake to the last frame.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Outcome;
use pilothouse_core::money::{Cost, PicoUsd};
use serde_json::{Value, json};

use crate::harness::scripted::{Act, Scripted};
use crate::harness::{BOTH_VENDORS, House, PATIENCE, eventually};

/// A client of few frames.
struct Client {
    socket: TcpStream,
    head: String,
    held: Vec<u8>,
}

impl Client {
    fn open(house: &House, path: &str, headers: &str) -> Self {
        let mut socket = TcpStream::connect(house.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let address = house.address;
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-extensions: permessage-deflate\r\n{headers}\r\n"
        )
        .unwrap();
        let mut client = Self { socket, head: String::new(), held: Vec::new() };
        let end = loop {
            if let Some(at) = client.held.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(client.more(), "the connection ended inside the head");
        };
        client.head = String::from_utf8(client.held.drain(..end).collect()).unwrap();
        client
    }

    fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let count = self.socket.read(&mut buffer).unwrap_or(0);
        self.held.extend_from_slice(&buffer[..count]);
        count > 0
    }

    fn send(&mut self, event: &Value) {
        let payload = event.to_string().into_bytes();
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend((payload.len() as u16).to_be_bytes());
        frame.extend([1, 2, 3, 4]);
        frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ [1, 2, 3, 4][at % 4]));
        self.socket.write_all(&frame).unwrap();
    }

    /// The next frame: its opcode and its payload; `None` at the end.
    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let [first, second, rest @ ..] = self.held.as_slice() {
                let (extended, length) = match (second, rest) {
                    (126, [high, low, ..]) => (2, usize::from(*high) << 8 | usize::from(*low)),
                    (126, _) => (2, usize::MAX),
                    (short, _) => (0, usize::from(*short)),
                };
                let opcode = first & 0x0f;
                let whole = length.saturating_add(2 + extended);
                if self.held.len() >= whole {
                    let frame: Vec<u8> = self.held.drain(..whole).collect();
                    return Some((opcode, frame[2 + extended..].to_vec()));
                }
            }
            if !self.more() {
                return None;
            }
        }
    }

    /// The next event of that kind.
    fn until(&mut self, kind: &str) -> Value {
        loop {
            let (opcode, payload) = self.next().unwrap_or_else(|| panic!("`{kind}` never came"));
            let event: Value =
                serde_json::from_slice(&payload).unwrap_or_else(|_| panic!("{opcode}: {payload:?}"));
            if event["type"] == kind {
                return event;
            }
        }
    }

    fn exchange(&self) -> String {
        let line = self.head.lines().find_map(|line| line.strip_prefix("x-pilothouse-exchange: "));
        line.unwrap_or_else(|| panic!("{}", self.head)).to_owned()
    }

    fn say(&mut self, text: &str) {
        let content = json!([{ "type": "input_text", "text": text }]);
        let item = json!({ "type": "message", "role": "user", "content": content });
        self.send(&json!({ "type": "conversation.item.create", "item": item }));
        self.send(&json!({ "type": "response.create" }));
    }
}

#[test]
fn a_conversation_passes_both_ways_and_is_billed_by_its_responses() {
    let house = House::open();
    let mut client =
        Client::open(&house, "/v1/realtime?model=openai%2Fgpt-realtime", "openai-beta: realtime=v1\r\n");
    assert!(client.head.starts_with("HTTP/1.1 101 "), "{}", client.head);
    assert!(
        client.head.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{}",
        client.head
    );
    assert_eq!(client.until("session.created")["session"]["model"], "gpt-realtime");
    let mut usage = (0, 0);
    for _ in 0..2 {
        client.say("Hello. [[say:one two three]]");
        assert_eq!(client.until("response.output_text.done")["text"], "one two three");
        let told = client.until("response.done")["response"]["usage"].clone();
        usage.0 += told["input_tokens"].as_u64().unwrap();
        usage.1 += told["output_tokens"].as_u64().unwrap();
    }
    let exchange = client.exchange();
    // A close frame, as clients send it, comes back as one.
    client.socket.write_all(&[0x88, 0x82, 0, 0, 0, 0, 3, 0xe8]).unwrap();
    assert_eq!(client.next().map(|(opcode, _)| opcode), Some(8));
    assert_eq!(client.next(), None);
    let record = house.record_of(&exchange);
    assert_eq!((record.outcome, record.status, record.streamed), (Outcome::Complete, 101, true));
    let billed = record.bill.usage;
    assert_eq!((billed.input_total(), billed.output_total()), usage);
    assert_eq!((billed.input_audio, billed.output_audio), (20, 60));
    let text = i128::from(billed.input) * 4_000_000 + i128::from(billed.output) * 16_000_000;
    assert_eq!(record.bill.cost, Cost::Known(PicoUsd(text + 20 * 32_000_000 + 60 * 64_000_000)));
    assert!(record.timings.first_token_us.is_some() && record.answer_bytes > 0);
    let sent = house.fleet.last().to_string();
    assert!(
        sent.contains("/openai/v1/realtime?model=gpt-realtime") && sent.contains("realtime=v1"),
        "{sent}"
    );
    assert!(!sent.contains("deflate"), "frames must stay readable: {sent}");
}

#[test]
fn a_browsers_key_is_taken_from_its_subprotocols_and_goes_no_further() {
    let configuration = format!("{BOTH_VENDORS}\n[keys.page]\nsecret = \"env:PAGE\"\n");
    let house = House::with_secrets(&configuration, &[("PAGE", "key-of-page")]);
    let protocols =
        |key: &str| format!("sec-websocket-protocol: realtime, openai-insecure-api-key.{key}\r\n");
    let path = "/v1/realtime?model=gpt-realtime";
    let mut client = Client::open(&house, path, &protocols("key-of-page"));
    assert!(
        client.head.starts_with("HTTP/1.1 101 ")
            && client.head.contains("sec-websocket-protocol: realtime\r\n"),
        "{}",
        client.head
    );
    client.until("session.created");
    let sent = house.fleet.last().to_string();
    assert!(!sent.contains("insecure") && !sent.contains("key-of-page"), "{sent}");
    for headers in [protocols("wrong"), String::new()] {
        let refused = Client::open(&house, path, &headers);
        assert!(refused.head.starts_with("HTTP/1.1 401 "), "{}", refused.head);
    }
}

#[test]
fn what_is_wrong_before_the_switch_is_an_error_over_http() {
    let house = House::open();
    let status = |path: &str, headers: &str| Client::open(&house, path, headers).head[9..12].to_owned();
    assert_eq!(status("/v1/realtime?model=openai/gpt-none", ""), "404", "the vendor's own");
    assert_eq!(status("/v1/realtime?model=no-such-model", ""), "404");
    assert_eq!(status("/v1/realtime?model=claude-haiku-4-5&model=gpt-realtime", ""), "400");
    assert_eq!(status("/v1/realtime?model=gpt-realtime", "origin: https://evil.example\r\n"), "403");
    let got = house.get("/v1/realtime?model=gpt-realtime", &[]);
    assert_eq!(got.status, 400);
    assert!(got.json()["error"]["message"].as_str().unwrap().contains("WebSocket"));
}

#[test]
fn a_vendor_that_does_not_switch_is_refused() {
    let vendor = Scripted::start(vec![Act::Write(vec![crate::harness::scripted::json("200 OK", "", "{}")])]);
    let house = House::with(&format!(
        "[providers.away]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\n",
        vendor.address
    ));
    let client = Client::open(&house, "/v1/realtime?model=away/m", "");
    assert!(client.head.starts_with("HTTP/1.1 502 "), "{}", client.head);
    assert_eq!(house.record_of(&client.exchange()).outcome, Outcome::Failed(Kind::BadAnswer));
}

#[test]
fn a_vendor_that_hangs_up_ends_the_conversation() {
    let house = House::open();
    let mut client = Client::open(&house, "/v1/realtime?model=gpt-realtime", "");
    client.until("session.created");
    client.send(
        &json!({ "type": "conversation.item.create", "item": { "content": [{ "text": "[[hang up]]" }] } }),
    );
    while client.next().is_some() {}
    let record = house.record_of(&client.exchange());
    assert_eq!(record.outcome, Outcome::Complete);
    assert_eq!(record.bill.cost, Cost::Unknown, "no response told what it cost");
}

#[test]
fn a_stop_closes_conversations_as_going_away() {
    let mut house = House::open();
    let mut client = Client::open(&house, "/v1/realtime?model=gpt-realtime", "");
    client.until("session.created");
    let exchange = client.exchange();
    house.stop();
    let (opcode, payload) = client.next().unwrap();
    assert_eq!((opcode, payload), (8, vec![3, 0xe9]));
    let record = house.record_of(&exchange);
    assert_eq!(record.outcome, Outcome::Failed(Kind::Overloaded));
}

#[test]
fn a_client_that_vanishes_leaves_no_conversation_behind() {
    let house = House::open();
    let mut client = Client::open(&house, "/v1/realtime?model=gpt-realtime", "");
    client.until("session.created");
    let exchange = client.exchange();
    drop(client);
    assert_eq!(house.record_of(&exchange).status, 101);
    eventually("no exchange is in flight", || {
        let in_flight = house.server().shared().metrics.in_flight.load(std::sync::atomic::Ordering::Relaxed);
        (in_flight == 0).then_some(())
    });
}

/// What a refused handshake says, without the connection being kept for more.
fn refused(house: &House, path: &str, headers: &str) -> (String, String) {
    let mut client = Client::open(house, path, headers);
    let length = client.head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let length: usize = length.parse().unwrap();
    while client.held.len() < length {
        assert!(client.more(), "the body ended early");
    }
    (client.head, String::from_utf8(client.held).unwrap())
}

#[test]
fn a_conversation_takes_a_place_within_each_limit_for_as_long_as_it_lasts() {
    let vendors =
        BOTH_VENDORS.replace("[providers.openai]", "[providers.openai]\nconcurrency = 2\nqueue = 0");
    let routes = "[routes.voice]\ntargets = [\"openai/gpt-realtime\"]\nconcurrency = 1\nqueue = 0\n";
    let house = House::with(&format!("{vendors}{routes}"));
    let places = |scope: &str, name: &str| {
        let page = house.get("/metrics", &[]).text();
        let line = format!("pilothouse_limit_places_taken{{scope=\"{scope}\",name=\"{name}\"}} ");
        page.lines().find_map(|one| one.strip_prefix(&line)).unwrap().to_owned()
    };
    let mut on_route = Client::open(&house, "/v1/realtime?model=voice", "");
    on_route.until("session.created");
    assert_eq!((places("route", "voice"), places("provider", "openai")), ("1".into(), "1".into()));
    let (head, body) = refused(&house, "/v1/realtime?model=voice", "");
    assert!(head.starts_with("HTTP/1.1 429 ") && head.contains("\r\nretry-after: "), "{head}");
    let error: Value = serde_json::from_str(&body).unwrap();
    let said = error["error"]["message"].as_str().unwrap();
    assert!(said.contains("the route `voice` takes 1 calls at once, and 0 wait already"), "{said}");
    let mut by_name = Client::open(&house, "/v1/realtime?model=gpt-realtime", "");
    by_name.until("session.created");
    // The provider is full now, for conversations and for every other call.
    let (head, body) = refused(&house, "/v1/realtime?model=gpt-realtime", "");
    assert!(head.starts_with("HTTP/1.1 429 ") && body.contains("the provider `openai`"), "{head}{body}");
    let chat = json!({ "model": "openai/gpt-4o-mini", "messages": [{ "role": "user", "content": "Hi." }] });
    assert_eq!(house.post("/v1/chat/completions", &[], chat.to_string().as_bytes()).status, 429);
    assert_eq!(house.fleet.log().len(), 2, "nothing was sent for those who were turned away");
    on_route.say("Hello. [[say:still here]]");
    assert_eq!(on_route.until("response.output_text.done")["text"], "still here");
    drop((on_route, by_name));
    eventually("places are given back", || {
        (places("route", "voice") == "0" && places("provider", "openai") == "0").then_some(())
    });
    assert_eq!(house.post("/v1/chat/completions", &[], chat.to_string().as_bytes()).status, 200);
}

#[test]
fn a_conversation_counts_in_the_calls_at_once_of_its_key() {
    let configuration =
        format!("{BOTH_VENDORS}\n[keys.voice]\nsecret = \"env:VOICE\"\nlimits = {{ concurrency = 1 }}\n");
    let house = House::with_secrets(&configuration, &[("VOICE", "key-of-voice")]);
    let (path, key) = ("/v1/realtime?model=gpt-realtime", "authorization: Bearer key-of-voice\r\n");
    let mut first = Client::open(&house, path, key);
    first.until("session.created");
    let (head, body) = refused(&house, path, key);
    assert!(head.starts_with("HTTP/1.1 429 ") && head.contains("\r\nretry-after: "), "{head}");
    assert!(body.contains("key voice is limited to 1"), "{body}");
    drop(first);
    eventually("the place is given back", || {
        Client::open(&house, path, key).head.starts_with("HTTP/1.1 101 ").then_some(())
    });
}

#[test]
fn a_handshake_waits_a_moment_for_a_place_where_there_is_a_queue() {
    let house =
        House::with(&BOTH_VENDORS.replace("[providers.openai]", "[providers.openai]\nconcurrency = 1"));
    let mut first = Client::open(&house, "/v1/realtime?model=gpt-realtime", "");
    first.until("session.created");
    std::thread::scope(|scope| {
        let second = scope.spawn(|| Client::open(&house, "/v1/realtime?model=gpt-realtime", "").head);
        eventually("the second one waits", || {
            let waiting = "pilothouse_limit_waiting{scope=\"provider\",name=\"openai\"} 1";
            house.get("/metrics", &[]).text().contains(waiting).then_some(())
        });
        drop(first);
        assert!(second.join().unwrap().starts_with("HTTP/1.1 101 "));
    });
}
