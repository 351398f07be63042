//! What a ledger goes through by itself keeps it whole: many threads, crashes, age, erasure, older versions.

use std::time::Duration;

use pilothouse_core::exchange::Exchange;
use proptest::prelude::*;

use super::super::samples::{any_exchange, plain};
use super::{House, holds};
use crate::schema::{self, MIGRATIONS};
use crate::{Erasure, Place, Reader, Report, Roots, erase};

const DAY_MS: u64 = 24 * 3_600_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_exchanges_in_any_segments_are_intact(
        exchanges in proptest::collection::vec(any_exchange(), 1..40),
        segment_rows in 1usize..50,
        crashes in proptest::bool::ANY,
    ) {
        let house = House::new(segment_rows);
        let (first, second) = exchanges.split_at(exchanges.len() / 2);
        let mut still = house.writer();
        still.record(first.iter().cloned());
        if !crashes {
            still.writer.end();
        }
        drop(still);
        house.session(second.iter().cloned());
        let report = house.report();
        prop_assert!(report.is_sound(), "{report:?}");
        let count = exchanges.len() as u64;
        prop_assert_eq!((report.intact, report.tail, report.crashes_total), (count, 0, crashes.into()));
    }
}

#[test]
fn receipts_of_many_threads_are_all_in_segments() {
    let house = House::new(700);
    let ledger = house.open();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let recorder = ledger.recorder();
            scope.spawn(move || (0..1000).for_each(|nth| recorder.record(plain(thread * 1000 + nth))));
        }
    });
    ledger.close().unwrap();
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.intact, report.segments, report.tail, report.hours), (4000, 6, 0, 1));
    assert!(report.has_head);
}

#[test]
fn what_is_not_yet_sealed_is_told_as_the_tail() {
    let house = House::new(10);
    let mut still = house.writer();
    still.record((0..25).map(plain));
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.intact, report.tail, report.segments), (20, 5, 2));
    let place = |nth| Reader::open(house.data.path()).unwrap().place(plain(nth).id).unwrap().unwrap();
    assert!(matches!(place(13), Place::Sealed { writer: 1, number: 14, segment: 2, .. }));
    assert_eq!(place(24), Place::Open { writer: 1, number: 25 });
    house.clock.advance(3_600_000);
    still.record([]);
    let report = house.report();
    assert_eq!((report.intact, report.tail, report.segments), (25, 0, 3), "after an hour");
}

#[test]
fn each_start_counts_its_own_receipts() {
    let house = House::new(4);
    house.session((0..6).map(plain));
    house.session((6..9).map(plain));
    let reader = Reader::open(house.data.path()).unwrap();
    let place = reader.place(plain(7).id).unwrap();
    assert!(matches!(place, Some(Place::Sealed { writer: 2, number: 2, segment: 3, .. })), "{place:?}");
    assert_eq!(reader.place(plain(99).id).unwrap(), None);
}

#[test]
fn a_crash_is_told_and_what_it_left_is_sealed_by_the_next_server() {
    let house = House::new(10);
    house.writer().record((0..37).map(plain));
    assert_eq!((house.report().tail, house.report().crashes_total), (7, 0), "nobody has noticed yet");
    house.session((37..40).map(plain));
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.intact, report.tail, report.crashes_total), (40, 0, 1));
    assert_eq!((report.crashes[0].writer, report.crashes[0].last_number), (1, 37));
}

#[test]
fn receipts_from_before_sealing_are_told_as_not_covered() {
    let house = House::new(10);
    let path = house.file();
    drop(schema::open_writer(&path, &MIGRATIONS[..1], &*house.clock).unwrap());
    // What the first version of the tables took is what a writer without a key still writes.
    house.writer_with(None).record((0..30).map(plain));
    assert_eq!(house.report().not_covered, 30);
    house.session((30..45).map(plain));
    // And once more without a key in between.
    house.writer_with(None).record((45..50).map(plain));
    house.session((50..60).map(plain));
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.not_covered, report.intact), (35, 25));
    let reader = Reader::open(house.data.path()).unwrap();
    assert_eq!(reader.place(plain(47).id).unwrap(), Some(Place::NotCovered));
}

/// Writes for so many days, ten receipts a day, and lets age do its work every day.
fn days(house: &House, days: u64) -> Report {
    let mut still = house.writer();
    for _ in 0..days {
        let now = pilothouse_core::clock::Clock::now(&*house.clock);
        still.record((0..10).map(|nth| Exchange {
            id: pilothouse_core::id::ExchangeId::new(now, nth.into()),
            started_at: now,
            ..plain(nth)
        }));
        house.clock.advance(DAY_MS);
        while still.writer.prune() {}
    }
    still.writer.end();
    house.report()
}

