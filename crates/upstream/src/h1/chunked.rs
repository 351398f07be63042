//! Takes chunked framing off a body (RFC 9112, section 7.1): all data of a buffer becomes one piece.

use bytes::{Buf, Bytes, BytesMut};

use crate::failure::Failure;

/// Longest chunk-size line, extensions included.
const SIZE_LINE_MAX: usize = 4 * 1024;
/// Most bytes of trailer lines.
const TRAILERS_MAX: usize = 16 * 1024;

/// Where in the framing we are.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Trailers(usize),
    Done,
}

/// The reader's state between two reads.
#[derive(Debug)]
pub(crate) struct Chunks(State);

impl Chunks {
    pub(crate) const fn new() -> Self {
        Self(State::Size)
    }

    /// Whether the last chunk and its trailers have been read.
    pub(crate) fn is_done(&self) -> bool {
        self.0 == State::Done
    }

    /// Takes as much data as `buf` holds, as one piece; empty when more bytes are needed.
    pub(crate) fn take(&mut self, buf: &mut BytesMut) -> Result<Bytes, Failure> {
        let mut first = Bytes::new();
        let mut many: Option<BytesMut> = None;
        while let Some(piece) = self.step(buf)? {
            if piece.is_empty() {
                continue;
            }
            // One chunk in the buffer, the usual case in a stream, is handed on without a copy.
            if first.is_empty() && many.is_none() {
                first = piece;
                continue;
            }
            let gathered = many.get_or_insert_with(|| {
                let mut gathered = BytesMut::with_capacity(first.len() + piece.len() + buf.len());
                gathered.extend_from_slice(&first);
                gathered
            });
            gathered.extend_from_slice(&piece);
        }
        Ok(many.map_or(first, BytesMut::freeze))
    }

    /// One step of the framing: a piece of data (maybe empty), or `None` when `buf` holds too little.
    fn step(&mut self, buf: &mut BytesMut) -> Result<Option<Bytes>, Failure> {
        match self.0 {
            State::Size => {
                let Some(line) = take_line(buf, SIZE_LINE_MAX)? else { return Ok(None) };
                let size = parse_size(&line)?;
                self.0 = if size == 0 { State::Trailers(0) } else { State::Data(size) };
                Ok(Some(Bytes::new()))
            }
            State::Data(left) => {
                if buf.is_empty() {
                    return Ok(None);
                }
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
                let left = left - here as u64;
                self.0 = if left == 0 { State::DataEnd } else { State::Data(left) };
                Ok(Some(buf.split_to(here).freeze()))
            }
            State::DataEnd => {
                if buf.len() < 2 {
                    return Ok(None);
                }
                if &buf[..2] != b"\r\n" {
                    return Err(bad("a chunk does not end where its size says"));
                }
                buf.advance(2);
                self.0 = State::Size;
                Ok(Some(Bytes::new()))
            }
            State::Trailers(seen) => {
                let Some(line) = take_line(buf, TRAILERS_MAX)? else { return Ok(None) };
                let seen = seen + line.len() + 2;
                if seen > TRAILERS_MAX {
                    return Err(bad("its trailers exceed 16 KiB"));
                }
                self.0 = if line.is_empty() { State::Done } else { State::Trailers(seen) };
                Ok(Some(Bytes::new()))
            }
            State::Done => Ok(None),
        }
    }
}

fn bad(why: &str) -> Failure {
    Failure::BadAnswer(why.into())
}

fn take_line(buf: &mut BytesMut, max: usize) -> Result<Option<Bytes>, Failure> {
    match memchr::memchr(b'\n', buf) {
        Some(end) if end <= max => {
            let mut line = buf.split_to(end + 1).freeze();
            if end == 0 || line[end - 1] != b'\r' {
                return Err(bad("a line of its chunked framing does not end in CRLF"));
            }
            line.truncate(end - 1);
            Ok(Some(line))
        }
        None if buf.len() <= max => Ok(None),
        _ => Err(bad("a line of its chunked framing is too long")),
    }
}

fn parse_size(line: &[u8]) -> Result<u64, Failure> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(bad("a chunk size is not a hexadecimal number"));
    }
    let text = std::str::from_utf8(digits).map_err(|_| bad("a chunk size is not a hexadecimal number"))?;
    u64::from_str_radix(text, 16).map_err(|_| bad("a chunk size is not a hexadecimal number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds `wire` in pieces of the given sizes and returns all data and whether the end was seen.
    fn read(wire: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, bool, usize), Failure> {
        let (mut chunks, mut buf, mut data, mut at) = (Chunks::new(), BytesMut::new(), Vec::new(), 0);
        let mut sizes = cuts.iter().copied().chain(std::iter::repeat(wire.len().max(1)));
        while at < wire.len() {
            let next = (at + sizes.next().unwrap_or(1).max(1)).min(wire.len());
            buf.extend_from_slice(&wire[at..next]);
            at = next;
            data.extend_from_slice(&chunks.take(&mut buf)?);
        }
        Ok((data, chunks.is_done(), buf.len()))
    }

    proptest! {
        #[test]
        fn any_split_of_the_wire_gives_the_same_data(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
            cuts in prop::collection::vec(1usize..20, 0..40),
        ) {
            let mut wire = Vec::new();
            for piece in &pieces {
                wire.extend_from_slice(format!("{:x};ext=1\r\n", piece.len()).as_bytes());
                wire.extend_from_slice(piece);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\nx-trailer: 1\r\n\r\n");
            prop_assert_eq!(read(&wire, &cuts), Ok((pieces.concat(), true, 0)));
        }

        #[test]
        fn hostile_framing_never_panics(wire in prop::collection::vec(any::<u8>(), 0..200), cuts in prop::collection::vec(1usize..9, 0..40)) {
            let _ = read(&wire, &cuts);
        }
    }

    #[test]
    fn wrong_framing_is_refused() {
        for wire in ["x\r\n", "\r\n", "-1\r\n", "0x1\r\n", "1\nab", "1\r\nabc", "fffffffffffffffff\r\n"] {
            assert!(read(wire.as_bytes(), &[]).is_err(), "{wire:?}");
        }
    }

    #[test]
    fn bytes_after_the_end_stay_in_the_buffer() {
        assert_eq!(read(b"1\r\na\r\n0\r\n\r\nHTTP", &[]), Ok((b"a".to_vec(), true, 4)));
    }
}
