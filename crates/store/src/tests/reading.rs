//! Filters, and what a reader says when there is nothing to read.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{Exchange, Outcome};
use pilothouse_core::id::ExchangeId;
use proptest::prelude::*;

use super::samples::{NOON, any_exchange, ledger, plain, record, target};
use crate::{Filter, Reader};

/// What a filter says, told without SQL.
fn fits(filter: &Filter, exchange: &Exchange) -> bool {
    let target = exchange.target.as_ref();
    let is = |wanted: &Option<String>, have: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| have == Some(wanted))
    };
    filter.since.is_none_or(|since| exchange.started_at >= since)
        && filter.until.is_none_or(|until| exchange.started_at < until)
        && is(&filter.key, Some(&exchange.caller.key))
        && is(&filter.application, Some(&exchange.caller.application))
        && is(&filter.vendor, target.map(|target| &*target.vendor))
        && (is(&filter.model, target.map(|target| &*target.model))
            || is(&filter.model, Some(&exchange.asked)))
        && filter.outcome.is_none_or(|outcome| exchange.outcome == outcome)
        && (!filter.errors_only || matches!(exchange.outcome, Outcome::Failed(_)))
}

prop_compose! {
    /// A filter by what one of the exchanges has.
    fn filter()(like in any_exchange(), which in any::<[bool; 8]>(), limit in 1usize..40, after in any::<bool>(), before in any::<bool>()) -> Filter {
        let [since, until, key, model, vendor, application, outcome, errors_only] = which;
        let text = |wanted: bool, text: &str| wanted.then(|| text.to_owned());
        let moment = UnixMs(like.started_at.0.min(1 << 62));
        Filter {
            since: since.then_some(moment),
            until: (until && !since).then_some(moment),
            key: text(key, &like.caller.key),
            model: text(model && !key, &like.asked),
            vendor: like.target.as_ref().and_then(|target| text(vendor && !key, &target.vendor)),
            application: text(application && !key, &like.caller.application),
            outcome: (outcome && !key).then_some(like.outcome),
            errors_only: errors_only && !outcome,
            limit,
            after_rowid: after.then_some(2),
            before_rowid: before.then_some(9),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_filter_gives_exactly_what_fits_it(
        exchanges in proptest::collection::vec(any_exchange(), 1..40),
        filters in proptest::collection::vec(filter(), 12),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path());
        record(&ledger, exchanges.clone());
        let reader = Reader::open(dir.path()).unwrap();
        for filter in filters {
            let place = filter.after_rowid.map_or(0, |_| 2)..filter.before_rowid.map_or(40, |_| 8).min(exchanges.len());
            let part = exchanges.get(place).unwrap_or_default();
            let fitting = part.iter().filter(|one| fits(&filter, one));
            let expected: Vec<Exchange> = if filter.after_rowid.is_some() {
                fitting.take(filter.limit).cloned().collect()
            } else {
                fitting.rev().take(filter.limit).cloned().collect()
            };
            let got: Vec<Exchange> = reader.exchanges(&filter).unwrap().into_iter().map(|row| row.exchange).collect();
            prop_assert_eq!(got, expected, "{:?}", filter);
        }
    }
}

#[test]
fn time_is_found_over_many_blocks_even_when_long_exchanges_are_recorded_late() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    // Every hundredth began five seconds before its neighbours in the file.
    let late = |nth: u64| {
        let at = if nth.is_multiple_of(100) { nth.saturating_sub(5000) } else { nth };
        Exchange {
            id: ExchangeId::new(UnixMs(NOON + at), nth.into()),
            started_at: UnixMs(NOON + at),
            ..plain(nth)
        }
    };
    record(&ledger, (0..9000).map(late));
    let reader = Reader::open(dir.path()).unwrap();
    let (since, until) = (UnixMs(NOON + 1500), UnixMs(NOON + 2500));
    let window = Filter { since: Some(since), until: Some(until), limit: 10_000, ..Filter::default() };
    let rows = reader.exchanges(&window).unwrap();
    let expected =
        (0..9000).map(late).filter(|one| one.started_at >= since && one.started_at < until).count();
    assert_eq!(rows.len(), expected);
    assert!(expected > 1000 - 10 + 5);
    for nth in [0, 100, 5100, 5101, 8999] {
        assert_eq!(reader.exchange(late(nth).id).unwrap(), Some(late(nth)));
    }
    assert_eq!(reader.exchange(ExchangeId(7)).unwrap(), None);
}

#[test]
fn filters_name_what_was_asked_for_as_well_as_what_answered() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path());
    let routed = Exchange {
        asked: "assistant".into(),
        target: Some(target("anthropic", "claude-opus-4-7")),
        outcome: Outcome::Failed(Kind::Overloaded),
        ..plain(1)
    };
    record(&ledger, [plain(0), routed.clone(), plain(2)]);
    let reader = Reader::open(dir.path()).unwrap();
    let ids = |filter: Filter| {
        reader.exchanges(&filter).unwrap().into_iter().map(|row| row.exchange.id).collect::<Vec<_>>()
    };
    let model = |name: &str| Filter { model: Some(name.to_owned()), ..Filter::default() };
    assert_eq!(ids(model("assistant")), [routed.id]);
    assert_eq!(ids(model("claude-opus-4-7")), [routed.id]);
    assert_eq!(ids(model("gpt-5.5")), [plain(2).id, plain(0).id]);
    assert_eq!(ids(Filter { errors_only: true, ..Filter::default() }), [routed.id]);
    assert_eq!(ids(Filter { vendor: Some("nobody".to_owned()), ..Filter::default() }), []);
    assert_eq!(ids(Filter { limit: 1, ..Filter::default() }), [plain(2).id]);
}

#[test]
fn an_empty_ledger_reads_as_empty() {
    let dir = tempfile::tempdir().unwrap();
    let _ledger = ledger(dir.path());
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.exchanges(&Filter::default()).unwrap(), []);
    assert_eq!((reader.last_rowid().unwrap(), reader.gaps(None).unwrap()), (0, Vec::new()));
    assert_eq!(reader.stats().unwrap().span, None);
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
}
