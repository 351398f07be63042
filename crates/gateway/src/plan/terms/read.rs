//! From what the file says to what it means, with the place of everything that is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use pilothouse_store::budget::{Anchor, Calendar, Every, OnLimit, Reserve, Rule, ScopeKind};
use pilothouse_store::keys::{BudgetGrant, Grants, LimitOf, Role, TemporaryLimit};
use pilothouse_store::limits::{Limits, Rate};
use pilothouse_store::runs::RunLimits;
use toml::Spanned;
use toml::value::Datetime;

use super::{Budgeted, DEPTH_MAX};
use crate::config::{BudgetSection, Diagnostic, File, LimitSection, RunSection, Team};

type Wrong = Vec<Diagnostic>;

/// A team and every team above it.
pub(super) fn chain<'f>(
    teams: &'f BTreeMap<Spanned<String>, Team>,
    name: &'f Spanned<String>,
    wrong: &mut Wrong,
) -> Vec<(&'f str, &'f Team)> {
    let mut chain: Vec<(&str, &Team)> = Vec::new();
    let mut next = Some(name);
    while let Some(name) = next {
        let is_child = chain.len() == 1;
        let Some((known, team)) = teams.iter().find(|(known, _)| known.get_ref() == name.get_ref()) else {
            // Told for the team that says it, not for every team below.
            if is_child {
                let names: Vec<&str> = teams.keys().map(|name| name.get_ref().as_str()).collect();
                wrong.push(Diagnostic::at(name.span(), no_team(name.get_ref(), &names)));
            }
            break;
        };
        if chain.iter().any(|(above, _)| *above == known.get_ref()) {
            let message = format!(
                "the team `{}` is above itself; take one `parent` of the circle away",
                name.get_ref()
            );
            // Of a circle that does not go through the first team, its own members tell.
            if chain[0].0 == known.get_ref() {
                wrong.push(Diagnostic::at(name.span(), message));
            }
            break;
        }
        if chain.len() == DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} teams are above each other; make the tree flatter");
            wrong.push(Diagnostic::at(name.span(), message));
            break;
        }
        chain.push((known.get_ref(), team));
        next = team.parent.as_ref();
    }
    chain
}

pub(super) fn no_team(name: &str, known: &[&str]) -> String {
    match known {
        [] => format!("there is no team `{name}`; add `[teams.{name}]`"),
        known => format!("there is no team `{name}`; there are {}", known.join(", ")),
    }
}

/// Routes that budgets name must be there.
pub(super) fn check_routes(file: &File, wrong: &mut Wrong) {
    let teams = file.teams.values().flat_map(|team| team.budget.iter().chain(&team.budgets));
    let keys = file.keys.values().flat_map(|key| key.budget.iter().chain(&key.budgets));
    let others = file.budgets.end_user.iter().chain(&file.budgets.run).chain(file.budgets.routes.values());
    let downgrades = teams.chain(keys).chain(others).filter_map(|section| section.on_limit.as_ref());
    let downgrades = downgrades
        .filter_map(|given| Some((given.get_ref().strip_prefix("downgrade ")?.trim(), given.span())));
    let budgeted = file.budgets.routes.keys().map(|name| (name.get_ref().as_str(), name.span()));
    for (name, span) in budgeted.chain(downgrades) {
        if !name.is_empty() && !file.routes.keys().any(|known| known.get_ref() == name) {
            let message =
                format!("there is no route `{name}`; add `[routes.{name}]`, or write the name of one");
            wrong.push(Diagnostic::at(span, message));
        }
    }
}

/// The number of something that is limited; nothing at all cannot be a limit.
fn positive<T: Copy + Default + PartialEq>(
    given: Option<&Spanned<T>>,
    what: &str,
    wrong: &mut Wrong,
) -> Option<T> {
    let given = given?;
    if *given.get_ref() == T::default() {
        let message = format!(
            "a limit of no {what} lets nothing through; take the key away instead, or write 1 or more"
        );
        wrong.push(Diagnostic::at(given.span(), message));
        return None;
    }
    Some(*given.get_ref())
}

