//! Counters of what passes, per target, written by the request path without locks and shown at `/metrics`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::usage::Usage;
use pilothouse_routing::Health;
use pilothouse_routing::load::Gauge;
use pilothouse_store::budget::ScopeKind;

use crate::concurrency::{LimitCounts, Limits};
use crate::outputs::Outputs;
use crate::purse::Purses;

/// Upper bounds of the duration histogram, in microseconds.
const BOUNDS_US: [u64; 12] = [
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    10_000_000,
    60_000_000,
    600_000_000,
];
/// Most targets that are counted apart; the rest share one.
const TARGETS_MAX: usize = 2048;

/// Counters by vendor and model.
type Targets = BTreeMap<(Arc<str>, Arc<str>), Arc<TargetMetrics>>;

/// All counters.
#[derive(Debug, Default)]
pub struct Metrics {
    targets: Mutex<Targets>,
    /// Requests that were refused before a target was chosen.
    pub refused: AtomicU64,
    /// Open client connections.
    pub connections: AtomicU64,
    /// Exchanges that are going on.
    pub in_flight: AtomicU64,
    /// Reloads of the configuration that failed.
    pub reloads_failed: AtomicU64,
    /// How long answers are expected to be.
    pub outputs: Outputs,
    /// Looks at model servers that told nothing.
    pub looks_failed: AtomicU64,
    /// Shares of budgets that were met, by what the budget is about, in the order of [`ScopeKind::ALL`].
    alerts: [AtomicU64; ScopeKind::ALL.len()],
    /// Limits on calls at once.
    pub limits: Limits,
    /// The money of routes that hedge.
    pub purses: Purses,
}

/// What a target's counters say at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetCounts {
    /// The provider's name.
    pub vendor: Arc<str>,
    /// The model's id on the wire.
    pub model: Arc<str>,
    /// Exchanges that arrived whole.
    pub complete: u64,
    /// Exchanges whose client went away.
    pub cancelled: u64,
    /// Exchanges whose answer broke off.
    pub cut: u64,
    /// Exchanges that failed otherwise.
    pub failed: u64,
    /// Input tokens as vendors reported them, cached ones included.
    pub tokens_input: u64,
    /// Output tokens as vendors reported them.
    pub tokens_output: u64,
    /// Time of all exchanges together, in microseconds.
    pub duration_us: u64,
}

impl TargetCounts {
    /// Exchanges that have ended, however they did.
    #[must_use]
    pub const fn exchanges(&self) -> u64 {
        self.complete + self.cancelled + self.cut + self.failed
    }
}

/// The counters of one target.
#[derive(Debug, Default)]
pub struct TargetMetrics {
    complete: AtomicU64,
    cancelled: AtomicU64,
    cut: AtomicU64,
    failed: AtomicU64,
    tokens_input: AtomicU64,
    tokens_cached: AtomicU64,
    tokens_output: AtomicU64,
    duration_us: AtomicU64,
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    retries: AtomicU64,
    /// How it has been doing, for the routes that have it.
    pub health: Arc<Health>,
    /// How full its server says that it is, where that is looked at.
    pub gauge: Arc<Gauge>,
}

impl TargetMetrics {
    /// What the counters say now, without the target's name.
    #[must_use]
    pub fn counts(&self) -> TargetCounts {
        TargetCounts {
            complete: self.complete.load(Relaxed),
            cancelled: self.cancelled.load(Relaxed),
            cut: self.cut.load(Relaxed),
            failed: self.failed.load(Relaxed),
            tokens_input: self.tokens_input.load(Relaxed),
            tokens_output: self.tokens_output.load(Relaxed),
            duration_us: self.duration_us.load(Relaxed),
            ..TargetCounts::default()
        }
    }

