//! Makes a plan of a configuration: checks what the file means and fetches what it points at.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, RwLock};

use pilothouse_catalog::Catalog;
use pilothouse_core::clock::{Clock as _, SystemClock, UnixMs};
use rustc_hash::FxHashMap;

use super::keys::{KeyInfo, Keys, digest_of};
use super::limit::{Making, PlannedLimits};
use super::provider::build_provider;
use super::terms::{Governance, moment};
use super::{Configured, Edition, Plan, Provider, cache, lifecycle, route};
use crate::config::{self, ConfigError, Diagnostic, Source};
use crate::exposure::Exposure;
use crate::load::LoadWatch;
use crate::metrics::Metrics;

/// What configuration points at from outside the file, as an argument so that tests are alone with theirs.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Environment variables.
    pub variables: Vec<(String, String)>,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    /// The time for which models stand somewhere in their lives.
    pub now: UnixMs,
}

impl Environment {
    /// The process's environment, with paths relative to the configuration file.
    #[must_use]
    pub fn of_process(source: &Source) -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { variables, folder: source.folder(), now: SystemClock.now() }
    }

    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .iter()
            .find(|(known, value)| known == name && !value.trim().is_empty())
            .map(|(_, value)| value.trim())
    }
}

/// The address that a configuration asks us to listen on.
///
/// # Errors
/// When it is not an address with a port.
pub fn listen_address(source: &Source) -> Result<SocketAddr, ConfigError> {
    let Some(given) = &source.file.server.listen else {
        return Ok(SocketAddr::from(([127, 0, 0, 1], 4141)));
    };
    let text = given.get_ref().replace("localhost:", "127.0.0.1:");
    text.parse().map_err(|_| {
        let message = format!("`{}` is not an address with a port, such as 127.0.0.1:4141", given.get_ref());
        source.error(vec![Diagnostic::at(given.span(), message)])
    })
}

/// Makes a plan of a configuration.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn build(
    source: &Source,
    environment: &Environment,
    listen: SocketAddr,
    version: u64,
    metrics: &Arc<Metrics>,
) -> Result<Plan, ConfigError> {
    let mut wrong = Vec::new();
    let catalog = catalog(source, &mut wrong);
    let mut limits = PlannedLimits::default();
    let providers = providers(source, environment, listen, &catalog, &mut limits.making(metrics, &mut wrong));
    let governance = Governance::read(source, &mut wrong);
    let mut keys = keys(source, environment, &governance, &mut wrong);
    keys.is_open = listen.ip().is_loopback();
    let admin = admin(source, environment, &mut wrong);
    let bodies_key = crate::bodies::key(&source.file.store, environment, &mut wrong);
    refuse(source, &mut wrong)?;
    let server = &source.file.server;
    let mut warnings = literal_secrets(source);
    let mut plan = Plan {
        warnings: None,
        version,
        edition: Edition::default(),
        source: source.path.clone(),
        catalog,
        providers,
        keys,
        governance,
        configured: Configured::of(source),
        lifecycles: lifecycle::Lifecycles::default(),
        admin,
        exposure: Exposure::new(&server.hosts, &server.origins),
        body_bytes_max: server.body_bytes_max,
        upload_bytes_max: server.upload_bytes_max,
        inflight_bytes_max: server.inflight_bytes_max,
        bodies: source.file.store.bodies,
        bodies_key,
        debug: source.file.debug,
        limits,
        is_discovered: false,
        metrics: Arc::clone(metrics),
        callable: OnceLock::new(),
        resolved: RwLock::new(HashMap::new()),
        routes: FxHashMap::default(),
        load: LoadWatch::of(std::iter::empty()),
        defaults: source.file.defaults.clone(),
        cache: None,
    };
    // Targets resolve as clients' names do, so that the plan must stand before; and their limits before they resolve.
    let mut limits = std::mem::take(&mut plan.limits);
    limits.making(metrics, &mut wrong).of_routes(&plan, source);
    plan.limits = limits;
    plan.lifecycles = lifecycle::build(&plan, source, environment.now, &mut wrong, &mut warnings);
    plan.warnings = (!warnings.is_empty()).then(|| source.error(warnings));
    let routes = route::build(&plan, source, environment.now, &mut wrong);
    refuse(source, &mut wrong)?;
    plan.load = LoadWatch::of(routes.values());
    if !routes.is_empty() {
        plan.edition = Edition::of(source, environment.now);
    }
    plan.routes = routes;
    plan.cache = cache::build(&plan, source, &mut wrong);
    refuse(source, &mut wrong)?;
    Ok(plan)
}

/// Refuses a configuration of which anything is wrong, in the order of the file.
fn refuse(source: &Source, wrong: &mut Vec<Diagnostic>) -> Result<(), ConfigError> {
    if wrong.is_empty() {
        return Ok(());
    }
    wrong.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| span.start));
    Err(source.error(std::mem::take(wrong)))
}

