//! Hand-written facts about whole families of models: licences, models that are free, moving names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::Book;
use super::name::plain;

/// `families.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Families {
    family: Vec<Family>,
    free: Vec<Free>,
    /// Moving names whose snapshot the ids alone do not tell.
    pub(super) snapshot: Vec<Snapshot>,
}

/// The licence of the weights of all models whose plain name starts alike.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    prefix: String,
    /// Plain names that start alike and are not of the family.
    #[serde(default)]
    not: Vec<String>,
    licence: Option<String>,
    open_weights: bool,
    source: String,
}

/// Models that their vendor gives away: the only rows whose price is zero.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Free {
    platform: String,
    prefix: String,
    source: String,
}

/// A moving name and the snapshot behind it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot {
    pub(super) platform: String,
    pub(super) id: String,
    pub(super) snapshot: String,
    source: String,
}

impl Families {
    pub(super) fn is_free(&self, platform: &str, id: &str) -> bool {
        self.free.iter().any(|free| free.platform == platform && id.starts_with(&free.prefix))
    }
}

pub(super) fn read(path: &Path) -> Result<Families> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let families: Families = toml::from_str(&text).context("families.toml")?;
    let sources = families
        .family
        .iter()
        .map(|one| &one.source)
        .chain(families.free.iter().map(|one| &one.source))
        .chain(families.snapshot.iter().map(|one| &one.source));
    for source in sources {
        ensure!(source.starts_with("https://"), "`{source}` is not a source");
    }
    Ok(families)
}

/// Gives rows the licence of their family. The longest prefix wins.
pub(super) fn fill(book: &mut Book, families: &Families) {
    for row in book.values_mut().filter(|row| row.alias_of.is_none()) {
        let name = plain(&row.id);
        let fits = |family: &&Family| {
            name.starts_with(&family.prefix) && !family.not.iter().any(|not| name.starts_with(not))
        };
        let Some(family) = families.family.iter().filter(fits).max_by_key(|family| family.prefix.len())
        else {
            continue;
        };
        if row.licence.is_none() {
            row.licence.clone_from(&family.licence);
        }
        row.open_weights = row.open_weights.or(Some(family.open_weights));
    }
}
