//! The record of exchanges whose details were lost: how many, when, and what they used and cost.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;

use crate::codes::Wide;
use crate::overflow::Lost;
use crate::totals::Sums;

/// Losses that follow each other within this time are one gap, so that a long overload is one record.
const SAME_GAP_MS: u64 = 10_000;

/// Exchanges without details; their totals are in the roll-ups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// When the first of them started.
    pub first_at: UnixMs,
    /// When the last of them started.
    pub last_at: UnixMs,
    /// How many.
    pub exchanges: u64,
    /// Their input tokens.
    pub input_tokens: u128,
    /// Their output tokens.
    pub output_tokens: u128,
    /// How many of them have a known cost.
    pub priced: u64,
    /// The cost of those.
    #[serde(rename = "cost_picousd")]
    pub cost: PicoUsd,
}

pub(crate) const COLUMNS: &str = "first_ms, last_ms, exchanges, input, output, priced, cost";

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Gap> {
    let wide = |column: usize| row.get::<_, Wide>(column);
    let tokens = |column: usize| wide(column).map(|sum| u128::try_from(sum.0).unwrap_or_default());
    Ok(Gap {
        first_at: UnixMs(wide(0)?.unsigned()?),
        last_at: UnixMs(wide(1)?.unsigned()?),
        exchanges: wide(2)?.unsigned()?,
        input_tokens: tokens(3)?,
        output_tokens: tokens(4)?,
        priced: wide(5)?.unsigned()?,
        cost: PicoUsd(wide(6)?.0),
    })
}

/// Writes what was lost, joined to the newest gap if it follows at once.
pub(crate) fn write(db: &Connection, lost: &Lost) -> rusqlite::Result<()> {
    let Some((mut first, mut last)) = lost.span else { return Ok(()) };
    let mut sums = Sums::default();
    lost.groups.values().for_each(|group| sums.add(group));
    let (mut input, mut output) = (sums.tokens.input_total(), sums.tokens.output_total());
    let newest = db
        .query_row(&format!("SELECT {COLUMNS}, id FROM gap ORDER BY id DESC LIMIT 1"), [], |row| {
            Ok((read(row)?, row.get::<_, i64>(7)?))
        })
        .optional()?
        .filter(|(gap, _)| {
            first.0 <= gap.last_at.0.saturating_add(SAME_GAP_MS)
                && gap.first_at.0 <= last.0.saturating_add(SAME_GAP_MS)
        });
    let mut id = None;
    if let Some((gap, newest)) = newest {
        id = Some(newest);
        (first, last) = (first.min(gap.first_at), last.max(gap.last_at));
        (input, output) = (input + gap.input_tokens, output + gap.output_tokens);
        sums.exchanges += gap.exchanges;
        sums.priced += gap.priced;
        sums.cost += gap.cost;
    }
    let wide = |count: u128| Wide(i128::try_from(count).unwrap_or(i128::MAX));
    db.execute(
        &format!("INSERT OR REPLACE INTO gap ({COLUMNS}, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
        (
            Wide::from(first.0),
            Wide::from(last.0),
            Wide::from(sums.exchanges),
            wide(input),
            wide(output),
            Wide::from(sums.priced),
            Wide(sums.cost.0),
            id,
        ),
    )
    .map(drop)
}
