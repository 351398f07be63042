//! Setting money aside before a call and settling it after: memory only, nobody waits.

use std::fmt;
use std::sync::{Arc, MutexGuard};

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use smallvec::SmallVec;

use super::account::{Account, Inner, Slot, State};
use super::calendar::Every;
use super::rule::{OnLimit, ScopeKind};
use super::{Budgets, Shared};

/// Budgets that a call usually counts in, at most: its lists of so many need no memory of their own.
const ACCOUNTS_USUAL: usize = 4;

/// Accounts in the order in which everybody locks them.
type Ordered<'a> = SmallVec<[&'a Account; ACCOUNTS_USUAL]>;

/// What is locked of them.
type States<'a> = SmallVec<[MutexGuard<'a, State>; ACCOUNTS_USUAL]>;

/// Why money was not set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The budget has not enough left in this period.
    Spent,
    /// The budget may have it, but no lease in memory does; one is being fetched. Wait with [`Budgets::ready`].
    AwaitsLease,
}

/// A budget that could not pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the budget is about.
    pub kind: ScopeKind,
    /// Its name.
    pub scope: Box<str>,
    /// How often it starts anew.
    pub every: Every,
    /// Why.
    pub why: Why,
    /// What was asked for.
    pub wanted: PicoUsd,
    /// What it can still pay, as far as this process knows.
    pub left: PicoUsd,
    /// The cap.
    pub limit: PicoUsd,
    /// When it starts anew; `None` for never.
    pub resets_at: Option<UnixMs>,
    /// What its rule says about calls like this one.
    pub on_limit: OnLimit,
}

impl Refused {
    /// Whether the money is on its way: a lease is being fetched.
    #[must_use]
    pub fn awaits_lease(&self) -> bool {
        self.why == Why::AwaitsLease
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, scope, wanted, left, limit, .. } = self;
        let per = match self.every {
            Every::Total => String::new(),
            every => format!(" a {}", every.as_str()),
        };
        write!(
            out,
            "the budget of {} `{scope}` (${limit}{per}) has ${left} left and this call may cost ${wanted}; ",
            kind.as_str()
        )?;
        match (self.why, self.resets_at) {
            (Why::AwaitsLease, _) => out.write_str("its counter is being fetched, try again in a second"),
            (Why::Spent, None) => out.write_str("raise it, or ask for a shorter answer"),
            (Why::Spent, Some(at)) => {
                let at = jiff::Timestamp::from_millisecond(at.0.cast_signed()).unwrap_or_default();
                write!(out, "it starts anew at {at}")
            }
        }
    }
}

impl std::error::Error for Refused {}

/// Money set aside for one call. Dropped without a word, it is settled in full: nothing becomes free by accident.
#[derive(Debug)]
#[must_use = "dropping a reservation settles it at the whole amount"]
pub struct Reservation {
    shared: Arc<Shared>,
    held: SmallVec<[Held; ACCOUNTS_USUAL]>,
    amount: i64,
    is_open: bool,
}

/// What one account gave.
#[derive(Debug)]
struct Held {
    account: Account,
    start: UnixMs,
    taken: i64,
}

/// What became of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What was set aside.
    pub reserved: PicoUsd,
    /// What the call cost.
    pub actual: PicoUsd,
    /// The largest part that some budget had no lease for: the call cost more than was reserved, or the budget
    /// only warns. It is paid by the next lease, and while there is none it is shown beside the budget.
    pub uncovered: PicoUsd,
}

impl Budgets {
    /// Sets `amount` aside in every one of `accounts`, or in none. Never waits: it takes from leases in memory.
    ///
    /// # Errors
    /// [`Refused`] for the first account that cannot pay; a lease that could is asked for meanwhile.
    pub fn reserve(
        &self,
        accounts: &[Account],
        amount: PicoUsd,
        now: UnixMs,
    ) -> Result<Reservation, Refused> {
        self.reserve_up_to(accounts, amount, amount, now)
    }

