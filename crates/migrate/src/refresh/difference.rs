//! What newer facts change, and which of the changes a person must agree to one by one.
//!
//! A feed that is wrong once must not make every call look free, or a living model look dead: a price that changes by
//! more than a factor of two, a price that goes away, a day that moves to an earlier one and a notice that
//! is taken back are agreed to model by model. Everything else is shown and agreed to at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pilothouse_catalog::day;
use pilothouse_catalog::row::{Card, Class, Row};
use pilothouse_core::money::PicoUsd;

use super::Book;

/// A price may change by this factor before a person is asked about it.
const FACTOR_MAX: i128 = 2;

/// Something that changes in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The platform.
    pub platform: String,
    /// The id on the wire.
    pub id: String,
    /// What changes.
    pub what: What,
}

/// What changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A model that was not known.
    Added,
    /// A model that the source no longer has; its row stays.
    Unlisted,
    /// A price.
    Price {
        /// The class of tokens and the condition, e.g. `input`, `output, batch`.
        of: String,
        /// Before, a token.
        from: Option<PicoUsd>,
        /// After, a token.
        to: Option<PicoUsd>,
    },
    /// The day under notice on which it stops.
    Retires {
        /// Before.
        from: Option<String>,
        /// After.
        to: Option<String>,
    },
    /// It is gone now.
    Gone,
    /// What replaces it.
    Replacement {
        /// Before.
        from: Vec<String>,
        /// After.
        to: Vec<String>,
    },
    /// A size.
    Size {
        /// Which: `context_tokens`, `output_tokens_max` …
        of: &'static str,
        /// Before.
        from: Option<u64>,
        /// After.
        to: Option<u64>,
    },
    /// Something that it can or cannot do.
    Capability {
        /// Which.
        of: String,
        /// Before: yes, no or not known.
        from: Option<bool>,
        /// After.
        to: Option<bool>,
    },
    /// Sources disagree, newly: what each says of a member.
    Conflict {
        /// The member.
        of: String,
        /// Whose word stands.
        chosen: String,
        /// What each says.
        says: BTreeMap<String, String>,
    },
    /// Something else, such as a name or a list of efforts.
    Other,
}

impl What {
    /// Why a person must agree to it by itself; `None` where it is agreed to with the rest.
    #[must_use]
    pub fn doubt(&self) -> Option<&'static str> {
        match self {
            Self::Price { from: Some(_), to: None, .. } => Some("a price goes away"),
            Self::Price { from: Some(from), to: Some(to), .. } => {
                let is_far =
                    to.0 > from.0.saturating_mul(FACTOR_MAX) || from.0 > to.0.saturating_mul(FACTOR_MAX);
                is_far.then_some("a price changes by more than a factor of two")
            }
            Self::Retires { from: Some(from), to: Some(to) } => {
                (to < from).then_some("a retirement moves to an earlier day")
            }
            Self::Retires { from: Some(_), to: None } => Some("a notice is taken back"),
            Self::Gone => Some("a model is said to be gone"),
            _ => None,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let price = |price: &Option<PicoUsd>| {
            price.map_or_else(
                || "unknown".to_owned(),
                |price| format!("${} per million", price.times(1_000_000)),
            )
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "no day".to_owned());
        match self {
            Self::Added => out.write_str("new"),
            Self::Unlisted => out.write_str("no longer listed by the source; its row stays"),
            Self::Price { of, from, to } => {
                write!(out, "{of}: {} -> {}", price(from), price(to))?;
                match (from, to) {
                    (Some(from), Some(to)) if from.0 > 0 && to.0 > 0 => {
                        write!(out, " ({})", factor(*from, *to))
                    }
                    _ => Ok(()),
                }
            }
            Self::Retires { from, to } => {
                write!(out, "retires: {} -> {}", text(from), text(to))?;
                let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
                let days = day::start_of(from).and_then(|at| day::days_until(to, at)).unwrap_or(0);
                let (days, word) = (days.abs(), if days < 0 { "earlier" } else { "later" });
                write!(out, " ({days} {} {word})", if days == 1 { "day" } else { "days" })
            }
            Self::Gone => out.write_str("gone"),
            Self::Replacement { from, to } => {
                let list =
                    |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                write!(out, "replacement: {} -> {}", list(from), list(to))
            }
            Self::Size { of, from, to } => {
                let count = |count: &Option<u64>| {
                    count.map_or_else(|| "unknown".to_owned(), |count| count.to_string())
                };
                write!(out, "{of}: {} -> {}", count(from), count(to))
            }
            Self::Capability { of, from, to } => {
                let able =
                    |able: &Option<bool>| able.map_or("unknown", |able| if able { "yes" } else { "no" });
                write!(out, "{of}: {} -> {}", able(from), able(to))
            }
            Self::Conflict { of, chosen, says } => {
                let says: Vec<String> = says.iter().map(|(who, what)| format!("{who} {what}")).collect();
                write!(out, "sources disagree on {of}: {}; {chosen} stands", says.join(", "))
            }
            Self::Other => out.write_str("other facts"),
        }
    }
}

