//! Kill -9 under load: the ledger and the bodies open whole, and only what was not yet flushed is missing.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test says so when it fails")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{AnswerFacts, Caller, Exchange, Outcome, TargetUsed, Timings};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Bill, Provenance, Usage};
use pilothouse_store::{
    BodyOptions, BodyReader, BodyStore, By, Filter, Kept, Ledger, Options, Reader, Totals, UsageQuery,
};

const CHILD: &str = "PILOTHOUSE_TEST_RECORDS_INTO";
const CHILD_OF_BODIES: &str = "PILOTHOUSE_TEST_KEEPS_BODIES_IN";
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
    let ledger = Ledger::open(&dir, Options { queue_capacity: 1024, ..Options::default() }).unwrap();
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

/// Bodies of many pages, none of them equal.
fn bodies_of(count: u64) -> Kept {
    let at = UnixMs(START + count);
    let words = |seed: u64| -> Bytes {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            format!("{:08x} ", state >> 32)
        };
        (0..2000 + count % 3000).map(|_| next()).collect::<String>().into()
    };
    Kept {
        exchange: ExchangeId::new(at, count.into()),
        at,
        key: "search".into(),
        end_user: None,
        response: Some(format!("resp_{count}").into()),
        dialect: Dialect::OpenaiResponses,
        holder: None,
        status: 200,
        is_stream: false,
        is_whole: true,
        request: words(2 * count),
        answer: words(2 * count + 1),
        lost_part: Bytes::new(),
    }
}

/// The child: keeps bodies without end and says now and then how many are surely on disk.
#[test]
fn child_keeps_bodies_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD_OF_BODIES).map(PathBuf::from) else { return };
    let store = BodyStore::open(&dir, &BodyOptions { days: None, ..BodyOptions::default() }).unwrap();
    let recorder = store.recorder();
    for count in 0u64.. {
        let kept = bodies_of(count);
        while !recorder.reserve(kept.bytes()) {
            std::thread::yield_now();
        }
        recorder.put(kept);
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nwritten {} put {}", recorder.health().written_total, count + 1).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_killed_server_leaves_whole_bodies_or_none() {
    for round in 1..=3 {
        let dir = tempfile::tempdir().unwrap();
        let child = start(dir.path(), CHILD_OF_BODIES, "child_keeps_bodies_until_it_is_killed");
        let acknowledged = kill_after(child, 60 * round + 7);
        let reader = BodyReader::open(dir.path()).unwrap().unwrap();
        let whole = |count: &u64| {
            let wanted = bodies_of(*count);
            let Some(found) = reader.exchange(wanted.exchange, None).unwrap() else { return false };
            assert_eq!(
                (found.request, found.answer),
                (wanted.request, wanted.answer),
                "no half body reads as whole"
            );
            true
        };
        let recovered = (0u64..).take_while(whole).count() as u64;
        assert!(recovered >= acknowledged, "{recovered} of {acknowledged} acknowledged");
        assert!((recovered..recovered + 500).all(|count| !whole(&count)), "none is missing in the middle");
        drop(reader);
        // And a new server goes on.
        let store =
            BodyStore::open(dir.path(), &BodyOptions { days: None, ..BodyOptions::default() }).unwrap();
        let recorder = store.recorder();
        assert_eq!(recorder.find("search", "resp_0").unwrap().unwrap().request, bodies_of(0).request);
        let next = bodies_of(recovered);
        assert!(recorder.reserve(next.bytes()));
        recorder.put(next);
        assert!(store.flush(Duration::from_secs(60)));
        assert_eq!((recorder.health().written_total, recorder.dropped_total()), (1, 0));
    }
}

fn start_child(dir: &std::path::Path) -> Child {
    start(dir, CHILD, "child_records_until_it_is_killed")
}

fn start(dir: &std::path::Path, variable: &str, test: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(variable, dir)
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
fn a_killed_server_leaves_a_whole_ledger_that_misses_only_what_was_not_flushed() {
    for round in 1..=4 {
        let dir = tempfile::tempdir().unwrap();
        let acknowledged = kill_after(start_child(dir.path()), 3000 * round + 77);

        // First a reader, with the killed process's write-ahead log lying about; then a new server.
        let before = Reader::open(dir.path()).unwrap();
        assert_eq!(before.check().unwrap(), Vec::<String>::new());
        let recovered = before.stats().unwrap().exchanges;
        assert!(recovered >= acknowledged, "{recovered} rows of {acknowledged} acknowledged");
        let ledger = Ledger::open(dir.path(), Options { keep_days: None, ..Options::default() }).unwrap();
        ledger.recorder().record(nth(recovered));
        assert!(ledger.flush(Duration::from_secs(30)));

        let reader = Reader::open(dir.path()).unwrap();
        assert_eq!(reader.check().unwrap(), Vec::<String>::new());
        let every = Filter { after_rowid: Some(0), limit: usize::MAX, ..Filter::default() };
        let rows = reader.exchanges(&every).unwrap();
        assert_eq!(rows.len() as u64, recovered + 1);
        let mut sum = Totals::default();
        for (row, count) in rows.iter().zip(0..) {
            assert_eq!(row.exchange, nth(count), "no row is missing in the middle");
            sum.count(&row.exchange);
        }
        let report = reader.usage(&UsageQuery { by: By::Key, since: None, until: None }).unwrap();
        assert_eq!(report.total, sum);
        assert_eq!(report.rows.len(), 3);
    }
}
