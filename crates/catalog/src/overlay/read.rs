//! Reads an overlay: TOML with the place of every value, so that an error points at line and column.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::price::prices;
use super::{Change, Member, OverlayError, Patch};
use crate::day;
use crate::nearest::nearest_names;
use crate::row::Life;

/// The longest id or platform, in bytes.
const NAME_BYTES_MAX: usize = 200;

pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A mistake and its place in bytes.
pub(super) struct Wrong {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

pub(super) fn wrong<T>(at: &Value<'_>, message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { span: at.span(), message: message.into() })
}

/// Reads an overlay. The patches are in the order of the file.
///
/// # Errors
/// [`OverlayError`] at the first mistake.
pub fn parse(text: &str, origin: &str) -> Result<Vec<Patch>, OverlayError> {
    read(text).map_err(|wrong| {
        let (line, column) = place(text, wrong.span.start);
        OverlayError { origin: origin.to_owned(), line, column, message: wrong.message }
    })
}

/// Line and column of a byte, both from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn read(text: &str) -> Result<Vec<Patch>, Wrong> {
    let file = DeTable::parse(text)
        .map_err(|error| Wrong { span: error.span().unwrap_or(0..0), message: error.message().to_owned() })?;
    let mut patches = Vec::new();
    for (key, value) in file.get_ref() {
        if key.get_ref() != "model" {
            let message =
                format!("`{}` is not known here; an overlay holds `[[model]]` tables", key.get_ref());
            return Err(Wrong { span: key.span(), message });
        }
        for model in list(value)? {
            patches.push(patch(model)?);
        }
    }
    Ok(patches)
}

const MEMBERS: [(&str, Member); 20] = [
    ("version", Member::Version),
    ("snapshot", Member::Snapshot),
    ("name", Member::Name),
    ("card", Member::Card),
    ("mode", Member::Mode),
    ("region", Member::Region),
    ("effort_default", Member::EffortDefault),
    ("licence", Member::Licence),
    ("released", Member::Released),
    ("knowledge", Member::Knowledge),
    ("as_of", Member::AsOf),
    ("source", Member::Source),
    ("inputs", Member::Inputs),
    ("outputs", Member::Outputs),
    ("effort", Member::Effort),
    ("replacement", Member::Replacement),
    ("context_tokens", Member::ContextTokens),
    ("input_tokens_max", Member::InputTokensMax),
    ("output_tokens_max", Member::OutputTokensMax),
    ("cache_tokens_min", Member::CacheTokensMin),
];
const OTHER_MEMBERS: [&str; 7] =
    ["platform", "id", "aliases", "open_weights", "capabilities", "prices", "lifecycle"];

fn patch(model: &Value<'_>) -> Result<Patch, Wrong> {
    let members = table(model)?;
    let mut patch = Patch::default();
    let (mut dated, mut lifecycle) = (false, None);
    for (key, value) in members {
        match key.get_ref().as_ref() {
            "platform" => patch.platform = name(value)?,
            "id" => patch.id = name(value)?,
            "aliases" => patch.aliases = list(value)?.iter().map(name).collect::<Result<_, _>>()?,
            "open_weights" => patch.changes.push(Change::OpenWeights(flag(value)?)),
            "capabilities" => {
                let given =
                    table(value)?.iter().map(|(name, able)| Ok((name.get_ref().to_string(), flag(able)?)));
                patch.changes.push(Change::Capabilities(given.collect::<Result<_, _>>()?));
            }
            "prices" => {
                let (cards, units) = prices(value)?;
                patch.changes.push(Change::Prices(cards, units));
            }
            "lifecycle" => lifecycle = Some(Change::Life(Box::new(life(value)?))),
            other => {
                let Some((_, member)) = MEMBERS.iter().find(|(known, _)| *known == other) else {
                    return Err(Wrong { span: key.span(), message: unknown_member(other) });
                };
                dated = dated || *member == Member::AsOf;
                patch.changes.push(plain(*member, value)?);
            }
        }
    }
    // First, because a `replacement` beside it adds to it.
    patch.changes.splice(0..0, lifecycle);
    for (member, given) in [("platform", &patch.platform), ("id", &patch.id)] {
        if given.is_empty() {
            return wrong(model, format!("a `[[model]]` needs `{member}`"));
        }
    }
    if !dated {
        return wrong(model, "a `[[model]]` needs `as_of`, the day of its facts as `YYYY-MM-DD`");
    }
    Ok(patch)
}

