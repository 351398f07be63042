//! Answers that are given again: to whom, for how long, in which form, and that nobody is asked and nothing is paid.

use std::sync::Arc;

use pilothouse_core::clock::{ManualClock, UnixMs};
use pilothouse_core::exchange::Exchange;
use pilothouse_core::money::{Cost, PicoUsd};
use serde_json::{Value, json};

use crate::harness::four::FOUR_VENDORS;
use crate::harness::http::{End, Got, Stream};
use crate::harness::reading::Client;
use crate::harness::scripted::{self, Act, Scripted};
use crate::harness::{BOTH_VENDORS, House, eventually};

const CACHED: &str = "[defaults]\ncache = { exact = \"10m\" }\n";

fn house(more: &str) -> House {
    House::with(&format!("{BOTH_VENDORS}{more}"))
}

fn result(got: &Got) -> &str {
    got.header("x-pilothouse-cache").unwrap_or_default()
}

fn with(house: &House, headers: &[(&str, &str)], body: &Value) -> Got {
    house.post("/v1/chat/completions", headers, body.to_string().as_bytes())
}

fn question(text: &str) -> Value {
    Client::Openai.ask("openai/gpt-4o-mini", text, false)
}

fn metric(house: &House, line: &str) -> u64 {
    let page = house.get("/metrics", &[]).text();
    let found =
        page.lines().find_map(|one| one.strip_prefix(line)).unwrap_or_else(|| panic!("{line}: {page}"));
    found.trim().parse().unwrap()
}

fn notes(record: &Exchange) -> String {
    let receipt = record.receipt.as_deref().cloned().unwrap_or_default();
    receipt.notes.iter().map(|note| format!("{} {}\n", note.code, note.detail)).collect()
}

#[test]
fn the_same_request_gets_the_same_answer_and_costs_nothing_in_every_dialect() {
    let house = House::with(&format!("{FOUR_VENDORS}{CACHED}"));
    for (client, is_same) in Client::FOUR.into_iter().flat_map(|client| [(client, true), (client, false)]) {
        let (vendor, model) = match (client, is_same) {
            (Client::Openai, true) | (Client::Anthropic, false) => ("chat", "gpt-4o"),
            (Client::Anthropic, true) | (Client::Openai, false) => ("anthropic", "claude-sonnet-4-5"),
            (Client::Responses, true) | (Client::Gemini, false) => ("responses", "gpt-5.5"),
            (Client::Gemini, true) | (Client::Responses, false) => ("gemini", "gemini-2.5-flash"),
        };
        let name = format!("{vendor}/{model}");
        for is_stream in [false, true] {
            let before = house.fleet.log().len();
            let body = client.ask(&name, "What is a tide?", is_stream).to_string();
            let ask = || house.post(&client.path_to(&name, is_stream), &[], body.as_bytes());
            let (first, again) = (ask(), ask());
            let what = format!("{client:?} {name} stream {is_stream}");
            assert_eq!((first.status, result(&first)), (200, "miss"), "{what}: {}", first.text());
            assert_eq!((again.status, result(&again), again.end), (200, "hit", End::Whole), "{what}");
            assert_eq!(first.text(), again.text(), "{what}");
            assert_eq!(first.header("content-type"), again.header("content-type"), "{what}");
            assert_eq!(first.header("x-pilothouse-changed"), again.header("x-pilothouse-changed"), "{what}");
            assert!(again.header("age").is_some() && first.header("age").is_none(), "{what}");
            assert_eq!(house.fleet.log().len(), before + 1, "{what}");
            let (first, again) = (house.record(&first), house.record(&again));
            assert_ne!(first.id, again.id, "each has an exchange of its own");
            assert_eq!(
                (again.bill.cost, again.bill.usage.total()),
                (Cost::Known(PicoUsd::ZERO), 0),
                "{what}"
            );
            assert_eq!(again.bill.saved, Some(first.bill.cost), "{what}");
            assert!(first.bill.cost.known().is_some_and(|cost| cost.0 > 0), "{what}");
            assert_eq!((&first.target, &first.answer), (&again.target, &again.answer), "{what}");
            assert!(
                notes(&again).contains(&format!("cache:hit the answer of {}", first.id)),
                "{}",
                notes(&again)
            );
        }
    }
}

