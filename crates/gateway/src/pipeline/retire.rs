//! Targets that end: what the configuration says of calls on their day and after it, and in the brownouts before it.
//!
//! A conversation draws once: the same at every turn, on every machine, after every restart. In the middle of a tool loop nothing
//! changes, neither when a brownout begins nor when it ends.

mod draw;

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Note;
use pilothouse_migrate::lifecycle::{Brownout, BrownoutAnswer, Draw, State, absence};
use pilothouse_wire::head::Head;
use pilothouse_wire::needs;

pub(crate) use draw::{Drawing, Told, answer_mark};

use super::choose::{Choice, Order};
use super::gone;
use super::read::Asked;
use crate::config::{OnGone, OnRetired};
use crate::endpoints::Call;
use crate::plan::lifecycle::Life;
use crate::plan::{Plan, Resolution};
use crate::shared::Shared;

/// What became of a call because a target ends.
#[derive(Debug)]
pub(crate) struct Retirement {
    /// The target's end, which the client is told of whoever answers.
    pub(crate) life: Arc<Life>,
    /// What the receipt says.
    pub(crate) notes: Vec<Note>,
    /// What the conversation has drawn, where it may have to be found again by its answer's id.
    pub(crate) drawn: Option<Draw>,
    /// Somebody else is asked, or nobody: the answer is not the target's.
    pub(crate) is_without: bool,
}

/// What becomes of one target of an order.
enum Verdict {
    Stays,
    Instead(Box<Choice>),
    Out(Error),
}

/// A call whose targets may end.
struct Enforcing<'a, 'h> {
    shared: &'a Shared,
    plan: &'a Plan,
    dialect: Dialect,
    call: Call,
    asked: &'a Asked<'h>,
    now: UnixMs,
    retirement: Option<Retirement>,
}

/// Applies what the configuration says of targets that end to those of an order.
///
/// # Errors
/// What the client is told where nobody is left.
pub(super) fn enforce(
    shared: &Shared,
    plan: &Plan,
    dialect: Dialect,
    call: Call,
    asked: &Asked<'_>,
    order: &mut Order,
) -> Result<(), Error> {
    let has_end = |choice: &Choice| choice.resolution.target.life.is_some();
    let cheap = order.cascade.as_ref().map(|parts| &parts.cheap);
    if !order.each().map(|(choice, _)| choice).chain(cheap).any(has_end) {
        return Ok(());
    }
    let now = shared.clock.now();
    let mut enforcing = Enforcing { shared, plan, dialect, call, asked, now, retirement: None };
    let done = enforcing.order(order);
    if let Some(retirement) = enforcing.retirement {
        // A second route, which a budget sends a call to, adds nothing: the first word stands.
        let _ = asked.retirement.set(Arc::new(retirement));
    }
    done
}

