//! Limits on calls at once: who waits, who is turned away and how, who goes elsewhere.

use pilothouse_core::exchange::Note;
use serde_json::json;

use crate::harness::http::{Got, Stream};
use crate::harness::reading::{self, Client};
use crate::harness::{BOTH_VENDORS, House, eventually};

/// Speaks at once and then keeps silent for a minute: whoever asks it holds its place.
const HOLDS: &str = "fault-stall-60000-50";

/// The vendors, with more about OpenAI's section.
fn vendors(openai: &str) -> String {
    BOTH_VENDORS.replace("[providers.openai]", &format!("[providers.openai]\n{openai}"))
}

/// Opens a stream that holds its place.
fn hold(house: &House, model: &str, headers: &[(&str, &str)]) -> Stream {
    let body = Client::Openai.ask(model, "Tell me much. [[words:90]]", true).to_string();
    let mut stream = Stream::open(house.address, "POST", Client::Openai.path(), headers, body.as_bytes());
    assert_eq!(stream.status, 200);
    stream.until("data:");
    stream
}

fn ask(house: &House, client: Client, model: &str, headers: &[(&str, &str)]) -> Got {
    let body = client.ask(model, "Hello.", false).to_string();
    house.post(client.path(), headers, body.as_bytes())
}

/// A number of `/metrics`.
fn metric(house: &House, line: &str) -> f64 {
    let page = house.get("/metrics", &[]).text();
    let found = page.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {line} in {page}")).parse().unwrap()
}

fn notes(house: &House, got: &Got) -> Vec<Note> {
    house.record(got).receipt.map(|receipt| receipt.notes).unwrap_or_default()
}

const WAITING: &str = "pilothouse_limit_waiting{scope=\"provider\",name=\"openai\"}";
const TAKEN: &str = "pilothouse_limit_places_taken{scope=\"provider\",name=\"openai\"}";
const SHED: &str = "pilothouse_limit_shed_total{scope=\"provider\",name=\"openai\"}";

#[test]
fn calls_beyond_a_limit_are_turned_away_in_the_dialect_of_each_client() {
    let house = House::with(&vendors("concurrency = 2\nqueue = 0"));
    let held =
        [hold(&house, "openai/fault-stall-60000-50", &[]), hold(&house, "openai/fault-stall-60000-50", &[])];
    assert_eq!(metric(&house, TAKEN), 2.0);
    for client in Client::ALL {
        let got = ask(&house, client, "openai/gpt-4.1", &[]);
        assert_eq!(got.status, 429, "{}", got.text());
        let words = "the provider `openai` takes 2 calls at once, and 0 wait already; try again in";
        let read = reading::whole(client, &got);
        assert!(read.error.is_some_and(|(_, said)| said.contains(words)), "{}", got.text());
        assert!(got.header("retry-after").is_some(), "{:?}", got.headers);
    }
    assert_eq!(metric(&house, SHED), 2.0);
    assert_eq!(ask(&house, Client::Openai, "anthropic/claude-opus-4-7", &[]).status, 200, "others have none");
    assert_eq!(house.fleet.log().len(), 3, "nothing was sent for those who were turned away");
    drop(held);
    eventually("places are given back when clients go away", || (metric(&house, TAKEN) == 0.0).then_some(()));
    assert_eq!(ask(&house, Client::Openai, "openai/gpt-4.1", &[]).status, 200);
}

#[test]
fn a_call_that_waits_goes_on_when_a_place_becomes_free() {
    let house = House::with(&vendors("concurrency = 1\nqueue = 4"));
    let held = hold(&house, &format!("openai/{HOLDS}"), &[]);
    std::thread::scope(|scope| {
        let calls: Vec<_> =
            (0..3).map(|_| scope.spawn(|| ask(&house, Client::Openai, "openai/gpt-4.1", &[]))).collect();
        eventually("three calls wait", || (metric(&house, WAITING) == 3.0).then_some(()));
        assert_eq!(house.fleet.log().len(), 1, "they have not been sent");
        drop(held);
        for call in calls {
            let got = call.join().unwrap();
            assert_eq!(got.status, 200, "{}", got.text());
            assert!(notes(&house, &got).iter().any(|note| note.code == "queue"), "{:?}", notes(&house, &got));
        }
    });
    assert_eq!((metric(&house, WAITING), metric(&house, TAKEN), metric(&house, SHED)), (0.0, 0.0, 0.0));
}

