//! Bills under mixed load on several workers: equal to the fleet's own books, and every exchange once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::usage::Provenance;
use pilothouse_store::{By, Filter, Reader, UsageQuery};
use serde_json::Value;

use crate::harness::reading::Client;
use crate::harness::{BOTH_VENDORS, House, eventually};

/// Names of the models that are played, faults among them.
const MODELS: &[&str] = &[
    "openai/gpt-4o",
    "openai/gpt-5.5",
    "openai/fault-duplicate-usage",
    "openai/fault-missing-usage",
    "openai/fault-cut-50",
    "openai/fault-404",
    "anthropic/claude-opus-4-7",
    "anthropic/claude-haiku-4-5",
    "anthropic/fault-duplicate-usage",
    "anthropic/fault-missing-usage",
    "anthropic/fault-cut-50",
    "anthropic/fault-error-event-50",
];

/// Plays every model with both clients, streamed and not, several times over.
fn play(house: &House) -> usize {
    let mut calls = Vec::new();
    for round in 0..3 {
        for client in Client::ALL {
            for model in MODELS {
                for is_stream in [false, true] {
                    let text = format!("Round {round} of the books. [[words:{}]]", 10 + round * 7);
                    calls.push((client, client.ask(model, &text, is_stream).to_string()));
                }
            }
        }
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                while let Some((client, body)) = calls.get(next.fetch_add(1, Ordering::Relaxed)) {
                    house.post(client.path(), &[], body.as_bytes());
                }
            });
        }
    });
    calls.len()
}

/// Reported, complete exchanges by vendor and model: how many, input, output, pico-dollars.
fn ours(records: &[Exchange]) -> BTreeMap<String, [u128; 4]> {
    let mut sums: BTreeMap<String, [u128; 4]> = BTreeMap::new();
    for record in records {
        if record.outcome != Outcome::Complete || record.bill.provenance != Provenance::Reported {
            continue;
        }
        let target = record.target.as_ref().unwrap();
        let sum = sums.entry(format!("{}/{}", target.vendor, target.model)).or_default();
        let usage = &record.bill.usage;
        let cost = u128::try_from(record.bill.cost.known().expect("every model has a price").0).unwrap();
        for (place, amount) in
            sum.iter_mut().zip([1, usage.input_total().into(), usage.output_total().into(), cost])
        {
            *place += amount;
        }
    }
    sums
}

/// The same from the fleet's books.
fn theirs(totals: &Value) -> BTreeMap<String, [u128; 4]> {
    let mut sums = BTreeMap::new();
    for (vendor, models) in totals.as_object().unwrap() {
        for (model, one) in models.as_object().unwrap() {
            let tokens = |names: &[&str]| -> u128 {
                names.iter().map(|name| u128::from(one["tokens"][name].as_u64().unwrap())).sum()
            };
            let completed = u128::from(one["completed"].as_u64().unwrap());
            if completed > 0 {
                let input = tokens(&["input", "cache_read", "cache_write_5m", "cache_write_1h"]);
                let picousd = one["picousd"].as_str().unwrap().parse().unwrap();
                sums.insert(
                    format!("{vendor}/{model}"),
                    [completed, input, tokens(&["output", "reasoning"]), picousd],
                );
            }
        }
    }
    sums
}

#[test]
fn the_ledger_equals_the_fleets_own_books_and_shows_the_rest_apart() {
    let house = House::with_workers(BOTH_VENDORS, 4);
    let calls = play(&house);
    let filter = Filter { limit: 10_000, ..Filter::default() };
    let records = eventually("every exchange is recorded", || {
        let records = Reader::open(&house.data()).unwrap().exchanges(&filter).unwrap();
        (records.len() >= calls).then_some(records)
    });
    assert_eq!(records.len(), calls, "each once");
    let records: Vec<Exchange> = records.into_iter().map(|record| record.exchange).collect();
    let totals = house.fleet.totals();
    assert_eq!(ours(&records), theirs(&totals));
    assert!(ours(&records).len() >= 6, "the books are not empty");
    let count = |of: &dyn Fn(&Exchange) -> bool| records.iter().filter(|record| of(record)).count() as u64;
    let fleet = |name: &str| -> u64 {
        let vendors = totals.as_object().unwrap().values();
        vendors
            .flat_map(|models| models.as_object().unwrap().values())
            .map(|one| one[name].as_u64().unwrap())
            .sum()
    };
    let untold =
        |one: &Exchange| one.outcome == Outcome::Complete && one.bill.provenance == Provenance::Absent;
    assert_eq!(count(&untold), fleet("unreported"), "answers without usage are shown apart");
    let broken =
        |one: &Exchange| matches!(one.outcome, Outcome::Failed(_)) && one.streamed && one.status == 200;
    assert!(count(&broken) > 0 && count(&broken) <= fleet("cut"));
    for record in records.iter().filter(|record| record.outcome != Outcome::Complete) {
        assert_ne!(record.bill.provenance, Provenance::Reported, "{record:?}");
    }
    // The report says the same as the sum of its exchanges.
    let query = UsageQuery { by: By::Model, since: None, until: None };
    let report = Reader::open(&house.data()).unwrap().usage(&query).unwrap();
    assert_eq!(report.total.exchanges, calls as u64);
    let cost: u128 = ours(&records).values().map(|sum| sum[3]).sum();
    assert_eq!(u128::try_from(report.total.reported.cost.0).unwrap(), cost);
}
