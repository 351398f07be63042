//! What a route would do with a request, without a call: who would be asked, in which order, why, and what would follow
//! when some of them fail in a way that is assumed.

mod ends;
mod lengths;

pub use lengths::Lengths;

use std::fmt;

use http::HeaderMap;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;
use pilothouse_core::exchange::Standing;
use pilothouse_routing::count::PrefixCounts;
use pilothouse_routing::{AllowList, Features, NoTarget, Random, Ranked};
use pilothouse_wire::head::Head;
use pilothouse_wire::needs;
use serde::Serialize;

use ends::{Ends, Fate};

use crate::given::{Given, Read};
use crate::pipeline::{ToldOfRequest, end_user, expected_outputs, is_of_target};
use crate::plan::{KeyInfo, Plan, Route};

/// How a target is assumed to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumed {
    /// A provider's name, or `provider/model`.
    pub target: String,
    /// How.
    pub failure: Failure,
}

/// A failure that is assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It answers with this status.
    Status(u16),
    /// The status of a prompt that is too long for the model.
    TooLong,
    /// Nobody takes the connection, or no answer comes in time.
    Silence,
    /// The stream breaks before the model has said a word.
    EarlyCut,
    /// The stream breaks behind the first word.
    LateCut,
}

impl Assumed {
    /// Reads `openai=429`, `openai/gpt-5.5=timeout`.
    ///
    /// # Errors
    /// A sentence that says what may stand there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wanted = || {
            format!(
                "`{text}` is no assumption; write TARGET=FAILURE, such as openai=429, with a status from 400 to 599, \
                 timeout, refused, too-long, early-cut or late-cut"
            )
        };
        let (target, failure) = text.rsplit_once('=').ok_or_else(wanted)?;
        let failure = match failure {
            "timeout" | "refused" => Failure::Silence,
            "too-long" => Failure::TooLong,
            "early-cut" => Failure::EarlyCut,
            "late-cut" => Failure::LateCut,
            status => Failure::Status(
                status.parse().ok().filter(|status| (400..600).contains(status)).ok_or_else(wanted)?,
            ),
        };
        Ok(Self { target: target.to_owned(), failure })
    }

    fn is_about(&self, target: &str) -> bool {
        target == self.target || target.split_once('/').is_some_and(|(provider, _)| provider == self.target)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(out, "answers with {status}"),
            Self::TooLong => out.write_str("finds the prompt too long"),
            Self::Silence => out.write_str("is not reached, or not in time"),
            Self::EarlyCut => out.write_str("breaks off before the first word"),
            Self::LateCut => out.write_str("breaks off behind the first word"),
        }
    }
}

/// What a route would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Explanation {
    /// The route.
    pub route: Box<str>,
    /// The branches that were asked before it, and what came of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    /// Its strategy.
    pub strategy: Box<str>,
    /// The targets in the order in which they would be asked.
    pub order: Vec<Standing>,
    /// Those that would not.
    pub removed: Vec<Standing>,
    /// Those of its targets that end: where each stands, and what that does to the call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<Standing>,
    /// How long each target's answers are expected to be, and whence that is known.
    pub expected_output: Vec<Standing>,
    /// What would happen, one sentence a step.
    pub steps: Vec<String>,
    /// Whether the client would get an answer.
    pub is_answered: bool,
}

/// A call that nobody makes.
#[derive(Clone, Copy, Debug)]
pub struct Hypothesis<'a> {
    /// The format of its body.
    pub dialect: Dialect,
    /// The body.
    pub body: &'a [u8],
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The key that it is made with.
    pub key: Option<&'a KeyInfo>,
    /// How targets are assumed to fail.
    pub assumed: &'a [Assumed],
    /// When.
    pub at: UnixMs,
    /// The seed of what chance decides.
    pub seed: u64,
}

