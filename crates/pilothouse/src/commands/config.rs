//! `pilothouse config export`: what the store manages, as a part of the configuration file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use pilothouse_core::clock::{Clock, SystemClock};
use pilothouse_gateway::config::Source;
use pilothouse_gateway::export::{Exported, Section, export};
use pilothouse_store::keys::Keys;
use pilothouse_store::{LEDGER_FILE, StoreError};
use serde_json::json;

#[cfg(test)]
mod tests;

/// The configuration, and what the store manages beside it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Write minted keys (by hash) and temporary limits as sections of the configuration.
    Export(Export),
}

#[derive(Clone, Debug, clap::Args)]
struct Export {
    /// The data folder with the keys.
    #[arg(long, value_name = "DIR", env = "PILOTHOUSE_DATA", default_value = "./.pilothouse")]
    data: PathBuf,
    /// Add the sections to this file, made where it is not there; without it they are printed.
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
    /// Take what was written out of the store: the file manages it from then on.
    #[arg(long, requires = "into")]
    remove: bool,
    /// Say what was written as one JSON document; needs `--into`.
    #[arg(long, requires = "into")]
    json: bool,
}

impl Config {
    /// Runs the command: sections to `out`, notes for people to `notes`.
    ///
    /// # Errors
    /// What the store or the system refuses, and why.
    pub(crate) fn run(self, out: &mut dyn Write, notes: &mut dyn Write) -> Result<ExitCode> {
        let Action::Export(command) = self.action;
        command.run(out, notes, &super::user(), &SystemClock)
    }
}

impl Export {
    fn run(
        &self,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        actor: &str,
        clock: &dyn Clock,
    ) -> Result<ExitCode> {
        let ledger = self.data.join(LEDGER_FILE);
        if !ledger.exists() {
            return Err(StoreError::Missing { path: ledger }.into());
        }
        let store = Keys::open(&self.data, clock)?;
        let exported = export(&store, clock.now())?;
        for note in &exported.notes {
            writeln!(notes, "note: {note}")?;
        }
        let Some(into) = &self.into else {
            write!(out, "{}", exported.text())?;
            return Ok(ExitCode::SUCCESS);
        };
        let prepared = prepare(into, &exported)?;
        if self.remove {
            // Removed before the file is in place: a gateway that reads the file must not find both.
            store.hand_over(&names(&exported.keys), &names(&exported.limits), actor, clock.now())?;
        }
        std::fs::rename(&prepared, into).with_context(|| {
            format!(
                "could not put {} in place of {}; the sections are in the first",
                prepared.display(),
                into.display()
            )
        })?;
        self.confirm(out, into, &exported)?;
        Ok(ExitCode::SUCCESS)
    }

    fn confirm(&self, out: &mut dyn Write, into: &Path, exported: &Exported) -> Result<()> {
        let (keys, limits) = (exported.keys.len(), exported.limits.len());
        if self.json {
            let document = json!({
                "file": into, "keys": names(&exported.keys), "temporary_limits": names(&exported.limits), "removed": self.remove,
                "notes": exported.notes,
            });
            writeln!(out, "{document:#}")?;
            return Ok(());
        }
        writeln!(out, "wrote {keys} keys and {limits} temporary limits into {}", into.display())?;
        if self.remove {
            writeln!(out, "and took them out of the store: the file manages them now")?;
        } else if keys + limits > 0 {
            writeln!(
                out,
                "the store has them too, and a configuration that has what the store has does not load: add `--remove`, or \
                 remove them there before you use the file"
            )?;
        }
        Ok(())
    }
}

fn names(sections: &[Section]) -> Vec<String> {
    sections.iter().map(|section| section.name.clone()).collect()
}

/// Writes what the file is to be beside it, and makes sure that it can be read.
fn prepare(into: &Path, exported: &Exported) -> Result<PathBuf> {
    let before = match std::fs::read_to_string(into) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("could not read {}", into.display())),
    };
    let gap = match before.as_str() {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let there = Source::parse(before.clone(), Some(into.to_owned()))?;
    let is_new = |section: &&Section| !Exported::is_in(&there.file, section);
    let new: String = exported.sections().filter(is_new).map(|section| section.text.as_str()).collect();
    let text = if new.is_empty() { before } else { format!("{before}{gap}{new}") };
    if let Err(error) = Source::parse(text.clone(), Some(into.to_owned())) {
        bail!("nothing was written or removed, because the file would not load:\n{error}");
    }
    let mut name = into.as_os_str().to_owned();
    name.push(".new");
    let prepared = PathBuf::from(name);
    let failed = || format!("could not write {}", prepared.display());
    let mut file = std::fs::File::create(&prepared).with_context(failed)?;
    if let Ok(about) = std::fs::metadata(into) {
        file.set_permissions(about.permissions()).with_context(failed)?;
    }
    file.write_all(text.as_bytes()).with_context(failed)?;
    // What leaves the store must be on disk elsewhere first.
    file.sync_all().with_context(failed)?;
    Ok(prepared)
}
