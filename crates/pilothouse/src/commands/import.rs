//! `pilothouse import`: another program's configuration as ours, and a list of everything that is not in it.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use pilothouse_core::clock::{Clock, SystemClock};
use pilothouse_gateway::config;
use pilothouse_import::{BYTES_MAX, Imported, Importer, Input, Left};
use serde_json::{Value, json};

use super::logs::source::iso;

#[cfg(test)]
mod tests;

/// Another program's configuration as ours.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// The config.yaml of LiteLLM's proxy.
    Litellm(Files),
}

#[derive(Debug, Args)]
struct Files {
    /// The configuration to read; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the configuration into this file, prices beside it, and the list to standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace files that are there.
    #[arg(long, requires = "output")]
    force: bool,
    /// One JSON document of configuration, prices and list, instead of the configuration.
    #[arg(long)]
    json: bool,
}

impl Import {
    /// Runs the command: the configuration, or with `--output` the list, to `out`; the rest to `notes`.
    ///
    /// # Errors
    /// When the file cannot be read, or what is to be written is there already.
    pub(crate) fn run(self, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<ExitCode> {
        self.run_at(out, notes, &SystemClock, &|name| std::env::var(name).ok())
    }

    fn run_at(
        self,
        out: &mut dyn Write,
        notes: &mut dyn Write,
        clock: &dyn Clock,
        variables: &dyn Fn(&str) -> Option<String>,
    ) -> anyhow::Result<ExitCode> {
        let (name, files) = match self.from {
            From::Litellm(files) => ("litellm", files),
        };
        let importer = pilothouse_import::find(name).context("this version has no such importer")?;
        let overlay = files.output.as_deref().map(overlay_beside);
        let text = read(&files.file)?;
        let origin = files.file.to_string_lossy();
        let today = iso(clock.now());
        let imported = (importer.read)(&Input {
            text: &text,
            origin: &origin,
            variables,
            today: today.get(..10).unwrap_or("1970-01-01"),
            overlay: overlay.as_ref().and_then(|path| path.file_name()?.to_str()),
        })?;
        // What we write must be what we read; a mistake of ours is not to be found out by whoever starts the gateway.
        config::Source::parse(imported.config.clone(), None).map_err(|error| {
            anyhow::anyhow!("what was made of it is no configuration; report this: {error}")
        })?;
        match (&files.output, &overlay) {
            (Some(path), Some(overlay)) => {
                files.write(path, overlay, &imported)?;
                if files.json {
                    writeln!(out, "{:#}", document(importer, &imported))?;
                } else {
                    write_list(out, &origin, &imported)?;
                    write_next(out, path, &imported)?;
                }
            }
            _ if files.json => writeln!(out, "{:#}", document(importer, &imported))?,
            _ => {
                out.write_all(imported.config.as_bytes())?;
                write_list(notes, &origin, &imported)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Files {
    fn write(&self, path: &Path, overlay: &Path, imported: &Imported) -> anyhow::Result<()> {
        let overlay = imported.overlay.as_ref().map(|text| (overlay, text));
        let files: Vec<(&Path, &String)> = [(path, &imported.config)].into_iter().chain(overlay).collect();
        if !self.force
            && let Some((there, _)) = files.iter().find(|(path, _)| path.exists())
        {
            bail!(
                "`{}` is there already; choose another file, or give --force to replace it",
                there.display()
            );
        }
        for (path, text) in files {
            let mut options = OpenOptions::new();
            if self.force {
                options.create(true).truncate(true);
            } else {
                options.create_new(true);
            }
            let written = options.write(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()));
            written.with_context(|| format!("`{}` cannot be written", path.display()))?;
        }
        Ok(())
    }
}

/// The file for prices beside a configuration: `pilothouse.prices.toml` beside `pilothouse.toml`.
fn overlay_beside(path: &Path) -> PathBuf {
    path.with_extension("prices.toml")
}

/// Reads a file, within the bound of what is imported.
fn read(path: &Path) -> anyhow::Result<String> {
    let bound = u64::try_from(BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(bound).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(bound).read_to_string(&mut text))
    };
    read.with_context(|| format!("`{}` cannot be read as a text", path.display()))?;
    Ok(text)
}

fn write_list(out: &mut dyn Write, origin: &str, imported: &Imported) -> anyhow::Result<()> {
    if imported.left.is_empty() {
        writeln!(out, "everything in {origin} was carried over")?;
        return Ok(());
    }
    let (partly, whole): (Vec<&Left>, Vec<&Left>) = imported.left.iter().partition(|left| left.is_partly);
    for (list, heading) in [(whole, "not carried over"), (partly, "carried over in part")] {
        if !list.is_empty() {
            writeln!(out, "{heading}, by line of {origin}:")?;
        }
        for left in list {
            let lines = if left.last_line > left.line {
                format!("{}-{}", left.line, left.last_line)
            } else {
                left.line.to_string()
            };
            writeln!(out, "  {lines:>9}  {}\n             {}", left.key, left.reason)?;
            if !left.instead.is_empty() {
                writeln!(out, "             -> {}", left.instead)?;
            }
        }
    }
    Ok(())
}

/// What is to be done next.
fn write_next(out: &mut dyn Write, path: &Path, imported: &Imported) -> anyhow::Result<()> {
    writeln!(out, "written: {}", path.display())?;
    if imported.overlay.is_some() {
        writeln!(out, "prices:  {}", overlay_beside(path).display())?;
    }
    if !imported.variables.is_empty() {
        writeln!(out, "set:     {}", imported.variables.join(", "))?;
    }
    writeln!(out, "then:    pilothouse check --config {}", path.display())?;
    Ok(())
}

fn document(importer: &Importer, imported: &Imported) -> Value {
    let left: Vec<Value> = imported
        .left
        .iter()
        .map(|left| {
            json!({
                "line": left.line,
                "column": left.column,
                "last_line": left.last_line,
                "key": left.key,
                "in_part": left.is_partly,
                "reason": left.reason,
                "instead": left.instead,
            })
        })
        .collect();
    json!({
        "from": importer.name,
        "config": imported.config,
        "prices": imported.overlay,
        "variables": imported.variables,
        "left": left,
    })
}
