//! Answers questions about kept bodies from any process, and erases them, while a server writes or without one.

use std::path::{Path, PathBuf};

use pilothouse_core::id::ExchangeId;

use super::file::File;
use super::found::Which;
use super::{BodyGap, BodyKey, Erase, Kept};
use crate::error::StoreError;
use crate::schema::refused;

/// A view of a data folder's bodies.
pub struct BodyReader {
    file: File,
    dir: PathBuf,
}

impl BodyReader {
    /// Opens the bodies of the data folder `dir`; `None` where none were ever kept.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a newer version wrote the file, and refusals of the system.
    pub fn open(dir: &Path) -> Result<Option<Self>, StoreError> {
        Ok(File::open_reader(dir)?.map(|file| Self { file, dir: dir.to_owned() }))
    }

    /// Whether an exchange's bodies are kept, and how long they are in bytes: what was sent, what was answered. Needs
    /// no key.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn lengths(&self, id: ExchangeId) -> Result<Option<(u64, u64)>, StoreError> {
        self.file.lengths(id)
    }

    /// The bodies of an exchange, opened with `key` or, where that is `None`, with the key of the data folder.
    ///
    /// # Errors
    /// [`StoreError::WrongBodyKey`], a refusal of the database, or a body that was changed.
    pub fn exchange(&self, id: ExchangeId, key: Option<&BodyKey>) -> Result<Option<Kept>, StoreError> {
        let sealer = self.file.sealer(&self.dir, key, false)?;
        self.file.find(&Which::Exchange(id), &sealer)
    }

    /// The exchanges whose bodies were to be kept and are not, oldest first.
    ///
    /// # Errors
    /// A refusal of the database.
    pub fn gaps(&self) -> Result<Vec<BodyGap>, StoreError> {
        self.file.gaps().map_err(|cause| refused(&self.file.path, "read", cause))
    }

    /// Erases bodies on the disk; gives how many exchanges' bodies went. What a server has not written yet stays.
    ///
    /// # Errors
    /// A refusal of the system or of the database; [`StoreError::WrongBodyKey`] where the key is needed to find them.
    pub fn erase(dir: &Path, what: &Erase<'_>, key: Option<&BodyKey>) -> Result<usize, StoreError> {
        if Self::open(dir)?.is_none() {
            return Ok(0);
        }
        let file = File::open(dir)?;
        let sealer = match what {
            Erase::Exchange(_) | Erase::Key(_) => None,
            Erase::Response { .. } | Erase::EndUser(_) => Some(file.sealer(dir, key, false)?),
        };
        let failed = |cause| refused(&file.path, "erase from", cause);
        let removed = file.erase(what, sealer.as_ref()).map_err(failed)?.exchanges;
        file.tidy().map_err(failed)?;
        Ok(removed)
    }
}
