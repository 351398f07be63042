//! What `logs` and `tail` print, word by word, and what they say when there is nothing.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use pilothouse_catalog::Catalog;
use pilothouse_core::clock::{ManualClock, UnixMs};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{
    AnswerFacts, Attempt, Caller, Chosen, Exchange, Finish, Note, Outcome, PaidAnswer, Receipt, Standing,
    TargetUsed, Timings, ToolUse,
};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Bill, Provenance, Usage};
use pilothouse_store::{BodyOptions, BodyStore, Kept, Ledger, Options};

use super::source::{Span, When, grouped, iso, took};
use super::{Logs, arithmetic};
use crate::commands::tail::Tail;

/// 2026-11-22T12:00:00Z.
pub(crate) const NOON: u64 = 1_795_348_800_000;

#[derive(Parser)]
pub(crate) struct LogsLine {
    #[command(flatten)]
    pub(super) logs: Logs,
}

#[derive(Parser)]
struct TailLine {
    #[command(flatten)]
    tail: Tail,
}

fn target(vendor: &str, model: &str) -> TargetUsed {
    TargetUsed {
        vendor: vendor.into(),
        model: model.into(),
        dialect: Dialect::AnthropicMessages,
        price: Some("anthropic/claude-opus-4-7@2026-04-16".into()),
    }
}

/// A stream that was rerouted, edited, and broke off.
fn cut() -> Exchange {
    Exchange {
        id: ExchangeId::new(UnixMs(NOON), 1),
        started_at: UnixMs(NOON),
        caller: Caller { key: "search".into(), application: "crawler".into(), end_user: Some("u-1".into()) },
        client_dialect: Dialect::OpenaiChat,
        asked: "assistant".into(),
        target: Some(target("anthropic", "claude-opus-4-7")),
        streamed: true,
        outcome: Outcome::Failed(Kind::Cut),
        status: 200,
        answer: AnswerFacts {
            id: Some("msg_01".into()),
            model: Some("claude-opus-4-7".into()),
            finish: Some(Finish::ToolCalls),
            service_tier: Some("standard".into()),
            tools: vec![ToolUse { name: "search".into(), arguments_hash: u64::MAX }],
        },
        bill: Bill {
            usage: Usage { input: 1200, cache_read: 300, output: 40, ..Usage::default() },
            provenance: Provenance::Partial,
            estimated_output: 25,
            cost: Cost::Known(PicoUsd(7_150_000_000)),
            estimated_cost: Cost::Known(PicoUsd(625_000_000)),
            saved: None,
        },
        timings: Timings {
            sent_us: Some(310),
            headers_us: Some(412_000),
            first_token_us: Some(455_300),
            total_us: 3_120_000,
        },
        shape: None,
        request_bytes: 4_800,
        answer_bytes: 12_345,
        receipt: Some(Box::new(Receipt {
            edits: vec![Note::code("set:model")],
            losses: vec![Note::new("drop:logit_bias", "anthropic-messages has no such member")],
            attempts: vec![Attempt {
                target: target("anthropic-eu", "claude-opus-4-7"),
                kind: Kind::Overloaded,
                status: Some(529),
                failed_us: 120_500,
                outrun: None,
            }],
            answers: Vec::new(),
            notes: vec![Note::new("replace:connection", "the vendor had closed a kept connection")],
            choice: Some(Box::new(Chosen {
                strategy: "cheapest".into(),
                order: vec![
                    Standing { target: "anthropic-eu/claude-opus-4-7".into(), why: "about $0.0021".into() },
                    Standing { target: "anthropic/claude-opus-4-7".into(), why: "about $0.0025".into() },
                ],
                removed: vec![Standing { target: "openai/gpt-4o-mini".into(), why: "lacks tools".into() }],
                evidence: None,
            })),
            chosen: None,
            settlement: None,
            error: Some("the answer broke off after 40 tokens".into()),
        })),
    }
}

