//! One budget of one scope in memory: the leases of its periods, and what is taken from them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;

use super::calendar::{Every, Period};
use super::rule::{Rule, ScopeKind};

/// After an answer that could not pay what was asked, the store is not asked again for so long.
const ASK_AGAIN_MS: u64 = 200;

/// Those who wait for a lease of one account, at most; further ones ask again by themselves.
const WAITERS_MAX: usize = 1024;

/// The part of a limit that a first lease has.
const FIRST_SHARE: i64 = 64;

/// The part of a limit that a lease grows to under load.
const LARGEST_SHARE: i64 = 8;

/// A lease of one period, and what was taken from it.
///
/// `settled + reserved <= granted`, and `granted` is on disk before it stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) period: Period,
    pub(super) granted: i64,
    pub(super) settled: i64,
    pub(super) reserved: i64,
    /// Spent although no lease could pay it: calls that cost more than was reserved, and what is only warned of.
    pub(super) over: i64,
    /// What nobody had leased when the store was last asked.
    pub(super) unleased: i64,
    /// Whether the store has answered for this period at all.
    pub(super) is_answered: bool,
    /// Reservations that are not settled.
    pub(super) open: u32,
    /// The granted, settled and over that are on disk.
    pub(super) synced: (i64, i64, i64),
}

impl Slot {
    pub(super) const fn empty(period: Period) -> Self {
        Self {
            period,
            granted: 0,
            settled: 0,
            reserved: 0,
            over: 0,
            unleased: 0,
            is_answered: false,
            open: 0,
            synced: (0, 0, 0),
        }
    }

    /// What can be reserved at once.
    pub(super) const fn free(&self) -> i64 {
        self.granted - self.settled - self.reserved
    }

    /// Whether nothing of it is anywhere: no lease, no spend.
    pub(super) const fn is_blank(&self) -> bool {
        self.granted == 0 && self.settled == 0 && self.over == 0 && self.open == 0
    }

    /// What the store should know of it.
    pub(super) const fn sums(&self) -> (i64, i64, i64) {
        (self.granted, self.settled, self.over)
    }

    /// Keeps nothing that could still be reserved: what goes back to the balance must not be spent here as well.
    pub(super) fn give_up_free(&mut self) -> Self {
        self.granted -= self.free().max(0);
        *self
    }

    /// Pays from the lease what was spent without one.
    pub(super) fn pay_over(&mut self) {
        let paid = self.over.min(self.free()).max(0);
        self.settled += paid;
        self.over -= paid;
    }
}

/// What changes of an account.
#[derive(Debug)]
pub(super) struct State {
    pub(super) rule: Arc<Rule>,
    pub(super) current: Slot,
    /// The next period's lease, taken before it begins.
    pub(super) ahead: Option<Slot>,
    /// Periods that are over, until their last reservation is settled and the lease is given back.
    pub(super) behind: Vec<Slot>,
    /// The account's id in the store, once it has one.
    pub(super) stored: Option<i64>,
    /// Whether it waits in the list of those that need a lease.
    pub(super) is_asked: bool,
    /// The most that a refused or starved caller wanted at once.
    pub(super) need: i64,
    asked_at: UnixMs,
    pub(super) used_at: UnixMs,
    /// The part of the limit that a lease has now.
    size: i64,
    /// The largest reservation of late.
    peak: i64,
    pub(super) refilled_at: UnixMs,
    wakers: Vec<Waker>,
}

impl State {
    pub(super) fn new(rule: Arc<Rule>, now: UnixMs) -> Self {
        let period = rule.calendar().period_of(now);
        let size = (rule.limit / FIRST_SHARE).max(1);
        Self {
            rule,
            current: Slot::empty(period),
            ahead: None,
            behind: Vec::new(),
            stored: None,
            peak: 0,
            is_asked: false,
            need: 0,
            asked_at: UnixMs(0),
            used_at: now,
            size,
            refilled_at: UnixMs(0),
            wakers: Vec::new(),
        }
    }

    /// Goes on to the period of `now`. Time that went back changes nothing: a period is never opened again.
    pub(super) fn roll(&mut self, now: UnixMs) {
        if now.0 < self.current.period.end.0 {
            return;
        }
        let next = match self.ahead.take() {
            Some(ahead) if ahead.period.contains(now) => ahead,
            unused => {
                self.behind.extend(unused);
                Slot::empty(after(&self.current.period, self.rule.calendar().period_of(now)))
            }
        };
        self.enter(next);
    }

    /// Makes a slot the current one; the one before waits for its last reservation.
    pub(super) fn enter(&mut self, next: Slot) {
        let before = std::mem::replace(&mut self.current, next);
        if !before.is_blank() {
            self.behind.push(before);
        }
        self.size = (self.rule.limit / FIRST_SHARE).max(1);
    }

    /// Every slot, the current one first.
    pub(super) fn slots(&mut self) -> impl Iterator<Item = &mut Slot> {
        std::iter::once(&mut self.current).chain(&mut self.ahead).chain(&mut self.behind)
    }

    /// The slot of the period that begins at `start`.
    pub(super) fn slot(&mut self, start: UnixMs) -> Option<&mut Slot> {
        self.slots().find(|slot| slot.period.start == start)
    }

