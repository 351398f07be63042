//! Periods in use: they roll, they are fetched ahead, and no clock opens one again.

use std::sync::Arc;

use pilothouse_core::clock::{Clock, ManualClock, UnixMs};

use super::leases::{START, account, books, clock, open, rule, usd};
use crate::budget::{Every, Why};

const HOUR: u64 = 3_600_000;

#[test]
fn exchange_belongs_to_the_period_of_its_admission() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = account(&budgets, "app", &rule(6400, Every::Hour));
    let accounts = std::slice::from_ref(&account);
    let old = budgets.reserve(accounts, usd(90), clock.now()).unwrap();
    clock.advance(HOUR);
    let _ = budgets.reserve(accounts, usd(50), clock.now());
    budgets.serve().unwrap();
    let new = budgets.reserve(accounts, usd(50), clock.now()).unwrap();
    old.settle(usd(80));
    new.settle(usd(40));
    assert_eq!(account.standing().settled, usd(40), "the new period has only its own");
    budgets.close().unwrap();
    let db = rusqlite::Connection::open(dir.path().join(crate::LEDGER_FILE)).unwrap();
    let mut select = db.prepare("SELECT closed FROM budget_period ORDER BY start_ms").unwrap();
    let closed: Vec<i64> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(closed, [80, 40]);
}

#[test]
fn clock_that_goes_back_opens_no_period_again() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let rule = rule(6400, Every::Hour);
    let account = account(&budgets, "app", &rule);
    let accounts = std::slice::from_ref(&account);
    clock.advance(HOUR);
    let later = clock.now();
    let _ = budgets.reserve(accounts, usd(6400), later);
    budgets.serve().unwrap();
    budgets.reserve(accounts, usd(6400), later).unwrap().settle(usd(6400));
    for back in [later.0 - HOUR, later.0 - 30 * HOUR, 0] {
        let refused = budgets.reserve(accounts, usd(1), UnixMs(back)).unwrap_err();
        assert_eq!(refused.resets_at, Some(UnixMs(START.0 + 2 * HOUR)), "the new period stays");
        budgets.serve().unwrap();
        assert_eq!(budgets.reserve(accounts, usd(1), UnixMs(back)).unwrap_err().why, Why::Spent);
    }
    budgets.close().unwrap();

    // The same after a restart, with a clock that shows the hour before.
    let early = Arc::new(ManualClock::new(START));
    let budgets = open(dir.path(), &early);
    let account = self::account(&budgets, "app", &rule);
    let refused = budgets.reserve(&[account], usd(1), START).unwrap_err();
    assert_eq!((refused.why, refused.resets_at), (Why::Spent, Some(UnixMs(START.0 + 2 * HOUR))));
}

#[test]
fn next_periods_lease_is_there_before_it_begins() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = account(&budgets, "app", &rule(6400, Every::Hour));
    let accounts = std::slice::from_ref(&account);
    budgets.reserve(accounts, usd(50), clock.now()).unwrap().settle(usd(50));
    clock.advance(HOUR - 10_000);
    budgets.round().unwrap();
    clock.advance(10_000);
    budgets.reserve(accounts, usd(50), clock.now()).unwrap().settle(usd(50));
    budgets.round().unwrap();
    let rows = books(dir.path()).rows().unwrap();
    assert_eq!((rows[0].period.start, rows[0].settled), (UnixMs(START.0 + HOUR), usd(50)));
}

#[test]
fn period_that_another_process_has_begun_is_the_one_for_all() {
    let (dir, ahead, behind) = (tempfile::tempdir().unwrap(), clock(), clock());
    let rule = rule(6400, Every::Hour);
    let slow = open(dir.path(), &behind);
    let lagging = account(&slow, "app", &rule);
    ahead.advance(HOUR);
    let fast = open(dir.path(), &ahead);
    let leading = account(&fast, "app", &rule);
    assert!(leading.standing().free > usd(0));
    let _ = slow.reserve(std::slice::from_ref(&lagging), usd(3000), behind.now());
    slow.serve().unwrap();
    assert_eq!(lagging.standing().period, leading.standing().period);
    slow.reserve(&[lagging], usd(3000), behind.now()).unwrap().settle(usd(3000));
}

#[test]
fn lease_that_nobody_gave_back_is_booked_a_day_after_its_period() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let lost = account(&budgets, "app", &rule(6400, Every::Day)).standing().free;
    budgets.shared.worker().take();
    drop(budgets);
    clock.advance(35 * HOUR);
    open(dir.path(), &clock).round().unwrap();
    assert_eq!(books(dir.path()).orphans().unwrap().len(), 1);
    clock.advance(3 * HOUR);
    open(dir.path(), &clock).round().unwrap();
    assert_eq!(books(dir.path()).orphans().unwrap(), []);
    let row = &books(dir.path()).rows().unwrap()[0];
    assert_eq!((row.settled, row.leased), (lost, usd(0)));
}
