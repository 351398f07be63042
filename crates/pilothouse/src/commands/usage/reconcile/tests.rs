//! A ledger beside reports that agree, that differ, that know more, and that are of somebody else's keys.

use std::fs;
use std::path::Path;

use clap::Parser;
use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Bill, Provenance, Usage};
use serde_json::{Value, json};

use super::*;
use crate::commands::logs::tests::{folder, golden, whole};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    reconcile: Reconcile,
}

const HEADING: &str = "usage_date_utc,model_version,api_key,workspace,usage_input_tokens_no_cache,usage_input_tokens_cache_read,usage_output_tokens\n";

/// Runs the command on a report.
fn run(dir: &Path, report: &str, more: &[&str]) -> (ExitCode, String) {
    let file = dir.join("report.csv");
    fs::write(&file, report).unwrap();
    let words = [&["reconcile", file.to_str().unwrap(), "--data", dir.to_str().unwrap()], more].concat();
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let code = Line::try_parse_from(words).unwrap().reconcile.run(&mut out, &mut notes).unwrap();
    (code, String::from_utf8(out).unwrap())
}

/// An exchange of that provider.
fn at(provider: &str, nth: u64) -> Exchange {
    let mut exchange = whole(nth);
    exchange.target.as_mut().unwrap().vendor = provider.into();
    exchange
}

/// One whose client went away: 10 output tokens were seen, 25 more are estimated.
fn cancelled(provider: &str, nth: u64) -> Exchange {
    Exchange {
        outcome: Outcome::Cancelled,
        bill: Bill {
            usage: Usage { input: 20, output: 8, reasoning: 2, ..Usage::default() },
            provenance: Provenance::Partial,
            estimated_output: 25,
            estimated_cost: Cost::Known(PicoUsd(625_000_000)),
            ..whole(nth).bill
        },
        ..at(provider, nth)
    }
}

const DIFFERS: ExitCode = ExitCode::FAILURE;

#[test]
fn equal_books_agree_whatever_the_model_is_called() {
    let dir = folder(&[at("anthropic", 1), at("anthropic", 2), at("openai", 3)]);
    let report = format!("{HEADING}2026-11-22,Claude Opus 4.7,desk,Default,40,0,120\n");
    let (code, text) = run(dir.path(), &report, &[]);
    assert_eq!(code, ExitCode::SUCCESS, "{text}");
    assert!(text.contains("agrees   1 of 1 rows"), "{text}");
    let (_, text) = run(dir.path(), &report, &["--all"]);
    golden("usage/golden/reconcile_agrees.txt", &text);
}

#[test]
fn a_difference_is_shown_by_class_and_fails_the_check() {
    let dir = folder(&[at("anthropic", 1), at("anthropic", 2)]);
    let report = format!(
        "{HEADING}2026-11-22,claude-opus-4-7,desk,Default,40,7,130\n2026-11-23,claude-opus-4-7,desk,Default,5,0,5\n"
    );
    let (code, text) = run(dir.path(), &report, &[]);
    assert_eq!(code, DIFFERS, "{text}");
    golden("usage/golden/reconcile_differs.txt", &text);
    let (code, _) = run(dir.path(), &report, &["--tolerance", "100"]);
    assert_eq!(code, DIFFERS, "what only one side has is never within the tolerance");
    let (code, text) =
        run(dir.path(), &format!("{HEADING}2026-11-22,claude-opus-4-7,desk,Default,40,0,121\n"), &[]);
    assert_eq!(code, ExitCode::SUCCESS, "one in a hundred is within the usual tolerance: {text}");
}

