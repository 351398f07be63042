//! Who used what, and what it cost: sums of the hourly roll-ups that add up exactly.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use pilothouse_core::clock::UnixMs;
use rusqlite::Connection;

use crate::codes::Wide;
use crate::names::NONE;
use crate::rollup::{self, Group, HOUR_MS};
use crate::row::{self, Texts};
use crate::totals::{Class, Totals};

/// What a usage report has a row for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Each target, written `vendor/model`.
    Model,
    /// Each virtual key.
    Key,
    /// Each configured provider.
    Vendor,
    /// Each application.
    Application,
    /// Each day, in UTC.
    Day,
    /// Each price row of the catalogue.
    Price,
}

impl By {
    /// Every grouping, in the order users see them.
    pub const ALL: [Self; 6] =
        [Self::Model, Self::Key, Self::Vendor, Self::Application, Self::Day, Self::Price];

    /// The name on the command line and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Key => "key",
            Self::Vendor => "vendor",
            Self::Application => "app",
            Self::Day => "day",
            Self::Price => "price",
        }
    }

    /// The grouping of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }
}

/// What a usage report is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageQuery {
    /// A row for each of these.
    pub by: By,
    /// From this moment, rounded down to its hour.
    pub since: Option<UnixMs>,
    /// Before this moment, rounded up to a whole hour.
    pub until: Option<UnixMs>,
}

/// Usage and cost by group. `total` is the sum of the rows, and of all exchanges of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageReport {
    /// What the rows are.
    pub by: By,
    /// The first moment that is counted: an hour's beginning. `None`: everything.
    pub since: Option<UnixMs>,
    /// The first moment that is no longer counted. `None`: everything.
    pub until: Option<UnixMs>,
    /// The groups: by time for days, else the most expensive first.
    pub rows: Vec<UsageRow>,
    /// The sum.
    pub total: Totals,
    /// Exchanges among them whose details were lost, by the gap records that reach into the time.
    pub details_lost: u64,
}

/// One group of a usage report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// Its name; `None` for exchanges without one (no vendor was reached, no price is known).
    pub name: Option<String>,
    /// Its sums.
    pub totals: Totals,
}

pub(crate) fn report(db: &Connection, query: &UsageQuery) -> rusqlite::Result<UsageReport> {
    // Names and sums of one moment.
    let moment = db.unchecked_transaction()?;
    let texts = row::load_texts(&moment)?;
    let first = query.since.map_or(0, |since| since.0 / HOUR_MS);
    let end = query.until.map(|until| until.0.div_ceil(HOUR_MS));
    let sql = format!("SELECT {} FROM rollup WHERE hour >= ?1 AND hour < ?2 ORDER BY hour", rollup::COLUMNS);
    let mut select = moment.prepare_cached(&sql)?;
    let mut rows = select.query((Wide::from(first), end.map_or(Wide(i64::MAX.into()), Wide::from)))?;
    let mut groups: BTreeMap<Option<String>, Totals> = BTreeMap::new();
    let mut total = Totals::default();
    let mut names = NameCache::default();
    while let Some(row) = rows.next()? {
        let (hour, group, sums) = rollup::read(row)?;
        let class =
            Class::parse(group.class).ok_or(rusqlite::Error::IntegralValueOutOfRange(5, group.class))?;
        let mut totals = Totals::default();
        totals.take_in(class, group.vendor != NONE, &sums);
        total.add(&totals);
        groups.entry(names.name(query.by, hour, &group, &texts)).or_default().add(&totals);
    }
    let mut rows: Vec<UsageRow> =
        groups.into_iter().map(|(name, totals)| UsageRow { name, totals }).collect();
    if query.by != By::Day {
        // Stable: equal costs stay sorted by name.
        rows.sort_by_key(|row| std::cmp::Reverse((row.totals.cost(), row.totals.tokens().input_total())));
    }
    let moment_of = |hour: u64| UnixMs(hour.saturating_mul(HOUR_MS));
    let (since, until) = (query.since.map(|_| moment_of(first)), end.map(moment_of));
    let details_lost = lost(&moment, since, until)?;
    Ok(UsageReport { by: query.by, since, until, rows, total, details_lost })
}

fn lost(db: &Connection, since: Option<UnixMs>, until: Option<UnixMs>) -> rusqlite::Result<u64> {
    db.query_row(
        "SELECT coalesce(sum(exchanges), 0) FROM gap WHERE last_ms >= ?1 AND first_ms < ?2",
        (
            Wide::from(since.unwrap_or_default().0),
            until.map_or(Wide(i64::MAX.into()), |until| Wide::from(until.0)),
        ),
        |row| row.get::<_, Wide>(0)?.unsigned(),
    )
}

/// Names of groups, so that a report over many hours writes each only once.
#[derive(Default)]
struct NameCache(BTreeMap<(i64, i64), Option<String>>);

impl NameCache {
    fn name(&mut self, by: By, hour: u64, group: &Group, texts: &Texts) -> Option<String> {
        let text = |id: i64| texts.get(&id).map(|text| text.to_string());
        let place = match by {
            By::Model => (group.vendor, group.model),
            By::Key => (group.key, 0),
            By::Vendor => (group.vendor, 0),
            By::Application => (group.application, 0),
            By::Price => (group.price, 0),
            By::Day => (i64::try_from(hour / 24).unwrap_or(i64::MAX), 0),
        };
        match self.0.entry(place) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => new
                .insert(match by {
                    By::Model => {
                        text(place.0).zip(text(place.1)).map(|(vendor, model)| format!("{vendor}/{model}"))
                    }
                    By::Day => Some(day(hour)),
                    _ => text(place.0),
                })
                .clone(),
        }
    }
}

/// The day of an hour, as `2026-11-22` in UTC.
pub(crate) fn day(hour: u64) -> String {
    let second = i64::try_from(hour).ok().and_then(|hour| hour.checked_mul(3600));
    let moment = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
    moment.map_or_else(
        || "(beyond the calendar)".to_owned(),
        |moment| moment.to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
    )
}
