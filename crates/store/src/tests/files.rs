//! Files: versions, owners, other people's files, old rows.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pilothouse_core::clock::{Clock, ManualClock, UnixMs};
use pilothouse_core::exchange::Exchange;
use pilothouse_core::shape::Shape;

use super::samples::{NOON, ledger, plain, record, shape};
use crate::form::EPOCH_BITS;
use crate::schema::{self, MIGRATIONS, Migration};
use crate::{By, Filter, LEDGER_FILE, Ledger, Options, Reader, ServerInfo, StoreError, Trace, UsageQuery};

/// The steps of this build and one more, as a later build would have them.
fn later_migrations() -> Vec<Migration> {
    let ours = MIGRATIONS.iter().map(|step| Migration { name: step.name, sql: step.sql });
    let next = Migration {
        name: "notes on exchanges",
        sql: "CREATE TABLE remark (id BLOB, text TEXT); ALTER TABLE gap ADD COLUMN reason TEXT;",
    };
    ours.chain([next]).collect()
}

/// The version that this build writes.
fn ours() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap()
}

fn version(dir: &Path) -> u32 {
    let db = rusqlite::Connection::open(dir.join(LEDGER_FILE)).unwrap();
    db.query_row("SELECT max(version) FROM schema", [], |row| row.get(0)).unwrap()
}

#[test]
fn an_older_ledger_is_brought_forward_with_all_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let old = ledger(dir.path());
    record(&old, (0..100).map(plain));
    old.close().unwrap();
    let steps = later_migrations();
    let new = Ledger::open_with(dir.path(), Options::default(), &steps).unwrap();
    record(&new, (100..200).map(plain));
    new.close().unwrap();
    assert_eq!(version(dir.path()), ours() + 1);
    let db = schema::open_reader(&dir.path().join(LEDGER_FILE), &steps).unwrap();
    let rows: i64 = db.query_row("SELECT count(*) FROM exchange", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 200);
    db.query_row("SELECT count(*) FROM remark", [], |row| row.get::<_, i64>(0)).unwrap();
}

#[test]
fn a_newer_ledger_is_refused_untouched_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    Ledger::open_with(dir.path(), Options::default(), &later_migrations()).unwrap().close().unwrap();
    let file = dir.path().join(LEDGER_FILE);
    let before = fs::read(&file).unwrap();
    for refusal in
        [Ledger::open(dir.path(), Options::default()).unwrap_err(), Reader::open(dir.path()).unwrap_err()]
    {
        let StoreError::Newer { found, known, .. } = refusal else { panic!("{refusal:?}") };
        assert_eq!((found, known), (ours() + 1, ours()));
        let text = refusal.to_string();
        let versions = [format!("version {found}"), format!("up to {known}")];
        let said = [file.to_str().unwrap(), "Nothing was changed", "pilothouse serve --data"];
        for part in said.into_iter().chain(versions.iter().map(String::as_str)) {
            assert!(text.contains(part), "`{part}` is not in: {text}");
        }
    }
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_reader_never_changes_an_older_ledger() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path()).close().unwrap();
    let refusal = schema::open_reader(&dir.path().join(LEDGER_FILE), &later_migrations()).unwrap_err();
    let StoreError::Older { found, known, .. } = refusal else { panic!("{refusal:?}") };
    assert_eq!((found, known), (ours(), ours() + 1));
    assert!(refusal.to_string().contains("`pilothouse serve`"), "{refusal}");
    assert_eq!(version(dir.path()), ours());
}

#[test]
fn a_step_that_fails_leaves_the_ledger_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path()).close().unwrap();
    let mut steps = later_migrations();
    steps.last_mut().unwrap().sql = "CREATE TABLE remark (id); CREATE TABLE remark (id);";
    Ledger::open_with(dir.path(), Options::default(), &steps).unwrap_err();
    assert_eq!(version(dir.path()), ours());
    let still = ledger(dir.path());
    record(&still, [plain(0)]);
}

#[test]
fn somebody_elses_file_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(LEDGER_FILE);
    rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE music (title)").unwrap();
    let before = fs::read(&file).unwrap();
    for refusal in
        [Ledger::open(dir.path(), Options::default()).unwrap_err(), Reader::open(dir.path()).unwrap_err()]
    {
        assert!(matches!(refusal, StoreError::NotALedger { .. }), "{refusal:?}");
    }
    assert_eq!(fs::read(&file).unwrap(), before);
    fs::write(&file, "These are the notes of a meeting. ".repeat(40)).unwrap();
    let refusal = Ledger::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(refusal, StoreError::NotALedger { .. }), "{refusal:?}");
}

