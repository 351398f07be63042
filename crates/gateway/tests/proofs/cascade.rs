//! Cascades before a fleet that keeps its own books: what is passed on, what escalates, and that all of it is in the bill.

use std::time::Duration;

use pilothouse_core::exchange::{Exchange, Note, Outcome};
use pilothouse_core::money::PicoUsd;
use pilothouse_core::usage::Provenance;
use pilothouse_store::{By, Reader, UsageQuery};
use serde_json::{Value, json};

use crate::budgets::billed;
use crate::faults::MORE_VENDORS;
use crate::harness::http::{End, Got};
use crate::harness::reading::{self, Client, Read};
use crate::harness::{BOTH_VENDORS, House, eventually};
use crate::routes::refusal_of;

const CHEAP: &str = "gpt-4o-mini";
const SECOND: &str = "claude-haiku-4-5";
const STRONG: &str = "claude-opus-4-7";

/// A cascade from a cheap target of OpenAI's to a strong one of Anthropic's, judged by these lines.
fn route(judge: &str) -> String {
    format!(
        "[routes.thrifty]\nstrategy = \"cascade\"\ntargets = [\"openai/{CHEAP}\", \"anthropic/{STRONG}\"]\n\
         [routes.thrifty.cascade]\n{judge}\n"
    )
}

/// The same with a second cheap target, whose answer must agree.
fn agreeing(judge: &str) -> String {
    let targets = format!("\"anthropic/{SECOND}\", \"anthropic/{STRONG}\"");
    route(judge).replace(&format!("\"anthropic/{STRONG}\""), &targets)
}

fn house(routes: &str) -> House {
    House::with(&format!("{MORE_VENDORS}{BOTH_VENDORS}{routes}"))
}

fn ask(house: &House, client: Client, text: &str, is_stream: bool) -> (Got, Read) {
    let body = client.ask("thrifty", text, is_stream).to_string();
    let got = house.post(&client.path_to("thrifty", is_stream), &[], body.as_bytes());
    let read = match is_stream && got.status == 200 {
        true => reading::stream(client, &got.body),
        false => reading::whole(client, &got),
    };
    (got, read)
}

/// The models that the fleet was asked for, in order.
fn models(house: &House) -> Vec<String> {
    house.fleet.log().iter().map(|entry| entry["model"].as_str().unwrap().to_owned()).collect()
}

fn notes(exchange: &Exchange, code: &str) -> Vec<Note> {
    let notes = &exchange.receipt.as_ref().unwrap().notes;
    notes.iter().filter(|note| note.code == code).cloned().collect()
}

fn taken_by(exchange: &Exchange) -> &str {
    exchange.target.as_ref().map_or("nobody", |target| &target.model)
}

const YES: &str = "checks = [{ check = \"regex\", pattern = \"^yes\" }]\nbuffer = true";

#[test]
fn cheap_answer_that_passes_is_passed_on_to_every_client_streamed_or_not() {
    let house = house(&route(YES));
    for client in Client::FOUR {
        for is_stream in [false, true] {
            let before = models(&house).len();
            let (got, read) = ask(&house, client, "Is it? [[say:yes, it is]]", is_stream);
            let label = format!("{} {is_stream}: {}", client.name(), got.text());
            assert_eq!((got.status, got.end, read.text.as_str()), (200, End::Whole, "yes, it is"), "{label}");
            assert!(read.usage.is_some() || client == Client::Openai, "{label}");
            assert_eq!(&models(&house)[before..], [CHEAP], "{label}");
            let record = house.record(&got);
            assert_eq!((taken_by(&record), record.outcome), (CHEAP, Outcome::Complete), "{label}");
            assert_eq!(notes(&record, "cascade:pass").len(), 1, "{label}");
            assert!(record.receipt.unwrap().answers.is_empty(), "{label}");
        }
    }
}

