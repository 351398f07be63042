//! Names in lines of source, told by their letters alone.

use std::collections::HashSet;

use memchr::{memchr, memmem};

use crate::scan::language::wordset::{ANY, PLAIN, WordSet, each_word};
use crate::scan::source::Span;

/// At most so many uses of a name are looked at.
const USES_MAX: usize = 400;
/// Up to so many names are searched one by one.
const SEARCHES_MAX: usize = 8;

const fn is_part(byte: u8) -> bool {
    ANY[byte as usize]
}

/// Which of these names are words of these parts of a text.
pub(super) fn used<'n>(text: &str, parts: &[Span], names: &[&'n str]) -> HashSet<&'n str> {
    let is_name = |name: &&&str| !name.starts_with(|sign: char| sign.is_ascii_digit());
    let mut seen: WordSet<'n, bool> = WordSet::of(names.iter().filter(is_name).copied());
    let parts = if seen.is_empty() { &[] } else { parts };
    let mut see = |word: &[u8]| {
        if let Some(is_seen) = seen.get_mut(word) {
            *is_seen = true;
        }
    };
    for part in parts.iter().filter_map(|part| text.get(part.clone())) {
        if part.is_ascii() {
            each_word(part.as_bytes(), &PLAIN, |_, word| see(word));
        } else {
            let words = part.split(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
            words.for_each(|word| see(word.as_bytes()));
        }
    }
    names
        .iter()
        .copied()
        .filter(|name| seen.get_mut(name.as_bytes()).is_some_and(|is_seen| *is_seen))
        .collect()
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

/// The name of which a line sets a member, or that it tells something: `name[…] = …`, `name.member = …`, `name->member(…)`.
pub(super) fn subject(text: &str, span: Span) -> Option<&str> {
    let line = text.get(span)?.trim_start();
    let line = line.strip_prefix('$').unwrap_or(line);
    let end = line.bytes().position(|byte| !is_part(byte))?;
    let (name, rest) = line.split_at_checked(end)?;
    let is_of_member = ["[", ".", "?.", "!.", "->", "::"].iter().any(|sign| rest.starts_with(sign));
    // The object itself, and what every line of a file may begin with.
    let is_own = matches!(
        name,
        "self" | "this" | "cls" | "super" | "base" | "console" | "logger" | "log" | "System" | "fmt"
    );
    (is_of_member && !is_own && !name.is_empty()).then_some(name)
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
        is_open |= match word {
            "object" => is_object(line),
            word => OPEN.contains(&word) || is_block(word),
        };
    }
    is_open || line == "{"
}

/// Whether a line that says `object` begins one of Kotlin (`object Models {`, `companion object {`), and no method of C#
/// that gives any value (`object Send(string text) {`).
fn is_object(line: &str) -> bool {
    let is_word = |sign: char| sign.is_alphanumeric() || sign == '_';
    line.split("object").skip(1).any(|behind| {
        let named = behind.trim_start();
        let rest = named.trim_start_matches(is_word);
        if rest.len() == named.len() {
            return rest.is_empty() || rest.starts_with(['{', ':']);
        }
        !rest.starts_with(['(', '<', ';', ',', ')', '.']) && !rest.contains('=')
    })
}

/// Where names stand by themselves, each within a part of the text.
pub(super) fn occurrences(text: &str, names: &[(&str, Span)]) -> Vec<usize> {
    let bytes = text.as_bytes();
    if names.len() <= SEARCHES_MAX {
        return names.iter().flat_map(|(name, within)| occurrences_of(bytes, name, within)).collect();
    }
    // Of many names all words are looked up, in one pass.
    let mut wanted: WordSet<'_, Vec<(&Span, usize)>> = WordSet::of(names.iter().map(|(name, _)| *name));
    for (name, within) in names {
        wanted.get_mut(name.as_bytes()).into_iter().for_each(|places| places.push((within, 0)));
    }
    let mut found = Vec::new();
    let start = names.iter().map(|(_, within)| within.start).min().unwrap_or(0);
    let end = names.iter().map(|(_, within)| within.end).max().unwrap_or(0);
    each_word(bytes.get(start..end).unwrap_or_default(), &ANY, |at, word| {
        let at = start + at;
        for (within, count) in wanted.get_mut(word).into_iter().flatten() {
            if *count < USES_MAX && within.start <= at && at + word.len() <= within.end {
                *count += 1;
                found.push(at);
            }
        }
    });
    found
}

/// Where a name stands by itself.
fn occurrences_of(bytes: &[u8], name: &str, within: &Span) -> impl Iterator<Item = usize> {
    let own = bytes.get(within.clone()).unwrap_or_default();
    let (start, length) = (within.start, name.len());
    let is_alone = move |at: &usize| {
        !at.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(|byte| is_part(*byte))
            && !bytes.get(at + length).is_some_and(|byte| is_part(*byte))
    };
    memmem::find_iter(own, name.as_bytes())
        .map(move |at| start + at)
        .filter(is_alone)
        .take(USES_MAX)
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_kotlin_are_open_and_methods_that_give_an_object_are_not() {
        for line in
            ["object Models {", "companion object {", "private object Models : Names() {", "class A {"]
        {
            assert!(is_open(line), "{line}");
        }
        for line in [
            "public object Send(string text, int count) {",
            "object Make<T>(T value) {",
            "public async Task<object> Send() {",
            "object value = new List<object> {",
        ] {
            assert!(!is_open(line), "{line}");
        }
    }
}
