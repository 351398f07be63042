//! Temporary limits on disk: made while the gateway runs, over at a moment, held beside those of the configuration.

use pilothouse_core::clock::UnixMs;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::json;

use super::rows::{Change, moment, ms, refuse};
use crate::audit::{self, Entry};
use crate::limits::{Limits, Rate};

/// Temporary limits at once, at most.
pub const TEMPORARY_MAX: i64 = 4096;

/// Whose calls a temporary limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitOf {
    /// Those of one key.
    Key,
    /// Those of a team's keys and of all teams below it.
    Team,
}

impl LimitOf {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Key, Self::Team];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Team => "team",
        }
    }

    /// The one of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A limit that is over at a moment. It is held beside all others, so that it can only make them narrower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemporaryLimit {
    /// Its name: distinct among temporary limits.
    pub name: String,
    /// Whose calls it counts.
    pub of: LimitOf,
    /// The key's or the team's name.
    pub subject: String,
    /// How much at once.
    pub limits: Limits,
    /// When it was made.
    pub created: UnixMs,
    /// When it is over.
    pub until: UnixMs,
}

/// Every one, by name; also those that are over.
pub(super) fn list(db: &Connection) -> rusqlite::Result<Vec<TemporaryLimit>> {
    let mut select = db.prepare_cached(
        "SELECT name, of, subject, rpm, tpm, concurrency, created_ms, until_ms FROM temporary_limit ORDER BY name",
    )?;
    let rows = select.query_map([], |row| {
        let rate = |column| -> rusqlite::Result<Option<Rate>> {
            let units: Option<i64> = row.get(column)?;
            Ok(units.map(|units| Rate::per_minute(units.cast_unsigned())))
        };
        let of: String = row.get(1)?;
        Ok(TemporaryLimit {
            name: row.get(0)?,
            of: LimitOf::parse(&of).unwrap_or(LimitOf::Team),
            subject: row.get(2)?,
            limits: Limits { requests: rate(3)?, tokens: rate(4)?, concurrency: row.get(5)? },
            created: moment(row, 6)?.unwrap_or_default(),
            until: moment(row, 7)?.unwrap_or_default(),
        })
    })?;
    rows.collect()
}

pub(super) fn create(db: &Connection, limit: &TemporaryLimit, actor: &str, now: UnixMs) -> Change<()> {
    let name = &limit.name;
    db.execute("DELETE FROM temporary_limit WHERE until_ms <= ?1", [ms(now)])?;
    let known: i64 = db.query_row("SELECT count(*) FROM temporary_limit", [], |row| row.get(0))?;
    if known >= TEMPORARY_MAX {
        return refuse(format!("there are {known} temporary limits, and that is the most; end some of them"));
    }
    let taken =
        db.query_row("SELECT 1 FROM temporary_limit WHERE name = ?1", [name], |_| Ok(())).optional()?;
    if taken.is_some() {
        return refuse(format!(
            "a temporary limit `{name}` exists already; end it first, or choose another name"
        ));
    }
    let units = |rate: Option<Rate>| rate.map(|rate| i64::try_from(rate.per_minute).unwrap_or(i64::MAX));
    let (rpm, tpm) = (units(limit.limits.requests), units(limit.limits.tokens));
    db.execute(
        "INSERT INTO temporary_limit (name, of, subject, rpm, tpm, concurrency, created_ms, until_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            name,
            limit.of.as_str(),
            &limit.subject,
            rpm,
            tpm,
            limit.limits.concurrency,
            ms(limit.created),
            ms(limit.until),
        ),
    )?;
    let detail = json!({
        "of": limit.of.as_str(), "subject": limit.subject, "until": limit.until,
        "rpm": rpm, "tpm": tpm, "concurrency": limit.limits.concurrency,
    });
    audit::write(db, &Entry { at: now, actor, action: "limit.create", object: name, detail })?;
    Ok(Ok(()))
}

/// Ends a limit before its time. `action` is what the audit calls it.
pub(super) fn end(db: &Connection, name: &str, action: &'static str, actor: &str, now: UnixMs) -> Change<()> {
    if db.execute("DELETE FROM temporary_limit WHERE name = ?1", [name])? == 0 {
        return refuse(format!("there is no temporary limit `{name}`"));
    }
    audit::write(db, &Entry { at: now, actor, action, object: name, detail: json!({}) })?;
    Ok(Ok(()))
}