#[test]
fn members_in_another_order_and_labels_make_no_other_request() {
    let house = house(CACHED);
    let first = r#"{"model":"openai/gpt-4o-mini","messages":[{"role":"user","content":"Hi"}],"seed":1}"#;
    let again = "{ \"seed\": 1, \"user\": \"ann\", \"metadata\": {\"trace\": \"7\"},\n\"messages\": [{\"content\": \"\\u0048i\", \
                 \"role\": \"user\"}], \"stream\": false, \"model\": \"openai/gpt-4o-mini\" }";
    let other = r#"{"model":"openai/gpt-4o-mini","messages":[{"role":"user","content":"Hi"}],"seed":2}"#;
    let ask = |body: &str| house.post("/v1/chat/completions", &[], body.as_bytes());
    assert_eq!([result(&ask(first)), result(&ask(again)), result(&ask(other))], ["miss", "hit", "miss"]);
}

#[test]
fn streams_and_whole_answers_are_kept_apart() {
    let house = house(CACHED);
    let ask = |is_stream| house.chat(&Client::Openai.ask("openai/gpt-4o-mini", "Hi", is_stream));
    assert_eq!([result(&ask(false)), result(&ask(true))], ["miss", "miss"]);
    let (whole, stream) = (ask(false), ask(true));
    assert_eq!([result(&whole), result(&stream)], ["hit", "hit"]);
    assert!(whole.json()["choices"][0]["message"].is_object());
    assert!(stream.text().ends_with("data: [DONE]\n\n") && stream.text().starts_with("data: {"));
}

#[test]
fn without_a_cache_nothing_is_looked_up_and_no_header_says_so() {
    let house = house("");
    for _ in 0..2 {
        let got = with(&house, &[("cache-control", "only-if-cached")], &question("Hi"));
        assert_eq!((got.status, got.header("x-pilothouse-cache")), (200, None));
    }
    assert_eq!(house.fleet.log().len(), 2);
}

#[test]
fn a_route_keeps_answers_by_its_own_terms_and_can_keep_none() {
    let house = house(&format!(
        "{CACHED}[routes.kept]\ntargets = [\"openai/gpt-4o-mini\"]\n[routes.fresh]\ntargets = [\"openai/gpt-4o-mini\"]\n\
         [routes.fresh.defaults]\ncache = {{ exact = \"off\" }}\n"
    ));
    for (route, second) in [("kept", "hit"), ("fresh", "")] {
        let ask = || house.chat(&Client::Openai.ask(route, "Hi", false));
        ask();
        let again = ask();
        assert_eq!((again.status, result(&again)), (200, second), "{route}");
    }
    assert_eq!(house.record(&house.chat(&Client::Openai.ask("kept", "Hi", false))).asked.as_ref(), "kept");
}

#[test]
fn an_answer_is_never_shared_between_tenants() {
    let keys = "[teams.desk]\n[keys.ann]\nsecret = \"sk-ann-secret\"\nteam = \"desk\"\n[keys.bob]\nsecret = \"sk-bob-secret\"\n\
                team = \"desk\"\n[keys.eve]\nsecret = \"sk-eve-secret\"\n";
    let ask = |house: &House, key: &str| {
        let got = with(house, &[("authorization", &format!("Bearer sk-{key}-secret"))], &question("Hi"));
        assert_eq!(got.status, 200, "{}", got.text());
        result(&got).to_owned()
    };
    let apart = house(&format!("{keys}{CACHED}"));
    for key in ["ann", "bob", "eve"] {
        assert_eq!([ask(&apart, key), ask(&apart, key)], ["miss", "hit"], "{key}");
    }
    let team = house(&format!("{keys}[defaults]\ncache = {{ exact = \"10m\", share = \"team\" }}\n"));
    assert_eq!(
        ["ann", "bob", "eve", "eve", "bob"].map(|key| ask(&team, key)),
        ["miss", "hit", "miss", "hit", "hit"]
    );
}

