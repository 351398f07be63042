//! The chain by itself: are all entries there, as they were signed, each behind the one before?

use std::collections::{BTreeMap, BTreeSet};

use pilothouse_core::clock::UnixMs;
use rusqlite::{Connection, OptionalExtension};

use super::{Crash, FAULTS_TOLD_MAX, Report, Trust};
use crate::seal::digest::Digest;
use crate::seal::entry::{
    After, COLUMNS, Entry, Event, Floor, GapSeal, Link, Position, Segment, Start, Stored,
};

/// What the chain says, as far as it can be trusted.
#[derive(Default)]
pub(super) struct Chain {
    /// The newest entry, trusted or not.
    pub(super) last: Link,
    /// Entries that are not to be trusted.
    pub(super) bad: BTreeSet<u64>,
    /// Numbers at which entries are missing before.
    pub(super) holes: BTreeSet<u64>,
    pub(super) position: Position,
    /// Rows up to here were once sealed, by entries that are altered or gone.
    pub(super) unproven_until: i64,
    /// The last server ended with everything sealed.
    pub(super) has_ended: bool,
    /// Nothing before this moment is told of.
    pub(super) known_from: UnixMs,
    /// Rows that were there without a segment: first, last, how many.
    pub(super) unsealed: Vec<(i64, i64, u64)>,
    /// Runs of segments that have expired, first and last.
    expired: Vec<(u64, u64)>,
    pub(super) erased: BTreeMap<i64, Digest>,
    pub(super) gaps: BTreeMap<i64, GapSeal>,
    pub(super) hours: BTreeMap<u64, Digest>,
    floor: Option<Floor>,
    first: Link,
}

