//! `pilothouse usage reconcile`: the ledger beside what a vendor reports of itself.

mod compare;
#[cfg(test)]
mod tests;
mod told;

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr as _;

use anyhow::{Context as _, bail};
use pilothouse_core::clock::UnixMs;
use pilothouse_import::usage::{Columns, Origin, read};

use super::super::logs::source::{Source, When};
use compare::{Books, Verdict};

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3_600_000;

/// Compares the ledger with a vendor's own report of usage or cost. Exits with 1 where they differ.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Reconcile {
    /// Reports: JSON of OpenAI's or Anthropic's usage and cost APIs, CSV of their consoles, or any CSV with `--columns`.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The provider of the configuration that the report is about; several where several share an account. The
    /// report's own vendor where not given.
    #[arg(long = "vendor", value_name = "NAME")]
    vendors: Vec<String>,
    /// A key or project of the vendor's, and the provider that uses it: `proj_a=openai-eu`. With any, all others are left
    /// out.
    #[arg(long = "map", value_name = "THEIRS=PROVIDER", value_parser = parse_map)]
    maps: Vec<(String, String)>,
    /// What the columns of a CSV mean: `day=Date,model=Model,input=Tokens in,output=Tokens out,usd=Cost`.
    #[arg(long, value_name = "FIELD=HEADING,…", value_parser = Columns::parse)]
    columns: Option<Columns>,
    /// Differences up to this share of the larger side are none, in per cent.
    #[arg(long, value_name = "PERCENT", default_value = "1", value_parser = parse_percent)]
    tolerance: f64,
    /// Rows that agree, too.
    #[arg(long)]
    all: bool,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

fn parse_map(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(theirs, ours)| !theirs.is_empty() && !ours.is_empty());
    let pair = pair.ok_or_else(|| format!("`{text}` is no pair; write THEIRS=PROVIDER"))?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let percent = text.trim_end_matches('%').parse::<f64>().ok();
    let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| format!("`{text}` is no share; write per cent from 0 to 100"))
}

impl Reconcile {
    /// Runs the command: the comparison to `out`, notes for people to `notes`.
    ///
    /// # Errors
    /// When a report or the ledger cannot be read.
    pub(crate) fn run(self, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let mut books = Books::default();
        let mut origins = Vec::new();
        for file in &self.files {
            let name = file.display().to_string();
            let opened = File::open(file).with_context(|| format!("`{name}` cannot be read"))?;
            let columns = self.columns.clone().unwrap_or_default();
            let mut take = |entry| books.report(&entry, &self.maps);
            origins.push(read(&mut BufReader::new(opened), &name, &columns, &mut take)?);
        }
        let Some((first, last)) = books.days() else {
            bail!("nothing of the report is ours: is a --map missing, or was nothing used?");
        };
        let vendors = self.vendors(&origins)?;
        let reader = self.source.open(notes)?;
        let (since, until) = (start_of(&first)?, UnixMs(start_of(&last)?.0 + DAY_MS));
        let mut refusal = None;
        reader.daily(Some(since), Some(until), |daily| {
            if vendors.contains(&daily.vendor) && refusal.is_none() {
                refusal = books.ledger(&daily, !self.maps.is_empty()).err();
            }
        })?;
        if let Some(why) = refusal {
            bail!(why);
        }
        let tolerance = self.tolerance / 100.0;
        let scope = told::Scope { first: &first, last: &last, vendors: &vendors, tolerance };
        if self.json {
            writeln!(out, "{:#}", told::document(&books, &scope))?;
        } else {
            told::write(out, &books, &scope, self.all)?;
        }
        let is_good = |verdict| matches!(verdict, Verdict::Agrees | Verdict::Explained);
        let agrees = books.rows.values().all(|pair| is_good(pair.verdict(tolerance)));
        Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    /// The providers whose exchanges are compared.
    fn vendors(&self, origins: &[Origin]) -> anyhow::Result<Vec<String>> {
        let mut vendors = self.vendors.clone();
        vendors.extend(self.maps.iter().map(|(_, provider)| provider.clone()));
        if vendors.is_empty() {
            vendors.extend(origins.iter().filter_map(|origin| origin.vendor()).map(str::to_owned));
        }
        if vendors.is_empty() {
            bail!("whose report is this? name the provider of the configuration with --vendor");
        }
        vendors.sort();
        vendors.dedup();
        Ok(vendors)
    }
}

fn start_of(day: &str) -> anyhow::Result<UnixMs> {
    match When::from_str(day) {
        Ok(When::At(at)) => Ok(at),
        _ => bail!("the report has a day `{day}` that no ledger reaches"),
    }
}
