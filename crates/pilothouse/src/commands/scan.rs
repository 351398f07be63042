//! `pilothouse scan`: arguments in, files and standard output out. What is found, judged, printed and mended is the
//! library's.

mod asked;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use pilothouse_catalog::{Catalog, day};
use pilothouse_core::clock::UnixMs;
use pilothouse_migrate::scan::baseline::{Baseline, Entry};
use pilothouse_migrate::scan::finding::Report;
use pilothouse_migrate::scan::fix;
use pilothouse_migrate::scan::report::files::Disk;
use pilothouse_migrate::scan::report::table::Style;
use pilothouse_migrate::scan::report::{Format, Selection, View};
use pilothouse_migrate::scan::traffic::Joined;
use pilothouse_migrate::scan::verdict::{Terms, Verdict};
use pilothouse_migrate::scan::{Options, Scanner, roots};

use super::models::{load, parse_days};

/// Finds where source code names models that are about to go, and calls that their models refuse.
///
/// Works offline, without configuration, and respects .gitignore. Exits 1 when something that is called fails as of today.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Scan {
    /// Files and folders.
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// How it is printed: table for people, json, sarif (2.1.0), github (annotations) or markdown (a comment).
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = parse_format)]
    format: Format,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Write it to this file; one line then says here how it went.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Judge as of this day instead of today, e.g. `2026-12-11`.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    today: Option<String>,
    /// Also fail for what begins to fail within this time, e.g. `60d`, `8w`.
    #[arg(long, value_name = "TIME", value_parser = parse_days)]
    fail_within: Option<u32>,
    /// Accept what this file names, and fail for the rest only.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the baseline anew with everything that is found now.
    #[arg(long, requires = "baseline", conflicts_with = "fix")]
    write_baseline: bool,
    /// Mend what blocks, is certain and calls: never tests and their data, vendored code, or lists of models.
    #[arg(long)]
    fix: bool,
    /// With --fix: print what would change as a unified diff, and change nothing.
    #[arg(long, requires = "fix", conflicts_with_all = ["format", "json"])]
    dry_run: bool,
    /// List names that are put together at run time.
    #[arg(long)]
    dynamic: bool,
    /// List everything, also in tests, history and text, and what is ignored.
    #[arg(long)]
    all: bool,
    /// A TOML file laid over the bundled catalogue (repeatable, the last one wins).
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// The data folder of a gateway, whose traffic is told beside what is found; ./.pilothouse where it is there.
    #[arg(long, value_name = "DIR", env = "PILOTHOUSE_DATA")]
    data: Option<PathBuf>,
}

fn parse_format(text: &str) -> Result<Format, String> {
    Format::parse(text).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
        format!("use one of {}", names.join(", "))
    })
}

fn parse_day(text: &str) -> Result<String, String> {
    match day::start_of(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("write the day as YYYY-MM-DD, such as 2026-12-11".to_owned()),
    }
}

impl Scan {
    /// Runs the command: the report to `out`, notes for people to `notes`. `now` decides what is retired.
    ///
    /// # Errors
    /// When a path, the baseline, an overlay or the ledger cannot be read, or the output not be written: exit 2.
    pub(crate) fn run(
        self,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        now: UnixMs,
    ) -> anyhow::Result<ExitCode> {
        if let Some(missing) = self.paths.iter().find(|path| !path.exists()) {
            bail!(
                "{}: there is no such file or folder; name what to scan, or nothing for this folder",
                missing.display()
            );
        }
        let today = self.today.clone().unwrap_or_else(|| day::of(now));
        let catalog = load(&self.catalog)?;
        let scanner = Scanner::new(catalog.clone(), Options::on(&today)).of_paths(&self.paths);
        let mut report = scanner.scan(&self.paths);
        if self.write_baseline {
            return self.accept(&report, notes);
        }
        let mut stale = self.apply_baseline(&mut report)?;
        if self.fix {
            let plan = fix::plan(&report, &self.disk(), &scanner);
            if self.dry_run {
                self.print(&plan.diff(), out, notes, "the diff")?;
                tell_left(&plan.left, notes)?;
                return Ok(exit(&Verdict::of(&report, self.terms())));
            }
            if self.write(&plan, notes)? {
                report = scanner.scan(&self.paths);
                stale = self.apply_baseline(&mut report)?;
            }
        }
        self.tell(&report, &stale, &catalog, (out, notes), now)
    }

