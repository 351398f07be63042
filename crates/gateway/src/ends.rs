//! Watches the ends of targets beside the requests: tells people before each, with who still calls it, and keeps what vendors say
//! against the catalogue.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pilothouse_catalog::Status;
use pilothouse_catalog::day::DAY_MS;
use pilothouse_core::clock::UnixMs;
use pilothouse_migrate::lifecycle::{State, mark_due};
use pilothouse_store::{By, Caller, EndConflict, Ends, Mark, Reader, StoreError, UsageQuery};

use crate::config::OnRetired;
use crate::plan::lifecycle::{DayOf, Life};
use crate::plan::{Plan, Target};
use crate::shared::Shared;

/// Days over which callers are looked for.
pub(crate) const CALLER_DAYS: u64 = 7;
/// Days over which a target counts as used.
const USED_DAYS: u64 = 30;
/// Callers that one alert names.
const NAMED_MAX: usize = 5;
/// Conflicts and alerts that wait, at most.
const WAITING_MAX: usize = 256;
/// Bytes of a vendor's sentence that are kept.
const SAID_MAX: usize = 300;
const HOUR_MS: u64 = 3_600_000;

/// What is watched of ends.
#[derive(Debug, Default)]
pub struct EndWatch {
    /// The hour and the configuration for which was last looked.
    looked: Mutex<Option<(u64, u64)>>,
    /// What vendors said against the catalogue, until it is kept.
    gone: Mutex<VecDeque<EndConflict>>,
    /// Sentences that nobody has taken, oldest first.
    alerts: Mutex<VecDeque<String>>,
    /// What is kept of conflicts, as last seen.
    conflicts: Mutex<Vec<EndConflict>>,
}

/// A target that ends, with the routes that hold it.
pub(crate) struct Ending {
    pub(crate) life: Arc<Life>,
    pub(crate) routes: Vec<String>,
}

impl EndWatch {
    /// Notes that a vendor says that a model is gone, where the catalogue has it in service.
    pub(crate) fn says_gone(&self, target: &Target, status: u16, said: &str, now: UnixMs) {
        let Some(known) = target.known.as_ref().filter(|known| known.status(now) != Status::Retired) else {
            return;
        };
        let target = target.name();
        let mut waiting = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX || waiting.iter().any(|one| one.target == target) {
            return;
        }
        let said: String = said.chars().filter(|one| !one.is_control()).take(SAID_MAX).collect();
        let day = known.deadline().map(str::to_owned);
        waiting.push_back(EndConflict { target, day, status, said, first: now, last: now, seen: 1 });
    }

