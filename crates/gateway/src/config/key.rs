//! `[keys.NAME]` and `[teams.NAME]`: who may call, and within which limits and budgets.

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{BudgetSection, LimitSection};

/// A virtual key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Where its secret stands: `env:NAME`, `file:PATH`, or `sha256:HEX` of it.
    pub secret: Spanned<String>,
    /// The secret before it, while both go on.
    #[serde(default)]
    pub previous: Option<PreviousSecret>,
    /// The application that calls with it, where the caller does not say.
    #[serde(default)]
    pub application: Option<String>,
    /// The team that it belongs to.
    #[serde(default)]
    pub team: Option<Spanned<String>>,
    /// The project, for reports.
    #[serde(default)]
    pub project: Option<String>,
    /// What it may do besides calling models: `caller`, `viewer`, `lead` or `admin`.
    #[serde(default)]
    pub role: Option<Spanned<String>>,
    /// When it ends: a day (from its start in UTC) or a moment with its offset.
    #[serde(default)]
    pub expires: Option<Spanned<Datetime>>,
    /// Routes and targets that it may call; everything where there are none. `openai/*` is every model of a provider.
    #[serde(default)]
    pub allow: Vec<Spanned<String>>,
    /// Whether the model is told before the last turn of a run; true where not given.
    #[serde(default)]
    pub last_turn_note: Option<bool>,
    /// How much at once.
    #[serde(default)]
    pub limits: LimitSection,
    /// How much money.
    #[serde(default)]
    pub budget: Option<BudgetSection>,
    /// Several budgets of different periods.
    #[serde(default)]
    pub budgets: Vec<BudgetSection>,
}

/// The secret that a key had before, which goes on for a while.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousSecret {
    /// Where it stands, as for the key itself.
    pub secret: Spanned<String>,
    /// When it ends: a day (from its start in UTC) or a moment with its offset.
    pub until: Spanned<Datetime>,
}

impl Key {
    /// Where its secrets stand.
    pub fn secrets(&self) -> impl Iterator<Item = &Spanned<String>> {
        std::iter::once(&self.secret).chain(self.previous.iter().map(|previous| &previous.secret))
    }

    /// A key of which nothing but the secret is said.
    #[must_use]
    pub fn new(secret: Spanned<String>) -> Self {
        Self {
            secret,
            previous: None,
            application: None,
            team: None,
            project: None,
            role: None,
            expires: None,
            allow: Vec::new(),
            last_turn_note: None,
            limits: LimitSection::default(),
            budget: None,
            budgets: Vec::new(),
        }
    }
}

/// A team. What it says holds for its keys and for the teams below it, together.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Team {
    /// The team above it.
    pub parent: Option<Spanned<String>>,
    /// How much at once.
    pub limits: LimitSection,
    /// How much money.
    pub budget: Option<BudgetSection>,
    /// Several budgets of different periods.
    pub budgets: Vec<BudgetSection>,
}
