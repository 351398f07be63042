//! Names of models: retired, about to retire, unknown, or put together at run time.
//!
//! What a name does decides what is said of it. Only what is called, or configures what is called, can block;
//! lists, tables of prices, tests, history and text for people are listed with less weight, because nothing fails there
//! on the day.

mod around;
mod key;
mod life;
mod rewrite;
pub mod site;

use std::collections::BTreeSet;

use crate::scan::classify::{FileContext, FileKind};
use crate::scan::finding::{Confidence, Finding, Rule, Severity, Site};
use crate::scan::names::{Hints, Names, Resolved, constant, family};
use crate::scan::source::{Call, Context, Kind, Mention, Reading, Span};

use super::requests::Requests;
use site::{Sited, site_of};

/// A mention with what is known of it.
struct Seen<'r> {
    mention: &'r Mention,
    word: &'r str,
    sited: Sited,
    hints: Hints,
    best: Option<Resolved>,
}

/// Findings about names of models.
#[must_use]
pub fn judge(reading: &Requests<'_>, file: &FileContext<'_>, names: &Names, today: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, mention) in reading.mentions.iter().enumerate() {
        let Some(seen) = see(at, mention, reading, file, names) else { continue };
        let finding = match &seen.best {
            Some(best) => life::finding(best, &seen, names, today).map(|told| {
                let mut finding = told;
                finding.place = file.place(mention.span.clone());
                if finding.severity == Severity::Blocks && finding.confidence == Confidence::High {
                    finding.fix = rewrite::fix(&seen, best, &finding, reading, file, names);
                }
                finding
            }),
            None => unresolved(&seen, file),
        };
        found.extend(finding);
    }
    found.extend(dynamic_arguments(reading, file, &found));
    found
}

/// The models that a file uses, as (platform, id): those that it calls, configures or serves.
#[must_use]
pub fn models(reading: &Requests<'_>, file: &FileContext<'_>, names: &Names) -> BTreeSet<(String, String)> {
    let used = reading.mentions.iter().enumerate().filter_map(|(at, mention)| {
        let seen = see(at, mention, reading, file, names)?;
        let best = seen.best?;
        matches!(seen.sited.site, Site::Calls | Site::Defines).then_some((best.platform, best.id))
    });
    used.collect()
}

/// What is known of a mention; `None` where it is no model's.
fn see<'r>(
    at: usize,
    mention: &'r Mention,
    reading: &'r Requests<'_>,
    file: &FileContext<'r>,
    names: &Names,
) -> Option<Seen<'r>> {
    let word = file.text.get(mention.span.clone())?;
    let call = reading.call_around(at);
    let hints = hints_for(mention, call, reading, names);
    // A name of the program is no text: only the constants of SDKs stand for a model.
    let is_code = mention.context == Context::Code;
    let mut best = if is_code { None } else { names.resolve(word, &hints).into_iter().next() };
    if is_code && !constant::is_shaped(word) {
        return None;
    }
    if best.is_none() && constant::is_shaped(word) && mention.context == Context::Code {
        best = constant::is_qualified(word).then(|| names.constant(word)).flatten();
        best.as_ref()?;
    }
    let sited = site_of(mention, word, call, reading, file);
    Some(Seen { mention, word, sited, hints, best })
}

/// What is known of the platform that a name is used on.
fn hints_for(mention: &Mention, call: Option<&Call>, reading: &Requests<'_>, names: &Names) -> Hints {
    let of_request = || {
        let request = reading.request(call?)?;
        let vendor = request.vendor.as_deref()?;
        Some(Hints::on(&names.catalog().vendor(vendor)?.platform))
    };
    let of_call = || call.map(Hints::of_call).unwrap_or_default();
    let of_key = || mention.bound_to.as_deref().map(Hints::of_key).unwrap_or_default();
    // A client that is told to go through Vertex AI looks like Gemini's own.
    let of_door = || call.map(Hints::of_words).filter(|hints| hints.platform.as_deref() == Some("vertex"));
    of_door().or_else(of_request).unwrap_or_default().or(of_call).or(of_key).or(|| match call {
        Some(_) => Hints::default(),
        None => reading.hints().clone(),
    })
}

/// A name that no catalogue knows: put together at run time, or of a known family.
fn unresolved(seen: &Seen<'_>, file: &FileContext<'_>) -> Option<Finding> {
    let mention = seen.mention;
    if matches!(seen.sited.site, Site::Opaque | Site::History) {
        return None;
    }
    if mention.context == Context::Dynamic {
        return Some(dynamic(mention.span.clone(), seen.word, seen.sited.site, file));
    }
    let is_value = mention.context == Context::Value && !seen.sited.is_capped;
    let vendor = family::vendor_of(seen.word).filter(|_| is_value)?;
    Some(Finding {
        rule: Rule::ModelUnknown,
        severity: Severity::Note,
        confidence: Confidence::Medium,
        place: file.place(mention.span.clone()),
        site: seen.sited.site,
        subject: seen.word.to_owned(),
        model: None,
        message: format!("looks like a model of {vendor}, and the catalogue does not know it"),
        next: "check the name with `pilothouse models check`, or name it in an overlay of the catalogue"
            .to_owned(),
        due: None,
        help: None,
        replacement: None,
        fix: None,
        suppressed: None,
    })
}

fn dynamic(span: Span, subject: &str, site: Site, file: &FileContext<'_>) -> Finding {
    Finding {
        rule: Rule::ModelDynamic,
        severity: Severity::Note,
        confidence: Confidence::Medium,
        place: file.place(span),
        site,
        subject: subject.to_owned(),
        model: None,
        message: "the model's name is put together at run time".to_owned(),
        next: "look which names it can become, and check each in the catalogue".to_owned(),
        due: None,
        help: None,
        replacement: None,
        fix: None,
        suppressed: None,
    }
}

/// Models of calls that are put together at run time and were not told by a mention yet.
fn dynamic_arguments(reading: &Reading, file: &FileContext<'_>, found: &[Finding]) -> Vec<Finding> {
    let mut more: Vec<Finding> = Vec::new();
    let site = file.site.unwrap_or(Site::Calls);
    if matches!(file.kind, FileKind::Data(_)) || matches!(site, Site::Opaque | Site::History) {
        return more;
    }
    for call in &reading.calls {
        let named = call.arguments.iter().filter(|argument| site::is_model_key(&argument.name));
        for argument in named {
            let Kind::Dynamic { parts, is_choice: false } = &argument.value.kind else { continue };
            let span = &argument.value.span;
            let is_new = |one: &Finding| one.place.span.start >= span.end || one.place.span.end <= span.start;
            let is_family = parts.iter().any(|(part, _)| site::is_beginning(part));
            if is_family && found.iter().all(is_new) && more.iter().all(is_new) {
                let subject = file.text.get(span.clone()).unwrap_or_default();
                more.push(dynamic(span.clone(), subject, site, file));
            }
        }
    }
    more
}

#[cfg(test)]
mod tests;
