//! Who calls: the key that a request carries, in any of the ways that SDKs send one.

use std::sync::Arc;

use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Caller;

use crate::plan::{KeyInfo, Plan, digest_of};
use crate::shared::Shared;
use crate::told::Told;

const APPLICATION_MAX: usize = 64;

/// The credential of a request, whatever header carries it.
pub(crate) fn credential<'h>(told: &Told<'h>) -> Option<&'h [u8]> {
    if let Some(value) = told.authorization {
        let bytes = value.as_bytes();
        let is_bearer = bytes.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
        if is_bearer {
            return Some(bytes[7..].trim_ascii());
        }
        if let Some(key) = signer(bytes) {
            return Some(key);
        }
    }
    told.api_key.map(|value| value.as_bytes().trim_ascii())
}

/// The access key's id in a call that AWS's SDKs sign: over plain HTTP they send nothing else. The id is where our key
/// stands then; the signature says nothing, because it is made with a secret of its own, which nobody here knows.
fn signer(authorization: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"AWS4-HMAC-SHA256 Credential=";
    let start = authorization.get(..SCHEME.len())?;
    let scope = start.eq_ignore_ascii_case(SCHEME).then(|| &authorization[SCHEME.len()..])?;
    scope.split(|byte| matches!(byte, b'/' | b',')).next().filter(|key| !key.is_empty())
}

/// Finds out who calls.
///
/// # Errors
/// As `admit_key`.
pub fn admit(shared: &Shared, plan: &Plan, told: &Told<'_>, is_loopback: bool) -> Result<Caller, Error> {
    admit_key(shared, plan, told, is_loopback).map(|(caller, _)| caller)
}

/// Finds out who calls, and with which key.
///
/// # Errors
/// [`Kind::Unauthorized`] where a key is needed and none fits, or it has ended; the sentence never repeats what was sent.
pub(crate) fn admit_key(
    shared: &Shared,
    plan: &Plan,
    told: &Told<'_>,
    is_loopback: bool,
) -> Result<(Caller, Option<Arc<KeyInfo>>), Error> {
    if plan.keys.is_empty() && shared.minted.is_empty() {
        // Without keys, callers on this machine need none, and whatever their SDK sends is dropped.
        if plan.keys.is_open && is_loopback {
            return Ok((caller(told, Arc::default(), None), None));
        }
        return Err(Error::new(
            Kind::Unauthorized,
            "no client key exists yet; create one in [keys] of the configuration or with `pilothouse keys create`, then \
             send it as the API key",
        ));
    }
    let Some(secret) = credential(told) else {
        return Err(Error::new(
            Kind::Unauthorized,
            "no API key was sent; send one as `Authorization: Bearer KEY` or `x-api-key: KEY`",
        ));
    };
    let digest = digest_of(secret);
    let known = match plan.keys.find_digest(&digest) {
        Some(key) => Some(Arc::clone(key)),
        None => shared.minted.find(plan, &digest, shared.clock.now())?,
    };
    let Some(key) = known else {
        return Err(Error::new(
            Kind::Unauthorized,
            "the API key is not one that is configured here; ask whoever runs this gateway for one",
        ));
    };
    if key.terms.is_over(shared.clock.now()) {
        let public =
            format!("the API key `{}` has ended; ask whoever runs this gateway for a new one", key.name);
        return Err(Error::new(Kind::Unauthorized, public));
    }
    Ok((caller(told, Arc::clone(&key.name), key.application.as_ref()), Some(key)))
}

/// Finds out whether an operator asks.
///
/// # Errors
/// [`Kind::Unauthorized`] for anybody without the admin token; while there is none, for other machines.
pub fn admit_operator(plan: &Plan, told: &Told<'_>, is_loopback: bool) -> Result<(), Error> {
    let is_allowed = match &plan.admin {
        Some(admin) => credential(told).is_some_and(|secret| digest_of(secret) == *admin),
        None => is_loopback,
    };
    if is_allowed {
        return Ok(());
    }
    Err(Error::new(
        Kind::Unauthorized,
        "this page is for operators; send the admin token as `Authorization: Bearer TOKEN`",
    ))
}

fn caller(told: &Told<'_>, key: Arc<str>, declared: Option<&Arc<str>>) -> Caller {
    Caller { key, application: application(told, declared), end_user: None }
}

/// The program that calls: what it says, else what the key says, else its user agent's product.
fn application(told: &Told<'_>, declared: Option<&Arc<str>>) -> Arc<str> {
    let named = told.application.and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return named.chars().take(APPLICATION_MAX).collect::<String>().into();
    }
    if let Some(declared) = declared {
        return Arc::clone(declared);
    }
    let agent = told.user_agent.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let product = agent.split([' ', '(']).next().unwrap_or_default();
    if product.is_empty() {
        return Arc::default();
    }
    product.chars().take(APPLICATION_MAX).collect::<String>().into()
}
