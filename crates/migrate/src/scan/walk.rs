//! The files of a repository that are worth reading, in a stable order.

use std::path::{Path, PathBuf};

/// Which files are walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The biggest file that is read, in bytes.
    pub file_bytes_max: u64,
    /// Whether files that git ignores are walked too.
    pub with_ignored: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { file_bytes_max: 4 * 1024 * 1024, with_ignored: false }
    }
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its path for people: relative to the path that was walked, with `/`.
    pub name: String,
    /// Its path for opening it.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Everything that a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// The files, by name.
    pub files: Vec<Found>,
    /// What is left out, with the reason, by name.
    pub skipped: Vec<(String, String)>,
}

/// Walks `root`, a folder or a file.
#[must_use]
pub fn walk(_root: &Path, _options: &Options) -> Walked {
    Walked::default()
}
