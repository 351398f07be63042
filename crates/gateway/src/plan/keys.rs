//! Virtual keys, held as hashes: a copy of the memory or of the file does not give them away.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use super::terms::Terms;

/// A key that may call.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyInfo {
    /// Its name, as records and reports show it.
    pub name: Arc<str>,
    /// The application that calls with it, where the caller does not say.
    pub application: Option<Arc<str>>,
    /// What it is held to.
    pub terms: Terms,
}

/// All keys.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    by_digest: FxHashMap<[u8; 32], Arc<KeyInfo>>,
    /// Without any key, loopback callers need none. This is false where one is needed all the same.
    pub is_open: bool,
}

/// The SHA-256 digest of a secret.
#[must_use]
pub fn digest_of(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

impl Keys {
    /// Adds a key. False when another key has the same secret.
    pub fn insert(&mut self, digest: [u8; 32], key: KeyInfo) -> bool {
        self.by_digest.insert(digest, Arc::new(key)).is_none()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_digest.is_empty()
    }

    /// The key whose secret has this SHA-256. Lookup is by hash, so time tells nothing of the secrets.
    #[must_use]
    pub fn find_digest(&self, digest: &[u8; 32]) -> Option<&Arc<KeyInfo>> {
        self.by_digest.get(digest)
    }

    /// The key whose secret this is.
    #[must_use]
    pub fn find(&self, secret: &[u8]) -> Option<&Arc<KeyInfo>> {
        self.find_digest(&digest_of(secret))
    }

    /// Every key.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8; 32], &Arc<KeyInfo>)> {
        self.by_digest.iter()
    }
}
