//! What a call would meet of targets that end: where each stands, and what a brownout would do.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Standing;
use pilothouse_migrate::lifecycle::{Brownout, BrownoutAnswer, State};
use pilothouse_wire::head::Head;
use pilothouse_wire::needs;

use super::Hypothesis;
use crate::ends::on_the_day;
use crate::pipeline::{Drawing, ToldOfDraw, brownout_in_words};
use crate::plan::lifecycle::Life;
use crate::plan::{Route, Target};
use crate::told::CONVERSATION;

/// What becomes of a target in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is asked.
    Asked,
    /// This one is asked instead.
    Instead(Box<str>),
    /// It is not asked.
    Out,
}

/// Looks at the ends of a route's targets for one call.
pub(super) struct Ends<'a> {
    pub(super) route: &'a Route,
    pub(super) call: &'a Hypothesis<'a>,
    pub(super) head: &'a Head<'a>,
    pub(super) end_user: Option<&'a str>,
}

impl Ends<'_> {
    /// Every target of the route that ends, with where it stands.
    pub(super) fn told(&self) -> Vec<Standing> {
        let lives =
            self.route.targets.iter().filter_map(|one| Some((&one.target, one.target.life.as_deref()?)));
        lives
            .map(|(target, life)| Standing { target: target.name().into(), why: self.sentence(target, life) })
            .collect()
    }

    /// What becomes of a target, with a sentence where it is not simply asked.
    pub(super) fn fate(&self, name: &str) -> (Fate, Option<String>) {
        let found = self.route.targets.iter().find(|one| one.target.name() == name);
        let Some(life) = found.and_then(|one| one.target.life.as_deref()) else { return (Fate::Asked, None) };
        let Some(brownout) = self.drawn(life) else { return (Fate::Asked, None) };
        let words = brownout_in_words(brownout);
        match (brownout.answer, &life.successor) {
            (BrownoutAnswer::Successor, Some(successor)) => (
                Fate::Instead((**successor).into()),
                Some(format!("{name} is in {words}, which draws this call: {successor} is asked instead")),
            ),
            _ => (Fate::Out, Some(format!("{name} is in {words}, which draws this call: it is not asked"))),
        }
    }

    fn sentence(&self, target: &Target, life: &Life) -> String {
        let at = self.call.at;
        let mut said = vec![life.state(at).as_str().to_owned()];
        if let (Some(day), Some(left)) = (life.day(), life.cycle.days_left(at)) {
            let by = life.retires_by.map_or("catalogue", |by| by.as_str());
            let when = match left {
                left if left > 0 => format!("in {left} days"),
                0 => "today".to_owned(),
                left => format!("{} days ago", left.unsigned_abs()),
            };
            said.push(format!("its day is {day} ({when}, by the {by})"));
        }
        said.push(format!("from then on {}", on_the_day(life)));
        if let Some(words) = self.brownouts(life, at) {
            said.push(words);
        }
        if target.known.is_none() {
            said.push("the catalogue does not know it".into());
        }
        said.join("; ")
    }

    /// What its brownouts do to this call.
    fn brownouts(&self, life: &Life, at: UnixMs) -> Option<String> {
        if life.state(at) != State::Brownout {
            return None;
        }
        let on = life.cycle.brownouts.iter().filter(|one| one.is_on(at));
        let all: Vec<String> = on.map(brownout_in_words).collect();
        let here = if life.spares(self.key(), at) {
            "the key is spared"
        } else if needs::is_in_tool_loop(self.call.dialect, self.head) {
            "the call is in a tool loop, which ends where it began"
        } else if self.drawn(life).is_some() {
            "this call is drawn"
        } else if matches!(self.drawing().of(&life.target), ToldOfDraw::After(_)) {
            "what the conversation drew is known to the gateway that gave its last answer"
        } else {
            "this call is not drawn"
        };
        Some(format!("{}: {here}", all.join(", ")))
    }

    /// The brownout that this call is drawn into.
    fn drawn<'l>(&self, life: &'l Life) -> Option<&'l Brownout> {
        let at = self.call.at;
        if life.spares(self.key(), at) || needs::is_in_tool_loop(self.call.dialect, self.head) {
            return None;
        }
        match self.drawing().of(&life.target) {
            ToldOfDraw::Draw(draw) => life.cycle.brownout(at, draw),
            ToldOfDraw::After(_) => None,
        }
    }

    fn key(&self) -> &str {
        self.call.key.map_or("", |key| &key.name)
    }

    fn drawing(&self) -> Drawing<'_> {
        Drawing {
            dialect: self.call.dialect,
            head: self.head,
            named: self.call.headers.get(CONVERSATION),
            key: self.key(),
            end_user: self.end_user,
        }
    }
}