#[test]
fn a_client_that_goes_away_leaves_the_queue() {
    let house = House::with(&vendors("concurrency = 1\nqueue = 4"));
    let held = hold(&house, &format!("openai/{HOLDS}"), &[]);
    let body = Client::Openai.ask("openai/gpt-4.1", "Hello.", true).to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut socket = std::net::TcpStream::connect(house.address).unwrap();
    std::io::Write::write_all(&mut socket, [head.as_bytes(), body.as_bytes()].concat().as_slice()).unwrap();
    eventually("it waits", || (metric(&house, WAITING) == 1.0).then_some(()));
    drop(socket);
    eventually("it has left", || (metric(&house, WAITING) == 0.0).then_some(()));
    drop(held);
    eventually("nobody has its place", || (metric(&house, TAKEN) == 0.0).then_some(()));
    assert_eq!(house.fleet.log().len(), 1);
}

#[test]
fn a_key_that_fills_the_queue_pays_for_it_and_no_other() {
    let keys = "[keys.greedy]\nsecret = \"env:GREEDY\"\n[keys.modest]\nsecret = \"env:MODEST\"\n";
    let configuration = format!("{}{keys}", vendors("concurrency = 1\nqueue = 3"));
    let secrets = [("GREEDY", "sk-of-the-greedy-one"), ("MODEST", "sk-of-the-modest-one")];
    let house = House::with_secrets(&configuration, &secrets);
    let greedy = [("authorization", "Bearer sk-of-the-greedy-one")];
    let modest = [("authorization", "Bearer sk-of-the-modest-one")];
    let held = hold(&house, &format!("openai/{HOLDS}"), &greedy);
    std::thread::scope(|scope| {
        let calls: Vec<_> =
            (0..3).map(|_| scope.spawn(|| ask(&house, Client::Openai, "openai/gpt-4.1", &greedy))).collect();
        eventually("the queue is full", || (metric(&house, WAITING) == 3.0).then_some(()));
        let fair = scope.spawn(|| ask(&house, Client::Openai, "openai/gpt-4.1", &modest));
        // The modest key's call takes the place of one of the greedy key's.
        eventually("one is turned away", || (metric(&house, SHED) == 1.0).then_some(()));
        assert_eq!(ask(&house, Client::Openai, "openai/gpt-4.1", &greedy).status, 429);
        drop(held);
        assert_eq!(fair.join().unwrap().status, 200);
        let mut statuses: Vec<u16> = calls.into_iter().map(|call| call.join().unwrap().status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 429]);
    });
}

#[test]
fn the_deadline_bounds_how_long_a_call_waits() {
    let routes = "[routes.short]\ntargets = [\"openai/gpt-4.1\"]\n[routes.short.defaults]\ndeadline = 0.2\n";
    let house = House::with(&format!("{}{routes}", vendors("concurrency = 1")));
    let _held = hold(&house, &format!("openai/{HOLDS}"), &[]);
    let got = ask(&house, Client::Openai, "short", &[]);
    assert_eq!(got.status, 429, "{}", got.text());
    assert!(got.text().contains("no place became free in time"), "{}", got.text());
    assert_eq!(house.fleet.log().len(), 1);
}

#[test]
fn a_full_target_is_passed_over_for_one_that_has_room() {
    let routes = format!(
        "[routes.spills]\ntargets = [{{ target = \"openai/gpt-4.1\", concurrency = 1 }}, \"anthropic/claude-opus-4-7\"]\n\
         [routes.holds]\ntargets = [{{ target = \"openai/{HOLDS}\", concurrency = 1 }}]\nconcurrency = 5\n"
    );
    let house = House::with(&format!("{}{routes}", vendors("concurrency = 1")));
    let taken = |got: &Got| house.record(got).target.map(|target| target.vendor.to_string());
    let got = ask(&house, Client::Openai, "spills", &[]);
    assert_eq!(taken(&got).as_deref(), Some("openai"));
    let _held = hold(&house, "holds", &[]);
    let got = ask(&house, Client::Openai, "spills", &[]);
    assert_eq!((got.status, taken(&got).as_deref()), (200, Some("anthropic")), "{}", got.text());
    let notes = notes(&house, &got);
    assert!(
        notes.iter().any(|note| note.code == "pass-over" && note.detail.contains("takes 1 calls")),
        "{notes:?}"
    );
    assert_eq!(metric(&house, SHED), 0.0, "going elsewhere is no shedding");
}

#[test]
fn a_failover_goes_only_to_a_target_whose_limit_has_room() {
    let routes = "[routes.three]\ntargets = [\"anthropic/fault-503\", \"openai/gpt-4.1\", \"anthropic/claude-opus-4-7\"]\n";
    let house = House::with(&format!("{}{routes}", vendors("concurrency = 1\nqueue = 0")));
    let _held = hold(&house, &format!("openai/{HOLDS}"), &[]);
    let got = ask(&house, Client::Openai, "three", &[]);
    assert_eq!(got.status, 200, "{}", got.text());
    let log = house.fleet.log();
    // The stream that holds its place has not ended, and its model is not told yet.
    let models: Vec<&str> = log.iter().filter_map(|entry| entry["model"].as_str()).collect();
    assert_eq!((models, log.len()), (vec!["fault-503", "claude-opus-4-7"], 3));
}

