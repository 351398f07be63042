//! Stopping and reloading while streams run.

use pilothouse_core::error::Kind;
use pilothouse_core::exchange::Outcome;

use crate::harness::http::{End, Stream};
use crate::harness::reading::{self, Client};
use crate::harness::{BOTH_VENDORS, House, eventually};

fn slow(house: &House, client: Client, is_same: bool, gap_ms: u64) -> Stream {
    let model = format!("{}/fault-slow-stream-{gap_ms}", client.vendor(is_same));
    let mut stream = house.begin(client.path(), &client.ask(&model, "Slowly. [[words:20]]", true));
    stream.until("data:");
    stream
}

#[test]
fn from_the_stop_on_readiness_says_no_new_exchanges_are_refused_and_streams_finish() {
    let house = House::open();
    assert_eq!(house.get("/readyz", &[]).status, 200);
    let streams: Vec<(Client, Stream)> =
        Client::ALL.map(|client| (client, slow(&house, client, client == Client::Openai, 20))).into();
    house.server().begin_stop();
    for _ in 0..200 {
        let got = house.get("/readyz", &[]);
        assert_eq!((got.status, got.text().as_str()), (503, "draining\n"));
    }
    assert_eq!(house.get("/livez", &[]).status, 200, "it lives still");
    for client in Client::ALL {
        let model = format!("{}/fault-many-2", client.vendor(true));
        let got = house.post(client.path(), &[], client.ask(&model, "Hello.", false).to_string().as_bytes());
        assert!(got.status == 503 || got.status == 529, "{}", got.status);
        assert!(got.json()["error"]["message"].as_str().unwrap().contains("stopped"));
    }
    for (client, stream) in streams {
        let got = stream.rest();
        let read = reading::stream(client, &got.body);
        assert_eq!(
            (got.end, read.is_terminated, read.error.as_ref()),
            (End::Whole, true, None),
            "{client:?}"
        );
        assert_eq!(house.record(&got).outcome, Outcome::Complete);
    }
}

#[test]
fn when_the_time_to_drain_is_up_streams_end_with_an_error_event_and_a_break() {
    let mut house = House::with(&format!("[server]\ndrain_seconds = 0\n{BOTH_VENDORS}"));
    let mut streams = Vec::new();
    for client in Client::ALL {
        for is_same in [true, false] {
            streams.push((client, slow(&house, client, is_same, 5000)));
        }
    }
    let gateway = house.gateway.take().unwrap();
    let stopping = std::thread::spawn(move || gateway.stop(|| false));
    for (client, stream) in streams {
        let got = stream.rest();
        let read = reading::stream(client, &got.body);
        assert_eq!((got.end, read.is_terminated), (End::Broken, false), "{client:?}: {}", got.text());
        let (_, message) = read.error.expect("an error event in the dialect");
        assert!(message.contains("stopped"), "{message}");
        assert_eq!(house.record(&got).outcome, Outcome::Failed(Kind::Overloaded));
    }
    stopping.join().unwrap().unwrap();
}

#[test]
fn a_stop_leaves_nothing_behind_but_the_ledger() {
    let mut house = House::open();
    let got = house.chat(&Client::Openai.ask("openai/fault-many-2", "Hello.", false));
    let id = got.header("x-pilothouse-exchange").unwrap().to_owned();
    house.stop();
    assert!(std::net::TcpStream::connect(house.address).is_err(), "nobody listens");
    assert_eq!(house.record_of(&id).outcome, Outcome::Complete, "what was pending has been written");
}

#[test]
fn a_wrong_configuration_keeps_the_old_one_and_says_where_it_is_wrong() {
    let house = House::open();
    let version = house.server().plan().version;
    for (wrong, place) in [
        (format!("{BOTH_VENDORS}\n[server]\nworkerz = 3\n"), ":14:1: "),
        (
            format!("{BOTH_VENDORS}\n[providers.x]\ndialect = \"openai-chat\"\nbase_url = \"ftp://x\"\n"),
            ":15:12: ",
        ),
        (format!("{BOTH_VENDORS}\n[providers.y]\nvendor = \"nobody\"\n"), ":14:10: "),
        (format!("{BOTH_VENDORS}\n[keys.a]\nsecret = \"env:NOT_SET\"\n"), ":14:10: "),
        (BOTH_VENDORS.replace("]", ""), ":2:"),
    ] {
        let error = house.reload(&wrong).unwrap_err().to_string();
        assert!(error.contains(&format!("pilothouse.toml{place}")), "{place} is not in:\n{error}");
        assert!(error.contains('^'), "{error}");
        assert_eq!(house.server().plan().version, version);
        assert_eq!(house.chat(&Client::Openai.ask("openai/fault-many-2", "Hello.", false)).status, 200);
    }
}

#[test]
fn a_new_configuration_holds_for_new_requests_and_drops_no_stream() {
    let house = House::open();
    let streams = Client::ALL.map(|client| (client, slow(&house, client, true, 30)));
    assert_eq!(house.chat(&Client::Openai.ask("late", "Hello.", false)).status, 404);
    let new = "[providers.openai]\nbase_url = \"http://FLEET/openai/v1\"\napi_key = \"sk-new\"\nmodels = [\"fault-many-2\"]\n";
    let needs_restart = house.reload(new).unwrap();
    assert!(!needs_restart);
    assert_eq!(house.chat(&Client::Openai.ask("fault-many-2", "Hello.", false)).status, 200);
    // The other provider has gone, for new requests only.
    let got = house.chat(&Client::Openai.ask("anthropic/claude-sonnet-4-5", "Hello.", false));
    assert_eq!(got.status, 404, "{}", got.text());
    for (client, stream) in streams {
        let got = stream.rest();
        let read = reading::stream(client, &got.body);
        assert_eq!((got.end, read.is_terminated, read.error), (End::Whole, true, None), "{client:?}");
    }
    eventually("nothing goes on", || {
        house.get("/metrics", &[]).text().contains("\npilothouse_inflight 0\n").then_some(())
    });
}

#[test]
fn a_key_that_was_taken_out_is_refused_from_the_reload_on() {
    let with = |names: &[&str]| {
        let keys: String =
            names.iter().map(|name| format!("[keys.{name}]\nsecret = \"ph-{name}\"\n")).collect();
        format!("{BOTH_VENDORS}\n{keys}")
    };
    let house = House::with(&with(&["a", "b"]));
    let ask = |key: &str| house.get("/v1/models", &[("authorization", &format!("Bearer ph-{key}"))]).status;
    assert_eq!((ask("a"), ask("b")), (200, 200));
    house.reload(&with(&["b"])).unwrap();
    assert_eq!((ask("a"), ask("b")), (401, 200));
}
