//! Exchanges to test with: a plain one to change, and any at all.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Kind;
use pilothouse_core::exchange::{
    AnswerFacts, Attempt, Caller, Chosen, Exchange, Finish, Note, Outcome, Outrun, PaidAnswer, Purpose,
    Receipt, Settlement, Standing, TargetUsed, Timings, ToolUse,
};
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::shape::member::{self, Decimal, Value as ShapeValue};
use pilothouse_core::shape::{Blocks, Outline, Role, Shape};
use pilothouse_core::usage::{Bill, Provenance, Usage};
use pilothouse_core::written::{Said, Written};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{Ledger, Options};

/// 2026-11-22T12:00:00Z.
pub(super) const NOON: u64 = 1_795_348_800_000;

/// The nth plain exchange after noon, one a millisecond: complete, priced.
pub(crate) fn plain(nth: u64) -> Exchange {
    let started_at = UnixMs(NOON + nth);
    Exchange {
        id: ExchangeId::new(started_at, nth.into()),
        started_at,
        caller: Caller { key: "search".into(), application: "crawler".into(), end_user: None },
        client_dialect: Dialect::OpenaiChat,
        asked: "gpt-5.5".into(),
        target: Some(target("openai", "gpt-5.5")),
        streamed: false,
        outcome: Outcome::Complete,
        status: 200,
        answer: AnswerFacts {
            id: Some("chatcmpl-1".into()),
            model: Some("gpt-5.5-2026-04-23".into()),
            finish: Some(Finish::Stop),
            service_tier: Some("default".into()),
            tools: Vec::new(),
        },
        bill: Bill {
            usage: Usage { input: 20, cache_read: 5, output: 60, reasoning: 7, ..Usage::default() },
            provenance: Provenance::Reported,
            cost: Cost::Known(PicoUsd(1_000_001)),
            ..Bill::default()
        },
        timings: Timings {
            sent_us: Some(30),
            headers_us: Some(400),
            first_token_us: Some(500),
            total_us: 900,
        },
        shape: Some(shape(4096)),
        request_bytes: 1760,
        answer_bytes: 2300,
        receipt: None,
    }
}

pub(super) fn target(vendor: &str, model: &str) -> TargetUsed {
    TargetUsed {
        vendor: vendor.into(),
        model: model.into(),
        dialect: Dialect::OpenaiChat,
        price: Some("openai/gpt-5.5@2026-04-23".into()),
    }
}

/// A ledger that writes soon and asks no clock about old rows.
pub(super) fn ledger(dir: &Path) -> Ledger {
    let options = Options { flush_interval: Duration::from_millis(2), keep_days: None, ..Options::default() };
    Ledger::open(dir, options).unwrap()
}

/// Records all and waits until they are on disk.
pub(super) fn record(ledger: &Ledger, exchanges: impl IntoIterator<Item = Exchange>) {
    let recorder = ledger.recorder();
    exchanges.into_iter().for_each(|exchange| recorder.record(exchange));
    assert!(ledger.flush(Duration::from_secs(60)), "{:?}", recorder.health());
}

/// Text of all kinds: empty, plain, with quotes and with characters of several bytes, long.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["", "gpt-5.5", "search", "openai", "(other)", "1", "é\"\\\n\u{1f600}"]).prop_map(str::to_owned),
        2 => ".{0,20}",
        1 => "[a-z]{300}",
    ]
}

fn name() -> impl Strategy<Value = Arc<str>> {
    text().prop_map(Arc::from)
}

fn word() -> impl Strategy<Value = Box<str>> {
    text().prop_map(Box::from)
}

/// Counts, the ones at the edges of the number types among them.
fn count() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0u64..3000, 1 => select(vec![0, u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 53])]
}

fn dialect() -> impl Strategy<Value = Dialect> {
    select(Dialect::ALL.to_vec())
}

prop_compose! {
    fn any_target()(vendor in name(), model in name(), dialect in dialect(), price in option::of(name())) -> TargetUsed {
        TargetUsed { vendor, model, dialect, price }
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Complete),
        Just(Outcome::Cancelled),
        select(Kind::ALL.to_vec()).prop_map(Outcome::Failed),
    ]
}

