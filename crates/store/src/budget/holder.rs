//! Who has leases: one row per process, and a locked file that tells whether it lives.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use pilothouse_core::clock::UnixMs;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::{folder, schema};

/// This process among those that lease. The lock goes with the process, however it ends.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) id: i64,
    path: PathBuf,
    _lock: File,
}

fn lock_path(dir: &Path, id: i64) -> PathBuf {
    dir.join(format!("budgets-{id}.lock"))
}

impl Holder {
    /// Enters the list of holders. Ids are never used twice.
    pub(super) fn enter(db: &Connection, dir: &Path, now: UnixMs) -> Result<Self, StoreError> {
        let entered = db.execute(
            "INSERT INTO budget_holder (pid, started_ms) VALUES (?1, ?2)",
            (i64::from(std::process::id()), now.0.cast_signed()),
        );
        entered
            .map_err(|cause| schema::refused(&dir.join(crate::LEDGER_FILE), "keep the budgets in", cause))?;
        let id = db.last_insert_rowid();
        let path = lock_path(dir, id);
        folder::make_file(&path)?;
        let failed = |cause| StoreError::failed(&path, "lock", cause);
        let lock = File::open(&path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Self { id, path, _lock: lock })
    }

    /// Leaves the list; with leases left, the row stays for whoever reconciles them.
    pub(super) fn leave(&self, db: &Connection) -> rusqlite::Result<()> {
        forget(db, self.id)?;
        let _ = fs::remove_file(&self.path);
        Ok(())
    }

    /// Whether the process behind a holder still has its lock.
    pub(super) fn is_alive(dir: &Path, id: i64) -> bool {
        let Ok(file) = File::open(lock_path(dir, id)) else { return false };
        matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
    }

    /// Forgets a dead holder without leases, and its lock's file.
    pub(super) fn bury(db: &Connection, dir: &Path, id: i64) -> rusqlite::Result<()> {
        if forget(db, id)? > 0 {
            let _ = fs::remove_file(lock_path(dir, id));
        }
        Ok(())
    }
}

fn forget(db: &Connection, id: i64) -> rusqlite::Result<usize> {
    db.execute(
        "DELETE FROM budget_holder WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM budget_lease WHERE holder = ?1)",
        [id],
    )
}
