//! Whatever somebody does to a sealed ledger without the key is found.

use proptest::prelude::*;
use proptest::sample::Index;
use rusqlite::types::Value;
use serde_json::json;

use super::super::samples::{as_told, plain, routed};
use super::House;
use super::keeping::exported;
use crate::seal::digest;
use crate::{Fault, Report, SigningKey, Trust};

/// A sealed ledger of everything: forms, extra texts, gaps, an erasure, two starts.
fn sealed() -> House {
    let house = House::new(8);
    let mut still = house.writer();
    still.record((0..21).map(|nth| {
        let mut exchange = plain(nth * 400_000);
        if nth % 3 == 0 {
            exchange.caller.end_user = Some(format!("user {nth}").into());
            exchange.caller.application = format!("app {nth}").into();
            let edits = vec![pilothouse_core::exchange::Note::code("set:model")];
            exchange.receipt =
                Some(Box::new(pilothouse_core::exchange::Receipt { edits, ..Default::default() }));
        }
        if nth % 3 == 1 {
            let (routed, settlement) = routed(nth);
            exchange.receipt = as_told(&routed, Some(settlement)).receipt;
        }
        exchange
    }));
    (0..4).for_each(|nth| still.recorder.shared.overflow.count(&plain(nth * 60_000)));
    still.record([]);
    still.writer.end();
    drop(still);
    crate::erase(house.data.path(), plain(400_000).id, "test", &house.sealing(), &*house.clock).unwrap();
    house.session((30..40).map(plain));
    let report = house.report();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.intact, report.dropped, report.erased), (30, 4, 1));
    house
}

/// Every column that reports, receipts or the check itself read, but for numbers that name rows.
const COLUMNS: &[(&str, &[&str])] = &[
    ("exchange", &["started_ms", "form", "detail", "extra"]),
    (
        "form",
        &[
            "key",
            "application",
            "asked",
            "vendor",
            "model",
            "price",
            "outcome",
            "flags",
            "status",
            "answer_model",
            "tier",
            "shape",
            "changes",
            "receipt",
        ],
    ),
    ("name", &["text"]),
    ("gap", &["first_ms", "last_ms", "exchanges", "input", "output", "priced", "cost"]),
    (
        "rollup",
        &[
            "hour",
            "key",
            "application",
            "vendor",
            "model",
            "price",
            "class",
            "exchanges",
            "priced",
            "cost",
            "input",
            "cache_read",
            "cache_write_5m",
            "cache_write_1h",
            "input_audio",
            "output",
            "reasoning",
            "output_audio",
            "estimated_output",
            "estimates",
            "estimates_priced",
            "estimated_cost",
            "total_us",
            "hits",
            "saved",
        ],
    ),
    ("zone", &["rows"]),
    ("chain", &["number", "entry", "signature"]),
    ("leaves", &["digests"]),
];

/// Another value of the same kind, or of none.
fn altered(value: Value, how: Index) -> Value {
    match value {
        Value::Null => Value::Text("x".to_owned()),
        Value::Integer(number) if how.index(4) == 0 => Value::Integer(number ^ 1 << how.index(40)),
        Value::Integer(number) => Value::Integer(number + 1000),
        Value::Real(_) => Value::Null,
        Value::Text(text) => {
            let mut chars: Vec<char> = text.chars().collect();
            let place = how.index(chars.len().max(1));
            match chars.get_mut(place) {
                Some(one) => *one = if *one == 'q' { 'r' } else { 'q' },
                None => chars.push('q'),
            }
            Value::Text(chars.into_iter().collect())
        }
        Value::Blob(mut bytes) => {
            let bit = how.index(bytes.len().max(1) * 8);
            match bytes.get_mut(bit / 8) {
                Some(byte) => *byte ^= 1 << (bit % 8),
                None => bytes.push(0),
            }
            Value::Blob(bytes)
        }
    }
}

