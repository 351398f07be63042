//! One row of the table, as `data/rules.toml` writes it.

use std::fmt;
use std::sync::OnceLock;

use pilothouse_core::dialect::Dialect;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::facts::Fact;
use super::path::Path;
use super::select::Selector;

const RULES: &str = include_str!("../../data/rules.toml");

/// What becomes of a request that a rule is about, if nobody changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The target answers with an error.
    Refused,
    /// The target accepts it and does something else than was asked, or does it worse or dearer.
    Silent,
    /// What an earlier answer gave cannot be carried on as it is.
    State,
}

impl fmt::Display for Class {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Refused => "refused",
            Self::Silent => "silent",
            Self::State => "state",
        })
    }
}

/// What a value must be for a rule to hold. Every test that is given must hold; none given means: it is there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Test {
    /// One of these.
    pub is: Option<Vec<Value>>,
    /// None of these. Numbers compare by value: 1 is 1.0.
    pub not: Option<Vec<Value>>,
    /// A number above this one.
    pub above: Option<f64>,
    /// A number below this one.
    pub below: Option<f64>,
    /// A number above the most output tokens that the catalogue knows of the model.
    pub above_output_max: bool,
    /// A list longer than this.
    pub longer: Option<usize>,
    /// A list that has this item.
    pub has: Option<Value>,
    /// A text without a letter to be seen.
    pub blank: bool,
    /// It is not there at all.
    pub missing: bool,
    /// Not being there is as good as passing.
    pub or_missing: bool,
}

/// A further condition, on another member than the rule's own.
#[derive(Clone, Debug, PartialEq)]
pub struct When {
    /// The member. Lists on the way are those of the rule's member, so that siblings are compared.
    pub member: Path,
    /// What it must be.
    pub test: Test,
}

impl<'de> Deserialize<'de> for When {
    // By hand: `flatten` would take unknown keys in silence.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut keys = serde_json::Map::deserialize(from)?;
        let member = keys.remove("member").ok_or_else(|| D::Error::missing_field("member"))?;
        let member = serde_json::from_value(member).map_err(D::Error::custom)?;
        Ok(Self { member, test: serde_json::from_value(Value::Object(keys)).map_err(D::Error::custom)? })
    }
}

/// What is done about it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The member goes.
    Drop,
    /// The member gets another name beside its siblings; where that one is there already, it goes.
    Rename(String),
    /// The value goes to another place; where that one is taken, it goes.
    Move(Path),
    /// The member gets this value, whether it was there or not.
    Set(Value),
    /// Another member gets this value.
    SetOther {
        /// Which.
        member: Path,
        /// The value.
        value: Value,
    },
    /// The nearest of these words, in the order none, minimal, low, medium, high, xhigh, max: the same, else the next
    /// lower, else the lowest.
    Nearest(Vec<String>),
    /// The number becomes this one.
    Cap(i64),
    /// The number becomes the most output tokens that the catalogue knows of the model.
    CapOutput,
    /// Only the first so many items stay.
    First(usize),
    /// Something that takes more than one edit.
    Rewrite(Rewrite),
    /// Nothing: worth knowing before a change of models, but no single request can be mended.
    Advise,
}

/// Changes that take more than one edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rewrite {
    /// Claude's `thinking` with a budget becomes adaptive, and the budget an effort.
    AdaptiveThinking,
    /// Claude's adaptive `thinking` gets a budget.
    BudgetThinking,
    /// Claude's budget shrinks below the output limit; where nothing is left, thinking goes.
    BudgetWithinLimit,
    /// An output limit is set: the model's, else 4,096.
    SetOutputLimit,
    /// A turn of the person's is added after the assistant's last one.
    AddUserTurn,
    /// White space at the end of the last turn goes.
    TrimEnd,
    /// System messages within the conversation go to the top.
    HoistSystem,
    /// The oldest cache markers go until four are left.
    KeepFourCacheMarks,
    /// Empty blocks of text go.
    DropEmptyText,
    /// Ids of tool calls become nine letters or digits, the same for call and result.
    NineLetterToolIds,
    /// Reasoning items without sealed content go.
    DropUnsealedReasoning,
    /// Google's stand-in goes where a signature is missing.
    StandInSignatures,
    /// Gemini's thinking level becomes a budget.
    LevelToBudget,
    /// Gemini's thinking budget becomes a level.
    BudgetToLevel,
}

