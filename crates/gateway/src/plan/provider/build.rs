//! Makes a provider of its section in the configuration and its vendor's row in the catalogue.

use std::sync::atomic::AtomicUsize;

use pilothouse_catalog::Catalog;
use pilothouse_core::secret::Secret;
use pilothouse_upstream::{Origin, OriginOptions, Timeouts, TlsFiles};

use super::auth::{Credential, credential, secrets};
use super::heads::{fixed_headers, heads_of};
use super::ways::{Way, ways};
use super::{Provider, Surface};
use crate::config::{self, Diagnostic};
use crate::plan::build::Environment;

/// Makes a provider of its section. Everything that is wrong is added to `wrong`.
pub(in crate::plan) fn build_provider(
    name: &toml::Spanned<String>,
    section: &config::Provider,
    catalog: &Catalog,
    environment: &Environment,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Provider> {
    let vendor_name = section.vendor.as_ref().unwrap_or(name);
    let vendor = catalog.vendor(vendor_name.get_ref());
    if let (None, Some(given)) = (vendor, &section.vendor) {
        let mut names = catalog.vendors().iter().map(|vendor| vendor.name.as_str());
        let near = catalog.nearest(given.get_ref(), &mut names, 3).join(", ");
        wrong.push(Diagnostic::at(
            given.span(),
            format!("no vendor is called `{}`; near it: {near}", given.get_ref()),
        ));
        return None;
    }
    let ways = ways(name, section, vendor, wrong)?;
    let secrets = secrets(section, vendor, environment, wrong);
    let mut surfaces = Vec::new();
    for way in ways {
        let options = origin_options(section, environment);
        match Origin::new(&way.base_url, &options) {
            Ok(origin) => surfaces.push(surface(way, origin, section, &secrets, wrong)?),
            Err(error) => {
                let span = section.base_url.as_ref().map_or_else(|| name.span(), toml::Spanned::span);
                wrong.push(Diagnostic::at(span, error.to_string()));
            }
        }
    }
    let retries = section.retries.as_ref().map_or(2, |given| *given.get_ref());
    if retries > 2 {
        let span = section.retries.as_ref().map_or(name.span(), toml::Spanned::span);
        wrong.push(Diagnostic::at(
            span,
            "retries must be 0, 1 or 2: more only adds load to a vendor in trouble",
        ));
    }
    let platform = section.platform.as_ref().map(|given| given.get_ref().clone());
    Some(Provider {
        name: name.get_ref().as_str().into(),
        platform: platform
            .or_else(|| vendor.map(|vendor| vendor.platform.clone()))
            .unwrap_or_else(|| name.get_ref().clone()),
        models: section.models.clone(),
        credentials: surfaces.first().map_or(0, |surface| surface.credentials.len()),
        surfaces,
        retries,
        retry_after_timeout: section.retry_after_timeout,
        no_stream_options: vendor.is_some_and(|vendor| vendor.has_quirk("no-stream-options")),
        current: AtomicUsize::new(0),
    })
}

fn origin_options(section: &config::Provider, environment: &Environment) -> OriginOptions {
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

fn surface(
    way: Way,
    origin: Origin,
    section: &config::Provider,
    secrets: &[Secret],
    wrong: &mut Vec<Diagnostic>,
) -> Option<Surface> {
    let fixed = fixed_headers(way.dialect, section, wrong);
    let mut credentials: Vec<_> = secrets.iter().filter_map(|secret| credential(&way.auth, secret)).collect();
    if credentials.is_empty() {
        // Servers on the own network often take calls without a credential; others will say 401.
        credentials.push(Credential { headers: Vec::new() });
    }
    let heads = credentials
        .iter()
        .map(|credential| {
            let mut headers = fixed.clone();
            headers.extend(credential.headers.iter().cloned());
            heads_of(&origin, &way, &headers)
        })
        .collect();
    Some(Surface { dialect: way.dialect, origin, credentials: heads })
}
