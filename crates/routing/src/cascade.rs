//! What becomes of a cheap answer: it is passed on, or the strong target answers.
//!
//! Pure: the gateway makes the calls and shows the answers here. A cheap answer is passed on when every declared check
//! passes and, with agreement, when a second cheap answer passes them too and says the same. Anything else escalates: a
//! cascade may cost more than it should, it must not answer worse than it can tell.

mod agreement;
mod check;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use agreement::{Agreement, final_answer, normalised};
pub use check::{CHECKS, Check, CheckPlugin, Example, MadeCheck};
use pilothouse_core::exchange::Finish;

/// A whole answer, as checks see it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Answer<'a> {
    /// Its text.
    pub text: &'a str,
    /// Why the model stopped.
    pub finish: Option<Finish>,
    /// The tools that it calls, with the text of their arguments, in order.
    pub tool_calls: &'a [(&'a str, &'a str)],
}

/// How a route judges cheap answers.
#[derive(Debug, Default)]
pub struct Judge {
    checks: Vec<(&'static CheckPlugin, Box<dyn Check>)>,
    agreement: Option<Agreement>,
}

/// What becomes of a cheap answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It is passed on.
    Accept,
    /// The strong target answers.
    Escalate {
        /// Why.
        because: Escalation,
    },
}

/// Why a cheap answer will not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Escalation {
    /// A cheap target failed.
    NoAnswer,
    /// It calls tools, and no declared check can judge that.
    ToolCallsUnjudged,
    /// It calls a tool with arguments that are no JSON.
    ArgumentsMalformed,
    /// A check failed.
    Check {
        /// Its name.
        check: String,
        /// What it found, without the answer's text.
        found: String,
        /// Whether it is the partner's answer.
        is_partner: bool,
    },
    /// The two cheap answers differ.
    Disagreement,
}

impl fmt::Display for Escalation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => out.write_str("a cheap target gave no whole answer"),
            Self::ToolCallsUnjudged => out.write_str("it calls tools, which no declared check can judge"),
            Self::ArgumentsMalformed => out.write_str("it calls a tool with arguments that are no JSON"),
            Self::Check { check, found, is_partner } => {
                let whose = if *is_partner { ", of the second answer" } else { "" };
                write!(out, "the check `{check}`{whose}: {found}")
            }
            Self::Disagreement => out.write_str("the two cheap answers differ"),
        }
    }
}

impl Judge {
    /// Makes a judge of declared checks, each with its options as JSON (`{"check": "regex", "pattern": "^[A-E]$"}`).
    ///
    /// # Errors
    /// A sentence that says which check is wrong, why, and what to do.
    pub fn new(checks: &[serde_json::Value], agreement: Option<Agreement>) -> Result<Self, String> {
        let checks = checks.iter().map(check::make).collect::<Result<Vec<_>, String>>()?;
        if checks.is_empty() && agreement.is_none() {
            return Err(
                "a cascade needs a check or agreement; without one every cheap answer would do".to_owned()
            );
        }
        Ok(Self { checks, agreement })
    }

    /// Whether a second cheap answer is wanted.
    #[must_use]
    pub const fn wants_partner(&self) -> bool {
        self.agreement.is_some()
    }

    /// The names of its checks, in their order.
    pub fn checks(&self) -> impl Iterator<Item = &'static str> {
        self.checks.iter().map(|(plugin, _)| plugin.name)
    }

    /// Whether an answer passes every check. An answer that calls tools is asked only by those that can judge one: a pattern
    /// or a schema is about text. Where there is none, and no second answer to compare with, nobody can tell that it will do.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn check(&self, answer: &Answer<'_>) -> Result<(), Escalation> {
        let has_calls = !answer.tool_calls.is_empty();
        let asks = |plugin: &CheckPlugin| !has_calls || plugin.judges_tool_calls;
        if has_calls {
            if self.agreement.is_none() && !self.checks.iter().any(|(plugin, _)| asks(plugin)) {
                return Err(Escalation::ToolCallsUnjudged);
            }
            let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            if !answer.tool_calls.iter().all(|(_, arguments)| is_json(arguments)) {
                return Err(Escalation::ArgumentsMalformed);
            }
        }
        for (CheckPlugin { name, .. }, check) in self.checks.iter().filter(|(plugin, _)| asks(plugin)) {
            check.check(answer).map_err(|found| Escalation::Check {
                check: (*name).to_owned(),
                found,
                is_partner: false,
            })?;
        }
        Ok(())
    }

    /// Judges the cheap answers; `None` is a target that failed. Without agreement the partner is not looked at.
    #[must_use]
    pub fn judge(&self, cheap: Option<&Answer<'_>>, partner: Option<&Answer<'_>>) -> Verdict {
        match self.consider(cheap, partner) {
            Ok(()) => Verdict::Accept,
            Err(because) => Verdict::Escalate { because },
        }
    }

    fn consider(&self, cheap: Option<&Answer<'_>>, partner: Option<&Answer<'_>>) -> Result<(), Escalation> {
        let cheap = cheap.ok_or(Escalation::NoAnswer)?;
        self.check(cheap)?;
        let Some(agreement) = self.agreement else { return Ok(()) };
        let partner = partner.ok_or(Escalation::NoAnswer)?;
        self.check(partner).map_err(|why| match why {
            Escalation::Check { check, found, .. } => Escalation::Check { check, found, is_partner: true },
            other => other,
        })?;
        if agreement.holds(cheap, partner) { Ok(()) } else { Err(Escalation::Disagreement) }
    }
}

#[cfg(test)]
mod tests;
