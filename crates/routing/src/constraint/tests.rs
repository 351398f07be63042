//! Tests of constraints: each has a case that it removes and one that it leaves; one test loops over the list.

use std::sync::Arc;

use pilothouse_catalog::{Status, Support};
use pilothouse_core::clock::UnixMs;

use super::*;
use crate::candidate::{Capability, Lifecycle, Needs};
use crate::count::Unread;
use crate::fixture::{features, priced};
use crate::health::{Absence, Ended, Health};
use crate::reason::{Ceiling, Unmet};
use crate::request::{AllowList, Deadline, Input};

fn removal(candidate: &Candidate, constraints: &Constraints, features: &Features<'_>) -> Option<Removal> {
    let mut unread = Unread;
    let mut lengths = Lengths::new(features.input, &mut unread);
    let sight = Sight::of(1, features.at);
    against(candidate, &mut Look { constraints, features, lengths: &mut lengths, sight: &sight })
}

fn none() -> Constraints {
    Constraints::default()
}

fn texts(names: &[&str]) -> Box<[Box<str>]> {
    names.iter().map(|name| (*name).into()).collect()
}

#[test]
fn names_of_constraints_are_unique_and_each_says_what_it_asks() {
    for (at, constraint) in CONSTRAINTS.iter().enumerate() {
        assert!(CONSTRAINTS[..at].iter().all(|other| other.name != constraint.name));
        assert!(constraint.summary.len() > 20 && !constraint.summary.ends_with('.'), "{}", constraint.name);
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/constraint");
    let listed = |name: &str| CONSTRAINTS.iter().any(|constraint| constraint.name == name);
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let file = entry.expect("an entry").file_name().into_string().expect("a name");
        assert!(file == "tests.rs" || listed(file.trim_end_matches(".rs")), "{file} is not on the list");
    }
    let page = include_str!("../../../../docs/src/strategies.md");
    for constraint in CONSTRAINTS {
        assert!(
            page.contains(&format!("| `{}` |", constraint.name)),
            "{} is not in the book",
            constraint.name
        );
    }
}

#[test]
fn target_of_which_nothing_is_known_meets_a_route_that_asks_nothing() {
    let needs = Capability::ALL.into_iter().collect();
    let asked = Features { needs, input: Input { text_bytes: 1 << 30, ..Input::default() }, ..features() };
    assert_eq!(removal(&Candidate::new("box/model"), &none(), &asked), None);
}

#[test]
fn denied_capability_removes_and_unknown_one_only_where_proof_is_asked() {
    let asked = Features { needs: Needs::NONE.with(Capability::Tools), ..features() };
    let mut candidate = Candidate::new("a/b");
    let strict = Constraints { refuse_unproven: true, ..none() };
    let unproven = Removal::Unproven { capability: Capability::Tools };
    assert_eq!(removal(&candidate, &strict, &asked), Some(unproven));
    candidate.abilities = candidate.abilities.with(Capability::Tools, Support::No);
    let lacks = Removal::Lacks { capability: Capability::Tools };
    assert_eq!(removal(&candidate, &none(), &asked), Some(lacks));
    candidate.abilities = candidate.abilities.with(Capability::Tools, Support::Yes);
    assert_eq!(removal(&candidate, &strict, &asked), None);
}

#[test]
fn what_protects_fails_closed_where_nothing_is_known() {
    let candidate = Candidate::new("a/b");
    for (constraints, wanted) in [
        (Constraints { open_weights: true, ..none() }, Removal::ClosedWeights { is_known: false }),
        (Constraints { regions: texts(&["eu"]), ..none() }, Removal::OtherRegion { is_known: false }),
        (Constraints { tags_required: texts(&["zdr"]), ..none() }, Removal::TagMissing { tag: 0 }),
        (Constraints { cost_max: Some(PicoUsd(1)), ..none() }, Removal::PriceUnknown),
        (Constraints { input_price_max: Some(PicoUsd(1)), ..none() }, Removal::PriceUnknown),
    ] {
        assert_eq!(removal(&candidate, &constraints, &features()), Some(wanted));
    }
}

