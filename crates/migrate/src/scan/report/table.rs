//! A scan for people: one line per finding, grouped by file, aligned, with colour only where it is asked for.

use std::fmt::Write as _;

use super::View;
use super::words::{self, counted, plain};
use crate::scan::finding::{Confidence, Finding, Severity, Site};

/// How it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Escape sequences for colours (ECMA-48, Select Graphic Rendition), which only a terminal understands.
    pub is_coloured: bool,
}

/// A location, a subject or a message that is longer pushes its own line only, and not the column of a whole file.
const COLUMN_CHARS_MAX: usize = 60;
/// So many files that could not be read, and models without a file, are named; the others are counted.
const NAMED_MAX: usize = 5;

/// Writes the table, and below it what follows.
#[must_use]
pub fn table(view: &View<'_>, style: Style) -> String {
    let mut out = String::new();
    let listed: Vec<&Finding> = view.selection.of(view.report).collect();
    for group in listed.chunk_by(|left, right| left.place.path == right.place.path) {
        let rows: Vec<[String; 4]> = group.iter().map(|finding| cells(finding)).collect();
        let width = |column: usize| {
            let widths = rows.iter().map(|row| row[column].chars().count());
            widths.filter(|width| *width <= COLUMN_CHARS_MAX).max().unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2)];
        for (row, finding) in rows.iter().zip(group) {
            write_row(&mut out, row, widths, finding, style);
        }
    }
    if !listed.is_empty() {
        out.push('\n');
    }
    write_asides(&mut out, view);
    write_traffic(&mut out, view);
    write_summary(&mut out, view, style);
    out
}

/// Where, what, why, and what instead.
fn cells(finding: &Finding) -> [String; 4] {
    let place = &finding.place;
    // The words stand beside it already.
    let why = finding.message.strip_prefix(&finding.subject).unwrap_or(&finding.message);
    let where_else = match finding.site {
        Site::Calls => "",
        Site::Defines => " (listed here)",
        Site::Opaque => " (in text)",
        Site::Test => " (in a test)",
        Site::History => " (history)",
    };
    let why = format!("{}{where_else}", plain(why).trim_start());
    let instead = match (&finding.suppressed, &finding.replacement, &finding.fix) {
        (Some(suppression), ..) => format!("ignored: {}", words::suppression(suppression)),
        (None, Some(model), _) => format!("→ {}", plain(model)),
        (None, None, Some(fix)) => format!("fix: {}", plain(&fix.title)),
        (None, None, None) if finding.next.is_empty() => String::new(),
        (None, None, None) => format!("→ {}", plain(&finding.next)),
    };
    [format!("{}:{}:{}", plain(&place.path), place.line, place.column), plain(&finding.subject), why, instead]
}

fn write_row(out: &mut String, row: &[String; 4], widths: [usize; 3], finding: &Finding, style: Style) {
    let (mark, colour) = match finding.severity {
        _ if finding.suppressed.is_some() => ("-", "2"),
        Severity::Blocks => ("✗", "31"),
        Severity::Tune => ("!", "33"),
        Severity::Note => ("·", "2"),
    };
    let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.chars().count()));
    let [place, subject, why, instead] = row;
    let unsure = match finding.confidence {
        Confidence::High => "",
        Confidence::Medium => "likely",
        Confidence::Low => "perhaps",
    };
    let code = finding.rule.code();
    let tail: Vec<&str> =
        [instead.as_str(), code.as_ref(), unsure].into_iter().filter(|part| !part.is_empty()).collect();
    let _ = writeln!(
        out,
        "  {place}{}  {} {}{}  {why}{}  {}",
        pad(place, widths[0]),
        paint(mark, colour, style),
        paint(subject, if finding.severity == Severity::Blocks { "1" } else { "" }, style),
        pad(subject, widths[1]),
        pad(why, widths[2]),
        tail.join("  "),
    );
}

fn paint(text: &str, colour: &str, style: Style) -> String {
    if style.is_coloured && !colour.is_empty() {
        format!("\u{1b}[{colour}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// What is not listed one by one.
fn write_asides(out: &mut String, view: &View<'_>) {
    let counts = &view.verdict.counts;
    if counts.dynamic > 0 && !view.selection.is_dynamic && !view.selection.is_all {
        let _ = writeln!(
            out,
            "  ~ {} put together at run time (\"gpt-\" + x): --dynamic lists them",
            if counts.dynamic == 1 {
                "1 name is".to_owned()
            } else {
                format!("{} names are", counts.dynamic)
            }
        );
    }
    if let Some(folded) = words::folded(counts)
        && !view.selection.is_all
    {
        let _ = writeln!(out, "  + {folded}: --all lists them");
    }
    for entry in view.stale.iter().take(NAMED_MAX) {
        let _ = writeln!(
            out,
            "  - the baseline names {} in {}, which is gone: --write-baseline writes it anew",
            plain(&entry.subject),
            plain(&entry.path)
        );
    }
    if view.stale.len() > NAMED_MAX {
        let _ = writeln!(out, "  - and {} more of the baseline", view.stale.len() - NAMED_MAX);
    }
    for (path, reason) in view.report.skipped.iter().take(NAMED_MAX) {
        let _ = writeln!(out, "  ? {} was not read: {}", plain(path), plain(reason));
    }
    if view.report.skipped.len() > NAMED_MAX {
        let _ = writeln!(out, "  ? and {} more were not read", view.report.skipped.len() - NAMED_MAX);
    }
}

fn write_traffic(out: &mut String, view: &View<'_>) {
    let Some(traffic) = view.traffic else { return };
    if traffic.exchanges == 0 {
        let _ = writeln!(out, "  traffic ({}): nothing is recorded", plain(&traffic.period));
        return;
    }
    let _ = writeln!(
        out,
        "  traffic ({}): {}, ${}",
        plain(&traffic.period),
        counted(usize::try_from(traffic.exchanges).unwrap_or(usize::MAX), "call"),
        traffic.cost
    );
    for share in &traffic.found {
        let _ = writeln!(
            out,
            "    {}  {} of calls, {}, {}",
            plain(&share.model),
            share.percent(),
            counted(share.keys, "key"),
            words::spend(share)
        );
    }
    if !traffic.unnamed.is_empty() {
        let names: Vec<String> = traffic
            .unnamed
            .iter()
            .take(NAMED_MAX)
            .map(|share| format!("{} ({})", plain(&share.model), share.percent()))
            .collect();
        let more = match traffic.unnamed.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let _ = writeln!(
            out,
            "    {} in traffic that no file names: {}{more}",
            counted(traffic.unnamed.len(), "model"),
            names.join(", ")
        );
    }
}

fn write_summary(out: &mut String, view: &View<'_>, style: Style) {
    let files = words::files(view.report);
    let _ = writeln!(
        out,
        "{} in {files}; catalogue as of {}",
        words::sums(&view.verdict.counts),
        view.report.catalogue_as_of
    );
    let colour = if view.verdict.is_failed() { "31" } else { "32" };
    let _ = writeln!(out, "{}", paint(&words::verdict(view), colour, style));
    if let Some(model) = crate::scan::verdict::most_urgent(view.report) {
        let _ = writeln!(out, "next: pilothouse migrate plan {}", plain(model));
    }
}
