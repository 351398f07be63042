//! Laws of every import, whatever the input: what is written can be read, every line is carried over or told, and what
//! cannot be read says where.

use std::collections::BTreeSet;

use pilothouse_import::{Input, find};

use super::golden::{cases, import};
use super::mutate::{self, Chance};

/// How many mutated inputs are tried.
const MUTATIONS: u64 = 4_000;

fn reads_or_says_where(text: &str) {
    let input =
        Input { text, origin: "x.yaml", variables: &|_| None, today: "2026-11-23", overlay: Some("p.toml") };
    match (find("litellm").unwrap().read)(&input) {
        Ok(imported) => {
            let config = toml::from_str::<toml::Table>(&imported.config);
            assert!(config.is_ok(), "{config:?}\n{}\nof\n{text}", imported.config);
            let overlay = imported.overlay.as_deref().map(toml::from_str::<toml::Table>);
            assert!(!matches!(overlay, Some(Err(_))), "{overlay:?}\nof\n{text}");
            let lines = text.lines().count().max(1);
            for left in &imported.left {
                assert!(
                    (1..=lines + 1).contains(&left.line) && left.last_line >= left.line,
                    "{left}\nof\n{text}"
                );
                assert!(!left.key.is_empty() && !left.reason.is_empty());
            }
        }
        Err(error) => assert!(error.line >= 1 && !error.message.is_empty(), "{error}"),
    }
}

#[test]
fn mutated_files_are_read_or_refused_with_their_place() {
    let corpus: Vec<Vec<u8>> = cases().into_iter().map(|(_, text)| text.into_bytes()).collect();
    for seed in 0..MUTATIONS {
        let mut chance = Chance::new(seed);
        let input = &corpus[chance.below(corpus.len())];
        let lender = &corpus[chance.below(corpus.len())];
        let mutated = mutate::mutate(input, lender, &mut chance);
        reads_or_says_where(&String::from_utf8_lossy(&mutated));
    }
}

#[test]
fn a_line_of_its_own_for_every_unknown_key_at_every_place() {
    for (folder, text) in cases() {
        let told: BTreeSet<usize> = import(&text).left.iter().map(|left| left.line).collect();
        for (index, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let opens = line.trim_end().ends_with(':') && !line.trim_start().starts_with(['#', '-']);
            let next = text.lines().nth(index + 1).unwrap_or_default();
            let below = next.len() - next.trim_start().len();
            if !opens || below <= indent || next.trim_start().starts_with('-') {
                continue;
            }
            let strange = format!("{}never_heard_of: 1", " ".repeat(below));
            let mut lines: Vec<&str> = text.lines().collect();
            lines.insert(index + 1, &strange);
            let left = import(&lines.join("\n")).left;
            let is_told = left
                .iter()
                .any(|left| (left.line..=left.last_line).contains(&(index + 2)) && !left.is_partly);
            assert!(is_told, "{}: line {} is lost: {left:#?}", folder.display(), index + 2);
        }
        assert!(told.iter().all(|line| *line <= text.lines().count()));
    }
}

#[test]
fn what_no_yaml_is_points_at_its_place() {
    let of = |text: &str| {
        let input =
            Input { text, origin: "x.yaml", variables: &|_| None, today: "2026-11-23", overlay: None };
        (find("litellm").unwrap().read)(&input).unwrap_err().to_string()
    };
    assert!(
        of("model_list:\n  - model_name: *\n").starts_with("x.yaml:2:"),
        "{}",
        of("model_list:\n  - model_name: *\n")
    );
    assert!(of("just words").starts_with("x.yaml:1:1: a map with `model_list`"));
    assert!(of("a: {b: [c}").starts_with("x.yaml:1:"));
}
