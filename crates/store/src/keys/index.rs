//! The keys as the request's path looks them up: by the hash of the secret, in memory.

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::{Grants, TemporaryLimit, temporary};

/// A key that may call.
#[derive(Clone, Debug, PartialEq)]
pub struct MintedKey {
    /// Its name.
    pub name: Arc<str>,
    /// When it ends; `None` for never.
    pub expires: Option<UnixMs>,
    /// What it may.
    pub grants: Grants,
}

/// Every key that was not revoked, as it stood at one moment.
#[derive(Clone, Debug, Default)]
pub struct KeyIndex {
    by_digest: FxHashMap<[u8; 32], (Arc<MintedKey>, Option<UnixMs>)>,
    /// Temporary limits, also those that are over.
    pub limits: Vec<TemporaryLimit>,
    /// The last change that is in it.
    pub(super) version: i64,
}

impl KeyIndex {
    /// The key whose secret has this SHA-256, if it may call now.
    #[must_use]
    pub fn find(&self, digest: &[u8; 32], now: UnixMs) -> Option<&Arc<MintedKey>> {
        let (key, secret_expires) = self.by_digest.get(digest)?;
        let is_over = |end: &Option<UnixMs>| end.is_some_and(|end| end <= now);
        (!is_over(secret_expires) && !is_over(&key.expires)).then_some(key)
    }

    /// The key whose secret this is, whether it may call or not.
    pub(super) fn by_digest(&self, digest: &[u8; 32]) -> Option<&Arc<MintedKey>> {
        self.by_digest.get(digest).map(|(key, _)| key)
    }

    /// Every key, each once, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<MintedKey>> {
        // A key with two secrets is there twice; the one without an end is its newest.
        self.by_digest.values().filter(|(_, expires)| expires.is_none()).map(|(key, _)| key)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_digest.is_empty()
    }
}

/// A number that changes with every change of a key: the last audit record's.
pub(super) fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(id), 0) FROM audit")?.query_row([], |row| row.get(0))
}

/// Reads every key that was not revoked, with its secrets.
pub(super) fn read(db: &Connection) -> rusqlite::Result<KeyIndex> {
    // In one read transaction: the version belongs to these keys.
    let look = db.unchecked_transaction()?;
    let mut index = KeyIndex { version: version(&look)?, ..KeyIndex::default() };
    let mut keys: FxHashMap<i64, Arc<MintedKey>> = FxHashMap::default();
    let mut select =
        look.prepare_cached("SELECT id, name, expires_ms, grants FROM minted_key WHERE revoked_ms IS NULL")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(1)?;
        let grants = super::rows::grants(row, 3)?;
        let key = MintedKey { name: name.into(), expires: super::rows::moment(row, 2)?, grants };
        keys.insert(row.get(0)?, Arc::new(key));
    }
    let mut select = look.prepare_cached("SELECT digest, key, expires_ms FROM minted_secret")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(key) = keys.get(&row.get::<_, i64>(1)?) {
            let entry = (Arc::clone(key), super::rows::moment(row, 2)?);
            index.by_digest.insert(row.get(0)?, entry);
        }
    }
    index.limits = temporary::list(&look)?;
    Ok(index)
}
