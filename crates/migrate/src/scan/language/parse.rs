//! Parsing with a bound: a parser of each grammar per thread, and an end to what hostile text can cost.

use std::cell::RefCell;
use std::ops::ControlFlow;

use tree_sitter::{ParseOptions, ParseState, Parser, Point, Range, Tree};

use super::Language;
use super::shape::Grammar;
use crate::scan::source::Span;

/// A parser reports every hundred steps, and takes a few steps per byte of real source: with a report for so many bytes
/// it is stopped only where the text is none of its language.
const BYTES_PER_REPORT: usize = 2;
/// Reports that it always has, for short texts.
const REPORTS_MIN: usize = 4_096;

thread_local! {
    static PARSERS: RefCell<Vec<((Language, bool), Parser)>> = const { RefCell::new(Vec::new()) };
}

/// The tree of these parts of a text, as if nothing else were there; `None` where that takes too long.
pub(super) fn parse(language: Language, grammar: &Grammar, text: &str, parts: &[Span]) -> Option<Tree> {
    // Only PHP has two grammars, for text with markup around it and without.
    let starts_with_markup = language == Language::Php && text.contains("<?");
    PARSERS.with_borrow_mut(|parsers| {
        let at = match parsers.iter().position(|(of, _)| *of == (language, starts_with_markup)) {
            Some(at) => at,
            None => {
                let mut parser = Parser::new();
                parser.set_language(&(grammar.parser)(text)).ok()?;
                parsers.push(((language, starts_with_markup), parser));
                parsers.len() - 1
            }
        };
        let (_, parser) = parsers.get_mut(at)?;
        if let Some(grammar) = parser.language() {
            super::kinds::enter(language, starts_with_markup, &grammar);
        }
        parser.set_included_ranges(&ranges(text, parts)).ok()?;
        let tree = bounded(parser, text, parts.iter().map(Span::len).sum());
        parser.reset();
        tree
    })
}

fn bounded(parser: &mut Parser, text: &str, bytes: usize) -> Option<Tree> {
    let bytes_of = text.as_bytes();
    let mut left = REPORTS_MIN + bytes / BYTES_PER_REPORT;
    let mut report = |_: &ParseState| {
        left = left.saturating_sub(1);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut report);
    let mut read = |at: usize, _: Point| bytes_of.get(at..).unwrap_or_default();
    parser.parse_with_options(&mut read, None, Some(options))
}

/// Parts with the rows and columns that grammars ask for.
fn ranges(text: &str, parts: &[Span]) -> Vec<Range> {
    if let [only] = parts
        && *only == (0..text.len())
    {
        return Vec::new();
    }
    let (mut row, mut line, mut seen) = (0, 0, 0);
    let mut point = |at: usize| {
        for newline in memchr::memchr_iter(b'\n', text.as_bytes().get(seen..at).unwrap_or_default()) {
            row += 1;
            line = seen + newline + 1;
        }
        seen = at;
        Point { row, column: at - line }
    };
    let mut range = |part: &Span| {
        let (start_point, end_point) = (point(part.start), point(part.end));
        Range { start_byte: part.start, end_byte: part.end, start_point, end_point }
    };
    parts.iter().map(&mut range).collect()
}
