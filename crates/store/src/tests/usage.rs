//! Reports add up, and never mix what is known with what is not.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{Exchange, Outcome, PaidAnswer, Receipt};
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::{Bill, Provenance, Usage};
use proptest::prelude::*;

use super::samples::{NOON, any_exchange, ledger, plain, record, target};
use crate::batch::{Batch, Bench};
use crate::overflow::Lost;
use crate::parts;
use crate::totals::Class;
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
        // What reached no vendor is left out; an answer that was set aside before did reach one.
        let (mut sent, mut gone) = (Totals::default(), Totals::default());
        for exchange in &exchanges {
            let class = Class::of(exchange.outcome, exchange.bill.provenance);
            let (own, parts) = parts::of(exchange);
            if exchange.target.is_some() {
                sent.take_in(class, true, &own);
                if exchange.outcome == Outcome::Cancelled {
                    gone.take_in(class, true, &own);
                }
            }
            parts.iter().for_each(|part| sent.take_in(part.class, true, &part.sums));
        }
        prop_assert_eq!(all, sent);
        prop_assert_eq!(cancelled, gone);
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

/// An answer that was paid for and not passed on.
fn other(model: &str, output: u64, cost: Option<i128>) -> PaidAnswer {
    let cost = cost.map_or(Cost::Unknown, |cost| Cost::Known(PicoUsd(cost)));
    PaidAnswer {
        target: target("openai", model),
        tier: None,
        bill: Bill {
            usage: Usage { input: 3, output, ..Usage::default() },
            provenance: Provenance::Reported,
            cost,
            ..Bill::default()
        },
        why: "it would \"not\" do, \"answers\":[".into(),
        ended_us: 5,
    }
}

/// An exchange with such answers, all in its bill.
fn with_answers(nth: u64, answers: Vec<PaidAnswer>) -> Exchange {
    let own = plain(nth);
    let bill = answers.iter().fold(own.bill, |bill, answer| bill.with(&answer.bill));
    let receipt = Receipt { answers, ..Receipt::default() };
    Exchange { bill, receipt: Some(Box::new(receipt)), ..own }
}

#[test]
fn each_answer_is_counted_at_its_own_model_and_an_exchange_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let exchanges = [
        plain(0),
        with_answers(1, vec![other("cheap", 11, Some(7)), other("second", 13, Some(5))]),
        with_answers(2, vec![other("cheap", 11, Some(7))]),
        with_answers(3, vec![other("unpriced", 2, None)]),
    ];
    record(&ledger, exchanges.clone());
    let reader = Reader::open(dir.path()).unwrap();
    let report = reader.usage(&all(By::Model)).unwrap();
    assert_eq!(report.total, sum_of(&exchanges));
    let of = |name: &str| {
        let row = report.rows.iter().find(|row| row.name.as_deref() == Some(name)).unwrap();
        let totals = row.totals;
        (totals.exchanges, totals.answers, totals.tokens().output, totals.cost().0, totals.cost_unknown)
    };
    assert_eq!(
        of("openai/gpt-5.5"),
        (4, 0, 240, 3 * 1_000_001, 1),
        "one of them has a cost that nobody knows"
    );
    assert_eq!(of("openai/cheap"), (0, 2, 22, 14, 0));
    assert_eq!(of("openai/second"), (0, 1, 13, 5, 0));
    assert_eq!(of("openai/unpriced"), (0, 1, 2, 0, 0));
    assert_eq!((report.total.exchanges, report.total.answers), (4, 4));
    for by in By::ALL {
        let report = reader.usage(&all(by)).unwrap();
        let mut sum = Totals::default();
        report.rows.iter().for_each(|row| sum.add(&row.totals));
        assert_eq!((sum, report.total), (sum_of(&exchanges), sum_of(&exchanges)), "{by:?}");
    }
}

#[test]
fn answers_whose_details_are_lost_are_counted_at_their_own_models_too() {
    let exchange = with_answers(1, vec![other("cheap", 11, Some(7)), other("second", 13, None)]);
    let (mut counted, mut packed) = (Lost::default(), Lost::default());
    counted.count(&exchange);
    let mut batch = Batch::default();
    batch.push(&exchange, &mut Bench::default()).unwrap();
    batch.iter().for_each(|row| packed.count_packed(&row).unwrap());
    assert_eq!((counted.groups.len(), counted.exchanges()), (3, 1));
    assert_eq!(counted.groups, packed.groups);
    let mut sum = Totals::default();
    counted.groups.iter().for_each(|(group, sums)| sum.take_in(group.class, group.target.is_some(), sums));
    assert_eq!(sum, sum_of(&[exchange]));
}

#[test]
fn bill_that_does_not_hold_its_answers_is_counted_whole() {
    let receipt = Receipt { answers: vec![other("cheap", 1_000_000, Some(7))], ..Receipt::default() };
    let odd = Exchange { receipt: Some(Box::new(receipt)), ..plain(0) };
    let dir = tempfile::tempdir().unwrap();
    record(&ledger(dir.path()), [odd]);
    let report = Reader::open(dir.path()).unwrap().usage(&all(By::Model)).unwrap();
    assert_eq!(report.rows.len(), 1);
    assert_eq!((report.total.answers, report.total.tokens().output), (0, 60));
}