    /// What should be told to people since the last question.
    pub(crate) fn take_alerts(&self) -> Vec<String> {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    /// What vendors said against the catalogue, as last seen.
    pub(crate) fn conflicts(&self) -> Vec<EndConflict> {
        self.conflicts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn told(&self, text: String) {
        let mut alerts = self.alerts.lock().unwrap_or_else(PoisonError::into_inner);
        if alerts.len() >= WAITING_MAX {
            alerts.pop_front();
        }
        alerts.push_back(text);
    }
}

/// Looks once: keeps what vendors said, and tells what is due. Costs nothing while neither is there and the hour is the same.
///
/// # Errors
/// The disk's refusal; what could not be told is told at the next look.
pub(crate) fn look(shared: &Shared, data_dir: &Path) -> Result<(), StoreError> {
    let watch = &shared.ends;
    let plan = shared.plan.load();
    let now = shared.clock.now();
    let gone: Vec<EndConflict> =
        watch.gone.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
    let place = (now.0 / HOUR_MS, plan.version);
    let has_looked = *watch.looked.lock().unwrap_or_else(PoisonError::into_inner) == Some(place);
    if has_looked && gone.is_empty() {
        return Ok(());
    }
    let mut ends = Ends::open(data_dir, &*shared.clock)?;
    for conflict in gone {
        let text = contradicted(&plan, &conflict);
        if ends.note_conflict(&conflict, &text)? {
            watch.told(text);
        }
        // Only what is kept is forgotten.
        let mut waiting = watch.gone.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|one| one.target != conflict.target);
    }
    if !has_looked {
        tell_due(shared, &plan, &mut ends, &Reader::open(data_dir)?, now)?;
    }
    *watch.conflicts.lock().unwrap_or_else(PoisonError::into_inner) = ends.conflicts()?;
    *watch.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    Ok(())
}

/// Tells each mark that was reached, once.
fn tell_due(
    shared: &Shared,
    plan: &Plan,
    ends: &mut Ends,
    reader: &Reader,
    now: UnixMs,
) -> Result<(), StoreError> {
    for Ending { life, routes } in endings(plan, reader, now)?.values() {
        let (Some(left), Some(at)) = (life.cycle.days_left(now), life.cycle.retires_at) else { continue };
        let Some(days) = mark_due(left, &plan.lifecycles.alerts) else { continue };
        let mark = Mark { target: &life.target, ends: at, days };
        if ends.is_told(&mark)? {
            continue;
        }
        let callers = callers(reader, &life.target, now)?;
        let text = approaching(life, left, &callers, routes);
        if ends.tell(&mark, now, &text)? {
            shared.ends.told(text);
        }
    }
    Ok(())
}

/// Every target that ends and that is configured, held by a route, or was called of late; by name.
pub(crate) fn endings(
    plan: &Plan,
    reader: &Reader,
    now: UnixMs,
) -> Result<BTreeMap<Box<str>, Ending>, StoreError> {
    let mut found: BTreeMap<Box<str>, Ending> = BTreeMap::new();
    let mut add = |life: &Arc<Life>, route: Option<&str>| {
        let entry = found
            .entry(life.target.clone())
            .or_insert_with(|| Ending { life: Arc::clone(life), routes: Vec::new() });
        if let Some(route) = route.filter(|route| !entry.routes.iter().any(|known| known == route)) {
            entry.routes.push(route.to_owned());
        }
    };
    plan.lifecycles.configured().for_each(|life| add(life, None));
    for route in plan.routes.values() {
        let lives = route.targets.iter().filter_map(|resolution| resolution.target.life.as_ref());
        lives.for_each(|life| add(life, Some(&route.name)));
    }
    let since = UnixMs(now.0.saturating_sub(USED_DAYS * DAY_MS));
    let used = reader.usage(&UsageQuery { by: By::Model, since: Some(since), until: None })?;
    for name in used.rows.iter().filter_map(|row| row.name.as_deref()) {
        if let Some(life) = plan.life_of(name) {
            add(&life, None);
        }
    }
    for ending in found.values_mut() {
        ending.routes.sort_unstable();
    }
    Ok(found)
}

/// Who called a target in the last days.
pub(crate) fn callers(reader: &Reader, target: &str, now: UnixMs) -> Result<Vec<Caller>, StoreError> {
    let (vendor, model) = target.split_once('/').unwrap_or_default();
    reader.callers(vendor, model, UnixMs(now.0.saturating_sub(CALLER_DAYS * DAY_MS)))
}

/// The sentence of an end that comes nearer.
fn approaching(life: &Life, left: i64, callers: &[Caller], routes: &[String]) -> String {
    let day = life.day().unwrap_or_default();
    let by = match life.retires_by {
        Some(DayOf::Configuration) => "by the configuration",
        _ => "by its vendor",
    };
    let when = match left {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        left => format!("in {left} days"),
    };
    let held = match routes {
        [] => String::new(),
        routes => format!("; routes that hold it: {}", routes.join(", ")),
    };
    let owner = life.owner.as_ref().map_or_else(String::new, |owner| format!("; owner: {owner}"));
    let model = life.target.split_once('/').map_or(&*life.target, |(_, model)| model);
    format!(
        "`{}` is retired {by} on {day}, {when}; {}{held}; on the day {}{owner}; next: pilothouse migrate plan {model}",
        life.target,
        called_by(callers),
        on_the_day(life)
    )
}

/// Who still calls it, in words.
fn called_by(callers: &[Caller]) -> String {
    if callers.is_empty() {
        return format!("nobody called it in the last {CALLER_DAYS} days");
    }
    let named: Vec<String> = callers
        .iter()
        .take(NAMED_MAX)
        .map(|caller| {
            let key = caller.key.as_deref().filter(|key| !key.is_empty());
            let key = key.map_or_else(|| "calls without a key".to_owned(), |key| format!("key `{key}`"));
            let application = caller.application.as_deref().filter(|name| !name.is_empty());
            let application = application.map_or_else(String::new, |name| format!("application {name}, "));
            format!("{key} ({application}{} calls)", caller.exchanges)
        })
        .collect();
    let more = callers.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("in the last {CALLER_DAYS} days it was called by {}{more}", named.join(", "))
}

/// What calls get from the day on, in words.
pub(crate) fn on_the_day(life: &Life) -> String {
    match (life.on_day, life.stands_in()) {
        (_, Some(successor)) => format!("`{successor}` answers instead"),
        (Some(day), None) if day.policy == OnRetired::Successor => {
            "calls are refused, because no accepted plan says who follows".to_owned()
        }
        (Some(_), None) => "calls are refused".to_owned(),
        (None, None) => "its vendor decides, and refuses as a rule".to_owned(),
    }
}

/// The sentence of a vendor's word against the catalogue.
fn contradicted(plan: &Plan, conflict: &EndConflict) -> String {
    let until = match &conflict.day {
        Some(day) => format!("until {day}"),
        None => "without an end".to_owned(),
    };
    let life = plan.life_of(&conflict.target);
    let next = match life.as_ref().and_then(|life| life.successor.as_ref()) {
        Some(successor) => format!("its successor is `{successor}`"),
        None => "nobody is named that follows it".to_owned(),
    };
    format!(
        "`{}` is gone by its vendor's word ({}: {}), but in service {until} by the catalogue; {next}; next: pilothouse models \
         refresh",
        conflict.target, conflict.status, conflict.said
    )
}

/// Whether a conflict still is one: the catalogue may have learned what the vendor says.
pub(crate) fn still_holds(life: &Life, conflict: &EndConflict, now: UnixMs) -> bool {
    life.target.as_ref() == conflict.target && life.state(now) < State::Retired
}
