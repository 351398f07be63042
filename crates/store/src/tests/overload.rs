//! A queue that is full and a disk that refuses lose details, never totals.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pilothouse_core::clock::{SystemClock, UnixMs};
use pilothouse_core::exchange::{Exchange, Receipt};
use pilothouse_core::money::PicoUsd;

use super::samples::{NOON, plain};
use crate::recorder::{Recorder, Shared};
use crate::retention::Retention;
use crate::schema::{self, MIGRATIONS};
use crate::writer::Writer;
use crate::{By, Filter, LEDGER_FILE, Ledger, Options, Reader, Totals, UsageQuery};

/// A writer that runs only when it is told to.
fn still_writer(dir: &Path, queue_capacity: usize) -> (Writer, Recorder) {
    let path = dir.join(LEDGER_FILE);
    let db = schema::open_writer(&path, MIGRATIONS, &SystemClock).unwrap();
    db.busy_timeout(Duration::ZERO).unwrap();
    let shared = Arc::new(Shared::new(queue_capacity));
    let retention = Retention::new(None, Arc::new(SystemClock));
    let writer = Writer::new(db, path, Arc::clone(&shared), retention, None).unwrap();
    (writer, Recorder { shared })
}

fn total(dir: &Path) -> Totals {
    let all = UsageQuery { by: By::Model, since: None, until: None };
    Reader::open(dir).unwrap().usage(&all).unwrap().total
}

fn sum_of(exchanges: impl IntoIterator<Item = Exchange>) -> Totals {
    let mut sum = Totals::default();
    exchanges.into_iter().for_each(|exchange| sum.count(&exchange));
    sum
}

#[test]
fn a_full_queue_loses_details_and_keeps_totals_with_a_gap_record() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, recorder) = still_writer(dir.path(), 10);
    (0..35).for_each(|nth| recorder.record(plain(nth)));
    assert_eq!((recorder.pending(), recorder.dropped_total()), (10, 25));
    writer.flush();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.exchanges(&Filter::default()).unwrap().len(), 10);
    assert_eq!(total(dir.path()), sum_of((0..35).map(plain)));
    let gaps = reader.gaps(None).unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].first_at, gaps[0].last_at), (UnixMs(NOON + 10), UnixMs(NOON + 34)));
    assert_eq!((gaps[0].exchanges, gaps[0].priced, gaps[0].cost), (25, 25, PicoUsd(25 * 1_000_001)));
    assert_eq!((gaps[0].input_tokens, gaps[0].output_tokens), (25 * 25, 25 * 67));
    let report = reader.usage(&UsageQuery { by: By::Key, since: None, until: None }).unwrap();
    assert_eq!(report.details_lost, 25);
    assert_eq!(reader.stats().unwrap().lost, 25);
}

#[test]
fn under_overload_from_many_threads_details_and_losses_make_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { queue_capacity: 8, keep_days: None, ..Options::default() };
    let ledger = Ledger::open(dir.path(), options).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let recorder = ledger.recorder();
            scope.spawn(move || (0..3000).for_each(|nth| recorder.record(plain(thread * 3000 + nth))));
        }
    });
    let dropped = ledger.recorder().dropped_total();
    assert!(dropped > 0, "a queue of eight was never full");
    ledger.close().unwrap();
    let stats = Reader::open(dir.path()).unwrap().stats().unwrap();
    assert_eq!((stats.exchanges + stats.lost, stats.lost), (12_000, dropped));
    assert_eq!(total(dir.path()), sum_of((0..12_000).map(plain)));
}

#[test]
fn a_long_overload_is_one_gap_and_a_later_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, recorder) = still_writer(dir.path(), 1);
    for burst in 0..5 {
        (0..3).for_each(|nth| recorder.record(plain(burst * 1000 + nth)));
        writer.flush();
    }
    (0..4).for_each(|nth| recorder.record(plain(3_000_000 + nth)));
    writer.flush();
    let gaps = Reader::open(dir.path()).unwrap().gaps(None).unwrap();
    assert_eq!(gaps.iter().map(|gap| gap.exchanges).collect::<Vec<_>>(), [10, 3]);
    assert_eq!(total(dir.path()).exchanges, 19);
}

