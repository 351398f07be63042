//! Bodies of exchanges beside the ledger, for those who ask for it: sealed, bounded in size and time, and erasable.
//!
//! What a body is, nobody here knows: bytes that a client sent, and bytes that it got. They wait in a bounded queue and
//! are compressed, encrypted and written by a thread of their own, in one transaction each batch, so that a process
//! that dies leaves whole bodies or none. Where the queue is full, bodies are lost, a gap says how many, and the ledger
//! has the exchange all the same.

mod file;
mod found;
mod queue;
mod reader;
mod sealing;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use pilothouse_core::clock::{Clock, SystemClock, UnixMs};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::id::ExchangeId;
use serde::Serialize;

pub use queue::{BodyHealth, BodyRecorder, LostPart};
pub use reader::BodyReader;
pub use sealing::{BodyKey, KEY_FILE};

use crate::error::StoreError;
use file::File;
use queue::Shared;
use writer::Writer;

/// The name of the file of bodies inside the data folder.
pub const BODIES_FILE: &str = "bodies.sqlite";

/// What is kept of one exchange besides its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The exchange.
    pub exchange: ExchangeId,
    /// When it began.
    pub at: UnixMs,
    /// The name of the caller's key.
    pub key: Arc<str>,
    /// The end user, where the caller named one. Kept as a keyed digest, to erase by, and not read back.
    pub end_user: Option<Box<str>>,
    /// The id under which the client may go on from it. Kept as a keyed digest together with the caller's key.
    pub response: Option<Box<str>>,
    /// The client's dialect.
    pub dialect: Dialect,
    /// The provider that holds the response itself, where one does.
    pub holder: Option<Box<str>>,
    /// The answer's status.
    pub status: u16,
    /// Whether the answer was a stream of events.
    pub is_stream: bool,
    /// Whether the answer came to its end.
    pub is_whole: bool,
    /// What the client sent, byte for byte.
    pub request: Bytes,
    /// What the client got, byte for byte: of a stream, its events.
    pub answer: Bytes,
    /// What the client lost of it and may need back, in a form of its owner's; empty where there is none. It is read back
    /// by [`BodyRecorder::lost_parts`] alone.
    pub lost_part: Bytes,
}

impl Kept {
    /// Bytes of all that is kept.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        (self.request.len() + self.answer.len() + self.lost_part.len()) as u64
    }
}

/// What is to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erase<'a> {
    /// The bodies of one exchange.
    Exchange(ExchangeId),
    /// Those of one caller's response.
    Response {
        /// The name of the caller's key.
        key: &'a str,
        /// The response's id.
        id: &'a str,
    },
    /// All of a caller's key.
    Key(&'a str),
    /// All of an end user, whichever key named it.
    EndUser(&'a str),
}

/// Exchanges whose bodies were to be kept and are not; their records are in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BodyGap {
    /// When the first of them began.
    pub first_at: UnixMs,
    /// When the last of them began.
    pub last_at: UnixMs,
    /// How many.
    pub exchanges: u64,
}

/// How bodies are kept.
#[derive(Clone)]
pub struct BodyOptions {
    /// The key; `None` takes the one of the data folder, and makes it at first use.
    pub key: Option<BodyKey>,
    /// What all bodies may take on the disk, in bytes; beyond it the oldest go.
    pub bytes_max: u64,
    /// Days after which they go; `None` keeps them until the bound on bytes is reached.
    pub days: Option<u32>,
    /// Bytes of bodies that may wait for the writer, or be gathered, at once.
    pub queue_bytes_max: u64,
    /// Whether more may be written. Without it the file is only kept within its bounds, which needs no key.
    pub may_write: bool,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

impl Default for BodyOptions {
    fn default() -> Self {
        Self {
            key: None,
            bytes_max: 1 << 30,
            days: Some(30),
            queue_bytes_max: 128 << 20,
            may_write: true,
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for BodyOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BodyOptions")
            .field("bytes_max", &self.bytes_max)
            .field("days", &self.days)
            .finish_non_exhaustive()
    }
}

/// The bodies of one data folder, with their writer thread. Its owner has the folder's [`Ledger`](crate::Ledger), whose
/// lock keeps other servers out.
#[derive(Debug)]
pub struct BodyStore {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl BodyStore {
    /// Opens the bodies of the data folder `dir`; makes the file, and the key where none is given, at first use.
    ///
    /// # Errors
    /// [`StoreError::WrongBodyKey`] when the file was sealed with another key, [`StoreError::Newer`] when a newer
    /// version wrote it, and refusals of the system.
    pub fn open(dir: &Path, options: &BodyOptions) -> Result<Self, StoreError> {
        let file = File::open(dir)?;
        let sealer = match options.may_write {
            true => Some(Arc::new(file.sealer(dir, options.key.as_ref(), true)?)),
            false => None,
        };
        let path = file.path.clone();
        let shared = Arc::new(Shared::new(dir.to_owned(), options, sealer));
        let writer = Writer::new(file, Arc::clone(&shared), options)
            .map_err(|cause| crate::schema::refused(&path, "read", cause))?;
        let thread = std::thread::Builder::new()
            .name("bodies".to_owned())
            .spawn(move || writer.run())
            .map_err(|cause| StoreError::failed(&path, "start the writer of", cause))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A handle that keeps bodies here, and finds them.
    #[must_use]
    pub fn recorder(&self) -> BodyRecorder {
        BodyRecorder { shared: Arc::clone(&self.shared) }
    }

    /// Waits until everything put so far is on disk or lost, or `at_most` has passed. True if it is.
    pub fn flush(&self, at_most: Duration) -> bool {
        self.shared.wait_until_written(at_most)
    }

    /// Writes what waits, and ends.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).is_closing = true;
        self.shared.changed.notify_all();
        // A writer that broke down has nothing left to write.
        let _ = thread.join();
    }
}

impl Drop for BodyStore {
    fn drop(&mut self) {
        self.end();
    }
}