fn unknown_member(name: &str) -> String {
    let mut known = MEMBERS.iter().map(|(known, _)| *known).chain(OTHER_MEMBERS);
    match nearest_names(name, &mut known, 1).first() {
        Some(near) => format!("`{name}` is not a member of a model; did you mean `{near}`?"),
        None => format!("`{name}` is not a member of a model"),
    }
}

fn plain(member: Member, value: &Value<'_>) -> Result<Change, Wrong> {
    match member {
        Member::Inputs | Member::Outputs | Member::Effort | Member::Replacement => {
            let texts = list(value)?.iter().map(|one| text(one).map(str::to_owned));
            Ok(Change::List(member, texts.collect::<Result<_, _>>()?))
        }
        Member::ContextTokens | Member::InputTokensMax | Member::OutputTokensMax | Member::CacheTokensMin => {
            Ok(Change::Count(member, count(value)?))
        }
        Member::AsOf | Member::Released => Ok(Change::Text(member, calendar_day(value)?)),
        _ => Ok(Change::Text(member, text(value)?.to_owned())),
    }
}

fn life(value: &Value<'_>) -> Result<Life, Wrong> {
    let mut life = Life::default();
    for (key, value) in table(value)? {
        match key.get_ref().as_ref() {
            "announced" => life.announced = Some(calendar_day(value)?),
            "retires" => life.retires = Some(calendar_day(value)?),
            "not_before" => life.not_before = Some(calendar_day(value)?),
            "gone" => life.gone = flag(value)?,
            "source" => life.source = Some(text(value)?.to_owned()),
            "note" => life.note = Some(text(value)?.to_owned()),
            "replacement" => {
                let names = list(value)?.iter().map(|one| text(one).map(str::to_owned));
                life.replacement = names.collect::<Result<_, _>>()?;
            }
            other => {
                let message = format!(
                    "`{other}` is not a member of `lifecycle`: announced, retires, not_before, gone, replacement, source, note"
                );
                return Err(Wrong { span: key.span(), message });
            }
        }
    }
    // Whoever writes `retires` vouches for the provider's notice; a date without one belongs into `not_before`.
    life.notice = life.retires.is_some() || life.announced.is_some() || !life.replacement.is_empty();
    Ok(life)
}

pub(super) fn table<'v, 't>(value: &'v Value<'t>) -> Result<&'v DeTable<'t>, Wrong> {
    value.get_ref().as_table().map_or_else(|| wrong(value, "a table is expected here"), Ok)
}

pub(super) fn list<'v, 't>(value: &'v Value<'t>) -> Result<&'v [Value<'t>], Wrong> {
    value.get_ref().as_array().map_or_else(|| wrong(value, "a list is expected here"), |list| Ok(&list[..]))
}

pub(super) fn text<'v>(value: &'v Value<'_>) -> Result<&'v str, Wrong> {
    value.get_ref().as_str().map_or_else(|| wrong(value, "a text in quotes is expected here"), Ok)
}

fn flag(value: &Value<'_>) -> Result<bool, Wrong> {
    value.get_ref().as_bool().map_or_else(|| wrong(value, "`true` or `false` is expected here"), Ok)
}

pub(super) fn count(value: &Value<'_>) -> Result<u64, Wrong> {
    let number = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
    number.map_or_else(|| wrong(value, "a whole number is expected here"), Ok)
}

/// A day, as text or as a TOML date.
pub(super) fn calendar_day(value: &Value<'_>) -> Result<String, Wrong> {
    let written = match value.get_ref().as_datetime() {
        Some(date) => date.to_string(),
        None => text(value)?.to_owned(),
    };
    match day::start_of(&written) {
        Some(_) => Ok(written),
        None => wrong(value, format!("`{written}` is not a day: write `YYYY-MM-DD`")),
    }
}

fn name(value: &Value<'_>) -> Result<String, Wrong> {
    let name = text(value)?;
    let printable = name.chars().all(|sign| !sign.is_control() && sign != '"' && sign != '\\');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !printable {
        return wrong(
            value,
            format!("a name has 1 to {NAME_BYTES_MAX} bytes and no quotes or control characters"),
        );
    }
    Ok(name.to_owned())
}
