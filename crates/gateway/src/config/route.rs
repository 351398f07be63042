//! The `[defaults]` and `[routes.NAME]` sections: names that applications call, and who takes them.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};
use toml::Spanned;

use super::{Cache, CompatMode, Hedge};

/// A name that applications call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// How the targets are ordered for a call; `fixed` where not given.
    pub strategy: Option<Spanned<String>>,
    /// Who may take a call, the preferred one first.
    pub targets: Vec<Spanned<RouteTarget>>,
    /// Who takes it when none of them can, in this order.
    pub fallback: Vec<Spanned<String>>,
    /// What a target must meet.
    pub require: Require,
    /// What holds for calls that say nothing of it.
    pub defaults: Defaults,
    /// Further attempts at the same target while another one is left; 0 where not given.
    pub retries: Option<Spanned<u32>>,
    /// Most calls on it at once.
    pub concurrency: Option<Spanned<u32>>,
    /// Calls that wait for a place then; twice as many as `concurrency` where not given.
    pub queue: Option<Spanned<u32>>,
    /// Whether a stream of text that breaks off is continued by another call, where the model can.
    pub resume: bool,
    /// What is done when all targets have failed and one of them is gone; `[defaults]` says it where not given.
    pub on_gone: Option<OnGone>,
    /// Whether a second target is asked while the first one keeps silent.
    pub hedge: Option<Spanned<Hedge>>,
    /// Seconds after which a stream that lives goes to the client although the model has said nothing yet; 10 where
    /// not given.
    pub commit_after: Option<Spanned<f64>>,
    /// Whether the model is told before the last turn of a run; true where not given.
    pub last_turn_note: Option<bool>,
    /// How cheap answers are judged under `cascade`.
    pub cascade: Option<Spanned<Cascade>>,
    /// Routes that take calls instead, on conditions; asked in order before anything else.
    pub branches: Vec<Branch>,
}

/// A condition, and the route that takes calls of which it is true.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// The condition, as an expression.
    pub when: Spanned<String>,
    /// The route.
    pub route: Spanned<String>,
}

/// How the cheap answers of a route are judged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cascade {
    /// Tests that a cheap answer must pass, each with its options.
    pub checks: Vec<serde_json::Value>,
    /// Compares two cheap answers: `text` or `final-answer`.
    pub agreement: Option<String>,
    /// Streamed calls are answered cheaply too: the answer is held back until it has been judged.
    pub buffer: bool,
}

/// One of a route's targets: a name, or a name with what the strategy must know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTarget {
    /// `provider/model`, or a bare name.
    pub target: String,
    /// Its share of the calls, relative to the others'.
    pub weight: u32,
    /// Where it computes, where the catalogue does not say.
    pub region: Option<String>,
    /// What is to be known of data and use (`zdr`, `no-training`).
    pub tags: Vec<String>,
    /// Under `least-loaded`, it takes only what the others cannot.
    pub spill: bool,
    /// Most calls to this model at once, from whichever route.
    pub concurrency: Option<u32>,
    /// Calls that wait for a place then.
    pub queue: Option<u32>,
    /// What must hold of a call that it takes, as an expression.
    pub when: Option<Spanned<String>>,
}

impl RouteTarget {
    /// A target of which nothing more is said.
    #[must_use]
    pub fn named(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            weight: one(),
            region: None,
            tags: Vec::new(),
            spill: false,
            concurrency: None,
            queue: None,
            when: None,
        }
    }
}

/// What a route's targets must meet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Require {
    /// Only models whose weights can be downloaded.
    pub open_weights: bool,
    /// Only these regions; `eu` is met by `eu-west-1` too.
    pub regions: Vec<String>,
    /// Tags that a target must have.
    pub tags: Vec<String>,
    /// Tags that a target must not have.
    pub without_tags: Vec<String>,
    /// The most that one exchange may be expected to cost, in dollars.
    pub usd_max: Option<Spanned<f64>>,
    /// The most that a million tokens of input may cost, in dollars.
    pub usd_per_million_input_max: Option<Spanned<f64>>,
    /// The most that a million tokens of output may cost, in dollars.
    pub usd_per_million_output_max: Option<Spanned<f64>>,
    /// The least output that a target must be able to write, in tokens.
    pub output_tokens_min: Option<u64>,
    /// Models under notice are left out.
    pub no_deprecated: bool,
    /// A capability that no source affirms is against a target.
    pub proven: bool,
}

/// What holds for calls that say nothing of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// Most tokens of an answer, reasoning included: the limit of calls that have none, and of those that ask for more.
    pub max_output_tokens: Option<Spanned<u64>>,
    /// Seconds until an answer is there, or a stream has begun, over all attempts.
    pub deadline: Option<Spanned<f64>>,
    /// What is done about requests that their target would refuse or silently change.
    pub compat: Option<CompatMode>,
    /// What is done with calls to a model that its vendor has retired.
    pub on_gone: Option<OnGone>,
    /// Which answers are given again.
    pub cache: Option<Cache>,
}

/// What is done with calls to a model that its vendor has retired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnGone {
    /// They are refused, and the client is told what follows it.
    #[default]
    Refuse,
    /// The model that follows it takes them.
    Successor,
}

impl Defaults {
    /// These, and what others say where they say nothing.
    #[must_use]
    pub fn over(&self, under: &Self) -> Self {
        Self {
            max_output_tokens: self.max_output_tokens.clone().or_else(|| under.max_output_tokens.clone()),
            deadline: self.deadline.clone().or_else(|| under.deadline.clone()),
            compat: self.compat.or(under.compat),
            on_gone: self.on_gone.or(under.on_gone),
            cache: self.cache.clone().or_else(|| under.cache.clone()),
        }
    }

    /// Most tokens of an answer.
    #[must_use]
    pub fn output_tokens_max(&self) -> Option<u64> {
        self.max_output_tokens.as_ref().map(|given| *given.get_ref())
    }
}

impl<'de> Deserialize<'de> for RouteTarget {
    // By hand: an untagged enum would lose the place of what is wrong inside.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TargetVisitor)
    }
}

struct TargetVisitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetTable {
    target: String,
    #[serde(default = "one")]
    weight: u32,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    spill: bool,
    #[serde(default)]
    concurrency: Option<u32>,
    #[serde(default)]
    queue: Option<u32>,
    #[serde(default)]
    when: Option<Spanned<String>>,
}

const fn one() -> u32 {
    1
}

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = RouteTarget;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a target, as \"provider/model\" or { target = \"provider/model\", weight = 1 }")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<RouteTarget, E> {
        Ok(RouteTarget::named(name))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RouteTarget, A::Error> {
        let TargetTable { target, weight, region, tags, spill, concurrency, queue, when } =
            TargetTable::deserialize(MapAccessDeserializer::new(map))?;
        Ok(RouteTarget { target, weight, region, tags, spill, concurrency, queue, when })
    }
}
