//! How long rows are kept: what is too old is removed a little at a time while the writer has nothing else to do.
//!
//! Sealed rows go by whole segments, and the chain tells of it in the same transaction; rows that nobody sealed go
//! in blocks. A segment's root stays for [`ROOT_DAYS`].

use std::sync::Arc;

use pilothouse_core::clock::{Clock, UnixMs};
use rusqlite::{Connection, OptionalExtension};

use crate::codes::Wide;
use crate::form::EPOCH_BITS;
use crate::seal::entry::{self, Event, Expired, Segment};
use crate::seal::floor;
use crate::seal::sealer::Sealer;
use crate::zone::ZONE_BITS;

pub(crate) const DAY_MS: u64 = 24 * 3_600_000;

/// How often the writer looks for rows that are too old.
const LOOK_EVERY_MS: u64 = 60_000;

/// Days for which the chain keeps what it says.
pub(crate) const ROOT_DAYS: u64 = 400;

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

    /// Removes one piece of what is too old, if there is any. True if there may be more.
    ///
    /// A refusal is no reason to stop: the rows are still there at the next look.
    pub(crate) fn prune_some(&mut self, db: &Connection, mut sealer: Option<&mut Sealer>) -> bool {
        let now = self.clock.now();
        if now < self.next_look {
            return false;
        }
        let before = |days: u64| now.0.saturating_sub(days * DAY_MS);
        let mut pruned = match self.keep_days {
            Some(days) => prune_rows(db, before(days.into()), sealer.as_deref_mut()).unwrap_or(false),
            None => false,
        };
        if let (false, Some(sealer)) = (pruned, sealer) {
            pruned = floor::prune(db, before(ROOT_DAYS), sealer).unwrap_or(false);
        }
        if !pruned {
            self.next_look = UnixMs(now.0.saturating_add(LOOK_EVERY_MS));
        }
        pruned
    }
}

/// Removes the oldest rows, all of which started before `before_ms`: a block of them, or a segment.
fn prune_rows(db: &Connection, before_ms: u64, sealer: Option<&mut Sealer>) -> rusqlite::Result<bool> {
    let Some(first) = db.query_row("SELECT min(rowid) FROM exchange", [], |row| row.get(0))? else {
        return Ok(false);
    };
    let oldest: Option<(i64, i64)> = db
        .query_row("SELECT first_row, entry FROM leaves ORDER BY first_row LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let sealed_from = match (oldest, &sealer) {
        (Some((first_row, _)), _) => first_row,
        (None, Some(sealer)) => sealer.first_open_row(),
        (None, None) => i64::MAX,
    };
    if first < sealed_from {
        return prune_block(db, (first, sealed_from - 1), before_ms, sealer.is_none());
    }
    // Without the key, a segment cannot be told to have expired, and its rows would be missing.
    let Some(((first_row, number), sealer)) = oldest.zip(sealer) else { return Ok(false) };
    // Only what was signed says how old a segment is: nobody else shall make us remove and sign that.
    match entry::segment(db, number)? {
        Some(sealed) if sealed.is_signed && sealed.segment.first_row == first_row => {
            let is_old = sealed.segment.last_at_ms.0 < before_ms;
            if is_old {
                prune_segment(db, &sealed.segment, before_ms, sealer)?;
            }
            Ok(is_old)
        }
        _ => Ok(false),
    }
}

/// Removes rows that are in no segment, from the first to the end of its block.
fn prune_block(
    db: &Connection,
    (first, last): (i64, i64),
    before_ms: u64,
    with_gaps: bool,
) -> rusqlite::Result<bool> {
    let zone = first >> ZONE_BITS;
    let last_ms: Option<Wide> =
        db.query_row("SELECT max_ms FROM zone WHERE zone = ?1", [zone], |row| row.get(0)).optional()?;
    if last_ms.map(Wide::unsigned).transpose()?.is_some_and(|last_ms| last_ms >= before_ms) {
        return Ok(false);
    }
    let step = db.unchecked_transaction()?;
    let block_end = ((zone + 1) << ZONE_BITS) - 1;
    remove_rows(&step, (first, last.min(block_end)))?;
    if with_gaps {
        remove_gaps(&step, before_ms)?;
    }
    step.commit()?;
    Ok(true)
}

/// Removes the rows of a segment, and tells the chain.
fn prune_segment(
    db: &Connection,
    segment: &Segment,
    before_ms: u64,
    sealer: &mut Sealer,
) -> rusqlite::Result<()> {
    let link = entry::durably(db, |step| {
        let rows = (segment.first_row, segment.last_row());
        remove_rows(step, rows)?;
        step.execute("DELETE FROM leaves WHERE first_row = ?1", [segment.first_row])?;
        step.execute("DELETE FROM erased WHERE row >= ?1 AND row <= ?2", rows)?;
        let event = Event::Expired(Expired {
            segment: segment.segment,
            first_row: segment.first_row,
            last_row: segment.last_row(),
            receipts: segment.count,
            gaps: remove_gaps(step, before_ms)?,
        });
        sealer.append_within(step, event)
    })?;
    sealer.tell(link);
    sealer.limit_gaps(db)
}

/// Removes these rows, and blocks and forms that are no longer needed. The newest block stays, if only by its name:
/// it says where rowids go on.
fn remove_rows(db: &Connection, (first, last): (i64, i64)) -> rusqlite::Result<()> {
    db.execute("DELETE FROM exchange WHERE rowid >= ?1 AND rowid <= ?2", (first, last))?;
    db.execute(
        "DELETE FROM zone WHERE last_row <= ?1 AND zone < (SELECT max(zone) FROM zone) \
         AND zone <= (SELECT coalesce(min(rowid), ?2) - 1 FROM exchange) >> ?3",
        (last, i64::MAX, ZONE_BITS),
    )?;
    db.execute(
        "UPDATE zone SET rows = (SELECT count(*) FROM exchange WHERE rowid >= zone << ?1 \
         AND rowid < (zone + 1) << ?1) WHERE zone >= ?2 AND zone <= ?3",
        (ZONE_BITS, first >> ZONE_BITS, last >> ZONE_BITS),
    )?;
    // Rows use forms of their own epoch only.
    db.execute(
        "DELETE FROM form WHERE id < ((SELECT min(zone) FROM zone) << ?1 >> ?2) << ?2",
        (ZONE_BITS, EPOCH_BITS),
    )
    .map(drop)
}

/// Removes gap records that are too old; gives their numbers.
fn remove_gaps(db: &Connection, before_ms: u64) -> rusqlite::Result<Vec<i64>> {
    let mut remove = db.prepare_cached("DELETE FROM gap WHERE last_ms < ?1 RETURNING id")?;
    let mut ids: Vec<i64> =
        remove.query_map([Wide::from(before_ms)], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    ids.sort_unstable();
    Ok(ids)
}
