//! `--fix`: the edits that mend what blocks, where that is safe without a person.
//!
//! Only what blocks, is certain and calls is touched: never tests and their data, history, vendored code, or what lists
//! models for others. A file is changed as a whole or not at all: its edits are put together, the result is read and judged
//! again, and where it does not parse, or the same thing is still found, or something new, the file stays as it is and that
//! is said. Nothing is written that was not read: a file that has changed meanwhile is left alone.

pub mod diff;
pub mod edits;
pub mod write;

use std::collections::BTreeMap;

use super::finding::{Confidence, Finding, Report, Severity, Site};
use super::report::files::Files;

/// How often mended text is looked at again for what its mending brought to light: a parameter that the new model refuses.
const ROUNDS_MAX: usize = 5;

/// What a second look at one file tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Again {
    /// Its findings, as the first scan would have made them.
    pub findings: Vec<Finding>,
    /// Whether its parser had to give up on a part.
    pub is_partial: bool,
}

/// Reads and judges one file's text, as the scan did.
pub trait Rescan {
    /// Of the text that would lie at `path`. `None` where nothing reads such a file.
    fn rescan(&self, path: &str, text: &[u8]) -> Option<Again>;
}

/// What would be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// By path.
    pub changes: Vec<Change>,
    /// What has a fix and is not mended, and why.
    pub left: Vec<Left>,
}

/// A file with its new text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// As findings name it.
    pub path: String,
    /// As it was read.
    pub before: String,
    /// As it will be.
    pub after: String,
    /// What each of its edits does, in order.
    pub titles: Vec<String>,
}

/// Something that has a fix and keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The file.
    pub path: String,
    /// The line of the finding; `None` for all of the file.
    pub line: Option<u32>,
    /// Why.
    pub reason: String,
}

/// Whether a finding may be mended without a person.
#[must_use]
pub fn is_fixable(finding: &Finding) -> bool {
    finding.severity == Severity::Blocks
        && finding.confidence == Confidence::High
        && finding.site == Site::Calls
        && finding.suppressed.is_none()
        && finding.fix.as_ref().is_some_and(|fix| !fix.edits.is_empty())
}

/// Puts the edits of a report together, file by file, and looks at each result again.
#[must_use]
pub fn plan(report: &Report, files: &dyn Files, rescan: &dyn Rescan) -> Plan {
    let mut by_path: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| is_fixable(finding)) {
        by_path.entry(&finding.place.path).or_default().push(finding);
    }
    let mut plan = Plan::default();
    for (path, findings) in by_path {
        match mend(path, &findings, files, rescan) {
            Ok((change, left)) => {
                plan.left.extend(left);
                plan.changes.extend(change);
            }
            Err(reason) => plan.left.push(Left { path: path.to_owned(), line: None, reason }),
        }
    }
    plan
}

/// The change of one file, and what of it was left out.
fn mend(
    path: &str,
    findings: &[&Finding],
    files: &dyn Files,
    rescan: &dyn Rescan,
) -> Result<(Option<Change>, Vec<Left>), String> {
    let read = files.read(path).map_err(|error| format!("could not be read again: {error}"))?;
    let before = String::from_utf8(read).map_err(|_| "is not UTF-8, which edits are made in".to_owned())?;
    let first = look(rescan, path, &before)?;
    if !is_same(findings, &first.findings) {
        return Err("has changed since it was read; scan again".to_owned());
    }
    let mut state = Mended { text: before.clone(), titles: Vec::new(), left: Vec::new() };
    let mut seen = first.clone();
    for _ in 0..ROUNDS_MAX {
        let fixable: Vec<&Finding> = seen.findings.iter().filter(|finding| is_fixable(finding)).collect();
        if fixable.is_empty() || !state.take(path, &fixable) {
            break;
        }
        seen = look(rescan, path, &state.text)?;
        if seen.is_partial && !first.is_partial {
            return Err("would no longer parse with its edits; mend it by hand".to_owned());
        }
    }
    if let Some(left) = worse(&first.findings, &seen.findings, state.left.len()) {
        return Err(format!("a second scan would still find {left}; mend it by hand"));
    }
    let Mended { text: after, titles, left } = state;
    let change = (after != before).then(|| Change { path: path.to_owned(), before, after, titles });
    Ok((change, left))
}

fn look(rescan: &dyn Rescan, path: &str, text: &str) -> Result<Again, String> {
    rescan.rescan(path, text.as_bytes()).ok_or_else(|| "could not be read a second time".to_owned())
}

/// Whether the fixes of a second look are those of the first: the same words at the same bytes, mended in the same way.
fn is_same(first: &[&Finding], second: &[Finding]) -> bool {
    let second: Vec<&Finding> = second.iter().filter(|finding| is_fixable(finding)).collect();
    let key = |finding: &&Finding| {
        (finding.rule, finding.place.span.clone(), finding.subject.clone(), finding.fix.clone())
    };
    first.iter().map(key).eq(second.iter().map(key))
}

/// Text with the edits so far.
struct Mended {
    text: String,
    titles: Vec<String>,
    left: Vec<Left>,
}

impl Mended {
    /// Makes the edits of some findings; says whether the text is another one.
    fn take(&mut self, path: &str, findings: &[&Finding]) -> bool {
        let fixes: Vec<_> = findings.iter().filter_map(|finding| finding.fix.as_ref()).collect();
        let merged = edits::merge(&self.text, &fixes);
        // Of every round only the last one's are left: an edit that had no room may have some in the next.
        self.left = merged
            .left
            .iter()
            .map(|(index, reason)| Left {
                path: path.to_owned(),
                line: findings.get(*index).map(|finding| finding.place.line),
                reason: (*reason).to_owned(),
            })
            .collect();
        let after = edits::apply(&self.text, &merged.edits);
        if after == self.text {
            return false;
        }
        let taken =
            fixes.iter().enumerate().filter(|(index, _)| !merged.left.iter().any(|(left, _)| left == index));
        self.titles.extend(taken.map(|(_, fix)| fix.title.clone()));
        self.text = after;
        true
    }
}

/// What blocks in the mended text that did not before, or that was to be mended and is still there; `left` findings may.
fn worse(before: &[Finding], after: &[Finding], left: usize) -> Option<String> {
    let blocks = |finding: &&Finding| {
        finding.severity == Severity::Blocks && finding.site == Site::Calls && finding.suppressed.is_none()
    };
    let still: Vec<&Finding> = after.iter().filter(|finding| is_fixable(finding)).collect();
    if still.len() > left {
        return still.last().map(|finding| format!("{} (line {})", finding.subject, finding.place.line));
    }
    let mut known: Vec<_> =
        before.iter().filter(blocks).map(|finding| (finding.rule, finding.subject.as_str())).collect();
    for finding in after.iter().filter(blocks) {
        match known.iter().position(|(rule, subject)| *rule == finding.rule && *subject == finding.subject) {
            Some(index) => drop(known.swap_remove(index)),
            None => return Some(format!("{} (line {})", finding.subject, finding.place.line)),
        }
    }
    None
}

#[cfg(test)]
mod tests;
