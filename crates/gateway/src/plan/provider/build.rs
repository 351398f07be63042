//! Makes a provider of its section in the configuration and its vendor's row in the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use http::{HeaderName, HeaderValue};
use pilothouse_catalog::{Auth, Catalog};
use pilothouse_upstream::{Origin, OriginOptions, Timeouts, TlsFiles};

use super::auth::{self, Credentials, credentials};
use super::heads::{fixed_headers, heads_of};
use super::section::Section;
use super::ways::{Way, ways};
use super::{CallHeads, Live, Provider, Surface, embed, metrics, rerank};
use crate::cloud::sigv4::Signer;
use crate::cloud::{Grant, Tokens};
use crate::config::{self, Diagnostic};
use crate::plan::build::Environment;

/// Versions of Azure's API from this one on take `stream_options`
/// (<https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle>, read 2026-11-23).
const AZURE_STREAM_OPTIONS_SINCE: &str = "2024-09-01";

/// Makes a provider of its section. Everything that is wrong is added to `wrong`.
pub(in crate::plan) fn build_provider(
    name: &toml::Spanned<String>,
    given: &config::Provider,
    catalog: &Catalog,
    environment: &Environment,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Provider> {
    let vendor_name = given.vendor.as_ref().unwrap_or(name);
    let vendor = catalog.vendor(vendor_name.get_ref());
    if let (None, Some(given)) = (vendor, &given.vendor) {
        let mut names = catalog.vendors().iter().map(|vendor| vendor.name.as_str());
        let near = catalog.nearest(given.get_ref(), &mut names, 3).join(", ");
        wrong.push(Diagnostic::at(
            given.span(),
            format!("no vendor is called `{}`; near it: {near}", given.get_ref()),
        ));
        return None;
    }
    let mut section = Section { name, given, vendor, environment, project: None };
    let credentials = credentials(&section, wrong);
    if let Credentials::Fetched(Grant::Google(file), _) = &credentials {
        section.project.clone_from(&file.project);
    }
    let ways = ways(&section, wrong)?;
    let origins = origins(&section, &ways, wrong)?;
    let means = Means::of(&section, credentials, wrong)?;
    let authentication = means.words(&section, &ways, &origins);
    let rerank = rerank::rerank(&section, &ways, &means, wrong);
    let embed = embed::embed(&section, &ways, &means, wrong);
    let mut surfaces = Vec::new();
    for (way, origin) in ways.into_iter().zip(origins) {
        surfaces.push(surface(way, origin, &section, &means, wrong)?);
    }
    let metrics = metrics::metrics(&section, &surfaces, wrong);
    let platform = given.platform.as_ref().map(|given| given.get_ref().clone());
    let is_old =
        given.api_version.as_ref().is_some_and(|it| it.get_ref().as_str() < AZURE_STREAM_OPTIONS_SINCE);
    Some(Provider {
        limit: None,
        name: name.get_ref().as_str().into(),
        platform: platform
            .or_else(|| vendor.map(|vendor| vendor.platform.clone()))
            .unwrap_or_else(|| name.get_ref().clone()),
        models: given.models.iter().chain(given.deployments.keys()).cloned().collect(),
        deployments: deployments(given),
        credentials: surfaces.first().map_or(0, |surface| surface.credentials.len()),
        surfaces,
        retries: retries(&section, wrong),
        retry_after_timeout: given.retry_after_timeout,
        has_breaker: given.breaker.unwrap_or(true),
        rerank,
        embed,
        no_completions: vendor.is_some_and(|vendor| vendor.has_quirk("no-completions")),
        vendor: vendor.map(|vendor| vendor.name.clone()).unwrap_or_default(),
        quirks: vendor.map(|vendor| vendor.quirks.clone()).unwrap_or_default(),
        compat: given.compat.unwrap_or_default(),
        no_stream_options: is_old || vendor.is_some_and(|vendor| vendor.has_quirk("no-stream-options")),
        authentication,
        metrics,
        current: AtomicUsize::new(0),
    })
}

/// Where each way leads.
fn origins(section: &Section<'_>, ways: &[Way], wrong: &mut Vec<Diagnostic>) -> Option<Vec<Origin>> {
    let Section { name, given, environment, .. } = section;
    let mut origins = Vec::new();
    for way in ways {
        match Origin::new(&way.base_url, &origin_options(given, environment)) {
            Ok(origin) => origins.push(origin),
            Err(error) => {
                let span = given.base_url.as_ref().map_or_else(|| name.span(), toml::Spanned::span);
                wrong.push(Diagnostic::at(span, error.to_string()));
                return None;
            }
        }
    }
    Some(origins)
}

fn retries(section: &Section<'_>, wrong: &mut Vec<Diagnostic>) -> u32 {
    let Some(given) = &section.given.retries else { return 2 };
    if *given.get_ref() > 2 {
        let message = "retries must be 0, 1 or 2: more only adds load to a vendor in trouble";
        wrong.push(Diagnostic::at(given.span(), message));
    }
    *given.get_ref()
}

fn deployments(given: &config::Provider) -> BTreeMap<String, String> {
    given.deployments.iter().map(|(name, model)| (name.clone(), model.get_ref().clone())).collect()
}

/// What calls are authorised with, ready for use.
pub(super) enum Means {
    Fixed(Vec<pilothouse_core::secret::Secret>),
    Signed(crate::cloud::sigv4::AccessKey, String),
    Fetched { tokens: Arc<Tokens>, words: String, quota_project: Option<HeaderValue> },
}

impl Means {
    fn of(section: &Section<'_>, credentials: Credentials, wrong: &mut Vec<Diagnostic>) -> Option<Self> {
        let (grant, place) = match credentials {
            Credentials::Fixed(secrets) => return Some(Self::Fixed(secrets)),
            Credentials::Signed(key, place) => return Some(Self::Signed(key, place)),
            Credentials::Fetched(grant, place) => (grant, place),
        };
        let words = format!("{} ({place})", grant.words());
        let quota_project = match &grant {
            Grant::Google(file) => {
                file.quota_project.as_deref().and_then(|it| HeaderValue::from_str(it).ok())
            }
            _ => None,
        };
        match grant.origin(&origin_options(section.given, section.environment)) {
            Ok(origin) => {
                let tokens = Arc::new(Tokens::new(section.name.get_ref().as_str().into(), grant, origin));
                Some(Self::Fetched { tokens, words, quota_project })
            }
            Err(why) => {
                wrong.push(section.wrong(format!("access tokens cannot be asked for: {why}")));
                None
            }
        }
    }

    /// How calls will be authorised, in words, where that is not simply the vendor's own key.
    fn words(&self, section: &Section<'_>, ways: &[Way], origins: &[Origin]) -> Option<String> {
        let issues = section.vendor.and_then(|vendor| vendor.tokens).is_some();
        let is_plain = !issues && !auth::may_sign(section) && section.given.auth.is_none();
        match self {
            Self::Fetched { words, .. } => Some(words.clone()),
            Self::Signed(_, place) => {
                let (way, origin) = ways.iter().zip(origins).next()?;
                let service = way.signs_for.clone().or_else(|| section.param("service").map(str::to_owned));
                let region = section.aws_region(origin.host()).unwrap_or_default();
                let service = service.unwrap_or_default();
                Some(format!("signs calls for {service} in {region} with the access key pair of {place}"))
            }
            _ if is_plain => None,
            Self::Fixed(secrets) if secrets.is_empty() => Some(missing(section)),
            Self::Fixed(secrets) => {
                let how = ways.first().map_or("its credential", |way| match way.auth {
                    Auth::Bearer => "a bearer token",
                    Auth::None => "no credential",
                    _ => "an API key",
                });
                let expires = section.vendor.is_some_and(|vendor| vendor.has_quirk("token-expires"));
                let warning =
                    if expires { "; it is an access token, which expires within hours" } else { "" };
                let count =
                    if secrets.len() > 1 { format!(" ({} in turn)", secrets.len()) } else { String::new() };
                Some(format!("sends {how}{count}{warning}"))
            }
        }
    }
}

/// What to do where a cloud has no credential.
fn missing(section: &Section<'_>) -> String {
    let names = section.vendor.map(|vendor| vendor.key_env.join(" or ")).unwrap_or_default();
    let key = if names.is_empty() {
        "api_key".to_owned()
    } else {
        format!("api_key, or {names} in the environment")
    };
    let more = match section.vendor.and_then(|vendor| vendor.tokens) {
        _ if auth::may_sign(section) => "; or aws_access_key_id with aws_secret_access_key, or aws_profile",
        Some(pilothouse_catalog::TokenIssuer::Google) => {
            "; or credentials_file, GOOGLE_APPLICATION_CREDENTIALS, or token_from = \"metadata\" on a machine of Google's"
        }
        Some(pilothouse_catalog::TokenIssuer::Entra) => "; or entra with tenant, client_id and client_secret",
        None => "",
    };
    format!("has no credential, and calls will be refused: give {key}{more}")
}

pub(super) fn origin_options(section: &config::Provider, environment: &Environment) -> OriginOptions {
    let defaults = Timeouts::default();
    let or = |given: Option<f64>, default| {
        given.and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok()).unwrap_or(default)
    };
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| environment.folder.join(path));
    OriginOptions {
        timeouts: Timeouts {
            connect: or(section.timeouts.connect, defaults.connect),
            first_byte: or(section.timeouts.first_byte, defaults.first_byte),
            between_chunks: or(section.timeouts.between_chunks, defaults.between_chunks),
            total: or(section.timeouts.total, defaults.total),
        },
        tls: TlsFiles {
            ca_file: path(&section.ca_file),
            client_certificate: path(&section.client_certificate),
            client_key: path(&section.client_key),
            http2: section.http2,
        },
        proxy: section.proxy.as_ref().map(|proxy| proxy.get_ref().clone()),
        environment: environment.variables.clone(),
        idle_connections_max: 0,
    }
}

