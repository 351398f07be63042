//! How a provider knows us: secrets, and the headers that carry them.

use http::{HeaderName, HeaderValue};
use pilothouse_catalog::Auth;
use pilothouse_core::secret::Secret;

use crate::config::{self, Diagnostic};
use crate::plan::build::Environment;

/// A credential, and the headers that carry it.
#[derive(Clone, Debug)]
pub struct Credential {
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

/// The secrets that a section gives, else the first variable of its vendor that is set.
pub(super) fn secrets(
    section: &config::Provider,
    vendor: Option<&pilothouse_catalog::Vendor>,
    environment: &Environment,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<Secret> {
    let given: Vec<_> = section.api_key.iter().chain(&section.api_keys).collect();
    if given.is_empty() {
        let names = vendor.map(|vendor| vendor.key_env.as_slice()).unwrap_or_default();
        let found = names.iter().find_map(|name| environment.get(name));
        return found.map(Secret::new).into_iter().collect();
    }
    let mut secrets = Vec::new();
    for reference in given {
        let parsed = config::SecretRef::parse(reference.get_ref());
        match config::resolve_secret(&parsed, &environment.folder, &environment.variables) {
            Ok(secret) => secrets.push(secret),
            Err(why) => wrong.push(Diagnostic::at(reference.span(), why)),
        }
    }
    secrets
}

/// The headers that carry a secret as a surface wants it.
pub(super) fn credential(auth: &Auth, secret: &Secret) -> Option<Credential> {
    let sensitive = |text: &str| {
        let mut value = HeaderValue::from_str(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    };
    let header = match auth {
        Auth::Bearer => (http::header::AUTHORIZATION, sensitive(&format!("Bearer {}", secret.reveal()))?),
        Auth::XApiKey => (HeaderName::from_static("x-api-key"), sensitive(secret.reveal())?),
        Auth::Header(name) => (HeaderName::from_bytes(name.as_bytes()).ok()?, sensitive(secret.reveal())?),
        Auth::None => return Some(Credential { headers: Vec::new() }),
        Auth::Query(_) | Auth::SigV4 => return None,
    };
    Some(Credential { headers: vec![header] })
}
