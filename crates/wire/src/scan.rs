//! Finds the top-level members of a JSON object without building anything.
//!
//! The fast path needs to know where `model` and `stream` stand in a request, not what the prompt says: a
//! scan with `memchr` costs a tenth of a parse. It is no validator: bytes that it skips may still be refused
//! by the vendor, who gets them as they came.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::memchr;

/// Deepest nesting that is followed; real requests stay below 40.
const DEPTH_MAX: usize = 512;
/// Members of a usual request: room for them is made at once.
const MEMBERS_USUAL: usize = 12;
/// Most top-level members; the largest request known has fewer than 60.
const MEMBERS_MAX: usize = 512;

/// One top-level member: where its key's text (without quotes) and its value stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    key: [u32; 2],
    value: [u32; 2],
}

impl Member {
    /// Where the key's text stands, escapes included.
    #[must_use]
    pub const fn key(&self) -> Range<usize> {
        self.key[0] as usize..self.key[1] as usize
    }

    /// Where the value's text stands.
    #[must_use]
    pub const fn value(&self) -> Range<usize> {
        self.value[0] as usize..self.value[1] as usize
    }
}

/// The members of one object and where its closing brace stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Members in the order they are written.
    pub list: Vec<Member>,
    /// Index of the closing brace.
    pub close: usize,
    /// Some key is written with escapes, so that names must be decoded to be compared.
    has_escapes: bool,
}

/// Why bytes are not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanError {
    /// Index of the byte that does not fit.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for ScanError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "expected {} at byte {}", self.expected, self.at)
    }
}

impl std::error::Error for ScanError {}

/// Finds the members of the object that `body` is.
///
/// # Errors
/// When `body` is not one JSON object with nothing but white space around it, as far as the scan looks.
pub fn members(body: &[u8]) -> Result<Members, ScanError> {
    let mut has_escapes = false;
    let mut list = Vec::with_capacity(MEMBERS_USUAL);
    let close = each_member(body, |key, value| {
        has_escapes |= body[key.clone()].contains(&b'\\');
        list.push(Member {
            key: [key.start as u32, key.end as u32],
            value: [value.start as u32, value.end as u32],
        });
    })?;
    Ok(Members { list, close, has_escapes })
}

/// Calls `see` with where each member's key (without quotes) and value stand, in their order, and gives the index of the
/// closing brace. Nothing that was seen counts where the whole turns out to be no object.
///
/// # Errors
/// As [`members`].
pub(crate) fn each_member(
    body: &[u8],
    mut see: impl FnMut(Range<usize>, Range<usize>),
) -> Result<usize, ScanError> {
    if u32::try_from(body.len()).is_err() {
        return Err(ScanError { at: 0, expected: "less than 4 GiB" });
    }
    let mut at = skip_space(body, 0);
    expect(body, at, b'{', "`{`")?;
    at = skip_space(body, at + 1);
    let mut count = 0;
    if body.get(at) != Some(&b'}') {
        loop {
            expect(body, at, b'"', "a member's name in quotes")?;
            let end = skip_string(body, at)?;
            let key = at + 1..end - 1;
            at = skip_space(body, end);
            expect(body, at, b':', "`:`")?;
            let start = skip_space(body, at + 1);
            at = skip_value(body, start)?;
            if count == MEMBERS_MAX {
                return Err(ScanError { at: key.start, expected: "at most 512 members" });
            }
            count += 1;
            see(key, start..at);
            at = skip_space(body, at);
            match body.get(at) {
                Some(b',') => at = skip_space(body, at + 1),
                Some(b'}') => break,
                _ => return Err(ScanError { at, expected: "`,` or `}`" }),
            }
        }
    }
    let close = at;
    let end = skip_space(body, close + 1);
    if end == body.len() {
        Ok(close)
    } else {
        Err(ScanError { at: end, expected: "nothing after the object" })
    }
}

