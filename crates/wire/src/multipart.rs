//! Reads a multipart form as it comes and finds one text field in it (RFC 7578, RFC 2046 section 5.1).
//!
//! Strict where two readers might read differently: a field that is given twice, two names for one part, or a delimiter
//! that goes on are refused, so that what is routed and billed is what the vendor reads.

use std::ops::Range;

use memchr::memmem::Finder;
use pilothouse_core::error::Error;

/// Longest head of a part, in bytes.
const PART_HEAD_MAX: usize = 16 * 1024;
/// Longest value of the field that is looked for, in bytes.
const VALUE_MAX: usize = 512;
/// Most parts of a form.
const PARTS_MAX: usize = 4096;
/// Longest boundary (RFC 2046, section 5.1.1).
const BOUNDARY_MAX: usize = 70;

/// Reads one form, piece by piece.
pub struct Form {
    field: &'static str,
    delimiter: Finder<'static>,
    state: State,
    /// Bytes that have come and are not judged yet, and where they begin. Two bytes stand before the body, so that
    /// its first delimiter looks like the others.
    held: Vec<u8>,
    offset: u64,
    parts: usize,
    found: Option<Field>,
}

/// The field that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its value.
    pub value: String,
    /// Where the value stands in the body, in bytes.
    pub range: Range<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first delimiter.
    Preamble,
    /// Right behind a delimiter.
    Delimiter,
    Head,
    /// Inside a part: the field that is looked for, or another one.
    Data {
        is_field: bool,
        start: u64,
    },
    /// Behind the last delimiter.
    End,
}

impl Form {
    /// A reader for a form of this content type. `None` when it is no form, or has no boundary that could be one.
    #[must_use]
    pub fn new(content_type: &str, field: &'static str) -> Option<Self> {
        let (kind, parameters) = content_type.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let boundary = parameter(parameters, "boundary").ok()??;
        if boundary.is_empty() || boundary.len() > BOUNDARY_MAX {
            return None;
        }
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        Some(Self {
            field,
            delimiter: Finder::new(&delimiter).into_owned(),
            state: State::Preamble,
            held: b"\r\n".to_vec(),
            offset: 0,
            parts: 0,
            found: None,
        })
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// A 400 when the form is none, or says a thing twice.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.held.extend_from_slice(bytes);
        while self.step()? {}
        Ok(())
    }

    /// The body has ended.
    ///
    /// # Errors
    /// A 400 when its last delimiter has not come.
    pub fn finish(&self) -> Result<(), Error> {
        if self.state == State::End { Ok(()) } else { Err(wrong("ends before its last delimiter")) }
    }

    /// The field, once its end has come.
    #[must_use]
    pub const fn found(&self) -> Option<&Field> {
        self.found.as_ref()
    }

    fn consume(&mut self, count: usize) {
        self.held.drain(..count);
        self.offset += count as u64;
    }

    /// One step; false when more bytes are needed.
    fn step(&mut self) -> Result<bool, Error> {
        match self.state {
            State::Preamble | State::Data { .. } => self.data(),
            State::Delimiter => self.behind_delimiter(),
            State::Head => self.head(),
            State::End => {
                // An epilogue means nothing.
                self.consume(self.held.len());
                Ok(false)
            }
        }
    }

    fn data(&mut self) -> Result<bool, Error> {
        let end = self.delimiter.find(&self.held);
        let length = self.delimiter.needle().len();
        if let State::Data { is_field: true, start } = self.state {
            // The value is short and stays held until its end has come.
            let Some(end) = end else {
                let is_long = self.held.len() > VALUE_MAX + length;
                return if is_long { Err(self.too_long()) } else { Ok(false) };
            };
            self.take_field(start, end)?;
        }
        match end {
            Some(end) => {
                self.consume(end + length);
                self.state = State::Delimiter;
                Ok(true)
            }
            None => {
                // The last bytes may begin a delimiter.
                self.consume(self.held.len().saturating_sub(length - 1));
                Ok(false)
            }
        }
    }

