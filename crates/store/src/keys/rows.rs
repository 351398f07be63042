//! Minted keys on disk, and every change of them with its audit record.

use pilothouse_core::clock::UnixMs;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::Serialize;
use serde_json::json;

use super::{FreshSecret, Grants, NewKey};
use crate::audit::{self, Entry};
use crate::error::StoreError;

/// A key as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyRow {
    /// Its name.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub created: UnixMs,
    /// When it ends by itself.
    pub expires: Option<UnixMs>,
    /// When it was revoked.
    pub revoked: Option<UnixMs>,
    /// The last characters of each of its secrets, newest first, and when that one ends.
    pub secrets: Vec<(String, Option<UnixMs>)>,
    /// What it may.
    pub grants: Grants,
}

/// The SHA-256 of a secret, and when it ends.
pub type Digest = ([u8; 32], Option<UnixMs>);

/// The outer result is the database's, the inner one ours.
pub(super) type Change<T> = rusqlite::Result<Result<T, StoreError>>;

pub(super) fn refuse<T>(what: String) -> Change<T> {
    Ok(Err(StoreError::Refused { what }))
}

pub(super) fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<UnixMs>> {
    row.get::<_, Option<i64>>(column).map(|at| at.map(|at| UnixMs(at.cast_unsigned())))
}

pub(super) fn grants(row: &Row<'_>, column: usize) -> rusqlite::Result<Grants> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

fn text(grants: &Grants) -> rusqlite::Result<String> {
    serde_json::to_string(grants).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

pub(super) fn ms(at: UnixMs) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

pub(super) fn create(
    db: &Connection,
    key: &NewKey,
    secret: &FreshSecret,
    actor: &str,
    now: UnixMs,
) -> Change<()> {
    let name = &key.name;
    let taken: Option<Option<i64>> = db
        .query_row("SELECT revoked_ms FROM minted_key WHERE name = ?1", [name], |row| row.get(0))
        .optional()?;
    match taken {
        Some(None) => {
            return refuse(format!(
                "there is a key `{name}` already; choose another name, or `pilothouse keys rotate {name}`"
            ));
        }
        Some(Some(_)) => {
            return refuse(format!(
                "a key `{name}` was revoked, and reports still show that name; choose another"
            ));
        }
        None => {}
    }
    db.execute(
        "INSERT INTO minted_key (name, created_ms, expires_ms, grants) VALUES (?1, ?2, ?3, ?4)",
        (name, ms(now), key.expires.map(ms), text(&key.grants)?),
    )?;
    enter_secret(db, db.last_insert_rowid(), secret, now)?;
    let detail = json!({ "expires": key.expires, "grants": key.grants, "hint": secret.hint });
    audit::write(db, &Entry { at: now, actor, action: "key.create", object: name, detail })?;
    Ok(Ok(()))
}

fn enter_secret(db: &Connection, key: i64, secret: &FreshSecret, now: UnixMs) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO minted_secret (digest, key, hint, created_ms) VALUES (?1, ?2, ?3, ?4)",
        (secret.digest, key, &secret.hint, ms(now)),
    )
    .map(drop)
}

