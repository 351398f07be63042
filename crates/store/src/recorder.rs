//! What the hot path holds: it packs an exchange into its thread's lane, and does nothing else.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::Thread;

use pilothouse_core::exchange::Exchange;

use crate::lanes::{Lanes, Push};
use crate::overflow::Overflow;

/// The writer is woken after this many exchanges that found no room, else it comes by itself.
const WAKE_EVERY: u64 = 512;

/// A counter on a cache line of its own, so that the writer's counting does not slow the recorders.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) -> u64 {
        self.0.fetch_add(count, Ordering::Release) + count
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// What recorders and the writer share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) lanes: Lanes,
    /// Exchanges that may wait.
    capacity: u64,
    pub(crate) overflow: Overflow,
    /// Exchanges that came into a lane.
    pub(crate) queued: Counter,
    /// Exchanges that wait no longer: on disk, or (after errors) in the totals of the overflow.
    pub(crate) settled: Counter,
    /// Rows on disk.
    pub(crate) rows: Counter,
    /// Exchanges whose details are lost, and those of them whose totals are on disk.
    pub(crate) dropped: Counter,
    pub(crate) dropped_settled: Counter,
    pub(crate) errors: Counter,
    pub(crate) last_error: Mutex<Option<String>>,
    pub(crate) writer: OnceLock<Thread>,
    pub(crate) closing: AtomicBool,
    /// Told after every transaction; see `Ledger::flush`.
    pub(crate) flushed: (Mutex<()>, Condvar),
}

impl Shared {
    pub(crate) fn new(queue_capacity: usize) -> Self {
        Self {
            lanes: Lanes::new(queue_capacity),
            capacity: queue_capacity.max(1) as u64,
            overflow: Overflow::default(),
            queued: Counter::default(),
            settled: Counter::default(),
            rows: Counter::default(),
            dropped: Counter::default(),
            dropped_settled: Counter::default(),
            errors: Counter::default(),
            last_error: Mutex::new(None),
            writer: OnceLock::new(),
            closing: AtomicBool::new(false),
            flushed: (Mutex::new(()), Condvar::new()),
        }
    }

    /// Exchanges that are not yet on disk.
    pub(crate) fn pending(&self) -> u64 {
        let settled = self.settled.get();
        self.queued.get().saturating_sub(settled)
    }

    pub(crate) fn wake(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }
}

/// Takes exchanges for the ledger. Cheap to clone and to share: each thread that records has a lane of its own.
#[derive(Clone, Debug)]
pub struct Recorder {
    pub(crate) shared: Arc<Shared>,
}

impl Recorder {
    /// Records one exchange that has ended. Never waits for the disk.
    ///
    /// When too many wait, the exchange's details are lost and its totals are kept: they are added to
    /// aggregates in memory, which the writer puts into the roll-ups with a gap record. Threads that record at
    /// the same moment may exceed the bound by one exchange each.
    pub fn record(&self, exchange: impl Into<Box<Exchange>>) {
        let exchange = exchange.into();
        let shared = &*self.shared;
        let has_room = shared.pending() < shared.capacity && shared.lanes.has_room();
        match if has_room { shared.lanes.push(&exchange, &shared.queued) } else { Push::Refused } {
            Push::Taken => {}
            Push::Filled => shared.wake(),
            Push::Refused => {
                shared.overflow.count(&exchange);
                if shared.dropped.add(1) % WAKE_EVERY == 1 {
                    shared.wake();
                }
            }
        }
    }

    /// Exchanges that are not yet on disk.
    #[must_use]
    pub fn pending(&self) -> usize {
        usize::try_from(self.shared.pending()).unwrap_or(usize::MAX)
    }

    /// Exchanges whose details were lost since the start, because too many waited or the disk refused.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.shared.dropped.get()
    }

    /// Exchanges that this process has put on disk: what a killed process leaves behind.
    #[must_use]
    pub fn written_total(&self) -> u64 {
        self.shared.rows.get()
    }

    /// How the writer is doing, for metrics and readiness.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            pending: self.pending(),
            written_total: self.written_total(),
            dropped_total: self.dropped_total(),
            errors_total: self.shared.errors.get(),
            last_error: self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// How the writer is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Exchanges that are not yet on disk.
    pub pending: usize,
    /// Exchanges put on disk since the start.
    pub written_total: u64,
    /// Exchanges whose details were lost since the start; their totals are kept.
    pub dropped_total: u64,
    /// Transactions that the disk or the database refused since the start.
    pub errors_total: u64,
    /// The last such refusal; `None` again after a transaction that went through.
    pub last_error: Option<String>,
}
