//! Which parts of a file to parse: what holds a candidate, what uses the constants that hold one, and what defines the
//! names that these use. Everything else is as if it were not there.
//!
//! Lines make a tree by their indentation ([`super::outline`]). A part that is small is taken whole; of a larger one its
//! own lines are taken (`class X {`, `}`), and of what lies in it only what is wanted.

use std::collections::HashSet;

use super::outline::Line;
use crate::scan::source::Span;

mod items;
mod words;

use items::{Items, Number};
use words::{defined, occurrences, subject, used};

/// A part of up to so many bytes is taken whole.
pub(super) const WHOLE_BYTES_MAX: usize = 700;
/// And one of up to so many where a candidate stands in its own lines or in a list of it: a parameter's default, a loop's
/// values, arguments. All that follows may depend on it. So is an item of a short list.
pub(super) const DEPENDENT_BYTES_MAX: usize = 6_000;
/// A list in which nothing wanted stands is taken up to so many bytes: parameters, mostly.
const LIST_BYTES_MAX: usize = 1_000;
/// Lists and arguments with fewer items than this are taken whole: any of them may matter to the call.
const ITEMS_MIN: usize = 64;
/// A part without smaller ones in it, of up to so many bytes, is taken whole; of a larger one what is near.
const LEAF_BYTES_MAX: usize = 32_000;
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

/// Parts so near to one another are parsed as one.
const GAP_BYTES_MAX: usize = 100;

/// Chooses what to parse for places of interest, which are in order. Parts of up to `whole_bytes_max` are taken whole.
pub(super) fn windows(text: &str, lines: &[Line], places: &[usize], whole_bytes_max: usize) -> Windows {
    let mut chooser = Chooser { text, items: Items::of(text, lines), whole_bytes_max };
    let mut places = places.to_vec();
    let mut choice = chooser.choose(&places);
    let mut known = HashSet::new();
    // What uses the names that are bound here; and, once more, what uses tables that hold these names.
    for _ in 0..2 {
        let names = choice.names(text).into_iter().filter(|(name, _)| known.insert(*name));
        let found = occurrences(text, &names.collect::<Vec<_>>());
        if found.is_empty() {
            break;
        }
        places.extend(found);
        sort(&mut places);
        choice = chooser.choose(&places);
    }
    // What defines the names that are used there; and what those stand for.
    for _ in 0..2 {
        let definitions = chooser.items.definitions(&choice.opened);
        let names: Vec<&str> = definitions.iter().map(|(name, _)| *name).collect();
        let used = used(text, &choice.windows.parts, &names);
        let before = places.len();
        places.extend(definitions.iter().filter(|(name, _)| used.contains(name)).map(|(_, place)| *place));
        sort(&mut places);
        if places.len() == before {
            break;
        }
        choice = chooser.choose(&places);
    }
    bounded(choice.windows)
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
    /// The same of other items, with the item that they lie in, where not all of that was taken.
    local: Vec<(Span, Span)>,
    /// First lines of the items of which not all was taken, in order.
    opened: Vec<u32>,
}

impl Choice {
    /// Names that are bound to something wanted, or of which a member is set to it, and where they can be used.
    fn names<'s>(&self, text: &'s str) -> Vec<(&'s str, Span)> {
        let names = |span: &Span| defined(text, span.clone()).into_iter().chain(subject(text, span.clone()));
        let whole = 0..text.len();
        let seen = self.definitions.iter().flat_map(|span| names(span).map(|name| (name, whole.clone())));
        let local = self.local.iter().flat_map(|(span, outer)| names(span).map(|name| (name, outer.clone())));
        seen.chain(local).collect()
    }
}

/// Whether an item holds a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// It does not.
    None,
    /// An item in it does.
    Within,
    /// It stands in its own lines.
    Own,
}

/// What is known of a wanted item.
#[derive(Clone, Copy)]
struct Wanted {
    /// Whether names that are bound right in it are seen elsewhere.
    is_seen: bool,
    /// Whether only some of it is taken.
    is_opened: bool,
}

/// Chooses from the items of a file.
struct Chooser<'s> {
    text: &'s str,
    items: Items<'s>,
    whole_bytes_max: usize,
}

