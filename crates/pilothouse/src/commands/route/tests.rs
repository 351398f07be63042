//! `pilothouse route explain` as people and programs use it.

use std::path::Path;
use std::time::Duration;

use super::*;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::{AnswerFacts, Caller, Exchange, Outcome, TargetUsed, Timings};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::usage::{Bill, Provenance, Usage};
use pilothouse_store::{Ledger, Options};

const NOW: UnixMs = UnixMs(1_795_435_200_000);
const FILE: &str = "[providers.openai]\napi_key = \"sk-a\"\n[providers.anthropic]\napi_key = \"sk-b\"\n\
    [routes.assistant]\nstrategy = \"cheapest\"\ntargets = [\"anthropic/claude-opus-4-7\", \"openai/gpt-5.5\", \"openai/gpt-4.1\"]\n";

fn told(arguments: &[&str], request: Option<&str>) -> (String, bool) {
    told_in(tempfile::tempdir().unwrap().path(), arguments, request)
}

fn told_in(folder: &Path, arguments: &[&str], request: Option<&str>) -> (String, bool) {
    told_of(folder, FILE, arguments, request)
}

fn told_of(folder: &Path, configuration: &str, arguments: &[&str], request: Option<&str>) -> (String, bool) {
    use clap::Parser as _;
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        routes: Routes,
    }
    let config = folder.join("pilothouse.toml");
    std::fs::write(&config, configuration).unwrap();
    let file = folder.join("request.json");
    let mut line = vec!["x", "explain", "--config", config.to_str().unwrap()];
    if let Some(request) = request {
        std::fs::write(&file, request).unwrap();
        line.extend(["--request", file.to_str().unwrap()]);
    }
    line.extend(arguments);
    let mut out = Vec::new();
    match Line::parse_from(line).routes.run(&mut out, NOW) {
        Ok(_) => (String::from_utf8(out).unwrap(), true),
        Err(error) => (error.to_string(), false),
    }
}

#[test]
fn the_order_and_what_follows_a_failure_are_told() {
    let (text, _) = told(&["assistant", "--when", "openai=429"], None);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "assistant chooses by cheapest:");
    assert!(lines[1].starts_with("  1. openai/gpt-4.1 · expected to cost $"), "{text}");
    assert!(lines[4].starts_with("  ends openai/gpt-4.1 · "), "{text}");
    assert!(
        lines[5]
            .starts_with("  expects of anthropic/claude-opus-4-7 · 500 tokens, a guess: there is no ledger"),
        "{text}"
    );
    assert_eq!(lines[9], "  openai/gpt-4.1 answers with 429: the next target is asked at once");
    assert_eq!(lines.last(), Some(&"  anthropic/claude-opus-4-7 answers"), "{text}");
}

#[test]
fn a_request_that_some_cannot_take_names_the_reason() {
    let sound = r#"{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}}]}]}"#;
    let (text, is_done) = told(&["assistant"], Some(sound));
    assert!(!is_done && text.contains("no target of `assistant` can take this request"), "{text}");
    assert!(text.contains("openai/gpt-4.1: lacks audio_input"), "{text}");
}

#[test]
fn failures_behind_the_first_word_and_faults_of_the_request_end_the_call() {
    let (text, _) = told(&["assistant", "--when", "openai/gpt-4.1=late-cut"], None);
    assert!(text.ends_with("the client gets an error event, and the connection breaks\n"), "{text}");
    let (text, _) = told(&["assistant", "--when", "openai/gpt-4.1=422"], None);
    assert!(text.ends_with("it is passed on and nobody else is asked\n"), "{text}");
}

#[test]
fn what_is_not_known_is_said_with_what_is() {
    assert!(told(&["helper"], None).0.contains("no route is called `helper`; there are assistant"));
    assert!(told(&["assistant", "--when", "gemini=429"], None).0.contains("`gemini` is no target"));
    assert!(told(&["assistant", "--when", "openai=200"], None).0.contains("TARGET=FAILURE"));
    assert!(told(&["assistant", "--dialect", "xml"], None).0.contains("is not a dialect"));
}

/// Answers of so many tokens, asked for by a name, in the ledger of a folder.
fn record(folder: &Path, asked: &str, (vendor, model): (&str, &str), tokens: &[u64]) {
    let ledger = Ledger::open(&folder.join(".pilothouse"), Options::default()).unwrap();
    for (nth, output) in (0..).zip(tokens) {
        let started_at = UnixMs(NOW.0 - 3_600_000 + nth);
        let target = TargetUsed {
            vendor: vendor.into(),
            model: model.into(),
            dialect: Dialect::OpenaiChat,
            price: None,
        };
        ledger.recorder().record(Exchange {
            id: ExchangeId::new(started_at, u128::from(nth) + tokens.len() as u128 * 1000),
            started_at,
            caller: Caller::default(),
            client_dialect: Dialect::OpenaiChat,
            asked: asked.into(),
            target: Some(target),
            streamed: false,
            outcome: Outcome::Complete,
            status: 200,
            answer: AnswerFacts::default(),
            bill: Bill {
                usage: Usage { input: 10, output: *output, ..Usage::default() },
                provenance: Provenance::Reported,
                ..Bill::default()
            },
            timings: Timings::default(),
            shape: None,
            request_bytes: 1,
            answer_bytes: 1,
            receipt: None,
        });
    }
    assert!(ledger.flush(Duration::from_secs(60)));
    ledger.close().unwrap();
}

