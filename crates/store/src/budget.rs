//! Budgets: caps on money per key, team, route, end user and run that hold under any concurrency.
//!
//! What is settled and what is reserved never exceed a hard budget together. A process spends from *leases*: parts
//! of the balance that are on disk before they can be spent, so that what several processes hold sums to at most
//! the balance, and a process that dies has spent at most what its leases say. The request's path touches
//! memory only: [`Budgets::reserve`] takes from the leases or refuses, and a thread fetches more ahead of time.
//!
//! How a call uses them:
//!
//! 1. [`Budgets::account`] for each budget that the call counts in; keys, teams and routes once per configuration, end
//!    users and runs as soon as their names are known, because it fetches the first lease meanwhile.
//! 2. [`Budgets::reserve_up_to`] with the least and the most that the call may cost, for every attempt anew. Where it
//!    refuses with [`Why::AwaitsLease`], wait for [`Budgets::ready`] and ask once more.
//! 3. [`Reservation::settle`] with what the call cost, [`Reservation::release`] where nothing was sent. A reservation
//!    that is dropped is settled in full. A soft one is widened by [`Reservation::top_up`].
//!
//! A lease that nobody gave back counts as spent until a day after its period's end, or until somebody who
//! knows better [reconciles](BudgetBooks::reconcile) it.

mod account;
mod books;
mod calendar;
mod holder;
mod ready;
mod refill;
mod report;
mod reserve;
mod rule;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::hash::BuildHasher as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pilothouse_core::clock::{Clock, SystemClock};
use pilothouse_core::money::PicoUsd;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::error::StoreError;
use crate::{LEDGER_FILE, folder, schema};

pub use account::{Account, Standing};
pub(crate) use books::ALERTS_KEPT;
pub use calendar::{Anchor, Calendar, Every, Period};
use holder::Holder;
pub use ready::Ready;
use refill::{Round, Worker};
pub use report::{AlertEntry, AlertRow, BudgetBooks, BudgetRow, Orphan};
pub use reserve::{Refused, Reservation, Settlement, Why};
pub use rule::{Alert, OnLimit, Reserve, Rule, SHARES_MAX, ScopeKind};

/// Maps of accounts, so that threads seldom meet at one.
const SHARDS: usize = 16;

/// Alerts that wait to be taken; older ones go first.
const ALERTS_MAX: usize = 1024;

/// How budgets work; the defaults suit a server.
#[derive(Clone)]
pub struct BudgetOptions {
    /// End users and runs in memory at once, at most.
    pub scopes_max: usize,
    /// After so many milliseconds without a call, the lease of an end user or a run goes back.
    pub idle_ms: u64,
    /// Whether a thread does the rounds; without one, somebody calls [`Budgets::round`].
    pub has_thread: bool,
    /// The time of day, for the rounds.
    pub clock: Arc<dyn Clock>,
}

impl Default for BudgetOptions {
    fn default() -> Self {
        Self { scopes_max: 65_536, idle_ms: 600_000, has_thread: true, clock: Arc::new(SystemClock) }
    }
}

impl fmt::Debug for BudgetOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BudgetOptions")
            .field("scopes_max", &self.scopes_max)
            .field("idle_ms", &self.idle_ms)
            .field("has_thread", &self.has_thread)
            .finish_non_exhaustive()
    }
}

/// More end users and runs are active than [`BudgetOptions::scopes_max`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopesFull {
    /// How many may be.
    pub scopes_max: usize,
}

impl fmt::Display for ScopesFull {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let max = self.scopes_max;
        write!(
            out,
            "{max} end users and runs with budgets are active, and that is the most at once; try again later"
        )
    }
}

impl std::error::Error for ScopesFull {}

