//! Which target takes an exchange, and why: routes, constraints, strategies, health, affinity.
//!
//! Pure: targets, health, features and chance in, an order with reasons out. Time is an argument, and so is chance; the
//! same arguments give the same order. There is no HTTP here, no store and no task; the gateway calls, and tells how each
//! call went ([`health::Health::begin`]).
//!
//! What a caller does, in order:
//! 1. When the configuration is read: a [`Candidate`] per target ([`Candidate::of`] a row of the catalogue), all with the
//!    [`Health`] that they keep over reloads; a [`Route`] of them.
//! 2. Per exchange: [`Features`]; the conversation by [`affinity`]; [`Route::choose`].
//! 3. Per target of the order: [`health::Tombstones::may_call`] with the credential, then [`Health::begin`]. Another attempt
//!    on the same target asks [`health::RetryBudget::take`] first, a first one counts by [`health::RetryBudget::called`].
//! 4. At the first token [`CallInFlight::first_token`], at the end [`CallInFlight::end`]; a call that is dropped is cancelled.
//! 5. With the bill: [`health::Calibration::learn`], [`affinity::Conversations::store`], [`hedge::HedgeBucket::settled`].
//!
//! ```
//! use pilothouse_routing::{Candidate, Constraints, Features, Random, Route, RouteSettings, Settings, Unread};
//!
//! let route = Route::new(RouteSettings {
//!     name: "assistant",
//!     candidates: vec![Candidate::new("openai/gpt-5.5"), Candidate::new("gpu-box/qwen3")],
//!     constraints: Constraints::default(),
//!     strategy: "fixed",
//!     settings: Settings::default(),
//!     turns_ahead: 3,
//! })?;
//! let decision = route.choose(&Features::default(), &mut Unread, &mut Random::new(1)).map_err(|none| none.to_string())?;
//! assert_eq!(decision.order[0].index, 0);
//! # Ok::<(), String>(())
//! ```

pub mod affinity;
mod bounded;
pub mod candidate;
pub mod cascade;
pub mod constraint;
pub mod count;
mod evidence;
#[cfg(test)]
mod fixture;
pub mod health;
pub mod hedge;
pub mod load;
pub mod output;
pub mod price;
mod random;
pub mod reason;
pub mod request;
mod route;
mod sight;
pub mod strategy;

pub use candidate::{Abilities, Candidate, Capability, Lifecycle, Needs, TargetId};
pub use constraint::Constraints;
pub use count::{Counter, PrefixCounts, Prefixed, Texts, Tokens, Unread};
pub use evidence::{Evidence, Trace};
pub use health::{CallInFlight, Ended, Health, HealthSettings};
pub use random::Random;
pub use reason::{Reason, Removal, Stay, Unmet};
pub use request::{AllowList, Conversation, Deadline, Features, Held, Input};
pub use route::{
    CANDIDATES_MAX, CascadePlan, Decision, Explanation, LeftOut, NoTarget, Place, Removed, Route,
    RouteSettings,
};
pub use sight::{Sight, unmet};
pub use strategy::{Index, Order, Ranked, STRATEGIES, Settings, Strategy};
