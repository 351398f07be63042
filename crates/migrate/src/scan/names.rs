//! What a name of a model means: which rows of the catalogue, however a platform, a proxy or an SDK writes it.

use pilothouse_catalog::{Catalog, Model};

/// What the surroundings tell about the platform that a name is used on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The platform of the catalogue (`openai`, `azure`, `bedrock`, `vertex` …), where call, key or file tell it.
    pub platform: Option<String>,
}

/// A row of the catalogue that a name may mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The platform that serves it.
    pub platform: String,
    /// The id on that platform's wire.
    pub id: String,
    /// What is known of it.
    pub model: Model,
    /// What stands before the bare name in the text: `azure/`, `us.anthropic.`, `models/`.
    pub before: String,
    /// What stands behind it: `:free`, `-v1:0`, `@20250929`.
    pub behind: String,
    /// Whether the name or the hints say the platform; else it is the maker's own, as a guess.
    pub is_platform_known: bool,
}

/// Names of the catalogue, ready to be looked up.
#[derive(Clone, Debug)]
pub struct Names {
    catalog: Catalog,
}

impl Names {
    /// The names of a catalogue.
    #[must_use]
    pub fn of(catalog: Catalog) -> Self {
        Self { catalog }
    }

    /// The catalogue behind it.
    #[must_use]
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What `text` may mean, the likeliest first; empty where no catalogue knows it.
    #[must_use]
    pub fn resolve(&self, _text: &str, _hints: &Hints) -> Vec<Resolved> {
        Vec::new()
    }

    /// The model to go to instead of `model`: its replacement, or that one's, until one is alive 90 days beyond `today`.
    #[must_use]
    pub fn alive_replacement(&self, _model: &Model, _today: &str) -> Option<Model> {
        None
    }
}
