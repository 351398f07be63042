//! Tests of planning fixes, with a reader that knows a toy language.

use std::collections::BTreeMap;

use super::*;
use crate::scan::finding::{Fix, Rule};
use crate::scan::report::tests::finding;
use proptest::prelude::*;

/// Finds `old`, which is renamed to `new`, and `heat`, which is removed once `new` is there; brackets must match.
struct Toy;

fn toy_findings(path: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, word) in text.match_indices("old") {
        let edits = vec![(at..at + word.len(), "new".to_owned())];
        found.push(at_byte(path, text, at, word, Rule::ModelRetired, edits));
    }
    if text.contains("new") {
        for (at, word) in text.match_indices("heat, ") {
            let edits = vec![(at..at + word.len(), String::new())];
            found.push(at_byte(path, text, at, word, Rule::Parameter("claude-sampling"), edits));
        }
    }
    for (at, word) in text.match_indices("stuck") {
        found.push(at_byte(path, text, at, word, Rule::ModelRetired, vec![(at..at, String::new())]));
    }
    for (at, word) in text.match_indices("cut)") {
        found.push(at_byte(
            path,
            text,
            at,
            word,
            Rule::ModelRetired,
            vec![(at..at + word.len(), String::new())],
        ));
    }
    found
}

fn at_byte(
    path: &str,
    text: &str,
    at: usize,
    word: &str,
    rule: Rule,
    edits: Vec<(std::ops::Range<usize>, String)>,
) -> Finding {
    let mut one = finding(path, &text[at..], word);
    one.place.span = at..at + word.len();
    Finding { rule, fix: Some(Fix { title: format!("mend {word}"), edits }), ..one }
}

impl Rescan for Toy {
    fn rescan(&self, path: &str, text: &[u8]) -> Option<Again> {
        let text = std::str::from_utf8(text).ok()?;
        let is_partial = text.matches('(').count() != text.matches(')').count();
        Some(Again { findings: toy_findings(path, text), is_partial })
    }
}

fn planned(text: &str) -> Plan {
    let report = Report { findings: toy_findings("a.toy", text), ..Report::default() };
    let files = BTreeMap::from([("a.toy".to_owned(), text.as_bytes().to_vec())]);
    plan(&report, &files, &Toy)
}

#[test]
fn what_a_new_model_refuses_is_mended_with_it() {
    let plan = planned("call(old, heat, 1)\n");
    assert_eq!(plan.changes[0].after, "call(new, 1)\n");
    assert_eq!(plan.changes[0].titles, ["mend old", "mend heat, "]);
    assert_eq!(plan.diff(), "--- a/a.toy\n+++ b/a.toy\n@@ -1 +1 @@\n-call(old, heat, 1)\n+call(new, 1)\n");
    assert_eq!(planned("call(new, 1)\n"), Plan::default(), "a second run has nothing to do");
}

#[test]
fn a_file_whose_edits_break_it_or_mend_nothing_stays_as_it_is() {
    let broken = planned("call(old, cut)\n");
    assert_eq!(broken.changes, []);
    assert!(broken.left[0].reason.contains("would no longer parse"), "{broken:?}");
    let still = planned("call(old, stuck)\n");
    assert!(still.left[0].reason.contains("would still find stuck"), "{still:?}");
}

#[test]
fn a_file_that_is_another_one_than_the_report_saw_is_refused() {
    let report = Report { findings: toy_findings("a.toy", "call(old)"), ..Report::default() };
    for text in ["x call(old)", "call(fine)", "call(old) # old"] {
        let files = BTreeMap::from([("a.toy".to_owned(), text.as_bytes().to_vec())]);
        let plan = plan(&report, &files, &Toy);
        assert_eq!(plan.changes, []);
        assert!(plan.left[0].reason.contains("has changed since it was read"), "{plan:?}");
    }
    let latin = BTreeMap::from([("a.toy".to_owned(), b"call(old) \xe4".to_vec())]);
    assert!(plan(&report, &latin, &Toy).left[0].reason.contains("UTF-8"));
    assert!(plan(&report, &BTreeMap::new(), &Toy).left[0].reason.contains("read again"));
}

#[test]
fn only_what_blocks_is_certain_and_calls_is_touched() {
    let one = || toy_findings("a.toy", "old").remove(0);
    assert!(is_fixable(&one()));
    for site in [Site::Defines, Site::Opaque, Site::Test, Site::History] {
        assert!(!is_fixable(&Finding { site, ..one() }));
    }
    assert!(!is_fixable(&Finding { severity: Severity::Tune, ..one() }));
    assert!(!is_fixable(&Finding { confidence: Confidence::Medium, ..one() }));
    assert!(!is_fixable(&Finding { fix: None, ..one() }));
    let ignored = crate::scan::finding::Suppression { is_baseline: false, reason: "x".into(), until: None };
    assert!(!is_fixable(&Finding { suppressed: Some(ignored), ..one() }));
}

/// Applies a unified difference to a text, strictly: lines of context and removals must be what stands there.
fn patched(text: &str, diff: &str) -> String {
    let old: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut out, mut at) = (String::new(), 0);
    let mut lines = diff.split_inclusive('\n').skip(2).peekable();
    while let Some(line) = lines.next() {
        if let Some(header) = line.strip_prefix("@@ -") {
            let start: usize = header.split([',', ' ']).next().unwrap().parse().unwrap();
            let count =
                header.split(' ').next().unwrap().split(',').nth(1).map_or(1, |count| count.parse().unwrap());
            let start = if count == 0 { start } else { start - 1 };
            out.extend(old[at..start].iter().copied());
            at = start;
            continue;
        }
        let is_cut = lines.peek().is_some_and(|next| next.starts_with('\\'));
        let body = if is_cut { line[1..].strip_suffix('\n').unwrap() } else { &line[1..] };
        if is_cut {
            lines.next();
        }
        match line.as_bytes()[0] {
            b'+' => out.push_str(body),
            sign => {
                assert_eq!(old[at], body);
                at += 1;
                if sign == b' ' {
                    out.push_str(body);
                }
            }
        }
    }
    out.extend(old[at..].iter().copied());
    out
}

proptest! {
    #[test]
    fn a_difference_applied_gives_the_new_text(
        words in proptest::collection::vec(prop_oneof![
            Just("old"), Just("heat, "), Just("x"), Just("\n"), Just("\r\n"), Just(" ä "), Just("\n\n\n\n\n\n\n\n"),
        ], 0..40),
    ) {
        let text: String = words.concat();
        for change in planned(&text).changes {
            prop_assert_eq!(patched(&text, &change.diff()), change.after.clone());
            prop_assert!(!change.after.contains("old") && !change.after.contains("heat, "));
        }
    }
}
