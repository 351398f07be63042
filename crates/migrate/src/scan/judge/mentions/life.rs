//! What a model's dates mean on a day, in the words of a finding.

use pilothouse_catalog::{Model, Status, day};
use pilothouse_core::clock::UnixMs;

use crate::scan::finding::{Confidence, Finding, Place, Rule, Severity, Site};
use crate::scan::names::{Hints, Names, Resolved};

use super::Seen;

/// A deadline within so many days blocks.
const NOTICE_DAYS: i64 = 90;

/// Platforms that pass calls on to others: a model is gone there when its maker stops it, sooner or later.
const RESELLERS: &[&str] = &["openrouter", "vercel", "perplexity", "cloudflare"];

/// What a day means for a model.
struct Told {
    rule: Rule,
    severity: Severity,
    message: String,
    due: Option<String>,
    /// Whether the day is known for certain.
    is_certain: bool,
}

/// The finding of a name that the catalogue knows; `None` where nothing is to be said. Its place is the caller's.
pub(super) fn finding(best: &Resolved, seen: &Seen<'_>, names: &Names, today: &str) -> Option<Finding> {
    let now = day::start_of(today)?;
    let mut model = best.model.clone();
    let mut told = told(&model, now);
    if told.is_none() && RESELLERS.contains(&best.platform.as_str()) {
        let (makers, of_maker) = of_maker(best, names, now)?;
        model = makers;
        told = Some(of_maker);
    }
    let told = told?;
    let severity = capped(told.severity, seen);
    let confidence = confidence(best, seen, told.is_certain);
    let replacement = names.alive_replacement(&model, today);
    let next = match &replacement {
        Some(to) => format!("go to {}", to.id()),
        None => "choose another model: the notice names none that lives on".to_owned(),
    };
    Some(Finding {
        rule: told.rule,
        severity,
        confidence,
        place: Place { path: "".into(), span: 0..0, line: 0, column: 0, end_line: 0, end_column: 0 },
        site: seen.sited.site,
        subject: seen.word.to_owned(),
        model: Some((best.platform.clone(), best.id.clone())),
        message: told.message,
        next,
        due: told.due,
        help: model.life().and_then(|life| life.source.clone()).or_else(|| model.row().source.clone()),
        replacement: replacement.map(|to| to.id().to_owned()),
        fix: None,
        suppressed: None,
    })
}

/// What the model's own life says.
fn told(model: &Model, now: UnixMs) -> Option<Told> {
    let life = model.life()?;
    let lead = match (model.snapshot(), life.via.as_deref()) {
        (Some(snapshot), _) if snapshot != model.id() => format!("alias of {snapshot}; "),
        (_, Some(via)) if via != model.id() => format!("as {via}; "),
        _ => String::new(),
    };
    let days = |day: &str| day::days_until(day, now);
    match model.status(now) {
        Status::Retired => {
            let message = match life.retires.as_deref() {
                Some(day) => format!("{lead}retired {day} ({} d ago)", -days(day)?),
                None => format!("{lead}retired"),
            };
            Some(Told {
                rule: Rule::ModelRetired,
                severity: Severity::Blocks,
                message,
                due: life.retires.clone(),
                is_certain: true,
            })
        }
        Status::Deprecated => match (life.retires.as_deref(), life.not_before.as_deref()) {
            (Some(day), _) => Some(of_deadline(&lead, day, days(day)?, true)),
            // A regional id under the notice of its base: the day may differ by region.
            (None, Some(day)) if life.via.is_some() => Some(of_deadline(&lead, day, days(day)?, false)),
            _ => Some(Told {
                rule: Rule::ModelDeprecated,
                severity: Severity::Tune,
                message: format!("{lead}deprecated, without a day yet"),
                due: None,
                is_certain: true,
            }),
        },
        Status::Scheduled => {
            let day = life.not_before.as_deref().or(life.retires.as_deref())?;
            let left = days(day)?;
            (0..=NOTICE_DAYS).contains(&left).then(|| Told {
                rule: Rule::ModelDeprecated,
                severity: Severity::Note,
                message: format!("{lead}no notice given; not before {day} ({left} d)"),
                due: None,
                is_certain: true,
            })
        }
        Status::Active => None,
    }
}

fn of_deadline(lead: &str, day: &str, left: i64, is_certain: bool) -> Told {
    let region = if is_certain { "" } else { ", by region" };
    let (rule, message) = match left {
        ..=0 => (Rule::ModelRetired, format!("{lead}retired {day} ({} d ago{region})", -left)),
        _ => (Rule::ModelRetiring, format!("{lead}retires {day} ({left} d{region})")),
    };
    let severity = if left <= NOTICE_DAYS { Severity::Blocks } else { Severity::Tune };
    Told { rule, severity, message, due: Some(day.to_owned()), is_certain }
}

/// What the maker's notice means for a model that a reseller passes on.
fn of_maker(best: &Resolved, names: &Names, now: UnixMs) -> Option<(std::sync::Arc<Model>, Told)> {
    let card = best.model.row().card.as_deref()?;
    let (maker, id) = card.split_once('/')?;
    let own = names.resolve(id, &Hints::on(maker)).into_iter().find(|one| one.platform == maker)?;
    let told = told(&own.model, now).filter(|told| told.severity > Severity::Note)?;
    let message =
        format!("passed on by {}, which gives no notice; {maker} itself: {}", best.platform, told.message);
    Some((own.model, Told { severity: Severity::Tune, message, is_certain: false, ..told }))
}

/// What a site does not act upon cannot block.
fn capped(severity: Severity, seen: &Seen<'_>) -> Severity {
    let most = match seen.sited.site {
        Site::Calls | Site::Defines if seen.sited.is_capped => Severity::Tune,
        Site::Calls | Site::Defines => Severity::Blocks,
        Site::Test => Severity::Tune,
        Site::Opaque | Site::History => Severity::Note,
    };
    severity.min(most)
}

fn confidence(best: &Resolved, seen: &Seen<'_>, is_certain: bool) -> Confidence {
    let is_other_platform = seen.hints.platform.as_deref().is_some_and(|hinted| hinted != best.platform);
    // A deployment at Azure may have the model's name, and need not.
    let is_deployment = best.platform.starts_with("azure") && best.before.is_empty();
    let most = match () {
        () if best.is_base || is_deployment || !is_certain => Confidence::Medium,
        () if is_other_platform && !best.is_platform_known => Confidence::Medium,
        () => Confidence::High,
    };
    most.min(seen.sited.confidence)
}
