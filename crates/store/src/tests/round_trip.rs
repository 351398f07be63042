//! What is recorded comes back as it was.

use proptest::prelude::*;

use super::samples::{any_exchange, as_read, as_told, ledger, plain, record, routed, settlement};
use crate::{Filter, LEDGER_FILE, Reader, Recorder};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_exchange_comes_back_equal(exchanges in proptest::collection::vec(any_exchange(), 1..24)) {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path());
        record(&ledger, exchanges.clone());
        let reader = Reader::open(dir.path()).unwrap();
        let oldest_first = Filter { after_rowid: Some(0), limit: 100, ..Filter::default() };
        let rows = reader.exchanges(&oldest_first).unwrap();
        let read: Vec<_> = rows.iter().map(|row| row.exchange.clone()).collect();
        prop_assert_eq!(&read, &exchanges);
        for exchange in &exchanges {
            let twins = exchanges.iter().filter(|other| other.id == exchange.id).count();
            let found = reader.exchange(exchange.id).unwrap();
            prop_assert!(twins > 1 || found.as_ref() == Some(exchange));
        }
        prop_assert_eq!(reader.last_rowid().unwrap(), rows.last().unwrap().rowid);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_exchange_comes_back_equal_whose_receipt_was_written_in_parts(
        all in proptest::collection::vec((any_exchange(), proptest::option::of(settlement()), any::<[bool; 3]>()), 1..24),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path());
        let exchanges: Vec<_> = all.into_iter().map(|(mut exchange, settlement, [is_short, is_plain, is_bare])| {
            // The rare is what keeps a receipt in its row.
            if let Some(receipt) = exchange.receipt.as_mut().filter(|_| is_short) {
                (receipt.attempts, receipt.answers, receipt.error) = Default::default();
            }
            if is_plain {
                (exchange.caller.end_user, exchange.answer.tools) = Default::default();
            }
            if is_bare {
                exchange.receipt = None;
            }
            (exchange, settlement)
        }).collect();
        record(&ledger, exchanges.iter().map(|(exchange, settlement)| as_told(exchange, *settlement)));
        let oldest_first = Filter { after_rowid: Some(0), limit: 100, ..Filter::default() };
        let rows = Reader::open(dir.path()).unwrap().exchanges(&oldest_first).unwrap();
        prop_assert_eq!(rows.len(), exchanges.len());
        for (row, (exchange, settlement)) in rows.iter().zip(&exchanges) {
            let mut expected = as_read(exchange, *settlement);
            // A receipt that says nothing is none.
            expected.receipt = expected.receipt.filter(|receipt| **receipt != Default::default());
            let mut read = row.exchange.clone();
            read.receipt = read.receipt.filter(|receipt| **receipt != Default::default());
            prop_assert_eq!(read, expected);
        }
    }
}

#[test]
fn the_words_of_receipts_are_on_disk_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let told = |nth| {
        let (exchange, settlement) = routed(nth);
        as_told(&exchange, Some(settlement))
    };
    record(&ledger, (1..200).map(told));
    let db = rusqlite::Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM form WHERE receipt IS NOT NULL"), 1);
    assert_eq!(count("SELECT count(*) FROM exchange WHERE typeof(extra) = 'blob'"), 199);
    assert!(count("SELECT max(length(extra)) FROM exchange") < 150, "what fills the holes");
    for row in Reader::open(dir.path()).unwrap().exchanges(&Filter::default()).unwrap() {
        let (exchange, settlement) = routed(row.rowid.cast_unsigned());
        assert_eq!(row.exchange, as_read(&exchange, Some(settlement)));
    }
}

#[test]
fn rows_survive_closing_and_new_ones_follow_them() {
    let dir = tempfile::tempdir().unwrap();
    let first = ledger(dir.path());
    let recorder = first.recorder();
    (0..1500).for_each(|nth| recorder.record(plain(nth)));
    first.close().unwrap();
    let second = ledger(dir.path());
    record(&second, (1500..3000).map(plain));
    let reader = Reader::open(dir.path()).unwrap();
    let rows = reader.exchanges(&Filter { after_rowid: Some(0), limit: 5000, ..Filter::default() }).unwrap();
    assert_eq!(rows.len(), 3000);
    assert!(rows.iter().zip(0..).all(|(row, nth)| row.exchange == plain(nth) && row.rowid == nth as i64 + 1));
    assert_eq!(reader.stats().unwrap().exchanges, 3000);
}

#[test]
fn a_reader_sees_rows_while_the_writer_runs() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    record(&ledger, [plain(0)]);
    let reader = Reader::open(dir.path()).unwrap();
    for nth in 1..20 {
        let seen = reader.last_rowid().unwrap();
        record(&ledger, [plain(nth)]);
        let new = reader.exchanges(&Filter { after_rowid: Some(seen), ..Filter::default() }).unwrap();
        assert_eq!(new.iter().map(|row| row.exchange.clone()).collect::<Vec<_>>(), [plain(nth)]);
    }
    ledger.close().unwrap();
    assert_eq!(reader.exchanges(&Filter::default()).unwrap().len(), 20);
}

#[test]
fn many_threads_record_into_one_ledger() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let recorder: Recorder = ledger.recorder();
    shared(&recorder);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let recorder = recorder.clone();
            scope.spawn(move || (0..2000).for_each(|nth| recorder.record(plain(thread * 2000 + nth))));
        }
    });
    ledger.close().unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    let rows = reader.exchanges(&Filter { limit: 10_000, ..Filter::default() }).unwrap();
    let mut times: Vec<u64> = rows.iter().map(|row| row.exchange.started_at.0).collect();
    times.sort_unstable();
    times.dedup();
    assert_eq!(times.len(), 8000);
    assert_eq!((recorder.pending(), recorder.dropped_total(), recorder.written_total()), (0, 0, 8000));
}