#[test]
fn old_segments_expire_whole_and_their_roots_stay() {
    let house = House { keep_days: Some(3), ..House::new(7) };
    let report = days(&house, 20);
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.intact + report.expired, 200);
    assert!((28..=44).contains(&report.intact), "{report:?}");
    assert_eq!(report.segments, 29);
    assert_eq!(report.hours, 20, "totals stay, and stay proven");
}

#[test]
fn after_400_days_the_oldest_entries_go_and_the_rest_still_verifies() {
    let house = House { keep_days: Some(30), ..House::new(1000) };
    let first = days(&house, 390);
    assert!(first.is_sound() && first.segments > 380, "{first:?}");
    let report = days(&house, 100);
    assert!(report.is_sound(), "{report:?}");
    assert!(report.segments < 440, "{} segments", report.segments);
    assert_eq!(report.intact + report.expired, 4900);
    // What was exported before is still compared, as far as it is kept.
    let roots = exported(&house);
    let report = house.report_with(&crate::Trust { roots: Some(roots), ..house.trust() });
    assert!(report.is_sound() && report.roots_compared == report.entries, "{report:?}");
}

/// The chain as `logs roots --json` exports it.
pub(super) fn exported(house: &House) -> Roots {
    let mut entries = Vec::new();
    let reader = Reader::open(house.data.path()).unwrap();
    let take = |root: crate::Root| {
        entries.push(serde_json::to_value(&root)?);
        Ok(())
    };
    reader.roots(take).unwrap();
    Roots::parse(&serde_json::json!({ "format": Roots::FORMAT, "entries": entries }).to_string()).unwrap()
}

fn person(nth: u64) -> Exchange {
    let mut exchange = plain(nth);
    exchange.caller.end_user = Some("jane.doe@customer.example".into());
    exchange.asked = "the-model-of-jane".into();
    exchange
}

#[test]
fn an_erased_receipt_leaves_its_digest_and_nothing_else() {
    let house = House::new(10);
    let ledger = house.open();
    super::super::samples::record(&ledger, (0..8).map(plain).chain([person(8)]).chain((9..25).map(plain)));
    assert!(holds(house.data.path(), b"jane"));
    // Beside a server that runs.
    let done =
        erase(house.data.path(), person(8).id, "her request", &house.sealing(), &*house.clock).unwrap();
    assert!(matches!(done, Erasure::Done { .. }));
    super::super::samples::record(&ledger, (25..32).map(plain));
    ledger.close().unwrap();
    assert!(!holds(house.data.path(), b"jane"), "erased, also from free pages and the log");
    let reader = Reader::open(house.data.path()).unwrap();
    assert_eq!(reader.exchange(person(8).id).unwrap(), None);
    let place = reader.place(person(8).id).unwrap();
    assert!(matches!(&place, Some(Place::Erased { reason, .. }) if reason == "her request"), "{place:?}");
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.intact, report.erased), (31, 1));
    assert_eq!(reader.stats().unwrap().exchanges, 31);
}

#[test]
fn erasing_what_is_not_yet_sealed_survives_a_seal_and_a_crash() {
    for crashes in [false, true] {
        let house = House::new(100);
        let mut still = house.writer();
        still.record((0..30).map(plain));
        // The last row among them: its number must not be used again.
        for nth in [4, 29] {
            erase(house.data.path(), plain(nth).id, "test", &house.sealing(), &*house.clock).unwrap();
        }
        let report = house.report();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!((report.tail, report.erased), (28, 2));
        still.record((30..40).map(plain));
        if !crashes {
            still.writer.end();
        }
        drop(still);
        house.session([]);
        let report = house.report();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!((report.intact, report.erased, report.tail), (38, 2, 0));
        let rows = Reader::open(house.data.path()).unwrap().last_rowid().unwrap();
        assert_eq!(rows, 40);
    }
}

#[test]
fn an_erasure_says_what_it_cannot_do() {
    let house = House::new(10);
    house.session((0..5).map(plain));
    let erase =
        |nth, reason: &str| erase(house.data.path(), plain(nth).id, reason, &house.sealing(), &*house.clock);
    assert_eq!(erase(77, "test").unwrap(), Erasure::Unknown);
    assert!(erase(1, " ").unwrap_err().to_string().contains("the reason must have 1 to 500 bytes"));
    assert!(erase(1, &"x".repeat(501)).is_err());
    assert_eq!(house.report().intact, 5);
}

