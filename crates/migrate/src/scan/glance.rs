//! A look at the folder in which somebody starts a gateway: one line, where it calls models that are about to go.
//!
//! It is a courtesy: only within a git work tree, so that no home folder or root of a machine is read, and it stops when
//! whoever asked has lost patience. A look that did not come to its end tells nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::finding::{Report, Rule, Severity, Site};
use super::verdict::days_until;
use super::{Options, Scanner};
use pilothouse_catalog::Catalog;

/// The line for a folder, or nothing. `is_over` is asked now and then whether to give up.
#[must_use]
pub fn look(folder: &Path, today: &str, is_over: &(dyn Fn() -> bool + Sync)) -> Option<String> {
    if !is_work_tree(folder) {
        return None;
    }
    // One thread: the gateway beside it has work to do.
    let options = Options { threads: 1, ..Options::on(today) };
    let scanner = Scanner::new(Catalog::bundled(), options);
    let report = scanner.scan_until(&[PathBuf::from(folder)], is_over)?;
    line(&report)
}

/// Whether a folder is within a work tree of git. A work tree that was added to another one has a file of that name.
#[must_use]
pub fn is_work_tree(folder: &Path) -> bool {
    folder.canonicalize().is_ok_and(|folder| folder.ancestors().any(|above| above.join(".git").exists()))
}

/// What a report comes to for somebody who did not ask: models that are called and retired, or will be by a known day.
#[must_use]
pub fn line(report: &Report) -> Option<String> {
    let (mut retired, mut retiring) = (BTreeSet::new(), BTreeSet::new());
    let mut first: Option<i64> = None;
    for finding in &report.findings {
        let is_told = finding.site == Site::Calls
            && finding.severity == Severity::Blocks
            && finding.suppressed.is_none()
            && finding.rule.is_lifecycle();
        let (true, Some(model)) = (is_told, &finding.model) else { continue };
        match finding.due.as_deref().and_then(|due| days_until(due, &report.today)) {
            Some(days) if days > 0 && finding.rule != Rule::ModelRetired => {
                retiring.insert(model);
                first = Some(first.map_or(days, |known| known.min(days)));
            }
            _ => {
                retired.insert(model);
            }
        }
    }
    let models = |count: usize| if count == 1 { "model" } else { "models" };
    let when = match first {
        Some(1) => ", the first tomorrow".to_owned(),
        Some(days) => format!(", the first in {days} days"),
        None => String::new(),
    };
    let what = match (retired.len(), retiring.len()) {
        (0, 0) => return None,
        (0, some) => format!("{some} retiring {}{when}", models(some)),
        (some, 0) => format!("{some} retired {}", models(some)),
        (gone, going) => format!("{gone} retired and {going} retiring {}{when}", models(going)),
    };
    Some(format!("this folder calls {what}: pilothouse scan"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::finding::Finding;
    use crate::scan::report::tests::{PYTHON, finding};

    fn called(model: &str, due: &str) -> Finding {
        Finding {
            model: Some(("openai".into(), model.into())),
            due: Some(due.into()),
            ..finding("a.py", PYTHON, "gpt-5-mini")
        }
    }

    fn told(findings: Vec<Finding>) -> Option<String> {
        line(&Report { today: "2026-11-23".into(), findings, ..Report::default() })
    }

    #[test]
    fn models_are_counted_once_and_the_first_day_is_named() {
        let findings =
            || vec![called("a", "2026-12-11"), called("a", "2026-12-11"), called("b", "2026-12-01")];
        assert_eq!(
            told(findings()).as_deref(),
            Some("this folder calls 2 retiring models, the first in 8 days: pilothouse scan")
        );
        let gone = Finding { rule: Rule::ModelRetired, ..called("c", "2026-01-01") };
        assert_eq!(
            told(vec![gone.clone()]).as_deref(),
            Some("this folder calls 1 retired model: pilothouse scan")
        );
        let both = [findings(), vec![gone]].concat();
        assert!(
            told(both).unwrap().starts_with("this folder calls 1 retired and 2 retiring models, the first")
        );
        assert_eq!(told(vec![Finding { site: Site::Test, ..called("a", "2026-12-11") }]), None);
    }

    #[test]
    fn a_folder_outside_of_git_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(look(folder.path(), "2026-11-23", &|| panic!("nothing is read")), None);
        let below = folder.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(folder.path().join(".git"), "gitdir: elsewhere").unwrap();
        assert!(is_work_tree(&below));
    }
}