/// `× 100`, `÷ 2.5`: how far a price moved, to a tenth.
fn factor(from: PicoUsd, to: PicoUsd) -> String {
    let (sign, tenths) = if to >= from {
        ('×', to.0.saturating_mul(10) / from.0)
    } else {
        ('÷', from.0.saturating_mul(10) / to.0)
    };
    if tenths % 10 == 0 {
        format!("{sign} {}", tenths / 10)
    } else {
        format!("{sign} {}.{}", tenths / 10, tenths % 10)
    }
}

/// What changes from one state of the rows to another, by platform and id. `listed` are the keys that the source has:
/// what it could have and has not is told, where it is given.
#[must_use]
pub fn changes(before: &Book, after: &Book, listed: Option<&BTreeSet<(String, String)>>) -> Vec<Change> {
    let mut found = Vec::new();
    for ((platform, id), row) in after {
        let mut say = |what| found.push(Change { platform: platform.clone(), id: id.clone(), what });
        match before.get(&(platform.clone(), id.clone())) {
            None => say(What::Added),
            Some(old) if old == row => {
                if listed.is_some_and(|listed| !listed.contains(&(platform.clone(), id.clone()))) {
                    say(What::Unlisted);
                }
            }
            Some(old) => {
                let count = row_changes(old, row, &mut say);
                if count == 0 && facts_of(old) != facts_of(row) {
                    say(What::Other);
                }
            }
        }
    }
    found
}

/// A row without what only tells where its facts are from.
fn facts_of(row: &Row) -> Row {
    Row { as_of: String::new(), feeds: Vec::new(), source: None, ..row.clone() }
}

fn row_changes(old: &Row, new: &Row, say: &mut dyn FnMut(What)) -> usize {
    let mut count = 0;
    let mut say = |what| {
        count += 1;
        say(what);
    };
    let (before, after) = (rates(old), rates(new));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for of in all {
        let (from, to) = (before.get(of).copied(), after.get(of).copied());
        if from != to {
            say(What::Price { of: of.clone(), from, to });
        }
    }
    life(old, new, &mut say);
    for (of, from, to) in [
        ("context_tokens", old.context_tokens, new.context_tokens),
        ("input_tokens_max", old.input_tokens_max, new.input_tokens_max),
        ("output_tokens_max", old.output_tokens_max, new.output_tokens_max),
    ] {
        if from != to {
            say(What::Size { of, from, to });
        }
    }
    let able = |row: &Row, name: &String| {
        if row.yes.contains(name) { Some(true) } else { row.no.contains(name).then_some(false) }
    };
    let names: BTreeSet<&String> = [&old.yes, &old.no, &new.yes, &new.no].into_iter().flatten().collect();
    for name in names {
        let (from, to) = (able(old, name), able(new, name));
        if from != to {
            say(What::Capability { of: name.clone(), from, to });
        }
    }
    for conflict in new.conflicts.iter().filter(|conflict| !old.conflicts.contains(conflict)) {
        let (of, chosen, says) = (conflict.member.clone(), conflict.chosen.clone(), conflict.says.clone());
        say(What::Conflict { of, chosen, says });
    }
    count
}

fn life(old: &Row, new: &Row, say: &mut dyn FnMut(What)) {
    let retires = |row: &Row| row.life.as_ref().and_then(|life| life.deadline().map(str::to_owned));
    let (from, to) = (retires(old), retires(new));
    if from != to {
        say(What::Retires { from, to });
    }
    let is_gone = |row: &Row| row.life.as_ref().is_some_and(|life| life.gone);
    if is_gone(new) && !is_gone(old) {
        say(What::Gone);
    }
    let replacement = |row: &Row| row.life.as_ref().map(|life| life.replacement.clone()).unwrap_or_default();
    let (from, to) = (replacement(old), replacement(new));
    if from != to {
        say(What::Replacement { from, to });
    }
}

