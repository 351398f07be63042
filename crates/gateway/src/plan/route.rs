//! A route made ready: its targets resolved, its settings checked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::{Plan, Resolution};
use crate::config::{self, CompatMode, Defaults, Diagnostic, RouteTarget, Source};

/// A stream that lives goes to the client after so long, even if the model has said nothing yet.
const COMMIT_AFTER: f64 = 10.0;
/// Most targets of one route.
const TARGETS_MAX: usize = 100;

/// A name that applications call, and who takes it.
#[derive(Debug)]
pub struct Route {
    /// The name.
    pub name: Arc<str>,
    /// How its targets are ordered.
    pub strategy: Strategy,
    /// Who may take a call, the preferred one first.
    pub targets: Vec<Member>,
    /// Who takes it when none of them can, in this order.
    pub fallback: Vec<Arc<Resolution>>,
    /// Most tokens of an answer.
    pub output_tokens_max: Option<u64>,
    /// The time until an answer is there, or a stream has begun, over all attempts.
    pub deadline: Option<Duration>,
    /// What is done about requests that their target would refuse, where the route says it.
    pub compat: Option<CompatMode>,
    /// Further attempts at the same target while another one is left.
    pub retries: u32,
    /// A stream that lives goes to the client after so long.
    pub commit_after: Duration,
}

/// One target of a route.
#[derive(Debug)]
pub struct Member {
    /// Who it is.
    pub resolution: Arc<Resolution>,
    /// Its share of the calls, relative to the others'.
    pub weight: f64,
}

/// How the targets of a route are ordered for one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// As they are written.
    Fixed,
    /// By chance, each as often as its weight says.
    Weighted,
}

impl Strategy {
    /// Every strategy, by name.
    const NAMES: [(&str, Self); 2] = [("fixed", Self::Fixed), ("weighted", Self::Weighted)];

    fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, strategy)| *strategy)
    }
}

impl Route {
    /// Who may take a call, in the order in which they are asked.
    pub(crate) fn order(&self, chance: impl FnMut() -> u64) -> Vec<Arc<Resolution>> {
        let mut order: Vec<_> = match self.strategy {
            Strategy::Fixed => self.targets.iter().map(|member| Arc::clone(&member.resolution)).collect(),
            Strategy::Weighted => self.weighted(chance),
        };
        order.extend(self.fallback.iter().cloned());
        order
    }

    /// Draws without putting back: each place goes to a target in proportion to its weight among those that are left.
    fn weighted(&self, mut chance: impl FnMut() -> u64) -> Vec<Arc<Resolution>> {
        let mut left: Vec<&Member> = self.targets.iter().filter(|member| member.weight > 0.0).collect();
        let mut order = Vec::with_capacity(self.targets.len() + self.fallback.len());
        while !left.is_empty() {
            let sum: f64 = left.iter().map(|member| member.weight).sum();
            let mut drawn = chance() as f64 / u64::MAX as f64 * sum;
            let at = left.iter().position(|member| {
                drawn -= member.weight;
                drawn <= 0.0
            });
            order.push(Arc::clone(&left.remove(at.unwrap_or(left.len() - 1)).resolution));
        }
        order
    }
}

impl Plan {
    /// The time until an answer is there, where no route says it.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.defaults.deadline.as_ref().map(|given| Duration::from_secs_f64(*given.get_ref()))
    }

    /// The route of that name.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<&Arc<Route>> {
        self.routes.get(name)
    }
}

/// Makes the routes of a configuration. Everything that is wrong is added to `wrong`.
pub(super) fn build(
    plan: &Plan,
    source: &Source,
    wrong: &mut Vec<Diagnostic>,
) -> HashMap<Box<str>, Arc<Route>> {
    let mut routes = HashMap::new();
    check(&source.file.defaults, wrong);
    for (name, section) in &source.file.routes {
        if let Some(route) = route(plan, name, section, &source.file.defaults, wrong) {
            routes.insert(name.get_ref().as_str().into(), Arc::new(route));
        }
    }
    routes
}

