//! Targets that end: where each stands, what happens on its day, and who still calls it.

use http::StatusCode;
use pilothouse_migrate::lifecycle::{BrownoutAnswer, State};
use pilothouse_store::{Caller, EndConflict, Ends, Reader};

use super::query::cursor;
use super::refusal::Refusal;
use super::shape::{Moment, Money, Page, one_of, shape};
use super::{Answered, Ask, ledger_failed, reply};
use crate::config::OnRetired;
use crate::ends::{self, Ending, callers, endings, on_the_day};
use crate::plan::Thing;
use crate::plan::lifecycle::Life;

/// Callers of one target, at most.
const CALLERS_MAX: usize = 100;

one_of! {
    /// Where a target stands in its life.
    LifeState {
        /// In service, and nobody said that it ends.
        Active = "active",
        /// In service, and its end is announced: it takes every call.
        Deprecated = "deprecated",
        /// In service for some: calls are being tried without it.
        Brownout = "brownout",
        /// Its day has come.
        Retired = "retired",
        /// Nothing stands in for it any more.
        Removed = "removed",
    }
}

shape! {
    answer
    /// The plan to leave a target.
    LeavingPlanView {
        /// The file, as the configuration names it.
        path: String,
        /// `draft`, `accepted`, or `changed after it was accepted`.
        standing: &'static str,
        /// Why it is not accepted, and what to do.
        why_not_accepted: Option<String>,
    }
}

shape! {
    answer
    /// A time in which calls are tried without a target.
    BrownoutView {
        /// The share of conversations that is drawn, in per cent.
        percent: f64,
        /// Whether it holds now.
        is_on: bool,
        /// What the calls get that are drawn: `successor` or `refuse`.
        answer: &'static str,
    }
}

shape! {
    answer
    /// A key that brownouts spare.
    SparedView {
        /// Its name.
        key: String,
        /// When that is over.
        until: Moment,
    }
}

shape! {
    answer
    /// Who called a target in the last seven days.
    EndCallerView {
        /// The key; null for calls without one.
        key: Option<String>,
        /// The application, where known.
        application: Option<String>,
        /// How often.
        exchanges: u64,
        /// What that cost, as far as it is known.
        cost: Money,
        /// The hour of the last call.
        last: Moment,
    }
}

shape! {
    answer
    /// A vendor's word against the catalogue: it says that the model is gone.
    EndConflictView {
        /// The day on which it ends by the catalogue, where it has one.
        day: Option<String>,
        /// The status of the vendor's answer.
        status: u16,
        /// What the vendor said.
        said: String,
        /// When it said so first.
        first: Moment,
        /// When it said so last.
        last: Moment,
    }
}

shape! {
    answer
    /// The life of a target.
    LifeView {
        /// `PROVIDER/MODEL`.
        target: String,
        /// Where it stands.
        state: LifeState,
        /// When its end was announced, where known.
        deprecated: Option<Moment>,
        /// When it retires, where that is known.
        retires: Option<Moment>,
        /// Who says so: `catalogue` or `configuration`.
        retires_by: Option<&'static str>,
        /// Whole days until then: 0 on the day, negative after it.
        days_left: Option<i64>,
        /// When nothing stands in for it any more.
        removed: Option<Moment>,
        /// Who is responsible for leaving it.
        owner: Option<String>,
        /// Who takes calls instead, as `PROVIDER/MODEL`.
        successor: Option<String>,
        /// What is configured for its day: `successor` or `fail`; null leaves it to what the vendor says.
        on_retired: Option<&'static str>,
        /// What calls get from its day on, as things stand: a sentence.
        on_the_day: String,
        /// The plan to leave it.
        plan: Option<LeavingPlanView>,
        /// Where people read about it.
        link: Option<String>,
        /// The vendor's notice.
        notice: Option<String>,
        /// Times in which calls are tried without it.
        brownouts: Vec<BrownoutView>,
        /// Keys that brownouts spare.
        spared: Vec<SparedView>,
        /// The routes that hold it.
        routes: Vec<String>,
        /// Who called it in the last seven days, the busiest first; at most 100.
        callers: Vec<EndCallerView>,
        /// What its vendor says against the catalogue.
        conflict: Option<EndConflictView>,
        /// The line of the configuration that has it, as `FILE:LINE`.
        place: Option<String>,
    }
}

