//! The advice for people: a table on the terminal, Markdown for reviewers.

use std::fmt::Write as _;

use pilothouse_core::money::PicoUsd;

use super::{Advice, Candidate};
use crate::lint;

/// Most findings and sites of one candidate that the terminal shows.
const SHOWN_MAX: usize = 6;

/// For the terminal.
#[must_use]
pub fn table(advice: &Advice) -> String {
    let mut text = heading(advice);
    for (number, candidate) in advice.candidates.iter().enumerate() {
        let _ = writeln!(text, "\n{}. {}  ({})", number + 1, candidate.name, candidate.because.join("; "));
        for line in lines(candidate, SHOWN_MAX) {
            let _ = writeln!(text, "   {line}");
        }
    }
    if advice.candidates.is_empty() {
        text.push_str("\nno candidate: the vendor names none, and no model that is known can as much for about as much; name one with --to\n");
    }
    text
}

/// For reviewers.
#[must_use]
pub fn markdown(advice: &Advice) -> String {
    let mut text =
        format!("# Leaving `{}`\n\n{}\n", advice.from, heading(advice).trim_end().replace('\n', "  \n"));
    if !advice.sites.is_empty() {
        text.push_str("\n## Where the code names it\n\n| place | written | |\n| --- | --- | --- |\n");
        for site in &advice.sites {
            let kind = if site.is_call { "calls" } else { "names" };
            let _ = writeln!(
                text,
                "| `{}:{}:{}` | `{}` | {kind} |",
                site.path, site.line, site.column, site.written
            );
        }
    }
    for (number, candidate) in advice.candidates.iter().enumerate() {
        let _ = writeln!(
            text,
            "\n## {}. `{}`\n\nOn the list because: {}.\n",
            number + 1,
            candidate.name,
            candidate.because.join("; ")
        );
        for line in lines(candidate, usize::MAX) {
            let _ = writeln!(text, "- {line}");
        }
        text.push_str("\nBy hand:\n\n");
        for task in &candidate.by_hand {
            let _ = writeln!(text, "- [ ] {task}");
        }
    }
    text
}

fn heading(advice: &Advice) -> String {
    let mut text = format!("leaving {}", advice.from);
    if let Some(snapshot) = &advice.snapshot {
        let _ = write!(text, ", which is {snapshot}");
    }
    match (&advice.retires, advice.days_left) {
        (Some(day), Some(days)) if days > 0 => {
            let _ = writeln!(text, ": retires {day}, in {days} days");
        }
        (Some(day), _) => {
            let _ = writeln!(text, ": retired {day}");
        }
        (None, _) => text.push_str(": no end is announced\n"),
    }
    for platform in &advice.platforms {
        let day = platform
            .retires
            .as_ref()
            .map_or_else(|| "no day is announced".to_owned(), |day| format!("until {day}"));
        let _ = write!(text, "at {}: {day} ({})", platform.platform, platform.id);
        match platform.buys_days {
            Some(days) => {
                let _ = writeln!(text, "; moving there buys {days} days");
            }
            None => text.push('\n'),
        }
    }
    let calls = advice.sites.iter().filter(|site| site.is_call).count();
    let _ = writeln!(
        text,
        "rests on {} recorded calls, {calls} places in the code that call it and {} that only name it, and the catalogue as of {}",
        advice.exchanges,
        advice.sites.len() - calls,
        advice.catalogue_as_of
    );
    text
}

fn lines(candidate: &Candidate, most: usize) -> Vec<String> {
    let mut out = Vec::new();
    let price =
        |price: &Option<PicoUsd>| price.map_or_else(|| "unknown".to_owned(), |price| format!("${price}"));
    let prices =
        candidate.prices.iter().map(|(class, old, new)| format!("{class} {} → {}", price(old), price(new)));
    out.push(format!("a million tokens: {}", prices.collect::<Vec<_>>().join(", ")));
    let count = |count: &Option<u64>| count.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    let sizes =
        candidate.sizes.iter().map(|(what, old, new)| format!("{what} {} → {}", count(old), count(new)));
    out.push(format!("tokens at most: {}", sizes.collect::<Vec<_>>().join(", ")));
    if let Some(report) = &candidate.traffic {
        out.extend(traffic(candidate, report, most));
    } else {
        out.push("no recorded calls: what they would cost and meet is not known".to_owned());
    }
    out.extend(candidate.against.iter().map(|reason| format!("against it: {reason}")));
    for (label, list) in [
        ("cannot", &candidate.lost),
        ("not known to", &candidate.unknown),
        ("can besides", &candidate.gained),
    ] {
        if !list.is_empty() {
            out.push(format!("{label}: {}", list.join(", ")));
        }
    }
    for (name, old, new, source) in candidate.benchmarks.iter().take(most) {
        out.push(format!("{name}: {old} → {new} ({source})"));
    }
    for finding in candidate.code.iter().take(most) {
        let mark = if finding.is_blocking { "refused" } else { "different" };
        out.push(format!("{}:{} {mark}: {} {}", finding.path, finding.line, finding.message, finding.rule));
    }
    if candidate.code.len() > most {
        out.push(format!("and {} more in the code", candidate.code.len() - most));
    }
    out
}

fn traffic(candidate: &Candidate, report: &lint::Report, most: usize) -> Vec<String> {
    let estimate = &report.estimate;
    let mut out = vec![format!(
        "{} calls with known usage cost ${}, there about ${} (${} to ${}); {} tokens, there about {}",
        estimate.exchanges,
        estimate.cost,
        estimate.target_cost.about,
        estimate.target_cost.low,
        estimate.target_cost.high,
        estimate.input_tokens.saturating_add(estimate.output_tokens),
        estimate.target_tokens.about
    )];
    if let Some(loss) = candidate.cache_loss {
        out.push(format!("its cache is empty at first: at most ${loss} more, once"));
    }
    for line in report.lines.iter().take(most) {
        let certain = if line.all.uncertain == line.all.exchanges { ", not certain" } else { "" };
        out.push(format!(
            "{} of {} calls {}{certain}: {} ({})",
            line.all.exchanges,
            report.exchanges,
            line.severity.as_str(),
            line.title,
            line.id
        ));
    }
    if report.lines.len() > most {
        out.push(format!("and {} more of the traffic", report.lines.len() - most));
    }
    out.push(format!("read from {} bodies and {} shapes", report.by_body, report.by_shape));
    out
}
