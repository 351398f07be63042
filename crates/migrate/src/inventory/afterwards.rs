//! What calls of a model get on its day and after it, as configuration and plans stand.

use std::fmt;

use serde::Serialize;

use super::{Declared, PlanState};
use crate::plan::Standing;

/// What the configuration wants of calls from the day on: `on_retired`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDay {
    /// The successor's answer, where a plan to it was accepted.
    Successor,
    /// A refusal.
    Fail,
}

/// What calls get from the day on, as things stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Afterwards {
    /// The answer of another model.
    Succeeded {
        /// Who answers, as `provider/model`.
        by: String,
    },
    /// A refusal.
    Refused {
        /// Why nobody stands in, where somebody should.
        why: Option<String>,
    },
    /// Whatever the vendor does: nothing is configured.
    LeftToVendor,
}

impl Afterwards {
    /// Of one target: the plan that its configuration names counts, and only while it is accepted as it stands.
    pub(super) fn of(
        provider: &str,
        declared: &Declared,
        of_all: Option<OnDay>,
        plan: Option<&PlanState>,
    ) -> Self {
        let written = declared.on_day.or(of_all);
        let Some(on_day) = written.or(declared.is_configured.then_some(OnDay::Fail)) else {
            return Self::LeftToVendor;
        };
        if on_day == OnDay::Fail {
            return Self::Refused { why: None };
        }
        match plan.filter(|plan| plan.is_configured) {
            None => Self::Refused { why: Some("the configuration names no plan".to_owned()) },
            Some(plan) if plan.standing == Standing::Accepted => {
                let to = declared.successor.as_ref().unwrap_or(&plan.to);
                let by = if to.contains('/') { to.clone() } else { format!("{provider}/{to}") };
                Self::Succeeded { by }
            }
            Some(PlanState { file, standing: Standing::Draft, .. }) => {
                Self::Refused { why: Some(format!("nobody has accepted {file} yet")) }
            }
            Some(PlanState { file, .. }) => {
                Self::Refused { why: Some(format!("{file} was changed after it was accepted")) }
            }
        }
    }
}

impl fmt::Display for Afterwards {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded { by } => write!(out, "{by} answers instead"),
            Self::Refused { why: None } => out.write_str("calls are refused"),
            Self::Refused { why: Some(why) } => write!(out, "calls are refused, because {why}"),
            Self::LeftToVendor => out.write_str("its vendor decides, and refuses as a rule"),
        }
    }
}
