//! The oldest entries of the chain go after 400 days, once the receipts that they prove are gone.

use pilothouse_core::clock::UnixMs;
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashMap;

use super::entry::{self, COLUMNS, Event, Floor, Stored};
use super::sealer::Sealer;
use crate::retention::DAY_MS;

/// Entries are removed when the oldest is older than it may be by so much, so that floors are rare.
const SLACK_MS: u64 = DAY_MS;

/// Entries that are removed at once.
const ENTRIES_AT_ONCE: u64 = 4096;

/// Removes entries that were made before `before_ms`, if their receipts are gone. True if it removed some.
pub(crate) fn prune(db: &Connection, before_ms: u64, sealer: &mut Sealer) -> rusqlite::Result<bool> {
    let Some(mut oldest) = stored(db, "number >= ?1", 0)? else { return Ok(false) };
    let is_old = |stored: &Stored, by: u64| {
        stored.parse().is_some_and(|entry| entry.at_ms.0.saturating_add(by) < before_ms)
    };
    // An entry whose receipts are kept proves them, however old it is.
    let kept: Option<i64> = db.query_row("SELECT min(entry) FROM leaves", [], |row| row.get(0))?;
    let newest = entry::last(db)?.unwrap_or_default().number;
    let end = kept.map_or(newest, i64::cast_unsigned).min(oldest.number + ENTRIES_AT_ONCE);
    if !is_old(&oldest, SLACK_MS) || oldest.number >= end {
        return Ok(false);
    }
    let mut floor = Floor {
        before: oldest.number,
        previous: super::digest::Digest::default(),
        at_ms: UnixMs(0),
        segments: 0,
        receipts: 0,
        dropped: 0,
    };
    let mut gaps = FxHashMap::default();
    while oldest.number < end && is_old(&oldest, 0) {
        count(&mut floor, &mut gaps, &oldest);
        (floor.before, floor.previous) = (oldest.number + 1, oldest.digest());
        let Some(next) = stored(db, "number > ?1", oldest.number)? else { break };
        oldest = next;
    }
    floor.at_ms = oldest.parse().map_or(UnixMs(before_ms), |entry| entry.at_ms);
    let link = entry::durably(db, |step| {
        step.execute("DELETE FROM chain WHERE number < ?1", [floor.before.cast_signed()])?;
        sealer.append_within(step, Event::Floor(floor))
    })?;
    sealer.tell(link);
    Ok(true)
}

/// What is no longer told apart once this entry is gone.
///
/// A gap that grew is told again by a later segment: `gaps` has what was counted of each.
fn count(floor: &mut Floor, gaps: &mut FxHashMap<i64, u64>, stored: &Stored) {
    match stored.parse().map(|entry| entry.event) {
        Some(Event::Segment(segment)) => {
            floor.segments += 1;
            floor.receipts += segment.count;
            for gap in segment.gaps {
                let before = gaps.insert(gap.id, gap.exchanges).unwrap_or_default();
                floor.dropped += gap.exchanges.saturating_sub(before);
            }
        }
        Some(Event::Floor(earlier)) => {
            floor.segments += earlier.segments;
            floor.receipts += earlier.receipts;
            floor.dropped += earlier.dropped;
        }
        _ => {}
    }
}

fn stored(db: &Connection, which: &str, number: u64) -> rusqlite::Result<Option<Stored>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM chain WHERE {which} ORDER BY number LIMIT 1"))?
        .query_row([number.cast_signed()], Stored::read)
        .optional()
}
