//! A configuration made ready for use: what the request path looks up, nothing left to parse or to fail.
//!
//! A plan is immutable; a reload makes a new one and swaps it in. Requests that began under the old plan
//! end under it.

mod branch;
mod build;
mod cache;
mod condition;
mod configured;
mod edition;
mod keys;
pub mod lifecycle;
mod limit;
mod provider;
mod resolve;
mod route;
mod succession;
pub mod terms;
mod ties;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, RwLock};

use pilothouse_catalog::Catalog;
use pilothouse_store::BodyKey;
use rustc_hash::FxHashMap;

pub use branch::{Branch, Branching, Fork};
pub use build::{Environment, build, listen_address};
pub use cache::{CacheTerms, PlanCache, SemanticTerms};
pub(crate) use configured::check_clashes;
pub use configured::{Configured, Place, StoreLook, Thing, look_into_store};
pub use edition::Edition;
pub use keys::{KeyInfo, Keys, digest_of};
pub use provider::{CallHeads, Live, Naming, Provider, Rerank, Surface};
pub use resolve::{Resolution, Target};
pub use route::{Asks, Cascade, Hedging, Route};
pub use ties::Tie;

use crate::config::{BodiesMode, ConfigError, DebugSection, Defaults};
use crate::exposure::Exposure;
use crate::load::LoadWatch;
use crate::metrics::Metrics;

/// A configuration made ready for use.
pub struct Plan {
    /// Counts configurations since the start; 1 is the first.
    pub version: u64,
    /// Where it came from.
    pub source: Option<PathBuf>,
    /// Which configuration and catalogue it was made of; empty where there are no routes.
    pub edition: Edition,
    /// What works but should not stay so.
    pub warnings: Option<ConfigError>,
    /// Prices and facts.
    pub catalog: Catalog,
    /// Who may be called, in the order of the file.
    pub providers: Vec<Arc<Provider>>,
    /// Limits on calls at once, with the size that each has under this plan.
    pub(crate) limits: limit::PlannedLimits,
    /// Names that applications call, with who takes them.
    pub routes: FxHashMap<Box<str>, Arc<Route>>,
    /// Looks at the model servers behind the routes.
    pub load: LoadWatch,
    /// What holds for calls that say nothing of it, whichever name they call.
    pub defaults: Defaults,
    /// Kept answers, where any are.
    pub cache: Option<PlanCache>,
    /// Who may call.
    pub keys: Keys,
    /// Limits and budgets of teams, routes, end users and runs.
    pub governance: terms::Governance,
    /// Where in the file things stand.
    pub configured: Configured,
    /// What happens to targets that end.
    pub lifecycles: lifecycle::Lifecycles,
    /// The digest of the token for operators.
    pub admin: Option<[u8; 32]>,
    /// From where one may call.
    pub exposure: Exposure,
    /// Largest request body in bytes.
    pub body_bytes_max: u64,
    /// Largest upload in bytes.
    pub upload_bytes_max: u64,
    /// Most bytes of request bodies held at once.
    pub inflight_bytes_max: u64,
    /// Of which exchanges the bodies are kept.
    pub bodies: BodiesMode,
    /// The key that they are sealed with, where one is configured.
    pub bodies_key: Option<BodyKey>,
    /// Switches for tests.
    pub debug: DebugSection,
    /// Providers were found on this machine rather than configured: they serve loopback callers only.
    pub is_discovered: bool,
    /// Counters that outlive plans.
    pub metrics: Arc<Metrics>,
    /// Names that can be called and who takes them, gathered when somebody first asks.
    pub(crate) callable: OnceLock<Vec<(String, Arc<Provider>)>>,
    /// Names that were resolved before.
    pub(crate) resolved: RwLock<HashMap<Box<str>, Arc<Resolution>>>,
}

impl Plan {
    /// Takes over the access tokens of an earlier plan, so that a reload makes no call wait for one, and what its limits on
    /// calls at once hold.
    pub fn inherit(&self, earlier: &Self) {
        self.limits.put_in_force();
        for provider in &self.providers {
            let before = earlier.provider(&provider.name).and_then(|provider| provider.tokens());
            if let (Some(tokens), Some(before)) = (provider.tokens(), before) {
                tokens.inherit(before);
            }
        }
    }
}

impl Plan {
    /// Whether anything has a budget.
    #[must_use]
    pub fn has_budgets(&self) -> bool {
        let governance = &self.governance;
        governance.end_user.is_some()
            || governance.run.is_some()
            || !governance.routes.is_empty()
            || governance.has_team_budgets()
            || self.keys.iter().any(|(_, key)| !key.terms.budgets.is_empty())
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Plan(version {}, {} providers)", self.version, self.providers.len())
    }
}
