//! Targets that end, made ready: where each stands in its life, who follows it, what calls get, and the headers that say so.

mod read;
mod window;

use std::collections::HashMap;
use std::sync::Arc;

use http::header::LINK;
use http::{HeaderMap, HeaderName, HeaderValue};
use pilothouse_catalog::{Model, day};
use pilothouse_core::clock::UnixMs;
use pilothouse_migrate::lifecycle::{Lifecycle, State, deprecation, http_date};
use pilothouse_migrate::plan::Standing;
use pilothouse_wire::path::segment;
use smallvec::SmallVec;

use super::{Plan, Provider};
use crate::config::OnRetired;

pub(super) use read::build;

/// `Deprecation` (RFC 9745) and `Sunset` (RFC 8594).
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Days before an end on which people are told, where the configuration says nothing else.
pub const ALERTS: [u32; 5] = [90, 60, 30, 7, 1];

/// Everything that a configuration says of targets that end.
#[derive(Debug, Default)]
pub struct Lifecycles {
    /// Days before an end on which people are told.
    pub alerts: Vec<u32>,
    /// What calls get from a target's day on, where it has no table of its own and the configuration says it all the same.
    on_retired: Option<OnRetired>,
    /// Targets that have a table of their own, by `provider/model`.
    targets: HashMap<Box<str>, Arc<Life>>,
    /// Whether any call may have to be answered otherwise than by the target that it asks for.
    pub(crate) is_enforced: bool,
    /// The moment that successors live at.
    now: UnixMs,
}

/// The life of a target that ends, or may.
#[derive(Debug)]
pub struct Life {
    /// `provider/model`.
    pub target: Box<str>,
    /// Its dates and brownouts.
    pub cycle: Lifecycle,
    /// Who says on which day it retires.
    pub retires_by: Option<DayOf>,
    /// The vendor's own day, where it is under notice.
    pub vendor_day: Option<Box<str>>,
    /// Who is responsible for leaving it.
    pub owner: Option<Box<str>>,
    /// Where people read about it.
    pub link: Option<Box<str>>,
    /// The vendor's notice.
    pub notice: Option<Box<str>>,
    /// Who takes calls instead, as `provider/model`.
    pub successor: Option<Arc<str>>,
    /// What calls get from its day on; `None` leaves it to what the vendor says.
    pub on_day: Option<OnDay>,
    /// The plan to leave it.
    pub plan: Option<PlanFile>,
    /// Whether it has a table of its own.
    pub is_configured: bool,
    headers: SmallVec<[(HeaderName, HeaderValue); 5]>,
    opt_out: Vec<(Box<str>, UnixMs)>,
}

/// Who says when a target retires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayOf {
    /// Its vendor, as the catalogue has it.
    Catalogue,
    /// Whoever runs the gateway.
    Configuration,
}

impl DayOf {
    /// The name used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Configuration => "configuration",
        }
    }
}

/// What calls get from a target's day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnDay {
    /// What.
    pub policy: OnRetired,
    /// Whether somebody wrote it, rather than that it follows from a table that says nothing of it.
    pub is_written: bool,
}

/// The plan to leave a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFile {
    /// The file, as the configuration names it.
    pub path: Box<str>,
    /// How far it is.
    pub standing: Standing,
    /// Why it is not accepted, and what to do.
    pub why_not_accepted: Option<Box<str>>,
}

impl Lifecycles {
    /// The lives of targets with a table of their own.
    pub fn configured(&self) -> impl Iterator<Item = &Arc<Life>> {
        self.targets.values()
    }
}

impl Life {
    /// Adds to an answer what its client should know.
    pub(crate) fn stamp(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
    }

    /// Whether a key is spared by brownouts at a moment.
    pub(crate) fn spares(&self, key: &str, at: UnixMs) -> bool {
        self.opt_out.iter().any(|(name, until)| **name == *key && at < *until)
    }

    /// Until when keys are spared by brownouts.
    pub fn opt_outs(&self) -> impl Iterator<Item = (&str, UnixMs)> {
        self.opt_out.iter().map(|(name, until)| (&**name, *until))
    }

    /// Who answers from its day on: only where that is configured, and the plan to it was accepted as it stands.
    pub(crate) fn stands_in(&self) -> Option<&Arc<str>> {
        let is_wanted = self.on_day.is_some_and(|day| day.policy == OnRetired::Successor);
        let is_accepted = self.plan.as_ref().is_some_and(|plan| plan.standing == Standing::Accepted);
        self.successor.as_ref().filter(|_| is_wanted && is_accepted)
    }

