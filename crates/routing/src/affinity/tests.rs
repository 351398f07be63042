//! Tests of conversations: identity, memory, and whether they move.

use super::*;
use crate::count::Unread;
use crate::fixture::{features, priced};
use crate::request::Input;
use pilothouse_core::clock::UnixMs;
use proptest::prelude::*;

const SCOPE: Scope<'_> = Scope { seed: 1, key: "team-a", end_user: Some("u1"), route: "assistant" };

fn chain(scope: &Scope<'_>, messages: &[&str]) -> Chain {
    let mut chain = Chain::new(scope, b"system and tools");
    messages.iter().for_each(|message| chain.push(message.as_bytes()));
    chain
}

#[test]
fn next_turn_finds_the_turn_before_by_its_prefix() {
    let memory = Conversations::new(1000, 60_000);
    let held = Held { target: crate::TargetId(7), cached_tokens: 900, is_in_tool_loop: false };
    memory.store(chain(&SCOPE, &["hi", "hello", "and?"]).whole(), held, UnixMs(0));
    let next = chain(&SCOPE, &["hi", "hello", "and?", "well", "go on"]);
    let (digest, found) = memory.find_first(next.prefixes(), UnixMs(10)).expect("its prefix was seen");
    assert_eq!((found.held, digest), (held, chain(&SCOPE, &["hi", "hello", "and?"]).whole()));
    assert_eq!(next.root(), chain(&SCOPE, &["hi"]).whole(), "the id is that of the beginning");
    let long: Vec<&str> = std::iter::once("hi").chain(std::iter::repeat_n("more", 200)).collect();
    let long = chain(&SCOPE, &long);
    assert_eq!((long.root(), long.digests().len()), (next.root(), 64));
    let edited = chain(&SCOPE, &["hi", "hello", "and!", "well", "go on"]);
    assert_eq!(memory.find_first(edited.prefixes(), UnixMs(10)), None);
}

#[test]
fn equal_texts_of_different_tenants_or_users_are_different_conversations() {
    let own = chain(&SCOPE, &["hi"]).whole();
    for other in [
        Scope { key: "team-b", ..SCOPE },
        Scope { end_user: Some("u2"), ..SCOPE },
        Scope { end_user: None, ..SCOPE },
        Scope { route: "other", ..SCOPE },
        Scope { seed: 2, ..SCOPE },
    ] {
        assert_ne!(chain(&other, &["hi"]).whole(), own, "{other:?}");
        assert_ne!(Identity::Client("x").digest(&other), Identity::Client("x").digest(&SCOPE));
    }
    assert_ne!(Identity::Client("x").digest(&SCOPE), Identity::CacheKey("x").digest(&SCOPE));
    assert_ne!(Identity::Client("x").digest(&SCOPE), Identity::Vendor("x").digest(&SCOPE));
    // Where one message ends and the next begins is part of the text.
    assert_ne!(chain(&SCOPE, &["ab", "c"]).whole(), chain(&SCOPE, &["a", "bc"]).whole());
}

#[test]
fn memory_is_forgotten_after_its_time_and_on_demand() {
    let memory = Conversations::new(1000, 60_000);
    let held = Held { target: crate::TargetId(7), cached_tokens: 1, is_in_tool_loop: true };
    memory.store(5, held, UnixMs(0));
    assert!(memory.find(5, UnixMs(60_000)).is_some());
    assert_eq!(memory.find(5, UnixMs(60_001)), None);
    memory.forget(5);
    assert!(memory.is_empty());
}

proptest! {
    #[test]
    fn memory_never_holds_more_than_its_bound_and_never_loses_the_newest(
        digests in proptest::collection::vec(any::<u64>(), 1..600), entries in 32_usize..200,
    ) {
        let memory = Conversations::new(entries, 1000);
        for digest in digests {
            let held = Held { target: crate::TargetId(digest), cached_tokens: 0, is_in_tool_loop: false };
            memory.store(digest, held, UnixMs(1));
            prop_assert!(memory.len() <= entries);
            prop_assert_eq!(memory.find(digest, UnixMs(1)).map(|found| found.held), Some(held));
        }
    }
}

/// What becomes of a conversation with so many cached tokens of 10,000 when another target is cheaper or not.
fn weighed(home_price: u64, best_price: u64, cached_tokens: u64, turns: u32) -> Option<Stay> {
    let (home, best) = (priced("a/home", home_price, 0), priced("b/best", best_price, 0));
    let held = Held { target: home.id, cached_tokens, is_in_tool_loop: false };
    let mut unread = Unread;
    let input = Input { text_bytes: 46_900, messages: 0, media_tokens: 0 };
    let features =
        Features { input, conversation: Some(Conversation { id: 1, held: Some(held) }), ..features() };
    weigh(&held, &home, &best, &features, &Lengths::new(input, &mut unread), turns)
}

#[test]
fn cheaper_target_that_would_read_the_history_anew_does_not_win() {
    // 10,000 tokens at $10, nine tenths cached at a tenth of the price, are $0.019; at $5 without a cache $0.05.
    let stay = weighed(10, 5, 9_000, 1);
    let Some(Stay::CacheIsWorthMore { staying, moving }) = stay else { panic!("{stay:?}") };
    assert_eq!(staying.to_string(), "0.019");
    assert_eq!(moving.to_string(), "0.05");
}

#[test]
fn conversation_moves_when_the_gain_beats_the_lost_cache() {
    assert_eq!(weighed(10, 1, 9_000, 1), None, "$0.01 without a cache is below $0.019 with one");
    assert_eq!(weighed(10, 5, 0, 1), None, "there is no cache to lose");
    // Over four turns: staying 4 × $0.019; moving $0.04 and 3 × $0.004.
    assert_eq!(weighed(10, 4, 9_000, 4), None, "a move pays off over the turns to come");
    assert!(weighed(10, 4, 9_000, 1).is_some());
}

#[test]
fn tool_loop_holds_whatever_it_costs() {
    let (home, best) = (priced("a/home", 1000, 0), priced("b/best", 1, 0));
    let held = Held { target: home.id, cached_tokens: 0, is_in_tool_loop: true };
    let mut unread = Unread;
    let lengths = Lengths::new(Input::default(), &mut unread);
    assert_eq!(weigh(&held, &home, &best, &features(), &lengths, 1), Some(Stay::ToolLoop));
    let held = Held { is_in_tool_loop: false, ..held };
    let unpriced = Candidate::new("c/unpriced");
    assert_eq!(weigh(&held, &home, &unpriced, &features(), &lengths, 1), Some(Stay::Unpriced));
}

#[test]
fn cache_is_worth_what_it_saves() {
    let home = priced("a/home", 10, 0);
    let held = Held { target: home.id, cached_tokens: 9_000, is_in_tool_loop: false };
    let features = Features { conversation: Some(Conversation { id: 1, held: Some(held) }), ..features() };
    assert_eq!(
        cache_value(&home, &features, 10_000).map(|value| value.to_string()),
        Some("0.081".to_owned())
    );
}
