//! Branches of routes: conditions on which another route takes a call. They are asked in order, and end somewhere: routes
//! that lead back to themselves are refused when the configuration is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilothouse_cel::{Expression, Values};
use pilothouse_routing::{Unmet, unmet};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Plan, Route, condition};
use crate::config::{self, Diagnostic, Source};

/// Most branches of one route.
const BRANCHES_MAX: usize = 50;

/// A condition, and the route that takes a call of which it is true.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The condition.
    pub condition: Arc<Expression>,
    /// The route's name.
    pub route: Box<str>,
}

/// What came of the branches of the routes that a call came to, before one of them took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branching {
    /// The routes with branches, the one that was called first.
    pub forks: Vec<Fork>,
    /// The route that takes the call.
    pub to: Arc<str>,
}

/// What came of the branches of one route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The route.
    pub route: Box<str>,
    /// How each branch's condition was not met, up to the first that was.
    pub outcomes: Vec<Option<Unmet>>,
}

impl Fork {
    /// The place of the branch that was taken.
    #[must_use]
    pub fn taken(&self) -> Option<usize> {
        self.outcomes.iter().position(Option::is_none)
    }
}

impl Route {
    /// Asks its branches, up to the first whose condition is met.
    pub(crate) fn outcomes(&self, values: &dyn Values) -> Vec<Option<Unmet>> {
        let mut outcomes = Vec::with_capacity(self.branches.len());
        for branch in &self.branches {
            let outcome = unmet(&branch.condition, Some(values));
            outcomes.push(outcome);
            if outcome.is_none() {
                break;
            }
        }
        outcomes
    }
}

impl Plan {
    /// Follows the branches of a route, whose outcomes `ask` tells; `None` where the name is no route, or one without branches.
    pub(crate) fn branching(
        &self,
        name: &str,
        mut ask: impl FnMut(&Route) -> Vec<Option<Unmet>>,
    ) -> Option<Branching> {
        let mut route = self.route(name).filter(|route| !route.branches.is_empty())?;
        let mut forks: Vec<Fork> = Vec::new();
        // Each route at most once: none leads back to itself.
        while !route.branches.is_empty() && forks.len() < self.routes.len() {
            let fork = Fork { route: (*route.name).into(), outcomes: ask(route) };
            let taken = fork.taken().and_then(|place| route.branches.get(place));
            forks.push(fork);
            let Some(next) = taken.and_then(|branch| self.route(&branch.route)) else { break };
            route = next;
        }
        Some(Branching { forks, to: Arc::clone(&route.name) })
    }

    /// What came of the branches, in words, one for each that was asked.
    pub(crate) fn branching_in_words(&self, branching: &Branching) -> Vec<String> {
        let mut words = Vec::new();
        for fork in &branching.forks {
            let Some(route) = self.route(&fork.route) else { continue };
            for (branch, outcome) in route.branches.iter().zip(&fork.outcomes) {
                let (to, condition) = (&branch.route, &branch.condition);
                words.push(match outcome {
                    None => format!("{to} takes it, its condition is true: {}", condition.text()),
                    Some(unmet) => format!("not {to}, {}", unmet.of(condition)),
                });
            }
        }
        words
    }
}

/// Makes the branches of a route ready. Everything that is wrong is added to `wrong`.
pub(super) fn build(text: &str, section: &config::Route, wrong: &mut Vec<Diagnostic>) -> Vec<Branch> {
    if let Some(one) = section.branches.get(BRANCHES_MAX) {
        wrong.push(Diagnostic::at(one.when.span(), format!("a route has at most {BRANCHES_MAX} branches")));
    }
    let branches = section.branches.iter();
    branches
        .filter_map(|branch| {
            let condition = condition::compile(text, &branch.when, wrong)?;
            Some(Branch { condition, route: branch.route.get_ref().as_str().into() })
        })
        .collect()
}

/// Finds branches to routes that do not exist, and those that lead back to where they come from.
pub(super) fn check(source: &Source, wrong: &mut Vec<Diagnostic>) {
    let routes = &source.file.routes;
    let sections: BTreeMap<&str, &config::Route> =
        routes.iter().map(|(name, section)| (name.get_ref().as_str(), section)).collect();
    for (name, section) in routes {
        for branch in &section.branches {
            let to = branch.route.get_ref().as_str();
            if !sections.contains_key(to) {
                let message = format!(
                    "there is no route `{to}`; a branch leads to a route: add [routes.{to}] with its targets"
                );
                wrong.push(Diagnostic::at(branch.route.span(), message));
            } else if let Some(way) = way(&sections, to, name.get_ref()) {
                let message = format!(
                    "this leads in a circle: {} → {}; leave one of these branches out",
                    name.get_ref(),
                    way
                );
                wrong.push(Diagnostic::at(branch.route.span(), message));
            }
        }
    }
}

/// The routes by which branches lead from one to another, in words.
fn way(sections: &BTreeMap<&str, &config::Route>, from: &str, to: &str) -> Option<String> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut next = vec![sections.get_key_value(from)?.0];
    while let Some(name) = next.pop() {
        if *name == to {
            let mut way = vec![*name];
            while let Some(earlier) =
                way.last().and_then(|last| before.get(last)).filter(|_| way.len() <= sections.len())
            {
                way.push(*earlier);
            }
            way.reverse();
            return Some(way.join(" → "));
        }
        let branches = sections.get(name).map(|section| section.branches.as_slice()).unwrap_or_default();
        for branch in branches {
            let branch: &Spanned<String> = &branch.route;
            if let Some((known, _)) = sections.get_key_value(branch.get_ref().as_str())
                && *known != from
                && !before.contains_key(known)
            {
                before.insert(known, name);
                next.push(known);
            }
        }
    }
    None
}
