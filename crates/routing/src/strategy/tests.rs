//! Tests of strategies: conformance of the whole list, then what is each one's own.

use std::collections::HashSet;
use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use pilothouse_tokens::{TextShape, Tokenizer};
use proptest::prelude::*;

use super::*;
use crate::count::{Counter, Texts};
use crate::fixture::{features, numbered, priced};
use crate::health::Ended;
use crate::load::{Gauge, Sample};
use crate::request::{Conversation, Input};
use crate::sight::Sight;

/// Expects of a target what its weight says, in hundredths.
struct ByWeight;

impl QualityModel for ByWeight {
    fn quality(&self, _features: &Features<'_>, candidate: &Candidate) -> Option<Quality> {
        let expected = candidate.weight as f32 / 100.0;
        (candidate.weight > 0).then_some(Quality { expected, low: expected })
    }
}

fn settings() -> Settings {
    Settings { agreement: true, quality: Some(0.9), quality_model: Some(Arc::new(ByWeight)) }
}

fn made(name: &str) -> Box<dyn super::Strategy> {
    (find(name).expect("on the list").make)(&settings()).expect("complete settings")
}

fn ordered(name: &str, candidates: &[Candidate], features: &Features<'_>, seed: u64) -> Order {
    ordered_by(name, candidates, features, seed, &mut crate::Unread)
}

fn ordered_by(
    name: &str,
    candidates: &[Candidate],
    features: &Features<'_>,
    seed: u64,
    counter: &mut dyn Counter,
) -> Order {
    let left: Vec<Index> = (0..candidates.len() as Index).collect();
    let mut lengths = Lengths::new(features.input, counter);
    let mut random = Random::new(seed);
    let mut order = Order::new();
    let candidates = &numbered(candidates);
    let sight = Sight::of(candidates.len(), features.at);
    let mut ask =
        Ask { candidates, left: &left, features, lengths: &mut lengths, random: &mut random, sight: &sight };
    made(name).order(&mut ask, &mut order);
    order
}

fn first_of(name: &str, candidates: &[Candidate], features: &Features<'_>, seed: u64) -> Index {
    ordered(name, candidates, features, seed)[0].index
}

fn measured(name: &str, first_token_ms: u64, now: u64) -> Candidate {
    let candidate = Candidate::new(name);
    let mut call = candidate.health.begin(UnixMs(now)).expect("admitted");
    call.first_token(UnixMs(now), first_token_ms * 1000);
    call.end(UnixMs(now), Ended::Answered { total_us: first_token_ms * 1000 + 100_000, output_tokens: 100 });
    candidate
}

#[test]
fn every_strategy_is_named_once_and_is_in_the_book() {
    let names: HashSet<&str> = STRATEGIES.iter().map(|plugin| plugin.name).collect();
    assert_eq!(names.len(), STRATEGIES.len());
    let page = include_str!("../../../../docs/src/strategies.md");
    for plugin in STRATEGIES {
        assert!(page.contains(&format!("`{}`", plugin.name)), "{} is not in the book", plugin.name);
        assert!(plugin.summary.ends_with('.') && plugin.when.ends_with('.'), "{}", plugin.name);
        let debugged = format!("{:?}", made(plugin.name));
        assert!(debugged.len() < 100, "{debugged}");
    }
}

#[test]
fn every_file_of_the_folder_is_on_the_list() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/strategy");
    let mut files = HashSet::new();
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        files.insert(name.trim_end_matches(".rs").replace('_', "-"));
    }
    files.remove("tests");
    let listed: HashSet<String> = STRATEGIES.iter().map(|plugin| plugin.name.to_owned()).collect();
    assert_eq!(files, listed);
}

prop_compose! {
    fn any_candidate()(
        name in 0_u32..1000, price in 0_u64..20, weight in 0_u32..5, calls in 0_usize..5,
        speed in proptest::option::of(1_u64..5000), cache in proptest::option::of(0.0_f32..1.2), is_spill: bool,
    ) -> Candidate {
        let name = format!("p/m{name}");
        let mut candidate = speed.map_or_else(|| Candidate::new(&name), |ms| measured(&name, ms, 1000));
        if price > 0 {
            candidate.pricing = priced(&name, price, price * 4).pricing;
        }
        candidate.weight = weight;
        candidate.is_spill = is_spill;
        if let Some(cache) = cache {
            let gauge = Gauge::default();
            gauge.store(UnixMs(1000), Sample { waiting: 1, running: 2, cache: cache.min(1.0) });
            candidate.gauge = Some(Arc::new(gauge));
        }
        // Calls that never end: what is in flight.
        (0..calls).for_each(|_| std::mem::forget(candidate.health.begin(UnixMs(1000))));
        candidate
    }
}

