//! Tests of edits, with random texts.

use super::*;
use proptest::prelude::*;

fn fix(edits: &[(Range<usize>, &str)]) -> Fix {
    Fix {
        title: "t".into(),
        edits: edits.iter().map(|(span, text)| (span.clone(), (*text).to_owned())).collect(),
    }
}

fn result(text: &str, fixes: &[Fix]) -> (String, usize) {
    let merged = merge(text, &fixes.iter().collect::<Vec<_>>());
    (apply(text, &merged.edits), merged.left.len())
}

#[test]
fn equal_edits_are_one_and_contradictions_are_left_out() {
    let text = "model=\"old\", n=1";
    let rename = fix(&[(7..10, "new")]);
    assert_eq!(result(text, &[rename.clone(), rename.clone()]), ("model=\"new\", n=1".to_owned(), 0));
    assert_eq!(result(text, &[rename.clone(), fix(&[(6..11, "X")])]), ("model=\"new\", n=1".to_owned(), 1));
    let half = fix(&[(13..16, "n=2"), (8..9, "?")]);
    assert_eq!(
        result(text, &[rename, half]),
        ("model=\"new\", n=1".to_owned(), 1),
        "a fix is made whole or not"
    );
    assert_eq!(
        result(text, &[fix(&[(0..0, "a")]), fix(&[(0..0, "b")])]).1,
        1,
        "which comes first is not known"
    );
}

#[test]
fn neighbouring_removals_leave_no_comma_behind() {
    let text = "f(m, a, b)";
    assert_eq!(result(text, &[fix(&[(5..8, "")]), fix(&[(6..9, "")])]).0, "f(m)");
    assert_eq!(result(text, &[fix(&[(6..9, "")])]).0, "f(m, a)");
    assert_eq!(
        result("{\"m\": 1, \"a\": 2, \"b\": 3}", &[fix(&[(9..17, "")]), fix(&[(15..23, "")])]).0,
        "{\"m\": 1}"
    );
    let lines = "f(\n  m,\n  a,\n)";
    assert_eq!(
        result(lines, &[fix(&[(7..12, "")])]).0,
        "f(\n  m,\n)",
        "a comma at the end stays the house's style"
    );
}

#[test]
fn places_outside_of_the_text_are_refused() {
    #[expect(clippy::reversed_empty_ranges, reason = "a wrong range is what is tested")]
    let wrong = [fix(&[(0..99, "")]), fix(&[(1..2, "x")]), fix(&[(3..1, "x")])];
    for one in wrong {
        assert_eq!(result("äb", &[one]), ("äb".to_owned(), 1));
    }
}

proptest! {
    #[test]
    fn edits_are_what_replacing_from_back_to_front_gives(
        text in "[a-z(), \n]{0,60}",
        cuts in proptest::collection::vec((0usize..60, 0usize..6, "[A-Z]{0,4}"), 0..12),
    ) {
        let fixes: Vec<Fix> = cuts
            .iter()
            .map(|(start, length, new)| {
                let start = (*start).min(text.len());
                fix(&[(start..(start + length).min(text.len()), new.as_str())])
            })
            .collect();
        let merged = merge(&text, &fixes.iter().collect::<Vec<_>>());
        for pair in merged.edits.windows(2) {
            prop_assert!(pair[0].0.end <= pair[1].0.start, "{:?}", merged.edits);
        }
        let mut expected = text.clone();
        for (span, new) in merged.edits.iter().rev() {
            expected.replace_range(span.clone(), new);
        }
        prop_assert_eq!(apply(&text, &merged.edits), expected);
    }
}
