//! What makes two requests the same: for whom, to what name, in which dialect, under which policy, and asking what.

use pilothouse_core::dialect::Dialect;
use sha2::{Digest as _, Sha256};

/// What stands around a request. Answers never cross from one scope to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// Who shares answers: a key or a team, with a letter before that tells which.
    pub tenant: &'a str,
    /// The route or target that was asked for.
    pub name: &'a str,
    /// The client's dialect: answers are kept as the client reads them.
    pub dialect: Dialect,
    /// The call within the dialect (an answer, vectors).
    pub call: &'a str,
    /// The policy that the answer was made under: what the configuration says of providers, routes and what is done to
    /// requests.
    pub policy: &'a str,
    /// Whether a stream is asked for: streams and whole answers are kept apart, each as it came.
    pub is_stream: bool,
    /// The headers that change an answer, as they came, in the order of their names.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl Default for Scope<'_> {
    fn default() -> Self {
        Self {
            tenant: "",
            name: "",
            dialect: Dialect::OpenaiChat,
            call: "",
            policy: "",
            is_stream: false,
            headers: &[],
        }
    }
}

/// A digest that stands for a scope and what is asked within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of a request, by its [canonical](crate::canonical::canonical) form.
    #[must_use]
    pub fn exact(scope: &Scope<'_>, canonical: &[u8]) -> Self {
        Self::of(b"exact", scope, &[canonical])
    }

    /// The key of all requests that differ in their last question only: `rest` is the canonical form without it, and
    /// `end_user` the person behind.
    #[must_use]
    pub fn group(scope: &Scope<'_>, end_user: &str, rest: &[u8]) -> Self {
        Self::of(b"group", scope, &[end_user.as_bytes(), rest])
    }

    fn of(sort: &[u8], scope: &Scope<'_>, asked: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            // With its length before it, so that what stands side by side cannot run together.
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(sort);
        part(scope.tenant.as_bytes());
        part(scope.name.as_bytes());
        part(scope.dialect.as_str().as_bytes());
        part(scope.call.as_bytes());
        part(scope.policy.as_bytes());
        part(&[u8::from(scope.is_stream)]);
        part(&(scope.headers.len() as u64).to_le_bytes());
        for (name, value) in scope.headers {
            part(name.as_bytes());
            part(value);
        }
        asked.iter().for_each(|bytes| part(bytes));
        Self(hash.finalize().into())
    }

    /// The digest.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A number that spreads evenly: the digest's first eight bytes.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_scope_makes_another_key() {
        let plain = Scope { tenant: "k:a", name: "faq", policy: "1", ..Scope::default() };
        let headers = [("anthropic-beta", b"x".as_slice())];
        let scopes = [
            plain,
            Scope { tenant: "t:a", ..plain },
            Scope { name: "fa", ..plain },
            Scope { dialect: Dialect::OpenaiResponses, ..plain },
            Scope { call: "embeddings", ..plain },
            Scope { policy: "2", ..plain },
            Scope { is_stream: true, ..plain },
            Scope { headers: &headers, ..plain },
            Scope { tenant: "k:afaq", name: "", ..plain },
        ];
        let mut keys: Vec<Key> = scopes.iter().map(|scope| Key::exact(scope, b"{}")).collect();
        keys.push(Key::exact(&plain, b"{ }"));
        keys.push(Key::group(&plain, "", b"{}"));
        keys.push(Key::group(&plain, "ann", b"{}"));
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
        assert_eq!(Key::exact(&plain, b"{}"), Key::exact(&plain, b"{}"));
    }
}