#[test]
fn cheap_answer_that_will_not_do_escalates_and_both_are_in_the_bill() {
    let house = house(&route(YES));
    for client in Client::FOUR {
        for is_stream in [false, true] {
            let (before, spent) = (models(&house).len(), billed(&house));
            let (got, read) = ask(&house, client, "Is it? [[say:no, it is not]]", is_stream);
            let label = format!("{} {is_stream}: {}", client.name(), got.text());
            assert_eq!(
                (got.status, got.end, read.text.as_str()),
                (200, End::Whole, "no, it is not"),
                "{label}"
            );
            assert_eq!(&models(&house)[before..], [CHEAP, STRONG], "{label}");
            let record = house.record(&got);
            assert_eq!((taken_by(&record), record.outcome), (STRONG, Outcome::Complete), "{label}");
            assert_eq!(record.bill.provenance, Provenance::Reported, "{label}");
            assert_eq!(record.bill.cost.known().unwrap().0, billed(&house) - spent, "{label}");
            let escalated = notes(&record, "cascade:escalate");
            assert_eq!(
                &*escalated[0].detail, "the check `regex`: the answer does not match the pattern",
                "{label}"
            );
            let receipt = record.receipt.unwrap();
            assert_eq!(receipt.answers.len(), 1, "{label}");
            let cheap = &receipt.answers[0];
            assert_eq!(&*cheap.target.model, CHEAP, "{label}");
            assert!(cheap.bill.cost.known().unwrap() < record.bill.cost.known().unwrap(), "{label}");
            assert!(cheap.bill.usage.output_total() > 0, "{label}");
            assert!(!cheap.why.contains("it is not"), "receipts hold no bodies: {}", cheap.why);
            assert_eq!(record.answer_bytes, got.body.len() as u64, "{label}");
        }
    }
}

#[test]
fn each_answer_of_a_cascade_is_booked_at_its_own_model_as_the_fleet_books_it() {
    let house = house(&agreeing("agreement = \"final-answer\"\nbuffer = true"));
    let (mut calls, mut last) = (0, None);
    for client in Client::FOUR {
        for (text, is_stream) in [("[[say:The answer is 42.]]", false), ("[[say:The answer is 42.]]", true)] {
            let (got, _) = ask(&house, client, &format!("Sum? {text}"), is_stream);
            assert_eq!(got.status, 200, "{}", got.text());
            (calls, last) = (calls + 1, Some(got));
        }
    }
    // Nothing agrees with an answer that is no number: both cheap ones are set aside.
    for is_stream in [false, true] {
        let (got, _) = ask(&house, Client::Openai, "Is it? [[words:30]]", is_stream);
        assert_eq!(got.status, 200, "{}", got.text());
        (calls, last) = (calls + 1, Some(got));
    }
    let record = house.record(&last.unwrap());
    assert_eq!((taken_by(&record), record.receipt.as_ref().unwrap().answers.len()), (STRONG, 2));
    let query = UsageQuery { by: By::Model, since: None, until: None };
    let report = eventually("all is in the roll-ups", || {
        let report = Reader::open(&house.data()).unwrap().usage(&query).unwrap();
        (report.total.exchanges == calls).then_some(report)
    });
    let fleet = house.fleet.totals();
    for (vendor, model) in [("openai", CHEAP), ("anthropic", SECOND), ("anthropic", STRONG)] {
        let ours = report.rows.iter().find(|row| row.name.as_deref() == Some(&format!("{vendor}/{model}")));
        let ours = ours.unwrap_or_else(|| panic!("{model} is not in {report:?}")).totals;
        let theirs = &fleet[vendor][model];
        assert_eq!(ours.cost().to_string(), PicoUsd(picousd(theirs)).to_string(), "{model}: {theirs}");
        let tokens = |class: &str| theirs["tokens"][class].as_u64().unwrap_or(0);
        let input =
            tokens("input") + tokens("cache_read") + tokens("cache_write_5m") + tokens("cache_write_1h");
        assert_eq!(ours.tokens().input_total(), u128::from(input), "{model}: {theirs}");
        let output = tokens("output") + tokens("reasoning");
        assert_eq!(ours.tokens().output_total(), u128::from(output), "{model}: {theirs}");
        assert_eq!(ours.exchanges + ours.answers, theirs["completed"].as_u64().unwrap(), "{model}: {theirs}");
    }
    assert!(report.rows.iter().any(|row| row.totals.exchanges == 0 && row.totals.answers > 0), "{report:?}");
}

/// What the fleet has billed for a model.
fn picousd(totals: &Value) -> i128 {
    match &totals["picousd"] {
        Value::String(text) => text.parse().unwrap(),
        number => number.to_string().parse().unwrap_or_else(|_| panic!("{totals}")),
    }
}