/// A plain exchange, `nth` seconds after the cut one.
pub(crate) fn whole(nth: u64) -> Exchange {
    let started_at = UnixMs(NOON + nth * 1000);
    Exchange {
        id: ExchangeId::new(started_at, nth.into()),
        started_at,
        caller: Caller { key: "support".into(), application: "desk".into(), end_user: None },
        asked: "claude-opus-4-7".into(),
        streamed: false,
        outcome: Outcome::Complete,
        answer: AnswerFacts { finish: Some(Finish::Stop), ..AnswerFacts::default() },
        bill: Bill {
            usage: Usage { input: 20, output: 60, ..Usage::default() },
            provenance: Provenance::Reported,
            cost: Cost::Known(PicoUsd(1_600_000_000)),
            ..Bill::default()
        },
        timings: Timings { total_us: 900, ..Timings::default() },
        receipt: None,
        ..cut()
    }
}

/// A call that named no model that we know.
pub(crate) fn unsent(nth: u64) -> Exchange {
    Exchange {
        caller: Caller::default(),
        asked: "gpt-9\u{1b}[2J".into(),
        target: None,
        outcome: Outcome::Failed(Kind::UnknownModel),
        status: 404,
        answer: AnswerFacts::default(),
        bill: Bill::default(),
        ..whole(nth)
    }
}

/// A data folder that holds these exchanges, with no server running.
pub(crate) fn folder(exchanges: &[Exchange]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path(), Options { keep_days: None, ..Options::default() }).unwrap();
    exchanges.iter().for_each(|exchange| ledger.recorder().record(exchange.clone()));
    ledger.close().unwrap();
    dir
}

/// Compares with the file of that name beside the test; `PILOTHOUSE_GOLDEN=write` writes it anew.
pub(crate) fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands").join(name);
    if std::env::var_os("PILOTHOUSE_GOLDEN").is_some_and(|wish| wish == "write") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, expected, "{name} differs; PILOTHOUSE_GOLDEN=write writes it anew");
}

fn run(dir: &Path, line: &[&str]) -> anyhow::Result<(String, String)> {
    let data = dir.to_str().unwrap();
    let words = [&["logs"], line, &["--data", data]].concat();
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let logs = LogsLine::try_parse_from(words).unwrap().logs;
    logs.run_at(&mut out, &mut notes, &ManualClock::new(UnixMs(NOON + 3_600_000)))?;
    Ok((String::from_utf8(out).unwrap(), String::from_utf8(notes).unwrap()))
}

#[test]
fn logs_lists_the_newest_first_for_people_and_for_programs() {
    let dir = folder(&[cut(), whole(1), unsent(2)]);
    let (table, notes) = run(dir.path(), &[]).unwrap();
    golden("logs/golden/list.txt", &table);
    assert!(notes.contains("ledger.sqlite; no server records into it now"), "{notes}");
    let (json, _) = run(dir.path(), &["--json"]).unwrap();
    golden("logs/golden/list.json", &json);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["exchanges"].as_array().unwrap().len(), 3);
}

#[test]
fn logs_show_gives_the_whole_receipt() {
    let dir = folder(&[cut(), whole(1), unsent(2)]);
    for (name, exchange) in [("cut", cut()), ("whole", whole(1)), ("unsent", unsent(2))] {
        let id = exchange.id.to_string();
        golden(&format!("logs/golden/show_{name}.txt"), &run(dir.path(), &["show", &id]).unwrap().0);
        golden(
            &format!("logs/golden/show_{name}.json"),
            &run(dir.path(), &["show", &id, "--json"]).unwrap().0,
        );
    }
}