impl Enforcing<'_, '_> {
    fn order(&mut self, order: &mut Order) -> Result<(), Error> {
        let mut refusal = None;
        if let Some(mut parts) = order.cascade.take() {
            // A cheap target that is out leaves the others to answer.
            match self.verdict(order, &parts.cheap) {
                Verdict::Stays => order.cascade = Some(parts),
                Verdict::Instead(choice) => {
                    parts.cheap = *choice;
                    order.cascade = Some(parts);
                }
                Verdict::Out(_) => {}
            }
        }
        let verdicts: Vec<Verdict> = order
            .each()
            .map(|(choice, _)| choice.clone())
            .map(|choice| self.verdict(order, &choice))
            .collect();
        if verdicts.iter().all(|verdict| matches!(verdict, Verdict::Stays)) {
            return Ok(());
        }
        let mut left: Vec<Choice> = Vec::with_capacity(verdicts.len());
        let all: Vec<Choice> = order.each().map(|(choice, _)| choice.clone()).collect();
        let names: Vec<String> = all.iter().map(Choice::name).collect();
        for (choice, verdict) in all.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Stays => left.push(choice),
                // It stands in the order already: its own place is the better one.
                Verdict::Instead(other) if names.contains(&other.name()) => {}
                Verdict::Instead(other) => left.push(*other),
                Verdict::Out(error) => {
                    refusal.get_or_insert(error);
                }
            }
        }
        let mut left = left.into_iter();
        let Some(first) = left.next() else {
            let nobody = || Error::new(Kind::Internal, "no target is left to ask");
            return Err(refusal.unwrap_or_else(nobody));
        };
        order.first = first;
        order.rest = left.collect();
        Ok(())
    }

    fn verdict(&mut self, order: &Order, choice: &Choice) -> Verdict {
        let Some(life) = choice.resolution.target.life.clone() else { return Verdict::Stays };
        match life.state(self.now) {
            State::Removed | State::Retired => self.on_day(order, choice, &life),
            State::Brownout | State::Deprecated | State::Active if !life.cycle.brownouts.is_empty() => {
                self.before(order, &life)
            }
            _ => Verdict::Stays,
        }
    }

    /// From a target's day on.
    fn on_day(&mut self, order: &Order, choice: &Choice, life: &Arc<Life>) -> Verdict {
        let Some(day) = life.on_day else { return Verdict::Stays };
        let is_removed = life.state(self.now) == State::Removed;
        let on_gone = match &order.route {
            Some(route) => route.on_gone,
            None => self.plan.defaults.on_gone.unwrap_or_default(),
        };
        if !is_removed && !day.is_written && on_gone == OnGone::Successor {
            // The vendor is asked first, and then whoever follows: so the configuration says for all models.
            return Verdict::Stays;
        }
        let told = || over(life, life.successor.as_deref(), self.now);
        let Some(name) = life.stands_in().filter(|_| !is_removed && !self.call.embeds()) else {
            let error = told();
            self.notes(life, absence::not_asked(&choice.name()));
            return Verdict::Out(error);
        };
        match gone::stand_in(
            self.shared,
            self.plan,
            (self.dialect, self.call),
            self.asked,
            order.route.as_ref(),
            name,
        ) {
            Ok(instead) => {
                self.notes(life, absence::succeeded(&life.target, name));
                Verdict::Instead(Box::new(instead))
            }
            Err(error) => Verdict::Out(error),
        }
    }

    /// Before a target's day, where there are brownouts.
    fn before(&mut self, order: &Order, life: &Arc<Life>) -> Verdict {
        if life.spares(&self.asked.key, self.now) {
            return Verdict::Stays;
        }
        let Some(draw) = self.draw(life) else { return Verdict::Stays };
        let head = Head::over(&self.asked.body, &self.asked.members);
        let mark = Draw::of([b"without".as_slice(), life.target.as_bytes(), &draw.number().to_le_bytes()]);
        if needs::is_in_tool_loop(self.dialect, &head) {
            // It ends where it began: with the successor, if that called the tools.
            let is_away = self.shared.draws.get(mark.number()).is_some();
            return if is_away { self.instead(order, life, draw, None) } else { Verdict::Stays };
        }
        let Some(brownout) = life.cycle.brownout(self.now, draw).cloned() else {
            self.drawn(life, draw);
            return Verdict::Stays;
        };
        match brownout.answer {
            BrownoutAnswer::Refuse => {
                self.notes(life, absence::refused(&life.target, &words(&brownout)));
                Verdict::Out(browned(life, &brownout))
            }
            // Vectors of another model cannot be compared with those that are there.
            BrownoutAnswer::Successor if self.call.embeds() => Verdict::Stays,
            BrownoutAnswer::Successor => {
                let verdict = self.instead(order, life, draw, Some(&brownout));
                if matches!(verdict, Verdict::Instead(_)) {
                    self.shared.draws.put(mark.number(), draw.number());
                }
                verdict
            }
        }
    }

    /// The successor's way, where it may take the call: what only tries something out makes no call fail.
    fn instead(
        &mut self,
        order: &Order,
        life: &Arc<Life>,
        draw: Draw,
        brownout: Option<&Brownout>,
    ) -> Verdict {
        let Some(name) = life.successor.as_ref() else { return Verdict::Stays };
        let route = order.route.as_ref();
        let found =
            gone::stand_in(self.shared, self.plan, (self.dialect, self.call), self.asked, route, name);
        self.drawn(life, draw);
        match found {
            Ok(instead) => {
                let why = brownout.map_or("its tool loop goes on where it began".into(), words);
                self.notes(life, absence::tried_without(&life.target, name, &why));
                Verdict::Instead(Box::new(instead))
            }
            Err(error) => {
                let words = format!("{} is asked all the same: {}", life.target, error.public);
                let retirement = self.retirement(life);
                retirement.notes.push(Note::new("brownout", &words));
                Verdict::Stays
            }
        }
    }

    fn retirement(&mut self, life: &Arc<Life>) -> &mut Retirement {
        self.retirement.get_or_insert_with(|| Retirement {
            life: Arc::clone(life),
            notes: Vec::new(),
            drawn: None,
            is_without: false,
        })
    }

    fn notes(&mut self, life: &Arc<Life>, note: Note) {
        let retirement = self.retirement(life);
        retirement.notes.push(note);
        retirement.is_without = true;
    }

    /// Remembers the draw where the next turn will name this one's answer, and nothing else.
    fn drawn(&mut self, life: &Arc<Life>, draw: Draw) {
        if self.dialect == Dialect::OpenaiResponses {
            self.retirement(life).drawn = Some(draw);
        }
    }

    /// What the conversation draws; `None` where its beginning is not known, so that nothing may change for it.
    fn draw(&self, life: &Life) -> Option<Draw> {
        let asked = self.asked;
        let head = Head::over(&asked.body, &asked.members);
        let drawing = Drawing {
            dialect: self.dialect,
            head: &head,
            named: asked.conversation,
            key: &asked.key,
            end_user: asked.end_user.as_deref(),
        };
        match drawing.of(&life.target) {
            Told::Draw(draw) => Some(draw),
            Told::After(id) => {
                let known = self.shared.draws.get(answer_mark(&asked.key, &id).number());
                known.map(Draw::remembered)
            }
        }
    }
}

