//! Ends of models are told once per mark, and what vendors say against the catalogue is kept.

use pilothouse_core::clock::{ManualClock, SystemClock, UnixMs};

use super::samples::{NOON, ledger, plain, record, target};
use crate::budget::{AlertEntry, BudgetBooks};
use crate::{EndConflict, Ends, Mark, Reader, StoreError};

const AT: UnixMs = UnixMs(NOON);
const DAY: u64 = 86_400_000;

fn mark(days: u32) -> Mark<'static> {
    Mark { target: "openai/gpt-5-mini", ends: UnixMs(NOON + 18 * DAY), days }
}

fn kept(dir: &std::path::Path) -> Vec<String> {
    let rows = BudgetBooks::open(dir, &SystemClock).unwrap().alerts(None, 10).unwrap();
    rows.into_iter()
        .map(|entry| match entry {
            AlertEntry::End(end) => end.text,
            AlertEntry::Budget(row) => panic!("{row:?}"),
        })
        .collect()
}

#[test]
fn each_mark_is_told_once_over_restarts_and_by_one_of_several_processes() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path()).close().unwrap();
    let (mut one, mut two) =
        (Ends::open(dir.path(), &SystemClock).unwrap(), Ends::open(dir.path(), &SystemClock).unwrap());
    assert!(!one.is_told(&mark(30)).unwrap());
    assert!(one.tell(&mark(30), AT, "in 18 days").unwrap());
    assert!(!two.tell(&mark(30), AT, "in 18 days, again").unwrap());
    assert!(two.is_told(&mark(30)).unwrap());
    drop((one, two));
    let mut again = Ends::open(dir.path(), &SystemClock).unwrap();
    assert!(!again.tell(&mark(30), AT, "in 18 days, once more").unwrap());
    assert!(again.tell(&mark(7), AT, "in 7 days").unwrap());
    let moved = Mark { ends: UnixMs(NOON + 20 * DAY), ..mark(30) };
    assert!(again.tell(&moved, AT, "the day has moved").unwrap(), "another day has marks of its own");
    assert_eq!(kept(dir.path()), ["the day has moved", "in 7 days", "in 18 days"], "the newest first");
}

#[test]
fn what_a_vendor_says_against_the_catalogue_is_kept_and_told_once() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path()).close().unwrap();
    let mut ends = Ends::open(dir.path(), &ManualClock::new(AT)).unwrap();
    let conflict = |last: u64, day: Option<&str>| EndConflict {
        target: "openai/gpt-5-mini".into(),
        day: day.map(str::to_owned),
        status: 404,
        said: "The model does not exist".into(),
        first: UnixMs(NOON + last),
        last: UnixMs(NOON + last),
        seen: 1,
    };
    assert!(ends.note_conflict(&conflict(0, Some("2026-12-11")), "gone").unwrap());
    assert!(!ends.note_conflict(&conflict(5, Some("2026-12-11")), "gone again").unwrap());
    let found = Ends::look(dir.path()).unwrap().conflicts().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].first, found[0].last, found[0].seen), (AT, UnixMs(NOON + 5), 2));
    assert!(ends.note_conflict(&conflict(9, Some("2026-12-01")), "gone, after a refresh").unwrap());
    assert_eq!(kept(dir.path()), ["gone, after a refresh", "gone"]);
}

#[test]
fn without_a_ledger_there_is_nothing_to_open() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Ends::open(dir.path(), &SystemClock), Err(StoreError::Missing { .. })));
    assert!(matches!(Ends::look(dir.path()), Err(StoreError::Missing { .. })));
}

#[test]
fn callers_of_a_target_are_told_by_key_and_application() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let mut exchanges = Vec::new();
    for (nth, (key, model, days_ago)) in [
        ("web", "gpt-5", 1),
        ("batch", "gpt-5", 1),
        ("web", "gpt-5", 0),
        ("web", "gpt-4o", 0),
        ("old", "gpt-5", 40),
    ]
    .into_iter()
    .enumerate()
    {
        let mut exchange = plain(u64::try_from(nth).unwrap());
        exchange.started_at = UnixMs(NOON - days_ago * DAY);
        exchange.caller.key = key.into();
        exchange.target = Some(target("openai", model));
        exchanges.push(exchange);
    }
    record(&ledger, exchanges);
    let reader = Reader::open(dir.path()).unwrap();
    let callers = reader.callers("openai", "gpt-5", UnixMs(NOON - 7 * DAY)).unwrap();
    let found: Vec<_> = callers.iter().map(|one| (one.key.as_deref().unwrap(), one.exchanges)).collect();
    assert_eq!(
        found,
        [("web", 2), ("batch", 1)],
        "the busiest first, nobody of another model or of long ago"
    );
    assert_eq!(callers[0].last.0, NOON / 3_600_000 * 3_600_000);
    assert_eq!(callers[0].first.0, callers[0].last.0 - DAY);
    assert_eq!(reader.callers("anthropic", "gpt-5", UnixMs(0)).unwrap(), []);
}