#[test]
fn the_arithmetic_of_a_cost_is_shown_only_if_it_gives_the_cost() {
    let catalog = Catalog::bundled();
    let model = catalog.model("openai", "gpt-5.5").unwrap();
    let usage = Usage { input: 1200, cache_read: 300, output: 40, reasoning: 7, ..Usage::default() };
    let mut exchange = whole(1);
    exchange.bill.usage = usage;
    exchange.bill.cost = model.pricing().unwrap().cost(&usage, None, UnixMs(NOON + 1000));
    exchange.answer.service_tier = None;
    exchange.target.as_mut().unwrap().price = Some(model.price_id().into());
    let lines = arithmetic::of(&catalog, &exchange).unwrap();
    let tokens: Vec<_> = lines.iter().map(|line| (line.class, line.tokens)).collect();
    assert_eq!(tokens, [("input", 1200), ("cache_read", 300), ("output", 40), ("reasoning", 7)]);
    let sum: PicoUsd = lines.iter().map(arithmetic::Line::amount).sum();
    assert_eq!(Cost::Known(sum), exchange.bill.cost);
    assert!(sum > PicoUsd::ZERO);

    let dir = folder(std::slice::from_ref(&exchange));
    let (text, _) = run(dir.path(), &["show", &exchange.id.to_string()]).unwrap();
    assert!(text.contains("1,200 x $") && text.contains(" per million = $"), "{text}");
    let (text, _) = run(dir.path(), &["show", &exchange.id.to_string(), "--json"]).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["cost_arithmetic"][0]["tokens"], 1200);

    let other_sum =
        Exchange { bill: Bill { cost: Cost::Known(PicoUsd(1)), ..exchange.bill }, ..exchange.clone() };
    assert_eq!(arithmetic::of(&catalog, &other_sum), None);
    exchange.target.as_mut().unwrap().price = Some(format!("{}0", model.price_id()).into());
    assert_eq!(arithmetic::of(&catalog, &exchange), None, "prices that changed since");
}

#[test]
fn answers_that_were_not_passed_on_have_their_own_part_of_the_arithmetic() {
    let catalog = Catalog::bundled();
    let priced = |name: &str, usage: &Usage| {
        let model = catalog.model("openai", name).unwrap();
        let target = TargetUsed { price: Some(model.price_id().into()), ..target("openai", name) };
        (target, model.pricing().unwrap().cost(usage, None, UnixMs(NOON + 1000)))
    };
    let (cheap_usage, own_usage) = (
        Usage { input: 900, output: 30, ..Usage::default() },
        Usage { input: 1100, output: 50, ..Usage::default() },
    );
    let (cheap, cheap_cost) = priced("gpt-4o-mini", &cheap_usage);
    let (strong, own_cost) = priced("gpt-5.5", &own_usage);
    let reported = |usage, cost| Bill { usage, cost, provenance: Provenance::Reported, ..Bill::default() };
    let mut exchange = whole(1);
    let bill = reported(cheap_usage, cheap_cost);
    exchange.bill = reported(own_usage, own_cost).with(&bill);
    exchange.answer.service_tier = None;
    exchange.target = Some(strong);
    let why = "escalated: the check `json`: no JSON: line 1, column 1".into();
    let answers = vec![PaidAnswer { target: cheap, tier: None, bill, why, ended_us: 1000 }];
    exchange.receipt = Some(Box::new(Receipt { answers, ..Receipt::default() }));
    let lines = arithmetic::of(&catalog, &exchange).unwrap();
    let tokens: Vec<_> = lines.iter().map(|line| (line.answer, line.class, line.tokens)).collect();
    let (own, other) = (None, Some(0));
    assert_eq!(
        tokens,
        [(own, "input", 1100), (own, "output", 50), (other, "input", 900), (other, "output", 30)]
    );
    let sum: PicoUsd = lines.iter().map(arithmetic::Line::amount).sum();
    assert_eq!(Cost::Known(sum), exchange.bill.cost);
    let dir = folder(std::slice::from_ref(&exchange));
    let (text, _) = run(dir.path(), &["show", &exchange.id.to_string()]).unwrap();
    assert!(text.contains("for 900 in and 30 out · openai/gpt-4o-mini"), "{text}");
    assert!(text.contains("escalated: the check `json`"), "{text}");
}

#[test]
fn what_a_client_named_never_reaches_the_terminal_as_control_characters() {
    let dir = folder(&[unsent(0)]);
    let id = unsent(0).id.to_string();
    for line in [vec![], vec!["show", &id], vec!["--json"]] {
        assert!(!run(dir.path(), &line).unwrap().0.contains('\u{1b}'));
    }
}

