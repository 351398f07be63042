//! Whether a scan fails, and from which day on it would: the same commit is judged the same on the same day.

use pilothouse_catalog::day;
use pilothouse_core::clock::UnixMs;

use super::finding::{Confidence, Finding, Report, Rule, Severity, Site, Suppression};
use super::report::is_live;

/// What fails a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What begins to fail within so many days fails already. Zero: what fails as of today, and nothing else.
    pub fail_within_days: u32,
}

/// What a scan comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Indices of the findings that fail the run, in the report's order.
    pub failing: Vec<usize>,
    /// The first day, after the report's, on which this commit begins to fail if nothing changes, with the days until
    /// then. `None`: it fails already, or no day is known.
    pub begins_to_fail: Option<(String, i64)>,
    /// What there is, by kind.
    pub counts: Counts,
}

/// How many findings there are of each kind. Those that are folded or suppressed are in no other count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// [`Severity::Blocks`].
    pub blocking: usize,
    /// [`Severity::Tune`].
    pub tuning: usize,
    /// Ids that no catalogue knows.
    pub unknown: usize,
    /// Names that are put together at run time.
    pub dynamic: usize,
    /// Other notes.
    pub notes: usize,
    /// In tests and their data.
    pub tests: usize,
    /// In text that nothing acts upon.
    pub opaque: usize,
    /// In history.
    pub history: usize,
    /// Taken out by the baseline or by a comment.
    pub suppressed: usize,
}

impl Counts {
    /// Those that are only counted, because nothing acts upon where they stand.
    #[must_use]
    pub const fn folded(&self) -> usize {
        self.tests + self.opaque + self.history
    }

    fn take(&mut self, finding: &Finding) {
        let count = match (finding.site, finding.suppressed.is_some(), finding.rule, finding.severity) {
            (_, true, ..) => &mut self.suppressed,
            (Site::Test, ..) => &mut self.tests,
            (Site::Opaque, ..) => &mut self.opaque,
            (Site::History, ..) => &mut self.history,
            (_, _, Rule::ModelUnknown, _) => &mut self.unknown,
            (_, _, Rule::ModelDynamic, _) => &mut self.dynamic,
            (_, _, _, Severity::Blocks) => &mut self.blocking,
            (_, _, _, Severity::Tune) => &mut self.tuning,
            (_, _, _, Severity::Note) => &mut self.notes,
        };
        *count += 1;
    }
}

impl Verdict {
    /// Judges a report.
    #[must_use]
    pub fn of(report: &Report, terms: Terms) -> Self {
        let mut verdict = Self::default();
        let mut first: Option<i64> = None;
        for (index, finding) in report.findings.iter().enumerate() {
            verdict.counts.take(finding);
            let Some(days) = days_until_failing(finding, &report.today, terms) else { continue };
            if days <= 0 {
                verdict.failing.push(index);
            } else {
                first = Some(first.map_or(days, |known| known.min(days)));
            }
        }
        if verdict.failing.is_empty() {
            verdict.begins_to_fail = first.and_then(|days| Some((plus_days(&report.today, days)?, days)));
        }
        verdict
    }

    /// Whether the run fails: exit 1.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        !self.failing.is_empty()
    }
}

/// In how many days a finding fails the run: zero or less, it does; `None`, it never will.
///
/// Only what is called fails a run: what merely lists a model may serve others until its day. What we are not sure of
/// never does.
#[must_use]
pub fn days_until_failing(finding: &Finding, today: &str, terms: Terms) -> Option<i64> {
    if !may_fail(finding) {
        return None;
    }
    let due = days_until(finding.due.as_deref()?, today)? - i64::from(terms.fail_within_days);
    match &finding.suppressed {
        None => Some(due),
        // It is back on the day after the comment's last one.
        Some(Suppression { is_baseline: false, until, .. }) => {
            Some(due.max(days_until(until.as_deref()?, today)? + 1))
        }
        // A baseline accepts that a model is going, not that it is gone: then the rule is another one.
        Some(_) if matches!(finding.rule, Rule::ModelRetiring | Rule::ModelDeprecated) => {
            days_until(finding.due.as_deref()?, today).filter(|days| *days > 0)
        }
        Some(_) => None,
    }
}

fn may_fail(finding: &Finding) -> bool {
    let is_dated = finding.rule.is_lifecycle() || matches!(finding.rule, Rule::Interface(_));
    finding.site == Site::Calls
        && finding.confidence >= Confidence::Medium
        && match finding.severity {
            Severity::Blocks => true,
            // It is no more than advice because its day is far away; `--fail-within` may reach that far.
            Severity::Tune => is_dated,
            Severity::Note => false,
        }
}

/// The model that most of the blocking findings are about, those that fail first before others: what to plan next.
#[must_use]
pub fn most_urgent(report: &Report) -> Option<&str> {
    let mut urgent: Vec<(&str, &str, usize)> = Vec::new();
    for finding in &report.findings {
        let is_counted = finding.severity == Severity::Blocks
            && finding.rule.is_lifecycle()
            && is_live(finding.site)
            && finding.suppressed.is_none();
        let (Some((_, model)), Some(due), true) = (&finding.model, &finding.due, is_counted) else {
            continue;
        };
        match urgent.iter_mut().find(|(known, ..)| known == model) {
            Some((_, first, count)) => {
                *first = (*first).min(due.as_str());
                *count += 1;
            }
            None => urgent.push((model, due, 1)),
        }
    }
    urgent.sort_by_key(|(_, due, count)| (*due, std::cmp::Reverse(*count)));
    urgent.first().map(|(model, ..)| *model)
}

/// Whole days from one day to another, both `YYYY-MM-DD`: negative where `day` has passed.
#[must_use]
pub fn days_until(day: &str, today: &str) -> Option<i64> {
    day::days_until(day, day::start_of(today)?)
}

fn plus_days(today: &str, days: i64) -> Option<String> {
    let later = u64::try_from(days).ok()?.checked_mul(day::DAY_MS)?;
    Some(day::of(UnixMs(day::start_of(today)?.0.checked_add(later)?)))
}

#[cfg(test)]
mod tests;
