//! Idle connections of one worker, and shared HTTP/2 connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::time::Instant;

use crate::h1::Connection;
use crate::h2;
use crate::origin::{Inner, Origin};

/// Idle connections are given up after this time; many servers close them at 60 seconds.
const IDLE_MAX: Duration = Duration::from_secs(55);
/// Most calls at once on one HTTP/2 connection, the limit that most vendors set.
const STREAMS_MAX: usize = 100;

/// The connections of one worker, by the address of their origin.
#[derive(Clone, Default)]
pub(crate) struct Pool(Arc<Mutex<FxHashMap<usize, Shelf>>>);

/// The connections to one origin.
struct Shelf {
    /// Keeps the origin's address from being given to another origin, which would inherit its connections.
    origin: Weak<Inner>,
    idle: Vec<(Connection, Instant)>,
    shared: Vec<Shared>,
}

struct Shared {
    sender: h2::Sender,
    calls: Arc<AtomicUsize>,
    /// Most calls at once that the server allows.
    calls_max: Arc<AtomicUsize>,
}

impl Shared {
    fn has_room(&self) -> bool {
        self.calls.load(Ordering::Relaxed) < self.calls_max.load(Ordering::Relaxed).min(STREAMS_MAX)
    }
}

/// Counts one call on a shared connection while it lives.
pub(crate) struct CallCount(Arc<AtomicUsize>);

impl Drop for CallCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    fn with<T>(&self, origin: &Origin, act: impl FnOnce(&mut Shelf) -> T) -> T {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shelf) = shelves.get_mut(&origin.address()) {
            return act(shelf);
        }
        // A new origin, so the configuration changed: connections to origins that are gone go too.
        shelves.retain(|_, shelf| shelf.origin.strong_count() > 0);
        let shelf = Shelf { origin: origin.downgrade(), idle: Vec::new(), shared: Vec::new() };
        act(shelves.entry(origin.address()).or_insert(shelf))
    }

    /// The idle connection that was used last, if one is still open and silent.
    pub(crate) fn take(&self, origin: &Origin, now: Instant) -> Option<Connection> {
        self.with(origin, |shelf| {
            while let Some((mut connection, since)) = shelf.idle.pop() {
                if now - since > IDLE_MAX {
                    // The others wait even longer. A router on the way may have forgotten them silently.
                    shelf.idle.clear();
                } else if connection.is_silent() {
                    return Some(connection);
                }
            }
            None
        })
    }

    /// Keeps a connection for the next call.
    pub(crate) fn put(&self, origin: &Origin, mut connection: Connection, idle_max: usize) {
        connection.rest();
        let now = Instant::now();
        self.with(origin, |shelf| {
            // The oldest are first: those that waited too long go, a few at a time.
            let expired = shelf.idle.iter().take(4).take_while(|(_, since)| now - *since > IDLE_MAX).count();
            shelf.idle.drain(..expired);
            if shelf.idle.len() < idle_max {
                shelf.idle.push((connection, now));
            }
        });
    }

    /// Gives up all idle connections to an origin: one of them turned out to be dead.
    pub(crate) fn forget_idle(&self, origin: &Origin) {
        self.with(origin, |shelf| shelf.idle.clear());
    }

    /// A shared HTTP/2 connection with room for one more call.
    pub(crate) fn take_shared(&self, origin: &Origin) -> Option<(h2::Sender, CallCount)> {
        self.with(origin, |shelf| {
            // One idle connection is enough; what a burst opened beyond it is closed.
            let mut idle = 0;
            shelf.shared.retain(|shared| {
                idle += usize::from(shared.calls.load(Ordering::Relaxed) == 0);
                !shared.sender.is_closed() && (idle <= 1 || shared.calls.load(Ordering::Relaxed) > 0)
            });
            let shared = shelf.shared.iter().find(|shared| shared.has_room())?;
            shared.calls.fetch_add(1, Ordering::Relaxed);
            Some((shared.sender.clone(), CallCount(Arc::clone(&shared.calls))))
        })
    }

    /// Adds a fresh shared connection and counts its first call.
    pub(crate) fn put_shared(&self, origin: &Origin, started: &h2::Started) -> CallCount {
        let calls = Arc::new(AtomicUsize::new(1));
        self.with(origin, |shelf| {
            shelf.shared.push(Shared {
                sender: started.sender.clone(),
                calls: Arc::clone(&calls),
                calls_max: Arc::clone(&started.calls_max),
            });
        });
        CallCount(calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::OriginOptions;

    #[test]
    fn an_origin_that_is_gone_leaves_nothing_to_another_at_its_address() {
        let pool = Pool::default();
        for _ in 0..20 {
            let origin = Origin::new("http://127.0.0.1:9", &OriginOptions::default()).unwrap();
            let shelves = pool.0.lock().unwrap();
            assert!(!shelves.contains_key(&origin.address()), "an address was given twice");
            drop(shelves);
            assert!(pool.take(&origin, Instant::now()).is_none());
            assert!(pool.0.lock().unwrap().len() <= 1, "shelves of origins that are gone are dropped");
        }
    }
}