#[test]
fn what_was_billed_after_a_cancel_is_told_apart_with_the_error_of_the_estimate() {
    let dir = folder(&[at("anthropic", 1), cancelled("anthropic", 2)]);
    // 60 and 10 were seen; the vendor went on for 32 more.
    let report = format!("{HEADING}2026-11-22,claude-opus-4-7,desk,Default,40,0,102\n");
    let (code, text) = run(dir.path(), &report, &[]);
    assert_eq!(code, ExitCode::SUCCESS, "{text}");
    golden("usage/golden/reconcile_cancelled.txt", &text);
    let (_, text) = run(dir.path(), &report, &["--json"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    let row = &document["rows"][0];
    assert_eq!(row["verdict"], "explained");
    assert_eq!(row["billed_beyond_output_tokens"], 32);
    assert_eq!(row["ledger"]["cancelled"]["estimated_output_tokens"], 25);
    assert_eq!(row["figures"]["output"], json!({"theirs": 102, "ours": 70, "difference": 32}));
    // Less than what was seen is never explained by a cancel.
    let (code, _) =
        run(dir.path(), &format!("{HEADING}2026-11-22,claude-opus-4-7,desk,Default,40,0,50\n"), &[]);
    assert_eq!(code, DIFFERS);
}

#[test]
fn keys_and_projects_are_compared_with_the_providers_that_use_them() {
    let dir = folder(&[at("anthropic-eu", 1), at("anthropic-us", 2), at("anthropic-us", 3)]);
    let report = format!(
        "{HEADING}2026-11-22,claude-opus-4-7,desk,Europe,20,0,60\n2026-11-22,claude-opus-4-7,us-key,Default,40,0,120\n\
         2026-11-22,claude-opus-4-7,somebody,Else,9000,0,9000\n"
    );
    let maps = ["--map", "Europe=anthropic-eu", "--map", "us-key=anthropic-us"];
    let (code, text) = run(dir.path(), &report, &maps);
    assert_eq!(code, ExitCode::SUCCESS, "{text}");
    assert!(text.contains("others   1 entries of keys or projects"), "{text}");
    let (_, text) = run(dir.path(), &report, &[&maps[..], &["--json"]].concat());
    let document: Value = serde_json::from_str(&text).unwrap();
    let providers: Vec<&str> =
        document["rows"].as_array().unwrap().iter().map(|row| row["provider"].as_str().unwrap()).collect();
    assert_eq!(providers, ["anthropic-eu", "anthropic-us"]);
}

#[test]
fn costs_are_compared_exactly_and_unknown_ones_are_never_zero() {
    let unpriced = Exchange { bill: Bill { cost: Cost::Unknown, ..whole(2).bill }, ..at("openai", 2) };
    let dir = folder(&[at("openai", 1), unpriced]);
    let report = "Date,Cost\n2026-11-22,0.0016\n";
    let columns = ["--columns", "day=Date,usd=Cost", "--vendor", "openai"];
    let (code, text) = run(dir.path(), report, &columns);
    assert_eq!(code, ExitCode::SUCCESS, "{text}");
    assert!(text.contains("unpriced 1 exchange: what they cost is not in our sum"), "{text}");
    let (code, text) = run(dir.path(), "Date,Cost\n2026-11-22,0.0032\n", &columns);
    assert_eq!(code, ExitCode::SUCCESS, "the unpriced exchange explains it: {text}");
    assert!(text.contains("explained"), "{text}");
    let (code, _) = run(dir.path(), "Date,Cost\n2026-11-22,0.0008\n", &columns);
    assert_eq!(code, DIFFERS);
}

#[test]
fn what_cannot_be_compared_says_what_to_do() {
    let dir = folder(&[whole(1)]);
    let file = dir.path().join("report.csv");
    let fails = |report: &str, more: &[&str]| {
        fs::write(&file, report).unwrap();
        let words =
            [&["reconcile", file.to_str().unwrap(), "--data", dir.path().to_str().unwrap()], more].concat();
        let line = Line::try_parse_from(words).unwrap();
        line.reconcile.run(&mut Vec::new(), &mut Vec::new()).unwrap_err().to_string()
    };
    let columns = ["--columns", "day=Date,usd=Cost"];
    assert!(fails("Date,Cost\n2026-11-22,1\n", &columns).contains("--vendor"));
    assert!(fails("Date,Cost\n2026-11-22,x\n", &columns).contains("report.csv:2:2: `x` in column 2"));
    assert!(fails(&format!("{HEADING}2026-11-22,m,k,w,1,0,1\n"), &["--map", "a=b"]).contains("--map"));
    let wrong = Line::try_parse_from(["reconcile", "x", "--map", "a"]).err().unwrap().to_string();
    assert!(wrong.contains("THEIRS=PROVIDER"), "{wrong}");
}
