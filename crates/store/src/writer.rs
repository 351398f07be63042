//! The one thread that writes: it empties the queue in batches, each a transaction of rows and their totals.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use pilothouse_core::exchange::Exchange;
use rusqlite::Connection;

use crate::gap;
use crate::names::{Names, Slot, Sort};
use crate::overflow::Lost;
use crate::recorder::Shared;
use crate::retention::Retention;
use crate::rollup::{Group, Rollups, hour_of};
use crate::row;
use crate::totals::Sums;
use crate::zone::Zones;

/// Rows of one transaction at most.
const BATCH_MAX: usize = 2048;

/// A batch that the disk refuses is tried again this often; then its details are given up.
const ATTEMPTS_MAX: u32 = 3;

/// The writer's state: the file, and what it remembers of it.
pub(crate) struct Writer {
    db: Connection,
    shared: Arc<Shared>,
    insert: String,
    names: Names,
    rollups: Rollups,
    zones: Zones,
    /// Taken from the queue, not yet on disk.
    #[expect(
        clippy::vec_box,
        reason = "moving the box out of the queue is cheaper than moving the exchange"
    )]
    batch: Vec<Box<Exchange>>,
    lost: Lost,
    attempts: u32,
    scratch: Vec<u8>,
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
            insert: row::insert_sql(),
            batch: Vec::with_capacity(BATCH_MAX),
            lost: Lost::default(),
            attempts: 0,
            scratch: Vec::new(),
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
        self.batch.is_empty()
            && self.lost.is_empty()
            && self.shared.queue.is_empty()
            && self.shared.overflow.is_empty()
    }

    /// One transaction, if there is anything to write. True if there may be more to write at once.
    pub(crate) fn flush(&mut self) -> bool {
        while self.batch.len() < BATCH_MAX {
            let Some(exchange) = self.shared.queue.pop() else { break };
            self.batch.push(exchange);
        }
        self.lost.merge(self.shared.overflow.take());
        if self.batch.is_empty() && self.lost.is_empty() {
            return false;
        }
        match self.write() {
            Ok(()) => {
                self.settle();
                !self.shared.queue.is_empty()
            }
            Err(error) => {
                self.refused(&error);
                false
            }
        }
    }

    fn settle(&mut self) {
        let count = self.batch.len() as u64;
        self.batch.clear();
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
            let count = self.batch.len() as u64;
            for exchange in self.batch.drain(..) {
                self.lost.count(&exchange);
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
            (self.names, self.zones) = (Names::load(&self.db)?, Zones::load(&self.db)?);
        }
        self.write_rows()?;
        self.write_lost()?;
        self.rollups.write(&self.db)?;
        self.zones.write(&self.db)?;
        self.db.prepare_cached("COMMIT")?.raw_execute().map(drop)
    }

    fn write_rows(&mut self) -> rusqlite::Result<()> {
        let mut insert = self.db.prepare_cached(&self.insert)?;
        for exchange in &self.batch {
            let rowid = self.zones.next_row(exchange.started_at.0);
            let group =
                row::bind(&mut insert, &self.db, &mut self.names, rowid, exchange, &mut self.scratch)?;
            insert.raw_execute()?;
            self.rollups.add(&self.db, hour_of(exchange.started_at), group, &Sums::of(exchange))?;
        }
        Ok(())
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