pub(super) fn limits(section: &LimitSection, wrong: &mut Wrong) -> Limits {
    Limits {
        requests: positive(section.rpm.as_ref(), "requests", wrong).map(Rate::per_minute),
        tokens: positive(section.tpm.as_ref(), "tokens", wrong).map(Rate::per_minute),
        concurrency: positive(section.concurrency.as_ref(), "calls", wrong),
    }
}

/// Limits that are over at a moment. Keys that they name may be minted, and so unknown here.
pub(super) fn temporary(file: &File, wrong: &mut Wrong) -> Vec<TemporaryLimit> {
    let mut found = Vec::new();
    for (name, section) in &file.limits {
        let (of, subject) = match (&section.key, &section.team) {
            (Some(key), None) => (LimitOf::Key, key),
            (None, Some(team)) => {
                if !file.teams.keys().any(|known| known.get_ref() == team.get_ref()) {
                    let names: Vec<&str> = file.teams.keys().map(|name| name.get_ref().as_str()).collect();
                    wrong.push(Diagnostic::at(team.span(), no_team(team.get_ref(), &names)));
                }
                (LimitOf::Team, team)
            }
            _ => {
                let message = "a temporary limit is for one key or one team: give `key` or `team`";
                wrong.push(Diagnostic::at(name.span(), message));
                continue;
            }
        };
        let numbers = LimitSection {
            rpm: section.rpm.clone(),
            tpm: section.tpm.clone(),
            concurrency: section.concurrency.clone(),
        };
        let before = wrong.len();
        let limits = limits(&numbers, wrong);
        if limits.is_empty() && wrong.len() == before {
            let message = "nothing is limited here: give `rpm`, `tpm` or `concurrency`";
            wrong.push(Diagnostic::at(name.span(), message));
        }
        let Some(until) = expires(&section.until, wrong) else { continue };
        let (name, subject) = (name.get_ref().clone(), subject.get_ref().clone());
        found.push(TemporaryLimit { name, of, subject, limits, created: UnixMs(0), until });
    }
    found
}

pub(super) fn granted_limits(grants: &Grants) -> Limits {
    Limits {
        requests: grants.rpm.map(Rate::per_minute),
        tokens: grants.tpm.map(Rate::per_minute),
        concurrency: grants.concurrency,
    }
}

pub(super) fn run_limits(section: &RunSection, wrong: &mut Wrong) -> RunLimits {
    if let Some(given) = section.cycles.as_ref().filter(|given| *given.get_ref() > 8) {
        wrong.push(Diagnostic::at(given.span(), "cycles are watched for up to 8 rounds; write 1 to 8"));
    }
    let wall_seconds = positive(section.wall_seconds.as_ref(), "seconds", wrong);
    RunLimits {
        money: section.usd.as_ref().and_then(|given| money(&given.get_ref().0, given.span(), wrong)),
        turns: positive(section.turns.as_ref(), "turns", wrong),
        tool_calls: section.tool_calls.as_ref().map(|given| *given.get_ref()),
        wall_ms: wall_seconds.map(|seconds| seconds.saturating_mul(1000)),
        repeats: positive(section.repeats.as_ref(), "repetitions", wrong),
        cycles: positive(section.cycles.as_ref(), "rounds", wrong),
    }
}

pub(super) fn role(given: Option<&Spanned<String>>, wrong: &mut Wrong) -> Role {
    let Some(given) = given else { return Role::Caller };
    Role::parse(given.get_ref()).unwrap_or_else(|| {
        let names: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        let message = format!("`{}` is no role; there are {}", given.get_ref(), names.join(", "));
        wrong.push(Diagnostic::at(given.span(), message));
        Role::Caller
    })
}

