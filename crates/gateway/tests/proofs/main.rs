//! Proofs of the gateway as its clients see it: a simulated fleet behind it, raw HTTP before it, the ledger beside it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "everything here is test code")]

mod bedrock;
mod bills;
mod budgets;
mod bytes;
mod caches;
mod calls;
mod cancel;
mod cascade;
mod change;
mod clouds;
mod compat;
mod concurrency;
mod configuration;
mod dialects;
mod embeddings;
mod encrypted;
mod exposure;
mod failover;
mod faults;
mod gone;
mod harness;
mod hedging;
mod held;
mod histories;
mod imported;
mod kept;
mod limits;
mod meanings;
mod moving;
mod paths;
mod planted;
mod portable;
mod quality;
mod realtime;
mod responses;
mod retries;
mod routes;
mod services;
mod status;
mod strategies;
mod thinking;
mod transport;
