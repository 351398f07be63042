//! The background's rounds: leases are fetched, noted and given back, many accounts in one transaction.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use pilothouse_core::clock::UnixMs;
use rusqlite::{Connection, TransactionBehavior};
use rustc_hash::FxHashSet;

use super::account::{Account, Slot, State, after};
use super::books::{self, Answer, Ask};
use super::calendar::Period;
use super::{Holder, Shared};
use crate::error::StoreError;
use crate::schema;

/// Accounts of one transaction, at most: others of this machine wait for it.
const ACCOUNTS_AT_ONCE: usize = 256;

/// How long before a period begins its lease is fetched, at most.
const LEAD_MS: u64 = 30_000;

/// A lease is spared for other processes when nobody used it for so long.
const SPARE_AFTER_MS: u64 = 2_000;

/// How often everything is looked at, not only what asked.
const FULL_EVERY: Duration = Duration::from_secs(1);

/// Old periods are looked for in one of so many full rounds.
const LAPSE_EVERY: u64 = 60;

/// How thorough a round is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// Only accounts that asked.
    Asked,
    /// Every account: what it spent is noted, what it has too much goes back, the next period is fetched.
    Full,
    /// Every account gives everything back; open reservations count as spent.
    Last,
}

/// What does the rounds: the file, and who we are in it.
#[derive(Debug)]
pub(super) struct Worker {
    db: Connection,
    path: PathBuf,
    holder: Holder,
    rounds: u64,
    /// The latest time seen: a clock that goes back is waited for.
    latest: UnixMs,
}

/// What a round goes by.
struct View {
    round: Round,
    now: UnixMs,
    idle_ms: u64,
    /// What other processes lack.
    wishes: FxHashSet<(i64, UnixMs)>,
}

/// What is done for one account in a round.
struct Task {
    account: Account,
    asks: Vec<Ask>,
    /// Slots that are given back, each with what of it is spent for good.
    closes: Vec<(Slot, i64)>,
    /// The wish that the asks were made for.
    need: i64,
}

/// What the store said to a task.
struct Done {
    stored: Option<i64>,
    answers: Vec<Answer>,
}

impl Worker {
    pub(super) fn new(db: Connection, path: &Path, holder: Holder) -> Self {
        Self { db, path: path.to_owned(), holder, rounds: 0, latest: UnixMs(0) }
    }

    /// One round. What the disk refused is asked for again by the next reservation or the next full round.
    pub(super) fn round(&mut self, shared: &Shared, round: Round) -> Result<(), StoreError> {
        self.latest = self.latest.max(shared.clock.now());
        let now = self.latest;
        let mut accounts = std::mem::take(&mut *shared.asked.lock().unwrap_or_else(PoisonError::into_inner));
        if round != Round::Asked {
            accounts = shared.every_account();
        }
        let wishes = match round {
            // Unread wishes are read a second later.
            Round::Full => books::wishes(&self.db, self.holder.id, now).unwrap_or_default(),
            Round::Asked | Round::Last => FxHashSet::default(),
        };
        let view = View { round, now, idle_ms: shared.idle_ms, wishes };
        let mut result = Ok(());
        for some in accounts.chunks(ACCOUNTS_AT_ONCE) {
            let tasks: Vec<Task> = some.iter().map(|account| prepare(account, &view)).collect();
            let done = self.transact(&tasks);
            match done {
                Ok(done) => {
                    tasks.iter().zip(done).for_each(|(task, done)| apply(shared, task, done, round, now))
                }
                Err(cause) => {
                    tasks.iter().for_each(give_up);
                    result = Err(schema::refused(&self.path, "keep the budgets in", cause));
                }
            }
        }
        // Whoever is on a list is held.
        drop(accounts);
        if round == Round::Full {
            shared.forget_cold();
            self.rounds += 1;
            if self.rounds % LAPSE_EVERY == 1 {
                books::lapse(&self.db, now)
                    .map_err(|cause| schema::refused(&self.path, "forget old periods in", cause))?;
            }
        }
        result
    }

    /// Every task in one transaction, or none.
    fn transact(&mut self, tasks: &[Task]) -> rusqlite::Result<Vec<Done>> {
        if tasks.iter().all(|task| task.asks.is_empty() && task.closes.is_empty()) {
            return Ok(tasks.iter().map(|_| Done { stored: None, answers: Vec::new() }).collect());
        }
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done =
            tasks.iter().map(|task| perform(&transaction, self.holder.id, task)).collect::<Result<_, _>>()?;
        transaction.commit()?;
        Ok(done)
    }

