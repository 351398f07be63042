//! The rules by their stable codes: what baselines, comments, SARIF and the documentation name.

use std::borrow::Cow;

use pilothouse_catalog::compat;

use crate::scan::finding::Rule;
use crate::scan::judge::interfaces::interface;

/// The rules with one code each, in the order of the documentation. Parameters and interfaces have a code for each of
/// theirs: `PH-P-` and `PH-A-` before the id.
pub const FIXED: [Rule; 8] = [
    Rule::ModelRetired,
    Rule::ModelRetiring,
    Rule::ModelDeprecated,
    Rule::ModelUnknown,
    Rule::ModelDynamic,
    Rule::Price,
    Rule::Size,
    Rule::Ignore,
];

impl Rule {
    /// Its code, which never changes: `PH-M002`, `PH-P-openai-max-tokens`, `PH-A-openai-assistants`.
    #[must_use]
    pub fn code(&self) -> Cow<'static, str> {
        match self {
            Self::ModelRetired => "PH-M001".into(),
            Self::ModelRetiring => "PH-M002".into(),
            Self::ModelDeprecated => "PH-M003".into(),
            Self::ModelUnknown => "PH-M004".into(),
            Self::ModelDynamic => "PH-M005".into(),
            Self::Parameter(id) => format!("PH-P-{id}").into(),
            Self::Interface(id) => format!("PH-A-{id}").into(),
            Self::Price => "PH-C001".into(),
            Self::Size => "PH-C002".into(),
            Self::Ignore => "PH-I001".into(),
        }
    }

    /// What it is about, one line without a full stop.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::ModelRetired => "a model that is shut down",
            Self::ModelRetiring => "a model with a day on which it is shut down",
            Self::ModelDeprecated => "a model under notice without a day, or an alias that moves on",
            Self::ModelUnknown => "a name that looks like a model's and is in no catalogue",
            Self::ModelDynamic => "a model's name that is put together at run time",
            Self::Parameter(id) => compat_rule(id)
                .map_or("a parameter that the call's model refuses or changes", |rule| &rule.title),
            Self::Interface(id) => {
                interface(id).map_or("an interface that is shut down, or will be", |known| &known.title)
            }
            Self::Price => "a price in the code that does not hold",
            Self::Size => "a context or output size in the code that does not hold",
            Self::Ignore => "an ignore comment that ignores nothing",
        }
    }

    /// What helps, one sentence.
    #[must_use]
    pub fn help(&self) -> Cow<'static, str> {
        match self {
            Self::ModelRetired => "Calls of this model fail. Move to the model that is named.".into(),
            Self::ModelRetiring => "Calls of this model fail from that day on. `pilothouse migrate plan` shows what the move takes.".into(),
            Self::ModelDeprecated => "Plan the move; the provider has not given a day, or the alias will mean another model.".into(),
            Self::ModelUnknown => "Check the spelling. A newer catalogue may know it; a model of your own belongs into an overlay.".into(),
            Self::ModelDynamic => "Write whole names, so that a search finds them; a reader cannot tell which models this can name.".into(),
            Self::Parameter(id) => compat_rule(id)
                .map_or("Leave the parameter out.".into(), |rule| format!("Instead: {}.", rule.fix).into()),
            Self::Interface(id) => interface(id)
                .map_or("Move to the interface that the provider names.".into(), |known| known.next.as_str().into()),
            Self::Price => "Take prices from a catalogue that is kept up to date.".into(),
            Self::Size => "Take sizes from a catalogue that is kept up to date.".into(),
            Self::Ignore => "Remove the comment, or give it a reason and a day that is still to come.".into(),
        }
    }

    /// A page of a provider that shows it, for rules whose evidence is in a table. Findings name pages of their own.
    #[must_use]
    pub fn uri(&self) -> Option<&'static str> {
        match self {
            Self::Parameter(id) => Some(compat_rule(id)?.evidence.first()?.as_str()),
            Self::Interface(id) => Some(&interface(id)?.source),
            _ => None,
        }
    }

    /// Whether it is about a model's life: those are overtaken by a day that passes, and nothing else.
    #[must_use]
    pub const fn is_lifecycle(&self) -> bool {
        matches!(self, Self::ModelRetired | Self::ModelRetiring | Self::ModelDeprecated)
    }
}

fn compat_rule(id: &str) -> Option<&'static compat::Rule> {
    compat::rules().iter().find(|rule| rule.id == id)
}