#[test]
fn logs_takes_filters_and_times() {
    let dir = folder(&[cut(), whole(1), unsent(2)]);
    let count = |line: &[&str]| {
        let json = run(dir.path(), &[line, &["--json"]].concat()).unwrap().0;
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        value["exchanges"].as_array().unwrap().len()
    };
    assert_eq!(count(&["--errors"]), 2);
    assert_eq!(count(&["--model", "assistant"]), 1);
    assert_eq!(count(&["--model", "claude-opus-4-7"]), 2);
    assert_eq!(count(&["--key", "search"]), 1);
    assert_eq!(count(&["--app", "desk", "--vendor", "anthropic"]), 1);
    assert_eq!(count(&["--limit", "2"]), 2);
    assert_eq!(count(&["--since", "1h"]), 3);
    assert_eq!(count(&["--since", "59m59s"]), 2);
    assert_eq!(count(&["--since", "2026-11-22T12:00:02Z"]), 1);
    assert_eq!(count(&["--until", "2026-11-22T12:00:02Z"]), 2);
}

#[test]
fn logs_says_what_to_do_when_there_is_nothing() {
    let empty = folder(&[]);
    assert!(run(empty.path(), &[]).unwrap().0.contains("send a request"));
    let dir = folder(&[cut()]);
    let (out, _) = run(dir.path(), &["--key", "nobody"]).unwrap();
    assert!(out.contains("none of 1 exchange recorded") && out.contains("widen --since"), "{out}");
    let missing = run(&dir.path().join("nowhere"), &[]).unwrap_err().to_string();
    assert!(missing.contains("nowhere") && missing.contains("`pilothouse serve`"), "{missing}");
    let unknown = run(dir.path(), &["show", "00000000000000000000000000"]).unwrap_err().to_string();
    assert!(unknown.contains("no exchange 0000") && unknown.contains("`pilothouse logs`"), "{unknown}");
    let wrong = LogsLine::try_parse_from(["logs", "show", "xyz"]).err().unwrap().to_string();
    assert!(wrong.contains("not an exchange id"), "{wrong}");
}

/// Keeps the bodies of `exchange` in a data folder.
fn keep(dir: &Path, exchange: &Exchange, answer: &'static [u8]) {
    let store = BodyStore::open(dir, &BodyOptions { days: None, ..BodyOptions::default() }).unwrap();
    let kept = Kept {
        exchange: exchange.id,
        at: exchange.started_at,
        key: "search".into(),
        end_user: Some("ada".into()),
        response: None,
        dialect: exchange.client_dialect,
        holder: None,
        status: 200,
        is_stream: true,
        is_whole: true,
        request: b"{\"messages\":[]}".as_slice().into(),
        answer: answer.into(),
        lost_part: [].as_slice().into(),
    };
    assert!(store.recorder().reserve(kept.bytes()));
    store.recorder().put(kept);
    store.close();
}

#[test]
fn bodies_are_shown_where_they_are_kept_and_asked_for() {
    let exchange = whole(1);
    let dir = folder(std::slice::from_ref(&exchange));
    let id = exchange.id.to_string();
    assert!(run(dir.path(), &["show", &id]).unwrap().0.ends_with("  bodies   not kept\n"));
    let missing = run(dir.path(), &["show", &id, "--body"]).unwrap_err().to_string();
    assert!(missing.contains("not kept") && missing.contains("[store] bodies"), "{missing}");
    keep(dir.path(), &exchange, b"data: \x1b[31mAhoy\n\n");
    let text = run(dir.path(), &["show", &id]).unwrap().0;
    assert!(text.contains("kept: request 15 bytes · answer 17 bytes; --body prints them"), "{text}");
    assert!(!text.contains("{\"messages\""), "{text}");
    let text = run(dir.path(), &["show", &id, "--body"]).unwrap().0;
    assert!(text.contains("request, 15 bytes, as the client sent it\n{\"messages\":[]}\n"), "{text}");
    assert!(text.contains("data: \u{fffd}[31mAhoy\n"), "a terminal obeys what it is shown: {text}");
    let json = run(dir.path(), &["show", &id, "--body", "--json"]).unwrap().0;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["bodies"]["answer"]["text"], "data: \u{1b}[31mAhoy\n\n");
}

