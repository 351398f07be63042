//! Tests of the baseline.

use std::collections::BTreeMap;

use super::*;
use crate::scan::finding::Place;
use crate::scan::report::tests::{PYTHON, finding, report, texts};

fn accept(report: &mut Report, baseline: &Baseline, files: &BTreeMap<String, Vec<u8>>) -> Vec<Entry> {
    baseline.apply(report, files, "baseline.json")
}

#[test]
fn what_was_written_is_accepted_when_it_is_read_again() {
    let mut report = report();
    let written = Baseline::of(&report, &texts());
    let read = Baseline::parse(&written.to_json()).unwrap();
    assert_eq!(read, written);
    assert!(!read.to_json().contains("\"line\""), "lines that move would be differences in review");
    assert_eq!(accept(&mut report, &read, &texts()), []);
    for finding in report.findings.iter().filter(|finding| is_live(finding.site)) {
        assert!(finding.suppressed.is_some(), "{finding:?}");
    }
    let by_comment = report.findings.iter().filter_map(|finding| finding.suppressed.as_ref());
    assert_eq!(
        by_comment.filter(|suppression| !suppression.is_baseline).count(),
        1,
        "a comment stays the reason"
    );
}

#[test]
fn a_new_finding_is_not_accepted_for_one_that_is_equal() {
    let text = "a = \"gpt-5-mini\"\n";
    let files = |copies: usize| BTreeMap::from([("a.py".to_owned(), text.repeat(copies).into_bytes())]);
    let many = |copies: usize| {
        let one = finding("a.py", text, "gpt-5-mini");
        let at = |line: usize| Finding {
            place: Place {
                line: u32::try_from(line).unwrap(),
                end_line: u32::try_from(line).unwrap(),
                ..one.place.clone()
            },
            ..one.clone()
        };
        Report { findings: (1..=copies).map(at).collect(), ..Report::default() }
    };
    let two = Baseline::of(&many(2), &files(2));
    assert_eq!(two.findings.len(), 1, "equal ones are counted");
    assert_eq!(two.findings[0].count, 2);
    let mut three = many(3);
    assert_eq!(accept(&mut three, &two, &files(3)), []);
    let accepted: Vec<bool> = three.findings.iter().map(|finding| finding.suppressed.is_some()).collect();
    assert_eq!(accepted, [true, true, false]);
    let gone = accept(&mut many(1), &two, &files(1));
    assert_eq!((gone.len(), gone[0].count), (1, 1), "one of the two is gone");
}

#[test]
fn entries_that_match_nothing_any_more_are_given_back() {
    let baseline = Baseline::of(&report(), &texts());
    let mut mended = Report { findings: Vec::new(), ..report() };
    let gone = accept(&mut mended, &baseline, &texts());
    assert_eq!(gone, baseline.findings);
    let mut renamed = Report { findings: vec![finding("other.py", PYTHON, "gpt-5-mini")], ..report() };
    let files = BTreeMap::from([("other.py".to_owned(), PYTHON.as_bytes().to_vec())]);
    assert_eq!(
        accept(&mut renamed, &baseline, &files).len(),
        baseline.findings.len(),
        "another file is another finding"
    );
}

#[test]
fn a_file_that_is_no_baseline_is_refused_with_what_to_do() {
    for (text, says) in [
        ("{}", "is not a baseline"),
        ("[1", "is not a baseline"),
        (r#"{"pilothouse_baseline":1,"today":"2026-11-23","findings":[{"path":"a"}]}"#, "missing field"),
        (r#"{"pilothouse_baseline":2,"today":"2026-11-23","findings":[]}"#, "has version 2"),
    ] {
        let refusal = Baseline::parse(text).unwrap_err();
        assert!(refusal.contains(says) && refusal.contains("--write-baseline"), "{refusal}");
    }
}

#[test]
fn a_file_that_cannot_be_read_has_no_marks_and_is_not_accepted() {
    let baseline = Baseline::of(&report(), &texts());
    let mut blind = report();
    let gone = accept(&mut blind, &baseline, &BTreeMap::new());
    assert_eq!(gone.len(), baseline.findings.len());
    assert!(mark(&blind, &BTreeMap::new()).iter().all(Option::is_none));
}
