//! Tests of what fails a run, and when.

use super::*;
use crate::scan::report::tests::{PYTHON, finding};

const TODAY: &str = "2026-11-23";

fn due(day: &str) -> Finding {
    Finding { due: Some(day.to_owned()), ..finding("a.py", PYTHON, "gpt-5-mini") }
}

fn verdict(findings: Vec<Finding>, fail_within_days: u32) -> Verdict {
    Verdict::of(&Report { today: TODAY.into(), findings, ..Report::default() }, Terms { fail_within_days })
}

#[test]
fn only_what_fails_as_of_today_fails_the_run() {
    let at_once = verdict(vec![due("2026-11-30"), due("2026-11-23"), due("2026-12-11")], 0);
    assert_eq!(at_once.failing, [1]);
    assert_eq!(at_once.begins_to_fail, None, "it fails already");
    let later = verdict(vec![due("2026-12-11"), due("2026-11-30")], 0);
    assert!(!later.is_failed());
    assert_eq!(later.begins_to_fail, Some(("2026-11-30".into(), 7)));
    assert_eq!(verdict(vec![], 0).begins_to_fail, None);
}

#[test]
fn future_days_fail_within_the_days_that_are_asked_for() {
    let findings = || vec![due("2026-12-11"), due("2027-01-22"), due("2027-06-01")];
    assert_eq!(verdict(findings(), 60).failing, [0, 1], "the sixtieth day is within");
    assert_eq!(verdict(findings(), 59).failing, [0]);
    let early = verdict(vec![due("2027-06-01")], 60);
    assert_eq!(early.begins_to_fail, Some(("2027-04-02".into(), 130)), "sixty days before it is due");
}

#[test]
fn what_is_not_called_or_not_certain_never_fails() {
    let mut findings = Vec::new();
    for site in [Site::Defines, Site::Opaque, Site::Test, Site::History] {
        findings.push(Finding { site, ..due("2025-01-01") });
    }
    findings.push(Finding { confidence: Confidence::Low, ..due("2025-01-01") });
    findings.push(Finding { severity: Severity::Note, ..due("2025-01-01") });
    findings.push(Finding { rule: Rule::Price, severity: Severity::Tune, ..due("2025-01-01") });
    assert_eq!(
        verdict(findings, 400),
        Verdict {
            counts: Counts {
                blocking: 2,
                tuning: 1,
                notes: 1,
                tests: 1,
                opaque: 1,
                history: 1,
                ..Counts::default()
            },
            ..Verdict::default()
        }
    );
    let far = Finding { severity: Severity::Tune, ..due("2027-03-01") };
    assert_eq!(
        verdict(vec![far], 120).failing,
        [0],
        "a day that is far away is only advice, until it is asked for"
    );
}

#[test]
fn what_is_ignored_comes_back_when_the_comment_ends() {
    let ignored = |until: Option<&str>| Finding {
        suppressed: Some(Suppression {
            is_baseline: false,
            reason: "why".into(),
            until: until.map(str::to_owned),
        }),
        ..due("2026-11-01")
    };
    assert_eq!(verdict(vec![ignored(None)], 0).begins_to_fail, None);
    let until = verdict(vec![ignored(Some("2026-12-01"))], 0);
    assert_eq!((until.failing.len(), until.begins_to_fail), (0, Some(("2026-12-02".into(), 9))));
    assert_eq!(until.counts, Counts { suppressed: 1, ..Counts::default() });
}

#[test]
fn a_baseline_accepts_what_is_going_and_not_what_is_gone() {
    let accepted = |finding: Finding| Finding {
        suppressed: Some(Suppression { is_baseline: true, reason: "baseline.json".into(), until: None }),
        ..finding
    };
    let going = verdict(vec![accepted(due("2026-12-11"))], 60);
    assert_eq!((going.failing.len(), going.begins_to_fail), (0, Some(("2026-12-11".into(), 18))));
    let gone = Finding { rule: Rule::ModelRetired, ..due("2026-11-01") };
    assert_eq!(verdict(vec![accepted(gone)], 0).begins_to_fail, None, "it was accepted as it is");
}

#[test]
fn the_model_that_goes_first_is_named_before_the_one_with_more_sites() {
    let of = |model: &str, day: &str| Finding { model: Some(("openai".into(), model.into())), ..due(day) };
    let report = Report {
        today: TODAY.into(),
        findings: vec![
            of("late", "2026-12-11"),
            of("late", "2026-12-11"),
            of("early", "2026-11-30"),
            of("few", "2026-12-11"),
        ],
        ..Report::default()
    };
    assert_eq!(most_urgent(&report), Some("early"));
    let rest = Report {
        findings: report
            .findings
            .into_iter()
            .filter(|finding| finding.due.as_deref() != Some("2026-11-30"))
            .rev()
            .collect(),
        ..Report::default()
    };
    assert_eq!(most_urgent(&rest), Some("late"));
}
