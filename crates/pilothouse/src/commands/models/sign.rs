//! `pilothouse models key` and `pilothouse models sign`: a team's own releases of the catalogue.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, ensure};
use pilothouse_catalog::day;
use pilothouse_core::clock::UnixMs;
use pilothouse_migrate::refresh::book_of;
use pilothouse_migrate::refresh::release::Release;
use pilothouse_migrate::refresh::trust::{Root, Signing};

/// Makes a key that signs releases.
#[derive(Debug, clap::Args)]
pub(super) struct Key {
    /// The file that gets the private key; it must not be there.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Signs the catalogue as a release.
#[derive(Debug, clap::Args)]
pub(super) struct Sign {
    /// The private key (repeatable: each signs).
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// An overlay or a refreshed file laid over the bundled catalogue (repeatable, the last one wins).
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// A public key that signs the releases after this one, in place of those that are trusted now (repeatable).
    #[arg(long, value_name = "KEY")]
    root: Vec<String>,
    /// The day of which the release speaks; today where not given.
    #[arg(long, value_name = "DAY")]
    as_of: Option<String>,
    /// The file that gets the release.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Key {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<ExitCode> {
        let (key, pem) = Signing::generate().map_err(|why| anyhow!(why))?;
        write_private(&self.file, &pem)?;
        writeln!(
            out,
            "{} holds the private key: keep it from everybody who does not publish releases",
            self.file.display()
        )?;
        writeln!(
            out,
            "whoever trusts it writes into pilothouse.toml:\n[catalog]\nroots = [\"{}\"]",
            key.root()
        )?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Sign {
    pub(super) fn run(self, out: &mut dyn Write, now: UnixMs) -> Result<ExitCode> {
        let as_of = self.as_of.clone().unwrap_or_else(|| day::of(now));
        ensure!(day::start_of(&as_of).is_some(), "`{as_of}` is no day: write it as 2026-12-01");
        let keys: Result<Vec<Signing>> = self.key.iter().map(|path| signing(path)).collect();
        let roots: Result<Vec<Root>, String> = self.root.iter().map(|text| Root::parse(text)).collect();
        let roots = roots.map_err(|why| anyhow!("--root: {why}"))?;
        let mut book = book_of(&super::load(&self.catalog)?);
        // What is said today is said of today: else an installation that knows a newer row would pass it over.
        let bundled = book_of(&pilothouse_catalog::Catalog::bundled());
        for (key, row) in &mut book {
            if bundled.get(key) != Some(row) && row.as_of < as_of {
                row.as_of.clone_from(&as_of);
            }
        }
        let text = Release::write(&book, &as_of, &roots, &keys?)?;
        std::fs::write(&self.output, &text).with_context(|| {
            format!("{}: cannot be written; choose another place with --output", self.output.display())
        })?;
        writeln!(out, "{}: {} rows as of {as_of}, signed", self.output.display(), book.len())?;
        Ok(ExitCode::SUCCESS)
    }
}

fn signing(path: &Path) -> Result<Signing> {
    let pem = std::fs::read_to_string(path).with_context(|| {
        format!("{}: cannot be read; `pilothouse models key FILE` makes a key", path.display())
    })?;
    Signing::parse(&pem).map_err(|why| anyhow!("{}: {why}", path.display()))
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| {
        format!("{}: cannot be made; a key is never written over a file that is there", path.display())
    })?;
    file.write_all(text.as_bytes()).with_context(|| path.display().to_string())
}
