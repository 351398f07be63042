//! What an exchange holds while it goes on: its part in limits, money set aside, its run.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::error::Kind;
pub(crate) use pilothouse_core::exchange::Purpose;
use pilothouse_core::exchange::{Exchange, Note, Outcome, Settlement};
use pilothouse_core::money::PicoUsd;
use pilothouse_core::usage::Bill;
use pilothouse_core::written::into_text;
use pilothouse_store::budget::{Account, Reservation};
use pilothouse_store::limits::Admission;
use pilothouse_store::runs::{RunLimits, ToolCall, Turn};
use smallvec::SmallVec;

use super::{Job, Meter};
use crate::pipeline::known_cost;

/// The budgets that an exchange counts in. Two need no memory of their own.
pub(crate) type Accounts = SmallVec<[Account; 2]>;

/// What an exchange holds.
#[derive(Default)]
pub(crate) struct Holds {
    /// Its part in limits.
    pub(crate) admission: Option<Admission>,
    /// The budgets that it counts in.
    pub(crate) accounts: Accounts,
    /// The run that it is a turn of.
    pub(crate) run: Option<Box<Run>>,
    /// What the attempt under way has set aside, and for what.
    pub(super) reservation: Option<(Reservation, Purpose)>,
    /// How far the answer is paid for, where that is done as it comes.
    pub(super) meter: Option<Meter>,
}

/// A run of an agent.
pub(crate) struct Run {
    /// Its name.
    pub(crate) id: Box<str>,
    /// What it may.
    pub(crate) limits: RunLimits,
}

impl Holds {
    /// A part in budgets, and nothing else.
    pub(super) fn of(accounts: Accounts) -> Self {
        Self { accounts, ..Self::default() }
    }

    /// What the exchange holds once, however many calls are made for it.
    pub(super) fn common(&mut self) -> Self {
        Self { admission: self.admission.take(), run: self.run.take(), ..Self::default() }
    }

    /// Whether it holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.admission.is_none() && self.accounts.is_empty() && self.run.is_none()
    }
}

impl Job {
    /// From now on the exchange holds this.
    pub(crate) fn holds(&mut self, holds: Holds) {
        self.holds = Some(Box::new(holds));
    }

    /// The budgets that it counts in, if there are any.
    pub(crate) fn accounts(&self) -> Option<&Accounts> {
        self.holds.as_ref().map(|holds| &holds.accounts).filter(|accounts| !accounts.is_empty())
    }

    /// An attempt has set money aside.
    pub(crate) fn reserves(&mut self, reservation: Reservation, purpose: Purpose) {
        if let Some(holds) = &mut self.holds {
            (holds.reservation, holds.meter) = (Some((reservation, purpose)), None);
        }
    }

    /// The attempt under way has failed, and another one follows: what it had set aside is free where the vendor bills
    /// nothing, and else is spent.
    pub(super) fn attempt_settles(&mut self) {
        let last =
            self.exchange.as_ref().and_then(|it| it.receipt.as_ref()).and_then(|it| it.attempts.last());
        let is_free = last.is_none_or(|attempt| {
            attempt.status.is_some() || matches!(attempt.kind, Kind::ConnectFailed | Kind::BadRequest)
        });
        let Some((reservation, purpose)) = self.holds.as_mut().and_then(|holds| holds.reservation.take())
        else {
            return;
        };
        let settlement = if is_free {
            reservation.release();
            PicoUsd::ZERO
        } else {
            let amount = reservation.amount();
            drop(reservation);
            amount
        };
        let mut detail = format!("${settlement} of a failed attempt, for ").into_bytes();
        purpose.put(&mut detail);
        self.noted(Note::new("settle", &into_text(detail)));
    }

    /// A call of two has ended: what it had set aside is settled.
    pub(super) fn reservation_ends(&mut self, exchange: &mut Exchange, own: &Bill) {
        if let Some(settlement) = self.settled(own) {
            exchange.receipt.get_or_insert_default().notes.push(note_of(&settlement));
        }
    }

    /// Settles what the answer under way has set aside at what it cost; what was set aside counts as spent where a bill may
    /// come that nobody can tell.
    fn settled(&mut self, own: &Bill) -> Option<Settlement> {
        let (reservation, purpose) = self.holds.as_mut()?.reservation.take()?;
        Some(settled(reservation, purpose, own))
    }

    /// An answer will not be passed on: what it had set aside is settled.
    pub(super) fn answer_settles(&mut self, own: &Bill) {
        if let Some(settlement) = self.settled(own) {
            self.noted(note_of(&settlement));
        }
    }

    /// The exchange has ended: limits are corrected, money is settled (that of its own answer: others have settled theirs),
    /// the run has had a turn.
    pub(super) fn holds_end(&mut self, exchange: &mut Exchange, own: &Bill, now: UnixMs) {
        if let Some(settlement) = self.settled(own) {
            exchange.receipt.get_or_insert_default().settlement = Some(settlement);
        }
        let Some(holds) = self.holds.take() else { return };
        let bill = &exchange.bill;
        if let Some(admission) = holds.admission {
            let used = bill.usage.total() + bill.estimated_output;
            let was_refused = matches!(exchange.outcome, Outcome::Failed(_)) && used == 0;
            if used > 0 || was_refused || !self.was_sent {
                admission.end(used, now);
            }
        }
        let cost = known_cost(bill.cost, bill.estimated_cost);
        if let Some(run) = holds.run {
            let hash = |tool: &pilothouse_core::exchange::ToolUse| ToolCall {
                name: tool.name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                }),
                arguments: tool.arguments_hash,
            };
            let calls: Vec<ToolCall> = exchange.answer.tools.iter().map(hash).collect();
            let turn = Turn { cost: cost.unwrap_or(PicoUsd::ZERO), calls: &calls };
            let _ = self.shared.runs.note_turn(&exchange.caller.key, &run.id, turn, &run.limits, now);
        }
    }
}

/// Settles a reservation at what its answer cost.
fn settled(reservation: Reservation, purpose: Purpose, own: &Bill) -> Settlement {
    let reserved = reservation.amount();
    let settled = match known_cost(own.cost, own.estimated_cost) {
        Some(cost) => reservation.settle(cost).actual,
        // A bill may come: what was set aside for it counts as spent.
        None => reserved,
    };
    Settlement { reserved, purpose, settled }
}

/// A settlement in words.
fn note_of(settlement: &Settlement) -> Note {
    let mut detail = Vec::new();
    settlement.put(&mut detail);
    Note { code: Settlement::CODE.into(), detail: into_text(detail).into() }
}
