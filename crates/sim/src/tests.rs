//! The fleet over its wire: shapes, faults, books, determinism.

mod books;
pub(crate) mod client;
mod docs;
mod faults;
pub(crate) mod mutations;
mod published;
mod wire;