    /// Where it stands at a moment.
    #[must_use]
    pub fn state(&self, at: UnixMs) -> State {
        self.cycle.state(at)
    }

    /// The day on which it retires, `YYYY-MM-DD`.
    #[must_use]
    pub fn day(&self) -> Option<String> {
        self.cycle.retires_at.map(day::of)
    }

    /// Makes the headers, once all else is known.
    fn write_headers(&mut self) {
        if !self.cycle.is_announced {
            return;
        }
        let mut links = Vec::new();
        if let Some(successor) = &self.successor {
            let (provider, model) = successor.split_once('/').unwrap_or_default();
            links.push(format!(
                "</v1/models/{}/{}>; rel=\"successor-version\"",
                segment(provider),
                segment(model)
            ));
        }
        let is_link = |url: &&str| !url.contains(['<', '>', '"', ' ']);
        if let Some(notice) = self.notice.as_deref().filter(is_link) {
            links.push(format!("<{notice}>; rel=\"deprecation\"; type=\"text/html\""));
        }
        if let Some(link) = self.link.as_deref().filter(is_link) {
            // RFC 8594, section 6: what is to be known of the retirement.
            links.push(format!("<{link}>; rel=\"sunset\""));
        }
        let since = self.cycle.deprecated_at.map(|since| (DEPRECATION, deprecation(since)));
        let end = self.cycle.retires_at.map(|end| (SUNSET, http_date(end)));
        let all = since.into_iter().chain(end).chain(links.into_iter().map(|link| (LINK, link)));
        self.headers =
            all.filter_map(|(name, text)| Some((name, HeaderValue::try_from(text).ok()?))).collect();
    }
}

impl Plan {
    /// The life of a provider's model; `None` for one that nobody said would end.
    pub(super) fn life(
        &self,
        provider: &Provider,
        (wire, real): (&str, &str),
        known: Option<&Model>,
    ) -> Option<Arc<Life>> {
        // Living models of configurations without lifecycles come past here: no name is made for them.
        let is_announced = known.and_then(Model::life).is_some_and(|life| life.notice || life.gone);
        if !is_announced && self.lifecycles.targets.is_empty() {
            return None;
        }
        let name = format!("{}/{wire}", provider.name);
        if let Some(life) = self.lifecycles.targets.get(&*name) {
            return Some(Arc::clone(life));
        }
        if !is_announced {
            return None;
        }
        let on_day = self.lifecycles.on_retired.map(|policy| OnDay { policy, is_written: true });
        let mut life = of_catalogue(&name, known?);
        life.on_day = on_day;
        life.successor = self.successor_of(provider, (wire, real), self.lifecycles.now).map(Into::into);
        life.write_headers();
        Some(Arc::new(life))
    }
}

impl Plan {
    /// The life of a target by its name, `provider/model`; `None` for one that nobody said would end, and for names that lead
    /// nowhere.
    #[must_use]
    pub fn life_of(&self, name: &str) -> Option<Arc<Life>> {
        let (provider, model) = name.split_once('/')?;
        let provider = self.provider(provider)?;
        let (wire, real) = provider.named(model);
        self.life(provider, (wire, real), self.catalog.model(&provider.platform, real).as_ref())
    }
}

/// What the catalogue alone says of a target.
fn of_catalogue(name: &str, model: &Model) -> Life {
    let (life, as_of) = (model.life().cloned().unwrap_or_default(), model.row().as_of.as_str());
    let is_announced = life.notice || life.gone;
    let deadline = life.deadline().map(str::to_owned);
    // What a feed calls gone without a day was gone at the latest on the day that the row is of.
    let end = deadline.as_deref().or_else(|| (life.gone && life.retires.is_none()).then_some(as_of));
    let since = life.announced.as_deref().unwrap_or(as_of);
    Life {
        target: name.into(),
        cycle: Lifecycle {
            is_announced,
            deprecated_at: Some(since).filter(|_| is_announced).and_then(day::start_of),
            retires_at: end.and_then(day::start_of),
            ..Lifecycle::default()
        },
        retires_by: end.map(|_| DayOf::Catalogue),
        vendor_day: deadline.map(Into::into),
        owner: None,
        link: None,
        notice: life.source.filter(|_| is_announced).map(Into::into),
        successor: None,
        on_day: None,
        plan: None,
        is_configured: false,
        headers: SmallVec::new(),
        opt_out: Vec::new(),
    }
}
