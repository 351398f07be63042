//! Fits a request to its target by the catalogue's compatibility rules: mended and reported, refused, or left alone.

use pilothouse_catalog::compat::Finding;
use pilothouse_core::conversation::Request;
use pilothouse_core::error::Error;
use pilothouse_wire::head::Head;
use pilothouse_wire::{cap, compat, last_turn};

use super::choose::Choice;
use super::error_codec;
use super::read::Asked;
use crate::config::CompatMode;
use crate::job::Job;

/// What is done for this call: the caller's word for it, else the configuration's.
fn mode(asked: &Asked<'_>, choice: &Choice) -> CompatMode {
    asked.compat.unwrap_or(choice.compat)
}

/// A body in the target's dialect, mended; `None` where nothing had to be.
///
/// # Errors
/// Where the mode is strict, the refusal of the first rule that the target would refuse it by.
pub(super) fn fit(
    asked: &Asked<'_>,
    choice: &Choice,
    head: &Head<'_>,
    job: &mut Job,
) -> Result<Option<Vec<u8>>, Error> {
    let mode = mode(asked, choice);
    let Some(rules) = choice.rules().filter(|_| mode != CompatMode::Off) else { return Ok(None) };
    let findings = compat::check(choice.surface_dialect(), rules, head);
    if findings.is_empty() {
        return Ok(None);
    }
    if mode == CompatMode::Strict {
        return refusal(&findings, choice).map_or(Ok(None), Err);
    }
    let (body, notes) = compat::apply(choice.surface_dialect(), rules, head.body(), &findings)?;
    notes.into_iter().for_each(|note| job.edited(note));
    Ok(Some(body))
}

/// A body whose output limit is lowered to what the target may be asked for; `None` where it asks for no more.
pub(super) fn capped(body: &[u8], choice: &Choice, job: &mut Job) -> Option<Vec<u8>> {
    let most = choice.output_tokens_max?;
    let dialect = choice.surface_dialect();
    // The vendor of the newer name refuses the older one at its newer models; others may know only the older one.
    let is_old_style = choice.provider().vendor != "openai";
    let (body, note) = cap::cap_output(dialect, body, most, is_old_style)?;
    job.edited(note);
    Some(body)
}

/// A body at whose end the model is told that this turn of its run is the last one; `None` where it is not, or where the
/// conversation has no place for it.
pub(super) fn told_last_turn(
    asked: &Asked<'_>,
    choice: &Choice,
    body: &[u8],
    job: &mut Job,
) -> Option<Vec<u8>> {
    if !asked.is_last_turn {
        return None;
    }
    // Of OpenAI's own models it is known that they take a system's message anywhere; templates of others may not.
    let has_developer = matches!(choice.provider().vendor.as_str(), "openai" | "azure");
    let (body, note) = last_turn::told(choice.surface_dialect(), body, has_developer)?;
    job.edited(note);
    Some(body)
}

/// Refuses what an encoder would quietly leave out for a rule's sake, where the mode is strict.
///
/// # Errors
/// The refusal, or what the encoder cannot write at all.
pub(super) fn refuse_translated(asked: &Asked<'_>, choice: &Choice, request: &Request) -> Result<(), Error> {
    if mode(asked, choice) != CompatMode::Strict {
        return Ok(());
    }
    let Some(rules) = choice.rules() else { return Ok(()) };
    let dialect = choice.surface_dialect();
    let mut target = choice.codec_target();
    target.quirks = target.quirks.permissive();
    target.max_output_tokens = None;
    let body = error_codec(dialect).encode_request(request, &target, &mut Vec::new())?;
    let findings = compat::check(dialect, rules, &Head::read(&body)?);
    refusal(&findings, choice).map_or(Ok(()), Err)
}

fn refusal(findings: &[Finding], choice: &Choice) -> Option<Error> {
    let first = findings.iter().find(|finding| finding.rule.blocks())?;
    Some(compat::refusal(first, &choice.resolution.target.real))
}
