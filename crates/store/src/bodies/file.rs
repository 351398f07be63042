//! The file of bodies beside the ledger: its tables, and what is written to and removed from them.

use std::path::{Path, PathBuf};

use pilothouse_core::clock::UnixMs;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::sealing::{Address, BodyKey, Sealed, Sealer};
use super::{BODIES_FILE, BodyGap, Erase, Kept};
use crate::error::StoreError;
use crate::folder;
use crate::schema::refused;

/// Marks the file in SQLite's header ("PLTB").
const APPLICATION_ID: i64 = 0x504C_5442;
/// The newest form of the tables that this build knows.
const VERSION: i64 = 1;

/// What a row and its places in the indexes take besides the bodies, in bytes, about.
const ROW_BYTES: u64 = 400;

/// Losses that follow each other within this time are one gap.
const SAME_GAP_MS: u64 = 10_000;

/// Rows that are removed in one transaction, so that a writer with much to remove does not keep others waiting.
const REMOVED_AT_ONCE: usize = 256;

// A body is found by its exchange, or by a tag of its response's id that only the key can make. Nothing of a message
// stands here unsealed; `key` is the name of the caller's key, which the ledger has too.
const V1: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE blob (
    address BLOB PRIMARY KEY,
    length INTEGER NOT NULL, stored INTEGER NOT NULL,
    sealed BLOB NOT NULL
);
CREATE TABLE body (
    exchange BLOB PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    key TEXT NOT NULL, user BLOB, response BLOB,
    dialect TEXT NOT NULL, holder TEXT,
    status INTEGER NOT NULL, streamed INTEGER NOT NULL, whole INTEGER NOT NULL,
    request BLOB NOT NULL, answer BLOB NOT NULL, lost_part BLOB
);
CREATE INDEX blob_stored ON blob (stored);
CREATE INDEX body_at ON body (at_ms);
CREATE INDEX body_key ON body (key);
CREATE INDEX body_user ON body (user) WHERE user IS NOT NULL;
CREATE INDEX body_response ON body (response) WHERE response IS NOT NULL;
CREATE INDEX body_request ON body (request);
CREATE INDEX body_answer ON body (answer);
CREATE INDEX body_lost_part ON body (lost_part) WHERE lost_part IS NOT NULL;
CREATE TABLE gap (
    id INTEGER PRIMARY KEY,
    first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, exchanges INTEGER NOT NULL
);
";

/// What is kept of one exchange, ready to be written.
pub(crate) struct SealedBodies {
    pub(crate) request: Sealed,
    pub(crate) answer: Sealed,
    pub(crate) lost_part: Option<Sealed>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) exchanges: usize,
    /// What it took.
    pub(crate) bytes: u64,
}

/// The open file.
#[derive(Debug)]
pub(crate) struct File {
    pub(super) db: Connection,
    pub(super) path: PathBuf,
}

impl File {
    /// Opens the file for writing, made as needed.
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(BODIES_FILE);
        folder::make_file(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = Self::connect(path, flags)?;
        file.check_version()?;
        let set = || -> rusqlite::Result<()> {
            // Before the first table: what is removed gives its room back, and leaves no trace in the file.
            file.db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
            file.db.pragma_update(None, "secure_delete", true)?;
            file.db.pragma_update(None, "journal_mode", "WAL")?;
            file.db.pragma_update(None, "synchronous", "NORMAL")?;
            file.db.pragma_update(None, "journal_size_limit", 64 << 20)?;
            if file.version()? == 0 {
                let step = file.db.unchecked_transaction()?;
                step.pragma_update(None, "application_id", APPLICATION_ID)?;
                step.execute_batch(V1)?;
                step.pragma_update(None, "user_version", VERSION)?;
                step.commit()?;
            }
            Ok(())
        };
        set().map_err(|cause| refused(&file.path, "open", cause))?;
        Ok(file)
    }

    /// Opens the file for reading only; `None` where there is none.
    pub(crate) fn open_reader(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join(BODIES_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let file = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        file.check_version()?;
        let version = file.version().map_err(|cause| refused(&file.path, "read", cause))?;
        Ok((version > 0).then_some(file))
    }

    fn connect(path: PathBuf, flags: OpenFlags) -> Result<Self, StoreError> {
        let connect = || -> rusqlite::Result<Connection> {
            let db = Connection::open_with_flags(&path, flags)?;
            db.busy_timeout(std::time::Duration::from_secs(5))?;
            Ok(db)
        };
        let db = connect().map_err(|cause| refused(&path, "open", cause))?;
        Ok(Self { db, path })
    }

    fn version(&self) -> rusqlite::Result<i64> {
        self.db.query_row("PRAGMA user_version", [], |row| row.get(0))
    }

    fn check_version(&self) -> Result<(), StoreError> {
        let failed = |cause| refused(&self.path, "open", cause);
        let mark: i64 = self.db.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed)?;
        let tables: i64 =
            self.db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(failed)?;
        if mark != APPLICATION_ID && (mark != 0 || tables > 0) {
            return Err(StoreError::NotALedger { path: self.path.clone() });
        }
        let found = self.version().map_err(failed)?;
        if found > VERSION {
            let (found, known) = (u32::try_from(found).unwrap_or(u32::MAX), VERSION.unsigned_abs() as u32);
            let written_by = "of a later version".to_owned();
            return Err(StoreError::Newer { path: self.path.clone(), found, known, written_by });
        }
        Ok(())
    }

