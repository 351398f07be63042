//! Virtual keys, held as hashes: a copy of the memory or of the file does not give them away.

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
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
    /// Secrets that keys had before, each with a key that ends when it does.
    previous: FxHashMap<[u8; 32], Arc<KeyInfo>>,
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
        !self.previous.contains_key(&digest) && self.by_digest.insert(digest, Arc::new(key)).is_none()
    }

    /// Adds the secret that a key had before, which ends then. False when another key has the same secret.
    pub fn insert_previous(&mut self, digest: [u8; 32], key: &KeyInfo, until: UnixMs) -> bool {
        let mut key = key.clone();
        key.terms.expires = Some(key.terms.expires.map_or(until, |end| end.min(until)));
        !self.by_digest.contains_key(&digest) && self.previous.insert(digest, Arc::new(key)).is_none()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_digest.is_empty()
    }

    /// The key whose secret has this SHA-256. Lookup is by hash, so time tells nothing of the secrets.
    #[must_use]
    pub fn find_digest(&self, digest: &[u8; 32]) -> Option<&Arc<KeyInfo>> {
        self.by_digest.get(digest).or_else(|| self.previous.get(digest))
    }

    /// The digest of every secret with the name of its key, also of those that keys had before.
    pub fn digests(&self) -> impl Iterator<Item = (&str, [u8; 32])> {
        self.by_digest.iter().chain(&self.previous).map(|(digest, key)| (&*key.name, *digest))
    }

    /// The key whose secret this is.
    #[must_use]
    pub fn find(&self, secret: &[u8]) -> Option<&Arc<KeyInfo>> {
        self.find_digest(&digest_of(secret))
    }

    /// Every key, each once.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8; 32], &Arc<KeyInfo>)> {
        self.by_digest.iter()
    }
}