    /// Gives every lease back and leaves the list of holders.
    pub(super) fn end(&mut self, shared: &Shared) -> Result<(), StoreError> {
        self.round(shared, Round::Last)?;
        self.holder.leave(&self.db).map_err(|cause| schema::refused(&self.path, "keep the budgets in", cause))
    }
}

fn perform(db: &Connection, holder: i64, task: &Task) -> rusqlite::Result<Done> {
    let mut done = Done { stored: None, answers: Vec::new() };
    for ask in &task.asks {
        let answer = books::serve(db, holder, ask)?;
        done.stored = Some(answer.stored);
        done.answers.push(answer);
    }
    let stored = done.stored.or(task.account.0.lock().stored);
    for (slot, spent) in &task.closes {
        // A slot with nothing in the store has no account there either.
        if let Some(stored) = stored {
            books::close(db, holder, stored, slot, *spent)?;
        }
    }
    Ok(done)
}

/// Decides what an account needs. What goes back leaves memory here, before the disk hears of it.
fn prepare(account: &Account, view: &View) -> Task {
    let (round, now) = (view.round, view.now);
    let mut state = account.0.lock();
    state.roll(now);
    let mut task = Task { account: account.clone(), asks: Vec::new(), closes: Vec::new(), need: state.need };
    let ask = |state: &State, slot: Slot, want: i64, need: i64, is_ahead: bool| Ask {
        stored: state.stored,
        kind: account.0.kind,
        scope: Arc::clone(&account.0.scope),
        rule: Arc::clone(&state.rule),
        slot,
        want,
        need,
        is_ahead,
        // What stands in memory has begun, whatever the clock says since.
        now: now.max(slot.period.start),
    };
    if round == Round::Last {
        let slots: Vec<Slot> =
            state.slots().map(|slot| slot.give_up_free()).filter(|slot| !slot.is_blank()).collect();
        if state.stored.is_none() && !slots.is_empty() {
            task.asks.push(ask(&state, state.current, 0, 0, false));
        }
        task.closes.extend(slots.into_iter().map(|slot| (slot, slot.settled + slot.reserved)));
        return task;
    }
    if round == Round::Full {
        let is_leaving = spare(account, &mut state, view);
        if is_leaving {
            task.closes.push((state.current, state.current.settled));
        }
    }
    task.closes.extend(state.behind.iter().filter(|slot| slot.open == 0).map(|slot| (*slot, slot.settled)));
    let slot = state.current;
    let free = slot.free();
    let need = (state.need.max(slot.over).saturating_sub(free)).max(0);
    let want =
        if task.closes.iter().any(|(closed, _)| closed.period == slot.period) { 0 } else { state.lacks() };
    let is_news = state.is_asked || slot.synced != slot.sums();
    let retries =
        round == Round::Full && slot.is_answered && state.is_low() && want > 0 && !is_idle(&state, now);
    if is_news || retries {
        let want = if state.is_asked || retries { want } else { 0 };
        task.asks.push(ask(&state, slot, want, if want > 0 { need } else { 0 }, false));
    }
    if let Some(next) = next_period(&state, now).filter(|_| round == Round::Full) {
        task.asks.push(ask(&state, Slot::empty(next), state.target(), 0, true));
    }
    task
}

fn is_idle(state: &State, now: UnixMs) -> bool {
    state.used_at <= now && now.0 >= state.used_at.0 + SPARE_AFTER_MS
}

/// Gives up what an account has too much of. True where it has been idle for so long that all of it goes.
fn spare(account: &Account, state: &mut State, view: &View) -> bool {
    let idle_ms = view.now.0.saturating_sub(state.used_at.0);
    let is_over = idle_ms >= view.idle_ms && state.current.open == 0 && state.need == 0;
    let leaves = account.0.kind.is_made_by_callers() && is_over;
    let is_wanted =
        state.stored.is_some_and(|stored| view.wishes.contains(&(stored, state.current.period.start)));
    let (free, target) = (state.current.free().max(0), state.target());
    let excess = if leaves || (is_wanted && is_idle(state, view.now)) {
        free
    } else if free > target.saturating_mul(2) {
        free - target
    } else {
        // The limit was lowered under what is leased.
        free.min(state.current.unleased.min(0).saturating_neg())
    };
    state.current.granted -= excess;
    state.current.unleased = state.current.unleased.saturating_add(excess);
    if !is_idle(state, view.now) {
        state.fade();
    }
    leaves && !state.current.is_blank()
}

