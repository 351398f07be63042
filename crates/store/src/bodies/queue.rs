//! Where bodies wait for their writer, and what the request's path holds: it hands over or counts, and never waits.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pilothouse_core::clock::UnixMs;

use super::file::File;
use super::found::Which;
use super::sealing::Sealer;
use super::{BodyGap, BodyOptions, Erase, Kept};
use crate::error::StoreError;

/// Exchanges whose bodies may wait.
const WAITING_MAX: usize = 4096;

/// How long an erasure waits for what is being written at the moment.
const ERASE_WAIT: Duration = Duration::from_secs(10);

/// What waits, and what is being written.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) waiting: VecDeque<Arc<Kept>>,
    /// Taken by the writer, and not yet found on the disk.
    pub(crate) writing: Vec<Arc<Kept>>,
    pub(crate) lost: Option<BodyGap>,
    pub(crate) is_closing: bool,
}

impl State {
    /// What is found before it is on the disk; the newest first.
    fn find(&self, which: &Which<'_>) -> Option<Arc<Kept>> {
        let is_it = |kept: &&Arc<Kept>| match which {
            Which::Exchange(id) => kept.exchange == *id,
            Which::Response { key, id } => &*kept.key == *key && kept.response.as_deref() == Some(*id),
        };
        self.waiting.iter().rev().find(is_it).or_else(|| self.writing.iter().rev().find(is_it)).cloned()
    }

    pub(crate) fn lose(&mut self, at: UnixMs) {
        let gap = self.lost.get_or_insert(BodyGap { first_at: at, last_at: at, exchanges: 0 });
        gap.first_at = gap.first_at.min(at);
        gap.last_at = gap.last_at.max(at);
        gap.exchanges += 1;
    }
}

/// What recorders and the writer share. The lock is held for a move, never over I/O.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) state: Mutex<State>,
    pub(crate) changed: Condvar,
    pub(crate) sealer: Option<Arc<Sealer>>,
    /// For questions; opened at the first one.
    reading: Mutex<Option<File>>,
    held_bytes: AtomicU64,
    held_bytes_max: u64,
    pub(crate) written: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) last_error: Mutex<Option<String>>,
}

