//! Markdown: front matter is YAML, code blocks are read in their language, everything else is text for people.

use crate::scan::candidates::Candidate;
use crate::scan::source::{Context, Mention, Reading, Span};

use super::embedded::Reader;
use super::flow::line_end;
use super::{Format, text};

/// Reads Markdown, and prompts: text with front matter. `has_code` tells whether it has code blocks.
pub(super) fn read(source: &str, candidates: &[Candidate], has_code: bool) -> Reading {
    let mut reading = Reading::default();
    let mut at = 0;
    if let Some(front) = front_matter(source) {
        at = front.end;
        text::append(&mut reading, Reader::Format(Format::Yaml).read_span(source, front, candidates));
    }
    let mut prose = at;
    while has_code && at < source.len() {
        let end = line_end(source, at, source.len());
        let Some((fence, info)) = fence(&source[at..end]) else {
            at = end + 1;
            continue;
        };
        self::prose(&mut reading, source, prose..at.min(source.len()), candidates);
        let body = (end + 1).min(source.len());
        let close = closing(source, body, fence);
        match Reader::named(info) {
            Some(reader) => text::append(&mut reading, reader.read_span(source, body..close, candidates)),
            None => unnamed(&mut reading, source, body..close, candidates),
        }
        at = line_end(source, close, source.len()) + 1;
        prose = at;
    }
    self::prose(&mut reading, source, prose.min(source.len())..source.len(), candidates);
    reading.mentions.sort_by_key(|mention| (mention.span.start, mention.span.end));
    reading.mentions.dedup_by(|left, right| left.span == right.span);
    text::add_missing(&mut reading, source, candidates);
    reading
}

/// The YAML between two lines of `---` at the very beginning.
fn front_matter(source: &str) -> Option<Span> {
    let rest = source.strip_prefix("---")?;
    let first = line_end(source, 0, source.len()) + 1;
    if !rest.lines().next()?.trim().is_empty() {
        return None;
    }
    let close = source.get(first..)?.find("\n---")?;
    Some(first..first + close + 1)
}

/// The fence that a line opens, and the name of its language.
fn fence(line: &str) -> Option<(&str, &str)> {
    // In lists and quotes, too.
    let text = line.trim_start_matches([' ', '\t', '>']);
    let mark = ["```", "~~~"].into_iter().find(|mark| text.starts_with(mark))?;
    let length = text.bytes().take_while(|byte| *byte == mark.as_bytes()[0]).count();
    let info = text[length..].trim();
    let name = info.trim_start_matches('{').trim_start_matches('.');
    let name = name.split([' ', ',', '{', '}', ':']).next().unwrap_or_default();
    (!info.contains('`')).then_some((&text[..length], name))
}

/// Where the line begins that closes a fence; the end of the file if none does.
fn closing(source: &str, body: usize, fence: &str) -> usize {
    let mut at = body;
    while at < source.len() {
        let end = line_end(source, at, source.len());
        let line = source[at..end].trim_start_matches([' ', '\t', '>']).trim_end();
        if line.starts_with(fence) && line.bytes().all(|byte| byte == fence.as_bytes()[0]) {
            return at;
        }
        at = end + 1;
    }
    source.len()
}

/// A block without a language: what looks like JSON is read as such.
fn unnamed(reading: &mut Reading, source: &str, span: Span, candidates: &[Candidate]) {
    let body = source.get(span.clone()).unwrap_or_default().trim_start();
    let reader = if body.starts_with('{') { Format::Json } else { Format::Shell };
    text::append(reading, Reader::Format(reader).read_span(source, span, candidates));
}

fn prose(reading: &mut Reading, source: &str, span: Span, candidates: &[Candidate]) {
    for candidate in text::within(candidates, &span) {
        let (words, text_span) = text::line_of(source, &candidate.span, &span);
        let context = match text::context_in(source, &text_span, &candidate.span) {
            Context::Url => Context::Url,
            _ => Context::Prose,
        };
        let span = candidate.span.clone();
        reading.mentions.push(Mention { span, text: words, text_span, context, bound_to: None });
    }
    let mut at = span.start;
    while let Some(found) = source.get(at..span.end).and_then(|rest| rest.find("<!--")) {
        let start = at + found;
        let end = source[start..span.end].find("-->").map_or(span.end, |length| start + length + 3);
        reading.pragmas.extend(text::pragma(source, &(start..end)));
        at = end;
    }
}