/// The budgets of one data folder, as one process sees them. Several processes may have the same folder.
#[derive(Debug)]
pub struct Budgets {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The accounts of each scope's name.
type Shard = FxHashMap<Arc<str>, Vec<Account>>;

/// What the request's path and the background share.
pub(crate) struct Shared {
    shards: Vec<Mutex<Shard>>,
    asked: Mutex<Vec<Account>>,
    worker: Mutex<Option<Worker>>,
    thread: OnceLock<std::thread::Thread>,
    is_closing: AtomicBool,
    alerts: Mutex<VecDeque<Alert>>,
    last_error: Mutex<Option<String>>,
    errors: AtomicU64,
    next_order: AtomicU64,
    /// End users and runs in memory.
    scopes: AtomicUsize,
    scopes_max: usize,
    idle_ms: u64,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Shared").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

impl Budgets {
    /// Opens the budgets of the data folder `dir`; makes folder and file if needed.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a newer version wrote the file, [`StoreError::NotALedger`] when it is something
    /// else, and refusals of the system.
    pub fn open(dir: &Path, options: BudgetOptions) -> Result<Self, StoreError> {
        folder::make(dir)?;
        let path = dir.join(LEDGER_FILE);
        folder::make_file(&path)?;
        let db = schema::open_control(&path, &*options.clock)?;
        let holder = Holder::enter(&db, dir, options.clock.now())?;
        let shared = Arc::new(Shared {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            asked: Mutex::default(),
            worker: Mutex::new(Some(Worker::new(db, &path, holder))),
            thread: OnceLock::new(),
            is_closing: AtomicBool::new(false),
            alerts: Mutex::default(),
            last_error: Mutex::default(),
            errors: AtomicU64::new(0),
            next_order: AtomicU64::new(0),
            scopes: AtomicUsize::new(0),
            scopes_max: options.scopes_max,
            idle_ms: options.idle_ms,
            clock: options.clock,
        });
        let thread = if options.has_thread { Some(start(&shared, &path)?) } else { None };
        Ok(Self { shared, thread })
    }

    /// The account of `scope` for the period of `rule`, made if needed; its first lease is asked for at once. An account
    /// that is there takes the rule if it is another one.
    ///
    /// # Errors
    /// [`ScopesFull`] for a new end user or run, when too many are active.
    pub fn account(&self, kind: ScopeKind, scope: &str, rule: &Arc<Rule>) -> Result<Account, ScopesFull> {
        let shared = &self.shared;
        let mut shard = shared.shard(kind, scope);
        let every = rule.calendar().every();
        let known = shard.get(scope).and_then(|accounts| {
            accounts.iter().find(|account| account.0.kind == kind && account.0.every == every)
        });
        if let Some(account) = known {
            let account = account.clone();
            drop(shard);
            shared.obey(&account, rule);
            return Ok(account);
        }
        if kind.is_made_by_callers() {
            if shared.scopes.load(Ordering::Relaxed) >= shared.scopes_max {
                return Err(ScopesFull { scopes_max: shared.scopes_max });
            }
            shared.scopes.fetch_add(1, Ordering::Relaxed);
        }
        let (order, now) = (shared.next_order.fetch_add(1, Ordering::Relaxed), shared.clock.now());
        let scope: Arc<str> = scope.into();
        let account = Account::new(order, kind, Arc::clone(&scope), Arc::clone(rule), now);
        shard.entry(scope).or_default().push(account.clone());
        drop(shard);
        let asks = account.0.lock().must_ask(now);
        if asks {
            shared.ask(&account);
        }
        Ok(account)
    }

    /// Waits until the store has answered for all of `accounts`, without a thread. Whether the money suffices, the next
    /// reservation tells.
    pub fn ready(&self, accounts: &[Account]) -> Ready {
        Ready { accounts: accounts.to_vec() }
    }