#[test]
fn a_missing_ledger_says_how_to_make_one_and_makes_none() {
    let dir = tempfile::tempdir().unwrap();
    let refusal = Reader::open(&dir.path().join("nowhere")).unwrap_err().to_string();
    assert!(refusal.contains("nowhere") && refusal.contains("`pilothouse serve`"), "{refusal}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_shows_whether_its_ledger_is_there_or_gone_or_never_was() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    assert_eq!(Trace::of(&data), Trace::Absent);
    fs::create_dir(&data).unwrap();
    assert_eq!(Trace::of(&data), Trace::Absent, "an empty folder, such as a volume that was just made");
    ledger(&data).close().unwrap();
    assert_eq!(Trace::of(&data), Trace::Present);
    fs::write(data.join(LEDGER_FILE), "").unwrap();
    assert_eq!(Trace::of(&data), Trace::Lost, "nothing is left in it");
    fs::remove_file(data.join(LEDGER_FILE)).unwrap();
    assert_eq!(Trace::of(&data), Trace::Lost);
}

#[test]
fn a_second_server_on_the_same_folder_is_refused_and_told_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let first = ledger(dir.path());
    let info = ServerInfo { pid: 4141, url: "http://127.0.0.1:4141".to_owned(), started: UnixMs(NOON) };
    info.write(dir.path()).unwrap();
    assert_eq!(ServerInfo::read(dir.path()).unwrap(), Some(info.clone()));
    let refusal = Ledger::open(dir.path(), Options::default()).unwrap_err();
    let StoreError::Busy { server, .. } = &refusal else { panic!("{refusal:?}") };
    assert_eq!(server.as_ref(), Some(&info));
    let text = refusal.to_string();
    for part in ["4141", "http://127.0.0.1:4141", "--data DIR"] {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
    first.close().unwrap();
    ledger(dir.path()).close().unwrap();
}

#[test]
fn what_a_dead_server_left_behind_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let first = ledger(dir.path());
    ServerInfo { pid: std::process::id(), url: "http://127.0.0.1:1".to_owned(), started: UnixMs(NOON) }
        .write(dir.path())
        .unwrap();
    assert!(ServerInfo::read(dir.path()).unwrap().is_some());
    drop(first);
    assert_eq!(ServerInfo::read(dir.path()).unwrap(), None);
    ServerInfo::remove(dir.path()).unwrap();
    ServerInfo::remove(dir.path()).unwrap();
    assert_eq!(ServerInfo::read(&dir.path().join("nowhere")).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn folder_and_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let ledger = ledger(&data);
    record(&ledger, [plain(0)]);
    ServerInfo { pid: 1, url: String::new(), started: UnixMs(0) }.write(&data).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(
        names,
        ["ledger.lock", "ledger.sqlite", "ledger.sqlite-shm", "ledger.sqlite-wal", "server.json"]
    );
}

#[test]
fn closing_leaves_one_file_that_can_be_copied() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    record(&ledger, (0..10).map(plain));
    ledger.close().unwrap();
    let copy = tempfile::tempdir().unwrap();
    fs::copy(dir.path().join(LEDGER_FILE), copy.path().join(LEDGER_FILE)).unwrap();
    assert_eq!(Reader::open(copy.path()).unwrap().exchanges(&Filter::default()).unwrap().len(), 10);
}

#[test]
fn old_rows_are_removed_in_blocks_and_their_totals_stay() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(UnixMs(NOON)));
    let options = || Options {
        keep_days: Some(2),
        flush_interval: Duration::from_millis(1),
        clock: clock.clone(),
        ..Options::default()
    };
    let ledger = Ledger::open(dir.path(), options()).unwrap();
    record(&ledger, (0..5000).map(plain));
    let reader = Reader::open(dir.path()).unwrap();
    let last = reader.last_rowid().unwrap();
    clock.advance(3 * 24 * 3_600_000);
    // The writer removes blocks while it is idle.
    for _ in 0..2000 {
        if reader.stats().unwrap().exchanges == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(reader.stats().unwrap().exchanges, 0);
    assert_eq!(reader.exchanges(&Filter { limit: 9999, ..Filter::default() }).unwrap(), []);
    let all = UsageQuery { by: By::Key, since: None, until: None };
    assert_eq!(reader.usage(&all).unwrap().total.exchanges, 5000);
    ledger.close().unwrap();
    let again = Ledger::open(dir.path(), options()).unwrap();
    record(&again, [Exchange { started_at: clock.now(), ..plain(5000) }]);
    assert_eq!(reader.last_rowid().unwrap(), last + 1, "a row's number is never used twice");
}

