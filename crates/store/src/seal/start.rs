//! How the chain goes on when a server starts: after a clean end, after a crash, after something was taken away.

use std::sync::Arc;

use pilothouse_core::clock::{Clock, UnixMs};
use pilothouse_core::id::ExchangeId;
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashMap;

use super::Sealing;
use super::digest::Digest;
use super::entry::{self, After, Event, Lost, Position, Start, Stored, Why};
use super::head::Head;
use super::rows::Rows;
use super::sealer::{OpenRow, Sealer};
use crate::codes::Wide;
use crate::gap;
use crate::rollup::hour_of;
use crate::zone::ZONE_BITS;

/// Hours of one gap whose totals are looked at after a crash; a gap of overload lasts minutes.
pub(super) const GAP_HOURS_MAX: u64 = 1000;

pub(super) fn start(db: &Connection, sealing: Sealing, clock: Arc<dyn Clock>) -> rusqlite::Result<Sealer> {
    let newest = entry::last(db)?.unwrap_or_default();
    let head = sealing.head.as_deref().and_then(|path| Head::read(path).ok().flatten());
    let head = head.filter(|head| head.is_signed(&[sealing.key.public()]) && head.entry > newest.number);
    let before = entry::position(db)?;
    let last_row = last_row(db)?;
    let (after, position) = match before {
        None => (After::Nothing, Position::default()),
        Some((position, true)) => (After::CleanEnd, position),
        Some((position, false)) => (After::Crash, position),
    };
    // Rows keep their numbers, also those that somebody took away.
    let used = position.last_row.max(head.as_ref().map_or(0, |head| head.last_row));
    let mut sealer = Sealer::new(sealing, clock, position);
    sealer.limit_gaps(db)?;
    sealer.after = head.as_ref().map(Head::link);
    let lost = head.map(|head| Lost {
        first: newest.number + 1,
        last: head.entry,
        receipts: (head.last_row - last_row.max(sealer.position.last_row)).max(0).cast_unsigned(),
    });
    if after == After::Crash {
        sealer.open_hours(sealer.position.open_hours.clone());
        recover(&mut sealer, db)?;
    }
    let last_row = if used > last_row { skip_rows(db, used)? } else { last_row };
    let unsealed = unsealed(&mut sealer, db, after)?;
    sealer.position = Position {
        writer: sealer.position.writer + 1,
        first_row: last_row + 1,
        last_row,
        open_hours: sealer.hours(),
        ..sealer.position.clone()
    };
    let position = sealer.position.clone();
    sealer.append(db, Event::Start(Start { after, unsealed, lost, position }))?;
    Ok(sealer)
}

/// How many rows were recorded without sealing since the position. Totals that they changed are sealed anew.
fn unsealed(sealer: &mut Sealer, db: &Connection, after: After) -> rusqlite::Result<u64> {
    let last = sealer.position.last_row;
    // A large ledger from before sealing is not counted row by row.
    let sql = match after {
        After::Nothing => "SELECT coalesce(sum(rows), 0) FROM zone WHERE last_row > ?1",
        _ => "SELECT count(*) FROM exchange WHERE rowid > ?1",
    };
    let count: i64 = db.query_row(sql, [last], |row| row.get(0))?;
    if count > 0 && after != After::Nothing {
        note_gap_hours(sealer, db)?;
        let mut select = db.prepare("SELECT started_ms FROM exchange WHERE rowid > ?1")?;
        let hours = select.query_map([last], |row| row.get::<_, Wide>(0)?.unsigned())?;
        for started in hours {
            sealer.open_hours([hour_of(UnixMs(started?))]);
        }
    }
    Ok(count.cast_unsigned())
}

/// The next row comes after this one.
fn skip_rows(db: &Connection, last_row: i64) -> rusqlite::Result<i64> {
    db.execute(
        "INSERT INTO zone (zone, min_ms, max_ms, rows, last_row) VALUES (?1, 0, 0, 0, ?2) \
         ON CONFLICT (zone) DO UPDATE SET last_row = excluded.last_row",
        (last_row >> ZONE_BITS, last_row),
    )?;
    Ok(last_row)
}

