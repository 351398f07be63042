//! A route made ready: its candidates, its constraints, its strategy; and the choice for one exchange.

mod explain;

use std::fmt;
use std::sync::Arc;

pub use explain::{Explanation, LeftOut, Place};

use pilothouse_core::error::{Error, Kind, Retry};
use serde::Serialize;
use smallvec::SmallVec;

use crate::affinity;
use crate::candidate::{Candidate, TargetId};
use crate::constraint::{Constraints, Look, against};
use crate::count::{Counter, Lengths, Readings, Tokens};
use crate::random::Random;
use crate::reason::{Reason, Removal, Stay};
use crate::request::{Features, Held};
use crate::sight::Sight;
use crate::strategy::{self, Ask, Index, Order, Ranked, STRATEGIES, Settings, Strategy};

/// Most targets of one route.
pub const CANDIDATES_MAX: usize = 1_000;

/// A name that clients call, made ready.
#[derive(Debug)]
pub struct Route {
    /// The name.
    pub name: Arc<str>,
    candidates: Box<[Candidate]>,
    constraints: Constraints,
    strategy: Box<dyn Strategy>,
    /// Turns that a move of a conversation is reckoned to last.
    turns_ahead: u32,
}

/// What a route is made of.
#[derive(Debug)]
pub struct RouteSettings<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its targets, in the order of the configuration.
    pub candidates: Vec<Candidate>,
    /// What they must meet.
    pub constraints: Constraints,
    /// The name of its strategy.
    pub strategy: &'a str,
    /// What the strategy is given.
    pub settings: Settings,
    /// Turns that a move of a conversation is reckoned to last, this one included; see [`affinity::TURNS_AHEAD`].
    pub turns_ahead: u32,
}

/// The choice for one exchange.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// The targets in order; never empty.
    pub order: Order,
    /// Those that were left out.
    pub removed: SmallVec<[Removed; 2]>,
    /// The tokens of input that were reckoned with, for the first target.
    pub tokens: Option<Tokens>,
    /// The exchange's cascade, where the strategy is one and has more than one target.
    pub cascade: Option<CascadePlan>,
}

/// A target that was left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Removed {
    /// The place among the route's candidates.
    pub index: Index,
    /// Why.
    pub removal: Removal,
}

/// Who takes part in a cascade, as places among the route's candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CascadePlan {
    /// Answers first.
    pub cheap: Index,
    /// Answers beside it.
    pub partner: Option<Index>,
    /// Answers when they will not do.
    pub strong: Index,
}

/// No target can take an exchange: why each cannot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoTarget {
    /// The route's name.
    pub route: Arc<str>,
    /// Each target with what is against it.
    pub removed: Vec<(Arc<str>, Removal)>,
}

impl Route {
    /// Makes a route ready.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the settings, and what to do.
    pub fn new(settings: RouteSettings<'_>) -> Result<Self, String> {
        let name = settings.name;
        let plugin = strategy::find(settings.strategy).ok_or_else(|| {
            let names: Vec<&str> = STRATEGIES.iter().map(|plugin| plugin.name).collect();
            format!(
                "route `{name}`: there is no strategy `{}`; there are {}",
                settings.strategy,
                names.join(", ")
            )
        })?;
        let strategy = (plugin.make)(&settings.settings).map_err(|why| format!("route `{name}`: {why}"))?;
        let mut candidates = settings.candidates.into_boxed_slice();
        if candidates.is_empty() {
            return Err(format!("route `{name}` has no targets; name at least one in `targets`"));
        }
        if candidates.len() > CANDIDATES_MAX {
            return Err(format!("route `{name}` has {} targets; at most {CANDIDATES_MAX}", candidates.len()));
        }
        let twice =
            (1..candidates.len()).find(|at| candidates[..*at].iter().any(|one| one.id == candidates[*at].id));
        if let Some(at) = twice {
            return Err(format!(
                "route `{name}` names `{}` twice; use `weight` for shares",
                candidates[at].name
            ));
        }
        candidates.iter_mut().zip(0..).for_each(|(candidate, place)| candidate.place = place);
        let turns_ahead = settings.turns_ahead.max(1);
        Ok(Self { name: name.into(), candidates, constraints: settings.constraints, strategy, turns_ahead })
    }

