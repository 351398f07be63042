//! Kill -9 under load, between rows and their seals: nothing sealed is altered, and nothing is missing.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test says so when it fails")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{AnswerFacts, Caller, Exchange, Outcome, TargetUsed, Timings};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Bill, Provenance, Usage};
use pilothouse_store::{Ledger, Options, Reader, Sealing, SigningKey, Trust};

const CHILD: &str = "PILOTHOUSE_TEST_RECORDS_INTO";
/// The folder of the child's key and head file, if it seals.
const SAFE: &str = "PILOTHOUSE_TEST_SEALS_WITH";
const START: u64 = 1_795_348_800_000;

/// The nth exchange, so that whoever reads the ledger can tell what should be there.
fn nth(nth: u64) -> Exchange {
    let started_at = UnixMs(START + nth / 10);
    let names = ["search", "support", "batch"];
    let name = names[usize::try_from(nth % 3).unwrap()];
    Exchange {
        id: ExchangeId::new(started_at, nth.into()),
        started_at,
        caller: Caller { key: name.into(), application: "load".into(), end_user: None },
        client_dialect: Dialect::OpenaiChat,
        asked: "gpt-5.5".into(),
        target: Some(TargetUsed {
            vendor: "openai".into(),
            model: "gpt-5.5".into(),
            dialect: Dialect::OpenaiChat,
            price: Some("openai/gpt-5.5".into()),
        }),
        streamed: nth.is_multiple_of(2),
        outcome: Outcome::Complete,
        status: 200,
        answer: AnswerFacts::default(),
        bill: Bill {
            usage: Usage { input: nth % 700, output: nth % 90, ..Usage::default() },
            provenance: Provenance::Reported,
            cost: Cost::Known(PicoUsd(i128::from(nth) * 1_250_001)),
            ..Bill::default()
        },
        timings: Timings { total_us: nth % 5000, ..Timings::default() },
        shape: None,
        request_bytes: 100,
        answer_bytes: 200,
        receipt: None,
    }
}

/// The child: records without end and says now and then how much is surely on disk.
#[test]
fn child_records_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let sealing = std::env::var_os(SAFE).map(|safe| sealing(&PathBuf::from(safe)));
    let options = Options { queue_capacity: 1024, sealing, ..Options::default() };
    let ledger = Ledger::open(&dir, options).unwrap();
    let recorder = ledger.recorder();
    let before = recorder.written_total();
    assert_eq!(before, 0);
    for count in 0u64.. {
        // Full speed would overflow the queue, and lost details are another test's subject.
        while recorder.pending() >= 1000 {
            std::thread::yield_now();
        }
        recorder.record(nth(count));
        if count.is_multiple_of(500) {
            let mut out = std::io::stdout().lock();
            writeln!(out, "\nwritten {} recorded {}", recorder.written_total(), count + 1).unwrap();
            out.flush().unwrap();
        }
    }
}

/// Small segments, so that kills come between rows and seals, and in the middle of seals.
fn sealing(safe: &Path) -> Sealing {
    let (key, _) = SigningKey::read_or_make(&safe.join("key")).unwrap();
    Sealing { segment_rows: 300, ..Sealing::new(key).with_head(safe.join("head")) }
}

fn start_child(dir: &Path, safe: Option<&Path>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    if let Some(safe) = safe {
        command.env(SAFE, safe);
    }
    command
        .args(["--exact", "child_records_until_it_is_killed", "--nocapture"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads what the child says until it has surely written `enough`, kills it, and gives the last count it said.
fn kill_after(mut child: Child, enough: u64) -> u64 {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let count = |line: &str| line.strip_prefix("written ")?.split(' ').next()?.parse::<u64>().ok();
    let mut written = 0;
    while written < enough {
        let line = lines.next().expect("the child ended by itself").unwrap();
        written = count(&line).unwrap_or(written);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).filter_map(|line| count(&line)).last().unwrap_or(written).max(written)
}

#[test]
fn a_ledger_whose_servers_were_killed_again_and_again_has_nothing_altered_and_nothing_missing() {
    let (dir, safe) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let trust = || Trust {
        keys: vec![sealing(safe.path()).key.public()],
        head: Some(safe.path().join("head")),
        roots: None,
    };
    for round in 1..=5 {
        kill_after(start_child(dir.path(), Some(safe.path())), 1000 * round + 77);
        let reader = Reader::open(dir.path()).unwrap();
        let (report, rows) = (reader.verify(&trust()).unwrap(), reader.stats().unwrap().exchanges);
        assert!(report.is_sound(), "round {round}: {report:?}");
        assert_eq!((report.intact + report.tail, report.crashes_total), (rows, round - 1));
        assert!(report.intact > 0, "some segments were sealed before the end");
    }
    let options = Options { keep_days: None, sealing: Some(sealing(safe.path())), ..Options::default() };
    Ledger::open(dir.path(), options).unwrap().close().unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    let report = reader.verify(&trust()).unwrap();
    assert!(report.is_sound() && report.has_head, "{report:?}");
    assert_eq!((report.intact, report.tail), (reader.stats().unwrap().exchanges, 0));
    assert_eq!(report.crashes_total, 5);
}