    /// Waits, with this thread, until the store has answered for all of `accounts` or `at_most` has passed. True if it
    /// has. For the start of a server, not for calls.
    #[must_use]
    pub fn warm(&self, accounts: &[Account], at_most: Duration) -> bool {
        let began = Instant::now();
        let is_asked = |account: &Account| account.0.lock().is_asked;
        while accounts.iter().any(is_asked) {
            if began.elapsed() >= at_most {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// The shares that were met since this was last asked, oldest first; each is told to one process, once per period.
    #[must_use]
    pub fn take_alerts(&self) -> Vec<Alert> {
        self.shared.alerts.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    /// What this process has reserved for calls under way, by kind, name and period: of all accounts in memory.
    #[must_use]
    pub fn reserved(&self) -> Vec<(ScopeKind, Arc<str>, Every, PicoUsd)> {
        let told = |account: Account| {
            let reserved = account.standing().reserved;
            (account.kind(), Arc::clone(&account.0.scope), account.every(), reserved)
        };
        self.shared.every_account().into_iter().map(told).filter(|found| found.3 > PicoUsd::ZERO).collect()
    }

    /// How often the store refused, and why the last time.
    #[must_use]
    pub fn errors(&self) -> (u64, Option<String>) {
        let last = self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (self.shared.errors.load(Ordering::Relaxed), last)
    }

    /// One full round of what the background does: for tests, and for those who opened without a thread.
    ///
    /// # Errors
    /// The disk's refusal; what was asked for is asked for again.
    pub fn round(&self) -> Result<(), StoreError> {
        match &mut *self.shared.worker() {
            Some(worker) => worker.round(&self.shared, Round::Full),
            None => Ok(()),
        }
    }

    /// Serves only those that asked: what the thread does between full rounds.
    ///
    /// # Errors
    /// The disk's refusal; what was asked for is asked for again.
    pub fn serve(&self) -> Result<(), StoreError> {
        match &mut *self.shared.worker() {
            Some(worker) => worker.round(&self.shared, Round::Asked),
            None => Ok(()),
        }
    }

    /// Gives every lease back and ends. Settle first: what is reserved now counts as spent.
    ///
    /// # Errors
    /// The disk's refusal; the leases then count as spent.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), StoreError> {
        self.shared.is_closing.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A thread that broke down has noted nothing; the leases are given back all the same.
            let _ = thread.join();
        }
        let worker = self.shared.worker().take();
        worker.map_or(Ok(()), |mut worker| worker.end(&self.shared))
    }
}

impl Drop for Budgets {
    fn drop(&mut self) {
        // An owner that wants to know about errors calls `close`.
        let _ = self.end();
    }
}

fn start(shared: &Arc<Shared>, path: &Path) -> Result<JoinHandle<()>, StoreError> {
    let own = Arc::clone(shared);
    let thread = std::thread::Builder::new()
        .name("budgets".to_owned())
        .spawn(move || refill::run(&own))
        .map_err(|cause| StoreError::failed(path, "start the keeper of budgets in", cause))?;
    let _ = shared.thread.set(thread.thread().clone());
    Ok(thread)
}

impl Shared {
    fn shard(&self, kind: ScopeKind, scope: &str) -> MutexGuard<'_, Shard> {
        let hash = FxBuildHasher.hash_one((kind, scope));
        // The upper bits: the map inside uses the lower ones.
        let shard = usize::try_from(hash >> 60).unwrap_or(0) % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn worker(&self) -> MutexGuard<'_, Option<Worker>> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an account whose `is_asked` was just set on the list, and wakes the thread.
    fn ask(&self, account: &Account) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(account.clone());
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn has_asked(&self) -> bool {
        !self.asked.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    fn obey(&self, account: &Account, rule: &Arc<Rule>) {
        let mut state = account.0.lock();
        if Arc::ptr_eq(&state.rule, rule) || state.rule == *rule {
            return;
        }
        state.obey(Arc::clone(rule));
        let asks = state.must_ask(self.clock.now());
        drop(state);
        if asks {
            self.ask(account);
        }
    }

    fn every_account(&self) -> Vec<Account> {
        let mut accounts = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.extend(shard.values().flatten().cloned());
        }
        accounts
    }

    /// Forgets end users and runs that have nothing leased and that nobody holds.
    fn forget_cold(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|_, accounts| {
                let before = accounts.len();
                accounts.retain(|account| {
                    let is_held = Arc::strong_count(&account.0) > 1;
                    is_held || !account.0.kind.is_made_by_callers() || !account.0.lock().is_cold()
                });
                self.scopes.fetch_sub(before - accounts.len(), Ordering::Relaxed);
                !accounts.is_empty()
            });
        }
    }

    fn tell(&self, alerts: Vec<Alert>) {
        if alerts.is_empty() {
            return;
        }
        let mut waiting = self.alerts.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(alerts);
        let excess = waiting.len().saturating_sub(ALERTS_MAX);
        waiting.drain(..excess);
    }

    fn note_error(&self, error: &StoreError) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }
}
