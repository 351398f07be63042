//! Leases: reserved from memory, settled, given back, restored, reconciled.

use std::future::Future as _;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use pilothouse_core::clock::{Clock as _, ManualClock, UnixMs};
use pilothouse_core::money::PicoUsd;

use crate::StoreError;
use crate::budget::{
    Account, Alert, AlertEntry, AlertRow, BudgetBooks, BudgetOptions, Budgets, Calendar, Every, OnLimit,
    Rule, ScopeKind, Why,
};

pub(super) const START: UnixMs = UnixMs(1_795_348_800_000);

pub(super) fn usd(amount: i64) -> PicoUsd {
    PicoUsd(amount.into())
}

pub(super) fn rule(limit: i64, every: Every) -> Arc<Rule> {
    Arc::new(Rule::new(usd(limit), Calendar::utc(every)).unwrap())
}

/// Budgets without a thread: the test does the rounds.
pub(super) fn open(dir: &Path, clock: &Arc<ManualClock>) -> Budgets {
    let options = BudgetOptions { has_thread: false, clock: clock.clone(), ..BudgetOptions::default() };
    Budgets::open(dir, options).unwrap()
}

pub(super) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(START))
}

/// A key's account with its first lease.
pub(super) fn account(budgets: &Budgets, scope: &str, rule: &Arc<Rule>) -> Account {
    let account = budgets.account(ScopeKind::Key, scope, rule).unwrap();
    budgets.serve().unwrap();
    account
}

/// Reserves, with a round where the lease lacks it.
fn reserve(budgets: &Budgets, account: &Account, amount: i64) -> crate::budget::Reservation {
    let accounts = std::slice::from_ref(account);
    budgets.reserve(accounts, usd(amount), START).unwrap_or_else(|_| {
        budgets.serve().unwrap();
        budgets.reserve(accounts, usd(amount), START).unwrap()
    })
}

pub(super) fn books(dir: &Path) -> BudgetBooks {
    BudgetBooks::open(dir, &ManualClock::new(START)).unwrap()
}

#[test]
fn what_is_settled_and_reserved_is_never_free_again() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = account(&budgets, "app", &rule(1000, Every::Month));
    let first = reserve(&budgets, &account, 400);
    let second = reserve(&budgets, &account, 500);
    let refused = budgets.reserve(std::slice::from_ref(&account), usd(200), START).unwrap_err();
    assert_eq!((refused.why, refused.left, refused.limit), (Why::Spent, usd(100), usd(1000)));
    assert!(refused.to_string().contains("starts anew at 2026-12-01T00:00:00Z"), "{refused}");

    let settled = first.settle(usd(150));
    assert_eq!((settled.reserved, settled.actual, settled.uncovered), (usd(400), usd(150), usd(0)));
    drop(second);
    let standing = account.standing();
    assert_eq!((standing.settled, standing.reserved, standing.over), (usd(650), usd(0), usd(0)));
    reserve(&budgets, &account, 350).release();
    assert_eq!(account.standing().settled, usd(650), "what was not sent costs nothing");
}

#[test]
fn reservation_over_several_scopes_takes_from_all_or_none() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let rich = account(&budgets, "rich", &rule(64_000, Every::Day));
    let poor = account(&budgets, "poor", &rule(640, Every::Day));
    let both = [rich.clone(), poor.clone(), rich.clone()];
    let refused = budgets.reserve(&both, usd(700), START).unwrap_err();
    assert_eq!((&*refused.scope, refused.why), ("poor", Why::Spent));
    assert_eq!(rich.standing().reserved, usd(0));
    let held = budgets.reserve(&both, usd(10), START).unwrap();
    assert_eq!((rich.standing().reserved, poor.standing().reserved), (usd(10), usd(10)));
    held.settle(usd(7));
    assert_eq!((rich.standing().settled, poor.standing().settled), (usd(7), usd(7)));
}

#[test]
fn output_cap_is_what_the_poorest_scope_can_pay() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let rich = account(&budgets, "rich", &rule(640_000, Every::Day));
    let poor = account(&budgets, "poor", &rule(3000, Every::Day));
    let both = [rich, poor.clone()];
    let _ = budgets.reserve(&both, usd(3000), START).unwrap_err();
    budgets.serve().unwrap();
    let held = budgets.reserve_up_to(&both, usd(100), usd(5000), START).unwrap();
    assert_eq!(held.amount(), usd(3000));
    let refused = budgets.reserve_up_to(&both, usd(1), usd(5000), START).unwrap_err();
    assert_eq!((&*refused.scope, refused.left), ("poor", usd(0)));
    held.settle(usd(2990));
    assert_eq!(poor.standing().free, usd(10));
}

