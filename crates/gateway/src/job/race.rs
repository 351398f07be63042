//! Two calls for one exchange: each has a job of its own, and the last one to end records the exchange.
//!
//! The call whose answer the client gets says what the exchange was; the other one is an attempt in the receipt, and what its
//! vendor may bill is part of the estimate. What the exchange holds once (limits, its run) is settled once, for both.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{Attempt, Exchange, Note, Outcome, Outrun, Receipt, TargetUsed};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Bill, Provenance, Usage};
use smallvec::SmallVec;
use tokio::time::Instant;

use super::course::Course;
use super::paid::Others;
use super::{Accounts, Holds, Job};
use crate::bodies::Watch;
use crate::plan::Resolution;
use crate::purse::Purse;
use crate::shared::Shared;

/// What the calls of one exchange share.
#[derive(Default)]
pub(crate) struct Race {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Calls that have not ended.
    running: u32,
    /// The second one is whose answer the client gets.
    is_won_by_hedge: bool,
    ended: SmallVec<[Ended; 2]>,
    /// What the exchange holds once.
    common: Option<Box<Holds>>,
    watch: Option<Arc<Watch>>,
    /// What other answers of the exchange have cost.
    others: Option<Others>,
    notes: Vec<Note>,
    stake: Option<Stake>,
}

/// The money that a hedge was started with.
struct Stake {
    purse: Arc<Purse>,
    reserved: PicoUsd,
    /// Tokens of the request, about.
    input_tokens: u64,
}

/// A call that has ended.
struct Ended {
    is_hedge: bool,
    exchange: Box<Exchange>,
    resolution: Option<Arc<Resolution>>,
    was_sent: bool,
    /// Its failures stand in its receipt, and nothing came after them.
    gave_up: bool,
    began_us: u64,
}

/// A job's part in a race.
pub(super) struct Side {
    race: Arc<Race>,
    is_hedge: bool,
    gave_up: bool,
}

/// What a second job for an exchange is made of.
pub(crate) struct Racing {
    /// What both share.
    pub(crate) race: Arc<Race>,
    shared: Arc<Shared>,
    started: Instant,
    exchange: Exchange,
    course: Option<Course>,
    accounts: Accounts,
}

/// What the last call to end records.
struct Finale {
    exchange: Box<Exchange>,
    resolution: Option<Arc<Resolution>>,
    was_sent: bool,
    common: Option<Box<Holds>>,
    watch: Option<Arc<Watch>>,
    others: Option<Others>,
}

impl Race {
    /// The hedge's answer is the one that the client gets.
    pub(crate) fn won_by_hedge(&self) {
        self.state().is_won_by_hedge = true;
    }

    /// Whether it is.
    pub(crate) fn is_won_by_hedge(&self) -> bool {
        self.state().is_won_by_hedge
    }

    /// The client gets the answer of this target.
    pub(crate) fn goes_to(&self, client: Dialect, target: Option<&TargetUsed>) {
        if let Some(watch) = &self.state().watch {
            watch.goes_to(client, target);
        }
    }

    /// A hedge begins, with so much of the purse's money.
    pub(crate) fn staked(&self, purse: &Arc<Purse>, reserved: PicoUsd, input_tokens: u64) {
        self.state().stake = Some(Stake { purse: Arc::clone(purse), reserved, input_tokens });
    }

    /// The hedge does not begin after all: its money goes back.
    pub(crate) fn unstaked(&self) {
        if let Some(stake) = self.state().stake.take() {
            stake.purse.bucket.settle(stake.reserved, PicoUsd::ZERO);
        }
    }

