//! A second target while the first one keeps silent: who answers, who is cancelled, who is billed, and out of which purse.

use std::sync::Mutex;

use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::money::PicoUsd;
use pilothouse_store::BodyReader;
use serde_json::{Value, json};

use crate::harness::http::{Got, Stream};
use crate::harness::reading::{self, Client};
use crate::harness::{BOTH_VENDORS, House, eventually};

/// Silent for 300 ms; the fleet's own price is 1 and 2 dollars a million tokens.
const SLOW: &str = "openai/fault-slow-first-byte-300";
/// Silent for ten minutes, at the same price.
const SILENT: &str = "fault-slow-first-byte-600000";
const SAID: &str = "Only one of two models has said this.";

/// What models cost that the fleet's overlay does not list.
fn more_prices() -> String {
    let row = |platform: &str| {
        format!(
            "[[model]]\nplatform = \"{platform}\"\nid = \"{SILENT}\"\nas_of = \"2026-11-23\"\nsource = \"tests\"\n\
             context_tokens = 1000000\noutput_tokens_max = 128000\nprices = [{{ class = \"input\", usd_per_million = \"1\" }}, \
             {{ class = \"output\", usd_per_million = \"2\" }}]\n"
        )
    };
    row("openai") + &row("anthropic")
}

/// A gateway with these routes, whose purses are filled by calls to each.
fn house(routes: &str, filled: &[&str]) -> House {
    house_of(BOTH_VENDORS, routes, filled)
}

fn house_of(vendors: &str, routes: &str, filled: &[&str]) -> House {
    let house = House::with(BOTH_VENDORS);
    std::fs::write(house.folder.path().join("more.toml"), more_prices()).unwrap();
    let vendors = vendors.replace("[catalog]", "[catalog]\nrefreshed = \"more.toml\"");
    house.reload(&format!("{vendors}{routes}")).unwrap();
    for route in filled {
        let got = house.chat(
            &json!({"model": route, "messages": [{"role": "user", "content": "Much. [[words:9000]]"}]}),
        );
        assert_eq!(got.status, 200, "{}", got.text());
        house.record(&got);
    }
    house
}

/// A route whose hedge begins at once, with as much money as its other calls cost.
fn route(name: &str, targets: &[&str]) -> String {
    format!("[routes.{name}]\ntargets = {targets:?}\nhedge = {{ after = \"20ms\", share = 1.0 }}\n")
}

/// A route of which one may be called to fill the purse of the other: the same section, reloaded.
fn ask(house: &House, client: Client, model: &str, is_stream: bool) -> Got {
    let mut body = client.ask(model, &format!("{} [[say:{SAID}]]", client.name()), is_stream);
    match client {
        Client::Openai => body["max_completion_tokens"] = 60.into(),
        Client::Anthropic => body["max_tokens"] = 60.into(),
        Client::Responses => body["max_output_tokens"] = 60.into(),
        Client::Gemini => body["generationConfig"] = json!({"maxOutputTokens": 60}),
    }
    house.post(&client.path_to(model, is_stream), &[], body.to_string().as_bytes())
}

fn read(client: Client, got: &Got, is_stream: bool) -> reading::Read {
    if is_stream && got.status == 200 {
        reading::stream(client, &got.body)
    } else {
        reading::whole(client, got)
    }
}

fn total(house: &House, vendor: &str, model: &str) -> Value {
    house.fleet.totals()[vendor][model].clone()
}

fn gone(house: &House, vendor: &str, model: &str) -> u64 {
    total(house, vendor, model)["client_gone"].as_u64().unwrap_or(0)
}

fn codes(record: &Exchange) -> Vec<String> {
    record.receipt.iter().flat_map(|receipt| &receipt.notes).map(|note| note.code.to_string()).collect()
}

