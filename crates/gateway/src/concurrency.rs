//! Limits on calls at once, each with its queue: who finds no place waits for one, by deadline and fairly between keys.
//!
//! The order is `routing`'s; here are the waking, and what outlives a configuration: a limit keeps its places over reloads,
//! known by what it is of. Locks are held for some hundred nanoseconds and never while anybody waits.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::error::{Error, Kind, Retry};
use pilothouse_routing::health::queue::{Entry, Freed, KeyDigest, Queue};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How long a call waits for a place where it has no deadline.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(30);
/// The pause that is asked for at most when a call is turned away.
const RETRY_AFTER_MS_MAX: f32 = 60_000.0;
/// The weight of the last call in the mean time for which places are held.
const LAST_SHARE: f32 = 0.1;

/// What a limit is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitOf {
    /// All calls to a provider.
    Provider(Arc<str>),
    /// All calls to a model of a provider, as `provider/model`.
    Target(Arc<str>),
    /// All calls on a route.
    Route(Arc<str>),
}

impl LimitOf {
    /// The kind of thing, as metrics name it.
    #[must_use]
    pub const fn scope(&self) -> &'static str {
        match self {
            Self::Provider(_) => "provider",
            Self::Target(_) => "target",
            Self::Route(_) => "route",
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        match self {
            Self::Provider(name) | Self::Target(name) | Self::Route(name) => name,
        }
    }

    /// Where its numbers are configured.
    fn section(&self) -> String {
        match self {
            Self::Provider(name) => format!("[providers.{name}]"),
            Self::Target(name) => format!("the route's target `{name}`"),
            Self::Route(name) => format!("[routes.{name}]"),
        }
    }
}

impl fmt::Display for LimitOf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} `{}`", self.scope(), self.name())
    }
}

/// How much a limit lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Calls at once.
    pub concurrency: u32,
    /// Calls that wait for a place.
    pub queue: u32,
}

/// A limit on calls at once.
#[derive(Debug)]
pub struct Limit {
    of: LimitOf,
    /// Its deadlines count from here.
    since: Instant,
    state: Mutex<State>,
    tickets: AtomicU64,
    shed: AtomicU64,
    queued: AtomicU64,
    waited_us: AtomicU64,
}

#[derive(Debug)]
struct State {
    size: Size,
    queue: Queue<Ticket>,
    /// The fading mean of milliseconds for which a place is held.
    held_ms: f32,
}

/// Somebody who waits. Dropped, it tells them that they were turned away.
#[derive(Debug)]
struct Ticket {
    number: u64,
    turn: oneshot::Sender<Place>,
}

/// What a limit has counted and holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitCounts {
    /// What it lets in.
    pub size: Size,
    /// Calls that have a place.
    pub taken: u32,
    /// Calls that wait for one.
    pub waiting: usize,
    /// Calls that were turned away.
    pub shed: u64,
    /// Calls that have waited, whatever became of them.
    pub queued: u64,
    /// Microseconds for which calls have waited.
    pub waited_us: u64,
}

/// A place within a limit, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    limit: Arc<Limit>,
    since: Instant,
}

/// Why a call got no place.
#[derive(Debug)]
pub(crate) struct Full {
    of: LimitOf,
    size: Size,
    /// It had a place in the queue, and its time ran out.
    has_waited: bool,
    retry_after_ms: u64,
}

impl Full {
    /// The error that the client reads.
    pub(crate) fn into_error(self) -> Error {
        let retry = Retry::After(Some(self.retry_after_ms));
        Error { retry, ..Error::new(Kind::RateLimited, self.to_string()) }
    }
}

impl fmt::Display for Full {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, size, .. } = self;
        write!(out, "the {of} takes {} calls at once, and ", size.concurrency)?;
        match self.has_waited {
            true => write!(out, "no place became free in time")?,
            false => write!(out, "{} wait already", size.queue)?,
        }
        let seconds = self.retry_after_ms.div_ceil(1000);
        write!(out, "; try again in {seconds} s, or raise `concurrency` or `queue` of {}", of.section())
    }
}

impl Limit {
    fn new(of: LimitOf, size: Size) -> Self {
        Self {
            of,
            since: Instant::now(),
            state: Mutex::new(State {
                size,
                queue: Queue::new(size.concurrency, size.queue as usize),
                held_ms: 0.0,
            }),
            tickets: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            queued: AtomicU64::new(0),
            waited_us: AtomicU64::new(0),
        }
    }

    /// What it is of.
    #[must_use]
    pub const fn of(&self) -> &LimitOf {
        &self.of
    }

    /// What it has counted and holds now.
    #[must_use]
    pub fn counts(&self) -> LimitCounts {
        let state = self.state();
        LimitCounts {
            size: state.size,
            taken: state.queue.taken(),
            waiting: state.queue.waiting(),
            shed: self.shed.load(Relaxed),
            queued: self.queued.load(Relaxed),
            waited_us: self.waited_us.load(Relaxed),
        }
    }

