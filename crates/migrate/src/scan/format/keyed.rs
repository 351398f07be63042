//! Formats of a key and a value a line: TOML, `.env`, `.ini`, `.properties`; and HCL, which has blocks.

use std::borrow::Cow;

use crate::scan::source::Span;

use super::flow::{Flow, line_end};
use super::tree::{Entry, Node, Scalar, Shape, Tree};

/// Reads TOML.
pub(super) fn toml(source: &str, span: Span) -> Tree<'_> {
    let mut flow = Flow { has_lines: true, ..Flow::new(source, span) };
    let mut tables: Vec<(Option<Entry<'_>>, Vec<Entry<'_>>)> = vec![(None, Vec::new())];
    loop {
        flow.skip();
        let Some(byte) = flow.peek() else { break };
        let before = flow.at;
        if byte == b'[' {
            let end = line_end(source, before, flow.end);
            let line = source.get(before..end).unwrap_or_default();
            let close = line.rfind(']').map_or(line.len(), |at| at + 1);
            let header = &line[..close];
            let name = header.trim_matches(['[', ']']).trim();
            let start = before + header.len() - header.trim_start_matches('[').trim_start().len();
            let entry = Entry {
                key: Cow::Borrowed(name),
                key_span: start..start + name.len(),
                removal: before..before,
                value: Node { span: before..end, shape: Shape::Table(Vec::new()) },
            };
            tables.push((Some(entry), Vec::new()));
            flow.at = before + close;
            continue;
        }
        if let Some(mut entry) = flow.entry(0) {
            entry.removal = whole_lines(source, before..entry.value.span.end);
            if let Some((_, entries)) = tables.last_mut() {
                entries.push(entry);
            }
        }
        if flow.at == before {
            flow.is_partial = true;
            flow.at = line_end(source, before, flow.end).max(before + 1).min(flow.end);
        }
    }
    let mut root = Vec::new();
    for (header, entries) in tables {
        match header {
            None => root.extend(entries),
            Some(mut header) => {
                let end = entries.last().map_or(header.value.span.end, |last| last.value.span.end);
                header.value = Node { span: header.value.span.start..end, shape: Shape::Table(entries) };
                root.push(header);
            }
        }
    }
    finished(flow, root)
}

/// Reads Terraform and other HCL.
pub(super) fn hcl(source: &str, span: Span) -> Tree<'_> {
    let mut flow = Flow { has_lines: true, ..Flow::new(source, span) };
    let root = flow.entries(None, 0);
    let mut tree = finished(flow, root);
    tree.roots.iter_mut().for_each(|node| remove_lines(source, node, 0));
    tree
}

/// Entries of HCL go away with their lines: no comma separates them.
fn remove_lines(source: &str, node: &mut Node<'_>, depth: usize) {
    let Shape::Table(entries) = &mut node.shape else { return };
    for entry in entries {
        entry.removal = whole_lines(source, entry.removal.start..entry.value.span.end);
        if depth < 32 {
            remove_lines(source, &mut entry.value, depth + 1);
        }
    }
}

fn finished<'t>(flow: Flow<'t>, root: Vec<Entry<'t>>) -> Tree<'t> {
    let end = root.last().map_or(0, |last| last.value.span.end);
    let start = root.first().map_or(0, |first| first.removal.start.min(first.key_span.start));
    let node = Node { span: start.min(end)..end, shape: Shape::Table(root) };
    Tree { roots: vec![node], comments: flow.comments, is_partial: flow.is_partial }
}

/// The lines of a span, if it is alone on them; else nothing that could be removed.
fn whole_lines(source: &str, span: Span) -> Span {
    let start = source[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let end = line_end(source, span.end, source.len());
    let behind = source.get(span.end..end).unwrap_or_default().trim();
    let is_alone =
        source[start..span.start].trim().is_empty() && (behind.is_empty() || behind.starts_with(['#', ',']));
    if is_alone { start..(end + 1).min(source.len()) } else { span.start..span.start }
}

/// Reads `.env`, `.ini` and `.properties`.
pub(super) fn env(source: &str, span: Span) -> Tree<'_> {
    let mut comments = Vec::new();
    let mut sections: Vec<(String, Vec<Entry<'_>>)> = vec![(String::new(), Vec::new())];
    let mut start = span.start;
    while start < span.end {
        let end = line_end(source, start, span.end);
        let line = source.get(start..end).unwrap_or_default();
        let content = start + (line.len() - line.trim_start().len());
        let text = line.trim();
        if text.starts_with(['#', ';', '!']) {
            comments.push(content..content + text.len());
        } else if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name.to_owned(), Vec::new()));
        } else if let Some(entry) = line_entry(source, start, content..content + text.len(), &mut comments)
            && let Some((_, entries)) = sections.last_mut()
        {
            entries.push(entry);
        }
        start = end + 1;
    }
    let mut roots = Vec::new();
    for (name, entries) in sections {
        let Some(first) = entries.first() else { continue };
        let span = first.key_span.start..entries.last().map_or(0, |last| last.value.span.end);
        let table = Node { span: span.clone(), shape: Shape::Table(entries) };
        if name.is_empty() {
            roots.push(table);
        } else {
            let entry = Entry {
                key: name.into(),
                key_span: span.start..span.start,
                removal: span.start..span.start,
                value: table,
            };
            roots.push(Node { span, shape: Shape::Table(vec![entry]) });
        }
    }
    Tree { roots, comments, is_partial: false }
}

/// `KEY=value`, `export KEY="value"`, `key: value`.
fn line_entry<'t>(
    source: &'t str,
    line_start: usize,
    span: Span,
    comments: &mut Vec<Span>,
) -> Option<Entry<'t>> {
    let text = source.get(span.clone())?;
    let lead = ["export ", "set ", "ENV ", "ARG "]
        .iter()
        .find(|lead| text.starts_with(**lead))
        .map_or(0, |lead| lead.len());
    let split = text[lead..].find(['=', ':']).map(|at| at + lead)?;
    let key = text[lead..split].trim();
    if key.is_empty() || key.contains(char::is_whitespace) {
        return None;
    }
    let key_start = span.start + lead + (text[lead..split].len() - text[lead..split].trim_start().len());
    let after = &text[split + 1..];
    let at = span.end - after.trim_start().len();
    let value = &source[at..span.end];
    let (inner, end, is_text) = match value.as_bytes().first() {
        Some(quote @ (b'"' | b'\'')) => {
            let length = memchr::memchr(*quote, &value.as_bytes()[1..]).unwrap_or(value.len() - 1);
            if let Some(hash) = value.get(length + 2..).and_then(|rest| rest.find(" #")) {
                comments.push(at + length + 2 + hash + 1..span.end);
            }
            (at + 1..at + 1 + length, (at + 2 + length).min(span.end), true)
        }
        _ => {
            let cut = value.find(" #").unwrap_or(value.len());
            let bare = value[..cut].trim_end().len();
            if cut < value.len() {
                comments.push(at + cut + 1..span.end);
            }
            (at..at + bare, at + bare, false)
        }
    };
    let next = line_end(source, span.end, source.len()).saturating_add(1).min(source.len());
    let text = Cow::Borrowed(source.get(inner.clone())?);
    Some(Entry {
        key: Cow::Borrowed(key),
        key_span: key_start..key_start + key.len(),
        removal: line_start..next,
        value: Node { span: at..end, shape: Shape::Scalar(Scalar { text, inner, is_text }) },
    })
}