#[test]
fn regions_are_met_by_their_parts_and_tags_in_both_ways() {
    let candidate = Candidate {
        region: Some("eu-west-1".into()),
        tags: texts(&["zdr", "shared"]),
        open_weights: Support::Yes,
        ..Candidate::new("a/b")
    };
    let meets = |constraints: Constraints| removal(&candidate, &constraints, &features());
    assert_eq!(meets(Constraints { regions: texts(&["us", "EU"]), open_weights: true, ..none() }), None);
    let other = Some(Removal::OtherRegion { is_known: true });
    assert_eq!(meets(Constraints { regions: texts(&["eu-west-10", "e", "us"]), ..none() }), other);
    let missing = Some(Removal::TagMissing { tag: 1 });
    assert_eq!(meets(Constraints { tags_required: texts(&["zdr", "audited"]), ..none() }), missing);
    assert_eq!(
        meets(Constraints { tags_refused: texts(&["x", "shared"]), ..none() }),
        Some(Removal::TagRefused { tag: 1 })
    );
}

#[test]
fn limits_remove_only_what_surely_does_not_fit() {
    let candidate = Candidate {
        context_tokens: Some(10_000),
        input_tokens_max: Some(8_000),
        output_tokens_max: Some(4_000),
        ..Candidate::new("a/b")
    };
    let asked = |text_bytes, output_tokens_max| Features {
        input: Input { text_bytes, ..Input::default() },
        output_tokens_max,
        ..features()
    };
    assert_eq!(removal(&candidate, &none(), &asked(30_000, None)), None);
    assert_eq!(
        removal(&candidate, &none(), &asked(50_000, None)),
        None,
        "10,000 tokens of prose; maybe fewer"
    );
    let long = removal(&candidate, &none(), &asked(200_000, None));
    assert!(matches!(long, Some(Removal::InputTooLong { limit: 8_000, .. })), "{long:?}");
    let both = removal(&candidate, &none(), &asked(70_000, Some(100_000)));
    assert!(
        matches!(both, Some(Removal::ContextTooShort { output_tokens: 4_000, limit: 10_000, .. })),
        "an output cap above the model's own counts as that: {both:?}"
    );
    let wanted = Constraints { output_tokens_min: Some(5_000), ..none() };
    let short = Some(Removal::OutputTooShort { wanted: 5_000, limit: 4_000 });
    assert_eq!(removal(&candidate, &wanted, &features()), short);
}

#[test]
fn ceilings_are_of_the_exchange_or_of_a_million_tokens() {
    let candidate = priced("a/b", 2, 10);
    let asked = Features {
        input: Input { text_bytes: 4_690, ..Input::default() },
        output_tokens_expected: Some(1_000),
        ..features()
    };
    let limit = |usd: &str| PicoUsd::parse_usd(usd).ok();
    // 1,000 tokens in at $2 and 1,000 out at $10 a million: $0.012.
    let meets = |constraints: Constraints| removal(&candidate, &constraints, &asked);
    assert_eq!(meets(Constraints { cost_max: limit("0.02"), ..none() }), None);
    let dear = meets(Constraints { cost_max: limit("0.005"), ..none() });
    assert!(matches!(dear, Some(Removal::TooDear { of: Ceiling::Exchange, .. })), "{dear:?}");
    assert_eq!(
        meets(Constraints { input_price_max: limit("2"), output_price_max: limit("10"), ..none() }),
        None
    );
    let dear = meets(Constraints { output_price_max: limit("9.99"), ..none() });
    assert!(matches!(dear, Some(Removal::TooDear { of: Ceiling::MillionOutput, .. })), "{dear:?}");
}

#[test]
fn deadline_is_held_against_what_was_observed() {
    let candidate = Candidate::new("a/b");
    let at = |at, remaining_ms, is_first_token| Features {
        deadline: Some(Deadline { remaining_ms, is_first_token }),
        at: UnixMs(at),
        ..features()
    };
    let asked = |remaining_ms, is_first_token| at(1_000, remaining_ms, is_first_token);
    assert_eq!(removal(&candidate, &none(), &asked(1, true)), None, "nothing was observed");
    for _ in 0..30 {
        let mut call = candidate.health.begin(UnixMs(0)).expect("admitted");
        call.first_token(UnixMs(0), 400_000);
        call.end(UnixMs(0), Ended::Answered { total_us: 5_000_000, output_tokens: 100 });
    }
    assert_eq!(removal(&candidate, &none(), &asked(500, true)), None);
    let slow = removal(&candidate, &none(), &asked(500, false));
    assert!(matches!(slow, Some(Removal::TooSlow { remaining_ms: 500, p95_ms: 5000.. })), "{slow:?}");
    assert!(removal(&candidate, &none(), &asked(399, true)).is_some());
    // A minute later one call may find out whether it is still so, and the others wait for that.
    assert_eq!(removal(&candidate, &none(), &at(61_000, 500, false)), None);
    let _finds_out = candidate.health.begin(UnixMs(61_000)).expect("admitted");
    assert!(removal(&candidate, &none(), &at(61_000, 500, false)).is_some());
}