    /// Its targets, in the order of the configuration.
    #[must_use]
    pub const fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// What it asks of its targets.
    #[must_use]
    pub const fn constraints(&self) -> &Constraints {
        &self.constraints
    }

    /// Chooses for one exchange: constraints, then the strategy, then what the conversation has. Reserves nothing; whoever
    /// calls a target asks its health again.
    ///
    /// # Errors
    /// When the constraints leave no target.
    pub fn choose(
        &self,
        features: &Features<'_>,
        counter: &mut dyn Counter,
        random: &mut Random,
    ) -> Result<Decision, NoTarget> {
        let sight = Sight::of(self.candidates.len(), features.at);
        self.choose_seeing(features, counter, random, &sight, Ok(&mut Readings::default()))
    }

    /// Chooses by what is seen of the targets. What was read of the request goes into the readings, or, where the choice
    /// is made again, comes from them.
    pub(crate) fn choose_seeing(
        &self,
        features: &Features<'_>,
        counter: &mut dyn Counter,
        random: &mut Random,
        sight: &Sight,
        readings: Result<&mut Readings, &Readings>,
    ) -> Result<Decision, NoTarget> {
        let told = readings.as_ref().err().copied();
        let mut lengths = Lengths::new(features.input, counter).seeing(sight, told);
        let decision = self.decide(features, random, sight, &mut lengths);
        if let Ok(kept) = readings {
            *kept = lengths.readings(&self.candidates);
        }
        decision
    }

    fn decide(
        &self,
        features: &Features<'_>,
        random: &mut Random,
        sight: &Sight,
        lengths: &mut Lengths<'_>,
    ) -> Result<Decision, NoTarget> {
        let mut decision = Decision::default();
        let mut left: SmallVec<[Index; 64]> = SmallVec::new();
        let mut standing_by: SmallVec<[Index; 8]> = SmallVec::new();
        for (index, candidate) in (0..).zip(&self.candidates) {
            let mut look = Look { constraints: &self.constraints, features, lengths: &mut *lengths, sight };
            match against(candidate, &mut look) {
                Some(removal) => decision.removed.push(Removed { index, removal }),
                None if candidate.is_fallback => standing_by.push(index),
                None => left.push(index),
            }
        }
        if left.is_empty() && standing_by.is_empty() {
            return Err(self.no_target(&decision.removed));
        }
        if !left.is_empty() {
            let candidates = &self.candidates;
            let mut ask = Ask { candidates, left: &left, features, lengths: &mut *lengths, random, sight };
            self.strategy.order(&mut ask, &mut decision.order);
        }
        let fallback = |index| Ranked { index, reason: Reason::Fallback };
        decision.order.extend(standing_by.into_iter().map(fallback));
        decision.cascade = self.strategy.is_cascade().then(|| plan(&decision.order)).flatten();
        self.hold(features, lengths, sight, &mut decision);
        decision.tokens =
            decision.order.first().map(|first| lengths.estimate(&self.candidates[usize::from(first.index)]));
        Ok(decision)
    }

    /// What is against a target that is none of the route's, by the route's constraints.
    #[must_use]
    pub fn against(
        &self,
        candidate: &Candidate,
        features: &Features<'_>,
        counter: &mut dyn Counter,
    ) -> Option<Removal> {
        let mut lengths = Lengths::new(features.input, counter);
        let sight = Sight::of(usize::from(candidate.place) + 1, features.at);
        let mut look =
            Look { constraints: &self.constraints, features, lengths: &mut lengths, sight: &sight };
        against(candidate, &mut look)
    }

