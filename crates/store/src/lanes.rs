//! Where recorded exchanges wait for the writer: a lane for each recording thread, so that threads do not meet.
//!
//! A thread packs what it records into its lane's open batch. A full batch is set aside and the writer is woken;
//! the writer takes everything on each of its visits. A lane's lock is held while one row is packed or while
//! batches are moved out, never over I/O.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pilothouse_core::exchange::Exchange;

use crate::batch::{Batch, Bench};
use crate::recorder::Counter;

/// A batch of so many rows or bytes is full. It fits a core's second-level cache until it is written.
const BATCH_ROWS: usize = 512;
const BATCH_BYTES: usize = 128 * 1024;

/// Lanes at most; threads beyond share them.
const LANES_MAX: usize = 64;

/// Memory of batches that is kept to be used again: so many pieces, none larger than twice a full batch.
const SPARES_MAX: usize = 16;

/// Numbers threads in the order in which they first record.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: Cell<Option<usize>> = const { Cell::new(None) };
}

fn thread_number() -> usize {
    THREAD.get().unwrap_or_else(|| {
        let number = THREADS.fetch_add(1, Ordering::Relaxed);
        THREAD.set(Some(number));
        number
    })
}

/// One lane, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lane(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    open: Batch,
    full: Vec<Batch>,
    bench: Bench,
}

/// What became of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Push {
    Taken,
    /// Taken, and the batch is full: the writer should come.
    Filled,
    Refused,
}

/// All lanes.
#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: Box<[Lane]>,
    batch_rows: usize,
    /// Bytes that were set aside or taken by the writer and are not yet given back.
    held_bytes: AtomicUsize,
    bytes_max: usize,
    spares: Mutex<Vec<Vec<u8>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lanes {
    /// Lanes for so many rows, which take about a kilobyte each at most.
    pub(crate) fn new(rows_max: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let count = cores.next_power_of_two().min(LANES_MAX);
        Self {
            lanes: (0..count).map(|_| Lane::default()).collect(),
            batch_rows: rows_max.div_ceil(2).clamp(1, BATCH_ROWS),
            held_bytes: AtomicUsize::new(0),
            bytes_max: rows_max.saturating_mul(1024).max(4 * BATCH_BYTES),
            spares: Mutex::default(),
        }
    }

    /// Whether there is room in bytes. Open batches are not counted; they are small.
    pub(crate) fn has_room(&self) -> bool {
        self.held_bytes.load(Ordering::Relaxed) < self.bytes_max
    }

    /// Packs an exchange into this thread's lane, and counts it as `queued` before the writer can take it.
    pub(crate) fn push(&self, exchange: &Exchange, queued: &Counter) -> Push {
        // The count is a power of two.
        let Some(Lane(lane)) = self.lanes.get(thread_number() & (self.lanes.len() - 1)) else {
            return Push::Refused;
        };
        let mut waiting = lock(lane);
        let Waiting { open, full, bench } = &mut *waiting;
        if open.is_empty() {
            *open = Batch::reuse(self.memory(std::mem::take(open)));
            bench.clear();
        }
        if open.push(exchange, bench).is_none() {
            return Push::Refused;
        }
        queued.add(1);
        if open.rows() < self.batch_rows && open.bytes() < BATCH_BYTES {
            return Push::Taken;
        }
        let filled = std::mem::take(open);
        self.held_bytes.fetch_add(filled.bytes(), Ordering::Relaxed);
        full.push(filled);
        Push::Filled
    }

    /// The memory that an empty batch has, or that another one had.
    fn memory(&self, empty: Batch) -> Vec<u8> {
        let own = empty.into_memory();
        if own.capacity() > 0 { own } else { lock(&self.spares).pop().unwrap_or_default() }
    }

    /// Moves everything that waits behind `taken`, each lane's rows in their order.
    pub(crate) fn take(&self, taken: &mut VecDeque<Batch>) {
        for Lane(lane) in &self.lanes {
            let mut waiting = lock(lane);
            taken.extend(waiting.full.drain(..));
            if !waiting.open.is_empty() {
                let open = std::mem::take(&mut waiting.open);
                drop(waiting);
                self.held_bytes.fetch_add(open.bytes(), Ordering::Relaxed);
                taken.push_back(open);
            }
        }
    }

    /// Gives back a batch that was taken and is no longer needed.
    pub(crate) fn give_back(&self, batch: Batch) {
        self.held_bytes.fetch_sub(batch.bytes(), Ordering::Relaxed);
        let memory = batch.into_memory();
        let mut spares = lock(&self.spares);
        if memory.capacity() <= 2 * BATCH_BYTES && spares.len() < SPARES_MAX {
            spares.push(memory);
        }
    }
}
