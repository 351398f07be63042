//! Where a byte of a file stands as people count: lines and characters.

use std::ops::Range;

/// The lines of a text. Lines end with `\n`; a carriage return before it belongs to the line's end.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    text: &'a [u8],
    /// Where each line begins.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Of a file's bytes. Bytes that are no UTF-8 count as one character each that begins none.
    #[must_use]
    pub fn of(text: &'a [u8]) -> Self {
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text).map(|end| end + 1)).collect();
        Self { text, starts }
    }

    /// Line and column of a byte, both from 1; columns are Unicode scalar values.
    #[must_use]
    pub fn place(&self, byte: usize) -> (u32, u32) {
        let byte = byte.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= byte).max(1);
        let before = &self.text[self.starts[line - 1]..byte];
        (count(line), count(characters(before) + 1))
    }

    /// How many lines there are; a text that ends with a line's end has an empty one behind it.
    #[must_use]
    pub fn count(&self) -> u32 {
        count(self.starts.len())
    }

    /// Where a line stands, without its end; `line` is from 1. `None` behind the last one.
    #[must_use]
    pub fn span(&self, line: u32) -> Option<Range<usize>> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        let end = if end > start && self.text[end - 1] == b'\r' { end - 1 } else { end };
        Some(start..end)
    }

    /// The text of a line, without its end; empty behind the last one.
    #[must_use]
    pub fn text(&self, line: u32) -> &'a [u8] {
        self.span(line).map_or(&[], |span| &self.text[span])
    }
}

/// Bytes that begin a character.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xc0) != 0x80).count()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_keep_their_ends_apart() {
        let text = "a\r\näö = \"x\"\n\nlast".as_bytes();
        let lines = Lines::of(text);
        assert_eq!(lines.place(0), (1, 1));
        assert_eq!(lines.place("a\r\näö = ".len()), (2, 6));
        assert_eq!(lines.place(text.len()), (4, 5));
        assert_eq!(lines.place(text.len() + 9), (4, 5));
        assert_eq!(lines.text(1), b"a");
        assert_eq!(lines.text(2), "äö = \"x\"".as_bytes());
        assert_eq!((lines.text(3), lines.text(4), lines.text(5)), (&b""[..], &b"last"[..], &b""[..]));
        assert_eq!((lines.count(), lines.span(0)), (4, None));
    }

    #[test]
    fn a_text_without_anything_has_one_line() {
        let lines = Lines::of(b"");
        assert_eq!((lines.count(), lines.place(0), lines.text(1)), (1, (1, 1), &b""[..]));
    }
}
