//! Pilothouse's simulated fleet: fake model providers on one port, as strict as the real ones, that fail on demand.
//!
//! It has its own templates, model table, prices and token rule, and depends on no other crate of the house: a wrong field
//! in our own codecs must fail against it. Everything is deterministic by seed and request.

mod answer;
mod anthropic;
mod azure;
mod bedrock;
mod books;
mod cache;
mod call;
mod chance;
mod cohere;
mod delivery;
mod dialect;
mod door;
mod fault;
mod form;
mod gemini;
mod headers;
mod held;
mod load;
mod media;
mod metrics;
mod models;
mod multipart;
mod openai;
mod overlay;
mod plan;
mod price;
mod prompt;
mod quiz;
mod schema;
mod server;
mod setting;
mod shape;
mod steer;
mod strike;
mod struck;
mod tokens;
mod vector;
mod vertex;
mod voice;
mod websocket;

pub use bedrock::sigv4::{AWS_KEYS, AwsKey};
pub use fault::{FaultRow, faults};
pub use overlay::catalog_overlay;
pub use quiz::{Question, questions};
pub use server::{Fleet, start};
pub use steer::{STEERING, SteeringWord};
pub use vertex::token::service_account;

use std::net::{Ipv4Addr, SocketAddr};

/// How to run a fleet.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Seed of everything that is drawn. Equal seeds and requests give equal answers.
    pub seed: u64,
    /// Factor on each model's latency profile; 0 answers at once, 1 is as slow as a busy provider.
    pub latency_scale: f64,
    /// Calls answered at the same time; more of them wait in line.
    pub slots: usize,
    /// The fleet's date, Unix seconds. It stands still, so that answers are equal to the byte.
    pub now_s: u64,
    /// The time that signatures and access tokens are measured by, Unix seconds; `None` is the machine's clock.
    pub signing_time_s: Option<u64>,
}

impl Default for Options {
    /// Loopback, a free port, seed 1, no latency, 4,096 slots, 2026-11-22.
    fn default() -> Options {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            latency_scale: 0.0,
            slots: 4_096,
            now_s: 1_795_305_600,
            signing_time_s: None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
