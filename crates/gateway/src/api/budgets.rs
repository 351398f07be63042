//! Budgets in their newest period, and the shares of them that were met.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use pilothouse_core::clock::SystemClock;
use pilothouse_core::money::PicoUsd;
use pilothouse_store::EndAlert;
use pilothouse_store::budget::{AlertEntry, AlertRow, BudgetBooks, BudgetRow, Every, Rule, ScopeKind};

use super::keys::Managed;
use super::query::cursor;
use super::refusal::Refusal;
use super::shape::{Moment, Money, Page, shape};
use super::{Answered, Ask, reply};
use crate::plan::Thing;
use crate::plan::terms::on_limit_text;

shape! {
    answer
    /// A budget in its newest period.
    BudgetView {
        /// What it is about: `key`, `team`, `route`, `end user` or `run`.
        kind: &'static str,
        /// Its name; of an end user or a run, as the caller gave it.
        scope: String,
        /// The key whose end user or run it is.
        key: Option<String>,
        /// How often it starts anew: `hour`, `day`, `month` or `total`.
        every: &'static str,
        /// The zone whose calendar counts.
        tz: Option<String>,
        /// The cap; null for one that is not configured any more.
        cap: Option<Money>,
        /// What happens at the cap: `stop`, `warn` or `downgrade ROUTE`.
        on_limit: Option<String>,
        /// Where it is managed; null for one that is not configured any more.
        managed_by: Option<Managed>,
        /// The line of the configuration that has it, as `FILE:LINE`.
        place: Option<String>,
        /// When the period began; null for one that has no beginning.
        began: Option<Moment>,
        /// When it starts anew; null for never.
        resets: Option<Moment>,
        /// What was spent in the period, beyond the cap too; at most a second old.
        spent: Money,
        /// Of it, what no lease could pay.
        over: Money,
        /// What this process has set aside for calls under way; it is part of what is leased.
        reserved: Money,
        /// What processes have leased and not spent.
        leased: Money,
        /// What calls can still pay: the cap without what is spent and reserved.
        left: Option<Money>,
    }
}

shape! {
    answer
    /// Something that people were told: a share of a budget was met, or a target's end comes nearer.
    AlertView {
        /// Its number: later ones are larger.
        id: i64,
        /// When.
        at: Moment,
        /// What it is about: what a budget is about, or `target`.
        kind: &'static str,
        /// Its name.
        scope: String,
        /// The key whose end user or run it is.
        key: Option<String>,
        /// How often the budget starts anew; null for targets.
        every: Option<&'static str>,
        /// When the budget's period began; null for one that has no beginning.
        began: Option<Moment>,
        /// When the target ends, where that is known.
        ends: Option<Moment>,
        /// The share that was met, in per cent of the cap; null for targets.
        percent: Option<f64>,
        /// What was spent; null for targets.
        spent: Option<Money>,
        /// The cap; null for targets.
        cap: Option<Money>,
        /// The same as a sentence.
        text: String,
    }
}

/// A budget's place among all: its kind, its name, how often it starts anew.
type Name = (ScopeKind, String, usize);

fn place_of(every: Every) -> usize {
    Every::ALL.iter().position(|known| *known == every).unwrap_or_default()
}

/// Everything that has a budget now, but for end users and runs, which are met as they come.
fn configured(ask: &Ask) -> BTreeMap<Name, (Arc<Rule>, Managed)> {
    let mut found = BTreeMap::new();
    let mut add = |kind, scope: &str, rule: &Arc<Rule>, managed| {
        let name = (kind, scope.to_owned(), place_of(rule.calendar().every()));
        found.insert(name, (Arc::clone(rule), managed));
    };
    let governance = &ask.plan.governance;
    for key in ask.shared.minted.index().keys() {
        let terms = governance.minted_terms(&key.name, key.expires, &key.grants).unwrap_or_default();
        for budget in terms.budgets.iter().filter(|budget| budget.kind == ScopeKind::Key) {
            add(budget.kind, &budget.scope, &budget.rule, Managed::Store);
        }
    }
    for key in ask.plan.keys.iter().map(|(_, key)| key) {
        for budget in key.terms.budgets.iter().filter(|budget| budget.kind == ScopeKind::Key) {
            add(budget.kind, &budget.scope, &budget.rule, Managed::File);
        }
    }
    for (team, _, budgets) in governance.own_terms() {
        for budget in budgets {
            add(ScopeKind::Team, team, &budget.rule, Managed::File);
        }
    }
    for (route, rule) in &governance.routes {
        add(ScopeKind::Route, route, rule, Managed::File);
    }
    found
}

