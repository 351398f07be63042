//! `hedge` of a route: whether a second target is asked while the first one keeps silent, when, and for how much.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};

/// When a second target is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum After {
    /// When the first one has been silent for longer than 95 of 100 of its answers of late.
    #[default]
    P95,
    /// After so long.
    Fixed(Duration),
}

/// Whether and how a route hedges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hedge {
    /// Whether it does.
    pub is_on: bool,
    /// When the second target is asked.
    pub after: After,
    /// What hedges may cost, as a share of what the route's other calls have cost, from 0 to 1.
    pub share: f64,
}

/// The share where none is given.
const SHARE: f64 = 0.05;

impl Hedge {
    const fn usual(is_on: bool) -> Self {
        Self { is_on, after: After::P95, share: SHARE }
    }
}

impl<'de> Deserialize<'de> for Hedge {
    // By hand: an untagged enum would lose the place of what is wrong inside.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(HedgeVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HedgeTable {
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    share: Option<f64>,
}

struct HedgeVisitor;

impl<'de> Visitor<'de> for HedgeVisitor {
    type Value = Hedge;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("true, false or { after = \"p95\", share = 0.05 }")
    }

    fn visit_bool<E: Error>(self, is_on: bool) -> Result<Hedge, E> {
        Ok(Hedge::usual(is_on))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Hedge, A::Error> {
        let HedgeTable { after, share } = HedgeTable::deserialize(MapAccessDeserializer::new(map))?;
        let after = after.map_or(Ok(After::P95), |text| parse(&text)).map_err(A::Error::custom)?;
        let share = share.unwrap_or(SHARE);
        if !(share > 0.0 && share <= 1.0) {
            return Err(A::Error::custom("`share` is a number above 0, at most 1: 0.05 is 5 %"));
        }
        Ok(Hedge { is_on: true, after, share })
    }
}

fn parse(text: &str) -> Result<After, String> {
    if text == "p95" {
        return Ok(After::P95);
    }
    let number =
        |text: &str| text.trim().parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= 600_000.0);
    let fixed = match text.strip_suffix("ms") {
        Some(millis) => number(millis).map(|millis| millis / 1000.0),
        None => text.strip_suffix('s').and_then(number),
    };
    fixed
        .map(|seconds| After::Fixed(Duration::from_secs_f64(seconds)))
        .ok_or_else(|| format!("`{text}` is no time to hedge after; write \"p95\", \"800ms\" or \"1.5s\""))
}