impl Members {
    /// The value of the member of that name. Among several the last, as JSON parsers have it.
    #[must_use]
    pub fn get<'a>(&self, body: &'a [u8], name: &str) -> Option<&'a [u8]> {
        self.find(body, name).map(|member| &body[member.value()])
    }

    /// The member of that name. Among several the last.
    #[must_use]
    pub fn find(&self, body: &[u8], name: &str) -> Option<&Member> {
        self.list.iter().rev().find(|member| self.is_key(&body[member.key()], name))
    }

    /// The first of these names that stands there more than once.
    #[must_use]
    pub fn first_repeated<const N: usize>(
        &self,
        body: &[u8],
        names: [&'static str; N],
    ) -> Option<&'static str> {
        let mut counts = [0_u32; N];
        for member in &self.list {
            let key = &body[member.key()];
            if let Some(at) = names.iter().position(|name| self.is_key(key, name)) {
                counts[at] += 1;
            }
        }
        counts.iter().position(|count| *count > 1).and_then(|at| names.get(at).copied())
    }

    /// Compares a key as written with a name. A key with escapes is decoded first: as written it could equal a
    /// name that has backslashes of its own.
    fn is_key(&self, written: &[u8], name: &str) -> bool {
        if self.has_escapes && written.contains(&b'\\') {
            string_of(written).is_some_and(|decoded| decoded == name)
        } else {
            written == name.as_bytes()
        }
    }
}

/// The text of a JSON string given without its quotes; `None` when it is not valid.
#[must_use]
pub fn string_of(inner: &[u8]) -> Option<Cow<'_, str>> {
    if !inner.contains(&b'\\') {
        return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
    }
    let mut quoted = Vec::with_capacity(inner.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(inner);
    quoted.push(b'"');
    serde_json::from_slice::<String>(&quoted).ok().map(Cow::Owned)
}

/// The text of a JSON string given with its quotes; `None` when the value is no string.
#[must_use]
pub fn text_value(value: &[u8]) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    string_of(inner)
}

fn expect(body: &[u8], at: usize, byte: u8, expected: &'static str) -> Result<(), ScanError> {
    if body.get(at) == Some(&byte) { Ok(()) } else { Err(ScanError { at, expected }) }
}