#[test]
fn stream_that_is_not_held_goes_straight_to_the_strong_target_and_says_so() {
    let house = house(&route("checks = [{ check = \"non-empty\" }]"));
    let (got, read) = ask(&house, Client::Openai, "Is it? [[say:yes]]", true);
    assert_eq!((read.text.as_str(), got.end), ("yes", End::Whole));
    assert_eq!(models(&house), [STRONG]);
    let record = house.record(&got);
    assert!(notes(&record, "cascade:skip")[0].detail.contains("`buffer = true`"), "{record:?}");
    let (got, _) = ask(&house, Client::Openai, "Is it? [[say:yes]]", false);
    assert_eq!(taken_by(&house.record(&got)), CHEAP, "what is no stream is judged");
}

#[test]
fn two_cheap_answers_that_agree_are_enough_and_both_are_paid_for() {
    let house = house(&agreeing("agreement = \"final-answer\"\nbuffer = true"));
    for is_stream in [false, true] {
        let (before, spent) = (models(&house).len(), billed(&house));
        let (got, read) = ask(&house, Client::Openai, "Sum? [[say:The answer is 42.]]", is_stream);
        assert_eq!(read.text, "The answer is 42.");
        assert_eq!(&models(&house)[before..], [CHEAP, SECOND]);
        let record = house.record(&got);
        assert_eq!(taken_by(&record), CHEAP);
        assert_eq!(record.bill.cost.known().unwrap().0, billed(&house) - spent);
        let answers = record.receipt.unwrap().answers;
        assert_eq!(answers.len(), 1);
        assert_eq!(
            (&*answers[0].target.model, &*answers[0].why),
            (SECOND, "agreed with the answer that was passed on")
        );
    }
}

#[test]
fn two_cheap_answers_that_differ_escalate_and_three_are_in_the_bill() {
    let house = house(&agreeing("agreement = \"text\""));
    let (got, _) = ask(&house, Client::Anthropic, "Tell me of the sea.", false);
    assert_eq!(models(&house), [CHEAP, SECOND, STRONG]);
    let record = house.record(&got);
    assert_eq!(taken_by(&record), STRONG);
    assert_eq!(record.bill.cost.known().unwrap().0, billed(&house));
    assert_eq!(notes(&record, "cascade:escalate")[0].detail, "the two cheap answers differ".into());
    let receipt = record.receipt.unwrap();
    let cheap: Vec<&str> = receipt.answers.iter().map(|answer| &*answer.target.model).collect();
    assert_eq!(cheap, [SECOND, CHEAP], "in the order in which they were decided on");
}

#[test]
fn second_answer_is_not_paid_for_where_the_first_has_failed_its_checks() {
    let house = house(&agreeing("agreement = \"text\"\nchecks = [{ check = \"json\" }]"));
    let (got, _) = ask(&house, Client::Openai, "Tell me of the sea.", false);
    assert_eq!(models(&house), [CHEAP, STRONG]);
    assert_eq!(house.record(&got).receipt.unwrap().answers.len(), 1);
}

#[test]
fn cheap_target_that_fails_or_breaks_off_escalates() {
    for (fault, is_stream, is_paid) in [
        ("fault-500", false, false),
        ("fault-close", true, false),
        ("fault-cut-50", true, true),
        ("fault-malformed-json", false, false),
    ] {
        let house = house(&route(YES).replace(CHEAP, fault));
        let (got, read) = ask(&house, Client::Openai, "Is it? [[say:yes, it surely is so]]", is_stream);
        assert_eq!((got.status, read.text.as_str()), (200, "yes, it surely is so"), "{fault}");
        let record = house.record(&got);
        assert_eq!((taken_by(&record), record.outcome), (STRONG, Outcome::Complete), "{fault}");
        assert_eq!(
            &*notes(&record, "cascade:escalate")[0].detail,
            "a cheap target gave no whole answer",
            "{fault}"
        );
        let receipt = record.receipt.unwrap();
        assert_eq!(
            (receipt.answers.len(), receipt.attempts.len()),
            if is_paid { (1, 0) } else { (0, 1) },
            "{fault}"
        );
    }
}

