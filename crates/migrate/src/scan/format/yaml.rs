//! YAML as people write it, with templates in it (Helm, Ansible) that make it something else: line by line, by
//! indentation, passing over what is not understood.

use std::borrow::Cow;

use crate::scan::source::Span;

use super::flow::{Flow, line_end};
use super::tree::{Entry, Node, Scalar, Shape, Tree};

/// Blocks in one another.
const DEPTH_MAX: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Line {
    start: usize,
    /// Where its content begins; moves behind the `- ` of an item.
    content: usize,
    /// Without the line's end.
    end: usize,
}

impl Line {
    const fn indent(self) -> usize {
        self.content - self.start
    }
}

#[derive(Debug)]
struct Yaml<'t> {
    source: &'t str,
    lines: Vec<Line>,
    at: usize,
    comments: Vec<Span>,
    is_partial: bool,
}

/// Reads the YAML in a span of `source`.
pub(super) fn tree(source: &str, span: Span) -> Tree<'_> {
    let mut yaml =
        Yaml { source, lines: lines(source, span), at: 0, comments: Vec::new(), is_partial: false };
    let mut roots = Vec::new();
    while yaml.skip() {
        let before = yaml.at;
        roots.extend(yaml.block(0));
        if yaml.at == before {
            yaml.at += 1;
            yaml.is_partial = true;
        }
    }
    Tree { roots, comments: yaml.comments, is_partial: yaml.is_partial }
}

fn lines(source: &str, span: Span) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = span.start;
    while start < span.end {
        let break_at = line_end(source, start, span.end);
        let bytes = source.as_bytes();
        let end = if break_at > start && bytes[break_at - 1] == b'\r' { break_at - 1 } else { break_at };
        let mut content = start;
        while content < end && matches!(bytes[content], b' ' | b'\t') {
            content += 1;
        }
        lines.push(Line { start, content, end });
        start = break_at + 1;
    }
    lines
}

