//! The printed figures and lists.

use super::compare::{Comparison, Count};
use super::expected::{Corpus, Expect};
use std::fmt::Write as _;

/// Everything that is printed.
pub(super) fn text(corpus: &Corpus, comparison: &Comparison, is_brief: bool) -> String {
    let mut text = head(corpus);
    let total = comparison.total();
    text.push_str("| what blocks | places | found | recall | reported | false | precision |\n|---|--:|--:|--:|--:|--:|--:|\n");
    row(&mut text, "**all**", total);
    for (name, count) in comparison.by(|(_, family)| family) {
        row(&mut text, name, count);
    }
    for (name, count) in comparison.by(|(language, _)| language) {
        row(&mut text, name, count);
    }
    let (rows, found, wrong) = comparison.table;
    let _ =
        writeln!(text, "\nthe table of the three measured scanners: {found} of {rows} found, {wrong} false");
    let (tune, found) = comparison.tuning;
    let _ = writeln!(text, "places to tune: {found} of {tune} listed");
    if !is_brief {
        list(&mut text, "missed", &comparison.missed);
        list(&mut text, "false", &comparison.wrong);
        list(
            &mut text,
            "not found, because the bundled catalogue lacks what a provider's page says",
            &comparison.lacking,
        );
        list(&mut text, "found, with another model", &comparison.other_models);
    }
    text
}

/// All of it in one line: what blocks, and the table that has to be found whole.
pub(super) fn line(comparison: &Comparison) -> String {
    let total = comparison.total();
    let (rows, found, wrong) = comparison.table;
    format!(
        "recall {:.3} of {} places, precision {:.3} of {} reported; {found} of {rows} rows of the table of scanners, {wrong} false",
        total.recall(),
        total.expected,
        total.precision(),
        total.reported
    )
}

fn head(corpus: &Corpus) -> String {
    let count = |expect: Expect| -> usize {
        corpus.files.iter().flat_map(|file| &file.sites).filter(|site| site.expect == expect).count()
    };
    format!(
        "{} files as of {}: {} places that block, {} to tune, {} traps, {} that two readers would judge differently\n\n",
        corpus.files.len(),
        corpus.today,
        count(Expect::Blocks),
        count(Expect::Tune),
        count(Expect::None),
        count(Expect::Open),
    )
}

fn row(text: &mut String, name: &str, count: Count) {
    let Count { expected, found, reported, wrong } = count;
    let (recall, precision) = (count.recall(), count.precision());
    let _ = writeln!(
        text,
        "| {name} | {expected} | {found} | {recall:.3} | {reported} | {wrong} | {precision:.3} |"
    );
}

fn list(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title} ({}):", lines.len());
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}
