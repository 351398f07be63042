//! The ways to call a provider: which dialects it speaks, at which addresses.

use std::collections::BTreeMap;

use pilothouse_catalog::{Auth, Form, Surface, Vendor};
use pilothouse_core::dialect::Dialect;
use pilothouse_wire::path::segment;

use super::{Naming, Section};
use crate::config::Diagnostic;

/// One way to call a provider, before its address has been read.
pub(super) struct Way {
    pub(super) dialect: Dialect,
    /// Everything before the dialect's own path.
    pub(super) base_url: String,
    pub(super) auth: Auth,
    /// The service that signatures are for, where calls may be signed.
    pub(super) signs_for: Option<String>,
    pub(super) path: Option<String>,
    pub(super) naming: Naming,
    /// The catalogue's surface says which models it serves.
    pub(super) surface: Option<Surface>,
}

/// The ways that a section and its vendor's row give.
pub(super) fn ways(section: &Section<'_>, wrong: &mut Vec<Diagnostic>) -> Option<Vec<Way>> {
    let wanted = match &section.given.dialect {
        None => None,
        Some(given) => match Dialect::parse(given.get_ref()) {
            Some(dialect) => Some(dialect),
            None => {
                let known = Dialect::ALL.map(Dialect::as_str).join(", ");
                wrong.push(Diagnostic::at(
                    given.span(),
                    format!("no dialect is called `{}`; known are {known}", given.get_ref()),
                ));
                return None;
            }
        },
    };
    let auth = override_of_auth(section, wrong);
    let mut ways = match section.vendor {
        Some(vendor) => of_vendor(section, vendor, wanted, wrong)?,
        None => vec![of_stranger(section, wanted, wrong)?],
    };
    if let Some(auth) = auth {
        ways.iter_mut().for_each(|way| way.auth = auth.clone());
    }
    Some(ways)
}

/// The way to call a server that the catalogue does not know.
fn of_stranger(section: &Section<'_>, wanted: Option<Dialect>, wrong: &mut Vec<Diagnostic>) -> Option<Way> {
    let name = section.name;
    let (Some(dialect), Some(base_url)) = (wanted, &section.given.base_url) else {
        wrong.push(Diagnostic::at(
            name.span(),
            format!("`{}` is no vendor of the catalogue: give its dialect and base_url", name.get_ref()),
        ));
        return None;
    };
    let auth = match dialect {
        Dialect::AnthropicMessages => Auth::XApiKey,
        Dialect::GeminiGenerate => Auth::Header("x-goog-api-key".to_owned()),
        Dialect::OpenaiChat
        | Dialect::OpenaiEmbeddings
        | Dialect::OpenaiResponses
        | Dialect::BedrockConverse => Auth::Bearer,
    };
    let naming = Naming::usual(dialect);
    let base_url = base_url.get_ref().clone();
    Some(Way { dialect, base_url, auth, signs_for: None, path: None, naming, surface: None })
}

fn of_vendor(
    section: &Section<'_>,
    vendor: &Vendor,
    wanted: Option<Dialect>,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Vec<Way>> {
    let version = section.given.api_version.as_ref();
    if let Some(version) = version.filter(|_| !vendor.surfaces.iter().any(|one| one.deployments.is_some())) {
        let message = format!("`{}` has no API versions to choose from; remove api_version", vendor.name);
        wrong.push(Diagnostic::at(version.span(), message));
        return None;
    }
    let known = vendor.surfaces.iter().filter_map(|one| Some((Dialect::parse(&one.dialect)?, one)));
    let fitting: Vec<_> = known
        .filter(|(dialect, one)| {
            let is_wanted = wanted.is_none_or(|wanted| wanted == *dialect);
            let has_version = version.is_none() || one.deployments.is_some();
            // Embeddings go over the surface for chats, where there is one.
            let is_needed = *dialect != Dialect::OpenaiEmbeddings || vendor.surface("openai-chat").is_none();
            is_wanted && has_version && is_needed
        })
        .collect();
    let moved = moved(section, &fitting);
    let mut ways = Vec::new();
    for (index, (dialect, surface)) in fitting.into_iter().enumerate() {
        let Some(base) = (match &moved {
            Some(moved) => moved.get(&index).cloned(),
            None => surface.base_url.clone(),
        }) else {
            continue;
        };
        let prefix = match version {
            Some(_) => surface.deployments.as_deref(),
            None => surface.prefix.as_deref(),
        };
        let base_url = section.fill(&format!("{base}{}", prefix.unwrap_or_default()), wrong)?;
        ways.push(Way {
            dialect,
            base_url,
            auth: surface.auth.clone(),
            signs_for: surface.signs_for.clone(),
            path: surface.path.clone(),
            naming: match (version, surface.form, dialect) {
                (Some(version), ..) => Naming::Deployment { query: query_of(version.get_ref()) },
                (None, Form::VertexAnthropic, _) => Naming::VertexAnthropic,
                (None, Form::Own, dialect) => Naming::usual(dialect),
            },
            surface: Some(surface.clone()),
        });
    }
    if ways.is_empty() {
        let why = if vendor.surfaces.iter().any(|surface| Dialect::parse(&surface.dialect).is_some()) {
            "has no fixed address: give its base_url"
        } else {
            "speaks no dialect that this version knows"
        };
        wrong.push(Diagnostic::at(section.name.span(), format!("`{}` {why}", vendor.name)));
        return None;
    }
    Some(ways)
}

/// The addresses that a given base address replaces, by the place of their surfaces: that of the first surface, and
/// those that the vendor has at the same address. Where the given one ends as only some of them do, it is theirs alone.
fn moved(section: &Section<'_>, fitting: &[(Dialect, &Surface)]) -> Option<BTreeMap<usize, String>> {
    let given = section.given.base_url.as_ref()?.get_ref().trim_end_matches('/');
    let first = fitting.first().and_then(|(_, surface)| surface.base_url.as_ref());
    let shares = |surface: &Surface| surface.base_url.is_some() && surface.base_url.as_ref() == first;
    let ends = |surface: &Surface| {
        let prefixes = [&surface.prefix, &surface.deployments].into_iter().flatten();
        prefixes.filter_map(|prefix| given.strip_suffix(prefix.as_str())).next()
    };
    let is_of_some = fitting.iter().any(|(_, surface)| shares(surface) && ends(surface).is_some());
    let moved = fitting.iter().enumerate().filter_map(|(index, (_, surface))| {
        let base = if is_of_some { ends(surface)? } else { given };
        (index == 0 || shares(surface)).then(|| (index, base.to_owned()))
    });
    Some(moved.collect())
}

fn query_of(version: &str) -> String {
    format!("?api-version={}", segment(version))
}

/// How credentials are carried, where the section says it.
fn override_of_auth(section: &Section<'_>, wrong: &mut Vec<Diagnostic>) -> Option<Auth> {
    let given = section.given.auth.as_ref()?;
    match given.get_ref().as_str() {
        "bearer" => Some(Auth::Bearer),
        "x-api-key" => Some(Auth::XApiKey),
        "none" => Some(Auth::None),
        "sigv4" => Some(Auth::SigV4),
        other => {
            match other.strip_prefix("header:").filter(|name| name.parse::<http::HeaderName>().is_ok()) {
                Some(name) => Some(Auth::Header(name.to_owned())),
                None => {
                    let known = "bearer, x-api-key, header:NAME, sigv4 and none";
                    wrong.push(Diagnostic::at(
                        given.span(),
                        format!("no auth is called `{other}`; known are {known}"),
                    ));
                    None
                }
            }
        }
    }
}
