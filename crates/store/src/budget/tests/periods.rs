//! Periods in use: they roll, they are fetched ahead, and no clock opens one again.

use std::sync::Arc;

use pilothouse_core::clock::{Clock, ManualClock, UnixMs};

use super::leases::{START, account, books, clock, open, rule, usd};
use crate::budget::{Anchor, Calendar, Every, Rule, Why};

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
fn changed_calendar_holds_from_the_end_of_the_period_that_had_begun() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let of = |zone: &str, day: i8| {
        let calendar = Calendar::new(Every::Month, zone, Anchor { day, ..Anchor::default() }).unwrap();
        Arc::new(Rule::new(usd(6400), calendar).unwrap())
    };
    let first = open(dir.path(), &clock);
    let before = account(&first, "app", &of("UTC", 1));
    let _ = first.reserve(std::slice::from_ref(&before), usd(4000), START);
    first.serve().unwrap();
    first.reserve(std::slice::from_ref(&before), usd(4000), START).unwrap().settle(usd(4000));
    let old = before.standing().period;
    first.close().unwrap();
    for (zone, day) in [("America/New_York", 1), ("Asia/Tokyo", 1), ("UTC", 15)] {
        let budgets = open(dir.path(), &clock);
        let account = account(&budgets, "app", &of(zone, day));
        let accounts = std::slice::from_ref(&account);
        let _ = budgets.reserve(accounts, usd(2400), START);
        budgets.serve().unwrap();
        budgets.reserve(accounts, usd(2400), START).unwrap().release();
        assert_eq!(account.standing().period, old, "{zone} {day}");
        assert!(budgets.reserve(accounts, usd(2401), START).is_err(), "{zone} {day}: spent is spent");
        let after = budgets.reserve(accounts, usd(2401), old.end);
        assert_eq!(after.unwrap_err().why, Why::AwaitsLease);
        let next = account.standing().period;
        assert!(next.start == old.end && next.end > next.start, "{zone} {day}: {next:?}");
    }
}

#[test]
fn period_that_memory_has_begun_gets_its_lease_whatever_the_clock_shows_since() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = account(&budgets, "app", &rule(6400, Every::Hour));
    let accounts = std::slice::from_ref(&account);
    budgets.reserve(accounts, usd(50), START).unwrap().settle(usd(50));
    // A call saw the next hour; the background's clock never does.
    let _ = budgets.reserve(accounts, usd(50), UnixMs(START.0 + HOUR));
    budgets.serve().unwrap();
    assert_eq!(account.standing().period.start, UnixMs(START.0 + HOUR));
    budgets.reserve(accounts, usd(50), START).unwrap().settle(usd(50));
}

#[test]
fn lease_fetched_ahead_survives_that_another_process_begins_its_period() {
    let (dir, ahead, behind) = (tempfile::tempdir().unwrap(), clock(), clock());
    let rule = rule(6400, Every::Hour);
    let (fast, slow) = (open(dir.path(), &ahead), open(dir.path(), &behind));
    let (leading, lagging) = (account(&fast, "app", &rule), account(&slow, "app", &rule));
    slow.reserve(std::slice::from_ref(&lagging), usd(50), START).unwrap().settle(usd(50));
    behind.advance(HOUR - 10_000);
    slow.round().unwrap();
    ahead.advance(HOUR);
    let _ = fast.reserve(std::slice::from_ref(&leading), usd(6000), ahead.now());
    fast.serve().unwrap();
    // Asked for the old period, the store answers for the new one, of which this process has a lease already.
    let _ = slow.reserve(std::slice::from_ref(&lagging), usd(3000), behind.now());
    slow.serve().unwrap();
    let standings = [leading.standing(), lagging.standing()];
    assert_eq!(standings[0].period, standings[1].period);
    let db = rusqlite::Connection::open(dir.path().join(crate::LEDGER_FILE)).unwrap();
    let leased: i64 = db
        .query_row(
            "SELECT sum(granted) FROM budget_lease WHERE start_ms = ?1",
            [standings[0].period.start.0.cast_signed()],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(standings[0].free + standings[1].free, usd(leased), "what is in memory is on disk");
    assert!(leased <= 6400, "{leased}");
    let periods: i64 = db.query_row("SELECT count(*) FROM budget_period", [], |row| row.get(0)).unwrap();
    assert_eq!(periods, 2);
}

#[test]
fn period_begun_elsewhere_is_the_one_that_is_fetched_ahead() {
    let (dir, ahead, behind) = (tempfile::tempdir().unwrap(), clock(), clock());
    let rule = rule(6400, Every::Hour);
    let (fast, slow) = (open(dir.path(), &ahead), open(dir.path(), &behind));
    let (leading, lagging) = (account(&fast, "app", &rule), account(&slow, "app", &rule));
    slow.reserve(std::slice::from_ref(&lagging), usd(50), START).unwrap().settle(usd(50));
    ahead.advance(HOUR);
    let _ = fast.reserve(&[leading], usd(10), ahead.now());
    fast.serve().unwrap();
    behind.advance(HOUR - 10_000);
    slow.round().unwrap();
    slow.round().unwrap();
    let db = rusqlite::Connection::open(dir.path().join(crate::LEDGER_FILE)).unwrap();
    let periods: i64 = db.query_row("SELECT count(*) FROM budget_period", [], |row| row.get(0)).unwrap();
    assert_eq!(periods, 2, "no third one was made up");
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