#[test]
fn a_key_that_may_not_call_a_model_gets_none_of_its_kept_answers() {
    let house = house(
        "[teams.desk]\n[keys.ann]\nsecret = \"sk-ann-secret\"\nteam = \"desk\"\n[keys.bob]\nsecret = \"sk-bob-secret\"\n\
         team = \"desk\"\nallow = [\"openai/gpt-4o\"]\n[defaults]\ncache = { exact = \"10m\", share = \"team\" }\n",
    );
    let ask =
        |key: &str| with(&house, &[("authorization", &format!("Bearer sk-{key}-secret"))], &question("Hi"));
    assert_eq!(ask("ann").status, 200);
    assert_eq!(result(&ask("ann")), "hit");
    assert_eq!(ask("bob").status, 403);
}

#[test]
fn a_client_says_by_cache_control_what_it_wants() {
    let clock = Arc::new(ManualClock::new(UnixMs(1_800_000_000_000)));
    let house = House::at(&format!("{BOTH_VENDORS}{CACHED}"), &[], clock.clone());
    let ask = |control: &str| with(&house, &[("cache-control", control)], &question("Hi"));
    let none = ask("only-if-cached");
    assert_eq!((none.status, result(&none), none.header("x-should-retry")), (504, "miss", Some("false")));
    assert!(none.text().contains("only-if-cached"), "{}", none.text());
    assert!(house.fleet.log().is_empty());
    assert_eq!(result(&ask("no-store")), "bypass");
    assert_eq!(result(&ask("only-if-cached")), "miss", "what was not to be stored is not");
    assert_eq!(result(&ask("")), "miss");
    clock.advance(30_000);
    let hit = ask("max-age=30, only-if-cached");
    assert_eq!((result(&hit), hit.header("age")), ("hit", Some("30")));
    assert_eq!(result(&ask("min-fresh=571")), "miss", "570 seconds are left");
    clock.advance(1_000);
    assert_eq!(result(&ask("max-age=0")), "bypass");
    clock.advance(5_000);
    assert_eq!(ask("").header("age"), Some("5"), "a fresh answer takes the place of the kept one");
    assert_eq!(result(&ask("no-cache")), "bypass");
    assert_eq!(ask("").header("age"), Some("0"));
    clock.advance(600_000);
    assert_eq!(result(&ask("")), "miss", "its time is over");
}

#[test]
fn twenty_equal_calls_at_once_are_one_call_at_the_vendor() {
    let house = House::with_workers(&format!("{BOTH_VENDORS}{CACHED}"), 2);
    for is_stream in [false, true] {
        let before = house.fleet.log().len();
        let body = Client::Openai.ask("openai/fault-slow-first-byte-400", "Hi", is_stream).to_string();
        let got: Vec<Got> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..20)
                .map(|_| scope.spawn(|| house.post("/v1/chat/completions", &[], body.as_bytes())))
                .collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        assert_eq!(house.fleet.log().len(), before + 1, "stream {is_stream}");
        assert!(got.iter().all(|one| one.status == 200 && one.end == End::Whole && one.body == got[0].body));
        assert_eq!(got.iter().filter(|one| result(one) == "miss").count(), 1);
        assert_eq!(got.iter().filter(|one| result(one) == "hit").count(), 19);
    }
    assert_eq!(metric(&house, "pilothouse_cache_requests_total{result=\"hit\"}"), 38);
    assert!(metric(&house, "pilothouse_cache_followed_total") > 0);
}

