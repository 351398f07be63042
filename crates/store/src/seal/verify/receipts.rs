//! Every receipt: segment by segment, and whatever is between, before and behind segments.

use rusqlite::{Connection, OptionalExtension};

use super::chain::Chain;
use super::{Bad, Fault, Report};
use crate::seal::digest::{self, DIGEST_BYTES, Digest};
use crate::seal::entry::{COLUMNS, Event, Segment, Stored};
use crate::seal::rows::{Rows, Seen};

/// A segment that says that it has more receipts is not one of ours.
const SEGMENT_ROWS_MAX: u64 = 1 << 20;

/// Checks the rows of every segment, and finds those that are in none.
pub(super) fn check(db: &Connection, chain: &Chain, report: &mut Report) -> rusqlite::Result<()> {
    let mut check = Check { db, chain, report, rows: Rows::new(db)?, next_row: i64::MIN, last_entry: 0 };
    let mut select = db.prepare(&format!("SELECT {COLUMNS} FROM chain ORDER BY number"))?;
    let mut entries = select.query([])?;
    while let Some(row) = entries.next()? {
        let stored = Stored::read(row)?;
        if chain.bad.contains(&stored.number) {
            continue;
        }
        if let Some(Event::Segment(segment)) = stored.parse().map(|entry| entry.event) {
            check.segment(&segment, stored.number)?;
        }
    }
    check.end()
}

struct Check<'a> {
    db: &'a Connection,
    chain: &'a Chain,
    report: &'a mut Report,
    rows: Rows<'a>,
    /// The first row that no segment before covered.
    next_row: i64,
    /// The entry of the segment before.
    last_entry: u64,
}

