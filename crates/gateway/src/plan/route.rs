//! A route made ready: its targets resolved and described to the strategies, its settings checked.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use pilothouse_catalog::Status;
use pilothouse_cel::Expression;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Standing;
use pilothouse_core::money::PicoUsd;
use pilothouse_core::written::{into_text, put_string};
use pilothouse_routing::affinity::TURNS_AHEAD;
use pilothouse_routing::candidate::Lifecycle;
use pilothouse_routing::cascade::{Agreement, Judge};
use pilothouse_routing::{self as routing, Candidate, Constraints, RouteSettings, STRATEGIES, Settings};
use rustc_hash::FxHashMap;
use toml::Spanned;

use super::lifecycle::Life;
use super::{Branch, CacheTerms, Plan, Resolution, branch, cache, condition};
use crate::concurrency::Limit;
use crate::config::{self, CompatMode, Defaults, Diagnostic, OnGone, Require, RouteTarget, Source};
use crate::given::TOKENS;
use crate::purse::Purse;

/// A stream that lives goes to the client after so long, even if the model has said nothing yet.
const COMMIT_AFTER: Duration = Duration::from_secs(10);
/// Most targets of one route.
const TARGETS_MAX: usize = 100;

/// A name that applications call, and who takes it.
#[derive(Debug)]
pub struct Route {
    /// The name.
    pub name: Arc<str>,
    /// Chooses among the targets.
    pub chooser: routing::Route,
    /// The name of its strategy.
    pub strategy: Arc<str>,
    /// The names of its targets as JSON strings, in the order of the chooser's candidates: each choice is recorded with them.
    pub(crate) quoted_names: Vec<Box<str>>,
    /// The targets, in the order of the chooser's candidates.
    pub targets: Vec<Arc<Resolution>>,
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
    /// Which answers are given again.
    pub cache: Option<Arc<CacheTerms>>,
    /// The limit on calls on it at once, where it has one.
    pub limit: Option<Arc<Limit>>,
    /// A stream of text that breaks off is continued by another call, where the model can.
    pub resume: bool,
    /// What is done when all targets have failed and one of them is gone.
    pub on_gone: OnGone,
    /// When and for how much a second target is asked while the first one keeps silent, where it is.
    pub hedging: Option<Hedging>,
    /// Whether the model is told before the last turn of a run.
    pub tells_last_turn: bool,
    /// How cheap answers are judged, where it is a cascade.
    pub cascade: Option<Cascade>,
    /// Routes that take calls instead, on conditions.
    pub branches: Vec<Branch>,
    /// What its conditions and those of its branches ask of a call's length, where it has any.
    pub asks: Option<Asks>,
}

/// What the conditions of a route ask of a call's length in tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// The numbers that they compare it with; `None` where one needs the number itself.
    pub token_limits: Option<Box<[u64]>>,
}

impl Asks {
    /// What these conditions ask; `None` where there are none.
    fn of<'e>(mut conditions: impl Iterator<Item = &'e Expression>) -> Option<Self> {
        let first = conditions.next()?;
        let limits = std::iter::once(first).chain(conditions).map(|one| one.limits(TOKENS));
        let all = limits.collect::<Option<Vec<_>>>().map(|all| all.concat());
        let whole = |limit: i64| u64::try_from(limit).ok();
        Some(Self { token_limits: all.map(|all| all.into_iter().filter_map(whole).collect()) })
    }
}

/// When and for how much a route hedges.
#[derive(Clone, Debug)]
pub struct Hedging {
    /// When.
    pub after: config::After,
    /// The money that there is for it.
    pub purse: Arc<Purse>,
    /// What of the cost of other calls goes into it, in ten-thousandths.
    pub share_parts: u32,
}

/// How the cheap answers of a route are judged.
#[derive(Debug)]
pub struct Cascade {
    /// Says whether an answer will do.
    pub judge: Judge,
    /// Whether streamed calls are answered cheaply too.
    pub buffers_streams: bool,
}

impl Route {
    /// A target of the route, by its place among the candidates, with why it stands where it does.
    pub(crate) fn standing(&self, index: u16, why: String) -> Standing {
        let candidate = self.chooser.candidates().get(usize::from(index));
        Standing { target: candidate.map(|one| Arc::clone(&one.name)).unwrap_or_default(), why }
    }

