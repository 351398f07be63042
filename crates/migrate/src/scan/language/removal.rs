//! Which bytes to take away so that an argument is gone and the rest still parses.

use super::shape::{Entry, Grammar, slice};
use crate::scan::source::Span;

/// The bytes of an entry with what separates it from its neighbours; empty where it cannot go alone.
pub(super) fn removal(source: &str, entry: &Entry<'_>, grammar: &Grammar) -> Span {
    if entry.name.is_none() {
        return entry.span.end..entry.span.end;
    }
    let span = &entry.span;
    let behind = source.get(span.end..).unwrap_or_default();
    let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    if entry.is_statement {
        let end = span.end + blanks;
        let end = if slice(source, &(end..end + 1)) == ";" { end + 1 } else { span.end };
        return whole_lines(source, span.start..end);
    }
    if slice(source, &(span.end + blanks..span.end + blanks + 1)) == "," {
        return whole_lines(source, span.start..span.end + blanks + 1);
    }
    // A comma on a line of its own, as some write it.
    if behind.trim_start().starts_with(',') {
        let comma = span.end + behind.len() - behind.trim_start().len();
        return span.start..comma + 1;
    }
    let before = source.get(..span.start).unwrap_or_default().trim_end();
    if before.ends_with(',') {
        return before.len() - 1..span.end;
    }
    if before.ends_with(['(', '{', '[']) || grammar.is_trailing_comma_fine {
        return whole_lines(source, span.clone());
    }
    span.end..span.end
}

/// With all of the line where nothing else stands on it, or with the blanks behind it.
fn whole_lines(source: &str, span: Span) -> Span {
    let before = source.get(..span.start).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let is_first = before.get(line..).is_some_and(|indent| indent.trim().is_empty());
    let behind = source.get(span.end..).unwrap_or_default();
    let blanks = behind.len() - behind.trim_start_matches([' ', '\t', '\r']).len();
    let at_end = behind.get(blanks..).is_none_or(|rest| rest.is_empty() || rest.starts_with('\n'));
    if is_first && at_end && line > 0 {
        return line..(span.end + blanks + 1).min(source.len());
    }
    let is_comment = behind.get(blanks..).is_some_and(|rest| rest.starts_with('\n'));
    if is_comment { span } else { span.start..span.end + blanks }
}
