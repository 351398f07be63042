//! Thousands of interleavings, scripted and by threads, against an oracle that counts the true spend.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use pilothouse_core::clock::{Clock as _, ManualClock, UnixMs};
use proptest::prelude::*;

use super::leases::{START, clock, open, rule, usd};
use crate::budget::{Account, Budgets, Every, Reservation, Rule, ScopeKind};

const LIMITS: [i64; 3] = [1000, 2500, 700];

/// What can happen next, anywhere.
#[derive(Clone, Debug)]
enum Step {
    Reserve { process: usize, scopes: usize, amount: i64, least: i64 },
    TopUp { at: usize, more: i64 },
    Settle { at: usize, per_cent: i64 },
    Drop { at: usize },
    Serve { process: usize },
    Round { process: usize },
    Kill { process: usize },
    Close { process: usize },
    Move { clock: usize, back: bool, millis: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let process = 0..3usize;
    prop_oneof![
        8 => (process.clone(), 1..8usize, 1..400i64, 1..400i64)
            .prop_map(|(process, scopes, amount, least)| Step::Reserve { process, scopes, amount, least }),
        2 => (any::<usize>(), 1..100i64).prop_map(|(at, more)| Step::TopUp { at, more }),
        6 => (any::<usize>(), 0..=100i64).prop_map(|(at, per_cent)| Step::Settle { at, per_cent }),
        1 => any::<usize>().prop_map(|at| Step::Drop { at }),
        6 => process.clone().prop_map(|process| Step::Serve { process }),
        2 => process.clone().prop_map(|process| Step::Round { process }),
        1 => process.clone().prop_map(|process| Step::Kill { process }),
        1 => process.prop_map(|process| Step::Close { process }),
        2 => (0..3usize, any::<bool>(), 1..2_000_000u64)
            .prop_map(|(clock, back, millis)| Step::Move { clock, back, millis }),
    ]
}

/// One process: its clock, its budgets, its accounts.
struct Process {
    clock: Arc<ManualClock>,
    budgets: Budgets,
    accounts: Vec<Account>,
}

/// A reservation, and what the oracle knows of it.
struct Held {
    reservation: Reservation,
    process: usize,
    /// Scope and the period's start.
    places: Vec<(usize, UnixMs)>,
}

struct World {
    dir: tempfile::TempDir,
    /// Reads what is on disk.
    db: Option<rusqlite::Connection>,
    rules: Vec<Arc<Rule>>,
    processes: Vec<Process>,
    held: Vec<Held>,
    /// Truly spent, by scope and the period's start.
    spent: HashMap<(usize, UnixMs), i64>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let rules: Vec<_> = LIMITS.iter().map(|limit| rule(*limit, Every::Hour)).collect();
        let mut world =
            Self { dir, db: None, rules, processes: Vec::new(), held: Vec::new(), spent: HashMap::new() };
        for _ in 0..3 {
            let process = world.process(clock());
            world.processes.push(process);
        }
        world.db = Some(rusqlite::Connection::open(world.dir.path().join(crate::LEDGER_FILE)).unwrap());
        world
    }

    fn process(&self, clock: Arc<ManualClock>) -> Process {
        let budgets = open(self.dir.path(), &clock);
        let account = |(at, rule)| budgets.account(ScopeKind::Team, &format!("scope {at}"), rule).unwrap();
        let accounts = self.rules.iter().enumerate().map(account).collect();
        Process { clock, budgets, accounts }
    }

    fn reserve(&mut self, at: usize, scopes: usize, amount: i64, least: i64) {
        let process = &self.processes[at];
        let chosen: Vec<usize> = (0..LIMITS.len()).filter(|scope| scopes >> scope & 1 == 1).collect();
        let accounts: Vec<Account> = chosen.iter().map(|scope| process.accounts[*scope].clone()).collect();
        let result = process.budgets.reserve_up_to(
            &accounts,
            usd(least.min(amount)),
            usd(amount),
            process.clock.now(),
        );
        if let Ok(reservation) = result {
            let places = chosen.iter().zip(&accounts);
            let places = places.map(|(scope, account)| (*scope, account.standing().period.start)).collect();
            self.held.push(Held { reservation, process: at, places });
        }
    }

    fn take(&mut self, at: usize) -> Option<Held> {
        (!self.held.is_empty()).then(|| self.held.swap_remove(at % self.held.len()))
    }

    fn spend(&mut self, places: &[(usize, UnixMs)], amount: i64) {
        for place in places {
            *self.spent.entry(*place).or_default() += amount;
        }
    }

