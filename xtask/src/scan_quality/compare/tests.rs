//! The ruler is measured: what counts as found, as missed and as false.

use super::super::{expected, found};
use super::*;

const CORPUS: &str = r#"
today = "2026-11-23"

[[file]]
path = "a.py"
language = "python"
table = "b5"
sites = [
  { line = 1, column = 10, text = "gpt-5", expect = "blocks", family = "model", model = "openai/gpt-5", why = "row 1: x" },
  { line = 2, column = 5, text = "temperature=0.2", expect = "blocks", family = "parameter" },
  { line = 3, column = 5, text = "gpt-4", expect = "none", family = "model", why = "a comment" },
  { line = 4, column = 5, text = "gpt-4o", expect = "open", family = "model" },
  { line = 5, column = 5, text = "o3", expect = "blocks", family = "model", serves = true },
  { line = 6, column = 5, text = "claude-2", expect = "blocks", family = "model", catalogue_lacks = true },
  { line = 7, column = 5, text = "whisper-1", expect = "tune", family = "model" },
]
"#;

fn corpus() -> Corpus {
    toml::from_str::<expected::Corpus>(CORPUS).unwrap()
}

fn finding(rule: &str, severity: &str, line: usize, column: usize, site: &str) -> serde_json::Value {
    serde_json::json!({
        "rule": rule, "severity": severity, "path": "corpus/files/a.py", "line": line, "column": column, "site": site,
        "subject": "x", "model": {"platform": "openai", "id": "gpt-5"}, "message": "more",
    })
}

fn compared(findings: &[serde_json::Value]) -> Comparison {
    let text = serde_json::json!({ "findings": findings }).to_string();
    compare(&corpus(), &found::read(&text, std::path::Path::new("corpus/files")).unwrap())
}

#[test]
fn everything_found_is_a_recall_and_precision_of_one() {
    let comparison = compared(&[
        finding("PH-M002", "blocks", 1, 10, "calls"),
        finding("PH-P002", "blocks", 2, 5, "calls"),
        finding("PH-M001", "blocks", 5, 5, "defines"),
        finding("PH-M002", "tune", 7, 5, "calls"),
    ]);
    let total = comparison.total();
    assert_eq!(total, Count { expected: 3, found: 3, reported: 3, wrong: 0 });
    assert!(total.recall() >= 1.0 && total.precision() >= 1.0);
    assert!(comparison.is_table_found());
    assert_eq!(comparison.tuning, (1, 1));
    assert_eq!(comparison.lacking.len(), 1);
}

#[test]
fn parameter_reported_at_its_call_is_missed_and_false() {
    let comparison = compared(&[finding("PH-P002", "blocks", 1, 1, "calls")]);
    let count = comparison.by(|(_, family)| family)["parameter"];
    assert_eq!(count, Count { expected: 1, found: 0, reported: 1, wrong: 1 });
    assert!(comparison.missed[1].contains("a.py:2:5"), "{:?}", comparison.missed);
    assert!(comparison.wrong[0].contains("nothing was planted there"), "{:?}", comparison.wrong);
}

#[test]
fn trap_that_is_called_blocking_is_false_only_where_it_would_fail_the_run() {
    let is_wrong =
        |site: &str, severity: &str| !compared(&[finding("PH-M001", severity, 3, 5, site)]).wrong.is_empty();
    assert!(is_wrong("calls", "blocks"));
    assert!(!is_wrong("opaque", "blocks") && !is_wrong("test", "blocks") && !is_wrong("calls", "tune"));
}

#[test]
fn call_that_is_said_to_be_a_test_is_missed() {
    let comparison = compared(&[finding("PH-M002", "blocks", 1, 10, "test")]);
    assert!(
        comparison.missed[0].contains("said instead: PH-M002 blocks at a place that test"),
        "{:?}",
        comparison.missed
    );
    assert!(!comparison.is_table_found());
}

#[test]
fn open_places_count_neither_way_and_other_models_are_named() {
    let comparison =
        compared(&[finding("PH-M002", "blocks", 4, 5, "calls"), finding("PH-M001", "blocks", 6, 5, "calls")]);
    assert_eq!(comparison.total(), Count { expected: 3, found: 0, reported: 1, wrong: 0 });
    let other = serde_json::json!({
        "rule": "PH-M001", "severity": "blocks", "path": "a.py", "line": 1, "column": 10, "site": "calls",
        "subject": "x", "model": {"platform": "azure", "id": "gpt-5"},
    });
    assert!(compared(&[other]).other_models[0].ends_with("is told as azure/gpt-5"));
}

#[test]
fn region_before_an_id_makes_no_other_model() {
    let eu = "bedrock/eu.anthropic.claude-3-haiku-20240307-v1:0";
    assert!(is_same_model(eu, "bedrock/anthropic.claude-3-haiku-20240307-v1:0"));
    assert!(!is_same_model("azure/gpt-4o", "openai/gpt-4o"));
    assert!(!is_same_model("openai/gpt-4o", "openai/4o"));
}

#[test]
fn step_of_the_tests_is_told_in_one_line() {
    let comparison = compared(&[finding("PH-M002", "blocks", 1, 10, "calls")]);
    assert_eq!(
        crate::scan_quality::table::line(&comparison),
        "recall 0.333 of 3 places, precision 1.000 of 1 reported; 1 of 1 rows of the table of scanners, 0 false"
    );
}