/// Rows of the table.
fn count(dir: &Path, table: &str) -> i64 {
    let db = rusqlite::Connection::open(dir.join(LEDGER_FILE)).unwrap();
    db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn what_old_rows_shared_is_removed_with_the_last_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(UnixMs(NOON)));
    let options = Options {
        queue_capacity: 100_000,
        keep_days: Some(2),
        flush_interval: Duration::from_millis(1),
        clock: clock.clone(),
        ..Options::default()
    };
    let ledger = Ledger::open(dir.path(), options).unwrap();
    let epoch = 1 << EPOCH_BITS;
    // Both kinds begin anew in the second epoch, and a third is only there.
    let nth = |nth: u64| {
        let kind = if nth < epoch { nth % 2 } else { nth % 3 };
        Exchange { status: 200 + kind as u16, ..plain(nth) }
    };
    record(&ledger, (0..epoch + 3000).map(nth));
    assert_eq!(count(dir.path(), "form"), 2 + 3);
    let reader = Reader::open(dir.path()).unwrap();
    for known in [0, epoch - 2, epoch - 1, epoch, epoch + 1, epoch + 2999] {
        assert_eq!(reader.exchange(nth(known).id).unwrap(), Some(nth(known)));
    }
    clock.advance(3 * 24 * 3_600_000);
    for _ in 0..4000 {
        if reader.stats().unwrap().exchanges == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(
        (reader.stats().unwrap().exchanges, reader.exchange(nth(epoch + 2999).id).unwrap()),
        (0, None)
    );
    // The writer still refers to the forms of the newest epoch.
    assert_eq!(count(dir.path(), "form"), 3);
    let young = Exchange { started_at: clock.now(), ..nth(epoch + 3000) };
    record(&ledger, [young.clone()]);
    assert_eq!(reader.exchange(young.id).unwrap(), Some(young));
}

#[test]
fn exchanges_alike_share_what_they_have_in_common_and_a_new_start_repeats_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = ledger(dir.path());
    record(&first, (0..100).map(plain));
    assert_eq!(count(dir.path(), "form"), 1);
    first.close().unwrap();
    let second = ledger(dir.path());
    record(&second, (100..200).map(plain));
    assert_eq!(count(dir.path(), "form"), 2);
    let reader = Reader::open(dir.path()).unwrap();
    let rows = reader.exchanges(&Filter { after_rowid: Some(0), limit: 999, ..Filter::default() }).unwrap();
    assert!(rows.iter().zip(0..).all(|(row, nth)| row.exchange == plain(nth)));
    assert_eq!(rows.len(), 200);
}

#[test]
fn more_forms_than_are_remembered_are_all_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let nth = |nth: u64| Exchange { asked: format!("made-up-{}", nth % 9000).into(), ..plain(nth) };
    record(&ledger, (0..18_000).map(nth));
    let reader = Reader::open(dir.path()).unwrap();
    let rows =
        reader.exchanges(&Filter { after_rowid: Some(0), limit: 20_000, ..Filter::default() }).unwrap();
    assert_eq!(rows.len(), 18_000);
    assert!(rows.iter().zip(0..).all(|(row, count)| row.exchange == nth(count)));
    let all = UsageQuery { by: By::Key, since: None, until: None };
    assert_eq!(reader.usage(&all).unwrap().total.exchanges, 18_000);
}

/// Bytes of a ledger with so many exchanges, each with the shape of its number.
fn bytes_with(count: u64, shape: impl Fn(u64) -> Option<Shape>) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    record(&ledger, (0..count).map(|nth| Exchange { shape: shape(nth), ..plain(nth) }));
    let reader = Reader::open(dir.path()).unwrap();
    let rows =
        reader.exchanges(&Filter { after_rowid: Some(0), limit: 50_000, ..Filter::default() }).unwrap();
    assert!(rows.iter().zip(0..).all(|(row, nth)| row.exchange.shape == shape(nth)));
    ledger.close().unwrap();
    fs::metadata(dir.path().join(LEDGER_FILE)).unwrap().len()
}

#[test]
fn a_shape_that_comes_again_costs_nothing_and_a_new_one_less_than_its_bound() {
    let count = 20_000;
    let without = bytes_with(count, |_| None);
    let again = bytes_with(count, |nth| Some(shape(i64::try_from(nth % 40).unwrap())));
    assert!(again < without + 2 * count, "{again} bytes, {without} without shapes");
    let always_new =
        bytes_with(count, |nth| Some(shape(i64::try_from(nth % 1000 + 1000 * (nth % 97)).unwrap())));
    assert!(always_new < without + 200 * count, "{always_new} bytes, {without} without shapes");
}

#[test]
fn a_shape_of_a_later_version_leaves_its_row_readable() {
    let dir = tempfile::tempdir().unwrap();
    let first = ledger(dir.path());
    record(&first, [plain(1)]);
    first.close().unwrap();
    let db = rusqlite::Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
    db.execute("UPDATE form SET shape = x'ff0102'", []).unwrap();
    let rows = Reader::open(dir.path()).unwrap().exchanges(&Filter::default()).unwrap();
    assert_eq!(rows[0].exchange, Exchange { shape: None, ..plain(1) });
}
