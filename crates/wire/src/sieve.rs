//! JSON on its way, without its long strings: what is left is small enough to be kept and parsed.

/// Longest string that is kept, in bytes as they stand; longer ones become empty.
const STRING_MAX: usize = 1024;
/// Most bytes that are kept.
const KEPT_MAX: usize = 1024 * 1024;

/// Keeps the form of JSON that passes, whatever pictures and sound it carries.
#[derive(Debug, Default)]
pub struct Sieve {
    kept: Vec<u8>,
    /// Where the string that is being read began in `kept`, and how long it is by now.
    string: Option<(usize, usize)>,
    is_escaped: bool,
    is_over: bool,
}

impl Sieve {
    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = if self.string.is_some() { self.inside(bytes) } else { self.outside(bytes) };
        }
    }

    /// Bytes up to the next string.
    fn outside<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = memchr::memchr(b'"', bytes).map_or(bytes.len(), |at| at + 1);
        self.keep(&bytes[..end]);
        if bytes[..end].last() == Some(&b'"') {
            self.string = Some((self.kept.len(), 0));
        }
        &bytes[end..]
    }

    /// Bytes of a string, its closing quote included.
    fn inside<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some((start, length)) = self.string else { return bytes };
        let mut end = 0;
        let mut is_closed = false;
        while end < bytes.len() && !is_closed {
            if std::mem::take(&mut self.is_escaped) {
                end += 1;
                continue;
            }
            match memchr::memchr2(b'"', b'\\', &bytes[end..]) {
                None => end = bytes.len(),
                Some(at) => {
                    end += at;
                    self.is_escaped = bytes[end] == b'\\';
                    is_closed = !self.is_escaped;
                    end += 1;
                }
            }
        }
        let length = length + end;
        if length > STRING_MAX {
            self.kept.truncate(start);
            if is_closed {
                self.keep(b"\"");
            }
        } else {
            self.keep(&bytes[..end]);
        }
        self.string = (!is_closed).then_some((start, length));
        &bytes[end..]
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.kept.len() + bytes.len() > KEPT_MAX {
            self.is_over = true;
        }
        if !self.is_over {
            self.kept.extend_from_slice(bytes);
        }
    }

    /// What was kept; `None` when even that was too much.
    #[must_use]
    pub fn kept(&self) -> Option<&[u8]> {
        (!self.is_over).then_some(&self.kept)
    }

    /// Whether a string has begun and not ended.
    #[must_use]
    pub const fn is_inside_string(&self) -> bool {
        self.string.is_some()
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.string = None;
        self.is_escaped = false;
        self.is_over = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// A value as the sieve leaves it.
    fn shortened(value: &Value) -> Value {
        match value {
            // What stands between the quotes counts, and the closing one.
            Value::String(text) if serde_json::to_string(text).unwrap().len() - 1 > STRING_MAX => json!(""),
            Value::Array(items) => items.iter().map(shortened).collect(),
            Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), shortened(value))).collect(),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn what_is_left_is_the_same_json_without_its_long_strings(
            text in "[a-zA-Z\"\\\\\n\u{e4}\u{1f600}]{0,700}",
            repeats in 0usize..6,
            piece in 1usize..600,
        ) {
            let value = json!({"data": [{"b64_json": text.repeat(repeats), "n": 1}], "a": text, "usage": {"total_tokens": 7}});
            let wire = value.to_string();
            let mut sieve = Sieve::default();
            wire.as_bytes().chunks(piece).for_each(|piece| sieve.push(piece));
            let left: Value = serde_json::from_slice(sieve.kept().unwrap()).unwrap();
            prop_assert_eq!(left, shortened(&value));
        }
    }

    #[test]
    fn a_flood_of_short_values_is_bounded() {
        let mut sieve = Sieve::default();
        (0..KEPT_MAX).for_each(|_| sieve.push(b"1,"));
        assert!(sieve.kept().is_none() && sieve.kept.len() <= KEPT_MAX);
        sieve.clear();
        sieve.push(b"{}");
        assert_eq!(sieve.kept(), Some(&b"{}"[..]));
    }
}
