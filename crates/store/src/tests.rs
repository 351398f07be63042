//! The ledger's promises, each a test.

mod files;
mod overload;
mod reading;
mod round_trip;
mod seal;
pub(crate) mod samples;
mod usage;