    /// What tells which key the file is sealed with; `None` where nothing was sealed yet.
    pub(crate) fn sealed_with(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.db
            .query_row("SELECT value FROM meta WHERE name = 'key'", [], |row| row.get(0))
            .optional()
            .map_err(|cause| refused(&self.path, "read", cause))
    }

    /// The sealer of the file: with the key that was given, else with the one that the folder holds, which is made where
    /// `may_make` and nothing was sealed yet.
    pub(crate) fn sealer(
        &self,
        dir: &Path,
        given: Option<&BodyKey>,
        may_make: bool,
    ) -> Result<Sealer, StoreError> {
        let check = self.sealed_with()?;
        let wrong = || StoreError::WrongBodyKey { path: self.path.clone() };
        let key = match given {
            Some(key) => key.clone(),
            None => match BodyKey::read(dir)? {
                Some(key) => key,
                None if check.is_none() && may_make => BodyKey::make(dir)?,
                None => return Err(wrong()),
            },
        };
        let sealer = Sealer::new(&key).map_err(|cause| StoreError::failed(&self.path, "seal", cause))?;
        match check {
            Some(check) if !sealer.fits(&check) => Err(wrong()),
            None if may_make => self
                .db
                .execute("INSERT INTO meta (name, value) VALUES ('key', ?1)", [sealer.check()])
                .map_err(|cause| refused(&self.path, "write", cause))
                .map(|_| sealer),
            _ => Ok(sealer),
        }
    }

    /// What all that is kept takes, in bytes.
    pub(crate) fn bytes(&self) -> rusqlite::Result<u64> {
        let sum: i64 = self.db.query_row(
            "SELECT (SELECT coalesce(sum(stored), 0) FROM blob) + ?1 * (SELECT count(*) FROM body)",
            [ROW_BYTES.cast_signed()],
            |row| row.get(0),
        )?;
        Ok(sum.unsigned_abs())
    }

