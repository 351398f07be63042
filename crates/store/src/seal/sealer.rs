//! The writer's part: digests of the rows it writes, and segments sealed when they are due.

use std::collections::BTreeSet;
use std::sync::Arc;

use pilothouse_core::clock::{Clock, UnixMs};
use rusqlite::Connection;

use super::digest::{self, DIGEST_BYTES, Digest, Salts};
use super::entry::{self, Event, GapSeal, Link, Position, Segment, Why};
use super::rows::Seen;
use super::{Sealing, head, start, totals};
use crate::rollup::hour_of;
use crate::{form, gap, row};

/// Digests are kept in memory for so many segments; when sealing fails for longer, rows are read back for them.
const SEGMENTS_OPEN_MAX: usize = 8;

/// The totals of an hour are sealed so long after its end, when late exchanges of it have mostly ended.
const HOUR_IS_OVER_MS: u64 = 10 * 60_000;

/// A row that is in no segment yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenRow {
    pub(super) leaf: Digest,
    pub(super) started_ms: u64,
}

/// What the writer knows of the chain.
pub(crate) struct Sealer {
    pub(super) sealing: Sealing,
    pub(super) clock: Arc<dyn Clock>,
    /// After the newest entry that has one.
    pub(super) position: Position,
    /// Where the chain goes on, if the store no longer has the entry before.
    pub(super) after: Option<Link>,
    /// Rows behind `position.last_row`, in order; the first `settled` of them are on disk.
    open: Vec<OpenRow>,
    settled: usize,
    /// There are more open rows than `open` has.
    is_overflowed: bool,
    hours: BTreeSet<u64>,
    is_gap_new: bool,
    opened_at: Option<UnixMs>,
    salts: Salts,
    /// Leaves of this statement's rows, one behind the other.
    scratch: Vec<u8>,
}

impl Sealer {
    pub(super) fn new(sealing: Sealing, clock: Arc<dyn Clock>, position: Position) -> Self {
        Self {
            sealing,
            clock,
            position,
            after: None,
            open: Vec::new(),
            settled: 0,
            is_overflowed: false,
            hours: BTreeSet::new(),
            is_gap_new: false,
            opened_at: None,
            salts: Salts::default(),
            scratch: Vec::new(),
        }
    }

    /// Recovers what a crash left unsealed, and tells the chain that a server starts.
    pub(crate) fn start(db: &Connection, sealing: Sealing, clock: Arc<dyn Clock>) -> rusqlite::Result<Self> {
        start::start(db, sealing, clock)
    }

    /// Before a transaction: what one that failed had added is forgotten.
    pub(crate) fn begin(&mut self) {
        self.open.truncate(self.settled);
    }

    /// Digests a row that is about to be written, and gives the detail to write: with its salt behind it.
    pub(crate) fn add(
        &mut self,
        rowid: i64,
        (started_ms, shared): (u64, &Digest),
        detail: &[u8],
        extra: &[u8],
    ) -> rusqlite::Result<&[u8]> {
        let salt = self.salts.next().ok_or_else(|| form::fault("the system has no randomness to give"))?;
        let extra = Some(extra).filter(|text| !text.is_empty());
        self.scratch.clear();
        let place = digest::put_leaf(&mut self.scratch, (started_ms, shared, extra.is_some()), detail, &salt);
        let leaf = digest::finish_leaf(&self.scratch, extra);
        if self.open.len() >= SEGMENTS_OPEN_MAX * self.sealing.segment_rows {
            self.is_overflowed = true;
        } else if self.position.last_row + self.open.len() as i64 + 1 == rowid {
            self.open.push(OpenRow { leaf, started_ms });
        } else if !self.is_overflowed {
            return Err(form::fault("rows are not where their digests are"));
        }
        Ok(self.scratch.get(place).unwrap_or_default())
    }

