//! Reports add up, and never mix what is known with what is not.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Bill, Provenance, Usage};
use proptest::prelude::*;

use super::samples::{NOON, any_exchange, ledger, plain, record, target};
use crate::{By, Reader, Totals, UsageQuery};

const HOUR: u64 = 3_600_000;

fn all(by: By) -> UsageQuery {
    UsageQuery { by, since: None, until: None }
}

fn sum_of(exchanges: &[Exchange]) -> Totals {
    let mut sum = Totals::default();
    exchanges.iter().for_each(|exchange| sum.count(exchange));
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_report_adds_up_to_the_sum_over_exchanges(exchanges in proptest::collection::vec(any_exchange(), 0..40)) {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path());
        // In two parts, so that roll-ups are added to and not only made.
        let (one, two) = exchanges.split_at(exchanges.len() / 2);
        record(&ledger, one.to_vec());
        record(&ledger, two.to_vec());
        let reader = Reader::open(dir.path()).unwrap();
        for by in By::ALL {
            let report = reader.usage(&all(by)).unwrap();
            prop_assert_eq!(report.total, sum_of(&exchanges));
            let mut sum = Totals::default();
            report.rows.iter().for_each(|row| sum.add(&row.totals));
            prop_assert_eq!(sum, report.total);
        }
        for row in reader.usage(&all(By::Key)).unwrap().rows {
            let of_key: Vec<Exchange> = exchanges
                .iter()
                .filter(|exchange| row.name.as_deref() == Some(&*exchange.caller.key))
                .cloned()
                .collect();
            if of_key.iter().all(|exchange| exchange.caller.key.len() <= 200) && row.name.as_deref() != Some("(other)") {
                prop_assert_eq!(row.totals, sum_of(&of_key));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn days_add_up_to_what_was_sent_and_cancelled_exchanges_are_among_them(
        exchanges in proptest::collection::vec(any_exchange(), 0..40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        record(&ledger(dir.path()), exchanges.clone());
        let (mut all, mut cancelled, mut days) = (Totals::default(), Totals::default(), Vec::new());
        let reader = Reader::open(dir.path()).unwrap();
        reader.daily(None, None, |daily| {
            all.add(&daily.all);
            cancelled.add(&daily.cancelled);
            days.push(daily.day);
        }).unwrap();
        let sent: Vec<Exchange> = exchanges.into_iter().filter(|exchange| exchange.target.is_some()).collect();
        prop_assert_eq!(all, sum_of(&sent));
        let gone = |exchange: &Exchange| exchange.outcome == Outcome::Cancelled;
        prop_assert_eq!(cancelled, sum_of(&sent.into_iter().filter(gone).collect::<Vec<_>>()));
        // Moments beyond the calendar have no day.
        days.retain(|day| !day.starts_with('('));
        prop_assert!(days.is_sorted());
    }
}

#[test]
fn an_unknown_cost_is_counted_apart_and_never_as_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let unknown = Exchange { bill: Bill { cost: Cost::Unknown, ..plain(1).bill }, ..plain(1) };
    let unsent = Exchange {
        target: None,
        outcome: Outcome::Failed(Kind::UnknownModel),
        status: 404,
        bill: Bill::default(),
        ..plain(2)
    };
    record(&ledger, [plain(0), unknown, unsent]);
    let total = Reader::open(dir.path()).unwrap().usage(&all(By::Model)).unwrap().total;
    assert_eq!(total.cost(), PicoUsd(1_000_001));
    assert_eq!((total.exchanges, total.cost_unknown, total.unsent), (3, 1, 1));
    assert_eq!((total.complete, total.failed, total.absent.exchanges), (2, 1, 1));
    assert_eq!(total.tokens().input, 40, "tokens without a price are still counted");
}

#[test]
fn estimates_are_shown_beside_the_totals_and_never_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let cut = Exchange {
        outcome: Outcome::Failed(Kind::Cut),
        bill: Bill {
            usage: Usage { input: 10, output: 3, ..Usage::default() },
            provenance: Provenance::Partial,
            estimated_output: 500,
            cost: Cost::Known(PicoUsd(7)),
            estimated_cost: Cost::Known(PicoUsd(999)),
            saved: None,
        },
        ..plain(0)
    };
    let unpriced = Exchange {
        bill: Bill { estimated_cost: Cost::Unknown, ..cut.bill },
        outcome: Outcome::Cancelled,
        ..plain(1)
    };
    record(&ledger, [cut, unpriced, plain(2)]);
    let total = Reader::open(dir.path()).unwrap().usage(&all(By::Key)).unwrap().total;
    assert_eq!(total.partial.tokens.output, 6);
    assert_eq!(total.partial.cost, PicoUsd(14));
    assert_eq!(total.reported.cost, PicoUsd(1_000_001));
    assert_eq!(total.cost(), PicoUsd(1_000_015));
    assert_eq!(total.tokens().output_total(), 6 + 67);
    assert_eq!((total.estimates, total.estimated_output), (2, 1000));
    assert_eq!((total.estimated_cost, total.estimates_unpriced), (PicoUsd(999), 1));
}

#[test]
fn a_report_counts_whole_hours_and_says_which() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let at = |ms: u64| Exchange { started_at: UnixMs(NOON + ms), ..plain(ms) };
    record(&ledger, [at(0), at(HOUR - 1), at(HOUR), at(2 * HOUR), at(25 * HOUR)]);
    let reader = Reader::open(dir.path()).unwrap();
    let query = UsageQuery {
        by: By::Day,
        since: Some(UnixMs(NOON + HOUR + 5)),
        until: Some(UnixMs(NOON + 2 * HOUR + 1)),
    };
    let report = reader.usage(&query).unwrap();
    assert_eq!(report.since, Some(UnixMs(NOON + HOUR)));
    assert_eq!(report.until, Some(UnixMs(NOON + 3 * HOUR)));
    assert_eq!(report.total.exchanges, 2);
    let days: Vec<_> = reader
        .usage(&all(By::Day))
        .unwrap()
        .rows
        .into_iter()
        .map(|row| (row.name.unwrap(), row.totals.exchanges))
        .collect();
    assert_eq!(days, [("2026-11-22".to_owned(), 4), ("2026-11-23".to_owned(), 1)]);
}