impl Check<'_> {
    fn segment(&mut self, segment: &Segment, entry: u64) -> rusqlite::Result<()> {
        if segment.count == 0 || segment.count > SEGMENT_ROWS_MAX {
            return Ok(());
        }
        self.outside(segment.first_row - 1, entry)?;
        self.next_row = segment.last_row() + 1;
        self.last_entry = entry;
        if self.chain.has_expired(segment.segment) {
            self.report.expired += segment.count;
            let there = self.count((segment.first_row, segment.last_row()))?;
            if there > 0 {
                self.report.altered += there;
                self.bad(
                    Fault::Altered,
                    segment,
                    None,
                    None,
                    format!("{there} rows of an expired segment are there again"),
                );
            }
            return Ok(());
        }
        self.kept(segment)
    }

    /// A segment whose receipts should be there.
    fn kept(&mut self, segment: &Segment) -> rusqlite::Result<()> {
        let count = usize::try_from(segment.count).unwrap_or_default();
        let mut seen: Vec<Option<Seen>> = vec![None; count];
        self.rows.each((segment.first_row, segment.last_row()), |row| {
            let place = usize::try_from(row.rowid - segment.first_row).unwrap_or(usize::MAX);
            if let Some(slot) = seen.get_mut(place) {
                *slot = Some(row);
            }
        })?;
        match self.leaves(segment)? {
            Some(leaves) => {
                for (offset, (leaf, seen)) in leaves.iter().zip(&seen).enumerate() {
                    self.receipt(segment, offset as u64, *leaf, seen.as_ref());
                }
            }
            None => self.without_leaves(segment, &seen),
        }
        Ok(())
    }

    /// The digests of a segment's receipts, if they make its root.
    fn leaves(&self, segment: &Segment) -> rusqlite::Result<Option<Vec<Digest>>> {
        let mut select = self.db.prepare_cached("SELECT digests FROM leaves WHERE first_row = ?1")?;
        let bytes = select
            .query_row([segment.first_row], |row| Ok(row.get_ref(0)?.as_bytes().map(<[u8]>::to_vec).ok()))
            .optional()?
            .flatten()
            .unwrap_or_default();
        let leaves: Vec<Digest> = bytes.as_chunks::<DIGEST_BYTES>().0.iter().copied().map(Digest).collect();
        let fits = leaves.len() as u64 == segment.count && bytes.len() == leaves.len() * DIGEST_BYTES;
        Ok((fits && digest::root(leaves.iter().copied()) == segment.root).then_some(leaves))
    }

    fn receipt(&mut self, segment: &Segment, offset: u64, leaf: Digest, seen: Option<&Seen>) {
        let erased = self.chain.erased.get(&(segment.first_row + offset.cast_signed()));
        match (seen, erased) {
            (Some(row), None) if row.leaf == Some(leaf) => self.report.intact += 1,
            (Some(row), erased) => {
                self.report.altered += 1;
                let what = if erased.is_some() {
                    "an erased receipt is there again"
                } else {
                    "it is not what was sealed"
                };
                self.bad(Fault::Altered, segment, Some(offset), Some(row), what.to_owned());
            }
            (None, Some(digest)) if *digest == leaf => self.report.erased += 1,
            (None, Some(_)) => {
                self.report.altered += 1;
                let what = "what was erased is not what was sealed".to_owned();
                self.bad(Fault::Altered, segment, Some(offset), None, what);
            }
            (None, None) => {
                self.report.missing += 1;
                self.bad(Fault::Missing, segment, Some(offset), None, "its row is gone".to_owned());
            }
        }
    }

    /// The stored digests are not those that were sealed: the rows may still be.
    fn without_leaves(&mut self, segment: &Segment, seen: &[Option<Seen>]) {
        let leaf = |(offset, row): (i64, &Option<Seen>)| match row {
            Some(row) => row.leaf.unwrap_or_default(),
            None => self.chain.erased.get(&(segment.first_row + offset)).copied().unwrap_or_default(),
        };
        let is_whole = digest::root((0..).zip(seen).map(leaf)) == segment.root;
        let there = seen.iter().flatten().count() as u64;
        let gone =
            (0..).zip(seen).filter(|(_, row)| row.is_none()).map(|(offset, _)| segment.first_row + offset);
        let erased = gone.filter(|row: &i64| self.chain.erased.contains_key(row)).count() as u64;
        self.report.erased += erased;
        if is_whole {
            self.report.intact += there;
            let what =
                "the digests beside the segment are not those that were sealed; its receipts are".to_owned();
            self.bad(Fault::Altered, segment, None, None, what);
        } else {
            self.report.altered += there;
            self.report.missing += segment.count - there - erased;
            let what =
                format!("neither its digests nor its receipts make its root; {there} receipts are unproven");
            self.bad(Fault::Altered, segment, None, None, what);
        }
    }

    /// Rows from the last segment's end to `last` are in no segment.
    fn outside(&mut self, last: i64, entry: u64) -> rusqlite::Result<()> {
        let first = self.next_row;
        if last < first {
            return Ok(());
        }
        let there = self.count((first, last))?;
        let told = self.chain.unsealed.iter().filter(|(from, to, _)| *from >= first.max(1) && *to <= last);
        let allowed = told.map(|(_, _, count)| count).sum::<u64>().min(there);
        self.report.not_covered += allowed;
        self.report.erased += self.chain.erased.range(first..=last).count() as u64;
        // Rows that are gone with the entry that told of them.
        let unproven = there - allowed;
        let is_between = |number: &u64| (self.last_entry + 1..=entry).contains(number);
        let is_bad = self.chain.bad.iter().chain(&self.chain.holes).any(is_between);
        if unproven > 0 {
            self.report.altered += unproven;
            let why = if is_bad {
                "the entry that proved them is altered or missing"
            } else {
                "no entry tells of them"
            };
            let (from, to) = self.span((first, last))?;
            self.report.note_altered(format!("{unproven} rows ({from} to {to}): {why}"));
        }
        Ok(())
    }

    /// What is behind the last segment.
    fn end(&mut self) -> rusqlite::Result<()> {
        let position = &self.chain.position;
        let last_entry = self.chain.last.number;
        if self.next_row <= position.last_row {
            self.outside(position.last_row, last_entry)?;
        }
        let first = position.last_row.max(self.next_row.saturating_sub(1)).saturating_add(1);
        let rest = (first, i64::MAX);
        if last_entry == 0 {
            self.report.not_covered += self.count((i64::MIN, i64::MAX))?;
            return Ok(());
        }
        if first <= self.chain.unproven_until {
            return self.unproven(first);
        }
        let there = self.count(rest)?;
        if self.chain.has_ended && there > 0 {
            self.report.altered += there;
            let (from, to) = self.span(rest)?;
            self.report.note_altered(format!(
                "{there} rows ({from} to {to}) behind the last segment, after a server had ended with everything sealed"
            ));
            return Ok(());
        }
        self.report.tail += there;
        self.tail_gone(first, there)
    }

    /// Rows of the tail that were written and are not there.
    fn tail_gone(&mut self, first: i64, there: u64) -> rusqlite::Result<()> {
        let erased = self.chain.erased.range(first..).count() as u64;
        self.report.erased += erased;
        let written: i64 =
            self.db.query_row("SELECT coalesce(max(last_row), 0) FROM zone", [], |row| row.get(0))?;
        let expected = written.saturating_sub(first).saturating_add(1).max(0).cast_unsigned();
        if !self.chain.has_ended && expected > there + erased {
            let gone = expected - there - erased;
            self.report.missing += gone;
            self.report.note_missing(format!(
                "{gone} rows behind the last segment, of {expected} that were written"
            ));
        }
        Ok(())
    }

    /// Rows behind the last segment that is proven, of which some were once sealed.
    fn unproven(&mut self, first: i64) -> rusqlite::Result<()> {
        let until = self.chain.unproven_until;
        let there = self.count((first, until))?;
        self.report.altered += there;
        if there > 0 {
            let (from, to) = self.span((first, until))?;
            self.report.note_altered(format!(
                "{there} rows ({from} to {to}): the entry that proved them is altered or missing"
            ));
        }
        if until < i64::MAX {
            self.report.tail += self.count((until + 1, i64::MAX))?;
        }
        Ok(())
    }

    fn count(&self, (first, last): (i64, i64)) -> rusqlite::Result<u64> {
        let mut select =
            self.db.prepare_cached("SELECT count(*) FROM exchange WHERE rowid >= ?1 AND rowid <= ?2")?;
        select.query_row((first, last), |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
    }

    fn span(&self, (first, last): (i64, i64)) -> rusqlite::Result<(i64, i64)> {
        let mut select = self.db.prepare_cached(
            "SELECT min(rowid), max(rowid) FROM exchange WHERE rowid >= ?1 AND rowid <= ?2",
        )?;
        select.query_row((first, last), |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn bad(
        &mut self,
        fault: Fault,
        segment: &Segment,
        offset: Option<u64>,
        row: Option<&Seen>,
        what: String,
    ) {
        let receipt = offset.map(|offset| (segment.position.writer, segment.first + offset));
        let exchange = row.and_then(|row| row.id);
        self.report.note(Bad { fault, what, exchange, segment: Some(segment.segment), receipt });
    }
}
