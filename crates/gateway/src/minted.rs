//! Keys that were minted while the gateway runs, as the request's path looks them up.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pilothouse_core::clock::UnixMs;
use pilothouse_core::error::{Error, Kind};
use pilothouse_store::keys::{self, KeyIndex, MintedKey};
use rustc_hash::FxHashMap;

use crate::plan::{KeyInfo, Plan, Thing};

/// Most minted keys whose terms are kept ready.
const READY_MAX: usize = 65_536;

/// A key with what it is held to, under one configuration.
struct Ready {
    version: u64,
    key: Arc<MintedKey>,
    info: Arc<KeyInfo>,
}

/// Minted keys.
#[derive(Default)]
pub struct Minted {
    /// The store's; `None` until it is opened, and for servers without a ledger's folder.
    store: RwLock<Option<Arc<keys::Keys>>>,
    ready: Mutex<FxHashMap<Arc<str>, Ready>>,
}

impl Minted {
    /// Serves these from now on.
    pub fn open(&self, store: Arc<keys::Keys>) {
        *self.store.write().unwrap_or_else(PoisonError::into_inner) = Some(store);
    }

    /// Reads them again where any process has changed one.
    ///
    /// # Errors
    /// The disk's refusal.
    pub fn refresh(&self) -> Result<bool, pilothouse_store::StoreError> {
        self.store().map_or(Ok(false), |store| store.refresh())
    }

    /// The keys and temporary limits as they were last read.
    #[must_use]
    pub fn index(&self) -> Arc<KeyIndex> {
        self.store().map_or_else(Arc::default, |store| store.index())
    }

    /// Where they are kept; `None` until it is opened.
    #[must_use]
    pub fn store(&self) -> Option<Arc<keys::Keys>> {
        self.store.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.store().is_none_or(|store| store.index().is_empty())
    }

    /// Whether any of them has a budget.
    #[must_use]
    pub fn has_budgets(&self) -> bool {
        let has = |store: Arc<keys::Keys>| store.index().keys().any(|key| !key.grants.budgets.is_empty());
        self.store().is_some_and(has)
    }

    /// The key whose secret has this SHA-256, if it may call now.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] for a key whose team is not in the configuration any more.
    pub(crate) fn find(
        &self,
        plan: &Plan,
        digest: &[u8; 32],
        now: UnixMs,
    ) -> Result<Option<Arc<KeyInfo>>, Error> {
        let Some(store) = self.store() else { return Ok(None) };
        let index = store.index();
        let Some(key) = index.find(digest, now) else { return Ok(None) };
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = ready.get(&key.name)
            && known.version == plan.version
            && Arc::ptr_eq(&known.key, key)
        {
            return Ok(Some(Arc::clone(&known.info)));
        }
        if let Some(place) = plan.configured.place(Thing::Key, &key.name) {
            let public = format!(
                "the API key `{0}` cannot be used: the configuration has a key `{0}` too ({place}); whoever runs this gateway \
                 must rename or remove one of the two",
                key.name
            );
            return Err(Error::new(Kind::Forbidden, public));
        }
        let terms = plan.governance.minted_terms(&key.name, key.expires, &key.grants).map_err(|why| {
            Error::new(Kind::Forbidden, format!("the API key `{}` cannot be used: {why}", key.name))
        })?;
        let application = key.grants.application.as_deref().map(Into::into);
        let info = Arc::new(KeyInfo { name: Arc::clone(&key.name), application, terms });
        if ready.len() >= READY_MAX {
            ready.clear();
        }
        let made = Ready { version: plan.version, key: Arc::clone(key), info: Arc::clone(&info) };
        ready.insert(Arc::clone(&key.name), made);
        Ok(Some(info))
    }
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Minted")
    }
}
