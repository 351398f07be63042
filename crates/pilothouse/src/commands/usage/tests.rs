//! What `usage` prints, word by word, and that it adds up.

use std::path::Path;

use clap::Parser;
use pilothouse_core::clock::{ManualClock, UnixMs};
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Bill, Provenance};

use super::Usage;
use crate::commands::logs::tests::{NOON, folder, golden, unsent, whole};

#[derive(Parser)]
struct UsageLine {
    #[command(flatten)]
    usage: Usage,
}

fn run(dir: &Path, line: &[&str]) -> anyhow::Result<String> {
    let words = [&["usage"], line, &["--data", dir.to_str().unwrap()]].concat();
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let usage = UsageLine::try_parse_from(words).unwrap().usage;
    usage.run_at(&mut out, &mut notes, &ManualClock::new(UnixMs(NOON + 3_600_000)))?;
    Ok(String::from_utf8(out).unwrap())
}

fn everything() -> tempfile::TempDir {
    let partial = Exchange {
        outcome: Outcome::Failed(Kind::Cut),
        bill: Bill {
            provenance: Provenance::Partial,
            estimated_output: 25,
            estimated_cost: Cost::Known(PicoUsd(625_000_000)),
            cost: Cost::Known(PicoUsd(750_000)),
            ..whole(3).bill
        },
        ..whole(3)
    };
    let unpriced = Exchange { bill: Bill { cost: Cost::Unknown, ..whole(4).bill }, ..whole(4) };
    let mut other = whole(5);
    other.caller.key = "search".into();
    other.target.as_mut().unwrap().model = "claude-sonnet-4-6".into();
    let old = Exchange { started_at: UnixMs(NOON - 8 * 24 * 3_600_000), ..whole(6) };
    folder(&[whole(1), whole(2), partial, unpriced, other, unsent(7), old])
}

#[test]
fn usage_is_shown_with_what_is_known_and_what_is_not_apart() {
    let dir = everything();
    for by in ["model", "key", "vendor", "app", "day"] {
        golden(&format!("usage/golden/by_{by}.txt"), &run(dir.path(), &["--by", by]).unwrap());
    }
    golden("usage/golden/by_model.json", &run(dir.path(), &["--json"]).unwrap());
}

#[test]
fn json_rows_add_up_to_the_json_total() {
    let dir = everything();
    for by in ["model", "key", "vendor", "app", "day", "price"] {
        let text = run(dir.path(), &["--by", by, "--json", "--since", "30d"]).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let rows = report["rows"].as_array().unwrap();
        for place in [
            "/exchanges",
            "/cost/picousd",
            "/tokens/input",
            "/reported/cost/picousd",
            "/estimate/output_tokens",
            "/unsent",
        ] {
            let sum: i64 = rows.iter().map(|row| row.pointer(place).unwrap().as_i64().unwrap()).sum();
            assert_eq!(Some(sum), report["total"].pointer(place).unwrap().as_i64(), "{by} {place}");
        }
        let usd = report["total"]["cost"]["usd"].as_str().unwrap();
        assert_eq!(PicoUsd::parse_usd(usd).unwrap().as_i64(), report["total"]["cost"]["picousd"].as_i64());
    }
}

#[test]
fn usage_counts_seven_days_unless_told_otherwise() {
    let dir = everything();
    let exchanges = |line: &[&str]| {
        let text = run(dir.path(), &[line, &["--json"]].concat()).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["total"]["exchanges"].as_u64()
    };
    assert_eq!(exchanges(&[]), Some(6));
    assert_eq!(exchanges(&["--since", "9d"]), Some(7));
    assert_eq!(exchanges(&["--since", "2026-11-01", "--until", "2026-11-20"]), Some(1));
}

#[test]
fn usage_says_what_to_do_when_there_is_nothing() {
    let dir = folder(&[]);
    assert!(run(dir.path(), &[]).unwrap().contains("widen --since"));
    assert!(run(&dir.path().join("nowhere"), &[]).unwrap_err().to_string().contains("`pilothouse serve`"));
    let wrong = UsageLine::try_parse_from(["usage", "--by", "moon"]).err().unwrap().to_string();
    assert!(wrong.contains("model, key, vendor, app, day, price"), "{wrong}");
}

#[test]
fn what_the_cache_saved_is_told_by_usage_and_by_the_receipt() {
    let bill = Bill {
        cost: Cost::Known(PicoUsd::ZERO),
        saved: Some(Cost::Known(PicoUsd(1_600_000_000))),
        ..Bill::default()
    };
    let hit = Exchange { bill, ..whole(2) };
    let dir = folder(&[whole(1), hit.clone()]);
    let text = run(dir.path(), &[]).unwrap();
    assert!(
        text.contains("cache    1 exchange answered from the cache, which saved $0.0016; not in the totals"),
        "{text}"
    );
    let report: serde_json::Value = serde_json::from_str(&run(dir.path(), &["--json"]).unwrap()).unwrap();
    assert_eq!(report["total"]["cache"]["saved"]["usd"], "0.0016");
    assert_eq!(report["total"]["cost"]["usd"], "0.0016", "what was paid for the other one");
    let mut receipt = Vec::new();
    crate::commands::logs::receipt::write(&mut receipt, &hit, None).unwrap();
    let receipt = String::from_utf8(receipt).unwrap();
    assert!(
        receipt.contains("saved    $0.0016 · the answer came from the cache, and no vendor was asked"),
        "{receipt}"
    );
}
