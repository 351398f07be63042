//! The money of a route's hedges, and what became of them. It outlives configurations, known by the route's name.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use pilothouse_core::money::PicoUsd;
use pilothouse_routing::hedge::HedgeBucket;

/// The most that a purse holds: ten dollars, so that a quiet night does not pay for a wild hour.
const PURSE_MAX: PicoUsd = PicoUsd(10_000_000_000_000);

/// The money of a route's hedges.
#[derive(Debug)]
pub struct Purse {
    /// What they may spend.
    pub bucket: HedgeBucket,
    /// Hedges that spoke first.
    pub won: AtomicU64,
    /// Hedges that did not.
    pub lost: AtomicU64,
    /// Calls that were late and were not hedged: no money, no room, or nobody to ask.
    pub denied: AtomicU64,
}

impl Default for Purse {
    fn default() -> Self {
        Self {
            bucket: HedgeBucket::new(PURSE_MAX),
            won: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            denied: AtomicU64::new(0),
        }
    }
}

/// Every purse that some configuration in use has.
#[derive(Debug, Default)]
pub struct Purses {
    known: Mutex<BTreeMap<Arc<str>, Arc<Purse>>>,
}

impl Purses {
    /// The purse of a route: the one that there is, else an empty one.
    #[must_use]
    pub fn of(&self, route: &str) -> Arc<Purse> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that no configuration in use has any more.
        known.retain(|name, purse| **name == *route || Arc::strong_count(purse) > 1);
        Arc::clone(known.entry(route.into()).or_default())
    }

    /// Each of them with its route.
    #[must_use]
    pub fn all(&self) -> Vec<(Arc<str>, Arc<Purse>)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(name, purse)| (Arc::clone(name), Arc::clone(purse))).collect()
    }
}
