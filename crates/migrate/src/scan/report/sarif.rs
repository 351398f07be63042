//! A scan as SARIF 2.1.0, which code-scanning services and editors read.
//!
//! The standard: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>; what GitHub takes of it:
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>
//! (both read 2026-11-23).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::files::Files;
use super::lines::Lines;
use super::{View, severity, site, words};
use crate::scan::baseline::{self, Marked};
use crate::scan::finding::{Confidence, Finding, Rule, Severity};
use crate::scan::report::{confidence, is_live};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What relative paths are relative to; the name that GitHub and editors know.
const ROOT: &str = "%SRCROOT%";
/// A new name is a new kind of fingerprint: results would be taken for new ones.
const FINGERPRINT: &str = "pilothouse/v1";

/// The log: one run. Findings that are suppressed are in it, with why; those that are only counted are not.
///
/// Files are read again for fingerprints and for the places of fixes; what cannot be read has none.
#[must_use]
pub fn sarif(view: &View<'_>, files: &dyn Files) -> Value {
    let marked = baseline::mark(view.report, files);
    let listed: Vec<(usize, &Finding)> = view
        .report
        .findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| view.selection.lists(&unsuppressed(finding)))
        .collect();
    let rules = Rules::of(&listed);
    let mut writer = Writer { view, files, marked: &marked, rules: &rules, texts: BTreeMap::new() };
    let results: Vec<Value> = listed.iter().map(|(index, finding)| writer.result(*index, finding)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "pilothouse scan",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.descriptors(),
            } },
            "automationDetails": { "id": "pilothouse-scan/" },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                ROOT: { "description": { "text": "The folder in which the scan ran." } },
            },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications(view),
            }],
            "results": results,
            "properties": {
                "today": view.report.today,
                "catalogueAsOf": view.report.catalogue_as_of,
                "beginsToFail": view.verdict.begins_to_fail.as_ref().map(|(day, _)| day),
            },
        }],
    })
}

/// Whether something is listed does not depend on its suppression: SARIF says both.
fn unsuppressed(finding: &Finding) -> Cow<'_, Finding> {
    match finding.suppressed {
        None => Cow::Borrowed(finding),
        Some(_) => Cow::Owned(Finding { suppressed: None, ..finding.clone() }),
    }
}

/// The rules of the listed findings, each once, in the order of their codes.
struct Rules<'a>(Vec<(Rule, &'a Finding)>);

