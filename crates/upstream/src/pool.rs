//! Idle connections of one worker, and shared HTTP/2 connections.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::h1::Connection;
use crate::h2;

/// Idle connections are given up after this time; many servers close them at 60 seconds.
const IDLE_MAX: Duration = Duration::from_secs(55);
/// Most calls at once on one HTTP/2 connection, the limit that most vendors set.
const STREAMS_MAX: usize = 100;

/// The connections of one worker.
#[derive(Clone, Default)]
pub(crate) struct Pool(Arc<Mutex<HashMap<usize, Shelf>>>);

/// The connections to one origin.
#[derive(Default)]
struct Shelf {
    idle: Vec<(Connection, Instant)>,
    shared: Vec<Shared>,
}

struct Shared {
    sender: h2::Sender,
    calls: Arc<AtomicUsize>,
}

/// Counts one call on a shared connection while it lives.
pub(crate) struct CallCount(Arc<AtomicUsize>);

impl Drop for CallCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    fn with<T>(&self, origin: usize, act: impl FnOnce(&mut Shelf) -> T) -> T {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(shelves.entry(origin).or_default())
    }

    /// The idle connection that was used last, if one is still open and silent.
    pub(crate) fn take(&self, origin: usize) -> Option<Connection> {
        self.with(origin, |shelf| {
            while let Some((mut connection, _)) = shelf.idle.pop() {
                if connection.is_silent() {
                    return Some(connection);
                }
            }
            None
        })
    }

    /// Keeps a connection for the next call.
    pub(crate) fn put(&self, origin: usize, mut connection: Connection, idle_max: usize) {
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
    pub(crate) fn forget_idle(&self, origin: usize) {
        self.with(origin, |shelf| shelf.idle.clear());
    }

    /// A shared HTTP/2 connection with room for one more call.
    pub(crate) fn take_shared(&self, origin: usize) -> Option<(h2::Sender, CallCount)> {
        self.with(origin, |shelf| {
            shelf.shared.retain(|shared| !shared.sender.is_closed());
            let shared = shelf.shared.iter().find(|shared| shared.calls.load(Ordering::Relaxed) < STREAMS_MAX)?;
            shared.calls.fetch_add(1, Ordering::Relaxed);
            Some((shared.sender.clone(), CallCount(Arc::clone(&shared.calls))))
        })
    }

    /// Adds a fresh shared connection and counts its first call.
    pub(crate) fn put_shared(&self, origin: usize, sender: &h2::Sender) -> CallCount {
        let calls = Arc::new(AtomicUsize::new(1));
        self.with(origin, |shelf| {
            shelf.shared.push(Shared { sender: sender.clone(), calls: Arc::clone(&calls) });
        });
        CallCount(calls)
    }
}
