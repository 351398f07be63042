//! Edits of a text: several fixes become one list that can be made at once.

use std::ops::Range;

use crate::scan::finding::Fix;

/// A replaced range of bytes.
pub type Edit = (Range<usize>, String);

/// Several fixes put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Sorted, apart from each other.
    pub edits: Vec<Edit>,
    /// Indices of the fixes that are left out as a whole, and why.
    pub left: Vec<(usize, &'static str)>,
}

/// Puts fixes together. The first one has its way: a later one whose edits contradict it is left out as a whole. Equal
/// edits are one; removals that touch are one removal.
#[must_use]
pub fn merge(text: &str, fixes: &[&Fix]) -> Merged {
    let mut merged = Merged::default();
    for (index, fix) in fixes.iter().enumerate() {
        if let Some(reason) = fix.edits.iter().find_map(|edit| unfit(text, edit)) {
            merged.left.push((index, reason));
            continue;
        }
        let mut edits = merged.edits.clone();
        if fix.edits.iter().all(|edit| add(&mut edits, edit)) {
            merged.edits = edits;
        } else {
            merged
                .left
                .push((index, "it contradicts another edit at the same place; scan again after this one"));
        }
    }
    merged.edits.iter_mut().for_each(|edit| with_dangling_comma(text, edit));
    // A removal that took a comma before it may touch what stands there.
    let grown = std::mem::take(&mut merged.edits);
    for edit in grown {
        match merged.edits.last_mut() {
            Some(last) if last.0.end > edit.0.start => {
                last.0.end = last.0.end.max(edit.0.end);
                last.1.push_str(&edit.1);
            }
            _ => merged.edits.push(edit),
        }
    }
    merged
}

/// Why an edit cannot be made in this text.
fn unfit(text: &str, (span, _): &Edit) -> Option<&'static str> {
    if span.start > span.end || span.end > text.len() {
        Some("its place is not in the file")
    } else if !text.is_char_boundary(span.start) || !text.is_char_boundary(span.end) {
        Some("its place is within a character")
    } else {
        None
    }
}

/// Adds an edit to a sorted list; `false` where it contradicts one.
fn add(edits: &mut Vec<Edit>, edit: &Edit) -> bool {
    let (mut span, text) = edit.clone();
    if edits.contains(edit) {
        return true;
    }
    let is_removal = text.is_empty() && !span.is_empty();
    let mut index = 0;
    while index < edits.len() {
        let (other, other_text) = &edits[index];
        let overlaps = span.start < other.end && other.start < span.end;
        let same_point = span.start == other.start && (span.is_empty() || other.is_empty());
        if is_removal && other_text.is_empty() && overlaps {
            span = span.start.min(other.start)..span.end.max(other.end);
            edits.remove(index);
        } else if overlaps || (same_point && span.is_empty() && other.is_empty()) {
            return false;
        } else {
            index += 1;
        }
    }
    // An insertion stands before what is replaced at its place.
    let at = edits.partition_point(|(other, _)| (other.start, other.end) < (span.start, span.end));
    edits.insert(at, (span, text));
    true
}

/// Where the last members of a list are removed one by one, each with the comma behind or before it, the comma before
/// the first of them would be left over, which JSON and Java do not take. A list that had one at its end keeps it.
fn with_dangling_comma(text: &str, (span, replacement): &mut Edit) {
    let removed = &text[span.clone()];
    if !replacement.is_empty() || !removed.contains(',') || removed.trim_end().ends_with(',') {
        return;
    }
    let before = text[..span.start].trim_end();
    let is_last = text[span.end..].trim_start().starts_with([')', ']', '}']);
    if is_last && before.ends_with(',') {
        span.start = before.len() - 1;
    }
}

/// The text with edits made; they are sorted and apart, as [`merge`] gives them.
#[must_use]
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (span, replacement) in edits {
        out.push_str(text.get(done..span.start).unwrap_or_default());
        out.push_str(replacement);
        done = done.max(span.end);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