#[test]
fn made_up_names_do_not_grow_the_aggregates_beside_the_queue() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, recorder) = still_writer(dir.path(), 1);
    let made_up = |nth: u64| {
        let mut exchange = plain(nth);
        exchange.caller.application = format!("app-{nth}").into();
        exchange.target.as_mut().unwrap().model = format!("model-{nth}").into();
        exchange
    };
    (0..5000).for_each(|nth| recorder.record(made_up(nth)));
    let lost = recorder.shared.overflow.take();
    assert!(lost.groups.len() <= 2 * 1024 + 1, "{} groups", lost.groups.len());
    recorder.shared.overflow.give_back(lost);
    writer.flush();
    assert_eq!(total(dir.path()), sum_of((0..5000).map(made_up)));
}

#[test]
fn a_refused_transaction_is_tried_again_with_nothing_counted_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, recorder) = still_writer(dir.path(), 100);
    recorder.record(plain(0));
    writer.flush();
    let other = rusqlite::Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    (1..20).for_each(|nth| recorder.record(plain(nth)));
    assert!(!writer.flush());
    assert_eq!((recorder.health().errors_total, recorder.pending()), (1, 19));
    assert!(recorder.health().last_error.unwrap().contains("could not write"));
    other.execute_batch("COMMIT").unwrap();
    writer.flush();
    assert_eq!(recorder.health().last_error, None);
    assert_eq!(total(dir.path()), sum_of((0..20).map(plain)));
    assert_eq!(Reader::open(dir.path()).unwrap().stats().unwrap().exchanges, 20);
}

#[test]
fn a_disk_that_keeps_refusing_costs_details_and_no_totals() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, recorder) = still_writer(dir.path(), 100);
    let other = rusqlite::Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    (0..20).for_each(|nth| recorder.record(plain(nth)));
    (0..7).for_each(|_| assert!(!writer.flush()));
    assert_eq!((recorder.dropped_total(), recorder.pending()), (20, 0));
    other.execute_batch("COMMIT").unwrap();
    recorder.record(plain(20));
    writer.flush();
    assert_eq!(total(dir.path()), sum_of((0..21).map(plain)));
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!((reader.stats().unwrap().exchanges, reader.stats().unwrap().lost), (1, 20));
}

#[test]
fn a_failure_in_the_middle_of_a_transaction_leaves_no_half_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, recorder) = still_writer(dir.path(), 100);
    recorder.record(plain(0));
    writer.flush();
    // Rows go in, then the roll-ups are refused.
    let other = rusqlite::Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER no BEFORE INSERT ON rollup BEGIN SELECT raise(ABORT, 'disk on fire'); END",
        )
        .unwrap();
    let mut new_names = plain(1);
    new_names.caller.application = "another".into();
    recorder.record(new_names.clone());
    assert!(!writer.flush());
    assert!(recorder.health().last_error.unwrap().contains("disk on fire"));
    assert_eq!(Reader::open(dir.path()).unwrap().stats().unwrap().exchanges, 1);
    assert_eq!(total(dir.path()), sum_of([plain(0)]));
    other.execute_batch("DROP TRIGGER no").unwrap();
    writer.flush();
    assert_eq!(total(dir.path()), sum_of([plain(0), new_names.clone()]));
    assert_eq!(Reader::open(dir.path()).unwrap().exchange(new_names.id).unwrap(), Some(new_names));
}

#[test]
fn rows_that_wait_are_bounded_in_bytes_too() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, recorder) = still_writer(dir.path(), 100);
    let receipt = || Receipt { error: Some("x".repeat(100_000).into()), ..Receipt::default() };
    let long = |nth: u64| Exchange { receipt: Some(Box::new(receipt())), ..plain(nth) };
    (0..50).for_each(|nth| recorder.record(long(nth)));
    let waiting = recorder.pending() as u64;
    assert!((5..10).contains(&waiting), "{waiting} rows of 100 kB wait");
    assert_eq!(recorder.dropped_total(), 50 - waiting);
    writer.flush();
    recorder.record(long(50));
    writer.flush();
    assert_eq!(recorder.dropped_total(), 50 - waiting, "there is room again");
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.exchange(long(50).id).unwrap(), Some(long(50)));
    assert_eq!(total(dir.path()), sum_of((0..51).map(long)));
}

#[test]
fn a_recorder_that_is_gone_leaves_what_it_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, recorder) = still_writer(dir.path(), 10_000);
    std::thread::scope(|scope| {
        for thread in 0..40 {
            let recorder = recorder.clone();
            scope.spawn(move || (0..20).for_each(|nth| recorder.record(plain(thread * 20 + nth))));
        }
    });
    while writer.flush() {}
    assert_eq!((recorder.pending(), recorder.written_total()), (0, 800));
    assert_eq!(total(dir.path()), sum_of((0..800).map(plain)));
}
