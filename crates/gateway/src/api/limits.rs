//! Limits as they stand now, and temporary ones, which are made here or in the configuration.

use std::collections::BTreeMap;

use http::StatusCode;
use pilothouse_store::keys::{LimitOf, TemporaryLimit};
use pilothouse_store::limits::{Counts, Limits, Rate};

use super::keys::Managed;
use super::query::cursor;
use super::refusal::Refusal;
use super::shape::{Moment, Page, one_of, shape};
use super::{Answered, Ask, reply};
use crate::plan::Thing;
use crate::plan::terms::{Governance, temporary_subject};

one_of! {
    /// Whose calls are counted.
    LimitKind {
        /// Those of one key.
        Key = "key",
        /// Those of a team's keys and of all teams below it.
        Team = "team",
    }
}

shape! {
    answer
    /// A number that is limited.
    Gauge {
        /// The limit.
        limit: u64,
        /// What is counted in it now.
        used: u64,
    }
}

shape! {
    answer
    /// The limits of a key or a team.
    LimitView {
        /// Whose calls are counted.
        of: LimitKind,
        /// The key's or the team's name.
        subject: String,
        /// The name of a temporary limit; null for the lasting ones.
        temporary: Option<String>,
        /// Where it is managed.
        managed_by: Managed,
        /// The line of the configuration that has it, as `FILE:LINE`.
        place: Option<String>,
        /// When it is over; null for never.
        until: Option<Moment>,
        /// Requests per minute.
        rpm: Option<Gauge>,
        /// Tokens per minute.
        tpm: Option<Gauge>,
        /// Calls at once.
        concurrency: Option<Gauge>,
    }
}

shape! {
    request
    /// A temporary limit for one key or one team.
    CreateLimit {
        /// Its name: 1 to 64 letters, digits, `-`, `_` or `.`, distinct among temporary limits.
        name: String,
        /// The key whose calls it counts.
        key: Option<String>,
        /// The team whose calls it counts, with those of all teams below it.
        team: Option<String>,
        /// Requests per minute.
        rpm: Option<u64>,
        /// Tokens per minute.
        tpm: Option<u64>,
        /// Calls at once.
        concurrency: Option<u32>,
        /// When it is over.
        until: Moment,
    }
}

shape! {
    answer
    /// What was ended.
    Ended {
        /// Its name.
        name: String,
        /// That it was ended.
        ended: bool,
    }
}

/// Every limit, by a name that orders them.
fn all(ask: &Ask) -> Result<BTreeMap<String, LimitView>, Refusal> {
    let mut found = BTreeMap::new();
    let mut add = |view: LimitView| {
        let kind = if view.of == LimitKind::Key { "key" } else { "team" };
        let temporary = view.temporary.as_deref().unwrap_or_default();
        found.insert(format!("{kind}\u{1f}{}\u{1f}{temporary}", view.subject), view);
    };
    let governance = &ask.plan.governance;
    for (name, limits, _) in governance.own_terms().filter(|(_, limits, _)| !limits.is_empty()) {
        add(lasting(ask, LimitOf::Team, name, limits, Managed::File));
    }
    let index = ask.shared.minted.index();
    for key in index.keys() {
        add(lasting(ask, LimitOf::Key, &key.name, Governance::granted_limits(&key.grants), Managed::Store));
    }
    for key in ask.plan.keys.iter().map(|(_, key)| key) {
        let own = format!("key {}", key.name);
        if let Some(subject) = key.terms.limits.iter().find(|subject| *subject.name == *own) {
            add(lasting(ask, LimitOf::Key, &key.name, subject.limits, Managed::File));
        }
    }
    for limit in governance.temporary.iter().filter(|limit| limit.until > ask.now) {
        add(temporary(ask, limit, Managed::File));
    }
    for limit in index.limits.iter().filter(|limit| limit.until > ask.now) {
        add(temporary(ask, limit, Managed::Store));
    }
    found.retain(|_, view| view.rpm.is_some() || view.tpm.is_some() || view.concurrency.is_some());
    Ok(found)
}

fn view(ask: &Ask, subject: &str, limits: Limits) -> (Option<Gauge>, Option<Gauge>, Option<Gauge>) {
    let gauge =
        |limit: u64, counts| Gauge { limit, used: ask.shared.counters.level(subject, counts, ask.now) };
    (
        limits.requests.map(|rate| gauge(rate.per_minute, Counts::Requests)),
        limits.tokens.map(|rate| gauge(rate.per_minute, Counts::Tokens)),
        limits.concurrency.map(|most| gauge(most.into(), Counts::Concurrency)),
    )
}

fn kind(of: LimitOf) -> LimitKind {
    match of {
        LimitOf::Key => LimitKind::Key,
        LimitOf::Team => LimitKind::Team,
    }
}

fn lasting(ask: &Ask, of: LimitOf, name: &str, limits: Limits, managed_by: Managed) -> LimitView {
    let (rpm, tpm, concurrency) = view(ask, &format!("{} {name}", of.as_str()), limits);
    let thing = if of == LimitOf::Key { Thing::Key } else { Thing::Team };
    let place = ask.plan.configured.place(thing, name).map(|place| place.to_string());
    LimitView {
        of: kind(of),
        subject: name.to_owned(),
        temporary: None,
        managed_by,
        place: place.filter(|_| managed_by == Managed::File),
        until: None,
        rpm,
        tpm,
        concurrency,
    }
}

