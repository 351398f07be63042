//! A scan for programs: one JSON document. Names in it are added over time, never changed; what is unknown is `null`.

use serde_json::{Value, json};

use super::{View, confidence, severity, site};
use crate::scan::finding::{Finding, Report};
use crate::scan::traffic::{Joined, Share};
use crate::scan::verdict::Counts;

/// The document. It has every finding, whatever is selected: each says where it stands, and whether it fails the run.
#[must_use]
pub fn json(view: &View<'_>) -> Value {
    let failing = &view.verdict.failing;
    let findings: Vec<Value> = view
        .report
        .findings
        .iter()
        .enumerate()
        .map(|(index, found)| finding(found, failing.binary_search(&index).is_ok()))
        .collect();
    json!({
        "today": view.report.today,
        "catalogue_as_of": view.report.catalogue_as_of,
        "findings": findings,
        "summary": summary(view),
        "skipped": view.report.skipped.iter().map(|(path, reason)| json!({ "path": path, "reason": reason })).collect::<Vec<_>>(),
        "baseline_gone": view.stale.iter().map(|entry| json!({
            "fingerprint": entry.fingerprint, "rule": entry.rule, "path": entry.path, "subject": entry.subject,
        })).collect::<Vec<_>>(),
        "traffic": view.traffic.map(traffic),
    })
}

fn finding(finding: &Finding, is_failing: bool) -> Value {
    let place = &finding.place;
    json!({
        "rule": finding.rule.code(),
        "severity": severity(finding.severity),
        "confidence": confidence(finding.confidence),
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "site": site(finding.site),
        "subject": finding.subject,
        "model": finding.model.as_ref().map(|(platform, id)| json!({ "platform": platform, "id": id })),
        "message": finding.message,
        "next": finding.next,
        "due": finding.due,
        "help": finding.help,
        "replacement": finding.replacement,
        "fix": finding.fix.as_ref().map(|fix| json!({
            "title": fix.title,
            "edits": fix.edits.iter().map(|(span, text)| json!({
                "start_byte": span.start, "end_byte": span.end, "text": text,
            })).collect::<Vec<_>>(),
        })),
        "suppressed": finding.suppressed.as_ref().map(|suppression| json!({
            "by": if suppression.is_baseline { "baseline" } else { "comment" },
            "reason": suppression.reason,
            "until": suppression.until,
        })),
        "fails": is_failing,
    })
}

fn summary(view: &View<'_>) -> Value {
    let Counts { blocking, tuning, unknown, dynamic, notes, tests, opaque, history, suppressed } =
        view.verdict.counts;
    let Report { files, files_read, bytes, .. } = view.report;
    let begins = view.verdict.begins_to_fail.as_ref();
    json!({
        "fails": view.verdict.is_failed(),
        "failing": view.verdict.failing.len(),
        "fail_within_days": view.terms.fail_within_days,
        "begins_to_fail": begins.map(|(day, days)| json!({ "day": day, "days": days })),
        "blocking": blocking,
        "tuning": tuning,
        "unknown": unknown,
        "dynamic": dynamic,
        "notes": notes,
        "tests": tests,
        "opaque": opaque,
        "history": history,
        "suppressed": suppressed,
        "files": files,
        "files_read": files_read,
        "bytes": bytes,
    })
}

fn traffic(traffic: &Joined) -> Value {
    json!({
        "period": traffic.period,
        "exchanges": traffic.exchanges,
        "cost": { "picousd": traffic.cost, "usd": traffic.cost.to_string() },
        "found": traffic.found.iter().map(share).collect::<Vec<_>>(),
        "unnamed": traffic.unnamed.iter().map(share).collect::<Vec<_>>(),
    })
}

fn share(share: &Share) -> Value {
    json!({
        "platform": share.platform,
        "model": share.model,
        "exchanges": share.exchanges,
        "calls_permille": share.calls_permille,
        "keys": share.keys,
        "cost": { "picousd": share.cost, "usd": share.cost.to_string() },
        "cost_unknown_exchanges": share.cost_unknown,
    })
}
