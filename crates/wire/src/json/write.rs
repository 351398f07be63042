//! Writing JSON straight into bytes, without a tree in between.
//!
//! What is written holds no line breaks, so that it can stand in one `data:` line of an event stream.

use std::fmt::Display;
use std::io::Write;

use pilothouse_core::conversation::{Raw, Rest};

use crate::scan::find_unwritable;

/// An object being written. It is closed when dropped, so that it cannot be left open.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    /// Opens an object.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// Writes a member's name; the caller writes its value.
    pub(crate) fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        write_str(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// A member that is text.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        write_str(self.key(name), value);
    }

    /// A member that is text, if there is any.
    pub(crate) fn maybe_text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// A member that is a number.
    pub(crate) fn number(&mut self, name: &str, value: impl Display) {
        // Writing into memory cannot fail.
        let _ = write!(self.key(name), "{value}");
    }

    /// A member that is a number, if there is any.
    pub(crate) fn maybe_number(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.number(name, value);
        }
    }

    /// A member that is true or false.
    pub(crate) fn flag(&mut self, name: &str, value: bool) {
        self.key(name).extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// A member that is null.
    pub(crate) fn null(&mut self, name: &str) {
        self.key(name).extend_from_slice(b"null");
    }

    /// A member that is raw JSON.
    pub(crate) fn raw(&mut self, name: &str, value: &Raw) {
        write_raw(self.key(name), value);
    }

    /// A member that is raw JSON, if there is any.
    pub(crate) fn maybe_raw(&mut self, name: &str, value: Option<&Raw>) {
        if let Some(value) = value {
            self.raw(name, value);
        }
    }

    /// A member that is an object.
    pub(crate) fn object(&mut self, name: &str) -> Object<'_> {
        Object::new(self.key(name))
    }

    /// A member that is an array.
    pub(crate) fn array(&mut self, name: &str) -> Array<'_> {
        Array::new(self.key(name))
    }

    /// Members that were kept unread.
    pub(crate) fn rest(&mut self, rest: &Rest) {
        for (name, value) in rest.iter() {
            self.raw(name, value);
        }
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.out.push(b'}');
    }
}

/// An array being written. It is closed when dropped.
pub(crate) struct Array<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Array<'a> {
    /// Opens an array.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, first: true }
    }

    /// Begins an item; the caller writes it.
    pub(crate) fn item(&mut self) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out
    }

    /// An item that is an object.
    pub(crate) fn object(&mut self) -> Object<'_> {
        Object::new(self.item())
    }

    /// An item that is text.
    pub(crate) fn text(&mut self, value: &str) {
        write_str(self.item(), value);
    }

    /// An item that is raw JSON.
    pub(crate) fn raw(&mut self, value: &Raw) {
        write_raw(self.item(), value);
    }
}

impl Drop for Array<'_> {
    fn drop(&mut self) {
        self.out.push(b']');
    }
}

/// Writes raw JSON. Line breaks can only stand between its tokens, so they become spaces.
pub(crate) fn write_raw(out: &mut Vec<u8>, value: &Raw) {
    let from = out.len();
    out.extend_from_slice(value.text().as_bytes());
    if memchr::memchr2(b'\n', b'\r', &out[from..]).is_some() {
        for byte in &mut out[from..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
}

/// Writes text as a JSON string.
pub(crate) fn write_str(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_escaped(out, text);
    out.push(b'"');
}

/// Writes text as the inside of a JSON string. Runs without escapes are copied whole.
fn write_escaped(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut copied = 0;
    loop {
        let at = find_unwritable(bytes, copied);
        out.extend_from_slice(&bytes[copied..at]);
        let Some(&byte) = bytes.get(at) else { return };
        copied = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(other >> 4)]);
                out.push(HEX[usize::from(other & 15)]);
            }
        }
    }
}