pub(super) fn list(ask: &Ask) -> Answered {
    let after = ask.query.cursor()?;
    let rows = ask.query.rows() as usize;
    let reader = ask.ledger()?;
    let conflicts = Ends::look(ask.data_dir()?).and_then(|ends| ends.conflicts()).map_err(ledger_failed)?;
    let all = endings(&ask.plan, &reader, ask.now).map_err(ledger_failed)?;
    let mut rest = all.iter().filter(|(name, _)| after.as_ref().is_none_or(|after| ***name > **after));
    let mut items = Vec::new();
    for (_, ending) in rest.by_ref().take(rows) {
        items.push(view(ask, &reader, ending, &conflicts)?);
    }
    let next_cursor =
        items.last().filter(|_| rest.next().is_some()).map(|last: &LifeView| cursor(&last.target));
    reply(StatusCode::OK, &Page { items, next_cursor })
}

fn view(ask: &Ask, reader: &Reader, ending: &Ending, conflicts: &[EndConflict]) -> Result<LifeView, Refusal> {
    let (life, now) = (&*ending.life, ask.now);
    let cycle = &life.cycle;
    let callers = callers(reader, &life.target, now).map_err(ledger_failed)?;
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    Ok(LifeView {
        target: life.target.to_string(),
        state: state(life.state(now)),
        deprecated: cycle.deprecated_at.map(Moment),
        retires: cycle.retires_at.map(Moment),
        retires_by: life.retires_by.map(|by| by.as_str()),
        days_left: cycle.days_left(now),
        removed: cycle.removed_at.map(Moment),
        owner: text(&life.owner),
        successor: life.successor.as_deref().map(str::to_owned),
        on_retired: life.on_day.map(|day| match day.policy {
            OnRetired::Successor => "successor",
            OnRetired::Fail => "fail",
        }),
        on_the_day: on_the_day(life),
        plan: life.plan.as_ref().map(|plan| LeavingPlanView {
            path: plan.path.to_string(),
            standing: plan.standing.as_str(),
            why_not_accepted: text(&plan.why_not_accepted),
        }),
        link: text(&life.link),
        notice: text(&life.notice),
        brownouts: brownouts(life, ask),
        spared: life
            .opt_outs()
            .map(|(key, until)| SparedView { key: key.to_owned(), until: Moment(until) })
            .collect(),
        routes: ending.routes.clone(),
        callers: callers.into_iter().take(CALLERS_MAX).map(caller).collect(),
        conflict: conflicts.iter().find(|one| ends::still_holds(life, one, now)).map(conflict),
        place: ask.plan.configured.place(Thing::Lifecycle, &life.target).map(|place| place.to_string()),
    })
}

fn brownouts(life: &Life, ask: &Ask) -> Vec<BrownoutView> {
    let has_ended = life.state(ask.now) >= State::Retired;
    let each = life.cycle.brownouts.iter().map(|brownout| BrownoutView {
        percent: brownout.share.percent(),
        is_on: !has_ended && brownout.is_on(ask.now),
        answer: match brownout.answer {
            BrownoutAnswer::Successor => "successor",
            BrownoutAnswer::Refuse => "refuse",
        },
    });
    each.collect()
}

const fn state(state: State) -> LifeState {
    match state {
        State::Active => LifeState::Active,
        State::Deprecated => LifeState::Deprecated,
        State::Brownout => LifeState::Brownout,
        State::Retired => LifeState::Retired,
        State::Removed => LifeState::Removed,
    }
}

fn caller(caller: Caller) -> EndCallerView {
    let Caller { key, application, exchanges, cost, last, .. } = caller;
    let told = |name: Option<String>| name.filter(|name| !name.is_empty());
    EndCallerView {
        key: told(key),
        application: told(application),
        exchanges,
        cost: Money(cost),
        last: Moment(last),
    }
}

fn conflict(conflict: &EndConflict) -> EndConflictView {
    EndConflictView {
        day: conflict.day.clone(),
        status: conflict.status,
        said: conflict.said.clone(),
        first: Moment(conflict.first),
        last: Moment(conflict.last),
    }
}