/// The index of the first byte at or after `at` that is no JSON white space.
#[must_use]
pub fn skip_space(body: &[u8], mut at: usize) -> usize {
    while matches!(body.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// The index after the string that begins (with its quote) at `at`.
///
/// # Errors
/// When the string does not end.
pub fn skip_string(body: &[u8], at: usize) -> Result<usize, ScanError> {
    let mut from = at + 1;
    loop {
        let Some(quote) = find_quote(body, from) else {
            return Err(ScanError { at: body.len(), expected: "the end of a string" });
        };
        // Looking back from a quote is cheaper than stopping at every backslash: text is full of `\n`.
        let run = body[at + 1..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
        if run % 2 == 0 {
            return Ok(quote + 1);
        }
        from = quote + 1;
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of every byte that equals `byte`, right up to the first such byte.
const fn equal(word: u64, byte: u8) -> u64 {
    let differing = word ^ (ONES * byte as u64);
    differing.wrapping_sub(ONES) & !differing & HIGHS
}

/// The eight bytes at `at`, the first the lowest.
fn word_at(body: &[u8], at: usize) -> Option<u64> {
    body.get(at..at + 8).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()).map(u64::from_le_bytes)
}

/// The next quote or backslash, or the end.
pub(crate) fn find_quote_or_escape(body: &[u8], mut from: usize) -> usize {
    while let Some(word) = word_at(body, from) {
        let hits = equal(word, b'"') | equal(word, b'\\');
        if hits != 0 {
            return from + (hits.trailing_zeros() / 8) as usize;
        }
        from += 8;
    }
    let rest = body.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len())
}

/// The next byte that cannot stand in a JSON string as it is (a quote, a backslash, a control character), or the end.
pub(crate) fn find_unwritable(body: &[u8], mut from: usize) -> usize {
    while let Some(word) = word_at(body, from) {
        // As in `equal`, right up to the first byte below a space.
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let hits = controls | equal(word, b'"') | equal(word, b'\\');
        if hits != 0 {
            return from + (hits.trailing_zeros() / 8) as usize;
        }
        from += 8;
    }
    let rest = body.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// The next quote. Names and short values, the most of all strings, are looked through eight bytes at a time
/// in place; only longer text is worth the call of a vectorised search.
fn find_quote(body: &[u8], mut from: usize) -> Option<usize> {
    for _ in 0..3 {
        let Some(word) = word_at(body, from) else { break };
        let hits = equal(word, b'"');
        if hits != 0 {
            return Some(from + (hits.trailing_zeros() / 8) as usize);
        }
        from += 8;
    }
    body.get(from..).and_then(|rest| memchr(b'"', rest)).map(|found| from + found)
}

/// The index after the value that begins at `at`.
///
/// # Errors
/// When there is no value there or it does not end.
pub fn skip_value(body: &[u8], at: usize) -> Result<usize, ScanError> {
    match body.get(at) {
        Some(b'"') => skip_string(body, at),
        Some(b'{') => skip_nested(body, at, b'{', b'}'),
        Some(b'[') => skip_nested(body, at, b'[', b']'),
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            let rest = &body[at..];
            let length = rest
                .iter()
                .position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E'))
                .unwrap_or(rest.len());
            Ok(at + length)
        }
        _ => Err(ScanError { at, expected: "a value" }),
    }
}

/// Skips an object or an array by counting its own brackets: those of the other kind balance in between.
fn skip_nested(body: &[u8], at: usize, open: u8, close: u8) -> Result<usize, ScanError> {
    let mut depth = 0_usize;
    let mut here = at;
    // Byte by byte: outside strings the next bracket or quote is one or two bytes away.
    while let Some(byte) = body.get(here) {
        if *byte == b'"' {
            here = skip_string(body, here)?;
            continue;
        }
        if *byte == open {
            depth += 1;
            if depth > DEPTH_MAX {
                return Err(ScanError { at: here, expected: "at most 512 levels" });
            }
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return Ok(here + 1);
            }
        }
        here += 1;
    }
    Err(ScanError { at: body.len(), expected: "the end of an object or array" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[\"\\\\{}\\[\\],:a\u{e9}\n]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[\"\\\\a-c]{0,3}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn scan_finds_the_members_that_a_parser_finds(map in prop::collection::btree_map("[\"\\\\a-d]{0,4}", json(), 0..6), pretty: bool) {
            let value = Value::Object(map.into_iter().collect());
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let found = members(text.as_bytes()).unwrap();
            // Parsed again, because a float may change its last digit on the first way through text.
            let value: Value = serde_json::from_str(&text).unwrap();
            let object = value.as_object().unwrap();
            prop_assert_eq!(found.list.len(), object.len());
            for (name, expected) in object {
                let slice = found.get(text.as_bytes(), name).unwrap();
                prop_assert_eq!(&serde_json::from_slice::<Value>(slice).unwrap(), expected);
            }
        }

        #[test]
        fn a_search_by_words_stops_where_one_by_bytes_does(
            bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), Just(b'#'), Just(b'['), Just(0xa2), Just(0x1f), Just(b' '), any::<u8>()], 0..40),
            from in 0usize..40,
        ) {
            let rest = bytes.get(from..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len());
            prop_assert_eq!(find_quote_or_escape(&bytes, from), from + plain);
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
            prop_assert_eq!(find_unwritable(&bytes, from), from + plain);
            prop_assert_eq!(find_quote(&bytes, from), rest.iter().position(|byte| *byte == b'"').map(|at| from + at));
        }

        #[test]
        fn scan_of_hostile_bytes_never_panics(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b','), Just(b':'), any::<u8>()], 0..60)) {
            let _ = members(&bytes);
        }
    }

    #[test]
    fn escaped_and_repeated_names_are_seen() {
        let body = br#"{"mod\u0065l":"a","model":"b"}"#;
        let found = members(body).unwrap();
        assert_eq!(found.first_repeated(body, ["stream", "model"]), Some("model"));
        assert_eq!(found.get(body, "model"), Some(&b"\"b\""[..]));
    }

    #[test]
    fn a_name_with_backslashes_is_not_taken_for_an_escaped_key() {
        let body = br#"{"\\\\c":1,"\\c":2}"#;
        let found = members(body).unwrap();
        assert_eq!(found.get(body, r"\\c"), Some(&b"1"[..]));
        assert_eq!(found.get(body, r"\c"), Some(&b"2"[..]));
        assert_eq!(found.first_repeated(body, [r"\c", r"\\c"]), None);
    }

    #[test]
    fn what_is_not_one_object_is_refused_with_its_place() {
        for (body, at) in
            [("", 0), ("[]", 0), ("{", 1), ("{\"a\"}", 4), ("{\"a\":}", 5), ("{} x", 3), ("{\"a\":\"b", 7)]
        {
            assert_eq!(members(body.as_bytes()).unwrap_err().at, at, "{body}");
        }
    }
}
