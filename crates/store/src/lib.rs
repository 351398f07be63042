//! The ledger: every exchange on disk, off the request's path, with totals that always add up.
//!
//! Bodies of messages are kept beside it only where that is asked for: [`BodyStore`], sealed, bounded, erasable.
//!
//! [`Ledger`] owns the one writer thread and its SQLite file, [`Recorder`] is what the hot path holds,
//! [`Reader`] answers questions from any process while a server writes. This crate knows SQL and
//! exchanges; it knows nothing of HTTP, vendors or wire formats.

mod audit;
mod batch;
mod bodies;
pub mod budget;
mod callers;
mod codes;
mod daily;
mod detail;
mod ends;
mod error;
mod extra;
mod folder;
mod form;
mod gap;
pub mod keys;
mod lanes;
mod ledger;
pub mod limits;
mod names;
mod numbers;
mod overflow;
mod packing;
mod parts;
mod reader;
mod recorder;
mod retention;
mod rollup;
mod row;
pub mod runs;
mod schema;
mod seal;
mod totals;
mod usage;
mod writer;
mod zone;

#[cfg(test)]
mod tests;

pub use audit::AuditRecord;
pub use bodies::{
    BODIES_FILE, BodyGap, BodyHealth, BodyKey, BodyOptions, BodyReader, BodyRecorder, BodyStore, Erase,
    KEY_FILE, Kept, LostPart,
};
pub use callers::Caller;
pub use daily::Daily;
pub use ends::{EndAlert, EndConflict, Ends, Mark};
pub use error::StoreError;
pub use folder::{ServerInfo, Trace};
pub use gap::Gap;
pub use ledger::{Ledger, Options};
pub use reader::{Filter, Reader, Recorded, Stats};
pub use recorder::{Health, Recorder};
pub use seal::erase::{Erasure, erase};
pub use seal::place::Place;
pub use seal::roots::{Root, Roots};
pub use seal::verify::{Bad, Crash, Fault, Report, Trust};
pub use seal::{PublicKey, Sealing, SigningKey};
pub use totals::{Slice, Tokens, Totals};
pub use usage::{By, UsageQuery, UsageReport, UsageRow};

/// The name of the ledger's file inside the data folder.
pub const LEDGER_FILE: &str = "ledger.sqlite";