impl Chain {
    /// Reads every entry once.
    pub(super) fn walk(db: &Connection, trust: &Trust, report: &mut Report) -> rusqlite::Result<Self> {
        let mut chain = Self::default();
        let mut select = db.prepare(&format!("SELECT {COLUMNS} FROM chain ORDER BY number"))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let stored = Stored::read(row)?;
            report.entries += 1;
            let digest = stored.digest();
            chain.compare_root(&stored, digest, trust, report);
            match chain.trusted(&stored, trust, report) {
                Some(entry) => chain.take_in(entry, report),
                None => {
                    chain.bad.insert(stored.number);
                    chain.unproven_until = i64::MAX;
                }
            }
            chain.last = Link { number: stored.number, digest };
        }
        chain.check_beginning(report);
        if let Some((first, last)) = trust.roots.as_ref().and_then(|roots| roots.beyond(chain.last.number)) {
            report.note_missing(format!(
                "entries {first} to {last} are known from the roots kept elsewhere and are not in the store"
            ));
        }
        Ok(chain)
    }

    fn compare_root(&self, stored: &Stored, digest: Digest, trust: &Trust, report: &mut Report) {
        let Some(known) = trust.roots.as_ref().and_then(|roots| roots.get(stored.number)) else { return };
        report.roots_compared += 1;
        if known != digest {
            report.note_altered(format!("entry {} is not the one that was kept elsewhere", stored.number));
        }
    }

    /// The entry, if it is signed by a trusted key and stands behind the one before.
    fn trusted(&mut self, stored: &Stored, trust: &Trust, report: &mut Report) -> Option<Entry> {
        let number = stored.number;
        let Some(entry) = stored.parse() else {
            report.note_altered(format!("entry {number} of the chain cannot be read"));
            return None;
        };
        if !stored.is_signed(&entry) {
            report.note_altered(format!("entry {number} of the chain does not fit its signature"));
            return None;
        }
        if !trust.keys.contains(&entry.key) {
            report.note_altered(format!(
                "entry {number} of the chain is signed by {}, which is not trusted; if it was your key before, give it \
                 with --trust",
                entry.key
            ));
            return None;
        }
        if !report.keys.contains(&entry.key) {
            report.keys.push(entry.key);
        }
        if self.last == Link::default() {
            self.first = Link { number, digest: entry.previous };
        } else if number != self.last.number + 1 {
            self.holes.insert(number);
            self.note_hole(self.last.number + 1, &entry, report);
        } else if entry.previous != self.last.digest && !self.bad.contains(&self.last.number) {
            report.note_altered(format!(
                "entry {number} of the chain does not stand behind entry {}",
                self.last.number
            ));
        }
        Some(entry)
    }

    fn note_hole(&self, first: u64, entry: &Entry, report: &mut Report) {
        let lost = match &entry.event {
            Event::Start(Start { lost: Some(lost), .. }) => lost.receipts,
            _ => 0,
        };
        report.missing += lost;
        report.note_missing(format!("entries {first} to {} of the chain", entry.number - 1));
    }

    /// The first entry is number 1, or the one that a floor says.
    fn check_beginning(&mut self, report: &mut Report) {
        if let Some(floor) = &self.floor {
            self.known_from = floor.at_ms;
        }
        let is_first = self.first.number <= 1 && self.first.digest == Digest::default();
        let is_floor = self
            .floor
            .as_ref()
            .is_some_and(|floor| (floor.before, floor.previous) == (self.first.number, self.first.digest));
        if self.last.number > 0 && !is_first && !is_floor && !self.bad.contains(&1) {
            self.holes.insert(self.first.number);
            report.note_missing(format!("entries before entry {} of the chain", self.first.number));
        }
    }

    fn take_in(&mut self, entry: Entry, report: &mut Report) {
        if self.known_from == UnixMs(0) {
            self.known_from = entry.at_ms;
        }
        let before = self.position.clone();
        if let Some(position) = entry.event.position() {
            self.has_ended = matches!(entry.event, Event::End { .. });
            self.position = position.clone();
            self.unproven_until = 0;
        }
        match entry.event {
            Event::Start(start) => self.take_in_start(&start, &before, entry.at_ms, report),
            Event::Segment(segment) => {
                report.sealed_at = Some(entry.at_ms);
                self.take_in_segment(segment, report);
            }
            Event::End { .. } => {}
            Event::Expired(expired) => {
                for id in &expired.gaps {
                    self.gaps.remove(id);
                }
                self.expire(expired.segment);
            }
            Event::Erased(erased) => {
                self.erased.insert(erased.row, erased.digest);
            }
            Event::Floor(floor) => {
                report.expired += floor.receipts;
                report.dropped += floor.dropped;
                self.floor = Some(floor);
            }
        }
    }

    fn take_in_start(&mut self, start: &Start, before: &Position, at: UnixMs, report: &mut Report) {
        if start.unsealed > 0 {
            self.unsealed.push((before.last_row + 1, start.position.last_row, start.unsealed));
        }
        if start.after == After::Crash {
            report.crashes_total += 1;
            if report.crashes.len() < FAULTS_TOLD_MAX {
                report.crashes.push(Crash {
                    writer: before.writer,
                    last_number: (before.last_row - before.first_row + 1).max(0).cast_unsigned(),
                    next_start_at: at,
                });
            }
        }
    }

    fn take_in_segment(&mut self, segment: Segment, report: &mut Report) {
        report.segments += 1;
        for gap in segment.gaps {
            let told = self.gaps.get(&gap.id).map_or(0, |earlier| earlier.exchanges);
            report.dropped += gap.exchanges.saturating_sub(told);
            self.gaps.insert(gap.id, gap);
        }
        self.hours.extend(segment.hours);
    }

    /// Segments expire in their order, so that there are few runs of them.
    fn expire(&mut self, segment: u64) {
        match self.expired.last_mut() {
            Some((_, last)) if *last + 1 == segment => *last = segment,
            _ => self.expired.push((segment, segment)),
        }
    }

    pub(super) fn has_expired(&self, segment: u64) -> bool {
        self.expired.iter().any(|(first, last)| (*first..=*last).contains(&segment))
    }
}

/// The digest of that entry, if it is there.
pub(super) fn digest_of(db: &Connection, number: u64) -> rusqlite::Result<Option<Digest>> {
    let mut select = db.prepare(&format!("SELECT {COLUMNS} FROM chain WHERE number = ?1"))?;
    let stored = select.query_row([number.cast_signed()], Stored::read).optional()?;
    Ok(stored.map(|stored| stored.digest()))
}
