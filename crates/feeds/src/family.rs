//! Hand-written facts about whole families of models: licences, models that are free, moving names.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::Book;
use crate::name::plain;

/// `families.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Families {
    family: Vec<Family>,
    free: Vec<Free>,
    /// Moving names whose snapshot the ids alone do not tell.
    pub(crate) snapshot: Vec<Snapshot>,
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
pub(crate) struct Snapshot {
    pub(crate) platform: String,
    pub(crate) id: String,
    pub(crate) snapshot: String,
    source: String,
}

impl Families {
    pub(crate) fn is_free(&self, platform: &str, id: &str) -> bool {
        self.free.iter().any(|free| free.platform == platform && id.starts_with(&free.prefix))
    }
}

/// The facts that this program carries.
///
/// # Errors
/// Never in a build that passed its tests: when the text breaks its form, or a fact has no source.
pub fn bundled() -> Result<Families> {
    read(include_str!("../data/families.toml"))
}

fn read(text: &str) -> Result<Families> {
    let families: Families = toml::from_str(text).context("families.toml")?;
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
pub fn fill(book: &mut Book, families: &Families) {
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
