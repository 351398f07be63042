//! Who changed what: a record beside every change, in the change's own transaction.

use pilothouse_core::clock::UnixMs;
use rusqlite::Connection;

/// A change that is being made.
pub(crate) struct Entry<'a> {
    pub(crate) at: UnixMs,
    pub(crate) actor: &'a str,
    /// What was done, such as `key.create`.
    pub(crate) action: &'static str,
    /// To what.
    pub(crate) object: &'a str,
    /// What it is now; never a secret.
    pub(crate) detail: serde_json::Value,
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct AuditRecord {
    /// Its number: records are numbered without a gap.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at: UnixMs,
    /// Who did it, as they were known: a key's name, or a user of the machine.
    pub actor: String,
    /// What was done, such as `key.create`.
    pub action: String,
    /// To what.
    pub object: String,
    /// What it was made to be.
    pub detail: serde_json::Value,
}

/// Writes a record within the transaction of its change.
pub(crate) fn write(db: &Connection, entry: &Entry<'_>) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO audit (at_ms, actor, action, object, detail) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((
            entry.at.0.cast_signed(),
            entry.actor,
            entry.action,
            entry.object,
            entry.detail.to_string(),
        ))
        .map(drop)
}

/// The newest records below the number `before`, newest first, at most `limit`.
pub(crate) fn read(db: &Connection, before: Option<i64>, limit: u32) -> rusqlite::Result<Vec<AuditRecord>> {
    let mut select = db.prepare_cached(
        "SELECT id, at_ms, actor, action, object, detail FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let records = select.query_map((before.unwrap_or(i64::MAX), limit), |row| {
        let detail: String = row.get(5)?;
        Ok(AuditRecord {
            id: row.get(0)?,
            at: UnixMs(row.get::<_, i64>(1)?.cast_unsigned()),
            actor: row.get(2)?,
            action: row.get(3)?,
            object: row.get(4)?,
            detail: serde_json::from_str(&detail).unwrap_or(serde_json::Value::String(detail)),
        })
    })?;
    records.collect()
}
