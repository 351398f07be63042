//! What a name of a model means: which rows of the catalogue, however a platform, a proxy or an SDK writes it.
//!
//! The same weights retire on different days on different platforms, so a name alone is half of an answer: the other
//! half is the platform, told by the name's own decoration or by [`Hints`] from around it.

mod chain;
pub mod constant;
pub mod decoration;
pub mod family;
mod hints;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pilothouse_catalog::{Catalog, Model};

use decoration::Split;
pub use hints::Hints;

/// Moving names that Anthropic's pages list and feeds leave out, with their snapshots
/// (<https://platform.claude.com/docs/en/about-claude/models/overview> and its older editions, read 2026-11-23).
const MOVING: &[(&str, &str)] = &[
    ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022"),
    ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
    ("claude-3-7-sonnet-latest", "claude-3-7-sonnet-20250219"),
    ("claude-3-opus-latest", "claude-3-opus-20240229"),
    ("claude-opus-4-0", "claude-opus-4-20250514"),
    ("claude-sonnet-4-0", "claude-sonnet-4-20250514"),
];

/// Answers of [`Names::resolve`] have at most this many rows.
const RESOLVED_MAX: usize = 6;

/// A row of the catalogue that a name may mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The platform that serves it.
    pub platform: String,
    /// The id on that platform's wire.
    pub id: String,
    /// What is known of it.
    pub model: Arc<Model>,
    /// What stands before the id in the text: `azure/`, `us.anthropic.`, `models/`. Empty for none.
    pub before: String,
    /// What stands behind it: `:free`, `[1m]`. Empty for none.
    pub behind: String,
    /// Whether the name or the hints say the platform; else it is the maker's own, as a guess.
    pub is_platform_known: bool,
    /// Whether it is a model that somebody tuned on the row's model (`ft:gpt-4o-2024-08-06:org::id`), or a name that
    /// leaves a part of the id out: the row is the base then.
    pub is_base: bool,
}

/// Names of the catalogue, ready to be looked up. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Names {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    catalog: Catalog,
    models: Vec<Arc<Model>>,
    /// Indices of `models` by id in lower case.
    by_id: HashMap<Box<str>, Vec<u32>>,
    /// Indices of `models` by the letters and digits of an id alone, for the constants of SDKs.
    by_letters: HashMap<Box<str>, u32>,
    /// What stands between slashes, colons and `@` in the ids, in lower case: what a word must be to be worth a closer look.
    pieces: HashSet<Box<str>>,
    /// Indices of `models` by card (`maker/model`), for the same weights elsewhere.
    by_card: HashMap<Box<str>, Vec<u32>>,
}

impl Names {
    /// The names of a catalogue.
    #[must_use]
    pub fn of(catalog: Catalog) -> Self {
        let mut models: Vec<Arc<Model>> = Vec::new();
        let (mut by_id, mut by_letters, mut by_card) = (HashMap::new(), HashMap::new(), HashMap::new());
        // Lines that name products (`Agent Builder`) are no ids.
        let found = catalog.models().filter(|model| !model.id().contains(' '));
        for model in found {
            let at = u32::try_from(models.len()).unwrap_or(u32::MAX);
            push(&mut by_id, &model.id().to_ascii_lowercase(), at);
            if let Some(card) = model.row().card.as_deref() {
                push(&mut by_card, card, at);
            }
            if catalog.native_platform(model.id()) == Some(model.platform()) {
                by_letters.entry(constant::letters(model.id()).into_boxed_str()).or_insert(at);
            }
            models.push(Arc::new(model));
        }
        for (platform, alias, id) in catalog.aliases() {
            let is_listed = by_id.get(id.to_ascii_lowercase().as_str()).is_some_and(|found: &Vec<u32>| {
                found.iter().any(|at| models[*at as usize].platform() == platform)
            });
            if is_listed && let Some(model) = catalog.model(&platform, &alias) {
                push(
                    &mut by_id,
                    &alias.to_ascii_lowercase(),
                    u32::try_from(models.len()).unwrap_or(u32::MAX),
                );
                models.push(Arc::new(model));
            }
        }
        let pieces = by_id.keys().flat_map(|id| {
            let pieces: Vec<Box<str>> = id.split(['/', ':', '@']).map(Into::into).collect();
            pieces
        });
        let moving = MOVING.iter().map(|(name, _)| Box::from(*name));
        let pieces = pieces.chain(moving).collect();
        Self { shared: Arc::new(Shared { catalog, models, by_id, by_letters, pieces, by_card }) }
    }

