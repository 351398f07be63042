//! Who calls a target: its keys and applications, of the hourly roll-ups.

use std::collections::BTreeMap;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use rusqlite::Connection;

use crate::codes::Wide;
use crate::rollup::{self, HOUR_MS};
use crate::row;
use crate::totals::{Class, Totals};

/// Who calls a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key; `None` for calls without one.
    pub key: Option<String>,
    /// The application.
    pub application: Option<String>,
    /// Exchanges in the time.
    pub exchanges: u64,
    /// Their known cost.
    pub cost: PicoUsd,
    /// The beginning of the hour of the first one in the time.
    pub first: UnixMs,
    /// The beginning of the hour of the last one.
    pub last: UnixMs,
}

/// The callers of a target from `since` on, rounded down to its hour; the busiest first.
pub(crate) fn read(
    db: &Connection,
    (vendor, model): (&str, &str),
    since: UnixMs,
) -> rusqlite::Result<Vec<Caller>> {
    let moment = db.unchecked_transaction()?;
    let texts = row::load_texts(&moment)?;
    let sql = format!(
        "SELECT {} FROM rollup WHERE hour >= ?1 AND vendor IN (SELECT id FROM name WHERE text = ?2) \
         AND model IN (SELECT id FROM name WHERE text = ?3) ORDER BY hour",
        rollup::COLUMNS
    );
    let mut select = moment.prepare_cached(&sql)?;
    let mut rows = select.query((Wide::from(since.0 / HOUR_MS), vendor, model))?;
    let mut found: BTreeMap<(i64, i64), (Totals, u64, u64)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (hour, group, sums) = rollup::read(row)?;
        let class =
            Class::parse(group.class).ok_or(rusqlite::Error::IntegralValueOutOfRange(5, group.class))?;
        let (totals, _, last) =
            found.entry((group.key, group.application)).or_insert_with(|| (Totals::default(), hour, hour));
        totals.take_in(class, true, &sums);
        *last = hour;
    }
    let text = |id: i64| texts.get(&id).map(|text| text.to_string());
    let moment_of = |hour: u64| UnixMs(hour.saturating_mul(HOUR_MS));
    let mut callers: Vec<Caller> = found
        .into_iter()
        .map(|((key, application), (totals, first, last))| Caller {
            key: text(key),
            application: text(application),
            exchanges: totals.exchanges,
            cost: totals.cost(),
            first: moment_of(first),
            last: moment_of(last),
        })
        .collect();
    // Stable: those who call as often stay in the order of their names' ids.
    callers.sort_by_key(|caller| std::cmp::Reverse(caller.exchanges));
    Ok(callers)
}
