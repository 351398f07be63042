//! `limits = { … }`, `budget = { … }`, `[budgets]` and `[runs]`: how much, how often, and what happens at the end.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, de};
use toml::Spanned;
use toml::value::Datetime;

/// How much at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSection {
    /// Requests per minute.
    pub rpm: Option<Spanned<u64>>,
    /// Tokens per minute, in and out.
    pub tpm: Option<Spanned<u64>>,
    /// Calls at once.
    pub concurrency: Option<Spanned<u32>>,
}

/// A cap on money.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetSection {
    /// The cap in US dollars.
    pub usd: Spanned<Usd>,
    /// `hour`, `day`, `month` or `total`.
    pub every: Spanned<String>,
    /// The zone whose calendar counts, such as `Europe/Berlin`; UTC where not given.
    #[serde(default)]
    pub tz: Option<Spanned<String>>,
    /// Where the period begins: a minute of the hour, `"HH:MM"` of the day, or a day of the month.
    #[serde(default)]
    pub anchor: Option<Spanned<AnchorText>>,
    /// `stop`, `warn` or `downgrade ROUTE`.
    #[serde(default)]
    pub on_limit: Option<Spanned<String>>,
    /// `worst` or `expected`.
    #[serde(default)]
    pub reserve: Option<Spanned<String>>,
    /// Shares of the cap that are told, in per cent.
    #[serde(default)]
    pub alerts: Vec<Spanned<f64>>,
}

/// A limit that is over at a moment. It is held beside all others, so that it can only make them narrower.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemporarySection {
    /// The key whose calls it counts.
    #[serde(default)]
    pub key: Option<Spanned<String>>,
    /// The team whose calls it counts, with those of all teams below it.
    #[serde(default)]
    pub team: Option<Spanned<String>>,
    /// Requests per minute.
    #[serde(default)]
    pub rpm: Option<Spanned<u64>>,
    /// Tokens per minute, in and out.
    #[serde(default)]
    pub tpm: Option<Spanned<u64>>,
    /// Calls at once.
    #[serde(default)]
    pub concurrency: Option<Spanned<u32>>,
    /// When it is over: a day (from its start in UTC) or a moment with its offset.
    pub until: Spanned<Datetime>,
}

/// Budgets of what is neither a key nor a team.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetsSection {
    /// Of each end user, by the name that the caller gives.
    pub end_user: Option<BudgetSection>,
    /// Of each run of an agent.
    pub run: Option<BudgetSection>,
    /// Of routes, by their names.
    pub routes: BTreeMap<Spanned<String>, BudgetSection>,
}

/// Limits of runs of agents, named by the header `x-pilothouse-run`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunSection {
    /// Money in all, in US dollars.
    pub usd: Option<Spanned<Usd>>,
    /// Calls of a model.
    pub turns: Option<Spanned<u32>>,
    /// Calls of tools.
    pub tool_calls: Option<Spanned<u32>>,
    /// Seconds from the first turn.
    pub wall_seconds: Option<Spanned<u64>>,
    /// How often the same tool may be called with the same arguments, one call after another.
    pub repeats: Option<Spanned<u32>>,
    /// How often a cycle of 2 to 4 calls may go round, at most 8.
    pub cycles: Option<Spanned<u32>>,
}

/// An amount of money as it was written: a number or a text with one. Kept as decimal digits, never as a float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usd(pub String);

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Usd;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a number of US dollars")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Usd, E> {
                Ok(Usd(value.to_string()))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Usd, E> {
                Ok(Usd(value.to_string()))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Usd, E> {
                // The shortest decimal that reads back as this float is the one that was written, up to 15 digits.
                Ok(Usd(value.to_string()))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Usd, E> {
                Ok(Usd(value.to_owned()))
            }
        }
        input.deserialize_any(Visitor)
    }
}

/// An anchor as it was written: a number, or a text with a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorText(pub String);

impl<'de> Deserialize<'de> for AnchorText {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = AnchorText;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a minute, a day of the month, or a time such as \"06:00\"")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<AnchorText, E> {
                Ok(AnchorText(value.to_string()))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<AnchorText, E> {
                Ok(AnchorText(value.to_string()))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<AnchorText, E> {
                Ok(AnchorText(value.to_owned()))
            }
        }
        input.deserialize_any(Visitor)
    }
}