#[test]
fn mistake_of_the_request_is_told_once_and_nobody_else_is_asked() {
    let house = house(&route(YES));
    let mut body = Client::Openai.ask("thrifty", "Hello.", false);
    body["temperature"] = json!("warm");
    let got = house.post("/v1/chat/completions", &[], body.to_string().as_bytes());
    assert_eq!(got.status, 400, "{}", got.text());
    assert_eq!(models(&house), [CHEAP]);
    let record = house.record(&got);
    assert!(matches!(record.outcome, Outcome::Failed(_)) && record.status == 400, "{record:?}");
}

#[test]
fn tool_calls_are_passed_on_only_where_a_declared_check_can_judge_them() {
    let tools = json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]);
    for (judge, taker) in [
        ("checks = [{ check = \"json\" }]", STRONG),
        ("checks = [{ check = \"json\" }, { check = \"non-empty\" }]", CHEAP),
    ] {
        let house = house(&route(judge));
        let mut body = Client::Openai.ask("thrifty", "Use look now.", false);
        body["tools"] = tools.clone();
        let got = house.post("/v1/chat/completions", &[], body.to_string().as_bytes());
        assert_eq!(reading::whole(Client::Openai, &got).tools.len(), 1, "{}", got.text());
        assert_eq!(taken_by(&house.record(&got)), taker, "{judge}");
    }
}

#[test]
fn every_answer_reserves_and_settles_its_own_money() {
    const KEY: &str = "sk-of-the-thrifty-app";
    let budget = "[keys.app]\nsecret = \"env:APP_KEY\"\nbudget = { usd = 1, every = \"total\" }\n";
    let configuration = format!("{BOTH_VENDORS}{}{budget}", agreeing("agreement = \"text\""));
    let house = House::with_secrets(&configuration, &[("APP_KEY", KEY)]);
    let authorization = format!("Bearer {KEY}");
    let body = Client::Openai.ask("thrifty", "Tell me of the sea.", false).to_string();
    let got = house.post("/v1/chat/completions", &[("authorization", &authorization)], body.as_bytes());
    assert_eq!((got.status, models(&house).len()), (200, 3), "{}", got.text());
    let record = house.record(&got);
    let settled: Vec<String> = notes(&record, "reserve")
        .iter()
        .map(|note| note.detail.rsplit_once('$').unwrap().1.to_owned())
        .collect();
    let mut wanted: Vec<String> = Vec::new();
    let receipt = record.receipt.as_ref().unwrap();
    for answer in &receipt.answers {
        wanted.push(answer.bill.cost.known().unwrap().to_string());
    }
    let others: i128 = receipt.answers.iter().map(|answer| answer.bill.cost.known().unwrap().0).sum();
    wanted.push(pilothouse_core::money::PicoUsd(record.bill.cost.known().unwrap().0 - others).to_string());
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    assert_eq!(sorted(settled), sorted(wanted), "{:?}", receipt.notes);
    assert_eq!(record.bill.cost.known().unwrap().0, billed(&house));
}

#[test]
fn held_stream_shows_that_it_lives_until_its_answer_is_known() {
    for client in Client::FOUR {
        let slow = route(YES)
            .replace(CHEAP, "fault-slow-first-byte-700")
            .replace("strategy = \"cascade\"", "strategy = \"cascade\"\ncommit_after = 0.1");
        let house = House::pinging(&format!("{MORE_VENDORS}{BOTH_VENDORS}{slow}"), Duration::from_millis(20));
        let (got, read) = ask(&house, client, "Is it? [[say:yes, it is]]", true);
        let label = format!("{}: {}", client.name(), got.text());
        assert_eq!((got.status, got.end, read.text.as_str()), (200, End::Whole, "yes, it is"), "{label}");
        assert_eq!((read.error, read.unreadable, read.after_end), (None, 0, 0), "{label}");
        let first = got.text().find("yes").unwrap();
        assert!(got.text()[..first].len() > 40, "signs of life came before: {label}");
        assert_eq!(house.record(&got).outcome, Outcome::Complete, "{label}");
    }
}