    /// Writes into the exchange's receipt, whoever wins.
    pub(crate) fn noted(&self, note: Note) {
        self.state().notes.push(note);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a call that has ended; what is to be recorded, where it was the last one.
    fn takes(&self, ended: Ended) -> Option<Finale> {
        let mut state = self.state();
        state.ended.push(ended);
        state.running -= 1;
        if state.running > 0 {
            return None;
        }
        let mut ended = std::mem::take(&mut state.ended);
        let at = ended.iter().position(|one| one.is_hedge == state.is_won_by_hedge).unwrap_or(0);
        let mut main = ended.remove(at);
        if let Some(stake) = state.stake.take() {
            stake.settles(std::iter::once(&main).chain(&ended), state.is_won_by_hedge);
            for lost in ended {
                main.was_sent |= lost.was_sent;
                absorb(&mut main.exchange, lost, stake.input_tokens);
            }
        }
        let notes = std::mem::take(&mut state.notes);
        if !notes.is_empty() {
            main.exchange.receipt.get_or_insert_default().notes.extend(notes);
        }
        Some(Finale {
            exchange: main.exchange,
            resolution: main.resolution,
            was_sent: main.was_sent,
            common: state.common.take(),
            watch: state.watch.take(),
            others: state.others.take(),
        })
    }
}

impl Stake {
    /// Gives back what the hedge did not cost. What it may cost without anybody being told stays spent, so that the purse
    /// bounds what is billed and not what is known.
    fn settles<'a>(&self, mut ended: impl Iterator<Item = &'a Ended>, has_won: bool) {
        let purse = &self.purse;
        let Some(hedge) = ended.find(|one| one.is_hedge) else { return };
        if hedge.was_sent {
            let count = if has_won { &purse.won } else { &purse.lost };
            count.fetch_add(1, Relaxed);
        }
        let cost = match hedge.exchange.outcome {
            _ if hedge.gave_up || !hedge.was_sent => Some(PicoUsd::ZERO),
            Outcome::Complete | Outcome::Failed(_) => hedge.exchange.bill.cost.known(),
            Outcome::Cancelled => None,
        };
        if let Some(cost) = cost.filter(|_| hedge.exchange.bill.provenance != Provenance::Partial) {
            purse.bucket.settle(self.reserved, cost);
        }
    }
}

/// Makes a call that lost a part of the exchange.
fn absorb(main: &mut Exchange, lost: Ended, input_tokens: u64) {
    let estimate = if lost.gave_up { Cost::Known(PicoUsd::ZERO) } else { lost.estimate(input_tokens) };
    let bill = &mut main.bill;
    if estimate != Cost::Known(PicoUsd::ZERO) {
        let before = bill.estimated_cost.known().unwrap_or_default();
        bill.estimated_cost = match estimate.known() {
            Some(cost) => Cost::Known(before + cost),
            None => Cost::Unknown,
        };
        bill.estimated_output += lost.exchange.bill.estimated_output;
    }
    let receipt = main.receipt.get_or_insert_default();
    let mut other = *lost.exchange.receipt.unwrap_or_default();
    receipt.chosen = receipt.chosen.take().or(other.chosen.take());
    let attempt = |kind, status, outrun| {
        let target = lost.exchange.target.clone()?;
        Some(Attempt { target, kind, status, failed_us: lost.exchange.timings.total_us, outrun })
    };
    if lost.was_sent && !lost.gave_up {
        other.attempts.extend(match lost.exchange.outcome {
            Outcome::Failed(kind) => {
                attempt(kind, Some(lost.exchange.status).filter(|status| *status > 0), None)
            }
            Outcome::Complete | Outcome::Cancelled => {
                let outrun = Outrun { began_us: lost.began_us, estimated_cost: estimate };
                attempt(pilothouse_core::error::Kind::Timeout, None, Some(outrun))
            }
        });
    }
    join(receipt, other);
}

/// Puts what happened before into a receipt, in the order in which it happened.
fn join(receipt: &mut Receipt, other: Receipt) {
    receipt.attempts.extend(other.attempts);
    receipt.answers.extend(other.answers);
    receipt.attempts.sort_by_key(|attempt| attempt.failed_us);
    let own = std::mem::replace(&mut receipt.notes, other.notes);
    receipt.notes.extend(own);
}