    /// The name of a target of the route as a JSON string, by its place among the candidates.
    pub(crate) fn quoted_name(&self, index: u16) -> &str {
        self.quoted_names.get(usize::from(index)).map_or("\"\"", |name| name)
    }
}

/// A text as a JSON string.
fn quoted(text: &str) -> Box<str> {
    let mut json = Vec::new();
    put_string(&mut json, text);
    into_text(json).into()
}

impl Plan {
    /// The route of that name.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<&Arc<Route>> {
        self.routes.get(name)
    }

    /// The time until an answer is there, where no route says it.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.defaults.deadline.as_ref().map(|given| Duration::from_secs_f64(*given.get_ref()))
    }
}

/// Where a target stands in its life, its own day counted too.
fn lifecycle(life: &Life, known: Lifecycle, now: UnixMs) -> Lifecycle {
    let retires_at = life.cycle.retires_at.or(known.retires_at);
    let has_ended = retires_at.is_some_and(|end| now >= end);
    let status = if has_ended { Status::Retired } else { known.status.max(Status::Deprecated) };
    Lifecycle { status, retires_at }
}

/// Makes the routes of a configuration, as things stand `now`. Everything that is wrong is added to `wrong`.
pub(super) fn build(
    plan: &Plan,
    source: &Source,
    now: UnixMs,
    wrong: &mut Vec<Diagnostic>,
) -> FxHashMap<Box<str>, Arc<Route>> {
    let mut routes = FxHashMap::default();
    check(&source.file.defaults, wrong);
    branch::check(source, wrong);
    for (name, section) in &source.file.routes {
        let mut building = Building { plan, text: &source.text, name, section, now, wrong };
        if let Some(route) = building.route(&source.file.defaults) {
            routes.insert(name.get_ref().as_str().into(), Arc::new(route));
        }
    }
    routes
}

/// A route in the making.
struct Building<'a> {
    plan: &'a Plan,
    /// The configuration as it is written.
    text: &'a str,
    name: &'a Spanned<String>,
    section: &'a config::Route,
    now: UnixMs,
    wrong: &'a mut Vec<Diagnostic>,
}

