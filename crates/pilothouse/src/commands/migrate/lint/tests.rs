//! The command over a ledger: what it prints, and how it exits.

use std::path::Path;

use clap::Parser;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Exchange;
use pilothouse_core::shape::member::{self, Decimal, Value};
use pilothouse_core::shape::{Blocks, Outline, Role};
use pilothouse_store::{Ledger, Options};

use super::*;
use crate::commands::Cli;
use crate::commands::logs::tests::{NOON, whole};

/// A ledger with calls of an older client, and one without a shape.
fn ledger(dir: &Path) {
    let mut outline = Outline::empty(Dialect::OpenaiChat);
    outline.turns.push(Role::User, Blocks::TEXT);
    outline.members.push((member::id("temperature").unwrap(), Value::Number(Decimal::read(b"0.2").unwrap())));
    let ledger = Ledger::open(dir, Options::default()).unwrap();
    let shape = outline.pack();
    for nth in 1..4 {
        let target = whole(nth).target.map(|target| pilothouse_core::exchange::TargetUsed {
            model: "claude-sonnet-4-5".into(),
            ..target
        });
        ledger.recorder().record(Exchange { shape: Some(shape.clone()), target, ..whole(nth) });
    }
    ledger.recorder().record(Exchange { target: None, ..whole(4) });
    ledger.close().unwrap();
}

/// Runs the command as it would be typed a minute later; its code, what it wrote and its notes.
fn run(dir: &Path, words: &[&str]) -> (String, String, String) {
    let data = dir.display().to_string();
    let typed = [&["pilothouse", "migrate", "lint", "--data", &data], words].concat();
    let cli = Cli::try_parse_from(typed).unwrap_or_else(|error| panic!("{error}"));
    let crate::commands::Command::Migrate(command) = cli.command else { panic!("another command") };
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let code = command.run(&mut out, &mut notes, UnixMs(NOON + 60_000));
    let code = code.map_or_else(|error| format!("{error:#}"), |code| format!("{code:?}"));
    (code, String::from_utf8(out).unwrap(), String::from_utf8(notes).unwrap())
}

#[test]
fn recorded_calls_are_told_what_another_model_would_refuse() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let (code, out, _) = run(
        dir.path(),
        &["--to", "anthropic/claude-opus-4-7", "--dialect", "anthropic-messages", "--app", "desk"],
    );
    assert_eq!(code, format!("{:?}", ExitCode::SUCCESS), "the gateway mends it: {out}");
    assert!(
        out.contains("3 exchanges: 0 by their bodies, 3 by their shapes; 1 recorded without a shape"),
        "{out}"
    );
    assert!(out.contains("claude-sampling") && out.contains("the gateway does: drop:temperature"), "{out}");
    let (code, out, _) = run(
        dir.path(),
        &["--to", "claude-opus-4-7", "--dialect", "anthropic-messages", "--as-sent", "--json"],
    );
    assert_eq!(code, format!("{:?}", ExitCode::from(1)), "{out}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((json["exchanges"].as_u64(), json["by_shape"].as_u64()), (Some(3), Some(3)));
    assert_eq!(json["lines"][0]["severity"], "refused");
}

#[test]
fn nothing_recorded_and_nobody_of_that_name_say_what_to_do_next() {
    let dir = tempfile::tempdir().unwrap();
    let (code, ..) = run(dir.path(), &["--to", "claude-opus-4-7"]);
    assert!(code.contains("pilothouse serve") || code.contains("no ledger"), "{code}");
    ledger(dir.path());
    let (code, ..) = run(dir.path(), &["--to", "claude-opus-47"]);
    assert!(code.contains("claude-opus-47") && code.contains("pilothouse models"), "{code}");
    let (code, _, notes) = run(dir.path(), &["--to", "claude-opus-4-7", "--since", "1s"]);
    assert_eq!(code, format!("{:?}", ExitCode::SUCCESS));
    assert!(notes.contains("widen --since"), "{notes}");
}
