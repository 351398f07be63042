//! The ledger's promises, each a test.

mod files;
mod overload;
mod reading;
mod round_trip;
mod samples;
mod usage;