#[test]
fn top_up_is_refused_where_the_budget_ends() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = account(&budgets, "app", &rule(1000, Every::Day));
    let mut held = reserve(&budgets, &account, 900);
    budgets.round().unwrap();
    held.top_up(usd(60), START).unwrap();
    let refused = held.top_up(usd(60), START).unwrap_err();
    assert_eq!(refused.left, usd(40));
    assert_eq!(held.settle(usd(955)).uncovered, usd(0));
    assert_eq!(account.standing().settled, usd(955));
}

#[test]
fn what_a_call_costs_beyond_its_reservation_is_paid_by_the_next_lease_or_shown() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = account(&budgets, "app", &rule(6400, Every::Day));
    let held = reserve(&budgets, &account, 100);
    let uncovered = held.settle(usd(5000)).uncovered;
    assert!(uncovered > usd(0));
    budgets.serve().unwrap();
    let standing = account.standing();
    assert_eq!((standing.settled, standing.over), (usd(5000), usd(0)));
    let held = reserve(&budgets, &account, 1400);
    assert_eq!(held.settle(usd(1500)).uncovered, usd(100));
    budgets.round().unwrap();
    let row = &books(dir.path()).rows().unwrap()[0];
    assert_eq!((row.settled, row.leased, row.over), (usd(6400), usd(0), usd(100)));
}

#[test]
fn budget_that_only_warns_refuses_nothing_and_counts_what_is_beyond() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let mut warns = Rule::new(usd(100), Calendar::utc(Every::Day)).unwrap();
    warns.on_limit = OnLimit::Warn;
    let account = account(&budgets, "app", &Arc::new(warns));
    for _ in 0..5 {
        budgets.reserve(std::slice::from_ref(&account), usd(40), START).unwrap().settle(usd(40));
        budgets.round().unwrap();
    }
    let row = &books(dir.path()).rows().unwrap()[0];
    assert_eq!((row.settled, row.over), (usd(100), usd(100)));
}

#[test]
fn clean_shutdown_gives_leases_back_and_open_reservations_count_as_spent() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = account(&budgets, "app", &rule(64_000, Every::Month));
    reserve(&budgets, &account, 300).settle(usd(200));
    let mut under_way = reserve(&budgets, &account, 50);
    budgets.close().unwrap();
    assert!(under_way.top_up(usd(1), START).is_err(), "what went back is not spent here as well");
    drop(under_way);
    let row = &books(dir.path()).rows().unwrap()[0];
    assert_eq!((row.settled, row.leased, row.over), (usd(250), usd(0), usd(0)));
    let again = open(dir.path(), &clock);
    let account = self::account(&again, "app", &rule(64_000, Every::Month));
    assert_eq!(reserve(&again, &account, 63_750).amount(), usd(63_750));
    assert!(again.reserve(&[account], usd(1), START).is_err());
}

/// Leases and holders on disk.
fn rows_left(dir: &Path) -> (i64, i64) {
    let db = rusqlite::Connection::open(dir.join(crate::LEDGER_FILE)).unwrap();
    let count =
        |table: &str| db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
    (count("budget_lease"), count("budget_holder"))
}

#[test]
fn lease_that_was_never_used_goes_back_at_shutdown_too() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = account(&budgets, "app", &rule(64_000, Every::Hour));
    assert!(account.standing().free > usd(0));
    assert_eq!(rows_left(dir.path()), (1, 1));
    clock.advance(3_600_000);
    let _ = budgets.reserve(&[account], usd(1), clock.now());
    budgets.serve().unwrap();
    budgets.close().unwrap();
    assert_eq!(rows_left(dir.path()), (0, 0), "of this period and of the one before");
    assert!(
        std::fs::read_dir(dir.path())
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().starts_with("budgets-") })
    );
}

/// What a process that is killed leaves: its leases, and a lock that nobody holds.
fn die(budgets: Budgets) {
    budgets.shared.worker().take();
    drop(budgets);
}