proptest! {
    #[test]
    fn every_order_is_a_permutation_and_the_same_seed_gives_it_again(
        candidates in proptest::collection::vec(any_candidate(), 1..12), keep in any::<u16>(), seed in any::<u64>(),
        bytes in 0_u64..100_000,
    ) {
        let mut left: Vec<Index> =
            (0..candidates.len() as Index).filter(|index| keep & (1 << index) != 0).collect();
        if left.is_empty() {
            left.push(0);
        }
        let input = Input { text_bytes: bytes, messages: 3, media_tokens: 0 };
        let features = Features { input, at: UnixMs(1500), ..features() };
        let run = |name: &str| {
            let mut counter = Texts(&["some text to count"]);
            let mut lengths = Lengths::new(input, &mut counter);
            let (mut random, mut order) = (Random::new(seed), Order::new());
            let candidates = numbered(&candidates);
            let sight = Sight::of(candidates.len(), features.at);
            let mut ask = Ask {
                candidates: &candidates, left: &left, features: &features, lengths: &mut lengths, random: &mut random, sight: &sight,
            };
            made(name).order(&mut ask, &mut order);
            order
        };
        for plugin in STRATEGIES {
            let order = run(plugin.name);
            let mut indices: Vec<Index> = order.iter().map(|ranked| ranked.index).collect();
            indices.sort_unstable();
            prop_assert_eq!(&indices, &left, "{}", plugin.name);
            prop_assert_eq!(&run(plugin.name), &order, "{}", plugin.name);
            for ranked in &order {
                let json = serde_json::to_string(&ranked.reason).expect("serialises");
                let back: Reason = serde_json::from_str(&json).expect("reads back");
                prop_assert_eq!(back.to_string(), ranked.reason.to_string());
            }
        }
    }
}

#[test]
fn weighted_draws_by_weight_and_puts_weight_zero_last() {
    let with = |name: &str, weight| Candidate { weight, ..Candidate::new(name) };
    let candidates = [with("a/a", 7), with("b/b", 2), with("c/c", 1), with("d/d", 0)];
    let mut first = [0_u32; 4];
    for seed in 0..10_000 {
        let order = ordered("weighted", &candidates, &features(), seed);
        first[usize::from(order[0].index)] += 1;
        assert_eq!(order[3].index, 3);
    }
    assert!((6_800..7_200).contains(&first[0]) && (1_850..2_150).contains(&first[1]), "{first:?}");
    assert_eq!(first[3], 0);
}

#[test]
fn cheapest_reckons_with_the_length_of_this_request() {
    // One is cheap to read and dear to write, the other the other way round.
    let candidates = [priced("a/reader", 1, 20), priced("b/writer", 4, 4)];
    let asked = |text_bytes, output| Features {
        input: Input { text_bytes, ..Input::default() },
        output_tokens_expected: Some(output),
        ..features()
    };
    assert_eq!(first_of("cheapest", &candidates, &asked(100_000, 100), 1), 0);
    assert_eq!(first_of("cheapest", &candidates, &asked(1_000, 1_000), 1), 1);
}

#[test]
fn unknown_price_is_never_the_cheapest() {
    let candidates = [Candidate::new("a/unpriced"), priced("b/dear", 100, 100)];
    let order = ordered("cheapest", &candidates, &features(), 1);
    assert_eq!((order[0].index, order[1].reason), (1, Reason::PriceUnknown));
}

#[test]
fn cached_prefix_makes_the_target_that_holds_it_cheaper() {
    let candidates = [priced("a/home", 10, 10), priced("b/other", 5, 10)];
    let held = crate::Held { target: candidates[0].id, cached_tokens: 10_000, is_in_tool_loop: false };
    let asked = Features { input: Input { text_bytes: 46_900, ..Input::default() }, ..features() };
    assert_eq!(first_of("cheapest", &candidates, &asked, 1), 1);
    let continued = Features { conversation: Some(Conversation { id: 1, held: Some(held) }), ..asked };
    assert_eq!(first_of("cheapest", &candidates, &continued, 1), 0);
}

/// Counts what is asked of it.
struct Spy<'a>(&'a [&'a str], usize, Vec<&'static str>);

impl Counter for Spy<'_> {
    fn shape(&mut self) -> Option<TextShape> {
        self.1 += 1;
        Texts(self.0).shape()
    }

    fn count(&mut self, tokenizer: Tokenizer) -> Option<u64> {
        self.2.push(tokenizer.name());
        self.0.iter().map(|text| tokenizer.count(text)).sum()
    }
}

