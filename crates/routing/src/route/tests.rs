//! Tests of the whole choice.

use pilothouse_catalog::Status;
use pilothouse_core::clock::UnixMs;
use proptest::prelude::*;

use super::*;
use crate::candidate::{Capability, Lifecycle, Needs};
use crate::count::Unread;
use crate::fixture::{features, priced};
use crate::request::{AllowList, Conversation, Input};

fn route_of(strategy: &str, candidates: Vec<Candidate>) -> Route {
    Route::new(RouteSettings {
        name: "assistant",
        candidates,
        constraints: Constraints::default(),
        strategy,
        settings: Settings { agreement: true, ..Settings::default() },
        turns_ahead: 1,
    })
    .expect("a valid route")
}

fn choose(route: &Route, features: &Features<'_>) -> Result<Decision, NoTarget> {
    route.choose(features, &mut Unread, &mut Random::new(1))
}

fn indices(decision: &Decision) -> Vec<Index> {
    decision.order.iter().map(|ranked| ranked.index).collect()
}

#[test]
fn settings_that_cannot_work_are_refused_with_what_to_do() {
    let made = |strategy, candidates| {
        let settings = Settings::default();
        let constraints = Constraints::default();
        Route::new(RouteSettings { name: "r", candidates, constraints, strategy, settings, turns_ahead: 1 })
    };
    let one = || vec![Candidate::new("a/b")];
    for (result, says) in [
        (made("fixed", vec![]), "no targets"),
        (made("best", one()), "there are fixed, weighted"),
        (made("learned", one()), "needs a model of quality"),
        (made("fixed", [one(), one()].concat()), "names `a/b` twice"),
    ] {
        let error = result.map(|_| ()).expect_err(says);
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn targets_that_stand_by_come_last_and_alone_where_all_others_are_left_out() {
    let spare = |name| Candidate { is_fallback: true, ..Candidate::new(name) };
    let route =
        route_of("fixed", vec![spare("s/1"), Candidate::new("a/1"), spare("s/2"), Candidate::new("a/2")]);
    let decision = choose(&route, &features()).expect("targets");
    assert_eq!(indices(&decision), [1, 3, 0, 2]);
    assert_eq!(decision.order[2].reason, Reason::Fallback);
    let list = AllowList::new(["s/*"]);
    let decision = choose(&route, &Features { allowed: Some(&list), ..features() }).expect("targets");
    assert_eq!(indices(&decision), [0, 2]);
    assert_eq!(decision.removed.len(), 2);
}

#[test]
fn empty_set_says_of_each_target_why_and_what_kind_of_error_it_is() {
    let retired = Lifecycle { status: Status::Retired, retires_at: None };
    let mut blind = Candidate::new("b/blind");
    blind.abilities = blind.abilities.with(Capability::ImageInput, pilothouse_catalog::Support::No);
    let gone = Candidate { lifecycle: retired, ..Candidate::new("a/gone") };
    let asked = Features { needs: Needs::NONE.with(Capability::ImageInput), ..features() };
    let none = choose(&route_of("fixed", vec![gone.clone(), blind]), &asked).expect_err("none is left");
    assert_eq!(none.kind(), Kind::BadRequest);
    assert_eq!(
        none.to_string(),
        "no target of `assistant` can take this request: a/gone: retired by its vendor; b/blind: lacks image_input"
    );
    let none = choose(&route_of("fixed", vec![gone]), &asked).expect_err("none is left");
    assert_eq!(none.kind(), Kind::Gone);
    let list = AllowList::default();
    let asked = Features { allowed: Some(&list), ..features() };
    let none = choose(&route_of("fixed", vec![Candidate::new("a/b")]), &asked).expect_err("none is left");
    assert_eq!(none.kind(), Kind::Forbidden);
}

#[test]
fn resting_targets_make_an_error_that_says_when_to_come_back() {
    let candidates = vec![Candidate::new("a/a"), Candidate::new("b/b")];
    candidates[0].health.breaker.rest(UnixMs(1000), 9_000);
    candidates[1].health.breaker.rest(UnixMs(1000), 4_000);
    let route = route_of("fixed", candidates);
    let none = choose(&route, &Features { at: UnixMs(2000), ..features() }).expect_err("both rest");
    assert_eq!((none.kind(), none.retry_after_ms()), (Kind::Overloaded, Some(3_000)));
    assert_eq!(none.into_error().retry, Retry::After(Some(3_000)));
}

fn held<'a>(target: &Candidate, is_in_tool_loop: bool) -> Features<'a> {
    let held = Held { target: target.id, cached_tokens: 9_000, is_in_tool_loop };
    Features {
        input: Input { text_bytes: 46_900, ..Input::default() },
        conversation: Some(Conversation { id: 3, held: Some(held) }),
        output_tokens_expected: Some(0),
        ..features()
    }
}

#[test]
fn tool_loop_stays_with_its_target_under_every_strategy_until_it_fails() {
    for plugin in STRATEGIES.iter().filter(|plugin| plugin.name != "learned") {
        let candidates: Vec<Candidate> = ["a/1", "b/2", "c/3"]
            .into_iter()
            .zip(1..)
            .map(|(name, price)| priced(name, price, price))
            .collect();
        let route = route_of(plugin.name, candidates);
        for target in 0..3 {
            let home = &route.candidates()[usize::from(target)];
            let decision = choose(&route, &held(home, true)).expect("targets");
            assert_eq!(decision.order[0].index, target, "{}", plugin.name);
            assert_eq!(decision.order.len(), 3, "{}", plugin.name);
            assert_eq!(decision.cascade, None, "{}: a loop has one model", plugin.name);
        }
        let home = &route.candidates()[1];
        home.health.breaker.rest(features().at, 1000);
        let decision = choose(&route, &held(home, true)).expect("targets");
        assert!(!indices(&decision).contains(&1), "{}", plugin.name);
    }
}

#[test]
fn user_turn_moves_only_for_a_gain_that_beats_the_cache() {
    let route = route_of("cheapest", vec![priced("a/home", 10, 10), priced("b/half", 5, 5)]);
    let home = &route.candidates()[0];
    let decision = choose(&route, &held(home, false)).expect("targets");
    assert_eq!(decision.order[0].index, 0, "the cache makes it the cheapest");
    let route = route_of("fixed", vec![priced("b/half", 5, 5), priced("a/home", 10, 10)]);
    let home = &route.candidates()[1];
    let decision = choose(&route, &held(home, false)).expect("targets");
    let Reason::Held { stay: Stay::CacheIsWorthMore { staying, moving } } = decision.order[0].reason else {
        panic!("{decision:?}")
    };
    assert!(staying < moving);
    let route = route_of("fixed", vec![priced("c/tenth", 1, 1), priced("a/home", 10, 10)]);
    let decision = choose(&route, &held(&route.candidates()[1], false)).expect("targets");
    assert_eq!(indices(&decision), [0, 1]);
}

#[test]
fn cascade_has_a_plan_where_two_targets_are_left_and_none_where_one_is() {
    let three =
        route_of("cascade", vec![Candidate::new("a/1"), Candidate::new("b/2"), Candidate::new("c/3")]);
    let decision = choose(&three, &features()).expect("targets");
    assert_eq!(decision.cascade, Some(CascadePlan { cheap: 0, partner: Some(1), strong: 2 }));
    let list = AllowList::new(["b/2"]);
    let decision = choose(&three, &Features { allowed: Some(&list), ..features() }).expect("a target");
    assert_eq!((decision.cascade, indices(&decision)), (None, vec![1]));
}

#[test]
fn explanation_names_targets_reasons_and_tags() {
    let constraints = Constraints { tags_required: ["zdr".into()].into(), ..Constraints::default() };
    let tagged = Candidate { tags: ["zdr".into()].into(), ..Candidate::new("a/tagged") };
    let route = Route::new(RouteSettings {
        name: "private",
        candidates: vec![tagged, Candidate::new("b/plain")],
        constraints,
        strategy: "fixed",
        settings: Settings::default(),
        turns_ahead: 1,
    })
    .expect("a valid route");
    let decision = choose(&route, &features()).expect("a target");
    let json = serde_json::to_value(route.explain(&decision)).expect("serialises");
    assert_eq!(json["order"][0]["target"], "a/tagged");
    assert_eq!(json["order"][0]["reason"]["because"], "listed");
    assert_eq!(json["removed"][0]["text"], "lacks the tag `zdr`");
    let list = AllowList::new(["b/plain"]);
    let asked = Features { allowed: Some(&list), ..features() };
    let none = choose(&route, &asked).expect_err("none is left");
    let explained = route.explain_none(&none);
    let texts: Vec<&str> = explained.removed.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, ["the key may not use it", "lacks the tag `zdr`"]);
}

proptest! {
    #[test]
    fn every_target_is_either_in_the_order_or_left_out_with_a_reason(
        allowed in proptest::collection::vec(any::<bool>(), 1..20), spare in any::<u32>(), seed in any::<u64>(),
        strategy in 0..7_usize,
    ) {
        let candidates: Vec<Candidate> = (0..allowed.len())
            .map(|at| Candidate { is_fallback: spare & (1 << at) != 0, ..priced(&format!("p/m{at}"), at as u64, 1) })
            .collect();
        let names = candidates.iter().zip(&allowed).filter(|(_, is_allowed)| **is_allowed);
        let list = AllowList::new(names.map(|(candidate, _)| &*candidate.name));
        let asked = Features { allowed: Some(&list), ..features() };
        let route = route_of(STRATEGIES[strategy].name, candidates);
        match route.choose(&asked, &mut Unread, &mut Random::new(seed)) {
            Ok(decision) => {
                let mut seen: Vec<Index> =
                    indices(&decision).into_iter().chain(decision.removed.iter().map(|removed| removed.index)).collect();
                seen.sort_unstable();
                prop_assert!(seen.into_iter().eq(0..allowed.len() as Index));
                prop_assert!(decision.order.iter().all(|ranked| allowed[usize::from(ranked.index)]));
                let again = route.choose(&asked, &mut Unread, &mut Random::new(seed));
                prop_assert_eq!(again.as_ref(), Ok(&decision));
            }
            Err(none) => {
                prop_assert!(!allowed.contains(&true));
                prop_assert_eq!(none.removed.len(), allowed.len());
            }
        }
    }
}