    /// Counts an exchange that has ended, with what its answer used.
    pub fn count(&self, exchange: &Exchange, usage: &Usage) {
        match exchange.outcome {
            Outcome::Complete => &self.complete,
            Outcome::Cancelled => &self.cancelled,
            Outcome::Failed(pilothouse_core::error::Kind::Cut) => &self.cut,
            Outcome::Failed(_) => &self.failed,
        }
        .fetch_add(1, Relaxed);
        self.count_tokens(usage);
        let took = exchange.timings.total_us;
        self.duration_us.fetch_add(took, Relaxed);
        let bucket = BOUNDS_US.iter().position(|bound| took <= *bound).unwrap_or(BOUNDS_US.len());
        self.buckets[bucket].fetch_add(1, Relaxed);
        if let Some(receipt) = &exchange.receipt {
            let failed = receipt.attempts.iter().filter(|attempt| attempt.outrun.is_none());
            self.retries.fetch_add(failed.count() as u64, Relaxed);
        }
    }

    /// Counts the tokens of an answer.
    pub fn count_tokens(&self, usage: &Usage) {
        self.tokens_input.fetch_add(usage.input_total(), Relaxed);
        self.tokens_cached.fetch_add(usage.cache_read, Relaxed);
        self.tokens_output.fetch_add(usage.output_total(), Relaxed);
    }
}

impl Metrics {
    /// The counters of a target.
    pub fn target(&self, vendor: &Arc<str>, model: &Arc<str>) -> Arc<TargetMetrics> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::clone(vendor), Arc::clone(model));
        let key = if targets.len() < TARGETS_MAX || targets.contains_key(&key) {
            key
        } else {
            (Arc::from("other"), Arc::from("other"))
        };
        Arc::clone(targets.entry(key).or_default())
    }

    /// Counts a share of a budget that was met.
    pub fn alert(&self, kind: ScopeKind) {
        if let Some(place) = ScopeKind::ALL.iter().position(|known| *known == kind) {
            self.alerts[place].fetch_add(1, Relaxed);
        }
    }

    fn render_alerts(&self, out: &mut String) {
        let name = "pilothouse_budget_alerts_total";
        let _ = writeln!(out, "# HELP {name} Shares of budgets that were met.\n# TYPE {name} counter");
        for (kind, count) in ScopeKind::ALL.iter().zip(&self.alerts) {
            let _ = writeln!(out, "{name}{{kind=\"{}\"}} {}", kind.as_str(), count.load(Relaxed));
        }
    }

    /// What the counters of every target say now, by vendor and model.
    #[must_use]
    pub fn counts(&self) -> Vec<TargetCounts> {
        let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = targets.iter().map(|((vendor, model), target)| TargetCounts {
            vendor: Arc::clone(vendor),
            model: Arc::clone(model),
            ..target.counts()
        });
        counts.collect()
    }

    /// The text that Prometheus scrapes (exposition format 0.0.4).
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(4096);
        let mut single = |name: &str, kind: &str, help: &str, value: u64| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        };
        single("pilothouse_connections", "gauge", "Open client connections.", self.connections.load(Relaxed));
        single("pilothouse_inflight", "gauge", "Exchanges that are going on.", self.in_flight.load(Relaxed));
        single(
            "pilothouse_refused_total",
            "counter",
            "Requests refused before a target was chosen.",
            self.refused.load(Relaxed),
        );
        single(
            "pilothouse_reloads_failed_total",
            "counter",
            "Configuration reloads that failed.",
            self.reloads_failed.load(Relaxed),
        );
        single(
            "pilothouse_server_looks_failed_total",
            "counter",
            "Looks at the metrics of model servers that told nothing.",
            self.looks_failed.load(Relaxed),
        );
        self.render_alerts(&mut out);
        let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        family(&mut out, &targets, "pilothouse_exchanges_total", "Exchanges by how they ended.", |target| {
            vec![
                (",outcome=\"complete\"", &target.complete),
                (",outcome=\"cancelled\"", &target.cancelled),
                (",outcome=\"cut\"", &target.cut),
                (",outcome=\"failed\"", &target.failed),
            ]
        });
        family(&mut out, &targets, "pilothouse_tokens_total", "Tokens as vendors reported them.", |target| {
            vec![
                (",class=\"input\"", &target.tokens_input),
                (",class=\"cached\"", &target.tokens_cached),
                (",class=\"output\"", &target.tokens_output),
            ]
        });
        family(
            &mut out,
            &targets,
            "pilothouse_retries_total",
            "Attempts that failed before another.",
            |target| vec![("", &target.retries)],
        );
        histogram(&mut out, &targets);
        limits(&mut out, &self.limits);
        purses(&mut out, &self.purses);
        out
    }
}

