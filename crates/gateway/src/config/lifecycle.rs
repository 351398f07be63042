//! `[lifecycle]` and `[lifecycle."provider/model"]`: what happens to targets that end, before their day and on it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use pilothouse_migrate::lifecycle::BrownoutAnswer;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::Spanned;
use toml::value::Datetime;

/// What happens to targets that end.
#[derive(Clone, Debug, Default)]
pub struct LifecycleSection {
    /// Days before the end on which people are told; 90, 60, 30, 7 and 1 where not given.
    pub alerts: Option<Vec<Spanned<u32>>>,
    /// What calls get from the day on, where a target does not say it.
    pub on_retired: Option<OnRetired>,
    /// Targets, by `provider/model`.
    pub targets: BTreeMap<Spanned<String>, TargetLife>,
}

/// What calls get from the day on which a target retires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnRetired {
    /// The successor's answer, where a plan was accepted.
    Successor,
    /// A refusal that names the successor.
    Fail,
}

/// What is said of one target.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TargetLife {
    /// Who is responsible for leaving it: a person or a team, for people.
    pub owner: Option<String>,
    /// The day on which its end was announced, where the catalogue does not say it.
    pub deprecated: Option<Spanned<Datetime>>,
    /// The day on which it retires here, before its vendor's own.
    pub retires: Option<Spanned<Datetime>>,
    /// What calls get from that day on.
    pub on_retired: Option<OnRetired>,
    /// Who takes calls instead, as `provider/model`; else the one of the plan, else the one that the vendor names.
    pub successor: Option<Spanned<String>>,
    /// The plan to leave it, relative to the configuration file.
    pub plan: Option<Spanned<PathBuf>>,
    /// Where people read about it: told in refusals and in headers.
    pub link: Option<Spanned<String>>,
    /// Days after its end from which nothing stands in for it any more.
    pub removed_after_days: Option<Spanned<u32>>,
    /// Times in which calls are tried without it.
    pub brownouts: Vec<Spanned<BrownoutSection>>,
    /// Keys that brownouts spare for a while.
    pub opt_out: Vec<OptOut>,
}

/// A time in which calls are tried without a target.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrownoutSection {
    /// The share of conversations that is drawn, above 0, at most 1; all of them where a window is given alone.
    #[serde(default)]
    pub share: Option<Spanned<f64>>,
    /// When it begins: a day, a moment, or a time of every day.
    #[serde(default)]
    pub from: Option<Spanned<Datetime>>,
    /// When it ends, written likewise.
    #[serde(default)]
    pub to: Option<Spanned<Datetime>>,
    /// The zone of days and times without an offset; UTC where not given.
    #[serde(default)]
    pub tz: Option<Spanned<String>>,
    /// What the calls get that are drawn; the successor's answer where not given.
    #[serde(default)]
    pub answer: Answer,
}

/// What calls get that are drawn into a brownout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The successor's answer.
    #[default]
    Successor,
    /// A refusal that names the successor.
    Refuse,
}

impl From<Answer> for BrownoutAnswer {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Successor => Self::Successor,
            Answer::Refuse => Self::Refuse,
        }
    }
}

/// A key that brownouts spare for a while.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptOut {
    /// The key's name; it may be a minted one.
    pub key: Spanned<String>,
    /// When that is over: a day (from its start in UTC) or a moment with its offset.
    pub until: Spanned<Datetime>,
}

impl<'de> Deserialize<'de> for LifecycleSection {
    // By hand: names of targets stand beside the two settings, and flattening would lose the place of everything.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(SectionVisitor)
    }
}

struct SectionVisitor;

impl<'de> Visitor<'de> for SectionVisitor {
    type Value = LifecycleSection;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(
            "`alerts`, `on_retired`, and tables of targets, such as [lifecycle.\"openai/gpt-5-mini\"]",
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LifecycleSection, A::Error> {
        let mut section = LifecycleSection::default();
        while let Some(name) = map.next_key::<Spanned<String>>()? {
            match name.get_ref().as_str() {
                "alerts" => section.alerts = Some(map.next_value()?),
                "on_retired" => section.on_retired = Some(map.next_value()?),
                // What is no target's name is told with its place when the names are resolved.
                _ => {
                    section.targets.insert(name, map.next_value()?);
                }
            }
        }
        Ok(section)
    }
}
