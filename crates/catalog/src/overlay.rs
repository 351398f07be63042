//! Overlays: TOML files that add rows to the catalogue or change some members of rows that are there.
//!
//! The form is `[[model]]` tables keyed by `platform` and `id` (`docs/src/catalogue.md`). `prices`, when given,
//! replaces all prices of the row; every other member replaces only itself. Numbers of money are read as
//! decimal text, so that no price passes through a binary fraction.

mod price;
mod read;

use std::fmt;

use crate::row::{Card, Life, Row, UnitPrice};

pub use read::parse;

/// Units that are priced and are not tokens.
#[must_use]
pub const fn units() -> &'static [&'static str] {
    &price::UNITS
}

/// Why an overlay was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayError {
    /// The overlay, as its caller named it.
    pub origin: String,
    /// Line of the mistake, from 1.
    pub line: usize,
    /// Column of the mistake in characters, from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for OverlayError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}: {}", self.origin, self.line, self.column, self.message)
    }
}

impl std::error::Error for OverlayError {}

/// The changes that one `[[model]]` makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// First half of the key.
    pub platform: String,
    /// Second half of the key.
    pub id: String,
    /// Other names for the row.
    pub aliases: Vec<String>,
    pub(crate) changes: Vec<Change>,
}

/// One member that is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Text(Member, String),
    List(Member, Vec<String>),
    Count(Member, u64),
    OpenWeights(bool),
    Capabilities(Vec<(String, bool)>),
    Prices(Vec<Card>, Vec<UnitPrice>),
    Life(Box<Life>),
}

/// The members that hold a text, a list or a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Version,
    Snapshot,
    Name,
    Card,
    Mode,
    Region,
    EffortDefault,
    Licence,
    Released,
    Knowledge,
    AsOf,
    Source,
    Inputs,
    Outputs,
    Effort,
    Replacement,
    ContextTokens,
    InputTokensMax,
    OutputTokensMax,
    CacheTokensMin,
}

impl Patch {
    /// The row with these changes on it.
    #[must_use]
    pub fn onto(self, mut row: Row) -> Row {
        row.platform = self.platform;
        row.id = self.id;
        // Whatever the line was before, it now holds facts of its own.
        row.alias_of = None;
        for change in self.changes {
            change.apply(&mut row);
        }
        row
    }
}

impl Change {
    fn apply(self, row: &mut Row) {
        match self {
            Self::Text(member, text) => set_text(row, member, text),
            Self::List(member, list) => match member {
                Member::Inputs => row.inputs = list,
                Member::Outputs => row.outputs = list,
                Member::Effort => row.effort = list,
                _ => {
                    let life = row.life.get_or_insert_default();
                    life.notice = life.notice || !list.is_empty();
                    life.replacement = list;
                }
            },
            Self::Count(member, count) => match member {
                Member::InputTokensMax => row.input_tokens_max = Some(count),
                Member::OutputTokensMax => row.output_tokens_max = Some(count),
                Member::CacheTokensMin => row.cache_tokens_min = Some(count),
                _ => row.context_tokens = Some(count),
            },
            Self::OpenWeights(open) => row.open_weights = Some(open),
            Self::Capabilities(list) => {
                for (name, able) in list {
                    row.yes.retain(|one| *one != name);
                    row.no.retain(|one| *one != name);
                    let side = if able { &mut row.yes } else { &mut row.no };
                    side.push(name);
                    side.sort();
                }
            }
            Self::Prices(cards, units) => {
                row.prices = cards;
                row.units = units;
                // What the feeds disagreed on no longer stands in the row.
                row.conflicts.retain(|conflict| conflict.member == "retires");
            }
            Self::Life(life) => row.life = Some(*life),
        }
    }
}

fn set_text(row: &mut Row, member: Member, text: String) {
    let slot = match member {
        Member::Version => {
            row.version = text;
            return;
        }
        Member::AsOf => {
            row.as_of = text;
            return;
        }
        Member::Snapshot => &mut row.snapshot,
        Member::Name => &mut row.name,
        Member::Card => &mut row.card,
        Member::Mode => &mut row.mode,
        Member::Region => &mut row.region,
        Member::EffortDefault => &mut row.effort_default,
        Member::Licence => &mut row.licence,
        Member::Released => &mut row.released,
        Member::Knowledge => &mut row.knowledge,
        _ => &mut row.source,
    };
    *slot = Some(text);
}

#[cfg(test)]
mod tests;