/// Where a list goes on. Names come last: they may hold anything.
fn read_place(text: &str) -> Option<Name> {
    let mut parts = text.splitn(3, '\u{1f}');
    let kind = parts.next().and_then(|word| ScopeKind::ALL.into_iter().find(|kind| kind.as_str() == word))?;
    let every = parts.next().and_then(Every::parse)?;
    Some((kind, parts.next()?.to_owned(), place_of(every)))
}

fn write_place((kind, scope, every): &Name) -> String {
    let every = Every::ALL.get(*every).copied().unwrap_or(Every::Total);
    format!("{}\u{1f}{}\u{1f}{scope}", kind.as_str(), every.as_str())
}

pub(super) fn list(ask: &Ask) -> Answered {
    let bad = || {
        Refusal::new(400, "the parameter `cursor`", "it is not one that was given here", "begin without one")
    };
    let after = ask.query.cursor()?.map(|text| read_place(&text).ok_or_else(bad)).transpose()?;
    let kind =
        ask.query.text("kind").and_then(|word| ScopeKind::ALL.into_iter().find(|kind| kind.as_str() == word));
    let rows = ask.query.rows();
    let configured = configured(ask);
    let books = BudgetBooks::open(ask.data_dir()?, &SystemClock).map_err(failed)?;
    let place = after
        .as_ref()
        .and_then(|(kind, scope, every)| Some((*kind, scope.as_str(), *Every::ALL.get(*every)?)));
    let spent = books.page(kind, place, rows + 1).map_err(failed)?;
    // Both lists are in one order, so that the first rows of both together are the first rows of all.
    let mut found: BTreeMap<Name, Option<BudgetRow>> = BTreeMap::new();
    let is_behind = |name: &Name| {
        after.as_ref().is_none_or(|after| name > after) && kind.is_none_or(|kind| kind == name.0)
    };
    for name in configured.keys().filter(|name| is_behind(name)) {
        found.insert(name.clone(), None);
    }
    for row in spent {
        found.insert((row.kind, row.scope.clone(), place_of(row.every)), Some(row));
    }
    let has_more = found.len() > rows as usize;
    let reserved = ask.shared.budgets.get().map(|budgets| budgets.reserved()).unwrap_or_default();
    let page: Vec<(Name, Option<BudgetRow>)> = found.into_iter().take(rows as usize).collect();
    let next_cursor = page.last().filter(|_| has_more).map(|(name, _)| cursor(&write_place(name)));
    let items = page.into_iter().map(|(name, row)| {
        let aside =
            reserved.iter().find(|one| one.0 == name.0 && *one.1 == *name.1 && place_of(one.2) == name.2);
        view(ask, &name, row.as_ref(), configured.get(&name), aside.map_or(PicoUsd::ZERO, |one| one.3))
    });
    reply(StatusCode::OK, &Page { items: items.collect(), next_cursor })
}

fn failed(error: pilothouse_store::StoreError) -> Refusal {
    Refusal::of_store(&error, "the budgets")
}

/// A name that a caller gave stands behind that of its key.
fn split(kind: ScopeKind, scope: &str) -> (Option<String>, String) {
    match scope.split_once('\u{1f}') {
        Some((key, name)) if matches!(kind, ScopeKind::EndUser | ScopeKind::Run) => {
            (Some(key.to_owned()), name.to_owned())
        }
        _ => (None, scope.to_owned()),
    }
}