    /// How much a refill aims to have free: room for two of the largest calls at least.
    pub(super) fn target(&self) -> i64 {
        self.size.max(self.peak.saturating_mul(2)).min(self.rule.limit)
    }

    /// What the balance can pay, as far as this process knows.
    pub(super) fn payable(&self) -> i64 {
        self.current.free().max(0).saturating_add(self.current.unleased.max(0))
    }

    /// Notes a wish to reserve.
    pub(super) fn note(&mut self, amount: i64, now: UnixMs) {
        self.peak = self.peak.max(amount.min(self.rule.limit / LARGEST_SHARE));
        self.used_at = now;
    }

    /// Lets a single large call be forgotten while smaller ones go on.
    pub(super) fn fade(&mut self) {
        self.peak -= self.peak / 16;
    }

    /// Whether little enough is free to fetch more.
    pub(super) fn is_low(&self) -> bool {
        self.current.free() <= self.target() / 2
    }

    /// What the current lease lacks to have enough free; 0 while it has.
    pub(super) fn lacks(&self) -> i64 {
        if self.need == 0 && !self.is_low() {
            return 0;
        }
        self.target().saturating_add(self.need).saturating_sub(self.current.free()).max(0)
    }

    /// Whether the store should be asked now; notes that it was.
    pub(super) fn must_ask(&mut self, now: UnixMs) -> bool {
        let can_grow = self.is_low() && self.current.unleased > 0;
        let asks = can_grow || self.need > 0 || !self.current.is_answered;
        let is_early = self.asked_at <= now && now.0 < self.asked_at.0 + ASK_AGAIN_MS;
        let was_in_vain = self.current.is_answered && self.current.unleased == 0;
        if !asks || self.is_asked || (is_early && was_in_vain) {
            return false;
        }
        self.is_asked = true;
        self.asked_at = now;
        true
    }

    /// Leases grow while they are used up fast, so that a busy account seldom asks.
    pub(super) fn grow(&mut self, now: UnixMs) {
        let is_fast = self.refilled_at <= now && now.0 < self.refilled_at.0 + 1000;
        if is_fast && self.refilled_at.0 > 0 {
            self.size = self.size.saturating_mul(2).min((self.rule.limit / LARGEST_SHARE).max(1));
        }
        self.refilled_at = now;
    }

    /// Takes a new rule: what is leased beyond its limit is given back by the next round.
    pub(super) fn obey(&mut self, rule: Arc<Rule>) {
        self.size = (rule.limit / FIRST_SHARE).max(1);
        self.rule = rule;
        self.current.is_answered = false;
    }

    /// Wakes `waker` when the store has answered. False when too many wait already.
    pub(super) fn wait(&mut self, waker: &Waker) -> bool {
        if self.wakers.iter().any(|known| known.will_wake(waker)) {
            return true;
        }
        let has_room = self.wakers.len() < WAITERS_MAX;
        if has_room {
            self.wakers.push(waker.clone());
        }
        has_room
    }

    pub(super) fn waiting(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wakers)
    }

    /// Whether a reservation, a lease or a spend is anywhere in it.
    pub(super) fn is_cold(&self) -> bool {
        self.current.is_blank() && self.ahead.is_none() && self.behind.is_empty() && !self.is_asked
    }
}

/// The next period, cut so that it does not overlap the one before: a rule may have changed in between.
pub(super) fn after(before: &Period, next: Period) -> Period {
    Period { start: next.start.max(before.end), end: next.end }
}

/// One budget of one scope. Cheap to clone; whoever holds one keeps it in memory.
#[derive(Clone, Debug)]
pub struct Account(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    /// The order in which accounts are locked.
    pub(super) order: u64,
    pub(super) kind: ScopeKind,
    pub(super) scope: Arc<str>,
    pub(super) every: Every,
    state: Mutex<State>,
}

impl Inner {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where one process stands with an account; what others have leased is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The period that is spent from.
    pub period: Period,
    /// Settled by this process in it.
    pub settled: PicoUsd,
    /// Set aside for calls under way.
    pub reserved: PicoUsd,
    /// What the lease of this process can still pay.
    pub free: PicoUsd,
    /// Spent although the lease could not pay it.
    pub over: PicoUsd,
}

impl Account {
    pub(super) fn new(order: u64, kind: ScopeKind, scope: Arc<str>, rule: Arc<Rule>, now: UnixMs) -> Self {
        let every = rule.calendar().every();
        Self(Arc::new(Inner { order, kind, scope, every, state: Mutex::new(State::new(rule, now)) }))
    }

    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> ScopeKind {
        self.0.kind
    }

    /// Its name.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.0.scope
    }

    /// How often it starts anew.
    #[must_use]
    pub fn every(&self) -> Every {
        self.0.every
    }

    /// The rule that holds now.
    #[must_use]
    pub fn rule(&self) -> Arc<Rule> {
        Arc::clone(&self.0.lock().rule)
    }

    /// Where this process stands with it.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let slot = self.0.lock().current;
        let money = |amount: i64| PicoUsd(amount.into());
        Standing {
            period: slot.period,
            settled: money(slot.settled),
            reserved: money(slot.reserved),
            free: money(slot.free()),
            over: money(slot.over),
        }
    }
}