/// What the limits on calls at once hold and have counted; nothing where none is configured.
fn limits(out: &mut String, limits: &Limits) {
    let counts: Vec<_> = limits.all().iter().map(|limit| (limit.of().clone(), limit.counts())).collect();
    if counts.is_empty() {
        return;
    }
    let mut family = |name: &str, kind: &str, help: &str, value: fn(&LimitCounts) -> f64| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (of, counts) in &counts {
            let labels = format!("scope=\"{}\",name=\"{}\"", of.scope(), clean(of.name()));
            let _ = writeln!(out, "{name}{{{labels}}} {}", value(counts));
        }
    };
    family("pilothouse_limit_places", "gauge", "Calls that a limit lets in at once.", |counts| {
        f64::from(counts.size.concurrency)
    });
    family("pilothouse_limit_places_taken", "gauge", "Calls that have a place.", |counts| {
        f64::from(counts.taken)
    });
    family("pilothouse_limit_waiting", "gauge", "Calls that wait for a place.", |counts| {
        counts.waiting as f64
    });
    family("pilothouse_limit_queued_total", "counter", "Calls that have waited for a place.", |counts| {
        counts.queued as f64
    });
    family("pilothouse_limit_shed_total", "counter", "Calls that got no place.", |counts| counts.shed as f64);
    family("pilothouse_limit_wait_seconds_total", "counter", "Time spent waiting for places.", |counts| {
        counts.waited_us as f64 / 1e6
    });
}

/// What hedges have done and may spend; nothing where no route hedges.
fn purses(out: &mut String, purses: &Purses) {
    let purses = purses.all();
    if purses.is_empty() {
        return;
    }
    let name = "pilothouse_hedges_total";
    let _ = writeln!(
        out,
        "# HELP {name} Calls that were late, by what became of a second one.\n# TYPE {name} counter"
    );
    for (route, purse) in &purses {
        let route = clean(route);
        for (outcome, count) in [("won", &purse.won), ("lost", &purse.lost), ("denied", &purse.denied)] {
            let _ =
                writeln!(out, "{name}{{route=\"{route}\",outcome=\"{outcome}\"}} {}", count.load(Relaxed));
        }
    }
    let name = "pilothouse_hedge_purse_usd";
    let _ = writeln!(out, "# HELP {name} What hedges may spend.\n# TYPE {name} gauge");
    for (route, purse) in &purses {
        let _ = writeln!(out, "{name}{{route=\"{}\"}} {}", clean(route), purse.bucket.level());
    }
}

fn clean(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn labels((vendor, model): &(Arc<str>, Arc<str>)) -> String {
    format!("vendor=\"{}\",model=\"{}\"", clean(vendor), clean(model))
}

fn family<'a>(
    out: &mut String,
    targets: &'a Targets,
    name: &str,
    help: &str,
    values: impl Fn(&'a TargetMetrics) -> Vec<(&'static str, &'a AtomicU64)>,
) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter");
    for (key, target) in targets {
        for (label, value) in values(target) {
            let _ = writeln!(out, "{name}{{{}{label}}} {}", labels(key), value.load(Relaxed));
        }
    }
}

fn histogram(out: &mut String, targets: &Targets) {
    let name = "pilothouse_exchange_duration_seconds";
    let _ =
        writeln!(out, "# HELP {name} Time from request to the end of the answer.\n# TYPE {name} histogram");
    for (key, target) in targets {
        let labels = labels(key);
        let mut total = 0;
        for (index, bucket) in target.buckets.iter().enumerate() {
            total += bucket.load(Relaxed);
            let bound = BOUNDS_US.get(index).map_or("+Inf".to_owned(), |us| format!("{}", *us as f64 / 1e6));
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {total}");
        }
        let sum = target.duration_us.load(Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {total}");
    }
}
