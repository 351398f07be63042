//! Where a word begins and ends in bytes, by the rules of names of models.

use std::ops::Range;

/// At most this many bytes are looked at on either side of a stem.
const REACH: usize = 192;

/// Bytes that stand within a name.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Bytes that stand between the parts of a decorated name.
const fn is_joint(byte: u8) -> bool {
    matches!(byte, b'/' | b':' | b'@')
}

fn before(text: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1).and_then(|at| text.get(at)).copied()
}

/// The longest run of a name's bytes around a stem.
pub(super) fn core(text: &[u8], stem: Range<usize>) -> Range<usize> {
    let least = stem.start.saturating_sub(REACH);
    let mut start = stem.start;
    while start > least && is_word(text[start - 1]) {
        start -= 1;
    }
    // The letter of an escape such as `\n` is none of the word's.
    if before(text, start) == Some(b'\\') && start < stem.start && matches!(text[start], b'n' | b't' | b'r') {
        start += 1;
    }
    // `${MODEL:-gpt-4o}`: the dash is the shell's.
    if start < stem.start && text[start] == b'-' && before(text, start) == Some(b':') {
        start += 1;
    }
    let most = text.len().min(stem.end + REACH);
    let mut end = stem.end;
    while end < most && is_word(text[end]) {
        end += 1;
    }
    start..end
}

/// A point behind a name ends a sentence.
pub(super) fn trimmed(text: &[u8], core: Range<usize>) -> Range<usize> {
    let mut end = core.end;
    while end > core.start && text[end - 1] == b'.' {
        end -= 1;
    }
    core.start..end
}

/// Whether a word may begin here: what stands before is no letter of a word in any script.
pub(super) fn begins(text: &[u8], at: usize) -> bool {
    before(text, at).is_none_or(|byte| !is_word(byte) && byte < 0x80)
        || is_escaped(text, at)
        || (at >= 2 && text[at - 2..at] == *b":-")
}

/// Whether what stands before is the letter of an escape such as `\n`.
fn is_escaped(text: &[u8], at: usize) -> bool {
    at >= 2 && text[at - 2] == b'\\' && matches!(text[at - 1], b'n' | b't' | b'r')
}

/// The beginning of a name that goes on at run time: `gpt-` of `"gpt-" + size`, `claude-` of `f"claude-{line}"`.
pub(super) fn prefix(text: &[u8], core: &Range<usize>, stem: usize) -> Option<Range<usize>> {
    let next = *text.get(core.end)?;
    let is_put_in = match next {
        b'{' => true,
        b'$' | b'#' => matches!(text.get(core.end + 1), Some(b'{' | b'(')) || next == b'$',
        b'%' => matches!(text.get(core.end + 1), Some(b's' | b'd' | b'v' | b'(' | b'{')),
        _ => false,
    };
    let is_open = text[core.end - 1] == b'-';
    let is_cut = is_open && matches!(next, b'"' | b'\'' | b'`');
    // `f"{x}gpt-"`, `.gpt-{`: only where the family begins the name, or stands behind its maker.
    let is_begin = stem == core.start || text[stem - 1] == b'.';
    // Programs of a shell write `gpt-4o$` in patterns.
    let is_telling = text[core.clone()].contains(&b'-')
        && (is_open || next != b'$' || text.get(core.end + 1) == Some(&b'{'));
    ((is_put_in || is_cut) && is_begin && is_telling && begins(text, core.start)).then(|| core.clone())
}

/// The name with more or less of what stands around it, the longest first.
pub(super) fn decorated(text: &[u8], core: &Range<usize>) -> Vec<Range<usize>> {
    let least = core.start.saturating_sub(REACH);
    let mut starts = Vec::new();
    let mut at = core.start;
    while at > least && (is_word(text[at - 1]) || is_joint(text[at - 1])) {
        at -= 1;
        // Cloudflare's names begin with `@cf/`.
        let is_first = is_word(text[at]) || text[at] == b'@';
        let is_start = is_first && before(text, at).is_none_or(|byte| !is_word(byte));
        if is_start || is_escaped(text, at) {
            starts.push(at);
        }
    }
    // Longest first; the core itself last.
    starts.reverse();
    if begins(text, core.start) {
        starts.push(core.start);
    }
    let ends = ends(text, core.end);
    let mut all = Vec::with_capacity(starts.len() * ends.len());
    for start in starts.into_iter().filter(|start| begins(text, *start)) {
        all.extend(ends.iter().rev().map(|end| start..*end));
    }
    all
}

