//! Hourly totals per key, application, target and price: written in the transaction of their rows, kept for good.

use std::collections::BTreeMap;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use rusqlite::{Connection, Row};
use rustc_hash::FxHashMap;

use crate::codes::Wide;
use crate::names::OTHER;
use crate::totals::{Sums, Tokens};

/// Milliseconds in a roll-up's hour.
pub(crate) const HOUR_MS: u64 = 3_600_000;

/// Groups in one hour at most; then applications are counted together, then models too.
const GROUPS_PER_HOUR_MAX: usize = 4096;

/// Hours kept in memory: exchanges are recorded when they end, within an hour or two of their start.
const HOURS_CACHED_MAX: usize = 4;

/// The hour of a moment, counted from 1970.
pub(crate) const fn hour_of(at: UnixMs) -> u64 {
    at.0 / HOUR_MS
}

/// What a roll-up row is about; names as ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    pub(crate) key: i64,
    pub(crate) application: i64,
    pub(crate) vendor: i64,
    pub(crate) model: i64,
    pub(crate) price: i64,
    pub(crate) class: i64,
}

#[derive(Default)]
struct Entry {
    sums: Sums,
    changed: bool,
}

/// The recent hours' totals, as on disk plus what is not yet written.
#[derive(Default)]
pub(crate) struct Rollups {
    hours: BTreeMap<u64, FxHashMap<Group, Entry>>,
}

/// The columns of a row, in the order of [`read`].
pub(crate) const COLUMNS: &str = "key, application, vendor, model, price, class, exchanges, priced, cost, \
    input, cache_read, cache_write_5m, cache_write_1h, input_audio, output, reasoning, output_audio, \
    estimated_output, estimates, estimates_priced, estimated_cost, total_us, hour, hits, saved, answers";

impl Rollups {
    /// Adds sums to a group of an hour.
    pub(crate) fn add(
        &mut self,
        db: &Connection,
        hour: u64,
        group: Group,
        sums: &Sums,
    ) -> rusqlite::Result<()> {
        let groups = match self.hours.get_mut(&hour) {
            Some(groups) => groups,
            None => {
                let known = load(db, hour)?;
                self.hours.entry(hour).or_insert(known)
            }
        };
        let entry = groups.entry(fit(groups, group)).or_default();
        entry.sums.add(sums);
        entry.changed = true;
        Ok(())
    }

    /// Writes what changed and lets go of hours long past; gives the hours that changed.
    pub(crate) fn write(&mut self, db: &Connection) -> rusqlite::Result<Vec<u64>> {
        let mut written = Vec::new();
        let mut replace = db.prepare_cached(&format!(
            "INSERT OR REPLACE INTO rollup ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
             ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)"
        ))?;
        for (hour, groups) in &mut self.hours {
            for (group, entry) in groups.iter_mut().filter(|(_, entry)| entry.changed) {
                write(&mut replace, *hour, group, &entry.sums)?;
                entry.changed = false;
                if written.last() != Some(hour) {
                    written.push(*hour);
                }
            }
        }
        while self.hours.len() > HOURS_CACHED_MAX {
            self.hours.pop_first();
        }
        Ok(written)
    }

    /// Forgets everything after a rollback; the file says what is true.
    pub(crate) fn forget(&mut self) {
        self.hours.clear();
    }
}

/// The group itself while there is room in its hour, else a coarser one.
fn fit(groups: &FxHashMap<Group, Entry>, group: Group) -> Group {
    if groups.len() < GROUPS_PER_HOUR_MAX || groups.contains_key(&group) {
        return group;
    }
    let coarser = Group { application: OTHER, ..group };
    if groups.len() < 2 * GROUPS_PER_HOUR_MAX || groups.contains_key(&coarser) {
        return coarser;
    }
    // Whether a vendor was reached (0 or not) stays: it tells a cost that is nothing from one that is unknown.
    let any = |id: i64| id.min(OTHER);
    Group { vendor: any(group.vendor), model: any(group.model), price: any(group.price), ..coarser }
}

fn load(db: &Connection, hour: u64) -> rusqlite::Result<FxHashMap<Group, Entry>> {
    let mut select = db.prepare_cached(&format!("SELECT {COLUMNS} FROM rollup WHERE hour = ?1"))?;
    let mut rows = select.query([hour.cast_signed()])?;
    let mut groups = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let (_, group, sums) = read(row)?;
        groups.insert(group, Entry { sums, changed: false });
    }
    Ok(groups)
}

fn write(
    replace: &mut rusqlite::Statement<'_>,
    hour: u64,
    group: &Group,
    sums: &Sums,
) -> rusqlite::Result<()> {
    let ids = [group.key, group.application, group.vendor, group.model, group.price, group.class];
    for (id, column) in ids.into_iter().zip(1..) {
        replace.raw_bind_parameter(column, id)?;
    }
    // No sum of 64-bit counts comes near 127 bits.
    let wide = |count: u128| i128::try_from(count).unwrap_or(i128::MAX);
    let tokens = &sums.tokens;
    let values = [
        i128::from(sums.exchanges),
        i128::from(sums.priced),
        sums.cost.0,
        wide(tokens.input),
        wide(tokens.cache_read),
        wide(tokens.cache_write_5m),
        wide(tokens.cache_write_1h),
        wide(tokens.input_audio),
        wide(tokens.output),
        wide(tokens.reasoning),
        wide(tokens.output_audio),
        wide(sums.estimated_output),
        i128::from(sums.estimates),
        i128::from(sums.estimates_priced),
        sums.estimated_cost.0,
        wide(sums.total_us),
        i128::from(hour),
        i128::from(sums.hits),
        sums.saved.0,
        i128::from(sums.answers),
    ];
    for (value, column) in values.into_iter().zip(7..) {
        replace.raw_bind_parameter(column, Wide(value))?;
    }
    replace.raw_execute().map(drop)
}

/// A row as its hour, its group and its sums.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<(u64, Group, Sums)> {
    let wide = |column: usize| row.get::<_, Wide>(column).map(|value| value.0);
    let sum = |column: usize| wide(column).map(|value| u128::try_from(value).unwrap_or_default());
    let count = |column: usize| row.get::<_, Wide>(column)?.unsigned();
    let group = Group {
        key: row.get(0)?,
        application: row.get(1)?,
        vendor: row.get(2)?,
        model: row.get(3)?,
        price: row.get(4)?,
        class: row.get(5)?,
    };
    let tokens = Tokens {
        input: sum(9)?,
        cache_read: sum(10)?,
        cache_write_5m: sum(11)?,
        cache_write_1h: sum(12)?,
        input_audio: sum(13)?,
        output: sum(14)?,
        reasoning: sum(15)?,
        output_audio: sum(16)?,
    };
    let sums = Sums {
        exchanges: count(6)?,
        priced: count(7)?,
        cost: PicoUsd(wide(8)?),
        tokens,
        estimated_output: sum(17)?,
        estimates: count(18)?,
        estimates_priced: count(19)?,
        estimated_cost: PicoUsd(wide(20)?),
        total_us: sum(21)?,
        hits: count(23)?,
        saved: PicoUsd(wide(24)?),
        answers: count(25)?,
    };
    Ok((count(22)?, group, sums))
}
