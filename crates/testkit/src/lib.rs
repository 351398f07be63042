//! What development needs and users never get: a load generator, a repository made by chance, process
//! measurement, golden files.
//!
//! Nothing that ships depends on this crate, and it depends on no other crate of ours, so that a mistake
//! in the gateway cannot hide in the ruler that measures it.

pub mod golden;
pub mod load;
pub mod process;
pub mod repository;
