//! Names in lines of source, told by their letters alone.

use std::collections::HashSet;

use memchr::{memchr, memmem};

use crate::scan::source::Span;

/// At most so many uses of a name are looked at.
const USES_MAX: usize = 400;

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Every word of a text that may be a name.
pub(super) fn identifiers<'s>(text: &'s str, found: &mut HashSet<&'s str>) {
    let mut words = text.split(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
    found.extend(
        words.by_ref().filter(|word| word.len() > 1 && !word.starts_with(|sign: char| sign.is_ascii_digit())),
    );
}

/// The name that a line binds: what stands before `=`, `:=` or `:`, or behind `as`.
pub(super) fn defined(text: &str, span: Span) -> Option<&str> {
    let line = text.get(span)?;
    let line = line.get(..memchr(b'\n', line.as_bytes()).unwrap_or(line.len()))?;
    let line = line.get(..line.len().min(512)).or(Some(line))?;
    let bytes = line.as_bytes();
    let equals = bytes.iter().enumerate().position(|(at, byte)| {
        *byte == b'='
            && !matches!(bytes.get(at + 1), Some(b'=' | b'>' | b'~'))
            && !at
                .checked_sub(1)
                .and_then(|before| bytes.get(before))
                .is_some_and(|before| b"=!<>".contains(before))
    });
    let left = match equals {
        Some(at) => line.get(..at)?,
        None => {
            let (_, alias) = line.rsplit_once(" as ")?;
            return last_word(alias.trim_end().trim_end_matches(':'));
        }
    };
    // A parameter's default, a pattern, and an element are no names; a function is followed by nobody.
    if left.contains(['(', '{', '[', '"', '\'']) || line.contains("=>") || line.contains("function") {
        return None;
    }
    // `name: Type =` is named before the colon, `Type name =` behind the type.
    let left = match left.find(':') {
        Some(at) if !left.get(at..)?.starts_with("::") => left.get(..at)?,
        _ => left,
    };
    // Of `a, b = …` the first counts.
    last_word(left.split(',').next()?)
}

fn last_word(text: &str) -> Option<&str> {
    let text = text.trim_end_matches(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
    let begin = text
        .rfind(|sign: char| !(sign.is_alphanumeric() || sign == '_'))
        .map_or(0, |at| at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    text.get(begin..).filter(|word| !word.is_empty())
}

/// Whether a line sets a member of the object itself.
pub(super) fn is_member(line: &str) -> bool {
    let line = line.trim_start();
    ["self.", "this.", "@", "$this->", "cls."].iter().any(|own| line.starts_with(own))
}

/// Whether names that are bound right within what a line begins are seen beyond it: a class, a module, a condition.
pub(super) fn is_open(line: &str) -> bool {
    const OPEN: &[&str] = &[
        "class",
        "namespace",
        "module",
        "impl",
        "mod",
        "object",
        "interface",
        "enum",
        "struct",
        "trait",
        "record",
        "if",
        "elif",
        "else",
        "try",
        "except",
        "finally",
        "with",
        "unless",
        "begin",
        "companion",
        "for",
        "while",
        "package",
    ];
    let line = line.get(..memchr(b'\n', line.as_bytes()).unwrap_or(line.len())).unwrap_or(line);
    let line = line.trim();
    if line.len() > 400 || line.contains("=>") || line.contains("->") {
        return false;
    }
    let is_block = |word: &str| matches!(word, "const" | "var") && line.ends_with('(');
    let mut words = line.split(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
    let mut is_open = false;
    for word in words.by_ref() {
        if matches!(word, "def" | "func" | "fn" | "function" | "fun") {
            return false;
        }
        is_open |= OPEN.contains(&word) || is_block(word);
    }
    is_open || line == "{"
}

/// Where a name stands by itself.
pub(super) fn occurrences(text: &str, name: &str, within: Span) -> Vec<usize> {
    let bytes = text.as_bytes();
    let own = bytes.get(within.clone()).unwrap_or_default();
    let is_alone = |at: &usize| {
        !at.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(|byte| is_part(*byte))
            && !bytes.get(at + name.len()).is_some_and(|byte| is_part(*byte))
    };
    memmem::find_iter(own, name.as_bytes())
        .map(|at| within.start + at)
        .filter(is_alone)
        .take(USES_MAX)
        .collect()
}