/// A day is meant from its start in UTC; a time needs its offset, because nobody says whose clock it is by.
pub(in crate::plan) fn expires(given: &Spanned<Datetime>, wrong: &mut Wrong) -> Option<UnixMs> {
    let text = given.get_ref().to_string();
    let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.clone() };
    let moment = full.parse::<jiff::Timestamp>().ok();
    let found = moment.and_then(|moment| u64::try_from(moment.as_millisecond()).ok());
    if found.is_none() {
        let message = format!(
            "`{text}` is no moment; write a day (2026-12-31) or a time with its offset (2026-12-31T18:00:00Z)"
        );
        wrong.push(Diagnostic::at(given.span(), message));
    }
    found.map(UnixMs)
}

/// Budgets of one scope: at most one of each period, because each is counted under its period's name.
pub(super) fn budgets<'f>(
    sections: impl Iterator<Item = &'f BudgetSection>,
    (kind, scope): (ScopeKind, &str),
    wrong: &mut Wrong,
) -> Vec<Budgeted> {
    let mut found: Vec<Budgeted> = Vec::new();
    for section in sections {
        let Some(rule) = rule(section, wrong) else { continue };
        let every = rule.calendar().every();
        if found.iter().any(|known| known.rule.calendar().every() == every) {
            let message =
                format!("there is a budget per {} here already; keep one of the two", every.as_str());
            wrong.push(Diagnostic::at(section.every.span(), message));
            continue;
        }
        found.push(Budgeted { kind, scope: scope.into(), rule });
    }
    found
}

/// Reads a budget; what is wrong with it is told, all of it.
pub(super) fn rule(section: &BudgetSection, wrong: &mut Wrong) -> Option<Arc<Rule>> {
    let before = wrong.len();
    let limit = money(&section.usd.get_ref().0, section.usd.span(), wrong);
    let calendar = calendar(section, wrong);
    let on_limit =
        section.on_limit.as_ref().and_then(|given| noted(on_limit(given.get_ref()), given.span(), wrong));
    let reserve =
        section.reserve.as_ref().and_then(|given| noted(reserve(given.get_ref()), given.span(), wrong));
    let shares: Vec<u16> = section
        .alerts
        .iter()
        .filter_map(|share| noted(per_mille(*share.get_ref()), share.span(), wrong))
        .collect();
    let mut rule = noted(Rule::new(limit?, calendar?), section.usd.span(), wrong)?;
    rule.on_limit = on_limit.unwrap_or_default();
    rule.reserve = reserve.unwrap_or_default();
    let alerts_span = section.alerts.first().map_or(section.usd.span(), Spanned::span);
    let rule = noted(rule.with_alerts(&shares), alerts_span, wrong)?;
    (wrong.len() == before).then(|| Arc::new(rule))
}

fn noted<T>(result: Result<T, String>, span: std::ops::Range<usize>, wrong: &mut Wrong) -> Option<T> {
    result.map_err(|message| wrong.push(Diagnostic::at(span, message))).ok()
}

fn money(text: &str, span: std::ops::Range<usize>, wrong: &mut Wrong) -> Option<PicoUsd> {
    noted(PicoUsd::parse_usd(text), span, wrong)
}

fn calendar(section: &BudgetSection, wrong: &mut Wrong) -> Option<Calendar> {
    let every = noted(every(section.every.get_ref()), section.every.span(), wrong)?;
    let anchor = match &section.anchor {
        Some(given) => noted(anchor(every, &given.get_ref().0), given.span(), wrong)?,
        None => Anchor::default(),
    };
    let zone = section.tz.as_ref().map_or("UTC", |zone| zone.get_ref().as_str());
    let span = section.tz.as_ref().map_or_else(|| section.every.span(), Spanned::span);
    noted(Calendar::new(every, zone, anchor), span, wrong)
}

fn every(word: &str) -> Result<Every, String> {
    Every::parse(word).ok_or_else(|| {
        let names: Vec<_> = Every::ALL.iter().map(|every| every.as_str()).collect();
        format!("`{word}` is no period; there are {}", names.join(", "))
    })
}

