//! Ends of models as people are told of them: each day mark once, also over restarts and from several processes; and where a
//! vendor said that a model is gone before its day.

use std::path::{Path, PathBuf};

use pilothouse_core::clock::{Clock, UnixMs};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::budget::ALERTS_KEPT;
use crate::error::StoreError;
use crate::{LEDGER_FILE, schema};

/// Targets of which a conflict is kept; the oldest beyond are forgotten.
const CONFLICTS_KEPT: i64 = 4096;

/// A day mark of a target's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    /// `provider/model`.
    pub target: &'a str,
    /// When it ends. Another day has marks of its own.
    pub ends: UnixMs,
    /// Days before it.
    pub days: u32,
}

/// An alert about a target's end, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndAlert {
    /// Its number: later ones are larger, those about budgets counted in.
    pub id: i64,
    /// When it was told.
    pub at: UnixMs,
    /// `provider/model`.
    pub target: String,
    /// When the target ends, where that is known.
    pub ends: Option<UnixMs>,
    /// Its sentence.
    pub text: String,
}

/// A vendor's word that a model is gone, while the catalogue has it in service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndConflict {
    /// `provider/model`.
    pub target: String,
    /// The day on which it ends by the catalogue, where it has one.
    pub day: Option<String>,
    /// The status of the vendor's answer.
    pub status: u16,
    /// What the vendor said.
    pub said: String,
    /// When it said so first.
    pub first: UnixMs,
    /// When it said so last.
    pub last: UnixMs,
    /// How often it was noted.
    pub seen: u64,
}

/// What is kept of ends, in the ledger's file.
#[derive(Debug)]
pub struct Ends {
    db: Connection,
    path: PathBuf,
}

fn stored(at: UnixMs) -> i64 {
    at.0.cast_signed()
}

impl Ends {
    /// Opens it beside a server that writes, or without one.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without a ledger, and refusals of the disk.
    pub fn open(dir: &Path, clock: &dyn Clock) -> Result<Self, StoreError> {
        let path = dir.join(LEDGER_FILE);
        if !path.exists() {
            return Err(StoreError::Missing { path });
        }
        Ok(Self { db: schema::open_control(&path, clock)?, path })
    }

    /// Opens it for reading alone.
    ///
    /// # Errors
    /// As [`crate::Reader::open`].
    pub fn look(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(LEDGER_FILE);
        Ok(Self { db: schema::open_reader(&path, schema::MIGRATIONS)?, path })
    }

    /// Whether a mark has been told.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn is_told(&self, mark: &Mark<'_>) -> Result<bool, StoreError> {
        let found = self
            .db
            .prepare_cached("SELECT 1 FROM end_mark WHERE target = ?1 AND ends_ms = ?2 AND days = ?3")
            .and_then(|mut select| {
                select.query_row((mark.target, stored(mark.ends), mark.days), |_| Ok(())).optional()
            });
        found.map(|found| found.is_some()).map_err(|cause| self.refused(cause))
    }

    /// Tells a mark: keeps its alert. False where somebody told it before; then nothing is kept.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn tell(&mut self, mark: &Mark<'_>, at: UnixMs, text: &str) -> Result<bool, StoreError> {
        self.told(mark, at, text).map_err(|cause| self.refused(cause))
    }

    fn told(&mut self, mark: &Mark<'_>, at: UnixMs, text: &str) -> rusqlite::Result<bool> {
        // One transaction: what is marked as told is kept, and what is kept is never told twice.
        let change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let is_new = change.execute(
            "INSERT INTO end_mark (target, ends_ms, days, at_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            (mark.target, stored(mark.ends), mark.days, stored(at)),
        )? > 0;
        if is_new {
            keep_alert(&change, mark.target, Some(mark.ends), at, text)?;
        }
        change.commit()?;
        Ok(is_new)
    }

    /// Notes that a vendor said that a model is gone. True where that is news: then its alert is kept. `conflict.first` and
    /// `conflict.seen` are not read.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn note_conflict(&mut self, conflict: &EndConflict, text: &str) -> Result<bool, StoreError> {
        self.noted(conflict, text).map_err(|cause| self.refused(cause))
    }

    fn noted(&mut self, conflict: &EndConflict, text: &str) -> rusqlite::Result<bool> {
        let EndConflict { target, day, status, said, last, .. } = conflict;
        let change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known: Option<Option<String>> = change
            .query_row("SELECT day FROM end_conflict WHERE target = ?1", [target], |row| row.get(0))
            .optional()?;
        // Against another day than before, it is another conflict.
        let is_new = known.is_none_or(|known| known != *day);
        change.execute(
            "INSERT INTO end_conflict (target, day, status, said, first_ms, last_ms, seen) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1) ON CONFLICT (target) DO UPDATE SET day = excluded.day, \
             status = excluded.status, said = excluded.said, last_ms = max(last_ms, excluded.last_ms), seen = seen + 1",
            (target, day, status, said, stored(*last)),
        )?;
        if is_new {
            change.execute(
                "DELETE FROM end_conflict WHERE target IN (SELECT target FROM end_conflict ORDER BY last_ms DESC \
                 LIMIT -1 OFFSET ?1)",
                [CONFLICTS_KEPT],
            )?;
            keep_alert(&change, target, None, *last, text)?;
        }
        change.commit()?;
        Ok(is_new)
    }

    /// Every conflict, by the target's name.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn conflicts(&self) -> Result<Vec<EndConflict>, StoreError> {
        self.read_conflicts().map_err(|cause| self.refused(cause))
    }

    fn read_conflicts(&self) -> rusqlite::Result<Vec<EndConflict>> {
        let mut select = self.db.prepare_cached(
            "SELECT target, day, status, said, first_ms, last_ms, seen FROM end_conflict ORDER BY target",
        )?;
        let rows = select.query_map([], |row| {
            let at = |column| row.get::<_, i64>(column).map(|at| UnixMs(at.cast_unsigned()));
            Ok(EndConflict {
                target: row.get(0)?,
                day: row.get(1)?,
                status: row.get(2)?,
                said: row.get(3)?,
                first: at(4)?,
                last: at(5)?,
                seen: row.get::<_, i64>(6)?.cast_unsigned(),
            })
        })?;
        rows.collect()
    }

    fn refused(&self, cause: rusqlite::Error) -> StoreError {
        schema::refused(&self.path, "keep ends of models in", cause)
    }
}

/// Keeps an alert among those of budgets.
fn keep_alert(
    db: &Connection,
    target: &str,
    ends: Option<UnixMs>,
    at: UnixMs,
    text: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO alert (at_ms, kind, scope, every, start_ms, per_mille, spent, cap, told) \
         VALUES (?1, 0, ?2, 0, ?3, 0, 0, 0, ?4)",
    )?
    .execute((stored(at), target, ends.map_or(0, stored), text))?;
    db.prepare_cached("DELETE FROM alert WHERE id <= ?1")?
        .execute([db.last_insert_rowid() - ALERTS_KEPT])
        .map(drop)
}