/// The period after this one, when it is near, somebody uses the account and its lease is not there yet.
fn next_period(state: &State, now: UnixMs) -> Option<Period> {
    let Period { start, end } = state.current.period;
    let lead = LEAD_MS.min((end.0 - start.0) / 20);
    let is_near = end != Period::NEVER && now.0 + lead >= end.0 && now < end;
    let is_used = state.current.settled > 0 || state.current.open > 0;
    if !is_near || !is_used || state.ahead.is_some() || state.stored.is_none() {
        return None;
    }
    Some(after(&state.current.period, state.rule.calendar().period_of(end)))
}

/// Puts what is on disk now into memory.
fn apply(shared: &Shared, task: &Task, done: Done, round: Round, now: UnixMs) {
    let mut state = task.account.0.lock();
    state.is_asked = false;
    state.stored = done.stored.or(state.stored);
    if round == Round::Last {
        return;
    }
    for (closed, _) in &task.closes {
        forget_closed(&mut state, closed);
    }
    for (ask, answer) in task.asks.iter().zip(done.answers) {
        enter_lease(&mut state, ask, &answer, now);
        shared.tell(answer.alerts);
    }
    if state.need <= task.need {
        state.need = 0;
    }
    // Somebody asked for more while the disk was busy.
    if state.need > 0 && state.must_ask(now) {
        shared.ask(&task.account);
    }
    let waiting = state.waiting();
    drop(state);
    wake(waiting);
}

/// What was closed is gone from memory; what happened in its slot since stays.
fn forget_closed(state: &mut State, closed: &Slot) {
    let start = closed.period.start;
    if let Some(at) = state.behind.iter().position(|slot| slot.period.start == start) {
        state.behind.swap_remove(at);
    } else if let Some(slot) = state.slot(start) {
        slot.granted -= closed.granted;
        slot.settled -= closed.settled;
        slot.over -= closed.over;
        slot.synced = (0, 0, 0);
        slot.is_answered = false;
    }
}

fn enter_lease(state: &mut State, ask: &Ask, answer: &Answer, now: UnixMs) {
    let start = answer.period.start;
    let is_next = state.ahead.as_ref().is_some_and(|ahead| ahead.period.start == start);
    if is_next && !ask.is_ahead {
        // Another process has begun the next period: the old one is over for all.
        if let Some(ahead) = state.ahead.take() {
            state.enter(ahead);
        }
    } else if state.slot(start).is_none() {
        let fresh = Slot { is_answered: true, ..Slot::empty(answer.period) };
        if ask.is_ahead && start > state.current.period.start {
            state.ahead = Some(fresh);
        } else if start > state.current.period.start {
            // Another process has begun a period that our clock has not: the old one is over for all.
            state.enter(fresh);
        } else if answer.granted > 0 {
            state.behind.push(fresh);
        }
    }
    if answer.granted > 0 && !ask.is_ahead {
        state.grow(now);
    }
    let is_same = ask.slot.period.start == start;
    let Some(slot) = state.slot(start) else { return };
    if is_same {
        slot.synced = (ask.slot.granted + answer.granted, ask.slot.settled, ask.slot.over);
    }
    slot.granted += answer.granted;
    slot.unleased = answer.unleased;
    slot.is_answered = true;
    slot.pay_over();
}

/// The disk refused: those who wait are told, and whoever comes next asks again.
fn give_up(task: &Task) {
    let mut state = task.account.0.lock();
    state.is_asked = false;
    let waiting = state.waiting();
    drop(state);
    wake(waiting);
}

fn wake(waiting: Vec<Waker>) {
    waiting.into_iter().for_each(Waker::wake);
}

/// Does rounds until the budgets are closed.
pub(super) fn run(shared: &Shared) {
    let mut full_at = Instant::now();
    while !shared.is_closing() {
        let round = if full_at.elapsed() >= FULL_EVERY { Round::Full } else { Round::Asked };
        if round == Round::Full {
            full_at = Instant::now();
        }
        let result = shared.worker().as_mut().map(|worker| worker.round(shared, round));
        if let Some(Err(error)) = result {
            shared.note_error(&error);
            // A disk that refuses is not asked in a circle; callers are refused meanwhile.
            std::thread::park_timeout(Duration::from_millis(100));
        }
        if !shared.has_asked() && !shared.is_closing() {
            std::thread::park_timeout(FULL_EVERY.saturating_sub(full_at.elapsed()));
        }
    }
}