    /// Sets aside what all of `accounts` can pay: at most `wanted`, at least `min`. For the cap on an answer's length.
    ///
    /// # Errors
    /// [`Refused`] for the account that cannot pay `min`, and with [`Why::AwaitsLease`] while an account can pay more than
    /// its lease in memory has: after [`Budgets::ready`] it gives all that the balance can.
    pub fn reserve_up_to(
        &self,
        accounts: &[Account],
        min: PicoUsd,
        wanted: PicoUsd,
        now: UnixMs,
    ) -> Result<Reservation, Refused> {
        let shared = &self.shared;
        let (min, wanted) = (narrow(min), narrow(wanted.max(min)));
        let ordered = in_order(accounts);
        let mut states: States<'_> = ordered.iter().map(|account| account.0.lock()).collect();
        let mut amount = wanted;
        for state in &mut states {
            state.roll(now);
            state.note(wanted, now);
            if state.rule.is_hard() {
                amount = amount.min(state.current.free());
            }
        }
        if amount < min {
            return Err(refuse(shared, &ordered, &mut states, (min, now)));
        }
        // A lease is smaller than the balance: what the balance can pay is not cut short for want of a lease.
        let payable = states.iter().filter(|state| state.rule.is_hard()).map(|state| state.payable()).min();
        let payable = payable.unwrap_or(wanted).min(wanted);
        if amount < payable {
            return Err(refuse(shared, &ordered, &mut states, (payable, now)));
        }
        let mut held = SmallVec::with_capacity(ordered.len());
        for (account, state) in ordered.iter().zip(&mut states) {
            let taken = amount.min(state.current.free()).max(0);
            state.current.reserved += taken;
            state.current.open += 1;
            held.push(Held { account: (*account).clone(), start: state.current.period.start, taken });
            if state.must_ask(now) {
                shared.ask(account);
            }
        }
        Ok(Reservation { shared: Arc::clone(shared), held, amount, is_open: true })
    }
}

/// Accounts in the order in which everybody locks them, each once: two callers never wait for each other.
fn in_order(accounts: &[Account]) -> Ordered<'_> {
    let mut ordered: Ordered<'_> = accounts.iter().collect();
    if ordered.len() > 1 {
        ordered.sort_unstable_by_key(|account| account.0.order);
        ordered.dedup_by_key(|account| account.0.order);
    }
    ordered
}

/// Amounts beyond what any budget can hold are refused by every hard one.
fn narrow(amount: PicoUsd) -> i64 {
    i64::try_from(amount.0.max(0)).unwrap_or(i64::MAX)
}

