//! Walks JSON once, front to back, without building anything: whoever walks says at each member what to do
//! with its value. For answers of which a few members are wanted and every byte should be looked at once.

use std::borrow::Cow;

use crate::scan::{ScanError, find_quote_or_escape, skip_space, skip_string, skip_value, string_of};

/// Most members of an object and items of an array that are walked through.
const ITEMS_MAX: usize = 65_536;

/// A place in a JSON text, before a value.
pub(crate) struct Walk<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    /// Begins before the first value of `text`.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: skip_space(text, 0) }
    }

    /// Where the walk stands.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The first byte of the next value.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The text that was walked over since the walk stood at `start`.
    pub(crate) fn passed_since(&self, start: usize) -> &'a [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Whether nothing but white space is left.
    pub(crate) fn is_at_end(&self) -> bool {
        skip_space(self.text, self.at) == self.text.len()
    }

    /// Walks through an object: `each` gets every member's name, and must take or skip its value. A value that
    /// is no object is skipped.
    ///
    /// # Errors
    /// When the text does not go on as JSON does.
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, &[u8]) -> Result<(), ScanError>,
    ) -> Result<(), ScanError> {
        if !self.enter(b'{', b'}')? {
            return Ok(());
        }
        for _ in 0..ITEMS_MAX {
            let name = self.name()?;
            each(self, &name)?;
            if !self.goes_on(b'}', "`,` or `}`")? {
                return Ok(());
            }
        }
        Err(ScanError { at: self.at, expected: "fewer members" })
    }

    /// Walks through an array: `each` must take or skip every item. A value that is no array is skipped.
    ///
    /// # Errors
    /// When the text does not go on as JSON does.
    pub(crate) fn array(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), ScanError>,
    ) -> Result<(), ScanError> {
        if !self.enter(b'[', b']')? {
            return Ok(());
        }
        for _ in 0..ITEMS_MAX {
            each(self)?;
            if !self.goes_on(b']', "`,` or `]`")? {
                return Ok(());
            }
        }
        Err(ScanError { at: self.at, expected: "fewer items" })
    }

    /// Takes a value that is text; `None` (and the value skipped) when it is anything else.
    ///
    /// # Errors
    /// When there is no value.
    pub(crate) fn text(&mut self) -> Result<Option<Cow<'a, str>>, ScanError> {
        if self.text.get(self.at) != Some(&b'"') {
            return self.skip().map(|_| None);
        }
        let start = self.at + 1;
        let end = find_quote_or_escape(self.text, start);
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(std::str::from_utf8(&self.text[start..end]).ok().map(Cow::Borrowed));
        }
        self.at = skip_string(self.text, start - 1)?;
        Ok(string_of(&self.text[start..self.at - 1]))
    }

    /// Takes a value that is a whole number; `None` (and the value skipped) when it is anything else.
    ///
    /// # Errors
    /// When there is no value.
    pub(crate) fn number(&mut self) -> Result<Option<u64>, ScanError> {
        let value = self.skip()?;
        let mut number = 0_u64;
        for byte in value {
            let digit = byte.wrapping_sub(b'0');
            let more = number.checked_mul(10).and_then(|number| number.checked_add(u64::from(digit)));
            match more {
                Some(more) if digit < 10 => number = more,
                _ => return Ok(None),
            }
        }
        Ok(Some(number))
    }

    /// Skips a value and returns its text.
    ///
    /// # Errors
    /// When there is no value.
    pub(crate) fn skip(&mut self) -> Result<&'a [u8], ScanError> {
        let start = self.at;
        self.at = skip_value(self.text, start)?;
        Ok(&self.text[start..self.at])
    }

    /// Steps before the first member or item; false when there is none, and the value is passed.
    fn enter(&mut self, open: u8, close: u8) -> Result<bool, ScanError> {
        if self.text.get(self.at) != Some(&open) {
            self.skip()?;
            return Ok(false);
        }
        self.at = skip_space(self.text, self.at + 1);
        if self.text.get(self.at) == Some(&close) {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// Steps over what stands after a value: true when another follows.
    fn goes_on(&mut self, close: u8, expected: &'static str) -> Result<bool, ScanError> {
        let at = skip_space(self.text, self.at);
        let Some(byte) = self.text.get(at) else { return Err(ScanError { at, expected }) };
        if *byte == b',' {
            self.at = skip_space(self.text, at + 1);
            Ok(true)
        } else if *byte == close {
            self.at = at + 1;
            Ok(false)
        } else {
            Err(ScanError { at, expected })
        }
    }

    /// Takes a member's name and steps before its value.
    fn name(&mut self) -> Result<Cow<'a, [u8]>, ScanError> {
        const EXPECTED: &str = "a member's name in quotes";
        let start = self.at;
        if self.text.get(start) != Some(&b'"') {
            return Err(ScanError { at: start, expected: EXPECTED });
        }
        let end = find_quote_or_escape(self.text, start + 1);
        let (name, end) = if self.text.get(end) == Some(&b'"') {
            (Cow::Borrowed(&self.text[start + 1..end]), end + 1)
        } else {
            let end = skip_string(self.text, start)?;
            let name = string_of(&self.text[start + 1..end - 1])
                .ok_or(ScanError { at: start, expected: EXPECTED })?;
            (Cow::Owned(name.into_owned().into_bytes()), end)
        };
        let colon = skip_space(self.text, end);
        if self.text.get(colon) != Some(&b':') {
            return Err(ScanError { at: colon, expected: "`:`" });
        }
        self.at = skip_space(self.text, colon + 1);
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_takes_what_is_wanted_and_skips_the_rest() {
        let text = br#" {"a":{"b":[1, 22 ,"x"],"c":null},"n\u0061me":"v\n","last":18446744073709551615 } "#;
        let (mut numbers, mut name, mut last) = (Vec::new(), None, None);
        let mut walk = Walk::new(text);
        walk.object(|walk, key| match key {
            b"a" => walk.object(|walk, key| match key {
                b"b" => walk.array(|walk| {
                    numbers.push(walk.number()?);
                    Ok(())
                }),
                _ => walk.skip().map(drop),
            }),
            b"name" => {
                name = walk.text()?.map(Cow::into_owned);
                Ok(())
            }
            b"last" => {
                last = walk.number()?;
                Ok(())
            }
            _ => walk.skip().map(drop),
        })
        .unwrap();
        assert!(walk.is_at_end());
        assert_eq!(numbers, [Some(1), Some(22), None]);
        assert_eq!(name.as_deref(), Some("v\n"));
        assert_eq!(last, Some(u64::MAX));
    }

    #[test]
    fn a_value_of_another_kind_is_skipped() {
        let mut walk = Walk::new(b"[1]");
        walk.object(|_, _| panic!("there are no members")).unwrap();
        assert!(walk.is_at_end());
        for (text, expected) in [("-1", None), ("1.5", None), ("18446744073709551616", None), ("7", Some(7))]
        {
            assert_eq!(Walk::new(text.as_bytes()).number().unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_broken_off_is_an_error() {
        for text in ["", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1]", "[1,2", "[1 2]"] {
            let mut walk = Walk::new(text.as_bytes());
            let object = walk.object(|walk, _| walk.skip().map(drop));
            let array = Walk::new(text.as_bytes()).array(|walk| walk.skip().map(drop));
            assert!(object.is_err() || array.is_err(), "{text}");
        }
    }
}
