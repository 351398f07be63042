//! Minted keys: made while the gateway runs, kept as hashes, shown once.
//!
//! A key has one secret, or two while an old one overlaps its successor. The request's path looks a secret's hash up in an
//! index in memory, which is read again when any process has changed a key. Every change is written together with
//! an audit record of who made it. Keys of the configuration file are not here and are never shadowed: a name or a
//! secret that both have is reported, and loading fails.

mod index;
mod mint;
mod rows;
mod temporary;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use pilothouse_core::clock::{Clock, UnixMs};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use serde::{Deserialize, Serialize};

use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::{LEDGER_FILE, folder, schema};

pub use index::{KeyIndex, MintedKey};
pub use mint::{Entropy, FreshSecret, PREFIX};
pub use rows::{Digest, KeyRow};
pub use temporary::{LimitOf, TEMPORARY_MAX, TemporaryLimit};

/// Bytes of a key's name, at most.
pub const NAME_BYTES_MAX: usize = 64;

/// What a key is for and what it may. Kept as text, so that a later version may add members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grants {
    /// The team that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The project, for reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The application that calls with it, where the caller does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// What it may do besides calling models.
    pub role: Role,
    /// Routes and targets that it may call; everything where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Requests per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u64>,
    /// Tokens per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm: Option<u64>,
    /// Calls at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Its budgets, as the configuration writes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetGrant>,
}

/// A budget of a minted key, in the words of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetGrant {
    /// The cap in US dollars, as a decimal number.
    pub usd: String,
    /// `hour`, `day`, `month` or `total`.
    pub every: String,
    /// The zone whose calendar counts; UTC where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tz: Option<String>,
    /// Where the period begins: a minute of the hour, `HH:MM` of the day, or a day of the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
    /// `stop`, `warn` or `downgrade ROUTE`; `stop` where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_limit: Option<String>,
    /// `worst` or `expected`; `worst` where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<String>,
    /// Shares of the cap that are told, in per cent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<f64>,
}

/// What a key may do besides calling models; each may what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Call models.
    #[default]
    Caller,
    /// Read reports.
    Viewer,
    /// Make and limit keys of its own team.
    Lead,
    /// Everything.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Caller, Self::Viewer, Self::Lead, Self::Admin];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Viewer => "viewer",
            Self::Lead => "lead",
            Self::Admin => "admin",
        }
    }

    /// The role of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// A key that is to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its name: distinct, and shown in reports.
    pub name: String,
    /// When it ends by itself; `None` for never.
    pub expires: Option<UnixMs>,
    /// What it may.
    pub grants: Grants,
}

/// A name or a secret that a minted key and one of the configuration file both have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clash {
    /// The name.
    Name(String),
    /// The secret: the names of the minted key and of the file's.
    Secret {
        /// The minted key.
        minted: String,
        /// The file's.
        configured: String,
    },
}

/// The minted keys of a data folder. Any process may change them, also while a server runs.
#[derive(Debug)]
pub struct Keys {
    db: Mutex<Connection>,
    path: Box<Path>,
    index: RwLock<Arc<KeyIndex>>,
}

impl Keys {
    /// Opens the keys of the data folder `dir`; makes folder and file if needed.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a newer version wrote the file, [`StoreError::NotALedger`] when it is something
    /// else, and refusals of the system.
    pub fn open(dir: &Path, clock: &dyn Clock) -> Result<Self, StoreError> {
        folder::make(dir)?;
        let path = dir.join(LEDGER_FILE);
        folder::make_file(&path)?;
        let db = schema::open_control(&path, clock)?;
        let index = index::read(&db).map_err(|cause| schema::refused(&path, "read the keys of", cause))?;
        Ok(Self { db: Mutex::new(db), path: path.into(), index: RwLock::new(Arc::new(index)) })
    }