#[test]
fn failovers_behind_the_first_one_draw_on_a_budget() {
    let configuration =
        BOTH_VENDORS.replace("[providers.anthropic]", "[providers.anthropic]\nbreaker = false");
    let routes =
        "[routes.three]\ntargets = [\"anthropic/fault-503\", \"anthropic/fault-500\", \"openai/gpt-4.1\"]\n";
    let clock = std::sync::Arc::new(pilothouse_core::clock::ManualClock::new(
        pilothouse_core::clock::UnixMs(1_000_000),
    ));
    let house = House::at(&format!("{configuration}{routes}"), &[], clock);
    let statuses: Vec<u16> = (0..5).map(|_| ask(&house, Client::Openai, "three", &[]).status).collect();
    assert_eq!(statuses, [200, 200, 200, 503, 503], "three a second, and no second passes");
    let asked = house.fleet.log();
    assert_eq!(
        asked.iter().filter(|entry| entry["model"] == "fault-500").count(),
        5,
        "the first one is free"
    );
}

#[test]
fn a_route_has_a_limit_of_its_own() {
    let routes = format!(
        "[routes.holds]\ntargets = [\"openai/{HOLDS}\", \"anthropic/claude-opus-4-7\"]\nconcurrency = 1\nqueue = 0\n"
    );
    let house = House::with(&format!("{BOTH_VENDORS}{routes}"));
    let held = hold(&house, "holds", &[]);
    let got = ask(&house, Client::Anthropic, "holds", &[]);
    assert_eq!(got.status, 429, "{}", got.text());
    assert!(got.text().contains("raise `concurrency` or `queue` of [routes.holds]"), "{}", got.text());
    assert_eq!(ask(&house, Client::Openai, "openai/gpt-4.1", &[]).status, 200);
    drop(held);
    let line = "pilothouse_limit_places_taken{scope=\"route\",name=\"holds\"}";
    eventually("the place is given back", || (metric(&house, line) == 0.0).then_some(()));
}

#[test]
fn a_reload_changes_a_limit_and_keeps_what_it_holds() {
    let of = |concurrency: u32| vendors(&format!("concurrency = {concurrency}\nqueue = 0"));
    let house = House::with(&of(1));
    let _held = hold(&house, &format!("openai/{HOLDS}"), &[]);
    let status = || ask(&house, Client::Openai, "openai/gpt-4.1", &[]).status;
    assert_eq!(status(), 429);
    house.reload(&format!("{}[routes.wrong]\ntargets = []\n", of(9))).unwrap_err();
    assert_eq!(status(), 429, "a configuration that is wrong changes nothing");
    house.reload(&of(2)).unwrap();
    assert_eq!((metric(&house, TAKEN), status()), (1.0, 200));
    house.reload(&of(1)).unwrap();
    assert_eq!(status(), 429, "the stream of the first configuration holds the one place");
}

#[test]
fn a_limit_that_makes_no_sense_is_told_with_its_place() {
    let refused = |more: &str| {
        let house = House::with(BOTH_VENDORS);
        house.reload(&format!("{BOTH_VENDORS}{more}")).unwrap_err().to_string()
    };
    let zero = refused("[routes.a]\ntargets = [\"openai/gpt-4.1\"]\nconcurrency = 0\n");
    assert!(zero.contains("`concurrency` is a number from 1 to 1000000"), "{zero}");
    let lonely = refused("[routes.a]\ntargets = [\"openai/gpt-4.1\"]\nqueue = 3\n");
    assert!(lonely.contains("give `concurrency` beside it"), "{lonely}");
    let twice = refused(
        "[routes.a]\ntargets = [{ target = \"openai/gpt-4.1\", concurrency = 2 }]\n\
         [routes.b]\ntargets = [{ target = \"gpt-4.1\", concurrency = 3 }]\n",
    );
    assert!(twice.contains("`openai/gpt-4.1` has another `concurrency`"), "{twice}");
}

#[test]
fn counting_tokens_and_calls_that_pass_take_a_place_too() {
    let house = House::with(&vendors("concurrency = 1\nqueue = 0"));
    let _held = hold(&house, &format!("openai/{HOLDS}"), &[]);
    let asks = json!({"model": "openai/omni-moderation-latest", "input": "Hello."}).to_string();
    let got = house.post("/v1/moderations", &[], asks.as_bytes());
    assert_eq!(got.status, 429, "{}", got.text());
}