impl<'t> Yaml<'t> {
    fn text(&self, span: Span) -> &'t str {
        self.source.get(span).unwrap_or_default()
    }

    fn line(&self) -> Option<Line> {
        self.lines.get(self.at).copied()
    }

    /// Passes blank lines, comments, marks of documents and lines that are only template over. False at the end.
    fn skip(&mut self) -> bool {
        while let Some(line) = self.line() {
            let text = self.text(line.content..line.end);
            if text.starts_with('#') {
                self.comments.push(line.content..line.end);
            } else {
                let is_template = (text.starts_with("{{") && text.ends_with("}}")) || text.starts_with("{%");
                let is_mark = line.indent() == 0 && (text == "---" || text == "..." || text.starts_with('%'));
                if !text.is_empty() && !is_template && !is_mark {
                    return true;
                }
            }
            self.at += 1;
        }
        false
    }

    /// The block that begins at the next line, indented by at least `indent`.
    fn block(&mut self, depth: usize) -> Option<Node<'t>> {
        let line = self.line().filter(|_| depth < DEPTH_MAX)?;
        let text = self.text(line.content..line.end);
        if text == "-" || text.starts_with("- ") {
            return Some(self.list(line.indent(), depth));
        }
        if text.starts_with(['{', '[']) && !text.starts_with("{{") {
            return self.flow(line.content);
        }
        if self.key(line).is_some() {
            return Some(self.table(line.indent(), depth));
        }
        self.scalar(line.content, line.indent())
    }

    fn list(&mut self, indent: usize, depth: usize) -> Node<'t> {
        let from = self.lines[self.at].content;
        let mut items = Vec::new();
        let mut end = from;
        while self.skip() {
            let Some(line) = self.line() else { break };
            let text = self.text(line.content..line.end);
            if line.indent() != indent || !(text == "-" || text.starts_with("- ")) {
                break;
            }
            let before = self.at;
            let mut content = line.content + 1;
            while content < line.end && self.source.as_bytes()[content] == b' ' {
                content += 1;
            }
            let item = if content >= line.end || self.text(content..line.end).starts_with('#') {
                self.at += 1;
                self.nested(indent, depth)
            } else {
                self.lines[self.at].content = content;
                self.value_or_block(content, indent, depth)
            };
            if let Some(item) = item {
                end = item.span.end;
                items.push(item);
            }
            if self.at == before {
                self.at += 1;
            }
        }
        Node { span: from..end.max(from), shape: Shape::List(items) }
    }

    /// An item's content: a block of its own, or a value.
    fn value_or_block(&mut self, content: usize, indent: usize, depth: usize) -> Option<Node<'t>> {
        let line = self.line()?;
        let text = self.text(content..line.end);
        if text.starts_with("- ") || self.key(line).is_some() {
            return self.block(depth + 1);
        }
        self.value(content, indent, depth)
    }

    fn table(&mut self, indent: usize, depth: usize) -> Node<'t> {
        let from = self.lines[self.at].content;
        let mut entries: Vec<Entry<'t>> = Vec::new();
        let mut end = from;
        while self.skip() {
            let Some(line) = self.line().filter(|line| line.indent() == indent) else { break };
            let Some((key, key_span, value_at)) = self.key(line) else { break };
            let before = self.at;
            let is_first_in_line = self.text(line.start..line.content).trim().is_empty();
            let value = self.value(value_at, indent, depth);
            if self.at == before {
                self.at += 1;
            }
            let value = value.unwrap_or_else(|| null(value_at));
            end = value.span.end.max(key_span.end);
            let next = line_end(self.source, end, self.source.len()).saturating_add(1).min(self.source.len());
            let removal = if is_first_in_line { line.start..next } else { key_span.start..key_span.start };
            entries.push(Entry { key, key_span, removal, value });
        }
        Node { span: from..end, shape: Shape::Table(entries) }
    }

    /// The key of a line: its text, where it stands, and where its value begins.
    fn key(&self, line: Line) -> Option<(Cow<'t, str>, Span, usize)> {
        let bytes = &self.source.as_bytes()[..line.end];
        let first = *bytes.get(line.content)?;
        if matches!(first, b'"' | b'\'') {
            let mut flow = Flow::new(self.source, line.content..line.end);
            let Shape::Scalar(scalar) = flow.quoted().shape else { return None };
            let at = flow.at;
            let is_key =
                bytes.get(at) == Some(&b':') && bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace);
            return is_key.then(|| (scalar.text, scalar.inner, self.pass_blank(at + 1, line.end)));
        }
        if matches!(first, b'{' | b'[' | b'#' | b'|' | b'>' | b'&' | b'*' | b'!' | b'%' | b'@' | b'`') {
            return None;
        }
        let mut at = line.content;
        while let Some(found) = memchr::memchr(b':', &bytes[at..]) {
            let colon = at + found;
            if bytes.get(colon + 1).is_none_or(u8::is_ascii_whitespace) {
                let key = self.text(line.content..colon).trim_end();
                if key.contains(" #") {
                    return None;
                }
                let span = line.content..line.content + key.len();
                return Some((Cow::Borrowed(key), span, self.pass_blank(colon + 1, line.end)));
            }
            at = colon + 1;
        }
        None
    }

    fn pass_blank(&self, mut at: usize, end: usize) -> usize {
        while at < end && matches!(self.source.as_bytes()[at], b' ' | b'\t') {
            at += 1;
        }
        at
    }

    /// The value that begins at `at` in the present line, or in the lines below, which are indented by more than
    /// `indent`. Moves on behind it.
    fn value(&mut self, at: usize, indent: usize, depth: usize) -> Option<Node<'t>> {
        let line = self.line()?;
        let at = self.pass_marks(at, line.end);
        let text = self.text(at..line.end);
        match text.as_bytes().first() {
            None => {
                self.at += 1;
                self.nested(indent, depth)
            }
            Some(b'#') => {
                self.comments.push(at..line.end);
                self.at += 1;
                self.nested(indent, depth)
            }
            Some(b'|' | b'>') => Some(self.block_text(indent)),
            Some(b'[') => self.flow(at),
            Some(b'{') if !text.starts_with("{{") => self.flow(at),
            Some(b'"' | b'\'') => self.flow(at),
            Some(_) => self.scalar(at, indent),
        }
    }

    /// Anchors and tags before a value.
    fn pass_marks(&self, mut at: usize, end: usize) -> usize {
        while at < end && matches!(self.source.as_bytes()[at], b'&' | b'!') {
            while at < end && self.source.as_bytes()[at] != b' ' {
                at += 1;
            }
            at = self.pass_blank(at, end);
        }
        at
    }

    /// What stands in the lines below: a deeper block, or a list that is not indented.
    fn nested(&mut self, indent: usize, depth: usize) -> Option<Node<'t>> {
        if !self.skip() {
            return None;
        }
        let line = self.line()?;
        let text = self.text(line.content..line.end);
        let is_list = text == "-" || text.starts_with("- ");
        let is_own =
            line.start + indent < line.content || (is_list && line.indent() == indent && !self.is_in_item());
        is_own.then(|| self.block(depth + 1))?
    }

    /// Whether the line before is an item of a list: a list at its indentation is not its value.
    fn is_in_item(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.lines.get(at));
        before.is_some_and(|line| self.text(line.start..line.content).trim_start().starts_with('-'))
            || before.is_some_and(|line| self.text(line.content..line.end) == "-")
    }

    /// A value in quotes or brackets, maybe over several lines.
    fn flow(&mut self, at: usize) -> Option<Node<'t>> {
        let last = self.lines.last().map_or(at, |line| line.end);
        let mut flow = Flow::new(self.source, at..last);
        let node = flow.value(0);
        self.is_partial |= flow.is_partial;
        self.comments.append(&mut flow.comments);
        let behind = flow.at;
        while self.line().is_some_and(|line| line.end < behind) {
            self.at += 1;
        }
        if let Some(line) = self.line() {
            self.comment_behind(behind.max(line.content), line.end);
        }
        self.at += 1;
        node
    }

    fn comment_behind(&mut self, from: usize, end: usize) {
        let text = self.text(from..end);
        if let Some(at) = text.find('#') {
            self.comments.push(from + at..end);
        }
    }

    /// A plain scalar; deeper lines go on with it.
    fn scalar(&mut self, at: usize, indent: usize) -> Option<Node<'t>> {
        let line = self.line()?;
        let text = self.text(at..line.end);
        let cut = text.find(" #").map_or(text.len(), |cut| cut);
        if cut < text.len() {
            self.comments.push(at + cut + 1..line.end);
        }
        let mut end = at + text[..cut].trim_end().len();
        self.at += 1;
        while cut == text.len() {
            let Some(next) = self.line() else { break };
            let more = self.text(next.content..next.end);
            let goes_on = next.indent() > indent && !more.is_empty() && !more.starts_with(['#', '-']);
            if !goes_on || self.key(next).is_some() || more.starts_with("{{") {
                break;
            }
            end = next.content + more.trim_end().len();
            self.at += 1;
        }
        let inner = at..end.max(at);
        let text = Cow::Borrowed(self.text(inner.clone()));
        Some(Node { span: inner.clone(), shape: Shape::Scalar(Scalar { text, inner, is_text: false }) })
    }

    /// `|` or `>`: every deeper line.
    fn block_text(&mut self, indent: usize) -> Node<'t> {
        self.at += 1;
        let from = self.line().map_or(self.source.len(), |line| line.start);
        let mut end = from;
        while let Some(line) = self.line() {
            let is_blank = line.content >= line.end;
            if !is_blank && line.indent() <= indent {
                break;
            }
            if !is_blank {
                end = line.end;
            }
            self.at += 1;
        }
        let inner = from.min(end)..end;
        let text = Cow::Borrowed(self.text(inner.clone()));
        Node { span: inner.clone(), shape: Shape::Scalar(Scalar { text, inner, is_text: true }) }
    }
}

fn null(at: usize) -> Node<'static> {
    Node {
        span: at..at,
        shape: Shape::Scalar(Scalar { text: Cow::Borrowed(""), inner: at..at, is_text: false }),
    }
}