#[test]
fn when_the_client_of_the_first_call_goes_away_the_next_one_asks() {
    let house = house(CACHED);
    let body = Client::Openai.ask("openai/fault-slow-first-byte-500", "Hi", false).to_string();
    let leader = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = std::net::TcpStream::connect(house.address).unwrap();
    std::io::Write::write_all(&mut socket, leader.as_bytes()).unwrap();
    eventually("the first call is at the vendor", || (house.fleet.log().len() == 1).then_some(()));
    let got: Vec<Got> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| house.post("/v1/chat/completions", &[], body.as_bytes())))
            .collect();
        eventually("the others wait", || {
            (metric(&house, "pilothouse_held_bytes") >= 4 * body.len() as u64).then_some(())
        });
        drop(socket);
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(got.iter().all(|one| one.status == 200), "{got:?}");
    assert_eq!(house.fleet.log().len(), 2, "one of those that waited, and none besides");
}

#[test]
fn when_the_first_call_fails_the_others_ask_for_themselves() {
    let slow_failure = Act::Write(vec![scripted::json("500 Broken", "", "{\"error\":{\"message\":\"no\"}}")]);
    let vendor = Scripted::start(vec![slow_failure]);
    let house = house(&format!(
        "{CACHED}[providers.box]\ndialect = \"openai-chat\"\nbase_url = \"http://{}/v1\"\nretries = 0\n",
        vendor.address
    ));
    let body = Client::Openai.ask("box/m", "Hi", false);
    let got: Vec<Got> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..5).map(|_| scope.spawn(|| house.chat(&body))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(got.iter().all(|one| one.status == 500));
    assert_eq!(result(&house.chat(&body)), "miss", "a failure is not kept");
}

#[test]
fn only_whole_answers_are_kept() {
    let house = house(CACHED);
    for (model, text) in [
        ("fault-cut-50", "Hi"),
        ("fault-cut-clean-50", "Hi"),
        ("fault-error-event-50", "Hi"),
        ("fault-500", "Hi"),
        ("fault-refusal", "Hi"),
        ("gpt-4o-mini", "[[filter]]"),
    ] {
        for is_stream in [false, true] {
            let ask = || house.chat(&Client::Openai.ask(&format!("openai/{model}"), text, is_stream));
            ask();
            assert_eq!(result(&ask()), "miss", "{model} {text} stream {is_stream}");
        }
    }
    let mut short = question("Tell me much. [[words:90]]");
    short["max_tokens"] = json!(5);
    house.chat(&short);
    assert_eq!(result(&house.chat(&short)), "miss", "cut by its limit");
    assert_eq!(metric(&house, "pilothouse_cache_answers"), 0);
}

#[test]
fn a_stream_that_its_client_left_is_not_kept() {
    let house = house(CACHED);
    let body = Client::Openai.ask("openai/fault-slow-stream-100", "Hi", true);
    let mut stream: Stream = house.begin("/v1/chat/completions", &body);
    stream.until("data:");
    drop(stream);
    let got = house.chat(&body);
    assert_eq!((result(&got), got.end), ("miss", End::Whole));
    assert_eq!(result(&house.chat(&body)), "hit");
}

#[test]
fn vectors_are_kept_like_answers() {
    let house = house(CACHED);
    let body = json!({"model": "openai/text-embedding-3-small", "input": ["a", "b"]}).to_string();
    let ask = || house.post("/v1/embeddings", &[], body.as_bytes());
    let (first, again) = (ask(), ask());
    assert_eq!([result(&first), result(&again)], ["miss", "hit"], "{}", first.text());
    assert_eq!(first.body, again.body);
}

#[test]
fn kept_answers_stay_within_their_room() {
    let house = house(&format!("[cache]\nbytes_max = 40000\n{CACHED}"));
    for nth in 0..60 {
        assert_eq!(house.chat(&question(&format!("Question {nth} [[words:40]]"))).status, 200);
    }
    assert!(metric(&house, "pilothouse_cache_bytes") <= 40_000);
    assert!(metric(&house, "pilothouse_cache_evicted_total") > 0);
    assert_eq!(result(&house.chat(&question("Question 0 [[words:40]]"))), "miss");
    assert_eq!(result(&house.chat(&question("Question 0 [[words:40]]"))), "hit");
    house.chat(&question("[[words:3000]]"));
    assert_eq!(result(&house.chat(&question("[[words:3000]]"))), "miss", "larger than an eighth of the room");
}