#[test]
fn bodies_are_erased_and_records_stay() {
    let exchange = whole(1);
    let dir = folder(std::slice::from_ref(&exchange));
    let id = exchange.id.to_string();
    for which in [[&id, ""], ["--key", "search"], ["--user", "ada"]] {
        let which: Vec<&str> = which.into_iter().filter(|word| !word.is_empty()).collect();
        keep(dir.path(), &exchange, b"\xff\x00");
        let json = run(dir.path(), &["show", &id, "--body", "--json"]).unwrap().0;
        assert!(json.contains("\"hex\": \"ff00\""), "{json}");
        let line = [&["erase"], &*which].concat();
        let told = run(dir.path(), &line).unwrap().0;
        assert_eq!(told, "erased the bodies of 1 exchange; records and totals stay\n");
        assert!(run(dir.path(), &line).unwrap().0.contains("of 0 exchanges"));
        assert!(run(dir.path(), &["show", &id]).unwrap().0.ends_with("  bodies   not kept\n"));
    }
    assert!(LogsLine::try_parse_from(["logs", "erase"]).is_err(), "nothing is erased by accident");
}

#[test]
fn tail_shows_what_is_recorded_while_it_runs_and_nothing_older() {
    let dir = folder(&[cut()]);
    let ledger = Ledger::open(dir.path(), Options { keep_days: None, ..Options::default() }).unwrap();
    let line = ["tail", "--json", "--count", "3", "--data", dir.path().to_str().unwrap()];
    let tail = TailLine::try_parse_from(line).unwrap().tail;
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let seen = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let seen = &seen;
        let recorder = ledger.recorder();
        scope.spawn(move || {
            // Until it has seen enough: whenever it starts to look, there are more to come.
            for nth in (1..).take_while(|_| !seen.load(Ordering::Relaxed)) {
                recorder.record(whole(nth));
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let ran = tail.run(&mut out, &mut notes);
        seen.store(true, Ordering::Relaxed);
        ran.unwrap();
    });
    let text = String::from_utf8(out).unwrap();
    let seen: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seen.len(), 3);
    let at = |row: &serde_json::Value| row["started_at_ms"].as_u64().unwrap();
    assert!(seen.iter().all(|row| at(row) > NOON), "{text}");
    assert!(seen.windows(2).all(|pair| at(&pair[1]) == at(&pair[0]) + 1000), "{text}");
}

#[test]
fn tail_ends_after_its_time() {
    let dir = folder(&[cut()]);
    let line = ["tail", "--for", "0s", "--data", dir.path().to_str().unwrap()];
    let tail = TailLine::try_parse_from(line).unwrap().tail;
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    tail.run(&mut out, &mut notes).unwrap();
    assert!(String::from_utf8(out).unwrap().starts_with("TIME"));
}

#[test]
fn lengths_of_time_are_read_as_people_type_them() {
    let ms = |text: &str| text.parse::<Span>().map(|span| span.ms);
    assert_eq!(ms("90s"), Ok(90_000));
    assert_eq!(ms("30m"), Ok(1_800_000));
    assert_eq!(ms("1h30m"), Ok(5_400_000));
    assert_eq!(ms("7d"), Ok(604_800_000));
    assert_eq!(ms("2w"), Ok(1_209_600_000));
    for wrong in
        ["", "7", "d", "7y", "-1h", "1.5h", "1h 30m", "99999999999999999999d", "9999999999999d", "1é"]
    {
        let sentence = ms(wrong).unwrap_err();
        assert!(sentence.contains("not a length of time"), "{wrong}: {sentence}");
    }
}

#[test]
fn moments_are_lengths_ago_days_or_full_times() {
    let from = |text: &str| text.parse::<When>().unwrap().from(UnixMs(NOON));
    assert_eq!(from("1h"), UnixMs(NOON - 3_600_000));
    assert_eq!(from("2026-11-22"), UnixMs(NOON - 12 * 3_600_000));
    assert_eq!(from("2026-11-22T13:00:00+01:00"), UnixMs(NOON));
    assert_eq!(from("9999w"), UnixMs(0).max(UnixMs(NOON.saturating_sub(9999 * 604_800_000))));
    assert!("yesterday".parse::<When>().unwrap_err().contains("not a time"));
    assert!("1900-01-01".parse::<When>().is_err());
}

