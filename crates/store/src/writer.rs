//! The one thread that writes: it takes what waits and puts it on disk, rows and their totals in one transaction.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Statement};

use crate::batch::{Batch, Packed};
use crate::codes::Wide;
use crate::detail::Detail;
use crate::form::{self, EPOCH_BITS, Forms};
use crate::gap;
use crate::names::{Names, Slot, Sort};
use crate::overflow::Lost;
use crate::recorder::Shared;
use crate::retention::Retention;
use crate::rollup::{Group, Rollups, hour_of};
use crate::zone::Zones;

/// A transaction takes no further batch after so many rows.
const TRANSACTION_ROWS: usize = 2048;

/// Rows of one statement.
const ROWS_AT_ONCE: usize = 16;

/// Columns that are bound for a row.
const COLUMNS: usize = 4;

/// SQLite gives the rowid, which is one more than the last: told what it is, it would look for the place in the
/// tree again for each row. Without `OR FAIL` it would keep copies of pages, to undo a statement that fails;
/// we undo the transaction.
fn insert_sql(rows: usize) -> String {
    let values = vec!["(?, ?, ?, ?)"; rows].join(", ");
    format!("INSERT OR FAIL INTO exchange (started_ms, form, detail, extra) VALUES {values}")
}

/// A batch that the disk refuses is tried again this often; then its details are given up.
const ATTEMPTS_MAX: u32 = 3;

/// The writer's state: the file, and what it remembers of it.
pub(crate) struct Writer {
    db: Connection,
    shared: Arc<Shared>,
    names: Names,
    forms: Forms,
    rollups: Rollups,
    zones: Zones,
    /// Taken from the lanes, not yet begun.
    taken: VecDeque<Batch>,
    /// Of this transaction.
    batches: Vec<Batch>,
    lost: Lost,
    attempts: u32,
    retention: Retention,
    /// The file, for messages.
    path: PathBuf,
}

