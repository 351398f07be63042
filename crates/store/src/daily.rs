//! Usage by day, key and target, given one after the other: for comparisons with what vendors report.

use std::collections::BTreeMap;

use pilothouse_core::clock::UnixMs;
use rusqlite::Connection;

use crate::codes::Wide;
use crate::rollup::{self, Group, HOUR_MS};
use crate::row;
use crate::totals::{Class, End, Totals};
use crate::usage::day;

/// What one key used of one target on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daily {
    /// The day in UTC, as `YYYY-MM-DD`.
    pub day: String,
    /// The virtual key; empty where there was none.
    pub key: String,
    /// The configured provider.
    pub vendor: String,
    /// The model's id on the wire.
    pub model: String,
    /// The sums of all exchanges.
    pub all: Totals,
    /// The sums of those whose client went away first; they are part of `all`.
    pub cancelled: Totals,
}

/// Gives the usage of every day from `since` on and before `until`, both rounded to whole hours, the oldest day first.
/// Exchanges that reached no vendor are left out. Memory holds one day.
pub(crate) fn each(
    db: &Connection,
    since: Option<UnixMs>,
    until: Option<UnixMs>,
    take: &mut dyn FnMut(Daily),
) -> rusqlite::Result<()> {
    // Names and sums of one moment.
    let moment = db.unchecked_transaction()?;
    let texts = row::load_texts(&moment)?;
    let first = since.map_or(0, |since| since.0 / HOUR_MS);
    let end = until.map(|until| until.0.div_ceil(HOUR_MS));
    let sql = format!("SELECT {} FROM rollup WHERE hour >= ?1 AND hour < ?2 ORDER BY hour", rollup::COLUMNS);
    let mut select = moment.prepare_cached(&sql)?;
    let mut rows = select.query((Wide::from(first), end.map_or(Wide(i64::MAX.into()), Wide::from)))?;
    let mut days: BTreeMap<(i64, i64, i64), (Totals, Totals)> = BTreeMap::new();
    let mut current = None;
    let name = |id: i64| texts.get(&id).map(|text| text.to_string());
    let mut give = |hour: u64, groups: BTreeMap<(i64, i64, i64), (Totals, Totals)>| {
        for ((key, vendor, model), (all, cancelled)) in groups {
            if let (Some(vendor), Some(model)) = (name(vendor), name(model)) {
                take(Daily {
                    day: day(hour),
                    key: name(key).unwrap_or_default(),
                    vendor,
                    model,
                    all,
                    cancelled,
                });
            }
        }
    };
    while let Some(row) = rows.next()? {
        let (hour, group, sums) = rollup::read(row)?;
        if let Some(before) = current.filter(|before| before / 24 != hour / 24) {
            give(before, std::mem::take(&mut days));
        }
        current = Some(hour);
        let Group { key, vendor, model, .. } = group;
        if vendor == crate::names::NONE {
            continue;
        }
        let class =
            Class::parse(group.class).ok_or(rusqlite::Error::IntegralValueOutOfRange(5, group.class))?;
        let (all, cancelled) = days.entry((key, vendor, model)).or_default();
        all.take_in(class, true, &sums);
        if class.end == End::Cancelled {
            cancelled.take_in(class, true, &sums);
        }
    }
    if let Some(hour) = current {
        give(hour, days);
    }
    Ok(())
}
