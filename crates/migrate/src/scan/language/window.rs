//! Which parts of a file to parse: what holds a candidate, what uses the constants that hold one, and what defines the
//! names that these use. Everything else is as if it were not there.
//!
//! Lines make a tree by their indentation ([`super::outline`]). A part that is small is taken whole; of a larger one its
//! own lines are taken (`class X {`, `}`), and of what lies in it only what is wanted.

use std::collections::{HashMap, HashSet};

use super::outline::Line;
use crate::scan::source::Span;

mod words;

use words::{defined, identifiers, is_open, occurrences};

/// A part of up to so many bytes is taken whole.
const WHOLE_BYTES_MAX: usize = 6_000;
/// Lists and arguments with fewer items than this are taken whole: any of them may matter to the call.
const ITEMS_MIN: usize = 64;
/// A part without smaller ones in it, of up to so many bytes, is taken whole; of a larger one what is near.
const LEAF_BYTES_MAX: usize = 64_000;
/// So much around a candidate is near.
const NEAR_BYTES: usize = 2_000;
/// No more than this is parsed of one file.
const PARSED_BYTES_MAX: usize = 1_500_000;

/// The parts to parse, in order, not overlapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Windows {
    /// Where they lie.
    pub(super) parts: Vec<Span>,
    /// Whether something had to be cut in the middle, or was left out.
    pub(super) is_cut: bool,
}

/// Chooses what to parse for places of interest, which are in order.
pub(super) fn windows(text: &str, lines: &[Line], places: &[usize]) -> Windows {
    let mut places = places.to_vec();
    let mut known = HashSet::new();
    // What uses the names that are bound here; and, once more, what uses tables that hold these names.
    for _ in 0..2 {
        let choice = choose(text, lines, &places);
        let names = choice.names(text).into_iter().filter(|name| known.insert(name.clone()));
        let found: Vec<usize> = names.flat_map(|(name, within)| occurrences(text, name, within)).collect();
        if found.is_empty() {
            break;
        }
        places.extend(found);
        sort(&mut places);
    }
    // What defines the names that are used there; and what those stand for.
    for _ in 0..2 {
        let choice = choose(text, lines, &places);
        let mut used = HashSet::new();
        for part in &choice.windows.parts {
            identifiers(text.get(part.clone()).unwrap_or_default(), &mut used);
        }
        let before = places.len();
        places.extend(definitions(text, lines, &used, &choice.opened));
        sort(&mut places);
        if places.len() == before {
            return bounded(choice.windows);
        }
    }
    bounded(choose(text, lines, &places).windows)
}

/// No more than may be parsed of one file.
fn bounded(mut windows: Windows) -> Windows {
    let mut bytes = 0;
    let count = windows.parts.iter().take_while(|part| {
        bytes += part.len();
        bytes <= PARSED_BYTES_MAX
    });
    let count = count.count();
    windows.is_cut |= count < windows.parts.len();
    windows.parts.truncate(count);
    windows
}

fn sort(places: &mut Vec<usize>) {
    places.sort_unstable();
    places.dedup();
}

/// What a choice of places leads to.
#[derive(Default)]
struct Choice {
    windows: Windows,
    /// First lines of wanted items that the whole file or a class can see.
    definitions: Vec<Span>,
    /// The same of other items, with where the item begins that they lie in.
    local: Vec<(Span, usize)>,
    /// Where the items begin of which not all was taken, and where they end.
    opened: HashMap<usize, usize>,
}

impl Choice {
    /// Names that are bound to something wanted, and where they can be used.
    fn names<'s>(&self, text: &'s str) -> Vec<(&'s str, Span)> {
        let seen =
            self.definitions.iter().filter_map(|span| Some((defined(text, span.clone())?, 0..text.len())));
        let local = self.local.iter().filter_map(|(span, outer)| {
            let end = self.opened.get(outer)?;
            Some((defined(text, span.clone())?, *outer..*end))
        });
        seen.chain(local).collect()
    }
}

/// An item whose end was not reached.
struct Open {
    start: usize,
    indent: i64,
    /// Its own lines, and what lies in it.
    parts: Vec<Part>,
    is_wanted: bool,
    /// Whether names that are bound right in it are seen elsewhere.
    is_seen: bool,
    places: Vec<usize>,
}

struct Part {
    span: Span,
    kind: Own,
}

enum Own {
    /// A line of the item itself.
    Line,
    /// An item in it that is not wanted.
    Other,
    /// An item in it that is wanted: what to take of it.
    Wanted(Vec<Span>),
}

