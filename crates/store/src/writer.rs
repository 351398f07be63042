//! The one thread that writes: it takes what waits and puts it on disk, rows and their totals in one transaction.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Statement};
use rustc_hash::FxHashMap;

use crate::batch::{Batch, Packed};
use crate::codes::Wide;
use crate::detail::Detail;
use crate::form::{self, EPOCH_BITS, Forms};
use crate::gap;
use crate::names::{Names, Slot, Sort};
use crate::overflow::Lost;
use crate::parts::{self, Part};
use crate::recorder::Shared;
use crate::retention::Retention;
use crate::rollup::{Group, Rollups, hour_of};
use crate::seal::entry;
use crate::seal::sealer::Sealer;
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

/// For a row whose number is not one more than that of the last row that is there.
const TOLD_SQL: &str =
    "INSERT OR FAIL INTO exchange (started_ms, form, detail, extra, rowid) VALUES (?, ?, ?, ?, ?)";

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
    sealer: Option<Sealer>,
    is_seal_refused: bool,
    /// Hours whose totals this transaction changed.
    hours: Vec<u64>,
    /// The row before the next one was erased or too old, so that SQLite would give its number again.
    is_last_row_gone: bool,
    /// SQLite's number of the file as other connections left it, and the chain's newest entry then.
    seen: (i64, u64),
    /// The file, for messages.
    path: PathBuf,
}

