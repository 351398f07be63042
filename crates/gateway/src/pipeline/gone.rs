//! Models that are gone: what is asked instead where the configuration allows it, and else an error that says what follows.

use std::sync::Arc;

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::{Chosen, Standing};
use pilothouse_core::written::Said;
use pilothouse_migrate::lifecycle::{State, absence};
use pilothouse_routing::count::Unread;
use pilothouse_routing::reason::Removal;
use pilothouse_routing::{Candidate, NoTarget};
use pilothouse_wire::codec::VendorError;

use super::choose::{Choice, Order, of_target};
use super::features::{Marks, Told};
use super::read::Asked;
use super::{Around, may_call, retire};
use crate::config::{OnGone, OnRetired};
use crate::endpoints::Call;
use crate::job::Job;
use crate::plan::{Plan, Resolution, Route, Target};
use crate::shared::Shared;

/// The code of OpenAI's dialect for a model that is not there
/// (<https://platform.openai.com/docs/guides/error-codes>, read 2026-11-23).
const NOT_FOUND: &str = "model_not_found";

/// Whether a vendor says that it does not have the model, rather than that there is nothing at this address.
pub(super) fn is_about_the_model(status: u16, error: &VendorError, model: &str) -> bool {
    match status {
        410 => true,
        404 => error.code.as_deref() == Some(NOT_FOUND) || error.message.contains(model),
        _ => false,
    }
}

impl Around<'_> {
    /// Whether a successor may be asked when the targets have failed, one of which is gone.
    pub(super) fn may_succeed(&self, order: &Order, job: &Job) -> bool {
        job.gone().is_some_and(|gone| {
            self.on_gone(order, &gone.target) == OnGone::Successor && self.successor(&gone.target).is_some()
        })
    }

    /// Whether a target, once it is gone, is followed by another one.
    pub(super) fn may_be_followed(&self, order: &Order, choice: &Choice) -> bool {
        let target = &choice.resolution.target;
        self.on_gone(order, target) == OnGone::Successor && self.successor(target).is_some()
    }

    /// What is done after a model that is gone has failed, and nobody else was left: its successor is asked, where that is
    /// allowed.
    ///
    /// # Errors
    /// What the client is told.
    pub(super) fn after_gone(
        &self,
        asked: &Asked<'_>,
        order: &Order,
        gone: &Arc<Resolution>,
        job: &mut Job,
    ) -> Result<Choice, Error> {
        let successor = self.successor(&gone.target);
        let refusal = || {
            let section = order
                .route
                .as_ref()
                .map_or("[defaults]".to_owned(), |route| format!("[routes.{}]", route.name));
            told(&gone.target, successor.as_deref(), &section)
        };
        let is_allowed = self.on_gone(order, &gone.target) == OnGone::Successor;
        let Some(name) = successor.as_deref().filter(|_| is_allowed) else {
            return Err(refusal());
        };
        let way = (self.dialect, self.call);
        let choice = stand_in(&self.worker.shared, self.plan, way, asked, order.route.as_ref(), name)?;
        job.noted(absence::gone(&gone.target.name(), name));
        Ok(choice)
    }

    fn successor(&self, gone: &Target) -> Option<String> {
        self.plan.successor(gone, self.worker.shared.clock.now())
    }

    fn on_gone(&self, order: &Order, gone: &Target) -> OnGone {
        let of_all = match &order.route {
            Some(route) => route.on_gone,
            None => self.plan.defaults.on_gone.unwrap_or_default(),
        };
        // Vectors of another model cannot be compared with those that are there.
        if self.call.embeds() { OnGone::Refuse } else { on_gone(gone, of_all) }
    }
}

/// What is done after a target that is gone: as its own table says, else as is said of all.
fn on_gone(gone: &Target, of_all: OnGone) -> OnGone {
    let Some(life) = &gone.life else { return of_all };
    match life.on_day.filter(|day| day.is_written) {
        Some(day) if day.policy == OnRetired::Fail => OnGone::Refuse,
        // An accepted plan allows it; without one only what is said of all targets does.
        Some(_) if life.stands_in().is_some() => OnGone::Successor,
        _ => of_all,
    }
}

/// The target that takes a call instead of one that is gone, within what the route asks of its targets and what the key
/// may call.
pub(super) fn stand_in(
    shared: &Shared,
    plan: &Plan,
    (dialect, call): (Dialect, Call),
    asked: &Asked<'_>,
    route: Option<&Arc<Route>>,
    name: &str,
) -> Result<Choice, Error> {
    let resolution = Arc::new(plan.stand_in(&asked.model, name)?);
    if let Some(route) = route {
        let told = Told::read(shared, route, dialect, asked);
        may_stand_in(shared, route, &told, &resolution, asked)?;
        return Ok(of_target(resolution, dialect, call)?.on(route));
    }
    if let Some(key) = &asked.holder {
        // By the successor's own name: that the key may call the one that is gone says nothing of it.
        may_call(key, &plan.stand_in(name, name)?)?;
    }
    let mut choice = of_target(resolution, dialect, call)?;
    choice.output_tokens_max = plan.defaults.output_tokens_max();
    Ok(choice)
}

