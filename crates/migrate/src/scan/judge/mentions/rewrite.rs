//! The edit that puts a living model in the place of a dying one, in the same spelling, with the parameters that it
//! would refuse mended in the same step.

use crate::scan::classify::FileContext;
use crate::scan::finding::{Finding, Fix, Site};
use crate::scan::judge::calls;
use crate::scan::judge::requests::Requests;
use crate::scan::names::{Names, Resolved};
use crate::scan::source::Context;

use super::Seen;

/// The fix of a finding; `None` where a person must decide.
pub(super) fn fix(
    seen: &Seen<'_>,
    best: &Resolved,
    finding: &Finding,
    reading: &Requests<'_>,
    file: &FileContext<'_>,
    names: &Names,
) -> Option<Fix> {
    let to = finding.replacement.as_deref()?;
    let is_safe =
        seen.sited.site == Site::Calls && !seen.sited.is_capped && seen.mention.context == Context::Value;
    // A deployment must be made before it can be named; tuned models and variants are others' words.
    let is_plain = !best.platform.starts_with("azure") && !best.is_base && best.behind.is_empty();
    if !is_safe || !is_plain {
        return None;
    }
    let start = seen.mention.span.start + best.before.len();
    let old = start..seen.mention.span.end - best.behind.len();
    if !file.text.get(old.clone())?.eq_ignore_ascii_case(&best.id) {
        return None;
    }
    // The replacement must be one of the same platform: an id of another would need another client.
    let known = names.resolve(to, &crate::scan::names::Hints::on(&best.platform)).into_iter().next()?;
    if known.platform != best.platform {
        return None;
    }
    let mut edits = vec![(old, known.id.clone())];
    edits.extend(calls::after_replacement(reading, &seen.mention.span, &known.id, file, names)?);
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let is_apart = edits.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start);
    let more = if edits.len() > 1 { ", with the parameters that it refuses" } else { "" };
    is_apart.then(|| Fix { title: format!("replace {} by {}{more}", best.id, known.id), edits })
}
