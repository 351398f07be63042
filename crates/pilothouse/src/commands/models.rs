//! `pilothouse models`: the catalogue; what dies when, and what replaces it.

pub(super) mod calendar;
mod compare;
mod filter;
mod refresh;
mod report;
mod sign;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use pilothouse_catalog::row::Class;
use pilothouse_catalog::{Catalog, Model, day};
use pilothouse_core::clock::UnixMs;

use filter::Filter;

/// Lists models, their prices, limits and lifecycle.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Models {
    #[command(subcommand)]
    action: Option<Action>,
    /// Words that platform, id or name must contain.
    #[arg(value_name = "WORD")]
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
    /// An overlay or a refreshed file laid over the bundled catalogue (repeatable, the last one wins).
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// Print JSON, one object with every fact and source.
    #[arg(long, conflicts_with = "ics")]
    json: bool,
    /// Print an iCalendar file of the deadlines (RFC 5545). Dates without notice are left out.
    #[arg(long)]
    ics: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Check the catalogue itself, and compare it with the lists of models of the configured providers.
    Check(compare::Check),
    /// Lay newer facts over the catalogue: a signed release, or one of the public feeds.
    Refresh(refresh::Refresh),
    /// Sign the catalogue, with your overlays, as a release of your own.
    Sign(sign::Sign),
    /// Make a key that signs releases.
    Key(sign::Key),
}

impl Models {
    /// Runs the command. `now` decides what is retired.
    ///
    /// # Errors
    /// When an overlay cannot be read or a filter is not understood: exit 2.
    pub(crate) fn run(self, out: &mut dyn Write, now: UnixMs) -> Result<ExitCode> {
        match self.action {
            Some(Action::Check(command)) => return command.run(out, now),
            Some(Action::Refresh(command)) => return command.run(out, now),
            Some(Action::Sign(command)) => return command.run(out, now),
            Some(Action::Key(command)) => return command.run(out),
            None => {}
        }
        let catalog = load(&self.catalog)?;
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
            calendar::write(models.iter().filter_map(|model| calendar::End::of(model, now)), out, now)?;
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

/// The bundled catalogue with files over it, the last one winning.
pub(super) fn load(files: &[PathBuf]) -> Result<Catalog> {
    let mut catalog = Catalog::bundled();
    for path in files {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("{}: cannot be read; name an overlay or a refreshed file with --catalog", path.display())
        })?;
        catalog = catalog.with_file(&text, &path.display().to_string())?;
    }
    Ok(catalog)
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
