//! Where a provider orders documents.

use pilothouse_catalog::{Auth, Vendor};
use pilothouse_core::dialect::Dialect;
use pilothouse_upstream::Origin;

use super::build::{Means, origin_options, surface};
use super::section::Section;
use super::ways::Way;
use super::{Naming, Surface};
use crate::config::Diagnostic;

/// Where a provider orders documents.
#[derive(Debug)]
pub struct Rerank {
    /// Its address and credentials.
    pub surface: Surface,
    /// Its path begins with the version that the client names.
    pub is_versioned: bool,
}

/// The rerank call of a provider: where the section says, else where the vendor's row does, else below the address of a
/// server that people run themselves, as vLLM, llama.cpp and others have it.
pub(super) fn rerank(
    section: &Section<'_>,
    ways: &[Way],
    means: &Means,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Rerank> {
    let is_own = section.vendor.is_none_or(Vendor::is_local);
    let takes_documents = |way: &&Way| matches!(way.dialect, Dialect::OpenaiChat | Dialect::OpenaiEmbeddings);
    let own = ways.iter().find(takes_documents).filter(|_| is_own);
    let given = section.given.rerank_url.as_ref();
    let url = match (given, section.vendor.and_then(|vendor| vendor.rerank.clone()), own) {
        (Some(given), _, _) => given.get_ref().clone(),
        (None, Some(known), _) => known,
        (None, None, Some(way)) => format!("{}/rerank", way.base_url.trim_end_matches('/')),
        (None, None, None) => return None,
    };
    let (base_url, is_versioned) = match url.split_once("/{version}/") {
        Some((before, _)) => (before.to_owned(), true),
        None => (url, false),
    };
    match Origin::new(&base_url, &origin_options(section.given, section.environment)) {
        Ok(origin) => {
            let way = Way {
                dialect: Dialect::OpenaiChat,
                base_url,
                auth: ways.first().map_or(Auth::Bearer, |way| way.auth.clone()),
                signs_for: None,
                path: None,
                naming: Naming::Body,
                surface: None,
            };
            let surface = surface(way, origin, section, means, wrong)?;
            Some(Rerank { surface, is_versioned })
        }
        Err(error) => {
            let span = given.map_or_else(|| section.name.span(), toml::Spanned::span);
            wrong.push(Diagnostic::at(span, error.to_string()));
            None
        }
    }
}