/// Asks for a lease wherever one is lacking and says who refused.
fn refuse(
    shared: &Shared,
    ordered: &[&Account],
    states: &mut [MutexGuard<'_, State>],
    (min, now): (i64, UnixMs),
) -> Refused {
    let mut refusal: Option<Refused> = None;
    for (account, state) in ordered.iter().zip(states) {
        if !state.rule.is_hard() || state.current.free() >= min {
            continue;
        }
        let refused = told(&account.0, state, &state.current, min);
        state.need = state.need.max(min);
        if state.must_ask(now) {
            shared.ask(account);
        }
        // A budget that is spent says more than one that waits for its lease.
        let says_more = |known: &Refused| refused.why == Why::Spent && known.why != Why::Spent;
        if refusal.as_ref().is_none_or(says_more) {
            refusal = Some(refused);
        }
    }
    refusal.unwrap_or_else(|| no_account(min))
}

fn told(account: &Inner, state: &State, slot: &Slot, min: i64) -> Refused {
    let is_current = slot.period == state.current.period;
    let left = if is_current { state.payable() } else { slot.free().max(0) };
    // A limit that is lower than the wish needs no look into the store; a period that is over gets no new lease.
    let is_spent = min > state.rule.limit || !is_current || (slot.is_answered && left < min);
    Refused {
        kind: account.kind,
        scope: account.scope.as_ref().into(),
        every: account.every,
        why: if is_spent { Why::Spent } else { Why::AwaitsLease },
        wanted: PicoUsd(min.into()),
        left: PicoUsd(left.into()),
        limit: state.rule.limit(),
        resets_at: slot.period.resets_at(),
        on_limit: state.rule.on_limit.clone(),
    }
}

/// A refusal that no account made; callers get here only when every account can pay, and then do not ask.
fn no_account(min: i64) -> Refused {
    Refused {
        kind: ScopeKind::Run,
        scope: Box::default(),
        every: Every::Total,
        why: Why::AwaitsLease,
        wanted: PicoUsd(min.into()),
        left: PicoUsd::ZERO,
        limit: PicoUsd::ZERO,
        resets_at: None,
        on_limit: OnLimit::Stop,
    }
}

impl Reservation {
    /// What is set aside.
    #[must_use]
    pub fn amount(&self) -> PicoUsd {
        PicoUsd(self.amount.into())
    }

    /// Sets `more` aside in every account, in the period of its admission, or in none.
    ///
    /// # Errors
    /// [`Refused`] for the account that cannot pay; what was set aside before stays.
    pub fn top_up(&mut self, more: PicoUsd, now: UnixMs) -> Result<(), Refused> {
        let more = narrow(more);
        let ordered: Ordered<'_> = self.held.iter().map(|held| &held.account).collect();
        let mut states: States<'_> = ordered.iter().map(|account| account.0.lock()).collect();
        for (held, state) in self.held.iter().zip(&mut states) {
            let Some(slot) = state.slot(held.start).map(|slot| *slot) else { continue };
            if !state.rule.is_hard() || slot.free() >= more {
                continue;
            }
            if held.start == state.current.period.start {
                return Err(refuse(&self.shared, &ordered, &mut states, (more, now)));
            }
            return Err(told(&held.account.0, state, &slot, more));
        }
        let mut taken: SmallVec<[i64; ACCOUNTS_USUAL]> = SmallVec::with_capacity(states.len());
        for (held, state) in self.held.iter().zip(&mut states) {
            let takes = state.slot(held.start).map_or(0, |slot| {
                let takes = more.min(slot.free()).max(0);
                slot.reserved += takes;
                takes
            });
            taken.push(takes);
            if state.must_ask(now) {
                self.shared.ask(&held.account);
            }
        }
        drop(states);
        drop(ordered);
        self.held.iter_mut().zip(taken).for_each(|(held, taken)| held.taken += taken);
        self.amount = self.amount.saturating_add(more);
        Ok(())
    }

    /// Settles at what the call cost; what was set aside beyond it is free again.
    pub fn settle(mut self, actual: PicoUsd) -> Settlement {
        self.end(narrow(actual))
    }

    /// Sets everything free: nothing was sent.
    pub fn release(mut self) {
        self.end(0);
    }

    fn end(&mut self, actual: i64) -> Settlement {
        let mut uncovered = 0;
        if std::mem::replace(&mut self.is_open, false) {
            for held in &self.held {
                uncovered = uncovered.max(settle_one(&self.shared, held, actual));
            }
        }
        let money = |amount: i64| PicoUsd(amount.into());
        Settlement { reserved: money(self.amount), actual: money(actual), uncovered: money(uncovered) }
    }
}

/// Settles in one account and gives what no lease could pay.
fn settle_one(shared: &Shared, held: &Held, actual: i64) -> i64 {
    let mut state = held.account.0.lock();
    let current = state.current.period.start;
    let Some(slot) = state.slot(held.start) else { return 0 };
    slot.reserved -= held.taken;
    slot.open -= 1;
    let paid = actual.min(slot.free().max(0));
    slot.settled += paid;
    slot.over = slot.over.saturating_add(actual - paid);
    let (over, used_at) = (slot.over, state.used_at);
    if held.start != current {
        // The last of an old period lets its lease go back.
        if !state.is_asked {
            state.is_asked = true;
            shared.ask(&held.account);
        }
    } else if over > 0 {
        state.need = state.need.max(over);
        if state.must_ask(used_at) {
            shared.ask(&held.account);
        }
    }
    actual - paid
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.end(self.amount);
    }
}
