//! The content of strings: escapes resolved, and whether a word in it is a value, a sentence's part or an address's.

use super::shape::{Quoted, slice};
use crate::scan::source::{Context, Span};

/// What a piece of a string stands for once its escapes are resolved.
pub(super) fn unescape(written: &str, is_raw: bool) -> String {
    if is_raw || !written.contains('\\') {
        return written.to_owned();
    }
    let mut text = String::with_capacity(written.len());
    let mut signs = written.chars();
    while let Some(sign) = signs.next() {
        if sign != '\\' {
            text.push(sign);
            continue;
        }
        match signs.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('0') => text.push('\0'),
            Some('\n') | None => {}
            Some('x') => push_code(&mut text, &mut signs, 2),
            Some('u') => push_code(&mut text, &mut signs, 4),
            Some('U') => push_code(&mut text, &mut signs, 8),
            Some(other) => text.push(other),
        }
    }
    text
}

/// A character by its number: `\x41`, `A`, `\u{41}`.
fn push_code(text: &mut String, signs: &mut std::str::Chars<'_>, width: usize) {
    let rest = signs.as_str();
    let (digits, used) = match rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        Some((digits, _)) => (digits, digits.len() + 2),
        None => {
            let digits = rest.get(..width).unwrap_or_default();
            (digits, digits.len())
        }
    };
    if let Some(sign) = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32) {
        text.push(sign);
        *signs = rest.get(used..).unwrap_or_default().chars();
    }
}

/// A string's constant pieces: what stands between its holes.
pub(super) fn pieces(quoted: &Quoted<'_>) -> Vec<Span> {
    let mut pieces = Vec::new();
    let mut begin = quoted.content.start;
    for hole in &quoted.holes {
        pieces.push(begin..hole.start_byte().max(begin));
        begin = hole.end_byte().max(begin);
    }
    pieces.push(begin..quoted.content.end.max(begin));
    pieces
}

/// Whether a byte may stand in a model's name as platforms write it.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':' | b'/' | b'@')
}

/// What else touches a string from the left and from the right, so that its first or last word goes on there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Joined {
    /// Something stands before it.
    pub(super) left: bool,
    /// Something comes behind it.
    pub(super) right: bool,
}

/// What a word in a string is, whose content and holes lie there.
pub(super) fn context(source: &str, content: &Span, holes: &[Span], word: &Span, joined: Joined) -> Context {
    let written = slice(source, content);
    let around =
        run(source, content, word, |byte| !byte.is_ascii_whitespace() && !b"\"'`<>()".contains(&byte));
    if is_address(slice(source, &around)) {
        return Context::Url;
    }
    let is_spaced = written.trim().contains(char::is_whitespace);
    let name = run(source, content, word, is_name_byte);
    let is_cut = holes.iter().any(|hole| match hole.end <= word.start {
        true => name.start <= hole.end,
        false => hole.start >= word.end && name.end >= hole.start,
    });
    // `gpt-{}` and `gpt-%s` for a function that fills it in.
    let next = source.as_bytes().get(name.end..content.end.max(name.end)).and_then(|rest| rest.first());
    let is_filled = !is_spaced && next.is_some_and(|byte| b"{%$".contains(byte));
    let reaches = (joined.left && name.start == content.start) || (joined.right && name.end == content.end);
    if is_cut || is_filled || (reaches && !is_spaced) {
        return Context::Dynamic;
    }
    if is_spaced || is_path(written.trim()) || written.bytes().any(|byte| b",;=<>(){}|\"'\\".contains(&byte))
    {
        return Context::WithinText;
    }
    Context::Value
}

/// The bytes around a word of which all are of a kind, within bounds.
fn run(source: &str, bounds: &Span, word: &Span, is_kind: impl Fn(u8) -> bool) -> Span {
    let before = source.as_bytes().get(bounds.start..word.start.max(bounds.start)).unwrap_or_default();
    let behind = source.as_bytes().get(word.end.min(bounds.end)..bounds.end).unwrap_or_default();
    let left = before.iter().rev().take(512).take_while(|byte| is_kind(**byte)).count();
    let right = behind.iter().take(512).take_while(|byte| is_kind(**byte)).count();
    let mut span = word.start - left.min(word.start)..word.end + right;
    while !source.is_char_boundary(span.start) && span.start < word.start {
        span.start += 1;
    }
    while !source.is_char_boundary(span.end) && span.end > word.end {
        span.end -= 1;
    }
    span
}

/// `https://…`, `api.openai.com/v1/…`, `/v1/assistants`.
fn is_address(word: &str) -> bool {
    word.contains("://")
        || (word.contains('/') && (word.contains(".com/") || word.contains("/v1") || word.contains("/v2")))
}

/// `./models/gpt-4o.json`.
fn is_path(text: &str) -> bool {
    const ENDINGS: &[&str] = &[
        ".json", ".yaml", ".yml", ".txt", ".md", ".py", ".ts", ".js", ".jsonl", ".csv", ".html", ".png",
        ".log",
    ];
    text.starts_with(['/', '~'])
        || text.starts_with("./")
        || text.starts_with("../")
        || ENDINGS.iter().any(|ending| text.ends_with(ending))
}
