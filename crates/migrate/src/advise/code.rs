//! What calls in source code would meet at another model: its name is put in the old one's place, and the file is read again.

use std::collections::BTreeSet;
use std::ops::Range;

use pilothouse_catalog::Model;
use serde::Serialize;

use crate::scan::Scanner;
use crate::scan::finding::{Finding, Rule, Severity, Site};

/// A file that names the model, with what a scan found in it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// A place that names the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeSite {
    /// The file.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// As it is written there.
    pub written: String,
    /// Whether it calls; else it defines, is a test, text or history.
    pub is_call: bool,
    #[serde(skip)]
    span: Range<usize>,
}

/// What a call would meet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CodeFinding {
    /// The file.
    pub path: String,
    /// Its line before the change.
    pub line: u32,
    /// The rule's code.
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub next: String,
    /// Whether the call would be refused.
    pub is_blocking: bool,
}

/// The places that name the model.
pub(super) fn sites(sources: &[Source], is_same: &dyn Fn(&str, &str) -> bool) -> Vec<CodeSite> {
    let mut found = Vec::new();
    for source in sources {
        for finding in &source.findings {
            let is_name =
                matches!(finding.rule, Rule::ModelRetired | Rule::ModelRetiring | Rule::ModelDeprecated);
            let is_meant = finding.model.as_ref().is_some_and(|(platform, id)| is_same(platform, id));
            if is_name && is_meant {
                found.push(CodeSite {
                    path: source.path.clone(),
                    line: finding.place.line,
                    column: finding.place.column,
                    written: finding.subject.clone(),
                    is_call: finding.site == Site::Calls,
                    span: finding.place.span.clone(),
                });
            }
        }
    }
    found
}

/// What a scan finds of parameters and interfaces in the files, each told apart by rule, path and line.
pub(super) fn findings(scanner: &Scanner, sources: &[Source], only: Option<&str>) -> BTreeSet<CodeFinding> {
    let files = sources.iter().filter(|source| only.is_none_or(|path| path == source.path));
    files.flat_map(|source| told(&source.path, scanner.scan_text(&source.path, &source.text))).collect()
}

fn told(path: &str, findings: Vec<Finding>) -> impl Iterator<Item = CodeFinding> {
    let path = path.to_owned();
    findings.into_iter().filter(|finding| matches!(finding.rule, Rule::Parameter(_))).map(move |finding| {
        CodeFinding {
            path: path.clone(),
            line: finding.place.line,
            rule: finding.rule.code().to_string(),
            is_blocking: finding.severity == Severity::Blocks,
            message: finding.message,
            next: finding.next,
        }
    })
}

/// What calls would newly meet with `new` in the old model's place.
pub(super) fn moved(
    scanner: &Scanner,
    sources: &[Source],
    sites: &[CodeSite],
    new: &Model,
    before: &BTreeSet<CodeFinding>,
) -> Vec<CodeFinding> {
    let known: BTreeSet<(&str, u32, &str)> =
        before.iter().map(|one| (one.path.as_str(), one.line, one.rule.as_str())).collect();
    let mut found = Vec::new();
    for source in sources {
        let mut text = source.text.clone();
        let mut spans: Vec<&Range<usize>> = sites
            .iter()
            .filter(|site| site.path == source.path && site.is_call)
            .map(|site| &site.span)
            .collect();
        spans.sort_by_key(|span| std::cmp::Reverse(span.start));
        spans.dedup();
        if spans.is_empty() {
            continue;
        }
        // From behind, so that the places before stay where they are. Lines stay in any case.
        for span in spans {
            if text.get(span.clone()).is_some() {
                text.replace_range(span.clone(), new.id());
            }
        }
        let after = told(&source.path, scanner.scan_text(&source.path, &text));
        found.extend(after.filter(|one| !known.contains(&(one.path.as_str(), one.line, one.rule.as_str()))));
    }
    found.sort();
    found.dedup();
    found
}
