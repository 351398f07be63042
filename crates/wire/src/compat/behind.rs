//! The items of a list from its end: what the last turns tell is found without reading those before.
//!
//! Quotes tell strings apart backwards too: inside a string each has an odd number of backslashes before it, and the one
//! that opens it has none. That holds for JSON; of what is none, the items found may differ from those found forwards.

use std::ops::Range;

use memchr::memrchr;

/// The items of the list at `list`, the last first; none where it is no list.
pub(crate) fn items(body: &[u8], list: Range<usize>) -> Items<'_> {
    let text = body.get(..list.end).unwrap_or_default();
    let is_list = text.get(list.start) == Some(&b'[') && text.last() == Some(&b']');
    // Both brackets, which are one byte only where there is but one.
    let is_list = is_list && list.len() > 1;
    Items { text, start: list.start + 1, end: if is_list { list.end - 1 } else { list.start } }
}

/// The items of a list, from its end. Each is found when it is asked for.
pub(crate) struct Items<'a> {
    text: &'a [u8],
    /// Behind the bracket that opens the list.
    start: usize,
    /// Behind what was not given yet.
    end: usize,
}

impl Iterator for Items<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let end = self.before_space(self.end)?;
        let begin = self.value(end)?;
        let comma = self.before_space(begin).unwrap_or(self.start);
        let is_next = comma > self.start && self.text[comma - 1] == b',';
        self.end = if is_next { comma - 1 } else { self.start };
        Some(begin..end)
    }
}

impl Items<'_> {
    /// The end of what stands before white space; `None` at the start of the list.
    fn before_space(&self, end: usize) -> Option<usize> {
        let text = self.text.get(self.start..end)?;
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        text.iter().rposition(|byte| !is_space(byte)).map(|at| self.start + at + 1)
    }

    /// Where the value begins that ends at `end`.
    fn value(&self, end: usize) -> Option<usize> {
        match self.text.get(end.checked_sub(1)?)? {
            b'"' => self.string(end - 1),
            b'}' | b']' => self.nested(end),
            _ => {
                let text = self.text.get(self.start..end)?;
                let is_literal =
                    |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E');
                let length = text.iter().rev().take_while(|byte| is_literal(byte)).count();
                (length > 0).then(|| end - length)
            }
        }
    }

    /// The quote that opens the string which the quote at `close` ends.
    fn string(&self, close: usize) -> Option<usize> {
        let mut before = close;
        loop {
            let text = self.text.get(self.start..before)?;
            let quote = memrchr(b'"', text)?;
            let escapes = text[..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
            before = self.start + quote;
            if escapes % 2 == 0 {
                return Some(before);
            }
        }
    }

    /// The bracket that opens the object or list which ends at `end`.
    fn nested(&self, end: usize) -> Option<usize> {
        let (mut depth, mut here) = (0_usize, end);
        while here > self.start {
            here -= 1;
            match self.text[here] {
                b'"' => here = self.string(here)?,
                b'}' | b']' => depth += 1,
                b'{' | b'[' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(here);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::place;
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
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[\"\\\\a-c]{0,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn items_from_behind_are_those_from_the_front(
            list in prop::collection::vec(json(), 0..6),
            pretty: bool,
            before in "[ a]{0,3}",
        ) {
            let value = Value::from(list);
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = format!("{before}{}", text.unwrap());
            let range = before.len()..text.len();
            let mut forwards: Vec<_> = place::items(text.as_bytes(), range.clone()).collect();
            forwards.reverse();
            prop_assert_eq!(items(text.as_bytes(), range).collect::<Vec<_>>(), forwards);
        }

        #[test]
        fn hostile_bytes_never_hold_a_search_from_behind(
            bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'\\'), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b','), any::<u8>()], 0..60),
        ) {
            let text = [b"[", bytes.as_slice(), b"]"].concat();
            let found: Vec<_> = items(&text, 0..text.len()).collect();
            prop_assert!(found.iter().all(|item| item.start < item.end && item.end < text.len()));
            prop_assert!(found.is_sorted_by(|later, before| before.end <= later.start));
        }
    }

    #[test]
    fn what_is_no_list_has_no_items_from_behind() {
        for text in ["{}", "[", "]", "\"[]\"", "1", ""] {
            assert_eq!(items(text.as_bytes(), 0..text.len()).next(), None, "{text}");
        }
        assert_eq!(items(b"[1, \"a]\" ]", 0..10).collect::<Vec<_>>(), [4..8, 1..2]);
    }
}
