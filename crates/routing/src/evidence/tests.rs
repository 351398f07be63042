//! Random choices of every strategy, made again of what was kept: the outcome is the same, whatever has become of the
//! targets since.

use std::sync::Arc;

use proptest::prelude::*;

use pilothouse_core::written::Said;

use super::*;
use crate::TargetId;
use crate::candidate::Candidate;
use crate::constraint::Constraints;
use crate::count::Texts;
use crate::fixture::priced;
use crate::health::{Absence, Ended};
use crate::load::{Gauge, Sample};
use crate::route::RouteSettings;
use crate::strategy::{STRATEGIES, Settings};

const NOW: u64 = 50_000;

/// What a target has gone through, drawn by a number.
fn lived(place: usize, chance: u64) -> Candidate {
    let mut random = Random::new(chance);
    let names =
        ["openai/gpt-4o", "anthropic/claude-opus-4-7", "openai/gpt-4", "box/qwen3", "mistral/mistral-large"];
    let name = format!("{}-{place}", names[random.below(names.len())]);
    let mut candidate = match random.below(4) {
        0 => Candidate::new(&name),
        dollars => priced(&name, dollars as u64, 2),
    };
    candidate.weight = random.below(4) as u32;
    candidate.is_fallback = random.below(6) == 0;
    candidate.is_spill = random.below(6) == 0;
    candidate.context_tokens = (random.below(3) == 0).then(|| 200 + random.below(4_000) as u64);
    if random.below(3) == 0 {
        let gauge = Gauge::default();
        let sample = Sample { waiting: random.below(7) as u32, running: 3, cache: random.unit() as f32 };
        gauge.store(UnixMs(NOW - random.below(4_000) as u64), sample);
        candidate.gauge = Some(Arc::new(gauge));
    }
    live(&candidate, &mut random);
    candidate
}

/// Lets a target go through calls.
fn live(candidate: &Candidate, random: &mut Random) {
    let health = &candidate.health;
    for at in 0..random.below(60) as u64 {
        let now = UnixMs(NOW - 20_000 + at * 300);
        let Ok(mut call) = health.begin(now) else { continue };
        let first_us = 100_000 + random.below(900_000) as u64;
        match random.below(8) {
            0 => call.end(now, Ended::Failed),
            1 => std::mem::forget(call),
            _ => {
                call.first_token(now, first_us);
                call.end(now, Ended::Answered { total_us: first_us * 3, output_tokens: 50 });
            }
        }
        health.calibration.learn(now, 2_000, 450 + random.below(100) as u64);
    }
    match random.below(12) {
        0 => health.breaker.rest(UnixMs(NOW - 10), 30_000),
        1 => drop(health.tombstones.absent(Absence::Gone, UnixMs(NOW - 10))),
        _ => {}
    }
}

fn route(strategy: &str, candidates: Vec<Candidate>, chance: u64) -> Route {
    let mut random = Random::new(chance);
    let constraints = Constraints {
        cost_max: (random.below(4) == 0).then_some(pilothouse_core::money::PicoUsd(2_000_000_000)),
        ..Constraints::default()
    };
    let settings = RouteSettings {
        name: "r",
        candidates,
        constraints,
        strategy,
        settings: Settings::default(),
        turns_ahead: 3,
    };
    Route::new(settings).unwrap()
}

