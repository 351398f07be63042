//! Conditions of a configuration, compiled: what is wrong inside of one is shown at its own line and column.

use std::sync::Arc;

use pilothouse_cel::Expression;
use toml::Spanned;

use crate::config::Diagnostic;
use crate::given::VARIABLES;

/// Compiles a condition that stands in a file. What is wrong with it is added to `wrong`.
pub(super) fn compile(
    text: &str,
    given: &Spanned<String>,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Arc<Expression>> {
    match Expression::compile(given.get_ref(), VARIABLES) {
        Ok(expression) => Some(Arc::new(expression)),
        Err(error) => {
            let written = text.get(given.span()).unwrap_or_default();
            let start = given.span().start;
            let at = |place: usize| start + place_within(written, place);
            let span = at(error.span.start)..at(error.span.end).max(at(error.span.start) + 1);
            wrong.push(Diagnostic::at(span, format!("this condition cannot be used: {}", error.message)));
            None
        }
    }
}

/// Where a byte of a string's value stands in the string as TOML writes it, quotes and escapes included.
fn place_within(written: &str, place: usize) -> usize {
    let quote = if written.starts_with('\'') { "'" } else { "\"" };
    let thrice = quote.repeat(3);
    let is_long = written.starts_with(&thrice) && written.len() >= 6;
    let mut at = if is_long { 3 } else { 1 };
    // A line break right behind the opening is not of the value.
    if is_long {
        at += written[at..].strip_prefix("\r\n").map_or(usize::from(written[at..].starts_with('\n')), |_| 2);
    }
    let mut value = 0;
    while value < place {
        let Some(sign) = written.get(at..).and_then(|rest| rest.chars().next()) else { break };
        let (length, means) = match sign {
            '\\' if quote == "\"" => escape(&written[at..]),
            sign => (sign.len_utf8(), sign.len_utf8()),
        };
        at += length;
        value += means;
    }
    at
}

/// The bytes of an escape, and those that it stands for.
fn escape(written: &str) -> (usize, usize) {
    let digits = |count: usize| {
        let sign = written.get(2..2 + count).and_then(|code| u32::from_str_radix(code, 16).ok());
        (2 + count, sign.and_then(char::from_u32).map_or(1, char::len_utf8))
    };
    match written.as_bytes().get(1) {
        Some(b'x') => digits(2),
        Some(b'u') => digits(4),
        Some(b'U') => digits(8),
        // A backslash at the end of a line takes the break and the blanks behind it away.
        Some(b'\n' | b'\r' | b' ' | b'\t') => (written.len() - written[1..].trim_start().len(), 0),
        _ => (2, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_within_strings_are_found_however_they_are_written() {
        let cases = [
            (r#""a > bcd""#, 4..7, "bcd"),
            (r"'a > bcd'", 4..7, "bcd"),
            ("\"\"\"\na > bcd\"\"\"", 4..7, "bcd"),
            ("'''\r\na > bcd'''", 4..7, "bcd"),
            (r#""a == \"x\" > bcd""#, 11..14, "bcd"),
            (r#""a == \u00e9\t > bcd""#, 11..14, "bcd"),
            ("\"\"\"a > \\\n   bcd\"\"\"", 4..7, "bcd"),
            ("\"\u{e9} > bcd\"", 5..8, "bcd"),
        ];
        for (written, part, expected) in cases {
            let (start, end) = (place_within(written, part.start), place_within(written, part.end));
            assert!(written[start..end].ends_with(expected), "{written}");
        }
    }
}