impl Writer {
    pub(crate) fn new(
        db: Connection,
        path: PathBuf,
        shared: Arc<Shared>,
        retention: Retention,
        sealer: Option<Sealer>,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            seen: (data_version(&db)?, newest_entry(&db)?),
            is_last_row_gone: is_last_row_gone(&db)?,
            sealer,
            is_seal_refused: false,
            hours: Vec::new(),
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
            self.seal();
            let pruned = self.attempts == 0 && self.prune();
            if !closing && !pruned {
                std::thread::park_timeout(flush_interval);
            }
        }
        if self.is_done() {
            self.end();
            // Leave one tidy file behind; a reader that still looks on makes this a partial one, which is fine.
            let _ = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
            return Ok(());
        }
        Err(self.last_error().unwrap_or_else(|| format!("{} takes no more rows", self.path.display())))
    }

    /// Whether another process has told the chain that it erased something. Others change the file all the time, for
    /// budgets and keys, which is nothing to us.
    fn has_erasure(&mut self) -> rusqlite::Result<bool> {
        let version = data_version(&self.db)?;
        if version == self.seen.0 {
            return Ok(false);
        }
        let before = std::mem::replace(&mut self.seen, (version, newest_entry(&self.db)?));
        Ok(self.seen.1 != before.1)
    }

    /// Seals everything. What cannot be sealed now is sealed by the next server, like after a crash.
    pub(crate) fn end(&mut self) {
        if let Some(sealer) = &mut self.sealer {
            let _ = sealer.end(&self.db);
        }
    }

    /// Seals what is due. A refusal is no reason to stop: it is still due at the next visit.
    pub(crate) fn seal(&mut self) {
        let Some(sealer) = &mut self.sealer else { return };
        match sealer.seal_due(&self.db) {
            Ok(()) if self.is_seal_refused => {
                self.is_seal_refused = false;
                self.set_last_error(None);
            }
            Ok(()) => {}
            Err(error) => {
                self.is_seal_refused = true;
                self.shared.errors.add(1);
                self.set_last_error(Some(format!("could not seal {}: {error}", self.path.display())));
            }
        }
    }

    /// Removes a little of what is too old. True if there may be more.
    pub(crate) fn prune(&mut self) -> bool {
        let pruned = self.retention.prune_some(&self.db, self.sealer.as_mut());
        if pruned && let (Ok(zones), Ok(gone)) = (Zones::load(&self.db), is_last_row_gone(&self.db)) {
            (self.zones, self.is_last_row_gone) = (zones, gone);
        }
        pruned
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
        if let Some(sealer) = &mut self.sealer {
            sealer.settle(self.hours.drain(..), !self.lost.is_empty());
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
        if self.has_erasure()? || self.attempts > 0 {
            // What was remembered in the transaction that failed is not in the file, and what another process erased
            // is no longer there.
            self.rollups.forget();
            self.forms.forget();
            (self.names, self.zones) = (Names::load(&self.db)?, Zones::load(&self.db)?);
            self.is_last_row_gone = is_last_row_gone(&self.db)?;
        }
        if let Some(sealer) = &mut self.sealer {
            sealer.begin();
        }
        self.write_rows()?;
        self.write_lost()?;
        self.hours = self.rollups.write(&self.db)?;
        self.zones.write(&self.db)?;
        self.db.prepare_cached("COMMIT")?.raw_execute().map(drop)
    }

    fn write_rows(&mut self) -> rusqlite::Result<()> {
        let mut inserts = Inserts::new(&self.db, self.is_last_row_gone)?;
        let (db, forms, rollups) = (&self.db, &mut self.forms, &mut self.rollups);
        let mut sealer = self.sealer.as_mut();
        // Where the forms of the batch are, by where they stand in it: most rows have that of one before.
        let mut places: FxHashMap<usize, usize> = FxHashMap::default();
        for batch in &self.batches {
            let mut rows = 0;
            places.clear();
            for packed in batch.iter() {
                let rowid = self.zones.next_row(packed.started_at.0);
                if forms.is_full() || rowid.trailing_zeros() >= EPOCH_BITS {
                    forms.settle(db, rollups)?;
                    forms.forget();
                    places.clear();
                }
                let place = match places.entry(packed.form_at) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(vacant) => *vacant.insert(match forms.find(packed.form) {
                        Some(place) => place,
                        None => forms.enter(db, &mut self.names, rowid, packed.form)?,
                    }),
                };
                let (form, digest, is_told) = forms.id(place).ok_or_else(form::not_packed)?;
                let detail = match &mut sealer {
                    Some(sealer) => {
                        let shared = (packed.started_at.0, digest);
                        inserts.keep(sealer.add(rowid, shared, packed.detail, packed.extra)?)
                    }
                    None => NewDetail::Packed,
                };
                inserts.push(NewRow { rowid, form, is_told, packed, detail })?;
                let sums = Detail::unpack_sums(packed.detail).ok_or_else(form::not_packed)?;
                let answers = if is_told { Vec::new() } else { parts::answers_of(packed.extra) };
                let (sums, others) = parts::split(sums, answers);
                let hour = hour_of(packed.started_at);
                forms.count(db, rollups, (place, hour), &sums)?;
                for other in others {
                    let group = forms.group(place).ok_or_else(form::not_packed)?;
                    let group = group_of(db, &mut self.names, &other, group)?;
                    rollups.add(db, hour, group, &other.sums)?;
                }
                rows += 1;
            }
            if rows != batch.rows() {
                return Err(form::not_packed());
            }
        }
        self.is_last_row_gone = inserts.finish()?;
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

/// The group of an answer that was not passed on, beside that of its exchange.
fn group_of(db: &Connection, names: &mut Names, part: &Part, of: Group) -> rusqlite::Result<Group> {
    let target = &part.answer.target;
    let price = target.price.as_deref();
    Ok(Group {
        vendor: names.enter(db, Sort::Vendor, &target.vendor)?.group(),
        model: names.enter(db, Sort::Model, &target.model)?.group(),
        price: price.map_or(Ok(Slot::None), |price| names.enter(db, Sort::Price, price))?.group(),
        class: part.class.code(),
        ..of
    })
}

/// Changes whenever another connection has changed the file (<https://sqlite.org/pragma.html#pragma_data_version>).
fn data_version(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// The number of the chain's newest entry; 0 when there is none.
fn newest_entry(db: &Connection) -> rusqlite::Result<u64> {
    Ok(entry::last(db)?.map_or(0, |link| link.number))
}

/// Whether the last row that was written is no longer there.
fn is_last_row_gone(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row(
        "SELECT (SELECT coalesce(max(last_row), 0) FROM zone) > (SELECT coalesce(max(rowid), 0) FROM exchange)",
        [],
        |row| row.get(0),
    )
}

/// Rows go in many with one statement: it finds the table's end once for all of them.
struct Inserts<'db, 'row> {
    db: &'db Connection,
    many: CachedStatement<'db>,
    one: CachedStatement<'db>,
    waiting: Vec<NewRow<'row>>,
    /// Details with their salts, of the rows that wait.
    salted: Vec<u8>,
    /// The next row is told its number.
    is_told: bool,
}

struct NewRow<'row> {
    rowid: i64,
    form: i64,
    /// The form has the words of its receipt.
    is_told: bool,
    packed: Packed<'row>,
    detail: NewDetail,
}

/// Where a row's detail is.
enum NewDetail {
    Packed,
    Salted(Range<usize>),
}

impl<'db, 'row> Inserts<'db, 'row> {
    fn new(db: &'db Connection, is_told: bool) -> rusqlite::Result<Self> {
        Ok(Self {
            many: db.prepare_cached(&insert_sql(ROWS_AT_ONCE))?,
            one: db.prepare_cached(&insert_sql(1))?,
            waiting: Vec::with_capacity(ROWS_AT_ONCE),
            salted: Vec::new(),
            is_told,
            db,
        })
    }

    /// Keeps a detail until its row is written.
    fn keep(&mut self, detail: &[u8]) -> NewDetail {
        let start = self.salted.len();
        self.salted.extend_from_slice(detail);
        NewDetail::Salted(start..self.salted.len())
    }

    fn push(&mut self, row: NewRow<'row>) -> rusqlite::Result<()> {
        if self.is_told {
            let mut told = self.db.prepare_cached(TOLD_SQL)?;
            row.bind(&mut told, 0, &self.salted)?;
            told.raw_bind_parameter(1 + COLUMNS, row.rowid)?;
            told.raw_execute()?;
            self.is_told = false;
            self.salted.clear();
            return Ok(());
        }
        self.waiting.push(row);
        if self.waiting.len() < ROWS_AT_ONCE {
            return Ok(());
        }
        for (row, place) in self.waiting.iter().zip(0..) {
            row.bind(&mut self.many, place, &self.salted)?;
        }
        self.many.raw_execute()?;
        self.check()?;
        self.waiting.clear();
        self.salted.clear();
        Ok(())
    }

    /// Writes what waits. True if the next row is still to be told its number.
    fn finish(mut self) -> rusqlite::Result<bool> {
        for row in &self.waiting {
            row.bind(&mut self.one, 0, &self.salted)?;
            self.one.raw_execute()?;
        }
        self.check()?;
        Ok(self.is_told)
    }

    /// The rows are where the blocks of times say.
    fn check(&self) -> rusqlite::Result<()> {
        let is_there = self.waiting.last().is_none_or(|row| row.rowid == self.db.last_insert_rowid());
        if is_there { Ok(()) } else { Err(form::fault("rows are not where they are counted")) }
    }
}

impl NewRow<'_> {
    fn bind(&self, insert: &mut Statement<'_>, place: usize, salted: &[u8]) -> rusqlite::Result<()> {
        let (first, packed) = (1 + place * COLUMNS, &self.packed);
        let detail = match &self.detail {
            NewDetail::Packed => packed.detail,
            NewDetail::Salted(range) => salted.get(range.clone()).unwrap_or_default(),
        };
        insert.raw_bind_parameter(first, Wide::from(packed.started_at.0))?;
        insert.raw_bind_parameter(first + 1, self.form)?;
        insert.raw_bind_parameter(first + 2, detail)?;
        let extra = match packed.extra {
            [] => ValueRef::Null,
            fills if self.is_told => ValueRef::Blob(fills),
            text => ValueRef::Text(text),
        };
        insert.raw_bind_parameter(first + 3, ToSqlOutput::Borrowed(extra))
    }
}