    fn take_field(&mut self, start: u64, end: usize) -> Result<(), Error> {
        if end > VALUE_MAX {
            return Err(self.too_long());
        }
        if self.found.is_some() {
            let public = format!("`{0}` is given twice in the form; give it once", self.field);
            return Err(Error::bad_request(self.field, public));
        }
        let Ok(value) = std::str::from_utf8(&self.held[..end]) else {
            return Err(Error::bad_request(self.field, format!("`{}` is not text", self.field)));
        };
        self.found = Some(Field { value: value.to_owned(), range: start..start + end as u64 });
        Ok(())
    }

    fn too_long(&self) -> Error {
        Error::bad_request(self.field, format!("`{}` exceeds {VALUE_MAX} bytes", self.field))
    }

    fn behind_delimiter(&mut self) -> Result<bool, Error> {
        // White space may pad a delimiter; mail gateways once added some.
        let padding = self.held.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if padding > 0 {
            self.consume(padding);
        }
        match self.held.get(..2) {
            None => Ok(false),
            Some(b"--") => {
                self.state = State::End;
                Ok(true)
            }
            Some(b"\r\n") => {
                self.parts += 1;
                if self.parts > PARTS_MAX {
                    return Err(wrong("has more than 4096 parts"));
                }
                // The line end stays: a part without headers begins with another one.
                self.state = State::Head;
                Ok(true)
            }
            Some(_) => Err(wrong("has a delimiter that does not end where it must")),
        }
    }

    fn head(&mut self) -> Result<bool, Error> {
        let Some(end) = memchr::memmem::find(&self.held, b"\r\n\r\n") else {
            let is_long = self.held.len() > PART_HEAD_MAX;
            return if is_long { Err(wrong("has a part whose headers exceed 16 KiB")) } else { Ok(false) };
        };
        let head =
            std::str::from_utf8(&self.held[..end]).map_err(|_| wrong("has headers that are not UTF-8"))?;
        let is_field = is_field(head, self.field)?;
        self.consume(end + 4);
        // Two bytes stand before the body that are not of it.
        self.state = State::Data { is_field, start: self.offset - 2 };
        Ok(true)
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Form({} parts, {:?})", self.parts, self.found)
    }
}

fn wrong(what: &str) -> Error {
    Error::bad_request(
        "body",
        format!("the form of the request {what}; send multipart/form-data as RFC 7578 has it"),
    )
}

/// Whether a part's head names the field, as text rather than as a file.
fn is_field(head: &str, field: &str) -> Result<bool, Error> {
    let (mut name, mut is_file, mut is_encoded) = (None, false, false);
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        let (header, value) = line.split_once(':').ok_or_else(|| wrong("has a header without a colon"))?;
        if header.eq_ignore_ascii_case("content-transfer-encoding") {
            is_encoded = !["7bit", "8bit", "binary"].iter().any(|it| value.trim().eq_ignore_ascii_case(it));
        }
        if !header.eq_ignore_ascii_case("content-disposition") {
            continue;
        }
        let parameters = value.split_once(';').map_or("", |(_, parameters)| parameters);
        let twice = || wrong("has a part with two names");
        let told = parameter(parameters, "name").map_err(|()| twice())?;
        is_file |= parameter(parameters, "filename").map_err(|()| twice())?.is_some();
        if let (Some(told), Some(_)) = (&told, &name) {
            let _: &String = told;
            return Err(twice());
        }
        name = name.or(told);
    }
    let is_field = name.as_deref() == Some(field) && !is_file;
    if is_field && is_encoded {
        return Err(wrong("has a field in a transfer encoding, which RFC 7578 does away with"));
    }
    Ok(is_field)
}