#[test]
fn lease_of_a_dead_process_counts_as_spent_until_it_is_reconciled() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = account(&budgets, "app", &rule(64_000, Every::Total));
    reserve(&budgets, &account, 300).settle(usd(200));
    assert_eq!(books(dir.path()).orphans().unwrap(), [], "its process lives");
    die(budgets);

    let mut books = books(dir.path());
    let [orphan] = &books.orphans().unwrap()[..] else { panic!("one lease is orphaned") };
    assert!(orphan.granted >= usd(200), "{orphan:?}");
    let again = open(dir.path(), &clock);
    let account = self::account(&again, "app", &rule(64_000, Every::Total));
    let all = |left: PicoUsd| {
        clock.advance(60_000);
        again.reserve(std::slice::from_ref(&account), left, clock.now())
    };
    let left = usd(64_000 - i64::try_from(orphan.granted.0).unwrap());
    assert_eq!(all(PicoUsd(left.0 + 1)).unwrap_err().why, Why::Spent);
    let _ = all(left).unwrap_err();
    again.serve().unwrap();
    all(left).unwrap().release();

    let wrong = books.reconcile(orphan, PicoUsd(orphan.granted.0 + 1), "anna", START).unwrap_err();
    assert!(matches!(wrong, StoreError::Refused { .. }), "{wrong}");
    assert!(books.reconcile(orphan, usd(200), "anna", START).unwrap());
    assert!(!books.reconcile(orphan, usd(200), "anna", START).unwrap(), "it is gone");
    let _ = all(usd(63_800)).unwrap_err();
    again.serve().unwrap();
    assert!(all(usd(63_800)).is_ok());
}

#[test]
fn end_users_are_forgotten_when_idle_and_their_spend_is_not() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let options = BudgetOptions { has_thread: false, clock: clock.clone(), scopes_max: 3, idle_ms: 1000 };
    let budgets = Budgets::open(dir.path(), options).unwrap();
    let rule = rule(64_000, Every::Month);
    let user = |name: &str| budgets.account(ScopeKind::EndUser, name, &rule);
    for name in ["a", "b", "c"] {
        let account = user(name).unwrap();
        budgets.serve().unwrap();
        reserve(&budgets, &account, 40_000).settle(usd(40_000));
    }
    assert_eq!(user("d").unwrap_err().scopes_max, 3);
    let held = reserve(&budgets, &user("c").unwrap(), 1);
    clock.advance(5000);
    budgets.round().unwrap();
    assert_eq!(budgets.shared.scopes.load(std::sync::atomic::Ordering::Relaxed), 1, "one is in use");
    assert_eq!(rows_left(dir.path()).0, 1, "and only that one has a lease");
    let account = user("a").unwrap();
    budgets.serve().unwrap();
    let refused = budgets.reserve(&[account], usd(30_000), clock.now()).unwrap_err();
    assert_eq!(refused.left, usd(24_000), "what was spent before is remembered");
    held.release();
}

#[test]
fn spare_lease_goes_to_the_process_that_lacks_it() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let (one, two) = (open(dir.path(), &clock), open(dir.path(), &clock));
    let rule = rule(6400, Every::Day);
    let idle = account(&one, "app", &rule);
    let busy = account(&two, "app", &rule);
    assert!(idle.standing().free > usd(0));
    let wants = |amount| two.reserve(std::slice::from_ref(&busy), usd(amount), clock.now());
    assert!(wants(6400).is_err());
    two.serve().unwrap();
    assert!(wants(6400).is_err(), "the other's lease is not ours");
    for _ in 0..4 {
        clock.advance(2500);
        let _ = wants(6400).map(super::super::Reservation::release);
        two.serve().unwrap();
        one.round().unwrap();
    }
    assert_eq!(idle.standing().free, usd(0));
    wants(6400).unwrap().settle(usd(6400));
}

#[test]
fn each_share_is_told_once_in_a_period_whoever_spent_it() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let rule = Rule::new(usd(1000), Calendar::utc(Every::Hour)).unwrap().with_alerts(&[800, 500]).unwrap();
    let rule = Arc::new(rule);
    let (one, two) = (open(dir.path(), &clock), open(dir.path(), &clock));
    let (first, second) = (account(&one, "app", &rule), account(&two, "app", &rule));
    let told = |budgets: &Budgets| {
        budgets.round().unwrap();
        budgets.take_alerts().iter().map(Alert::to_string).collect::<Vec<_>>()
    };
    reserve(&one, &first, 300).settle(usd(300));
    assert_eq!(told(&one), Vec::<String>::new());
    reserve(&two, &second, 300).settle(usd(300));
    let half = "key `app` has spent $0.0000000006, 50 % of its $0.000000001 a hour";
    assert_eq!(told(&two), [half]);
    assert_eq!(told(&one), Vec::<String>::new());
    reserve(&one, &first, 250).settle(usd(250));
    assert!(told(&one)[0].contains("80 %"));
    let of_budgets = |before| -> Vec<AlertRow> {
        let all = books(dir.path()).alerts(before, 10).unwrap().into_iter();
        all.map(|entry| match entry {
            AlertEntry::Budget(row) => row,
            AlertEntry::End(end) => panic!("{end:?}"),
        })
        .collect()
    };
    let kept = of_budgets(None);
    assert_eq!(
        kept.iter().map(|row| row.alert.per_mille).collect::<Vec<_>>(),
        [800, 500],
        "the newest first"
    );
    assert_eq!((kept[1].alert.to_string().as_str(), kept[1].at, kept[1].start), (half, START, START));
    let older = of_budgets(Some(kept[0].id));
    assert_eq!(older, kept[1..]);
    clock.advance(3_600_000);
    one.reserve(std::slice::from_ref(&first), usd(1), clock.now())
        .map(super::super::Reservation::release)
        .ok();
    one.serve().unwrap();
    one.reserve(&[first], usd(600), clock.now()).map(|held| held.settle(usd(600))).ok();
    one.serve().unwrap();
    assert_eq!(told(&one).len() + told(&two).len(), 0, "nothing of the old period is told again");
}