    /// Changes how much it lets in.
    pub fn resize(self: &Arc<Self>, size: Size) {
        let mut freed = Vec::new();
        let mut state = self.state();
        if state.size == size {
            return;
        }
        state.size = size;
        state.queue.resize(size.concurrency, size.queue as usize);
        loop {
            let next = state.queue.admit(self.at(Instant::now()));
            let is_last = next.admitted.is_none();
            freed.push(next);
            if is_last {
                break;
            }
        }
        drop(state);
        freed.into_iter().for_each(|freed| self.tell(freed));
    }

    /// Whether a call that comes now finds a place.
    pub(crate) fn has_room(&self) -> bool {
        self.state().queue.has_room()
    }

    /// Takes a place where one is free.
    ///
    /// # Errors
    /// Where none is; nobody is counted as turned away.
    pub(crate) fn try_enter(self: &Arc<Self>) -> Result<Place, Full> {
        let (turn, _) = oneshot::channel();
        let ticket = Ticket { number: 0, turn };
        let mut state = self.state();
        // A deadline that has passed never waits.
        match state.queue.enter(0, UnixMs(0), ticket, UnixMs(0)) {
            Entry::Admitted(_) => Ok(self.place()),
            Entry::Shed(_) | Entry::Queued { .. } => Err(self.full(&state, false)),
        }
    }

    /// Takes a place, or waits for one until then.
    ///
    /// # Errors
    /// Where the queue is full and others go before, or none became free in time.
    pub(crate) async fn enter(self: &Arc<Self>, key: KeyDigest, until: Instant) -> Result<Place, Full> {
        let (turn, coming) = oneshot::channel();
        let number = self.tickets.fetch_add(1, Relaxed);
        let began = Instant::now();
        let entry = {
            let mut state = self.state();
            state.queue.enter(key, self.at(until), Ticket { number, turn }, self.at(began))
        };
        match entry {
            Entry::Admitted(_) => return Ok(self.place()),
            Entry::Shed(_) => return Err(self.turned_away(false)),
            // Whoever had to go for it is told by the drop of its ticket.
            Entry::Queued { shed } => drop(shed),
        }
        self.queued.fetch_add(1, Relaxed);
        let waiting = Waiting { limit: self, key, number, began };
        let came = tokio::time::timeout_at(until, coming).await;
        drop(waiting);
        match came {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(self.turned_away(false)),
            Err(_) => Err(self.turned_away(true)),
        }
    }

    fn turned_away(&self, has_waited: bool) -> Full {
        self.shed.fetch_add(1, Relaxed);
        self.full(&self.state(), has_waited)
    }

    fn full(&self, state: &State, has_waited: bool) -> Full {
        // How long it takes until those before a newcomer have had their turn.
        let turns = (state.queue.waiting() + 1) as f32 / state.size.concurrency.max(1) as f32;
        let retry_after_ms = (turns * state.held_ms).clamp(1.0, RETRY_AFTER_MS_MAX) as u64;
        Full { of: self.of.clone(), size: state.size, has_waited, retry_after_ms }
    }

    fn place(self: &Arc<Self>) -> Place {
        Place { limit: Arc::clone(self), since: Instant::now() }
    }

    /// A moment as the queue counts time.
    fn at(&self, moment: Instant) -> UnixMs {
        let millis = moment.saturating_duration_since(self.since).as_millis();
        UnixMs(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over the place that became free; tickets that are too late are dropped, which tells their owners.
    fn tell(self: &Arc<Self>, freed: Freed<Ticket>) {
        if let Some(ticket) = freed.admitted {
            // Whoever has gone meanwhile gives the place on by dropping it.
            let _ = ticket.turn.send(self.place());
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let now = Instant::now();
        let held_ms = now.saturating_duration_since(self.since).as_secs_f32() * 1000.0;
        let freed = {
            let mut state = self.limit.state();
            let mean = if state.held_ms > 0.0 { state.held_ms } else { held_ms };
            state.held_ms = mean + (held_ms - mean) * LAST_SHARE;
            state.queue.leave(self.limit.at(now))
        };
        self.limit.tell(freed);
    }
}

/// Somebody in the queue, who leaves it when dropped.
struct Waiting<'a> {
    limit: &'a Limit,
    key: KeyDigest,
    number: u64,
    began: Instant,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waited = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.limit.waited_us.fetch_add(waited, Relaxed);
        let number = self.number;
        let withdrawn = self.limit.state().queue.withdraw(self.key, |ticket| ticket.number == number);
        drop(withdrawn);
    }
}

/// Every limit that some configuration in use has.
#[derive(Debug, Default)]
pub struct Limits {
    known: Mutex<BTreeMap<LimitOf, Arc<Limit>>>,
}

impl Limits {
    /// The limit of that thing: the one that there is, so that calls under way count, else a new one of that size.
    #[must_use]
    pub fn of(&self, of: LimitOf, size: Size) -> Arc<Limit> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that no configuration in use has any more.
        known.retain(|other, limit| *other == of || Arc::strong_count(limit) > 1);
        Arc::clone(known.entry(of.clone()).or_insert_with(|| Arc::new(Limit::new(of, size))))
    }

    /// Each of them.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Limit>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests;