impl Rewrite {
    /// The code that a receipt has for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AdaptiveThinking | Self::BudgetThinking | Self::BudgetWithinLimit => "change:thinking",
            Self::SetOutputLimit => "set:max_tokens",
            Self::AddUserTurn => "add:user_turn",
            Self::TrimEnd => "trim:messages",
            Self::HoistSystem => "move:system",
            Self::KeepFourCacheMarks => "drop:cache_control",
            Self::DropEmptyText => "drop:empty_text",
            Self::NineLetterToolIds => "change:tool_call_id",
            Self::DropUnsealedReasoning => "drop:reasoning",
            Self::StandInSignatures => "set:thoughtSignature",
            Self::LevelToBudget | Self::BudgetToLevel => "change:thinkingConfig",
        }
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, stable: receipts, findings and errors use it.
    pub id: String,
    /// What the target does, in one sentence.
    pub title: String,
    /// What the caller writes instead.
    pub fix: String,
    /// What becomes of the request unchanged.
    pub class: Class,
    /// The dialects of the targets.
    pub dialects: Vec<Dialect>,
    /// The models; none means all.
    #[serde(default)]
    pub models: Vec<Selector>,
    /// The vendors, by their names in the catalogue; none means all.
    #[serde(default)]
    pub vendors: Vec<String>,
    /// Vendors with this quirk only.
    #[serde(default)]
    pub quirk: Option<String>,
    /// The capability whose lack the rule is. Where the catalogue affirms it the rule does not hold, and where it
    /// denies it the rule holds for models that no selector means.
    #[serde(default)]
    pub capability: Option<String>,
    /// The members that it is about, each on its own.
    #[serde(default)]
    pub on: Vec<Path>,
    /// What such a member must be.
    #[serde(default)]
    pub test: Test,
    /// What else must hold.
    #[serde(default)]
    pub when: Vec<When>,
    /// What the conversation must tell.
    #[serde(default)]
    pub fact: Option<Fact>,
    /// What is done.
    pub action: Action,
    /// Pages that show it.
    pub evidence: Vec<String>,
    /// The day on which they were read.
    pub as_of: String,
    /// Codes for receipts, one per member of `on` (at least one).
    #[serde(skip)]
    pub(crate) codes: Vec<String>,
}

impl Rule {
    /// The code that a receipt has for this rule's action on the member of that index.
    #[must_use]
    pub fn code(&self, index: usize) -> &str {
        self.codes.get(index).or_else(|| self.codes.first()).map_or("", String::as_str)
    }

    /// The codes that a receipt has for this rule's actions, one per member.
    #[must_use]
    pub fn codes(&self) -> &[String] {
        &self.codes
    }

    /// Whether a request that the rule is about would fail.
    #[must_use]
    pub fn blocks(&self) -> bool {
        !matches!(self.class, Class::Silent)
    }

    fn code_on(&self, path: &str) -> String {
        let verb = match &self.action {
            Action::Rewrite(rewrite) => return rewrite.code().to_owned(),
            Action::SetOther { member, .. } => return format!("set:{member}"),
            Action::Drop => "drop",
            Action::Rename(_) => "rename",
            Action::Move(_) => "move",
            Action::Set(_) => "set",
            Action::Nearest(_) => "change",
            Action::Cap(_) | Action::CapOutput => "clamp",
            Action::First(_) => "cut",
            Action::Advise => "advise",
        };
        format!("{verb}:{path}")
    }
}

#[derive(Deserialize)]
struct File {
    rule: Vec<Rule>,
}

/// Reads a file of rules.
///
/// # Errors
/// What is wrong, with line and column.
pub(crate) fn parse(text: &str) -> Result<Vec<Rule>, String> {
    let mut file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    for rule in &mut file.rule {
        let codes = match rule.on.as_slice() {
            [] => vec![rule.code_on("messages")],
            members => members.iter().map(|member| rule.code_on(member.as_str())).collect(),
        };
        rule.codes = codes;
    }
    Ok(file.rule)
}

/// Every bundled rule. Parsed once, at first use; a test holds that the file parses.
pub(crate) fn all() -> &'static [Rule] {
    static PARSED: OnceLock<Vec<Rule>> = OnceLock::new();
    PARSED.get_or_init(|| parse(RULES).unwrap_or_default())
}

#[cfg(test)]
pub(crate) const TEXT: &str = RULES;