#[test]
fn pages_of_budgets_are_the_rows_in_their_order() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    for scope in ["b", "a", "c"] {
        for every in [Every::Total, Every::Hour] {
            budgets.account(ScopeKind::Key, scope, &rule(64_000, every)).unwrap();
            budgets.account(ScopeKind::Team, scope, &rule(64_000, every)).unwrap();
        }
    }
    let account = account(&budgets, "a", &rule(64_000, Every::Hour));
    let held = reserve(&budgets, &account, 10);
    assert_eq!(budgets.reserved(), [(ScopeKind::Key, "a".into(), Every::Hour, usd(10))]);
    held.settle(usd(10));
    budgets.round().unwrap();
    assert_eq!(budgets.reserved(), []);
    let books = books(dir.path());
    let rows = books.rows().unwrap();
    assert_eq!(rows.len(), 12);
    for kind in [None, Some(ScopeKind::Key), Some(ScopeKind::Team), Some(ScopeKind::Run)] {
        let mut paged: Vec<crate::budget::BudgetRow> = Vec::new();
        loop {
            let after = paged.last().map(|row| (row.kind, row.scope.as_str(), row.every));
            let page = books.page(kind, after, 5).unwrap();
            let is_last = page.len() < 5;
            paged.extend(page);
            if is_last {
                break;
            }
        }
        let wanted: Vec<_> =
            rows.iter().filter(|row| kind.is_none_or(|kind| kind == row.kind)).cloned().collect();
        assert_eq!(paged, wanted, "{kind:?}");
    }
}

#[test]
fn lowered_limit_takes_back_what_is_leased_beyond_it() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = account(&budgets, "app", &rule(64_000, Every::Day));
    reserve(&budgets, &account, 700).settle(usd(500));
    let lowered = rule(600, Every::Day);
    budgets.account(ScopeKind::Key, "app", &lowered).unwrap();
    for _ in 0..3 {
        budgets.round().unwrap();
    }
    assert!(account.standing().free <= usd(100), "{:?}", account.standing());
    let refused = budgets.reserve(&[account], usd(101), START).unwrap_err();
    assert_eq!((refused.why, refused.left, refused.limit), (Why::Spent, usd(100), usd(600)));
}

#[test]
fn waiting_for_a_first_lease_ends_with_the_stores_answer() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), clock());
    let budgets = open(dir.path(), &clock);
    let account = budgets.account(ScopeKind::EndUser, "new", &rule(64_000, Every::Day)).unwrap();
    let accounts = std::slice::from_ref(&account);
    assert_eq!(budgets.reserve(accounts, usd(5), START).unwrap_err().why, Why::AwaitsLease);
    let mut ready = std::pin::pin!(budgets.ready(accounts));
    let mut context = Context::from_waker(Waker::noop());
    assert!(ready.as_mut().poll(&mut context).is_pending());
    budgets.serve().unwrap();
    assert!(ready.as_mut().poll(&mut context).is_ready());
    assert!(budgets.reserve(accounts, usd(5), START).is_ok());
}

#[test]
fn thread_fetches_leases_ahead_so_that_a_steady_caller_is_not_refused() {
    let dir = tempfile::tempdir().unwrap();
    let budgets =
        Budgets::open(dir.path(), BudgetOptions { clock: clock(), ..BudgetOptions::default() }).unwrap();
    let account = budgets.account(ScopeKind::Key, "app", &rule(1_000_000, Every::Day)).unwrap();
    let accounts = std::slice::from_ref(&account);
    assert!(budgets.warm(accounts, Duration::from_secs(60)));
    for _ in 0..1000 {
        while budgets.reserve(accounts, usd(1000), START).map(|held| held.settle(usd(1000))).is_err() {
            assert!(budgets.warm(accounts, Duration::from_secs(60)));
        }
    }
    assert_eq!(account.standing().settled, usd(1_000_000));
    budgets.close().unwrap();
    assert_eq!(books(dir.path()).rows().unwrap()[0].settled, usd(1_000_000));
}
