//! Recorded exchanges one after the other, for the steps that look at all of them.

use pilothouse_core::exchange::Exchange;
use pilothouse_store::{Filter, Reader};

/// Exchanges that are read at once.
const PAGE: usize = 4096;

/// Gives every exchange that fits `filter` to `take`, a page at a time.
///
/// # Errors
/// What the store says when it cannot be read.
pub(super) fn each(reader: &Reader, filter: &Filter, mut take: impl FnMut(&Exchange)) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let filter = Filter { limit: PAGE, after_rowid: Some(after), ..filter.clone() };
        let page = reader.exchanges(&filter)?;
        page.iter().for_each(|row| take(&row.exchange));
        let Some(last) = page.last() else { return Ok(()) };
        after = last.rowid;
    }
}
