//! Values in brackets and quotes: JSON with whatever people add to it, and the like of it in TOML, HCL and YAML.

use std::borrow::Cow;

use crate::scan::source::Span;

use super::tree::{Entry, Node, Scalar, Shape};

/// Tables and lists in one another; deeper ones are left out.
const DEPTH_MAX: usize = 96;

/// A reader of values. Never fails: what it does not understand it passes over.
#[derive(Debug)]
pub(super) struct Flow<'t> {
    pub source: &'t str,
    pub at: usize,
    /// Where it ends.
    pub end: usize,
    pub comments: Vec<Span>,
    pub is_partial: bool,
    /// Whether `#` begins a comment.
    pub has_hash: bool,
    /// Whether a line's end ends an entry: HCL.
    pub has_lines: bool,
}

impl<'t> Flow<'t> {
    pub(super) fn new(source: &'t str, span: Span) -> Self {
        Self {
            source,
            at: span.start,
            end: span.end.min(source.len()),
            comments: Vec::new(),
            is_partial: false,
            has_hash: true,
            has_lines: false,
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        (self.at < self.end).then(|| self.source.as_bytes()[self.at])
    }

    fn starts(&self, text: &str) -> bool {
        self.source.as_bytes()[self.at..self.end].starts_with(text.as_bytes())
    }

    /// Passes white space, comments and commas over.
    pub(super) fn skip(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.at += 1,
                0xEF if self.starts("\u{feff}") => self.at += 3,
                b'#' if self.has_hash => self.comment_line(),
                b'/' if self.starts("//") => self.comment_line(),
                b'/' if self.starts("/*") => {
                    let from = self.at;
                    let rest = &self.source.as_bytes()[self.at..self.end];
                    self.at += memchr::memmem::find(rest, b"*/").map_or(rest.len(), |length| length + 2);
                    self.comments.push(from..self.at);
                }
                _ => break,
            }
        }
    }

    fn comment_line(&mut self) {
        let from = self.at;
        self.at = line_end(self.source, self.at, self.end);
        self.comments.push(from..self.at);
    }

    /// The next value.
    pub(super) fn value(&mut self, depth: usize) -> Option<Node<'t>> {
        self.skip();
        let from = self.at;
        match self.peek()? {
            b'{' | b'[' if depth >= DEPTH_MAX => {
                self.is_partial = true;
                self.at = self.end;
                None
            }
            b'{' => {
                self.at += 1;
                let entries = self.entries(Some(b'}'), depth);
                Some(Node { span: from..self.at, shape: Shape::Table(entries) })
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    self.skip();
                    match self.peek() {
                        None => {
                            self.is_partial = true;
                            break;
                        }
                        Some(b']') => {
                            self.at += 1;
                            break;
                        }
                        Some(b'}' | b':') => {
                            self.is_partial = true;
                            self.at += 1;
                        }
                        Some(_) => items.extend(self.value(depth + 1)),
                    }
                }
                Some(Node { span: from..self.at, shape: Shape::List(items) })
            }
            b'"' | b'\'' | b'`' => Some(self.quoted()),
            b'}' | b']' | b':' => {
                self.is_partial = true;
                self.at += 1;
                None
            }
            _ => self.bare(),
        }
    }

    /// Entries up to a closing bracket, or to the end.
    pub(super) fn entries(&mut self, close: Option<u8>, depth: usize) -> Vec<Entry<'t>> {
        let mut entries: Vec<Entry<'t>> = Vec::new();
        loop {
            self.skip();
            let Some(byte) = self.peek() else {
                self.is_partial |= close.is_some();
                break;
            };
            if Some(byte) == close {
                self.at += 1;
                break;
            }
            let before = self.at;
            if let Some(entry) = self.entry(depth) {
                entries.push(entry);
            }
            if self.at == before {
                self.is_partial = true;
                self.at += char_length(byte);
            }
        }
        removals(&mut entries);
        entries
    }

    pub(super) fn entry(&mut self, depth: usize) -> Option<Entry<'t>> {
        let key = match self.peek()? {
            b'"' | b'\'' | b'`' => self.quoted(),
            b'{' | b'[' | b'}' | b']' | b':' | b'=' => return None,
            _ => self.bare()?,
        };
        let start = key.span.start;
        let Shape::Scalar(scalar) = key.shape else { return None };
        let mut labels = vec![scalar.text];
        let key_span = scalar.inner;
        self.skip_blank();
        // HCL: `resource "azurerm_cognitive_deployment" "chat" {`.
        while self.has_lines && matches!(self.peek(), Some(b'"')) {
            if let Shape::Scalar(label) = self.quoted().shape {
                labels.push(label.text);
            }
            self.skip_blank();
        }
        match self.peek() {
            Some(b':' | b'=') => {
                self.at += 1;
                // `=>` and `:=`.
                if matches!(self.peek(), Some(b'>' | b'=')) {
                    self.at += 1;
                }
            }
            Some(b'{') if self.has_lines => {}
            _ => return None,
        }
        if self.has_lines {
            self.skip_blank();
        }
        let value = self.value(depth + 1)?;
        let key = if labels.len() == 1 { labels.remove(0) } else { labels.join(".").into() };
        // Where it begins; [`removals`] makes the rest of it.
        Some(Entry { key, removal: start..start, key_span, value })
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t'))
            || (!self.has_lines && matches!(self.peek(), Some(b'\n' | b'\r')))
        {
            self.at += 1;
        }
    }

    /// A text in quotes, of one line or (in threes) of many.
    pub(super) fn quoted(&mut self) -> Node<'t> {
        let from = self.at;
        let quote = self.source.as_bytes()[from];
        let three = [quote; 3];
        let bytes = &self.source.as_bytes()[..self.end];
        if quote != b'`' && bytes[from..].starts_with(&three) {
            let inner = from + 3;
            let length = memchr::memmem::find(&bytes[inner..], &three).unwrap_or(self.end - inner);
            self.at = (inner + length + 3).min(self.end);
            return self.text_node(from, inner..inner + length, false);
        }
        let mut at = from + 1;
        let mut has_escape = false;
        while at < self.end && bytes[at] != quote {
            // A quote that is never closed ends with its line.
            if bytes[at] == b'\n' && quote != b'`' && !self.closes(at, quote) {
                break;
            }
            has_escape |= bytes[at] == b'\\';
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        let end = at.min(self.end);
        let end = floor(self.source, end);
        self.at = (end + usize::from(end < self.end && bytes[end] == quote)).min(self.end);
        self.is_partial |= end >= self.end;
        self.text_node(from, from + 1..end.max(from + 1), has_escape && quote != b'`')
    }

    /// Whether a text goes on in the next lines: JSON does not, but YAML and HCL do. A line that looks like an entry
    /// tells that the quote was forgotten.
    fn closes(&self, at: usize, quote: u8) -> bool {
        let line = &self.source.as_bytes()[at + 1..line_end(self.source, at + 1, self.end)];
        let first = line.iter().find(|byte| !byte.is_ascii_whitespace());
        first.is_some_and(|first| *first != quote && !b"{}[]".contains(first)) && self.has_hash
    }

    fn text_node(&self, from: usize, inner: Span, has_escape: bool) -> Node<'t> {
        let raw = self.source.get(inner.clone()).unwrap_or_default();
        let text = if has_escape { Cow::Owned(unescaped(raw)) } else { Cow::Borrowed(raw) };
        Node { span: from..self.at, shape: Shape::Scalar(Scalar { text, inner, is_text: true }) }
    }

    /// A word without quotes: a number, a name, an expression of HCL.
    fn bare(&mut self) -> Option<Node<'t>> {
        let from = self.at;
        let mut parens = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'(' => parens += 1,
                b')' => parens = parens.saturating_sub(1),
                b',' | b'}' | b']' | b'{' | b'[' if parens == 0 => break,
                b':' | b'=' | b'"' | b'\'' if parens == 0 => break,
                b'\n' | b'\r' if parens == 0 => break,
                b' ' | b'\t' if parens == 0 => break,
                b'#' if parens == 0 && self.has_hash => break,
                _ => {}
            }
            self.at += char_length(byte);
        }
        self.at = self.at.min(self.end);
        let inner = from..self.at;
        let raw = self.source.get(inner.clone())?;
        if raw.is_empty() {
            // Nothing that could begin a word: passed over, so that every step is one forward.
            self.is_partial = true;
            self.at = (from + self.peek().map_or(1, char_length)).min(self.end);
            return None;
        }
        let shape = Shape::Scalar(Scalar { text: Cow::Borrowed(raw), inner: inner.clone(), is_text: false });
        Some(Node { span: inner, shape })
    }
}