#[test]
fn what_fails_after_a_held_stream_has_begun_is_told_as_an_event() {
    for client in [Client::Openai, Client::Anthropic, Client::Responses] {
        let slow = route(YES)
            .replace(CHEAP, "fault-slow-first-byte-500")
            .replace(STRONG, "fault-500")
            .replace("strategy = \"cascade\"", "strategy = \"cascade\"\ncommit_after = 0.1");
        let house = House::pinging(&format!("{MORE_VENDORS}{BOTH_VENDORS}{slow}"), Duration::from_millis(20));
        let (got, read) = ask(&house, client, "Is it? [[say:no]]", true);
        let label = format!("{}: {}", client.name(), got.text());
        assert_eq!((got.status, got.end), (200, End::Broken), "{label}");
        assert!(read.error.is_some() && !read.is_terminated, "{label}");
        assert!(matches!(house.record(&got).outcome, Outcome::Failed(_)), "{label}");
    }
}

#[test]
fn client_that_leaves_while_an_answer_is_judged_is_recorded_once() {
    let slow = route(YES)
        .replace(STRONG, "fault-slow-first-byte-60000")
        .replace("strategy = \"cascade\"", "strategy = \"cascade\"\ncommit_after = 0.1");
    let house = House::pinging(&format!("{BOTH_VENDORS}{slow}"), Duration::from_millis(20));
    let mut stream = house.begin("/v1/chat/completions", &Client::Openai.ask("thrifty", "[[say:no]]", true));
    assert!(stream.next(), "a sign of life");
    let id = stream.header("x-pilothouse-exchange").unwrap().to_owned();
    drop(stream);
    let record = house.record_of(&id);
    assert_eq!((record.outcome, taken_by(&record)), (Outcome::Cancelled, "fault-slow-first-byte-60000"));
    assert_eq!(record.bill.cost.known(), None, "a bill may come from the strong target");
    assert_eq!(record.receipt.unwrap().answers.len(), 1, "the cheap answer is in it");
    assert!(house.get("/metrics", &[]).text().contains("\npilothouse_inflight 0\n"));
}

#[test]
fn cascade_that_could_judge_nothing_is_refused_with_what_to_do() {
    for (routes, says) in [
        (route("").replace("[routes.thrifty.cascade]", ""), "add [routes.NAME.cascade]"),
        (route(""), "needs a check or agreement"),
        (route("checks = [{ check = \"vibes\" }]"), "there is no check `vibes`"),
        (route("agreement = \"feeling\""), "one of text, final-answer"),
        (route("agreement = \"text\""), "two cheap targets and a strong one"),
        (route(YES).replace("\"cascade\"", "\"fixed\""), "set `strategy = \"cascade\"`"),
        (route(YES).replace(&format!("\"openai/{CHEAP}\", "), ""), "a cheap target and a strong one"),
        (route(&format!("{YES}\nbufer = true")), "unknown field `bufer`"),
    ] {
        let refused = refusal_of(&routes);
        assert!(refused.contains(says), "{says}: {refused}");
    }
}

#[test]
fn conversation_in_a_tool_loop_stays_with_whoever_called_the_tool() {
    let house = house(&route("checks = [{ check = \"non-empty\" }]"));
    let tools = json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]);
    let mut turns = vec![json!({"role": "user", "content": "Use look now."})];
    let post = |turns: &[Value]| {
        let body = json!({"model": "thrifty", "messages": turns, "tools": tools});
        let got = house.post("/v1/chat/completions", &[], body.to_string().as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
        house.record(&got)
    };
    assert_eq!(taken_by(&post(&turns)), CHEAP);
    turns.push(json!({"role": "assistant", "content": null, "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    ]}));
    turns.push(json!({"role": "tool", "tool_call_id": "call_1", "content": "a harbour"}));
    let record = post(&turns);
    assert_eq!(taken_by(&record), CHEAP);
    assert!(notes(&record, "cascade:pass").is_empty(), "an answer of its own, and no cascade");
}

#[test]
fn all_answers_of_a_call_have_one_place_on_a_route_that_has_room_for_one() {
    let one = agreeing("agreement = \"text\"")
        .replace("strategy = \"cascade\"", "strategy = \"cascade\"\nconcurrency = 1\nqueue = 0");
    let house = house(&one);
    for nth in 1..=2 {
        let (got, _) = ask(&house, Client::Openai, "Tell me of the sea.", false);
        assert_eq!((got.status, models(&house).len()), (200, nth * 3), "{}", got.text());
    }
}
