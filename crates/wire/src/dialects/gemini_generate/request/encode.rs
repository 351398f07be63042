//! Writes a Gemini request. Model and stream go into the path: [`crate::path::vendor_path`].

use pilothouse_core::conversation::Request;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::Error;

use super::super::tier_of;
use super::contents::write_contents;
use super::generation::write_generation;
use super::tools::write_tools;
use super::{CONFIG, TOOL_CONFIG};
use crate::codec::{Losses, OWN, Target};
use crate::dialects::no_threads;
use crate::dialects::refuse_bound;
use crate::json::Object;

pub(in super::super) fn encode(
    request: &Request,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<Vec<u8>, Error> {
    let native = request.dialect == Dialect::GeminiGenerate;
    if request.thread.is_some() {
        return Err(no_threads());
    }
    refuse_bound(request, Dialect::GeminiGenerate)?;
    let mut out = Vec::with_capacity(1024);
    let mut body = Object::new(&mut out);
    write_contents(&mut body, request, target, losses)?;
    write_tools(&mut body, request, losses);
    write_generation(&mut body, request, target, losses);
    match request.service_tier.as_deref().map(|tier| (tier, tier_of(request.dialect, tier))) {
        Some((_, Some(tier))) => body.text("serviceTier", tier),
        // What the vendor does by itself.
        None | Some(("auto", None)) => {}
        Some((tier, None)) => losses.drop("service_tier", tier),
    }
    if native {
        let is_inside = |name: &str| name.starts_with(CONFIG) || name.starts_with(TOOL_CONFIG);
        for (name, value) in request.rest.iter().filter(|(name, _)| !is_inside(name)) {
            body.raw(name, value);
        }
    } else {
        note_foreign(request, losses);
    }
    drop(body);
    Ok(out)
}

/// Notes what other dialects have and Gemini has not.
fn note_foreign(request: &Request, losses: &mut Losses) {
    for (name, is_given) in [
        ("logit_bias", request.sampling.logit_bias.is_some()),
        ("metadata", request.metadata.is_some()),
        ("user", request.end_user.is_some()),
        ("prompt_cache_key", request.cache.key.is_some()),
        ("cache_control", request.cache.last.is_some()),
    ] {
        if is_given {
            losses.drop(name, "this dialect has no such member");
        }
    }
    for (name, value) in request.rest.iter().filter(|(name, _)| *name != "stream_options") {
        if !value.is_null() && !name.starts_with(OWN) {
            losses.drop(name, "");
        }
    }
}
