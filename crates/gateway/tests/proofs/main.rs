//! Proofs of the gateway as its clients see it: a simulated fleet behind it, raw HTTP before it, the ledger beside it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "everything here is test code")]

mod bedrock;
mod bills;
mod budgets;
mod bytes;
mod calls;
mod cancel;
mod change;
mod clouds;
mod compat;
mod configuration;
mod dialects;
mod embeddings;
mod encrypted;
mod exposure;
mod failover;
mod faults;
mod harness;
mod held;
mod histories;
mod imported;
mod kept;
mod limits;
mod moving;
mod paths;
mod planted;
mod portable;
mod realtime;
mod rederived;
mod responses;
mod retries;
mod routes;
mod services;
mod status;
mod strategies;
mod thinking;
mod transport;
