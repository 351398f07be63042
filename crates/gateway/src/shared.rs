//! What all workers share: the plan in force, the recorder, counters, the stop signal.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use pilothouse_core::clock::{Clock, UnixMs};
use pilothouse_core::exchange::Exchange;
use pilothouse_core::id::ExchangeId;
use pilothouse_routing::affinity::Conversations;
use pilothouse_routing::count::PrefixCounts;
use pilothouse_store::StoreError;
use pilothouse_store::budget::{BudgetOptions, Budgets};
use pilothouse_store::limits::{Counters, MemoryCounters};
use pilothouse_store::runs::Runs;
use pilothouse_store::{BodyRecorder, Recorder};
use pilothouse_wire::memory::ThinkingMemory;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cache::Caches;
use crate::drain::Drain;
use crate::kept::KeptPlaces;
use crate::load::Background;
use crate::metrics::Metrics;
use crate::minted::Minted;
use crate::plan::Plan;
use crate::server::Timers;

/// Most bytes of thinking that are remembered for clients whose dialect cannot carry it.
const THINKING_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most conversations over WebSockets at once.
const SESSIONS_MAX: usize = 4096;

/// Most conversations whose place is remembered.
const CONVERSATIONS_MAX: usize = 100_000;
/// How long a conversation's place is remembered after its last turn: vendors keep their prompt caches for an hour at most.
const CONVERSATION_MS: u64 = 60 * 60 * 1000;

/// Most beginnings of conversations whose count is remembered.
const PREFIXES_MAX: usize = 16_384;
/// Most runs of agents that are limited at once.
const RUNS_MAX: usize = 65_536;
/// A run without a turn for so long is forgotten.
const RUN_IDLE_MS: u64 = 24 * 60 * 60 * 1000;

/// What all workers share.
pub struct Shared {
    /// The configuration in force.
    pub plan: ArcSwap<Plan>,
    /// Where exchanges are recorded.
    pub recorder: Recorder,
    /// Where bodies are kept, once that was asked for.
    pub bodies: OnceLock<BodyRecorder>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Bytes of request bodies that are held now.
    pub held_bytes: AtomicU64,
    /// Requests are taken: the ledger is open and the listeners stand.
    pub is_ready: AtomicBool,
    /// A stop was asked for: no new requests.
    pub stopping: CancellationToken,
    /// Connections that must be told when a stop is asked for.
    pub closing: Drain,
    /// Streams that must be told when their time is up.
    pub drain: Drain,
    /// Our own listener speaks TLS.
    pub is_tls: bool,
    /// How often a silent translated stream shows that it lives.
    pub ping_every: Duration,
    /// Thinking that clients cannot carry.
    pub thinking: Mutex<ThinkingMemory>,
    /// Where the responses that passed are held.
    pub responses: Mutex<KeptPlaces>,
    /// Where the files, uploads, batches and films that passed are held.
    pub holdings: Mutex<KeptPlaces>,
    /// Where conversations on routes were last.
    pub conversations: Conversations,
    /// What conversations have drawn, where their next turn cannot tell it.
    pub draws: crate::draws::Draws,
    /// What was counted of earlier turns.
    pub prefixes: PrefixCounts,
    /// What the administration has for itself.
    pub api: crate::api::State,
    /// Keys that were minted while the gateway runs.
    pub minted: Minted,
    /// Counters of limits.
    pub counters: Arc<dyn Counters>,
    /// Ends of targets, and what people should know of them.
    pub ends: crate::ends::EndWatch,
    /// Budgets; opened when a configuration or a key first has one.
    pub budgets: OnceLock<Budgets>,
    /// Kept answers.
    pub(crate) cache: Caches,
    /// Runs of agents.
    pub runs: Runs,
    /// Rooms for conversations over WebSockets.
    pub sessions: Arc<Semaphore>,
    /// When this process began.
    pub started_at: UnixMs,
    /// Every task that runs.
    pub tasks: TaskTracker,
    /// A runtime for what belongs to no worker.
    pub background: Background,
    ids: AtomicU64,
    seed: u64,
}

