//! What a plan and the status rest on: code, the ledger, and the facts of the catalogue, by the same options.

use std::io::Write;
use std::path::{Path, PathBuf};

use pilothouse_catalog::Catalog;
use pilothouse_store::{Reader, Trace};

use crate::commands::models::load;

/// The data folder where none is named.
const USUAL_DATA: &str = "./.pilothouse";

/// Where code, calls and facts are read.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Sources {
    /// Files and folders whose code is read; this folder where it is a git work tree.
    #[arg(long, value_name = "PATH")]
    path: Vec<PathBuf>,
    /// Read no code.
    #[arg(long, conflicts_with = "path")]
    no_code: bool,
    /// The data folder with the ledger; the usual one where it is there.
    #[arg(long, value_name = "DIR", env = "PILOTHOUSE_DATA")]
    data: Option<PathBuf>,
    /// An overlay or a refreshed file laid over the bundled catalogue (repeatable, the last one wins).
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
}

impl Sources {
    /// The catalogue with what was laid over it.
    pub(super) fn catalog(&self) -> anyhow::Result<Catalog> {
        load(&self.catalog)
    }

    /// The ledger and its folder; `None`, with a note, where there is none and none was named.
    pub(super) fn ledger(&self, notes: &mut dyn Write) -> anyhow::Result<Option<(Reader, &Path)>> {
        let folder = self.data.as_deref().unwrap_or(Path::new(USUAL_DATA));
        if self.data.is_none() && Trace::of(folder) != Trace::Present {
            writeln!(
                notes,
                "no ledger at {}, so no recorded call is looked at; name its folder with --data",
                folder.display()
            )?;
            return Ok(None);
        }
        Ok(Some((Reader::open(folder)?, folder)))
    }

    /// The files and folders whose code is read; none, with a note, where nobody named any and this folder is no work tree.
    pub(super) fn code(&self, notes: &mut dyn Write) -> anyhow::Result<Vec<PathBuf>> {
        match self.path.as_slice() {
            [] if self.no_code => Ok(Vec::new()),
            [] if !Path::new(".git").exists() => {
                writeln!(
                    notes,
                    "this folder is no git work tree, so no code is read; name some with --path"
                )?;
                Ok(Vec::new())
            }
            [] => Ok(vec![PathBuf::from(".")]),
            given => Ok(given.to_vec()),
        }
    }
}