#[test]
fn another_configuration_of_routes_asks_anew_and_another_one_of_keys_does_not() {
    let house = house(CACHED);
    house.chat(&question("Hi"));
    house.reload(&format!("# A comment.\n{BOTH_VENDORS}{CACHED}[budgets]\n")).unwrap();
    assert_eq!(result(&house.chat(&question("Hi"))), "hit");
    let limited = CACHED.replace("[defaults]", "[defaults]\nmax_output_tokens = 50");
    house.reload(&format!("{BOTH_VENDORS}{limited}")).unwrap();
    assert_eq!(result(&house.chat(&question("Hi"))), "miss");
    house.reload(BOTH_VENDORS).unwrap();
    assert_eq!(metric(&house, "pilothouse_cache_bytes"), 0, "a plan without a cache has no room for it");
}

#[test]
fn a_hit_counts_as_a_request_of_its_key_and_takes_nothing_from_its_budget() {
    let house = house(&format!(
        "{CACHED}[keys.ann]\nsecret = \"sk-ann-secret\"\nlimits = {{ rpm = 3 }}\nbudget = {{ usd = 0.01, every = \"day\" }}\n"
    ));
    let ask = || with(&house, &[("authorization", "Bearer sk-ann-secret")], &question("Hi"));
    let got: Vec<Got> = (0..4).map(|_| ask()).collect();
    assert_eq!(got.iter().map(|one| one.status).collect::<Vec<_>>(), [200, 200, 200, 429]);
    assert_eq!([result(&got[0]), result(&got[1]), result(&got[2])], ["miss", "hit", "hit"]);
    assert_eq!(house.record(&got[2]).bill.cost, Cost::Known(PicoUsd::ZERO));
}

#[test]
fn what_a_budget_sent_to_another_route_is_not_kept_for_the_first_name() {
    let house = house(&format!(
        "{CACHED}[routes.cheap]\ntargets = [\"openai/gpt-4o-mini\"]\n[keys.ann]\nsecret = \"sk-ann-secret\"\n\
         budget = {{ usd = 0.001, every = \"day\", on_limit = \"downgrade cheap\" }}\n"
    ));
    let body = Client::Anthropic.ask("anthropic/claude-opus-4-7", "Hello.", false).to_string();
    for _ in 0..2 {
        let got = house.post("/v1/messages", &[("authorization", "Bearer sk-ann-secret")], body.as_bytes());
        assert_eq!((got.status, result(&got)), (200, "miss"), "{}", got.text());
        assert_eq!(&*house.record(&got).target.unwrap().model, "gpt-4o-mini");
    }
}

#[test]
fn a_cascade_is_kept_as_what_its_client_got() {
    let house = house(&format!(
        "{CACHED}[routes.cheap-first]\nstrategy = \"cascade\"\ntargets = [\"openai/gpt-4o-mini\", \"openai/gpt-4o\"]\n\
         [routes.cheap-first.cascade]\nchecks = [{{ check = \"non-empty\" }}]\nbuffer = true\n"
    ));
    for is_stream in [false, true] {
        let ask = || house.chat(&Client::Openai.ask("cheap-first", "Hi", is_stream));
        let (first, again) = (ask(), ask());
        assert_eq!([result(&first), result(&again)], ["miss", "hit"], "{}", first.text());
        assert_eq!((first.body, first.end), (again.body, again.end));
    }
}