impl Ended {
    /// What its vendor may bill, where it does not tell: its input, and what had come.
    fn estimate(&self, input_tokens: u64) -> Cost {
        let Bill { cost, estimated_cost, .. } = self.exchange.bill;
        if !self.was_sent {
            return Cost::Known(PicoUsd::ZERO);
        }
        let output = estimated_cost.known().unwrap_or_default();
        if let Some(seen) = cost.known() {
            return Cost::Known(seen + output);
        }
        let pricing = self.resolution.as_ref().and_then(|resolution| resolution.target.pricing.as_ref());
        let usage = Usage { input: input_tokens, ..Usage::default() };
        let input = pricing.and_then(|pricing| pricing.cost(&usage, None, self.exchange.started_at).known());
        input.map_or(Cost::Unknown, |input| Cost::Known(input + output))
    }
}

impl Racing {
    /// A second job for the exchange.
    pub(crate) fn hedge(&self) -> Job {
        self.race.state().running += 1;
        let side = Side { race: Arc::clone(&self.race), is_hedge: true, gave_up: false };
        let holds = Holds::of(self.accounts.clone());
        let mut job = Job::of(&self.shared, self.started, self.exchange.clone());
        job.course = self.course.as_ref().map(|course| Box::new(course.again()));
        job.holds = (!holds.is_empty()).then(|| Box::new(holds));
        job.rare().side = Some(side);
        job
    }
}

impl Job {
    /// Whether it has been prepared to race.
    pub(crate) fn is_racing(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.side.is_some())
    }

    /// Prepares to race with another call for the same exchange.
    pub(crate) fn races(&mut self) -> Option<Racing> {
        let exchange = Exchange { receipt: None, target: None, ..self.exchange.as_deref()?.clone() };
        let state = State {
            running: 1,
            common: self.holds.as_mut().map(|holds| Box::new(holds.common())),
            watch: self.watch.take(),
            others: self.rare.as_mut().and_then(|rare| rare.others.take()),
            ..State::default()
        };
        let race = Arc::new(Race { state: Mutex::new(state) });
        self.rare().side = Some(Side { race: Arc::clone(&race), is_hedge: false, gave_up: false });
        Some(Racing {
            race,
            shared: Arc::clone(&self.shared),
            started: self.started,
            exchange,
            course: self.course.as_ref().map(|course| course.again()),
            accounts: self.accounts().cloned().unwrap_or_default(),
        })
    }

    /// The second call is not made after all.
    pub(crate) fn dissolves(mut self) {
        self.exchange = None;
        if let Some(side) = self.rare().side.take() {
            side.race.state().running -= 1;
        }
    }

    /// Nobody races with it any more: whom it asks from now on is told by itself again.
    pub(crate) fn watches_on(mut self, race: &Race) -> Self {
        self.watch = race.state().watch.take();
        self
    }

    /// It has failed, its failure stands in its receipt, and the other call goes on.
    pub(crate) fn gives_up(mut self) {
        self.attempt_settles();
        if let Some(side) = &mut self.rare().side {
            side.gave_up = true;
        }
    }

    /// A call of two has ended.
    pub(super) fn side_ends(&mut self, side: Side, mut exchange: Box<Exchange>) {
        let own = exchange.bill;
        self.reservation_ends(&mut exchange, &own);
        let began_us = self.course.as_ref().map_or(0, |course| course.began_us());
        if self.course.is_some() {
            self.course_ends(&exchange, &own, self.shared.clock.now());
        }
        let ended = Ended {
            is_hedge: side.is_hedge,
            exchange,
            resolution: self.resolution.take(),
            was_sent: self.was_sent,
            gave_up: side.gave_up,
            began_us,
        };
        let Some(finale) = side.race.takes(ended) else { return };
        self.resolution = finale.resolution;
        self.was_sent = finale.was_sent;
        self.holds = finale.common;
        self.watch = finale.watch.or(self.watch.take());
        if let Some(watch) = &self.watch {
            watch.chose(&finale.exchange);
        }
        if finale.others.is_some() {
            self.rare().others = finale.others;
        }
        self.concludes(finale.exchange);
    }
}
