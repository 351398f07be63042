//! A scan as workflow commands of GitHub Actions, which annotate the lines of a pull request.
//!
//! Form and escaping: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands> (read
//! 2026-11-23) and `@actions/core` 3.0.1, `lib/command.js` (`escapeData`, `escapeProperty`).

use std::fmt::Write as _;

use super::View;
use crate::scan::finding::{Finding, Severity};

/// One command per finding, those that fail first, since a step shows ten of each kind; the last line is for the log.
#[must_use]
pub fn github(view: &View<'_>) -> String {
    let failing = &view.verdict.failing;
    let mut listed: Vec<(usize, &Finding)> = view
        .report
        .findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| view.selection.lists(finding) && finding.suppressed.is_none())
        .filter(|(_, finding)| finding.severity > Severity::Note || view.selection.is_all)
        .collect();
    let rank = |index: usize, finding: &Finding| match finding.severity {
        _ if failing.binary_search(&index).is_ok() => 0,
        Severity::Blocks => 1,
        Severity::Tune | Severity::Note => 2,
    };
    // Stable: within a kind, the order of the report.
    listed.sort_by_key(|(index, finding)| rank(*index, finding));
    let mut out = String::new();
    for (index, finding) in listed {
        let kind = ["error", "warning", "notice"][rank(index, finding)];
        write_command(&mut out, kind, finding);
    }
    let _ = writeln!(out, "{}", view.summary());
    out
}

fn write_command(out: &mut String, kind: &str, finding: &Finding) {
    let place = &finding.place;
    let _ = write!(out, "::{kind} file={},line={},col={}", property(&place.path), place.line, place.column);
    // A column of the end is understood within one line only.
    if place.end_line == place.line && place.end_column > place.column {
        let _ = write!(out, ",endColumn={}", place.end_column);
    } else if place.end_line > place.line {
        let _ = write!(out, ",endLine={}", place.end_line);
    }
    let title = format!("{} {}", finding.rule.code(), finding.subject);
    let next = if finding.next.is_empty() { String::new() } else { format!("\n{}", finding.next) };
    let text = format!("{}: {}{next}", finding.subject, finding.message);
    let _ = writeln!(out, ",title={}::{}", property(&title), data(&text));
}

/// What stands behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What stands behind a `=`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
