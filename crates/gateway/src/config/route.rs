//! The `[defaults]` and `[routes.NAME]` sections: names that applications call, and who takes them.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};
use toml::Spanned;

use super::CompatMode;

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
    /// What holds for calls that say nothing of it.
    pub defaults: Defaults,
    /// Further attempts at the same target while another one is left; 0 where not given.
    pub retries: Option<Spanned<u32>>,
    /// Seconds after which a stream that lives goes to the client although the model has said nothing yet; 10 where
    /// not given.
    pub commit_after: Option<Spanned<f64>>,
}

/// One of a route's targets: a name, or a name with what the strategy must know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteTarget {
    /// `provider/model`, or a bare name.
    pub target: String,
    /// Its share of the calls, where the strategy is `weighted`.
    pub weight: f64,
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
}

impl Defaults {
    /// These, and what others say where they say nothing.
    #[must_use]
    pub fn over(&self, under: &Self) -> Self {
        Self {
            max_output_tokens: self.max_output_tokens.clone().or_else(|| under.max_output_tokens.clone()),
            deadline: self.deadline.clone().or_else(|| under.deadline.clone()),
            compat: self.compat.or(under.compat),
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
    weight: f64,
}

const fn one() -> f64 {
    1.0
}

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = RouteTarget;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a target, as \"provider/model\" or { target = \"provider/model\", weight = 1 }")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<RouteTarget, E> {
        Ok(RouteTarget { target: name.to_owned(), weight: one() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RouteTarget, A::Error> {
        let table = TargetTable::deserialize(MapAccessDeserializer::new(map))?;
        Ok(RouteTarget { target: table.target, weight: table.weight })
    }
}