/// What goes away with each entry: up to the next one, or from the one before.
fn removals(entries: &mut [Entry<'_>]) {
    let spans: Vec<(usize, usize)> =
        entries.iter().map(|entry| (entry.removal.start, entry.value.span.end)).collect();
    for (at, entry) in entries.iter_mut().enumerate() {
        entry.removal = match (spans.get(at + 1), at.checked_sub(1).and_then(|before| spans.get(before))) {
            (Some((next, _)), _) => spans[at].0..*next,
            (None, Some((_, before))) => *before..spans[at].1,
            (None, None) => spans[at].0..spans[at].1,
        };
    }
}

pub(super) fn line_end(source: &str, at: usize, end: usize) -> usize {
    memchr::memchr(b'\n', &source.as_bytes()[at.min(end)..end]).map_or(end, |length| at + length)
}

/// The nearest place at or before `at` where a character begins.
pub(super) fn floor(source: &str, mut at: usize) -> usize {
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn char_length(byte: u8) -> usize {
    match byte {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}

/// A text with its escapes resolved; those that are not understood stay.
pub(super) fn unescaped(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(letter) = rest.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match rest.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('u') => {
                let digits: String = rest.clone().take(4).collect();
                match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
                    Some(found) if digits.len() == 4 => {
                        text.push(found);
                        rest.nth(3);
                    }
                    _ => text.push_str("\\u"),
                }
            }
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
    }
    text
}
