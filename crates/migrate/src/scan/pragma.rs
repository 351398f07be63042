//! Comments that take findings out of the count: `pilothouse: ignore until=2026-12-01 reason="moves with the next release"`.
//!
//! Behind code, a comment speaks of its own line; alone on its line, of the next line of code; `ignore-file`, of the whole
//! file. `until` is the last day on which it holds; `rule` narrows it to one rule. A comment that has no reason, has
//! expired or is not understood ignores nothing, and is a finding itself, so that nothing is ignored by mistake.

use super::finding::{Confidence, Finding, Place, Rule, Severity, Site, Suppression};
use super::report::lines::Lines;
use super::source::Pragma;
use super::verdict::days_until;

/// Where the comments stand.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// As findings name it.
    pub path: &'a std::sync::Arc<str>,
    /// Its bytes.
    pub text: &'a [u8],
    /// What kind of file it is, by which its own findings are filed.
    pub site: Site,
}

/// Suppresses what the comments of one file ignore, and adds findings for comments that ignore nothing. `findings` are
/// those of this file.
pub fn apply(pragmas: &[Pragma], file: File<'_>, today: &str, findings: &mut Vec<Finding>) {
    if pragmas.is_empty() {
        return;
    }
    let lines = Lines::of(file.text);
    let mut complaints = Vec::new();
    for pragma in pragmas {
        let Some(order) = Order::parse(&pragma.text) else { continue };
        let outcome = order.and_then(|order| order.still_holds(today));
        let complaint = match outcome {
            Ok(order) => order.ignore(pragma, &lines, file.text, findings),
            Err(complaint) => Some(complaint),
        };
        complaints.extend(complaint.map(|complaint| complaint.at(pragma, file, &lines)));
    }
    findings.extend(complaints);
}

/// What a comment wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Order {
    is_whole_file: bool,
    until: Option<String>,
    reason: String,
    rule: Option<String>,
}

/// Why a comment ignores nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Complaint {
    severity: Severity,
    message: String,
    next: &'static str,
}

impl Complaint {
    fn wrong(message: String, next: &'static str) -> Self {
        Self { severity: Severity::Tune, message, next }
    }

    fn at(self, pragma: &Pragma, file: File<'_>, lines: &Lines<'_>) -> Finding {
        let (line, column) = lines.place(pragma.span.start);
        let (end_line, end_column) = lines.place(pragma.span.end);
        Finding {
            rule: Rule::Ignore,
            severity: self.severity,
            confidence: Confidence::High,
            place: Place {
                path: std::sync::Arc::clone(file.path),
                span: pragma.span.clone(),
                line,
                column,
                end_line,
                end_column,
            },
            site: file.site,
            subject: format!("pilothouse: {}", pragma.text),
            model: None,
            message: self.message,
            next: self.next.to_owned(),
            due: None,
            help: None,
            replacement: None,
            fix: None,
            suppressed: None,
        }
    }
}

