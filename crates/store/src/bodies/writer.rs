//! The thread that seals bodies and writes them, and that keeps the file within its bounds of size and time.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use pilothouse_core::clock::{Clock, UnixMs};

use super::file::{File, Removed, SealedBodies};
use super::queue::Shared;
use super::{BodyGap, BodyOptions, Kept};

const DAY_MS: u64 = 24 * 3_600_000;
/// How often the writer looks for bodies that are too old.
const LOOK_EVERY_MS: u64 = 60_000;
/// How long it rests at most when nothing waits.
const REST: Duration = Duration::from_millis(500);
/// Where something is always being removed, the room that it took is given back that often.
const TIDY_EVERY: Duration = Duration::from_secs(2);
/// A transaction takes no further bodies after so many bytes.
const TRANSACTION_BYTES: u64 = 8 << 20;

pub(crate) struct Writer {
    file: File,
    shared: Arc<Shared>,
    bytes_max: u64,
    days: Option<u32>,
    clock: Arc<dyn Clock>,
    next_look: UnixMs,
    /// What all that is kept takes.
    bytes: u64,
    must_tidy: bool,
    tidied: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(file: File, shared: Arc<Shared>, options: &BodyOptions) -> rusqlite::Result<Self> {
        let bytes = file.bytes()?;
        shared.bytes.store(bytes, Relaxed);
        Ok(Self {
            file,
            shared,
            bytes_max: options.bytes_max,
            days: options.days,
            clock: Arc::clone(&options.clock),
            next_look: UnixMs(0),
            bytes,
            must_tidy: false,
            tidied: None,
        })
    }

    pub(crate) fn run(mut self) {
        loop {
            let is_closing = self.shared.lock().is_closing;
            let Some(has_written) = self.write_some() else {
                if is_closing {
                    break;
                }
                // The disk refuses: it is asked again after a rest.
                let state = self.shared.lock();
                drop(self.shared.changed.wait_timeout(state, REST).unwrap_or_else(PoisonError::into_inner));
                continue;
            };
            let has_removed = !is_closing && self.remove_some();
            if has_written || has_removed {
                continue;
            }
            if self.must_tidy && self.tidied.is_none_or(|at| at.elapsed() >= TIDY_EVERY) {
                // A reader that still looks on makes this a partial one; the next one does the rest.
                let _ = self.file.tidy();
                (self.must_tidy, self.tidied) = (false, Some(Instant::now()));
            }
            if is_closing {
                break;
            }
            let state = self.shared.lock();
            let is_idle = state.waiting.is_empty() && state.lost.is_none() && !state.is_closing;
            if is_idle {
                drop(self.shared.changed.wait_timeout(state, REST).unwrap_or_else(PoisonError::into_inner));
            }
        }
        let _ = self.file.tidy();
    }

    /// Writes what waits, up to a transaction; true if there may be more, `None` if the disk refuses.
    fn write_some(&mut self) -> Option<bool> {
        let (batch, lost) = self.take();
        if batch.is_empty() && lost.is_none() {
            return Some(false);
        }
        match self.write(&batch, lost.as_ref()) {
            Ok(bytes) => {
                self.bytes += bytes;
                self.shared.written.fetch_add(batch.len() as u64, Relaxed);
                self.settle(&batch, None);
                Some(true)
            }
            Err(cause) => {
                if !self.file.db.is_autocommit() {
                    let _ = self.file.db.execute_batch("ROLLBACK");
                }
                self.shared.dropped.fetch_add(batch.len() as u64, Relaxed);
                self.shared.lose_again(&batch, lost);
                self.settle(&batch, Some(format!("could not write {}: {cause}", self.file.path.display())));
                None
            }
        }
    }

    fn take(&self) -> (Vec<Arc<Kept>>, Option<BodyGap>) {
        let mut state = self.shared.lock();
        let mut bytes = 0;
        while bytes < TRANSACTION_BYTES
            && let Some(kept) = state.waiting.pop_front()
        {
            bytes += kept.bytes();
            state.writing.push(kept);
        }
        (state.writing.clone(), state.lost.take())
    }

    fn settle(&self, batch: &[Arc<Kept>], refusal: Option<String>) {
        *self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
        self.shared.bytes.store(self.bytes, Relaxed);
        self.shared.release(batch.iter().map(|kept| kept.bytes()).sum());
        self.shared.lock().writing.clear();
        self.shared.changed.notify_all();
    }

    fn write(&self, batch: &[Arc<Kept>], lost: Option<&BodyGap>) -> rusqlite::Result<u64> {
        let Some(sealer) = self.shared.sealer.as_deref() else {
            // Nothing can have been put.
            return lost.map_or(Ok(()), |lost| self.file.write_gap(lost)).map(|()| 0);
        };
        // Sealed before the transaction begins, which keeps others out only while it writes.
        let seal = |kept: &Kept, body: &[u8]| {
            sealer
                .seal(&kept.key, body)
                .map_err(|cause| rusqlite::Error::ToSqlConversionFailure(cause.into()))
        };
        let all = |kept: &Arc<Kept>| -> rusqlite::Result<SealedBodies> {
            let has_lost = !kept.lost_part.is_empty();
            Ok(SealedBodies {
                request: seal(kept, &kept.request)?,
                answer: seal(kept, &kept.answer)?,
                lost_part: has_lost.then(|| seal(kept, &kept.lost_part)).transpose()?,
            })
        };
        let sealed: Vec<SealedBodies> = batch.iter().map(all).collect::<rusqlite::Result<_>>()?;
        self.file.db.execute_batch("BEGIN IMMEDIATE")?;
        let mut added = 0;
        for (kept, bodies) in batch.iter().zip(&sealed) {
            added += self.file.insert(sealer, kept, bodies)?;
        }
        if let Some(lost) = lost {
            self.file.write_gap(lost)?;
        }
        self.file.db.execute_batch("COMMIT")?;
        Ok(added)
    }

    /// Removes some of what is too old or too much; true if there may be more. A refusal is no reason to stop: it is
    /// still there at the next look.
    fn remove_some(&mut self) -> bool {
        if self.bytes > self.bytes_max {
            let removed = self.file.remove_bytes(self.bytes - self.bytes_max);
            if self.removed(removed) {
                return true;
            }
            self.count();
        }
        let now = self.clock.now();
        if now < self.next_look {
            return false;
        }
        if let Some(days) = self.days {
            let before = UnixMs(now.0.saturating_sub(u64::from(days) * DAY_MS));
            let removed = self.file.remove_before(before);
            if self.removed(removed) {
                return true;
            }
        }
        // What others have erased is no longer there.
        self.count();
        self.next_look = UnixMs(now.0.saturating_add(LOOK_EVERY_MS));
        false
    }

    fn removed(&mut self, removed: rusqlite::Result<Removed>) -> bool {
        let removed = removed.unwrap_or_default();
        self.bytes = self.bytes.saturating_sub(removed.bytes);
        self.shared.bytes.store(self.bytes, Relaxed);
        self.must_tidy |= removed.exchanges > 0;
        removed.exchanges > 0
    }

    fn count(&mut self) {
        if let Ok(bytes) = self.file.bytes() {
            self.bytes = bytes;
            self.shared.bytes.store(bytes, Relaxed);
        }
    }
}