/// What is kept of a choice.
fn told(trace: &Trace, features: &Features<'_>) -> String {
    let mut json = Vec::new();
    trace.put(&mut json, features);
    String::from_utf8(json).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn every_strategy_chooses_again_what_it_chose(
        chances in proptest::collection::vec(any::<u64>(), 1..9), seed in any::<u64>(), words in 0_usize..900,
        messages in 0_u32..5, media in 0_u64..2_000, cap in proptest::option::of(1_u64..3_000),
        deadline in proptest::option::of((1_u64..2_000, any::<bool>())), held in any::<Option<(u64, bool)>>(),
        allows in any::<Option<bool>>(),
    ) {
        let text = "One more word, and 42 numbers; ".repeat(words / 6);
        for plugin in STRATEGIES.iter().filter(|plugin| plugin.name != "learned") {
            let candidates: Vec<Candidate> =
                chances.iter().enumerate().map(|(place, chance)| lived(place, *chance)).collect();
            let home = TargetId::of(&candidates[seed as usize % candidates.len()].name);
            let route = route(plugin.name, candidates, seed);
            let allowed = AllowList::new(["openai/*", "box/*"]);
            let features = Features {
                at: UnixMs(NOW),
                needs: Needs::default(),
                input: Input { text_bytes: text.len() as u64, messages, media_tokens: media },
                output_tokens_max: cap,
                deadline: deadline.map(|(remaining_ms, is_first_token)| Deadline { remaining_ms, is_first_token }),
                allowed: allows.and_then(|is_listed| is_listed.then_some(&allowed)),
                conversation: held.map(|(id, is_in_tool_loop)| Conversation {
                    id,
                    held: Some(Held { target: home, cached_tokens: id % 900, is_in_tool_loop }),
                }),
                ..Features::default()
            };
            let mut trace = Trace::of(&route, features.at, seed);
            let Ok(chosen) = route.choose_traced(&features, &mut Texts(&[&text]), &mut trace) else { continue };
            let (kept, mut said) = (told(&trace, &features), Said::default());
            trace.put(&mut said.split(), &features);
            prop_assert_eq!(&said.text(), &kept, "taken apart and put together");
            // Whatever happens to the targets afterwards, and however the gateway fares: only what was kept counts.
            let mut random = Random::new(seed ^ 1);
            route.candidates().iter().for_each(|candidate| live(candidate, &mut random));
            let evidence: Evidence = serde_json::from_str(&kept).unwrap();
            prop_assert_eq!(&serde_json::to_string(&evidence).unwrap(), &kept, "by hand as serde writes it");
            let again = route.choose_again(&evidence);
            prop_assert_eq!(again.as_ref().ok(), Some(&chosen), "{} of {}", plugin.name, kept);
            prop_assert!(kept.len() < 400 + route.candidates().len() * 320, "{} bytes: {kept}", kept.len());
        }
    }
}

#[test]
fn usual_evidence_is_a_line() {
    let route = route("weighted", vec![priced("a/one", 1, 2), priced("b/two", 2, 3)], 9);
    let features = Features {
        at: UnixMs(NOW),
        input: Input { text_bytes: 120, messages: 2, media_tokens: 0 },
        ..Features::default()
    };
    let mut trace = Trace::of(&route, features.at, 7);
    route.choose_traced(&features, &mut crate::Unread, &mut trace).unwrap();
    assert_eq!(told(&trace, &features), r#"{"seed":7,"at":50000,"input":[120,2,0]}"#);
}

#[test]
fn choosing_with_evidence_is_choosing() {
    let candidates = || (0..6).map(|place| lived(place, place as u64 * 77)).collect::<Vec<_>>();
    for plugin in STRATEGIES.iter().filter(|plugin| plugin.name != "learned") {
        for seed in 0..50 {
            let route = route(plugin.name, candidates(), 3);
            let features = Features { at: UnixMs(NOW), ..Features::default() };
            let plain = route.choose(&features, &mut crate::Unread, &mut Random::new(seed));
            let mut trace = Trace::of(&route, features.at, seed);
            let kept = route.choose_traced(&features, &mut crate::Unread, &mut trace);
            assert_eq!(plain, kept, "{}", plugin.name);
        }
    }
}

#[test]
fn a_list_that_is_too_long_is_told_to_be_cut() {
    let names: Vec<String> = (0..100).map(|at| format!("a/{at}")).chain(["a/one".to_owned()]).collect();
    let allowed = AllowList::new(names);
    let route = route("fixed", vec![priced("a/one", 1, 2)], 9);
    let features = Features { allowed: Some(&allowed), ..Features::default() };
    let mut trace = Trace::of(&route, features.at, 7);
    route.choose_traced(&features, &mut crate::Unread, &mut trace).unwrap();
    let evidence: Evidence = serde_json::from_str(&told(&trace, &features)).unwrap();
    assert!(evidence.is_cut());
}
