//! Limits that are over at a moment, held beside those of a key and its teams.

use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_store::keys::{LimitOf, TemporaryLimit};
use pilothouse_store::limits::Subject;

use super::{Governance, Terms};

impl Governance {
    /// What a call of a key is held to now: its limits, those of its teams, and the temporary ones of either, from the file
    /// and from the store (`minted`). Narrower ones win, because all of them hold.
    #[must_use]
    pub fn limits_now(
        &self,
        key: &str,
        terms: &Terms,
        minted: &[TemporaryLimit],
        now: UnixMs,
    ) -> Arc<[Subject]> {
        let mut temporary = self.temporary.iter().chain(minted).peekable();
        if temporary.peek().is_none() {
            return Arc::clone(&terms.limits);
        }
        let fits = |limit: &&TemporaryLimit| match limit.of {
            _ if limit.until <= now => false,
            LimitOf::Key => limit.subject == key,
            LimitOf::Team => terms.team.as_ref().is_some_and(|team| self.is_within(team, &limit.subject)),
        };
        let found: Vec<Subject> = temporary.filter(fits).map(subject).collect();
        if found.is_empty() {
            return Arc::clone(&terms.limits);
        }
        terms.limits.iter().cloned().chain(found).collect()
    }
}

/// What is counted for a temporary limit.
#[must_use]
pub(crate) fn subject(limit: &TemporaryLimit) -> Subject {
    let name = format!("{} {} (temporary limit {})", limit.of.as_str(), limit.subject, limit.name);
    Subject { name: name.into(), limits: limit.limits }
}