/// The last row that was ever written.
fn last_row(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("SELECT coalesce(max(last_row), 0) FROM zone", [], |row| row.get(0))
}

/// Seals all rows that are in no segment, from what is on disk.
pub(super) fn recover(sealer: &mut Sealer, db: &Connection) -> rusqlite::Result<()> {
    let last = last_row(db)?;
    let mut rows = Rows::new(db)?;
    note_gap_hours(sealer, db)?;
    while sealer.position.last_row < last {
        let first = sealer.position.last_row + 1;
        let count = usize::try_from(last - first + 1).unwrap_or(usize::MAX).min(sealer.sealing.segment_rows);
        let range = (first, first + count as i64 - 1);
        // A row that is not there keeps its place, with a digest that no row has.
        let mut segment = vec![OpenRow { leaf: Digest::default(), started_ms: 0 }; count];
        rows.each(range, |seen| {
            let place = usize::try_from(seen.rowid - first).unwrap_or(usize::MAX);
            if let Some(slot) = segment.get_mut(place) {
                *slot = OpenRow::from(&seen);
            }
        })?;
        for (row, digest) in erased(db, range)? {
            let place = usize::try_from(row - first).unwrap_or(usize::MAX);
            if let Some(slot) = segment.get_mut(place).filter(|slot| slot.leaf == Digest::default()) {
                slot.leaf = digest;
            }
        }
        sealer.open_hours(
            segment.iter().filter(|row| row.started_ms > 0).map(|row| hour_of(UnixMs(row.started_ms))),
        );
        let absent = segment.iter().filter(|row| row.leaf == Digest::default()).count() as u64;
        sealer.seal_rows(db, &segment, absent, Why::Recovered)?;
    }
    if !sealer.hours().is_empty() {
        sealer.seal_rows(db, &[], 0, Why::Recovered)?;
    }
    Ok(())
}

/// Totals of dropped exchanges changed hours that no row tells of.
fn note_gap_hours(sealer: &mut Sealer, db: &Connection) -> rusqlite::Result<()> {
    let mut select = db.prepare(&format!("SELECT {} FROM gap WHERE id >= ?1", gap::COLUMNS))?;
    let gaps = select.query_map([sealer.position.gap], gap::read)?;
    for gap in gaps {
        let gap = gap?;
        let (first, last) = (hour_of(gap.first_at), hour_of(gap.last_at));
        sealer.open_hours(first..=last.min(first.saturating_add(GAP_HOURS_MAX)));
    }
    Ok(())
}

/// Rows of this range that were erased, with what is left of them.
pub(super) fn erased(db: &Connection, (first, last): (i64, i64)) -> rusqlite::Result<FxHashMap<i64, Digest>> {
    let mut select = db.prepare(
        "SELECT chain.number, chain.entry, chain.signature FROM erased \
         JOIN chain ON chain.number = erased.entry WHERE row >= ?1 AND row <= ?2",
    )?;
    let entries = select.query_map((first, last), Stored::read)?;
    let mut found = FxHashMap::default();
    for stored in entries {
        if let Some(Event::Erased(erased)) = stored?.parse().map(|entry| entry.event) {
            found.insert(erased.row, erased.digest);
        }
    }
    Ok(found)
}

/// The entry about the erasure of that exchange, if it was erased.
pub(super) fn erasure(
    db: &Connection,
    id: ExchangeId,
) -> rusqlite::Result<Option<(UnixMs, super::entry::Erased)>> {
    let mut select = db.prepare(
        "SELECT chain.number, chain.entry, chain.signature FROM erased \
         JOIN chain ON chain.number = erased.entry WHERE id = ?1",
    )?;
    let stored = select.query_row([id.0.to_be_bytes().as_slice()], Stored::read).optional()?;
    Ok(stored.and_then(|stored| stored.parse()).and_then(|entry| match entry.event {
        Event::Erased(erased) => Some((entry.at_ms, erased)),
        _ => None,
    }))
}