#[test]
fn what_has_effects_besides_its_answer_is_never_answered_from_the_cache() {
    let house = House::with(&format!("{FOUR_VENDORS}{CACHED}"));
    for more in [json!({"background": true}), json!({"conversation": "conv_1"})] {
        let mut body = Client::Responses.ask("responses/gpt-5.5", "Hi", false);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        for _ in 0..2 {
            assert_eq!(
                result(&house.post("/v1/responses", &[], body.to_string().as_bytes())),
                "bypass",
                "{more}"
            );
        }
    }
}

#[test]
fn what_is_wrong_with_a_cache_is_said_with_its_place() {
    let on_route = |cache: &str| {
        format!(
            "[routes.a]\ntargets = [\"openai/gpt-4o-mini\"]\n[routes.a.defaults]\ncache = {{ {cache} }}\n"
        )
    };
    for (text, words) in [
        (
            "[defaults]\ncache = { exact = \"soon\" }\n".to_owned(),
            "exact is a time such as 30s, 10m, 1h or 7d",
        ),
        ("[defaults]\ncache = { exact = \"31d\" }\n".to_owned(), "up to 30 days"),
        ("[defaults]\ncache = { exact = \"1m\", share = \"all\" }\n".to_owned(), "`all` shares with nobody"),
        ("[defaults]\ncache = { exakt = \"1m\" }\n".to_owned(), "unknown field `exakt`"),
        ("[defaults]\ncache = { semantic = {} }\n".to_owned(), "answers by meaning are for single routes"),
        (on_route("semantic = { model = \"nobody/x\" }"), "does not exist"),
        (on_route("semantic = { similarity = 1.5 }"), "similarity is a number above 0 and up to 1"),
        (on_route("semantic = { false_hits_max = 0 }"), "false_hits_max is a number above 0 and up to 0.5"),
        (on_route("semantic = { ttl = \"x\" }"), "ttl is a time"),
    ] {
        let refusal = crate::routes::refusal_of(&text);
        assert!(refusal.contains(words), "{text}\n{refusal}");
        assert!(refusal.contains("pilothouse.toml:"), "the place is named: {refusal}");
    }
}

#[test]
fn the_examples_of_the_book_load_and_its_table_is_what_is_left_out() {
    let page = include_str!("../../../../docs/src/caches.md");
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let source = pilothouse_gateway::config::Source::parse(example.to_owned(), None)
            .unwrap_or_else(|error| panic!("{error}"));
        let environment =
            crate::harness::environment(std::path::Path::new("."), &[("OPENAI_API_KEY", "sk-a")]);
        let (listen, metrics) = (([127, 0, 0, 1], 4141).into(), Arc::default());
        let plan = pilothouse_gateway::plan::build(&source, &environment, listen, 1, &metrics);
        let plan = plan.unwrap_or_else(|error| panic!("{error}"));
        assert!(plan.cache.is_some() && plan.route("faq").is_some_and(|route| route.cache.is_some()));
        assert!(plan.route("live").is_none_or(|route| route.cache.is_none()));
    }
    for dialect in pilothouse_core::dialect::Dialect::ALL {
        let names: Vec<String> =
            pilothouse_cache::canonical::left_out(dialect).iter().map(|name| format!("`{name}`")).collect();
        let row = format!("| {dialect} | {}", names.join(", "));
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn a_stream_that_comes_as_an_array_is_given_again_as_one_though_bodies_are_kept() {
    let house = House::with(&format!("{FOUR_VENDORS}{CACHED}[store]\nbodies = \"all\"\n"));
    let body = Client::Gemini.ask("", "What is a tide?", true).to_string();
    let path = "/v1beta/models/gemini/gemini-2.5-flash:streamGenerateContent";
    let ask = || house.post(path, &[], body.as_bytes());
    let (first, again) = (ask(), ask());
    assert_eq!([result(&first), result(&again)], ["miss", "hit"], "{}", first.text());
    assert!(first.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    assert_eq!((first.header("content-type"), &first.body), (again.header("content-type"), &again.body));
    assert!(again.json().as_array().is_some_and(|events| !events.is_empty()));
}
