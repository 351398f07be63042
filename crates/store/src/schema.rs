//! The ledger's tables, their version, and the forward-only steps from each version to the next.
//!
//! A released step is never edited: a change of the tables is a new step at the end of [`MIGRATIONS`].

use std::path::Path;

use pilothouse_core::clock::Clock;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;

/// Marks the file as a ledger, in SQLite's header ("PLTH").
const APPLICATION_ID: i64 = 0x504C_5448;

/// One step from a schema version to the next.
pub(crate) struct Migration {
    /// What it brings, in a few words; kept in the file.
    pub(crate) name: &'static str,
    /// The statements, run in one transaction.
    pub(crate) sql: &'static str,
}

/// Every step, in order: the schema's version is how many of them have run.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { name: "exchanges and hourly totals", sql: V1 },
    Migration { name: "budgets, minted keys, audit", sql: BUDGETS_AND_KEYS },
    Migration { name: "sealed receipts", sql: SEALED_RECEIPTS },
    Migration { name: "answers from the cache", sql: CACHE_HITS },
    Migration { name: "temporary limits, budget alerts", sql: LIMITS_AND_ALERTS },
    Migration { name: "answers at their own targets", sql: ANSWERS },
    Migration { name: "words of receipts", sql: RECEIPT_WORDS },
    Migration { name: "shapes of requests", sql: SHAPES },
    Migration { name: "ends of models", sql: ENDS },
];

// An exchange is a row of `exchange` and, for all that it has in common with others, one of `form`.
// Columns without a type hold `Wide` integers or `Slot`s (a name's id, or the text itself).
// No index on `exchange`: rowid order is the order of writing, and `zone` says which times each block of
// 1,024 rowids covers. An index costs the writer a third more time per row (measured).
const V1: &str = "
CREATE TABLE name (
    id   INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (kind, text)
);
INSERT INTO name (id, kind, text) VALUES (1, 0, '(other)');

CREATE TABLE form (
    id INTEGER PRIMARY KEY,
    key, application, asked TEXT NOT NULL, vendor, model, price,
    outcome INTEGER NOT NULL, flags INTEGER NOT NULL, status INTEGER NOT NULL,
    answer_model TEXT, tier TEXT, changes TEXT
);

CREATE TABLE exchange (
    rowid INTEGER PRIMARY KEY,
    started_ms NOT NULL,
    form INTEGER NOT NULL,
    detail BLOB NOT NULL,
    extra TEXT
);

CREATE TABLE zone (
    zone INTEGER PRIMARY KEY,
    min_ms NOT NULL, max_ms NOT NULL,
    rows INTEGER NOT NULL, last_row INTEGER NOT NULL
);

CREATE TABLE rollup (
    hour INTEGER NOT NULL,
    key INTEGER NOT NULL, application INTEGER NOT NULL,
    vendor INTEGER NOT NULL, model INTEGER NOT NULL, price INTEGER NOT NULL,
    class INTEGER NOT NULL,
    exchanges NOT NULL, priced NOT NULL, cost NOT NULL,
    input NOT NULL, cache_read NOT NULL, cache_write_5m NOT NULL, cache_write_1h NOT NULL, input_audio NOT NULL,
    output NOT NULL, reasoning NOT NULL, output_audio NOT NULL,
    estimated_output NOT NULL, estimates NOT NULL, estimates_priced NOT NULL, estimated_cost NOT NULL,
    total_us NOT NULL,
    PRIMARY KEY (hour, key, application, vendor, model, price, class)
) WITHOUT ROWID;

CREATE TABLE gap (
    id INTEGER PRIMARY KEY,
    first_ms NOT NULL, last_ms NOT NULL,
    exchanges NOT NULL, input NOT NULL, output NOT NULL,
    priced NOT NULL, cost NOT NULL
);
";

// Money in whole pico-dollars, times in milliseconds since 1970. STRICT, so that no sum ever becomes a float.
const BUDGETS_AND_KEYS: &str = "
CREATE TABLE budget (
    id    INTEGER PRIMARY KEY,
    kind  INTEGER NOT NULL,
    scope TEXT NOT NULL,
    every INTEGER NOT NULL,
    UNIQUE (kind, scope, every)
) STRICT;

