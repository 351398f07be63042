//! Amazon's event stream (`application/vnd.amazon.eventstream`) as bytes: messages cut, read and written.
//!
//! A message is: its length (4 bytes), the length of its headers (4), the CRC-32 of these eight (4), the headers, the
//! payload, and the CRC-32 of all before it (4); numbers are big-endian. A header is the length of its name (1), the
//! name, a type (1) and a value. <https://smithy.io/2.0/aws/amazon-eventstream.html>; `eventstream.py` of
//! <https://github.com/boto/botocore> 1.44; both read 2026-11-23.

use std::borrow::Cow;
use std::fmt;

use crate::sse::EVENT_MAX;

/// Bytes before the headers.
const PRELUDE: usize = 12;
/// Bytes of the checksum behind the payload.
const CHECKSUM: usize = 4;
/// The smallest message: no headers, no payload.
const MESSAGE_MIN: usize = PRELUDE + CHECKSUM;
/// The most bytes of headers that AWS's SDKs take.
const HEADERS_MAX: usize = 128 * 1024;
/// The longest text of a header.
const TEXT_MAX: usize = 0x7fff;

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    /// A length that no message can have.
    Length,
    /// A message of more than [`EVENT_MAX`] bytes.
    Oversized,
    /// A checksum that is not that of the bytes.
    Checksum,
    /// Headers that are not what their lengths and types say.
    Headers,
}

impl fmt::Display for Damaged {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Length => "a message's length is impossible",
            Self::Oversized => "a message exceeds 16 MiB",
            Self::Checksum => "a message's checksum is wrong",
            Self::Headers => "a message's headers cannot be read",
        })
    }
}

impl std::error::Error for Damaged {}

/// One message, borrowed from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    headers: &'a [u8],
    /// What it carries; of a Converse stream, one JSON object.
    pub payload: &'a [u8],
}

/// The value of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text (type 7).
    Text(&'a str),
    /// Any other value, as its bytes: numbers, truths, blobs, times, UUIDs.
    Other(u8, &'a [u8]),
}

impl<'a> Message<'a> {
    /// Reads one whole message, as [`find_end`] cut it.
    ///
    /// # Errors
    /// [`Damaged`] where a length, a checksum or a header is wrong.
    pub fn parse(raw: &'a [u8]) -> Result<Self, Damaged> {
        let (total, headers) = prelude(raw)?.ok_or(Damaged::Length)?;
        if raw.len() != total {
            return Err(Damaged::Length);
        }
        let body = total - CHECKSUM;
        if crc32fast::hash(&raw[..body]) != number(raw, body) {
            return Err(Damaged::Checksum);
        }
        let payload_at = PRELUDE + headers;
        let message = Self { headers: &raw[PRELUDE..payload_at], payload: &raw[payload_at..body] };
        let mut all = Headers { rest: message.headers };
        while !all.rest.is_empty() {
            all.read().ok_or(Damaged::Headers)?;
        }
        Ok(message)
    }

    /// The headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        Headers { rest: self.headers }
    }

    /// The text of the header of that name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.headers().find_map(|(key, value)| match value {
            Value::Text(text) if key == name => Some(text),
            _ => None,
        })
    }
}

struct Headers<'a> {
    rest: &'a [u8],
}

impl<'a> Headers<'a> {
    fn read(&mut self) -> Option<(&'a str, Value<'a>)> {
        let length = usize::from(*self.take(1)?.first()?);
        let name = std::str::from_utf8(self.take(length)?).ok()?;
        let kind = *self.take(1)?.first()?;
        let width = match kind {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            6 | 7 => {
                let length = self.take(2)?;
                usize::from(u16::from_be_bytes([length[0], length[1]]))
            }
            9 => 16,
            _ => return None,
        };
        let value = self.take(width)?;
        Some((
            name,
            if kind == 7 { Value::Text(std::str::from_utf8(value).ok()?) } else { Value::Other(kind, value) },
        ))
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() { None } else { self.read() }
    }
}

