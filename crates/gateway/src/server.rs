//! The server: listeners, worker threads, reload, and an orderly stop.

mod connection;
mod listener;
mod timers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub(crate) use timers::Timers;

use pilothouse_core::clock::{Clock, SystemClock};
use pilothouse_store::{BodyStore, Ledger, ServerInfo, StoreError};
use tokio_rustls::TlsAcceptor;

use crate::bodies::{self, BodiesMode};
use crate::config::{ConfigError, Diagnostic, Source};
use crate::metrics::Metrics;
use crate::plan::{self, Environment, Plan};
use crate::shared::{Shared, Worker};

/// Proxies between us and the client give a silent connection up after a minute or less.
const PING_EVERY: Duration = Duration::from_secs(15);

/// How a server starts.
pub struct Options {
    /// The configuration.
    pub source: Source,
    /// What the configuration points at.
    pub environment: Environment,
    /// The address, where the command line gave one.
    pub listen: Option<SocketAddr>,
    /// Worker threads, where the command line gave a number.
    pub workers: Option<usize>,
    /// The data folder, where it is not the configuration's.
    pub data_dir: Option<PathBuf>,
    /// With what receipts are sealed; `None` does not seal them.
    pub sealing: Option<pilothouse_store::Sealing>,
    /// Providers were found rather than configured.
    pub is_discovered: bool,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// How often a silent translated stream shows that it lives; tests do not wait as long as proxies do.
    pub ping_every: Duration,
}

impl Options {
    /// A server with that configuration.
    #[must_use]
    pub fn new(source: Source) -> Self {
        let environment = Environment::of_process(&source);
        Self {
            source,
            environment,
            listen: None,
            workers: None,
            data_dir: None,
            sealing: None,
            is_discovered: false,
            clock: Arc::new(SystemClock),
            ping_every: PING_EVERY,
        }
    }
}

