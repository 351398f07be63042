//! Bodies of exchanges, for those who ask for them: which are kept, and how they come to the store.

mod keeping;

use std::path::Path;
use std::sync::Arc;

use pilothouse_core::clock::Clock;
use pilothouse_store::{BODIES_FILE, BodyKey, BodyOptions, BodyStore, StoreError};
use serde::Deserialize;

pub(crate) use keeping::{Keeping, Made, Watch};

use crate::config::{Diagnostic, Source, StoreSection, resolve_secret};
use crate::plan::Environment;

/// Of which exchanges the bodies are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodiesMode {
    /// Of none.
    #[default]
    Off,
    /// Of those that failed.
    Errors,
    /// Of all but those whose client refuses it (`store: false`).
    All,
}

/// The key of bodies, where the configuration names one; what is wrong with the section goes into `wrong`.
pub(crate) fn key(
    section: &StoreSection,
    environment: &Environment,
    wrong: &mut Vec<Diagnostic>,
) -> Option<BodyKey> {
    if let Some(days) = section.bodies_days.as_ref().filter(|days| *days.get_ref() == 0) {
        let message = "bodies are kept for a day at least; to keep none, write `bodies = \"off\"`";
        wrong.push(Diagnostic::at(days.span(), message));
    }
    let given = section.bodies_key.as_ref()?;
    let secret = crate::config::SecretRef::parse(given.get_ref());
    let key = resolve_secret(&secret, &environment.folder, &environment.variables)
        .and_then(|secret| BodyKey::of_secret(&secret));
    key.map_err(|why| wrong.push(Diagnostic::at(given.span(), why))).ok()
}

/// Opens the bodies of a data folder. With the switch off, a file that is there from before is kept within its bounds
/// until it is empty of what is too old; `None` where there is none.
///
/// # Errors
/// What the store says: another key, another version, a refusal of the system.
pub(crate) fn open(
    dir: &Path,
    source: &Source,
    mode: BodiesMode,
    key: Option<BodyKey>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<BodyStore>, StoreError> {
    let section = &source.file.store;
    if mode == BodiesMode::Off && !dir.join(BODIES_FILE).exists() {
        return Ok(None);
    }
    let options = BodyOptions {
        key,
        bytes_max: section.bodies_bytes_max,
        days: Some(section.bodies_days.as_ref().map_or(StoreSection::BODIES_DAYS, |days| *days.get_ref())),
        may_write: mode != BodiesMode::Off,
        clock: Arc::clone(clock),
        ..BodyOptions::default()
    };
    BodyStore::open(dir, &options).map(Some)
}
