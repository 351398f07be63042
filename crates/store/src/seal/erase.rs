//! Erasing one receipt, beside a server or without one: its digest stays, so that its segment still verifies.

use std::path::Path;

use pilothouse_core::clock::{Clock, UnixMs};
use pilothouse_core::id::ExchangeId;
use rusqlite::{Connection, OptionalExtension};

use super::Sealing;
use super::entry::{self, Erased, Event, Link};
use super::head::{self, Head};
use super::rows::Rows;
use crate::LEDGER_FILE;
use crate::error::StoreError;
use crate::form::EPOCH_BITS;
use crate::schema::{self, MIGRATIONS};
use crate::zone::ZONE_BITS;

/// Longest reason, in bytes. It stays in the chain for as long as the chain is kept.
const REASON_BYTES_MAX: usize = 500;

/// What became of an exchange that was to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// It is gone: its row, its salt, and what only it had of texts that exchanges share.
    Done {
        /// When.
        at: UnixMs,
        /// Its digest, which stays.
        digest: String,
    },
    /// Nothing is recorded under this id.
    Unknown,
}

/// Erases the exchange of that id from the ledger of the data folder `dir`: what it was stays unknown for good,
/// that it was and why it was erased is told by the chain. Totals and gap records stay as they are.
///
/// # Errors
/// A reason that is empty or longer than 500 bytes; [`StoreError::Missing`], [`StoreError::Newer`],
/// [`StoreError::Older`], [`StoreError::NotALedger`]; refusals of the database.
pub fn erase(
    dir: &Path,
    id: ExchangeId,
    reason: &str,
    sealing: &Sealing,
    clock: &dyn Clock,
) -> Result<Erasure, StoreError> {
    let path = dir.join(LEDGER_FILE);
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
        let what = format!("the reason must have 1 to {REASON_BYTES_MAX} bytes, and it has {}", reason.len());
        return Err(StoreError::failed(&path, "erase from", what));
    }
    let db = schema::open_editor(&path, MIGRATIONS)?;
    let at = clock.now();
    let failed = |cause: rusqlite::Error| schema::refused(&path, "erase from", cause);
    let done = entry::durably(&db, |step| erase_row(step, id, reason, sealing, at)).map_err(failed)?;
    let Some((link, digest, last_row)) = done else { return Ok(Erasure::Unknown) };
    if let Some(path) = &sealing.head {
        let _ = head::write(path, &sealing.key, link, last_row);
    }
    // The log beside the file still has what was erased until it is written back and begins anew. Readers that look
    // on may keep a part of it; the server's next checkpoint overwrites that.
    let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    Ok(Erasure::Done { at, digest })
}

fn erase_row(
    db: &Connection,
    id: ExchangeId,
    reason: &str,
    sealing: &Sealing,
    at: UnixMs,
) -> rusqlite::Result<Option<(Link, String, i64)>> {
    let bytes = id.0.to_be_bytes();
    let found: Option<(i64, i64)> = db
        .query_row(
            "SELECT rowid, form FROM exchange WHERE substr(detail, 1, 16) = ?1",
            [bytes.as_slice()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((row, form)) = found else { return Ok(None) };
    let mut leaf = None;
    Rows::new(db)?.each((row, row), |seen| leaf = seen.leaf)?;
    let digest = leaf.unwrap_or_default();
    let erased = Erased { row, id, digest, reason: reason.to_owned() };
    // An entry that the store lost must not be replaced by this one: the next server tells of it.
    let newest = entry::last(db)?.unwrap_or_default();
    let head = sealing.head.as_deref().and_then(|path| Head::read(path).ok().flatten());
    let after = head
        .filter(|head| head.is_signed(&[sealing.key.public()]) && head.entry > newest.number)
        .map(|head| head.link());
    let link = entry::append(db, &sealing.key, at, Event::Erased(erased), after)?;
    db.execute("DELETE FROM exchange WHERE rowid = ?1", [row])?;
    db.execute("UPDATE zone SET rows = rows - 1 WHERE zone = ?1", [row >> ZONE_BITS])?;
    db.execute(
        "INSERT OR REPLACE INTO erased (row, id, entry) VALUES (?1, ?2, ?3)",
        (row, bytes.as_slice(), link.number.cast_signed()),
    )?;
    // What the row shared goes with the last row that has it; rows use forms of their own epoch only.
    let epoch = row >> EPOCH_BITS;
    db.execute(
        "DELETE FROM form WHERE id = ?1 AND NOT EXISTS \
         (SELECT 1 FROM exchange WHERE form = ?1 AND rowid >= ?2 AND rowid < ?3)",
        (form, epoch << EPOCH_BITS, (epoch + 1) << EPOCH_BITS),
    )?;
    let last_row = entry::position(db)?.map_or(0, |(position, _)| position.last_row);
    Ok(Some((link, digest.to_string(), last_row)))
}