/// Whether a successor meets what a route asks of its targets.
fn may_stand_in(
    shared: &Shared,
    route: &Route,
    told: &Told<'_>,
    resolution: &Resolution,
    asked: &Asked<'_>,
) -> Result<(), Error> {
    let target = &resolution.target;
    let name = target.name();
    let mut candidate = match &target.known {
        Some(model) => Candidate::of(&name, model, shared.clock.now()),
        None => Candidate::new(&name),
    };
    candidate.pricing.clone_from(&target.pricing);
    candidate.health = Arc::clone(&target.health);
    let removal = route.chooser.against(&candidate, &told.features(), &mut Unread);
    if let Some(key) = asked.held_back(&route.name) {
        may_call(key, resolution)?;
    }
    match removal {
        None => Ok(()),
        Some(why) => {
            let public =
                format!("the model is gone, and its successor `{name}` is not for this route: {why}");
            Err(Error::new(Kind::Gone, public))
        }
    }
}

/// What a client reads of a model that is gone.
fn told(gone: &Target, successor: Option<&str>, section: &str) -> Error {
    let name = gone.name();
    let day = gone.known.as_ref().and_then(|model| model.deadline());
    let since = day.map_or_else(String::new, |day| format!(" (its day: {day})"));
    let next = match successor {
        Some(successor) => format!(
            "its successor is `{successor}`: ask for that one, or set `on_gone = \"successor\"` in {section} so that it takes such \
             calls"
        ),
        None => "its vendor names no model that follows it: ask for another one".to_owned(),
    };
    Error {
        param: Some("model".into()),
        ..Error::new(Kind::Gone, format!("`{name}` is gone{since}; {next}"))
    }
}

/// The order of a route all of whose targets are gone by the catalogue, where a successor may take the call.
///
/// # Errors
/// What the client is told.
pub(super) fn instead(
    shared: &Shared,
    plan: &Plan,
    route: &Arc<Route>,
    told_of: &Told<'_>,
    asked: &Asked<'_>,
    none: NoTarget,
    way: impl Fn(Arc<Resolution>) -> Result<Choice, Error>,
) -> Result<Order, Error> {
    let now = shared.clock.now();
    let of_name = |name: &str| route.targets.iter().find(|one| one.target.name() == name);
    let mut gone = none.removed.iter().map(|(name, removal)| {
        let is_out = matches!(removal, Removal::Retired | Removal::Tombstoned { .. });
        of_name(name).filter(|target| is_out && target.target.is_known_to_end(now))
    });
    let are_all_gone = gone.clone().all(|one| one.is_some());
    let Some(gone) = gone.find_map(|one| one) else { return Err(none.into_error()) };
    let on_gone = on_gone(&gone.target, route.on_gone);
    if on_gone == OnGone::Refuse && !are_all_gone {
        return Err(none.into_error());
    }
    let successor = plan.successor(&gone.target, now);
    let section = format!("[routes.{}]", route.name);
    let life = gone.target.life.as_ref();
    let is_removed = life.is_some_and(|life| life.state(now) == State::Removed);
    let is_allowed = !is_removed && on_gone == OnGone::Successor;
    let Some(name) = successor.as_deref().filter(|_| is_allowed) else {
        return Err(match life.filter(|life| life.on_day.is_some() && life.state(now) >= State::Retired) {
            Some(life) => retire::over(life, successor.as_deref(), now),
            None => told(&gone.target, successor.as_deref(), &section),
        });
    };
    let resolution = Arc::new(plan.stand_in(&route.name, name)?);
    may_stand_in(shared, route, told_of, &resolution, asked)?;
    let why = format!("follows {}, which is gone", gone.target.name());
    let chosen = Chosen {
        strategy: Arc::clone(&route.strategy),
        order: vec![Standing { target: name.into(), why }],
        removed: none
            .removed
            .into_iter()
            .map(|(target, why)| Standing { target, why: why.to_string() })
            .collect(),
        evidence: None,
    };
    let mut said = Said::default();
    chosen.put(&mut said.split());
    Ok(Order {
        route: Some(Arc::clone(route)),
        first: way(resolution)?.on(route),
        rest: Vec::new(),
        chosen: Some(Box::new(said)),
        marks: Marks::clone(&told_of.marks),
        text_bytes: told_of.text_bytes(),
        is_in_tool_loop: told_of.is_in_tool_loop(),
        cascade: None,
        spare: 0,
        until: None,
    })
}
