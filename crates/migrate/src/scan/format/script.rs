//! Shell scripts, Dockerfiles, and anything else of which only the lines are known: assignments, options of commands,
//! bodies in JSON.

use crate::scan::candidates::Candidate;
use crate::scan::source::{Context, Kind, Member, Mention, Reading, Span, Value};

use super::embedded::{Decoded, Reader};
use super::flow::{Flow, line_end};
use super::{Format, text};

/// How far before a body its command's address is looked for.
const COMMAND_BYTES_MAX: usize = 4096;

/// Reads a script. `has_hash` tells whether `#` begins a comment.
pub(super) fn read(source: &str, candidates: &[Candidate], has_hash: bool) -> Reading {
    let mut reading = Reading::default();
    if has_hash {
        comments(&mut reading, source, candidates);
    }
    bodies(&mut reading, source, candidates);
    for candidate in candidates {
        if !reading.mentions.iter().any(|mention| mention.span == candidate.span) {
            reading.mentions.push(text::loose(source, candidate));
        }
    }
    reading.mentions.sort_by_key(|mention| (mention.span.start, mention.span.end));
    reading.mentions.dedup_by(|left, right| left.span == right.span);
    reading
}

fn comments(reading: &mut Reading, source: &str, candidates: &[Candidate]) {
    let mut start = 0;
    while start < source.len() {
        let end = line_end(source, start, source.len());
        let line = &source[start..end];
        let content = line.trim_start();
        let hash = if content.starts_with('#') {
            Some(line.len() - content.len())
        } else {
            line.find(" # ").map(|at| at + 1)
        };
        // Within quotes it is none.
        let hash = hash.filter(|at| line[..*at].matches(['"', '\'']).count().is_multiple_of(2));
        if let Some(at) = hash.filter(|_| !content.starts_with("#!")) {
            let span = start + at..end;
            reading.pragmas.extend(text::pragma(source, &span));
            for candidate in text::within(candidates, &span) {
                reading.mentions.push(Mention {
                    span: candidate.span.clone(),
                    text: source[span.clone()].to_owned(),
                    text_span: span.clone(),
                    context: Context::Comment,
                    bound_to: None,
                });
            }
        }
        start = end + 1;
    }
}

/// Bodies of requests: `-d '{"model": …}'`, here-documents, and bodies within double quotes.
fn bodies(reading: &mut Reading, source: &str, candidates: &[Candidate]) {
    let mut at = 0;
    for candidate in candidates {
        if candidate.span.start < at {
            continue;
        }
        let Some(open) = body_before(source, at, candidate.span.start) else { continue };
        let is_escaped = source[open + 1..].trim_start().starts_with("\\\"");
        let mut part;
        let end;
        if is_escaped {
            // Up to the first quote that is not escaped.
            end = unescaped_quote(source, open);
            let mut decoded = Decoded::default();
            decoded.push_escaped(source, open..end);
            part = decoded.read(&Reader::Format(Format::Json), candidates);
            for member in part.calls.iter_mut().flat_map(|call| &mut call.arguments) {
                // Removing from a body in quotes would need its escapes counted.
                member.removal = member.name_span.start..member.name_span.start;
            }
        } else {
            let mut flow = Flow::new(source, open..source.len());
            flow.has_hash = false;
            if flow.value(0).is_none() {
                continue;
            }
            end = flow.at;
            part = Reader::Format(Format::Json).read_span(source, open..end, candidates);
        }
        if end <= candidate.span.start {
            continue;
        }
        let address = address_before(source, open);
        for call in &mut part.calls {
            "curl".clone_into(&mut call.callee);
            if let Some((url, span)) = address.clone() {
                call.arguments.push(positional(url, span));
            }
        }
        text::append(reading, part);
        at = end;
    }
}

fn positional(url: String, span: Span) -> Member {
    let value = Value { span: span.clone(), kind: Kind::Text(url) };
    Member {
        name: String::new(),
        name_span: span.clone(),
        removal: span.start..span.start,
        value,
        is_indirect: false,
    }
}

/// The brace that opens the body which a candidate stands in.
fn body_before(source: &str, least: usize, at: usize) -> Option<usize> {
    let least = super::flow::floor(source, least.max(at.saturating_sub(COMMAND_BYTES_MAX)));
    let before = source.get(least..at)?;
    // The outermost brace behind a quote or at the begin of a line, with a key in it.
    before.match_indices('{').map(|(found, _)| least + found).find(|open| {
        let inside = source[open + 1..].trim_start().trim_start_matches('\\');
        let is_body = inside.starts_with('"');
        let before = source[..*open].trim_end_matches([' ', '\t']);
        is_body && before.ends_with(['\'', '"', '\n', '(', '=', '@', '`', '>'])
    })
}

fn unescaped_quote(source: &str, from: usize) -> usize {
    let bytes = source.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' => return at,
            _ => {}
        }
        at += 1;
    }
    source.len()
}

/// The address of the command that a body belongs to.
fn address_before(source: &str, open: usize) -> Option<(String, Span)> {
    let least = super::flow::floor(source, open.saturating_sub(COMMAND_BYTES_MAX));
    let before = &source[least..open];
    let at = before.rfind("http")?;
    // One command: its lines are continued.
    let is_one = before[at..].lines().rev().skip(1).all(|line| line.trim_end().ends_with(['\\', '`', '^']));
    let url = before[at..].split(|letter: char| letter.is_whitespace() || "\"'`".contains(letter)).next()?;
    (is_one && url.contains("://")).then(|| (url.to_owned(), least + at..least + at + url.len()))
}
