//! A ledger that can be checked: receipts are numbered, digested into segments, and their roots chained and signed.
//!
//! The writer digests each row as it writes it ([`digest`]). 10,000 rows, an hour, or a clean stop make a segment,
//! whose root is an entry of a chain that is signed with a key outside of the store ([`entry`], [`sealer`]). Rows
//! that retention or an erasure removes are entries too, and the newest entry is also told outside of the store
//! ([`head`]). [`verify`] reads all of it back.

pub(crate) mod digest;
pub(crate) mod entry;
pub(crate) mod erase;
pub(crate) mod floor;
pub(crate) mod head;
pub(crate) mod key;
pub(crate) mod place;
pub(crate) mod roots;
pub(crate) mod rows;
pub(crate) mod sealer;
pub(crate) mod start;
pub(crate) mod totals;
pub(crate) mod verify;

use std::path::PathBuf;

pub use key::{PublicKey, SigningKey};

/// Receipts of a segment, unless an hour is over first.
const SEGMENT_ROWS: usize = 10_000;

/// A segment is sealed when its first receipt has been there so long.
const SEGMENT_MS: u64 = 3_600_000;

/// With what receipts are sealed, and how often.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// Signs the roots. Keep it where somebody who can write the store cannot read it.
    pub key: SigningKey,
    /// A file outside of the store that tells the newest entry, so that a chain cut at its end is noticed.
    pub head: Option<PathBuf>,
    /// Receipts of a segment.
    pub segment_rows: usize,
    /// Milliseconds after which a segment is sealed with what it has.
    pub segment_ms: u64,
}

impl Sealing {
    /// Sealing with this key: segments of 10,000 receipts or an hour, no head file.
    #[must_use]
    pub const fn new(key: SigningKey) -> Self {
        Self { key, head: None, segment_rows: SEGMENT_ROWS, segment_ms: SEGMENT_MS }
    }

    /// The same, with a head file at `path`.
    #[must_use]
    pub fn with_head(self, path: PathBuf) -> Self {
        Self { head: Some(path), ..self }
    }
}
