//! Where a provider makes vectors in Cohere's form.

use pilothouse_catalog::Auth;
use pilothouse_core::dialect::Dialect;

use super::build::Means;
use super::rerank::alone;
use super::section::Section;
use super::ways::Way;
use super::{Naming, Surface};
use crate::config::Diagnostic;

/// The call for vectors of a provider: where the section says, else where the vendor's row does. A section that moves the
/// provider elsewhere with `base_url` moves this call too, so that the row's address holds without one only.
pub(super) fn embed(
    section: &Section<'_>,
    ways: &[Way],
    means: &Means,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Surface> {
    let given = section.given.embed_url.as_ref();
    let known = || section.vendor.filter(|_| section.given.base_url.is_none())?.embed.clone();
    let way = Way {
        dialect: Dialect::OpenaiEmbeddings,
        base_url: given.map(|given| given.get_ref().clone()).or_else(known)?,
        auth: ways.first().map_or(Auth::Bearer, |way| way.auth.clone()),
        signs_for: None,
        // The address is whole.
        path: Some(String::new()),
        naming: Naming::Body,
        surface: None,
    };
    alone(way, section, given, means, wrong)
}
