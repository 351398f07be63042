//! Items of a file by the indentation of its lines: a class with its methods, a function with its statements. The tree
//! is made once; what is wanted of it is asked several times.

use crate::scan::language::outline::Line;
use crate::scan::source::Span;

use super::words::{defined, is_member, is_open};

/// The number of an item; 0 is the file.
pub(super) type Number = u32;

/// What begins on a line, with all that is indented below it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Its first line; the file's is line 0 too.
    pub(super) first: u32,
    /// The line behind its last.
    pub(super) end: u32,
    /// What it lies in.
    pub(super) outer: Number,
}

/// The items of a file, outer ones before inner ones.
#[derive(Debug)]
pub(super) struct Items<'s> {
    text: &'s str,
    lines: &'s [Line],
    all: Vec<Item>,
    /// The item that each line belongs to itself.
    of_line: Vec<Number>,
    /// For each line that begins something the one that it is indented below, as a number from 1; 0 for none.
    below: Vec<u32>,
    /// Lines that set a member of the object itself.
    members: Vec<bool>,
    /// Whether what a line begins shows its names to what is around it, as far as that was asked.
    open: Vec<Option<bool>>,
    /// The name that a line binds, as far as that was asked.
    names: Vec<Option<Option<&'s str>>>,
}

impl<'s> Items<'s> {
    /// Makes the tree.
    pub(super) fn of(text: &'s str, lines: &'s [Line]) -> Self {
        let count = lines.len();
        let mut items = Self {
            text,
            lines,
            all: vec![Item { first: 0, end: number(count), outer: 0 }],
            of_line: Vec::with_capacity(count),
            below: Vec::with_capacity(count),
            members: Vec::with_capacity(count),
            open: vec![None; count],
            names: vec![None; count],
        };
        // Items around the line, and lines that it may be indented below.
        let mut around: Vec<(Number, i64)> = vec![(0, -1)];
        let mut above: Vec<(u32, u32)> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let indent = i64::from(line.indent);
            while let [_, .., (inner, of_inner)] = around[..]
                && (of_inner > indent || (of_inner == indent && !line.goes_on))
            {
                items.all[inner as usize].end = number(at);
                around.pop();
            }
            if !line.goes_on || around.len() == 1 {
                let outer = around.last().map_or(0, |(outer, _)| *outer);
                around.push((number(items.all.len()), indent));
                items.all.push(Item { first: number(at), end: number(count), outer });
            }
            items.of_line.push(around.last().map_or(0, |(own, _)| *own));
            if line.goes_on {
                items.below.push(0);
                items.members.push(false);
                continue;
            }
            while above.last().is_some_and(|(_, indent)| *indent >= line.indent) {
                above.pop();
            }
            items.below.push(above.last().map_or(0, |(outer, _)| outer + 1));
            above.push((number(at), line.indent));
            let is_member = is_member(items.written(at));
            items.members.push(is_member);
        }
        items
    }

    /// An item.
    pub(super) fn item(&self, item: Number) -> Item {
        self.all[item as usize]
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The item in whose own lines a place lies.
    pub(super) fn around(&self, place: usize) -> Option<Number> {
        let behind = self.lines.partition_point(|line| line.start as usize <= place);
        self.of_line.get(behind.saturating_sub(1)).copied()
    }

    /// The item that a line belongs to itself.
    pub(super) fn of_line(&self, line: u32) -> Number {
        self.of_line[line as usize]
    }

    /// Where a line begins; the end of the text behind the last.
    pub(super) fn start(&self, line: u32) -> usize {
        self.lines.get(line as usize).map_or(self.text.len(), |line| line.start as usize)
    }

    /// A line with what stands before the next one.
    pub(super) fn line(&self, line: u32) -> Span {
        self.start(line)..self.start(line + 1)
    }

    /// All of an item.
    pub(super) fn span(&self, item: Number) -> Span {
        let item = self.item(item);
        self.start(item.first)..self.start(item.end)
    }

    fn written(&self, line: usize) -> &'s str {
        self.text.get(self.line(number(line))).unwrap_or_default()
    }

    /// Whether a line sets a member of the object itself.
    pub(super) fn is_member(&self, line: u32) -> bool {
        self.members[line as usize]
    }

    /// Whether names that are bound right within what a line begins are seen around it.
    pub(super) fn is_open(&mut self, line: u32) -> bool {
        let at = line as usize;
        if let Some(known) = self.open[at] {
            return known;
        }
        let is_it = is_open(self.written(at));
        self.open[at] = Some(is_it);
        is_it
    }

    /// The name that a line binds.
    fn name(&mut self, at: usize) -> Option<&'s str> {
        if let Some(known) = self.names[at] {
            return known;
        }
        let name = defined(self.text, self.line(number(at)));
        self.names[at] = Some(name);
        name
    }

    /// Names with the places of the lines that bind them: where the whole file or a class sees it, beside what was
    /// `opened` (first lines of items, in order), and wherever a member of an object is set.
    pub(super) fn definitions(&mut self, opened: &[u32]) -> Vec<(&'s str, usize)> {
        let mut found = Vec::new();
        // Whether what is bound right below each line is seen.
        let mut shows = vec![false; self.lines.len()];
        let mut opened = opened.iter().copied().peekable();
        for at in 0..self.lines.len() {
            let is_opened = opened.next_if(|line| *line as usize == at).is_some();
            if self.lines[at].goes_on {
                continue;
            }
            let is_seen = self.below[at].checked_sub(1).is_none_or(|outer| shows[outer as usize]);
            if (is_seen || self.members[at])
                && let Some(name) = self.name(at)
            {
                let written = self.written(at);
                found.push((name, self.start(number(at)) + written.len() - written.trim_start().len()));
            }
            shows[at] = is_opened || (is_seen && self.is_open(number(at)));
        }
        found
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
