//! Why a ledger could not be opened, read or written, and what to do about it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::bodies::KEY_FILE;
use crate::folder::ServerInfo;

/// Why a ledger could not be opened, read or written. Its text names the file, the reason and the next step.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no ledger in this data folder.
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The file is an SQLite database or something else, but not a ledger.
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// A newer Pilothouse wrote this ledger; nothing was changed.
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema version found in it.
        found: u32,
        /// The newest schema version that this build knows.
        known: u32,
        /// The version of the program that made it so.
        written_by: String,
    },
    /// An older Pilothouse wrote this ledger, and a reader may not change it.
    Older {
        /// The file.
        path: PathBuf,
        /// The schema version found in it.
        found: u32,
        /// The schema version that this build reads.
        known: u32,
    },
    /// Another process writes to this data folder.
    Busy {
        /// The data folder.
        dir: PathBuf,
        /// What that process says about itself.
        server: Option<ServerInfo>,
    },
    /// A row does not hold what this schema version writes.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The bodies were sealed with another key, or theirs is gone.
    WrongBodyKey {
        /// The file of bodies.
        path: PathBuf,
    },
    /// What was asked for cannot be done; nothing was changed.
    Refused {
        /// What, why, and what to do.
        what: String,
    },
    /// The operating system or the database refused.
    Failed {
        /// The file or folder.
        path: PathBuf,
        /// What was being done, as in "could not …".
        doing: &'static str,
        /// The reason.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    pub(crate) fn failed(
        path: &Path,
        doing: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Failed { path: path.to_owned(), doing, cause: cause.into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(
                out,
                "there is no ledger at {}: `pilothouse serve` or `pilothouse demo` makes one, \
                 `--data DIR` reads another folder",
                path.display()
            ),
            Self::NotALedger { path } => write!(
                out,
                "{} is not a Pilothouse ledger: move it away, or use another folder with `--data DIR`",
                path.display()
            ),
            Self::Newer { path, found, known, written_by } => write!(
                out,
                "{} has schema version {found}, written by Pilothouse {written_by}; this is Pilothouse {} and \
                 knows versions up to {known}. Nothing was changed. Run Pilothouse {written_by} or newer on it, \
                 or start this one in another folder: `pilothouse serve --data DIR`",
                path.display(),
                env!("CARGO_PKG_VERSION"),
            ),
            Self::Older { path, found, known } => write!(
                out,
                "{} has schema version {found}, and this Pilothouse reads version {known}: start \
                 `pilothouse serve` on it once, which brings it forward and keeps everything",
                path.display()
            ),
            Self::Busy { dir, server: Some(server) } => write!(
                out,
                "another Pilothouse (pid {}, {}) already records into {}: stop it, or give this one its own \
                 folder with `--data DIR`",
                server.pid,
                server.url,
                dir.display()
            ),
            Self::Busy { dir, server: None } => write!(
                out,
                "another process already records into {}: stop it, or give this one its own folder with \
                 `--data DIR`",
                dir.display()
            ),
            Self::Damaged { path, what } => write!(
                out,
                "{} is damaged: {what}. Keep a copy, move it away, and start again with an empty folder",
                path.display()
            ),
            Self::WrongBodyKey { path } => write!(
                out,
                "the bodies in {} were sealed with another key than the one at hand: put back `{KEY_FILE}` beside it or \
                 the key that [store] bodies_key named, or remove the file, whose content nobody can read without it",
                path.display()
            ),
            Self::Refused { what } => out.write_str(what),
            Self::Failed { path, doing, cause } => {
                write!(out, "could not {doing} {}: {cause}", path.display())
            }
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed { cause, .. } => Some(cause.as_ref()),
            _ => None,
        }
    }
}
