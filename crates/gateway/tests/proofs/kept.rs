//! Bodies that are kept, and conversations that go on from them: to any vendor, for the same key, over a restart, and never in
//! plain text on the disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pilothouse_core::clock::{Clock, SystemClock, UnixMs};
use pilothouse_store::BodyReader;
use serde_json::{Value, json};

use crate::harness::http::{End, Got, call};
use crate::harness::talk::{FIVE_VENDORS, Talk, Tongue, told};
use crate::harness::{House, eventually};

const A: (&str, &str) = ("authorization", "Bearer key-of-a");
const B: (&str, &str) = ("authorization", "Bearer key-of-b");
const SECRETS: [(&str, &str); 2] = [("A", "key-of-a"), ("B", "key-of-b")];
const PHRASE: &str = "the heron of Kiel";

/// All vendors, two keys, and the store as `section` says.
fn configuration(section: &str) -> String {
    format!(
        "{FIVE_VENDORS}\n[keys.a]\nsecret = \"env:A\"\n[keys.b]\nsecret = \"env:B\"\n[store]\n{section}\n"
    )
}

fn house(section: &str) -> House {
    House::with_secrets(&configuration(section), &SECRETS)
}

/// A conversation that its client does not hold: each turn names the response before it.
struct Thread {
    /// What a client that held it would send.
    whole: Talk,
    previous: Value,
}

impl Thread {
    fn new() -> Self {
        Self { whole: Talk::new(Tongue::Responses), previous: Value::Null }
    }

    /// The request of a turn that says `items`.
    fn body(&self, model: &str, items: &[Value], is_stream: bool) -> Value {
        let mut body = self.whole.body(model, is_stream);
        body["input"] = items.into();
        body["store"] = true.into();
        body["previous_response_id"] = self.previous.clone();
        body
    }

    /// Says `items`, and checks that the vendor got the whole conversation.
    fn say(&mut self, house: &House, vendor: Tongue, items: Vec<Value>, is_stream: bool) -> (Got, Value) {
        let body = self.body(vendor.model(), &items, is_stream);
        let got = post(house, A, &body);
        assert_eq!((got.status, got.end), (200, End::Whole), "{}\nfor {body}", got.text());
        self.whole.history.extend(items);
        let entry = house.fleet.last();
        let arrived: Value = serde_json::from_str(entry["body"].as_str().unwrap()).unwrap();
        assert_eq!(Tongue::of_path(entry["path"].as_str().unwrap()), vendor);
        if arrived.get("previous_response_id").is_none_or(Value::is_null) {
            let sent = self.whole.body(vendor.model(), is_stream);
            assert_eq!(told(vendor, &arrived), told(Tongue::Responses, &sent), "{arrived}");
        }
        let response = response(&got, is_stream);
        self.previous = response["id"].clone();
        self.whole.history.extend(response["output"].as_array().unwrap().iter().cloned());
        (got, response)
    }
}

fn post(house: &House, key: (&str, &str), body: &Value) -> Got {
    house.post("/v1/responses", &[key], body.to_string().as_bytes())
}

/// The response of an answer, whole or streamed.
fn response(got: &Got, is_stream: bool) -> Value {
    if !is_stream {
        return got.json();
    }
    let text = got.text();
    let last =
        text.lines().rev().find_map(|line| line.strip_prefix("data: {\"type\":\"response.completed\""));
    let event = last.unwrap_or_else(|| panic!("no end in {text}"));
    let event: Value = serde_json::from_str(&format!("{{\"type\":\"response.completed\"{event}")).unwrap();
    event["response"].clone()
}