fn view(
    ask: &Ask,
    (kind, scope, every): &Name,
    row: Option<&BudgetRow>,
    configured: Option<&(Arc<Rule>, Managed)>,
    reserved: PicoUsd,
) -> BudgetView {
    let governance = &ask.plan.governance;
    let of_callers = match kind {
        ScopeKind::EndUser => governance.end_user.as_ref(),
        ScopeKind::Run => governance.run.as_ref(),
        _ => None,
    };
    let every = Every::ALL.get(*every).copied().unwrap_or(Every::Total);
    let of_callers =
        of_callers.filter(|rule| rule.calendar().every() == every).map(|rule| (rule, Managed::File));
    let found = configured.map(|(rule, managed)| (rule, *managed)).or(of_callers);
    let rule = found.map(|(rule, _)| rule);
    let now = rule.map(|rule| rule.calendar().period_of(ask.now));
    // What nobody has met since its period ended has begun anew all the same.
    let row = row.filter(|row| ask.now < row.period.end || now.is_none());
    let period = row.map(|row| row.period).or(now);
    let (settled, over, leased) =
        row.map_or_else(Default::default, |row| (row.settled, row.over, row.leased));
    let left = rule.map(|rule| Money(PicoUsd((rule.limit().0 - settled.0 - reserved.0).max(0))));
    let thing = match kind {
        ScopeKind::Key => (Thing::Key, scope.as_str()),
        ScopeKind::Team => (Thing::Team, scope.as_str()),
        ScopeKind::Route => (Thing::Budget, scope.as_str()),
        ScopeKind::EndUser => (Thing::Budget, "end_user"),
        ScopeKind::Run => (Thing::Budget, "run"),
    };
    let managed_by = found.map(|(_, managed)| managed);
    let place = ask.plan.configured.place(thing.0, thing.1).filter(|_| managed_by == Some(Managed::File));
    let (key, scope) = split(*kind, scope);
    BudgetView {
        kind: kind.as_str(),
        scope,
        key,
        every: every.as_str(),
        tz: rule.map(|rule| rule.calendar().zone().to_owned()),
        cap: rule.map(|rule| Money(rule.limit())),
        on_limit: rule.map(|rule| on_limit_text(&rule.on_limit)),
        managed_by,
        place: place.map(|place| place.to_string()),
        began: period.filter(|period| period.start.0 > 0).map(|period| Moment(period.start)),
        resets: period.and_then(|period| period.resets_at()).map(Moment),
        spent: Money(settled + over),
        over: Money(over),
        reserved: Money(reserved),
        leased: Money(leased),
        left,
    }
}

pub(super) fn alerts(ask: &Ask) -> Answered {
    let (before, rows) = (ask.query.cursor_number()?, ask.query.rows());
    let books = BudgetBooks::open(ask.data_dir()?, &SystemClock).map_err(failed)?;
    let found = books.alerts(before, rows + 1).map_err(failed)?;
    let has_more = found.len() > rows as usize;
    let items: Vec<AlertView> = found.iter().take(rows as usize).map(alert).collect();
    let next_cursor = items.last().filter(|_| has_more).map(|last| cursor(&last.id.to_string()));
    reply(StatusCode::OK, &Page { items, next_cursor })
}

fn alert(entry: &AlertEntry) -> AlertView {
    match entry {
        AlertEntry::Budget(row) => of_budget(row),
        AlertEntry::End(end) => of_end(end),
    }
}

fn of_end(end: &EndAlert) -> AlertView {
    AlertView {
        id: end.id,
        at: Moment(end.at),
        kind: "target",
        scope: end.target.clone(),
        key: None,
        every: None,
        began: None,
        ends: end.ends.map(Moment),
        percent: None,
        spent: None,
        cap: None,
        text: end.text.clone(),
    }
}

fn of_budget(row: &AlertRow) -> AlertView {
    let told = &row.alert;
    let (key, scope) = split(told.kind, &told.scope);
    AlertView {
        id: row.id,
        at: Moment(row.at),
        kind: told.kind.as_str(),
        scope,
        key,
        every: Some(told.every.as_str()),
        ends: None,
        began: (row.start.0 > 0).then_some(Moment(row.start)),
        percent: Some(f64::from(told.per_mille) / 10.0),
        spent: Some(Money(told.spent)),
        cap: Some(Money(told.limit)),
        text: told.to_string().replace('\u{1f}', " "),
    }
}