#[test]
fn lengths_of_answers_are_read_from_the_ledger_and_change_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let asked = |text: &str| text.lines().nth(1).unwrap().to_owned();
    let (guessed, _) = told_in(folder.path(), &["assistant"], None);
    assert!(asked(&guessed).contains("1. openai/gpt-4.1 "), "{guessed}");
    // Much is written by the one that is cheap by the token, on this route; the dear one's answers are short elsewhere.
    record(folder.path(), "assistant", ("openai", "gpt-4.1"), &[9000; 40]);
    record(folder.path(), "other", ("openai", "gpt-5.5"), &[8, 12]);
    let (text, _) = told_in(folder.path(), &["assistant"], None);
    assert!(asked(&text).contains("1. openai/gpt-5.5 "), "{text}");
    for line in [
        "  expects of anthropic/claude-opus-4-7 · 500 tokens, a guess: the ledger has none of its answers of late",
        "  expects of openai/gpt-5.5 · 10 tokens, the mean of its answers on all routes of late",
        "  expects of openai/gpt-4.1 · 9000 tokens, learned from 40 answers on this route in the ledger",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let elsewhere = folder.path().join("elsewhere");
    let (text, _) = told_in(folder.path(), &["assistant", "--data", elsewhere.to_str().unwrap()], None);
    assert!(text.contains("a guess: there is no ledger in") && !elsewhere.exists(), "{text}");
}

#[test]
fn conditions_are_told_with_what_they_are_asked_about() {
    const CONDITIONS: &str = "[providers.openai]\napi_key = \"sk-a\"\n[keys.shop]\nsecret = \"ph-shop\"\n\
        [routes.assistant]\ntargets = [{ target = \"openai/gpt-4.1\", when = \"time.getHours('Europe/Berlin') < 6\" }, \
        \"openai/gpt-5.5\"]\n[[routes.assistant.branches]]\nwhen = \"headers['x-tier'] == 'gold'\"\nroute = \"premium\"\n\
        [routes.premium]\ntargets = [{ target = \"openai/gpt-4o\", when = \"key.name == 'shop'\" }]\n";
    let ask = |arguments: &[&str]| told_of(tempfile::tempdir().unwrap().path(), CONDITIONS, arguments, None);
    let (night, _) = ask(&["assistant", "--at", "2026-11-23T23:30:00Z"]);
    assert_eq!(
        night.lines().collect::<Vec<_>>()[..4],
        [
            "not premium, its condition counts as false, since there is no `headers['x-tier']`: headers['x-tier'] == 'gold'",
            "assistant chooses by fixed:",
            "  1. openai/gpt-4.1 · its place in the list; its condition is true: time.getHours('Europe/Berlin') < 6",
            "  2. openai/gpt-5.5 · its place in the list",
        ]
    );
    let (day, _) = ask(&["assistant", "--at", "2026-11-23T12:00:00Z", "--header", "X-Tier: tin"]);
    assert!(day.contains("not premium, its condition is false: headers['x-tier'] == 'gold'\n"), "{day}");
    assert!(
        day.contains("not openai/gpt-4.1 · its condition is false: time.getHours('Europe/Berlin') < 6"),
        "{day}"
    );
    let (gold, _) =
        ask(&["assistant", "--header", "X-Tier=gold", "--key", "shop", "--when", "openai/gpt-4o=500"]);
    assert!(
        gold.starts_with(
            "premium takes it, its condition is true: headers['x-tier'] == 'gold'\npremium chooses"
        ),
        "{gold}"
    );
    let (nobody, is_done) = ask(&["assistant", "--header", "X-Tier=gold"]);
    assert!(!is_done && nobody.contains("openai/gpt-4o: its condition counts as false"), "{nobody}");
    assert!(ask(&["assistant", "--header", "x"]).0.contains("write it as NAME=VALUE"));
    assert!(ask(&["assistant", "--key", "none"]).0.contains("[keys] of the configuration has no `none`"));
}

#[test]
fn json_holds_the_same() {
    let (text, _) = told(&["assistant", "--json", "--when", "openai=500"], None);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["is_answered"], &value["strategy"]), (&true.into(), &"cheapest".into()));
    assert_eq!(value["order"].as_array().unwrap().len(), 3);
    assert!(
        value["expected_output"][0]["why"].as_str().unwrap().starts_with("500 tokens, a guess"),
        "{value}"
    );
}
