//! Tests of how little is read.

use super::*;
use pilothouse_core::clock::UnixMs;
use proptest::prelude::*;

/// Counts how often it is asked.
#[derive(Default)]
struct Spy<'a> {
    texts: &'a [&'a str],
    shapes: usize,
    counts: Vec<&'static str>,
}

impl Counter for Spy<'_> {
    fn shape(&mut self) -> Option<TextShape> {
        self.shapes += 1;
        Texts(self.texts).shape()
    }

    fn count(&mut self, tokenizer: Tokenizer) -> Option<u64> {
        self.counts.push(tokenizer.name());
        Some(self.texts.iter().map(|text| tokenizer.count(text).unwrap_or(text.len() as u64 / 4)).sum())
    }
}

fn prose(bytes: usize) -> String {
    "The ferry leaves the harbour at noon and returns before dark. ".chars().cycle().take(bytes).collect()
}

fn input_of(text: &str) -> Input {
    Input { text_bytes: text.len() as u64, messages: 1, media_tokens: 0 }
}

#[test]
fn length_alone_decides_far_from_the_limit() {
    let text = prose(4000);
    let texts = [text.as_str()];
    let candidate = Candidate::new("openai/gpt-5.5");
    // About 800 tokens: surely within 5000, likely within 3000, surely above 200.
    for limit in [5_000, 3_000, 200] {
        let mut spy = Spy { texts: &texts, ..Spy::default() };
        let mut lengths = Lengths::new(input_of(&text), &mut spy);
        assert_eq!(lengths.is_surely_within(&candidate, limit), limit == 5_000);
        let tokens = lengths.against(&candidate, limit);
        assert_eq!(tokens.by, Instrument::Length, "{limit}");
        assert_eq!(tokens.low > limit, limit == 200);
        assert_eq!((spy.shapes, spy.counts.len()), (0, 0), "{limit}");
    }
}

#[test]
fn shape_is_read_where_the_length_straddles_and_the_tokenizer_only_near_the_limit() {
    let text = prose(4000);
    let texts = [text.as_str()];
    let candidate = Candidate::new("openai/gpt-5.5");
    let exact = Tokenizer::of("gpt-5.5").count(&text).expect("a public table") + 4;
    let read_for = |limit: u64| {
        let mut spy = Spy { texts: &texts, ..Spy::default() };
        let tokens = Lengths::new(input_of(&text), &mut spy).against(&candidate, limit);
        (tokens.by, spy.shapes, spy.counts)
    };
    assert_eq!(read_for(exact * 2), (Instrument::Shape, 1, vec![]));
    assert_eq!(read_for(exact), (Instrument::Tokenizer, 1, vec!["o200k_base"]));
}

#[test]
fn tokenizer_runs_once_for_all_targets_of_its_family() {
    let text = prose(4000);
    let texts = [text.as_str()];
    let mut spy = Spy { texts: &texts, ..Spy::default() };
    let mut lengths = Lengths::new(input_of(&text), &mut spy);
    for name in ["openai/gpt-5.5", "azure/gpt-4o", "openai/gpt-5.5-mini", "anthropic/claude-opus-5"] {
        let candidate = Candidate::new(name);
        for limit in [700, 800, 900, 1_000, 1_100] {
            lengths.against(&candidate, limit);
        }
    }
    assert_eq!(spy.counts, ["o200k_base", "anthropic"]);
    assert_eq!(spy.shapes, 1);
}

#[test]
fn observed_ratio_is_used_before_anything_is_read() {
    let text = prose(4000);
    let candidate = Candidate::new("gpu-box/qwen3-32b");
    for second in 0..50 {
        candidate.health.calibration.learn(UnixMs(second), 2000, 500 + second % 10);
    }
    let mut spy = Spy::default();
    let mut lengths = Lengths::new(input_of(&text), &mut spy);
    let tokens = lengths.against(&candidate, 3000);
    assert_eq!(tokens.by, Instrument::Observed);
    assert!((1000..1020).contains(&tokens.likely), "{tokens:?}");
    assert!(tokens.low < tokens.likely && tokens.likely < tokens.high);
    assert_eq!((spy.shapes, spy.counts.len()), (0, 0));
}

#[test]
fn unread_text_stays_an_estimate_and_is_asked_for_once() {
    let candidate = Candidate::new("openai/gpt-5.5");
    let input = Input { text_bytes: 4000, messages: 1, media_tokens: 1000 };
    let mut unread = Unread;
    let mut lengths = Lengths::new(input, &mut unread);
    let tokens = lengths.against(&candidate, 1_850);
    assert_eq!(tokens.by, Instrument::Length);
    assert!(tokens.likely > 1_800, "media count: {tokens:?}");
}

proptest! {
    #[test]
    fn ranges_are_in_order_and_bytes_bound_them(text in "\\PC{0,400}", messages in 0_u32..5) {
        let input = Input { text_bytes: text.len() as u64, messages, media_tokens: 0 };
        for name in ["openai/gpt-5.5", "anthropic/claude-opus-5", "x/y"] {
            let candidate = Candidate::new(name);
            let texts = [text.as_str()];
            let mut counter = Texts(&texts);
            let mut lengths = Lengths::new(input, &mut counter);
            let before = lengths.estimate(&candidate);
            prop_assert!(before.low <= before.likely && before.likely <= before.high);
            let count = pilothouse_tokens::count_text(&text, "gpt-5.5").tokens;
            prop_assert!(count <= text.len() as u64, "a token has at least one byte");
            let shaped = lengths.read_shape(&candidate);
            prop_assert!(shaped.low <= shaped.likely && shaped.likely <= shaped.high);
        }
    }
}