impl Building<'_> {
    fn route(&mut self, under: &Defaults) -> Option<Route> {
        let before = self.wrong.len();
        let section = self.section;
        self.named();
        check(&section.defaults, self.wrong);
        let given = section.defaults.cache.as_ref();
        let cache = cache::terms(given.or(under.cache.as_ref()), self.plan, given.is_some(), self.wrong);
        let (candidates, targets) = self.targets();
        let constraints = self.constraints(&section.require);
        let commit_after = seconds(section.commit_after.as_ref(), "commit_after", self.wrong);
        let retries = self.retries();
        let strategy = section.strategy.as_ref().map_or("fixed", |given| given.get_ref());
        if let Some(given) = &section.strategy {
            self.strategy(given);
        }
        let branches = branch::build(self.text, section, self.wrong);
        let cascade = self.cascade(strategy);
        if let Some(hedge) = self.section.hedge.as_ref().filter(|_| cascade.is_some()) {
            let message = "a cascade asks its targets one after the other for their price's sake, and does not hedge; leave `hedge` out";
            self.wrong.push(Diagnostic::at(hedge.span(), message));
        }
        if self.wrong.len() > before {
            return None;
        }
        let settings = RouteSettings {
            name: self.name.get_ref(),
            candidates,
            constraints,
            strategy,
            settings: Settings { agreement: wants_partner(cascade.as_ref()), ..Settings::default() },
            turns_ahead: TURNS_AHEAD,
        };
        let chooser = match routing::Route::new(settings) {
            Ok(chooser) => chooser,
            Err(why) => {
                self.wrong.push(Diagnostic::at(self.name.span(), why));
                return None;
            }
        };
        let of_targets = chooser.candidates().iter().filter_map(|one| one.condition.as_deref());
        let asks = Asks::of(of_targets.chain(branches.iter().map(|branch| &*branch.condition)));
        let defaults = section.defaults.over(under);
        Some(Route {
            name: Arc::clone(&chooser.name),
            quoted_names: chooser.candidates().iter().map(|one| quoted(&one.name)).collect(),
            chooser,
            strategy: strategy.into(),
            targets,
            output_tokens_max: defaults.output_tokens_max(),
            deadline: defaults.deadline.map(|given| Duration::from_secs_f64(given.into_inner())),
            compat: section.defaults.compat,
            retries,
            commit_after: commit_after.unwrap_or(COMMIT_AFTER),
            resume: section.resume,
            cache,
            on_gone: section.on_gone.or(defaults.on_gone).unwrap_or_default(),
            hedging: self.hedging(),
            limit: self.plan.limits.of_route(self.name.get_ref()).cloned(),
            tells_last_turn: section.last_turn_note.unwrap_or(true),
            cascade,
            branches,
            asks,
        })
    }

    fn hedging(&self) -> Option<Hedging> {
        let given = self.section.hedge.as_ref()?.get_ref();
        given.is_on.then(|| Hedging {
            after: given.after,
            purse: self.plan.metrics.purses.of(self.name.get_ref()),
            // Checked to be a share when it was read.
            share_parts: (given.share * 10_000.0).round() as u32,
        })
    }

    fn named(&mut self) {
        let name = self.name.get_ref();
        if name.is_empty() || name.contains(char::is_control) {
            let message = "a route's name must not be empty or hold control characters";
            self.wrong.push(Diagnostic::at(self.name.span(), message));
        }
        if self.section.targets.is_empty() {
            let message = "a route needs `targets`, such as [\"openai/gpt-5.5\"]";
            self.wrong.push(Diagnostic::at(self.name.span(), message));
        }
        if self.section.targets.len() + self.section.fallback.len() > TARGETS_MAX {
            let message = format!("a route has at most {TARGETS_MAX} targets");
            self.wrong.push(Diagnostic::at(self.name.span(), message));
        }
    }

    /// The targets and those that stand by, as the strategies see them and as they are called.
    fn targets(&mut self) -> (Vec<Candidate>, Vec<Arc<Resolution>>) {
        let section = self.section;
        let mut found = Vec::new();
        for given in &section.targets {
            found.extend(self.target(given.get_ref(), given.span(), false));
        }
        for given in &section.fallback {
            let target = RouteTarget::named(given.get_ref());
            found.extend(self.target(&target, given.span(), true));
        }
        found.into_iter().unzip()
    }

    fn target(
        &mut self,
        given: &RouteTarget,
        span: Range<usize>,
        is_fallback: bool,
    ) -> Option<(Candidate, Arc<Resolution>)> {
        let mut resolution = match self.plan.resolve_for(self.name.get_ref(), &given.target) {
            Ok(resolution) => resolution,
            Err(error) => {
                self.wrong.push(Diagnostic::at(span, error.public.to_string()));
                return None;
            }
        };
        let target = &resolution.target;
        let name = format!("{}/{}", target.provider.name, target.model);
        let output = self.plan.metrics.outputs.of(self.name.get_ref(), &name);
        let mut candidate = match &target.known {
            Some(model) => Candidate::of(&name, model, self.now),
            None => Candidate::new(&name),
        };
        if let Some(life) = target.life.as_ref().filter(|life| life.cycle.is_announced) {
            candidate.lifecycle = lifecycle(life, candidate.lifecycle, self.now);
        }
        candidate.pricing.clone_from(&target.pricing);
        candidate.weight = given.weight;
        candidate.is_fallback = is_fallback;
        candidate.is_spill = given.spill;
        candidate.tags = given.tags.iter().map(|tag| tag.as_str().into()).collect();
        candidate.health = Arc::clone(&target.health);
        let is_watched = target.provider.metrics.is_some();
        candidate.gauge = is_watched.then(|| Arc::clone(&target.metrics.gauge));
        if let Some(when) = &given.when {
            candidate.condition = condition::compile(self.text, when, self.wrong);
        }
        if let Some(region) = &given.region {
            candidate.region = Some(region.as_str().into());
        }
        resolution.output = Some(output);
        Some((candidate, Arc::new(resolution)))
    }

    fn constraints(&mut self, given: &Require) -> Constraints {
        let boxed = |words: &[String]| words.iter().map(|word| word.as_str().into()).collect();
        Constraints {
            open_weights: given.open_weights,
            regions: boxed(&given.regions),
            tags_required: boxed(&given.tags),
            tags_refused: boxed(&given.without_tags),
            cost_max: self.dollars(given.usd_max.as_ref()),
            input_price_max: self.dollars(given.usd_per_million_input_max.as_ref()),
            output_price_max: self.dollars(given.usd_per_million_output_max.as_ref()),
            output_tokens_min: given.output_tokens_min,
            no_deprecated: given.no_deprecated,
            refuse_unproven: given.proven,
        }
    }

    fn dollars(&mut self, given: Option<&Spanned<f64>>) -> Option<PicoUsd> {
        let given = given?;
        let amount = PicoUsd::parse_usd(&given.get_ref().to_string()).ok().filter(|amount| amount.0 >= 0);
        if amount.is_none() {
            let message = "an amount in dollars is a number from 0 with at most twelve decimals";
            self.wrong.push(Diagnostic::at(given.span(), message));
        }
        amount
    }

    /// How cheap answers are judged. What is wrong with that is told.
    fn cascade(&mut self, strategy: &str) -> Option<Cascade> {
        let is_cascade = strategy == "cascade";
        let given = match &self.section.cascade {
            Some(given) if is_cascade => given,
            Some(given) => {
                let message =
                    "`cascade` is of the strategy `cascade`; set `strategy = \"cascade\"`, or leave it out";
                self.wrong.push(Diagnostic::at(given.span(), message));
                return None;
            }
            None if is_cascade => {
                let message = "a cascade needs to know which answers will do: add [routes.NAME.cascade] with `checks` or `agreement`";
                self.wrong.push(Diagnostic::at(self.name.span(), message));
                return None;
            }
            None => return None,
        };
        match judge(given.get_ref(), self.section.targets.len()) {
            Ok(judge) => Some(Cascade { judge, buffers_streams: given.get_ref().buffer }),
            Err(why) => {
                self.wrong.push(Diagnostic::at(given.span(), why));
                None
            }
        }
    }

    fn strategy(&mut self, given: &Spanned<String>) {
        if given.get_ref() == "learned" {
            let message = "`learned` needs a model of quality, trained on evaluations of your own traffic, and this version \
                           reads none yet; `cascade` judges answers and `cheapest` compares costs without one";
            self.wrong.push(Diagnostic::at(given.span(), message));
            return;
        }
        let served = STRATEGIES.iter().map(|plugin| plugin.name).filter(|name| is_served(name));
        let names: Vec<_> = served.collect();
        if !names.contains(&given.get_ref().as_str()) {
            let message = format!("`{}` is no strategy; one of {}", given.get_ref(), names.join(", "));
            self.wrong.push(Diagnostic::at(given.span(), message));
        }
    }

    fn retries(&mut self) -> u32 {
        let Some(given) = &self.section.retries else { return 0 };
        if *given.get_ref() > 2 {
            let message = "retries must be 0, 1 or 2: another target helps more";
            self.wrong.push(Diagnostic::at(given.span(), message));
        }
        *given.get_ref()
    }
}

fn is_served(strategy: &str) -> bool {
    strategy != "learned"
}

fn wants_partner(cascade: Option<&Cascade>) -> bool {
    cascade.is_some_and(|cascade| cascade.judge.wants_partner())
}

/// The judge of a cascade with so many targets, or what is wrong with it.
fn judge(given: &config::Cascade, targets: usize) -> Result<Judge, String> {
    let agreement = match given.agreement.as_deref() {
        None => None,
        Some("text") => Some(Agreement::Text),
        Some("final-answer") => Some(Agreement::FinalAnswer),
        Some(other) => return Err(format!("`{other}` is no way to agree; one of text, final-answer")),
    };
    let needed = if agreement.is_some() { 3 } else { 2 };
    if targets < needed {
        let parts = if needed == 3 {
            "two cheap targets and a strong one"
        } else {
            "a cheap target and a strong one"
        };
        return Err(format!("this cascade needs {parts}, and `targets` has {targets}"));
    }
    Judge::new(&given.checks, agreement)
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
