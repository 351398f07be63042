//! The catalogue's compatibility rules, asked of the bytes of a request, and their edits made in those bytes.
//!
//! What no rule is about stays as it was written, byte for byte: an edit replaces a value, a name or a member in its
//! place, and the whole is never written anew.

pub(crate) mod behind;
mod edit;
mod facts;
pub(crate) mod place;
mod rewrite;
pub(crate) mod turns;

use std::ops::Range;

use pilothouse_catalog::compat::{Action, Compat, Finding, Path};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Note;

use crate::head::Head;
use crate::scan;
use facts::BodyFacts;

/// What of a request its target would refuse or silently change.
#[must_use]
pub fn check(dialect: Dialect, compat: &Compat, head: &Head<'_>) -> Vec<Finding> {
    if compat.rules().is_empty() {
        return Vec::new();
    }
    compat.check(&BodyFacts { dialect, head })
}

/// What of a request is worth knowing before it goes to this target: the rules that only advise.
#[must_use]
pub fn advise(dialect: Dialect, compat: &Compat, head: &Head<'_>) -> Vec<Finding> {
    compat.advise(&BodyFacts { dialect, head })
}

/// Makes the edits of findings in the body that they were found in: the new body, and a note for each edit.
///
/// # Errors
/// When the body would not parse again: our fault, and refused rather than sent.
pub fn apply(
    dialect: Dialect,
    compat: &Compat,
    body: &[u8],
    findings: &[Finding],
) -> Result<(Vec<u8>, Vec<Note>), Error> {
    let mut edited = edit::Edited { dialect, compat, body: body.to_vec() };
    let mut is_done = vec![false; findings.len()];
    edited.replace_values(findings, &mut is_done);
    for (finding, is_done) in findings.iter().zip(&mut is_done) {
        // From the last item of a list to the first, so that indices stay true.
        if !*is_done && finding.indices.is_empty() {
            *is_done = edited.make(finding);
        }
    }
    for (finding, is_done) in findings.iter().zip(&mut is_done).rev() {
        if !*is_done && !finding.indices.is_empty() {
            *is_done = edited.make(finding);
        }
    }
    scan::members(&edited.body).map_err(|error| {
        Error::new(Kind::Internal, "an edit by a compatibility rule would have broken the request")
            .because(error)
    })?;
    let made = findings.iter().zip(&is_done).filter(|(_, is_done)| **is_done);
    let notes = made.map(|(finding, _)| note(finding)).collect();
    Ok((edited.body, notes))
}

/// What a receipt says of a finding that was mended.
fn note(finding: &Finding) -> Note {
    let rule = finding.rule;
    let place = finding.place();
    let detail = if place == finding.path().map_or("", Path::as_str) {
        format!("{}: {}", rule.id, rule.title)
    } else {
        format!("{} at {place}: {}", rule.id, rule.title)
    };
    Note { code: finding.code().into(), detail: detail.into() }
}

/// The refusal of a request by a rule, where requests are not to be changed.
#[must_use]
pub fn refusal(finding: &Finding, model: &str) -> Error {
    let rule = finding.rule;
    let place = finding.place();
    Error::bad_request(
        place.clone(),
        format!(
            "`{place}` does not go to `{model}`: {}. {}. (rule {}; without compat = \"strict\" it would have become {})",
            rule.title,
            sentence(&rule.fix),
            rule.id,
            finding.code()
        ),
    )
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Puts new bytes in the place of old ones, everywhere at once.
fn splice(body: &mut Vec<u8>, mut edits: Vec<(Range<usize>, Vec<u8>)>) {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    edits.dedup_by(|next, last| next.0.start < last.0.end);
    let mut out = Vec::with_capacity(body.len() + edits.iter().map(|(_, with)| with.len()).sum::<usize>());
    let mut at = 0;
    for (range, with) in &edits {
        out.extend_from_slice(body.get(at..range.start).unwrap_or_default());
        out.extend_from_slice(with);
        at = range.end;
    }
    out.extend_from_slice(body.get(at..).unwrap_or_default());
    *body = out;
}

/// Whether an action only puts another value in a value's place.
fn replaces(action: &Action) -> bool {
    matches!(
        action,
        Action::Nearest(_) | Action::Cap(_) | Action::CapOutput | Action::First(_) | Action::Set(_)
    )
}

#[cfg(test)]
mod tests;
