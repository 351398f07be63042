//! The ways to call a provider: which dialects it speaks, at which addresses.

use pilothouse_catalog::Auth;
use pilothouse_core::dialect::Dialect;

use crate::config::{self, Diagnostic};

/// One way to call a provider, before its address has been read.
pub(super) struct Way {
    pub(super) dialect: Dialect,
    pub(super) base_url: String,
    pub(super) auth: Auth,
    pub(super) path: Option<String>,
}

/// The ways that a section and its vendor's row give.
pub(super) fn ways(
    name: &toml::Spanned<String>,
    section: &config::Provider,
    vendor: Option<&pilothouse_catalog::Vendor>,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Vec<Way>> {
    let wanted = match &section.dialect {
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
    let given_url = section.base_url.as_ref().map(toml::Spanned::get_ref);
    let Some(vendor) = vendor else {
        let (Some(dialect), Some(base_url)) = (wanted, given_url) else {
            wrong.push(Diagnostic::at(
                name.span(),
                format!("`{}` is no vendor of the catalogue: give its dialect and base_url", name.get_ref()),
            ));
            return None;
        };
        let auth = match dialect {
            Dialect::AnthropicMessages => Auth::XApiKey,
            Dialect::GeminiGenerate => Auth::Header("x-goog-api-key".to_owned()),
            Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::OpenaiResponses => Auth::Bearer,
        };
        return Some(vec![Way { dialect, base_url: base_url.clone(), auth, path: None }]);
    };
    let mut ways = Vec::new();
    let mut replaced = None;
    for surface in &vendor.surfaces {
        let Some(dialect) = Dialect::parse(&surface.dialect) else { continue };
        let is_wanted = wanted.is_none_or(|wanted| wanted == dialect);
        // A given address replaces that of one dialect, the wanted one, else the vendor's first, and of those that the
        // vendor speaks at the same address.
        let is_replaced =
            ways.is_empty() || (surface.base_url.is_some() && replaced == surface.base_url.as_ref());
        let url = match given_url {
            Some(url) if is_replaced && is_wanted => Some(url.clone()),
            Some(_) => None,
            None => surface.base_url.as_ref().map(|url| fill(url, section)),
        };
        if let (true, Some(base_url)) = (is_wanted && dialect != Dialect::OpenaiEmbeddings, url) {
            replaced = replaced.or(surface.base_url.as_ref());
            ways.push(Way { dialect, base_url, auth: surface.auth.clone(), path: surface.path.clone() });
        }
    }
    if ways.is_empty() {
        let why = if vendor.surfaces.iter().any(|surface| Dialect::parse(&surface.dialect).is_some()) {
            "has no fixed address: give its base_url"
        } else {
            "speaks no dialect that this version knows"
        };
        wrong.push(Diagnostic::at(name.span(), format!("`{}` {why}", vendor.name)));
        return None;
    }
    Some(ways)
}

/// Puts the section's params into an address.
fn fill(url: &str, section: &config::Provider) -> String {
    section
        .params
        .iter()
        .fold(url.to_owned(), |url, (name, value)| url.replace(&format!("{{{name}}}"), value))
}
