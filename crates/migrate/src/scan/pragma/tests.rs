//! Tests of comments that ignore.

use super::*;
use crate::scan::report::tests::finding;

const TODAY: &str = "2026-11-23";

/// A comment where `sign` begins in the text, up to the end of its line.
fn pragmas(text: &str) -> Vec<Pragma> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("pilothouse: ") {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let start = line + text[line..at].find(['#', '/']).unwrap();
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        found.push(Pragma {
            text: text[at + "pilothouse: ".len()..end].trim().to_owned(),
            span: start..end,
            is_alone: text[line..start].trim().is_empty(),
        });
    }
    found
}

fn applied(text: &str, words: &[&str]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = words.iter().map(|words| finding("a.py", text, words)).collect();
    let path = "a.py".into();
    apply(
        &pragmas(text),
        File { path: &path, text: text.as_bytes(), site: Site::Calls },
        TODAY,
        &mut findings,
    );
    findings
}

fn ignored(text: &str, words: &[&str]) -> Vec<bool> {
    applied(text, words).iter().take(words.len()).map(|finding| finding.suppressed.is_some()).collect()
}

#[test]
fn a_comment_behind_code_speaks_of_its_line() {
    let text = "a = 'gpt-5' # pilothouse: ignore until=2026-12-01 reason=\"moves with 2.0\"\nb = 'o3'\n";
    let findings = applied(text, &["gpt-5", "o3"]);
    assert_eq!(findings.len(), 2);
    assert_eq!(
        findings[0].suppressed,
        Some(Suppression {
            is_baseline: false,
            reason: "moves with 2.0".into(),
            until: Some("2026-12-01".into())
        })
    );
    assert_eq!(findings[1].suppressed, None);
}

#[test]
fn a_comment_alone_speaks_of_the_next_line_of_code() {
    let text =
        "# pilothouse: ignore reason='told the team'\n# and another comment\n\n  a = 'gpt-5'\nb = 'o3'\n";
    assert_eq!(ignored(text, &["gpt-5", "o3"]), [true, false]);
    let attribute = "// pilothouse: ignore reason=x\n#[model(\"gpt-5\")]\nlet b = \"o3\";\n";
    assert_eq!(ignored(attribute, &["gpt-5", "o3"]), [true, false]);
    let two = "# pilothouse: ignore rule=PH-M001 reason=x\n# pilothouse: ignore rule=PH-M002 reason=y\na = 'gpt-5'\n";
    let findings = applied(two, &["gpt-5"]);
    assert_eq!(findings[0].suppressed.as_ref().map(|suppression| suppression.reason.as_str()), Some("y"));
    assert_eq!(findings[1].message, "there is nothing to ignore", "no finding has the other rule");
}

#[test]
fn a_comment_for_the_file_speaks_of_all_of_it() {
    let text = "a = 'gpt-5'\nb = 'o3'\n# pilothouse: ignore-file reason=\"an archive\"\n";
    assert_eq!(ignored(text, &["gpt-5", "o3"]), [true, true]);
}

#[test]
fn what_expired_or_is_not_understood_ignores_nothing_and_is_reported_at_its_line() {
    for (comment, says) in [
        ("ignore until=2026-11-22 reason=x", "it expired with 2026-11-22"),
        ("ignore until=2026-12-01", "it gives no reason"),
        ("ignore reason=\"\"", "it gives no reason"),
        ("ignore", "it gives no reason"),
        ("ignore until=tomorrow reason=x", "`tomorrow` is not a day"),
        ("ignore untill=2026-12-01 reason=x", "`untill` is not understood"),
        ("ignore because I say so", "`because I say so` is not understood"),
        ("ignore reason=\"never closed", "`reason=\"never closed` is not understood"),
        ("ignore reason=\"a\"b", "`reason=\"a\"b` is not understood"),
        ("ignore-line reason=x", "`ignore-line` is no order"),
    ] {
        let text = format!("a = 1\nb = 'gpt-5' # pilothouse: {comment}\n");
        let findings = applied(&text, &["gpt-5"]);
        assert_eq!(findings[0].suppressed, None, "{comment}");
        let complaint = &findings[1];
        assert_eq!((complaint.message.as_str(), complaint.rule), (says, Rule::Ignore));
        assert_eq!(
            (complaint.severity, complaint.place.line, complaint.place.column),
            (Severity::Tune, 2, 13)
        );
    }
}

#[test]
fn the_last_day_still_counts_and_other_words_are_not_ours() {
    let today = format!("b = 'gpt-5' # pilothouse: ignore until={TODAY} reason=x\n");
    assert_eq!(ignored(&today, &["gpt-5"]), [true]);
    let other = "# pilothouse: the gateway in front\n# pilothouse: ignores dates\nb = 'gpt-5'\n";
    assert_eq!(applied(other, &["gpt-5"]).len(), 1);
}

#[test]
fn a_comment_that_matches_nothing_is_a_note() {
    let findings = applied("a = 1 # pilothouse: ignore reason=x\nb = 'gpt-5'\n", &["gpt-5"]);
    assert_eq!((findings.len(), findings[1].severity), (2, Severity::Note));
}
