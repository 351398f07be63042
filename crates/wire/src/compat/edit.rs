//! The edits of single members.

use std::ops::Range;

use pilothouse_catalog::compat::{Action, Compat, Finding, Path};
use pilothouse_core::dialect::Dialect;
use serde_json::Value;

use super::{place, replaces, rewrite, splice};
use crate::head::quoted;
use crate::scan;

/// A body on its way through the edits of its findings.
pub(super) struct Edited<'a> {
    pub(super) dialect: Dialect,
    pub(super) compat: &'a Compat,
    pub(super) body: Vec<u8>,
}

impl Edited<'_> {
    /// Puts other values in the place of values, all at once: their places hold only until something moves.
    pub(super) fn replace_values(&mut self, findings: &[Finding], is_done: &mut [bool]) {
        let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        for (finding, is_done) in findings.iter().zip(is_done) {
            let Some(path) = finding.path().filter(|_| replaces(&finding.rule.action)) else { continue };
            let Some(found) = place::locate(&self.body, &path.steps, &finding.indices, self.dialect) else {
                continue;
            };
            let is_taken = edits.iter().any(|(range, _)| *range == found.value);
            if !is_taken && let Some(with) = self.value_for(&finding.rule.action, &found.value) {
                edits.push((found.value, with));
                *is_done = true;
            }
        }
        if !edits.is_empty() {
            splice(&mut self.body, edits);
        }
    }

    /// What comes in a value's place.
    fn value_for(&self, action: &Action, old: &Range<usize>) -> Option<Vec<u8>> {
        let old = self.body.get(old.clone())?;
        match action {
            Action::Nearest(_) => scan::text_value(old).and_then(|word| action.nearest(&word).map(quoted)),
            Action::Cap(number) => Some(number.to_string().into_bytes()),
            Action::CapOutput => self.compat.output_tokens_max().map(|most| most.to_string().into_bytes()),
            Action::Set(value) => serde_json::to_vec(value).ok(),
            Action::First(count) => {
                let end = place::items(old, 0..old.len()).nth(count.checked_sub(1)?)?.end;
                Some([&old[..end], b"]"].concat())
            }
            _ => None,
        }
    }

    /// Makes the edit of one finding. False where an earlier one has left nothing of it.
    pub(super) fn make(&mut self, finding: &Finding) -> bool {
        match &finding.rule.action {
            Action::Rewrite(rewrite) => rewrite::make(self, *rewrite, finding),
            Action::SetOther { member, value } => self.set_beside(member, &finding.indices, value),
            Action::Set(value) => finding.path().is_some_and(|path| self.set(path, value)),
            Action::Drop => self.take(finding).is_some(),
            Action::Rename(name) => self.rename(finding, name),
            Action::Move(to) => self.take(finding).is_some_and(|value| {
                // Where the place is taken, what stands there was meant.
                let is_free = place::locate(&self.body, &to.steps, &[], self.dialect)
                    .is_none_or(|there| &self.body[there.value] == b"null");
                !is_free || place::set(&mut self.body, &to.steps, self.dialect, &value)
            }),
            Action::Nearest(_) | Action::Cap(_) | Action::CapOutput | Action::First(_) | Action::Advise => {
                false
            }
        }
    }

    /// Sets a member to a value of the rules.
    pub(super) fn set(&mut self, path: &Path, value: &Value) -> bool {
        let text = serde_json::to_vec(value).unwrap_or_default();
        !text.is_empty() && place::set(&mut self.body, &path.steps, self.dialect, &text)
    }

    /// Sets another member; where lists are on the way, that of the same item.
    fn set_beside(&mut self, path: &Path, indices: &[usize], value: &Value) -> bool {
        if !path.steps.iter().any(|step| step.is_each) {
            return self.set(path, value);
        }
        let Some(found) = place::locate(&self.body, &path.steps, indices, self.dialect) else { return false };
        let text = serde_json::to_vec(value).unwrap_or_default();
        !text.is_empty() && {
            self.body.splice(found.value, text);
            true
        }
    }

    /// Takes the finding's member away, and gives its value.
    fn take(&mut self, finding: &Finding) -> Option<Vec<u8>> {
        let path = finding.path()?;
        let found = place::locate(&self.body, &path.steps, &finding.indices, self.dialect)?;
        let value = self.body[found.value.clone()].to_vec();
        place::remove(&mut self.body, &found);
        Some(value)
    }

    fn rename(&mut self, finding: &Finding, name: &str) -> bool {
        let Some(path) = finding.path() else { return false };
        let Some(found) = place::locate(&self.body, &path.steps, &finding.indices, self.dialect) else {
            return false;
        };
        if place::member(&self.body, found.around.clone(), name, self.dialect).is_some() {
            place::remove(&mut self.body, &found);
        } else {
            self.body.splice(found.key, name.bytes());
        }
        true
    }
}
