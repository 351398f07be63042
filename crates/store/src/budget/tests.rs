//! The promises of budgets, each a test.

mod interleavings;
mod leases;
mod periods;