fn route(
    plan: &Plan,
    name: &Spanned<String>,
    section: &config::Route,
    under: &Defaults,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Route> {
    let before = wrong.len();
    check(&section.defaults, wrong);
    let is_name = !name.get_ref().is_empty() && !name.get_ref().contains(|letter: char| letter.is_control());
    if !is_name {
        wrong
            .push(Diagnostic::at(name.span(), "a route's name must not be empty or hold control characters"));
    }
    if section.targets.is_empty() {
        wrong.push(Diagnostic::at(name.span(), "a route needs `targets`, such as [\"openai/gpt-5.5\"]"));
    }
    if section.targets.len() + section.fallback.len() > TARGETS_MAX {
        wrong.push(Diagnostic::at(name.span(), format!("a route has at most {TARGETS_MAX} targets")));
    }
    let mut resolve =
        |given: &str, span: std::ops::Range<usize>| match plan.resolve_for(name.get_ref(), given) {
            Ok(resolution) => Some(Arc::new(resolution)),
            Err(error) => {
                wrong.push(Diagnostic::at(span, error.public.to_string()));
                None
            }
        };
    let mut targets = Vec::new();
    for given in &section.targets {
        let RouteTarget { target, weight } = given.get_ref();
        if let Some(resolution) = resolve(target, given.span()) {
            targets.push(Member { resolution, weight: *weight });
        }
    }
    let fallback =
        section.fallback.iter().filter_map(|given| resolve(given.get_ref(), given.span())).collect();
    for given in &section.targets {
        let weight = given.get_ref().weight;
        if !(0.0..=1e9).contains(&weight) {
            wrong.push(Diagnostic::at(given.span(), "a weight is a number from 0 to 1e9"));
        }
    }
    let strategy = strategy(section, wrong);
    if strategy == Some(Strategy::Weighted) && !section.targets.iter().any(|it| it.get_ref().weight > 0.0) {
        wrong.push(Diagnostic::at(name.span(), "at least one target needs a weight above 0"));
    }
    let commit_after = seconds(section.commit_after.as_ref(), "commit_after", wrong);
    let retries = retries(section, wrong);
    let defaults = section.defaults.over(under);
    (wrong.len() == before).then(|| Route {
        name: name.get_ref().as_str().into(),
        strategy: strategy.unwrap_or(Strategy::Fixed),
        targets,
        fallback,
        output_tokens_max: defaults.output_tokens_max(),
        deadline: defaults.deadline.map(|given| Duration::from_secs_f64(given.into_inner())),
        compat: section.defaults.compat,
        retries,
        commit_after: commit_after.unwrap_or(Duration::from_secs_f64(COMMIT_AFTER)),
    })
}

fn strategy(section: &config::Route, wrong: &mut Vec<Diagnostic>) -> Option<Strategy> {
    let Some(given) = &section.strategy else { return Some(Strategy::Fixed) };
    let known = Strategy::parse(given.get_ref());
    if known.is_none() {
        let names: Vec<_> = Strategy::NAMES.iter().map(|(name, _)| *name).collect();
        let message = format!("`{}` is no strategy; one of {}", given.get_ref(), names.join(", "));
        wrong.push(Diagnostic::at(given.span(), message));
    }
    known
}

fn retries(section: &config::Route, wrong: &mut Vec<Diagnostic>) -> u32 {
    let Some(given) = &section.retries else { return 0 };
    if *given.get_ref() > 2 {
        wrong.push(Diagnostic::at(given.span(), "retries must be 0, 1 or 2: another target helps more"));
    }
    *given.get_ref()
}

fn check(defaults: &Defaults, wrong: &mut Vec<Diagnostic>) {
    if let Some(given) = defaults.max_output_tokens.as_ref().filter(|given| *given.get_ref() == 0) {
        wrong.push(Diagnostic::at(given.span(), "max_output_tokens must be above 0"));
    }
    seconds(defaults.deadline.as_ref(), "deadline", wrong);
}

fn seconds(given: Option<&Spanned<f64>>, name: &str, wrong: &mut Vec<Diagnostic>) -> Option<Duration> {
    let given = given?;
    let value = *given.get_ref();
    if !(value > 0.0 && value <= 86_400.0) {
        wrong.push(Diagnostic::at(given.span(), format!("{name} is a number of seconds, up to a day")));
        return None;
    }
    Some(Duration::from_secs_f64(value))
}