#[test]
fn the_second_target_answers_while_the_first_one_keeps_silent() {
    let house = house(&route("fast", &[SLOW, "anthropic/claude-haiku-4-5"]), &["fast"]);
    let mut hedged = 0;
    for client in Client::FOUR {
        for is_stream in [false, true] {
            let got = ask(&house, client, "fast", is_stream);
            let label = format!("{} {is_stream}", client.name());
            assert_eq!(got.status, 200, "{label}: {}", got.text());
            assert_eq!(read(client, &got, is_stream).text, SAID, "{label}: one answer, whole");
            let record = house.record(&got);
            assert_eq!(
                (&*record.target.as_ref().unwrap().vendor, record.outcome),
                ("anthropic", Outcome::Complete)
            );
            let receipt = record.receipt.as_ref().unwrap();
            let [attempt] = receipt.attempts.as_slice() else { panic!("{label}: {:?}", receipt.attempts) };
            let outrun = attempt.outrun.expect("it was cancelled and did not fail");
            assert_eq!(&*attempt.target.vendor, "openai", "{label}");
            assert_eq!(outrun.estimated_cost, record.bill.estimated_cost, "{label}");
            assert!(
                outrun.estimated_cost.known().is_some_and(|cost| cost > PicoUsd::ZERO),
                "{label}: {outrun:?}"
            );
            assert!(record.bill.cost.known().is_some_and(|cost| cost > PicoUsd::ZERO), "{label}");
            assert!(receipt.choice.is_some() && codes(&record).contains(&"hedge".to_owned()), "{label}");
            hedged += 1;
        }
    }
    eventually("the silent calls are cancelled", || {
        (gone(&house, "openai", "fault-slow-first-byte-300") == hedged).then_some(())
    });
    assert_eq!(total(&house, "anthropic", "claude-haiku-4-5")["completed"], hedged);
    let page = house.get("/metrics", &[]).text();
    assert!(
        page.contains(&format!("pilothouse_hedges_total{{route=\"fast\",outcome=\"won\"}} {hedged}\n")),
        "{page}"
    );
    assert!(page.contains("\npilothouse_inflight 0\n"), "{page}");
}

#[test]
fn the_first_target_wins_where_it_speaks_first_and_the_hedge_is_cancelled() {
    let house = house(&route("slow", &[SLOW, &format!("anthropic/{SILENT}")]), &["slow"]);
    for (nth, is_stream) in [false, true].into_iter().enumerate() {
        let got = ask(&house, Client::Openai, "slow", is_stream);
        assert_eq!(read(Client::Openai, &got, is_stream).text, SAID);
        let record = house.record(&got);
        assert_eq!(&*record.target.as_ref().unwrap().vendor, "openai");
        let receipt = record.receipt.as_ref().unwrap();
        assert_eq!(&*receipt.attempts[0].target.model, SILENT);
        assert!(receipt.attempts[0].outrun.is_some() && record.bill.cost.known().is_some());
        eventually("the hedge is cancelled", || {
            (gone(&house, "anthropic", SILENT) == nth as u64 + 1).then_some(())
        });
    }
}

/// The bodies of an exchange as they are kept.
fn kept(house: &House, got: &Got) -> pilothouse_store::Kept {
    let id = got.header("x-pilothouse-exchange").unwrap().parse().unwrap();
    eventually("the bodies are kept", || {
        BodyReader::open(&house.data()).unwrap()?.exchange(id, None).unwrap()
    })
}

#[test]
fn the_answer_that_was_passed_on_is_the_one_that_is_kept() {
    let keeps = "[store]\nbodies = \"all\"\n";
    for (targets, vendor) in [
        ([SLOW.to_owned(), "anthropic/claude-haiku-4-5".to_owned()], "anthropic"),
        ([SLOW.to_owned(), format!("anthropic/{SILENT}")], "openai"),
    ] {
        let targets = targets.each_ref().map(String::as_str);
        let house = house(&format!("{}{keeps}", route("kept", &targets)), &["kept"]);
        for client in Client::FOUR {
            for is_stream in [false, true] {
                let got = ask(&house, client, "kept", is_stream);
                let label = format!("{} {is_stream} {vendor}", client.name());
                assert_eq!(read(client, &got, is_stream).text, SAID, "{label}: {}", got.text());
                let record = house.record(&got);
                assert_eq!(&*record.target.as_ref().unwrap().vendor, vendor, "{label}");
                assert!(codes(&record).contains(&"hedge".to_owned()), "{label}");
                let kept = kept(&house, &got);
                assert!(kept.is_whole && kept.answer[..] == got.body[..], "{label}");
            }
        }
    }
}