/// Who takes a call that is no conversation: from a target's day on its successor, where the plan to it was accepted.
///
/// # Errors
/// What the client is told.
pub(super) fn on_day(
    shared: &Shared,
    plan: &Plan,
    resolution: Arc<Resolution>,
) -> Result<Arc<Resolution>, Error> {
    let now = shared.clock.now();
    let Some(life) = resolution.target.life.as_ref().filter(|life| life.on_day.is_some()) else {
        return Ok(resolution);
    };
    match (life.state(now), life.stands_in()) {
        (State::Retired, Some(name)) => Ok(Arc::new(plan.stand_in(&resolution.asked, name)?)),
        (State::Retired | State::Removed, _) => Err(over(life, life.successor.as_deref(), now)),
        _ => Ok(resolution),
    }
}

/// Why a call is answered otherwise, for receipts and refusals.
pub(crate) fn words(brownout: &Brownout) -> String {
    let share = brownout.share.percent();
    if share >= 100.0 {
        "a brownout of all calls".to_owned()
    } else {
        format!("a brownout of {share} % of conversations")
    }
}

/// What a client reads in a brownout that refuses.
fn browned(life: &Life, brownout: &Brownout) -> Error {
    let day = life.day().map_or_else(String::new, |day| format!(", which retires on {day}"));
    let next = match &life.successor {
        Some(successor) => format!("ask for its successor `{successor}`"),
        None => "ask for another model".to_owned(),
    };
    let public = format!(
        "`{}`{day}, does not take this call: {}; {next}{}",
        life.target,
        words(brownout),
        reading(life)
    );
    refused(&public)
}

/// What a client reads from a target's day on.
pub(super) fn over(life: &Life, successor: Option<&str>, now: UnixMs) -> Error {
    let (name, day) = (&life.target, life.day().unwrap_or_default());
    let is_removed = life.state(now) == State::Removed;
    let what = if is_removed { "was removed" } else { "has retired" };
    let next = match successor {
        Some(successor) => format!("its successor is `{successor}`: ask for that one"),
        None => "nobody is named that follows it: ask for another model".to_owned(),
    };
    let wants_plan = life.on_day.is_some_and(|day| day.policy == OnRetired::Successor) && !is_removed;
    let plan = match &life.plan {
        _ if !wants_plan => String::new(),
        Some(plan) => plan
            .why_not_accepted
            .as_ref()
            .map_or_else(String::new, |why| format!("; its plan `{}` does not count: {why}", plan.path)),
        None => format!(
            "; for that one to answer, write a plan (`pilothouse migrate plan {name}`), accept it, and name it as `plan` in \
             [lifecycle.\"{name}\"]"
        ),
    };
    refused(&format!("`{name}` {what} (its day: {day}); {next}{plan}{}", reading(life)))
}

/// Where people read on, and whom they ask.
fn reading(life: &Life) -> String {
    let link = life.link.as_deref().or_else(|| life.plan.as_ref().map(|plan| &*plan.path));
    let link = link.map_or_else(String::new, |link| format!("; plan: {link}"));
    let owner = life.owner.as_ref().map_or_else(String::new, |owner| format!("; owner: {owner}"));
    format!("{link}{owner}")
}

fn refused(public: &str) -> Error {
    Error { param: Some("model".into()), ..Error::new(Kind::Gone, public.to_owned()) }
}
