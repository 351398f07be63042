//! What makes a request the same as another: who asks whom, how, and what.

use http::HeaderMap;
use pilothouse_cache::canonical::canonical;
use pilothouse_cache::key::{Key, Scope};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_wire::headers;

use crate::config::CompatMode;
use crate::endpoints::Call;
use crate::pipeline::read::Asked;
use crate::plan::{CacheTerms, Plan, PlanCache};

/// Largest request that is looked at: what is larger is seldom sent twice, and hashing it would hold up others.
const REQUEST_BYTES_MAX: usize = 4 << 20;
/// Headers that pass to a vendor and do not change its answer: who made the call, with which library, and how long it waits.
const BESIDES: [&str; 6] = [
    "idempotency-key",
    "traceparent",
    "tracestate",
    "x-client-request-id",
    "x-goog-api-client",
    "x-server-timeout",
];

/// A request that may be the same as another.
pub(super) struct Identity {
    tenant: String,
    name: String,
    dialect: Dialect,
    call: &'static str,
    policy: Box<str>,
    is_stream: bool,
    headers: Vec<(String, Vec<u8>)>,
    canonical: Vec<u8>,
}

impl Identity {
    /// The identity of a request; `None` for one that is never the same as another: what cannot be compared, and what has
    /// effects besides its answer.
    pub(super) fn of(
        plan: &Plan,
        cache: &PlanCache,
        terms: &CacheTerms,
        dialect: Dialect,
        call: Call,
        asked: &Asked<'_>,
        at: UnixMs,
    ) -> Option<Self> {
        if asked.body.len() > REQUEST_BYTES_MAX || has_effects(dialect, asked) {
            return None;
        }
        let call = match call {
            Call::Chat => "answer",
            Call::Embeddings => "embedding",
            Call::EmbeddingsBatch => "embeddings",
            Call::CountTokens | Call::Completions | Call::Pass(_) => return None,
        };
        Some(Self {
            tenant: tenant(terms, asked),
            name: name(plan, dialect, asked, at),
            dialect,
            call,
            policy: cache.policy.clone(),
            is_stream: asked.is_stream,
            headers: telling(dialect, asked.headers, asked.compat),
            canonical: canonical(dialect, asked.is_stream, &asked.body)?,
        })
    }

    /// The key of the request.
    pub(super) fn exact(&self) -> Key {
        self.within(|scope| Key::exact(scope, &self.canonical))
    }

    /// Calls with the scope of the request.
    pub(super) fn within<T>(&self, then: impl FnOnce(&Scope<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        then(&Scope {
            tenant: &self.tenant,
            name: &self.name,
            dialect: self.dialect,
            call: self.call,
            policy: &self.policy,
            is_stream: self.is_stream,
            headers: &headers,
        })
    }
}

/// Whom the request is for: the name that takes it, and which of the conditions on that route's targets are true. Calls that
/// would go to different targets do not share answers.
fn name(plan: &Plan, dialect: Dialect, asked: &Asked<'_>, at: UnixMs) -> String {
    let mut name = asked.called().to_owned();
    let Some(route) = plan.route(&name) else { return name };
    let conditions = || route.chooser.candidates().iter().filter_map(|one| one.condition.as_deref());
    if let Some(asks) = route.asks.as_ref().filter(|_| conditions().next().is_some()) {
        let given = asked.given(dialect, at, asks);
        name.push('?');
        name.extend(conditions().map(|one| if one.holds(&given) == Ok(true) { '1' } else { '0' }));
    }
    name
}

/// Who shares answers: the key's team where the terms say so and it has one, else the key alone.
fn tenant(terms: &CacheTerms, asked: &Asked<'_>) -> String {
    let team = asked.holder.as_ref().and_then(|key| key.terms.team.as_deref());
    match team.filter(|_| terms.is_by_team) {
        Some(team) => format!("team:{team}"),
        None => format!("key:{}", asked.key),
    }
}

/// Whether a request does something besides being answered: a conversation at the vendor grows by it, or it goes on in the
/// background (<https://platform.openai.com/docs/api-reference/responses/create>, read 2026-11-23).
fn has_effects(dialect: Dialect, asked: &Asked<'_>) -> bool {
    let get = |name: &str| asked.members.get(&asked.body, name).filter(|value| *value != b"null");
    dialect == Dialect::OpenaiResponses
        && (get("conversation").is_some() || get("background") == Some(b"true"))
}

/// The headers that change an answer, in the order of their names.
fn telling(dialect: Dialect, all: &HeaderMap, compat: Option<CompatMode>) -> Vec<(String, Vec<u8>)> {
    let mut telling: Vec<(String, Vec<u8>)> = all
        .iter()
        .filter(|(name, _)| headers::passes_up(dialect, name.as_str()) && !BESIDES.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    if let Some(compat) = compat {
        telling.push(("x-pilothouse-compat".to_owned(), format!("{compat:?}").into_bytes()));
    }
    // Stable: two values of one name stay in their order.
    telling.sort_by(|one, other| one.0.cmp(&other.0));
    telling
}