#[test]
fn a_conversation_goes_on_from_whichever_answer_was_passed_on() {
    let vendors = format!(
        "{BOTH_VENDORS}[providers.second]\nvendor = \"openai\"\nbase_url = \"http://FLEET/openai/v1\"\n\
         api_key = \"sk-upstream-openai\"\n[store]\nbodies = \"all\"\n"
    );
    let routes =
        route("other", &[SLOW, "anthropic/claude-haiku-4-5"]) + &route("same", &[SLOW, "second/gpt-4.1"]);
    let house = house_of(&vendors, &routes, &["other", "same"]);
    let respond = |model: &str, previous: &Value| {
        let body = json!({"model": model, "input": "Hello. [[say:It was the heron.]]", "max_output_tokens": 60,
            "previous_response_id": previous, "store": true});
        let got = house.post("/v1/responses", &[], body.to_string().as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
        got
    };
    let edits = |got: &Got| {
        let receipt = house.record(got).receipt.unwrap_or_default();
        receipt.edits.iter().map(|note| note.code.to_string()).collect::<Vec<_>>()
    };
    let first = respond("other", &Value::Null);
    assert_eq!(&*house.record(&first).target.unwrap().vendor, "anthropic");
    let next = respond("anthropic/claude-haiku-4-5", &first.json()["id"]);
    assert!(edits(&next).contains(&"set:input".to_owned()), "{:?}", edits(&next));
    assert!(house.fleet.last()["body"].as_str().unwrap().contains("It was the heron."));

    let first = respond("same", &Value::Null);
    assert_eq!(&*house.record(&first).target.unwrap().vendor, "second");
    assert_eq!(kept(&house, &first).holder.as_deref(), Some("second"), "it holds its response itself");
    let next = respond("second/gpt-4.1", &first.json()["id"]);
    assert!(!edits(&next).contains(&"set:input".to_owned()), "{:?}", edits(&next));
    let elsewhere = respond("openai/gpt-4.1", &first.json()["id"]);
    assert!(edits(&elsewhere).contains(&"set:input".to_owned()), "{:?}", edits(&elsewhere));
}

#[test]
fn a_target_that_is_asked_after_a_lost_race_is_the_holder_of_its_response() {
    let vendors = format!(
        "{BOTH_VENDORS}[providers.third]\nvendor = \"openai\"\nbase_url = \"http://FLEET/openai/v1\"\n\
         api_key = \"sk-upstream-openai\"\n[store]\nbodies = \"all\"\n"
    );
    let targets = ["openai/fault-500", "anthropic/fault-500", "third/gpt-4.1"];
    let house = house_of(&vendors, &route("last", &targets), &[]);
    for is_stream in [false, true] {
        let got = ask(&house, Client::Responses, "last", is_stream);
        assert_eq!(read(Client::Responses, &got, is_stream).text, SAID, "{}", got.text());
        assert_eq!(kept(&house, &got).holder.as_deref(), Some("third"));
    }
}

#[test]
fn a_route_without_money_does_not_hedge_and_says_so() {
    let house = house(&route("poor", &[SLOW, "anthropic/claude-haiku-4-5"]), &[]);
    let got = ask(&house, Client::Openai, "poor", true);
    let record = house.record(&got);
    assert_eq!(&*record.target.as_ref().unwrap().vendor, "openai");
    assert_eq!(codes(&record), ["no-hedge"]);
    assert_eq!(house.fleet.log().len(), 1);
    let page = house.get("/metrics", &[]).text();
    assert!(page.contains("pilothouse_hedges_total{route=\"poor\",outcome=\"denied\"} 1\n"), "{page}");
}

#[test]
fn two_models_never_act_on_one_tools_result() {
    let house = house(&route("acts", &[SLOW, "anthropic/claude-haiku-4-5"]), &["acts"]);
    let call =
        json!({"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}});
    let parameters = json!({"type": "object", "properties": {}});
    let body = json!({
        "model": "acts",
        "max_completion_tokens": 60,
        "messages": [
            {"role": "user", "content": "How is the weather?"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "Rain."},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": parameters}}],
    });
    let record = house.record(&house.chat(&body));
    assert_eq!(&*record.target.as_ref().unwrap().vendor, "openai");
    assert_eq!(codes(&record), Vec::<String>::new());
    assert_eq!(total(&house, "anthropic", "claude-haiku-4-5"), Value::Null);
}

#[test]
fn a_client_that_goes_away_cancels_both_calls() {
    let targets = [&format!("openai/{SILENT}"), &format!("anthropic/{SILENT}")];
    let routes = route("both", &targets.map(String::as_str));
    let filling = route("both", &[SLOW]);
    let house = house(&filling, &["both"]);
    let vendors = BOTH_VENDORS.replace("[catalog]", "[catalog]\nrefreshed = \"more.toml\"");
    house.reload(&format!("{vendors}{routes}")).unwrap();
    let body = json!({"model": "both", "stream": true, "max_completion_tokens": 60,
        "messages": [{"role": "user", "content": "Hello."}]})
    .to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut socket = std::net::TcpStream::connect(house.address).unwrap();
    std::io::Write::write_all(&mut socket, [head.as_bytes(), body.as_bytes()].concat().as_slice()).unwrap();
    let open = || house.fleet.log().iter().filter(|entry| entry["outcome"] == "open").count();
    eventually("both vendors have a call", || (open() == 2).then_some(()));
    drop(socket);
    for vendor in ["openai", "anthropic"] {
        eventually("it is cancelled there", || (gone(&house, vendor, SILENT) == 1).then_some(()));
    }
    let records = eventually("it is recorded once", || {
        let reader = pilothouse_store::Reader::open(&house.data()).unwrap();
        let records = reader.exchanges(&pilothouse_store::Filter::default()).unwrap();
        (records.len() == 2).then_some(records)
    });
    let cancelled: Vec<_> = records.iter().map(|record| &record.exchange).collect();
    let cancelled: Vec<_> =
        cancelled.into_iter().filter(|record| record.outcome == Outcome::Cancelled).collect();
    let [cancelled] = cancelled.as_slice() else { panic!("{records:?}") };
    assert_eq!(&*cancelled.target.as_ref().unwrap().vendor, "openai");
    assert!(cancelled.receipt.as_ref().unwrap().attempts[0].outrun.is_some());
}

#[test]
fn a_call_that_fails_leaves_the_answer_to_the_other_one() {
    let cases = [
        // The hedge fails: the first one answers.
        (vec![SLOW, "anthropic/fault-500"], "openai", 200),
        // A hedge that is refused for a reason of its own is no answer either.
        (vec![SLOW, "anthropic/fault-404"], "openai", 200),
        // Both fail: whoever is left is asked.
        (vec!["openai/fault-500", "anthropic/fault-500", "openai/gpt-4.1"], "openai", 200),
    ];
    for (targets, vendor, status) in cases {
        let house = house(&route("fails", &targets), &[]);
        // A purse of its own is filled by calls that are not late.
        let got = ask(&house, Client::Openai, "fails", true);
        let label = format!("{targets:?}");
        assert_eq!(got.status, status, "{label}: {}", got.text());
        let record = house.record(&got);
        assert_eq!(&*record.target.as_ref().unwrap().vendor, vendor, "{label}");
        if targets.len() == 2 {
            let fill =
                json!({"model": "fails", "messages": [{"role": "user", "content": "Much. [[words:9000]]"}]});
            house.record(&house.chat(&fill));
            let got = ask(&house, Client::Openai, "fails", true);
            let record = house.record(&got);
            assert_eq!(read(Client::Openai, &got, true).text, SAID, "{label}");
            let attempts = &record.receipt.as_ref().unwrap().attempts;
            assert_eq!(attempts.len(), 1, "{label}: {attempts:?}");
            assert!(attempts[0].outrun.is_none() && attempts[0].status.is_some(), "{label}: {attempts:?}");
            assert!(record.bill.estimated_cost.known().is_none(), "{label}: a refusal is not billed");
        }
    }
}

#[test]
fn a_target_whose_limit_is_full_is_no_hedge() {
    let vendors = BOTH_VENDORS.replace("[providers.anthropic]", "[providers.anthropic]\nconcurrency = 1");
    let house = house_of(&vendors, &route("full", &[SLOW, "anthropic/claude-haiku-4-5"]), &["full"]);
    let body =
        Client::Openai.ask("anthropic/fault-stall-60000-50", "Tell me much. [[words:90]]", true).to_string();
    let mut held = Stream::open(house.address, "POST", Client::Openai.path(), &[], body.as_bytes());
    held.until("data:");
    let got = ask(&house, Client::Openai, "full", false);
    let record = house.record(&got);
    assert_eq!(&*record.target.as_ref().unwrap().vendor, "openai");
    assert_eq!(codes(&record), ["no-hedge"]);
}

/// What a model's calls have cost by the fleet's own books, those included that were cancelled: pico-dollars.
fn spent(house: &House, vendor: &str, model: &str, input_usd: i128, output_usd: i128) -> i128 {
    let total = total(house, vendor, model);
    let tokens = |class: &str, name: &str| i128::from(total[class][name].as_u64().unwrap_or(0));
    let of = |class: &str| {
        // A dollar a million tokens is a million pico-dollars a token.
        let input = tokens(class, "input") + tokens(class, "cache_read") + tokens(class, "cache_write_5m");
        let output = tokens(class, "output") + tokens(class, "reasoning");
        (input * input_usd + output * output_usd) * 1_000_000
    };
    of("tokens") + of("unfinished_tokens")
}

#[test]
fn hedges_stay_within_their_purse_when_the_slow_calls_are_the_dear_ones() {
    let routes = format!(
        "[routes.slow]\ntargets = [\"{SLOW}\", \"anthropic/claude-opus-4-7\"]\nhedge = {{ after = \"20ms\" }}\n"
    );
    let house = house(&routes, &["slow", "slow", "slow", "slow"]);
    let done = Mutex::new((0, 0));
    std::thread::scope(|scope| {
        for thread in 0..12_usize {
            let (house, done) = (&house, &done);
            scope.spawn(move || {
                for nth in 0..10_usize {
                    // Every call is slow, and some are a hundred times as dear as others.
                    let words = [3, 30, 300, 900][(thread + nth) % 4];
                    let body = json!({
                        "model": "slow",
                        "stream": nth % 2 == 0,
                        "max_completion_tokens": words * 2 + 20,
                        "messages": [{"role": "user", "content": format!("{thread} {nth} [[words:{words}]]")}],
                    });
                    let got = house.chat(&body);
                    assert_eq!(got.status, 200, "{}", got.text());
                    let record = house.record(&got);
                    let is_hedged = codes(&record).contains(&"hedge".to_owned());
                    let mut done = done.lock().unwrap();
                    done.0 += 1;
                    done.1 += usize::from(is_hedged);
                }
            });
        }
    });
    let (calls, hedged) = *done.lock().unwrap();
    assert!(hedged > 0 && hedged < calls, "{hedged} of {calls} were hedged");
    let first = spent(&house, "openai", "fault-slow-first-byte-300", 1, 2);
    let second = spent(&house, "anthropic", "claude-opus-4-7", 5, 25);
    assert!(second > 0 && second * 20 <= first, "{second} of {first} pico-dollars went to hedges");
}

#[test]
fn a_hard_budget_holds_with_hedges() {
    let routes = format!(
        "{}[keys.search]\nsecret = \"a-secret-of-the-search-app\"\nbudget = {{ usd = 0.01, every = \"total\" }}\n",
        route("paid", &[SLOW, "anthropic/claude-haiku-4-5"])
    );
    let house = house(&routes, &[]);
    let ask = |words: u64| {
        let body = json!({"model": "paid", "max_completion_tokens": 3000,
            "messages": [{"role": "user", "content": format!("Hello. [[words:{words}]]")}]});
        let headers = [("authorization", "Bearer a-secret-of-the-search-app")];
        house.post("/v1/chat/completions", &headers, body.to_string().as_bytes())
    };
    let mut statuses = vec![ask(1000).status];
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..12).map(|_| scope.spawn(|| ask(20).status)).collect();
        statuses.extend(calls.into_iter().map(|call| call.join().unwrap()));
    });
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    let all = spent(&house, "openai", "fault-slow-first-byte-300", 1, 2)
        + spent(&house, "anthropic", "claude-haiku-4-5", 1, 5);
    assert!(all > 0 && all <= 10_000_000_000, "{all} pico-dollars of 10,000,000,000");
}

#[test]
fn what_hedging_is_told_must_make_sense() {
    let refused = |hedge: &str| {
        let house = House::with(BOTH_VENDORS);
        let routes = format!("[routes.a]\ntargets = [\"openai/gpt-4.1\"]\nhedge = {hedge}\n");
        house.reload(&format!("{BOTH_VENDORS}{routes}")).unwrap_err().to_string()
    };
    let told = refused("{ after = \"soon\" }");
    assert!(
        told.contains("`soon` is no time to hedge after; write \"p95\", \"800ms\" or \"1.5s\""),
        "{told}"
    );
    let told = refused("{ share = 2.0 }");
    assert!(told.contains("`share` is a number above 0, at most 1"), "{told}");
    let told = refused("\"yes\"");
    assert!(told.contains("true, false or { after = \"p95\", share = 0.05 }"), "{told}");
}