/// Who may be called, in the order of the file, which is the order of preference.
fn providers(
    source: &Source,
    environment: &Environment,
    listen: SocketAddr,
    catalog: &Catalog,
    limits: &mut Making<'_>,
) -> Vec<Arc<Provider>> {
    let mut sections: Vec<_> = source.file.providers.iter().collect();
    sections.sort_by_key(|(name, _)| name.span().start);
    let mut providers: Vec<Arc<Provider>> = Vec::new();
    for (name, section) in sections {
        if name.get_ref().is_empty() || name.get_ref().contains('/') {
            limits
                .wrong
                .push(Diagnostic::at(name.span(), "a provider's name must not be empty or hold a slash"));
            continue;
        }
        let Some(mut provider) = build_provider(name, section, catalog, environment, limits.wrong) else {
            continue;
        };
        let of_all = source.file.defaults.compat.or(source.file.compat).unwrap_or_default();
        provider.compat = section.compat.unwrap_or(of_all);
        let mut surfaces =
            provider.surfaces.iter().chain(provider.rerank.iter().map(|rerank| &rerank.surface));
        if surfaces.any(|surface| is_ourselves(&surface.origin, listen)) {
            limits.wrong.push(Diagnostic::at(
                name.span(),
                "this address is our own listener: calls would go in circles",
            ));
        }
        provider.limit = limits.of_provider(name.get_ref(), section);
        providers.push(Arc::new(provider));
    }
    providers
}

/// Secrets that stand in the file itself, where everybody who reads it, and its history, finds them.
fn literal_secrets(source: &Source) -> Vec<Diagnostic> {
    let providers = source.file.providers.values().flat_map(config::Provider::secrets);
    let keys = source.file.keys.values().flat_map(config::Key::secrets);
    let mut found: Vec<_> = providers
        .chain(keys)
        .chain(&source.file.server.admin_token)
        .chain(&source.file.store.bodies_key)
        .filter(|given| !["env:", "file:", "sha256:"].iter().any(|form| given.get_ref().starts_with(form)))
        .map(toml::Spanned::span)
        .collect();
    found.sort_by_key(|span| span.start);
    found
        .into_iter()
        .map(|span| Diagnostic {
            span: Some(span.start..span.start + 1),
            message: "warning: this secret stands in the file itself; move it to env:NAME or file:PATH"
                .into(),
        })
        .collect()
}

fn is_ourselves(origin: &pilothouse_upstream::Origin, listen: SocketAddr) -> bool {
    let names_us = match origin.host().parse::<std::net::IpAddr>() {
        Ok(ip) => {
            ip == listen.ip()
                || (ip.is_loopback() && (listen.ip().is_loopback() || listen.ip().is_unspecified()))
        }
        Err(_) => origin.host() == "localhost",
    };
    names_us && origin.port() == listen.port() && listen.port() != 0
}

/// The bundled catalogue, under the refreshed file, under the user's own.
fn catalog(source: &Source, wrong: &mut Vec<Diagnostic>) -> Catalog {
    let section = &source.file.catalog;
    let mut catalog = Catalog::bundled();
    for given in section.refreshed.iter().chain(&section.overlay) {
        let path = source.folder().join(given.get_ref());
        let laid = std::fs::read_to_string(&path)
            .map_err(|error| format!("`{}` cannot be read ({error})", path.display()))
            .and_then(|text| {
                let under = std::mem::replace(&mut catalog, Catalog::bundled());
                under.with_file(&text, &path.display().to_string()).map_err(|error| error.to_string())
            });
        match laid {
            Ok(laid) => catalog = laid,
            Err(why) => wrong.push(Diagnostic::at(given.span(), why)),
        }
    }
    catalog
}

fn keys(
    source: &Source,
    environment: &Environment,
    governance: &Governance,
    wrong: &mut Vec<Diagnostic>,
) -> Keys {
    let mut keys = Keys::default();
    for (name, section) in &source.file.keys {
        let info = KeyInfo {
            name: name.get_ref().as_str().into(),
            application: section.application.as_deref().map(Into::into),
            terms: governance.terms(name.get_ref(), section, wrong),
        };
        let until = section.previous.as_ref().and_then(|previous| moment(&previous.until, wrong));
        let mut enter = |secret: &toml::Spanned<String>, add: &mut dyn FnMut(&mut Keys, [u8; 32]) -> bool| {
            let why = match digest(secret.get_ref(), environment) {
                Ok(digest) if add(&mut keys, digest) => return,
                Ok(_) => "another key has the same secret".to_owned(),
                Err(why) => why,
            };
            wrong.push(Diagnostic::at(secret.span(), why));
        };
        if let (Some(previous), Some(until)) = (&section.previous, until) {
            enter(&previous.secret, &mut |keys, digest| keys.insert_previous(digest, &info, until));
        }
        enter(&section.secret, &mut |keys, digest| keys.insert(digest, info.clone()));
    }
    keys
}

/// The digest of a secret that stands somewhere, or the digest itself (`sha256:HEX`).
fn digest(text: &str, environment: &Environment) -> Result<[u8; 32], String> {
    match text.strip_prefix("sha256:") {
        Some(hex) => parse_digest(hex).ok_or_else(|| "`sha256:` wants 64 hexadecimal digits".to_owned()),
        None => config::resolve_secret(
            &config::SecretRef::parse(text),
            &environment.folder,
            &environment.variables,
        )
        .map(|secret| digest_of(secret.reveal().as_bytes())),
    }
}

fn admin(source: &Source, environment: &Environment, wrong: &mut Vec<Diagnostic>) -> Option<[u8; 32]> {
    let given = source.file.server.admin_token.as_ref()?;
    match digest(given.get_ref(), environment) {
        Ok(digest) => Some(digest),
        Err(why) => {
            wrong.push(Diagnostic::at(given.span(), why));
            None
        }
    }
}

fn parse_digest(hex: &str) -> Option<[u8; 32]> {
    let bytes = hex.as_bytes();
    if bytes.len() != 64 || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut digest = [0; 32];
    for (place, pair) in digest.iter_mut().zip(bytes.chunks(2)) {
        *place = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}