/// The prices of tokens by class and condition.
fn rates(row: &Row) -> BTreeMap<String, PicoUsd> {
    let of = |card: &Card, class: &Class| {
        let conditions = [
            card.tier.clone(),
            card.above_tokens.map(|above| format!("above {above} tokens")),
            card.window.clone(),
            card.from.as_ref().map(|from| format!("from {from}")),
            card.to.as_ref().map(|to| format!("until {to}")),
        ];
        let parts = std::iter::once(class.as_str().to_owned()).chain(conditions.into_iter().flatten());
        parts.collect::<Vec<_>>().join(", ")
    };
    let cards = row.prices.iter();
    cards.flat_map(|card| card.rates.iter().map(move |(class, price)| (of(card, class), *price))).collect()
}

/// The rows after, with those changes left out that nobody agreed to: such a row stays as it was.
#[must_use]
pub fn agreed(before: &Book, after: Book, refused: &BTreeSet<(String, String)>) -> Book {
    let kept = after.into_iter().filter_map(|(key, row)| {
        if refused.contains(&key) { before.get(&key).map(|old| (key, old.clone())) } else { Some((key, row)) }
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilothouse_catalog::row::Life;

    fn row(input: i128) -> Row {
        let rates = [(Class::Input, PicoUsd(input))].into();
        Row {
            platform: "openai".into(),
            id: "m".into(),
            as_of: "2026-11-22".into(),
            prices: vec![Card { rates, ..Card::default() }],
            ..Row::default()
        }
    }

    fn retiring(on: Option<&str>) -> Row {
        let life = Life { notice: on.is_some(), retires: on.map(str::to_owned), ..Life::default() };
        Row { life: Some(life), ..row(1) }
    }

    fn of(before: Row, after: Row) -> Vec<What> {
        let key = ("openai".to_owned(), "m".to_owned());
        let (before, after) = (Book::from([(key.clone(), before)]), Book::from([(key, after)]));
        changes(&before, &after, None).into_iter().map(|change| change.what).collect()
    }

    #[test]
    fn a_price_that_changes_a_hundredfold_needs_a_persons_word() {
        let found = of(row(2_500_000), row(250_000_000));
        assert_eq!(found[0].to_string(), "input: $2.50 per million -> $250.00 per million (× 100)");
        assert_eq!(found[0].doubt(), Some("a price changes by more than a factor of two"));
        assert!(of(row(250_000_000), row(2_500_000))[0].doubt().is_some());
        assert!(of(row(2_500_000), row(0))[0].doubt().is_some(), "a price of nothing");
    }

    #[test]
    fn a_price_that_changes_by_up_to_two_is_only_shown() {
        for to in [1_250_000, 2_000_000, 2_600_000, 5_000_000] {
            assert_eq!(of(row(2_500_000), row(to))[0].doubt(), None, "{to}");
        }
        for to in [1_249_999, 5_000_001] {
            assert!(of(row(2_500_000), row(to))[0].doubt().is_some(), "{to}");
        }
    }

    #[test]
    fn a_day_that_moves_earlier_needs_a_persons_word_and_a_later_one_does_not() {
        let earlier = of(retiring(Some("2026-12-11")), retiring(Some("2026-12-01")));
        assert_eq!(earlier[0].to_string(), "retires: 2026-12-11 -> 2026-12-01 (10 days earlier)");
        assert_eq!(earlier[0].doubt(), Some("a retirement moves to an earlier day"));
        assert_eq!(of(retiring(Some("2026-12-11")), retiring(Some("2027-01-11")))[0].doubt(), None);
        assert_eq!(of(retiring(None), retiring(Some("2027-01-11")))[0].doubt(), None, "a first notice");
        assert_eq!(
            of(retiring(Some("2026-12-11")), retiring(None))[0].doubt(),
            Some("a notice is taken back")
        );
    }

    #[test]
    fn what_nobody_agreed_to_stays_as_it_was() {
        let key = ("openai".to_owned(), "m".to_owned());
        let (before, after) = (Book::from([(key.clone(), row(1))]), Book::from([(key.clone(), row(9))]));
        assert_eq!(agreed(&before, after.clone(), &[key].into()), before);
        assert_eq!(agreed(&before, after.clone(), &BTreeSet::new()), after);
    }

    #[test]
    fn the_same_facts_of_another_day_are_no_change() {
        assert_eq!(of(row(1), Row { as_of: "2026-12-01".into(), ..row(1) }), []);
        assert_eq!(of(row(1), Row { name: Some("M".into()), ..row(1) }), [What::Other]);
    }
}