#[test]
fn dropped_receipts_are_told_by_the_chain() {
    let house = House::new(10);
    let mut still = house.writer();
    still.record((0..5).map(plain));
    (5..9).for_each(|nth| still.recorder.shared.overflow.count(&plain(nth)));
    still.record([]);
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.tail, report.dropped), (5, 4), "before they are sealed");
    still.writer.end();
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.intact, report.dropped), (5, 4));
    house.session([]);
    let report = house.report();
    assert!(report.is_sound() && report.dropped == 4, "{report:?}");
}

#[test]
fn gap_records_expire_with_their_segments_and_new_ones_begin_anew() {
    let house = House { keep_days: Some(3), ..House::new(10) };
    let at = |nth: u64| {
        let now = pilothouse_core::clock::Clock::now(&*house.clock);
        let id = pilothouse_core::id::ExchangeId::new(now, nth.into());
        Exchange { id, started_at: now, ..plain(nth) }
    };
    for round in 1..=4 {
        let mut still = house.writer();
        still.record([at(0)]);
        for nth in 1..=round {
            still.recorder.shared.overflow.count(&at(nth));
        }
        still.record([]);
        still.writer.end();
        let report = house.report();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(report.dropped, (1..=round).sum::<u64>());
        house.clock.advance(5 * DAY_MS);
        while still.writer.prune() {}
        drop(still);
        assert_eq!(
            house.db().query_row("SELECT count(*) FROM gap", [], |row| row.get::<_, u32>(0)).unwrap(),
            0
        );
    }
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.expired, report.dropped, report.crashes_total), (4, 10, 0));
}

#[test]
fn only_erasures_of_others_make_the_writer_forget_what_rows_share() {
    let house = House::new(100);
    let mut still = house.writer();
    let db = house.db();
    db.execute_batch("CREATE TABLE noise (id)").unwrap();
    let forms = || db.query_row("SELECT count(*) FROM form", [], |row| row.get::<_, u32>(0)).unwrap();
    for nth in 0..10 {
        still.record([plain(nth)]);
        db.execute("INSERT INTO noise VALUES (1)", []).unwrap();
    }
    assert_eq!(forms(), 1);
    still.record([person(10)]);
    assert_eq!(forms(), 2);
    erase(house.data.path(), person(10).id, "test", &house.sealing(), &*house.clock).unwrap();
    assert_eq!(forms(), 1, "what only the erased one had is gone");
    still.record([person(11)]);
    still.writer.end();
    assert_eq!(Reader::open(house.data.path()).unwrap().exchange(person(11).id).unwrap(), Some(person(11)));
    assert!(house.report().is_sound());
}

#[test]
fn what_was_never_sealed_can_be_erased_too() {
    let house = House::new(10);
    house.writer_with(None).record((0..5).map(plain));
    house.session((5..8).map(plain));
    erase(house.data.path(), plain(2).id, "test", &house.sealing(), &*house.clock).unwrap();
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.not_covered, report.erased, report.intact), (4, 1, 3));
}

#[test]
fn rows_go_on_while_nothing_can_be_sealed_and_are_sealed_later() {
    let house = House::new(5);
    let mut still = house.writer();
    still.record((0..7).map(plain));
    let db = house.db();
    db.execute_batch(
        "CREATE TRIGGER no BEFORE INSERT ON chain BEGIN SELECT raise(ABORT, 'disk on fire'); END",
    )
    .unwrap();
    for nth in 7..100 {
        still.recorder.record(plain(nth));
        while still.writer.flush() {}
        still.writer.seal();
    }
    assert!(still.recorder.health().last_error.unwrap().contains("could not seal"));
    assert_eq!((house.report().intact, house.report().tail), (5, 95));
    db.execute_batch("DROP TRIGGER no").unwrap();
    still.record((100..103).map(plain));
    still.writer.end();
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.intact, report.tail, report.crashes_total), (103, 0, 0));
}

#[test]
fn a_server_seals_by_itself_while_it_runs() {
    let house = House::new(50);
    let ledger = house.open();
    super::super::samples::record(&ledger, (0..120).map(plain));
    for _ in 0..2000 {
        if house.report().segments == 2 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((house.report().intact, house.report().tail), (100, 20));
}
