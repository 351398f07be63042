//! What a route knows of answering by meaning: the questions that were answered, and how often that would have been wrong.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilothouse_cache::key::Key;
use pilothouse_cache::semantic::embedding::Embedding;
use pilothouse_cache::semantic::index::{Asked, Index, Near, Nearness};
use pilothouse_cache::semantic::marks::Marks;
use pilothouse_cache::semantic::trials::{Change, Mode, Trials};
use pilothouse_core::clock::UnixMs;
use tokio::sync::Semaphore;

use crate::plan::{Plan, SemanticTerms};

/// Bytes of a route's questions, without their answers.
const INDEX_BYTES_MAX: usize = 8 << 20;
/// Embeddings that a route asks for at one time; beyond it, requests are answered by their words alone.
const EMBEDDINGS_AT_ONCE: usize = 32;
/// Embeddings that fail in a row before none is asked for, for a while.
const FAILURES_MAX: u32 = 3;
const PAUSE_MS: u64 = 60_000;
/// Alerts that wait to be told.
const ALERTS_MAX: usize = 64;

/// All routes that answer by meaning.
#[derive(Debug, Default)]
pub(crate) struct Meanings {
    routes: Mutex<BTreeMap<Box<str>, Arc<Meaning>>>,
    alerts: Mutex<VecDeque<String>>,
}

/// One route that answers by meaning.
#[derive(Debug)]
pub(crate) struct Meaning {
    route: Box<str>,
    /// The policy that its answers were made under.
    policy: Box<str>,
    /// What the route asks for.
    pub(crate) terms: SemanticTerms,
    state: Mutex<State>,
    /// Rooms for embeddings that are under way.
    pub(crate) slots: Semaphore,
    failures: AtomicU32,
    paused_until: AtomicU64,
}

#[derive(Debug)]
struct State {
    trials: Trials,
    index: Index,
}

impl Meanings {
    /// The route of that name. Under another policy or other terms it begins anew: what was proven then proves nothing now.
    pub(crate) fn of(&self, route: &str, policy: &str, terms: &SemanticTerms) -> Arc<Meaning> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = routes.get(route)
            && &*known.policy == policy
            && known.terms == *terms
        {
            return Arc::clone(known);
        }
        let state = State { trials: Trials::new(terms.trials), index: Index::new(INDEX_BYTES_MAX) };
        let meaning = Arc::new(Meaning {
            route: route.into(),
            policy: policy.into(),
            terms: terms.clone(),
            state: Mutex::new(state),
            slots: Semaphore::new(EMBEDDINGS_AT_ONCE),
            failures: AtomicU32::new(0),
            paused_until: AtomicU64::new(0),
        });
        routes.insert(route.into(), Arc::clone(&meaning));
        meaning
    }

    /// Forgets routes that do not answer by meaning any more.
    pub(crate) fn keep_those_of(&self, plan: &Plan) {
        let has = |name: &str| {
            let cache = plan.route(name).and_then(|route| route.cache.as_ref());
            cache.is_some_and(|cache| cache.semantic.is_some())
        };
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| has(name));
    }

    /// A would-be hit was compared with what the vendor said.
    pub(crate) fn judged(&self, meaning: &Meaning, is_false: bool) {
        let mut state = meaning.state();
        let Some(change) = state.trials.judged(is_false) else { return };
        let (cases, false_cases, bound) =
            (state.trials.cases(), state.trials.false_cases(), state.trials.bound());
        drop(state);
        let percent = bound * 100.0;
        let route = &meaning.route;
        let sentence = match change {
            Change::Serves => format!(
                "route `{route}` answers by meaning from now on: {false_cases} of {cases} would-be hits were false, at most \
                 {percent:.2} % (95 %)"
            ),
            Change::SwitchedOff => format!(
                "route `{route}` has stopped to answer by meaning: {false_cases} of {cases} hits that were compared were \
                 false, which may be {percent:.2} % (95 %); it stays so until `cache` of the route changes"
            ),
        };
        let mut alerts = self.alerts.lock().unwrap_or_else(PoisonError::into_inner);
        if alerts.len() == ALERTS_MAX {
            alerts.pop_front();
        }
        alerts.push_back(sentence);
    }

    /// The alerts since the last question.
    pub(crate) fn take_alerts(&self) -> Vec<String> {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    /// Adds what Prometheus scrapes.
    pub(crate) fn render(&self, out: &mut String) {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if routes.is_empty() {
            return;
        }
        let mut family = |name: &str, help: &str, value: &dyn Fn(&State) -> String| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (route, meaning) in &*routes {
                let route = route.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                let _ = writeln!(out, "{name}{{route=\"{route}\"}} {}", value(&meaning.state()));
            }
        };
        let help = "Whether hits by meaning are given: 0 observes, 1 serves, 2 switched off.";
        family("pilothouse_cache_semantic_mode", help, &|state| {
            match state.trials.mode() {
                Mode::Observe => "0",
                Mode::Serve => "1",
                Mode::Off => "2",
            }
            .to_owned()
        });
        let help = "Would-be hits that were compared, of the newest 2,000.";
        family("pilothouse_cache_semantic_compared", help, &|state| state.trials.cases().to_string());
        let help = "Those among them that were false.";
        family("pilothouse_cache_semantic_false", help, &|state| state.trials.false_cases().to_string());
        let help = "The upper 95 % bound of the share of false hits.";
        family("pilothouse_cache_semantic_false_bound", help, &|state| {
            format!("{:.6}", state.trials.bound())
        });
        let help = "Questions that are remembered.";
        family("pilothouse_cache_semantic_questions", help, &|state| state.index.len().to_string());
    }
}

impl Meaning {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is done with hits now.
    pub(crate) fn mode(&self) -> Mode {
        self.state().trials.mode()
    }

    /// Whether a hit is given, and not sent to the vendor to be compared. `chance` is between 0 and 1.
    pub(crate) fn gives(&self, chance: f64) -> bool {
        self.state().trials.gives(chance)
    }

    /// The nearest question that was answered, where one is near enough.
    pub(crate) fn nearest(&self, group: &Key, embedding: &Embedding, marks: &Marks) -> Option<Near> {
        let nearness =
            Nearness { similarity_min: self.terms.similarity, by_words: self.terms.model.is_none() };
        self.state().index.nearest(group, embedding, marks, nearness)
    }

    /// Takes a question that was answered.
    pub(crate) fn put(&self, group: Key, asked: Asked) {
        self.state().index.put(group, asked);
    }

    /// Forgets a question whose answer is gone.
    pub(crate) fn forget(&self, group: &Key, key: &Key) {
        self.state().index.remove(group, key);
    }

    /// Whether embeddings are asked for at the moment.
    pub(crate) fn may_embed(&self, now: UnixMs) -> bool {
        self.paused_until.load(Relaxed) <= now.0
    }

    /// An embedding came, or did not: after several that did not, none is asked for, for a while.
    pub(crate) fn embedded(&self, has_come: bool, now: UnixMs) {
        if has_come {
            self.failures.store(0, Relaxed);
        } else if self.failures.fetch_add(1, Relaxed) + 1 >= FAILURES_MAX {
            self.failures.store(0, Relaxed);
            self.paused_until.store(now.0 + PAUSE_MS, Relaxed);
        }
    }
}