#[test]
fn rows_are_named_and_sorted_by_cost() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let with = |nth: u64, vendor: &str, model: &str, cost: i128| Exchange {
        target: Some(target(vendor, model)),
        bill: Bill { cost: Cost::Known(PicoUsd(cost)), ..plain(nth).bill },
        ..plain(nth)
    };
    let unsent = Exchange { target: None, bill: Bill::default(), ..plain(9) };
    record(
        &ledger,
        [with(0, "openai", "m", 5), with(1, "azure", "m", 90), with(2, "azure", "n", 10), unsent],
    );
    let reader = Reader::open(dir.path()).unwrap();
    let names = |by: By| {
        let report = reader.usage(&all(by)).unwrap();
        report.rows.into_iter().map(|row| row.name.unwrap_or_else(|| "-".to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(names(By::Model), ["azure/m", "azure/n", "openai/m", "-"]);
    assert_eq!(names(By::Vendor), ["azure", "openai", "-"]);
    assert_eq!(names(By::Application), ["crawler"]);
    assert_eq!(names(By::Price), ["openai/gpt-5.5@2026-04-23", "-"]);
}

#[test]
fn totals_of_an_hour_that_left_memory_are_added_to_and_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    for round in 0..3 {
        for hour in 0..12 {
            record(&ledger, [Exchange { started_at: UnixMs(NOON + hour * HOUR), ..plain(round) }]);
        }
    }
    let report = Reader::open(dir.path()).unwrap().usage(&all(By::Key)).unwrap();
    assert_eq!((report.total.exchanges, report.total.cost()), (36, PicoUsd(36 * 1_000_001)));
}

#[test]
fn names_that_strangers_make_up_fill_neither_the_names_nor_the_totals() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let made_up = |nth: u64| {
        let mut exchange = plain(nth);
        exchange.caller.application = format!("made-up-{nth}").into();
        exchange
    };
    record(&ledger, (0..6000).map(made_up));
    let reader = Reader::open(dir.path()).unwrap();
    let report = reader.usage(&all(By::Application)).unwrap();
    assert_eq!(report.total.exchanges, 6000);
    assert!(report.rows.len() <= 4097, "{} rows", report.rows.len());
    let other = report.rows.iter().find(|row| row.name.as_deref() == Some("(other)")).unwrap();
    assert_eq!(other.totals.exchanges, 6000 - (report.rows.len() as u64 - 1));
    assert_eq!(reader.exchange(made_up(5999).id).unwrap(), Some(made_up(5999)), "details keep the name");
}

#[test]
fn what_the_cache_saved_is_told_apart_from_what_was_paid() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let hit = |nth, saved| Exchange {
        bill: Bill { cost: Cost::Known(PicoUsd::ZERO), saved: Some(saved), ..Bill::default() },
        ..plain(nth)
    };
    let (known, unknown) = (hit(1, Cost::Known(PicoUsd(40))), hit(2, Cost::Unknown));
    record(&ledger, [plain(0), known.clone(), unknown.clone()]);
    let reader = Reader::open(dir.path()).unwrap();
    let total = reader.usage(&all(By::Key)).unwrap().total;
    assert_eq!((total.hits, total.saved), (2, PicoUsd(40)));
    assert_eq!((total.cost(), total.cost_unknown), (PicoUsd(1_000_001), 0));
    for exchange in [known, unknown] {
        assert_eq!(reader.exchange(exchange.id).unwrap(), Some(exchange));
    }
}