impl Chooser<'_> {
    fn choose(&mut self, places: &[usize]) -> Choice {
        let mut choice = Choice::default();
        let mut wanted: Vec<Option<Wanted>> = vec![None; self.items.len()];
        let (order, marks) = self.wanted(places);
        let mut spans = Vec::new();
        if let Some(file) = wanted.first_mut() {
            *file = Some(Wanted { is_seen: true, is_opened: true });
        }
        for number in &order {
            let item = self.items.item(*number);
            let Some(outer) = wanted[item.outer as usize] else { continue };
            let is_seen = outer.is_seen && self.items.is_open(item.first);
            let first = self.items.line(item.first);
            if outer.is_seen || self.items.is_member(item.first) {
                choice.definitions.push(first);
            } else if outer.is_opened {
                choice.local.push((first, self.items.span(item.outer)));
            }
            let span = self.items.span(*number);
            let is_opened = self.is_opened(*number, span.len(), &marks);
            wanted[*number as usize] = Some(Wanted { is_seen, is_opened });
            if is_opened {
                choice.opened.push(item.first);
            } else if outer.is_opened {
                spans.push(span);
            }
        }
        for number in order.iter().filter(|number| wanted[**number as usize].is_some_and(|own| own.is_opened))
        {
            choice.windows.is_cut |= self.open(*number, places, &marks, &mut spans);
        }
        choice.windows.parts = joined(spans);
        choice
    }

    /// The items that hold a place, outer ones first; and for each item whether it does, and where.
    fn wanted(&self, places: &[usize]) -> (Vec<Number>, Vec<Mark>) {
        let mut order = Vec::new();
        let mut marks = vec![Mark::None; self.items.len()];
        for place in places {
            let mut next = self.items.around(*place).unwrap_or(0);
            let mut mark = Mark::Own;
            while next != 0 {
                let known = marks[next as usize];
                marks[next as usize] = known.max(mark);
                if known != Mark::None {
                    break;
                }
                order.push(next);
                next = self.items.item(next).outer;
                mark = Mark::Within;
            }
        }
        order.sort_unstable();
        (order, marks)
    }

    /// Whether not all of a wanted item of so many bytes is taken.
    fn is_opened(&self, number: Number, bytes: usize, marks: &[Mark]) -> bool {
        if bytes <= self.whole_bytes_max || bytes > DEPENDENT_BYTES_MAX {
            return bytes > self.whole_bytes_max;
        }
        let is_list = |run: &Run| run.is_wanted && run.listed > 0;
        marks[number as usize] != Mark::Own && !self.runs(number, marks, &mut |_| ()).iter().any(is_list)
    }

    /// What to take of an item that is too large to be taken whole, beside the wanted items in it: its own lines, and
    /// of what lies between them what they need. Whether a line had to be cut.
    fn open(&self, number: Number, places: &[usize], marks: &[Mark], spans: &mut Vec<Span>) -> bool {
        let mut is_cut = false;
        let runs = self.runs(number, marks, &mut |line| is_cut |= self.take_line(line, places, spans));
        let listed = runs.iter().map(|run| run.listed).sum();
        let is_list = is_short_list(listed, runs.iter().map(|run| run.count).sum());
        runs.into_iter().for_each(|run| run.take(is_list, spans));
        is_cut
    }

    /// What lies between the own lines of an item, which are shown to `see`.
    fn runs(&self, number: Number, marks: &[Mark], see: &mut dyn FnMut(u32)) -> Vec<Run> {
        let item = self.items.item(number);
        let (mut runs, mut run) = (Vec::new(), Run::default());
        let mut line = item.first;
        while line < item.end {
            let own = self.items.of_line(line);
            if own == number {
                see(line);
                line += 1;
                runs.extend(Some(std::mem::take(&mut run)).filter(|run| run.count > 0));
                continue;
            }
            let span = self.items.span(own);
            let is_wanted = marks[own as usize] != Mark::None;
            run.is_wanted |= is_wanted;
            run.listed +=
                usize::from(self.text.get(span.clone()).is_some_and(|own| own.trim_end().ends_with(',')));
            run.count += 1;
            if !is_wanted && span.len() <= DEPENDENT_BYTES_MAX && run.others.len() < ITEMS_MIN {
                run.others.push(span);
            }
            line = self.items.item(own).end;
        }
        runs.extend(Some(run).filter(|run| run.count > 0));
        runs
    }

    /// Takes a line, or of one without end what is near the places in it; whether it had to be cut.
    fn take_line(&self, line: u32, places: &[usize], spans: &mut Vec<Span>) -> bool {
        let span = self.items.line(line);
        if span.len() <= LEAF_BYTES_MAX {
            spans.push(span);
            return false;
        }
        let first = places.partition_point(|place| *place < span.start);
        let own = places.iter().skip(first).take_while(|place| **place < span.end);
        spans.extend(own.map(|place| near(self.text, &span, *place)));
        true
    }
}

/// Items between two own lines of an outer one: arguments, or the statements of a branch.
#[derive(Debug, Default)]
struct Run {
    /// Those that nothing wanted stands in and that are not too large.
    others: Vec<Span>,
    count: usize,
    /// How many end with a comma.
    listed: usize,
    is_wanted: bool,
}

impl Run {
    /// What is taken of it beside what is wanted: all of a short list, any item of which may matter, and of parameters,
    /// which hide other names; of what may not be empty (a block of Python, a condition) the smallest.
    fn take(mut self, is_in_list: bool, spans: &mut Vec<Span>) {
        let is_list = is_short_list(self.listed, self.count);
        let is_small = || self.others.iter().map(Span::len).sum::<usize>() <= LIST_BYTES_MAX;
        if is_in_list || (is_list && (self.is_wanted || is_small())) {
            spans.append(&mut self.others);
        } else if !self.is_wanted && self.listed == 0 {
            spans.extend(self.others.into_iter().min_by_key(Span::len));
        }
    }
}

/// Whether items of which so many end with a comma are a list, and none that is long.
fn is_short_list(listed: usize, count: usize) -> bool {
    listed > 0 && count < ITEMS_MIN && listed * 2 >= count
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

/// Spans in order, as one where they touch or only a few small items lie between them: a parser goes through all of its
/// parts whenever it begins a word.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.start, span.end));
    let mut all: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match all.last_mut() {
            Some(last) if span.start <= last.end + GAP_BYTES_MAX => last.end = last.end.max(span.end),
            _ => all.push(span),
        }
    }
    all
}