fn on_limit(text: &str) -> Result<OnLimit, String> {
    match text.split_once(' ') {
        Some(("downgrade", route)) if !route.trim().is_empty() => Ok(OnLimit::Downgrade(route.trim().into())),
        None if text == "stop" => Ok(OnLimit::Stop),
        None if text == "warn" => Ok(OnLimit::Warn),
        _ => Err(format!("`{text}` is nothing that can be done; write `stop`, `warn` or `downgrade ROUTE`")),
    }
}

fn reserve(text: &str) -> Result<Reserve, String> {
    match text {
        "worst" => Ok(Reserve::Worst),
        "expected" => Ok(Reserve::Expected),
        _ => Err(format!("`{text}` cannot be reserved; write `worst` or `expected`")),
    }
}

/// What an anchor means depends on the period: a minute, a time of day, or a day of the month.
fn anchor(every: Every, text: &str) -> Result<Anchor, String> {
    let start = Anchor::default();
    let number = |text: &str| text.parse::<i8>().ok();
    let time = || {
        let (hour, minute) = text.split_once(':')?;
        Some((number(hour)?, number(minute)?))
    };
    let (found, wanted) = match every {
        Every::Hour => {
            let minute = number(text).filter(|minute| (0..60).contains(minute));
            (minute.map(|minute| Anchor { minute, ..start }), "an hour begins at a minute: write 0 to 59")
        }
        Every::Day => {
            let is_real = |(hour, minute): &(i8, i8)| (0..24).contains(hour) && (0..60).contains(minute);
            let found = time().filter(is_real).map(|(hour, minute)| Anchor { hour, minute, ..start });
            (found, "a day begins at a time: write one such as \"06:00\"")
        }
        Every::Month => {
            let day = number(text).filter(|day| (1..=31).contains(day));
            (day.map(|day| Anchor { day, ..start }), "a month begins on a day: write 1 to 31")
        }
        Every::Total => (None, "a budget for good begins nowhere: take `anchor` away"),
    };
    found.ok_or_else(|| wanted.to_owned())
}

/// A share of a cap in thousandths, from one in per cent.
fn per_mille(percent: f64) -> Result<u16, String> {
    let scaled = (percent * 10.0).round();
    if !(1.0..=10_000.0).contains(&scaled) {
        return Err(format!("{percent} % is never met; write 0.1 to 1000"));
    }
    // Within the bounds that were just checked.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10,000")]
    Ok(scaled as u16)
}

/// A budget of a minted key.
pub(super) fn granted_rule(grant: &BudgetGrant) -> Result<Rule, String> {
    let zone = grant.tz.as_deref().unwrap_or("UTC");
    let every = every(&grant.every)?;
    let begins = grant.anchor.as_deref().map_or(Ok(Anchor::default()), |text| anchor(every, text))?;
    let mut rule = Rule::new(PicoUsd::parse_usd(&grant.usd)?, Calendar::new(every, zone, begins)?)?;
    rule.on_limit = grant.on_limit.as_deref().map_or(Ok(OnLimit::default()), on_limit)?;
    rule.reserve = grant.reserve.as_deref().map_or(Ok(Reserve::default()), reserve)?;
    let shares: Vec<u16> =
        grant.alerts.iter().map(|percent| per_mille(*percent)).collect::<Result<_, _>>()?;
    rule.with_alerts(&shares)
}

/// Where a calendar's periods begin, as the configuration writes it; `None` for where they begin by themselves.
pub(super) fn anchor_text(calendar: &Calendar) -> Option<String> {
    let Anchor { day, hour, minute } = calendar.anchor();
    let text = match calendar.every() {
        Every::Hour => minute.to_string(),
        Every::Day => format!("{hour:02}:{minute:02}"),
        Every::Month => day.to_string(),
        Every::Total => return None,
    };
    (calendar.anchor() != Anchor::default()).then_some(text)
}

/// What happens at a cap, as the configuration writes it.
pub(crate) fn on_limit_text(on_limit: &OnLimit) -> String {
    match on_limit {
        OnLimit::Stop => "stop".to_owned(),
        OnLimit::Warn => "warn".to_owned(),
        OnLimit::Downgrade(route) => format!("downgrade {route}"),
    }
}