    /// After a transaction that went through: totals of these hours changed with it, and gaps if `has_gap`.
    pub(crate) fn settle(&mut self, hours: impl IntoIterator<Item = u64>, has_gap: bool) {
        self.settled = self.open.len();
        self.hours.extend(hours);
        self.is_gap_new |= has_gap;
        self.note_opening();
    }

    fn note_opening(&mut self) {
        if self.opened_at.is_none() && (self.settled > 0 || self.is_gap_new || !self.hours.is_empty()) {
            self.opened_at = Some(self.clock.now());
        }
    }

    /// Seals what is due: full segments, and after its time whatever there is. Between transactions only.
    pub(crate) fn seal_due(&mut self, db: &Connection) -> rusqlite::Result<()> {
        if self.is_overflowed {
            return self.read_back(db);
        }
        while self.settled >= self.sealing.segment_rows {
            self.seal(db, self.sealing.segment_rows, Why::Full)?;
        }
        let Some(opened) = self.opened_at else { return Ok(()) };
        // A clock that was set back does not keep a segment open for longer.
        if self.clock.now().0.abs_diff(opened.0) >= self.sealing.segment_ms {
            self.seal(db, self.settled, Why::Time)?;
        }
        Ok(())
    }

    /// Seals everything and says that it is everything.
    pub(crate) fn end(&mut self, db: &Connection) -> rusqlite::Result<()> {
        if self.is_overflowed {
            self.read_back(db)?;
        }
        while self.settled > self.sealing.segment_rows {
            self.seal(db, self.sealing.segment_rows, Why::Full)?;
        }
        if self.settled > 0 || self.is_gap_new || !self.hours.is_empty() {
            self.seal(db, self.settled, Why::Stop)?;
        }
        let position = self.position.clone();
        self.append(db, Event::End { position })
    }

    /// Seals rows whose digests are no longer in memory.
    fn read_back(&mut self, db: &Connection) -> rusqlite::Result<()> {
        self.open.clear();
        self.settled = 0;
        start::recover(self, db)?;
        self.is_overflowed = false;
        Ok(())
    }

    /// Seals the first `count` open rows.
    fn seal(&mut self, db: &Connection, count: usize, why: Why) -> rusqlite::Result<()> {
        let rows: Vec<OpenRow> = self.open.iter().take(count).copied().collect();
        self.seal_rows(db, &rows, 0, why)?;
        self.open.drain(..rows.len());
        self.settled = self.open.len();
        self.note_opening();
        Ok(())
    }

    /// Seals these rows, which follow the last that is sealed; `absent` of them are not there.
    pub(super) fn seal_rows(
        &mut self,
        db: &Connection,
        rows: &[OpenRow],
        absent: u64,
        why: Why,
    ) -> rusqlite::Result<()> {
        let now = self.clock.now();
        // Hours far ahead are those of a clock that was wrong.
        let going_on =
            hour_of(UnixMs(now.0.saturating_sub(HOUR_IS_OVER_MS)))..=hour_of(now).saturating_add(1);
        let is_over = |hour: &u64| !going_on.contains(hour);
        let (over, open): (Vec<u64>, Vec<u64>) =
            self.hours.iter().partition(|hour| matches!(why, Why::Stop | Why::Recovered) || is_over(hour));
        let times = || rows.iter().map(|row| row.started_ms).filter(|at| *at > 0);
        let (first_row, count) = (self.position.last_row + 1, rows.len() as i64);
        let link = entry::durably(db, |step| {
            let texts = row::load_texts(step)?;
            let hours = over.iter().map(|hour| Ok((*hour, totals::of_hour(step, &texts, *hour)?)));
            let gaps = new_gaps(step, self.position.gap)?;
            let position = Position {
                segment: self.position.segment + 1,
                last_row: self.position.last_row + count,
                open_hours: open.clone(),
                gap: gaps.last().map_or(self.position.gap, |gap| gap.id),
                ..self.position.clone()
            };
            let segment = Segment {
                segment: position.segment,
                why,
                first: (first_row - position.first_row + 1).cast_unsigned(),
                first_row,
                count: rows.len() as u64,
                absent,
                root: digest::root(rows.iter().map(|row| row.leaf)),
                first_at_ms: UnixMs(times().min().unwrap_or(now.0)),
                last_at_ms: UnixMs(times().max().unwrap_or(now.0)),
                gaps,
                hours: hours.collect::<rusqlite::Result<_>>()?,
                position: position.clone(),
            };
            let link = entry::append(step, &self.sealing.key, now, Event::Segment(segment), self.after)?;
            if !rows.is_empty() {
                write_leaves(step, first_row, link.number, rows)?;
            }
            Ok((link, position))
        })?;
        self.position = link.1;
        self.hours = open.into_iter().collect();
        (self.is_gap_new, self.opened_at) = (false, None);
        self.tell(link.0);
        Ok(())
    }