/// Where the name may end: at the core's end, or behind one or more parts such as `@20250929`, `:0`, `[1m]`.
fn ends(text: &[u8], core_end: usize) -> Vec<usize> {
    let mut ends = vec![core_end];
    if text[core_end..].starts_with(b"[1m]") {
        ends.push(core_end + 4);
    }
    let most = text.len().min(core_end + REACH);
    let mut at = core_end;
    while at < most && matches!(text[at], b':' | b'@') {
        let joint = at;
        // `ft:gpt-4o:org::id` has an empty part.
        while at < most && text[at] == b':' && at - joint < 2 || at == joint {
            at += 1;
        }
        let part = at;
        while at < most && is_word(text[at]) {
            at += 1;
        }
        let mut end = at;
        while end > part && text[end - 1] == b'.' {
            end -= 1;
        }
        if end == part {
            break;
        }
        ends.push(end);
    }
    ends
}

/// The dotted or `::`-joined name that an identifier ends: `ChatModel.GPT_4O`, `ChatModel::GPT_4O`.
pub(super) fn qualified(text: &[u8], core: &Range<usize>) -> Range<usize> {
    let least = core.start.saturating_sub(REACH);
    let mut start = core.start;
    while start > least && (is_word(text[start - 1]) || text[start - 1] == b':') {
        start -= 1;
    }
    while start < core.start && !text[start].is_ascii_alphanumeric() {
        start += 1;
    }
    start..core.end
}

/// Whether a word is a part of a path: a folder's or file's name.
pub(super) fn is_path(text: &[u8], core: &Range<usize>) -> bool {
    if text.get(core.end) == Some(&b'/') {
        return true;
    }
    if before(text, core.start) != Some(b'/') {
        return false;
    }
    let mut start = core.start - 1;
    while start > 0 && is_word(text[start - 1]) {
        start -= 1;
    }
    let word = std::str::from_utf8(&text[start..core.start - 1]).unwrap_or_default();
    !crate::scan::names::decoration::is_prefix(word)
}

/// A short name with its decorations, where it is a value by itself: between quotes, or all of a scalar.
pub(super) fn value(text: &[u8], at: Range<usize>) -> Option<Range<usize>> {
    let mut start = at.start;
    let least = start.saturating_sub(REACH);
    while start > least && (is_word(text[start - 1]) || matches!(text[start - 1], b'/' | b':')) {
        start -= 1;
    }
    // The nearest joint must stand right before the name.
    if start < at.start && !matches!(text[at.start - 1], b'/' | b':') {
        return None;
    }
    if text.get(at.end).is_some_and(|byte| is_word(*byte) || *byte >= 0x80) {
        return None;
    }
    // `key:o3`: what stands before the colon is no decoration.
    let opening = before(text, start);
    // `\"o3\"` within a text in quotes.
    let closing = match text.get(at.end) {
        Some(b'\\') => text.get(at.end + 1),
        other => other,
    };
    let closing = closing.copied();
    let is_quoted = matches!(opening, Some(b'"' | b'\'' | b'`')) && closing == opening;
    let is_tagged = opening == Some(b'>') && closing == Some(b'<');
    (is_quoted || is_tagged || is_scalar(text, &(start..at.end))).then_some(start..at.end)
}

/// Whether a word is all of what stands behind `:`, `=` or `-` on its line, or an item of a list in brackets.
fn is_scalar(text: &[u8], word: &Range<usize>) -> bool {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut at = word.start;
    while at > 0 && blank(&text[at - 1]) {
        at -= 1;
    }
    let opens = match before(text, at) {
        Some(b':' | b'-') => at < word.start || (at >= 2 && text[at - 2..at] == *b":-"),
        Some(b'=') => true,
        Some(b',' | b'[') => true,
        _ => false,
    };
    let mut end = word.end;
    while text.get(end).is_some_and(blank) {
        end += 1;
    }
    opens && matches!(text.get(end), None | Some(b'\n' | b'\r' | b',' | b']' | b'}' | b'#'))
}

/// A name of an interface: no word goes on before or behind it.
pub(super) fn interface(text: &[u8], at: Range<usize>) -> Option<Range<usize>> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let opens = !is_letter(text[at.start]) || before(text, at.start).is_none_or(|byte| !is_letter(byte));
    let closes = !is_letter(text[at.end - 1]) || text.get(at.end).is_none_or(|byte| !is_letter(*byte));
    (opens && closes).then_some(at)
}
