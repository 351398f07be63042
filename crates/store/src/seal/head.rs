//! The newest entry of the chain, told outside of the store: who cuts the chain at its end cannot take this along.
//!
//! It is written after its entry is on disk for good, so that it may lag behind the store and is never ahead of it,
//! unless entries were removed or an older copy of the store was put back.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::entry::Link;
use super::key::{PublicKey, SigningKey};
use crate::folder;

/// Longest head file that is read; ours have a few hundred bytes.
const HEAD_BYTES_MAX: u64 = 16 * 1024;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) about: String,
    pub(crate) entry: u64,
    pub(crate) digest: Digest,
    /// The last row that a segment covered.
    pub(crate) last_row: i64,
    pub(crate) key: PublicKey,
    signature: String,
}

/// What the signature is of.
fn signed(link: Link, last_row: i64) -> String {
    format!("head {} {} {last_row}", link.number, link.digest)
}

impl Head {
    pub(crate) const fn link(&self) -> Link {
        Link { number: self.entry, digest: self.digest }
    }

    /// Whether one of these keys signed it.
    pub(crate) fn is_signed(&self, keys: &[PublicKey]) -> bool {
        let Some(signature) = super::digest::from_hex::<64>(&self.signature) else { return false };
        keys.contains(&self.key) && self.key.has_signed(&signed(self.link(), self.last_row), &signature)
    }

    /// The head file; `None` where there is none.
    ///
    /// # Errors
    /// The system's refusal, or a file that is no head file.
    pub(crate) fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.len() > HEAD_BYTES_MAX => {
                return Err(io::Error::other("it is too long for a head file"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        Ok(Some(serde_json::from_slice(&fs::read(path)?)?))
    }
}

/// Writes the head file, whole or not at all.
///
/// # Errors
/// The system's refusal.
pub(crate) fn write(path: &Path, key: &SigningKey, link: Link, last_row: i64) -> io::Result<()> {
    let signature: String =
        key.sign(&signed(link, last_row)).iter().map(|byte| format!("{byte:02x}")).collect();
    let head = Head {
        about: "The newest entry of the ledger's chain. `pilothouse logs verify` compares it with the store."
            .to_owned(),
        entry: link.number,
        digest: link.digest,
        last_row,
        key: key.public(),
        signature,
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let mut file =
        folder::private(fs::OpenOptions::new().write(true).create(true).truncate(true)).open(&fresh)?;
    file.write_all(&serde_json::to_vec_pretty(&head)?)?;
    fs::rename(&fresh, path)
}