#[test]
fn figures_are_written_for_people() {
    assert_eq!(iso(UnixMs(NOON + 7)), "2026-11-22T12:00:00.007Z");
    assert_eq!(iso(UnixMs(u64::MAX)), "18446744073709551615 ms after 1970");
    assert_eq!(
        (grouped(7), grouped(1234), grouped(1_234_567)),
        ("7".into(), "1,234".into(), "1,234,567".into())
    );
    assert_eq!(
        (took(420), took(1_257), took(3_109_999)),
        ("420 us".into(), "1.25 ms".into(), "3.10 s".into())
    );
}

/// An exchange on a route, with what its choice was made of.
fn chosen(order: &[&str]) -> Exchange {
    let evidence = r#"{"config":"0000000000000000","catalog":"0000000000000000","loaded_at":1795348800000,"choice":{"seed":7,"at":1795348800000,"input":[120,2,0]}}"#;
    let named = |target: &&str| Standing { target: (*target).into(), why: "its place in the list".into() };
    let choice = Chosen {
        strategy: "fixed".into(),
        order: order.iter().map(named).collect(),
        removed: Vec::new(),
        evidence: Some(evidence.to_owned().into()),
    };
    let receipt = Receipt { choice: Some(Box::new(choice)), ..Receipt::default() };
    Exchange { asked: "assistant".into(), receipt: Some(Box::new(receipt)), ..whole(1) }
}

#[test]
fn a_choice_is_made_again_from_its_receipt_and_the_configuration() {
    let exchange = chosen(&["openai/gpt-4.1", "anthropic/claude-opus-4-7"]);
    let dir = folder(std::slice::from_ref(&exchange));
    let config = dir.path().join("team.toml");
    let routes = "[providers.openai]\napi_key = \"env:A_KEY_THAT_NOBODY_SETS\"\n[providers.anthropic]\n[routes.assistant]\ntargets = ";
    let show = |targets: &str, more: &[&str]| {
        std::fs::write(&config, format!("{routes}{targets}\n")).unwrap();
        let id = exchange.id.to_string();
        let line = [&["show", &id, "--rederive", "--config", config.to_str().unwrap()], more].concat();
        let words = [&["logs"], &line[..], &["--data", dir.path().to_str().unwrap()]].concat();
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let logs = LogsLine::try_parse_from(words).unwrap().logs;
        let code = logs.run_at(&mut out, &mut notes, &ManualClock::new(UnixMs(NOON))).unwrap();
        (code, String::from_utf8(out).unwrap())
    };
    let (code, text) = show("[\"openai/gpt-4.1\", \"anthropic/claude-opus-4-7\"]", &[]);
    assert_eq!(code, std::process::ExitCode::SUCCESS);
    assert!(
        text.contains(
            "  again    the same choice, although configuration and catalogue have changed since\n"
        ),
        "{text}"
    );
    let (code, text) = show("[\"anthropic/claude-opus-4-7\"]", &[]);
    assert_eq!(code, std::process::ExitCode::FAILURE, "{text}");
    assert!(
        text.contains("  again    another choice, and configuration and catalogue have changed"),
        "{text}"
    );
    assert!(
        text.contains("place 2 was `anthropic/claude-opus-4-7` (its place in the list); now nobody"),
        "{text}"
    );
    let (_, text) = show("[\"anthropic/claude-opus-4-7\"]", &["--json"]);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["rederived"]["is_same"], false);
    assert_eq!(document["receipt"]["choice"]["evidence"]["choice"]["seed"], 7);
}

#[test]
fn a_configuration_may_be_named_whether_or_not_a_choice_is_made_again() {
    for more in [&["--rederive"][..], &[]] {
        let words = ["logs", "show", "01jd0000000000000000000000", "--config", "pilothouse.toml"];
        let line = LogsLine::try_parse_from(words.iter().chain(more));
        assert!(line.is_ok(), "{:?}", line.err().map(|error| error.to_string()));
    }
}
