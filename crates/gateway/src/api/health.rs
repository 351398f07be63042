//! How the gateway is doing, and each target.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use http::StatusCode;
use pilothouse_routing::health::breaker::Standing;

use super::shape::{Moment, one_of, shape};
use super::{Answered, Ask, reply};
use crate::concurrency::Limit;
use crate::plan::Resolution;

/// Targets of one answer, at most; those of routes come first.
const TARGETS_MAX: usize = 1000;

one_of! {
    /// Whether requests are taken.
    ServerState {
        /// Not yet.
        Starting = "starting",
        /// They are.
        Ready = "ready",
        /// Not any more: a stop was asked for.
        Draining = "draining",
    }
}

one_of! {
    /// How a breaker stands.
    BreakerState {
        /// Calls pass.
        Closed = "closed",
        /// Calls pass as probes.
        HalfOpen = "half-open",
        /// Calls do not pass: the target rests.
        Open = "open",
    }
}

shape! {
    answer
    /// How a target is doing.
    TargetView {
        /// `PROVIDER/MODEL`.
        target: String,
        /// The routes that have it.
        routes: Vec<String>,
        /// Whether calls pass.
        breaker: BreakerState,
        /// For how many milliseconds none passes.
        rests_ms: Option<u64>,
        /// The share of failures of late, from 0 to 1.
        error_share: f64,
        /// Calls under way.
        in_flight: u32,
        /// Milliseconds that 95 of 100 first tokens of late stayed within; null before there are enough.
        first_token_p95_ms: Option<f64>,
        /// The same for whole answers.
        total_p95_ms: Option<f64>,
        /// For how many milliseconds the target is not asked, because its vendor said that it is gone.
        buried_ms: Option<u64>,
        /// The numbers of the credentials, from 0, to which the vendor said that it is not there.
        buried_credentials: Vec<u32>,
        /// Credentials of the provider.
        credentials: usize,
        /// The number of the one in use, from 0.
        credential_in_use: usize,
        /// Exchanges since the start.
        exchanges: u64,
        /// Of them, those that failed or broke off.
        failed: u64,
        /// Of them, those whose client went away.
        cancelled: u64,
    }
}

shape! {
    answer
    /// A limit on calls at once to a provider or a target, or on a route.
    PlacesView {
        /// What it is of: `provider`, `target` or `route`.
        scope: &'static str,
        /// Its name.
        name: String,
        /// Most calls at once.
        concurrency: u32,
        /// Most calls that wait for a place.
        queue: u32,
        /// Calls that have a place.
        taken: u32,
        /// Calls that wait for one.
        waiting: usize,
        /// Calls that were turned away since the start.
        shed: u64,
    }
}

shape! {
    answer
    /// What is written to disk.
    LedgerView {
        /// Exchanges that wait to be written.
        pending: u64,
        /// Exchanges that were written since the start.
        written: u64,
        /// Exchanges whose details were lost.
        details_lost: u64,
        /// How often the keeper of budgets was refused by the disk.
        budget_errors: u64,
        /// Why, the last time.
        budget_error: Option<String>,
    }
}

shape! {
    answer
    /// How the gateway is doing.
    HealthView {
        /// Whether requests are taken.
        state: ServerState,
        /// The version of the program.
        version: &'static str,
        /// When it was started.
        started: Moment,
        /// Counts configurations since the start, from 1.
        configuration: u64,
        /// Reloads of the configuration that failed.
        reloads_failed: u64,
        /// Exchanges under way.
        in_flight: u64,
        /// Open connections of clients.
        connections: u64,
        /// Requests that were refused before a target was chosen.
        refused: u64,
        /// What is written to disk.
        ledger: LedgerView,
        /// Limits on calls at once, and what they hold.
        places: Vec<PlacesView>,
        /// How many targets there are; at most 1,000 of them are listed.
        targets_total: usize,
        /// The targets: those of routes, and those that were called.
        targets: Vec<TargetView>,
    }
}

