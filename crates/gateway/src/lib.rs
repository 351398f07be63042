//! The only HTTP server: endpoints, the life of an exchange, telemetry. Wires the other crates together.

pub mod access;
pub mod answer;
pub mod bodies;
mod cache;
pub mod cloud;
pub mod concurrency;
pub mod config;
pub mod discover;
mod drain;
pub mod endpoints;
pub mod explain;
mod exposure;
mod job;
mod kept;
pub mod load;
mod memory;
pub mod metrics;
pub mod minted;
pub mod outputs;
pub mod pipeline;
pub mod plan;
pub mod purse;
pub mod server;
mod service;
pub mod shared;
mod told;