/// The four bytes at a place, as a number.
fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_be_bytes)
}

/// The lengths of the message that begins here and of its headers; `None` while its prelude is incomplete. The
/// checksum of the prelude is looked at first: a damaged length would make a reader wait for what never comes.
fn prelude(bytes: &[u8]) -> Result<Option<(usize, usize)>, Damaged> {
    let Some(prelude) = bytes.get(..PRELUDE) else { return Ok(None) };
    if crc32fast::hash(&prelude[..8]) != number(prelude, 8) {
        return Err(Damaged::Checksum);
    }
    let length = |at| usize::try_from(number(prelude, at)).unwrap_or(usize::MAX);
    let (total, headers) = (length(0), length(4));
    if total > EVENT_MAX {
        return Err(Damaged::Oversized);
    }
    if total < MESSAGE_MIN || headers > HEADERS_MAX || headers > total - MESSAGE_MIN {
        return Err(Damaged::Length);
    }
    Ok(Some((total, headers)))
}

/// The index behind the message that begins at `from`; `None` when it has not arrived whole.
///
/// # Errors
/// [`Damaged`] as soon as its first twelve bytes show it.
pub fn find_end(buf: &[u8], from: usize) -> Result<Option<usize>, Damaged> {
    let bytes = buf.get(from..).unwrap_or_default();
    Ok(prelude(bytes)?
        .map(|(total, _)| total)
        .filter(|total| *total <= bytes.len())
        .map(|total| from + total))
}

/// Writes one message with headers that are text. Names and texts are cut to what their lengths can tell.
pub fn write(out: &mut Vec<u8>, headers: &[(&str, &str)], payload: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&[0; PRELUDE]);
    for (name, value) in headers {
        let (name, value) = (cut(name, usize::from(u8::MAX)), cut(value, TEXT_MAX));
        out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(name.as_bytes());
        out.push(7);
        out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(value.as_bytes());
    }
    let headers = out.len() - start - PRELUDE;
    out.extend_from_slice(payload);
    let total = out.len() - start + CHECKSUM;
    let length = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes();
    out[start..start + 4].copy_from_slice(&length(total));
    out[start + 4..start + 8].copy_from_slice(&length(headers));
    let sum = crc32fast::hash(&out[start..start + 8]);
    out[start + 8..start + PRELUDE].copy_from_slice(&sum.to_be_bytes());
    let sum = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&sum.to_be_bytes());
}

/// The longest beginning of a text that fits.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// Writes one event: its name, and its data, which is JSON.
pub fn write_event(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    let headers = [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    write(out, &headers, data);
}

/// Writes one exception: its name, and its data, which is JSON.
pub fn write_exception(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    let headers =
        [(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")];
    write(out, &headers, data);
}

/// Cuts a stream into messages, holding what has not arrived whole, within [`EVENT_MAX`].
#[derive(Debug, Default)]
pub struct Reader {
    held: Vec<u8>,
}

impl Reader {
    /// Takes the next bytes and hands every message that is complete to `each`.
    ///
    /// # Errors
    /// [`Damaged`] where the bytes are no messages; what `each` returned when it fails.
    pub fn push<E: From<Damaged>>(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(Message<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let buf: Cow<'_, [u8]> = if self.held.is_empty() {
            Cow::Borrowed(chunk)
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(chunk);
            Cow::Owned(held)
        };
        let mut from = 0;
        while let Some(end) = find_end(&buf, from)? {
            each(Message::parse(&buf[from..end])?)?;
            from = end;
        }
        self.held.extend_from_slice(&buf[from..]);
        Ok(())
    }

    /// Whether the stream stands between two messages.
    #[must_use]
    pub const fn is_between(&self) -> bool {
        self.held.is_empty()
    }
}

#[cfg(test)]
mod tests;
