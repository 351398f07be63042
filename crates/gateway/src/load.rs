//! Looks at the metrics of model servers, so that routes know how full each is.
//!
//! A task per page, on a thread of its own: a page that hangs, or is long, takes nothing from requests. The tasks start with a
//! configuration and end with it. A page that says nothing is not asked about: its figures grow old, and
//! [`pilothouse_routing::load::Gauge`] says what old figures mean.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use pilothouse_routing::load::{DOCUMENT_BYTES_MAX, Gauge, LoadError, ModelServer, Sample, parse};
use pilothouse_upstream::{Client, Head, Origin, Request};
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::plan::{Provider, Route};
use crate::shared::Shared;

/// How often a page is asked for.
const EVERY: Duration = Duration::from_millis(1_000);
/// How long it may take.
pub(crate) const ASK_TIME: Duration = Duration::from_millis(800);

/// Where a model server tells how full it is.
#[derive(Debug)]
pub struct MetricsPage {
    /// Where.
    pub(crate) origin: Origin,
    /// The prepared request.
    pub(crate) head: Head,
    /// What kind of server it is; `None` is found out from what it says.
    pub(crate) server: Option<ModelServer>,
}

/// The pages that a configuration's routes need. Dropping it ends the tasks that look at them.
pub struct LoadWatch {
    watched: Vec<Watched>,
    end: CancellationToken,
    _end: DropGuard,
}

/// A page, and whom it tells about.
#[derive(Clone)]
struct Watched {
    provider: Arc<Provider>,
    /// By the model's id on the wire.
    gauges: BTreeMap<Arc<str>, Arc<Gauge>>,
}

impl LoadWatch {
    /// Those of these routes.
    pub(crate) fn of<'r>(routes: impl Iterator<Item = &'r Arc<Route>>) -> Self {
        let mut found: BTreeMap<Arc<str>, Watched> = BTreeMap::new();
        for target in routes.flat_map(|route| &route.targets).map(|resolution| &resolution.target) {
            if target.provider.metrics.is_none() {
                continue;
            }
            let provider = &target.provider;
            let watched = found
                .entry(Arc::clone(&provider.name))
                .or_insert_with(|| Watched { provider: Arc::clone(provider), gauges: BTreeMap::new() });
            watched.gauges.insert(Arc::clone(&target.model), Arc::clone(&target.metrics.gauge));
        }
        let end = CancellationToken::new();
        Self { watched: found.into_values().collect(), end: end.clone(), _end: end.drop_guard() }
    }

    /// Begins to look.
    ///
    /// # Errors
    /// The system's refusal of a thread.
    pub(crate) fn start(&self, shared: &Arc<Shared>) -> std::io::Result<()> {
        if self.watched.is_empty() {
            return Ok(());
        }
        let background = shared.background.handle(shared)?;
        for watched in &self.watched {
            let (watched, end, shared_too) = (watched.clone(), self.end.clone(), Arc::clone(shared));
            shared.tasks.spawn_on(
                async move {
                    tokio::select! {
                        () = watched.look(&shared_too) => {}
                        () = end.cancelled() => {}
                        () = shared_too.drain.ended() => {}
                    }
                },
                background,
            );
        }
        Ok(())
    }
}

impl Watched {
    /// Looks again and again.
    async fn look(&self, shared: &Shared) {
        let Some(page) = &self.provider.metrics else { return };
        let client = Client::new();
        loop {
            // The moment of the question: what came meanwhile is not in the answer.
            let now = shared.clock.now();
            match tokio::time::timeout(ASK_TIME, page.ask(&client)).await {
                Ok(Some(document)) => {
                    for (model, gauge) in &self.gauges {
                        match page.read(&document, model) {
                            Ok(sample) => gauge.store(now, sample),
                            Err(_) => drop(shared.metrics.looks_failed.fetch_add(1, Relaxed)),
                        }
                    }
                }
                Ok(None) | Err(_) => drop(shared.metrics.looks_failed.fetch_add(1, Relaxed)),
            }
            // Many gateways, and many pages, are not to ask in step.
            let jitter = (shared.chance() % 256) as f64 / 1024.0;
            tokio::time::sleep(EVERY.mul_f64(0.875 + jitter)).await;
        }
    }
}

impl MetricsPage {
    /// The page as it is now; `None` where it does not come whole.
    async fn ask(&self, client: &Client) -> Option<String> {
        let request = Request { head: &self.head, tail: "", extra: &[], body: &[] };
        let answer = client.send(&self.origin, &request, |_| false, &mut 0).await.ok()?;
        if !answer.status.is_success() {
            return None;
        }
        let body = answer.body.collect(DOCUMENT_BYTES_MAX).await.ok()?;
        String::from_utf8(body.into()).ok()
    }

    /// What it says of a model. A server of one model may call it otherwise than its clients do; then the whole page counts.
    fn read(&self, document: &str, model: &str) -> Result<Sample, LoadError> {
        let read = |server| match parse(document, server, Some(model)) {
            Err(LoadError::Missing(_)) => parse(document, server, None),
            other => other,
        };
        match self.server {
            Some(server) => read(server),
            None => {
                let mut all = ModelServer::ALL.into_iter().map(read);
                all.find(Result::is_ok).unwrap_or(Err(LoadError::Missing("metrics of a known server")))
            }
        }
    }
}

/// A thread with a runtime of its own, for work that belongs to no worker. It starts when it is first needed.
#[derive(Debug, Default)]
pub struct Background {
    handle: OnceLock<Handle>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Background {
    /// Where to spawn.
    fn handle(&self, shared: &Arc<Shared>) -> std::io::Result<&Handle> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = self.handle.get() {
            return Ok(handle);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let drain = shared.drain.clone();
        let run = move || runtime.block_on(drain.ended());
        *thread = Some(std::thread::Builder::new().name("background".into()).spawn(run)?);
        Ok(self.handle.get_or_init(|| handle))
    }

    /// Waits for its end, which the end of all streams brings.
    pub(crate) fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A thread that broke down has nothing left to end.
            let _ = thread.join();
        }
    }
}