    /// Puts the conversation's target in front where it stays there.
    fn hold(&self, features: &Features<'_>, lengths: &Lengths<'_>, sight: &Sight, decision: &mut Decision) {
        let Some(held) = features.conversation.and_then(|conversation| conversation.held) else { return };
        let Some((at, home)) = self.home(&decision.order, held.target) else { return };
        let Some(first) = decision.order.first() else { return };
        let best = &self.candidates[usize::from(first.index)];
        let Some(stay) = self.stays(&held, (home, best), features, lengths, sight) else { return };
        decision.order[..=at].rotate_right(1);
        if stay != Stay::Best {
            decision.order[0].reason = Reason::Held { stay };
            // A conversation that stays has an answer of its own, and no cascade.
            decision.cascade = None;
        }
    }

    fn home(&self, order: &[Ranked], target: TargetId) -> Option<(usize, &Candidate)> {
        let of = |ranked: &Ranked| &self.candidates[usize::from(ranked.index)];
        let at = order.iter().position(|ranked| of(ranked).id == target)?;
        Some((at, of(order.get(at)?)))
    }

    fn stays(
        &self,
        held: &Held,
        (home, best): (&Candidate, &Candidate),
        features: &Features<'_>,
        lengths: &Lengths<'_>,
        sight: &Sight,
    ) -> Option<Stay> {
        if !held.is_in_tool_loop {
            // Saturated servers answer late or not at all: that is a failure in the making.
            let is_full = sight.load(home).is_some_and(|load| load.score >= 1.0);
            if is_full || !self.strategy.holds_conversations() {
                return None;
            }
        }
        affinity::weigh(held, home, best, features, lengths, self.turns_ahead)
    }

    fn no_target(&self, removed: &[Removed]) -> NoTarget {
        let named = |removed: &Removed| {
            (Arc::clone(&self.candidates[usize::from(removed.index)].name), removed.removal)
        };
        NoTarget { route: Arc::clone(&self.name), removed: removed.iter().map(named).collect() }
    }
}

/// The parts of a cascade, by their roles; none where the constraints left one target only.
fn plan(order: &[Ranked]) -> Option<CascadePlan> {
    let part =
        |reason: Reason| order.iter().find(|ranked| ranked.reason == reason).map(|ranked| ranked.index);
    Some(CascadePlan {
        cheap: part(Reason::Cheap)?,
        partner: part(Reason::Partner),
        strong: part(Reason::Strong)?,
    })
}

impl NoTarget {
    /// Milliseconds after which a target may be there again; `None` where waiting does not help.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.removed.iter().filter_map(|(_, removal)| removal.retry_after_ms()).min()
    }

    /// The class of the error: what would have to change first.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let all = |test: fn(&Removal) -> bool| self.removed.iter().all(|(_, removal)| test(removal));
        if self.retry_after_ms().is_some() {
            Kind::Overloaded
        } else if all(|removal| matches!(removal, Removal::NotAllowed)) {
            Kind::Forbidden
        } else if all(|removal| matches!(removal, Removal::Retired | Removal::NotAllowed)) {
            Kind::Gone
        } else if self.removed.iter().any(|(_, removal)| matches!(removal, Removal::TooSlow { .. })) {
            Kind::Timeout
        } else {
            Kind::BadRequest
        }
    }

    /// The error that a client reads.
    #[must_use]
    pub fn into_error(self) -> Error {
        let mut error = Error::new(self.kind(), self.to_string());
        if let Some(after) = self.retry_after_ms() {
            error.retry = Retry::After(Some(after));
        }
        error
    }
}

impl fmt::Display for NoTarget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More would not be read.
        const SHOWN_MAX: usize = 8;
        write!(out, "no target of `{}` can take this request: ", self.route)?;
        for (at, (name, removal)) in self.removed.iter().take(SHOWN_MAX).enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(out, "{separator}{name}: {removal}")?;
        }
        match self.removed.len().saturating_sub(SHOWN_MAX) {
            0 => Ok(()),
            more => write!(out, "; and {more} more"),
        }
    }
}

impl std::error::Error for NoTarget {}

#[cfg(test)]
mod tests;
