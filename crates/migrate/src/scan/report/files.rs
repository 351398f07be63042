//! The files that a report speaks of, read again where a form needs their text.

use std::fs;
use std::io;
use std::path::PathBuf;

/// Gives the bytes of a finding's file.
pub trait Files {
    /// The bytes of the file that findings name `path`.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
}

/// Files below the folder that paths of a report are relative to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// That folder; empty is the one in which the program runs.
    pub root: PathBuf,
}

impl Disk {
    /// Where a finding's file lies.
    #[must_use]
    pub fn place(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(self.place(path))
    }
}

/// Files in memory, by path.
impl Files for std::collections::BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
