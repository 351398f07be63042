//! A scan as a comment of a pull request: what fails first, the rest folded, and never longer than a comment may be.

use std::fmt::Write as _;

use super::{View, words};
use crate::scan::finding::{Finding, Severity};

/// GitHub takes comments of up to 65,536 characters, GitLab more; room is left for what a workflow puts around it.
pub const CHARACTERS_MAX: usize = 60_000;
/// By this line a workflow finds its own comment again, to write it anew instead of adding another one.
pub const MARK: &str = "<!-- pilothouse scan -->";

/// The comment.
#[must_use]
pub fn markdown(view: &View<'_>) -> String {
    let mut out = format!("{MARK}\n### pilothouse scan: {}\n\n", words::verdict(view));
    let _ = writeln!(
        out,
        "{}, catalogue as of {}.\n",
        words::sums(&view.verdict.counts),
        view.report.catalogue_as_of
    );
    let listed: Vec<(usize, &Finding)> = view
        .report
        .findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| view.selection.lists(finding) && finding.suppressed.is_none())
        .collect();
    let is_failing = |index: &usize| view.verdict.failing.binary_search(index).is_ok();
    let (failing, rest): (Vec<_>, Vec<_>) = listed.into_iter().partition(|(index, _)| is_failing(index));
    let (blocking, rest): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|(_, finding)| finding.severity == Severity::Blocks);
    let mut left = 0;
    left += section(&mut out, None, &failing);
    left += section(&mut out, Some("will fail, or cannot be told for certain"), &blocking);
    left += section(&mut out, Some("to tune, and notes"), &rest);
    if left > 0 {
        let _ = writeln!(out, "{} more: run `pilothouse scan` to see them.\n", left);
    }
    if let Some(folded) = words::folded(&view.verdict.counts).filter(|_| !view.selection.is_all) {
        let _ = writeln!(out, "Not listed: {folded}.\n");
    }
    write_traffic(&mut out, view);
    if let Some(model) = crate::scan::verdict::most_urgent(view.report) {
        let _ = writeln!(out, "Next: `pilothouse migrate plan {}`", code(model));
    }
    out
}

/// A table of findings, folded under a title where it has one; gives how many had no room.
fn section(out: &mut String, title: Option<&str>, findings: &[(usize, &Finding)]) -> usize {
    if findings.is_empty() {
        return 0;
    }
    if let Some(title) = title {
        let _ = writeln!(out, "<details><summary>{} {title}</summary>\n", findings.len());
    }
    let _ = writeln!(out, "| where | what | why | instead |\n| --- | --- | --- | --- |");
    let mut left = 0;
    for (_, finding) in findings {
        let row = row(finding);
        // The end of the document needs room too.
        if out.len() + row.len() + 2_000 > CHARACTERS_MAX {
            left += 1;
        } else {
            out.push_str(&row);
        }
    }
    out.push('\n');
    if title.is_some() {
        let _ = writeln!(out, "</details>\n");
    }
    left
}

fn row(finding: &Finding) -> String {
    let place = &finding.place;
    let code_of = finding.rule.code();
    let rule = match finding.help.as_deref().filter(|help| help.starts_with("https://")) {
        Some(help) => format!("[{code_of}]({})", help.replace(['(', ')', ' ', '|', '<', '>'], "")),
        None => code_of.into_owned(),
    };
    let instead = match (&finding.replacement, &finding.fix) {
        (Some(model), _) => format!("`{}`", code(model)),
        (None, Some(fix)) => text(&fix.title),
        (None, None) => text(&finding.next),
    };
    format!(
        "| `{}:{}` | `{}` | {} {rule} | {instead} |\n",
        code(&place.path),
        place.line,
        code(&finding.subject),
        text(&finding.message)
    )
}

fn write_traffic(out: &mut String, view: &View<'_>) {
    let Some(traffic) = view.traffic.filter(|traffic| traffic.exchanges > 0) else { return };
    let _ = writeln!(out, "Traffic ({}):\n", text(&traffic.period));
    for share in traffic.found.iter().take(20) {
        let _ = writeln!(
            out,
            "- `{}`: {} of calls, {}, {}",
            code(&share.model),
            share.percent(),
            words::counted(share.keys, "key"),
            words::spend(share)
        );
    }
    if !traffic.unnamed.is_empty() {
        let names: Vec<String> =
            traffic.unnamed.iter().take(20).map(|share| format!("`{}`", code(&share.model))).collect();
        let _ = writeln!(out, "- in traffic, and no file names it: {}", names.join(", "));
    }
    out.push('\n');
}

/// Text between backticks within a table: no backtick, no column's end, no line's end.
fn code(raw: &str) -> String {
    words::plain(raw).replace('`', "ʼ").replace('|', "\\|")
}

/// Text that is shown as it is: no markup, no mention of people, no reference to issues.
fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for one in words::plain(raw).chars() {
        match one {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '@' => safe.push_str("&#64;"),
            '#' => safe.push_str("&#35;"),
            '`' | '*' | '_' | '[' | ']' | '|' | '\\' | '~' | '!' => {
                safe.push('\\');
                safe.push(one);
            }
            other => safe.push(other),
        }
    }
    safe
}
