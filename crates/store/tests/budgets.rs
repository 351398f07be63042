//! Three processes on one store, killed at random: no budget is exceeded, and what is restored is never below the
//! true spend and above it by at most what was leased.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test says so when it fails")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pilothouse_core::clock::{Clock, SystemClock, UnixMs};
use pilothouse_core::money::PicoUsd;
use pilothouse_store::budget::{
    Account, BudgetBooks, BudgetOptions, BudgetRow, Budgets, Calendar, Every, Rule, ScopeKind,
};

const CHILD: &str = "PILOTHOUSE_TEST_SPENDS_FROM";
const SEED: &str = "PILOTHOUSE_TEST_SEED";
const LIMIT: i64 = 300_000;
const PROCESSES: usize = 3;

fn rule() -> Arc<Rule> {
    Arc::new(Rule::new(PicoUsd(LIMIT.into()), Calendar::utc(Every::Total)).unwrap())
}

fn scopes(budgets: &Budgets) -> Vec<Account> {
    let rule = rule();
    ["one", "two"].map(|name| budgets.account(ScopeKind::Team, name, &rule).unwrap()).to_vec()
}

/// The child: spends without end and says each amount before it could be spent, because a kill comes at any point.
#[test]
fn child_spends_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let mut random: u64 = std::env::var(SEED).unwrap().parse().unwrap();
    let budgets = Budgets::open(&dir, BudgetOptions::default()).unwrap();
    let accounts = scopes(&budgets);
    assert!(budgets.warm(&accounts, Duration::from_secs(60)));
    let mut say = std::io::stdout();
    loop {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let amount = i128::from(random >> 56) + 1;
        let some = if random & 0x10_0000 == 0 { &accounts[..] } else { &accounts[..1] };
        let Ok(held) = budgets.reserve(some, PicoUsd(amount), SystemClock.now()) else {
            writeln!(say, "\nrefused {} {}", 0, 0).unwrap();
            // The store is shared: between two refusals the others have their turn.
            assert!(budgets.warm(&accounts, Duration::from_secs(60)));
            std::thread::yield_now();
            continue;
        };
        // The vendor's own count: a call that was sent is spent at what it cost, whatever we note of it.
        let actual = amount / 2 + 1;
        writeln!(say, "\nspent {actual} {}", some.len()).unwrap();
        say.flush().unwrap();
        held.settle(PicoUsd(actual));
    }
}

fn start_child(dir: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_spends_until_it_is_killed", "--nocapture"])
        .env(CHILD, dir)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What one process truly spent, by scope.
#[derive(Clone, Copy, Debug, Default)]
struct Spent([i128; 2]);

/// Counts what a child says until it has spent `enough` or nothing is left, kills it, and counts the rest it said.
fn watch(mut child: Child, enough: usize, finished: &AtomicUsize) -> Spent {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut spent = Spent::default();
    let mut count = |line: &str| -> Option<bool> {
        let mut words = line.split(' ');
        let is_spent = match words.next()? {
            "spent" => true,
            "refused" => false,
            _ => return None,
        };
        let amount: i128 = words.next()?.parse().ok()?;
        let scopes: usize = words.next()?.parse().ok()?;
        spent.0.iter_mut().take(scopes).for_each(|sum| *sum += amount);
        Some(is_spent)
    };
    let (mut calls, mut refusals) = (0, 0);
    while calls < enough && refusals < 200 {
        let line = lines.next().expect("the child ended by itself").unwrap();
        match count(&line) {
            Some(true) => (calls, refusals) = (calls + 1, 0),
            Some(false) => refusals += 1,
            None => {}
        }
    }
    finished.fetch_add(1, Ordering::SeqCst);
    child.kill().unwrap();
    child.wait().unwrap();
    // The last line may have been cut by the kill: then the call was not sent.
    for line in lines.map_while(Result::ok) {
        count(&line);
    }
    spent
}

fn rows(dir: &Path) -> Vec<BudgetRow> {
    BudgetBooks::open(dir, &SystemClock).unwrap().rows().unwrap()
}

/// One round of three processes, killed after different numbers of calls. Gives what they truly spent.
fn round(dir: &Path, round: usize) -> Spent {
    let finished = AtomicUsize::new(0);
    let spent: Vec<Spent> = std::thread::scope(|scope| {
        let watched = (0..PROCESSES).map(|process| {
            let seed = (round * PROCESSES + process) as u64 ^ 0x5DEE_CE66;
            let enough = 40 + 97 * process + 61 * round;
            let child = start_child(dir, seed);
            let finished = &finished;
            scope.spawn(move || watch(child, enough, finished))
        });
        let watched: Vec<_> = watched.collect();
        watched.into_iter().map(|watched| watched.join().unwrap()).collect()
    });
    assert_eq!(finished.load(Ordering::SeqCst), PROCESSES);
    let mut sum = Spent::default();
    for one in spent {
        sum.0.iter_mut().zip(one.0).for_each(|(sum, amount)| *sum += amount);
    }
    sum
}

#[test]
fn three_killed_processes_never_exceed_a_budget_and_never_lose_spend() {
    let dir = tempfile::tempdir().unwrap();
    let mut truth = Spent::default();
    for number in 0..6 {
        let spent = round(dir.path(), number);
        truth.0.iter_mut().zip(spent.0).for_each(|(sum, amount)| *sum += amount);
        let books = BudgetBooks::open(dir.path(), &SystemClock).unwrap();
        let orphans = books.orphans().unwrap();
        for (row, true_spend) in books.rows().unwrap().iter().zip(truth.0) {
            let restored = row.settled.0 + row.leased.0 + row.over.0;
            assert!(true_spend <= restored, "round {number}: {true_spend} spent, {restored} restored");
            assert!(restored <= LIMIT.into(), "round {number}: {restored} of {LIMIT} restored");
            // Above the truth by what was leased and not settled, and not by more: what is noted as settled was spent.
            assert!(row.settled.0 <= true_spend, "round {number}: {row:?}, {true_spend} spent");
            let granted: i128 =
                orphans.iter().filter(|one| one.scope == row.scope).map(|one| one.granted.0).sum();
            assert!(restored <= granted, "round {number}: {restored} restored of {granted} leased");
        }
    }
    assert!(truth.0[0] > 10_000, "the children did spend: {truth:?}");

    // A living process can spend exactly what the books leave.
    let left: Vec<i128> =
        rows(dir.path()).iter().map(|row| i128::from(LIMIT) - row.settled.0 - row.leased.0).collect();
    let budgets = Budgets::open(dir.path(), BudgetOptions::default()).unwrap();
    let accounts = scopes(&budgets);
    assert!(budgets.warm(&accounts, Duration::from_secs(60)));
    for (account, left) in accounts.iter().zip(left).filter(|(_, left)| *left > 0) {
        let alone = std::slice::from_ref(account);
        let mut now = SystemClock.now();
        let mut reserve = |amount: i128| {
            now = UnixMs(now.0 + 1000);
            budgets.reserve(alone, PicoUsd(amount), now).map(|held| held.settle(PicoUsd(amount)))
        };
        if reserve(left).is_err() {
            assert!(budgets.warm(alone, Duration::from_secs(60)));
            reserve(left).unwrap();
        }
        assert!(reserve(1).is_err());
    }
}
