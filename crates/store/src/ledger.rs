//! The ledger as its owner sees it: open, hand out recorders, close.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use pilothouse_core::clock::{Clock, SystemClock};

use crate::LEDGER_FILE;
use crate::error::StoreError;
use crate::folder::{self, Lock};
use crate::recorder::{Recorder, Shared};
use crate::retention::Retention;
use crate::schema::{self, MIGRATIONS, Migration};
use crate::seal::Sealing;
use crate::seal::sealer::Sealer;
use crate::writer::Writer;

/// How a ledger works; the defaults suit a server.
#[derive(Clone)]
pub struct Options {
    /// Exchanges that may wait for the writer. Beyond it details are lost, totals are not.
    pub queue_capacity: usize,
    /// How long an exchange waits at most until the writer looks; what a killed process loses at most.
    pub flush_interval: Duration,
    /// Days after which rows are removed; `None` keeps them for good. Roll-ups always stay.
    pub keep_days: Option<u32>,
    /// With what receipts are sealed; `None` does not seal them.
    pub sealing: Option<Sealing>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue_capacity: 32_768,
            flush_interval: Duration::from_millis(50),
            keep_days: Some(90),
            sealing: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options")
            .field("queue_capacity", &self.queue_capacity)
            .field("flush_interval", &self.flush_interval)
            .field("keep_days", &self.keep_days)
            .field("sealing", &self.sealing)
            .finish_non_exhaustive()
    }
}

/// The ledger of one data folder, with its writer thread. One process at a time may have it.
#[derive(Debug)]
pub struct Ledger {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<(), String>>>,
    path: PathBuf,
    _lock: Lock,
}

impl Ledger {
    /// Opens the ledger of the data folder `dir`; makes both if needed (the folder with mode 0700, the file
    /// with 0600) and brings an older file forward.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has it, [`StoreError::Newer`] when a newer version wrote it,
    /// [`StoreError::NotALedger`] when the file is something else, and refusals of the system.
    pub fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        Self::open_with(dir, options, MIGRATIONS)
    }

    pub(crate) fn open_with(
        dir: &Path,
        options: Options,
        migrations: &[Migration],
    ) -> Result<Self, StoreError> {
        folder::make(dir)?;
        let lock = Lock::take(dir)?;
        let path = dir.join(LEDGER_FILE);
        folder::make_file(&path)?;
        let db = schema::open_writer(&path, migrations, &*options.clock)?;
        let sealer = options.sealing.map(|sealing| Sealer::start(&db, sealing, Arc::clone(&options.clock)));
        let sealer = sealer.transpose().map_err(|cause| schema::refused(&path, "seal", cause))?;
        let shared = Arc::new(Shared::new(options.queue_capacity));
        let retention = Retention::new(options.keep_days, options.clock);
        let writer = Writer::new(db, path.clone(), Arc::clone(&shared), retention, sealer)
            .map_err(|cause| schema::refused(&path, "read", cause))?;
        let interval = options.flush_interval;
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run(interval))
            .map_err(|cause| StoreError::failed(&path, "start the writer of", cause))?;
        let _ = shared.writer.set(thread.thread().clone());
        Ok(Self { shared, thread: Some(thread), path, _lock: lock })
    }

    /// A handle that records into this ledger. What it is given after [`Ledger::close`] is not written.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        Recorder { shared: Arc::clone(&self.shared) }
    }

    /// Waits until everything recorded so far is on disk, or `at_most` has passed. True if it is.
    pub fn flush(&self, at_most: Duration) -> bool {
        let (queued, dropped) = (self.shared.queued.get(), self.shared.dropped.get());
        let done = || self.shared.settled.get() >= queued && self.shared.dropped_settled.get() >= dropped;
        self.shared.wake();
        let (lock, told) = &self.shared.flushed;
        let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = told.wait_timeout_while(guard, at_most, |()| !done());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        done()
    }

    /// Writes everything that was recorded, and ends. End the recording threads first.
    ///
    /// # Errors
    /// The disk's refusal, when not everything could be written.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.end().map_err(|cause| StoreError::failed(&self.path, "write", cause))
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        self.shared.closing.store(true, Ordering::Release);
        thread.thread().unpark();
        thread.join().unwrap_or_else(|_| Err("the writer thread broke down".to_owned()))
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // An owner that wants to know about errors calls `close`.
        let _ = self.end();
    }
}