impl Shared {
    /// The shared state of a server. `seed` makes its ids differ from those of other processes.
    #[must_use]
    pub fn new(
        plan: Plan,
        recorder: Recorder,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        is_tls: bool,
        ping_every: Duration,
        seed: u64,
    ) -> Self {
        let started_at = clock.now();
        let cache_bytes = crate::cache::room(&plan);
        Self {
            plan: ArcSwap::from_pointee(plan),
            recorder,
            bodies: OnceLock::new(),
            clock,
            metrics,
            held_bytes: AtomicU64::new(0),
            is_ready: AtomicBool::new(false),
            stopping: CancellationToken::new(),
            closing: Drain::default(),
            drain: Drain::default(),
            is_tls,
            ping_every,
            thinking: Mutex::new(ThinkingMemory::new(THINKING_BYTES_MAX)),
            responses: Mutex::default(),
            holdings: Mutex::default(),
            conversations: Conversations::new(CONVERSATIONS_MAX, CONVERSATION_MS),
            draws: crate::draws::Draws::default(),
            prefixes: PrefixCounts::new(PREFIXES_MAX),
            api: crate::api::State::default(),
            minted: Minted::default(),
            counters: Arc::new(MemoryCounters::default()),
            ends: crate::ends::EndWatch::default(),
            budgets: OnceLock::new(),
            cache: Caches::new(cache_bytes),
            runs: Runs::new(RUNS_MAX, RUN_IDLE_MS),
            sessions: Arc::new(Semaphore::new(SESSIONS_MAX)),
            started_at,
            tasks: TaskTracker::new(),
            background: Background::default(),
            ids: AtomicU64::new(0),
            seed,
        }
    }

    /// Opens the budgets, where the configuration or a minted key has any and they are not open yet.
    ///
    /// # Errors
    /// The disk's refusal.
    pub fn open_budgets(&self, data_dir: &Path) -> Result<(), StoreError> {
        if self.budgets.get().is_some() || !(self.plan.load().has_budgets() || self.minted.has_budgets()) {
            return Ok(());
        }
        let options = BudgetOptions { clock: Arc::clone(&self.clock), ..BudgetOptions::default() };
        let budgets = Budgets::open(data_dir, options)?;
        // Two at once cannot be: start, reload and the follower of keys call one after the other, and a second one that is
        // dropped gives back what it leased.
        let _ = self.budgets.set(budgets);
        self.fetch_leases();
        Ok(())
    }

    /// Counts the shares of budgets that were met, and keeps them for whoever tells people. The store has them already.
    pub(crate) fn gather_alerts(&self) {
        let Some(budgets) = self.budgets.get() else { return };
        let alerts = budgets.take_alerts();
        for alert in &alerts {
            self.metrics.alert(alert.kind);
        }
        self.api.put_alerts(alerts);
    }

    /// Fetches the first leases of the budgets that the configuration names, so that no call waits for one.
    pub fn fetch_leases(&self) {
        let Some(budgets) = self.budgets.get() else { return };
        for (_, key) in self.plan.load().keys.iter() {
            for budgeted in &key.terms.budgets {
                // Only end users and runs can be too many.
                let _ = budgets.account(budgeted.kind, &budgeted.scope, &budgeted.rule);
            }
        }
    }

    /// A number that nobody can guess from the others and that never comes twice.
    #[must_use]
    pub fn chance(&self) -> u64 {
        mix(self.seed.wrapping_add(self.ids.fetch_add(1, Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// A number of this process, which nobody outside knows.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// An id for an exchange that begins now.
    #[must_use]
    pub fn new_id(&self, now: UnixMs) -> ExchangeId {
        let first = self.chance();
        let second = mix(first ^ self.seed.rotate_left(32));
        ExchangeId::new(now, (u128::from(first) << 64) | u128::from(second))
    }

    /// Records and counts an exchange that has ended.
    pub fn record(&self, exchange: Box<Exchange>) {
        self.recorder.record(exchange);
    }
}

/// The finaliser of SplitMix64: a bijection, so that distinct inputs stay distinct.
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// What one worker thread has for itself.
pub struct Worker {
    /// What it shares with the others.
    pub shared: Arc<Shared>,
    /// Timers of its client connections.
    pub(crate) timers: Timers,
    /// Its connections to vendors.
    pub client: pilothouse_upstream::Client,
}