prop_compose! {
    fn usage()(counts in proptest::array::uniform8(count())) -> Usage {
        let [input, cache_read, cache_write_5m, cache_write_1h, input_audio, output, reasoning, output_audio] = counts;
        Usage { input, cache_read, cache_write_5m, cache_write_1h, input_audio, output, reasoning, output_audio }
    }
}

/// Costs that fit a row's integer and costs that do not.
fn cost() -> impl Strategy<Value = Cost> {
    let amount = prop_oneof![4 => 0i128..10_000_000_000, 1 => -(1i128 << 80)..1 << 80];
    option::of(amount).prop_map(|amount| amount.map_or(Cost::Unknown, |amount| Cost::Known(PicoUsd(amount))))
}

prop_compose! {
    fn bill()(
        usage in usage(),
        provenance in select(vec![Provenance::Reported, Provenance::Partial, Provenance::Absent]),
        estimated_output in prop_oneof![Just(0), count()],
        cost in cost(),
        estimated_cost in cost(),
        saved in option::of(cost()),
    ) -> Bill {
        Bill { usage, provenance, estimated_output, cost, estimated_cost, saved }
    }
}

prop_compose! {
    fn answer()(
        id in option::of(word()),
        model in option::of(word()),
        finish in option::of(select(Finish::ALL.to_vec())),
        service_tier in option::of(word()),
        tools in proptest::collection::vec((word(), any::<u64>()), 0..3),
    ) -> AnswerFacts {
        let tools = tools.into_iter().map(|(name, arguments_hash)| ToolUse { name, arguments_hash }).collect();
        AnswerFacts { id, model, finish, service_tier, tools }
    }
}

prop_compose! {
    fn standings()(both in proptest::collection::vec((text(), text()), 0..3)) -> Vec<Standing> {
        both.into_iter().map(|(target, why)| Standing { target: target.into(), why }).collect()
    }
}

prop_compose! {
    fn chosen()(
        strategy in word(), order in standings(), removed in standings(), seed in option::of(any::<u64>()),
    ) -> Box<Chosen> {
        let evidence = seed.map(|seed| Written::from(format!("{{\"seed\":{seed},\"of\":[1,\"two\"]}}")));
        Box::new(Chosen { strategy: strategy.into(), order, removed, evidence })
    }
}

prop_compose! {
    fn receipt()(
        notes in proptest::collection::vec((text(), text()), 0..6),
        attempts in proptest::collection::vec((any_target(), select(Kind::ALL.to_vec()), any::<Option<u16>>(), any::<u64>(), option::of((any::<u64>(), cost()))), 0..3),
        answers in proptest::collection::vec((any_target(), option::of(word()), bill(), text(), any::<u64>()), 0..3),
        choice in option::of(chosen()),
        error in option::of(word()),
    ) -> Receipt {
        let mut edits: Vec<Note> = notes.into_iter().map(|(code, detail)| Note::new(code, &detail)).collect();
        let mut losses = edits.split_off(edits.len() / 2);
        let notes = losses.split_off(losses.len() / 2);
        let attempts = attempts
            .into_iter()
            .map(|(target, kind, status, failed_us, outrun)| Attempt {
                target,
                kind,
                status,
                failed_us,
                outrun: outrun.map(|(began_us, estimated_cost)| Outrun { began_us, estimated_cost }),
            })
            .collect();
        let answers = answers
            .into_iter()
            .map(|(target, tier, bill, why, ended_us)| PaidAnswer {
                target,
                tier,
                bill,
                why: why.into(),
                ended_us,
            })
            .collect();
        Receipt { edits, losses, attempts, answers, notes, choice, error, ..Receipt::default() }
    }
}

prop_compose! {
    fn timings()(steps in proptest::array::uniform3(option::of(count())), total_us in count()) -> Timings {
        let [sent_us, headers_us, first_token_us] = steps;
        Timings { sent_us, headers_us, first_token_us, total_us }
    }
}

fn moment() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => NOON..NOON + 20 * 3_600_000,
        1 => select(vec![0, u64::MAX, 1 << 63]),
    ]
}

