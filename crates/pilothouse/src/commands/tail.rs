//! `pilothouse tail`: exchanges as they end, until it is interrupted.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use pilothouse_store::{Filter, Reader};

use super::logs::receipt::exchange_json;
use super::logs::source::{Source, Span, listed};
use super::logs::{HEADINGS, LogsFilter, cells};

/// How often the ledger is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Rows taken in one look; the rest comes with the next.
const ROWS_PER_LOOK: usize = 1000;

/// The widths of the list's columns. A live list cannot know its widest cell; longer ones push the rest along.
const WIDTHS: [usize; HEADINGS.len()] = [24, 26, 10, 12, 28, 14, 7, 7, 12, 9];

/// Shows exchanges as they end.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    filter: LogsFilter,
    /// Stop after this time, such as 5s or 10m.
    #[arg(long = "for", value_name = "SPAN")]
    at_most: Option<Span>,
    /// Stop after so many exchanges.
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// One JSON document per line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

impl Tail {
    /// Runs the command: exchanges to `out`, notes for people to `notes`.
    ///
    /// # Errors
    /// When there is no ledger to read.
    pub(crate) fn run(self, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let reader = self.source.open(notes)?;
        let last = reader.last_rowid()?;
        listed(self.follow(&reader, last, out))
    }

    fn follow(&self, reader: &Reader, mut last: i64, out: &mut dyn Write) -> anyhow::Result<()> {
        let start = Instant::now();
        let at_most = self.at_most.map(|span| Duration::from_millis(span.ms));
        let mut left = self.count.unwrap_or(usize::MAX);
        if !self.json {
            writeln!(out, "{}", line(&HEADINGS.map(str::to_owned)))?;
            out.flush()?;
        }
        while left > 0 {
            // Before the look: rows that come after it are seen by the next.
            let newest = reader.last_rowid()?;
            let filter =
                Filter { after_rowid: Some(last), limit: left.min(ROWS_PER_LOOK), ..self.filter.to_filter() };
            let rows = reader.exchanges(&filter)?;
            for row in &rows {
                if self.json {
                    writeln!(out, "{}", exchange_json(&row.exchange))?;
                } else {
                    writeln!(out, "{}", line(&cells(&row.exchange)))?;
                }
            }
            out.flush()?;
            left -= rows.len();
            let full = rows.len() == ROWS_PER_LOOK;
            last = match rows.last() {
                Some(row) if full => row.rowid,
                Some(row) => row.rowid.max(newest),
                None => last.max(newest),
            };
            let over = at_most.is_some_and(|at_most| start.elapsed() >= at_most);
            if left == 0 || (over && !full) {
                break;
            }
            if !full {
                let rest = at_most.map_or(LOOK_EVERY, |at_most| at_most.saturating_sub(start.elapsed()));
                std::thread::sleep(rest.min(LOOK_EVERY));
            }
        }
        Ok(())
    }
}

fn line(cells: &[String]) -> String {
    let mut text = String::new();
    for ((cell, width), heading) in cells.iter().zip(WIDTHS).zip(HEADINGS) {
        if !text.is_empty() {
            text.push_str("  ");
        }
        match heading.strip_prefix('>') {
            Some(_) => text.push_str(&format!("{:>width$}", cell.trim_start_matches('>'))),
            None => text.push_str(&format!("{cell:<width$}")),
        }
    }
    text.trim_end().to_owned()
}