fn temporary(ask: &Ask, limit: &TemporaryLimit, managed_by: Managed) -> LimitView {
    let (rpm, tpm, concurrency) = view(ask, &temporary_subject(limit).name, limit.limits);
    let place = ask.plan.configured.place(Thing::Limit, &limit.name).filter(|_| managed_by == Managed::File);
    LimitView {
        of: kind(limit.of),
        subject: limit.subject.clone(),
        temporary: Some(limit.name.clone()),
        managed_by,
        place: place.map(|place| place.to_string()),
        until: Some(Moment(limit.until)),
        rpm,
        tpm,
        concurrency,
    }
}

pub(super) fn list(ask: &Ask) -> Answered {
    let (after, rows) = (ask.query.cursor()?, ask.query.rows() as usize);
    let behind = all(ask)?.into_iter().filter(|(place, _)| after.as_ref().is_none_or(|after| place > after));
    let mut found: Vec<(String, LimitView)> = behind.take(rows + 1).collect();
    let has_more = found.len() > rows;
    found.truncate(rows);
    let next_cursor = found.last().filter(|_| has_more).map(|(place, _)| cursor(place));
    reply(StatusCode::OK, &Page { items: found.into_iter().map(|(_, view)| view).collect(), next_cursor })
}

fn thing(name: &str) -> String {
    format!("the temporary limit `{}`", name.chars().take(80).collect::<String>())
}

pub(super) fn create(ask: &Ask) -> Answered {
    let given: CreateLimit = ask.body()?;
    let thing = thing(&given.name);
    if let Some(place) = ask.plan.configured.place(Thing::Limit, &given.name) {
        return Err(Refusal::managed(thing, Some(&place)));
    }
    let (of, subject) = match (given.key, given.team) {
        (Some(key), None) => (LimitOf::Key, key),
        (None, Some(team)) => (LimitOf::Team, team),
        _ => return Err(Refusal::invalid(thing, "it is for one key or one team: give `key` or `team`")),
    };
    let limits = Limits {
        requests: given.rpm.map(Rate::per_minute),
        tokens: given.tpm.map(Rate::per_minute),
        concurrency: given.concurrency,
    };
    if limits.is_empty() || [given.rpm, given.tpm, given.concurrency.map(u64::from)].contains(&Some(0)) {
        return Err(Refusal::invalid(
            thing,
            "it limits nothing, or to nothing: give `rpm`, `tpm` or `concurrency`, from 1 on",
        ));
    }
    if given.until.0 <= ask.now {
        return Err(Refusal::invalid("`until`", format!("{} is over", super::iso(given.until.0))));
    }
    let team = team_of(ask, of, &subject)?;
    ask.actor.may_change(&ask.plan, team.as_deref(), &thing)?;
    let limit =
        TemporaryLimit { name: given.name, of, subject, limits, created: ask.now, until: given.until.0 };
    let created = ask.keys()?.create_limit(&limit, &ask.actor.name, ask.now);
    created.map_err(|error| Refusal::of_store(&error, &thing))?;
    reply(StatusCode::CREATED, &temporary(ask, &limit, Managed::Store))
}

/// The team that something belongs to, which says who may limit it.
fn team_of(ask: &Ask, of: LimitOf, subject: &str) -> Result<Option<String>, Refusal> {
    let missing =
        |what: &str| Refusal::invalid(format!("`{what}`"), format!("there is no {what} `{subject}`"));
    if of == LimitOf::Team {
        let is_there = ask.plan.governance.own_terms().any(|(name, ..)| name == subject);
        return if is_there { Ok(Some(subject.to_owned())) } else { Err(missing("team")) };
    }
    if let Some(key) = ask.plan.keys.iter().map(|(_, key)| key).find(|key| *key.name == *subject) {
        return Ok(key.terms.team.as_ref().map(|team| team.to_string()));
    }
    let index = ask.shared.minted.index();
    let key = index.keys().find(|key| *key.name == *subject).ok_or_else(|| missing("key"))?;
    Ok(key.grants.team.clone())
}

pub(super) fn end(ask: &Ask) -> Answered {
    let thing = thing(&ask.id);
    if let Some(place) = ask.plan.configured.place(Thing::Limit, &ask.id) {
        return Err(Refusal::managed(thing, Some(&place)));
    }
    let keys = ask.keys()?;
    let limits = keys.limits().map_err(|error| Refusal::of_store(&error, "temporary limits"))?;
    let Some(limit) = limits.into_iter().find(|limit| limit.name == ask.id && limit.until > ask.now) else {
        return Err(Refusal::new(
            404,
            thing,
            "there is no such limit",
            "GET /api/v1/limits lists those there are",
        ));
    };
    // What a limit counts may be gone by now: then only an admin ends it.
    let team = team_of(ask, limit.of, &limit.subject).unwrap_or_default();
    ask.actor.may_change(&ask.plan, team.as_deref(), &thing)?;
    keys.end_limit(&ask.id, &ask.actor.name, ask.now).map_err(|error| Refusal::of_store(&error, &thing))?;
    reply(StatusCode::OK, &Ended { name: ask.id.clone(), ended: true })
}