prop_compose! {
    fn any_call()(
        at in moment(),
        unique in any::<u128>(),
        caller in (name(), name(), option::of(word())),
        client_dialect in dialect(),
        asked in name(),
        target in option::of(any_target()),
        streamed in any::<bool>(),
        outcome in outcome(),
        status in any::<u16>(),
    ) -> Exchange {
        let started_at = UnixMs(at);
        let (key, application, end_user) = caller;
        Exchange {
            // Of a low number: shifted, the time of a far moment does not fit an id.
            id: ExchangeId::new(UnixMs(at & ((1 << 48) - 1)), unique),
            started_at,
            caller: Caller { key, application, end_user },
            client_dialect, asked, target, streamed, outcome, status,
            ..plain(0)
        }
    }
}

/// The shape of a request with that output limit.
pub(crate) fn shape(limit: i64) -> Shape {
    let mut outline = Outline::empty(Dialect::OpenaiChat);
    outline.turns.push(Role::User, Blocks::TEXT);
    let number = Decimal::whole(limit).map(ShapeValue::Number);
    outline.members.extend(number.zip(member::id("max_tokens")).map(|(number, id)| (id, number)));
    outline.pack()
}

prop_compose! {
    /// What became of money that was set aside.
    pub(crate) fn settlement()(
        reserved in any::<i128>(), settled in any::<i64>(), input in count(), output in count(), which in 0..3,
    ) -> Settlement {
        let purpose = match which {
            0 => Purpose::Tokens { input, output },
            1 => Purpose::GoingOn { input, output },
            _ => Purpose::Unpriced,
        };
        Settlement { reserved: PicoUsd(reserved), purpose, settled: PicoUsd(settled.into()) }
    }
}

/// An exchange as a gateway records it: its choice written already, and money settled.
pub(crate) fn as_told(exchange: &Exchange, settlement: Option<Settlement>) -> Exchange {
    let mut told = exchange.clone();
    let receipt = told.receipt.get_or_insert_default();
    receipt.settlement = settlement;
    receipt.chosen = receipt.choice.take().map(|chosen| {
        let mut said = Said::default();
        chosen.put(&mut said.split());
        Box::new(said)
    });
    told
}

/// The same, as it is read back.
pub(crate) fn as_read(exchange: &Exchange, settlement: Option<Settlement>) -> Exchange {
    let mut read = exchange.clone();
    let note = settlement.map(|settlement| {
        let mut detail = Vec::new();
        settlement.put(&mut detail);
        Note::new(Settlement::CODE, std::str::from_utf8(&detail).unwrap())
    });
    read.receipt.get_or_insert_default().notes.extend(note);
    read
}

/// The nth exchange on a route with three targets, within a budget.
pub(crate) fn routed(nth: u64) -> (Exchange, Settlement) {
    let standing = |target: &str| Standing { target: target.into(), why: format!("drawn with weight {nth}") };
    let chosen = Chosen {
        strategy: "weighted".into(),
        order: ["a/one", "b/two", "c/three"].map(standing).to_vec(),
        removed: Vec::new(),
        evidence: Some(Written::from(format!("{{\"seed\":{nth}}}"))),
    };
    let receipt = Receipt {
        edits: vec![Note::code("set:model")],
        choice: Some(Box::new(chosen)),
        ..Receipt::default()
    };
    let purpose = Purpose::Tokens { input: nth * 7, output: 128_000 };
    let (reserved, settled) = (PicoUsd(i128::from(nth) * 1_000_003), PicoUsd(i128::from(nth) * 11));
    let exchange = Exchange { receipt: Some(Box::new(receipt)), ..plain(nth) };
    (exchange, Settlement { reserved, purpose, settled })
}

prop_compose! {
    /// Any exchange at all.
    pub(crate) fn any_exchange()(
        call in any_call(),
        answer in answer(),
        bill in bill(),
        timings in timings(),
        bytes in (count(), count()),
        receipt in option::of(receipt()),
        limit in option::of(any::<i64>()),
    ) -> Exchange {
        let (request_bytes, answer_bytes) = bytes;
        let shape = limit.map(shape);
        Exchange { answer, bill, timings, shape, request_bytes, answer_bytes, receipt: receipt.map(Box::new), ..call }
    }
}
