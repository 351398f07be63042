//! Decoding of answers that come compressed although we asked for identity, with a cap on what they unfold to.

mod zstd;

use std::io::{Error, ErrorKind, Result as IoResult, Write};

use brotli_decompressor::DecompressorWriter;
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::HeaderValue;

use crate::failure::Failure;
use zstd::Zstd;

/// Most bytes that one compressed answer may unfold to.
const DECODED_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes that one read may unfold to.
const PIECE_MAX: usize = 16 * 1024 * 1024;
/// Working buffer of the decoders that need one, in bytes.
const WORK_SIZE: usize = 8 * 1024;

/// Takes a content encoding off, piece by piece.
pub(crate) struct Decoder {
    unfold: Box<dyn Unfold>,
    decoded: u64,
    /// Whether anything was to decode: an empty body is whole whatever its encoding.
    was_fed: bool,
}

/// One content encoding.
trait Unfold: Send {
    /// Decodes one piece into the buffer.
    fn push(&mut self, piece: &[u8]) -> IoResult<()>;
    /// Checks that the stream is whole.
    fn finish(&mut self) -> IoResult<()>;
    /// Where decoded bytes are gathered.
    fn gathered(&mut self) -> &mut Capped;
}

/// A buffer that refuses to grow beyond [`PIECE_MAX`].
#[derive(Default)]
struct Capped(Vec<u8>);

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        if self.0.len() + bytes.len() > PIECE_MAX {
            return Err(Error::other("it unfolds to more than 16 MiB at once"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

fn truncated() -> Error {
    Error::new(ErrorKind::UnexpectedEof, "it breaks off")
}

impl Decoder {
    /// The decoder for a `content-encoding`; `None` for identity.
    pub(crate) fn for_encoding(encoding: Option<&HeaderValue>) -> Result<Option<Self>, Failure> {
        let Some(encoding) = encoding else { return Ok(None) };
        let unfold: Box<dyn Unfold> = match encoding.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => return Ok(None),
            b"gzip" | b"x-gzip" => Box::new(MultiGzDecoder::new(Capped::default())),
            b"deflate" => Box::new(Deflate::default()),
            b"br" => Box::new(DecompressorWriter::new(Capped::default(), WORK_SIZE)),
            b"zstd" => Box::new(Zstd::default()),
            other => {
                return Err(Failure::BadAnswer(format!(
                    "it is encoded as `{}` although we asked for no encoding",
                    String::from_utf8_lossy(other)
                )));
            }
        };
        Ok(Some(Self { unfold, decoded: 0, was_fed: false }))
    }

    /// Decodes one piece. The last piece is empty and checks that the stream is whole.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Bytes, Failure> {
        let worked = match (piece.is_empty(), self.was_fed) {
            (false, _) => self.unfold.push(piece),
            (true, true) => self.unfold.finish(),
            (true, false) => Ok(()),
        };
        self.was_fed |= !piece.is_empty();
        worked.map_err(|error| Failure::BadAnswer(format!("its compressed body cannot be read: {error}")))?;
        let out = std::mem::take(&mut self.unfold.gathered().0);
        self.decoded += out.len() as u64;
        if self.decoded > DECODED_MAX {
            return Err(Failure::BadAnswer("its compressed body unfolds to more than 256 MiB".into()));
        }
        Ok(out.into())
    }
}

impl Unfold for MultiGzDecoder<Capped> {
    fn push(&mut self, piece: &[u8]) -> IoResult<()> {
        self.write_all(piece)?;
        self.flush()
    }

    fn finish(&mut self) -> IoResult<()> {
        self.try_finish()
    }

    fn gathered(&mut self) -> &mut Capped {
        self.get_mut()
    }
}

impl Unfold for DecompressorWriter<Capped> {
    fn push(&mut self, piece: &[u8]) -> IoResult<()> {
        self.write_all(piece)
    }

    fn finish(&mut self) -> IoResult<()> {
        self.close()
    }

    fn gathered(&mut self) -> &mut Capped {
        self.get_mut()
    }
}

/// `deflate` as the standard has it (zlib), and bare as some servers send it (RFC 9110, section 8.4.1.2).
#[derive(Default)]
struct Deflate {
    state: Option<Decompress>,
    is_whole: bool,
    out: Capped,
}

impl Unfold for Deflate {
    fn push(&mut self, mut piece: &[u8]) -> IoResult<()> {
        let mut work = [0; WORK_SIZE];
        while let Some(first) = piece.first() {
            if self.is_whole {
                return Err(Error::new(ErrorKind::InvalidData, "bytes follow its end"));
            }
            // A zlib stream begins with method 8; a bare one never does, whose block types end at 2.
            let state = self.state.get_or_insert_with(|| Decompress::new(first & 0x0f == 8));
            loop {
                let (read_before, written_before) = (state.total_in(), state.total_out());
                let status = state
                    .decompress(piece, &mut work, FlushDecompress::None)
                    .map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
                let read = (state.total_in() - read_before) as usize;
                let written = (state.total_out() - written_before) as usize;
                self.out.write_all(&work[..written])?;
                piece = &piece[read..];
                self.is_whole = status == Status::StreamEnd;
                if self.is_whole || written < work.len() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> IoResult<()> {
        if self.is_whole { Ok(()) } else { Err(truncated()) }
    }

    fn gathered(&mut self) -> &mut Capped {
        &mut self.out
    }
}

#[cfg(test)]
mod tests;
