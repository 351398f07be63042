//! What a plan says of kept answers: for how long, for whom, and under which policy they were made.

use std::fmt::Write as _;
use std::sync::Arc;

use pilothouse_cache::semantic::trials::Terms;
use sha2::{Digest as _, Sha256};
use toml::Spanned;

use super::Plan;
use crate::config::{self, Diagnostic, Source};

/// Longest time for which an answer is given again.
const TTL_MS_MAX: u64 = 30 * 24 * 3_600_000;
const SEMANTIC_TTL_MS: u64 = 3_600_000;
const FALSE_HITS_MAX: f64 = 0.01;
const SAMPLE: f64 = 0.02;
const AGREEMENT: f32 = 0.85;
/// How near questions must be by default: a model's vectors of one question in other words are seldom farther.
const SIMILARITY: f32 = 0.90;
/// The same for the built-in embedding, which lets nothing pass but the same words.
const SIMILARITY_BUILTIN: f32 = 0.60;
/// Sections that say nothing of what an answer is like.
const BESIDES: [&str; 9] =
    ["server", "keys", "teams", "budgets", "runs", "store", "cache", "catalog", "lifecycle"];

/// Kept answers, where a configuration has any.
#[derive(Debug)]
pub struct PlanCache {
    /// Bytes that they may take.
    pub bytes_max: u64,
    /// What the configuration says of answers, as a digest: what was made under another one is not given.
    pub policy: Box<str>,
    /// What holds for names that are no routes.
    pub defaults: Option<Arc<CacheTerms>>,
}

/// What a name's answers are kept by.
#[derive(Debug, PartialEq)]
pub struct CacheTerms {
    /// For how long the same request gets the same answer, in milliseconds.
    pub exact_ms: Option<u64>,
    /// All keys of a team share answers.
    pub is_by_team: bool,
    /// The same question in other words.
    pub semantic: Option<SemanticTerms>,
}

/// What answers to the same question in other words are given by.
#[derive(Clone, Debug, PartialEq)]
pub struct SemanticTerms {
    /// For how long, in milliseconds.
    pub ttl_ms: u64,
    /// The embedding model; the built-in one where there is none.
    pub model: Option<Arc<str>>,
    /// How near questions must be.
    pub similarity: f32,
    /// How alike answers must be to count as the same.
    pub agreement: f32,
    /// What must be proven before it serves.
    pub trials: Terms,
}

impl CacheTerms {
    /// Whether anything is kept.
    fn is_something(&self) -> bool {
        self.exact_ms.is_some() || self.semantic.is_some()
    }
}

/// The terms of a section; `None` where it keeps nothing. What is wrong goes into `wrong`.
pub(super) fn terms(
    section: Option<&config::Cache>,
    plan: &Plan,
    is_route: bool,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Arc<CacheTerms>> {
    let section = section?;
    let exact_ms = match section.exact.as_ref() {
        Some(given) if given.get_ref() == "off" => None,
        Some(given) => duration(given, "exact", wrong),
        None => None,
    };
    let is_by_team = match section.share.as_ref().map(|given| given.get_ref().as_str()) {
        None | Some("key") => false,
        Some("team") => true,
        Some(other) => {
            let message = format!("`{other}` shares with nobody; one of key, team");
            wrong.extend(section.share.as_ref().map(|given| Diagnostic::at(given.span(), message)));
            false
        }
    };
    let semantic = section.semantic.as_ref().and_then(|given| {
        if !is_route {
            let message = "answers by meaning are for single routes; move this to [routes.NAME.defaults]";
            wrong.push(Diagnostic::at(given.span(), message));
            return None;
        }
        semantic(given.get_ref(), plan, wrong)
    });
    let terms = CacheTerms { exact_ms, is_by_team, semantic };
    terms.is_something().then(|| Arc::new(terms))
}

fn semantic(
    section: &config::SemanticCache,
    plan: &Plan,
    wrong: &mut Vec<Diagnostic>,
) -> Option<SemanticTerms> {
    let before = wrong.len();
    let ttl_ms = section.ttl.as_ref().map_or(Some(SEMANTIC_TTL_MS), |given| duration(given, "ttl", wrong));
    let model = section.model.as_ref().map(|given| {
        if let Err(error) = plan.locate(given.get_ref()) {
            wrong.push(Diagnostic::at(given.span(), error.public.to_string()));
        }
        Arc::from(given.get_ref().as_str())
    });
    let mut share = |given: Option<&Spanned<f64>>, name: &str, usual: f64, most: f64| {
        let Some(given) = given else { return usual };
        let value = *given.get_ref();
        if !(value > 0.0 && value <= most) {
            wrong.push(Diagnostic::at(given.span(), format!("{name} is a number above 0 and up to {most}")));
        }
        value
    };
    let usual = if model.is_some() { SIMILARITY } else { SIMILARITY_BUILTIN };
    let similarity = share(section.similarity.as_ref(), "similarity", f64::from(usual), 1.0) as f32;
    let agreement = share(section.agreement.as_ref(), "agreement", f64::from(AGREEMENT), 1.0) as f32;
    let trials = Terms {
        false_hits_max: share(section.false_hits_max.as_ref(), "false_hits_max", FALSE_HITS_MAX, 0.5),
        sample: share(section.sample.as_ref(), "sample", SAMPLE, 1.0),
        may_serve: model.is_some() || section.builtin_may_serve,
    };
    let ttl_ms = ttl_ms?;
    (wrong.len() == before).then_some(SemanticTerms { ttl_ms, model, similarity, agreement, trials })
}

/// The milliseconds of `30s`, `10m`, `1h` or `7d`.
fn duration(given: &Spanned<String>, name: &str, wrong: &mut Vec<Diagnostic>) -> Option<u64> {
    let text = given.get_ref();
    let unit = match text.chars().last() {
        Some('s') => 1_000,
        Some('m') => 60_000,
        Some('h') => 3_600_000,
        Some('d') => 24 * 3_600_000,
        _ => 0,
    };
    let number = text.get(..text.len().saturating_sub(1)).and_then(|number| number.parse::<u64>().ok());
    let found = number.and_then(|number| number.checked_mul(unit)).filter(|ms| (1..=TTL_MS_MAX).contains(ms));
    if found.is_none() {
        let message = format!("{name} is a time such as 30s, 10m, 1h or 7d, up to 30 days");
        wrong.push(Diagnostic::at(given.span(), message));
    }
    found
}

/// What a plan keeps, once its routes stand.
pub(super) fn build(plan: &Plan, source: &Source, wrong: &mut Vec<Diagnostic>) -> Option<PlanCache> {
    let defaults = terms(source.file.defaults.cache.as_ref(), plan, false, wrong);
    let is_used = defaults.is_some() || plan.routes.values().any(|route| route.cache.is_some());
    is_used.then(|| PlanCache { bytes_max: source.file.cache.bytes_max, policy: policy(source), defaults })
}

/// A digest of what the configuration says of answers: providers, routes, what is done to requests. Blanks, comments and the
/// order of sections do not count, and neither do keys, limits and budgets.
fn policy(source: &Source) -> Box<str> {
    let mut table = source.text.parse::<toml::Table>().unwrap_or_default();
    for name in BESIDES {
        table.remove(name);
    }
    let digest = Sha256::digest(table.to_string());
    let mut hex = String::new();
    for byte in digest.iter().take(8) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex.into()
}