CREATE TABLE budget_period (
    budget INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
    has_begun INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0, over INTEGER NOT NULL DEFAULT 0,
    alerted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (budget, start_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE budget_holder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pid INTEGER NOT NULL, started_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE budget_lease (
    budget INTEGER NOT NULL, start_ms INTEGER NOT NULL, holder INTEGER NOT NULL,
    granted INTEGER NOT NULL, settled INTEGER NOT NULL, over INTEGER NOT NULL,
    PRIMARY KEY (budget, start_ms, holder)
) STRICT, WITHOUT ROWID;

CREATE TABLE budget_wish (
    budget INTEGER NOT NULL, start_ms INTEGER NOT NULL, holder INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (budget, start_ms, holder)
) STRICT, WITHOUT ROWID;

CREATE TABLE minted_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL, expires_ms INTEGER, revoked_ms INTEGER,
    grants TEXT NOT NULL
) STRICT;

CREATE TABLE minted_secret (
    digest BLOB PRIMARY KEY,
    key INTEGER NOT NULL,
    hint TEXT NOT NULL,
    created_ms INTEGER NOT NULL, expires_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
";

/// Opens the file for budgets and keys, beside the writer of exchanges and beside other processes. What is committed
/// through it survives the machine's loss of power too.
pub(crate) fn open_control(path: &Path, clock: &dyn Clock) -> Result<Connection, StoreError> {
    let db = open_writer(path, MIGRATIONS, clock)?;
    let failed = |cause: rusqlite::Error| refused(path, "open", cause);
    // The tests of this crate end processes, never the machine: they need not wait for the disk.
    let synchronous = if cfg!(test) { "OFF" } else { "FULL" };
    db.pragma_update(None, "synchronous", synchronous).map_err(failed)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

// An entry of `chain` is a signed text that names the one before by its digest. `leaves` has the digests of the
// receipts of each segment whose receipts are still kept; `erased` says which entry tells of an erased receipt.
const SEALED_RECEIPTS: &str = "
CREATE TABLE chain (
    number INTEGER PRIMARY KEY,
    entry TEXT NOT NULL,
    signature BLOB NOT NULL
);

CREATE TABLE leaves (
    first_row INTEGER PRIMARY KEY,
    last_row INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    digests BLOB NOT NULL
);

CREATE TABLE erased (
    row INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    entry INTEGER NOT NULL
);
";

// Exchanges that were answered from the cache, and what they saved.
const CACHE_HITS: &str = "
ALTER TABLE rollup ADD COLUMN hits NOT NULL DEFAULT 0;
ALTER TABLE rollup ADD COLUMN saved NOT NULL DEFAULT 0;
";

// `alert` is numbered without reuse, so that a reader's place in it stays its place.
const LIMITS_AND_ALERTS: &str = "
CREATE TABLE temporary_limit (
    name TEXT PRIMARY KEY,
    of TEXT NOT NULL, subject TEXT NOT NULL,
    rpm INTEGER, tpm INTEGER, concurrency INTEGER,
    created_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alert (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    kind INTEGER NOT NULL, scope TEXT NOT NULL, every INTEGER NOT NULL,
    start_ms INTEGER NOT NULL, per_mille INTEGER NOT NULL,
    spent INTEGER NOT NULL, cap INTEGER NOT NULL
) STRICT;
";

// Answers that were paid for and not passed on. Hours before it have them at the target of the answer that was.
const ANSWERS: &str = "
ALTER TABLE rollup ADD COLUMN answers NOT NULL DEFAULT 0;
";

// What receipts of a form have in common, with holes; their rows hold what fills these as bytes, and not a text.
const RECEIPT_WORDS: &str = "
ALTER TABLE form ADD COLUMN receipt TEXT;
";

// The shape of the requests of a form. Forms are few, and those of removed rows go with them.
const SHAPES: &str = "
ALTER TABLE form ADD COLUMN shape BLOB;
";

// Marks outlive the alerts that they were told by, which are bounded together with those of budgets.
const ENDS: &str = "
CREATE TABLE end_mark (
    target TEXT NOT NULL, ends_ms INTEGER NOT NULL, days INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (target, ends_ms, days)
) STRICT, WITHOUT ROWID;

CREATE TABLE end_conflict (
    target TEXT PRIMARY KEY,
    day TEXT, status INTEGER NOT NULL, said TEXT NOT NULL,
    first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE alert ADD COLUMN told TEXT;
";

/// Opens the file for the writer, made and brought forward as needed.
pub(crate) fn open_writer(
    path: &Path,
    migrations: &[Migration],
    clock: &dyn Clock,
) -> Result<Connection, StoreError> {
    let failed = |cause: rusqlite::Error| refused(path, "open", cause);
    let _opening = Opening::wait(path)?;
    let mut db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(failed)?;
    db.busy_timeout(std::time::Duration::from_secs(2)).map_err(failed)?;
    let found = version(&db, path)?;
    check_not_newer(&db, path, found, migrations)?;
    // Rows of the last moments may be lost when the machine loses power, never when the process dies:
    // NORMAL syncs at checkpoints only, and the file stays whole either way (https://sqlite.org/wal.html).
    db.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    db.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    db.pragma_update(None, "wal_autocheckpoint", 2000).map_err(failed)?;
    db.pragma_update(None, "journal_size_limit", 64 << 20).map_err(failed)?;
    migrate(&mut db, found, migrations, clock).map_err(failed)?;
    Ok(db)
}

/// Held while a file is opened for writing: two processes must not both find it empty and make its tables.
struct Opening {
    _dir: std::fs::File,
}

impl Opening {
    /// Locks the folder, which leaves no file behind.
    fn wait(path: &Path) -> Result<Self, StoreError> {
        let dir = path.parent().unwrap_or(path);
        let failed = |cause| StoreError::failed(dir, "lock", cause);
        let file = std::fs::File::open(dir).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self { _dir: file })
    }
}

/// Opens the file for reading only, beside a writer of another process or without one.
pub(crate) fn open_reader(path: &Path, migrations: &[Migration]) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let failed = |cause: rusqlite::Error| refused(path, "read", cause);
    let db =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(failed)?;
    db.busy_timeout(std::time::Duration::from_secs(2)).map_err(failed)?;
    let found = version(&db, path)?;
    check_not_newer(&db, path, found, migrations)?;
    match (found, count(migrations)) {
        // A server that is killed between making the file and its tables leaves it empty.
        (0, _) => Err(StoreError::Missing { path: path.to_owned() }),
        (found, known) if found < known => Err(StoreError::Older { path: path.to_owned(), found, known }),
        _ => Ok(db),
    }
}

/// Opens the file to change single rows beside a writer of another process or without one; what is removed is
/// overwritten.
pub(crate) fn open_editor(path: &Path, migrations: &[Migration]) -> Result<Connection, StoreError> {
    // The same refusals, before anything may be changed.
    drop(open_reader(path, migrations)?);
    let failed = |cause: rusqlite::Error| refused(path, "change", cause);
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(failed)?;
    db.busy_timeout(std::time::Duration::from_secs(10)).map_err(failed)?;
    db.pragma_update(None, "secure_delete", "ON").map_err(failed)?;
    Ok(db)
}

fn count(migrations: &[Migration]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

fn check_not_newer(
    db: &Connection,
    path: &Path,
    found: u32,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let known = count(migrations);
    if found <= known {
        return Ok(());
    }
    let written_by = db
        .query_row("SELECT written_by FROM schema ORDER BY version DESC LIMIT 1", [], |row| row.get(0))
        .unwrap_or_else(|_| "of a later version".to_owned());
    Err(StoreError::Newer { path: path.to_owned(), found, known, written_by })
}

/// The schema's version; 0 for an empty file.
fn version(db: &Connection, path: &Path) -> Result<u32, StoreError> {
    let failed = |cause: rusqlite::Error| refused(path, "read", cause);
    let mark: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(failed)?;
    if mark != APPLICATION_ID {
        // An empty database is one that we (or `touch`) just made; any other belongs to somebody else.
        let foreign = mark != 0 || tables > 0;
        return if foreign { Err(StoreError::NotALedger { path: path.to_owned() }) } else { Ok(0) };
    }
    db.query_row("SELECT coalesce(max(version), 0) FROM schema", [], |row| row.get(0)).map_err(failed)
}

fn migrate(
    db: &mut Connection,
    found: u32,
    migrations: &[Migration],
    clock: &dyn Clock,
) -> rusqlite::Result<()> {
    for (migration, version) in migrations.iter().zip(1u32..).filter(|(_, version)| *version > found) {
        let step = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        if version == 1 {
            step.pragma_update(None, "application_id", APPLICATION_ID)?;
            step.execute_batch(
                "CREATE TABLE schema (version INTEGER PRIMARY KEY, name TEXT NOT NULL, \
                 written_by TEXT NOT NULL, applied_ms INTEGER NOT NULL)",
            )?;
        }
        step.execute_batch(migration.sql)?;
        step.execute(
            "INSERT INTO schema (version, name, written_by, applied_ms) VALUES (?1, ?2, ?3, ?4)",
            (version, migration.name, env!("CARGO_PKG_VERSION"), clock.now().0.cast_signed()),
        )?;
        step.commit()?;
    }
    Ok(())
}

/// The database's refusal as our error: a file that SQLite cannot read is not a ledger.
pub(crate) fn refused(path: &Path, doing: &'static str, cause: rusqlite::Error) -> StoreError {
    match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::NotALedger { path: path.to_owned() },
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            StoreError::Damaged { path: path.to_owned(), what: cause.to_string() }
        }
        _ => StoreError::failed(path, doing, cause),
    }
}