pub(super) fn surface(
    way: Way,
    origin: Origin,
    section: &Section<'_>,
    means: &Means,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Surface> {
    let fixed = fixed_headers(way.dialect, section.given, wrong);
    let prepare = |more: Vec<(HeaderName, HeaderValue)>, live: Option<Live>| -> CallHeads {
        let headers: Vec<_> = fixed.iter().cloned().chain(more).collect();
        CallHeads { live, ..heads_of(&origin, &way, &headers) }
    };
    let credentials = match means {
        Means::Fixed(secrets) => {
            let headers = secrets.iter().filter_map(|secret| auth::headers(&way.auth, secret));
            let mut heads: Vec<_> = headers.map(|headers| prepare(headers, None)).collect();
            if heads.is_empty() {
                // Servers on the own network often take calls without a credential; others will say 401.
                heads.push(prepare(Vec::new(), None));
            }
            heads
        }
        Means::Signed(key, _) => {
            let signer = signer(&way, &origin, section, key);
            let signer = signer.map_err(|why| wrong.push(section.wrong(why))).ok()?;
            vec![prepare(Vec::new(), Some(Live::Signed(Arc::new(signer))))]
        }
        Means::Fetched { tokens, quota_project, .. } => {
            let project =
                quota_project.iter().map(|it| (HeaderName::from_static("x-goog-user-project"), it.clone()));
            vec![prepare(project.collect(), Some(Live::Fetched(Arc::clone(tokens))))]
        }
    };
    let serves = way.surface.map(|surface| surface.serves).unwrap_or_default();
    Some(Surface { dialect: way.dialect, origin, credentials, naming: way.naming, serves })
}

fn signer(
    way: &Way,
    origin: &Origin,
    section: &Section<'_>,
    key: &crate::cloud::sigv4::AccessKey,
) -> Result<Signer, String> {
    let name = section.name.get_ref();
    let service = way.signs_for.as_deref().or_else(|| section.param("service")).ok_or_else(|| {
        format!("for which service are calls to `{name}` signed? give params = {{ service = \"bedrock\" }}")
    })?;
    let region = section.aws_region(origin.host()).ok_or_else(|| {
        format!("in which region are calls to `{name}` signed? give params = {{ region = \"us-east-1\" }}, or set AWS_REGION")
    })?;
    Signer::new(key.clone(), &region, service).map_err(str::to_owned)
}