#[test]
fn nothing_is_read_where_no_number_of_tokens_changes_the_first_place() {
    let text = "word ".repeat(1000);
    let texts = [text.as_str()];
    let input = Input { text_bytes: text.len() as u64, ..Input::default() };
    let asked = Features { input, ..features() };
    let mut spy = Spy(&texts, 0, Vec::new());
    // Ten times dearer: no error of an estimate is that large.
    let far = [priced("openai/gpt-5.5", 1, 1), priced("anthropic/claude-opus-5", 10, 10)];
    ordered_by("cheapest", &far, &asked, 1, &mut spy);
    // The same tokenizer: both have the same number of tokens, whatever it is.
    let alike = [priced("openai/gpt-5.5", 10, 10), priced("azure/gpt-5.5", 11, 11)];
    ordered_by("cheapest", &alike, &asked, 1, &mut spy);
    assert_eq!((spy.1, &spy.2), (0, &Vec::new()));
    let near = [priced("openai/gpt-5.5", 10, 1), priced("anthropic/claude-opus-5", 3, 1)];
    let order = ordered_by("cheapest", &near, &asked, 1, &mut spy);
    // The length leaves open whether the second has three times the tokens of the first.
    assert_eq!(order[0].index, 1);
    assert_eq!((spy.1, spy.2), (1, vec![]), "the shape was enough");
}

#[test]
fn tokenizers_run_once_each_where_even_the_shape_leaves_the_order_open() {
    let text = "The ferry leaves at noon and comes back before dark. ".repeat(100);
    let texts = [text.as_str()];
    let input = Input { text_bytes: text.len() as u64, ..Input::default() };
    let asked = Features { input, output_tokens_expected: Some(1), ..features() };
    let near = [
        priced("openai/gpt-5.5", 100, 1),
        priced("openai/gpt-4", 100, 1),
        priced("azure/gpt-5.5", 100, 1),
        priced("x/gpt-4", 99, 1),
    ];
    let mut spy = Spy(&texts, 0, Vec::new());
    let order = ordered_by("cheapest", &near, &asked, 1, &mut spy);
    spy.2.sort_unstable();
    assert_eq!((spy.1, spy.2), (1, vec!["cl100k_base", "o200k_base"]));
    let Reason::Cost { input_tokens, .. } = order[0].reason else { panic!("{order:?}") };
    let name = &near[usize::from(order[0].index)].name;
    let model = name.split_once('/').expect("two parts").1;
    assert_eq!(Some(input_tokens), Tokenizer::of(model).count(&text));
}

#[test]
fn fastest_prefers_what_was_fast_and_tries_what_was_not_measured() {
    let now = 100_000;
    let candidates = [measured("a/slow", 900, now), measured("b/fast", 300, now)];
    let at = Features { at: UnixMs(now + 500), ..features() };
    for seed in 0..50 {
        assert_eq!(first_of("fastest", &candidates, &at, seed), 1);
    }
    let [slow, fast] = candidates;
    let with_new = [slow, fast, Candidate::new("c/new")];
    let tried = (0..100).filter(|seed| first_of("fastest", &with_new, &at, *seed) == 2).count();
    assert!(tried > 20, "{tried}");
    let _first = with_new[2].health.begin(at.at).expect("admitted");
    for seed in 0..50 {
        assert_ne!(first_of("fastest", &with_new, &at, seed), 2, "one call finds out");
    }
}

#[test]
fn fastest_leaves_a_target_that_hangs_before_its_calls_end() {
    let now = 100_000;
    let candidates = [measured("a/hangs", 300, now), measured("b/steady", 900, now)];
    let _waiting = candidates[0].health.begin(UnixMs(now)).expect("admitted");
    let at = |after| Features { at: UnixMs(now + after), ..features() };
    assert_eq!(first_of("fastest", &candidates, &at(200), 1), 0);
    assert_eq!(first_of("fastest", &candidates, &at(2_000), 1), 1);
}

#[test]
fn fastest_tries_a_slow_target_again_after_a_while() {
    let now = 100_000;
    let candidates = [measured("a/was-slow", 3_000, now), measured("b/fast", 300, now)];
    let tried = |after| {
        let at = Features { at: UnixMs(now + after), ..features() };
        (0..100).filter(|seed| first_of("fastest", &candidates, &at, *seed) == 0).count()
    };
    assert_eq!(tried(5_000), 0);
    assert!(tried(120_000) > 20);
}

fn scraped(name: &str, waiting: u32, cache: f32) -> Candidate {
    let gauge = Gauge::default();
    gauge.store(UnixMs(10_000), Sample { waiting, running: 4, cache });
    Candidate { gauge: Some(Arc::new(gauge)), ..Candidate::new(name) }
}

