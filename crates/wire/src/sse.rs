//! Server-sent events as bytes: where an event ends, and what its fields are.
//!
//! The framing is that of the HTML standard, section 9.2.6: lines end in LF, CRLF or CR, an event ends with
//! an empty line, several `data` lines join with LF.

use std::borrow::Cow;

use memchr::memchr2;

/// Largest event that is held in memory while it arrives, in bytes.
pub const EVENT_MAX: usize = 16 * 1024 * 1024;

/// One event's fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// The `event` field.
    pub name: Option<&'a [u8]>,
    /// The `data` lines, joined by LF. Empty for comments.
    pub data: Cow<'a, [u8]>,
    /// Whether there was any `data` line.
    pub has_data: bool,
}

/// The index after the blank line that ends the first event at or after `from`, looking from `resume` on;
/// `None` when it has not arrived. A CR at the very end may be half of a CRLF, so it is waited for.
#[must_use]
pub fn find_end(buf: &[u8], from: usize, resume: usize) -> Option<usize> {
    let mut at = resume.max(from);
    // The line break before `resume` may be the first half of the blank line.
    while at > from && matches!(buf[at - 1], b'\n' | b'\r') {
        at -= 1;
    }
    let mut is_line_empty = at == from;
    loop {
        let found = memchr2(b'\n', b'\r', buf.get(at..)?)?;
        if found > 0 {
            is_line_empty = false;
        }
        let brk = at + found;
        let next = match (buf[brk], buf.get(brk + 1)) {
            (b'\r', Some(b'\n')) => brk + 2,
            (b'\r', None) => return None,
            _ => brk + 1,
        };
        if is_line_empty {
            return Some(next);
        }
        is_line_empty = true;
        at = next;
    }
}

/// Reads the fields of one event, given with or without its blank line.
#[must_use]
pub fn parse(raw: &[u8]) -> Event<'_> {
    let mut event = Event::default();
    let mut rest = raw;
    while !rest.is_empty() {
        let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        let skip = if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = rest.get(end + skip..).unwrap_or_default();
        if let Some(value) = field(line, b"data") {
            if event.has_data {
                let joined = event.data.to_mut();
                joined.push(b'\n');
                joined.extend_from_slice(value);
            } else {
                event.data = Cow::Borrowed(value);
                event.has_data = true;
            }
        } else if let Some(value) = field(line, b"event") {
            event.name = Some(value);
        }
    }
    event
}

/// The value of a line, if the line has that field; one space after the colon belongs to the framing.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name)?;
    match rest.strip_prefix(b":") {
        Some(value) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        None => rest.is_empty().then_some(rest),
    }
}

/// Cuts a stream into events, holding what has not ended yet, within [`EVENT_MAX`].
#[derive(Debug, Default)]
pub struct Reader {
    held: Vec<u8>,
    looked: usize,
}

/// An event grew beyond [`EVENT_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oversized;

impl Reader {
    /// Takes the next bytes and hands every event that is complete to `each`.
    ///
    /// # Errors
    /// [`Oversized`] when an event does not end within the bound; what `each` returned when it fails.
    pub fn push<E: From<Oversized>>(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.held.is_empty() {
            let used = Self::drain(chunk, &mut 0, &mut each)?;
            self.held.extend_from_slice(&chunk[used..]);
        } else {
            self.held.extend_from_slice(chunk);
            let used = Self::drain(&self.held, &mut self.looked, &mut each)?;
            self.held.drain(..used);
        }
        self.looked = self.held.len();
        if self.held.len() > EVENT_MAX { Err(Oversized.into()) } else { Ok(()) }
    }

    /// Hands over a last event that the stream ended without its blank line.
    ///
    /// # Errors
    /// What `each` returned.
    pub fn finish<E>(&mut self, mut each: impl FnMut(Event<'_>) -> Result<(), E>) -> Result<(), E> {
        let held = std::mem::take(&mut self.held);
        let event = parse(&held);
        if event.has_data { each(event) } else { Ok(()) }
    }

    fn drain<E>(
        buf: &[u8],
        looked: &mut usize,
        each: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut from = 0;
        while let Some(end) = find_end(buf, from, *looked) {
            let event = parse(&buf[from..end]);
            if event.has_data {
                each(event)?;
            }
            from = end;
            *looked = end;
        }
        Ok(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(wire: &[u8], cuts: &[usize]) -> Vec<(Option<Vec<u8>>, Vec<u8>)> {
        let (mut reader, mut out, mut at) = (Reader::default(), Vec::new(), 0);
        let mut sizes = cuts.iter().copied().chain(std::iter::repeat(usize::MAX));
        let mut keep = |event: Event<'_>| -> Result<(), Oversized> {
            out.push((event.name.map(<[u8]>::to_vec), event.data.into_owned()));
            Ok(())
        };
        while at < wire.len() {
            let next = at.saturating_add(sizes.next().unwrap_or(1).max(1)).min(wire.len());
            reader.push(&wire[at..next], &mut keep).unwrap();
            at = next;
        }
        reader.finish(&mut keep).unwrap();
        out
    }

    proptest! {
        #[test]
        fn events_are_the_same_however_the_stream_is_split(
            datas in prop::collection::vec("[a-z :]{0,12}", 1..6),
            newline in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
            cuts in prop::collection::vec(1usize..7, 0..60),
        ) {
            let mut wire = String::new();
            for data in &datas {
                wire.push_str(&format!(": note{newline}event: e{newline}data: {data}{newline}data:x{newline}{newline}"));
            }
            let expected: Vec<_> = datas.iter().map(|data| (Some(b"e".to_vec()), format!("{data}\nx").into_bytes())).collect();
            prop_assert_eq!(events(wire.as_bytes(), &cuts), expected);
        }

        #[test]
        fn hostile_streams_never_panic(wire in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), any::<u8>()], 0..80), cuts in prop::collection::vec(1usize..9, 0..40)) {
            let _ = events(&wire, &cuts);
        }
    }

    #[test]
    fn an_event_that_never_ends_is_refused() {
        let mut reader = Reader::default();
        let piece = vec![b'x'; 1 << 20];
        let mut all = Ok(());
        for _ in 0..20 {
            all = reader.push(&piece, |_| Ok::<(), Oversized>(()));
            if all.is_err() {
                break;
            }
        }
        assert_eq!(all, Err(Oversized));
    }
}
