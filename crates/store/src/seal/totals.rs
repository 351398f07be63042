//! The digest of an hour's totals: roll-ups are sealed too, because bills are made from them.

use rusqlite::Connection;

use super::digest::{Digest, TotalsHash};
use crate::rollup;
use crate::row::Texts;

/// The digest of all totals of an hour. What no writer writes is an error, like a row that cannot be read.
pub(crate) fn of_hour(db: &Connection, texts: &Texts, hour: u64) -> rusqlite::Result<Digest> {
    let mut select = db.prepare_cached(&format!(
        "SELECT {} FROM rollup WHERE hour = ?1 ORDER BY key, application, vendor, model, price, class",
        rollup::COLUMNS
    ))?;
    let mut rows = select.query([hour.cast_signed()])?;
    let mut hash = TotalsHash::new();
    while let Some(row) = rows.next()? {
        let (_, group, sums) = rollup::read(row)?;
        for id in [group.key, group.application, group.vendor, group.model, group.price] {
            hash.text(texts.get(&id).map(|text| &**text));
        }
        hash.count(group.class.into());
        let tokens = &sums.tokens;
        for count in [sums.exchanges, sums.priced, sums.estimates, sums.estimates_priced] {
            hash.count(count.into());
        }
        for cost in [sums.cost, sums.estimated_cost] {
            hash.count(cost.0);
        }
        for count in [
            tokens.input,
            tokens.cache_read,
            tokens.cache_write_5m,
            tokens.cache_write_1h,
            tokens.input_audio,
            tokens.output,
            tokens.reasoning,
            tokens.output_audio,
            sums.estimated_output,
            sums.total_us,
        ] {
            // No sum of 64-bit counts comes near 127 bits.
            hash.count(i128::try_from(count).unwrap_or(i128::MAX));
        }
        // Hours that were sealed before there was a cache have the digest that they had then.
        if sums.hits > 0 || sums.saved.0 != 0 {
            hash.text(Some("cache"));
            hash.count(sums.hits.into());
            hash.count(sums.saved.0);
        }
        // And hours before answers were counted at their own targets, too.
        if sums.answers > 0 {
            hash.text(Some("answers"));
            hash.count(sums.answers.into());
        }
    }
    Ok(hash.finish())
}
