//! `pilothouse usage`: who used what and what it cost, in sums that add up.

use std::io::Write;
use std::process::ExitCode;

use pilothouse_core::clock::{Clock, SystemClock};
use pilothouse_core::money::PicoUsd;
use pilothouse_store::{By, Slice, Tokens, Totals, UsageQuery, UsageReport};
use serde_json::{Value, json};

use super::logs::receipt::money_json;
use super::logs::source::{Source, When, exchanges, grouped, iso, listed, plain, table};

mod reconcile;
#[cfg(test)]
mod tests;

/// Sums usage and cost by model, key, vendor, application or day.
#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Usage {
    #[command(subcommand)]
    command: Option<UsageCommand>,
    /// A row for each model, key, vendor, app, day (UTC) or price.
    #[arg(long, default_value = "model", value_parser = parse_by)]
    by: By,
    /// From this time on, to the hour: 30m, 1h, 7d, 2026-11-22 or 2026-11-22T12:00:00Z.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: When,
    /// Before this time, to the hour.
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum UsageCommand {
    /// Compare the ledger with a vendor's own report of usage or cost.
    Reconcile(reconcile::Reconcile),
}

fn parse_by(text: &str) -> Result<By, String> {
    By::parse(text).ok_or_else(|| {
        let names: Vec<&str> = By::ALL.into_iter().map(By::as_str).collect();
        format!("use one of {}", names.join(", "))
    })
}