impl Shared {
    pub(crate) fn new(dir: PathBuf, options: &BodyOptions, sealer: Option<Arc<Sealer>>) -> Self {
        Self {
            dir,
            state: Mutex::default(),
            changed: Condvar::new(),
            sealer,
            reading: Mutex::new(None),
            held_bytes: AtomicU64::new(0),
            held_bytes_max: options.queue_bytes_max,
            written: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            last_error: Mutex::new(None),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what the disk refused.
    pub(crate) fn lose_again(&self, batch: &[Arc<Kept>], gap: Option<BodyGap>) {
        let mut state = self.lock();
        batch.iter().for_each(|kept| state.lose(kept.at));
        if let Some(gap) = gap {
            let mut joined = state.lost.unwrap_or(BodyGap { exchanges: 0, ..gap });
            joined.first_at = joined.first_at.min(gap.first_at);
            joined.last_at = joined.last_at.max(gap.last_at);
            joined.exchanges += gap.exchanges;
            state.lost = Some(joined);
        }
    }

    pub(crate) fn release(&self, bytes: u64) {
        self.held_bytes.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn wait_until_written(&self, at_most: Duration) -> bool {
        let is_busy = |state: &mut State| {
            !state.waiting.is_empty() || !state.writing.is_empty() || state.lost.is_some()
        };
        self.changed.notify_all();
        let waited = self.changed.wait_timeout_while(self.lock(), at_most, is_busy);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !is_busy(&mut state)
    }
}

/// Takes bodies for the data folder, and finds them again. Cheap to clone and to share.
#[derive(Clone, Debug)]
pub struct BodyRecorder {
    pub(crate) shared: Arc<Shared>,
}

impl BodyRecorder {
    /// Makes room for bytes that are being gathered; false where too many are already. What was granted is given back by
    /// [`BodyRecorder::release`], or goes over with [`BodyRecorder::put`].
    #[must_use]
    pub fn reserve(&self, bytes: u64) -> bool {
        let shared = &*self.shared;
        let held = shared.held_bytes.fetch_add(bytes, Relaxed) + bytes;
        if held > shared.held_bytes_max {
            shared.release(bytes);
            return false;
        }
        true
    }

    /// Gives back room that was reserved and is not needed.
    pub fn release(&self, bytes: u64) {
        self.shared.release(bytes);
    }

    /// Hands over the bodies of an exchange, whose bytes were all reserved. Never waits: where too many wait already,
    /// they are lost, and counted.
    pub fn put(&self, kept: Kept) {
        let mut state = self.shared.lock();
        if state.waiting.len() >= WAITING_MAX || state.is_closing || self.shared.sealer.is_none() {
            state.lose(kept.at);
            drop(state);
            self.shared.dropped.fetch_add(1, Relaxed);
            self.shared.release(kept.bytes());
            return;
        }
        state.waiting.push_back(Arc::new(kept));
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Counts an exchange that began at `at` whose bodies found no room while they were gathered.
    pub fn lose(&self, at: UnixMs) {
        self.shared.lock().lose(at);
        self.shared.dropped.fetch_add(1, Relaxed);
    }

    /// The bodies of a response, where they are kept for the caller's key of that name. Reads the disk: call it where
    /// waiting hurts nobody.
    ///
    /// # Errors
    /// A refusal of the database, or a body that does not open.
    pub fn find(&self, key: &str, response: &str) -> Result<Option<Arc<Kept>>, StoreError> {
        let Some(sealer) = &self.shared.sealer else { return Ok(None) };
        let which = Which::Response { key, id: response };
        // First what waits: when it has left the queue it is on the disk.
        if let Some(kept) = self.shared.lock().find(&which) {
            return Ok(Some(kept));
        }
        let mut reading = self.shared.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if reading.is_none() {
            *reading = File::open_reader(&self.shared.dir)?;
        }
        match &*reading {
            Some(file) => Ok(file.find(&which, sealer)?.map(Arc::new)),
            None => Ok(None),
        }
    }

    /// What clients lost of answers that began at `since` or later, oldest first; of many the newest. Reads the disk.
    ///
    /// # Errors
    /// A refusal of the database, or something that does not open.
    pub fn lost_parts(&self, since: UnixMs) -> Result<Vec<LostPart>, StoreError> {
        let file = File::open_reader(&self.shared.dir)?;
        match (file, &self.shared.sealer) {
            (Some(file), Some(sealer)) => file.lost_parts(since, sealer),
            _ => Ok(Vec::new()),
        }
    }

    /// Erases bodies, on the disk and on their way there; gives how many exchanges' bodies went. Waits for the disk.
    ///
    /// # Errors
    /// A refusal of the system or of the database: then call it again.
    pub fn erase(&self, what: &Erase<'_>) -> Result<usize, StoreError> {
        let fits = |kept: &Arc<Kept>| match what {
            Erase::Exchange(id) => kept.exchange == *id,
            Erase::Response { key, id } => &*kept.key == *key && kept.response.as_deref() == Some(*id),
            Erase::Key(key) => &*kept.key == *key,
            Erase::EndUser(user) => kept.end_user.as_deref() == Some(*user),
        };
        let mut state = self.shared.lock();
        let before = state.waiting.len();
        let mut bytes = 0;
        state.waiting.retain(|kept| {
            let goes = fits(kept);
            bytes += if goes { kept.bytes() } else { 0 };
            !goes
        });
        let gone = before - state.waiting.len();
        self.shared.release(bytes);
        // What is being written can be removed when it is there.
        let waited =
            self.shared.changed.wait_timeout_while(state, ERASE_WAIT, |state| state.writing.iter().any(fits));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        let file = File::open(&self.shared.dir)?;
        let failed = |cause| crate::schema::refused(&file.path, "erase from", cause);
        let removed = file.erase(what, self.shared.sealer.as_deref()).map_err(failed)?.exchanges;
        if removed > 0 {
            file.tidy().map_err(failed)?;
        }
        Ok(gone + removed)
    }

    /// Exchanges whose bodies were lost since the start.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.shared.dropped.load(Relaxed)
    }

    /// How the writer is doing.
    #[must_use]
    pub fn health(&self) -> BodyHealth {
        BodyHealth {
            written_total: self.shared.written.load(Relaxed),
            dropped_total: self.dropped_total(),
            bytes: self.shared.bytes.load(Relaxed),
            last_error: self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// What a client lost of an answer and may need back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPart {
    /// The name of the caller's key.
    pub key: Arc<str>,
    /// When the exchange began.
    pub at: UnixMs,
    /// What was lost.
    pub part: Vec<u8>,
}

/// How the writer of bodies is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyHealth {
    /// Exchanges whose bodies were put on disk since the start.
    pub written_total: u64,
    /// Exchanges whose bodies were lost since the start.
    pub dropped_total: u64,
    /// Bytes that all kept bodies take.
    pub bytes: u64,
    /// The last refusal of the disk; `None` again after a transaction that went through.
    pub last_error: Option<String>,
}
