//! What a conversation is known by: the client's id, the vendor's ids, a cache key, else the digests of its own prefix.
//!
//! Every digest has the scope in it (key, end user, route), so that one tenant's conversation is never another's. The
//! chain of prefixes is for affinity only: a wrong guess costs a cache hit, and nothing that matters may hang on it.

use std::hash::{BuildHasher as _, Hash, Hasher};

use foldhash::SharedSeed;
use foldhash::quality::{FoldHasher, SeedableRandomState};
use smallvec::SmallVec;

/// Whose conversation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope<'a> {
    /// A number of this process, so that nobody can choose texts with equal digests.
    pub seed: u64,
    /// The caller's key.
    pub key: &'a str,
    /// The person behind, if told.
    pub end_user: Option<&'a str>,
    /// The name that was asked for.
    pub route: &'a str,
}

/// What tells a conversation, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity<'a> {
    /// An id that the client names (`x-pilothouse-conversation`).
    Client(&'a str),
    /// An id of the vendor's: the previous response, the conversation object.
    Vendor(&'a str),
    /// The request's `prompt_cache_key`.
    CacheKey(&'a str),
}

impl Identity<'_> {
    /// The conversation's digest within a scope. Ids of different kinds never meet.
    #[must_use]
    pub fn digest(&self, scope: &Scope<'_>) -> u64 {
        let mut hasher = hasher(scope);
        match self {
            Self::Client(id) => (1_u8, id).hash(&mut hasher),
            Self::Vendor(id) => (2_u8, id).hash(&mut hasher),
            Self::CacheKey(id) => (3_u8, id).hash(&mut hasher),
        }
        hasher.finish()
    }
}

/// A keyed hash that reads eight bytes at a step: a request of 80 kB is read whole for every turn.
fn hasher(scope: &Scope<'_>) -> FoldHasher<'static> {
    let mut hasher = SeedableRandomState::with_seed(scope.seed, SharedSeed::global_random()).build_hasher();
    scope.hash(&mut hasher);
    hasher
}

/// Digests that are kept per chain: a tool turn adds two messages, so the turn before is among the last few.
const KEPT_MAX: usize = 64;

/// The chain of digests of a request's prefixes: after each message, everything up to it.
#[derive(Clone)]
pub struct Chain {
    hasher: FoldHasher<'static>,
    /// After the first message: the same at every turn.
    root: Option<u64>,
    /// The newest, in order; only the last [`KEPT_MAX`].
    digests: SmallVec<[u64; 16]>,
}

impl Chain {
    /// The empty chain of a scope. `head` is what stands before the messages: instructions and tools.
    #[must_use]
    pub fn new(scope: &Scope<'_>, head: &[u8]) -> Self {
        let mut hasher = hasher(scope);
        (4_u8, head).hash(&mut hasher);
        Self { hasher, root: None, digests: SmallVec::new() }
    }

    /// Adds a message, as its bytes stand in the request.
    pub fn push(&mut self, message: &[u8]) {
        message.hash(&mut self.hasher);
        if self.digests.len() >= KEPT_MAX {
            self.digests.remove(0);
        }
        let digest = self.hasher.finish();
        self.root.get_or_insert(digest);
        self.digests.push(digest);
    }

    /// The digest of the beginning, up to the first message: it stays the same while the conversation grows, so it is the
    /// conversation's id where nothing better is told ([`crate::Conversation::id`]).
    #[must_use]
    pub fn root(&self) -> u64 {
        self.root.unwrap_or_else(|| self.hasher.finish())
    }

    /// The digest of the whole: what the next exchange of this conversation will have as a prefix.
    #[must_use]
    pub fn whole(&self) -> u64 {
        self.digests.last().copied().unwrap_or_else(|| self.hasher.finish())
    }

    /// The digests of the prefixes that end with the last messages, in order.
    #[must_use]
    pub fn digests(&self) -> &[u64] {
        &self.digests
    }

    /// The digests of prefixes, the longest first.
    pub fn prefixes(&self) -> impl Iterator<Item = u64> + '_ {
        self.digests.iter().rev().copied()
    }
}
