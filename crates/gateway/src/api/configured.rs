//! What the configuration has, with its lines. It is changed there.

use http::StatusCode;
use pilothouse_store::limits::Limits;
use serde::Serialize;

use super::keys::KeyBudget;
use super::query::cursor;
use super::shape::{Page, shape};
use super::{Answered, Ask, reply};
use crate::plan::{Provider, Route, Thing};

shape! {
    answer
    /// A team.
    TeamView {
        /// Its name.
        name: String,
        /// The line of the configuration that has it, as `FILE:LINE`.
        place: Option<String>,
        /// The team above it.
        parent: Option<String>,
        /// Its own requests per minute.
        rpm: Option<u64>,
        /// Its own tokens per minute.
        tpm: Option<u64>,
        /// Its own calls at once.
        concurrency: Option<u32>,
        /// Its own budgets.
        budgets: Vec<KeyBudget>,
    }
}

shape! {
    answer
    /// A place that serves models.
    ProviderView {
        /// Its name.
        name: String,
        /// The line of the configuration that has it, as `FILE:LINE`; null for one that was found on this machine.
        place: Option<String>,
        /// The vendor's name in the catalogue.
        vendor: Option<String>,
        /// The platform whose prices apply.
        platform: String,
        /// How it is called, the preferred way first.
        surfaces: Vec<SurfaceView>,
        /// How many credentials it has.
        credentials: usize,
        /// How calls are authorised, or what that lacks, where it is not simply the vendor's own key.
        authentication: Option<String>,
        /// Further attempts after the first.
        retries: u32,
        /// Whether its models rest after failures.
        breaker: bool,
        /// Bare names that it answers to besides the catalogue's.
        models: Vec<String>,
    }
}

shape! {
    answer
    /// A way to call a provider.
    SurfaceView {
        /// The wire format.
        dialect: String,
        /// Host and port.
        address: String,
    }
}

shape! {
    answer
    /// A name that applications call.
    RouteView {
        /// Its name.
        name: String,
        /// The line of the configuration that has it, as `FILE:LINE`.
        place: Option<String>,
        /// How its targets are ordered for a call.
        strategy: String,
        /// Who takes it.
        targets: Vec<RouteTargetView>,
        /// Most tokens of an answer.
        max_output_tokens: Option<u64>,
        /// Milliseconds until an answer is there, over all attempts.
        deadline_ms: Option<u64>,
        /// Further attempts at the same target while another one is left.
        retries: u32,
    }
}

shape! {
    answer
    /// One of a route's targets.
    RouteTargetView {
        /// `PROVIDER/MODEL`.
        target: String,
        /// The line of the configuration that names it, as `FILE:LINE`.
        place: Option<String>,
        /// Whether it stands by for when none of the others can.
        fallback: bool,
        /// Its share of the calls, relative to the others'.
        weight: u32,
        /// Where it computes.
        region: Option<String>,
        /// What is known of data and use.
        tags: Vec<String>,
    }
}

shape! {
    answer
    /// A name that can be called now.
    ModelView {
        /// The name.
        name: String,
        /// The provider that takes it: of a route, that of its first target.
        provider: String,
        /// Whether it is a route.
        route: bool,
        /// The line of the configuration that has the route or the provider, as `FILE:LINE`.
        place: Option<String>,
    }
}

/// Some of a list that is in memory; its places are numbers.
fn page<T: Serialize>(ask: &Ask, all: impl Iterator<Item = T>) -> Answered {
    let (first, rows) = (ask.query.cursor_number()?.unwrap_or_default(), ask.query.rows() as usize);
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    let mut items: Vec<T> = all.skip(first).take(rows + 1).collect();
    let has_more = items.len() > rows;
    items.truncate(rows);
    let next_cursor = has_more.then(|| cursor(&(first + rows).to_string()));
    reply(StatusCode::OK, &Page { items, next_cursor })
}

fn place(ask: &Ask, thing: Thing, name: &str) -> Option<String> {
    ask.plan.configured.place(thing, name).map(|place| place.to_string())
}

pub(super) fn teams(ask: &Ask) -> Answered {
    let view = |(name, limits, budgets): (&str, Limits, Vec<&crate::plan::terms::Budgeted>)| TeamView {
        name: name.to_owned(),
        place: place(ask, Thing::Team, name),
        parent: ask.plan.configured.parent(name).map(str::to_owned),
        rpm: limits.requests.map(|rate| rate.per_minute),
        tpm: limits.tokens.map(|rate| rate.per_minute),
        concurrency: limits.concurrency,
        budgets: budgets.into_iter().map(KeyBudget::of).collect(),
    };
    page(ask, ask.plan.governance.own_terms().map(view))
}

pub(super) fn providers(ask: &Ask) -> Answered {
    let view = |provider: &std::sync::Arc<Provider>| {
        let surface = |surface: &crate::plan::Surface| SurfaceView {
            dialect: surface.dialect.to_string(),
            address: surface.origin.authority().to_owned(),
        };
        ProviderView {
            name: provider.name.to_string(),
            place: place(ask, Thing::Provider, &provider.name).filter(|_| !ask.plan.is_discovered),
            vendor: Some(provider.vendor.clone()).filter(|vendor| !vendor.is_empty()),
            platform: provider.platform.clone(),
            surfaces: provider.surfaces.iter().map(surface).collect(),
            credentials: provider.credentials(),
            authentication: provider.authentication.clone(),
            retries: provider.retries,
            breaker: provider.has_breaker,
            models: provider.models.clone(),
        }
    };
    page(ask, ask.plan.providers.iter().map(view))
}

pub(super) fn routes(ask: &Ask) -> Answered {
    let mut routes: Vec<_> = ask.plan.routes.values().collect();
    routes.sort_unstable_by(|left, right| left.name.cmp(&right.name));
    page(ask, routes.into_iter().map(|route| route_view(ask, route)))
}

fn route_view(ask: &Ask, route: &Route) -> RouteView {
    let target = |(index, candidate): (usize, &pilothouse_routing::Candidate)| RouteTargetView {
        target: candidate.name.to_string(),
        place: ask.plan.configured.target(&route.name, index).map(|place| place.to_string()),
        fallback: candidate.is_fallback,
        weight: candidate.weight,
        region: candidate.region.as_deref().map(str::to_owned),
        tags: candidate.tags.iter().map(|tag| tag.to_string()).collect(),
    };
    RouteView {
        name: route.name.to_string(),
        place: place(ask, Thing::Route, &route.name),
        strategy: route.strategy.to_string(),
        targets: route.chooser.candidates().iter().enumerate().map(target).collect(),
        max_output_tokens: route.output_tokens_max,
        deadline_ms: route.deadline.map(|deadline| u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX)),
        retries: route.retries,
    }
}

pub(super) fn models(ask: &Ask) -> Answered {
    let view = |(name, provider): &(String, std::sync::Arc<Provider>)| {
        let route = ask.plan.route(name).is_some();
        let (thing, of) =
            if route { (Thing::Route, name.as_str()) } else { (Thing::Provider, &*provider.name) };
        ModelView {
            name: name.clone(),
            provider: provider.name.to_string(),
            route,
            place: place(ask, thing, of).filter(|_| !ask.plan.is_discovered),
        }
    };
    page(ask, ask.plan.callable().iter().map(view))
}