impl<'a> Rules<'a> {
    fn of(listed: &[(usize, &'a Finding)]) -> Self {
        let mut rules: Vec<(Rule, &Finding)> = Vec::new();
        for (_, finding) in listed {
            match rules.iter_mut().find(|(rule, _)| *rule == finding.rule) {
                // A page of the provider says more than none.
                Some((_, known)) if known.help.is_none() => *known = finding,
                Some(_) => {}
                None => rules.push((finding.rule, finding)),
            }
        }
        rules.sort_by_key(|(rule, _)| rule.code());
        Self(rules)
    }

    fn index(&self, rule: Rule) -> Option<usize> {
        self.0.iter().position(|(known, _)| *known == rule)
    }

    fn descriptors(&self) -> Vec<Value> {
        self.0.iter().map(|(rule, finding)| descriptor(*rule, finding)).collect()
    }
}

fn descriptor(rule: Rule, finding: &Finding) -> Value {
    let level = match rule {
        Rule::ModelRetired | Rule::Interface(_) | Rule::Parameter(_) => "error",
        Rule::ModelRetiring => "warning",
        _ => "note",
    };
    let mut descriptor = json!({
        "id": rule.code(),
        "shortDescription": { "text": sentence(rule.title()) },
        "fullDescription": { "text": format!("{} {}", sentence(rule.title()), rule.help()) },
        "help": { "text": rule.help() },
        "defaultConfiguration": { "level": level },
        "properties": { "tags": ["ai", "maintainability"] },
    });
    if let Some(uri) = rule.uri().or(finding.help.as_deref()).filter(|uri| is_uri(uri)) {
        descriptor["helpUri"] = json!(uri);
    }
    descriptor
}

fn is_uri(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://"))
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn notifications(view: &View<'_>) -> Vec<Value> {
    let skipped = view.report.skipped.iter().map(|(path, reason)| {
        json!({
            "level": "note",
            "message": { "text": format!("{} was not read: {}", words::plain(path), words::plain(reason)) },
            "locations": [{ "physicalLocation": { "artifactLocation": artifact(path) } }],
        })
    });
    skipped.collect()
}

/// Results of one run, with the texts of the files that fixes stand in.
struct Writer<'a> {
    view: &'a View<'a>,
    files: &'a dyn Files,
    marked: &'a [Option<Marked>],
    rules: &'a Rules<'a>,
    /// The file of the latest fix: findings come file by file.
    texts: BTreeMap<String, Option<Vec<u8>>>,
}

impl Writer<'_> {
    fn result(&mut self, index: usize, finding: &Finding) -> Value {
        let place = &finding.place;
        let next = if finding.next.is_empty() { String::new() } else { format!(" {}", finding.next) };
        let mut result = json!({
            "ruleId": finding.rule.code(),
            "ruleIndex": self.rules.index(finding.rule),
            "level": self.level(index, finding),
            "message": { "text": words::plain(&format!("{}: {}.{next}", finding.subject, finding.message.trim_end_matches('.'))) },
            "locations": [{ "physicalLocation": {
                "artifactLocation": artifact(&place.path),
                "region": {
                    "startLine": place.line,
                    "startColumn": place.column,
                    "endLine": place.end_line,
                    "endColumn": place.end_column,
                },
            } }],
            "properties": {
                "severity": severity(finding.severity),
                "confidence": confidence(finding.confidence),
                "precision": precision(finding.confidence),
                "site": site(finding.site),
                "due": finding.due,
                "replacement": finding.replacement,
                "model": finding.model.as_ref().map(|(platform, id)| format!("{platform}/{id}")),
            },
        });
        if let Some(mark) = self.marked.get(index).and_then(Option::as_ref) {
            result["partialFingerprints"] = json!({
                FINGERPRINT: format!("{}:{}", mark.fingerprint, mark.nth),
                // The one that GitHub compares; its own would change with every line before.
                "primaryLocationLineHash": format!("{}:{}", mark.fingerprint, mark.nth),
            });
        }
        if let Some(suppression) = &finding.suppressed {
            result["suppressions"] = json!([{
                "kind": if suppression.is_baseline { "external" } else { "inSource" },
                "status": "accepted",
                "justification": words::suppression(suppression),
            }]);
        }
        if let Some(fix) = self.fix(finding) {
            result["fixes"] = json!([fix]);
        }
        result
    }

    /// By days: what fails the run is an error, what will or is not certain a warning, the rest a note.
    fn level(&self, index: usize, finding: &Finding) -> &'static str {
        match finding.severity {
            _ if self.view.verdict.failing.binary_search(&index).is_ok() => "error",
            Severity::Blocks if is_live(finding.site) => "warning",
            _ => "note",
        }
    }

    fn fix(&mut self, finding: &Finding) -> Option<Value> {
        let fix = finding.fix.as_ref()?;
        let path = finding.place.path.as_ref();
        if !self.texts.contains_key(path) {
            self.texts.clear();
            self.texts.insert(path.to_owned(), self.files.read(path).ok());
        }
        let lines = Lines::of(self.texts.get(path)?.as_deref()?);
        let replacements: Vec<Value> = fix
            .edits
            .iter()
            .map(|(span, text)| {
                let ((line, column), (end_line, end_column)) = (lines.place(span.start), lines.place(span.end));
                json!({
                    "deletedRegion": {
                        "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
                    },
                    "insertedContent": { "text": text },
                })
            })
            .collect();
        (!replacements.is_empty()).then(|| {
            json!({
                "description": { "text": words::plain(&fix.title) },
                "artifactChanges": [{ "artifactLocation": artifact(path), "replacements": replacements }],
            })
        })
    }
}

/// GitHub's word for how many results of a rule are right.
const fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "medium",
    }
}

/// A file: relative to where the scan ran, or as a `file:` URI where it was named so.
fn artifact(path: &str) -> Value {
    let encoded = words::encoded_path(path);
    if path.starts_with('/') {
        json!({ "uri": format!("file://{encoded}") })
    } else {
        json!({ "uri": encoded, "uriBaseId": ROOT })
    }
}
