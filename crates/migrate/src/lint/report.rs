//! The report for people.

use std::fmt::Write as _;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;

use super::check::Severity;
use super::sums::{Cell, Estimate, Group, Line, Of, Range, Report, Traffic};

/// Groups that are listed below a finding; the rest is counted.
const GROUPS_SHOWN: usize = 5;

/// The report as text. `at` writes a moment.
#[must_use]
pub fn table(report: &Report, at: &dyn Fn(UnixMs) -> String) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = write(report, at, &mut out);
    out
}

fn write(report: &Report, at: &dyn Fn(UnixMs) -> String, out: &mut String) -> std::fmt::Result {
    let since = report.since.map_or_else(|| "the beginning".to_owned(), at);
    writeln!(out, "recorded requests since {since}, as {} would take them", report.target)?;
    writeln!(out, "{}", seen(report))?;
    if report.exchanges == 0 {
        return Ok(());
    }
    let ways: Vec<String> = report.ways.iter().map(|(way, count)| format!("{way} ({count})")).collect();
    writeln!(out, "sent in {}\n", ways.join(", "))?;
    for line in &report.lines {
        finding(report, line, out)?;
    }
    if report.lines.is_empty() {
        writeln!(out, "nothing was found: the target takes every one of them as it is\n")?;
    }
    traffic(report, out)?;
    estimate(&report.estimate, out)
}

/// How many exchanges, and how they were read.
fn seen(report: &Report) -> String {
    let mut text = format!(
        "{}: {} by their bodies, {} by their shapes",
        exchanges(report.exchanges),
        report.by_body,
        report.by_shape
    );
    for (count, what) in [
        (report.unseen, "recorded without a shape, not looked at"),
        (report.already, "at the target already"),
        (report.others, "no conversations"),
    ] {
        if count > 0 {
            text.push_str(&format!("; {count} {what}"));
        }
    }
    text
}

fn finding(report: &Report, line: &Line, out: &mut String) -> std::fmt::Result {
    let Cell { exchanges: count, uncertain, cost, .. } = &line.all;
    let not_certain = match *uncertain {
        0 => String::new(),
        some if some == *count => ", not certain".to_owned(),
        some => format!(", {some} of them not certain"),
    };
    writeln!(
        out,
        "{:<18} {}  {}  {} ({}), ${cost}{not_certain}",
        line.severity.as_str(),
        line.id,
        line.place,
        exchanges(*count),
        share(*count, report.exchanges),
    )?;
    writeln!(out, "    {}", line.title)?;
    if !line.done.is_empty() && report.is_mended {
        writeln!(out, "    the gateway does: {}; better: {}", line.done, line.fix)?;
    } else {
        writeln!(out, "    instead: {}", line.fix)?;
    }
    for Of { group, sums: cell } in line.groups.iter().take(GROUPS_SHOWN) {
        let examples: Vec<String> = cell.examples.iter().map(ToString::to_string).collect();
        writeln!(
            out,
            "      {}  {}, such as {}",
            name(group),
            exchanges(cell.exchanges),
            examples.join(" ")
        )?;
    }
    if let Some(more) = line.groups.len().checked_sub(GROUPS_SHOWN).filter(|more| *more > 0) {
        writeln!(out, "      and {more} more, with --json")?;
    }
    writeln!(out)
}

fn traffic(report: &Report, out: &mut String) -> std::fmt::Result {
    writeln!(out, "by route, key and application")?;
    for Of { group, sums: traffic } in report.traffic.iter().take(2 * GROUPS_SHOWN) {
        let Traffic { refused, changed, left_out, silent, .. } = *traffic;
        let rest = traffic.exchanges - refused - changed - left_out - silent;
        let parts = [
            (refused, Severity::Refused.as_str()),
            (changed, Severity::Mended.as_str()),
            (left_out, Severity::LeftOut.as_str()),
            (silent, Severity::Silent.as_str()),
            (rest, "as they are"),
        ];
        let told: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        writeln!(
            out,
            "  {}  {}, ${}: {}",
            name(group),
            exchanges(traffic.exchanges),
            traffic.cost,
            told.join(", ")
        )?;
    }
    writeln!(out)
}

fn estimate(estimate: &Estimate, out: &mut String) -> std::fmt::Result {
    if estimate.exchanges == 0 {
        return writeln!(out, "tokens and cost: no usage was recorded that both models have a price for");
    }
    let Range { low, about, high } = estimate.target_tokens;
    let cost = estimate.target_cost;
    let tokens = estimate.input_tokens.saturating_add(estimate.output_tokens);
    writeln!(out, "estimate for {} with a price on both sides", exchanges(estimate.exchanges))?;
    writeln!(out, "  tokens  {tokens} now, about {about} then ({low} to {high})")?;
    writeln!(
        out,
        "  cost    ${} now, about ${} then (${} to ${}), at today's prices",
        cents(estimate.cost),
        cents(cost.about),
        cents(cost.low),
        cents(cost.high)
    )?;
    if estimate.cached_tokens > 0 {
        writeln!(
            out,
            "  cache   {} of the input was read from a cache; another model's is empty at first",
            share(estimate.cached_tokens, estimate.input_tokens)
        )?;
    }
    writeln!(
        out,
        "  counted by another tokenizer from recorded counts; an estimate, its range is what 19 of 20 texts stay within"
    )
}

/// An amount without its last digits, which an estimate does not have.
fn cents(amount: PicoUsd) -> PicoUsd {
    let step = 1_000_000;
    PicoUsd(amount.0 / step * step)
}

fn name(group: &Group) -> String {
    let or = |text: &str, none: &str| {
        // Clients choose names, and a terminal obeys what it is shown.
        let text: String = text.chars().map(|one| if one.is_control() { '\u{fffd}' } else { one }).collect();
        if text.is_empty() { none.to_owned() } else { text }
    };
    format!(
        "{} / {} / {}",
        or(&group.route, "-"),
        or(&group.key, "(no key)"),
        or(&group.application, "(unnamed)")
    )
}

fn exchanges(count: u64) -> String {
    format!("{count} exchange{}", if count == 1 { "" } else { "s" })
}

fn share(part: u64, whole: u64) -> String {
    let per_mille = (u128::from(part) * 1000).checked_div(whole.into()).unwrap_or_default();
    if per_mille == 0 && part > 0 {
        return "below 0.1 %".to_owned();
    }
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}