    /// Opens the keys of the data folder `dir` to read them only: nothing is made or brought forward, and changes are refused
    /// by the database.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Newer`], [`StoreError::Older`], [`StoreError::NotALedger`], and refusals of the
    /// system.
    pub fn look(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(LEDGER_FILE);
        let db = schema::open_reader(&path, schema::MIGRATIONS)?;
        let index = index::read(&db).map_err(|cause| schema::refused(&path, "read the keys of", cause))?;
        Ok(Self { db: Mutex::new(db), path: path.into(), index: RwLock::new(Arc::new(index)) })
    }

    /// The keys as they were last read. Cheap; hold it for a request.
    #[must_use]
    pub fn index(&self) -> Arc<KeyIndex> {
        Arc::clone(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the keys again if some process has changed one since. True if so. For a background task, once a second:
    /// a key that is revoked elsewhere is refused here that much later.
    ///
    /// # Errors
    /// Refusals of the database; the index stays as it was.
    pub fn refresh(&self) -> Result<bool, StoreError> {
        let db = self.lock();
        let known = self.index().version;
        let version = index::version(&db).map_err(|cause| self.refused(cause))?;
        if version == known {
            return Ok(false);
        }
        self.read_index(&db)?;
        Ok(true)
    }

    /// Makes a key. Its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a name that is taken or cannot be one; refusals of the database.
    pub fn create(
        &self,
        key: &NewKey,
        entropy: Entropy,
        actor: &str,
        now: UnixMs,
    ) -> Result<FreshSecret, StoreError> {
        check_name(&key.name)?;
        let secret = mint::secret(&entropy);
        self.change(|change| rows::create(change, key, &secret, actor, now))??;
        Ok(secret)
    }

    /// Gives a key a new secret; the old one goes on for `overlap_ms`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a key that is unknown, revoked or has two secrets already; refusals of the database.
    pub fn rotate(
        &self,
        name: &str,
        overlap_ms: u64,
        entropy: Entropy,
        actor: &str,
        now: UnixMs,
    ) -> Result<FreshSecret, StoreError> {
        let secret = mint::secret(&entropy);
        self.change(|change| rows::rotate(change, name, overlap_ms, &secret, actor, now))??;
        Ok(secret)
    }

    /// Ends a key, at once and for good. Its name stays taken, because records have it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a key that is unknown or revoked; refusals of the database.
    pub fn revoke(&self, name: &str, actor: &str, now: UnixMs) -> Result<(), StoreError> {
        self.change(|change| rows::revoke(change, name, actor, now))?
    }

    /// Changes what a key may, and when it ends.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a key that is unknown or revoked; refusals of the database.
    pub fn update(
        &self,
        name: &str,
        grants: &Grants,
        expires: Option<UnixMs>,
        actor: &str,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let put = |given: &mut Grants, end: &mut Option<UnixMs>| {
            *given = grants.clone();
            *end = expires;
            Ok(())
        };
        self.amend(name, put, actor, now)
    }

    /// Changes what a key may, and when it ends, from what stands there: nobody else's change is lost.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a key that is unknown or revoked; what `amend` refuses; refusals of the database.
    pub fn amend(
        &self,
        name: &str,
        amend: impl FnOnce(&mut Grants, &mut Option<UnixMs>) -> Result<(), StoreError>,
        actor: &str,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        self.change(|change| rows::amend(change, name, amend, actor, now))?
    }

    /// Makes a temporary limit; those that are over are forgotten.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a name that is taken or cannot be one, and beyond [`TEMPORARY_MAX`]; refusals of the
    /// database.
    pub fn create_limit(&self, limit: &TemporaryLimit, actor: &str, now: UnixMs) -> Result<(), StoreError> {
        check_name(&limit.name)?;
        self.change(|change| temporary::create(change, limit, actor, now))?
    }

    /// Ends a temporary limit before its time.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for one that is not there; refusals of the database.
    pub fn end_limit(&self, name: &str, actor: &str, now: UnixMs) -> Result<(), StoreError> {
        self.change(|change| temporary::end(change, name, "limit.end", actor, now))?
    }

    /// Every temporary limit, by name; also those that are over and were not forgotten yet.
    ///
    /// # Errors
    /// Refusals of the database.
    pub fn limits(&self) -> Result<Vec<TemporaryLimit>, StoreError> {
        temporary::list(&self.lock()).map_err(|cause| self.refused(cause))
    }

    /// The digests of a key's secrets, the newest first, with the end of each that has one.
    ///
    /// # Errors
    /// Refusals of the database.
    pub fn digests(&self, name: &str) -> Result<Vec<Digest>, StoreError> {
        rows::digests(&self.lock(), name).map_err(|cause| self.refused(cause))
    }

    /// Removes keys and temporary limits that the configuration has from now on: all of them, or none.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for one that is not there any more; refusals of the database.
    pub fn hand_over(
        &self,
        keys: &[String],
        limits: &[String],
        actor: &str,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        self.change(|change| {
            for name in keys {
                if let Err(refusal) = rows::hand_over(change, name, actor, now)? {
                    return Ok(Err(refusal));
                }
            }
            for name in limits {
                if let Err(refusal) = temporary::end(change, name, "limit.export", actor, now)? {
                    return Ok(Err(refusal));
                }
            }
            Ok(Ok(()))
        })?
    }

    /// Every key, by name, the revoked ones too.
    ///
    /// # Errors
    /// Refusals of the database, and damage.
    pub fn list(&self) -> Result<Vec<KeyRow>, StoreError> {
        rows::list(&self.lock()).map_err(|cause| self.refused(cause))
    }

    /// The newest audit records, newest first.
    ///
    /// # Errors
    /// Refusals of the database.
    pub fn audit(&self, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        self.audit_before(None, limit)
    }

    /// The newest audit records below a number, newest first.
    ///
    /// # Errors
    /// Refusals of the database.
    pub fn audit_before(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        audit::read(&self.lock(), before, limit).map_err(|cause| self.refused(cause))
    }

    /// What minted keys and those of the configuration file (name and digest of the secret) both have. Where this is not
    /// empty, loading must fail: neither may shadow the other.
    ///
    /// # Errors
    /// Refusals of the database, and damage.
    pub fn clashes<'a>(
        &self,
        configured: impl IntoIterator<Item = (&'a str, [u8; 32])>,
    ) -> Result<Vec<Clash>, StoreError> {
        let (rows, index) = (self.list()?, self.index());
        let mut clashes = Vec::new();
        for (name, digest) in configured {
            if rows.iter().any(|row| row.name == name) {
                clashes.push(Clash::Name(name.to_owned()));
            }
            if let Some(minted) = index.by_digest(&digest) {
                let (minted, configured) = (minted.name.to_string(), name.to_owned());
                clashes.push(Clash::Secret { minted, configured });
            }
        }
        Ok(clashes)
    }

    /// One change and its audit record in one transaction, then the index anew.
    fn change<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<T, StoreError>>,
    ) -> Result<Result<T, StoreError>, StoreError> {
        let mut db = self.lock();
        let act = |db: &mut Connection| {
            let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = act(&change)?;
            // What was refused has changed nothing.
            if result.is_ok() {
                change.commit()?
            } else {
                change.rollback()?
            }
            Ok(result)
        };
        let result = act(&mut db).map_err(|cause| self.refused(cause))?;
        if result.is_ok() {
            self.read_index(&db)?;
        }
        Ok(result)
    }

    fn read_index(&self, db: &Connection) -> Result<(), StoreError> {
        let index = index::read(db).map_err(|cause| self.refused(cause))?;
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(index);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, cause: rusqlite::Error) -> StoreError {
        schema::refused(&self.path, "keep the keys in", cause)
    }
}

/// Names stand in reports, in messages and in TOML: letters, digits, `-`, `_` and `.`.
fn check_name(name: &str) -> Result<(), StoreError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(is_plain) {
        return Ok(());
    }
    let what = format!(
        "`{}` cannot name a key: write 1 to {NAME_BYTES_MAX} letters, digits, `-`, `_` or `.`",
        name.escape_debug()
    );
    Err(StoreError::Refused { what })
}