fn person(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

/// What the tools that a response calls give back.
fn results(response: &Value) -> Vec<Value> {
    let calls = response["output"].as_array().unwrap().iter().filter(|item| item["type"] == "function_call");
    calls
        .map(|call| json!({"type": "function_call_output", "call_id": call["call_id"], "output": "It is fine."}))
        .collect()
}

fn edits(house: &House, got: &Got) -> Vec<String> {
    let receipt = house.record(got).receipt.unwrap_or_default();
    receipt.edits.iter().map(|note| note.code.clone().into_owned()).collect()
}

/// Everything in a folder and below it.
fn files(folder: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

#[test]
fn a_conversation_goes_on_by_its_last_response_from_vendor_to_vendor() {
    let mut house = house("bodies = \"all\"");
    for is_stream in [false, true] {
        let mut thread = Thread::new();
        let ask = person(&format!("What about {PHRASE} and the weather? [[tools:2]] [[think:9]]"));
        let (_, first) = thread.say(&house, Tongue::Responses, vec![ask], is_stream);
        let given = results(&first);
        assert_eq!(given.len(), 2, "{first}");
        let (got, second) = thread.say(&house, Tongue::Anthropic, given, is_stream);
        assert!(edits(&house, &got).contains(&"set:input".to_owned()));
        assert_eq!(second["store"], true, "{second}");
        let ask = person("And the time? [[tools:1]] [[think:5]]");
        let (got, third) = thread.say(&house, Tongue::Gemini, vec![ask], is_stream);
        assert!(got.header("x-pilothouse-changed").unwrap().contains("set:input"));
        // What is kept outlives the process.
        house.restart(&configuration("bodies = \"all\""), &SECRETS, Arc::new(SystemClock));
        let (_, fourth) = thread.say(&house, Tongue::Anthropic, results(&third), is_stream);
        assert_eq!(fourth["status"], "completed");
        // And home again.
        thread.say(&house, Tongue::Responses, vec![person("Thank you. [[notools]]")], is_stream);
        thread.say(&house, Tongue::Chat, vec![person("Farewell. [[notools]]")], is_stream);
    }
}

#[test]
fn a_vendor_that_holds_the_response_is_asked_as_before_also_after_a_restart() {
    let mut house = house("bodies = \"all\"");
    let mut thread = Thread::new();
    thread.say(&house, Tongue::Responses, vec![person("My name is Ada. [[notools]]")], false);
    for _ in 0..2 {
        let (got, _) = thread.say(&house, Tongue::Responses, vec![person("Go on. [[notools]]")], false);
        assert!(!edits(&house, &got).contains(&"set:input".to_owned()));
        house.restart(&configuration("bodies = \"all\""), &SECRETS, Arc::new(SystemClock));
    }
    let id = thread.previous.as_str().unwrap().to_owned();
    assert_eq!(house.get(&format!("/v1/responses/{id}"), &[A]).json()["id"], id.as_str());
}

#[test]
fn the_next_target_of_a_route_gets_the_conversation_that_the_first_one_holds() {
    let routes =
        "[routes.safe]\ntargets = [\"openai/fault-500\", \"anthropic/claude-sonnet-4-5\"]\nretries = 0\n";
    let house = House::with_secrets(&format!("{}\n{routes}", configuration("bodies = \"all\"")), &SECRETS);
    let mut thread = Thread::new();
    thread.say(&house, Tongue::Responses, vec![person("My name is Ada. [[notools]]")], false);
    let before = house.fleet.log().len();
    let body = thread.body("safe", &[person("Who am I? [[notools]]")], false);
    let got = post(&house, A, &body);
    assert_eq!(got.status, 200, "{}", got.text());
    let log = house.fleet.log();
    let asked: Vec<Value> = log[before..]
        .iter()
        .map(|entry| serde_json::from_str(entry["body"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[0]["previous_response_id"], thread.previous, "its own vendor is asked as before");
    thread.whole.ask("Who am I? [[notools]]");
    let sent = thread.whole.body("claude-sonnet-4-5", false);
    assert_eq!(told(Tongue::Anthropic, &asked[1]), told(Tongue::Responses, &sent), "{}", asked[1]);
    assert!(edits(&house, &got).contains(&"set:input".to_owned()));
}

#[test]
fn another_key_cannot_go_on_read_or_delete_what_is_kept() {
    let house = house("bodies = \"all\"");
    let mut thread = Thread::new();
    thread.say(&house, Tongue::Anthropic, vec![person("My name is Ada. [[notools]]")], false);
    let body = thread.body(Tongue::Gemini.model(), &[person("Who am I?")], false);
    let path = format!("/v1/responses/{}", thread.previous.as_str().unwrap());
    let before = house.fleet.log().len();
    let stranger = post(&house, B, &body);
    assert_eq!((stranger.status, &stranger.json()["error"]["param"]), (404, &json!("previous_response_id")));
    let mut unknown = body.clone();
    unknown["previous_response_id"] = "resp_nobody".into();
    let known = stranger.text().replace(thread.previous.as_str().unwrap(), "resp_nobody");
    let words = |text: &str| text.split("exchange").next().unwrap().to_owned();
    assert_eq!(words(&post(&house, A, &unknown).text()), words(&known), "a stranger learns nothing");
    assert_eq!(house.get(&path, &[B]).status, 404);
    assert_eq!(call(house.address, "DELETE", &path, &[B], b"").status, 404);
    assert_eq!(house.fleet.log().len(), before);
    assert_eq!(post(&house, A, &body).status, 200);
}

#[test]
fn a_translated_response_is_read_listed_and_deleted() {
    let house = house("bodies = \"all\"");
    for is_stream in [false, true] {
        let mut thread = Thread::new();
        let (_, said) = thread.say(&house, Tongue::Anthropic, vec![person("Ahoy. [[notools]]")], is_stream);
        let path = format!("/v1/responses/{}", said["id"].as_str().unwrap());
        assert_eq!(house.get(&path, &[A]).json(), said);
        let listed = house.get(&format!("{path}/input_items"), &[A]).json();
        assert_eq!(listed["data"][0]["content"], "Ahoy. [[notools]]", "{listed}");
        assert_eq!(house.post(&format!("{path}/cancel"), &[A], b"").status, 400);
        let gone = call(house.address, "DELETE", &path, &[A], b"").json();
        assert_eq!(gone, json!({"id": said["id"], "object": "response", "deleted": true}));
        assert_eq!(house.get(&path, &[A]).status, 404);
        let body = thread.body(Tongue::Gemini.model(), &[person("Go on.")], is_stream);
        assert_eq!(post(&house, A, &body).status, 404);
    }
}

#[test]
fn nothing_is_kept_where_the_switch_is_off_or_the_client_refuses_it() {
    let off = house("");
    let mut thread = Thread::new();
    thread.say(&off, Tongue::Anthropic, vec![person("My name is Ada. [[notools]]")], false);
    let got = post(&off, A, &thread.body(Tongue::Gemini.model(), &[person("Who am I?")], false));
    assert_eq!((got.status, &got.json()["error"]["param"]), (400, &json!("previous_response_id")));
    assert!(got.text().contains("send the whole conversation in `input`"), "{}", got.text());
    assert!(BodyReader::open(&off.data()).unwrap().is_none(), "no file is made");

    let on = house("bodies = \"all\"");
    let mut body = Thread::new().body(Tongue::Anthropic.model(), &[person("Forget it. [[notools]]")], false);
    body["store"] = false.into();
    let got = post(&on, A, &body);
    assert_eq!((got.status, &got.json()["store"]), (200, &json!(false)), "{}", got.text());
    let id = house_id(&got);
    // What comes after it is on the disk, and it is not.
    let second = post(&on, A, &Thread::new().body(Tongue::Anthropic.model(), &[person("Keep it.")], false));
    eventually("the later exchange is kept", || {
        BodyReader::open(&on.data()).unwrap()?.lengths(house_id(&second)).unwrap()
    });
    assert_eq!(BodyReader::open(&on.data()).unwrap().unwrap().lengths(id).unwrap(), None);
}

fn house_id(got: &Got) -> pilothouse_core::id::ExchangeId {
    got.header("x-pilothouse-exchange").unwrap().parse().unwrap()
}

#[test]
fn bodies_are_kept_byte_for_byte_and_never_in_plain_text() {
    let mut house = house("bodies = \"all\"");
    let mut sent = Vec::new();
    for is_stream in [false, true] {
        for client in Tongue::ALL {
            let mut talk = Talk::new(client);
            talk.ask(&format!("Say it. [[notools]] [[say:{PHRASE}]]"));
            let mut body = talk.body(Tongue::Anthropic.model(), is_stream);
            if let Some(store) = body.get_mut("store") {
                *store = true.into();
            }
            body["user"] = "ada-the-end-user".into();
            if !matches!(client, Tongue::Chat | Tongue::Responses) {
                body.as_object_mut().unwrap().remove("user");
            }
            let path = client.path_of(Tongue::Anthropic.model(), is_stream);
            let got = house.post(&path, &[A], body.to_string().as_bytes());
            assert_eq!((got.status, got.end), (200, End::Whole), "{client:?}: {}", got.text());
            sent.push((house_id(&got), body.to_string(), got.body.clone()));
        }
    }
    house.stop();
    let reader = BodyReader::open(&house.data()).unwrap().unwrap();
    for (id, request, answer) in sent {
        let kept = reader.exchange(id, None).unwrap().unwrap();
        assert_eq!((&kept.request[..], &kept.answer[..]), (request.as_bytes(), &answer[..]));
        assert!(kept.is_whole && &*kept.key == "a");
    }
    let mut found = Vec::new();
    files(&house.data(), &mut found);
    assert!(found.iter().any(|(path, _)| path.ends_with("bodies.sqlite")));
    for (path, bytes) in found {
        for secret in [PHRASE, "heron", "key-of-a", "sk-upstream"] {
            assert!(!bytes.windows(secret.len()).any(|seen| seen == secret.as_bytes()), "{secret} in {path}");
        }
    }
}

#[test]
fn of_errors_only_the_bodies_of_failed_exchanges_are_kept() {
    let house = house("bodies = \"errors\"");
    let fine = house.post("/v1/messages", &[A], anthropic("claude-sonnet-4-5").to_string().as_bytes());
    assert_eq!(fine.status, 200);
    let refused = house.post("/v1/messages", &[A], b"{\"model\":\"nobody/has-this\",\"messages\":[]}");
    let mut cut = anthropic("fault-cut-50");
    cut["stream"] = true.into();
    let cut = house.post("/v1/messages", &[A], cut.to_string().as_bytes());
    assert_eq!((cut.status, cut.end), (200, End::Broken), "{}", cut.text());
    for got in [&refused, &cut] {
        let lengths = eventually("a failed exchange is kept", || {
            BodyReader::open(&house.data()).unwrap()?.lengths(house_id(got)).unwrap()
        });
        assert_eq!(lengths.1, got.body.len() as u64);
    }
    assert_eq!(BodyReader::open(&house.data()).unwrap().unwrap().lengths(house_id(&fine)).unwrap(), None);
}

fn anthropic(model: &str) -> Value {
    json!({"model": format!("anthropic/{model}"), "max_tokens": 200,
        "messages": [{"role": "user", "content": "Hello. [[words:30]]"}]})
}

#[derive(Debug)]
struct Hands(AtomicU64);

impl Clock for Hands {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Relaxed))
    }
}

#[test]
fn kept_bodies_expire_and_their_conversations_end() {
    let now = SystemClock.now().0;
    let mut house =
        House::at(&configuration("bodies = \"all\"\nbodies_days = 7"), &SECRETS, Arc::new(Hands(now.into())));
    let mut thread = Thread::new();
    thread.say(&house, Tongue::Anthropic, vec![person("My name is Ada. [[notools]]")], false);
    let later = now + 8 * 24 * 3_600_000;
    house.restart(
        &configuration("bodies = \"all\"\nbodies_days = 7"),
        &SECRETS,
        Arc::new(Hands(later.into())),
    );
    let body = thread.body(Tongue::Gemini.model(), &[person("Who am I?")], false);
    eventually("the old response is gone", || (post(&house, A, &body).status == 404).then_some(()));
}

#[test]
fn a_wrong_section_is_refused_with_the_place_of_every_value() {
    let error = |section: &str| {
        let house = house("bodies = \"off\"");
        house.reload(&configuration(section)).unwrap_err().to_string()
    };
    for (section, words) in [
        ("bodies = \"some\"", ["bodies = \"some\"", "errors"]),
        ("bodies = \"all\"\nbodies_key = \"env:NOWHERE\"", ["bodies_key", "NOWHERE"]),
        ("bodies = \"all\"\nbodies_key = \"file:short\"", ["bodies_key", "short"]),
        ("bodies_days = 0", ["bodies_days = 0", "bodies = \"off\""]),
    ] {
        let told = error(section);
        for word in words {
            assert!(told.contains(word), "{told}");
        }
    }
}

#[test]
fn bodies_can_be_switched_on_and_off_while_the_gateway_runs() {
    let house = house("");
    let ask = || house.post("/v1/messages", &[], anthropic("claude-sonnet-4-5").to_string().as_bytes());
    let is_kept = |got: &Got| BodyReader::open(&house.data()).unwrap()?.lengths(house_id(got)).unwrap();
    house.reload(&format!("{FIVE_VENDORS}\n[store]\nbodies = \"all\"")).unwrap();
    let kept = ask();
    eventually("an exchange is kept", || is_kept(&kept));
    house.reload(FIVE_VENDORS).unwrap();
    let not_kept = ask();
    house.reload(&format!("{FIVE_VENDORS}\n[store]\nbodies = \"all\"")).unwrap();
    let last = ask();
    eventually("a later exchange is kept", || is_kept(&last));
    assert_eq!(is_kept(&not_kept), None);
}

/// A turn of a tool loop of a client that cannot carry thinking.
fn loop_turn(more: &[Value]) -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let mut messages =
        vec![json!({"role": "user", "content": "Weather in Kiel? [[tool:weather]] [[think:12]]"})];
    messages.extend(more.iter().cloned());
    let tool = json!({"type": "function", "function": {"name": "weather", "parameters": schema}});
    json!({"model": Tongue::Anthropic.model(), "messages": messages, "tools": [tool], "reasoning_effort": "high",
        "max_completion_tokens": 8000})
}