    /// Where the files lie that findings name.
    fn disk(&self) -> Disk {
        Disk { root: roots::root(&self.paths) }
    }

    fn terms(&self) -> Terms {
        Terms { fail_within_days: self.fail_within.unwrap_or(0) }
    }

    /// Prints the report with all that goes with it.
    fn tell(
        &self,
        report: &Report,
        stale: &[Entry],
        catalog: &Catalog,
        (out, notes): (&mut dyn Write, &mut dyn Write),
        now: UnixMs,
    ) -> anyhow::Result<ExitCode> {
        let verdict = Verdict::of(report, self.terms());
        let traffic: Option<Joined> = asked::traffic(self.data.as_deref(), report, catalog, notes, now)?;
        let view = View {
            report,
            verdict: &verdict,
            terms: self.terms(),
            selection: Selection { is_all: self.all, is_dynamic: self.dynamic },
            traffic: traffic.as_ref(),
            stale,
        };
        let format = if self.json { Format::Json } else { self.format };
        let text = format.write(&view, &self.disk(), self.style());
        let summary = view.summary();
        self.print(&text, out, notes, &summary)?;
        Ok(exit(&verdict))
    }

    /// To the file that was asked for, or to standard output.
    fn print(
        &self,
        text: &str,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        summary: &str,
    ) -> anyhow::Result<()> {
        match &self.output {
            Some(path) => {
                write_file(path, text)?;
                writeln!(notes, "wrote {}: {summary}", path.display())?;
            }
            None => out.write_all(text.as_bytes())?,
        }
        Ok(())
    }

    /// Colours are for a terminal whose user did not refuse them (<https://no-color.org>).
    fn style(&self) -> Style {
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        Style { is_coloured: self.output.is_none() && !is_refused && std::io::stdout().is_terminal() }
    }

    fn accept(&self, report: &Report, notes: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let Some(path) = &self.baseline else { bail!("name the file with --baseline") };
        let baseline = Baseline::of(report, &self.disk());
        let count: usize = baseline.findings.iter().map(|entry| entry.count).sum();
        write_file(path, &baseline.to_json())?;
        writeln!(notes, "wrote {} with {count} accepted findings: commit it", path.display())?;
        Ok(ExitCode::SUCCESS)
    }

    /// Takes what the baseline accepts out of the count; gives what it names and is gone.
    fn apply_baseline(&self, report: &mut Report) -> anyhow::Result<Vec<Entry>> {
        let Some(path) = &self.baseline else { return Ok(Vec::new()) };
        let name = path.display().to_string();
        let text = fs::read_to_string(path)
            .with_context(|| format!("{name}: cannot be read; write it with --write-baseline"))?;
        let baseline = Baseline::parse(&text).map_err(|refusal| anyhow::anyhow!("{name} {refusal}"))?;
        Ok(baseline.apply(report, &self.disk(), &name))
    }

    /// Writes the changes; says whether any file is another one now.
    fn write(&self, plan: &fix::Plan, notes: &mut dyn Write) -> anyhow::Result<bool> {
        let written = fix::write::write(plan, &self.disk());
        for path in &written.paths {
            let titles = plan.changes.iter().find(|change| change.path == *path).map(|change| &change.titles);
            writeln!(notes, "mended {path}: {}", titles.map(|titles| titles.join("; ")).unwrap_or_default())?;
        }
        tell_left(&plan.left, notes)?;
        tell_left(&written.left, notes)?;
        Ok(!written.paths.is_empty())
    }
}

fn tell_left(left: &[fix::Left], notes: &mut dyn Write) -> anyhow::Result<()> {
    for one in left {
        let line = one.line.map(|line| format!(":{line}")).unwrap_or_default();
        writeln!(notes, "left   {}{line}: {}", one.path, one.reason)?;
    }
    Ok(())
}

fn exit(verdict: &Verdict) -> ExitCode {
    if verdict.is_failed() { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .with_context(|| format!("{}: the folder cannot be made", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("{}: cannot be written; name another file", path.display()))
}
