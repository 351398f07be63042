//! Which times each block of 1,024 rows covers: what the ledger has instead of an index on time.
//!
//! Rows are written in the order in which exchanges end, so that their start times are nearly sorted; a
//! query by time reads the blocks between the first and the last that can hold it.

use rusqlite::{Connection, OptionalExtension};

use crate::codes::Wide;

/// Rows of a block, as a power of two.
pub(crate) const ZONE_BITS: u32 = 10;

/// One block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Zone {
    zone: i64,
    min_ms: u64,
    max_ms: u64,
    rows: i64,
    last_row: i64,
    changed: bool,
}

/// The block that is being filled, and those filled in this transaction.
#[derive(Default)]
pub(crate) struct Zones {
    open: Vec<Zone>,
}

impl Zones {
    /// The newest block, to go on after it.
    pub(crate) fn load(db: &Connection) -> rusqlite::Result<Self> {
        let newest = db
            .query_row(
                "SELECT zone, min_ms, max_ms, rows, last_row FROM zone ORDER BY zone DESC LIMIT 1",
                [],
                |row| {
                    Ok(Zone {
                        zone: row.get(0)?,
                        min_ms: row.get::<_, Wide>(1)?.unsigned()?,
                        max_ms: row.get::<_, Wide>(2)?.unsigned()?,
                        rows: row.get(3)?,
                        last_row: row.get(4)?,
                        changed: false,
                    })
                },
            )
            .optional()?;
        Ok(Self { open: newest.into_iter().collect() })
    }

    /// The rowid for the next row, which started at `at_ms`.
    pub(crate) fn next_row(&mut self, at_ms: u64) -> i64 {
        let row = self.open.last().map_or(1, |zone| zone.last_row + 1);
        match self.open.last_mut().filter(|zone| zone.zone == row >> ZONE_BITS) {
            Some(zone) => {
                zone.min_ms = zone.min_ms.min(at_ms);
                zone.max_ms = zone.max_ms.max(at_ms);
                zone.rows += 1;
                zone.last_row = row;
                zone.changed = true;
            }
            None => self.open.push(Zone {
                zone: row >> ZONE_BITS,
                min_ms: at_ms,
                max_ms: at_ms,
                rows: 1,
                last_row: row,
                changed: true,
            }),
        }
        row
    }

    /// Writes what changed and keeps the newest block open.
    pub(crate) fn write(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let mut replace = db.prepare_cached(
            "INSERT OR REPLACE INTO zone (zone, min_ms, max_ms, rows, last_row) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for zone in self.open.iter_mut().filter(|zone| zone.changed) {
            replace.execute((
                zone.zone,
                Wide::from(zone.min_ms),
                Wide::from(zone.max_ms),
                zone.rows,
                zone.last_row,
            ))?;
            zone.changed = false;
        }
        self.open.drain(..self.open.len().saturating_sub(1));
        Ok(())
    }
}