/// Explains what a route would do with a call, all its targets being well but for what is assumed.
///
/// # Errors
/// A name that is no route, a request that cannot be read, or that no target can take.
pub fn explain(plan: &Plan, name: &str, call: &Hypothesis<'_>) -> Result<Explanation, Error> {
    let head = Head::read(call.body)?;
    let user = end_user(call.dialect, &head);
    let given = given(call, &head, name, user.as_deref());
    let branching = plan.branching(name, |route| route.outcomes(&given));
    let to = branching.as_ref().map_or(name, |branching| &branching.to);
    let route =
        plan.route(to).ok_or_else(|| Error::bad_request("model", format!("no route is called `{to}`")))?;
    let told = ToldOfRequest::alone(route, call.dialect, &head, given.is_stream, call.at);
    let held_back = call.key.filter(|key| !key.terms.allows(&route.name) && !key.terms.allows(name));
    let allowed = held_back.map(|key| AllowList::new(key.terms.allow.iter().cloned()));
    let outputs = expected_outputs(route);
    let features =
        Features { values: Some(&given), allowed: allowed.as_ref(), outputs: &outputs, ..told.features() };
    let counts = PrefixCounts::new(16);
    let decision = route
        .chooser
        .choose(&features, &mut told.counter(&counts), &mut Random::new(call.seed))
        .map_err(|none| nobody(route, none))?;
    let mut out = Explanation {
        route: (*route.name).into(),
        branches: branching.map(|branching| plan.branching_in_words(&branching)).unwrap_or_default(),
        strategy: (&*route.strategy).into(),
        order: decision.order.iter().map(|one| route.standing(one.index, why(route, one))).collect(),
        removed: decision
            .removed
            .iter()
            .map(|one| route.standing(one.index, route.chooser.why_not(one)))
            .collect(),
        ..Explanation::default()
    };
    let ends = Ends { route, call, head: &head, end_user: user.as_deref() };
    out.ends = ends.told();
    out.play(plan, route, &ends, call.assumed);
    Ok(out)
}

/// The call as conditions see it.
fn given<'a>(call: &Hypothesis<'a>, head: &Head<'a>, name: &'a str, user: Option<&'a str>) -> Given<'a> {
    Given {
        at: call.at,
        dialect: call.dialect,
        survey: needs::survey(call.dialect, head),
        head: head.clone(),
        headers: call.headers,
        model: name,
        is_stream: head.stream().unwrap_or(false),
        end_user: user,
        key: call.key,
        // Whatever it takes to tell: nobody waits.
        limits: None,
        read: Read::default(),
    }
}

/// Why a target stands where it does, and the condition that is true of the call.
fn why(route: &Route, one: &Ranked) -> String {
    let candidate = route.chooser.candidates().get(usize::from(one.index));
    match candidate.and_then(|candidate| candidate.condition.as_ref()) {
        Some(condition) => format!("{}; its condition is true: {}", one.reason, condition.text()),
        None => one.reason.to_string(),
    }
}

/// The error of a call that no target can take, with each one's reason in full.
fn nobody(route: &Route, none: NoTarget) -> Error {
    let told = route.chooser.explain_none(&none);
    let reasons: Vec<_> = told.removed.iter().map(|one| format!("{}: {}", one.target, one.text)).collect();
    let public = format!("no target of `{}` can take this request: {}", route.name, reasons.join("; "));
    Error { public: public.into(), ..none.into_error() }
}

impl Explanation {
    fn play(&mut self, plan: &Plan, route: &Route, ends: &Ends<'_>, assumed: &[Assumed]) {
        let mut asked: Vec<Box<str>> = Vec::with_capacity(self.order.len());
        for standing in &self.order {
            let (fate, sentence) = ends.fate(&standing.target);
            self.steps.extend(sentence);
            match fate {
                Fate::Asked => asked.push((*standing.target).into()),
                Fate::Instead(name) => asked.push(name),
                Fate::Out => {}
            }
        }
        if asked.is_empty() {
            self.steps.push("nobody is left: the client gets a 410 that names who follows".into());
        }
        let count = asked.len();
        for (place, target) in asked.iter().enumerate() {
            let has_next = place + 1 < count;
            let Some(failure) = assumed.iter().find(|one| one.is_about(target)).map(|one| one.failure) else {
                self.steps.push(format!("{target} answers"));
                self.is_answered = true;
                return;
            };
            let goes_on = match failure {
                Failure::Status(status) => is_of_target(status, false),
                Failure::TooLong | Failure::Silence | Failure::EarlyCut => true,
                Failure::LateCut => false,
            };
            if goes_on && has_next {
                let again = match route.retries {
                    0 => "the next target is asked at once".to_owned(),
                    retries => format!("it is asked {retries} times more, then the next target"),
                };
                self.steps.push(format!("{target} {failure}: {again}"));
                continue;
            }
            self.steps.push(format!("{target} {failure}: {}", ending(plan, target, failure)));
            return;
        }
    }
}

/// How a failure ends that no other target makes good.
fn ending(plan: &Plan, target: &str, failure: Failure) -> String {
    let provider = target.split_once('/').and_then(|(provider, _)| plan.provider(provider));
    let retries = provider.map_or(0, |provider| provider.retries);
    let is_repeated = matches!(failure, Failure::Status(429 | 500 | 502 | 503 | 529));
    match failure {
        Failure::LateCut => "the client gets an error event, and the connection breaks".to_owned(),
        Failure::Status(status) if !is_of_target(status, false) => {
            "the request itself is at fault, so it is passed on and nobody else is asked".to_owned()
        }
        _ if is_repeated && retries > 0 => {
            format!("no target is left; after {retries} further attempts the client gets the error")
        }
        _ => "no target is left; the client gets the error".to_owned(),
    }
}
