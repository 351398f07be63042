//! Reads what other programs write: their configurations, which become ours, and vendors' reports of usage, which are
//! compared with our ledger.
//!
//! All of it comes from outside, so that every reader is bounded and every mistake has its place. Nothing here reads a
//! file, a variable or the clock: the caller does.

mod account;
mod amount;
pub mod litellm;
mod toml_text;
pub mod usage;
mod yaml;

pub use yaml::{BYTES_MAX, DEPTH_MAX, NODES_MAX};

/// A program whose configuration can be read. One file each, and a line in [`IMPORTERS`].
#[derive(Debug)]
pub struct Importer {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it reads, in a sentence.
    pub summary: &'static str,
    /// Reads it.
    ///
    /// # Errors
    /// [`ImportError`], where the text cannot be read at all.
    pub read: fn(&Input<'_>) -> Result<Imported, ImportError>,
}

/// Every importer.
pub const IMPORTERS: &[&Importer] = &[&litellm::IMPORTER];

/// The importer of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Importer> {
    IMPORTERS.iter().find(|importer| importer.name == name).copied()
}

/// A configuration to be read.
pub struct Input<'a> {
    /// Its text.
    pub text: &'a str,
    /// The file's name, for errors and for the first line of what is written.
    pub origin: &'a str,
    /// Looks up an environment variable: addresses may stand there, and ours must be written out.
    pub variables: &'a dyn Fn(&str) -> Option<String>,
    /// Today as `YYYY-MM-DD`: the day of imported prices.
    pub today: &'a str,
    /// The name of the file that prices will be written to, beside the configuration; `None` where there will be none.
    pub overlay: Option<&'a str>,
}

/// What became of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Our configuration, as TOML.
    pub config: String,
    /// The overlay of the catalogue, where prices or facts of models were given.
    pub overlay: Option<String>,
    /// Everything that was not carried over, or not in full, in the order of the file.
    pub left: Vec<Left>,
    /// The environment variables that the new configuration reads.
    pub variables: Vec<String>,
}

/// Something that was not carried over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// The line that it begins in, from 1.
    pub line: usize,
    /// The column that it begins in, in characters from 1.
    pub column: usize,
    /// The last line of it.
    pub last_line: usize,
    /// Its place: `model_list[0].litellm_params.seed`. Never its value, which may be a secret.
    pub key: String,
    /// Whether a part of its meaning was carried over.
    pub is_partly: bool,
    /// Why.
    pub reason: String,
    /// What to do instead; empty where nothing need be done.
    pub instead: String,
}

/// A text that cannot be read, with the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// The file.
    pub origin: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl std::fmt::Display for ImportError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}:{}: {}", self.origin, self.line, self.column, self.message)
    }
}

impl std::error::Error for ImportError {}

impl std::fmt::Display for Left {
    /// `12-14: general_settings.x (in part): reason; what to do`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.line)?;
        if self.last_line > self.line {
            write!(out, "-{}", self.last_line)?;
        }
        let part = if self.is_partly { " (in part)" } else { "" };
        write!(out, ": {}{part}: {}", self.key, self.reason)?;
        if self.instead.is_empty() { Ok(()) } else { write!(out, "; {}", self.instead) }
    }
}