    /// What was sent is spent, as far as anybody knows, when the process dies or ends.
    fn end(&mut self, at: usize, is_killed: bool) {
        let (ended, rest): (Vec<Held>, Vec<Held>) =
            std::mem::take(&mut self.held).into_iter().partition(|held| held.process == at);
        self.held = rest;
        for held in &ended {
            let amount = i64::try_from(held.reservation.amount().0).unwrap();
            self.spend(&held.places, amount);
        }
        let fresh = self.process(Arc::clone(&self.processes[at].clock));
        let old = std::mem::replace(&mut self.processes[at], fresh);
        if is_killed {
            old.budgets.shared.worker().take();
        }
        old.budgets.close().unwrap();
        drop(ended);
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Reserve { process, scopes, amount, least } => self.reserve(process, scopes, amount, least),
            Step::TopUp { at, more } => {
                if !self.held.is_empty() {
                    let at = at % self.held.len();
                    let now = self.processes[self.held[at].process].clock.now();
                    let _ = self.held[at].reservation.top_up(usd(more), now);
                }
            }
            Step::Settle { at, per_cent } => {
                if let Some(held) = self.take(at) {
                    let actual = i64::try_from(held.reservation.amount().0).unwrap() * per_cent / 100;
                    self.spend(&held.places, actual);
                    assert_eq!(held.reservation.settle(usd(actual)).uncovered, usd(0));
                }
            }
            Step::Drop { at } => {
                if let Some(held) = self.take(at) {
                    let amount = i64::try_from(held.reservation.amount().0).unwrap();
                    self.spend(&held.places, amount);
                }
            }
            Step::Serve { process } => self.processes[process].budgets.serve().unwrap(),
            Step::Round { process } => self.processes[process].budgets.round().unwrap(),
            Step::Kill { process } => self.end(process, true),
            Step::Close { process } => self.end(process, false),
            Step::Move { clock, back, millis } => {
                let clock = &self.processes[clock].clock;
                clock.advance(if back {
                    0u64.wrapping_sub(millis.min(clock.now().0 - START.0))
                } else {
                    millis
                });
            }
        }
    }

    /// Spent and set aside, by the oracle's count, is within every limit, and the books say no less than what is spent.
    fn check(&self) {
        let mut sums = self.spent.clone();
        for held in &self.held {
            for place in &held.places {
                *sums.entry(*place).or_default() += i64::try_from(held.reservation.amount().0).unwrap();
            }
        }
        for ((scope, start), sum) in &sums {
            assert!(*sum <= LIMITS[*scope], "scope {scope} at {start:?}: {sum} of {}", LIMITS[*scope]);
        }
        let db = self.db.as_ref().unwrap();
        for ((scope, start), sum) in &sums {
            let booked: i64 = db
                .prepare_cached(
                    "SELECT p.closed + coalesce((SELECT sum(granted) FROM budget_lease l WHERE l.budget = p.budget \
                     AND l.start_ms = p.start_ms), 0) FROM budget_period p JOIN budget b ON b.id = p.budget \
                     WHERE b.scope = ?1 AND p.start_ms = ?2",
                )
                .unwrap()
                .query_row((format!("scope {scope}"), start.0.cast_signed()), |row| row.get(0))
                .unwrap();
            assert!(
                (*sum..=LIMITS[*scope]).contains(&booked),
                "scope {scope}: {booked} booked of {sum} true"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_interleaving_of_three_processes_exceeds_a_hard_budget(steps in proptest::collection::vec(step(), 60..120)) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
            world.check();
        }
    }
}

#[test]
fn threads_that_race_never_exceed_a_hard_budget_and_can_use_all_of_it() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let limit = 200_000;
    let team = budgets.account(ScopeKind::Team, "team", &rule(limit, Every::Day)).unwrap();
    let keys = (0..4)
        .map(|key| budgets.account(ScopeKind::Key, &format!("key {key}"), &rule(limit, Every::Day)).unwrap());
    let keys: Vec<Account> = keys.collect();
    let (outstanding, most) = (AtomicI64::new(0), AtomicI64::new(0));
    std::thread::scope(|scope| {
        for (worker, key) in keys.iter().enumerate() {
            let (budgets, team, outstanding, most) = (&budgets, &team, &outstanding, &most);
            scope.spawn(move || {
                let accounts =
                    if worker % 2 == 0 { [team.clone(), key.clone()] } else { [key.clone(), team.clone()] };
                let mut random = 0x9E37_79B9_7F4A_7C15u64 ^ worker as u64;
                for _ in 0..20_000 {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let amount = i64::try_from(random >> 58).unwrap() + 1;
                    match budgets.reserve(&accounts, usd(amount), START) {
                        Ok(held) => {
                            let now = outstanding.fetch_add(amount, Ordering::SeqCst) + amount;
                            most.fetch_max(now, Ordering::SeqCst);
                            let actual = amount / 2;
                            // The oracle gives back first: it may only be too low while the ledger is too high.
                            outstanding.fetch_sub(amount - actual, Ordering::SeqCst);
                            held.settle(usd(actual));
                        }
                        Err(_) => budgets.serve().unwrap(),
                    }
                }
            });
        }
    });
    assert!(most.load(Ordering::SeqCst) <= limit, "{most:?}");
    let spent = outstanding.load(Ordering::SeqCst);
    assert_eq!(team.standing().settled, usd(spent));
    assert!(spent > limit - 64, "{spent} of {limit} could be spent");
    assert_eq!(
        keys.iter().map(|key| key.standing().settled).sum::<pilothouse_core::money::PicoUsd>(),
        usd(spent)
    );
}