impl Writer {
    pub(crate) fn new(
        db: Connection,
        path: PathBuf,
        shared: Arc<Shared>,
        retention: Retention,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            names: Names::load(&db)?,
            zones: Zones::load(&db)?,
            rollups: Rollups::default(),
            forms: Forms::default(),
            taken: VecDeque::new(),
            batches: Vec::new(),
            lost: Lost::default(),
            attempts: 0,
            db,
            shared,
            retention,
            path,
        })
    }

    /// Writes until the ledger closes; gives the last refusal if not everything is on disk then.
    pub(crate) fn run(mut self, flush_interval: Duration) -> Result<(), String> {
        loop {
            // Read before the flush: what was recorded before `close` is seen by the flush after it.
            let closing = self.shared.closing.load(Ordering::Acquire);
            let more = self.flush();
            if closing && (self.is_done() || self.attempts >= ATTEMPTS_MAX) {
                break;
            }
            if more {
                continue;
            }
            let pruned = self.attempts == 0 && self.retention.prune_some(&self.db);
            if !closing && !pruned {
                std::thread::park_timeout(flush_interval);
            }
        }
        if self.is_done() {
            // Leave one tidy file behind; a reader that still looks on makes this a partial one, which is fine.
            let _ = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
            return Ok(());
        }
        Err(self.last_error().unwrap_or_else(|| format!("{} takes no more rows", self.path.display())))
    }

    fn is_done(&self) -> bool {
        self.lost.is_empty() && self.shared.pending() == 0 && self.shared.overflow.is_empty()
    }

    fn rows(&self) -> usize {
        self.batches.iter().map(Batch::rows).sum()
    }

    /// One transaction, if there is anything to write. True if there is more to write at once.
    pub(crate) fn flush(&mut self) -> bool {
        if self.taken.is_empty() {
            self.shared.lanes.take(&mut self.taken);
        }
        while self.rows() < TRANSACTION_ROWS {
            let Some(batch) = self.taken.pop_front() else { break };
            self.batches.push(batch);
        }
        self.lost.merge(self.shared.overflow.take());
        if self.batches.is_empty() && self.lost.is_empty() {
            return false;
        }
        match self.write() {
            Ok(()) => {
                self.settle();
                !self.taken.is_empty()
            }
            Err(error) => {
                self.refused(&error);
                false
            }
        }
    }

    fn settle(&mut self) {
        let count = self.rows() as u64;
        for batch in self.batches.drain(..) {
            self.shared.lanes.give_back(batch);
        }
        self.shared.dropped_settled.add(self.lost.exchanges());
        self.lost = Lost::default();
        self.shared.rows.add(count);
        self.shared.settled.add(count);
        if self.attempts > 0 {
            self.set_last_error(None);
        }
        self.attempts = 0;
        // The lock orders this after a waiter's own look at the counter, so that none sleeps through it.
        drop(self.shared.flushed.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.shared.flushed.1.notify_all();
    }

    /// Rolls back, and after some attempts gives up the details of the batch, never its totals.
    fn refused(&mut self, error: &rusqlite::Error) {
        if !self.db.is_autocommit() {
            let _ = self.db.execute_batch("ROLLBACK");
        }
        self.shared.errors.add(1);
        self.set_last_error(Some(format!("could not write {}: {error}", self.path.display())));
        self.attempts += 1;
        if self.attempts.is_multiple_of(ATTEMPTS_MAX) {
            let count = self.rows() as u64;
            for batch in self.batches.drain(..) {
                for packed in batch.iter() {
                    // What a fault of ours damaged has no totals; it is in the count of details lost.
                    let _ = self.lost.count_packed(&packed);
                }
                self.shared.lanes.give_back(batch);
            }
            self.shared.dropped.add(count);
            self.shared.settled.add(count);
            self.shared.overflow.give_back(std::mem::take(&mut self.lost));
        }
    }

    fn write(&mut self) -> rusqlite::Result<()> {
        self.db.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        if self.attempts > 0 {
            // What was remembered in the transaction that failed is not in the file.
            self.rollups.forget();
            self.forms.forget();
            (self.names, self.zones) = (Names::load(&self.db)?, Zones::load(&self.db)?);
        }
        self.write_rows()?;
        self.write_lost()?;
        self.rollups.write(&self.db)?;
        self.zones.write(&self.db)?;
        self.db.prepare_cached("COMMIT")?.raw_execute().map(drop)
    }

    fn write_rows(&mut self) -> rusqlite::Result<()> {
        let mut inserts = Inserts::new(&self.db)?;
        let (db, forms, rollups) = (&self.db, &mut self.forms, &mut self.rollups);
        // Where the form of the row before is: most rows have the same.
        let mut before: Option<(&[u8], usize)> = None;
        for batch in &self.batches {
            let mut rows = 0;
            for packed in batch.iter() {
                let rowid = self.zones.next_row(packed.started_at.0);
                if forms.is_full() || rowid.trailing_zeros() >= EPOCH_BITS {
                    forms.settle(db, rollups)?;
                    forms.forget();
                    before = None;
                }
                let place = match before.filter(|(form, _)| *form == packed.form) {
                    Some((_, place)) => place,
                    None => match forms.find(packed.form) {
                        Some(place) => place,
                        None => forms.enter(db, &mut self.names, rowid, packed.form)?,
                    },
                };
                before = Some((packed.form, place));
                let form = forms.id(place).ok_or_else(form::not_packed)?;
                inserts.push(NewRow { rowid, form, packed })?;
                let sums = Detail::unpack_sums(packed.detail).ok_or_else(form::not_packed)?;
                forms.count(db, rollups, (place, hour_of(packed.started_at)), &sums)?;
                rows += 1;
            }
            if rows != batch.rows() {
                return Err(form::not_packed());
            }
        }
        inserts.finish()?;
        forms.settle(db, rollups)
    }

    fn write_lost(&mut self) -> rusqlite::Result<()> {
        if self.lost.is_empty() {
            return Ok(());
        }
        gap::write(&self.db, &self.lost)?;
        for (group, sums) in &self.lost.groups {
            let mut id = |sort: Sort, text: Option<&str>| match text {
                Some(text) => self.names.enter(&self.db, sort, text).map(Slot::group),
                None => Ok(Slot::None.group()),
            };
            let target = group.target.as_ref();
            let ids = Group {
                key: id(Sort::Key, Some(&group.key))?,
                application: id(Sort::Application, Some(&group.application))?,
                vendor: id(Sort::Vendor, target.map(|target| &*target.vendor))?,
                model: id(Sort::Model, target.map(|target| &*target.model))?,
                price: id(Sort::Price, target.and_then(|target| target.price.as_deref()))?,
                class: group.class.code(),
            };
            self.rollups.add(&self.db, group.hour, ids, sums)?;
        }
        Ok(())
    }

    fn last_error(&self) -> Option<String> {
        self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_last_error(&self, error: Option<String>) {
        *self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}

/// Rows go in many with one statement: it finds the table's end once for all of them.
struct Inserts<'db, 'row> {
    db: &'db Connection,
    many: CachedStatement<'db>,
    one: CachedStatement<'db>,
    waiting: Vec<NewRow<'row>>,
}

struct NewRow<'row> {
    rowid: i64,
    form: i64,
    packed: Packed<'row>,
}

impl<'db, 'row> Inserts<'db, 'row> {
    fn new(db: &'db Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            many: db.prepare_cached(&insert_sql(ROWS_AT_ONCE))?,
            one: db.prepare_cached(&insert_sql(1))?,
            waiting: Vec::with_capacity(ROWS_AT_ONCE),
            db,
        })
    }

    fn push(&mut self, row: NewRow<'row>) -> rusqlite::Result<()> {
        self.waiting.push(row);
        if self.waiting.len() < ROWS_AT_ONCE {
            return Ok(());
        }
        for (row, place) in self.waiting.iter().zip(0..) {
            row.bind(&mut self.many, place)?;
        }
        self.many.raw_execute()?;
        self.check()?;
        self.waiting.clear();
        Ok(())
    }

    fn finish(mut self) -> rusqlite::Result<()> {
        for row in &self.waiting {
            row.bind(&mut self.one, 0)?;
            self.one.raw_execute()?;
        }
        self.check()
    }

    /// The rows are where the blocks of times say.
    fn check(&self) -> rusqlite::Result<()> {
        let is_there = self.waiting.last().is_none_or(|row| row.rowid == self.db.last_insert_rowid());
        if is_there { Ok(()) } else { Err(form::fault("rows are not where they are counted")) }
    }
}

impl NewRow<'_> {
    fn bind(&self, insert: &mut Statement<'_>, place: usize) -> rusqlite::Result<()> {
        let (first, packed) = (1 + place * COLUMNS, &self.packed);
        insert.raw_bind_parameter(first, Wide::from(packed.started_at.0))?;
        insert.raw_bind_parameter(first + 1, self.form)?;
        insert.raw_bind_parameter(first + 2, packed.detail)?;
        let extra = Some(packed.extra).filter(|text| !text.is_empty());
        insert.raw_bind_parameter(
            first + 3,
            ToSqlOutput::Borrowed(extra.map_or(ValueRef::Null, ValueRef::Text)),
        )
    }
}