impl Order {
    /// `None`: the comment speaks of something else.
    fn parse(text: &str) -> Option<Result<Self, Complaint>> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let is_whole_file = match word {
            "ignore" => false,
            "ignore-file" => true,
            other
                if other.starts_with("ignore-")
                    || other.starts_with("ignore:")
                    || other.starts_with("ignore=") =>
            {
                return Some(Err(Complaint::wrong(
                    format!("`{other}` is no order"),
                    "Write `ignore` for a line or `ignore-file` for the file.",
                )));
            }
            _ => return None,
        };
        Some(Self { is_whole_file, ..Self::default() }.members(rest))
    }

    fn members(mut self, text: &str) -> Result<Self, Complaint> {
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let Some((name, value, behind)) = member(rest) else {
                return Err(Complaint::wrong(
                    format!("`{rest}` is not understood"),
                    "Write until=YYYY-MM-DD reason=\"why\", each as name=value.",
                ));
            };
            match name {
                "until" => self.until = Some(value.to_owned()),
                "reason" => self.reason = value.trim().to_owned(),
                "rule" => self.rule = Some(value.to_owned()),
                other => {
                    return Err(Complaint::wrong(
                        format!("`{other}` is not understood"),
                        "There are until, reason and rule.",
                    ));
                }
            }
            rest = behind.trim_start();
        }
        if self.reason.is_empty() {
            return Err(Complaint::wrong("it gives no reason".to_owned(), "Add reason=\"why\"."));
        }
        Ok(self)
    }

    fn still_holds(self, today: &str) -> Result<Self, Complaint> {
        let Some(until) = &self.until else { return Ok(self) };
        match days_until(until, today) {
            None => Err(Complaint::wrong(format!("`{until}` is not a day"), "Write the day as YYYY-MM-DD.")),
            Some(days) if days < 0 => Err(Complaint::wrong(
                format!("it expired with {until}"),
                "Mend what it ignores and remove it, or give it a day that is still to come.",
            )),
            Some(_) => Ok(self),
        }
    }

    /// Suppresses what it is about; a complaint where that is nothing.
    fn ignore(
        self,
        pragma: &Pragma,
        lines: &Lines<'_>,
        text: &[u8],
        findings: &mut [Finding],
    ) -> Option<Complaint> {
        let own = lines.place(pragma.span.start).0;
        let meant = match (self.is_whole_file, pragma.is_alone) {
            (true, _) => None,
            (false, false) => Some(own),
            (false, true) => Some(next_of_code(pragma, lines, text)),
        };
        let mut is_used = false;
        for finding in findings.iter_mut() {
            let place = &finding.place;
            let is_there = meant.is_none_or(|line| (place.line..=place.end_line).contains(&line));
            let is_meant = self.rule.as_ref().is_none_or(|rule| *rule == finding.rule.code());
            if is_there && is_meant && finding.rule != Rule::Ignore {
                is_used = true;
                finding.suppressed = Some(Suppression {
                    is_baseline: false,
                    reason: self.reason.clone(),
                    until: self.until.clone(),
                });
            }
        }
        (!is_used).then(|| Complaint {
            severity: Severity::Note,
            message: "there is nothing to ignore".to_owned(),
            next: "Remove it.",
        })
    }
}

/// A name, its value and what follows: `name=value`, with a value that has spaces in either kind of quotes.
fn member(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
    let (value, behind) = match quote {
        Some(quote) => rest[1..].split_once(quote)?,
        None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
    };
    let is_apart = behind.is_empty() || behind.starts_with(char::is_whitespace);
    (is_name && is_apart).then_some((name, value, behind))
}

/// The next line that is neither blank nor another comment of the same kind.
fn next_of_code(pragma: &Pragma, lines: &Lines<'_>, text: &[u8]) -> u32 {
    let sign = sign_of(&text[pragma.span.start.min(text.len())..]);
    let last = lines.place(pragma.span.end.max(pragma.span.start + 1) - 1).0;
    (last + 1..=lines.count())
        .find(|line| {
            let code = lines.text(*line).trim_ascii_start();
            !code.is_empty() && !is_comment(code, sign)
        })
        .unwrap_or(last)
}

/// The sign that begins a comment: `#`, `//`, `--`, `<!--`.
fn sign_of(comment: &[u8]) -> &[u8] {
    let end = comment.iter().position(|byte| !b"#/-<!;*%".contains(byte)).unwrap_or(comment.len());
    &comment[..end]
}

/// `#[derive]`, `#include` and the like begin with a sign as well: a comment has a space behind it.
fn is_comment(code: &[u8], sign: &[u8]) -> bool {
    !sign.is_empty()
        && code
            .strip_prefix(sign)
            .is_some_and(|rest| rest.first().is_none_or(|byte| byte.is_ascii_whitespace()))
}

#[cfg(test)]
mod tests;