    /// Appends an entry about the ledger as it is.
    pub(super) fn append(&mut self, db: &Connection, event: Event) -> rusqlite::Result<()> {
        let (now, after) = (self.clock.now(), self.after);
        let link = entry::durably(db, |step| entry::append(step, &self.sealing.key, now, event, after))?;
        self.tell(link);
        Ok(())
    }

    /// Appends an entry in a transaction of the caller's, who calls [`Sealer::tell`] after it.
    pub(crate) fn append_within(&self, step: &Connection, event: Event) -> rusqlite::Result<Link> {
        entry::append(step, &self.sealing.key, self.clock.now(), event, self.after)
    }

    /// Tells the newest entry outside of the store. A file that cannot be written lags, which is no lie.
    pub(crate) fn tell(&mut self, link: Link) {
        self.after = None;
        if let Some(path) = &self.sealing.head {
            let _ = head::write(path, &self.sealing.key, link, self.position.last_row);
        }
    }

    /// The first row that is in no segment.
    pub(crate) const fn first_open_row(&self) -> i64 {
        self.position.last_row + 1
    }

    /// Gap records after the last one that is kept are gone, and their numbers are given again.
    pub(crate) fn limit_gaps(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let last: i64 = db.query_row("SELECT coalesce(max(id), 0) FROM gap", [], |row| row.get(0))?;
        self.position.gap = self.position.gap.min(last);
        Ok(())
    }

    /// Totals of these hours are to be sealed with the next segment.
    pub(super) fn open_hours(&mut self, hours: impl IntoIterator<Item = u64>) {
        self.hours.extend(hours);
    }

    /// Hours whose totals are not sealed as they are now.
    pub(super) fn hours(&self) -> Vec<u64> {
        self.hours.iter().copied().collect()
    }
}

impl From<&Seen> for OpenRow {
    fn from(seen: &Seen) -> Self {
        Self { leaf: seen.leaf.unwrap_or_default(), started_ms: seen.started_ms }
    }
}

/// Gaps from the last that was told on: it may have grown.
fn new_gaps(db: &Connection, last: i64) -> rusqlite::Result<Vec<GapSeal>> {
    let mut select =
        db.prepare_cached(&format!("SELECT {}, id FROM gap WHERE id >= ?1 ORDER BY id", gap::COLUMNS))?;
    select.query_map([last], |row| Ok(GapSeal::of(row.get(7)?, &gap::read(row)?)))?.collect()
}

/// Keeps the leaves of a segment, so that one damaged row does not put the others in doubt.
fn write_leaves(db: &Connection, first_row: i64, number: u64, rows: &[OpenRow]) -> rusqlite::Result<()> {
    let mut bytes = Vec::with_capacity(rows.len() * DIGEST_BYTES);
    rows.iter().for_each(|row| bytes.extend_from_slice(&row.leaf.0));
    let mut insert = db
        .prepare_cached("INSERT INTO leaves (first_row, last_row, entry, digests) VALUES (?1, ?2, ?3, ?4)")?;
    let last_row = first_row + rows.len() as i64 - 1;
    insert.execute((first_row, last_row, number.cast_signed(), bytes)).map(drop)
}