/// Alters one value somewhere; says where.
fn alter(house: &House, (table, column, row, how): (Index, Index, Index, Index)) -> String {
    let db = house.db();
    let (table, columns) = COLUMNS[table.index(COLUMNS.len())];
    let column = columns[column.index(columns.len())];
    // The name that stands for names beyond the bounds is used by none here.
    let which = if table == "name" { "WHERE id > 1" } else { "" };
    let count: i64 =
        db.query_row(&format!("SELECT count(*) FROM {table} {which}"), [], |row| row.get(0)).unwrap();
    let offset = row.index(usize::try_from(count).unwrap());
    let (key, values) = if table == "rollup" {
        ("hour || '/' || key || '/' || application || '/' || class", "")
    } else {
        ("rowid", "")
    };
    let (key_value, value): (Value, Value) = db
        .query_row(
            &format!("SELECT {key}, {column}{values} FROM {table} {which} LIMIT 1 OFFSET {offset}"),
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let new = altered(value.clone(), how);
    let changed = db
        .execute(&format!("UPDATE OR IGNORE {table} SET {column} = ?1 WHERE {key} = ?2"), (&new, &key_value))
        .unwrap();
    assert!(changed <= 1);
    if changed == 0 {
        // Another row has that key: take this one away instead.
        assert_eq!(db.execute(&format!("DELETE FROM {table} WHERE {key} = ?1"), [&key_value]).unwrap(), 1);
    }
    format!("{table}.{column} of row {offset}: {value:?} became {new:?}")
}

#[test]
fn any_value_that_is_altered_anywhere_is_found() {
    let house = sealed();
    let copy = house.copy();
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let places = any::<(Index, Index, Index, Index)>();
    runner
        .run(&places, |place| {
            house.put_back(&copy);
            let what = alter(&house, place);
            let report = house.report();
            prop_assert!(!report.is_sound(), "{what}: {report:?}");
            prop_assert!(report.altered + report.missing > 0 || report.bad_total > 0);
            Ok(())
        })
        .unwrap();
    house.put_back(&copy);
    assert!(house.report().is_sound());
}

#[test]
fn any_row_that_is_taken_away_is_found() {
    let house = sealed();
    let copy = house.copy();
    for (table, _) in COLUMNS {
        let which = if *table == "name" { "WHERE id > 1" } else { "" };
        let count: u32 = house
            .db()
            .query_row(&format!("SELECT count(*) FROM {table} {which}"), [], |row| row.get(0))
            .unwrap();
        for offset in 0..count {
            house.put_back(&copy);
            let key = if *table == "rollup" {
                "hour || '/' || key || '/' || application || '/' || class"
            } else {
                "rowid"
            };
            let gone = house.tamper(&format!(
                "DELETE FROM {table} WHERE {key} = (SELECT {key} FROM {table} {which} LIMIT 1 OFFSET {offset})"
            ));
            let report = house.report();
            assert!(gone == 1 && !report.is_sound(), "row {offset} of {table}: {report:?}");
        }
    }
}

/// The faults of a ledger to which this was done.
fn after(house: &House, sql: &str) -> Report {
    assert!(house.tamper(sql) > 0, "{sql} does nothing");
    house.report()
}

#[test]
fn a_receipt_that_is_gone_is_missing_and_its_neighbours_are_intact() {
    let house = sealed();
    let report = after(&house, "DELETE FROM exchange WHERE rowid = 12");
    assert_eq!((report.missing, report.intact, report.altered), (1, 29, 0));
    let bad = &report.bad[0];
    assert_eq!((bad.fault, bad.segment, bad.receipt), (Fault::Missing, Some(2), Some((1, 12))));
}

#[test]
fn a_receipt_that_was_altered_is_told_by_its_exchange() {
    let house = sealed();
    let report = after(&house, "UPDATE exchange SET started_ms = started_ms + 1 WHERE rowid = 3");
    assert_eq!((report.missing, report.intact, report.altered), (0, 29, 1));
    assert_eq!(report.bad[0].exchange, Some(plain(2 * 400_000).id));
}

#[test]
fn words_and_what_fills_them_are_found_altered_in_every_way() {
    let house = sealed();
    let copy = house.copy();
    let altered = |sql: &str| {
        house.put_back(&copy);
        after(&house, sql).altered
    };
    let told = "typeof(extra) = 'blob'";
    let own: u32 = house
        .db()
        .query_row(&format!("SELECT count(*) FROM exchange WHERE {told}"), [], |row| row.get(0))
        .unwrap();
    assert_eq!(own, 7 - 1, "one was erased");
    let own = u64::from(own);
    assert_eq!(altered("UPDATE form SET receipt = replace(receipt, 'set aside', 'set free')"), own);
    assert_eq!(altered("UPDATE form SET receipt = NULL"), own);
    assert_eq!(altered("UPDATE form SET receipt = 'x' WHERE receipt IS NULL AND changes IS NOT NULL"), 7);
    assert_eq!(altered(&format!("UPDATE exchange SET extra = extra || x'00' WHERE {told}")), own);
    assert_eq!(altered(&format!("UPDATE exchange SET extra = CAST(extra AS TEXT) WHERE {told}")), own);
    assert_eq!(altered(&format!("UPDATE exchange SET extra = NULL WHERE {told}")), own);
    assert_eq!(altered("UPDATE exchange SET extra = CAST(extra AS BLOB) WHERE typeof(extra) = 'text'"), 7);
}

#[test]
fn receipts_that_changed_places_are_altered() {
    let house = sealed();
    let db = house.db();
    db.execute_batch(
        "UPDATE exchange SET rowid = -5 WHERE rowid = 3; UPDATE exchange SET rowid = 3 WHERE rowid = 4;
         UPDATE exchange SET rowid = 4 WHERE rowid = -5;",
    )
    .unwrap();
    assert_eq!(house.report().altered, 2);
}

#[test]
fn rows_that_were_put_in_are_altered_wherever_they_are() {
    let house = sealed();
    let copy = house.copy();
    // Before the first, in place of the erased one, behind the last.
    for row in ["-7", "0", "2", "500"] {
        house.put_back(&copy);
        let insert = format!(
            "INSERT INTO exchange (rowid, started_ms, form, detail, extra) \
             SELECT {row}, started_ms, form, detail, extra FROM exchange WHERE rowid = 5"
        );
        let report = after(&house, &insert);
        assert_eq!((report.altered, report.is_sound()), (1, false), "row {row}: {report:?}");
    }
}

#[test]
fn rows_of_an_expired_segment_cannot_come_back() {
    let house = House { keep_days: Some(1), ..House::new(4) };
    let mut still = house.writer();
    still.record((0..8).map(plain));
    house.db().execute_batch("CREATE TABLE saved AS SELECT rowid AS row, * FROM exchange").unwrap();
    house.clock.advance(3 * 24 * 3_600_000);
    while still.writer.prune() {}
    still.writer.end();
    assert_eq!((house.report().expired, house.report().is_sound()), (8, true));
    let report = after(
        &house,
        "INSERT INTO exchange (rowid, started_ms, form, detail, extra) \
         SELECT row, started_ms, form, detail, extra FROM saved WHERE row = 6",
    );
    assert_eq!((report.altered, report.is_sound()), (1, false));
}

#[test]
fn a_server_cannot_be_made_to_expire_what_is_not_old() {
    let house = sealed();
    let copy = house.copy();
    for sql in [
        "UPDATE chain SET entry = replace(entry, '\"last_at_ms\":17', '\"last_at_ms\":0')",
        "UPDATE zone SET min_ms = 0, max_ms = 0",
        "UPDATE leaves SET first_row = first_row - 1 WHERE first_row > 1",
        "UPDATE leaves SET entry = 1",
    ] {
        house.put_back(&copy);
        house.tamper(sql);
        let house = House { keep_days: Some(3), ..house_like(&house) };
        let mut still = house.writer();
        while still.writer.prune() {}
        still.writer.end();
        let report = house.report();
        assert_eq!(report.expired, 0, "{sql}: {report:?}");
    }
}

/// Another server on the same folders.
fn house_like(house: &House) -> House {
    let twin = House::new(house.segment_rows);
    let copy = house.copy();
    std::fs::copy(house.safe.path().join("key"), twin.safe.path().join("key")).unwrap();
    twin.put_back(&copy);
    twin
}

#[test]
fn numbers_of_rows_that_somebody_took_away_are_not_used_again() {
    let house = House::new(8);
    house.session((0..40).map(plain));
    for sql in ["DELETE FROM exchange WHERE rowid > 10", "UPDATE zone SET last_row = 10, rows = 10"] {
        house.tamper(sql);
    }
    house.session((40..50).map(plain));
    let report = house.report();
    assert_eq!((report.missing, report.intact, report.altered), (30, 20, 0), "{report:?}");
}

#[test]
fn taking_rows_away_as_if_they_had_expired_is_missing() {
    let house = sealed();
    house.tamper("DELETE FROM leaves WHERE first_row = 1");
    let report = after(&house, "DELETE FROM exchange WHERE rowid <= 8");
    assert_eq!((report.missing, report.expired), (7, 0), "one of the eight was erased");
}

#[test]
fn a_chain_that_is_cut_at_its_end_is_missing_what_the_head_file_or_the_roots_know() {
    let house = sealed();
    let roots = exported(&house);
    let cut = "DELETE FROM chain WHERE number > (SELECT max(number) - 3 FROM chain)";
    house.tamper("DELETE FROM exchange WHERE rowid > 21");
    house.tamper("DELETE FROM leaves WHERE first_row > 21");
    let report = after(&house, cut);
    assert!(!report.is_sound());
    assert!(report.bad.iter().any(|bad| bad.what.contains("the head file knows entry")), "{report:?}");
    let no_head = Trust { head: None, ..house.trust() };
    let report = house.report_with(&Trust { roots: Some(roots), ..no_head });
    assert!(
        report.bad.iter().any(|bad| bad.what.contains("known from the roots kept elsewhere")),
        "{report:?}"
    );
}

#[test]
fn an_older_copy_that_is_put_back_stays_missing_after_servers_went_on() {
    let house = House::new(8);
    house.session((0..20).map(plain));
    let old = house.copy();
    house.session((20..60).map(plain));
    let head = std::fs::read(house.head()).unwrap();
    house.put_back(&old);
    std::fs::write(house.head(), head).unwrap();
    let report = house.report();
    assert_eq!((report.missing, report.intact, report.is_sound()), (40, 20, false), "{report:?}");
    house.session((60..70).map(plain));
    house.session((70..80).map(plain));
    let report = house.report();
    assert_eq!((report.missing, report.intact, report.is_sound()), (40, 40, false), "{report:?}");
}

#[test]
fn a_chain_that_somebody_signs_with_another_key_is_not_trusted() {
    let house = sealed();
    let (other, _) = SigningKey::read_or_make(&house.safe.path().join("other")).unwrap();
    let db = house.db();
    let mut select = db.prepare("SELECT number, entry FROM chain ORDER BY number").unwrap();
    let entries: Vec<(i64, String)> =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    let mut previous = digest::Digest::default();
    for (number, text) in &entries {
        let mut entry: serde_json::Value = serde_json::from_str(text).unwrap();
        entry["key"] = json!(other.public());
        entry["previous"] = json!(previous);
        let text = entry.to_string();
        previous = digest::entry(&text);
        let signature = other.sign(&text);
        db.execute(
            "UPDATE chain SET entry = ?1, signature = ?2 WHERE number = ?3",
            (&text, signature.as_slice(), number),
        )
        .unwrap();
    }
    let report = house.report();
    assert_eq!((report.intact, report.altered, report.is_sound()), (0, 30, false), "{report:?}");
    assert!(report.bad[1].what.contains("which is not trusted"), "{report:?}");
    // Whoever trusts that key sees a chain that is whole: this is what a key that was replaced on purpose looks like.
    let trust = Trust { keys: vec![other.public()], head: None, roots: None };
    assert!(house.report_with(&trust).is_sound());
    // Roots kept elsewhere tell the two apart.
}

#[test]
fn roots_kept_elsewhere_find_a_ledger_that_was_made_anew_with_the_stolen_key() {
    let house = House::new(8);
    house.session((0..20).map(plain));
    let roots = exported(&house);
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = std::fs::remove_file(house.data.path().join(name));
    }
    std::fs::remove_file(house.head()).unwrap();
    house.session((100..120).map(plain));
    assert!(house.report().is_sound(), "with store, key and head file anything can be made");
    let report = house.report_with(&Trust { roots: Some(roots), ..house.trust() });
    assert!(
        report.bad.iter().any(|bad| bad.what.contains("is not the one that was kept elsewhere")),
        "{report:?}"
    );
}

