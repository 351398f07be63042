//! What reports read besides receipts: totals by hour, gap records, and the blocks that find rows by time.

use std::collections::BTreeSet;

use pilothouse_core::clock::UnixMs;
use rusqlite::{Connection, OptionalExtension};

use super::Report;
use super::chain::Chain;
use crate::codes::Wide;
use crate::gap;
use crate::rollup::hour_of;
use crate::row;
use crate::seal::entry::GapSeal;
use crate::seal::start::GAP_HOURS_MAX;
use crate::seal::totals;
use crate::zone::ZONE_BITS;

/// Checks totals, gap records and blocks.
pub(super) fn check(db: &Connection, chain: &Chain, report: &mut Report) -> rusqlite::Result<()> {
    let open = check_gaps(db, chain, report)?;
    check_hours(db, chain, open, report)?;
    check_blocks(db, report)
}

/// Gap records are as they were sealed, or newer; gives the hours of those that are newer.
fn check_gaps(db: &Connection, chain: &Chain, report: &mut Report) -> rusqlite::Result<BTreeSet<u64>> {
    let mut open = BTreeSet::new();
    let mut left = chain.gaps.clone();
    let mut select = db.prepare(&format!("SELECT {}, id FROM gap ORDER BY id", gap::COLUMNS))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(7)?;
        let sealed = left.remove(&id);
        let Ok(gap) = gap::read(row) else {
            report.note_altered(format!("gap record {id} cannot be read"));
            continue;
        };
        if sealed.as_ref() == Some(&GapSeal::of(id, &gap)) {
            continue;
        }
        let told = sealed.as_ref().map_or(0, |sealed| sealed.exchanges);
        let is_newer = !chain.has_ended && id >= chain.position.gap && gap.exchanges >= told;
        if chain.last.number == 0 || (sealed.is_none() && gap.last_at < chain.known_from) {
            report.dropped += gap.exchanges;
        } else if is_newer {
            report.dropped += gap.exchanges - told;
            let first = hour_of(gap.first_at);
            open.extend(first..=hour_of(gap.last_at).min(first.saturating_add(GAP_HOURS_MAX)));
        } else {
            report
                .note_altered(format!("gap record {id} ({} receipts) is not what was sealed", gap.exchanges));
        }
    }
    for (id, gap) in left {
        report.note_missing(format!("gap record {id}, which tells of {} dropped receipts", gap.exchanges));
    }
    Ok(open)
}

/// Totals of sealed hours are as they were sealed.
fn check_hours(
    db: &Connection,
    chain: &Chain,
    mut open: BTreeSet<u64>,
    report: &mut Report,
) -> rusqlite::Result<()> {
    let texts = row::load_texts(db)?;
    open.extend(&chain.position.open_hours);
    if !chain.has_ended {
        let mut tail = db.prepare("SELECT started_ms FROM exchange WHERE rowid > ?1")?;
        let mut rows = tail.query([chain.position.last_row])?;
        while let Some(row) = rows.next()? {
            open.extend(row.get::<_, Wide>(0).and_then(Wide::unsigned).ok().map(|at| hour_of(UnixMs(at))));
        }
    }
    for (hour, sealed) in &chain.hours {
        if open.contains(hour) {
            continue;
        }
        if totals::of_hour(db, &texts, *hour).is_ok_and(|digest| digest == *sealed) {
            report.hours += 1;
        } else {
            report.note_altered(format!("the totals of {} are not what was sealed", hour_text(*hour)));
        }
    }
    report.hours_open = open.len() as u64;
    if chain.last.number == 0 {
        return Ok(());
    }
    let known_from = hour_of(chain.known_from);
    let mut select = db.prepare("SELECT DISTINCT hour FROM rollup ORDER BY hour")?;
    for hour in select.query_map([], |row| row.get::<_, i64>(0))? {
        let hour = hour?.cast_unsigned();
        if hour > known_from && !chain.hours.contains_key(&hour) && !open.contains(&hour) {
            report.note_altered(format!("the totals of {} are in no segment", hour_text(hour)));
        }
    }
    Ok(())
}

fn hour_text(hour: u64) -> String {
    let second = i64::try_from(hour).ok().and_then(|hour| hour.checked_mul(3600));
    let moment = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
    moment.map_or_else(|| format!("hour {hour} since 1970"), |moment| format!("the hour from {moment}"))
}

/// Each block of rows has the rows and the times that it says: queries by time look at no others.
fn check_blocks(db: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let mut select = db.prepare("SELECT rowid, started_ms FROM exchange ORDER BY rowid")?;
    let mut rows = select.query([])?;
    let mut block: Option<Block> = None;
    while let Some(row) = rows.next()? {
        let zone = row.get::<_, i64>(0)? >> ZONE_BITS;
        // A row without a time is altered, which its receipt shows.
        let at = row.get::<_, Wide>(1).and_then(Wide::unsigned).ok();
        if let Some(full) = block.take_if(|block| block.zone != zone) {
            full.check(db, report)?;
        }
        let block = block.get_or_insert(Block { zone, rows: 0, first: u64::MAX, last: 0 });
        block.rows += 1;
        if let Some(at) = at {
            (block.first, block.last) = (block.first.min(at), block.last.max(at));
        }
    }
    block.map_or(Ok(()), |block| block.check(db, report))
}

/// What a block's rows are.
struct Block {
    zone: i64,
    rows: i64,
    first: u64,
    last: u64,
}

impl Block {
    fn check(&self, db: &Connection, report: &mut Report) -> rusqlite::Result<()> {
        let mut select = db.prepare_cached("SELECT min_ms, max_ms, rows FROM zone WHERE zone = ?1")?;
        let told = select
            .query_row([self.zone], |row| {
                let time = |column: usize| row.get::<_, Wide>(column).and_then(Wide::unsigned).ok();
                Ok((time(0), time(1), row.get::<_, i64>(2).ok()))
            })
            .optional()?;
        let fits = matches!(told, Some((Some(first), Some(last), Some(rows)))
            if first <= self.first && last >= self.last && rows == self.rows);
        if !fits {
            let first_row = self.zone << ZONE_BITS;
            report.note_altered(format!(
                "the block of rows {first_row} to {} says other times or another number of rows",
                first_row + (1 << ZONE_BITS) - 1
            ));
        }
        Ok(())
    }
}
