//! The catalogue: the bundled rows with overlays on them.

use std::collections::{BTreeMap, HashSet};

use crate::bundle;
use crate::model::{BUNDLED, Model};
use crate::nearest::nearest_names;
use crate::overlay::{self, OverlayError, Patch};
use crate::row::Row;
use crate::vendor::{self, Vendor};

/// How many names may lead to a row before the search gives up: an alias of an alias is a mistake, a ring a trap.
const ALIASES_MAX: usize = 4;

/// Models and vendors. Immutable; share it behind an `Arc`.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// The bundled lines. Empty only in tests of overlays.
    lines: &'static str,
    /// Rows that overlays added or changed, by (platform, id).
    overlaid: BTreeMap<(String, String), Overlaid>,
}

#[derive(Clone, Debug)]
struct Overlaid {
    row: Row,
    origin: String,
}

impl Catalog {
    /// The catalogue inside this binary. Costs nothing: rows are text until somebody asks for one.
    #[must_use]
    pub const fn bundled() -> Self {
        Self { lines: bundle::MODELS, overlaid: BTreeMap::new() }
    }

    /// The text of the bundled rows, for digests.
    #[must_use]
    pub const fn bundled_text() -> &'static str {
        bundle::MODELS
    }

    /// This catalogue with the rows of an overlay laid over it. `origin` is the name that
    /// [`Model::origin`] and errors show, e.g. the file's path.
    ///
    /// # Errors
    /// [`OverlayError`] with line and column when the text is not TOML or a member is wrong; nothing is applied.
    pub fn with_overlay(mut self, toml_text: &str, origin: &str) -> Result<Self, OverlayError> {
        for patch in overlay::parse(toml_text, origin)? {
            self.apply(patch, origin);
        }
        Ok(self)
    }

    /// This catalogue with what a file says, whichever of the two forms it has: an overlay in TOML, or the whole rows
    /// that `pilothouse models refresh` writes.
    ///
    /// # Errors
    /// As [`Self::with_overlay`].
    pub fn with_file(self, text: &str, origin: &str) -> Result<Self, OverlayError> {
        if text.starts_with('{') { self.with_rows(text, origin) } else { self.with_overlay(text, origin) }
    }

    /// This catalogue with whole rows over it, in the form of the bundled ones: one JSON object a line. A first line
    /// that has no `platform` is about the file and is passed over. A row that is older than the bundled one
    /// does not count: the program has been renewed since it was fetched.
    ///
    /// # Errors
    /// [`OverlayError`] with the line when one is no row; nothing is applied.
    pub fn with_rows(mut self, text: &str, origin: &str) -> Result<Self, OverlayError> {
        let mut rows = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let is_header = number == 0 && !line.starts_with(r#"{"platform""#);
            if is_header || line.is_empty() {
                continue;
            }
            let row: Row = serde_json::from_str(line).map_err(|error| OverlayError {
                origin: origin.to_owned(),
                line: number + 1,
                column: error.column(),
                message: format!("this is no row of a catalogue: {error}"),
            })?;
            rows.push(row);
        }
        for row in rows {
            let is_older = self.row(&row.platform, &row.id).is_some_and(|(known, _)| row.as_of < known.as_of);
            if !is_older {
                let key = (row.platform.clone(), row.id.clone());
                self.overlaid.insert(key, Overlaid { row, origin: origin.to_owned() });
            }
        }
        Ok(self)
    }

    /// Every row, those included that only name another one.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        let bundled = self.lines.lines().filter(|line| {
            bundle::key_of(line).is_some_and(|(platform, id)| {
                self.overlaid.is_empty() || !self.overlaid.contains_key(&(platform.to_owned(), id.to_owned()))
            })
        });
        let bundled = bundled.filter_map(|line| serde_json::from_str::<Row>(line).ok());
        bundled.chain(self.overlaid.values().map(|found| found.row.clone()))
    }

    fn apply(&mut self, patch: Patch, origin: &str) {
        let base = self.row(&patch.platform, &patch.id).map(|(row, _)| row);
        let aliases = patch.aliases.clone();
        let row = patch.onto(base.unwrap_or_default());
        for alias in aliases {
            let line = Row {
                platform: row.platform.clone(),
                id: alias.clone(),
                alias_of: Some(row.id.clone()),
                as_of: row.as_of.clone(),
                ..Row::default()
            };
            let key = (row.platform.clone(), alias);
            self.overlaid.insert(key, Overlaid { row: line, origin: origin.to_owned() });
        }
        let key = (row.platform.clone(), row.id.clone());
        self.overlaid.insert(key, Overlaid { row, origin: origin.to_owned() });
    }

    /// Every vendor, in the order users see them.
    #[must_use]
    pub fn vendors(&self) -> &[Vendor] {
        vendor::all()
    }

    /// The vendor of that name.
    #[must_use]
    pub fn vendor(&self, name: &str) -> Option<&Vendor> {
        vendor::all().iter().find(|vendor| vendor.name == name)
    }

    /// The model that `wire_id` means on `platform`: the exact id, or an alias of it (then [`Model::snapshot`]
    /// says which). Of several versions of one id, the one without a version, else the newest.
    #[must_use]
    pub fn model(&self, platform: &str, wire_id: &str) -> Option<Model> {
        let mut id = wire_id.to_owned();
        for _ in 0..ALIASES_MAX {
            let (row, origin) = self.row(platform, &id)?;
            match row.alias_of {
                Some(target) => id = target,
                None => {
                    let asked = (row.id != wire_id).then(|| wire_id.to_owned());
                    return Some(Model { row, asked, origin });
                }
            }
        }
        None
    }

    fn row(&self, platform: &str, id: &str) -> Option<(Row, String)> {
        // Two strings are only made where there is anything to find.
        if !self.overlaid.is_empty()
            && let Some(found) = self.overlaid.get(&(platform.to_owned(), id.to_owned()))
        {
            return Some((found.row.clone(), found.origin.clone()));
        }
        if self.lines.is_empty() {
            return None;
        }
        let mut rows = bundle::find(platform, id);
        let newest =
            rows.iter().position(|row| row.version.is_empty()).unwrap_or(rows.len().saturating_sub(1));
        (newest < rows.len()).then(|| (rows.swap_remove(newest), BUNDLED.to_owned()))
    }

    /// The platforms that serve `wire_id`, the one whose own model it is first, then in the order of
    /// [`Self::vendors`], then any other by name.
    #[must_use]
    pub fn platforms_of(&self, wire_id: &str) -> Vec<String> {
        let mut found: Vec<(bool, usize, String)> = Vec::new();
        let native = vendor::native_platform_of(wire_id);
        let vendors = vendor::all().iter().map(|vendor| vendor.platform.as_str());
        let overlaid = self.overlaid.keys().map(|(platform, _)| platform.as_str());
        // An overlay names its platforms once per row, and several vendors may share one: each is looked at once.
        let mut seen = HashSet::new();
        for (rank, platform) in vendors.chain(overlaid).filter(|platform| seen.insert(*platform)).enumerate()
        {
            let overlaid = || self.overlaid.contains_key(&(platform.to_owned(), wire_id.to_owned()));
            let listed = (!self.overlaid.is_empty() && overlaid())
                || (!self.lines.is_empty() && bundle::has(platform, wire_id));
            if listed {
                found.push((native != Some(platform), rank, platform.to_owned()));
            }
        }
        found.sort();
        found.into_iter().map(|(_, _, platform)| platform).collect()
    }

    /// The platform whose own model `wire_id` is, by its name; it need not list it.
    #[must_use]
    pub fn native_platform(&self, wire_id: &str) -> Option<&'static str> {
        vendor::native_platform_of(wire_id)
    }

    /// At most `n` of `among` that look like `name`, the most similar first.
    #[must_use]
    pub fn nearest(&self, name: &str, among: &mut dyn Iterator<Item = &str>, n: usize) -> Vec<String> {
        let names: Vec<&str> = among.collect();
        nearest_names(name, &mut names.into_iter(), n)
    }

    /// Every model: a scan of all rows, for reports. Lines that only name another row are left out.
    pub fn models(&self) -> impl Iterator<Item = Model> {
        let bundled = self.lines.lines().filter(|line| {
            bundle::key_of(line).is_some_and(|(platform, id)| {
                !self.overlaid.contains_key(&(platform.to_owned(), id.to_owned()))
            })
        });
        let bundled = bundled.filter_map(|line| serde_json::from_str::<Row>(line).ok()).map(|row| Model {
            row,
            asked: None,
            origin: BUNDLED.to_owned(),
        });
        let overlaid = self.overlaid.values().map(|found| Model {
            row: found.row.clone(),
            asked: None,
            origin: found.origin.clone(),
        });
        bundled.chain(overlaid).filter(|model| model.row.alias_of.is_none())
    }

    /// The lines that only name another row, as (platform, alias, id).
    pub fn aliases(&self) -> impl Iterator<Item = (String, String, String)> {
        let bundled = self.lines.lines().filter(|line| line.contains(r#""alias_of":""#));
        let bundled = bundled.filter_map(|line| serde_json::from_str::<Row>(line).ok());
        let overlaid = self.overlaid.values().map(|found| found.row.clone());
        bundled
            .chain(overlaid)
            .filter_map(|row| row.alias_of.clone().map(|target| (row.platform, row.id, target)))
    }
}

#[cfg(test)]
mod tests;