/// The value of a header's parameter, its quotes taken off. Twice the same is an error.
fn parameter(text: &str, wanted: &str) -> Result<Option<String>, ()> {
    let (mut rest, mut found) = (text.trim_start(), None);
    while !rest.is_empty() {
        let Some((name, behind)) = rest.split_once('=') else { break };
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => unquoted(quoted).ok_or(())?,
            None => {
                let end = behind.find(';').unwrap_or(behind.len());
                (behind[..end].trim_end().to_owned(), &behind[end..])
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) && found.replace(value).is_some() {
            return Err(());
        }
        rest = behind.trim_start_matches([';', ' ', '\t']);
    }
    Ok(found)
}

/// A quoted text up to its closing quote, and what stands behind that.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(letters.next()?.1),
            _ => out.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=\"xYz\"";

    fn read(body: &[u8], piece: usize) -> Result<Option<Field>, Error> {
        let mut form = Form::new(TYPE, "model").unwrap();
        for piece in body.chunks(piece.max(1)) {
            form.push(piece)?;
        }
        form.finish()?;
        Ok(form.found().cloned())
    }

    fn part(disposition: &str, value: &[u8]) -> Vec<u8> {
        let head = format!("--xYz\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        [head.as_bytes(), value, b"\r\n"].concat()
    }

    proptest! {
        #[test]
        fn the_field_is_found_however_the_body_is_cut(
            file in prop::collection::vec(any::<u8>(), 0..300),
            model in "[a-z0-9/.-]{0,40}",
            is_first in any::<bool>(),
            piece in 1usize..90,
        ) {
            let file = part("name=\"file\"; filename=\"a \\\"model\\\".wav\"", &[&file[..], b"\r\n--xY", b"model"].concat());
            let named = part("name=\"model\"", model.as_bytes());
            let parts = if is_first { [named, file] } else { [file, named] };
            let body = [parts.concat(), b"--xYz--\r\n".to_vec()].concat();
            let field = read(&body, piece).unwrap().unwrap();
            prop_assert_eq!(&field.value, &model);
            let range = field.range.start as usize..field.range.end as usize;
            prop_assert_eq!(&body[range], model.as_bytes());
        }

        #[test]
        fn hostile_forms_never_panic(body in prop::collection::vec(any::<u8>(), 0..300), piece in 1usize..20) {
            let _ = read(&[b"--xYz\r\n", &body[..]].concat(), piece);
        }
    }

    #[test]
    fn forms_that_two_readers_might_read_differently_are_refused() {
        let model = part("name=\"model\"", b"a");
        let end = b"--xYz--";
        for (why, body) in [
            ("twice", [&model[..], &model, end].concat()),
            ("two names", [&part("name=\"file\"; name=\"model\"", b"a")[..], end].concat()),
            ("no end", model.clone()),
            ("a delimiter that goes on", [&model[..], b"--xYzz--"].concat()),
            ("encoded", [b"--xYz\r\ncontent-transfer-encoding: base64\r\ncontent-disposition: form-data; name=model\r\n\r\nYQ==\r\n", &end[..]].concat()),
        ] {
            assert!(read(&body, 7).is_err(), "{why}");
        }
        let two = b"--xYz\r\nContent-Disposition: form-data; name=a\r\ncontent-disposition: form-data; name=model\r\n\r\nx\r\n--xYz--";
        assert!(read(two, 99).is_err());
    }

    #[test]
    fn a_file_that_is_called_like_the_field_is_not_the_field() {
        let body = [part("name=\"model\"; filename=\"m\"", b"x"), b"--xYz--\r\nepilogue".to_vec()].concat();
        assert_eq!(read(&body, 5).unwrap(), None);
        assert_eq!(read(b"--xYz--", 5).unwrap(), None);
    }

    #[test]
    fn content_types_without_a_usable_boundary_are_no_forms() {
        for wrong in [
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=a",
        ] {
            assert!(Form::new(wrong, "model").is_none(), "{wrong}");
        }
        assert!(Form::new("Multipart/Form-Data; charset=utf-8; Boundary=----abc", "model").is_some());
    }
}