#[test]
fn a_head_file_that_was_altered_or_is_gone_is_told() {
    let house = sealed();
    let text = std::fs::read_to_string(house.head()).unwrap();
    for altered in [
        text.replace("\"entry\": ", "\"entry\": 1"),
        "{}".to_owned(),
        text.replace("\"digest\": \"", "\"digest\": \"0"),
    ] {
        std::fs::write(house.head(), altered).unwrap();
        assert!(!house.report().is_sound());
    }
    std::fs::remove_file(house.head()).unwrap();
    let report = house.report();
    assert!(
        report.is_sound() && !report.has_head,
        "nothing in the store is wrong, and the report says what it lacks"
    );
}

#[test]
fn wild_numbers_in_what_is_not_yet_sealed_do_no_harm_to_the_check() {
    let house = House::new(100);
    let mut still = house.writer();
    still.record((0..30).map(plain));
    (0..4).for_each(|nth| still.recorder.shared.overflow.count(&plain(nth)));
    still.record([]);
    for sql in [
        "UPDATE gap SET first_ms = 0, last_ms = 9223372036854775807",
        "UPDATE zone SET last_row = 9223372036854775807",
        "UPDATE exchange SET started_ms = 'soon' WHERE rowid = 3",
        "UPDATE rollup SET exchanges = x'00'",
    ] {
        house.tamper(sql);
        house.report();
    }
    assert_eq!(house.report().tail, 30);
}

#[test]
fn rows_taken_from_the_unsealed_tail_are_missing() {
    let house = House::new(100);
    let mut still = house.writer();
    still.record((0..30).map(plain));
    let report = after(&house, "DELETE FROM exchange WHERE rowid = 11");
    assert_eq!((report.tail, report.missing, report.is_sound()), (29, 1, false));
    still.writer.end();
    assert_eq!((house.report().intact, house.report().missing), (29, 1));
}
