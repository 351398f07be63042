//! `pilothouse migrate lint`: recorded requests against another model.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use pilothouse_catalog::Catalog;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_migrate::lint::{self, Mode, Target};
use pilothouse_store::{BodyReader, Filter};

use crate::commands::logs::LogsFilter;
use crate::commands::logs::bodies::KeyChoice;
use crate::commands::logs::source::{Source, When, iso};
use crate::commands::models::load;

use super::recorded;

/// Checks recorded requests against another model; exits with 1 when it would refuse any.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Lint {
    /// The model that they would go to: vendor/model, or its maker's own name for it.
    #[arg(long, value_name = "MODEL")]
    to: String,
    /// From this time on: 30m, 1h, 7d, 2026-11-22 or 2026-11-22T12:00:00Z.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: When,
    /// Only before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    #[command(flatten)]
    filter: LogsFilter,
    /// The dialect that the model is called in, where its provider's `dialect` says one; else the client's own where the
    /// vendor speaks it.
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,
    /// As requests were sent, without what the gateway mends: for `compat = "strict"` or `"off"`, and for clients that
    /// call the vendor themselves.
    #[arg(long)]
    as_sent: bool,
    /// An overlay or a refreshed file laid over the bundled catalogue (repeatable, the last one wins).
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// One JSON document instead of a report for people.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    choice: KeyChoice,
    #[command(flatten)]
    source: Source,
}

impl Lint {
    pub(super) fn run(
        &self,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        now: UnixMs,
    ) -> anyhow::Result<ExitCode> {
        let catalog = load(&self.catalog)?;
        let target = self.target(&catalog)?;
        let reader = self.source.open(notes)?;
        let (bodies, key) = (BodyReader::open(&self.source.data)?, self.choice.key()?);
        let since = self.since.from(now);
        let mode = if self.as_sent { Mode::AsSent } else { Mode::Fix };
        let mut lint = lint::Lint::new(&catalog, target, mode, now);
        let filter = Filter {
            since: Some(since),
            until: self.until.map(|until| until.from(now)),
            ..self.filter.to_filter()
        };
        recorded::each(&reader, &filter, |exchange| {
            // A body that cannot be opened is one that is not there: the shape is.
            let kept =
                bodies.as_ref().and_then(|bodies| bodies.exchange(exchange.id, key.as_ref()).ok().flatten());
            lint.add(exchange, kept.as_ref().map(|kept| &*kept.request));
        })?;
        let report = lint.finish(Some(since));
        if self.json {
            writeln!(out, "{:#}", serde_json::to_value(&report)?)?;
        } else {
            write!(out, "{}", lint::table(&report, &iso))?;
        }
        if report.exchanges == 0 {
            writeln!(
                notes,
                "nothing to check in {}: widen --since, drop a filter, or send requests through Pilothouse first",
                reader.path().display()
            )?;
        }
        Ok(if report.is_refused() { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }

    fn target(&self, catalog: &Catalog) -> anyhow::Result<Target> {
        let target = Target::find(catalog, &self.to)?;
        let Some(name) = &self.dialect else { return Ok(target) };
        let vendor = target.vendor().title.clone();
        Dialect::parse(name).and_then(|dialect| target.speaking(dialect)).with_context(|| {
            let names: Vec<_> = Dialect::ALL.iter().map(|dialect| dialect.as_str()).collect();
            format!("{vendor} is not called in `{name}`; dialects are {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests;
