//! The ledger's promises, each a test.

mod bodies;
mod ends;
mod files;
mod overload;
mod reading;
mod round_trip;
pub(crate) mod samples;
mod seal;
mod usage;