#[test]
fn thinking_that_a_client_cannot_carry_outlives_a_restart_where_bodies_are_kept() {
    let post = |house: &House, key, body: &Value| {
        let got = house.post("/v1/chat/completions", &[key], body.to_string().as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
        got
    };
    for (section, is_kept) in [("bodies = \"all\"", true), ("bodies = \"errors\"", false)] {
        let mut house = house(section);
        let first = post(&house, A, &loop_turn(&[])).json();
        let message = &first["choices"][0]["message"];
        let result =
            json!({"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "Rain."});
        house.restart(&configuration(section), &SECRETS, Arc::new(SystemClock));
        let again = loop_turn(&[message.clone(), result]);
        // Another key learns nothing of it.
        let stranger = post(&house, B, &again);
        assert!(!edits(&house, &stranger).contains(&"restore:thinking".to_owned()));
        let second = post(&house, A, &again);
        assert_eq!(edits(&house, &second).contains(&"restore:thinking".to_owned()), is_kept, "{section}");
    }
}

#[test]
fn an_exchange_too_large_to_be_kept_passes_whole_and_is_counted() {
    let house = house("bodies = \"all\"");
    let mut body = anthropic("claude-sonnet-4-5");
    body["system"] = "x".repeat(49 << 20).into();
    let got = house.post("/v1/messages", &[A], body.to_string().as_bytes());
    house.record(&got);
    assert_eq!(house.server().shared().bodies.get().unwrap().dropped_total(), 1, "{}", got.status);
}

#[test]
fn where_bodies_find_no_room_they_are_lost_and_the_totals_are_not() {
    let house = house("bodies = \"all\"");
    let recorder = house.server().shared().bodies.get().unwrap().clone();
    // All the room there is, held by somebody else.
    let mut step = 1 << 30;
    while step > 0 {
        while recorder.reserve(step) {}
        step /= 2;
    }
    for _ in 0..3 {
        let got = house.post("/v1/messages", &[A], anthropic("claude-sonnet-4-5").to_string().as_bytes());
        assert_eq!(got.status, 200);
        house.record(&got);
    }
    assert_eq!(recorder.dropped_total(), 3);
    let told = house.get("/metrics", &[A]).text();
    assert!(told.contains("pilothouse_bodies_lost_total 3"), "{told}");
    let gaps = eventually("the gap is written", || {
        BodyReader::open(&house.data()).unwrap()?.gaps().unwrap().first().copied()
    });
    assert!((1..=3).contains(&gaps.exchanges));
}
