//! Which configuration and which catalogue a plan was made of, as short digests that receipts keep.

use pilothouse_catalog::Catalog;
use pilothouse_core::clock::UnixMs;
use sha2::{Digest as _, Sha256};

use crate::config::Source;

/// Which configuration and which catalogue a plan was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    /// Digest of the configuration's text: sixteen hexadecimal digits.
    pub config: Box<str>,
    /// Digest of the catalogue with its overlays.
    pub catalog: Box<str>,
    /// The moment for which models stand somewhere in their lives.
    pub loaded_at: UnixMs,
}

impl Edition {
    /// Of a configuration that was read, with the overlays that it names.
    #[must_use]
    pub fn of(source: &Source, loaded_at: UnixMs) -> Self {
        let mut catalog = Sha256::new();
        catalog.update(Catalog::bundled_text());
        let section = &source.file.catalog;
        for given in section.refreshed.iter().chain(&section.overlay) {
            // One that cannot be read is an error that is told elsewhere.
            catalog.update(std::fs::read(source.folder().join(given.get_ref())).unwrap_or_default());
        }
        let config = short(&Sha256::digest(source.text.as_bytes()));
        Self { config, catalog: short(&catalog.finalize()), loaded_at }
    }
}

fn short(digest: &[u8]) -> Box<str> {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}
