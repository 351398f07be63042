//! The baseline: what is known and accepted, so that a run fails for new findings only.
//!
//! An entry names a finding by its rule, its file, its words and the text of its lines with white space made equal: it
//! is found again when lines move, and is a new finding when the line itself is edited. Where several findings are equal in
//! all of that, they are counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::finding::{Finding, Report, Rule, Suppression};
use super::report::files::Files;
use super::report::is_live;
use super::report::lines::Lines;

/// The form of the file that this program writes and reads.
pub const VERSION: u32 = 1;
/// Bytes of a finding's lines that are looked at.
const CONTEXT_BYTES_MAX: usize = 4096;

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// [`VERSION`]. The first member, by which a scan knows the file and passes it over.
    #[serde(rename = "pilothouse_baseline")]
    pub version: u32,
    /// The day for which it was written, `YYYY-MM-DD`.
    pub today: String,
    /// What is accepted, by path, rule, subject and fingerprint: a change is a small difference in review.
    pub findings: Vec<Entry>,
}

/// One accepted finding, or several equal ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file.
    pub path: String,
    /// The rule's code.
    pub rule: String,
    /// The words.
    pub subject: String,
    /// Of all of it, 16 hexadecimal digits.
    pub fingerprint: String,
    /// How many are equal.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: usize,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_one(count: &usize) -> bool {
    *count == 1
}

/// By what a finding is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Equal for equal findings.
    pub fingerprint: String,
    /// Which of the equal ones it is, from 1, in the order of the file.
    pub nth: usize,
}

/// The marks of a report's findings, in its order. `None` where a file cannot be read.
#[must_use]
pub fn mark(report: &Report, files: &dyn Files) -> Vec<Option<Marked>> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut marks = Vec::with_capacity(report.findings.len());
    for group in report.findings.chunk_by(|left, right| left.place.path == right.place.path) {
        let text = group.first().and_then(|finding| files.read(&finding.place.path).ok());
        let lines = text.as_deref().map(Lines::of);
        for finding in group {
            marks.push(lines.as_ref().map(|lines| {
                let fingerprint = fingerprint(finding, lines);
                let nth = seen.entry(fingerprint.clone()).or_default();
                *nth += 1;
                Marked { fingerprint, nth: *nth }
            }));
        }
    }
    marks
}

fn fingerprint(finding: &Finding, lines: &Lines<'_>) -> String {
    let mut digest = Sha256::new();
    for part in [finding.rule.code().as_ref(), &finding.place.path, &finding.subject] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let mut left = CONTEXT_BYTES_MAX;
    for line in finding.place.line..=finding.place.end_line.max(finding.place.line) {
        let text = lines.text(line);
        for word in text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            let word = &word[..word.len().min(left)];
            digest.update(word);
            digest.update(b" ");
            left -= word.len();
        }
        if left == 0 {
            break;
        }
    }
    let digest = digest.finalize();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Baseline {
    /// Everything that is found now where something acts upon it, but for what a comment ignores and for comments that
    /// ignore nothing.
    #[must_use]
    pub fn of(report: &Report, files: &dyn Files) -> Self {
        let mut entries: BTreeMap<Entry, usize> = BTreeMap::new();
        for (finding, mark) in report.findings.iter().zip(mark(report, files)) {
            let is_ignored = finding.suppressed.as_ref().is_some_and(|suppression| !suppression.is_baseline);
            if is_ignored || !is_live(finding.site) || finding.rule == Rule::Ignore {
                continue;
            }
            if let Some(mark) = mark {
                *entries.entry(entry(finding, mark)).or_default() += 1;
            }
        }
        let findings = entries.into_iter().map(|(entry, count)| Entry { count, ..entry }).collect();
        Self { version: VERSION, today: report.today.clone(), findings }
    }

    /// Reads a file that was written before.
    ///
    /// # Errors
    /// When it is none, one sentence with what to do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text)
            .map_err(|error| format!("is not a baseline ({error}); write one with --write-baseline"))?;
        if read.version != VERSION {
            return Err(format!(
                "has version {}, and this program reads {VERSION}; write it anew with --write-baseline",
                read.version
            ));
        }
        Ok(read)
    }

    /// The file's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Takes what it accepts out of the count; `name` is the file's. Gives the entries that match nothing any more, with
    /// how many of each.
    #[must_use]
    pub fn apply(&self, report: &mut Report, files: &dyn Files, name: &str) -> Vec<Entry> {
        let mut left: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &self.findings {
            *left.entry(&entry.fingerprint).or_default() += entry.count;
        }
        let marks = mark(report, files);
        for (finding, mark) in report.findings.iter_mut().zip(marks) {
            let Some(mark) = mark else { continue };
            let Some(count) = left.get_mut(mark.fingerprint.as_str()).filter(|count| **count > 0) else {
                continue;
            };
            *count -= 1;
            if finding.suppressed.is_none() {
                finding.suppressed =
                    Some(Suppression { is_baseline: true, reason: name.to_owned(), until: None });
            }
        }
        let mut gone = Vec::new();
        for entry in &self.findings {
            let count = left.remove(entry.fingerprint.as_str()).unwrap_or(0).min(entry.count);
            if count > 0 {
                gone.push(Entry { count, ..entry.clone() });
            }
        }
        gone
    }
}

fn entry(finding: &Finding, mark: Marked) -> Entry {
    Entry {
        path: finding.place.path.to_string(),
        rule: finding.rule.code().into_owned(),
        subject: finding.subject.clone(),
        fingerprint: mark.fingerprint,
        count: 1,
    }
}

#[cfg(test)]
mod tests;
