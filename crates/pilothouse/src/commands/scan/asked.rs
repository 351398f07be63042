//! What a ledger says of the last week, where there is one.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use pilothouse_catalog::Catalog;
use pilothouse_core::clock::UnixMs;
use pilothouse_migrate::scan::finding::Report;
use pilothouse_migrate::scan::traffic::{self, Joined, Row, Traffic};
use pilothouse_store::{Daily, Reader, Trace};

/// Where a gateway of this folder records.
const USUAL: &str = "./.pilothouse";
/// How far back traffic is looked at.
const DAYS: u64 = 7;

/// The traffic of the ledger in `data`, beside the report; `None` where no folder is named and none is there.
///
/// # Errors
/// When a folder that was named holds no ledger that can be read. One that merely lies there is passed over with a note.
pub(super) fn traffic(
    data: Option<&Path>,
    report: &Report,
    catalog: &Catalog,
    notes: &mut dyn Write,
    now: UnixMs,
) -> anyhow::Result<Option<Joined>> {
    let folder = data.unwrap_or(Path::new(USUAL));
    if data.is_none() && Trace::of(folder) != Trace::Present {
        return Ok(None);
    }
    match read(folder, now) {
        Ok(traffic) => Ok(Some(traffic::join(report, &traffic, catalog))),
        Err(error) if data.is_none() => {
            writeln!(notes, "note: traffic is not told: {error:#}")?;
            Ok(None)
        }
        Err(error) => Err(error).context("--data names the folder of a gateway's ledger"),
    }
}

fn read(folder: &Path, now: UnixMs) -> anyhow::Result<Traffic> {
    let reader = Reader::open(folder)?;
    let since = UnixMs(now.0.saturating_sub(DAYS * pilothouse_catalog::day::DAY_MS));
    let mut rows: BTreeMap<(String, String, String), Row> = BTreeMap::new();
    reader.daily(Some(since), None, |daily: Daily| {
        let key = (daily.key.clone(), daily.vendor.clone(), daily.model.clone());
        let row = rows.entry(key).or_insert_with(|| Row {
            key: daily.key,
            provider: daily.vendor,
            model: daily.model,
            ..Row::default()
        });
        row.exchanges = row.exchanges.saturating_add(daily.all.exchanges);
        row.cost += daily.all.cost();
        row.cost_unknown = row.cost_unknown.saturating_add(daily.all.cost_unknown);
    })?;
    Ok(Traffic { period: format!("the last {DAYS} days"), rows: rows.into_values().collect() })
}
