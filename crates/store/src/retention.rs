//! How long rows are kept: old blocks are removed a few at a time while the writer has nothing else to do.

use std::sync::Arc;

use pilothouse_core::clock::{Clock, UnixMs};
use rusqlite::{Connection, OptionalExtension};

use crate::codes::Wide;
use crate::form::EPOCH_BITS;
use crate::zone::ZONE_BITS;

const DAY_MS: u64 = 24 * 3_600_000;

/// How often the writer looks for rows that are too old.
const LOOK_EVERY_MS: u64 = 60_000;

/// The rule, and when it was last applied. Roll-ups are never removed.
pub(crate) struct Retention {
    keep_days: Option<u32>,
    clock: Arc<dyn Clock>,
    next_look: UnixMs,
}

impl Retention {
    pub(crate) fn new(keep_days: Option<u32>, clock: Arc<dyn Clock>) -> Self {
        Self { keep_days, clock, next_look: UnixMs(0) }
    }

    /// Removes one block of old rows, if there is one. True if there may be another.
    ///
    /// A refusal is no reason to stop: the rows are still there at the next look.
    pub(crate) fn prune_some(&mut self, db: &Connection) -> bool {
        let Some(days) = self.keep_days else { return false };
        let now = self.clock.now();
        if now < self.next_look {
            return false;
        }
        let before = now.0.saturating_sub(u64::from(days) * DAY_MS);
        let pruned = prune_block(db, before).unwrap_or(false);
        if !pruned {
            self.next_look = UnixMs(now.0.saturating_add(LOOK_EVERY_MS));
        }
        pruned
    }
}

/// Removes the oldest block all of whose rows started before `before_ms`. The newest block always stays: it
/// says where rowids go on.
fn prune_block(db: &Connection, before_ms: u64) -> rusqlite::Result<bool> {
    let oldest: Option<i64> = db
        .prepare_cached(
            "SELECT zone FROM zone WHERE max_ms < ?1 AND zone < (SELECT max(zone) FROM zone) \
             ORDER BY zone LIMIT 1",
        )?
        .query_row([Wide::from(before_ms)], |row| row.get(0))
        .optional()?;
    let Some(zone) = oldest else { return Ok(false) };
    let step = db.unchecked_transaction()?;
    step.execute(
        "DELETE FROM exchange WHERE rowid >= ?1 AND rowid < ?2",
        (zone << ZONE_BITS, (zone + 1) << ZONE_BITS),
    )?;
    step.execute("DELETE FROM zone WHERE zone = ?1", [zone])?;
    // Rows use forms of their own epoch only.
    step.execute(
        "DELETE FROM form WHERE id < ((SELECT min(zone) FROM zone) << ?1 >> ?2) << ?2",
        (ZONE_BITS, EPOCH_BITS),
    )?;
    step.execute("DELETE FROM gap WHERE last_ms < ?1", [Wide::from(before_ms)])?;
    step.commit()?;
    Ok(true)
}
