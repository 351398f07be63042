//! Just enough Rust to count by: comments and literals blanked, functions and test modules found.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// Line of the `fn`, from 1.
    pub(super) line: usize,
    /// Lines from the `fn` to the closing brace.
    pub(super) lines: usize,
    /// Whether an attribute above it ends in `test` or `test(…)`.
    pub(super) is_test: bool,
}

/// The text with everything inside comments, strings and character literals replaced by blanks; line breaks stay.
pub(super) fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end == at {
            at += 1;
            continue;
        }
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none begins there.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let previous_is_word = at > 0 && is_word(bytes[at - 1]);
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return block_comment_end(bytes, at);
    }
    match rest[0] {
        b'"' => quoted_end(bytes, at + 1),
        b'r' if !previous_is_word => raw_end(bytes, at).unwrap_or(at),
        b'b' if !previous_is_word && rest.get(1) == Some(&b'r') => raw_end(bytes, at + 1).unwrap_or(at),
        b'\'' => character_end(rest).map_or(at, |length| at + length),
        _ => at,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn block_comment_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn quoted_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of `r"…"` or `r#"…"#` whose `r` is at `at`; `None` if it is a plain name.
fn raw_end(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    let open = at + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let found = bytes[open + 1..].windows(close.len()).position(|window| window == close);
    Some(found.map_or(bytes.len(), |index| open + 1 + index + close.len()))
}

/// The length of a character literal; `None` for a lifetime.
fn character_end(rest: &[u8]) -> Option<usize> {
    let second = *rest.get(1)?;
    let from = if second == b'\\' { 3 } else { 2 };
    let window = rest.get(from..rest.len().min(from + 10))?;
    let close = window.iter().position(|byte| *byte == b'\'')?;
    // `'a, 'b'`-like text of lifetimes: a plain character is one character long.
    let length = std::str::from_utf8(rest.get(1..from + close)?).ok()?.chars().count();
    (second == b'\\' || length == 1).then_some(from + close + 1)
}

/// Every function with a body. `code` is what [`blank`] made.
pub(super) fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(index) = code[from..].find("fn ") {
        let at = from + index;
        from = at + 3;
        if at > 0 && is_word(code.as_bytes()[at - 1]) {
            continue;
        }
        let name: String = code[from..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let Some((_, end)) = body(code, from).filter(|_| !name.is_empty()) else { continue };
        let line = line_of(code, at);
        found.push(Function {
            name,
            line,
            lines: line_of(code, end) - line + 1,
            is_test: has_test_attribute(code, at),
        });
    }
    found
}

/// The first braces after `from`, unless a semicolon ends the signature before them.
fn body(code: &str, from: usize) -> Option<(usize, usize)> {
    let mut nested = 0i32;
    for (index, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested -= 1,
            b';' if nested == 0 => return None,
            b'{' if nested == 0 => return Some((index, closing(code, index)?)),
            _ => {}
        }
    }
    None
}

/// The brace that closes the one at `open`.
fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (index, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(index),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn has_test_attribute(code: &str, at: usize) -> bool {
    // Not `lines()`: it would drop an empty last line, which is the function's own when it is not indented.
    let mut lines = code[..at].split('\n').rev();
    let _own_line = lines.next();
    lines
        .map(str::trim)
        .take_while(|line| line.is_empty() || line.starts_with("#[") || line.ends_with(']'))
        .any(|line| line.strip_prefix("#[").is_some_and(is_test_attribute))
}

/// `test]`, `tokio::test]`, `tokio::test(start_paused = true)]`.
fn is_test_attribute(attribute: &str) -> bool {
    let path = attribute.split(['(', ']']).next().unwrap_or_default();
    path.rsplit("::").next() == Some("test")
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// First and last line of each `#[cfg(test)]` item with braces; both from 1.
pub(super) fn test_blocks(code: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("#[cfg(test)]") {
        let Some((_, end)) = body(code, at + "#[cfg(test)]".len()) else { continue };
        found.push((line_of(code, at), line_of(code, end)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_hide_their_braces() {
        let text = "fn a<'x>(s: &'x str) { // {\n let _ = \"{ \\\" {\"; let _ = '{'; let _ = r#\"{\"#; /* { /* { */ */ }\n";
        let code = blank(text);
        assert_eq!(code.matches('{').count(), 1, "{code}");
        assert_eq!(code.len(), text.len());
        assert_eq!(functions(&code).len(), 1);
    }

    #[test]
    fn lifetimes_are_not_character_literals() {
        let code = blank("fn f<'a, 'b>(x: &'a str, y: &'b str) -> Vec<&'static str> { vec!['é'.into()] }");
        assert!(code.contains("'a, 'b") && code.contains("'static") && !code.contains('é'), "{code}");
    }

    #[test]
    fn functions_are_found_with_their_length_and_kind() {
        let code = blank(
            "trait T {\n fn no_body(&self);\n}\n#[tokio::test(start_paused = true)]\nasync fn three_word_name() {\n\n}\n",
        );
        let found = functions(&code);
        let wanted = Function { name: "three_word_name".to_owned(), line: 5, lines: 3, is_test: true };
        assert_eq!(found, [wanted]);
    }

    #[test]
    fn test_modules_are_found_and_plain_ones_are_not() {
        let code = blank("mod a {}\n#[cfg(test)]\nmod tests {\n fn x() {}\n}\n#[cfg(test)]\nmod more;\n");
        assert_eq!(test_blocks(&code), [(2, 5)]);
    }
}