#[test]
fn least_loaded_spills_only_when_every_server_is_saturated() {
    let at = Features { at: UnixMs(10_500), ..features() };
    let cloud = || Candidate { is_spill: true, ..Candidate::new("cloud/model") };
    let some_room = [cloud(), scraped("box/a", 9, 0.2), scraped("box/b", 1, 0.2)];
    let order = ordered("least-loaded", &some_room, &at, 1);
    assert!(order.iter().map(|ranked| ranked.index).eq([2, 0, 1]), "{order:?}");
    let full = [cloud(), scraped("box/a", 9, 0.2), scraped("box/b", 7, 0.2)];
    let order = ordered("least-loaded", &full, &at, 1);
    assert!(order.iter().map(|ranked| ranked.index).eq([0, 2, 1]), "{order:?}");
    assert_eq!(order[0].reason, Reason::Spill);
    let no_cloud = [scraped("box/a", 9, 0.2), scraped("box/b", 7, 0.2)];
    assert_eq!(first_of("least-loaded", &no_cloud, &at, 1), 1, "the least bad");
}

#[test]
fn sticky_keeps_a_conversation_and_moves_only_those_of_a_target_that_leaves() {
    let all: Vec<Candidate> = (0..10).map(|number| Candidate::new(&format!("box/m{number}"))).collect();
    let without: Vec<Candidate> = all[..9].to_vec();
    let mut counts = [0_u32; 10];
    for id in 0..10_000 {
        let asked = Features { conversation: Some(Conversation { id, held: None }), ..features() };
        let home = first_of("sticky", &all, &asked, id);
        assert_eq!(first_of("sticky", &all, &asked, id + 1), home, "chance has no part in it");
        counts[usize::from(home)] += 1;
        let after = first_of("sticky", &without, &asked, id);
        assert!(home == 9 || after == home);
    }
    assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
}

#[test]
fn sticky_passes_over_a_target_that_holds_more_than_its_share() {
    let all: Vec<Candidate> = (0..4).map(|number| Candidate::new(&format!("box/m{number}"))).collect();
    let asked = Features { conversation: Some(Conversation { id: 5, held: None }), ..features() };
    let home = first_of("sticky", &all, &asked, 1);
    let _calls: Vec<_> = (0..8).map(|_| all[usize::from(home)].health.begin(UnixMs(0))).collect();
    let order = ordered("sticky", &all, &asked, 1);
    assert_ne!(order[0].index, home);
    assert_eq!(order[3].index, home);
    assert_eq!(order[3].reason, Reason::Ring { is_over_bound: true });
}

#[test]
fn cascade_takes_the_first_two_and_the_last() {
    let all: Vec<Candidate> = (0..4).map(|number| Candidate::new(&format!("p/m{number}"))).collect();
    let order = ordered("cascade", &all, &features(), 1);
    assert!(order.iter().map(|ranked| ranked.index).eq([0, 1, 3, 2]), "{order:?}");
    let reasons = [Reason::Cheap, Reason::Partner, Reason::Strong, Reason::Listed];
    assert!(order.iter().map(|ranked| ranked.reason).eq(reasons));
    let two = ordered("cascade", &all[..2], &features(), 1);
    assert!(two.iter().map(|ranked| ranked.reason).eq([Reason::Cheap, Reason::Strong]));
    assert!(
        ordered("cascade", &all[..1], &features(), 1).iter().map(|ranked| ranked.reason).eq([Reason::Strong])
    );
}

#[test]
fn learned_takes_the_cheapest_that_is_good_enough_and_is_nothing_without_a_model() {
    let with = |name, price, weight| Candidate { weight, ..priced(name, price, price) };
    let candidates =
        [with("a/best", 10, 95), with("b/good", 2, 90), with("c/poor", 1, 50), with("d/unknown", 1, 0)];
    let order = ordered("learned", &candidates, &features(), 1);
    assert!(order.iter().map(|ranked| ranked.index).eq([1, 0, 2, 3]), "{order:?}");
    let Reason::Quality { expected, cost: Some(cost) } = order[0].reason else { panic!("{order:?}") };
    assert!((expected - 0.9).abs() < 1e-6 && cost > PicoUsd::ZERO);
    let plugin = find("learned").expect("on the list");
    let error = (plugin.make)(&Settings::default()).expect_err("no model");
    assert!(error.contains("needs a model of quality"), "{error}");
    assert!((plugin.make)(&Settings { quality: Some(1.5), ..settings() }).is_err());
}
