//! `pilothouse models`: the catalogue; what dies when, and what replaces it.

mod calendar;
mod filter;
mod report;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use pilothouse_catalog::row::Class;
use pilothouse_catalog::{Catalog, Model, check, day};
use pilothouse_core::clock::UnixMs;

use filter::Filter;

/// Lists models, their prices, limits and lifecycle.
#[derive(Debug, clap::Args)]
pub(crate) struct Models {
    /// Words that platform, id or name must contain; `check` checks the catalogue itself.
    #[arg(value_name = "WORD|check")]
    words: Vec<String>,
    /// Only models that stop within this time, by the provider's notice, e.g. `90d`, `6w`.
    #[arg(long, value_name = "TIME", value_parser = parse_days)]
    retiring: Option<u32>,
    /// Only this platform (repeatable), e.g. `openai`.
    #[arg(long, value_name = "NAME")]
    vendor: Vec<String>,
    /// Only models that can do this, `!x` for those that cannot (repeatable), e.g. `tools`, `image_input`.
    #[arg(long, value_name = "NAME")]
    capability: Vec<String>,
    /// At most this price of input, in dollars per million tokens.
    #[arg(long, value_name = "USD")]
    max_price_input: Option<String>,
    /// At most this price of output, in dollars per million tokens.
    #[arg(long, value_name = "USD")]
    max_price_output: Option<String>,
    /// At least this context window, in tokens (`200k`, `1M`).
    #[arg(long, value_name = "TOKENS", value_parser = parse_tokens)]
    min_context: Option<u64>,
    /// Only this licence of the weights, e.g. `apache-2.0`.
    #[arg(long, value_name = "NAME")]
    licence: Option<String>,
    /// Only models whose weights can be downloaded.
    #[arg(long)]
    open_weights: bool,
    /// Only this stage (repeatable): active, scheduled, deprecated, retired.
    #[arg(long, value_name = "STAGE")]
    lifecycle: Vec<String>,
    /// A TOML file laid over the bundled catalogue (repeatable, the last one wins).
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// Print JSON, one object with every fact and source.
    #[arg(long, conflicts_with = "ics")]
    json: bool,
    /// Print an iCalendar file of the deadlines (RFC 5545). Dates without notice are left out.
    #[arg(long)]
    ics: bool,
}

impl Models {
    /// Runs the command. `now` decides what is retired.
    ///
    /// # Errors
    /// When an overlay cannot be read or a filter is not understood: exit 2.
    pub(crate) fn run(self, out: &mut dyn Write, now: UnixMs) -> Result<ExitCode> {
        let catalog = load(&self.catalog)?;
        if self.words.first().is_some_and(|word| word == "check") {
            return report_check(&catalog, self.json, out);
        }
        let filter = Filter::of(&self, &catalog, now)?;
        let mut models: Vec<Model> = catalog.models().filter(|model| filter.fits(model)).collect();
        if self.retiring.is_some() || self.ics {
            models.sort_by(|left, right| {
                (left.deadline(), left.platform(), left.id()).cmp(&(
                    right.deadline(),
                    right.platform(),
                    right.id(),
                ))
            });
        } else {
            models.sort_by(|left, right| (left.platform(), left.id()).cmp(&(right.platform(), right.id())));
        }
        if self.ics {
            calendar::write(&models, out, now)?;
        } else if self.json {
            report::json(&models, out, now)?;
        } else if let Some(days) = self.retiring {
            report::retiring(&models, days, out, now)?;
        } else {
            report::table(&models, out, now)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The bundled catalogue with these files laid over it.
///
/// # Errors
/// When one cannot be read or understood.
pub(super) fn load(overlays: &[PathBuf]) -> Result<Catalog> {
    let mut catalog = Catalog::bundled();
    for path in overlays {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("{}: cannot be read; name a TOML file with --catalog", path.display())
        })?;
        catalog = catalog.with_overlay(&text, &path.display().to_string())?;
    }
    Ok(catalog)
}

fn report_check(catalog: &Catalog, json: bool, out: &mut dyn Write) -> Result<ExitCode> {
    let problems = check::problems(catalog);
    if json {
        serde_json::to_writer_pretty(&mut *out, &serde_json::json!({ "problems": problems }))?;
        writeln!(out)?;
    } else if problems.is_empty() {
        let (models, vendors) = (catalog.models().count(), catalog.vendors().len());
        writeln!(out, "the catalogue is consistent: {models} models, {vendors} vendors")?;
    } else {
        for problem in &problems {
            writeln!(out, "{problem}")?;
        }
        writeln!(out, "{} problems; correct the overlay, or report them if there is none", problems.len())?;
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// A time as days: `90d`, `12w`, `90`.
pub(super) fn parse_days(text: &str) -> Result<u32> {
    let (digits, factor) = match text.strip_suffix('w') {
        Some(weeks) => (weeks, 7),
        None => (text.strip_suffix('d').unwrap_or(text), 1),
    };
    let count = digits.parse::<u32>().ok().and_then(|count| count.checked_mul(factor));
    match count.filter(|days| *days <= 36_500) {
        Some(days) => Ok(days),
        None => bail!("`{text}` is not a time: write days or weeks, such as 90d or 12w"),
    }
}

/// A number of tokens: `200k`, `1M`, `131072`.
fn parse_tokens(text: &str) -> Result<u64> {
    let (digits, factor) = match text.chars().last() {
        Some('k' | 'K') => (&text[..text.len() - 1], 1_000),
        Some('m' | 'M') => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    match digits.parse::<u64>().ok().and_then(|count| count.checked_mul(factor)) {
        Some(count) => Ok(count),
        None => bail!("`{text}` is not a number of tokens: write 200k, 1M or 131072"),
    }
}

/// Dollars per million tokens of a class, as people write it.
fn per_million(model: &Model, class: Class, now: UnixMs) -> Option<String> {
    model.base_price(class, now).map(|price| price.times(1_000_000).to_string())
}

/// Days from now to a model's deadline.
fn days_left(model: &Model, now: UnixMs) -> Option<i64> {
    day::days_until(model.deadline()?, now)
}

#[cfg(test)]
mod tests;
