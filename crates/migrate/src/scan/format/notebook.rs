//! Jupyter notebooks (`nbformat` 4, <https://nbformat.readthedocs.io>, read 2026-11-23): code cells are read as code,
//! with every place led back into the file; outputs are history, other cells are text for people.

use crate::scan::candidates::Candidate;
use crate::scan::source::{Context, Mention, Reading, Span};

use super::embedded::{Decoded, Reader};
use super::flow::Flow;
use super::tree::{Entry, Node, Shape};
use super::{text, tree};

/// The [`Mention::bound_to`] of what stands in an output.
pub const OUTPUTS: &str = "outputs";

/// Reads a notebook.
pub(super) fn read(source: &str, candidates: &[Candidate]) -> Reading {
    let mut flow = Flow::new(source, 0..source.len());
    let nothing = Node { span: 0..0, shape: Shape::List(Vec::new()) };
    let root = flow.value(0).unwrap_or(nothing);
    let language = find(&root, "metadata")
        .and_then(|metadata| find(metadata, "kernelspec"))
        .and_then(|kernel| find(kernel, "language"))
        .and_then(text_of);
    let reader = Reader::named(language.unwrap_or("python")).or_else(|| Reader::named("python"));
    let mut reading = Reading { is_partial: flow.is_partial, ..Reading::default() };
    let cells = find(&root, "cells").map(|cells| &cells.shape);
    if let Some(Shape::List(cells)) = cells {
        for cell in cells.iter().filter(|cell| !text::within(candidates, &cell.span).is_empty()) {
            cell_into(&mut reading, source, cell, reader, candidates);
        }
    }
    reading.mentions.sort_by_key(|mention| (mention.span.start, mention.span.end));
    reading.mentions.dedup_by(|left, right| left.span == right.span);
    text::add_missing(&mut reading, source, candidates);
    reading
}

fn cell_into(
    reading: &mut Reading,
    source: &str,
    cell: &Node<'_>,
    reader: Option<Reader>,
    candidates: &[Candidate],
) {
    let is_code = find(cell, "cell_type").and_then(text_of) == Some("code");
    let body = find(cell, "source");
    if let (true, Some(body), Some(reader)) = (is_code, body, reader) {
        let mut decoded = Decoded::default();
        match &body.shape {
            Shape::List(lines) => lines.iter().for_each(|line| push(&mut decoded, source, line)),
            _ => push(&mut decoded, source, body),
        }
        text::append(reading, decoded.read(&reader, candidates));
    } else if let Some(body) = body {
        plain(reading, source, &body.span, None, candidates);
    }
    if let Some(outputs) = find(cell, OUTPUTS) {
        plain(reading, source, &outputs.span, Some(OUTPUTS), candidates);
    }
}

fn push(decoded: &mut Decoded, source: &str, line: &Node<'_>) {
    if let Shape::Scalar(tree::Scalar { inner, .. }) = &line.shape {
        decoded.push_escaped(source, inner.clone());
    }
}

fn plain(reading: &mut Reading, source: &str, span: &Span, bound_to: Option<&str>, candidates: &[Candidate]) {
    for candidate in text::within(candidates, span) {
        let (words, text_span) = text::line_of(source, &candidate.span, span);
        reading.mentions.push(Mention {
            span: candidate.span.clone(),
            text: words,
            text_span,
            context: Context::Prose,
            bound_to: bound_to.map(str::to_owned),
        });
    }
}

fn find<'n, 't>(node: &'n Node<'t>, key: &str) -> Option<&'n Node<'t>> {
    let Shape::Table(entries) = &node.shape else { return None };
    entries.iter().find(|entry: &&Entry<'_>| entry.key == key).map(|entry| &entry.value)
}

fn text_of<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match &node.shape {
        Shape::Scalar(scalar) => Some(scalar.text.as_ref()),
        _ => None,
    }
}