/// Why a server does not start.
#[derive(Debug)]
pub enum StartError {
    /// The configuration cannot be used.
    Config(ConfigError),
    /// The ledger cannot be opened.
    Store(StoreError),
    /// The system refused something.
    System(String, std::io::Error),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config(error) => error.fmt(out),
            Self::Store(error) => error.fmt(out),
            Self::System(what, error) => write!(out, "{what}: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// How soon a key that another process mints or revokes is followed.
const KEYS_EVERY: Duration = Duration::from_secs(2);

/// A running server.
pub struct Server {
    shared: Arc<Shared>,
    ledger: Ledger,
    bodies: Mutex<Option<BodyStore>>,
    address: SocketAddr,
    data_dir: PathBuf,
    workers: Vec<JoinHandle<()>>,
    drain: Duration,
    is_tls: bool,
    listen: SocketAddr,
}

impl Server {
    /// Starts a server. When this returns, it takes requests.
    ///
    /// # Errors
    /// A [`StartError`] that says what to do.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let source = &options.source;
        let listen = match options.listen {
            Some(listen) => listen,
            None => plan::listen_address(source)?,
        };
        let metrics = Arc::new(Metrics::default());
        let environment = Environment { now: options.clock.now(), ..options.environment.clone() };
        let mut plan = plan::build(source, &environment, listen, 1, &metrics)?;
        plan.is_discovered = options.is_discovered;
        let tls =
            source.file.server.tls.as_ref().map(|section| listener::acceptor(source, section)).transpose()?;
        let data_dir = options.data_dir.clone().unwrap_or_else(|| source.data_dir());
        let ledger = Ledger::open(&data_dir, store_options(&options))?;
        let (mode, key) = (plan.bodies, plan.bodies_key.clone());
        let bodies = bodies::open(&data_dir, source, mode, key, &options.clock)?;
        let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), options.clock.now().0);
        let shared = Arc::new(Shared::new(
            plan,
            ledger.recorder(),
            Arc::clone(&options.clock),
            metrics,
            tls.is_some(),
            options.ping_every,
            seed,
        ));
        if let Some(bodies) = bodies.as_ref().filter(|_| mode != BodiesMode::Off) {
            let _ = shared.bodies.set(bodies.recorder());
            crate::memory::reread(&shared)?;
        }
        let socket = listener::bind(listen)?;
        let address = socket
            .local_addr()
            .map_err(|error| StartError::System("cannot read our own address".into(), error))?;
        let count = worker_count(options.workers.unwrap_or(source.file.server.workers));
        let mut server = Self {
            shared,
            ledger,
            bodies: Mutex::new(bodies),
            address,
            data_dir,
            workers: Vec::with_capacity(count),
            drain: Duration::from_secs(source.file.server.drain_seconds),
            is_tls: tls.is_some(),
            listen,
        };
        let keys = pilothouse_store::keys::Keys::open(&server.data_dir, &*options.clock)?;
        plan::check_clashes(source, &server.shared.plan.load(), &keys)?;
        server.shared.minted.open(Arc::new(keys));
        let _ = server.shared.api.data_dir.set(server.data_dir.clone());
        server.shared.open_budgets(&server.data_dir)?;
        server.follow_keys()?;
        let looking = server.shared.plan.load().load.start(&server.shared);
        looking.map_err(|error| StartError::System("cannot start a thread".into(), error))?;
        server.spawn_workers(count, &socket, tls.as_ref(), source.file.server.connections_max)?;
        let info = ServerInfo { pid: std::process::id(), url: server.url(), started: options.clock.now() };
        info.write(&server.data_dir)?;
        server.shared.is_ready.store(true, Relaxed);
        Ok(server)
    }

    fn spawn_workers(
        &mut self,
        count: usize,
        socket: &std::net::TcpListener,
        tls: Option<&TlsAcceptor>,
        connections_max: usize,
    ) -> Result<(), StartError> {
        let permits = Arc::new(tokio::sync::Semaphore::new(connections_max.clamp(1, 1 << 20)));
        let failed = |error| StartError::System("cannot start a worker".into(), error);
        for index in 0..count {
            // All workers wait on one socket: whoever is free takes the next connection.
            let socket = socket.try_clone().map_err(failed)?;
            let worker = Arc::new(Worker {
                shared: Arc::clone(&self.shared),
                timers: Timers::default(),
                client: pilothouse_upstream::Client::new(),
            });
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
            let (tls, permits) = (tls.cloned(), Arc::clone(&permits));
            let thread = std::thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || runtime.block_on(listener::run(worker, socket, tls, permits)))
                .map_err(failed)?;
            self.workers.push(thread);
        }
        Ok(())
    }

    /// Follows the keys that other processes mint and revoke.
    fn follow_keys(&mut self) -> Result<(), StartError> {
        let (shared, data_dir) = (Arc::clone(&self.shared), self.data_dir.clone());
        let follow = move || {
            // What cannot be read is not leant on; answers to come teach the same.
            let _ = shared.metrics.outputs.read(&data_dir, shared.clock.now());
            while !shared.stopping.is_cancelled() {
                std::thread::park_timeout(KEYS_EVERY);
                // What cannot be read now is read the next time; until then the keys are those of before.
                let _ = shared.minted.refresh();
                // Also without news: what could not be opened before is tried again.
                let _ = shared.open_budgets(&data_dir);
                shared.gather_alerts();
                // What the disk refuses now is told at the next look.
                let _ = crate::ends::look(&shared, &data_dir);
            }
        };
        let thread = std::thread::Builder::new().name("keys".into()).spawn(follow);
        self.workers.push(thread.map_err(|error| StartError::System("cannot start a thread".into(), error))?);
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.address)
    }

    /// What its workers share.
    #[must_use]
    pub const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The data folder.
    #[must_use]
    pub fn data_dir(&self) -> &std::path::Path {
        &self.data_dir
    }

    /// Puts another configuration in force. The old one stays when the new one is wrong. True when something
    /// changed that only a restart applies.
    ///
    /// # Errors
    /// What is wrong with the new configuration, and where.
    pub fn reload(&self, source: &Source, environment: &Environment) -> Result<bool, ConfigError> {
        let old = self.shared.plan.load();
        let wanted = plan::listen_address(source)?;
        let environment = &Environment { now: self.shared.clock.now(), ..environment.clone() };
        match plan::build(source, environment, self.address, old.version + 1, &self.shared.metrics) {
            Ok(plan) => {
                self.check_clashes(source, &plan)?;
                self.open_bodies(&plan, source)?;
                plan.inherit(&old);
                self.shared.cache.resize(&plan, self.shared.clock.now());
                self.shared.plan.store(Arc::new(plan));
                // Without a thread to look with, servers count as full: they are still called, the least bad first.
                let _ = self.shared.plan.load().load.start(&self.shared);
                // A ledger that was open a moment ago is there; what fails now fails at the first call, and says so.
                let _ = self.shared.open_budgets(&self.data_dir);
                self.shared.fetch_leases();
                Ok(source.file.server.listen.is_some() && wanted != self.listen)
            }
            Err(error) => {
                self.shared.metrics.reloads_failed.fetch_add(1, Relaxed);
                Err(error)
            }
        }
    }

    /// Nothing of the store may have a name or a secret that the configuration has.
    fn check_clashes(&self, source: &Source, plan: &Plan) -> Result<(), ConfigError> {
        let Some(store) = self.shared.minted.store() else { return Ok(()) };
        plan::check_clashes(source, plan, &store).inspect_err(|_| {
            self.shared.metrics.reloads_failed.fetch_add(1, Relaxed);
        })
    }

    /// Opens the bodies where a new configuration asks for them for the first time.
    fn open_bodies(&self, plan: &Plan, source: &Source) -> Result<(), ConfigError> {
        if plan.bodies == BodiesMode::Off || self.shared.bodies.get().is_some() {
            return Ok(());
        }
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        // What only kept the file within its bounds ends first.
        *bodies = None;
        let key = plan.bodies_key.clone();
        let opened = bodies::open(&self.data_dir, source, plan.bodies, key, &self.shared.clock);
        *bodies = opened
            .map_err(|error| source.error(vec![Diagnostic { span: None, message: error.to_string() }]))?;
        if let Some(bodies) = &*bodies {
            let _ = self.shared.bodies.set(bodies.recorder());
        }
        Ok(())
    }

    /// What should be told to whoever runs it, since the last question.
    #[must_use]
    pub fn take_alerts(&self) -> Vec<String> {
        let mut alerts = self.shared.cache.meanings.take_alerts();
        // A name that a caller gave stands behind that of its key, with a character between that is not for people.
        let told = |alert: &pilothouse_store::budget::Alert| alert.to_string().replace('\u{1f}', " ");
        alerts.extend(self.shared.api.take_alerts().iter().map(told));
        alerts.extend(self.shared.ends.take_alerts());
        alerts
    }

    /// The plan in force.
    #[must_use]
    pub fn plan(&self) -> Arc<Plan> {
        self.shared.plan.load_full()
    }

    /// Refuses new exchanges from now on; readiness says so at once.
    pub fn begin_stop(&self) {
        self.shared.stopping.cancel();
        self.shared.closing.end();
    }

    /// Stops: waits for what is going on, at most as long as configured (or until `hurry` says so), then ends
    /// streams with an error event, and closes the ledger.
    ///
    /// # Errors
    /// The disk's refusal, when not everything could be recorded.
    pub fn stop(self, hurry: impl Fn() -> bool) -> Result<(), StoreError> {
        self.begin_stop();
        let step = Duration::from_millis(10);
        let busy = || self.shared.metrics.in_flight.load(Relaxed) > 0;
        let mut waited = Duration::ZERO;
        while busy() && waited < self.drain && !hurry() {
            std::thread::sleep(step);
            waited += step;
        }
        self.shared.drain.end();
        let mut waited = Duration::ZERO;
        while busy() && waited < Duration::from_secs(2) {
            std::thread::sleep(step);
            waited += step;
        }
        self.shared.tasks.close();
        self.shared.background.join();
        for worker in self.workers {
            worker.thread().unpark();
            // A worker that broke down has nothing left to end.
            let _ = worker.join();
        }
        if let Some(bodies) = self.bodies.into_inner().unwrap_or_else(PoisonError::into_inner) {
            bodies.close();
        }
        ServerInfo::remove(&self.data_dir)?;
        self.ledger.close()
    }
}

fn store_options(options: &Options) -> pilothouse_store::Options {
    let section = &options.source.file.store;
    pilothouse_store::Options {
        queue_capacity: section.queue.clamp(16, 1 << 20),
        keep_days: (section.keep_days > 0).then_some(section.keep_days),
        sealing: options.sealing.clone(),
        clock: Arc::clone(&options.clock),
        ..pilothouse_store::Options::default()
    }
}

fn worker_count(wanted: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if wanted == 0 { cores } else { wanted.min(256) }
}