    /// The catalogue behind it.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.shared.catalog
    }

    /// The day of the newest fact, `YYYY-MM-DD`; empty where there is none.
    #[must_use]
    pub fn as_of(&self) -> &str {
        self.shared.models.iter().map(|model| model.row().as_of.as_str()).max().unwrap_or_default()
    }

    /// Every id of the catalogue, in lower case, in no order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.shared.by_id.keys().map(AsRef::as_ref)
    }

    /// Whether a word is a piece of any id: what stands between slashes, colons and `@`. Behind a region of Bedrock, too.
    #[must_use]
    pub fn has_piece(&self, word: &str) -> bool {
        let word = lower(word);
        let has = |word: &str| self.shared.pieces.contains(word);
        has(&word) || word.split_once('.').is_some_and(|(region, rest)| region.len() <= 6 && has(rest))
    }

    /// Whether a text means any row, however it is decorated. Costs no more than a few look-ups.
    #[must_use]
    pub fn knows(&self, text: &str) -> bool {
        let is_moving = |id: &str| MOVING.iter().any(|(name, _)| *name == id);
        let known =
            |split: &Split| self.shared.by_id.contains_key(&*lower(&split.id)) || is_moving(&split.id);
        decoration::splits(text).iter().any(known)
    }

    /// The row that the constant of an SDK stands for: `ChatModel.GPT_4O`, `openai.ChatModelGPT4oMini`.
    #[must_use]
    pub fn constant(&self, text: &str) -> Option<Resolved> {
        let known =
            constant::spellings(text).find_map(|letters| self.shared.by_letters.get(letters.as_str()));
        let Some(at) = known else {
            // `CLAUDE_3_5_HAIKU_LATEST`: a name without a row of its own.
            let is_it =
                |name: &&str| constant::spellings(text).any(|letters| letters == constant::letters(name));
            let name = MOVING.iter().map(|(name, _)| *name).find(is_it)?;
            return self.resolve(name, &Hints::default()).into_iter().next();
        };
        let model = self.shared.models[*at as usize].clone();
        Some(Resolved {
            platform: model.platform().to_owned(),
            id: model.id().to_owned(),
            model,
            before: String::new(),
            behind: String::new(),
            is_platform_known: false,
            is_base: false,
        })
    }

    /// What `text` may mean, the likeliest first; empty where no catalogue knows it.
    ///
    /// A platform that the name's decoration states outweighs the one of the hints. If the platform that is meant
    /// does not list the name, the maker's own row is given, with [`Resolved::is_platform_known`] unset.
    #[must_use]
    pub fn resolve(&self, text: &str, hints: &Hints) -> Vec<Resolved> {
        let plain = decoration::splits(text);
        let mut splits: Vec<Split> = plain.iter().filter_map(|split| self.without_row(split)).collect();
        splits.extend(plain);
        let mut found: Vec<Resolved> = Vec::new();
        let stated = splits.iter().rev().find_map(|split| split.platform);
        // A maker's name before a slash is a platform only if nothing else says where: `openai/gpt-4o` is OpenRouter's too.
        let is_maker_only = splits.iter().all(|split| split.platform.is_none() || split.is_maker);
        let wanted = match (stated, hints.platform.as_deref()) {
            (Some(_), Some(hinted)) if is_maker_only => Some(hinted),
            (Some(stated), _) => Some(stated),
            (None, hinted) => hinted,
        };
        if let Some(wanted) = wanted {
            let is_said = !(is_maker_only && hints.platform.is_none());
            for platform in alike(wanted) {
                splits.iter().for_each(|split| self.take(split, Some(platform), is_said, &mut found));
            }
        }
        for split in &splits {
            let native = self.shared.catalog.native_platform(&split.id);
            if let Some(native) = native {
                self.take(split, Some(native), false, &mut found);
            }
        }
        splits.iter().for_each(|split| self.take(split, None, false, &mut found));
        found.truncate(RESOLVED_MAX);
        found
    }

    /// A moving name of a maker, as the snapshot that it stands for, where the maker's platform has no row of it.
    fn without_row(&self, split: &Split) -> Option<Split> {
        let (_, snapshot) = MOVING.iter().find(|(name, _)| split.id == *name)?;
        let native = self.shared.catalog.native_platform(snapshot)?;
        // A row without a life says nothing of the snapshot's end.
        let is_listed = self.shared.catalog.model(native, &split.id).is_some_and(|row| row.life().is_some());
        (!is_listed).then(|| Split { id: (*snapshot).to_owned(), is_whole: false, ..split.clone() })
    }

    /// Adds the rows of a split, on one platform or on any.
    fn take(&self, split: &Split, platform: Option<&str>, is_said: bool, found: &mut Vec<Resolved>) {
        let Some(rows) = self.shared.by_id.get(&*lower(&split.id)) else { return };
        let before = found.len();
        for model in rows.iter().map(|at| &self.shared.models[*at as usize]) {
            let is_wanted = platform.is_none_or(|platform| platform == model.platform());
            let is_new = |one: &Resolved| one.platform != model.platform() || one.id != model.id();
            if !is_wanted || found.len() >= RESOLVED_MAX || !found.iter().all(is_new) {
                continue;
            }
            found.push(Resolved {
                platform: model.platform().to_owned(),
                id: model.id().to_owned(),
                model: model.clone(),
                before: split.before.clone(),
                behind: split.behind.clone(),
                is_platform_known: is_said || platform.is_none() && split.is_whole && rows.len() == 1,
                is_base: split.is_base,
            });
        }
        // Of several versions under one id the plain one speaks, else the newest: rows are sorted by version.
        let newest = found[before..].iter().position(|one| one.model.row().version.is_empty());
        if let Some(at) = newest {
            found[before..].rotate_left(at);
        }
    }

    /// The rows with the same weights, on every platform.
    fn with_card(&self, card: &str) -> impl Iterator<Item = &Arc<Model>> {
        let rows = self.shared.by_card.get(card).map_or(&[][..], Vec::as_slice);
        rows.iter().map(|at| &self.shared.models[*at as usize])
    }
}

fn push(map: &mut HashMap<Box<str>, Vec<u32>>, key: &str, at: u32) {
    match map.get_mut(key) {
        Some(list) => list.push(at),
        None => drop(map.insert(key.into(), vec![at])),
    }
}

fn lower(text: &str) -> std::borrow::Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        false => text.into(),
    }
}

/// Platforms whose rows stand for a hinted one: Azure has its own models and those of other makers apart.
fn alike(platform: &str) -> Vec<&str> {
    match platform {
        "azure" => vec!["azure", "azure-ai"],
        "azure-ai" => vec!["azure-ai", "azure"],
        // Gemini's two doors are called through one SDK; which one is a matter of configuration.
        one => vec![one],
    }
}

#[cfg(test)]
mod tests;