    /// Writes one exchange's bodies, within the caller's transaction; gives the bytes that they take.
    pub(crate) fn insert(
        &self,
        sealer: &Sealer,
        kept: &Kept,
        bodies: &SealedBodies,
    ) -> rusqlite::Result<u64> {
        let SealedBodies { request, answer, lost_part } = bodies;
        let mut bytes = ROW_BYTES;
        for body in [request, answer].into_iter().chain(lost_part) {
            let stored = body.sealed.len() as u64;
            let added = self
                .db
                .prepare_cached(
                    "INSERT OR IGNORE INTO blob (address, length, stored, sealed) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    body.address,
                    body.length.cast_signed(),
                    stored.cast_signed(),
                    body.sealed
                ])?;
            bytes += stored * added as u64;
        }
        let response = kept.response.as_deref().map(|id| sealer.response_tag(&kept.key, id));
        let user = kept.end_user.as_deref().map(|user| sealer.user_tag(user));
        self.db
            .prepare_cached(
                "INSERT OR IGNORE INTO body (exchange, at_ms, key, user, response, dialect, holder, status, streamed, \
                 whole, request, answer, lost_part) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                kept.exchange.0.to_be_bytes(),
                kept.at.0.cast_signed(),
                kept.key,
                user,
                response,
                kept.dialect.as_str(),
                kept.holder,
                kept.status,
                kept.is_stream,
                kept.is_whole,
                request.address,
                answer.address,
                lost_part.as_ref().map(|sealed| sealed.address),
            ])?;
        Ok(bytes)
    }

    /// Removes some of the rows that began before `before`, the oldest first.
    pub(crate) fn remove_before(&self, before: UnixMs) -> rusqlite::Result<Removed> {
        let before = before.0.cast_signed();
        self.db.execute("DELETE FROM gap WHERE last_ms < ?1", [before])?;
        self.remove("at_ms < ?1 ORDER BY at_ms", params![before], Some(REMOVED_AT_ONCE))
    }

    /// Removes as many of the oldest rows as it takes to be rid of `excess` bytes, or some of them. What others share with
    /// them stays, so that there may be more to remove.
    pub(crate) fn remove_bytes(&self, excess: u64) -> rusqlite::Result<Removed> {
        let (mut bytes, mut count) = (0, 0);
        let mut oldest = self.db.prepare_cached(
            "SELECT (SELECT coalesce(sum(stored), 0) FROM blob WHERE address IN (request, answer, lost_part)) \
             FROM body ORDER BY at_ms",
        )?;
        let mut rows = oldest.query([])?;
        while bytes < excess
            && count < REMOVED_AT_ONCE
            && let Some(row) = rows.next()?
        {
            bytes += row.get::<_, i64>(0)?.unsigned_abs() + ROW_BYTES;
            count += 1;
        }
        drop(rows);
        self.remove("1 ORDER BY at_ms", params![], Some(count))
    }

    /// Removes what is to be erased; what is found by a tag needs the key.
    pub(crate) fn erase(&self, what: &Erase<'_>, sealer: Option<&Sealer>) -> rusqlite::Result<Removed> {
        match (what, sealer) {
            (Erase::Exchange(id), _) => self.remove("exchange = ?1", params![id.0.to_be_bytes()], None),
            (Erase::Key(key), _) => self.remove("key = ?1", params![key], None),
            (Erase::Response { key, id }, Some(sealer)) => {
                self.remove("response = ?1", params![sealer.response_tag(key, id)], None)
            }
            (Erase::EndUser(user), Some(sealer)) => {
                self.remove("user = ?1", params![sealer.user_tag(user)], None)
            }
            (Erase::Response { .. } | Erase::EndUser(_), None) => Ok(Removed::default()),
        }
    }

    fn remove(
        &self,
        which: &str,
        values: &[&dyn rusqlite::ToSql],
        limit: Option<usize>,
    ) -> rusqlite::Result<Removed> {
        let limit = limit.map_or_else(String::new, |most| format!(" LIMIT {most}"));
        let step = rusqlite::Transaction::new_unchecked(&self.db, rusqlite::TransactionBehavior::Immediate)?;
        let rows: Vec<(i64, [Option<Address>; 3])> = step
            .prepare_cached(&format!(
                "SELECT rowid, request, answer, lost_part FROM body WHERE {which}{limit}"
            ))?
            .query_map(values, |row| Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?])))?
            .collect::<rusqlite::Result<_>>()?;
        let mut bytes = 0;
        for (rowid, addresses) in &rows {
            bytes += ROW_BYTES;
            step.prepare_cached("DELETE FROM body WHERE rowid = ?1")?.execute([rowid])?;
            for address in addresses.iter().flatten() {
                let mut delete = step.prepare_cached(
                    "DELETE FROM blob WHERE address = ?1 \
                     AND NOT EXISTS (SELECT 1 FROM body WHERE request = ?1) \
                     AND NOT EXISTS (SELECT 1 FROM body WHERE answer = ?1) \
                     AND NOT EXISTS (SELECT 1 FROM body WHERE lost_part = ?1) RETURNING stored",
                )?;
                let stored: Option<i64> = delete.query_row([address], |row| row.get(0)).optional()?;
                bytes += stored.unwrap_or_default().unsigned_abs();
            }
        }
        step.commit()?;
        Ok(Removed { exchanges: rows.len(), bytes })
    }

    /// Gives room back to the system, and takes what was removed out of the write-ahead log too.
    pub(crate) fn tidy(&self) -> rusqlite::Result<()> {
        // Each step frees a page.
        let mut vacuum = self.db.prepare("PRAGMA incremental_vacuum")?;
        let mut steps = vacuum.query([])?;
        while steps.next()?.is_some() {}
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// Writes what was lost, joined to the newest gap if it follows at once.
    pub(crate) fn write_gap(&self, lost: &BodyGap) -> rusqlite::Result<()> {
        let joined = self.db.execute(
            "UPDATE gap SET first_ms = min(first_ms, ?1), last_ms = max(last_ms, ?2), exchanges = exchanges + ?3 \
             WHERE id = (SELECT max(id) FROM gap) AND last_ms + ?4 >= ?1 AND first_ms <= ?2 + ?4",
            params![
                lost.first_at.0.cast_signed(),
                lost.last_at.0.cast_signed(),
                lost.exchanges.cast_signed(),
                SAME_GAP_MS.cast_signed()
            ],
        )?;
        if joined == 0 {
            self.db.execute(
                "INSERT INTO gap (first_ms, last_ms, exchanges) VALUES (?1, ?2, ?3)",
                params![
                    lost.first_at.0.cast_signed(),
                    lost.last_at.0.cast_signed(),
                    lost.exchanges.cast_signed()
                ],
            )?;
        }
        Ok(())
    }
}