fn choose(text: &str, lines: &[Line], places: &[usize]) -> Choice {
    let mut choice = Choice::default();
    let root =
        Open { start: 0, indent: -1, parts: Vec::new(), is_wanted: true, is_seen: true, places: Vec::new() };
    let mut stack = vec![root];
    let mut rest = places.iter().copied().peekable();
    for (at, line) in lines.iter().enumerate() {
        let (start, indent) = (line.start as usize, i64::from(line.indent));
        let end = lines.get(at + 1).map_or(text.len(), |next| next.start as usize);
        while stack.len() > 1
            && stack.last().is_some_and(|top| top.indent > indent || (top.indent == indent && !line.goes_on))
        {
            close(text, &mut stack, start, &mut choice);
        }
        if !line.goes_on || stack.len() == 1 {
            let is_seen = stack.last().is_some_and(|outer| outer.is_seen);
            let is_seen = is_seen && is_open(text.get(start..end).unwrap_or_default());
            stack.push(Open {
                start,
                indent,
                parts: Vec::new(),
                is_wanted: false,
                is_seen,
                places: Vec::new(),
            });
        }
        let Some(top) = stack.last_mut() else { continue };
        top.parts.push(Part { span: start..end, kind: Own::Line });
        while let Some(place) = rest.next_if(|place| *place < end) {
            top.is_wanted = true;
            top.places.push(place);
        }
    }
    while stack.len() > 1 {
        close(text, &mut stack, text.len(), &mut choice);
    }
    let root = stack.pop();
    let parts = root.into_iter().flat_map(|root| root.parts);
    let wanted = parts.filter_map(|part| match part.kind {
        Own::Wanted(spans) => Some(spans),
        Own::Line | Own::Other => None,
    });
    choice.windows.parts = joined(wanted.flatten().collect());
    choice
}

/// Closes the innermost item.
fn close(text: &str, stack: &mut Vec<Open>, end: usize, choice: &mut Choice) {
    let Some(item) = stack.pop() else { return };
    let span = item.start..end;
    let Some(outer) = stack.last_mut() else { return };
    if !item.is_wanted {
        outer.parts.push(Part { span, kind: Own::Other });
        return;
    }
    outer.is_wanted = true;
    if let Some(first) = item.parts.first() {
        let written = text.get(first.span.clone()).unwrap_or_default();
        if outer.is_seen || words::is_member(written) {
            choice.definitions.push(first.span.clone());
        } else {
            choice.local.push((first.span.clone(), outer.start));
        }
    }
    let spans =
        if span.len() <= WHOLE_BYTES_MAX { vec![span.clone()] } else { taken(text, &item, end, choice) };
    outer.parts.push(Part { span, kind: Own::Wanted(spans) });
}

/// What to take of an item that is too large to be taken whole.
fn taken(text: &str, item: &Open, end: usize, choice: &mut Choice) -> Vec<Span> {
    choice.opened.insert(item.start, end);
    let is_listed = |part: &&Part| {
        !matches!(part.kind, Own::Line)
            && text.get(part.span.clone()).is_some_and(|own| own.trim_end().ends_with(','))
    };
    let count = item.parts.iter().filter(is_listed).count();
    let is_short_list = count > 0 && count < ITEMS_MIN;
    let mut spans = Vec::new();
    for part in &item.parts {
        match &part.kind {
            Own::Wanted(inner) => spans.extend(inner.iter().cloned()),
            Own::Line => {
                let is_near = part.span.len() <= LEAF_BYTES_MAX;
                if is_near {
                    spans.push(part.span.clone());
                } else {
                    choice.windows.is_cut = true;
                    let places = item.places.iter().filter(|place| part.span.contains(place));
                    spans.extend(places.map(|place| near(text, &part.span, *place)));
                }
            }
            Own::Other if is_short_list && part.span.len() <= WHOLE_BYTES_MAX => {
                spans.push(part.span.clone())
            }
            Own::Other => {}
        }
    }
    joined(spans)
}

/// The statement or the braces around a place, as far as they can be told: for code that is one long line.
fn near(text: &str, line: &Span, place: usize) -> Span {
    let bytes = text.as_bytes();
    let mut start = place.saturating_sub(NEAR_BYTES).max(line.start);
    let mut end = (place + NEAR_BYTES).min(line.end);
    let before = bytes.get(start..place).unwrap_or_default();
    if let Some(at) = before.iter().rposition(|byte| *byte == b';') {
        start += at + 1;
    }
    let behind = bytes.get(place..end).unwrap_or_default();
    if let Some(at) = behind.iter().position(|byte| *byte == b';') {
        end = place + at + 1;
    }
    while !text.is_char_boundary(start) {
        start += 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// Spans in order, those that touch as one.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.start, span.end));
    let mut all: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match all.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => all.push(span),
        }
    }
    all
}

/// Lines that bind a name which is used: where the whole file or a class sees it, beside what was opened, and wherever
/// a member of an object is set.
fn definitions(
    text: &str,
    lines: &[Line],
    used: &HashSet<&str>,
    opened: &HashMap<usize, usize>,
) -> Vec<usize> {
    let mut found = Vec::new();
    // Items around a line: indentation, whether what is bound right in it is seen, and whether it was opened.
    let mut stack: Vec<(i64, bool)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let (start, indent) = (line.start as usize, i64::from(line.indent));
        if line.goes_on {
            continue;
        }
        let end = lines.get(at + 1).map_or(text.len(), |next| next.start as usize);
        while stack.last().is_some_and(|(outer, _)| *outer >= indent) {
            stack.pop();
        }
        let is_seen = stack.last().is_none_or(|(_, is_seen)| *is_seen);
        let written = text.get(start..end.min(start + 4_096)).unwrap_or_default();
        let is_member = words::is_member(written);
        if (is_seen || is_member)
            && let Some(name) = defined(text, start..end)
            && used.contains(name)
        {
            found.push(start + written.len() - written.trim_start().len());
        }
        stack.push((indent, opened.contains_key(&start) || (is_seen && is_open(written))));
    }
    found
}