/// The id of a key that may be changed.
fn changeable(db: &Connection, name: &str) -> Change<i64> {
    let found: Option<(i64, Option<i64>)> = db
        .query_row("SELECT id, revoked_ms FROM minted_key WHERE name = ?1", [name], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    match found {
        Some((id, None)) => Ok(Ok(id)),
        Some((_, Some(_))) => {
            refuse(format!("the key `{name}` is revoked, and that is for good; make another"))
        }
        None => refuse(format!(
            "there is no minted key `{name}`; `pilothouse keys list` shows those there are, and keys of the configuration \
             file are changed there"
        )),
    }
}

pub(super) fn rotate(
    db: &Connection,
    name: &str,
    overlap_ms: u64,
    secret: &FreshSecret,
    actor: &str,
    now: UnixMs,
) -> Change<()> {
    let key = match changeable(db, name)? {
        Ok(key) => key,
        Err(refusal) => return Ok(Err(refusal)),
    };
    db.execute("DELETE FROM minted_secret WHERE key = ?1 AND expires_ms <= ?2", (key, ms(now)))?;
    let overlapping: i64 = db.query_row(
        "SELECT count(*) FROM minted_secret WHERE key = ?1 AND expires_ms IS NOT NULL",
        [key],
        |row| row.get(0),
    )?;
    if overlapping > 0 && overlap_ms > 0 {
        return refuse(format!(
            "the key `{name}` was rotated before and its old secret still works; wait until it ends, or rotate with \
             `--overlap 0`, which ends every old one now"
        ));
    }
    let end = ms(UnixMs(now.0.saturating_add(overlap_ms)));
    if overlap_ms == 0 {
        db.execute("DELETE FROM minted_secret WHERE key = ?1", [key])?;
    } else {
        db.execute("UPDATE minted_secret SET expires_ms = ?2 WHERE key = ?1", (key, end))?;
    }
    enter_secret(db, key, secret, now)?;
    let detail = json!({ "old_secret_ends": end, "hint": secret.hint });
    audit::write(db, &Entry { at: now, actor, action: "key.rotate", object: name, detail })?;
    Ok(Ok(()))
}

pub(super) fn revoke(db: &Connection, name: &str, actor: &str, now: UnixMs) -> Change<()> {
    let key = match changeable(db, name)? {
        Ok(key) => key,
        Err(refusal) => return Ok(Err(refusal)),
    };
    db.execute("UPDATE minted_key SET revoked_ms = ?2 WHERE id = ?1", (key, ms(now)))?;
    db.execute("DELETE FROM minted_secret WHERE key = ?1", [key])?;
    audit::write(db, &Entry { at: now, actor, action: "key.revoke", object: name, detail: json!({}) })?;
    Ok(Ok(()))
}

/// Changes the terms of a key as they stand now: two changes at once are one after the other.
pub(super) fn amend(
    db: &Connection,
    name: &str,
    amend: impl FnOnce(&mut Grants, &mut Option<UnixMs>) -> Result<(), StoreError>,
    actor: &str,
    now: UnixMs,
) -> Change<()> {
    let key = match changeable(db, name)? {
        Ok(key) => key,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (mut given, mut expires) =
        db.query_row("SELECT grants, expires_ms FROM minted_key WHERE id = ?1", [key], |row| {
            Ok((grants(row, 0)?, moment(row, 1)?))
        })?;
    if let Err(refusal) = amend(&mut given, &mut expires) {
        return Ok(Err(refusal));
    }
    db.execute(
        "UPDATE minted_key SET grants = ?2, expires_ms = ?3 WHERE id = ?1",
        (key, text(&given)?, expires.map(ms)),
    )?;
    let detail = json!({ "expires": expires, "grants": given });
    audit::write(db, &Entry { at: now, actor, action: "key.limit", object: name, detail })?;
    Ok(Ok(()))
}

/// The digests of a key's secrets, the newest first, and when each ends.
pub(super) fn digests(db: &Connection, name: &str) -> rusqlite::Result<Vec<Digest>> {
    let mut select = db.prepare_cached(
        "SELECT s.digest, s.expires_ms FROM minted_secret s JOIN minted_key k ON k.id = s.key WHERE k.name = ?1 \
         ORDER BY s.expires_ms IS NOT NULL, s.created_ms DESC",
    )?;
    let found = select.query_map([name], |row| Ok((row.get(0)?, moment(row, 1)?)))?;
    found.collect()
}

/// Removes a key altogether, because the configuration has it now; its name is free for that.
pub(super) fn hand_over(db: &Connection, name: &str, actor: &str, now: UnixMs) -> Change<()> {
    let key = match changeable(db, name)? {
        Ok(key) => key,
        Err(refusal) => return Ok(Err(refusal)),
    };
    db.execute("DELETE FROM minted_secret WHERE key = ?1", [key])?;
    db.execute("DELETE FROM minted_key WHERE id = ?1", [key])?;
    audit::write(db, &Entry { at: now, actor, action: "key.export", object: name, detail: json!({}) })?;
    Ok(Ok(()))
}

pub(super) fn list(db: &Connection) -> rusqlite::Result<Vec<KeyRow>> {
    let look = db.unchecked_transaction()?;
    let mut select = look.prepare_cached(
        "SELECT id, name, created_ms, expires_ms, revoked_ms, grants FROM minted_key ORDER BY name",
    )?;
    let mut secrets = look.prepare_cached(
        "SELECT hint, expires_ms FROM minted_secret WHERE key = ?1 ORDER BY expires_ms IS NOT NULL, created_ms DESC",
    )?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let hints = secrets.query_map([row.get::<_, i64>(0)?], |row| Ok((row.get(0)?, moment(row, 1)?)))?;
        found.push(KeyRow {
            name: row.get(1)?,
            created: moment(row, 2)?.unwrap_or_default(),
            expires: moment(row, 3)?,
            revoked: moment(row, 4)?,
            secrets: hints.collect::<rusqlite::Result<_>>()?,
            grants: grants(row, 5)?,
        });
    }
    Ok(found)
}