#[test]
fn retired_models_go_and_deprecated_ones_only_where_the_route_says_so() {
    let at =
        |status| Candidate { lifecycle: Lifecycle { status, retires_at: None }, ..Candidate::new("a/b") };
    let strict = Constraints { no_deprecated: true, ..none() };
    assert_eq!(removal(&at(Status::Retired), &none(), &features()), Some(Removal::Retired));
    assert_eq!(removal(&at(Status::Deprecated), &none(), &features()), None);
    let status = Status::Deprecated;
    assert_eq!(removal(&at(status), &strict, &features()), Some(Removal::UnderNotice { status }));
    assert_eq!(removal(&at(Status::Scheduled), &strict, &features()), None);
}

#[test]
fn key_that_may_not_use_a_target_never_reaches_it() {
    let list = AllowList::new(["other/*"]);
    let asked = Features { allowed: Some(&list), ..features() };
    assert_eq!(removal(&Candidate::new("a/b"), &none(), &asked), Some(Removal::NotAllowed));
    assert_eq!(removal(&Candidate::new("other/b"), &none(), &asked), None);
}

#[test]
fn resting_and_buried_targets_are_left_out_with_the_time_to_wait() {
    let health = Arc::new(Health::default());
    let candidate = Candidate { health: Arc::clone(&health), ..Candidate::new("a/b") };
    let at = |now| Features { at: UnixMs(now), ..features() };
    health.breaker.rest(UnixMs(1000), 500);
    let open = Removal::BreakerOpen { retry_after_ms: 400 };
    assert_eq!(removal(&candidate, &none(), &at(1100)), Some(open));
    assert_eq!(removal(&candidate, &none(), &at(1500)), None, "half open");
    health.tombstones.absent(Absence::Gone, UnixMs(1500));
    let buried = removal(&candidate, &none(), &at(1500)).expect("buried");
    assert_eq!(buried.retry_after_ms(), Some(crate::health::BURIED_MS));
}

/// Says nothing of headers or texts: one number.
#[derive(Debug)]
struct Tokens(i64);

impl pilothouse_cel::Values for Tokens {
    fn value(&self, _variable: usize) -> pilothouse_cel::Value<'_> {
        pilothouse_cel::Value::Int(self.0)
    }

    fn entry(&self, _variable: usize, _key: &str) -> Option<std::borrow::Cow<'_, str>> {
        None
    }

    fn keys(&self, _variable: usize) -> Vec<std::borrow::Cow<'_, str>> {
        Vec::new()
    }
}

const DECLARED: &[pilothouse_cel::Declared] = &[
    pilothouse_cel::Declared::new("tokens", pilothouse_cel::Type::Int, "its length"),
    pilothouse_cel::Declared::new("metadata", pilothouse_cel::Type::Map, "its labels"),
];

#[test]
fn condition_that_is_false_or_cannot_be_told_is_against_the_target() {
    let when = |text: &str| Candidate {
        condition: Some(Arc::new(pilothouse_cel::Expression::compile(text, DECLARED).unwrap())),
        ..Candidate::new("a/b")
    };
    let values = Tokens(700);
    let asked = Features { values: Some(&values), ..features() };
    assert_eq!(removal(&when("tokens > 500"), &none(), &asked), None);
    assert_eq!(removal(&when("tokens > 800"), &none(), &asked), Some(Removal::Unmet { unmet: Unmet::False }));
    let fault = removal(&when("metadata.tier == 'gold'"), &none(), &asked);
    assert!(matches!(fault, Some(Removal::Unmet { unmet: Unmet::Fault(_) })), "{fault:?}");
    let untold = removal(&when("tokens > 500"), &none(), &features());
    assert_eq!(untold, Some(Removal::Unmet { unmet: Unmet::Untold }));
}
