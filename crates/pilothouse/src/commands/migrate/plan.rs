//! `pilothouse migrate plan` and `pilothouse migrate accept`.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use pilothouse_catalog::day;
use pilothouse_core::clock::UnixMs;
use pilothouse_migrate::advise::{self, Advice, Adviser, Source as Code};
use pilothouse_migrate::plan::Plan as File;
use pilothouse_migrate::scan::{Options, Scanner};
use pilothouse_store::{BodyReader, Filter};

use crate::commands::logs::bodies::KeyChoice;
use crate::commands::logs::source::When;

use super::recorded;
use super::sources::Sources;

/// Longest file whose calls are read again for each candidate.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Makes a plan to leave a model: where to go, what would break, what it would cost.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Plan {
    /// The model to leave: vendor/model, or its maker's own name for it.
    #[arg(value_name = "OLD")]
    from: String,
    /// The model to go to; several are compared where not given.
    #[arg(long, value_name = "MODEL")]
    to: Option<String>,
    /// Recorded calls from this time on: 7d, 2026-11-22 or 2026-11-22T12:00:00Z.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: When,
    /// The folder that gets OLD-to-NEW.toml, for the steps after this one, and OLD-to-NEW.md, for reviewers.
    #[arg(long, value_name = "DIR", default_value = "plans")]
    output: PathBuf,
    /// Write no file.
    #[arg(long)]
    dry_run: bool,
    /// One JSON document instead of a report for people.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sources: Sources,
    #[command(flatten)]
    choice: KeyChoice,
}

/// Accepts a plan, so that it takes effect.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Accept {
    /// The plan's file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Who accepts it: a person, by the name that the team knows.
    #[arg(long, value_name = "NAME")]
    by: String,
}

impl Plan {
    pub(super) fn run(
        &self,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        now: UnixMs,
    ) -> anyhow::Result<ExitCode> {
        let catalog = self.sources.catalog()?;
        let mut adviser = Adviser::new(&catalog, &self.from, self.to.as_deref(), now)?;
        let since = self.since.from(now);
        self.traffic(&mut adviser, since, notes)?;
        let scanner = Scanner::new(catalog.clone(), Options::on(&day::of(now)));
        self.code(&mut adviser, &scanner, notes)?;
        let advice = adviser.finish(&scanner, Some(since));
        if self.json {
            writeln!(out, "{:#}", serde_json::to_value(&advice)?)?;
        } else {
            write!(out, "{}", advise::table(&advice))?;
        }
        if !self.dry_run {
            self.write(&advice, notes)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn traffic(&self, adviser: &mut Adviser<'_>, since: UnixMs, notes: &mut dyn Write) -> anyhow::Result<()> {
        let Some((reader, folder)) = self.sources.ledger(notes)? else { return Ok(()) };
        let (bodies, key) = (BodyReader::open(folder)?, self.choice.key()?);
        let filter = Filter { since: Some(since), ..Filter::default() };
        recorded::each(&reader, &filter, |exchange| {
            // A body that cannot be opened is one that is not there: the shape is.
            let kept =
                bodies.as_ref().and_then(|bodies| bodies.exchange(exchange.id, key.as_ref()).ok().flatten());
            adviser.add(exchange, kept.as_ref().map(|kept| &*kept.request));
        })
    }

    fn code(
        &self,
        adviser: &mut Adviser<'_>,
        scanner: &Scanner,
        notes: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let paths = self.sources.code(notes)?;
        let report = scanner.scan(&paths);
        let files: BTreeSet<_> = report.findings.iter().map(|finding| finding.place.path.clone()).collect();
        for file in files {
            let found =
                paths.iter().map(|root| if root.is_file() { root.clone() } else { root.join(&*file) });
            let Some(path) = found.into_iter().find(|path| path.is_file()) else { continue };
            if path.metadata().is_ok_and(|known| known.len() > FILE_BYTES_MAX) {
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let findings = scanner.scan_text(&file, &text);
            adviser.add_source(Code { path: file.to_string(), text, findings });
        }
        Ok(())
    }

    fn write(&self, advice: &Advice, notes: &mut dyn Write) -> anyhow::Result<()> {
        let Some(plan) = advice.plan(None) else {
            writeln!(notes, "no plan is written: there is no candidate")?;
            return Ok(());
        };
        let bare = |name: &str| name.rsplit_once('/').map_or(name, |(_, bare)| bare).replace([':', '@'], "-");
        let stem = format!("{}-to-{}", bare(&plan.from), bare(&plan.to));
        let (file, pages) =
            (self.output.join(format!("{stem}.toml")), self.output.join(format!("{stem}.md")));
        if let Ok(text) = std::fs::read_to_string(&file)
            && File::read(&text, &file.display().to_string()).is_ok_and(|known| known.is_accepted())
        {
            bail!(
                "{} was accepted and is not written over; move it away, or write elsewhere with --output",
                file.display()
            );
        }
        std::fs::create_dir_all(&self.output).with_context(|| self.output.display().to_string())?;
        for (path, text) in [(&file, plan.to_toml()), (&pages, advise::markdown(advice))] {
            std::fs::write(path, text).with_context(|| format!("{}: cannot be written", path.display()))?;
        }
        writeln!(
            notes,
            "wrote {} and {}; read them, then: pilothouse migrate accept {} --by NAME",
            file.display(),
            pages.display(),
            file.display()
        )?;
        Ok(())
    }
}

impl Accept {
    pub(super) fn run(&self, out: &mut dyn Write, now: UnixMs) -> anyhow::Result<ExitCode> {
        let name = self.file.display().to_string();
        let text = std::fs::read_to_string(&self.file)
            .with_context(|| format!("{name}: cannot be read; `pilothouse migrate plan OLD` makes a plan"))?;
        let mut plan = File::read(&text, &name).map_err(|error| anyhow!(error))?;
        if self.by.trim().is_empty() {
            bail!("--by: say who accepts it");
        }
        plan.accept(self.by.trim(), now);
        std::fs::write(&self.file, plan.to_toml()).with_context(|| format!("{name}: cannot be written"))?;
        writeln!(
            out,
            "{name}: {} to {}, accepted by {} on {}",
            plan.from,
            plan.to,
            self.by.trim(),
            day::of(now)
        )?;
        writeln!(
            out,
            "it takes effect where pilothouse.toml names it:\n[lifecycle.\"{}\"]\nplan = {name:?}\non_retired = \"successor\"",
            plan.from
        )?;
        Ok(ExitCode::SUCCESS)
    }
}