pub(super) fn show(ask: &Ask) -> Answered {
    let shared = &ask.shared;
    let state = if shared.stopping.is_cancelled() {
        ServerState::Draining
    } else if shared.is_ready.load(Relaxed) {
        ServerState::Ready
    } else {
        ServerState::Starting
    };
    let targets = targets(ask);
    let (budget_errors, budget_error) =
        shared.budgets.get().map(|budgets| budgets.errors()).unwrap_or_default();
    let metrics = &shared.metrics;
    let view = HealthView {
        state,
        version: env!("CARGO_PKG_VERSION"),
        started: Moment(shared.started_at),
        configuration: ask.plan.version,
        reloads_failed: metrics.reloads_failed.load(Relaxed),
        in_flight: metrics.in_flight.load(Relaxed),
        connections: metrics.connections.load(Relaxed),
        refused: metrics.refused.load(Relaxed),
        ledger: LedgerView {
            pending: shared.recorder.pending() as u64,
            written: shared.recorder.written_total(),
            details_lost: shared.recorder.dropped_total(),
            budget_errors,
            budget_error,
        },
        places: metrics.limits.all().iter().map(|limit| places(limit)).collect(),
        targets_total: targets.len(),
        targets: targets.into_iter().take(TARGETS_MAX).collect(),
    };
    reply(StatusCode::OK, &view)
}

fn places(limit: &Limit) -> PlacesView {
    let counts = limit.counts();
    PlacesView {
        scope: limit.of().scope(),
        name: limit.of().name().to_string(),
        concurrency: counts.size.concurrency,
        queue: counts.size.queue,
        taken: counts.taken,
        waiting: counts.waiting,
        shed: counts.shed,
    }
}

/// The targets of routes, then those that were called by their names.
fn targets(ask: &Ask) -> Vec<TargetView> {
    let mut of_routes: BTreeMap<String, (Arc<Resolution>, Vec<String>)> = BTreeMap::new();
    for route in ask.plan.routes.values() {
        for target in &route.targets {
            let found = of_routes.entry(name(target)).or_insert_with(|| (Arc::clone(target), Vec::new()));
            found.1.push(route.name.to_string());
        }
    }
    let resolved = ask.plan.resolved.read().unwrap_or_else(PoisonError::into_inner);
    let named: BTreeMap<String, Arc<Resolution>> =
        resolved.values().map(|resolution| (name(resolution), Arc::clone(resolution))).collect();
    drop(resolved);
    let others = named.into_iter().filter(|(name, _)| !of_routes.contains_key(name)).collect::<Vec<_>>();
    let of_routes = of_routes.into_iter().map(|(name, (target, routes))| (name, target, routes));
    let all = of_routes.collect::<Vec<_>>().into_iter();
    all.chain(others.into_iter().map(|(name, target)| (name, target, Vec::new())))
        .map(|(name, target, routes)| view(ask, name, &target, routes))
        .collect()
}

fn name(resolution: &Resolution) -> String {
    format!("{}/{}", resolution.target.provider.name, resolution.target.model)
}

fn view(ask: &Ask, name: String, resolution: &Resolution, mut routes: Vec<String>) -> TargetView {
    let target = &resolution.target;
    let (health, provider) = (&target.health, &target.provider);
    let (breaker, rests_ms) = match health.standing(ask.now) {
        Standing::Closed => (BreakerState::Closed, None),
        Standing::HalfOpen => (BreakerState::HalfOpen, None),
        Standing::Open { retry_after_ms } => (BreakerState::Open, Some(retry_after_ms)),
    };
    let buried = |credential: &u32| health.tombstones.buried_ms(*credential, ask.now).is_some();
    let credentials = provider.credentials();
    let counts = target.metrics.counts();
    let ms = |us: u64| us as f64 / 1000.0;
    routes.sort_unstable();
    TargetView {
        target: name,
        routes,
        breaker,
        rests_ms,
        error_share: f64::from(health.breaker.error_share()),
        in_flight: health.in_flight(),
        first_token_p95_ms: health.first_token_p95_us().map(ms),
        total_p95_ms: health.total_p95_us().map(ms),
        buried_ms: health.tombstones.target_buried_ms(ask.now),
        buried_credentials: (0..u32::try_from(credentials).unwrap_or(0)).filter(buried).collect(),
        credentials,
        credential_in_use: provider.credential(),
        exchanges: counts.exchanges(),
        failed: counts.failed + counts.cut,
        cancelled: counts.cancelled,
    }
}