impl Usage {
    /// Runs the command: the report to `out`, notes for people to `notes`.
    ///
    /// # Errors
    /// When there is no ledger to read.
    pub(crate) fn run(self, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<ExitCode> {
        if let Some(UsageCommand::Reconcile(reconcile)) = self.command {
            return reconcile.run(out, notes);
        }
        self.run_at(out, notes, &SystemClock)
    }

    fn run_at(
        self,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        clock: &dyn Clock,
    ) -> anyhow::Result<ExitCode> {
        let now = clock.now();
        let query = UsageQuery {
            by: self.by,
            since: Some(self.since.from(now)),
            until: self.until.map(|until| until.from(now)),
        };
        let report = self.source.open(notes)?.usage(&query)?;
        listed(if self.json {
            writeln!(out, "{:#}", report_json(&report)).map_err(Into::into)
        } else {
            write(out, &report)
        })
    }
}

/// A count as JSON: a number while it fits 64 bits, else a decimal string. Never a float.
fn count_json(count: u128) -> Value {
    u64::try_from(count).map_or_else(|_| count.to_string().into(), Into::into)
}

fn tokens_json(tokens: &Tokens) -> Value {
    json!({
        "input": count_json(tokens.input),
        "cache_read": count_json(tokens.cache_read),
        "cache_write_5m": count_json(tokens.cache_write_5m),
        "cache_write_1h": count_json(tokens.cache_write_1h),
        "input_audio": count_json(tokens.input_audio),
        "output": count_json(tokens.output),
        "reasoning": count_json(tokens.reasoning),
        "output_audio": count_json(tokens.output_audio),
        "input_total": count_json(tokens.input_total()),
        "output_total": count_json(tokens.output_total()),
    })
}

fn slice_json(slice: &Slice) -> Value {
    json!({
        "exchanges": slice.exchanges,
        "tokens": tokens_json(&slice.tokens),
        "priced_exchanges": slice.priced,
        "cost": money_json(slice.cost),
        "answers_not_passed_on": slice.answers,
    })
}

fn totals_json(totals: &Totals) -> Value {
    json!({
        "exchanges": totals.exchanges,
        "complete": totals.complete,
        "cancelled": totals.cancelled,
        "failed": totals.failed,
        "unsent": totals.unsent,
        "tokens": tokens_json(&totals.tokens()),
        "cost": money_json(totals.cost()),
        "cost_unknown_exchanges": totals.cost_unknown,
        "reported": slice_json(&totals.reported),
        "partial": slice_json(&totals.partial),
        "absent": slice_json(&totals.absent),
        "estimate": {
            "exchanges": totals.estimates,
            "output_tokens": count_json(totals.estimated_output),
            "cost": money_json(totals.estimated_cost),
            "cost_unknown_exchanges": totals.estimates_unpriced,
        },
        "answers_not_passed_on": totals.answers,
        "cache": { "hits": totals.hits, "saved": money_json(totals.saved) },
    })
}

/// The report as JSON. Names are added over time, never changed.
fn report_json(report: &UsageReport) -> Value {
    let rows: Vec<Value> = report
        .rows
        .iter()
        .map(|row| {
            let mut value = totals_json(&row.totals);
            value["name"] = json!(row.name);
            value
        })
        .collect();
    json!({
        "by": report.by.as_str(),
        "since": report.since.map(iso),
        "until": report.until.map(iso),
        "rows": rows,
        "total": totals_json(&report.total),
        "details_lost": report.details_lost,
    })
}

fn write(out: &mut dyn Write, report: &UsageReport) -> anyhow::Result<()> {
    let since = report.since.map_or_else(|| "the beginning".to_owned(), iso);
    let until = report.until.map_or_else(|| "now".to_owned(), iso);
    if report.total.exchanges == 0 {
        writeln!(out, "nothing is recorded from {since} to {until}: widen --since, or send a request first")?;
        return Ok(());
    }
    writeln!(out, "usage by {} from {since} to {until}", report.by.as_str())?;
    let heading = report.by.as_str().to_uppercase();
    let headings = [
        &heading,
        ">EXCHANGES",
        ">FAILED",
        ">INPUT",
        ">OF IT CACHED",
        ">OUTPUT",
        ">COST USD",
        ">COST UNKNOWN",
    ];
    let mut rows: Vec<Vec<String>> =
        report.rows.iter().map(|row| cells(&label(report.by, row.name.as_deref()), &row.totals)).collect();
    rows.push(cells("TOTAL", &report.total));
    align_cost(&mut rows);
    table(out, &headings, &rows)?;
    notes(out, report)
}

fn label(by: By, name: Option<&str>) -> String {
    match (name, by) {
        (Some(""), By::Key) => "(no key)".to_owned(),
        (Some(""), By::Application) => "(unnamed)".to_owned(),
        (Some(name), _) => plain(name),
        (None, By::Price) => "(no price)".to_owned(),
        (None, _) => "(no vendor was reached)".to_owned(),
    }
}

/// The cost's place among the cells.
const COST: usize = 6;

fn cells(name: &str, totals: &Totals) -> Vec<String> {
    let tokens = totals.tokens();
    vec![
        name.to_owned(),
        grouped(totals.exchanges),
        grouped(totals.failed),
        grouped(tokens.input_total()),
        grouped(tokens.cache_read),
        grouped(tokens.output_total()),
        totals.cost().to_string(),
        grouped(totals.cost_unknown),
    ]
}

/// Gives all costs the same number of decimals, so that their points are below each other.
fn align_cost(rows: &mut [Vec<String>]) {
    let decimals = |text: &str| text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let most = rows.iter().map(|row| decimals(&row[COST])).max().unwrap_or(0);
    for row in rows {
        let missing = most - decimals(&row[COST]);
        row[COST].push_str(&"0".repeat(missing));
    }
}

/// What stands behind the sums, and what is not in them.
fn notes(out: &mut dyn Write, report: &UsageReport) -> anyhow::Result<()> {
    let total = &report.total;
    for (name, slice, meaning) in [
        ("reported", &total.reported, "usage as the vendor said, whole answers"),
        ("partial", &total.partial, "the last usage seen of cut or cancelled answers"),
        ("absent", &total.absent, "no usage was said"),
    ] {
        if !slice.is_empty() {
            writeln!(
                out,
                "  {name:<9}{}, {} input, {} output, ${}: {meaning}",
                exchanges(slice.exchanges),
                grouped(slice.tokens.input_total()),
                grouped(slice.tokens.output_total()),
                slice.cost
            )?;
        }
    }
    if total.cost_unknown > 0 {
        writeln!(
            out,
            "  unknown  the cost of {}: it is not in any sum, and it is not zero",
            exchanges(total.cost_unknown)
        )?;
    }
    if total.estimates > 0 {
        let unpriced = match total.estimates_unpriced {
            0 => String::new(),
            some => format!(", {} of them without a price", grouped(some)),
        };
        writeln!(
            out,
            "  estimate about {} more output tokens, about ${}, in {} cut or cancelled{unpriced}; not in the totals",
            grouped(total.estimated_output),
            total.estimated_cost,
            exchanges(total.estimates)
        )?;
    }
    if total.unsent > 0 {
        writeln!(out, "  unsent   {} reached no vendor and cost nothing", exchanges(total.unsent))?;
    }
    if total.answers > 0 {
        let (count, verb) = (grouped(total.answers), if total.answers == 1 { "was" } else { "were" });
        writeln!(
            out,
            "  besides  {count} {verb} paid for and not passed on (cascades, streams that were continued): by model, in the rows of \
             their own models"
        )?;
    }
    if total.hits > 0 {
        writeln!(
            out,
            "  cache    {} answered from the cache, which saved ${}; not in the totals",
            exchanges(total.hits),
            total.saved
        )?;
    }
    if report.details_lost > 0 {
        writeln!(
            out,
            "  gap      {} in these sums without details: the queue was full or the disk refused",
            exchanges(report.details_lost)
        )?;
    }
    let rows: PicoUsd = report.rows.iter().map(|row| row.totals.cost()).sum();
    debug_assert_eq!(rows, total.cost(), "the store promises that rows add up");
    Ok(())
}
